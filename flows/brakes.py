"""What the run would send is held against what the runs before it sent, before anything is written down."""

from datetime import timedelta

import duckdb
import polars as pl

from flows._steps import step
from flows.ingest import Inputs
from o2c.brakes import judge_brakes, required_approvals
from o2c.dunning import DunningBook
from o2c.dunning.book import NEVER_LEFT, is_in
from o2c.dunning.history import dunned_before, letters_before
from o2c.ledger.run_measures import earlier_measures, record_measures
from o2c.postings import UNEXPLAINED, unexplained_changes
from o2c.run import Run
from o2c.run_measures import measures_of


@step(name="check brakes")
def check_brakes(
    run: Run, landed: Inputs, book: DunningBook, letters: pl.DataFrame, referrals: pl.DataFrame
) -> tuple[int, str]:
    """Measure the run, keep its measures, judge them. Returns how many people every letter of it needs, and why.

    Args:
        letters: one row per letter decided: customer_id, currency_code, level, total_amount.
        referrals: frames.AgencyReferrals of the run.
    """
    policy, engine = run.policies.controls.brakes, run.ledger.engine
    with run.open_build() as con:
        cash = read_cash(con, run, policy.suspense_days)
        has_before = run.home.published.exists() and run.publishes == "current"
        unexplained = unexplained_changes(con, run.home.published, run.as_of) if has_before else UNEXPLAINED
    measures = measures_of(
        letters,
        customers_written_to(book, run),
        referrals.filter(pl.col("status") == "proposed").height,
        landed.counts,
        cash,
        unexplained,
    )
    earlier = earlier_measures(engine, run.as_of, policy.run_count)
    record_measures(engine, run.run_number, measures)
    is_given = run.home.marker.auto_approve
    checks = judge_brakes(measures, earlier, policy, is_given=is_given)
    run.checks += checks
    return (0, "") if is_given else required_approvals(checks, policy, len(earlier))


def read_cash(con: duckdb.DuckDBPyConnection, run: Run, suspense_days: int) -> pl.DataFrame:
    """What came in lately and how much of it nobody could place. One row per currency."""
    return con.execute(
        "select currency_code, count(*) as payment_count,"
        " cast(sum(payment_amount) as decimal(18, 4)) as received_amount,"
        " cast(sum(case when status = 'suspense' then unapplied_amount else 0 end) as decimal(18, 4))"
        " as suspense_amount from receivables.fct_payments"
        " where payment_amount > 0 and value_date > ? and value_date <= ? group by all order by all",
        [run.as_of - timedelta(days=suspense_days), run.as_of],
    ).pl()


def customers_written_to(book: DunningBook, run: Run) -> pl.Series:
    """Customers to whom any letter went before the as-of date, ours or of a system before us."""
    ours = letters_before(book, run.as_of).filter(~is_in("state", NEVER_LEFT))
    return pl.concat(
        [ours.select("customer_id"), dunned_before(book, run.as_of).select("customer_id")]
    ).to_series()
