"""The only module that opens DuckDB: the raw layer of a run goes in, frames of its marts come out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from o2c.contract import PROVENANCE, SQL_TYPES, TABLES
from o2c.frames import (
    Applications,
    CashCandidates,
    CashDecisions,
    CashExceptions,
    Deductions,
    Frame,
    PayerAssignments,
)

RUN_FORMAT = "v1.5.0"
MONEY, RATIO = "decimal(18, 4)", "decimal(18, 6)"

FRAME_TYPES: dict[pl.DataType, str] = {
    pl.String(): "varchar",
    pl.Int64(): "bigint",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    pl.Decimal(18, 4): MONEY,
    pl.Decimal(18, 6): RATIO,
}


def _types_of(frame: type[Frame]) -> dict[str, str]:
    """Columns of a frame as SQL types: what goes in and out as one frame has its columns written once."""
    return {name: FRAME_TYPES[kind] for name, kind in frame.empty().schema.items()}


# Tables of a run that no extract delivers. Columns and types as dbt reads them; empty until loaded.
RUN_TABLES: dict[str, dict[str, str]] = {
    "raw.as_of_dates": {"as_of_date": "date", "is_run_date": "boolean"},
    "raw.sources": {"source": "varchar", "is_open_items_only": "boolean", "balance_date": "date"},
    "raw.risk_history": {
        "as_of_date": "date",
        "entity_id": "varchar",
        "currency_code": "varchar",
        "at_risk_amount": MONEY,
        "open_amount": MONEY,
    },
    "raw.held_payments": {"payment_id": "varchar", "reason_code": "varchar", "reason": "varchar"},
    "raw.engine_applications": _types_of(Applications),
    "raw.payer_assignments": _types_of(PayerAssignments),
    "raw.cash_deductions": _types_of(Deductions),
    "raw.cash_exceptions": _types_of(CashExceptions),
    "raw.cash_candidates": _types_of(CashCandidates),
    "raw.cash_decisions": _types_of(CashDecisions),
    "raw.rejected_rows": {
        "file_id": "varchar",
        "source": "varchar",
        "table_name": "varchar",
        "line": "bigint",
        "severity": "varchar",
        "reason_code": "varchar",
        "reason": "varchar",
        "raw_row": "varchar",
    },
    "raw.run_checks": {
        "run_id": "varchar",
        "check_name": "varchar",
        "expected": "varchar",
        "actual": "varchar",
        "passed": "boolean",
        "severity": "varchar",
    },
    "policy.controls": {"group_currency_code": "varchar", "time_zone": "varchar", "country_code": "varchar"},
    "policy.aging_buckets": {
        "bucket_order": "bigint",
        "aging_bucket": "varchar",
        "from_day": "bigint",
        "to_day": "bigint",
    },
    "policy.segments": {
        "tier_a_revenue_ratio": RATIO,
        "tier_c_customer_ratio": RATIO,
        "slightly_late_days": "bigint",
        "new_customer_settled_count": "bigint",
        "risk_medium_ratio": RATIO,
        "risk_high_ratio": RATIO,
        "weight_days_late": RATIO,
        "weight_past_due": RATIO,
        "weight_trend": RATIO,
        "weight_broken_promises": RATIO,
        "weight_returned_payments": RATIO,
        "weight_utilisation": RATIO,
        "days_late_cap": "bigint",
        "trend_cap": "bigint",
        "broken_promise_cap": "bigint",
        "returned_payment_cap": "bigint",
    },
    "policy.currencies": {"currency_code": "varchar", "minor_units": "bigint"},
    "policy.matching": {"paid_lookback_days": "bigint"},
    "policy.deduction_reasons": {"reason_code": "varchar", "reason": "varchar", "opens_dispute": "boolean"},
    "policy.loss_ratios": {
        "aging_bucket": "varchar",
        "loss_numerator": "bigint",
        "loss_denominator": "bigint",
        "forward_factor": RATIO,
    },
    "policy.kpis": {"kpi_order": "bigint", "kpi_name": "varchar", "unit": "varchar", "better": "varchar"},
    "policy.kpi_benchmarks": {
        "kpi_name": "varchar",
        "benchmark_value": RATIO,
        "benchmark_period": "varchar",
        "benchmark_source": "varchar",
    },
    "policy.kpi_targets": {"kpi_name": "varchar", "entity_id": "varchar", "target_value": RATIO},
    "policy.kpi_controls": {
        "cost_of_capital_ratio": RATIO,
        "shortfall_ratio": RATIO,
        "concentration_ratio": RATIO,
        "concentration_min_customer_count": "bigint",
    },
    "policy.reporting": {
        "baseline_date": "date",
        "early_ratio": RATIO,
        "late_ratio": RATIO,
        "early_weight": RATIO,
        "late_weight": RATIO,
        "smallest_customer_ratio": RATIO,
        "baseline_days": "bigint",
        "own_settled_count": "bigint",
        "segment_settled_count": "bigint",
        "overdue_wait_days": "bigint",
        "doubtful_after_days": "bigint",
        "error_history_days": "bigint",
        "process_window_days": "bigint",
        "late_invoicing_days": "bigint",
        "recurring_interval_count": "bigint",
        "month_from_days": "bigint",
        "month_to_days": "bigint",
        "quarter_from_days": "bigint",
        "quarter_to_days": "bigint",
        "recurring_grace_days": "bigint",
        "contact_window_days": "bigint",
        "coverage_days": "bigint",
        "day_one_days": "bigint",
        "response_days": "bigint",
        "first_approval_level": "bigint",
        "lineage_days": "bigint",
    },
    "policy.forecast_weeks": {"week_number": "bigint", "is_beyond_horizon": "boolean"},
    "raw.forecast_history": {
        "as_of_date": "date",
        "week_start_date": "date",
        "entity_id": "varchar",
        "currency_code": "varchar",
        "week_number": "bigint",
        "is_beyond_horizon": "boolean",
        "expected_amount": MONEY,
        "low_amount": MONEY,
        "high_amount": MONEY,
    },
    "raw.letter_history": {
        "letter_id": "varchar",
        "kind": "varchar",
        "entity_id": "varchar",
        "customer_id": "varchar",
        "currency_code": "varchar",
        "level": "bigint",
        "state": "varchar",
        "decided_as_of_date": "date",
        "sent_date": "date",
    },
    "decided.chain_losses": {
        "as_of_date": "date",
        "entity_id": "varchar",
        "currency_code": "varchar",
        "aging_bucket": "varchar",
        "chain_loss_ratio": RATIO,
        "chain_allowance_amount": MONEY,
    },
}

# How provenance is stored; the contract says the same in polars types.
PROVENANCE_TYPES = dict(
    zip(PROVENANCE, ("varchar", "varchar", "bigint", "timestamp with time zone"), strict=True)
)


class WarehouseError(ValueError):
    """A frame or file does not fit the table it is meant for; nothing was replaced."""


def connect(
    path: Path | None = None,
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: str | None = None,
    temp_directory: Path | None = None,
    for_one_run: bool = False,
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or an empty in-memory database, in UTC.

    Args:
        path: the database file; None for memory only.
        read_only: open without the right to write.
        threads: worker threads; None leaves DuckDB's choice, results never depend on it.
        memory_limit: most memory DuckDB may take, such as ``2GB``; beyond it, it spills.
        temp_directory: where it spills to; None leaves DuckDB's choice, beside the file.
        for_one_run: a file that is made now takes DuckDB's newest format, which writes text in two thirds of the
            time; tools of today read only the older one, so what is published keeps that.
    """
    config: dict[str, str | bool | int | float | list[str]] = {}
    if for_one_run:
        config["storage_compatibility_version"] = RUN_FORMAT
    con = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=config)
    con.execute("set TimeZone = 'UTC'")
    if threads:
        con.execute(f"set threads = {int(threads)}")
    if memory_limit:
        con.execute(f"set memory_limit = {_text(memory_limit)}")
    if temp_directory:
        con.execute(f"set temp_directory = {_text(str(temp_directory))}")
    return con


