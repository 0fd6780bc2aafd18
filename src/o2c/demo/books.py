"""What a set of books is about: its size, its dates, its seed; and the columns in which rows are passed on.

Inside the generator days are whole numbers since 1970-01-01 and money is whole cents; ``in_contract`` turns both
into dates and decimals at the very end, so that no amount is ever a float.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from o2c.contract import TABLES, Kind
from o2c.demo.calendars import Calendar, day_number
from o2c.demo.draws import Draws

DEFAULT_START = date(2025, 4, 1)
DEFAULT_END = date(2026, 9, 30)
# A week apart; each lies on or after the end of the books and within the days that follow it.
DEFAULT_MORNINGS = tuple(DEFAULT_END + timedelta(days=7 * week) for week in range(4))
# Life goes on this long after the end, so that orders are open then and later mornings have something new.
DAYS_AFTER_END = 35
CURRENCIES = ("USD", "EUR", "GBP", "CAD")


@dataclass(frozen=True)
class Books:
    """One set of books: everything that can happen in it follows from these values."""

    invoices: int
    seed: int
    start: date = DEFAULT_START
    end: date = DEFAULT_END
    customers: int | None = None
    # The ledger itself has applied payments up to here; later ones wait for cash application.
    applied_until: date | None = None
    draws: Draws = field(init=False)
    calendar: Calendar = field(init=False)

    def __post_init__(self) -> None:
        faults = []
        if self.invoices < 200:
            faults.append(f"invoices is {self.invoices}, must be at least 200 (the planted cases need room)")
        if self.end - self.start < timedelta(days=365):
            faults.append(f"{self.start} to {self.end} is too short: KPIs and old debts need 365 days")
        if self.customers is not None and not 10 <= self.customers <= self.invoices:
            faults.append(f"customers is {self.customers}, must lie between 10 and the number of invoices")
        if faults:
            raise ValueError("books not made: " + "; ".join(faults))
        object.__setattr__(self, "draws", Draws(self.seed))
        object.__setattr__(self, "calendar", Calendar(self.start, self.horizon))

    @property
    def horizon(self) -> date:
        """The last day of which anything is known."""
        return self.end + timedelta(days=DAYS_AFTER_END)

    @property
    def first_day(self) -> int:
        return day_number(self.start)

    @property
    def last_day(self) -> int:
        return day_number(self.end)

    @property
    def last_applied_day(self) -> int:
        """The last day of which the ledger has applied payments itself; 45 days before the end by default."""
        return day_number(self.applied_until or self.end - timedelta(days=45))

    @property
    def customer_count(self) -> int:
        """About 20 invoices a customer in a large ledger (PERFORMANCE), 8 in a small one, so that many are seen."""
        return self.customers or max(min(self.invoices // 8, 300), self.invoices // 20)


def cents(name: str) -> pl.Expr:
    """Whole cents as decimal(18, 2)."""
    return (pl.col(name).cast(pl.Decimal(38, 2)) * pl.lit("0.01").cast(pl.Decimal(38, 2))).cast(
        pl.Decimal(18, 2)
    )


def in_contract(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as the source contract wants them, in its order of columns; columns it does not have are dropped.

    Whole-number ``*_amount`` columns are cents, whole-number dates are days since 1970-01-01.
    """
    columns = []
    for column in TABLES[table].columns:
        if column.name not in rows.columns:
            continue
        is_whole = rows.schema[column.name].is_integer()
        if column.kind in (Kind.AMOUNT, Kind.UNSIGNED_AMOUNT) and is_whole:
            columns.append(cents(column.name).alias(column.name))
        elif column.kind is Kind.DATE and is_whole:
            columns.append(pl.col(column.name).cast(pl.Int32).cast(pl.Date))
        else:
            columns.append(pl.col(column.name))
    return rows.select(columns)
