"""Rules that find our numbers inside texts: as they are, with something lost, and orders' numbers.

Each proposes ``FOUND`` rows for spans of a reading; several may claim the same digits of a text. ``weigh`` keeps the
best claim on every run of digits.
"""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.labels import INVOICE_WORDS, OF_ANOTHER_THING
from o2c.matching.reading import Reading

FOUND = {
    "text_key": pl.UInt32(),
    "first": pl.Int32(),
    "last": pl.Int32(),
    "item_key": pl.UInt32(),
    "rule": pl.String(),
    "trust": pl.Int32(),
    "read": pl.String(),
}
# How claims on the same digits rank; below 10 they are the number itself.
WHOLE, BROKEN, WEAK = 0, 1, 10
_YEAR = r"^(?:19|20)[0-9]{2}$"
_MONTH_AND_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_DAY_AND_MONTH = "(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])"
_DAY = rf"^(?:(?:19|20)[0-9]{{2}}{_MONTH_AND_DAY}|{_DAY_AND_MONTH}(?:19|20)[0-9]{{2}})$"


def claims(reading: Reading, invoices: Catalogue, at_least: int, at_most: int) -> pl.DataFrame:
    """Spans and the invoices whose digits they have, with what each says of the other."""
    spans = reading.spans
    wanted = spans.select("book", "value").unique()
    numbers = invoices.with_values(wanted)
    return _judged(_pairs(spans, numbers, at_most), invoices.series, at_least)


def _pairs(spans: pl.DataFrame, numbers: pl.DataFrame, at_most: int) -> pl.DataFrame:
    """Spans joined to numbers of the same digits.

    Digits that too many numbers have, a year in all of them, are joined only where the letters before agree, too.
    """
    count = numbers.group_by("book", "value").len("sharing")
    numbers = numbers.join(count, on=["book", "value"], validate="m:1")
    renamed = numbers.select(
        "item_key", "book", "value", "prefix", "suffix", "sharing", number_stem="stem", number_digits="digits"
    )
    rare = renamed.filter(pl.col("sharing") <= at_most).drop("sharing")
    pairs = spans.join(rare, on=["book", "value"])
    common = renamed.filter(pl.col("sharing") > at_most).drop("sharing")
    if common.is_empty():
        return pairs
    word = pl.col("gap").str.extract(r"([A-Z]+)[^A-Z0-9]*$").fill_null("")
    keyed = [
        spans.with_columns(number_stem=key)
        for key in (pl.col("stem"), word + pl.col("digits"), pl.col("digits"))
    ]
    exact = pl.concat(keyed).unique().join(common, on=["book", "value", "number_stem"])
    return pl.concat([pairs, exact.select(pairs.columns)])


