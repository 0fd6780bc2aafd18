"""What was paid this morning is set against its invoices before anyone is reminded of them."""

from dataclasses import dataclass, field, replace

import duckdb
import polars as pl

from flows._steps import show_markdown, show_table, step
from o2c.cash_records import (
    Recorded,
    latest_assignments,
    read_decisions,
    read_recorded,
    write_records,
)
from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    CashDecisions,
    CustomerNames,
    PayerAccounts,
    RemittanceLines,
)
from o2c.ledger.asking import write_off_answers
from o2c.ledger.cash import list_decision_files
from o2c.matching import apply_cash
from o2c.matching.book import CashBook, CashResult
from o2c.matching.contradicted import add_contradicted, find_contradicted
from o2c.matching.refused import add_refused
from o2c.matching.withheld import SortedDecisions, add_withheld, nothing_withheld, sort_decisions
from o2c.money import rounded
from o2c.run import Run
from o2c.warehouse import load_frame, read_frame

# Whose letters wait because of it: read again by the second look before letters leave.
POSSIBLE_PAYERS = "decided.possible_payers"


@dataclass(frozen=True)
class AppliedCash(CashResult):
    """What cash application found, and the decisions of persons that it was given: done or refused, once.

    ``withheld`` are decisions that give up more than one person may: nothing of them is done before others approve.
    """

    decisions: pl.DataFrame = field(default_factory=CashDecisions.empty)
    withheld: pl.DataFrame = field(default_factory=nothing_withheld)


def recorded_cash(run: Run) -> Recorded:
    """Everything recorded in runs that knew no more than this one. Once recorded, it stands."""
    return read_recorded(run.home.applications, run.ledger.application_files(run.known_at))


def given_decisions(run: Run) -> pl.DataFrame:
    """Everything that persons decided up to the as-of date, as far as this run knows."""
    files = list_decision_files(run.ledger.engine, run.known_at)
    decisions = read_decisions(run.home.cash_decisions, [file.file_id for file in files])
    return decisions.filter(pl.col("decided_date") <= run.as_of)


@step(name="load recorded applications")
def load_recorded(run: Run) -> None:
    """Give the build what earlier runs applied, whose payments are, what was withheld, and what persons decided."""
    recorded = recorded_cash(run)
    with run.open_build() as con:
        load_frame(con, "raw.engine_applications", recorded.applications)
        load_frame(con, "raw.payer_assignments", recorded.assignments)
        load_frame(con, "raw.cash_deductions", recorded.deductions)
        load_frame(con, "raw.cash_decisions", given_decisions(run))


@step(name="apply cash")
def apply_payments(run: Run) -> AppliedCash:
    """Do what persons decided, apply what is sure, keep the rest on account or in suspense, and show it."""
    recorded = recorded_cash(run)
    with run.step("cash") as counts, run.open_build() as con:
        given = read_frame(con, "raw.cash_decisions", CashDecisions.columns())
        unanswered = given.join(recorded.answered, on="decision_id", how="anti")
        sorted_out = approved_decisions(run, con, unanswered, given)
        decisions = sorted_out.free
        book = read_book(con, recorded, unanswered)
        book = replace(book, decisions=decisions)
        result = apply_cash(book, run.policies.matching, run.policies.reason_codes, run.as_of)
        result = replace(result, refused=pl.concat([result.refused, sorted_out.refused]))
        result = replace(result, exceptions=tell_refused(run, book, result))
        result = replace(result, exceptions=tell_withheld(run, book, result, sorted_out.withheld))
        settled = result.applications["reverses_application_id"].drop_nulls().implode()
        still = read_contradicted(con).filter(~pl.col("application_id").is_in(settled))
        contradicted = find_contradicted(still, recorded.applications, *read_delivered(con))
        exceptions, candidates = add_contradicted(contradicted, result.exceptions, result.candidates)
        result = replace(result, exceptions=exceptions, candidates=candidates)
        load_result(con, recorded, result)
        run.decided["new_applications"] = result.applications.height
        run.decided["cash_exceptions"] = by_reason(exceptions)
        counts["payments with money left"] = book.payments.filter(pl.col("unapplied_amount") > 0).height
        counts["decisions of persons"] = unanswered.height
        counts["waiting for approval"] = sorted_out.withheld.height
        counts["applications"] = result.applications.height
        counts["exceptions"] = exceptions.height
    show_markdown("cash-application", _summary(result, book.payments))
    if not exceptions.is_empty():
        show_table("cash-exceptions", pl.DataFrame(by_reason(exceptions)), "Payments for a person to look at")
    return AppliedCash(
        **vars(result),
        decisions=pl.concat([decisions, sorted_out.rejected]).sort("decision_id"),
        withheld=sorted_out.withheld,
    )


def read_book(con: duckdb.DuckDBPyConnection, recorded: Recorded, decisions: pl.DataFrame) -> CashBook:
    """Everything that cash application reads, from the build and from what was recorded."""
    payments = read_frame(con, "intermediate.int_payments_applicable", ApplicablePayments.columns())
    return CashBook(
        items=read_frame(con, "intermediate.int_items_applicable", ApplicableItems.columns()),
        payments=pl.concat([payments, used_up_payments(con, payments, decisions)]),
        remittance_lines=read_frame(con, "staging.stg_remittance_lines", RemittanceLines.columns()),
        customers=read_frame(con, "intermediate.int_customers_completed", CustomerNames.columns()),
        accounts=read_frame(con, "intermediate.int_payer_accounts", PayerAccounts.columns()),
        recorded=recorded.applications,
        assignments=recorded.assignments,
        deductions=recorded.deductions,
        decisions=decisions,
        superseded=read_frame(con, "intermediate.int_applications_superseded", ["application_id"]),
    )


