"""What happens to documents by chance: paid, offset, discounted, given up, and taken back."""

from datetime import date, timedelta
from decimal import Decimal

from ledger_pen import Pen, Row


class Settler(Pen):
    """Writes payments, their applications and what goes without money."""

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
