"""Reminders before the due date: which items to announce today, once per invoice and offset."""

from datetime import date

import polars as pl

from o2c.dunning.book import FAILED, KEY, PENDING, DunningBook, is_in
from o2c.dunning.history import count_tries
from o2c.policy import DunningPolicy


def announce(items: pl.DataFrame, book: DunningBook, policy: DunningPolicy) -> pl.DataFrame:
    """Eligible items due soon, each with the ``occasion`` that it has not been announced for yet.

    The offset is the nearest one already reached, so a missed morning is caught up and an offset that was passed
    over is not made up for. Items due today are listed with others, but are no reason of their own to write.
    One row per item; ``occasion`` is null where nothing is to be announced.
    """
    days = pl.col("days_past_due")
    offset = pl.max_horizontal(
        pl.when(days >= reached).then(pl.lit(reached, dtype=pl.Int64))
        for reached in policy.courtesy.offsets_days
    )
    number = pl.col("installment_number")
    part = pl.when(number > 1).then(pl.format("/{}", number)).otherwise(pl.lit(""))
    done = book.lines.filter(~is_in("state", (*PENDING, *FAILED))).select("occasion").unique()
    due_soon = items.filter(pl.col("hold").is_null(), days <= 0).with_columns(
        occasion=pl.when(days < 0).then(pl.format("{}{}@{}", "invoice_id", part, offset))
    )
    return due_soon.with_columns(occasion=pl.when(~is_in_frame("occasion", done)).then("occasion"))


def is_in_frame(column: str, frame: pl.DataFrame) -> pl.Expr:
    """Whether a value stands in the column of the same name of another frame."""
    return pl.col(column).is_in(frame[column].implode()).fill_null(False)


def choose_occasions(
    announced: pl.DataFrame, keys: pl.DataFrame, book: DunningBook, as_of: date
) -> pl.DataFrame:
    """The occasion that names a reminder, and its tries: one that is pending already, else the item due first.

    One row per KEY with anything to announce: occasion, failed_count, was_presumed_not_sent.
    """
    return (
        announced.filter(pl.col("occasion").is_not_null())
        .join(keys.select(*KEY, "episode"), on=KEY, validate="m:1")
        .join(
            count_tries(book, as_of, "courtesy"), on=[*KEY, "episode", "occasion"], how="left", validate="m:1"
        )
        .with_columns(pl.col("is_pending", "was_presumed_not_sent").fill_null(False))
        .sort(
            *KEY,
            "is_pending",
            "due_date",
            "invoice_id",
            "installment_number",
            descending=[False, False, False, True, False, False, False],
        )
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("occasion", "failed_count", "was_presumed_not_sent").first())
    )
