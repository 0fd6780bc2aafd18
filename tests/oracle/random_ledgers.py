"""Small ledgers by chance: every way in which documents and money meet, on days where rules change."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from ledger_pen import EDGES_OF_AGE, MINOR_UNITS, Ledger, Row
from random_settlements import Settler


class Author(Settler):
    """Writes one ledger of one to two entities with up to fifteen documents."""

    def write(self) -> Ledger:
        draw = self.draw
        entities = [f"{self.ledger.name}{letter}" for letter in "AB"[: draw.choice([1, 1, 2])]]
        currencies = draw.sample(sorted(MINOR_UNITS), draw.choice([1, 2]))
        customers = [self._customer() for _ in range(draw.randint(1, 3))]
        for _ in range(draw.randint(1, 15)):
            self._document(draw.choice(entities), draw.choice(currencies), draw.choice(customers))
        for group in self._groups():
            self._money(*group)
        for document in self._documents():
            self._given_up(document)
            self._contested(document)
        return self.ledger

    def _customer(self) -> Row:
        name = self._id("C")
        terms = self.draw.choice([None, None, 14, 45])
        return self._add(
            "customers", {"customer_id": name, "customer_name": name, "payment_terms_days": terms}
        )

    def _document(self, entity: str, currency: str, customer: Row) -> None:
        draw, name, dated = self.draw, self._id("I"), self._any_day()
        kind = draw.choices(["invoice", "debit_memo", "credit_memo"], [14, 2, 4])[0]
        due = dated + timedelta(draw.choice([-3, 0, 10, 30, 30, 60]))
        if draw.random() < 0.4:
            due = draw.choice(self.run_dates) - timedelta(draw.choice(EDGES_OF_AGE))
        document = self._add(
            "invoices",
            {
                "invoice_id": name,
                "invoice_number": name,
                "entity_id": entity,
                "customer_id": customer["customer_id"],
                "document_type": kind,
                "currency_code": currency,
                "invoice_date": dated,
                "due_date": None if draw.random() < 0.2 else due,
                "payment_terms_days": draw.choice([None, None, 0, 30]),
                "invoice_amount": self._amount(currency) if draw.random() < 0.97 else Decimal(0),
                "settlement": draw.choices([None, "terms", "prepaid", "cod", "card"], [16, 6, 1, 1, 1])[0],
                "status": draw.choices([None, "posted", "cancelled"], [14, 4, 1])[0],
            },
        )
        if kind != "credit_memo" and draw.random() < 0.15:
            self._instalments(document)

    def _instalments(self, document: Row) -> None:
        left, count = document["invoice_amount"], self.draw.randint(2, 4)
        for number in range(1, count + 1):
            part = self._part(left, document["currency_code"]) if number < count else left
            if part <= 0 or part > left:
                part = left
            left -= part
            due = document["invoice_date"] + timedelta(30 * self.draw.choice([number, number, 2, 0]))
            self._add(
                "installments",
                {
                    "invoice_id": document["invoice_id"],
                    "installment_number": number,
                    "due_date": due,
                    "installment_amount": part,
                },
            )

    def _groups(self) -> list[tuple[list[Row], list[Row]]]:
        """Debit documents and credit memos that may settle each other: of one entity, currency and customer."""
        groups: dict[tuple, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        for row in self._documents():
            key = (row["entity_id"], row["currency_code"], row["customer_id"])
            key = (*key, row["settlement"] in (None, "terms"))
            groups[key][row["document_type"] == "credit_memo"].append(row)
        return list(groups.values())

    def _contested(self, document: Row) -> None:
        """Disputes of all or part of a document, sometimes two, around the days of the runs."""
        for _ in range(self.draw.choice([0, 0, 0, 0, 1, 2])):
            opened = self._any_day()
            resolved = opened + timedelta(self.draw.choice([0, 1, 60, 365]))
            amount = document["invoice_amount"]
            self._add(
                "disputes",
                {
                    "dispute_id": self._id("D"),
                    "invoice_id": document["invoice_id"],
                    "disputed_amount": self.draw.choice(
                        [amount, self._part(amount, document["currency_code"])]
                    ),
                    "reason_code": "unknown",
                    "opened_date": opened,
                    "resolved_date": self.draw.choice([None, resolved]),
                },
            )


def random_ledgers(seed: int, count: int, run_dates: tuple[date, ...]) -> list[Ledger]:
    """Ledgers E00001, E00002, ... of one seed: the same for the same seed, whatever their number."""
    names = [f"E{number:05}" for number in range(1, count + 1)]
    return [Author(name, f"{seed} {name}", run_dates).write() for name in names]
