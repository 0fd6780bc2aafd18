"""Business days by country. Pure: a date comes in, no clock is read.

Holidays and weekends are those of the ``holidays`` package. For a country or a year that it does not know,
Monday to Friday are business days, and ``doubt`` says so.
"""

from datetime import date, timedelta
from functools import cache

import holidays

WORKING_WEEK = range(5)
# The package also takes UK; ISO 3166 has GB, and a ledger that says UK has not been checked.
COUNTRY_CODES = frozenset(code for code in holidays.list_supported_countries() if len(code) == 2) - {"UK"}


@cache
def _country(country_code: str, year: int) -> tuple[frozenset[date], frozenset[int]] | None:
    """Public holidays and weekend (Monday is 0) of one year; None where the package has no holidays."""
    if country_code not in COUNTRY_CODES:
        return None
    found = holidays.country_holidays(country_code, years=year)
    return (frozenset(found), frozenset(found.weekend)) if found else None


class BusinessCalendar:
    """Which days are business days where."""

    def is_business_day(self, country_code: str, day: date) -> bool:
        """Whether offices of a country are open on a day."""
        known = _country(country_code, day.year)
        if known is None:
            return day.weekday() in WORKING_WEEK
        public, weekend = known
        return day not in public and day.weekday() not in weekend

    def next_business_day(self, country_code: str, day: date) -> date:
        """The first business day after a day."""
        return self._step(country_code, day, 1)

    def last_business_day(self, country_code: str, day: date) -> date:
        """The last business day before a day: what bank statements must be complete through."""
        return self._step(country_code, day, -1)

    def doubt(self, country_code: str, day: date) -> str | None:
        """Why the answer for a country and year is only Monday to Friday; None where holidays are known."""
        if country_code not in COUNTRY_CODES:
            return f"no calendar for country {country_code!r}: Monday to Friday are taken as business days"
        if _country(country_code, day.year) is None:
            return f"no holidays known for {country_code} in {day.year}: Monday to Friday are taken as business days"
        return None

    def _step(self, country_code: str, day: date, days: int) -> date:
        day += timedelta(days=days)
        while not self.is_business_day(country_code, day):
            day += timedelta(days=days)
        return day
