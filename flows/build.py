"""Landed files → one fresh database per run → the tables that decisions and finance read."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from flows._dbt import list_tie_outs, run_models, run_tests
from flows._steps import step
from flows.ingest import Inputs
from o2c.checks import Check
from o2c.contract import TABLES
from o2c.histories import forecasts_between, letters_before
from o2c.money import rounded
from o2c.policy import policy_tables
from o2c.publish import risk_before
from o2c.run import Run
from o2c.warehouse import load_frame, load_raw


class NothingYet(ValueError):
    """There is no document on or before the as-of date, so there is nothing to say about it."""


@step(name="load raw tables")
def load_sources(run: Run, landed: Inputs) -> None:
    """Make the run's database: landed files as raw tables, policies, and the dates the run is about."""
    run.folder.mkdir(parents=True, exist_ok=True)
    for leftover in run.folder.glob("build.duckdb*"):
        leftover.unlink()
    with run.step("load") as counts, run.open_build() as con:
        load_raw(con, landed.effective.tables)
        for name, frame in policy_tables(run.policies).items():
            load_frame(con, f"policy.{name}", frame)
        load_frame(con, "raw.rejected_rows", landed.rejected_rows)
        load_frame(con, "raw.sources", landed.sources)
        load_frame(con, "raw.held_payments", landed.held_payments)
        first = con.sql(
            "select least((select min(invoice_date) from raw.invoices), (select min(value_date) from raw.payments))"
        ).fetchone()
        if first is None or first[0] is None or first[0] > max(run.run_dates):
            raise NothingYet(
                f"--as-of {run.as_of}: the first document is dated {first[0] if first else None}, after the as-of date."
                " Nothing was published. Give an as-of date on or after it."
            )
        run.as_of_dates = tuple(day for day in run.run_dates if day >= first[0])
        dates = kpi_dates(first[0], run.run_dates)
        load_frame(con, "raw.as_of_dates", dates)
        others = dates.filter(~pl.col("is_run_date"))["as_of_date"]
        load_frame(con, "raw.risk_history", risk_before(run.home, others))
        back_to = max(run.run_dates) - timedelta(days=run.policies.reporting.forecast.error_history_days)
        load_frame(con, "raw.forecast_history", forecasts_between(run.home, back_to, max(run.run_dates)))
        load_frame(con, "raw.letter_history", letters_before(run.ledger, max(run.run_dates), run.known_at))
        counts["tables"] = sum(1 for name in TABLES if landed.effective.tables.get(name))
        counts["run dates"] = len(run.run_dates)
        counts["month ends"] = others.len()


@step(name="prepare cash application")
def build_cash_inputs(run: Run) -> None:
    """What is open and what came in, after everything that was applied before."""
    with run.step("staging"):
        run_models(run.build, run.folder, "tag:cash")


@step(name="build marts")
def build_marts(run: Run) -> None:
    """Open items, aging, KPIs, segments and what the decisions read."""
    with run.step("marts") as counts:
        run_models(run.build, run.folder, "tag:marts")
        with run.open_build() as con:
            payments = con.execute(
                "select status, currency_code, count(*), sum(unapplied_amount)"
                " from receivables.fct_payments group by all order by all"
            ).fetchall()
        run.decided["payments"] = [
            {
                "status": status,
                "payments": count,
                "unapplied": str(rounded(left, currency)),
                "currency": currency,
            }
            for status, currency, count, left in payments
        ]
        counts["payments"] = sum(count for _, _, count, _ in payments)


@step(name="audit")
def audit(run: Run) -> None:
    """Build the tables of decisions, then hold everything to its tests. A failure stops the run here."""
    with run.step("audit") as counts:
        run_models(run.build, run.folder, "tag:decisions")
        warnings = run_tests(run.build, run.folder)
        found = {finding.name: f"{finding.failures} rows: {finding.rows.strip()}" for finding in warnings}
        names = dict.fromkeys([*list_tie_outs(run.build), *found])
        run.checks += [
            Check(
                name,
                "no rows",
                found.get(name, "no rows"),
                name not in found,
                "warn" if name in found else "error",
            )
            for name in names
        ]
        with (
            run.open_build() as con
        ):  # the mart of checks is a view, so that it shows what the audit itself found
            load_frame(con, "raw.run_checks", checks_frame(run))
        counts["tie-outs"] = len(names)
        counts["warnings"] = len(warnings)


def checks_frame(run: Run) -> pl.DataFrame:
    """The checks of a run so far, as quality.fct_run_checks has them."""
    return pl.DataFrame(
        [{"run_id": run.run_id, **vars(check)} for check in run.checks],
        schema={
            "run_id": pl.String,
            "check_name": pl.String,
            "expected": pl.String,
            "actual": pl.String,
            "passed": pl.Boolean,
            "severity": pl.String,
        },
    )


def kpi_dates(first: date, run_dates: Sequence[date]) -> pl.DataFrame:
    """The run dates, and every month end before the last of them from the month of the first document on."""
    dates = {*run_dates, *month_ends(first, max(run_dates))}
    return pl.DataFrame(
        [{"as_of_date": day, "is_run_date": day in run_dates} for day in sorted(dates)],
        schema={"as_of_date": pl.Date, "is_run_date": pl.Boolean},
    )


def month_ends(first: date, last: date) -> list[date]:
    """Last days of months from the month of one date on, up to another."""
    found = []
    month_end = (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    while month_end <= last:
        found.append(month_end)
        month_end = (month_end + timedelta(days=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return found
