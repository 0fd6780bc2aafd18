"""What was written before: the episode, the level confirmed in it, and when a customer last heard of us."""

from datetime import date, timedelta

import polars as pl

from o2c.dunning.book import CONFIRMED, FAILED, KEY, NEVER_LEFT, PENDING, DunningBook, contact_date, is_in


def letters_before(book: DunningBook, as_of: date) -> pl.DataFrame:
    """Letters of earlier days with ``contact_date``, the day they left or may have left."""
    return book.letters.filter(pl.col("decided_as_of_date") < as_of).with_columns(contact_date=contact_date())


def number_episodes(keys: pl.DataFrame, book: DunningBook, as_of: date, reset_days: int) -> pl.DataFrame:
    """Adds ``episode``, ``nothing_past_due_since`` and, of the decision before, what ``previous_*`` says.

    An episode begins with the first decision that has anything eligible past due. It ends when nothing at all,
    disputed or not, has been past due for ``reset_days``. Every run writes a row for every customer with anything
    past due; so a customer without a row since was clean since the day after its last one, until the day after
    the due date of what is its oldest item now.
    """
    day = pl.duration(days=1)
    previous = book.previous.filter(pl.col("as_of_date") < as_of).select(
        *KEY,
        previous_date="as_of_date",
        previous_reason_code="reason_code",
        previous_episode="episode",
        previous_level="is_confirmed_level",
        clean_since=pl.coalesce("nothing_past_due_since", pl.col("as_of_date") + day),
    )
    first_past_due = pl.lit(as_of) - pl.duration(days=pl.col("worst_days_past_due")) + day
    clean_until = pl.max_horizontal(pl.col("previous_date") + day, first_past_due)
    is_eligible = pl.col("past_due_count") > 0
    has_history = pl.col("previous_episode").fill_null(0) > 0
    return (
        keys.join(previous, on=KEY, how="left", validate="1:1")
        .with_columns(
            is_reset=has_history
            & pl.col("has_past_due")
            & (clean_until - pl.col("clean_since") >= timedelta(days=reset_days)),
        )
        .with_columns(
            episode=pl.when(~has_history)
            .then(is_eligible.cast(pl.Int64))
            .otherwise(pl.col("previous_episode") + (pl.col("is_reset") & is_eligible).cast(pl.Int64)),
            # Kept while only disputed items are past due after a reset, so that the reset is not forgotten.
            nothing_past_due_since=pl.when(
                has_history & (~pl.col("has_past_due") | (pl.col("is_reset") & ~is_eligible))
            ).then(pl.col("clean_since")),
        )
        .drop("clean_since", "is_reset", "previous_date")
    )


def confirm_levels(keys: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """Adds ``confirmed_level`` of the episode (0: none) and ``confirmed_date``, the day of its latest message.

    Letters count when they are known to have been sent. Letters of collectors or of a system before us count
    (activities of channel letter, outcome dunned_level_1..3) when they are later than the due date of the oldest
    item past due, or the decision before counted them already: a level does not fall because the oldest was paid.
    """
    ours = (
        letters_before(book, as_of)
        .filter(pl.col("kind") == "dunning", is_in("state", CONFIRMED))
        .select(*KEY, "episode", "level", message_date="contact_date")
    )
    ours = keys.select(*KEY, "episode").join(ours, on=[*KEY, "episode"]).select(*KEY, "level", "message_date")
    oldest_due = pl.lit(as_of) - pl.duration(days=pl.col("worst_days_past_due"))
    carried = (pl.col("episode") == pl.col("previous_episode")) & (
        pl.col("previous_level") >= pl.col("level")
    )
    others = (
        keys.join(dunned_before(book, as_of), on="customer_id")
        .filter((pl.col("message_date") > oldest_due) | carried.fill_null(False))
        .select(*KEY, "level", "message_date")
    )
    confirmed = (
        pl.concat([ours, others])
        .group_by(KEY)
        .agg(
            confirmed_level=pl.col("level").max(),
            confirmed_date=pl.col("message_date").filter(pl.col("level") == pl.col("level").max()).max(),
        )
    )
    return keys.join(confirmed, on=KEY, how="left", validate="1:1").with_columns(
        pl.col("confirmed_level").fill_null(0)
    )


def dunned_before(book: DunningBook, as_of: date) -> pl.DataFrame:
    """Dunning letters that are on record as activities. One row per activity: customer_id, level, message_date."""
    level = pl.col("outcome_code").str.extract(r"^dunned_level_([1-3])$").cast(pl.Int64)
    return (
        book.activities.filter(pl.col("channel") == "letter")
        .select("customer_id", level=level, message_date=pl.col("activity_at").dt.date())
        .filter(pl.col("level").is_not_null(), pl.col("message_date") <= as_of)
    )


def last_contacts(book: DunningBook, as_of: date) -> pl.DataFrame:
    """``last_contact_date`` per customer, over all entities: dunning letters that left or may have left.

    Courtesy reminders do not count. A bounced letter does, and one whose fate is unknown.
    """
    ours = letters_before(book, as_of).filter(pl.col("kind") != "courtesy", ~is_in("state", NEVER_LEFT))
    return (
        pl.concat(
            [
                ours.select("customer_id", last_contact_date="contact_date"),
                dunned_before(book, as_of).select("customer_id", last_contact_date="message_date"),
            ]
        )
        .group_by("customer_id")
        .agg(pl.col("last_contact_date").max())
    )


def last_contacts_of_addresses(book: DunningBook, as_of: date) -> pl.DataFrame:
    """The same per address, whoever the customer was. Addresses differ by more than upper and lower case."""
    return (
        letters_before(book, as_of)
        .filter(pl.col("kind") != "courtesy", ~is_in("state", NEVER_LEFT), pl.col("address").is_not_null())
        .group_by(address=pl.col("address").str.to_lowercase())
        .agg(address_contact_date=pl.col("contact_date").max())
    )


def last_reminders(book: DunningBook, as_of: date) -> pl.DataFrame:
    """``last_reminder_date`` per customer: courtesy reminders that left or may have left."""
    return (
        letters_before(book, as_of)
        .filter(pl.col("kind") == "courtesy", ~is_in("state", NEVER_LEFT))
        .group_by("customer_id")
        .agg(last_reminder_date=pl.col("contact_date").max())
    )


def count_tries(book: DunningBook, as_of: date, kind: str) -> pl.DataFrame:
    """Earlier letters per identity of a kind: failed tries, whether one is pending, and whether one may be out.

    One row per KEY, episode and level (dunning) or occasion (courtesy).
    """
    what = "level" if kind == "dunning" else "occasion"
    return (
        letters_before(book, as_of)
        .filter(pl.col("kind") == kind)
        .group_by(*KEY, "episode", what)
        .agg(
            failed_count=is_in("state", FAILED).sum().cast(pl.Int64),
            is_pending=is_in("state", PENDING).any(),
            is_uncertain=(~is_in("state", (*CONFIRMED, *PENDING, *FAILED))).any(),
            was_presumed_not_sent=(pl.col("state") == "presumed_not_sent").any(),
        )
    )