def used_up_payments(
    con: duckdb.DuckDBPyConnection, payments: pl.DataFrame, decisions: pl.DataFrame
) -> pl.DataFrame:
    """Payments of which nothing is left and about which a person decided: what is taken back can be applied anew."""
    there = payments["payment_id"].implode()
    named = decisions.filter(~pl.col("payment_id").is_in(there))["payment_id"].unique().sort()
    if named.is_empty():
        return ApplicablePayments.empty()
    columns = [name for name in ApplicablePayments.columns() if name not in ("unapplied_amount", "is_held")]
    counted = read_frame(con, "intermediate.int_payments_counted", columns)
    found = counted.filter(
        pl.col("payment_id").is_in(named.implode())
        & ~pl.col("payment_id").is_in(counted["reverses_payment_id"].drop_nulls().implode())
    )
    held = read_frame(con, "raw.held_payments", ["payment_id"])["payment_id"].implode()
    return found.with_columns(
        unapplied_amount=pl.lit(0).cast(ApplicablePayments.empty().schema["unapplied_amount"]),
        is_held=pl.col("payment_id").is_in(held),
    ).select(payments.columns)


def approved_decisions(
    run: Run, con: duckdb.DuckDBPyConnection, unanswered: pl.DataFrame, given: pl.DataFrame
) -> SortedDecisions:
    """Decisions that may be done now, and those that give up more than one person may."""
    answers = write_off_answers(run.ledger.engine, run.known_at)
    payments = read_frame(con, "intermediate.int_payments_counted", ["payment_id", "currency_code"])
    limit = run.policies.controls.approvals.write_off_limit
    return sort_decisions(unanswered, given, payments, limit, answers.approved, answers.rejected)


def tell_withheld(run: Run, book: CashBook, result: CashResult, withheld: pl.DataFrame) -> pl.DataFrame:
    """The exceptions, with the payments of which a decision waits for people."""
    facts = book.payments.select(
        *("payment_id", "entity_id", "customer_id", "currency_code"),
        *("payment_amount", "unapplied_amount", "value_date"),
    )
    required = run.policies.controls.approvals.write_off_approval_count
    return add_withheld(withheld, facts, result.exceptions, required)


def tell_refused(run: Run, book: CashBook, result: CashResult) -> pl.DataFrame:
    """The exceptions, with the decisions that could not be done in words; also of payments that are used up."""
    facts = book.payments.select(
        *("payment_id", "entity_id", "customer_id", "currency_code"),
        *("payment_amount", "unapplied_amount", "value_date"),
    )
    currency_code = run.policies.controls.group_currency_code
    return add_refused(result.refused, facts, result.exceptions, pl.lit(run.as_of), currency_code)


def read_contradicted(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Recorded applications that what is delivered now speaks against, and how."""
    columns = ["application_id", "reason_code"]
    return read_frame(con, "intermediate.int_applications_contradicted", columns).rename(
        {"reason_code": "fault"}
    )


def read_delivered(con: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Payments and documents that are delivered now."""
    payments = read_frame(
        con,
        "intermediate.int_payments_counted",
        ["payment_id", "entity_id", "customer_id", "currency_code", "payment_amount", "value_date"],
    )
    return payments, read_frame(con, "intermediate.int_documents_dated", ["invoice_id", "entity_id"])


def load_result(con: duckdb.DuckDBPyConnection, recorded: Recorded, result: CashResult) -> None:
    """Give the build what this run found behind what stood before."""
    load_frame(con, "raw.engine_applications", pl.concat([recorded.applications, result.applications]))
    assignments = latest_assignments(pl.concat([recorded.assignments, result.assignments]))
    load_frame(con, "raw.payer_assignments", assignments)
    load_frame(con, "raw.cash_deductions", pl.concat([recorded.deductions, result.deductions]))
    load_frame(con, "raw.cash_exceptions", result.exceptions)
    load_frame(con, "raw.cash_candidates", result.candidates)
    load_frame(con, POSSIBLE_PAYERS, result.possible_payers)


def record_cash(run: Run, cash: AppliedCash) -> str:
    """Keep what this run found; it counts once the ledger names it. Returns the name."""
    frames = {
        "applications": cash.applications,
        "assignments": cash.assignments,
        "deductions": cash.deductions,
        "decisions": cash.decisions,
        "exceptions": cash.exceptions,
        "candidates": cash.candidates,
    }
    return write_records(run.home.applications, run.release_name, frames)


def by_reason(exceptions: pl.DataFrame) -> list[dict[str, object]]:
    """How many payments a person must look at, by reason and currency."""
    grouped = exceptions.group_by("reason_code", "currency_code").agg(
        count=pl.len(), unapplied=pl.col("unapplied_amount").sum()
    )
    return [
        {
            "reason": reason.replace("_", " "),
            "payments": count,
            "unapplied": str(rounded(left, currency)),
            "currency": currency,
        }
        for reason, currency, count, left in grouped.sort("reason_code", "currency_code").iter_rows()
    ]


def _summary(result: CashResult, payments: pl.DataFrame) -> str:
    """Totals per currency as a markdown table; amounts of different currencies are never summed."""
    cash = result.applications.filter(pl.col("application_type") == "payment")
    totals = (
        payments.group_by("currency_code")
        .agg(left=pl.col("unapplied_amount").sum())
        .join(
            cash.group_by("currency_code").agg(applied=pl.col("applied_amount").sum()),
            on="currency_code",
            how="left",
        )
        .sort("currency_code")
    )
    lines = ["| currency | to apply | applied |", "|---|---:|---:|"]
    for currency, left, applied in totals.iter_rows():
        lines.append(f"| {currency} | {left:,} | {applied or 0:,} |")
    return "\n".join(lines)
