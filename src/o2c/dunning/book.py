"""What dunning decides on: the open book of one as-of date, and what was written before it."""

from dataclasses import dataclass

import polars as pl

from o2c.contract import MONEY

KEY = ["entity_id", "customer_id", "currency_code"]
ZERO = pl.lit(0, dtype=MONEY)

# What became of a letter. A state that is none of these is uncertain, as `unknown` is: the letter may have
# arrived, so it is neither repeated nor built upon, and it starts the quiet days.
CONFIRMED = ("sent",)
PENDING = ("rendered", "approval_pending")
FAILED = ("cancelled", "refused", "bounced", "not_delivered", "presumed_not_sent")
NEVER_LEFT = (*PENDING, "cancelled", "refused")
DEAD_ADDRESS = ("bounced", "not_delivered")


@dataclass(frozen=True)
class DunningBook:
    """The frames of ``o2c.frames`` that a dunning decision reads, all of one as-of date.

    ``letters``, ``lines`` and ``previous`` are of days before it: what was sent on the as-of date itself is left
    out, so that a second run of the day decides the same.
    """

    items: pl.DataFrame
    customers: pl.DataFrame
    contacts: pl.DataFrame
    entities: pl.DataFrame
    unapplied: pl.DataFrame
    blocks: pl.DataFrame
    promises: pl.DataFrame
    plans: pl.DataFrame
    possible_payers: pl.DataFrame
    placed: pl.DataFrame
    activities: pl.DataFrame
    letters: pl.DataFrame
    lines: pl.DataFrame
    previous: pl.DataFrame


def is_in(column: str, values: tuple[str, ...]) -> pl.Expr:
    """Whether a text column has one of the values; null has none."""
    return pl.col(column).is_in(list(values)).fill_null(False)


def contact_date() -> pl.Expr:
    """The day a letter left, or may have left when nobody knows."""
    return pl.coalesce("sent_date", "decided_as_of_date")
