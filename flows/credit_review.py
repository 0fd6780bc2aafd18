"""Whose orders to hold, what to refer to an agency, whom to call: proposals beside the letters."""

from dataclasses import dataclass

import polars as pl

from flows._steps import show_table, step
from flows.sending import Letters
from o2c import frames
from o2c.credit import review_credit
from o2c.dunning import DunningBook
from o2c.ledger.placing import approved_holds
from o2c.placement import propose_referrals
from o2c.publish import earlier_rows
from o2c.run import Run
from o2c.warehouse import load_frame, read_frame
from o2c.worklist import rank_worklist


@dataclass(frozen=True)
class Accounts:
    """What was decided about accounts, and whom the lists are for."""

    book: DunningBook
    flags: pl.DataFrame
    holds: pl.DataFrame
    referrals: pl.DataFrame
    worklist: pl.DataFrame
    terms: pl.DataFrame
    collectors: pl.DataFrame


@step(name="review accounts")
def review_accounts(run: Run, letters: Letters) -> Accounts:
    """Flag credit, propose holds and referrals, rank the collectors' work."""
    book, policies, as_of = letters.book, run.policies, run.as_of
    with run.step("accounts") as counts, run.open_build() as con:
        exposures = frames.Exposures.validate(
            read_frame(con, "intermediate.int_exposures_summed", frames.Exposures.columns(), as_of=as_of)
        )
        orders = frames.Orders.validate(
            read_frame(con, "intermediate.int_orders_uninvoiced", frames.Orders.columns(), as_of=as_of)
        )
        collectors = read_frame(con, "staging.stg_collectors", frames.Collectors.columns())
        flags, holds = review_credit(
            book,
            exposures,
            orders,
            earlier_rows(run.home, "collections.fct_credit_flags", frames.CreditFlags, as_of),
            earlier_rows(run.home, "collections.fct_order_holds", frames.OrderHolds, as_of, latest=True),
            policies.credit,
            as_of,
        )
        # what this very run lets the policy approve is not known yet, and a second run of the day tells the same
        approved = approved_holds(run.ledger.engine, run.known_at).filter(
            pl.col("decided_as_of_date") < as_of
        )
        holds = with_approvers(holds, approved)
        referrals = propose_referrals(book, letters.decisions, policies.agency, as_of)
        worklist, terms = rank_worklist(
            book, exposures, letters.decisions, collectors, policies.worklist, as_of
        )
        for name, frame in (
            ("credit_flags", flags),
            ("order_holds", holds),
            ("agency_referrals", referrals),
            ("worklist", worklist),
            ("worklist_terms", terms),
        ):
            load_frame(con, f"decided.{name}", frame)
        counts["credit flags"] = flags.height
        counts["holds and releases"] = holds.height
        counts["referrals proposed"] = referrals.filter(pl.col("status") == "proposed").height
        counts["customers to call"] = worklist.height
    accounts = Accounts(book, flags, holds, referrals, worklist, terms, collectors)
    note_decisions(run, accounts)
    return accounts


def with_approvers(holds: pl.DataFrame, approved: pl.DataFrame) -> pl.DataFrame:
    """Proposals with the names of those who approved that they were handed to the order system."""
    key = ["order_id", "action", "decided_as_of_date"]
    named = approved.rename({"approved_by": "approvers"})
    return (
        holds.join(named, on=key, how="left", validate="1:1", maintain_order="left")
        .with_columns(approved_by=pl.coalesce("approved_by", "approvers"))
        .select(holds.columns)
    )


def note_decisions(run: Run, accounts: Accounts) -> None:
    """Counts for manifest and artifacts: flags, holds, referrals with what they fail, accounts nobody owns."""

    def counted(frame: pl.DataFrame, *by: str) -> dict[str, int]:
        rows = frame.group_by(by).len().sort(by).iter_rows()
        return {": ".join(filter(None, row[:-1])): row[-1] for row in rows}

    run.decided["credit_flags"] = counted(accounts.flags, "flag_code", "action")
    run.decided["order_holds"] = counted(accounts.holds, "action")
    run.decided["agency_referrals"] = counted(accounts.referrals, "status", "failed_conditions")
    run.decided["worklist"] = counted(accounts.worklist, "collector_id", "priority_class")
    run.decided["customers nobody owns"] = accounts.worklist.filter(
        pl.col("collector_id") == frames.UNOWNED
    ).height
    show_table(
        "worklist",
        accounts.worklist.filter(pl.col("work_rank") <= 10),
        f"First ten customers to call per collector on {run.as_of}",
    )
    show_table(
        "agency-referrals",
        accounts.referrals.group_by("status", "failed_conditions").len().sort("status", "failed_conditions"),
        f"Items over 90 days past due on {run.as_of}",
    )
