"""Amounts and days as files write them, by strict grammar: what is not exactly right is refused, never guessed."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

# At most 18 digits before the mark: no real amount is longer, and a huge token costs nothing.
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,8})?|\.[0-9]{1,8})", re.ASCII)
_COMMA = re.compile(r"[+-]?(?:[0-9]{1,18}(?:,[0-9]{0,8})?|,[0-9]{1,8})", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,15}", re.ASCII)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)

EARLIEST, LATEST = date(1970, 1, 1), date(2100, 1, 1)


def amount(text: str, *, mark: str = ".") -> Decimal:
    """``1234.5``, ``-3``, ``.50`` as a decimal; with ``mark=","`` the same with a comma, as MT940 writes it.

    Raises:
        ValueError: anything else: blanks, thousands marks, exponents, NaN, digits of other scripts, 19 digits.
    """
    if not (_PLAIN if mark == "." else _COMMA).fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an amount")
    return Decimal(text.replace(",", "."))


def minor_amount(text: str, minor_units: int) -> Decimal:
    """An integer of minor units (``+00012345`` with 2 is 123.45), as BAI2 and ACH write amounts.

    Raises:
        ValueError: not an integer of at most 18 digits.
    """
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an amount in minor units")
    return Decimal(text).scaleb(-minor_units)


def count(text: str) -> int:
    """A count of at most 15 digits.

    Raises:
        ValueError: anything but digits.
    """
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a count")
    return int(text)


@lru_cache(maxsize=4096)
def iso_day(text: str) -> date:
    """``2024-03-07`` at the start of a date or an instant (``2024-03-07T12:00:00+02:00``): the day as written.

    Raises:
        ValueError: not so written, no such day, or a year before 1970 or after 2099.
    """
    found = _DAY.match(text)
    if not found or (len(text) > 10 and text[10] not in "T+-Z "):
        raise ValueError(f"{text[:40]!r} is not a date as in 2024-03-31")
    return day(int(found[1]), int(found[2]), int(found[3]))


@lru_cache(maxsize=4096)
def short_day(text: str) -> date:
    """``yymmdd``, as MT940, BAI2, ACH and old X12 write days: years 70-99 are of the last century.

    Raises:
        ValueError: not six digits, or no such day.
    """
    if not re.fullmatch(r"[0-9]{6}", text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is not a date as in 240331")
    year = int(text[:2])
    return day(year + (1900 if year >= 70 else 2000), int(text[2:4]), int(text[4:6]))


def compact_day(text: str) -> date:
    """``yyyymmdd``.

    Raises:
        ValueError: not eight digits, or no such day.
    """
    if not re.fullmatch(r"[0-9]{8}", text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is not a date as in 20240331")
    return day(int(text[:4]), int(text[4:6]), int(text[6:8]))


def day(year: int, month: int, day_of_month: int) -> date:
    """A day that money can have moved on.

    Raises:
        ValueError: no such day, or a year before 1970 or after 2099.
    """
    try:
        found = date(year, month, day_of_month)
    except ValueError:
        raise ValueError(f"{year:04}-{month:02}-{day_of_month:02} is no day of the calendar") from None
    if not EARLIEST <= found < LATEST:
        raise ValueError(f"{found} is before 1970 or after 2099")
    return found
