"""Fields of the BAI2 records 03 and 16, also where they go on in 88 records."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from o2c.sources.bank import values

_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
TYPE = re.compile(r"[0-9]{3}", re.ASCII)
# Fields that follow the funds type; those of D follow the number of its pairs.
_FUNDS = {"": 0, "0": 0, "1": 0, "2": 0, "Z": 0, "V": 2, "S": 3}


@dataclass(frozen=True, slots=True)
class Amount:
    """One type code of an 03 with its amount in minor units and the number of items, where they are said."""

    code: str
    amount: int | None
    count: int | None


# The fields of a 16: type code, amount in minor units without a side, funds type, the date of funds type V, the
# bank's and the customer's reference, text. A plain tuple: one is made for every entry.
Detail16 = tuple[str, int, str, str, str, str, str]


def without_end(line: str) -> str:
    """The line without the slash that ends its record; blanks may pad it to a fixed length."""
    line = line.rstrip()
    return line[:-1] if line.endswith("/") else line


def amounts(fields: list[str]) -> list[Amount]:
    """The type codes of an 03, from its fields behind the currency.

    Raises:
        ValueError: a type code, amount, count or funds type is not so written, or fields are missing.
    """
    found, at = [], 0
    while at < len(fields):
        code = fields[at].strip()
        if not code:
            at += 1
            continue
        if not TYPE.fullmatch(code):
            raise ValueError(f"{code[:20]!r} stands where a type code should")
        amount, count, funds = ([*fields[at + 1 : at + 4], "", "", ""])[:3]
        found.append(
            Amount(
                code,
                minor(amount) if amount.strip() else None,
                values.count(count.strip()) if count.strip() else None,
            )
        )
        at += 4 + funds_fields(funds, fields, at + 4)
    return found


def detail_16(first: str, more: str) -> Detail16:
    """The fields of a 16: its line, and the texts of its 88 records, each behind a line feed.

    Raises:
        ValueError: the amount or funds type is not so written.
    """
    fields = first.split(",", 6)
    value, text = "", ""
    funds = fields[3] if len(fields) > 5 else None
    # The common cases in one go: all fields on the first line, the text there or in the records that follow.
    if funds in _PLAIN_FUNDS:
        if len(fields) == 7:
            _, code, amount, _, bank, customer, text = fields
        else:
            _, code, amount, _, bank, customer = fields
            customer = without_end(customer)
    elif funds == "V" and len(fields) == 7 and "," in fields[6]:
        _, code, amount, _, value, _, others = fields
        bank, _, others = others.partition(",")
        customer, mark, text = others.partition(",")
        if not mark:
            customer = without_end(customer)
    else:
        code, amount, funds, value, bank, customer, text, more = _spread([first[3:], *more.split("\n")[1:]])
    text = text.strip()
    if text[-1:] == "/":
        text = text[:-1].rstrip()
    return (
        code,
        minor(amount) if amount else 0,
        funds or "",
        value,
        bank.strip(),
        customer.strip(),
        _text(text, more) if more else text,
    )


def _text(first: str, more: str) -> str:
    """Text over several records: each line without its end and the blanks around it, empty ones left out."""
    # Five looks at the whole cost less than one at each line.
    if not (" \n" in more or "\n " in more or "/\n" in more or "\n\n" in more or more[-1:] in " /\n"):
        return first + more if first else more[1:]
    return "\n".join(filter(None, (first, *(without_end(line).strip() for line in more.split("\n")))))


_PLAIN_FUNDS = frozenset({"", "0", "1", "2", "Z"})


def _spread(lines: list[str]) -> tuple[str, str, str, str, str, str, str, str]:
    """The same where funds have fields of their own, or fields go on in an 88: field by field until the text."""
    waiting = list(lines)
    fields: list[str] = []
    needed, text = 3, None
    while text is None and waiting:
        line = waiting.pop(0)
        while True:
            before, mark, after = line.partition(",")
            if len(fields) >= 3:
                needed = 5 + funds_fields(fields[2], fields, 3)
            if len(fields) >= max(needed, 5):
                text = line
                break
            fields.append(before if mark else without_end(before))
            if not mark:
                break
            line = after
    fields += [""] * (5 - len(fields))
    extra = funds_fields(fields[2], fields, 3)
    fields += [""] * (5 + extra - len(fields))
    value = fields[3] if fields[2].strip() == "V" else ""
    bank, customer = fields[3 + extra], fields[4 + extra]
    return (
        fields[0],
        fields[1],
        fields[2].strip(),
        value,
        bank,
        customer,
        text or "",
        "".join(f"\n{one}" for one in waiting),
    )


def funds_fields(funds: str, fields: list[str], at: int) -> int:
    """How many fields belong to a funds type; ``at`` is the first of them.

    Raises:
        ValueError: it is none of 0, 1, 2, S, V, D and Z, or the number of D is no number.
    """
    funds = funds.strip()
    if funds in _FUNDS:
        return _FUNDS[funds]
    if funds != "D":
        raise ValueError(f"{funds[:20]!r} is no funds type (0, 1, 2, S, V, D, Z)")
    if at >= len(fields):
        return 1
    pairs = values.count(fields[at].strip() or "0")
    if pairs > 1000:
        raise ValueError(f"{pairs} pairs of days and amounts in one distribution")
    return 1 + 2 * pairs


def minor(text: str) -> int:
    """An amount in minor units, a sign before it or none.

    Raises:
        ValueError: not so written.
    """
    if text.isdecimal() and text.isascii() and len(text) <= 18:
        return int(text)
    if not _AMOUNT.fullmatch(text.strip()):
        raise ValueError(f"{text[:40]!r} is not an amount in minor units")
    return int(text)


@lru_cache(maxsize=1024)
def day(text: str) -> date:
    """``yymmdd``, or ``yyyymmdd`` as some banks write it.

    Raises:
        ValueError: neither, or no such day.
    """
    text = text.strip()
    return values.compact_day(text) if len(text) == 8 else values.short_day(text)
