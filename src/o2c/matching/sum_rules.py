"""How payers choose the items they pay when they name none: each habit a small object, tried on literal rows.

A *page* is what one payer could pay on one day in one entity and currency: all open items, or only the invoices among
them, since many payers leave credit memos for later. A rule takes what is asked (``ask_key, page_key, units``) and the
lines of the pages (LINES), and returns the sets of lines (SETS) that come to exactly what is asked.
"""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

# ``position`` is the item's place in the order of due date, invoice date and invoice_id, over all items; ``due`` and
# ``day`` count up with the due date, and with due date and invoice date. ``units`` are of 0.0001: sums of them are
# wider than any money column, so that none ever wraps around.
LINES = {
    "page_key": pl.Int64(),
    "position": pl.Int64(),
    "units": pl.Int128(),
    "order_key": pl.String(),
    "due": pl.Int64(),
    "day": pl.Int64(),
    "month": pl.Int64(),
}
# One row per set, ``positions`` ascending. ``accidents``: how many sets were to be expected by accident among the items
# of which some were chosen; null where a rule left nothing to choose.
SETS = {
    "ask_key": pl.UInt32(),
    "page_key": pl.Int64(),
    "positions": pl.List(pl.Int64()),
    "accidents": pl.Decimal(38, 6),
}


class SumRule(Protocol):
    """What every rule offers: its name in the policy, and the sets it finds."""

    @property
    def name(self) -> str: ...

    def find(self, asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame: ...


@dataclass(frozen=True)
class WholePage:
    """Everything open."""

    name: str = "whole_balance"

    def find(self, asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        totals = lines.group_by("page_key").agg(pl.col("units").sum())
        return as_sets(asked.join(totals, on=["page_key", "units"]).join(lines, on="page_key"), "page_key")


@dataclass(frozen=True)
class SingleItem:
    """An item of the amount: each of them is a set."""

    name: str = "single_amount"

    def find(self, asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        found = asked.join(lines, on=["page_key", "units"])
        return found.select(
            "ask_key",
            "page_key",
            pl.concat_list("position").alias("positions"),
            accidents=pl.lit(None, SETS["accidents"]),
        )


@dataclass(frozen=True)
class Group:
    """All items that have a column in common: those of one month's statement, those of one order."""

    name: str
    by: str

    def find(self, asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        lines = lines.drop_nulls(self.by)
        totals = lines.group_by("page_key", self.by).agg(pl.col("units").sum())
        hits = asked.join(totals, on=["page_key", "units"])
        return as_sets(hits.join(lines, on=["page_key", self.by]), self.by)


@dataclass(frozen=True)
class Prefix:
    """All items up to a date, of which all items of that date are a part."""

    name: str
    by: str

    def find(self, asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        hits = asked.join(
            running_sums(lines, self.by).select("page_key", last=self.by, units="upto"),
            on=["page_key", "units"],
        )
        return as_sets(
            hits.join(lines.drop("units"), on="page_key").filter(pl.col(self.by) <= pl.col("last")), "last"
        )


# In the order of trust: where several find the same set, the first is named.
SUM_RULES: tuple[SumRule, ...] = (
    WholePage(),
    SingleItem(),
    Prefix("all_due", "due"),
    Prefix("oldest_first", "day"),
    Group("statement", "month"),
    Group("order", "order_key"),
)


def running_sums(lines: pl.DataFrame, by: str) -> pl.DataFrame:
    """What the items of each date come to, and all up to it.

    One row per page_key and ``by``: ``units``, ``credits`` (the negative part of it), ``item_count``, ``upto``.
    """
    return (
        lines.group_by("page_key", by)
        .agg(
            pl.col("units").sum(),
            credits=pl.col("units").filter(pl.col("units") < 0).sum(),
            item_count=pl.len(),
        )
        .sort("page_key", by)
        .with_columns(upto=pl.col("units").cum_sum().over("page_key"))
    )


def find_cuts(asked: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Days of which an amount takes a part, after all days before.

    Returns:
        One row per ask_key, page_key and day: ``wanted``, the part of it, in units.
    """
    days = running_sums(lines, "day").filter(pl.col("item_count") > 1)
    wanted = (pl.col("units") - pl.col("upto") + pl.col("of_day")).alias("wanted")
    return (
        asked.join(days.rename({"units": "of_day"}), on="page_key")
        .with_columns(wanted)
        .filter(
            (pl.col("wanted") > pl.col("credits"))
            & (pl.col("wanted") < pl.col("of_day") - pl.col("credits"))
            & ~pl.col("wanted").is_in([0])
            & (pl.col("wanted") != pl.col("of_day"))
        )
        .select("ask_key", "page_key", "day", "wanted")
    )


def as_sets(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """SETS of rows ``ask_key, page_key, position``, one for each value of ``by``."""
    return (
        rows.group_by("ask_key", "page_key", *(column for column in by if column != "page_key"))
        .agg(positions=pl.col("position").sort())
        .select("ask_key", "page_key", "positions", accidents=pl.lit(None, SETS["accidents"]))
    )
