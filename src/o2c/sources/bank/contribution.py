"""What all landed bank files give to a run: payments, remittance lines, holds, checks, exceptions."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from o2c.checks import Check
from o2c.contract import PROVENANCE, TABLES
from o2c.sources.bank.accounts import declared_entities, owner_of
from o2c.sources.bank.exception_rows import (
    differing_issues,
    issue_rows,
    not_loaded,
    unfound_issues,
    unusable_lines,
)
from o2c.sources.bank.held import HELD, counted_issues, held_payments, with_exception_flag
from o2c.sources.bank.landed_tables import TABLES as LANDED
from o2c.sources.bank.landing import SOURCE, LandedBankFile
from o2c.sources.bank.money_once import choose_entries
from o2c.sources.bank.notified import explain_entries, only, without
from o2c.sources.bank.payments import REJECTED, contract_payments, sort_transactions
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.remitted import document_lines, remittance_lines, with_adjustments, with_signs
from o2c.sources.bank.statement_checks import (
    chain_issues,
    freshness_checks,
    issue_check,
    repeated_check,
)
from o2c.sources.bank.transactions import list_transactions
from o2c.sources.sink import REJECTED as REJECTED_ROWS


@dataclass
class Contribution:
    """Tables of the contract by name, ready as Parquet; what is held back; what a person must see."""

    tables: dict[str, list[Path]] = field(default_factory=dict)
    held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD))
    rejected_rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_ROWS))
    counts: list[dict[str, object]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    input_ids: list[str] = field(default_factory=list)


def contribute(
    files: Sequence[LandedBankFile],
    profiles: Mapping[str, BankProfile],
    entities: list[str],
    due: Mapping[str, date],
    as_of: date,
    folder: Path,
) -> Contribution:
    """Everything that landed, each cent once, as tables of the contract.

    Args:
        files: from ``landed_before``.
        profiles: say which account is whose.
        entities: ids of our entities, as the other sources know them.
        due: the last business day before the as-of date, by entity: statements must reach it.
        as_of: the date of the run.
        folder: where the tables are written, under a name made of everything that decides them.
    """
    declared = declared_entities(profiles)
    found = Contribution()
    if not files:
        found.checks += freshness_checks(_no_heads(), declared, due, as_of)
        return found
    tables = {name: _read(files, name) for name in LANDED}
    issues = tables["exceptions"].sort("file_id", "position", "code", "message")
    chosen = choose_entries(
        with_exception_flag(tables["statements"], issues), tables["entries"], tables["details"]
    )
    told = explain_entries(chosen, declared)
    entries = pl.concat([without(chosen.entries, told.replaced), only(chosen.notified, told.money)])
    transactions = list_transactions(entries, tables["details"])
    stated = dict(chosen.heads.select("account_key", "account").unique("account_key").iter_rows())
    owners = {key: owner_of(key, account, declared, entities) for key, account in stated.items()}
    money = sort_transactions(transactions, owners)

    lines = document_lines(money.payments, tables["lines"])
    more, paid_by = remittance_lines(tables["remittances"], tables["lines"], money.payments)
    more = more.filter(~pl.col("payment_id").is_in(lines["payment_id"].implode()).fill_null(False))
    lines = with_adjustments(with_signs(pl.concat([lines, more])))
    is_usable = pl.col("invoice_reference").is_not_null() & pl.col("paid_amount").is_not_null()
    named = (
        lines.filter(
            ~is_usable, pl.col("payment_id").is_not_null(), pl.col("invoice_reference").is_not_null()
        )
        .sort("remittance_id", "line_number")
        .group_by("payment_id", maintain_order=True)
        .agg(numbers="invoice_reference")
    )
    payments = contract_payments(money.payments, named)

    chain = chain_issues(chosen.heads)
    across = [*chain, *unfound_issues(told.unfound, chosen), *differing_issues(chosen)]
    found.held = held_payments(money.payments, chosen, issues, chain, paid_by)
    found.rejected_rows = pl.concat(
        [
            issue_rows(issues, across),
            not_loaded(money.others),
            unusable_lines(lines.filter(~is_usable)),
        ]
    )
    found.counts = [
        _count("payments", transactions.height, payments.height, money.others),
        {
            **_count("remittance_lines", lines.height, lines.filter(is_usable).height, money.others.head(0)),
            "rejected": lines.filter(~is_usable).height,
        },
    ]
    counted = counted_issues(issues, chosen)
    found.checks = [
        issue_check("bank_files_tie", counted.select("code", "message").iter_rows()),
        issue_check("bank_statements_follow_on", ((one.code, one.message) for one in across)),
        repeated_check(chosen.heads),
        *freshness_checks(chosen.heads, declared, due, as_of),
    ]
    found.input_ids = sorted(
        [f"{SOURCE}/{one.reading_id}/{one.file_id}" for one in files]
        + [f"{SOURCE}/owners/{hashlib.sha256(json.dumps(owners, sort_keys=True).encode()).hexdigest()[:16]}"]
    )
    seen = pl.DataFrame(
        [(one.file_id, one.seen_at) for one in files],
        schema={"_file_id": pl.String(), "_loaded_at": PROVENANCE["_loaded_at"]},
        orient="row",
    )
    name = hashlib.sha256("\n".join(found.input_ids).encode()).hexdigest()[:24]
    found.tables = {
        "payments": [_write(payments, "payments", seen, folder / name)],
        "remittance_lines": [_write(lines.filter(is_usable), "remittance_lines", seen, folder / name)],
    }
    return found


# ── in and out ───────────────────────────────────────────────────────────────────────────────────────


def _read(files: Sequence[LandedBankFile], table: str) -> pl.DataFrame:
    """A table of all files. Empty ones are left out: thousands of small files are many opens."""
    paths = [one.path(table) for one in files if one.receipt[table]]
    empty = pl.DataFrame(schema=LANDED[table])
    return pl.concat([empty, *(pl.read_parquet(path).cast(LANDED[table]) for path in paths)])  # ty: ignore[invalid-argument-type]


def _no_heads() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"rank": pl.Int64(), "lane": pl.Int64(), "last_date": pl.Date(), "account_key": pl.String()}
    )


def _write(rows: pl.DataFrame, table: str, seen: pl.DataFrame, folder: Path) -> Path:
    """The table with its provenance; written anew for every run, as it depends on all files together."""
    target = folder / f"{table}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    whole = rows.join(seen, on="_file_id", how="left").with_columns(_source=pl.lit(SOURCE))
    schema = TABLES[table].schema | PROVENANCE
    ordered = whole.select(pl.col(name).cast(kind) for name, kind in schema.items()).sort(*TABLES[table].key)
    ordered.write_parquet(target.with_suffix(".tmp"))
    target.with_suffix(".tmp").replace(target)
    return target


def _count(table: str, rows_in: int, loaded: int, others: pl.DataFrame) -> dict[str, object]:
    rejected = others.filter(pl.col("why").is_in(list(REJECTED))).height
    return {
        "source": SOURCE,
        "table_name": table,
        "name": "bank files",
        "file_id": "",
        "mapping_id": "",
        "rows_in": rows_in,
        "loaded": loaded,
        "rejected": rejected,
        "skipped": others.height - rejected,
        "warned": 0,
    }
