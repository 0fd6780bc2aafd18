"""The second axis of time: what a run knows, and what of a past date it may put before finance."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from o2c.home import Home
from o2c.ledger import Ledger


class NotKnowable(ValueError):
    """The instant that is asked for cannot be answered. The message says why and what to give instead."""


@dataclass(frozen=True)
class Knowledge:
    """What a run may know, and what becomes of it.

    ``known_at`` None is now: new files are landed and count. An instant is looked back to: nothing is landed, and
    nothing that the run finds is recorded. ``publishes`` ``current``: finance's release becomes this run's; ``dated``:
    the release stays of its later date, and only rows of this run's date are put into its dated tables.
    ``rewrites_history``: the measures kept for the date are replaced; else they stay as they were published.
    """

    known_at: datetime | None
    publishes: Literal["current", "dated"]
    rewrites_history: bool

    @property
    def looks_back(self) -> bool:
        return self.known_at is not None

    @property
    def acts(self) -> bool:
        """Whether applications, decisions and letters of the run count for the days after it."""
        return self.publishes == "current" and not self.looks_back


def knowledge_of(
    home: Home,
    ledger: Ledger,
    as_of: date,
    *,
    today: date,
    now: datetime,
    asked: datetime | Literal["now"] | None,
    is_sending: bool,
) -> Knowledge:
    """What a run for a date knows: what the published run of a past date knew, else what is known now.

    In a simulated home the current release's date is its today, since every run's date is its clock there.

    Args:
        today: the date in the business time zone.
        now: the home's clock.
        asked: ``now`` restates a past date, an instant is that instant; None leaves the choice to the rule.
        is_sending: letters leave on what is known now, whatever was published.

    Raises:
        NotKnowable: the instant is still to come, or letters were to leave on what was known then.
    """
    current = ledger.current_date()
    is_past = as_of < ((current or as_of) if home.marker.simulated else today)
    published = ledger.published_known_at(as_of)
    publishes = "dated" if is_past and current is not None and as_of < current else "current"
    if is_sending and publishes == "dated":
        raise NotKnowable(
            f"--send for {as_of}: the current release is of {current}, so letters of that day no longer leave."
            " Nothing was run. Send for that date or a later one, or leave out --send."
        )
    if asked == "now" or (asked is None and (is_sending or not is_past or published is None)):
        return Knowledge(None, publishes, rewrites_history=True)
    if asked is None:
        return Knowledge(published, publishes, rewrites_history=publishes == "current")
    if is_sending:
        raise NotKnowable(
            "--send with --known-at: letters leave on what is known now only. Nothing was run. Leave out one of them."
        )
    newest = max(now, ledger.latest_knowledge() or now)
    if asked > newest:
        raise NotKnowable(
            f"--known-at {asked.isoformat()}: this home knows up to {newest.isoformat()}. Nothing was run."
            " Give that instant or an earlier one, or `now`."
        )
    return Knowledge(asked, publishes, rewrites_history=True)
