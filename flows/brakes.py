"""What the run would send is held against what the runs before it sent, before anything is written down."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import duckdb
import polars as pl
from sqlalchemy import exists, func, select

from flows._steps import step
from flows.ingest import Inputs
from o2c.brakes import judge_brakes, required_approvals
from o2c.dunning import DunningBook
from o2c.dunning.book import NEVER_LEFT, is_in
from o2c.dunning.history import dunned_before, letters_before
from o2c.ledger.run_measures import earlier_measures, record_measures
from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import letters as letter_table
from o2c.ledger.tables import runs
from o2c.postings import UNEXPLAINED, unexplained_changes
from o2c.run import Run
from o2c.run_measures import Measures, measures_of


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
        unexplained = unexplained_since_letters_left(run, con)
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


def unexplained_since_letters_left(run: Run, con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """What moved open receivables without a posting, as ``postings.unexplained_changes`` gives it.

    Against the published release; with what the run of that release found and no letter left upon. Else a run that
    only looks, or the same run again, would make a change the usual.
    """
    if run.publishes != "current" or not run.home.published.exists():
        return UNEXPLAINED
    found = unexplained_changes(con, run.home.published, run.as_of)
    waits = [(*name.rsplit(" ", 1), amount) for name, amount in not_acted_upon(run).items()]
    return (
        pl.concat([found, pl.DataFrame(waits, schema=UNEXPLAINED.schema, orient="row")])
        .group_by("entity_id", "currency_code")
        .agg(pl.col("amount").sum().cast(UNEXPLAINED.schema["amount"]))
        .filter(pl.col("amount") != 0)
        .sort("entity_id", "currency_code")
    )


def not_acted_upon(run: Run) -> Mapping[str, Decimal]:
    """Unexplained amounts of the run that the release is of, unless a letter of it left: then people knew of them."""
    query = (
        select(runs.c.run_id, runs.c.as_of_date, runs.c.measures)
        .where(runs.c.state == "published", func.coalesce(runs.c.publishes, "current") == "current")
        .order_by(runs.c.run_number.desc())
        .limit(1)
    )
    with run.ledger.engine.connect() as con:
        last = con.execute(query).one_or_none()
        if last is None or last.measures is None:
            return {}
        batch_id = replace(run, as_of=last.as_of_date, run_id=last.run_id).batch_id
        left = exists().where(letter_table.c.batch_id == batch_id, letter_table.c.state.in_(CONTACT_STATES))
        is_known = con.execute(select(left)).scalar_one()
    return {} if is_known else Measures.from_json(last.measures).unexplained_amounts


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
