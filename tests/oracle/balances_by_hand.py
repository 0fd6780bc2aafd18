"""What is open, by the definitions, with lists and decimals alone: the slow way, document by document, day by day.

Written from the definitions of the figures and not from the models; it shares nothing with them.
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

Row = dict[str, Any]
ZERO = Decimal(0)
BUCKETS = ("current", "1-30", "31-60", "61-90", "over 90")
LAST_DAYS = (0, 30, 60, 90)


class Move(NamedTuple):
    """An amount that lowers what is open of a document from a day on. ``kind`` is why."""

    day: date
    kind: str
    amount: Decimal


class Item(NamedTuple):
    """One open document or instalment on one day."""

    entity_id: str
    currency_code: str
    customer_id: str
    invoice_id: str
    installment_number: int
    document_type: str
    open_amount: Decimal
    disputed_amount: Decimal
    due_date: date
    days_past_due: int
    aging_bucket: str | None


def bucket_of(days_past_due: int) -> str:
    return BUCKETS[sum(days_past_due > last for last in LAST_DAYS)]


class Balances:
    """A ledger's documents and money as they stand at the end of any day."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        on_terms = (None, "terms")
        self.every_document = {row["invoice_id"]: row for row in tables.get("invoices", ())}
        self.documents = {
            name: row
            for name, row in self.every_document.items()
            if row["settlement"] in on_terms and row["status"] != "cancelled"
        }
        self.payments = {
            row["payment_id"]: row for row in tables.get("payments", ()) if row["settlement"] in on_terms
        }
        self.terms = {row["customer_id"]: row["payment_terms_days"] for row in tables.get("customers", ())}
        self.parts = defaultdict(list)
        for row in tables.get("installments", ()):
            self.parts[row["invoice_id"]].append(row)
        self.disputes = defaultdict(list)
        for row in tables.get("disputes", ()):
            self.disputes[row["invoice_id"]].append(row)
        self.applications = {row["application_id"]: row for row in tables.get("payment_applications", ())}
        self.moves: dict[str, list[Move]] = defaultdict(list)
        self.spent: dict[str, list[Move]] = defaultdict(list)
        self._read_applications()
        for row in tables.get("adjustments", ()):
            if row["invoice_id"] in self.documents:
                day = max(row["adjustment_date"], self.documents[row["invoice_id"]]["invoice_date"])
                kind = "write_off" if row["adjustment_type"] == "write_off" else "adjustment"
                self.moves[row["invoice_id"]].append(Move(day, kind, row["adjustment_amount"]))

    def kind_of(self, application: Row) -> str:
        """What an application does; a reversal does what it reverses, backwards."""
        if application["application_type"] == "reversal":
            return self.applications[application["reverses_application_id"]]["application_type"]
        return application["application_type"]

    def counts_from(self, application: Row) -> date:
        """The latest of its own date, the payment's and the dates of the documents on both of its sides."""
        days = [application["application_date"]]
        days += [
            self.every_document[application[side]]["invoice_date"]
            for side in ("invoice_id", "credit_memo_id")
            if application[side]
        ]
        if application["payment_id"] in self.payments:
            days.append(self.payments[application["payment_id"]]["value_date"])
        return max(days)

    def _read_applications(self) -> None:
        for row in self.applications.values():
            kind, day, amount = self.kind_of(row), self.counts_from(row), row["applied_amount"]
            memo = row["credit_memo_id"]
            # cancelled documents and sales off terms are outside everything, and so is what settles them
            if row["invoice_id"] not in self.documents or (memo and memo not in self.documents):
                continue
            self.moves[row["invoice_id"]].append(Move(day, kind, amount))
            if memo:
                self.moves[memo].append(Move(day, kind, -amount))
            if kind == "payment":
                self.spent[row["payment_id"]].append(Move(day, row["invoice_id"], amount))

    def signed(self, document: Row) -> Decimal:
        amount = document["invoice_amount"]
        return -amount if document["document_type"] == "credit_memo" else amount

    def open_amount(self, document: Row, day: date) -> Decimal:
        """What is left of a document; credit memos negative. Before its date there is nothing."""
        if document["invoice_date"] > day:
            return ZERO
        moved = sum((move.amount for move in self.moves[document["invoice_id"]] if move.day <= day), ZERO)
        return self.signed(document) - moved

    def due_date(self, document: Row) -> date:
        if document["due_date"] is not None:
            return document["due_date"]
        terms = document["payment_terms_days"]
        if terms is None:
            terms = self.terms.get(document["customer_id"])
        return document["invoice_date"] + timedelta(terms or 0)

    def _open_parts(self, document: Row, day: date) -> list[tuple[int, date, Decimal]]:
        """Number, due date and open amount of each part, first due first: money settles the earliest first."""
        left = self.open_amount(document, day)
        parts = sorted(
            self.parts[document["invoice_id"]], key=lambda row: (row["due_date"], row["installment_number"])
        )
        if not parts:
            return [(1, self.due_date(document), left)]
        settled = sum((row["installment_amount"] for row in parts), ZERO) - left
        found = []
        for row in parts:
            taken = min(max(settled, ZERO), row["installment_amount"])
            settled -= taken
            found.append([row["installment_number"], row["due_date"], row["installment_amount"] - taken])
        # too much was paid, or more is asked than in parts: the first part has the difference
        found[0][2] -= settled
        return [(number, due, amount) for number, due, amount in found]

    def _contested(self, document: Row, day: date) -> Decimal:
        return sum(
            (
                row["disputed_amount"]
                for row in self.disputes[document["invoice_id"]]
                if row["opened_date"] <= day and (row["resolved_date"] is None or day < row["resolved_date"])
            ),
            ZERO,
        )

    def items(self, day: date) -> list[Item]:
        """Every open item on a day. A dispute contests the part that is due first first, never more than is open."""
        found = []
        for document in self.documents.values():
            contested = self._contested(document, day)
            for number, due, amount in self._open_parts(document, day):
                if amount == 0:
                    continue
                disputed = max(min(contested, amount), ZERO)
                contested -= disputed
                age = (day - due).days
                is_credit_memo = document["document_type"] == "credit_memo"
                found.append(
                    Item(
                        document["entity_id"],
                        document["currency_code"],
                        document["customer_id"],
                        document["invoice_id"],
                        number,
                        document["document_type"],
                        amount,
                        disputed,
                        due,
                        age,
                        None if is_credit_memo else bucket_of(age),
                    )
                )
        return found

    def _known_payer(self, payment: Row, day: date) -> str:
        """Who paid, as far as that is known on a day: named by the payment, else by what it settled."""
        if payment["customer_id"]:
            return payment["customer_id"]
        reversed_id = payment.get("reverses_payment_id")
        if reversed_id:
            return self._known_payer(self.payments[reversed_id], day)
        settled = [move for move in self.spent[payment["payment_id"]] if move.day <= day]
        if not settled:
            return "(unidentified)"
        first = min(settled, key=lambda move: move.day)
        return self.documents[first.kind]["customer_id"]

    def unapplied(self, day: date) -> list[tuple[str, str, str, Decimal]]:
        """Entity, currency, customer and amount of each payment's money that settled nothing yet."""
        found = []
        for name, payment in self.payments.items():
            # an application counts from its payment's day on, never before
            if payment["value_date"] <= day:
                spent = sum((move.amount for move in self.spent[name] if move.day <= day), ZERO)
                left = payment["payment_amount"] - spent
                customer = self._known_payer(payment, day)
                found.append((payment["entity_id"], payment["currency_code"], customer, left))
        return found

    def aging(self, day: date) -> dict[tuple, list]:
        """By entity, currency, customer: five buckets, open, credit memos, unapplied, net, disputed, oldest."""
        rows: dict[tuple, list] = defaultdict(lambda: [ZERO] * 10 + [None])
        for item in self.items(day):
            row = rows[item.entity_id, item.currency_code, item.customer_id]
            row[8] += item.open_amount
            row[9] += item.disputed_amount
            if item.aging_bucket is None:
                row[6] -= item.open_amount
                continue
            row[BUCKETS.index(item.aging_bucket)] += item.open_amount
            row[5] += item.open_amount
            if item.days_past_due >= 1:
                row[10] = max(row[10] or 0, item.days_past_due)
        for entity, currency, customer, left in self.unapplied(day):
            row = rows[entity, currency, customer]
            row[7] += left
            row[8] -= left
        return {key: row for key, row in rows.items() if any(row)}
