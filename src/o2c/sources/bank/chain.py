"""Statements of one account, one after another: does each begin where the one before it ended?

Looks at heads only (``Link``), so the chain of years is checked without reading a file twice. Works on the
statements of any format, also mixed: a camt.053 of Monday and an MT940 of Tuesday are neighbours.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from o2c.sources.bank.model import Issue, Statement


@dataclass(frozen=True, slots=True)
class Link:
    """What the chain needs of one statement. ``digest`` is of its entries: same money, same digest, in any file."""

    file_id: str
    statement_ordinal: int
    position: str
    account: str
    currency_code: str | None
    statement_id: str | None
    number: str | None
    page_number: int | None
    last_date: date | None
    opening_amount: Decimal | None
    closing_amount: Decimal | None
    entry_count: int
    digest: str


def link(statement: Statement) -> Link:
    """The link of a statement that was read with its entries."""
    digest = hashlib.sha256()
    for entry in statement.entries:
        parts = (entry.booking_date, entry.amount.normalize(), entry.currency_code, entry.bank_reference)
        digest.update(repr([str(part) for part in parts]).encode())
    return Link(
        statement.file_id,
        statement.ordinal,
        statement.position,
        statement.account or "",
        statement.currency_code,
        statement.statement_id,
        statement.electronic_number or statement.number,
        statement.page_number,
        statement.last_date,
        statement.opening.amount if statement.opening else None,
        statement.closing.amount if statement.closing else None,
        statement.entry_count,
        digest.hexdigest(),
    )


def check_chain(links: Iterable[Link]) -> list[Issue]:
    """Breaks in the chains of all accounts: a different opening balance, a missing number, a statement twice.

    Give final statements only (``kind == "statement"``); the order they come in does not matter. Where the first
    statement of an account begins is not known and not judged. Issues carry the ``file_id`` of the later statement.
    """
    chains: dict[tuple[str, str | None], list[Link]] = {}
    for one in links:
        chains.setdefault((one.account, one.currency_code), []).append(one)
    found: list[Issue] = []
    for key in sorted(chains, key=str):
        kept, repeated = _without_repeats(chains[key])
        found += repeated
        ordered = _ordered(kept)
        for before, after in pairwise(ordered):
            found += _opening_issues(before, after) + _number_issues(before, after)
    return found


def _without_repeats(links: list[Link]) -> tuple[list[Link], list[Issue]]:
    """The links, each statement once; and what is said of those that came again, in the order given."""
    first: dict[tuple, Link] = {}
    found = []
    for one in links:
        what = (one.last_date, one.opening_amount, one.closing_amount, one.entry_count, one.digest)
        # A day without entries repeats nothing but itself: its number or id must be the same too.
        key = what if one.entry_count else (*what, one.number, one.statement_id, one.page_number)
        if key in first:
            found.append(_issue(one, "statement_repeated", f"came before, as {_name(first[key])}"))
            continue
        first[key] = one
    kept = list(first.values())
    by_name: dict[tuple, Link] = {}
    for one in kept:
        name = (one.statement_id, one.number, one.page_number, one.last_date)
        if (one.statement_id or one.number) and name in by_name:
            message = f"has the number of {_name(by_name[name])} but other content"
            found.append(_issue(one, "statement_changed", message))
        by_name.setdefault(name, one)
    return kept, found


def _ordered(links: list[Link]) -> list[Link]:
    """By day and number; several of one day without numbers follow one another by their balances."""
    waiting = sorted(links, key=_when)
    ordered: list[Link] = []
    while waiting:
        day = waiting[0].last_date
        same_day = [one for one in waiting if one.last_date == day]
        chosen = same_day[0]
        if len(same_day) > 1 and (ordered or _starts(same_day)):
            closing = ordered[-1].closing_amount if ordered else None
            fitting = [one for one in same_day if one.opening_amount == closing] or _starts(same_day)
            chosen = (fitting or same_day)[0]
        waiting.remove(chosen)
        ordered.append(chosen)
    return ordered


def _starts(links: list[Link]) -> list[Link]:
    """Those that no other one of these leads to."""
    closings = {one.closing_amount for one in links}
    return [one for one in links if one.opening_amount not in closings]


def _when(one: Link) -> tuple[str, int, int, str, int]:
    return (
        one.last_date.isoformat() if one.last_date else "",
        _as_number(one.number) or 0,
        one.page_number or 0,
        one.file_id,
        one.statement_ordinal,
    )


def _opening_issues(before: Link, after: Link) -> list[Issue]:
    if before.closing_amount is None or after.opening_amount is None:
        return []
    if before.closing_amount == after.opening_amount:
        return []
    message = (
        f"opens with {after.opening_amount}, but {_name(before)} closed with {before.closing_amount}"
        f" (difference {after.opening_amount - before.closing_amount})"
    )
    return [_issue(after, "opening_differs", message)]


def _number_issues(before: Link, after: Link) -> list[Issue]:
    """A number counts up by one; it may start again, low, in a new year; pages share one."""
    one, two = _as_number(before.number), _as_number(after.number)
    if not one or not two or two == one + 1:
        return []
    if one == two and (before.page_number or 1) < (after.page_number or 1):
        return []
    is_new_year = (
        before.last_date is not None
        and after.last_date is not None
        and after.last_date.year > before.last_date.year
    )
    if is_new_year and (two == 1 or len(str(two)) > 5):
        return []
    return [_issue(after, "sequence_gap", f"has number {two}, but {_name(before)} had {one}")]


def _as_number(text: str | None) -> int | None:
    """The number that counts statements. One that is a date (20240331, 240331) or 0 counts nothing."""
    if not text or not text.isascii() or not text.isdecimal() or len(text) > 12:
        return None
    if len(text) in (6, 8) and text[-4:-2] in _MONTHS and text[-2:] <= "31":
        return None
    return int(text) or None


_MONTHS = frozenset(f"{month:02}" for month in range(1, 13))


def _name(one: Link) -> str:
    number = f"number {one.number}" if one.number else f"id {one.statement_id or '?'}"
    return f"the statement of {one.last_date or 'no day'} ({number})"


def _issue(one: Link, code: str, message: str) -> Issue:
    return Issue(
        one.position,
        code,
        f"account {one.account}: {message}",
        statement_ordinal=one.statement_ordinal,
        file_id=one.file_id,
    )