def _judged(pairs: pl.DataFrame, series: list[str], at_least: int) -> pl.DataFrame:
    """Each claim as the number itself, as its digits, or dropped."""
    letters_after = pl.col("after").str.extract(r"^([A-Z]+)").fill_null("")
    suffix = pl.col("suffix")
    pairs = pairs.with_columns(
        word=pl.col("gap").str.extract(r"([A-Z]+)[^A-Z0-9]*$").fill_null(""),
        attached=pl.col("gap").str.extract(r"([A-Z]+)[-/_.#:]?$").fill_null(""),
        is_year=pl.col("digits").str.contains(_YEAR) | pl.col("digits").str.contains(_DAY),
        has_suffix=pl.when(suffix == "")
        .then(letters_after == "")
        .otherwise(
            pl.col("after").str.replace_all("[^A-Z]", "").str.starts_with(suffix)
            & (pl.col("after").str.len_chars() > 0)
        ),
    )
    called = pl.col("word").is_in(INVOICE_WORDS)
    own = pl.col("prefix") != ""
    same_digits = (pl.col("digits") == pl.col("number_digits")) & pl.col("stem").str.ends_with(
        pl.col("number_stem")
    )
    # V1001 is not INV1001; REINV1001 is.
    glued = pl.col("gap").str.extract(r"([A-Z]+)$").fill_null("")
    own_prefix = (pl.col("prefix").str.len_chars() > 1) | (glued == pl.col("prefix")) | (glued == "")
    of_another_series = (
        (pl.col("attached") != "")
        & (pl.col("attached") != pl.col("prefix"))
        & pl.col("attached").is_in(series)
    )
    elsewhere = (
        of_another_series | pl.col("gap").str.contains(OF_ANOTHER_THING) | (pl.col("is_year") & ~called)
    )
    long_enough = pl.col("number_stem").str.len_chars() + suffix.str.len_chars() >= at_least
    is_itself = (
        same_digits & long_enough & pl.col("has_suffix") & pl.when(own).then(own_prefix).otherwise(~elsewhere)
    )
    same_prefix = own & (pl.col("word") == pl.col("prefix"))
    strange = (
        (pl.col("attached") != "")
        & ~pl.col("attached").is_in(INVOICE_WORDS)
        & (pl.col("attached").str.len_chars() < 4)
    )
    other_suffix = (letters_after != "") & (letters_after != suffix)
    has_digits = (
        pl.when(same_prefix)
        .then(pl.col("prefix").str.len_chars() + pl.col("digits").str.len_chars() >= at_least)
        .otherwise((pl.col("digits").str.len_chars() >= at_least) & ~strange & ~elsewhere)
    ) & ~other_suffix
    return (
        pairs.with_columns(
            rule=pl.when(is_itself).then(pl.lit("embedded_number")).when(has_digits).then(pl.lit("digits")),
            trust=pl.when(is_itself & ~pl.col("is_broken"))
            .then(WHOLE)
            .when(is_itself)
            .then(BROKEN)
            .otherwise(WEAK + pl.col("is_broken").cast(pl.Int32)),
        )
        .filter(pl.col("rule").is_not_null())
        .drop("word", "attached", "is_year", "has_suffix")
    )


def demoted(claimed: pl.DataFrame, reading: Reading, covered: pl.DataFrame) -> pl.DataFrame:
    """Numbers closely followed by digits that are no number of ours become mere digits: INV-100-01 is not INV-100.

    Without letters before it a number must not closely follow strange digits either.

    Args:
        claimed: claims of ``claims``.
        reading: the texts.
        covered: text_key, run of all digits that are ours.
    """
    tight = r"^[-/_.]?$"
    ours = covered.select("text_key", "run", is_ours=pl.lit(value=True)).unique()
    runs = reading.runs.select("text_key", "run", before="gap").join(
        ours, on=["text_key", "run"], how="left", validate="1:1"
    )
    strange = runs.filter(
        pl.col("is_ours").is_null() & pl.col("before").str.contains(tight) & (pl.col("before") != "")
    )
    right = strange.select("text_key", last=pl.col("run") - 1, is_followed=pl.lit(value=True))
    left = (
        runs.filter(pl.col("before").str.contains(tight))
        .select("text_key", first="run", previous=pl.col("run") - 1)
        .join(
            runs.filter(pl.col("is_ours").is_null()).select("text_key", previous="run"),
            on=["text_key", "previous"],
        )
        .select("text_key", "first", follows=pl.lit(value=True))
    )
    strangers = pl.col("is_followed").is_not_null() | (
        pl.col("follows").is_not_null() & (pl.col("prefix") == "")
    )
    return (
        claimed.join(right, on=["text_key", "last"], how="left", validate="m:1")
        .join(left, on=["text_key", "first"], how="left", validate="m:1")
        .with_columns(
            rule=pl.when(strangers).then(pl.lit("digits")).otherwise("rule"),
            trust=pl.when(strangers).then(pl.max_horizontal("trust", pl.lit(WEAK))).otherwise("trust"),
        )
        .drop("is_followed", "follows")
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
