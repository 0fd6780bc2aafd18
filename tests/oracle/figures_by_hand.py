"""Roll-forward and key figures by the definitions, out of balances worked out by hand: exact until the one rounding."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from balances_by_hand import ZERO, Balances

FLOWS = ("invoiced", "credited", "collected", "discount", "write_off", "adjustment")


class Flow(NamedTuple):
    day: date
    kind: str
    amount: Decimal


class Settlement(NamedTuple):
    """Money set against a document: how much, and how many days after its date and its due date."""

    day: date
    amount: Decimal
    days_to_pay: int
    days_late: int


def six_digits(number: Fraction) -> Decimal:
    """Rounded once, half away from zero."""
    twice = abs(number) * 2_000_000
    whole = (twice.numerator // twice.denominator + 1) // 2
    return Decimal(whole if number >= 0 else -whole).scaleb(-6)


def quotient(numerator: Decimal | int, denominator: Decimal | int, times: int = 1) -> Decimal | None:
    return six_digits(Fraction(numerator) * times / Fraction(denominator)) if denominator > 0 else None


def month_before(day: date) -> date:
    """The last day of the month before."""
    return day.replace(day=1) - timedelta(1)


class Figures:
    """One ledger's figures, per entity and currency."""

    def __init__(self, balances: Balances) -> None:
        self.balances = balances
        self.flows: dict[tuple[str, str], list[Flow]] = defaultdict(list)
        self.settlements: dict[tuple[str, str], list[Settlement]] = defaultdict(list)
        for document in balances.documents.values():
            kind = "credited" if document["document_type"] == "credit_memo" else "invoiced"
            self._flow(document, document["invoice_date"], kind, document["invoice_amount"])
            for move in balances.moves[document["invoice_id"]]:
                if move.kind in ("discount", "write_off", "adjustment"):
                    self._flow(document, move.day, move.kind, move.amount)
        for payment in balances.payments.values():
            self._flow(payment, payment["value_date"], "collected", payment["payment_amount"])
        self._read_settlements()
        self._nets: dict[date, dict[tuple[str, str], Decimal]] = {}
        self._items: dict[date, dict[tuple[str, str], list]] = {}

    def _flow(self, row: dict, day: date, kind: str, amount: Decimal) -> None:
        self.flows[row["entity_id"], row["currency_code"]].append(Flow(day, kind, amount))

    def _read_settlements(self) -> None:
        """A reversal takes the days of what it reverses back, on its own day."""
        books = self.balances
        for row in books.applications.values():
            document = books.documents.get(row["invoice_id"])
            if document is None or books.kind_of(row) != "payment":
                continue
            parts = [part["due_date"] for part in books.parts[row["invoice_id"]]]
            due = max(parts) if parts else books.due_date(document)
            first = books.applications.get(row["reverses_application_id"], row)
            settled = books.counts_from(first)
            self.settlements[document["entity_id"], document["currency_code"]].append(
                Settlement(
                    books.counts_from(row),
                    row["applied_amount"],
                    (settled - document["invoice_date"]).days,
                    (settled - due).days,
                )
            )

    def net(self, key: tuple[str, str], day: date) -> Decimal:
        """Open debit items less open credit memos less unapplied cash."""
        if day not in self._nets:
            nets: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            for item in self.balances.items(day):
                nets[item.entity_id, item.currency_code] += item.open_amount
            for entity, currency, _, left in self.balances.unapplied(day):
                nets[entity, currency] -= left
            self._nets[day] = nets
        return self._nets[day][key]

    def moved(self, key: tuple[str, str], after: date, until: date, kind: str) -> Decimal:
        flows = self.flows[key]
        return sum((flow.amount for flow in flows if flow.kind == kind and after < flow.day <= until), ZERO)

    def sales(self, key: tuple[str, str], after: date, until: date) -> Decimal:
        return self.moved(key, after, until, "invoiced") - self.moved(key, after, until, "credited")

    def keys_on(self, day: date) -> list[tuple[str, str]]:
        """Entities and currencies in which anything has happened by then."""
        return [key for key, flows in self.flows.items() if min(flow.day for flow in flows) <= day]

    def rollforward(self, day: date) -> dict[tuple[str, str], tuple]:
        """Of the month of a day, to that day: opening, the six flows, closing."""
        before = month_before(day)
        return {
            key: (
                self.net(key, before),
                *(self.moved(key, before, day, kind) for kind in FLOWS),
                self.net(key, day),
            )
            for key in self.keys_on(day)
        }

    def counted_back(self, key: tuple[str, str], day: date) -> Decimal | None:
        """Months newest first, until their sales are what is still owed."""
        left, days, until = self.net(key, day), 0, day
        if left <= 0:
            return ZERO
        first = min(flow.day for flow in self.flows[key])
        while until >= first:
            before = month_before(until)
            sales = max(self.sales(key, before, until), ZERO)
            length = (until - before).days
            if left <= sales:
                return six_digits(days + Fraction(left) / Fraction(sales) * length)
            left, days, until = left - sales, days + length, before
        return None

    def weighted_days(
        self, key: tuple[str, str], day: date, after: date
    ) -> tuple[Decimal | None, Decimal | None]:
        recent = [row for row in self.settlements[key] if after < row.day <= day]
        amount = sum((row.amount for row in recent), ZERO)
        to_pay = sum((row.amount * row.days_to_pay for row in recent), ZERO)
        late = sum((row.amount * row.days_late for row in recent), ZERO)
        return quotient(to_pay, amount), quotient(late, amount)

    def kpis(self, day: date) -> dict[tuple[str, str], dict[str, Decimal | None]]:
        by_key = defaultdict(list)
        for item in self.balances.items(day):
            if item.aging_bucket is not None:
                by_key[item.entity_id, item.currency_code].append(item)
        return {key: self._kpis_of(key, day, by_key[key]) for key in self.keys_on(day)}

    def _kpis_of(self, key: tuple[str, str], day: date, debits: list) -> dict[str, Decimal | None]:
        def open_of(*buckets: str) -> Decimal:
            return sum((item.open_amount for item in debits if item.aging_bucket in buckets), ZERO)

        closing, current = self.net(key, day), open_of("current")
        total = sum((item.open_amount for item in debits), ZERO)
        past_due = total - current
        sales_90 = self.sales(key, day - timedelta(90), day)
        year_ago = day - timedelta(365)
        sales_365 = self.sales(key, year_ago, day)
        month = month_before(day)
        quarter = month_before(month_before(month))
        opening, sales_month = self.net(key, month), self.sales(key, month, day)
        opening_3, sales_3 = self.net(key, quarter), self.sales(key, quarter, day)
        to_pay, late = self.weighted_days(key, day, year_ago)
        return {
            "credit_sales_amount": sales_90,
            "closing_open_amount": total,
            "closing_net_amount": closing,
            "past_due_amount": past_due,
            "trapped_cash_amount": closing - current,
            "dso_days": quotient(closing, sales_90, 90),
            "dso_countback_days": self.counted_back(key, day),
            "best_possible_dso_days": quotient(current, sales_90, 90),
            "average_days_delinquent": quotient(closing - current, sales_90, 90),
            "collection_effectiveness_ratio": quotient(
                opening + sales_month - closing, opening + sales_month - current
            ),
            "collection_effectiveness_quarter_ratio": quotient(
                3 * opening_3 + sales_3 - 3 * closing, 3 * opening_3 + sales_3 - 3 * current
            ),
            "ar_turnover_ratio": quotient(sales_365, self.net(key, year_ago) + closing, 2),
            "past_due_ratio": quotient(past_due, total),
            "over_90_ratio": quotient(open_of("over 90"), total),
            "past_due_invoice_ratio": quotient(sum(item.days_past_due >= 1 for item in debits), len(debits)),
            "weighted_days_to_pay": to_pay,
            "weighted_days_late": late,
            "bad_debt_ratio": quotient(self.moved(key, year_ago, day, "write_off"), sales_365),
        }
