"""Notifications beside statements: advices, ACH and lockbox files tell of money that a statement books as well.

A notified entry, or the sum of a batch or of a whole file, is the entry of the statement with the same amount within
a few days; then the notification says who paid, and the statement's entry is not counted beside it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from o2c.sources.bank.money_once import Chosen

# Days between the day a bank advises of money and the day it books it: a weekend with a holiday on either side.
NEAR_DAYS = 5

EntryKey = tuple[str, int]


@dataclass
class Told:
    """``money`` are notified entries that are payments; ``replaced`` entries of statements that they explain.

    ``unfound`` are notified entries of days that statements cover, but on which no statement has them.
    """

    money: set[EntryKey] = field(default_factory=set)
    replaced: set[EntryKey] = field(default_factory=set)
    unfound: list[EntryKey] = field(default_factory=list)


def explain_entries(chosen: Chosen, declared_accounts: Iterable[str]) -> Told:
    """Which notified entries stand for which entries of statements, and which are money of their own.

    Entries of an account that has statements are looked for there, one by one. Of any other number (a lockbox, an
    ACH company), the whole file, then each batch, then each entry is looked for on every account of the currency. One
    that is nowhere is money as long as no statement covers its day; after that it is for a person, not counted.
    An account that a bank's profile declares is one of its own: what is notified of it is looked for nowhere else.
    """
    told = Told()
    if chosen.notified.is_empty():
        return told
    booked = _Booked(chosen.entries.to_dicts())
    covered = set(chosen.days.select("account_key", "currency_code", "day").iter_rows())
    latest: dict[str, date] = {}
    for _, currency, day in covered:
        latest[currency] = max(latest.get(currency, day), day)
    with_statements = set(chosen.entries["account_key"]) | {account for account, _, _ in covered}
    declared = set(declared_accounts)
    others: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for row in chosen.notified.to_dicts():
        if row["account_key"] in with_statements:
            _explain_one(row, booked, covered, told)
        elif row["account_key"] in declared:
            told.money.add(_key(row))
        else:
            others[row["file_id"], row["statement_ordinal"], row["currency_code"], row["amount"] > 0].append(
                row
            )
    for _, rows in sorted(others.items()):
        _explain_group(rows, booked, latest, told)
    return told


class _Booked:
    """Entries of statements by amount, to be taken once each: the nearest day first, then the order of the file."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.by_amount: dict[tuple[str, Decimal], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            self.by_amount[row["currency_code"], row["amount"]].append(row)

    def take(
        self, currency: str, amount: Decimal, day: date | None, account: str | None, reference: str | None
    ) -> dict[str, Any] | None:
        """The entry of this amount nearest to the day, on one account or on any; it is not found again."""
        rows = self.by_amount.get((currency, amount), [])
        near = [
            (row["bank_reference"] != reference or reference is None, _days(row["day"], day), place)
            for place, row in enumerate(rows)
            if (account is None or row["account_key"] == account) and _days(row["day"], day) <= NEAR_DAYS
        ]
        return rows.pop(min(near)[2]) if near else None


def _explain_one(row: dict[str, Any], booked: _Booked, covered: set[tuple], told: Told) -> None:
    """An entry of an account that has statements counts where it says more than theirs, or comes before them."""
    found = booked.take(
        row["currency_code"], row["amount"], row["day"], row["account_key"], row["bank_reference"]
    )
    if found is not None:
        if row["detail_count"] > found["detail_count"]:
            told.money.add(_key(row))
            told.replaced.add(_key(found))
    elif (row["account_key"], row["currency_code"], row["day"]) in covered:
        told.unfound.append(_key(row))
    else:
        told.money.add(_key(row))


def _explain_group(rows: list[dict[str, Any]], booked: _Booked, latest: dict[str, date], told: Told) -> None:
    """Entries of one sign of one file of another number: as a whole, by batch, one by one."""
    batches: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    if _is_booked(rows, booked, told):
        return
    for row in rows:
        batches[row["batch_id"]].append(row)
    for batch in batches.values():
        if len(batches) > 1 and _is_booked(batch, booked, told):
            continue
        for row in batch:
            if len(batch) > 1 and _is_booked([row], booked, told):
                continue
            if row["day"] is not None and row["day"] <= latest.get(row["currency_code"], date.min):
                told.unfound.append(_key(row))
            else:
                told.money.add(_key(row))


def _is_booked(rows: list[dict[str, Any]], booked: _Booked, told: Told) -> bool:
    total = sum((row["amount"] for row in rows), Decimal(0))
    reference = rows[0]["bank_reference"] if len(rows) == 1 else None
    found = booked.take(rows[0]["currency_code"], total, rows[0]["day"], None, reference)
    if found is None:
        return False
    told.replaced.add(_key(found))
    told.money.update(_key(row) for row in rows)
    return True


def without(entries: pl.DataFrame, keys: Iterable[EntryKey]) -> pl.DataFrame:
    """The entries but those of the keys."""
    return entries.join(_frame(keys), on=["file_id", "entry_ordinal"], how="anti")


def only(entries: pl.DataFrame, keys: Iterable[EntryKey]) -> pl.DataFrame:
    """The entries of the keys."""
    return entries.join(_frame(keys), on=["file_id", "entry_ordinal"], how="semi")


def _frame(keys: Iterable[EntryKey]) -> pl.DataFrame:
    return pl.DataFrame(
        sorted(keys), schema={"file_id": pl.String(), "entry_ordinal": pl.Int64()}, orient="row"
    )


def _key(row: dict[str, Any]) -> EntryKey:
    return row["file_id"], row["entry_ordinal"]


def _days(one: date | None, two: date | None) -> int:
    return abs((one - two).days) if one and two else NEAR_DAYS
