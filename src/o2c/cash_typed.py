"""What persons typed, made into decisions: documents by their numbers, candidates by all that they say."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import polars as pl

from o2c.cash_records import Recorded
from o2c.cash_sheet import Entry, Fault
from o2c.cash_workbook import CANDIDATE
from o2c.matching.book import standing
from o2c.matching.contradicted import TAKE_BACK
from o2c.policy import ReasonCodesPolicy
from o2c.sources.bank.errors import printable

_NOTE_LENGTH = 500


@dataclass(frozen=True)
class ListedPayment:
    """A payment of an exceptions list: what its row was about, and its candidates (CashCandidates)."""

    payment_id: str
    customer_id: str | None
    candidates: pl.DataFrame


@dataclass(frozen=True)
class Published:
    """What decisions are checked against: what is published, what was recorded, and what was decided already.

    as_of: date of what is published; decisions are dated with it.
    listed: payments of exceptions lists by the code of their row.
    payments, items: ApplicablePayments and ApplicableItems as published, with all that is not taken back or cancelled.
    customers: ids of all customers. recorded: of all published runs.
    given: every decision ever given (CashDecisions).
    """

    as_of: date
    listed: dict[str, ListedPayment]
    payments: pl.DataFrame
    items: pl.DataFrame
    customers: frozenset[str]
    recorded: Recorded
    given: pl.DataFrame


@dataclass(frozen=True)
class Draft:
    """One decision of one row. ``content`` tells the same decision about the same state again.

    ``column``: where a person looks when it does not fit, if that is not the column of what does not fit.
    """

    row: int
    column: str | None
    content: str
    values: dict[str, Any]


class Typed:
    """Makes decisions of entries; notes what names nothing that is there."""

    def __init__(self, published: Published, reasons: ReasonCodesPolicy) -> None:
        self._published, self._reasons = published, reasons
        self.faults: list[Fault] = []
        self._payments = {
            payment_id: (entity, currency)
            for payment_id, entity, currency in published.payments.select(
                "payment_id", "entity_id", "currency_code"
            ).iter_rows()
        }
        self._ids = set(published.items["invoice_id"])
        self._codes = {reason.code for reason in reasons.reasons}

    def drafts_of(self, entry: Entry) -> list[Draft]:
        """The decisions of one row; none where it has faults."""
        before = len(self.faults)
        listed = self._listed(entry)
        if (
            len(self.faults) == before
            and entry.reason_code is not None
            and entry.reason_code not in self._codes
        ):
            self._complain(entry, "reason_code", f"none of {', '.join(sorted(self._codes))}")
        if entry.customer_id is not None and entry.customer_id not in self._published.customers:
            self._complain(entry, "customer_id", f"there is no customer {printable(entry.customer_id, 60)}")
        values = self._values(entry)
        if len(self.faults) > before:
            return []
        if entry.decision == CANDIDATE:
            said = self._candidate(entry, listed)
        elif entry.decision == "reverse":
            said = self._taken_back(entry, entry.application_id, values["invoice_id"])
        else:
            said = [values]
        return [self._draft(entry, one) for one in said]

    def _listed(self, entry: Entry) -> ListedPayment | None:
        """The payment that the row was about when it was written."""
        shown = printable(entry.payment_id, 60)
        if entry.code is None:
            known = entry.payment_id in self._payments or self._is_recorded(entry.payment_id)
            if not known:
                self._complain(entry, "payment_id", f"there is no payment {shown}")
            if entry.decision == CANDIDATE:
                self._complain(
                    entry, "decision", "candidates are known by the code of the row, which is empty"
                )
            return None
        listed = self._published.listed.get(entry.code)
        if listed is None:
            self._complain(
                entry, "code", "no list that was published has a row of this code; copy the row anew"
            )
        elif listed.payment_id != entry.payment_id:
            self._complain(
                entry, "payment_id", f"{shown} is not the payment of this row, that is {listed.payment_id}"
            )
        return listed

    def _values(self, entry: Entry) -> dict[str, Any]:
        return {
            "payment_id": entry.payment_id,
            "action": entry.decision,
            "customer_id": entry.customer_id,
            "invoice_id": self._document(entry, "invoice", entry.invoice),
            "credit_memo_id": self._document(entry, "credit_memo", entry.credit_memo),
            "application_id": entry.application_id,
            "reason_code": entry.reason_code,
            "note": printable(entry.note, _NOTE_LENGTH) if entry.note else None,
            "amount": entry.amount,
            "remember": entry.decision == "assign" and entry.remember is not False,
        }

    def _document(self, entry: Entry, name: str, typed: str | None) -> str | None:
        """The id of a document that was given by its id, or by a number that only one has for this payment."""
        if typed is None or typed in self._ids:
            return typed
        items = self._published.items.filter(pl.col("invoice_number") == typed)
        if entry.payment_id in self._payments and items.height > 1:
            entity, currency = self._payments[entry.payment_id]
            items = items.filter((pl.col("entity_id") == entity) & (pl.col("currency_code") == currency))
        found = items["invoice_id"].sort().to_list()
        if len(found) == 1:
            return found[0]
        shown = printable(typed, 60)
        if found:
            self._complain(entry, name, f"{shown} is the number of {', '.join(found[:5])}; give the id")
        elif entry.decision != "reverse":
            self._complain(entry, name, f"there is no document {shown}")
        else:
            return typed
        return None

    def _candidate(self, entry: Entry, listed: ListedPayment | None) -> list[dict[str, Any]]:
        """All that a candidate says: credit memos against its documents, then the payment, then what is given up."""
        if listed is None:
            return []
        rows = listed.candidates.filter(pl.col("candidate_rank") == entry.candidate).sort(
            "invoice_id", nulls_last=False
        )
        if rows.is_empty():
            self._complain(entry, "decision", f"this payment has no candidate {entry.candidate}")
            return []
        if rows["rule"][0] == TAKE_BACK:
            documents = rows["invoice_id"].drop_nulls().to_list()
            return [one for document in documents for one in self._taken_back(entry, None, document)]
        base = self._values(entry) | {"reason_code": None, "amount": None}
        parts = _settlements(rows.drop_nulls("invoice_id"), entry.reason_code or self._reasons.unexplained)
        owners = rows["customer_id"].drop_nulls().unique().to_list()
        if listed.customer_id is None and len(owners) == 1:
            remember = entry.remember is not False
            parts.append({"action": "assign", "customer_id": owners[0], "remember": remember})
        if not parts:
            self._complain(entry, "decision", f"candidate {entry.candidate} says nothing that can be done")
        return [base | part for part in parts]

    def _taken_back(
        self, entry: Entry, application_id: str | None, document: str | None
    ) -> list[dict[str, Any]]:
        """Decisions to take back one application of the payment, all on one document, or all."""
        values = self._values(entry) | {"action": "reverse", "reason_code": None, "invoice_id": None}
        if application_id is not None:
            return [values | {"application_id": application_id}]
        recorded = self._published.recorded.applications
        applied = standing(recorded).filter(pl.col("payment_id") == entry.payment_id)
        if document is not None:
            applied = applied.filter(pl.col("invoice_id") == document)
        if applied.is_empty():
            where = f" on {printable(document, 60)}" if document else ""
            self._complain(entry, "decision", f"nothing of this payment stands applied{where}")
        return [values | {"application_id": one} for one in applied["application_id"].sort()]

    def _draft(self, entry: Entry, values: dict[str, Any]) -> Draft:
        about = [entry.code or f"{self._published.as_of}"]
        about += [str(values[name]) for name in CONTENT]
        column = "decision" if entry.decision in (CANDIDATE, "reverse") else None
        return Draft(entry.row, column, sha256("\n".join(about).encode()).hexdigest()[:16], values)

    def _is_recorded(self, payment_id: str) -> bool:
        return payment_id in set(self._published.recorded.applications["payment_id"])

    def _complain(self, entry: Entry, name: str, reason: str) -> None:
        self.faults.append(Fault(entry.row, name, reason))


# What makes two decisions the same; who took it, when and with which note does not.
CONTENT = (
    "payment_id",
    "action",
    "customer_id",
    "invoice_id",
    "credit_memo_id",
    "application_id",
    "reason_code",
    "amount",
    "remember",
)


def _settlements(rows: pl.DataFrame, reason_code: str) -> list[dict[str, Any]]:
    """What the documents of a candidate become: credit memos are set against its invoices in the order of ids."""
    memos = {
        row["invoice_id"]: -row["applied_amount"]
        for row in rows.filter(pl.col("applied_amount") < 0).iter_rows(named=True)
    }
    parts: list[dict[str, Any]] = []
    for row in rows.filter(pl.col("applied_amount") >= 0).iter_rows(named=True):
        left, document = row["applied_amount"], {"invoice_id": row["invoice_id"]}
        for memo in memos:
            if used := min(left, memos[memo]):
                memos[memo] -= used
                left -= used
                parts.append(document | {"action": "credit", "credit_memo_id": memo, "amount": used})
        for action, amount in (("apply", left), ("discount", row["discount_amount"])):
            if amount > Decimal(0):
                parts.append(document | {"action": action, "amount": amount})
        if row["deduction_amount"] > Decimal(0):
            withheld = {"amount": row["deduction_amount"], "reason_code": reason_code}
            parts.append(document | {"action": "deduct"} | withheld)
    return parts
