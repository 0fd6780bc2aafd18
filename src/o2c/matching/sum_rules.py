"""How payers choose the items they pay when they name none: each habit a small object, tried on literal rows."""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from o2c.matching.sum_pages import Pages

# One row per set of lines that comes to just what is asked, ``positions`` ascending. ``accidents``: how many sets were
# to be expected by accident among items of which some were chosen; null where a rule left nothing to choose.
SETS = {
    "ask_key": pl.UInt32(),
    "page_key": pl.Int64(),
    "positions": pl.List(pl.Int64()),
    "accidents": pl.Decimal(38, 6),
}


class SumRule(Protocol):
    """What every rule offers: its name in the policy, and the SETS it finds."""

    @property
    def name(self) -> str: ...

    def find(self, pages: Pages) -> pl.DataFrame: ...


@dataclass(frozen=True)
class WholePage:
    """Everything open."""

    name: str = "whole_balance"

    def find(self, pages: Pages) -> pl.DataFrame:
        totals = pages.days.group_by("page_key").agg(pl.col("units").sum())
        hits = pages.asked.join(totals, on=["page_key", "units"])
        return as_sets(hits.join(pages.lines, on="page_key"))


@dataclass(frozen=True)
class SingleItem:
    """An item of the amount: each of them is a set."""

    name: str = "single_amount"

    def find(self, pages: Pages) -> pl.DataFrame:
        return as_sets(pages.asked.join(pages.lines, on=["page_key", "units"]), "position")


@dataclass(frozen=True)
class DuePrefix:
    """All items due up to some date."""

    name: str = "all_due"

    def find(self, pages: Pages) -> pl.DataFrame:
        return _up_to_a_day(pages, pages.days.filter("is_last_of_due"))


@dataclass(frozen=True)
class DayPrefix:
    """The oldest items by due date, then invoice date, down to some day with all items of that day.

    Where only a part of a day's items is paid, which part it is must come from the amount: see ``find_cuts``.
    """

    name: str = "oldest_first"

    def find(self, pages: Pages) -> pl.DataFrame:
        return _up_to_a_day(pages, pages.days)


@dataclass(frozen=True)
class Group:
    """All items that have a column in common: those of one month's statement, those of one order."""

    name: str
    by: str

    def find(self, pages: Pages) -> pl.DataFrame:
        lines = pages.lines.drop_nulls(self.by)
        totals = lines.group_by("page_key", self.by).agg(pl.col("units").sum())
        hits = pages.asked.join(totals, on=["page_key", "units"])
        return as_sets(hits.join(lines, on=["page_key", self.by]), self.by)


# In the order of trust: where several find the same set, the first is named.
SUM_RULES: tuple[SumRule, ...] = (
    WholePage(),
    SingleItem(),
    DuePrefix(),
    DayPrefix(),
    Group("statement", "month"),
    Group("order", "order_key"),
)
# Not one of them: any sum of a few items, looked for where no habit fits.
SUBSET_SUM = "subset_sum"
OLDEST_FIRST = "oldest_first"
RANKS = {rule.name: rank for rank, rule in enumerate(SUM_RULES)} | {SUBSET_SUM: len(SUM_RULES)}


def find_cuts(pages: Pages) -> pl.DataFrame:
    """Days of which an amount takes a part, after all items of the days before.

    Returns:
        One row per ask_key, page_key and day: ``wanted``, the part of it, in units.
    """
    several = pages.days.filter(pl.col("item_count") > 1).rename({"units": "of_day"})
    wanted = pl.col("wanted")
    return (
        pages.asked.join(several, on="page_key")
        .with_columns(wanted=pl.col("units") - pl.col("up_to") + pl.col("of_day"))
        .filter(
            (wanted > pl.col("credits")) & (wanted < pl.col("of_day") - pl.col("credits")),
            (wanted != 0) & (wanted != pl.col("of_day")),
        )
        .select("ask_key", "page_key", "day", "wanted")
    )


def as_sets(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """SETS of rows ``ask_key, page_key, position``, one for each value of ``by``."""
    return (
        rows.select("ask_key", "page_key", "position", **{f"by_{name}": name for name in by})
        .group_by("ask_key", "page_key", *(f"by_{name}" for name in by))
        .agg(positions=pl.col("position").sort())
        .select("ask_key", "page_key", "positions", accidents=pl.lit(None, SETS["accidents"]))
    )


def _up_to_a_day(pages: Pages, days: pl.DataFrame) -> pl.DataFrame:
    hits = pages.asked.select("ask_key", "page_key", "units").join(
        days.select("page_key", last="day", units="up_to"), on=["page_key", "units"]
    )
    lines = hits.join(pages.lines.select("page_key", "position", "day"), on="page_key")
    return as_sets(lines.filter(pl.col("day") <= pl.col("last")), "last")