def connect_sealed() -> duckdb.DuckDBPyConnection:
    """An in-memory database that reaches no file and no network, for expressions out of source definitions."""
    con = connect()
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def load_raw(con: duckdb.DuckDBPyConnection, landed: Mapping[str, Sequence[Path]]) -> None:
    """Make schema ``raw`` over what landed, and empty tables for all that dbt reads besides.

    Every table of the contract is there afterwards: a view over its Parquet files, or a typed empty table
    where the sources have none. The views read the files where they are, by absolute path. Landing has
    already resolved keys that stand in several files. Tables of the run and of policies are made empty, for
    load_frame to fill.

    Raises:
        WarehouseError: a table that the contract does not have, or files that do not carry its columns.
    """
    unknown = sorted(set(landed) - set(TABLES))
    if unknown:
        raise WarehouseError(
            f"raw: not in the contract: {', '.join(unknown)}. Known are {', '.join(TABLES)}."
        )
    con.execute("create schema if not exists raw; create schema if not exists policy")
    con.execute("create schema if not exists decided")
    for name, table in TABLES.items():
        types = {column.name: SQL_TYPES[column.kind] for column in table.columns} | PROVENANCE_TYPES
        paths = [path.resolve() for path in landed.get(name, ())]
        if paths:
            _create_view(con, f"raw.{name}", types, paths)
        else:
            _create_empty(con, f"raw.{name}", types)
    for name, types in RUN_TABLES.items():
        _create_empty(con, name, types)


