"""The desk of a person's decisions: payments and documents as they stand after each of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from o2c.matching.decided_limits import Limit, Misfit, fitting, needs_amount

CERTAIN = Decimal("1.000000")


def application_id_of(decision: dict[str, Any]) -> str:
    """The id of the application that a decision becomes: it names the decision, so that it is made once."""
    return f"person|{_pair(decision)}|{decision['decision_id']}"


def deduction_id_of(decision: dict[str, Any]) -> str:
    """The id of the deduction that a decision becomes."""
    return f"deduction|{_pair(decision)}|{decision['decision_id']}"


@dataclass
class PaymentOnDesk:
    """A payment with what is left of it, and how much of it the bank took back."""

    entity_id: str
    currency_code: str
    amount: Decimal
    left: Decimal
    value_date: date
    is_held: bool
    taken_back: Decimal = Decimal(0)


@dataclass
class DocumentOnDesk:
    """A document with what is open of it (credit memos negative), and how much of that was withheld just now."""

    entity_id: str
    customer_id: str
    currency_code: str
    is_credit_memo: bool
    open: Decimal
    invoice_date: date
    deducted: Decimal = Decimal(0)


@dataclass
class DecisionDesk:
    """Payments and items that decisions name, as they stand after each."""

    payments: dict[str, PaymentOnDesk]
    items: dict[str, DocumentOnDesk]
    standing: dict[str, dict[str, Any]]
    done: set[str]
    reasons: dict[str, bool]
    reopened: dict[tuple[str, str], date]
    applications: list[dict[str, Any]] = field(default_factory=list)
    deductions: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)

    def decide(self, row: dict[str, Any]) -> None:
        """Do one decision, or note why it does not fit; nothing if earlier runs did it."""
        if row["decision_id"] in self.done:
            return
        act: dict[str, Callable[[dict[str, Any]], None]] = {
            "apply": self._apply,
            "credit": self._credit,
            "discount": self._give_up,
            "write_off": self._give_up,
            "deduct": self._deduct,
            "assign": self._assign,
            "unassign": self._assign,
            "reverse": self._reverse,
        }
        try:
            act[row["action"]](row)
        except Misfit as misfit:
            refusal = {"field": misfit.name, "reason": misfit.reason}
            self.refused.append(
                {"decision_id": row["decision_id"], "payment_id": row["payment_id"]} | refusal
            )

    def _apply(self, row: dict[str, Any]) -> None:
        payment = self._payment(row)
        if payment.is_held:
            raise Misfit("payment_id", f"the statement of payment {row['payment_id']} does not tie")
        if payment.amount > 0 and payment.taken_back >= payment.amount:
            raise Misfit("payment_id", f"payment {row['payment_id']} was taken back by the bank")
        item = self._item(row, payment)
        amount = fitting(
            row,
            payment.currency_code,
            Limit("payment_id", f"left of payment {row['payment_id']}", payment.left),
            _open_of(row, item),
        )
        payment.left -= amount
        item.open -= amount
        self._record(row, "payment", amount, payment, item)

    def _credit(self, row: dict[str, Any]) -> None:
        payment = self._payment(row)
        item = self._item(row, payment)
        memo = self._document(row, "credit_memo_id", payment)
        if not memo.is_credit_memo:
            raise Misfit("credit_memo_id", f"{row['credit_memo_id']} is no credit memo")
        amount = fitting(
            row,
            payment.currency_code,
            Limit("credit_memo_id", f"left of credit memo {row['credit_memo_id']}", -memo.open),
            _open_of(row, item),
        )
        memo.open += amount
        item.open -= amount
        self._record(row, "credit_memo", amount, payment, item, memo)

    def _give_up(self, row: dict[str, Any]) -> None:
        payment = self._payment(row)
        item = self._item(row, payment)
        needs_amount(row)
        amount = fitting(row, payment.currency_code, _open_of(row, item))
        item.open -= amount
        self._record(row, row["action"], amount, payment, item)

    def _deduct(self, row: dict[str, Any]) -> None:
        payment = self._payment(row)
        item = self._item(row, payment)
        if row["reason_code"] not in self.reasons:
            known = ", ".join(sorted(self.reasons))
            raise Misfit("reason_code", f"{row['reason_code']!r} is none of our reasons; there are {known}")
        needs_amount(row)
        open_amount = item.open - item.deducted
        amount = fitting(row, payment.currency_code, _open_of(row, item)._replace(amount=open_amount))
        item.deducted += amount
        self.deductions.append(
            {
                "deduction_id": deduction_id_of(row),
                "payment_id": row["payment_id"],
                "invoice_id": row["invoice_id"],
                "customer_id": item.customer_id,
                "currency_code": item.currency_code,
                "customer_reason_code": None,
                "reason_code": row["reason_code"],
                "explanation": said_of(row),
                "deduction_amount": amount,
                "opens_dispute": self.reasons[row["reason_code"]],
                "deducted_date": max(payment.value_date, item.invoice_date),
            }
        )

    def _assign(self, row: dict[str, Any]) -> None:
        self._payment(row)
        if row["action"] == "assign" and row["customer_id"] is None:
            raise Misfit("customer_id", "an assignment names a customer")

    def _reverse(self, row: dict[str, Any]) -> None:
        original = self.standing.get(row["application_id"] or "")
        if original is None:
            raise Misfit(
                "application_id",
                f"application {row['application_id']} is not recorded here, or was taken back before",
            )
        if original["payment_id"] != row["payment_id"]:
            raise Misfit(
                "application_id",
                f"application {row['application_id']} is of payment {original['payment_id']}",
            )
        del self.standing[row["application_id"]]
        amount, day = original["applied_amount"], max(original["application_date"], row["decided_date"])
        if original["application_type"] == "payment" and original["payment_id"] in self.payments:
            self.payments[original["payment_id"]].left += amount
        if original["invoice_id"] in self.items:
            self.items[original["invoice_id"]].open += amount
        if original["credit_memo_id"] in self.items:
            self.items[original["credit_memo_id"]].open -= amount
        self.reopen(original, day)
        self.applications.append(
            original
            | {
                "application_id": application_id_of(row | {"invoice_id": original["invoice_id"]}),
                "application_type": "reversal",
                "rule": "person",
                "explanation": said_of(row),
                "reverses_application_id": row["application_id"],
                "applied_amount": -amount,
                "score": CERTAIN,
                "application_date": day,
            }
        )

    def _record(
        self,
        row: dict[str, Any],
        application_type: str,
        amount: Decimal,
        payment: PaymentOnDesk,
        item: DocumentOnDesk,
        memo: DocumentOnDesk | None = None,
    ) -> None:
        """An application counts from the day on which all it sets against each other was there and free."""
        days = [payment.value_date, item.invoice_date, *([memo.invoice_date] if memo else [])]
        sides = ["invoice_id"]
        sides += ["payment_id"] if application_type == "payment" else []
        sides += ["credit_memo_id"] if memo else []
        days += [self.reopened[(side, row[side])] for side in sides if (side, row[side]) in self.reopened]
        self.applications.append(
            {
                "application_id": application_id_of(row),
                "payment_id": row["payment_id"],
                "credit_memo_id": row["credit_memo_id"] if memo else None,
                "invoice_id": row["invoice_id"],
                "customer_id": item.customer_id,
                "currency_code": item.currency_code,
                "application_type": application_type,
                "rule": "person",
                "explanation": said_of(row),
                "reverses_application_id": None,
                "applied_amount": amount,
                "score": CERTAIN,
                "application_date": max(days),
            }
        )

    def reopen(self, row: dict[str, Any], day: date) -> None:
        """What an application had settled is open and left again from a day on."""
        for side in ("payment_id", "invoice_id", "credit_memo_id"):
            if row[side] is not None:
                self.reopened[(side, row[side])] = max(day, self.reopened.get((side, row[side]), day))

    def _payment(self, row: dict[str, Any]) -> PaymentOnDesk:
        if row["payment_id"] not in self.payments:
            raise Misfit(
                "payment_id", f"payment {row['payment_id']} is not there, or was taken back by the bank"
            )
        return self.payments[row["payment_id"]]

    def _item(self, row: dict[str, Any], payment: PaymentOnDesk) -> DocumentOnDesk:
        item = self._document(row, "invoice_id", payment)
        if item.is_credit_memo:
            raise Misfit("invoice_id", f"{row['invoice_id']} is a credit memo, no invoice")
        return item

    def _document(self, row: dict[str, Any], name: str, payment: PaymentOnDesk) -> DocumentOnDesk:
        document_id = row[name]
        if document_id is None or document_id not in self.items:
            raise Misfit(
                name, f"document {document_id} is not there" if document_id else "no document is named"
            )
        item = self.items[document_id]
        for what in ("entity_id", "currency_code"):
            theirs, ours = getattr(item, what), getattr(payment, what)
            if theirs != ours:
                raise Misfit(
                    name,
                    f"{document_id} is of {what.split('_')[0]} {theirs}, payment {row['payment_id']} of {ours}",
                )
        return item


def _open_of(row: dict[str, Any], item: DocumentOnDesk) -> Limit:
    return Limit("invoice_id", f"open of {row['invoice_id']}", item.open)


def said_of(row: dict[str, Any]) -> str:
    """Who decided, when, and what he or she noted."""
    said = f"{row['decided_by']} decided this on {row['decided_date']}"
    return f"{said}: {row['note']}" if row["note"] else f"{said}."


def _pair(decision: dict[str, Any]) -> str:
    """Payment and invoice, so that no two pairs of ids can spell the same: the payment's length comes first."""
    return f"{len(decision['payment_id'])}|{decision['payment_id']}|{decision['invoice_id']}"
