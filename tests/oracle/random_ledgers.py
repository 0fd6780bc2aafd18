"""Small ledgers by chance: every way in which documents and money meet, on days where rules change."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

MINOR_UNITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
FIRST_DAY = date(2025, 1, 20)
# One past each edge of a bucket, and the edge itself; due on the day, and not yet.
EDGES_OF_AGE = (-1, 0, 1, 30, 31, 60, 61, 90, 91, 200)
EDGES_OF_PERIODS = (0, 1, 89, 90, 91, 364, 365, 366)


@dataclass
class Ledger:
    """One to two entities with up to fifteen documents each, and whose they are."""

    name: str
    tables: Tables = field(default_factory=lambda: defaultdict(list))

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.tables.values())

    def told(self) -> str:
        """Its rows as text, for whoever has to find out."""
        lines = []
        for table, rows in self.tables.items():
            for row in rows:
                known = ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
                lines.append(f"  {table}: {known}")
        return "\n".join(lines)


class Author:
    """Writes one ledger. Ids begin with its name, so that many ledgers stand side by side in one build."""

    def __init__(self, name: str, seed: str, run_dates: tuple[date, ...]) -> None:
        self.draw = Random(seed)  # noqa: S311 chance, not secrecy
        self.ledger = Ledger(name)
        self.run_dates = run_dates
        self.counters: dict[str, int] = defaultdict(int)
        # a source gives what it wrote off as adjustments or as applications, never both
        self.source = self.draw.choice(["by_adjustments", "by_applications"])

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

    def _add(self, table: str, row: Row) -> Row:
        self.ledger.tables[table].append(row | {"_source": self.source})
        return self.ledger.tables[table][-1]

    def _id(self, kind: str) -> str:
        self.counters[kind] += 1
        return f"{self.ledger.name}.{kind}{self.counters[kind]}"

    def _any_day(self) -> date:
        if self.draw.random() < 0.35:
            return self.draw.choice(self.run_dates) - timedelta(self.draw.choice(EDGES_OF_PERIODS))
        if self.draw.random() < 0.15:
            month = date(2025, 1, 1) + timedelta(31 * self.draw.randrange(1, 18))
            return month.replace(day=1) - timedelta(self.draw.choice([0, 1]))
        # some come after the last run
        return FIRST_DAY + timedelta(self.draw.randrange((max(self.run_dates) - FIRST_DAY).days + 15))

    def _amount(self, currency: str) -> Decimal:
        digits = MINOR_UNITS[currency]
        return Decimal(self.draw.choice([1, 7, 100, 12345, self.draw.randrange(1, 99999)])).scaleb(-digits)

    def _part(self, amount: Decimal, currency: str) -> Decimal:
        """Half of it on the minor unit, at least one unit."""
        unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
        return max((amount / 2).quantize(unit), unit)

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

    def _documents(self) -> list[Row]:
        return self.ledger.tables["invoices"]

    def _groups(self) -> list[tuple[list[Row], list[Row]]]:
        """Debit documents and credit memos that may settle each other: of one entity, currency and customer."""
        groups: dict[tuple, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        for row in self._documents():
            key = (row["entity_id"], row["currency_code"], row["customer_id"])
            key = (*key, row["settlement"] in (None, "terms"))
            groups[key][row["document_type"] == "credit_memo"].append(row)
        return list(groups.values())

    def _money(self, debits: list[Row], credit_memos: list[Row]) -> None:
        draw = self.draw
        waiting = list(debits)
        draw.shuffle(waiting)
        while waiting:
            paid = [waiting.pop() for _ in range(min(len(waiting), draw.choice([1, 1, 2])))]
            for _ in range(draw.choice([0, 1, 1, 2])):
                self._payment(paid)
        for memo in credit_memos:
            if debits and draw.random() < 0.6:
                self._offset(memo, draw.choice(debits))
        if draw.random() < 0.2:
            self._payment([], like=(debits or credit_memos)[0])

    def _payment(self, paid: list[Row], like: Row | None = None) -> None:
        """Money for some documents: in full, in part, too much, too soon; named or not; sometimes taken back."""
        draw, like = self.draw, like or paid[0]
        currency = like["currency_code"]
        parts = [
            draw.choice([row["invoice_amount"]] * 3 + [self._part(row["invoice_amount"], currency)] * 2)
            for row in paid
        ]
        parts = [part + self._amount(currency) if draw.random() < 0.05 else part for part in parts]
        left_over = self._amount(currency) if not paid or draw.random() < 0.25 else Decimal(0)
        valued = like["invoice_date"] + timedelta(draw.choice([-12, -1, 0, 5, 20, 29, 30, 31, 65, 150]))
        payment = self._add(
            "payments",
            {
                "payment_id": self._id("P"),
                "entity_id": like["entity_id"],
                "customer_id": None if draw.random() < 0.2 else like["customer_id"],
                "currency_code": currency,
                "value_date": valued,
                "payment_amount": sum(parts, left_over),
                "settlement": like["settlement"],
            },
        )
        applied = [
            self._application(payment, row, part) for row, part in zip(paid, parts, strict=True) if part
        ]
        for row in paid:
            if draw.random() < 0.15:
                self._application(
                    payment if draw.random() < 0.6 else None, row, self._amount(currency), "discount", valued
                )
        if draw.random() < 0.12:
            self._taken_back(payment, applied)

    def _application(
        self,
        payment: Row | None,
        document: Row,
        amount: Decimal,
        kind: str = "payment",
        day: date | None = None,
    ) -> Row:
        day = (day or payment["value_date"]) + timedelta(self.draw.choice([-4, 0, 0, 0, 3, 40]))  # ty: ignore
        return self._add(
            "payment_applications",
            {
                "application_id": self._id("A"),
                "payment_id": payment and payment["payment_id"],
                "credit_memo_id": None,
                "invoice_id": document["invoice_id"],
                "application_date": day,
                "applied_amount": amount,
                "application_type": kind,
                "reverses_application_id": None,
            },
        )

    def _taken_back(self, payment: Row, applied: list[Row]) -> None:
        """The bank takes a payment back, and most ledgers take back what it settled."""
        draw = self.draw
        day = payment["value_date"] + timedelta(draw.choice([0, 2, 45]))
        back = payment | {
            "payment_id": self._id("P"),
            "payment_amount": -payment["payment_amount"],
            "value_date": day,
            "reverses_payment_id": payment["payment_id"],
        }
        back["customer_id"] = draw.choice([payment["customer_id"], None])
        self._add("payments", back)
        if draw.random() < 0.8:
            by = draw.choice([back, payment])
            for row in applied:
                self._reversal(row, by["payment_id"], day)

    def _reversal(self, application: Row, payment_id: str | None, day: date) -> None:
        documents = {row["invoice_id"]: row for row in self._documents()}
        earliest = max(
            [day, application["application_date"], documents[application["invoice_id"]]["invoice_date"]]
            + [row["value_date"] for row in self.ledger.tables["payments"] if row["payment_id"] == payment_id]
        )
        self._add(
            "payment_applications",
            application
            | {
                "application_id": self._id("A"),
                "payment_id": payment_id,
                "application_date": earliest + timedelta(self.draw.choice([0, 4])),
                "applied_amount": -application["applied_amount"],
                "application_type": "reversal",
                "reverses_application_id": application["application_id"],
            },
        )

    def _offset(self, memo: Row, document: Row) -> None:
        amount = min(memo["invoice_amount"], document["invoice_amount"])
        amount = self.draw.choice([amount, self._part(amount, memo["currency_code"])])
        dated = max(memo["invoice_date"], document["invoice_date"])
        application = self._application(None, document, amount, "credit_memo", dated)
        application["credit_memo_id"] = memo["invoice_id"]
        if self.draw.random() < 0.15:
            self._reversal(application, None, dated + timedelta(50))

    def _given_up(self, document: Row) -> None:
        if document["document_type"] == "credit_memo":
            return
        draw, currency = self.draw, document["currency_code"]
        day = document["invoice_date"] + timedelta(draw.choice([-2, 30, 90, 200]))
        amount = draw.choice([document["invoice_amount"], self._amount(currency)])
        if draw.random() < 0.1 and self.source == "by_applications":
            self._application(None, document, amount, "write_off", day)
        elif draw.random() < 0.1 and self.source == "by_adjustments":
            self._adjustment(document, "write_off", amount, day)
        if draw.random() < 0.08:
            self._adjustment(document, draw.choice(["fx", "other"]), draw.choice([amount, -amount]), day)

    def _adjustment(self, document: Row, kind: str, amount: Decimal, day: date) -> None:
        self._add(
            "adjustments",
            {
                "adjustment_id": self._id("J"),
                "invoice_id": document["invoice_id"],
                "adjustment_type": kind,
                "adjustment_amount": amount,
                "adjustment_date": day,
            },
        )

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
