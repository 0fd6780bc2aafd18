"""Several claims on the digits of one text: which of them stand."""

import polars as pl

from o2c.matching.numbers_in_text import WEAK, YEAR
from o2c.matching.reading import Reading


def demoted(claimed: pl.DataFrame, reading: Reading, covered: pl.DataFrame) -> pl.DataFrame:
    """Claims weighed by the digits that closely precede and follow them, where those are no number of ours.

    INV-100-01 is not quite INV-100, 4711-100 not quite 100: the number becomes mere digits. Mere digits that are part
    of something else are dropped, unless it looks like a list (1001/1002) of which we know only some.

    Args:
        claimed: claims of ``claims``.
        reading: the texts.
        covered: text_key, run of all digits that are ours.
    """
    runs = reading.runs.select("text_key", "run", "gap", "digits")
    others = runs.join(covered.unique(), on=["text_key", "run"], how="anti")
    # Every run that closely follows another, with both.
    near = (
        runs.filter(pl.col("gap").str.contains(r"^[-/_.]$"))
        .with_columns(before=pl.col("run") - 1)
        .join(runs.select("text_key", before="run", digits_before="digits"), on=["text_key", "before"])
        .with_columns(
            is_list=(pl.col("gap") == "/")
            & (pl.col("digits").str.len_chars() == pl.col("digits_before").str.len_chars())
            & ~pl.col("digits").str.contains(YEAR)
            & ~pl.col("digits_before").str.contains(YEAR)
        )
    )
    follows = near.join(others, left_on=["text_key", "before"], right_on=["text_key", "run"], how="semi")
    precedes = near.join(others, on=["text_key", "run"], how="semi")
    beside = claimed.join(
        follows.select("text_key", first="run", list_before="is_list"),
        on=["text_key", "first"],
        how="left",
        validate="m:1",
    ).join(
        precedes.select("text_key", last="before", list_behind="is_list"),
        on=["text_key", "last"],
        how="left",
        validate="m:1",
    )
    strange_before, strange_behind = pl.col("list_before").is_not_null(), pl.col("list_behind").is_not_null()
    weaker = strange_behind | (strange_before & (pl.col("prefix") == ""))
    is_part = (strange_before & ~pl.col("list_before")) | (strange_behind & ~pl.col("list_behind"))
    return (
        beside.filter((pl.col("rule") != "digits") | ~is_part.fill_null(value=False))
        .with_columns(
            rule=pl.when(weaker).then(pl.lit("digits")).otherwise("rule"),
            trust=pl.when(weaker).then(pl.max_horizontal("trust", pl.lit(WEAK))).otherwise("trust"),
        )
        .drop("list_before", "list_behind")
    )


def covered_runs(claimed: pl.DataFrame) -> pl.DataFrame:
    """``text_key, run``, and all else of each claim, once per run of digits that it covers."""
    single = claimed.filter(pl.col("first") == pl.col("last")).with_columns(run="first")
    longer = claimed.filter(pl.col("first") < pl.col("last"))
    spread = longer.with_columns(run=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int32)).explode(
        "run", empty_as_null=False
    )
    return pl.concat([single, spread])


def best_claims(claimed: pl.DataFrame, at_most: int) -> pl.DataFrame:
    """The best claims on every run of digits: the most trusted, of those the longest, all of equal ones.

    A number that more than ``at_most`` invoices have says nothing.
    """
    ranked = claimed.with_columns(
        order=pl.col("trust") * 100 - (pl.col("last") - pl.col("first")),
        claim=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    beaten = (
        covered_runs(ranked.select("text_key", "first", "last", "order", "claim"))
        .filter(pl.col("order") > pl.col("order").min().over("text_key", "run"))
        .select("claim")
        .unique()
    )
    return (
        ranked.join(beaten, on="claim", how="anti")
        .filter(pl.len().over("text_key", "first", "last", "rule") <= at_most)
        .drop("order", "claim")
    )
