"""Single fields of MT940 and MT942: entry lines (61), balances (60 to 65), totals (90), account (25), number (28)."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from o2c.money import KNOWN
from o2c.sources.bank import values
from o2c.sources.bank.model import ZERO, Balance
from o2c.sources.bank.references import account, is_valid_iban, said

# Mark of :61: to sign, whether it takes back an earlier entry, and whether it is only expected (EC, ED).
# RC is the reversal of a credit, so a debit; RD the reversal of a debit, so a credit.
MARKS: dict[str, tuple[int, bool, bool]] = {
    "C": (1, False, False),
    "D": (-1, False, False),
    "RC": (-1, True, False),
    "RD": (1, True, False),
    "EC": (1, False, True),
    "ED": (-1, False, True),
}

# Value date, entry date, mark, funds code (third letter of the currency), amount, type, references.
# After the mark comes a letter or the amount, so that C with R of EUR is not mistaken for RC.
_ENTRY = re.compile(
    r"([0-9]{6})([0-9]{4}|[ ]{4})?(R[CDcd]|r[cd]|E[CD]|[CDcd])([A-Za-z])?([0-9]{1,15},[0-9]{0,8})"
    r"([A-Z][A-Z0-9]{3})([^\n]*)(?:\n(.*))?",
    re.ASCII | re.DOTALL,
)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15},[0-9]{0,8})", re.ASCII)
_TOTAL = re.compile(r"([0-9]{1,5})([A-Z]{3})([0-9]{1,15}(?:,[0-9]{0,8})?)", re.ASCII)
_LIMIT = re.compile(r"([A-Z]{3})([DC ]?)([0-9]{1,15}(?:,[0-9]{0,8})?)", re.ASCII)
_NUMBER = re.compile(r"([0-9]{1,10})(?:/([0-9]{1,5}))?", re.ASCII)


@dataclass(slots=True)
class EntryLine:
    """One :61:. ``is_date_repaired``: the 29th or 30th of February, which banks write for interest."""

    amount: Decimal
    value_date: date
    entry_date: date | None
    is_reversal: bool
    is_expected: bool
    is_date_repaired: bool
    type_code: str
    customer_reference: str
    bank_reference: str
    supplement: str


def entry_line(text: str) -> EntryLine:
    """The parts of a :61:.

    Raises:
        ValueError: not so written, or no such day.
    """
    found = _ENTRY.fullmatch(text)
    if not found:
        raise ValueError(f":61: {text[:60]!r} is no entry line (date, mark, amount with a comma, type)")
    value_text, entry_text, mark, _, amount, type_code, references, supplement = found.groups()
    sign, is_reversal, is_expected = MARKS[mark.upper()]
    value_date, is_repaired = _value_day(value_text)
    customer, _, bank = references.partition("//")
    return EntryLine(
        amount=sign * values.amount(amount, mark=","),
        value_date=value_date,
        entry_date=_entry_day(entry_text, value_date) if entry_text and entry_text.strip() else None,
        is_reversal=is_reversal,
        is_expected=is_expected,
        is_date_repaired=is_repaired,
        type_code=type_code,
        customer_reference=customer.strip(),
        bank_reference=bank.strip(),
        supplement=(supplement or "").strip(),
    )


def balance(tag: str, text: str) -> Balance:
    """A balance; the date 000000 of an account's first statement is no date.

    Raises:
        ValueError: not so written, or no such day.
    """
    found = _BALANCE.fullmatch(text)
    if not found:
        raise ValueError(f":{tag}: {text[:40]!r} is no balance (C or D, date, currency, amount with a comma)")
    day = None if found[2] == "000000" else _value_day(found[2])[0]
    amount = values.amount(found[4], mark=",")
    return Balance(tag, amount if found[1] == "C" else -amount, found[3], day)


def total(tag: str, text: str) -> tuple[int, str, Decimal]:
    """Count, currency and sum of a :90D: or :90C:.

    Raises:
        ValueError: not so written.
    """
    found = _TOTAL.fullmatch(text)
    if not found:
        raise ValueError(f":{tag}: {text[:40]!r} is no total (count, currency, amount)")
    return int(found[1]), found[2], values.amount(found[3], mark=",")


def floor_limit(text: str) -> tuple[str, bool]:
    """Currency of a :34F:, and whether entries may be left out because they are below the limit.

    Raises:
        ValueError: not so written.
    """
    found = _LIMIT.fullmatch(text)
    if not found:
        raise ValueError(f":34F: {text[:40]!r} is no floor limit (currency, D or C, amount)")
    return found[1], values.amount(found[3], mark=",") > ZERO


def own_account(text: str) -> tuple[str, str | None]:
    """Our account and, where the bank puts its currency behind an IBAN, that too. A BIC on a line of its own is left.

    Raises:
        ValueError: nothing there.
    """
    written = text.split("\n")[0].strip()
    if not written:
        raise ValueError(":25: names no account")
    if written[-3:] in KNOWN and is_valid_iban(written[:-3]) and not is_valid_iban(written):
        return account(written[:-3]), written[-3:]
    return account(written), None


def number(text: str) -> tuple[str, int | None]:
    """Statement number as written and page (sequence number) of a :28: or :28C:.

    Raises:
        ValueError: not so written.
    """
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        raise ValueError(f":28C: {text[:40]!r} is no statement number")
    return found[1], int(found[2]) if found[2] else None


def base_tag(tag: str) -> str:
    """Tags that are one field in several forms: 25 and 25P, 28 and 28C, 60F and 60M, 62F and 62M."""
    return tag[:2] if tag[:2] in ("25", "28", "60", "62") else tag


def sender(header: str) -> str | None:
    """BIC of the sender: in block 1 of a message handed in (I), in block 2 of one that was delivered (O)."""
    at = header.find("{2:O")
    if at >= 0:
        return said(header[at + 17 : at + 25])
    at = header.find("{1:F01")
    return said(header[at + 6 : at + 14]) if at >= 0 else None


def _value_day(text: str) -> tuple[date, bool]:
    """``yymmdd``; in the bank's year of twelve months of 30 days February has 30, which becomes its last day."""
    try:
        return values.short_day(text), False
    except ValueError:
        if text[2:] not in ("0229", "0230"):
            raise
        first = values.short_day(f"{text[:4]}01")
        return first.replace(day=monthrange(first.year, 2)[1]), True


@lru_cache(maxsize=4096)
def _entry_day(text: str, value_date: date) -> date:
    """``mmdd`` in the year that brings it closest to the value date."""
    candidates = []
    for year in (value_date.year - 1, value_date.year, value_date.year + 1):
        try:
            candidates.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not candidates:
        raise ValueError(f":61: entry date {text!r} is no day of the calendar")
    return min(candidates, key=lambda day: abs(day - value_date))
