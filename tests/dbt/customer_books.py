"""Small books for the models about customers: rows by table in, a built warehouse out."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from os import environ
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from o2c.contract import PROVENANCE, TABLES
from o2c.frames import (
    AgencyReferrals,
    CreditFlags,
    DunningDecisions,
    LetterLines,
    OrderHolds,
    Worklist,
    WorklistTerms,
)
from o2c.policy import load_policies, policy_tables
from o2c.warehouse import connect, load_frame, load_raw

ROOT = Path(__file__).parents[2]
LEDGERS = ROOT / "tests" / "ledgers"
ROWS = Sequence[Mapping[str, Any]]

LETTERS = {
    "letter_id": pl.String,
    "batch_id": pl.String,
    "kind": pl.String,
    "entity_id": pl.String,
    "customer_id": pl.String,
    "currency_code": pl.String,
    "level": pl.Int64,
    "stage": pl.String,
    "occasion": pl.String,
    "channel": pl.String,
    "language_code": pl.String,
    "state": pl.String,
    "message_hash": pl.String,
    "total_amount": pl.Decimal(18, 4),
    "episode": pl.Int64,
    "try_number": pl.Int64,
    "is_of_last_run": pl.Boolean,
    "decided_as_of_date": pl.Date,
    "sent_at": pl.Datetime("us", "UTC"),
}

DECIDED = {
    "dunning_decisions": DunningDecisions.empty().schema,
    "letters": pl.Schema(LETTERS),
    "letter_lines": LetterLines.empty().schema,
    "credit_flags": CreditFlags.empty().schema,
    "order_holds": OrderHolds.empty().schema,
    "agency_referrals": AgencyReferrals.empty().schema,
    "worklist": Worklist.empty().schema,
    "worklist_terms": WorklistTerms.empty().schema,
}


@dataclass(frozen=True)
class Book:
    """A ledger small enough to work out by hand."""

    tables: Mapping[str, ROWS]
    run_dates: Sequence[date]
    kpi_dates: Sequence[date] = ()
    open_items_only: bool = False
    group_currency_code: str = "EUR"
    decided: Mapping[str, ROWS] = field(default_factory=dict)


def read_book(name: str) -> Book:
    """The book of tests/ledgers/<name>.yml: run_dates, and rows by table."""
    content = yaml.safe_load((LEDGERS / f"{name}.yml").read_text())
    return Book(content.pop("tables"), **content)


def frame_of(rows: ROWS, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as a frame of exactly these columns; what a row leaves out is null."""
    texts = pl.DataFrame(
        [{name: None if row.get(name) is None else str(row[name]) for name in schema} for row in rows],
        schema=dict.fromkeys(schema, pl.String),
    )
    unknown = {name for row in rows for name in row} - set(schema)
    assert not unknown, f"no such columns: {sorted(unknown)}"
    return texts.select(_typed(name, kind) for name, kind in schema.items())


def _typed(name: str, kind: Any) -> pl.Expr:
    if kind == pl.Boolean:
        return pl.col(name).str.to_lowercase() == "true"
    if kind == pl.Date:
        return pl.col(name).str.to_date()
    if isinstance(kind, pl.Datetime):
        return pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC")
    return pl.col(name).cast(kind)


def load_book(book: Book, folder: Path) -> Path:
    """A warehouse with the book as its raw layer and nothing built yet."""
    path = folder / "build.duckdb"
    landed = {}
    for name, rows in book.tables.items():
        provenance = [
            {"_source": "ledger", "_file_id": name, "_line": line, "_loaded_at": "2026-01-01 00:00:00"}
            for line, _ in enumerate(rows, start=2)
        ]
        given = [known | dict(row) for known, row in zip(provenance, rows, strict=True)]
        file = folder / f"{name}.parquet"
        frame_of(given, TABLES[name].schema | PROVENANCE).write_parquet(file)
        landed[name] = [file]
    dates = sorted({*book.run_dates, *book.kpi_dates})
    with connect(path) as con:
        load_raw(con, landed)
        for name, frame in policy_tables(load_policies(ROOT / "policies")).items():
            load_frame(con, f"policy.{name}", frame)
        con.execute("update policy.controls set group_currency_code = ?", [book.group_currency_code])
        load_frame(
            con,
            "raw.as_of_dates",
            pl.DataFrame({"as_of_date": dates, "is_run_date": [day in book.run_dates for day in dates]}),
        )
        load_frame(
            con,
            "raw.sources",
            pl.DataFrame(
                {
                    "source": ["ledger"],
                    "is_open_items_only": [book.open_items_only],
                    "balance_date": [book.run_dates[0] if book.open_items_only else None],
                },
                schema={"source": pl.String, "is_open_items_only": pl.Boolean, "balance_date": pl.Date},
            ),
        )
        for name, schema in DECIDED.items():
            load_frame(con, f"decided.{name}", frame_of(book.decided.get(name, ()), schema))
    return path


def dbt(path: Path, *arguments: str) -> dict[str, str]:
    """Run dbt on a warehouse; name and status of what ran, with the message of what did not."""
    environ["O2C_WAREHOUSE"] = str(path)
    target = path.parent.parent / "dbt_target"
    project = ["--project-dir", str(ROOT / "dbt_project"), "--profiles-dir", str(ROOT / "dbt_project")]
    with redirect_stdout(StringIO()):
        done = dbtRunner().invoke(
            [*arguments, *project, "--target-path", str(target), "--log-level", "none", "--no-write-json"]
        )
        DuckDBConnectionManager.close_all_connections()
    if done.exception:
        raise done.exception
    return {
        result.node.name: result.status
        + (f": {result.message}" if result.status in ("error", "fail") else "")
        for result in done.result
    }


def build(book: Book, folder: Path, select: str) -> Path:
    """The book with the selected models built and tested."""
    folder.mkdir(parents=True, exist_ok=True)
    path = load_book(book, folder)
    wrong = {
        name: status
        for name, status in dbt(path, "run", "--select", *select.split()).items()
        if status.startswith(("error", "fail"))
    }
    assert not wrong
    return path


def rows_of(path: Path, query: str) -> list[dict[str, Any]]:
    """What a query finds, row by row."""
    with connect(path, read_only=True) as con:
        return con.sql(query).pl().to_dicts()