def load_frame(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Put a frame in place of a table (``schema.table``), in one transaction.

    Tables that dbt reads by fixed columns must be given exactly those, in any order, and are cast to their types.

    Raises:
        WarehouseError: columns that the table does not have, or lacks.
    """
    schema, _, _ = table.partition(".")
    types = RUN_TABLES.get(table)
    if types is not None and set(types) != set(frame.columns):
        missing, extra = sorted(set(types) - set(frame.columns)), sorted(set(frame.columns) - set(types))
        raise WarehouseError(f"{table}: columns missing: {missing or 'none'}; not known: {extra or 'none'}.")
    columns = (
        [f'cast("{n}" as {t}) as "{n}"' for n, t in types.items()]
        if types
        else [f'"{n}"' for n in frame.columns]
    )
    con.register("loaded_frame", frame.to_arrow())
    try:
        con.execute("begin")
        con.execute(f"create schema if not exists {schema}")
        _drop(con, table)
        con.execute(f"create table {table} as select {', '.join(columns)} from loaded_frame")
        con.execute("commit")
    except duckdb.Error:
        con.execute("rollback")
        raise
    finally:
        con.unregister("loaded_frame")


def read_frame(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Iterable[str] | None = None,
    as_of: date | None = None,
) -> pl.DataFrame:
    """Rows of a table (``schema.table``) as a frame, types exact, in no order.

    Args:
        table: which one.
        columns: those wanted, in this order; None for all.
        as_of: only rows of this as_of_date; None for all.

    Raises:
        WarehouseError: the table is not there, or lacks a column.
    """
    names = ", ".join(f'"{name}"' for name in columns) if columns is not None else "*"
    where, values = (" where as_of_date = ?", [as_of]) if as_of else ("", [])
    try:
        frame = con.execute(f"select {names} from {table}{where}", values).pl()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise WarehouseError(f"{table}: cannot be read. {error}") from error
    return frame


def _create_view(
    con: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], paths: Sequence[Path]
) -> None:
    files = ", ".join(_text(str(path)) for path in paths)
    columns = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in types.items())
    _drop(con, table)
    try:
        con.execute(f"create view {table} as select {columns} from read_parquet([{files}])")
    except duckdb.Error as error:
        raise WarehouseError(
            f"{table}: {len(paths)} landed files cannot be read as this table. {error}"
        ) from error


def _create_empty(con: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str]) -> None:
    _drop(con, table)
    con.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in types.items())})")


def _drop(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop a table or view, whichever it is: `drop table` refuses a view."""
    schema, _, name = table.partition(".")
    kind = con.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?"
        " and table_catalog = current_database()",
        [schema, name],
    ).fetchone()
    if kind:
        con.execute(f"drop {'view' if kind[0] == 'VIEW' else 'table'} {table}")


def _text(value: str) -> str:
    """A SQL text literal; statements that set or define cannot take parameters."""
    return "'" + value.replace("'", "''") + "'"
