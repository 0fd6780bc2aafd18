"""Books for the models of receivables, built by the run's own way into dbt."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from customer_books import Book, load_book

from flows import _dbt
from o2c import warehouse

RECEIVABLES = (
    "+path:models/marts/receivables +int_control_accounts_compared +fct_segment_matrix +fct_order_to_cash"
)


def built(book: Book, folder: Path) -> Path:
    """The book's build file with all that receivables are made of."""
    folder.mkdir(parents=True)
    build = load_book(book, folder)
    _dbt.run_models(build, folder, RECEIVABLES)
    return build


def on_dates(book: Book, *run_dates: Any) -> Book:
    """The same book, run for these dates alone."""
    earlier = sorted({*book.run_dates, *book.kpi_dates} - set(run_dates))
    return replace(book, run_dates=run_dates, kpi_dates=[day for day in earlier if day < max(run_dates)])


def read(build: Path, table: str, columns: str, where: str = "true") -> list[tuple]:
    """Rows of a table as tuples in the order of their values, amounts as text without trailing zeros."""
    con = warehouse.connect(build, read_only=True)
    try:
        rows = con.execute(f"select {columns} from {table} where {where} order by all").fetchall()
    finally:
        con.close()
    return [tuple(_short(value) for value in row) for row in rows]


def frame(build: Path, table: str) -> pl.DataFrame:
    con = warehouse.connect(build, read_only=True)
    try:
        return warehouse.read_frame(con, table)
    finally:
        con.close()


def _short(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value
