"""What was paid this morning is set against its invoices before anyone is reminded of them."""

from decimal import Decimal

import polars as pl

from flows._steps import show_markdown, step
from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CustomerNames,
    PayerAccounts,
    RemittanceLines,
)
from o2c.matching import CashResult, apply_cash
from o2c.run import Run
from o2c.warehouse import load_frame, read_frame


def recorded_applications(run: Run) -> pl.DataFrame:
    """Everything the engine applied in earlier runs. Once recorded, an application stands."""
    files = [run.home.applications / name for name in run.ledger.application_files()]
    frames = [pl.read_parquet(path) for path in files]
    return Applications.validate(pl.concat([Applications.empty(), *frames]).sort("application_id"))


@step(name="load recorded applications")
def load_recorded(run: Run) -> None:
    """Give the build what earlier runs applied."""
    with run.open_build() as con:
        load_frame(con, "raw.engine_applications", recorded_applications(run))


@step(name="apply cash")
def apply_payments(run: Run) -> CashResult:
    """Apply what names its invoice; the rest stays unapplied, on account or in suspense, and is shown."""
    with run.step("cash") as counts, run.open_build() as con:
        payments = read_frame(con, "intermediate.int_payments_applicable", ApplicablePayments.columns())
        lines = read_frame(con, "staging.stg_remittance_lines", RemittanceLines.columns())
        held = read_frame(con, "raw.held_payments", ["payment_id"])["payment_id"]
        payments, lines = hold_back(payments, lines, held)
        result = apply_cash(
            items=read_frame(con, "intermediate.int_items_applicable", ApplicableItems.columns()),
            payments=payments,
            remittance_lines=lines,
            recorded=(recorded := recorded_applications(run)),
            customers=read_frame(con, "staging.stg_customers", CustomerNames.columns()),
            accounts=read_frame(con, "intermediate.int_payer_accounts", PayerAccounts.columns()),
            policy=run.policies.matching,
            as_of=run.as_of,
        )
        load_frame(con, "raw.engine_applications", pl.concat([recorded, result.applications]))
        run.decided["new_applications"] = result.applications.height
        counts["payments with money left"] = payments.height
        counts["applications"] = result.applications.height
    show_markdown("cash-application", _summary(result, payments))
    return result


def hold_back(
    payments: pl.DataFrame, lines: pl.DataFrame, held: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Payments and lines of which nothing held is applied: what such a payment says it is for is not believed.

    The money stays in, unapplied, so that its possible payers are not reminded. A return is carried out also when
    it is held: to reopen an invoice is the careful side, and nothing is sent while its statement does not tie.
    """
    is_held = pl.col("payment_id").is_in(held.implode())
    silent = payments.with_columns(reference_text=pl.when(~is_held).then("reference_text"))
    return silent, lines.filter(~is_held.fill_null(False))


def _summary(result: CashResult, payments: pl.DataFrame) -> str:
    """Totals per currency as a markdown table; amounts of different currencies are never summed."""
    left = payments.group_by("currency_code").agg(amount=pl.col("unapplied_amount").sum())
    applied = dict(
        result.applications.group_by("currency_code").agg(amount=pl.col("applied_amount").sum()).iter_rows()
    )
    lines = ["| currency | to apply | applied |", "|---|---:|---:|"]
    for currency, amount in left.sort("currency_code").iter_rows():
        lines.append(f"| {currency} | {amount:,} | {applied.get(currency, Decimal(0)):,} |")
    return "\n".join(lines)
