"""What goes to a collection agency: every old item with the conditions it fails, proposed where it fails none."""

from datetime import date

import polars as pl

from o2c.dunning.book import CONFIRMED, KEY, DunningBook, is_in
from o2c.dunning.eligibility import judge_items
from o2c.dunning.history import dunned_before, letters_before
from o2c.frames import AgencyReferrals, DunningDecisions, PlacedItems
from o2c.policy import AgencyPolicy

# Items from the day after this one on are listed (TABLES §3: the rule is days_past_due > 90).
LISTED_BEYOND_DAYS = 90
# In the order in which they are listed.
CONDITIONS = (
    "not_old_enough",
    "disputed",
    "blocked",
    "customer_status",
    "on_plan",
    "promise_pending",
    "levels_unconfirmed",
    "final_notice_missing",
    "final_notice_too_recent",
    "recent_payment",
    "possible_payer",
    "nothing_net_due",
    "below_minimum",
    "time_barred",
    "jurisdiction",
    "customer_type",
    "already_placed",
)
STANDARD, SMALL_BALANCE = "standard", "small_balance"


def propose_referrals(
    book: DunningBook, decisions: pl.DataFrame, policy: AgencyPolicy, as_of: date
) -> pl.DataFrame:
    """List every item more than 90 days past due, with what stands against its referral.

    An item is proposed when nothing does. All message levels must be confirmed in this episode, by our letters or
    by those on record from before us, and the final notice must have gone out after this very item fell due:
    nothing is referred of which the customer was not warned. The second rule is for old small balances: below
    the minimum, but not time after time; everything else must hold for them, too.

    Args:
        book: the open book of the as-of date, with letters and activities before it.
        decisions: DunningDecisions of the as-of date: the episode, and what is due after credits.
        policy: ages, amounts, agencies, limitation.
        as_of: the date the list is about.

    Returns:
        AgencyReferrals sorted by customer_id, invoice_id, installment_number. ``referred_amount`` is the undisputed
        part; ``rule`` and ``agency_id`` are set where proposed (or placed).
    """
    DunningDecisions.validate(decisions)
    PlacedItems.validate(book.placed)
    judged = (
        judge_items(book, as_of, LISTED_BEYOND_DAYS + 1)
        .join(_customers(book), on="customer_id", how="left", validate="m:1")
        .join(_final_notices(book, decisions, policy, as_of), on=KEY, how="left", validate="m:1")
        .join(decisions.select(*KEY, "net_due_amount"), on=KEY, how="left", validate="m:1")
        .join(_agencies(policy), on="country_code", how="left", validate="m:1")
        .join(
            book.placed.select("invoice_id", "installment_number", placed_agency_id="agency_id"),
            on=["invoice_id", "installment_number"],
            how="left",
            validate="m:1",
        )
        .join(_limitations(policy), on="country_code", how="left", validate="m:1")
        .with_columns(is_small=_is_small(policy))
    )
    failed = [
        pl.when(condition.fill_null(True)).then(pl.lit(code))
        for code, condition in _conditions(book, policy, as_of).items()
    ]
    return (
        judged.with_columns(failed_conditions=pl.concat_str(failed, separator=",", ignore_nulls=True))
        .with_columns(is_proposed=pl.col("failed_conditions") == "")
        .with_columns(
            status=pl.when("is_placed")
            .then(pl.lit("placed"))
            .when("is_proposed")
            .then(pl.lit("proposed"))
            .otherwise(pl.lit("not_eligible")),
            agency_id=pl.when("is_placed").then("placed_agency_id").when("is_proposed").then("agency_id"),
            rule=pl.when("is_proposed").then(
                pl.when("is_small").then(pl.lit(SMALL_BALANCE)).otherwise(pl.lit(STANDARD))
            ),
            referred_amount="amount",
            as_of_date=pl.lit(as_of),
            policy_version=pl.lit(policy.policy_version),
        )
        .select(*AgencyReferrals.columns())
        .sort("customer_id", "invoice_id", "installment_number")
        .pipe(AgencyReferrals.validate)
    )


