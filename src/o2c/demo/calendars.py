"""Days as whole numbers since 1970-01-01: posting days, payment days, terms that end with a month.

Tables over all days of the books are made once and looked up by day, which is exact and quick for millions of rows.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import holidays
import polars as pl

from o2c.demo.draws import Draws, look_up

# Postings per weekday, Monday first (PROFILE §2): a plant that ships seven days a week.
POSTING_WEIGHTS = (15, 16, 17, 17, 16, 11, 9)
# Days after the last posting that due and payment dates may still fall on.
_REACH = 900
EPOCH = date(1970, 1, 1)
COUNTRIES = ("US", "CA", "DE", "AT", "NL", "FR", "GB", "IE")


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Calendar:
    """Posting days from ``first`` to ``last`` and business days of each country well beyond."""

    first: date
    last: date

    def posting_day(self, draws: Draws, counter: str, *, first: date, last: date) -> pl.Expr:
        """Day in [first, last], weekdays as often as POSTING_WEIGHTS says."""
        span = range(day_number(first), day_number(last) + 1)
        table = [day for day in span for _ in range(POSTING_WEIGHTS[(day + 3) % 7])]
        return look_up(table, (draws.uniform("posting day", counter) * len(table)).cast(pl.Int64)).cast(
            pl.Int32
        )

    def end_of_next_month(self, day: pl.Expr) -> pl.Expr:
        """Last day of the month after that of ``day``."""
        return look_up(self._month_ends_after, day - self._base).cast(pl.Int32)

    def month_end(self, day: pl.Expr) -> pl.Expr:
        """Last day of the month of ``day``."""
        return look_up(self._month_ends, day - self._base).cast(pl.Int32)

    def business_day(self, day: pl.Expr, country: pl.Expr) -> pl.Expr:
        """``day`` where banks work then; Saturday goes to Friday, Sunday and holidays to the next business day.

        This makes Friday and Monday the days on which most is paid, as seen in every ledger of PROFILE.md.
        """
        place = country.replace_strict(
            {code: number for number, code in enumerate(COUNTRIES)}, default=0, return_dtype=pl.Int32
        )
        offset = (day - self._base).clip(0, self._length - 1)
        return look_up(self._business_days, place * self._length + offset).cast(pl.Int32)

    @property
    def last_number(self) -> int:
        """``last`` as a whole number."""
        return day_number(self.last)

    @cached_property
    def _base(self) -> int:
        return day_number(self.first) - 60

    @cached_property
    def _length(self) -> int:
        return day_number(self.last) + _REACH - self._base

    @cached_property
    def _all_days(self) -> list[date]:
        return [EPOCH + timedelta(days=self._base + offset) for offset in range(self._length)]

    @cached_property
    def _month_ends(self) -> list[int]:
        return [day_number(_month_end(day)) for day in self._all_days]

    @cached_property
    def _month_ends_after(self) -> list[int]:
        return [day_number(_month_end(_month_end(day) + timedelta(days=1))) for day in self._all_days]

    @cached_property
    def _business_days(self) -> list[int]:
        table: list[int] = []
        years = range(self._all_days[0].year, self._all_days[-1].year + 2)
        for country in COUNTRIES:
            closed = holidays.country_holidays(country, years=years)
            for day in self._all_days:
                moved = day - timedelta(days=1) if day.weekday() == 5 else day
                while moved.weekday() >= 5 or moved in closed:
                    moved += timedelta(days=1)
                table.append(day_number(moved))
        return table


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
