"""Why a payment was applied as it was, or was not: what was paid, by which rule, what is left, what it may be for."""

from datetime import date
from typing import Any

from o2c.cash_records import read_record, read_recorded
from o2c.explain import NothingFound, Story, _day, _published, _rows
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.cash import published_runs
from o2c.settings import Settings


def explain_payment(home: Home, payment_id: str, as_of: date | None = None) -> Story:
    """One payment: amounts, applications with rule and score, deductions, whose it is and why, what waits and for what.

    Scores are told with their parts, in the words that were recorded. Names and accounts of payers are not told.

    Raises:
        NothingFound: no such payment, or nothing was published for that date.
    """
    ledger = Ledger(Settings().ledger_url or home.ledger_url)
    with _published(home) as con:
        day = _day(home, con, as_of)
        ask = {"id": payment_id, "as_of": day}
        payment = _rows(
            con,
            "select payment_id, entity_id, customer_id, currency_code, payment_method, status, reverses_payment_id,"
            " payment_amount, applied_amount, unapplied_amount, value_date"
            " from receivables.fct_payments where payment_id = $id and value_date <= $as_of",
            ask,
        )
        if not payment:
            raise NothingFound(
                f"payment {payment_id}: not in what is published in {home.published} as of {day}."
            )
        data = {
            "payment": payment,
            "applications": _rows(
                con,
                "select effective_date, application_type, invoice_id, credit_memo_id, applied_amount, currency_code,"
                " rule, score, applied_by, explanation, application_id, reverses_application_id"
                " from receivables.fct_payment_applications"
                " where payment_id = $id and effective_date <= $as_of order by effective_date, application_id",
                ask,
            ),
        }
    data |= _recorded(home, ledger, payment_id, day)
    data |= _waiting(home, ledger, payment_id, day)
    return Story(f"Payment {payment_id} as of {day}", data)


def _recorded(home: Home, ledger: Ledger, payment_id: str, day: date) -> dict[str, list[dict[str, Any]]]:
    """Whose the payment was found to be, and what was withheld of its documents, as recorded up to a date."""
    recorded = read_recorded(home.applications, ledger.application_files())

    def rows(frame: Any, dated: str) -> list[dict[str, Any]]:
        ours = frame.filter((frame["payment_id"] == payment_id) & (frame[dated] <= day))
        return ours.drop("payment_id").sort(dated).to_dicts()

    return {
        "payer": rows(recorded.assignments, "assigned_date"),
        "deductions": rows(recorded.deductions, "deducted_date"),
    }


def _waiting(home: Home, ledger: Ledger, payment_id: str, day: date) -> dict[str, list[dict[str, Any]]]:
    """Why the rest waits for a person and what it may be for, of the last run for that date."""
    for run in published_runs(ledger.engine):
        if run.as_of_date == day and run.records is not None:
            kinds = {
                kind: read_record(home.applications, run.records, kind)
                for kind in ("exceptions", "candidates")
            }
            ours = {kind: frame.filter(frame["payment_id"] == payment_id) for kind, frame in kinds.items()}
            candidates = ours["candidates"].sort("candidate_rank", "invoice_id", nulls_last=False)
            return {
                "waits_because": ours["exceptions"].select("reason_code", "reason").to_dicts(),
                "candidates": candidates.drop("payment_id").to_dicts(),
            }
    return {}
