"""What persons decided about payments becomes applications, assignments and deductions, each once or not at all.

Plain Python, one decision after the other: there are few, and each changes what the next one finds.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from o2c.frames import Applications, CashDecisions, Deductions, PayerAssignments
from o2c.matching.book import REFUSED, standing
from o2c.matching.decided_desk import CERTAIN, DecisionDesk, DocumentOnDesk, PaymentOnDesk, said_of
from o2c.policy import ReasonCodesPolicy


@dataclass(frozen=True)
class Decided:
    """What came of decisions: new rows to record, and the decisions that do not fit.

    ``refused`` has one row per decision_id: ``payment_id``, the ``field`` of CashDecisions that does not fit, and the
    ``reason`` in words. Nothing of such a decision was done.
    """

    applications: pl.DataFrame
    assignments: pl.DataFrame
    deductions: pl.DataFrame
    refused: pl.DataFrame


def carry_out(
    decisions: pl.DataFrame,
    items: pl.DataFrame,
    payments: pl.DataFrame,
    recorded: pl.DataFrame,
    assignments: pl.DataFrame,
    deductions: pl.DataFrame,
    reasons: ReasonCodesPolicy,
    as_of: date,
) -> Decided:
    """Do what persons decided, in the order in which they decided it, as far as it fits.

    A decision fits when its payment is there, and is neither held nor taken back; when payment, invoice and credit
    memo are of one entity and currency; and when its amount is within what is open and left at that moment. Without
    an amount, as much is applied as fits. One that does not fit is refused as a whole. A decision whose rows are among
    the recorded is not done again. What a person takes back is negated exactly.

    Args:
        decisions: CashDecisions; those of dates after ``as_of`` are not there yet.
        items: ApplicableItems, with what is open after ``recorded``.
        payments: ApplicablePayments, with what is left after ``recorded``, and reversals; every payment that a
            decision names, also one of which nothing is left.
        recorded: Applications that stand, with what returns of this run negate.
        assignments: PayerAssignments of earlier runs.
        deductions: Deductions of earlier runs.
        reasons: which deductions open a dispute.
        as_of: documents and payments of later dates are not there yet.

    Returns:
        New rows, sorted by application_id, by payment_id and assigned_date, by deduction_id, by decision_id.
    """
    due = (
        CashDecisions.validate(decisions)
        .filter(pl.col("decided_date") <= as_of)
        .sort("decided_date", "decision_id")
    )
    if due.is_empty():
        return Decided(
            Applications.empty(), PayerAssignments.empty(), Deductions.empty(), pl.DataFrame(schema=REFUSED)
        )
    desk = _lay_out(due, items, payments, recorded, deductions, reasons, as_of)
    for row in due.iter_rows(named=True):
        desk.decide(row)
    return Decided(
        _frame(desk.applications, Applications).sort("application_id"),
        _new_assignments(due, assignments, {row["decision_id"] for row in desk.refused}),
        _frame(desk.deductions, Deductions).sort("deduction_id"),
        pl.DataFrame(desk.refused, schema=REFUSED).sort("decision_id"),
    )


def taken_back_by_persons(recorded: pl.DataFrame) -> pl.DataFrame:
    """Pairs that a person took apart: the engine does not put them together again.

    Returns:
        ``payment_id, invoice_id`` of every reversal with rule ``person``, unless a person applied the one to the
        other since; each pair once.
    """
    said = recorded.filter((pl.col("rule") == "person") & pl.col("application_id").str.starts_with("person|"))
    order = pl.col("application_id").str.split("|").list.last()
    return (
        said.with_columns(order=order)
        .sort("order")
        .group_by("payment_id", "invoice_id", maintain_order=True)
        .agg(last=pl.col("application_type").last())
        .filter(pl.col("last") == "reversal")
        .select("payment_id", "invoice_id")
        .sort("payment_id", "invoice_id")
    )


def _lay_out(
    due: pl.DataFrame,
    items: pl.DataFrame,
    payments: pl.DataFrame,
    recorded: pl.DataFrame,
    deductions: pl.DataFrame,
    reasons: ReasonCodesPolicy,
    as_of: date,
) -> DecisionDesk:
    """The desk with what the decisions name on it, and nothing else."""
    wanted_payments = due["payment_id"].unique().implode()
    named_recorded = recorded.filter(pl.col("payment_id").is_in(wanted_payments))
    documents = pl.concat(
        [
            due["invoice_id"],
            due["credit_memo_id"],
            named_recorded["invoice_id"],
            named_recorded["credit_memo_id"],
        ]
    )
    wanted_items = documents.drop_nulls().unique().implode()
    takings = payments.filter(
        (pl.col("payment_amount") < 0) & pl.col("reverses_payment_id").is_in(wanted_payments)
    )
    taken_back = dict(
        takings.group_by("reverses_payment_id").agg(-pl.col("payment_amount").sum()).iter_rows()
    )
    still_applied = standing(recorded).filter(pl.col("payment_id").is_in(wanted_payments))
    by_decision = due["decision_id"].implode()
    done = {
        decision_id
        for ids in (recorded["application_id"], deductions["deduction_id"])
        for decision_id in ids.str.split("|")
        .list.last()
        .filter(ids.str.split("|").list.last().is_in(by_decision))
    }
    desk = DecisionDesk(
        payments={
            row["payment_id"]: PaymentOnDesk(
                row["entity_id"],
                row["currency_code"],
                row["payment_amount"],
                row["unapplied_amount"],
                row["value_date"],
                row["is_held"],
                taken_back.get(row["payment_id"], Decimal(0)),
            )
            for row in payments.filter(
                pl.col("payment_id").is_in(wanted_payments) & (pl.col("value_date") <= as_of)
            ).iter_rows(named=True)
        },
        items={
            row["invoice_id"]: DocumentOnDesk(
                row["entity_id"],
                row["customer_id"],
                row["currency_code"],
                row["document_type"] == "credit_memo",
                row["open_amount"],
                row["invoice_date"],
            )
            for row in items.filter(
                pl.col("invoice_id").is_in(wanted_items) & (pl.col("invoice_date") <= as_of)
            ).iter_rows(named=True)
        },
        standing={row["application_id"]: row for row in still_applied.iter_rows(named=True)},
        done=done,
        reasons={reason.code: reason.opens_dispute for reason in reasons.reasons},
        reopened={},
    )
    for row in recorded.filter(
        pl.col("reverses_application_id").is_not_null(),
        pl.col("payment_id").is_in(wanted_payments)
        | pl.col("invoice_id").is_in(wanted_items)
        | pl.col("credit_memo_id").is_in(wanted_items),
    ).iter_rows(named=True):
        desk.reopen(row, row["application_date"])
    return desk


def _new_assignments(due: pl.DataFrame, assignments: pl.DataFrame, refused: set[str]) -> pl.DataFrame:
    """Whose a payment is as persons say, the last word of each day, where it is not recorded yet."""
    said: dict[tuple[str, date], dict[str, Any]] = {}
    for row in due.iter_rows(named=True):
        if row["action"] in ("assign", "unassign") and row["decision_id"] not in refused:
            said[(row["payment_id"], row["decided_date"])] = {
                "payment_id": row["payment_id"],
                "customer_id": row["customer_id"] if row["action"] == "assign" else None,
                "rule": "person",
                "explanation": said_of(row),
                "score": CERTAIN,
                "assigned_date": row["decided_date"],
            }
    by_persons = assignments.filter(pl.col("rule") == "person")
    there = set(by_persons.select("payment_id", "customer_id", "assigned_date").iter_rows())
    new = [
        row
        for row in said.values()
        if (row["payment_id"], row["customer_id"], row["assigned_date"]) not in there
    ]
    return _frame(new, PayerAssignments).sort("payment_id", "assigned_date")


def _frame(rows: list[dict[str, Any]], model: type[Any]) -> pl.DataFrame:
    return model.validate(
        pl.DataFrame(rows, schema=model.empty().schema, orient="row").select(model.columns())
    )
