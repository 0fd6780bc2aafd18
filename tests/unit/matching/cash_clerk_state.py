"""What lies before the clerk, and how an amount fits documents. His rules stand in ``cash_clerk``."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cash_clerk_reading import family_of, payers_of

Row = dict[str, Any]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Part:
    """What an explanation does to one document."""

    invoice_id: str
    settled: Decimal
    discount: Decimal = ZERO
    write_off: Decimal = ZERO
    deduction: Decimal = ZERO

    @property
    def cash(self) -> Decimal:
        return self.settled - self.discount - self.write_off


@dataclass(frozen=True)
class Explanation:
    """A way to see a payment, and how doubtful it is."""

    parts: tuple[Part, ...]
    doubt: Decimal
    is_for_person: bool = False


class State:
    """What the clerk knows, and what is open and left as he goes."""

    def __init__(self, book: dict[str, list[Row]], policy: Any, as_of: date) -> None:
        self.policy, self.as_of = policy, as_of
        self.items = {row["invoice_id"]: row for row in book["items"] if row["invoice_date"] <= as_of}
        self.payments = sorted(
            (row for row in book["payments"] if row["value_date"] <= as_of),
            key=lambda row: (row["value_date"], row["payment_id"]),
        )
        self.lines = book["remittance_lines"]
        self.customers = book["customers"]
        self.accounts = {
            (row["payer_account"], row["customer_id"], row["is_remembered"]) for row in book["accounts"]
        }
        self.families = {
            one: family_of(one, self.customers) for one in [row["customer_id"] for row in self.items.values()]
        }
        self.open = {key: row["open_amount"] for key, row in self.items.items()}
        self.offered = {key: self._offer(row) for key, row in self.items.items()}
        self.left = {row["payment_id"]: row["unapplied_amount"] for row in self.payments}
        self.done: set[tuple[str, str]] = set()
        self.refused: set[str] = set()
        self.given_up: dict[tuple, Decimal] = {}
        self.booked: list[tuple[str, str, str | None, str, Decimal]] = []
        self.withheld: list[tuple[str, str, Decimal]] = []
        self.owners: dict[str, str] = {}
        self.back = {row["reverses_payment_id"] for row in self.payments if row["payment_amount"] < 0}
        self.active = [
            row
            for row in self.payments
            if not row["is_held"] and row["payment_amount"] >= 0 and row["payment_id"] not in self.back
        ]

    def _offer(self, item: Row) -> Decimal:
        whole, ratio = item["invoice_amount"], item["discount_ratio"]
        if not ratio or item["open_amount"] != whole:
            return ZERO
        unit = Decimal(1) if item["currency_code"] == "JPY" else Decimal("0.01")
        offer = (whole * ratio).quantize(unit, ROUND_HALF_UP)
        return offer if 0 < offer < whole else ZERO

    def _granted(self, invoice_id: str, payment: Row) -> Decimal:
        last = self.items[invoice_id]["discount_due_date"]
        if last is None or payment["value_date"] > last + timedelta(days=self.policy.discount_grace_days):
            return ZERO
        return self.offered[invoice_id]

    def _limit(self, payment: Row) -> Decimal:
        policy, currency = self.policy, payment["currency_code"]
        limit = policy.small_differences.per_item.amount_for(currency)
        if payment["payment_method"] in policy.bank_fee_methods:
            limit = max(limit, policy.bank_fees.amount_for(currency))
        return limit

    def _place(self, payment: Row) -> list[Row]:
        place = (payment["entity_id"], payment["currency_code"])
        return [row for row in self.items.values() if (row["entity_id"], row["currency_code"]) == place]

    def _payers(self, payment: Row) -> dict[str, Decimal]:
        return payers_of(payment, self.customers, self.accounts, self.policy)

    def _known(self, payment: Row) -> dict[str, Decimal]:
        found = self._payers(payment)
        return {
            who: strength for who, strength in found.items() if strength >= self.policy.known_payer_strength
        }

    def _payer_strength(self, payment: Row, invoice_id: str) -> Decimal | None:
        """How well payer and owner agree; None where the item is foreign (rule 2)."""
        family = self.families[self.items[invoice_id]["customer_id"]]
        found = self._payers(payment)
        own = [strength for who, strength in found.items() if family_of(who, self.customers) == family]
        if own:
            return max(own)
        return None if self._known(payment) else ZERO

    def _lines_of(self, payment: Row) -> list[Row]:
        mine = [line for line in self.lines if line["payment_id"] == payment["payment_id"]]
        return sorted(mine, key=lambda line: (line["remittance_id"], line["line_number"]))

    def _explained(self, payment, chosen, shape, parts, strengths) -> Explanation:
        agrees = min(
            strength if (strength := self._payer_strength(payment, one)) is not None else ZERO
            for one in chosen
        )
        amount = self.policy.strengths.amounts[shape]
        doubt = (1 - min(strengths[one] for one in chosen)) * (1 - agrees) * (1 - amount)
        return Explanation(tuple(parts), doubt)

    def _fit(self, payment: Row, chosen: list[str], vague: set[str]) -> tuple[str, list[Part]] | None:
        """How what is left of a payment fits documents: its shape, and what comes off each."""
        wanted, is_vague = self.left[payment["payment_id"]], bool(vague & set(chosen))
        opened = {one: self.open[one] for one in chosen}
        granted = {one: self._granted(one, payment) for one in chosen}
        total, offered = sum(opened.values()), sum(self.offered[one] for one in chosen)
        short = total - wanted
        if short == 0:
            return "exact", [Part(one, opened[one]) for one in chosen]
        last = max(chosen, key=lambda one: (opened[one], self.items[one]["due_date"], one))
        unit = Decimal(1) if payment["currency_code"] == "JPY" else Decimal("0.01")
        cents = unit * sum(1 for amount in granted.values() if amount > 0)
        odd = short - sum(granted.values())
        if cents > 0 and abs(odd) <= cents:
            taken = {one: granted[one] + (odd if one == last else ZERO) for one in chosen}
            return "discount", [Part(one, opened[one], discount=taken[one]) for one in chosen]
        if short == offered > 0:
            late = {one: self.offered[one] - granted[one] for one in chosen}
            parts = [Part(one, opened[one] - late[one], granted[one], deduction=late[one]) for one in chosen]
            return "late_discount", parts
        if is_vague:
            return None
        if 0 < short <= min(self._limit(payment), total * self.policy.small_differences.max_ratio):
            parts = [Part(one, opened[one], write_off=short if one == last else ZERO) for one in chosen]
            return "small_difference", parts
        if short > 0 and len(chosen) == 1 and opened[chosen[0]] > 0 and wanted > 0:
            (one,) = chosen
            if short <= total * self.policy.short_payment_ratio:
                return "short", [Part(one, opened[one] - short, deduction=short)]
            return "partial", [Part(one, wanted)]
        if short < 0 and total > 0:
            return "over", [Part(one, opened[one]) for one in chosen]
        return None
