"""What the engine and persons recorded, put into the build of a book, and the marts made anew behind it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from customer_books import Book, frame_of, load_book

from flows import _dbt
from o2c import frames, warehouse

TABLES = {
    "raw.engine_applications": frames.Applications,
    "raw.payer_assignments": frames.PayerAssignments,
    "raw.cash_deductions": frames.Deductions,
    "raw.cash_exceptions": frames.CashExceptions,
    "raw.cash_candidates": frames.CashCandidates,
    "raw.cash_decisions": frames.CashDecisions,
}
# The marts that cash moves, and what their tie-outs read. Not those of the pass before: it was made already.
MARTS = " ".join(
    f"+{name},tag:marts"
    for name in (
        "fct_invoices",
        "fct_payments",
        "fct_payment_applications",
        "fct_open_items",
        "fct_ar_aging",
        "fct_disputes",
        "fct_deductions",
        "fct_cash_exceptions",
        "fct_cash_application_kpis",
        "fct_unapplied_cash_aging",
        "int_aged_summed",
        "int_net_balances_dated",
    )
)
TIES = (
    "assert_engine_applies_within_amounts",
    "assert_ledger_applies_within_amounts",
    "assert_cash_is_applied_on_account_or_in_suspense",
    "assert_cash_exceptions_have_something_to_decide",
    "assert_unapplied_cash_ages_in_full",
    "assert_payments_tie_to_applications",
    "assert_net_receivables_roll_forward",
    "assert_open_items_tie_to_aging",
    "assert_documents_are_conserved",
    "assert_disputes_tie_to_open_items",
    "assert_payments_come_one_way",
)
Rows = Sequence[Mapping[str, Any]]


def engine(
    application_id: str, payment_id: str, invoice_id: str, amount: str, on: str, **more: object
) -> dict[str, Any]:
    """An application of the engine, of customer C in EUR, of type payment unless said otherwise."""
    return {
        "application_id": application_id,
        "payment_id": payment_id,
        "invoice_id": invoice_id,
        "customer_id": "C",
        "currency_code": "EUR",
        "application_type": "payment",
        "rule": "remittance_line",
        "explanation": "said so",
        "applied_amount": amount,
        "score": "1",
        "application_date": on,
        **more,
    }


def back(application: Mapping[str, Any], payment_id: str, on: str, **more: object) -> dict[str, Any]:
    """The exact negation of an application, made when ``payment_id`` took it back."""
    amount = str(application["applied_amount"])
    return {
        **application,
        "application_id": f"back-{application['application_id']}",
        "payment_id": payment_id,
        "application_type": "reversal",
        "reverses_application_id": application["application_id"],
        "applied_amount": amount[1:] if amount.startswith("-") else f"-{amount}",
        "application_date": on,
        **more,
    }


def deduction(
    deduction_id: str, payment_id: str, invoice_id: str, amount: str, on: str, **more: object
) -> dict[str, Any]:
    return {
        "deduction_id": deduction_id,
        "payment_id": payment_id,
        "invoice_id": invoice_id,
        "customer_id": "C",
        "currency_code": "EUR",
        "reason_code": "pricing",
        "explanation": "short by it",
        "deduction_amount": amount,
        "opens_dispute": True,
        "deducted_date": on,
        **more,
    }


def built_with_cash(
    book: Book, folder: Path, earlier: Mapping[str, Rows], new: Mapping[str, Rows] | None = None
) -> Path:
    """The book's build as a run makes it: ``earlier`` stands recorded before cash is applied, ``new`` comes of it."""
    folder.mkdir(parents=True)
    build = load_book(book, folder)
    _load(build, earlier)
    _dbt.run_models(build, folder, "tag:cash")
    return with_new_cash(
        build, {table: [*earlier.get(table, ()), *(new or {}).get(table, ())] for table in TABLES}
    )


def with_new_cash(build: Path, recorded: Mapping[str, Rows]) -> Path:
    """The build with exactly these rows recorded after its pass of cash, its marts made anew."""
    _load(build, recorded)
    _dbt.run_models(build, build.parent, MARTS)
    return build


def ties(build: Path) -> list[str]:
    """Names of the tie-outs that warn; one that fails raises."""
    findings = _dbt.run_tests(build, build.parent, " ".join(TIES), exclude="")
    return [finding.name for finding in findings]


def _load(build: Path, tables: Mapping[str, Rows]) -> None:
    with warehouse.connect(build) as con:
        for table, frame in TABLES.items():
            warehouse.load_frame(con, table, frame_of(tables.get(table, ()), frame.empty().schema))
