"""Elements of X12 segments: amounts, days, reasons, texts."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import yaml

from o2c.policy.plain_yaml import PlainLoader
from o2c.sources.bank import values
from o2c.sources.bank.x12_segments import Segment

_MOST_DECIMALS = 4
# Element 374 in a DTM: the day of an invoice.
INVOICE_DATE = "003"


@lru_cache(maxsize=1)
def reasons() -> dict[str, str]:
    """Words for the codes of element 426."""
    text = Path(__file__).with_name("x12_reasons.yml").read_text("utf-8")
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a SafeLoader


def amount(text: str) -> Decimal:
    """A decimal as X12 writes it (type R): a point if any, a minus if negative.

    Raises:
        ValueError: anything else, or more than four decimals.
    """
    text = text.strip()
    tail = text.partition(".")[2]
    if len(tail) > _MOST_DECIMALS and tail[_MOST_DECIMALS:].strip("0"):
        raise ValueError(f"{text[:40]!r} has more than {_MOST_DECIMALS} decimals")
    return values.amount(text)


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """A day of eight digits, or of six as older releases write it.

    Raises:
        ValueError: neither, or no such day.
    """
    text = text.strip()
    return values.compact_day(text) if len(text) == 8 else values.short_day(text)


@lru_cache(maxsize=65536)
def invoice_day(raw: str, separator: str) -> tuple[date | None, str | None]:
    """The day of a DTM if it is the invoice's, or why it cannot be read. Documents are of few days."""
    segment = raw.split(separator)
    text = text_at(segment, 2)
    if not text or segment[1].strip() != INVOICE_DATE:
        return None, None
    try:
        return day(text), None
    except ValueError as error:
        return None, str(error)


def one_at(segment: Segment, at: int) -> tuple[str, ...]:
    """An element without blanks as a tuple of one; of none where it is empty or not there."""
    return (text,) if len(segment) > at and (text := segment[at].strip()) else ()


def text_at(segment: Segment, at: int) -> str | None:
    """An element without blanks; None where it is empty or not there."""
    return (segment[at].strip() or None) if len(segment) > at else None
