"""What only several tables or several sources together show: unknown customers, early payments, shared ids."""

import hashlib
import json
from itertools import combinations
from pathlib import Path

import polars as pl

from o2c.contract import TABLES
from o2c.sources.sink import REJECTED
from o2c.sources.versions import write_problems


class SourcesClash(ValueError):
    """Sources that cannot stand beside each other in one run; says which and what to do."""


def across_tables(source: str, own: dict[str, list[Path]], folder: Path) -> list[Path]:
    """Warning rows that need two tables: unknown customers, payments dated before the invoice they pay."""
    read = ("customers", *_CUSTOMERS_IN, *_WRITE_OFFS_IN)
    inputs = json.dumps(sorted(str(path) for table in read for path in own.get(table, [])))
    target = folder / f"{hashlib.sha256(inputs.encode()).hexdigest()[:24]}.parquet"
    if target.exists():
        return [target]
    _require_one_way_to_write_off(source, own)
    problems = [_unknown_customers(own, table) for table in _CUSTOMERS_IN] if own.get("customers") else []
    problems.append(_paid_before_invoice(own))
    return write_problems(pl.concat(problems), target)


_CUSTOMERS_IN = ("invoices", "payments", "orders")
_WRITE_OFFS_IN = {"adjustments": "adjustment_type", "payment_applications": "application_type"}


def _unknown_customers(own: dict[str, list[Path]], table: str) -> pl.DataFrame:
    if not own.get(table):
        return pl.DataFrame(schema=REJECTED)
    known = pl.scan_parquet(own["customers"]).select("customer_id")
    rows = (
        pl.scan_parquet(own[table])
        .select("customer_id", "_file_id", "_source", "_line")
        .drop_nulls("customer_id")
    )
    unknown = rows.join(known, on="customer_id", how="anti").collect().sort("_file_id", "_line")
    return unknown.select(
        file_id="_file_id",
        source="_source",
        table_name=pl.lit(table),
        line="_line",
        severity=pl.lit("warning"),
        reason_code=pl.lit("unknown_customer"),
        reason=pl.format(
            "customer_id '{}' is not among the customers; it is kept and never written to", "customer_id"
        ),
        raw_row=pl.lit(None, dtype=pl.String),
    )


def _paid_before_invoice(own: dict[str, list[Path]]) -> pl.DataFrame:
    if not own.get("payments") or not own.get("invoices"):
        return pl.DataFrame(schema=REJECTED)
    payments = pl.scan_parquet(own["payments"]).select(
        "payment_id", "entity_id", "reference_text", "value_date", "_file_id", "_source", "_line"
    )
    invoices = pl.scan_parquet(own["invoices"]).select("entity_id", "invoice_number", "invoice_date")
    early = (
        payments.drop_nulls("reference_text")
        .join(invoices, left_on=["entity_id", "reference_text"], right_on=["entity_id", "invoice_number"])
        .filter(pl.col("value_date") < pl.col("invoice_date"))
        .collect()
        .sort("_file_id", "_line", "invoice_date")
        .unique("payment_id", keep="first", maintain_order=True)
    )
    return early.select(
        file_id="_file_id",
        source="_source",
        table_name=pl.lit("payments"),
        line="_line",
        severity=pl.lit("warning"),
        reason_code=pl.lit("paid_before_invoice_date"),
        reason=pl.format(
            "value_date {} is before the date of invoice {}, {}",
            "value_date",
            "reference_text",
            "invoice_date",
        ),
        raw_row=pl.lit(None, dtype=pl.String),
    )


def _require_one_way_to_write_off(source: str, own: dict[str, list[Path]]) -> None:
    written_off = [
        table
        for table, column in _WRITE_OFFS_IN.items()
        if own.get(table)
        and pl.scan_parquet(own[table]).filter(pl.col(column) == "write_off").head(1).collect().height
    ]
    if len(written_off) > 1:
        raise SourcesClash(
            f"{source}: write-offs stand in adjustments and in payment_applications, so they would count twice."
            " Map them in one of the two and leave them out of the other with `where`."
        )


def require_apart(by_source: dict[str, dict[str, list[Path]]]) -> None:
    """No key may belong to two sources."""
    faults = []
    for (first, left_tables), (second, right_tables) in combinations(by_source.items(), 2):
        for table in left_tables.keys() & right_tables.keys():
            key = list(TABLES[table].key)
            left, right = (
                pl.scan_parquet(tables[table]).select(key) for tables in (left_tables, right_tables)
            )
            if (same := left.join(right, on=key, how="semi").head(1).collect()).height:
                faults.append(f"{table} {', '.join(map(str, same.row(0)))} is in {first} and in {second}")
    if faults:
        raise SourcesClash(
            "sources share ids, so their rows cannot be told apart:\n  "
            + "\n  ".join(sorted(faults))
            + "\nGive one of them an `id_prefix` in its definition; ids that they mean to share go under `unprefixed`,"
            " and the rows of those are delivered by one source only."
        )