def _conditions(book: DunningBook, policy: AgencyPolicy, as_of: date) -> dict[str, pl.Expr]:
    """What stands against a referral, by code. What is not known stands against it."""
    suspects = book.possible_payers["customer_id"].unique().implode()
    currency = pl.col("currency_code")
    notice_age = (pl.lit(as_of) - pl.col("final_notice_date")).dt.total_days()
    since_payment = (pl.lit(as_of) - pl.col("last_payment_date")).dt.total_days()
    conditions = {
        "not_old_enough": pl.col("days_past_due") <= policy.more_than_days_past_due,
        # A dispute over a part is a dispute: the agency would meet it at the door.
        "disputed": pl.col("contested_amount") > 0,
        "blocked": pl.col("is_blocked") | pl.col("is_frozen"),
        "customer_status": pl.col("status") != "active",
        "on_plan": pl.col("has_plan") | pl.col("has_general_plan"),
        "promise_pending": pl.col("has_promise") | pl.col("has_general_promise"),
        "levels_unconfirmed": pl.col("has_all_levels").not_(),
        "final_notice_missing": pl.col("final_notice_date") <= pl.col("due_date"),
        "final_notice_too_recent": (notice_age < policy.final_notice_min_days).fill_null(False),
        "recent_payment": (since_payment < policy.no_payment_days).fill_null(False),
        "possible_payer": pl.col("customer_id").is_in(suspects),
        "nothing_net_due": pl.col("net_due_amount") <= 0,
        "below_minimum": (pl.col("amount") < policy.minimum_amount.amount_expression(currency))
        & ~pl.col("is_small"),
        # A country without a limitation is another condition's: jurisdiction.
        "time_barred": _is_time_barred(as_of).fill_null(False),
        "jurisdiction": pl.col("limitation_years").is_null() | pl.col("agency_id").is_null(),
        "customer_type": ~pl.col("customer_type").is_in(list(policy.customer_types)),
        "already_placed": pl.col("is_placed"),
    }
    return {code: conditions[code] for code in CONDITIONS}


def _customers(book: DunningBook) -> pl.DataFrame:
    return book.customers.select(
        "customer_id",
        "country_code",
        "customer_type",
        "last_payment_date",
        status=pl.when(~pl.col("is_stub")).then("status"),
    )


def _final_notices(
    book: DunningBook, decisions: pl.DataFrame, policy: AgencyPolicy, as_of: date
) -> pl.DataFrame:
    """Per KEY: whether all required levels are confirmed in the episode, and when the last final notice left."""
    ours = (
        letters_before(book, as_of)
        .filter(pl.col("kind") == "dunning", is_in("state", CONFIRMED))
        .join(decisions.select(*KEY, "episode"), on=[*KEY, "episode"], how="semi")
        .select(*KEY, "level", message_date="contact_date")
    )
    oldest = (
        book.items.filter(pl.col("document_type") != "credit_memo", pl.col("days_past_due") > 0)
        .group_by(KEY)
        .agg(oldest_due_date=pl.col("due_date").min())
    )
    # A level does not fall because the oldest item was paid: what dunning counts as confirmed today counts here.
    others = (
        oldest.join(dunned_before(book, as_of), on="customer_id")
        .join(decisions.select(*KEY, "is_confirmed_level"), on=KEY, how="left", validate="m:1")
        .filter(
            (pl.col("message_date") > pl.col("oldest_due_date"))
            | (pl.col("level") <= pl.col("is_confirmed_level")).fill_null(False)
        )
        .select(*KEY, "level", "message_date")
    )
    required = list(policy.required_levels)
    final = max(required, default=0)
    return (
        pl.concat([ours, others])
        .filter(pl.col("level").is_in(required))
        .group_by(KEY)
        .agg(
            has_all_levels=pl.col("level").n_unique() == len(required),
            final_notice_date=pl.col("message_date").filter(pl.col("level") == final).max(),
        )
    )


def _agencies(policy: AgencyPolicy) -> pl.DataFrame:
    """The first agency of each country."""
    rows = [(country, agency.agency_id) for agency in policy.agencies for country in agency.country_codes]
    return pl.DataFrame(
        rows, schema={"country_code": pl.String, "agency_id": pl.String}, orient="row"
    ).unique("country_code", keep="first", maintain_order=True)


def _limitations(policy: AgencyPolicy) -> pl.DataFrame:
    rows = [(entry.country_code, entry.years, entry.starts == "end_of_year") for entry in policy.limitation]
    schema = {
        "country_code": pl.String,
        "limitation_years": pl.Int64,
        "starts_at_end_of_year": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _is_time_barred(as_of: date) -> pl.Expr:
    """Whether the last day of the limitation is over."""
    due = pl.col("due_date")
    starts = pl.when("starts_at_end_of_year").then(pl.date(due.dt.year(), 12, 31)).otherwise(due)
    return starts.dt.offset_by(pl.format("{}y", "limitation_years")) < as_of


def _is_small(policy: AgencyPolicy) -> pl.Expr:
    """Whether the second rule is the item's: old, below the first rule's minimum and within its own amounts."""
    small, currency, amount = policy.small_balances, pl.col("currency_code"), pl.col("amount")
    return (
        (pl.col("days_past_due") > small.more_than_days_past_due)
        & (amount < policy.minimum_amount.amount_expression(currency))
        & (amount >= small.minimum_amount.amount_expression(currency))
        & (amount <= small.maximum_amount.amount_expression(currency))
    )
