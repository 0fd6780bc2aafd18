"""Every subset of a few documents, and what makes one of them believable.

S1. A sum is of any documents, but at least one.
S2. It is a habit if it is, among all documents or the invoices alone: all of them, one, all due up to a day, all up
    to one day of due and invoice date, all of a month of invoicing, all of an order.
S3. It is an accident if as many as ``max_density`` sums of as many documents were to be expected there by chance;
    the documents that count are those that can be a part of the amount, or, where it is the oldest ones and a part
    of one day's, that day's documents alone.
S4. The first of the rules in the order of the policy names it.
"""

from collections.abc import Callable
from decimal import Decimal
from itertools import combinations
from math import comb
from typing import Any

Row = dict[str, Any]
Priced = tuple[Row, Decimal]


def only_sum(
    there: list[Priced], wanted: Decimal, currency: str, policy: Any
) -> tuple[list[str] | None, str]:
    """The believed sum and its rule; an empty list where sums exist and none is believed, None where none exists."""
    there = [one for one in there if one[1] != 0]
    found = [some for some in _subsets(there) if sum(amount for _, amount in some) == wanted]
    if not found:
        return None, ""
    if len(found) > 1:
        return [], ""
    some = found[0]
    chosen = {row["invoice_id"] for row, _ in some}
    pages = [there, [one for one in there if one[1] > 0]]
    rules = [rule for rule, sets in _habits(pages) if chosen in sets and rule in policy.rules]
    if rules:
        return sorted(chosen), rules[0]
    credits = sum((amount for _, amount in there if amount < 0), Decimal(0))
    possible = [amount for _, amount in there if amount <= wanted - credits]
    chances = [("subset_sum", _accidents(possible, currency, policy))]
    chances += [("oldest_first", _accidents(day, currency, policy)) for day in _cut_days(pages, chosen)]
    least = min(chance for _, chance in chances)
    if least >= policy.subset_sums.max_density:
        return [], ""
    return sorted(chosen), "oldest_first" if len(chances) > 1 else "subset_sum"


def _subsets(there: list[Priced]) -> list[tuple[Priced, ...]]:
    return [some for size in range(1, len(there) + 1) for some in combinations(there, size)]


def _habits(pages: list[list[Priced]]) -> list[tuple[str, list[set[str]]]]:
    """Sets of each rule, the rules in the order of trust."""

    def up_to(key: Callable[[Row], Any]) -> list[set[str]]:
        return [
            {row["invoice_id"] for row, _ in page if key(row) <= last}
            for page in pages
            for last in {key(row) for row, _ in page}
        ]

    def sharing(key: Callable[[Row], Any]) -> list[set[str]]:
        return [
            {row["invoice_id"] for row, _ in page if key(row) == value}
            for page in pages
            for value in {key(row) for row, _ in page} - {None}
        ]

    return [
        ("whole_balance", [{row["invoice_id"] for row, _ in page} for page in pages]),
        ("single_amount", sharing(lambda row: row["invoice_id"])),
        ("all_due", up_to(lambda row: row["due_date"])),
        ("oldest_first", up_to(_age)),
        ("statement", sharing(lambda row: (row["invoice_date"].year, row["invoice_date"].month))),
        ("order", sharing(lambda row: row["order_id"])),
    ]


def _age(row: Row) -> tuple:
    return row["due_date"], row["invoice_date"]


def _cut_days(pages: list[list[Priced]], chosen: set[str]) -> list[list[Decimal]]:
    """Amounts of the day of which the chosen documents take a part, after all of the days before."""
    found = []
    for page in pages:
        for day in {_age(row) for row, _ in page}:
            before = {row["invoice_id"] for row, _ in page if _age(row) < day}
            of_day = {row["invoice_id"]: amount for row, amount in page if _age(row) == day}
            if before < chosen | before and before <= chosen and chosen - before < set(of_day):
                found.append(list(of_day.values()))
    return found


def _accidents(amounts: list[Decimal], currency: str, policy: Any) -> Decimal:
    """How many sums of up to ``max_terms`` of the amounts are one given amount by chance."""
    unit = Decimal(1) if currency == "JPY" else Decimal("0.01")
    sets = sum(comb(len(amounts), size) for size in range(1, policy.subset_sums.max_terms + 1))
    deviation = (sum(amount * amount for amount in amounts) / 4).sqrt()
    return sets * unit / (Decimal("2.5") * deviation)
