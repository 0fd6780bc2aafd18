"""Claims near reversals and in tangles, gone through in the order in which they happened.

Plain Python over plain numbers (amounts in units of 0.0001, so that nothing is rounded): these are the few claims
that running sums cannot settle.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from o2c.contract import MONEY

# One unit of the plain numbers below: the last place of MONEY.
UNIT = Decimal("0.0001")


class Claim(NamedTuple):
    """What a payment wants of an invoice; ``claimed`` None means as much as there is."""

    turn: int
    payment_key: int
    item_key: int
    claimed: int | None


class Settled(NamedTuple):
    """An amount that a claim got, and from when it counts."""

    turn: int
    amount: int
    application_date: date


@dataclass
class Payment:
    """A payment on its way. ``returned_date`` is the day on which the bank took it back, if it did."""

    value_date: date
    left: int
    returned_date: date | None = None
    is_taken_back: bool = False


@dataclass
class Item:
    """An invoice on its way. ``reopened_date`` is the last day on which a reversal opened it again."""

    invoice_date: date
    open: int
    reopened_date: date | None = None


@dataclass(frozen=True)
class Return:
    """A payment that went back, with what earlier runs had applied of it: ``(item_key, amount, application_date)``."""

    payment_key: int | None
    returned_date: date
    payment_id: str
    recorded: tuple[tuple[int, int, date], ...] = ()


def settle_in_order(
    claims: list[Claim], payments: dict[int, Payment], items: dict[int, Item], returns: list[Return]
) -> list[Settled]:
    """What each claim gets when every payment and return happens on its own day.

    On one day, payments come before returns. A payment settles nothing from the day of its own return on, so what a
    return reopens is not settled by the returned payment again, in this run or the next. When a return reopens
    an invoice, earlier payments that name it and still have money get their turn before later ones.

    Args:
        claims: in order of ``turn``.
        payments: by ``payment_key``, whose order is that of value date and payment_id.
        items: by ``item_key``. Payments and items are used up.
        returns: reversals of these payments, or of earlier ones that paid these items.

    Returns:
        Settled amounts in the order in which they happened; what a return takes back of them is the caller's to write.
    """
    of_payment: dict[int, list[Claim]] = defaultdict(list)
    of_item: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        of_payment[claim.payment_key].append(claim)
        of_item[claim.item_key].append(claim)
    claimed = {claim.turn: claim.claimed for claim in claims}
    settled: list[Settled] = []
    given: dict[int, list[tuple[int, int, date]]] = defaultdict(list)
    arrived: set[int] = set()

    def settle(claim: Claim) -> None:
        payment, item = payments[claim.payment_key], items[claim.item_key]
        wanted = claimed[claim.turn]
        amount = min(payment.left, item.open, payment.left if wanted is None else wanted)
        counts_from = max(filter(None, (payment.value_date, item.invoice_date, item.reopened_date)))
        is_too_late = payment.returned_date is not None and counts_from >= payment.returned_date
        if amount <= 0 or payment.is_taken_back or is_too_late:
            return
        payment.left -= amount
        item.open -= amount
        if wanted is not None:
            claimed[claim.turn] = wanted - amount
        settled.append(Settled(claim.turn, amount, counts_from))
        given[claim.payment_key].append((claim.item_key, amount, counts_from))

    def take_back(back: Return) -> None:
        made = [] if back.payment_key is None else given[back.payment_key]
        if back.payment_key is not None:
            payments[back.payment_key].is_taken_back = True
        reopened = set()
        for item_key, amount, applied_date in (*back.recorded, *made):
            item = items[item_key]
            item.open += amount
            item.reopened_date = max(filter(None, (item.reopened_date, applied_date, back.returned_date)))
            reopened.add(item_key)
        waiting = {claim.turn: claim for key in reopened for claim in of_item[key]}
        for turn in sorted(waiting):
            if waiting[turn].payment_key in arrived:
                settle(waiting[turn])

    events: list[tuple[date, bool, int | str, int | Return]] = [
        *((payments[key].value_date, False, key, key) for key in of_payment),
        *((back.returned_date, True, back.payment_id, back) for back in returns),
    ]
    for _, _, _, event in sorted(events, key=lambda event: event[:3]):
        if isinstance(event, Return):
            take_back(event)
            continue
        arrived.add(event)
        for claim in of_payment[event]:
            settle(claim)
    return settled


def settle_tangled(
    claims: pl.DataFrame,
    items: pl.DataFrame,
    returns: pl.DataFrame,
    returned: pl.DataFrame,
) -> pl.DataFrame:
    """``turn, applied_amount, application_date`` of claims that need the order of events.

    Args:
        claims: with ``value_date`` and ``left_amount`` of their payments.
        items: all invoices, with ``reopened_date`` by earlier runs' reversals.
        returns: from ``list_returns``.
        returned: standing applications of earlier runs that the returns take back.
    """
    near = returned.drop_nulls("item_key").sort("application_id")
    keys = pl.concat([claims["item_key"], near["item_key"]]).unique()
    involved = claims.unique("payment_key")
    taken_back: dict[str, list[tuple[int, int, date]]] = defaultdict(list)
    for reversal_id, item_key, amount, on in near.select(
        "reversal_id", "item_key", _units("applied_amount"), "application_date"
    ).iter_rows():
        taken_back[reversal_id].append((item_key, amount, on))
    returned_on = dict(returns.drop_nulls("payment_key").select("payment_key", "returned_date").iter_rows())
    payments = {
        key: Payment(day, left, returned_on.get(key))
        for key, day, left in involved.select("payment_key", "value_date", _units("left_amount")).iter_rows()
    }
    settled = settle_in_order(
        [
            Claim(*row)
            for row in claims.sort("turn")
            .select("turn", "payment_key", "item_key", _units("claimed_amount"))
            .iter_rows()
        ],
        payments,
        {
            key: Item(*rest)
            for key, *rest in items.filter(pl.col("item_key").is_in(keys.implode()))
            .select("item_key", "invoice_date", _units("open_amount"), "reopened_date")
            .iter_rows()
        },
        [
            Return(key if key in payments else None, day, reversal_id, tuple(taken_back[reversal_id]))
            for reversal_id, key, day in returns.select(
                "reversal_id", "payment_key", "returned_date"
            ).iter_rows()
            if key in payments or reversal_id in taken_back
        ],
    )
    return pl.DataFrame(
        settled,
        schema={"turn": claims.schema["turn"], "applied_amount": pl.Int64, "application_date": pl.Date},
        orient="row",
    ).with_columns(applied_amount=(pl.col("applied_amount").cast(pl.Decimal(38, 4)) * UNIT).cast(MONEY))


def _units(column: str) -> pl.Expr:
    return pl.col(column).cast(MONEY).to_physical().cast(pl.Int64)
