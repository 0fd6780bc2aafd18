"""How far a decision may go: an amount within what is open and left, or the reason why not."""

from decimal import Decimal
from typing import Any, NamedTuple

from o2c.money import rounded


class Misfit(Exception):
    """A decision does not fit: which field, and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name, self.reason = name, reason


class Limit(NamedTuple):
    """An amount that a decision stays within: the field that names whose it is, what it is, and how much."""

    name: str
    what: str
    amount: Decimal


def fitting(row: dict[str, Any], currency_code: str, *limits: Limit) -> Decimal:
    """The amount of a decision, or as much as fits; within every limit, and on the currency's minor unit.

    Raises:
        Misfit: it is beyond one, or nothing is there.
    """
    for limit in limits:
        if limit.amount <= 0:
            raise Misfit(limit.name, f"nothing is {limit.what}")
    amount = row["amount"] if row["amount"] is not None else min(limit.amount for limit in limits)
    if amount <= 0 or rounded(amount, currency_code) != amount:
        raise Misfit("amount", f"{_plain(amount)} is no amount of {currency_code} above zero")
    for limit in limits:
        if amount > limit.amount:
            raise Misfit(
                "amount",
                f"{_plain(amount)} {currency_code} is more than the {_plain(limit.amount)} {limit.what}",
            )
    return amount


def needs_amount(row: dict[str, Any]) -> None:
    """Raise Misfit where a decision that cannot do without an amount has none."""
    if row["amount"] is None:
        raise Misfit("amount", f"{row['action'].replace('_', ' ')} needs an amount")


def _plain(amount: Decimal) -> str:
    """The amount without the zeros that only its column has."""
    return f"{amount.normalize():f}" if amount != amount.to_integral_value() else f"{amount:.0f}"
