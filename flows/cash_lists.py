"""What is told of cash application: the list for the cash team, and how much went by itself."""

from pathlib import Path

from flows._steps import show_table
from flows.apply_cash import AppliedCash
from o2c.cash_workbook import CashSheets, write_cash_workbook
from o2c.frames import Applications, Deductions
from o2c.matching.book import standing
from o2c.run import Run
from o2c.warehouse import read_frame


def write_cash_list(run: Run, release: Path, cash: AppliedCash) -> int:
    """The exceptions workbook and its CSV, inside the release. Returns how many files."""
    with run.open_build() as con:
        applications = read_frame(con, "raw.engine_applications", Applications.columns())
        sheets = CashSheets(
            exceptions=cash.exceptions,
            candidates=cash.candidates,
            payments=con.execute(
                "select payment_id, payer_name, payer_account, reference_text from intermediate.int_payments_counted"
                " where payment_id in (select payment_id from raw.cash_exceptions)"
            ).pl(),
            customers=read_frame(con, "core.dim_customers", ["customer_id", "customer_name"]),
            documents=con.execute(
                "select invoice_id, invoice_number from staging.stg_invoices"
                " where invoice_id in (select invoice_id from raw.cash_candidates)"
            ).pl(),
            applications=standing(applications),
            deductions=read_frame(con, "raw.cash_deductions", Deductions.columns()),
        )
    files = write_cash_workbook(
        release / "cash",
        sheets,
        run.policies.reason_codes,
        run.policies.matching.max_candidates,
        run.as_of,
    )
    return len(files)


def tell_cash(run: Run) -> None:
    """How much of the cash went by itself, into the run's summary and an artifact; the figures are the marts'."""
    marts = {
        "kpis": "cash_application_kpis",
        "rules": "cash_application_rules",
        "unapplied": "unapplied_cash_aging",
    }
    with run.open_build() as con:
        figures = {
            name: read_frame(con, f"receivables.fct_{mart}", as_of=run.as_of) for name, mart in marts.items()
        }
    figures = {name: frame.sort(frame.columns) for name, frame in figures.items()}
    run.decided["cash_application"] = {name: frame.to_dicts() for name, frame in figures.items()}
    for name, frame in figures.items():
        if not frame.is_empty():
            show_table(f"cash-{name}", frame, f"Cash application as of {run.as_of}: {name}")
