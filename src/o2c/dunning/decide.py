"""One decision per customer, entity and currency, and the lines of the letters among them."""

from datetime import date, timedelta

import polars as pl

from o2c.calendars import BusinessCalendar
from o2c.contract import MONEY
from o2c.dunning import history
from o2c.dunning.addresses import choose_contacts
from o2c.dunning.book import KEY, DunningBook
from o2c.dunning.courtesy import announce, choose_occasions
from o2c.dunning.eligibility import ITEM_HOLDS, judge_items, sum_keys
from o2c.dunning.identity import with_letter_ids
from o2c.dunning.ladder import climb
from o2c.dunning.protection import protect
from o2c.dunning.reasons import CALM, COURTESY, LADDER, explained, first_reason
from o2c.frames import DunningDecisions, LetterLines
from o2c.policy import DunningPolicy
from o2c.policy.base import LEVELS
from o2c.policy.controls import Addresses

PROFILE = ["country_code", "language_code", "customer_type", "status", "customer_group", "value_tier"]


def decide_dunning(
    book: DunningBook,
    policy: DunningPolicy,
    addresses: Addresses,
    calendar: BusinessCalendar,
    as_of: date,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose for everyone with anything past due or due soon: a letter, a task for a person, or nothing and why.

    The oldest eligible item sets how far the ladder goes; it is climbed one level at a time, each only after the
    message before it was confirmed. A letter lists every eligible item past due. Where the ladder stands still
    for a reason that is no protection, items due soon may be announced by a courtesy reminder.

    Args:
        book: the open book aged to ``as_of`` and what was decided and sent on earlier days.
        policy: ladder, pace, minimum amounts, exceptions.
        addresses: which addresses are not trusted.
        calendar: business days by country.
        as_of: the date the decisions are about.

    Returns:
        frames.DunningDecisions, one row per KEY, sorted by it, and frames.LetterLines, sorted by letter and line.
    """
    items = judge_items(book, as_of, policy.courtesy.offsets_days[0])
    keys = (
        sum_keys(items, book)
        .pipe(_with_customers, book)
        .pipe(history.number_episodes, book, as_of, policy.reset_days)
        .pipe(protect, items, book, as_of)
        .pipe(history.confirm_levels, book, as_of)
        .pipe(climb, policy)
        .pipe(_with_contacts, book, policy, addresses, as_of)
        .pipe(_with_calendar, calendar, as_of)
        .with_columns(minimum_amount=policy.minimum_net_due_amount.amount_expression(pl.col("currency_code")))
    )
    announced = announce(items, book, policy)
    decided = (
        keys.pipe(_decide_ladder, book, policy, as_of)
        .pipe(_decide_courtesy, announced, book, policy, as_of)
        .pipe(_settle, policy)
        .pipe(with_letter_ids)
        .pipe(explained, policy, addresses)
        .with_columns(as_of_date=pl.lit(as_of), policy_version=pl.lit(policy.policy_version))
    )
    decisions = decided.select(DunningDecisions.columns()).sort(KEY)
    return DunningDecisions.validate(decisions), LetterLines.validate(
        _list_lines(decisions, items, announced)
    )


def _with_customers(keys: pl.DataFrame, book: DunningBook) -> pl.DataFrame:
    known = book.customers.select(
        "customer_id", *PROFILE, "behaviour_class", "risk_class", "is_stub", is_known=pl.lit(True)
    )
    return keys.join(known, on="customer_id", how="left", validate="m:1").with_columns(
        pl.col("is_known").fill_null(False)
    )


def _with_contacts(
    keys: pl.DataFrame, book: DunningBook, policy: DunningPolicy, addresses: Addresses, as_of: date
) -> pl.DataFrame:
    """The address of each customer, and when the customer and the address last heard of us."""
    return (
        keys.join(
            choose_contacts(book, policy.sms, addresses, as_of),
            on="customer_id",
            how="left",
            validate="m:1",
        )
        .join(history.last_contacts(book, as_of), on="customer_id", how="left", validate="m:1")
        .join(history.last_contacts_of_addresses(book, as_of), on="address", how="left", validate="m:1")
        .join(history.last_reminders(book, as_of), on="customer_id", how="left", validate="m:1")
        .with_columns(quiet_since=pl.max_horizontal("last_contact_date", "address_contact_date"))
    )


def _with_calendar(keys: pl.DataFrame, calendar: BusinessCalendar, as_of: date) -> pl.DataFrame:
    countries = keys["country_code"].drop_nulls().unique().sort().to_list()
    days = pl.DataFrame(
        [
            (country, calendar.is_business_day(country, as_of), calendar.doubt(country, as_of))
            for country in countries
        ],
        schema={"country_code": pl.String, "is_business_day": pl.Boolean, "calendar_doubt": pl.String},
        orient="row",
    )
    return keys.join(days, on="country_code", how="left", validate="m:1")


def _decide_ladder(keys: pl.DataFrame, book: DunningBook, policy: DunningPolicy, as_of: date) -> pl.DataFrame:
    """Adds ``ladder_code``, the first of protections and LADDER that holds, and what earlier tries say."""
    tries = history.count_tries(book, as_of, "dunning").rename(
        {
            "level": "target_level",
            "failed_count": "level_failed_count",
            "was_presumed_not_sent": "level_presumed",
        }
    )
    keys = keys.join(
        tries.drop("is_pending"), on=[*KEY, "episode", "target_level"], how="left", validate="1:1"
    )
    since_level = pl.lit(as_of) - pl.col("confirmed_date")
    quiet = pl.lit(as_of) - pl.col("quiet_since") < timedelta(days=policy.quiet_days)
    eligible = pl.col("past_due_count") > 0
    conditions = {
        "nothing_past_due": ~pl.col("has_past_due"),
        **{hold: ~eligible & (pl.col("past_due_hold") == hold) for hold in ITEM_HOLDS},
        "nothing_net_due": pl.col("net_due_amount") <= 0,
        "below_minimum": pl.col("net_due_amount") < pl.col("minimum_amount"),
        "natural_person": pl.col("is_person") & (pl.col("target_level") > policy.consumers.max_level),
        "ladder_ended": pl.col("target_level") > pl.col("max_level"),
        "next_level_not_due": pl.col("oldest_days_past_due") < pl.col("first_day"),
        "too_soon_after_level": since_level < timedelta(days=policy.min_days_between),
        "letter_unconfirmed": pl.col("is_uncertain"),
        "legal_review_due": pl.col("target_level") == LEVELS[-1],
        "no_valid_address": pl.col("address").is_null()
        | ((pl.col("contact_channel") == "sms") & (pl.col("target_level") > policy.sms.max_level)),
        "shared_address": pl.col("is_shared"),
        "address_changed": pl.col("is_address_changed") & (pl.col("target_level") >= 2),
        "quiet_days": quiet,
        "non_business_day": ~pl.col("is_business_day"),
        "level_due": pl.lit(True),
    }
    keys = keys.with_columns(
        ladder_code=pl.coalesce("protection", first_reason({code: conditions[code] for code in LADDER}))
    )
    return _one_customer_per_address(keys)


def _one_customer_per_address(keys: pl.DataFrame) -> pl.DataFrame:
    """Of customers that share an address, one is written to today: whoever waits longest.

    All letters to one customer in a batch are one contact, those to two customers at one address are two.
    """
    chosen = (
        keys.filter(pl.col("ladder_code") == "level_due")
        .group_by("address", "customer_id")
        .agg(pl.col("last_contact_date").first(), pl.col("oldest_days_past_due").max())
        .sort(
            "address",
            "last_contact_date",
            "oldest_days_past_due",
            "customer_id",
            descending=[False, False, True, False],
            nulls_last=False,
        )
        .group_by("address", maintain_order=True)
        .agg(chosen_customer_id=pl.col("customer_id").first())
    )
    is_other = (pl.col("ladder_code") == "level_due") & (
        pl.col("chosen_customer_id") != pl.col("customer_id")
    )
    return (
        keys.join(chosen, on="address", how="left", validate="m:1")
        .with_columns(
            ladder_code=pl.when(is_other).then(pl.lit("quiet_days")).otherwise("ladder_code"),
            # No earlier day is to blame, so none is named.
            quiet_since=pl.when(~is_other.fill_null(False)).then("quiet_since"),
        )
        .drop("chosen_customer_id")
    )


def _decide_courtesy(
    keys: pl.DataFrame, announced: pl.DataFrame, book: DunningBook, policy: DunningPolicy, as_of: date
) -> pl.DataFrame:
    """Adds ``courtesy_code``, the first of COURTESY that holds, and the occasion of the reminder."""
    occasions = choose_occasions(announced, keys, book, as_of)
    keys = keys.join(occasions, on=KEY, how="left", validate="1:1").with_columns(
        # What would be owed on the last due date, so that cash and credits in hand count for reminders, too.
        coming_amount=(pl.col("net_due_amount") + pl.col("due_soon_amount")).cast(MONEY)
    )
    since_reminder = pl.lit(as_of) - pl.col("last_reminder_date")
    nothing = pl.col("due_soon_count") == 0
    conditions = {
        **{hold: nothing & (pl.col("due_soon_hold") == hold) for hold in ITEM_HOLDS},
        "nothing_to_remind": pl.col("occasion").is_null(),
        "below_minimum": pl.col("coming_amount") < pl.col("minimum_amount"),
        "reminder_too_soon": since_reminder < timedelta(days=policy.courtesy.min_days_between),
        "no_valid_address": pl.col("address").is_null(),
        "shared_address": pl.col("is_shared"),
        "non_business_day": ~pl.col("is_business_day"),
        "courtesy_due": pl.lit(True),
    }
    return keys.with_columns(courtesy_code=first_reason({code: conditions[code] for code in COURTESY}))


def _settle(keys: pl.DataFrame, policy: DunningPolicy) -> pl.DataFrame:
    """The decision of each row and everything that follows from it."""
    ladder, courtesy = pl.col("ladder_code"), pl.col("courtesy_code")
    is_courtesy = ladder.is_in(list(CALM)) & (courtesy == "courtesy_due")
    is_level, is_task = ladder == "level_due", ladder == "legal_review_due"
    is_letter = is_level | is_courtesy
    presumed = pl.when(is_level).then("level_presumed").otherwise("was_presumed_not_sent").fill_null(False)
    failed = pl.when(is_level).then("level_failed_count").otherwise("failed_count").fill_null(0)
    approvals = pl.max_horizontal(
        pl.when(is_level).then("approval_count").otherwise(0),
        pl.when(presumed).then(policy.retry_approval_count).otherwise(0),
    )
    level = (
        pl.when(is_courtesy)
        .then(0)
        .when(is_level | is_task)
        .then("target_level")
        .otherwise("confirmed_level")
    )
    return keys.with_columns(
        decision=pl.when(is_letter)
        .then(pl.lit("letter"))
        .when(is_task)
        .then(pl.lit("task"))
        .otherwise(pl.lit("none")),
        kind=pl.when(is_courtesy).then(pl.lit("courtesy")).when(is_level | is_task).then(pl.lit("dunning")),
        level=level.cast(pl.Int64),
        stage=pl.when(is_letter | is_task | (level > 0)).then(
            level.replace_strict(policy.stage_names, default=None, return_dtype=pl.String)
        ),
        occasion=pl.when(is_courtesy).then("occasion"),
        channel=pl.when(is_letter).then("contact_channel").when(is_task).then(pl.lit("task")),
        contact_id=pl.when(is_letter).then("contact_id"),
        language_code=pl.when(is_letter).then(
            pl.coalesce("contact_language_code", "language_code", pl.lit(policy.default_language_code))
        ),
        try_number=pl.when(is_letter).then(failed + 1).cast(pl.Int64),
        required_approval_count=pl.when(is_letter).then(approvals).otherwise(0).cast(pl.Int64),
        item_count=pl.when(is_courtesy).then("due_soon_count").otherwise("past_due_count"),
        is_confirmed_level=pl.col("confirmed_level"),
        reason_code=pl.when(is_letter & (approvals > 0))
        .then(pl.lit("waiting_for_approval"))
        .when(is_courtesy)
        .then(courtesy)
        .when(ladder == "nothing_past_due")
        .then(courtesy)
        .otherwise(ladder),
    )


def _list_lines(decisions: pl.DataFrame, items: pl.DataFrame, announced: pl.DataFrame) -> pl.DataFrame:
    """What each letter lists: every eligible item past due, or every one due soon, oldest due date first."""
    letters = (
        decisions.filter(pl.col("decision") == "letter")
        .sort("letter_id")
        .select(*KEY, "letter_id", "kind")
        .with_row_index("letter_rank")
    )
    past_due = items.filter(pl.col("hold").is_null(), pl.col("days_past_due") >= 1).with_columns(
        occasion=pl.lit(None, dtype=pl.String)
    )
    listed = []
    for kind, candidates in (("dunning", past_due), ("courtesy", announced)):
        of_kind = letters.filter(pl.col("kind") == kind).drop("kind")
        lines = candidates.with_columns(disputed_amount="contested_amount").join(
            of_kind, on=KEY, validate="m:1"
        )
        listed.append(
            lines.select("letter_rank", *(name for name in LetterLines.columns() if name != "line_number"))
        )
    return (
        pl.concat(listed)
        # Few lines share a letter and a due date, so the text of the ids is seldom looked at.
        .sort("letter_rank", "due_date", "invoice_id", "installment_number")
        .with_row_index("position")
        .with_columns(
            line_number=pl.col("position").cast(pl.Int64) - pl.col("position").min().over("letter_rank") + 1
        )
        .select(LetterLines.columns())
    )
