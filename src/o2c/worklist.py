"""Whom to call, in what order, and why."""

from datetime import date
from decimal import Decimal

import polars as pl

from o2c.contract import RATIO
from o2c.dunning.book import DunningBook
from o2c.dunning.reasons import amount_text
from o2c.frames import UNOWNED, Collectors, DunningDecisions, Exposures, Worklist, WorklistTerms
from o2c.policy import WorklistPolicy

ROW = ["customer_id", "currency_code"]
# What a collector does where no outcome typed back says otherwise; weightiest first.
LEGAL_REVIEW, LEAVE_TO_LEGAL, WAIT = "legal_review", "leave_to_legal", "wait_for_promise"
NO_CALLS = ("insolvent", "legal", "do_not_contact")


def rank_worklist(
    book: DunningBook,
    exposures: pl.DataFrame,
    decisions: pl.DataFrame,
    collectors: pl.DataFrame,
    policy: WorklistPolicy,
    as_of: date,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rank the customers with anything past due for the collectors who own them.

    The score is the sum of its stored terms, each rounded once, and not below 0: where the terms add up to
    less, the score is 0 and the terms say why. Ties go to the larger amount, then to the customer_id. A customer that
    nobody owns stands under ``(unowned)``, beyond anybody's capacity.

    Args:
        book: customers, promises, plans, activities and possible payers of the as-of date.
        exposures: Exposures; in group currency, or by currency where no rate is known (then against the same cap).
        decisions: DunningDecisions of the as-of date, for legal reviews and missing addresses.
        collectors: Collectors with their daily capacity.
        policy: weights, caps, classes, next actions.
        as_of: the date of the list.

    Returns:
        Worklist sorted by collector_id and work_rank; WorklistTerms sorted by customer_id, currency_code and in
        the policy's order of terms.
    """
    for model, frame in ((Exposures, exposures), (DunningDecisions, decisions), (Collectors, collectors)):
        model.validate(frame)
    accounts = _accounts(book, exposures, decisions, policy, as_of)
    terms = _terms(accounts, policy, as_of)
    scores = terms.group_by(ROW).agg(priority_score=pl.col("contribution").sum().clip(0).cast(RATIO))
    capacity = collectors.select("collector_id", capacity="daily_capacity")
    score, owner = pl.col("priority_score"), pl.col("collector_id")
    worklist = (
        accounts.join(scores, on=ROW, validate="1:1")
        .join(capacity, on="collector_id", how="left", validate="m:1")
        .sort(
            "collector_id",
            "priority_score",
            "past_due_amount",
            *ROW,
            descending=[False, True, True, False, False],
        )
        .with_columns(
            work_rank=pl.int_range(1, pl.len() + 1).over("collector_id"),
            capacity=pl.when(owner == UNOWNED)
            .then(0)
            .otherwise(pl.col("capacity").fill_null(policy.default_daily_capacity)),
            priority_class=pl.when(score >= policy.high_score)
            .then(pl.lit("High"))
            .when(score >= policy.medium_score)
            .then(pl.lit("Medium"))
            .otherwise(pl.lit("Low")),
            next_action=_next_action(),
            reason=_reason(),
            as_of_date=pl.lit(as_of),
            policy_version=pl.lit(policy.policy_version),
        )
        .with_columns(is_in_capacity=pl.col("work_rank") <= pl.col("capacity"))
        .select(*Worklist.columns())
    )
    return Worklist.validate(worklist), WorklistTerms.validate(terms)


def _accounts(
    book: DunningBook, exposures: pl.DataFrame, decisions: pl.DataFrame, policy: WorklistPolicy, as_of: date
) -> pl.DataFrame:
    """Exposures with something past due, and what is known of the customer."""
    customer = pl.col("customer_id")

    def names(frame: pl.DataFrame) -> pl.Expr:
        return customer.is_in(frame["customer_id"].unique().implode())

    known = book.customers.select(
        "customer_id",
        "status",
        "broken_promise_count",
        "last_broken_promise_date",
        "average_days_late",
        collector_id=pl.col("collector_id").fill_null(UNOWNED),
    )
    past_due = pl.col("past_due_amount")
    return (
        exposures.filter(past_due > 0)
        .join(known, on="customer_id", how="left", validate="m:1")
        .join(_last_outcomes(book, policy, as_of), on="customer_id", how="left", validate="m:1")
        .with_columns(
            pl.col("collector_id").fill_null(UNOWNED),
            pl.col("oldest_days_past_due", "broken_promise_count").fill_null(0),
            is_over_limit=(pl.col("exposure_amount") > pl.col("credit_limit_amount")).fill_null(False),
            is_all_disputed=pl.col("disputed_past_due_amount") >= past_due,
            has_promise=names(book.promises.filter(pl.col("status") == "pending")),
            has_plan=names(book.plans.filter("is_in_good_standing")),
            has_possible_payer=names(book.possible_payers),
            has_legal_review=names(decisions.filter(pl.col("decision") == "task")),
            has_no_address=names(decisions.filter(pl.col("reason_code") == "no_valid_address")),
        )
    )


def _last_outcomes(book: DunningBook, policy: WorklistPolicy, as_of: date) -> pl.DataFrame:
    """The latest outcome per customer that chooses an action, while it is fresh."""
    day = pl.col("activity_at").dt.date()
    return (
        book.activities.filter(
            pl.col("outcome_code").is_in(sorted(policy.next_actions)),
            day <= as_of,
            (pl.lit(as_of) - day).dt.total_days() <= policy.outcome_days,
        )
        .sort("activity_at", "activity_id")
        .group_by("customer_id", maintain_order=True)
        .agg(outcome_code=pl.col("outcome_code").last(), outcome_date=day.last())
        .with_columns(
            outcome_action=pl.col("outcome_code").replace_strict(policy.next_actions, return_dtype=pl.String)
        )
    )


def _terms(accounts: pl.DataFrame, policy: WorklistPolicy, as_of: date) -> pl.DataFrame:
    """Every term of every score; one that does not hold is there with value 0.

    ``value`` is the measured share of its cap (0 to 1), a count, or 1 for yes; ``contribution`` is weight times
    the exact value, rounded once.
    """
    weights, caps, adjust = policy.weights, policy.caps, policy.adjustments
    per_promise, most = adjust.per_broken_promise, adjust.broken_promises_at_most
    broken = pl.col("broken_promise_count")
    measured = [
        ("amount", weights.amount, pl.col("past_due_amount"), caps.amount),
        ("days_past_due", weights.days_past_due, pl.col("oldest_days_past_due"), Decimal(caps.days_past_due)),
        (
            "average_delay",
            weights.average_delay,
            pl.col("average_days_late"),
            Decimal(caps.average_delay_days),
        ),
    ]
    terms = [
        (name, weight, _part_of(Decimal(1), amount, cap), _part_of(weight, amount, cap))
        for name, weight, amount, cap in measured
    ]
    enough = most / per_promise if per_promise else Decimal(0)
    terms.append(
        (
            "broken_promises",
            per_promise,
            pl.min_horizontal(broken.cast(RATIO), pl.lit(enough).cast(RATIO)),
            pl.min_horizontal(_times(per_promise, broken), pl.lit(most).cast(RATIO)),
        )
    )
    for name, weight, column in (
        ("over_limit", adjust.over_limit, "is_over_limit"),
        ("all_disputed", adjust.all_disputed, "is_all_disputed"),
        ("promise_pending", adjust.promise_pending, "has_promise"),
        ("plan_in_good_standing", adjust.plan_in_good_standing, "has_plan"),
        ("possible_payer", adjust.possible_payer, "has_possible_payer"),
    ):
        holds = pl.col(column).cast(pl.Int64)
        terms.append((name, weight, holds.cast(RATIO), _times(weight, holds)))
    return (
        pl.concat(
            [
                accounts.select(
                    *ROW,
                    as_of_date=pl.lit(as_of),
                    term=pl.lit(name),
                    weight=pl.lit(weight).cast(RATIO),
                    value=value,
                    contribution=contribution,
                    place=pl.lit(place),
                )
                for place, (name, weight, value, contribution) in enumerate(terms)
            ]
        )
        .sort(*ROW, "place")
        .select(*WorklistTerms.columns())
    )


def _part_of(weight: Decimal, amount: pl.Expr, cap: Decimal) -> pl.Expr:
    """``weight x amount / cap``, the amount between 0 and the cap; exact in whole millionths, rounded once."""
    units = (
        amount.cast(pl.Decimal(38, 6)).fill_null(0).to_physical().cast(pl.Int128).clip(0, _millionths(cap))
    )
    twice = 2 * _millionths(weight) * units + _millionths(cap)
    return _from_millionths(twice // (2 * _millionths(cap)))


def _times(weight: Decimal, count: pl.Expr) -> pl.Expr:
    return _from_millionths(count.cast(pl.Int128) * _millionths(weight))


def _millionths(number: Decimal) -> int:
    return int(number * 10**6)


def _from_millionths(units: pl.Expr) -> pl.Expr:
    return (units.cast(pl.Decimal(38, 6)) * pl.lit(Decimal("0.000001"))).cast(RATIO)


def _next_action() -> pl.Expr:
    """What to do, the weightiest that holds.

    What the books show comes before what was typed back: a promise that was broken since is no promise. An outcome
    comes before the letter's troubles, for the person who called knows more.
    """
    outcome = pl.col("outcome_action")
    has_broken = pl.col("last_broken_promise_date") >= pl.col("outcome_date")
    actions = {
        LEGAL_REVIEW: pl.col("has_legal_review"),
        LEAVE_TO_LEGAL: pl.col("status").is_in(NO_CALLS),
        WAIT: pl.col("has_promise"),
        "watch_plan": pl.col("has_plan"),
        "resolve_dispute": pl.col("is_all_disputed"),
        "call_about_broken_promise": (outcome == WAIT) & has_broken,
        "identify_payment": pl.col("has_possible_payer") & outcome.is_null(),
    }
    return pl.coalesce(
        *(pl.when(holds.fill_null(False)).then(pl.lit(action)) for action, holds in actions.items()),
        outcome,
        pl.when(pl.col("has_no_address")).then(pl.lit("find_contact")),
        pl.when(pl.col("broken_promise_count") > 0).then(pl.lit("call_about_broken_promise")),
        pl.lit("call"),
    )


def _reason() -> pl.Expr:
    """Why the customer stands where it stands, with the figures."""
    delay = pl.col("average_days_late")
    said = [
        pl.format(
            "{} past due, the oldest item for {} days",
            amount_text("past_due_amount"),
            "oldest_days_past_due",
        ),
        pl.when(delay > 0).then(
            pl.format(
                "pays {} days late on average",
                delay.round(1, mode="half_away_from_zero").cast(pl.Decimal(18, 1)).cast(pl.String),
            )
        ),
        pl.when(pl.col("broken_promise_count") > 0).then(
            pl.format("broken promises: {}", "broken_promise_count")
        ),
        pl.when("is_over_limit").then(pl.lit("over the credit limit")),
        pl.when("is_all_disputed").then(pl.lit("all of it disputed")),
        pl.when("has_promise").then(pl.lit("a promise is pending")),
        pl.when("has_plan").then(pl.lit("on a payment plan in good standing")),
        pl.when("has_possible_payer").then(pl.lit("a payment in suspense may be theirs")),
        pl.when("has_legal_review").then(pl.lit("the ladder asks for a legal review")),
        pl.when(pl.col("outcome_code").is_not_null()).then(
            pl.format("last outcome {} on {}", "outcome_code", "outcome_date")
        ),
    ]
    return pl.concat_str(said, separator="; ", ignore_nulls=True) + "."
