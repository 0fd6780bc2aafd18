"""Values of camt elements: unsigned amounts with their currency, counts, flags and days, each None where not said."""

import re
from datetime import date
from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.camt_text import Group

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def amount_at(group: Group, path: str) -> tuple[Decimal | None, str | None]:
    text = group.texts.get(path)
    if not text:
        return None, None
    return number(text), group.currencies.get(path)


def required_amount(group: Group, path: str) -> tuple[Decimal, str]:
    amount, currency = amount_at(group, path)
    if amount is None:
        raise ValueError(f"no {path}")
    if not currency or not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{path} has the currency {(currency or '')[:10]!r}")
    return amount, currency


def number(text: str | None) -> Decimal | None:
    """An amount without a sign: the indicator has it, so a minus here would turn it twice."""
    if not text:
        return None
    found = values.amount(text)
    if found.is_signed() and found:
        raise ValueError(f"amount {text[:40]} is negative beside its CdtDbtInd")
    return found


def count(text: str | None) -> int | None:
    return values.count(text) if text else None


def flag(text: str | None) -> bool | None:
    if not text:
        return None
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(f"{text[:35]!r} is not true or false")
    return text in {"true", "1"}


def day(text: str | None) -> date | None:
    return values.iso_day(text) if text else None
