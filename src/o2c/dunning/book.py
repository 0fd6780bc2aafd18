"""What dunning decides on: the open book of one as-of date, and what was written before it."""

from dataclasses import dataclass, field

import polars as pl

from o2c.contract import MONEY
from o2c.frames import SuppressedAddresses

KEY = ["entity_id", "customer_id", "currency_code"]
ZERO = pl.lit(0, dtype=MONEY)

# What became of a letter (ledger.states). A state that is none of these is uncertain, as `sending` and `unknown` are:
# the letter may have arrived, so it is neither repeated nor built upon, and it starts the quiet days. `complained` is
# uncertain, too: it arrived, but nothing is built upon a letter that its reader called spam.
CONFIRMED = ("sent", "delivered")
PENDING = ("rendered", "approval_pending", "approved")
FAILED = ("cancelled", "refused", "bounced", "not_delivered", "presumed_not_sent")
NEVER_LEFT = (*PENDING, "cancelled", "refused")
DEAD_ADDRESS = ("bounced", "not_delivered", "complained")


@dataclass(frozen=True)
class DunningBook:
    """The frames of ``o2c.frames`` that a dunning decision reads, all of one as-of date.

    ``letters``, ``lines`` and ``previous`` are of days before it: what was sent on the as-of date itself is left
    out, so that a second run of the day decides the same. ``suppressed`` are addresses that the ledger sends nothing
    to until a person lifts it.
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
    suppressed: pl.DataFrame = field(default_factory=SuppressedAddresses.empty)


def is_in(column: str, values: tuple[str, ...]) -> pl.Expr:
    """Whether a text column has one of the values; null has none."""
    return pl.col(column).is_in(list(values)).fill_null(False)


def contact_date() -> pl.Expr:
    """The day a letter left, or may have left when nobody knows."""
    return pl.coalesce("sent_date", "decided_as_of_date")


def state_date() -> pl.Expr:
    """The day on which the state of a letter became known; where nobody wrote it down, that of the letter itself."""
    return pl.coalesce("state_date", contact_date())
