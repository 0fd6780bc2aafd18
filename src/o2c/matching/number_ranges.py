"""Ranges of invoice numbers: INV1001-1005, 1001-05, INV-1001 bis INV-1005."""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.labels import INVOICE_WORDS
from o2c.matching.reading import Reading

RANGES = {
    "text_key": pl.UInt32(),
    "first": pl.Int32(),
    "last": pl.Int32(),
    "start_last": pl.Int32(),
    "start_key": pl.UInt32(),
    "item_key": pl.UInt32(),
    "read": pl.String(),
}
# A range's start, then how it ends.
_START = ("text_key", "book", "first", "value", "prefix", "number_digits", "counter", "tail", "read", "rule")
_ENDS = (*_START, "start_last", "start_key", "last", "steps", "is_short")
# With the number that begins it.
_MOST_BY_DIGITS = 10
_LONGEST_END = 9
_TO = r"(?:-{1,2}|\.{2,3}|>|~|(?:TO|BIS|THRU|THROUGH|TILL|UNTIL|UP TO|A|AU|AL|TOT|T/M|T\.M\.)(?: |$))"
_END_WITH_WORD = rf"^ *{_TO} *([-A-Z/_.#: ]*)$"
_END_ALONE = rf"^ *{_TO} *$"


def ranges(claimed: pl.DataFrame, reading: Reading, invoices: Catalogue, at_most: int) -> pl.DataFrame:
    """Invoices of ranges, without the one that begins them.

    A range goes from a number that is ours to one that is ours, with the same letters and as many digits; numbers
    between that are not ours do not matter. The end may be shortened to its last digits.

    Returns:
        text_key, first, last (of the whole range), start_last and start_key (the claim that begins it), item_key, read.
    """
    starts = claimed.filter((pl.col("suffix") == "") & ~pl.col("is_broken")).select(
        *_START, start_last="last", start_key="item_key"
    )
    ends = pl.concat([_whole_ends(starts, claimed), _short_ends(starts, reading)])
    # 1001-26 may be a number and its year: without our letters a shortened end must be close.
    most = pl.when(pl.col("is_short") & (pl.col("rule") == "digits")).then(_MOST_BY_DIGITS).otherwise(at_most)
    ends = ends.filter((pl.col("steps") > 0) & (pl.col("steps") < most)).with_row_index("range")
    steps = ends.with_columns(step=pl.int_ranges(1, pl.col("steps") + 1)).explode("step", empty_as_null=False)
    steps = steps.with_columns(value=counted_on("step"))
    numbers = invoices.with_values(steps.select("book", "value").unique()).filter(pl.col("suffix") == "")
    found = steps.join(
        numbers.select("book", "value", "prefix", "item_key", ours="digits"), on=["book", "value", "prefix"]
    ).filter(pl.col("ours").str.len_chars() == pl.col("number_digits").str.len_chars())
    ended = found.filter(pl.col("step") == pl.col("steps")).select("range").unique()
    return found.join(ended, on="range", how="semi").select(*RANGES)


def counted_on(steps: str) -> pl.Expr:
    """The value of the number so many steps behind (value, tail): 0017-26 and two steps is 0019-26."""
    return (pl.col("value").cast(pl.Int64) + pl.col(steps) * _unit()).cast(pl.UInt64, strict=False)


def _unit() -> pl.Expr:
    """By how much the value of a number grows from one to the next."""
    return pl.lit(10, dtype=pl.Int64).pow(pl.col("tail").str.len_chars()).cast(pl.Int64)


def _whole_ends(starts: pl.DataFrame, claimed: pl.DataFrame) -> pl.DataFrame:
    """Starts with the claim that follows them, where it is the end of a range."""
    following = claimed.filter((pl.col("suffix") == "") & ~pl.col("is_broken")).select(
        "text_key",
        "last",
        "prefix",
        "tail",
        end_gap="gap",
        end_value="value",
        end_digits="number_digits",
        end_read="read",
        start_last=pl.col("first") - 1,
    )
    word = pl.col("end_gap").str.extract(_END_WITH_WORD).str.replace_all("[^A-Z]", "")
    further = pl.col("end_value").cast(pl.Int64) - pl.col("value").cast(pl.Int64)
    return (
        starts.join(following, on=["text_key", "start_last", "prefix", "tail"])
        .filter(
            word.is_not_null()
            & ((word == "") | (word == pl.col("prefix")) | word.is_in(INVOICE_WORDS))
            & (pl.col("number_digits").str.len_chars() == pl.col("end_digits").str.len_chars())
            & (further % _unit() == 0)
        )
        .with_columns(
            read=pl.col("read") + pl.col("end_read"), steps=further // _unit(), is_short=pl.lit(value=False)
        )
        .select(*_ENDS)
    )


def _short_ends(starts: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Starts with the run of digits that follows them, where it is the end of a range without its first digits."""
    runs = reading.runs.select(
        "text_key",
        end_gap="gap",
        last="run",
        end_digits="digits",
        end_read="piece",
        start_last=pl.col("run") - 1,
    ).filter(pl.col("end_gap").str.contains(_END_ALONE))
    followed = reading.runs.select("text_key", last=pl.col("run") - 1, next_gap="gap").filter(
        pl.col("next_gap").str.contains(r"^[-/.]$")
    )
    short = pl.col("end_digits").str.len_chars()
    power = pl.lit(10, dtype=pl.Int64).pow(short).cast(pl.Int64)
    counter = pl.col("counter").cast(pl.Int64, strict=False)
    return (
        starts.join(runs.join(followed, on=["text_key", "last"], how="anti"), on=["text_key", "start_last"])
        .filter(
            (short <= pl.col("counter").str.len_chars())
            & (short < pl.col("number_digits").str.len_chars())
            & (short <= _LONGEST_END)
        )
        .with_columns(
            read=pl.col("read") + pl.col("end_read"),
            steps=pl.col("end_digits").cast(pl.Int64) - counter % power,
            is_short=pl.lit(value=True),
        )
        .select(*_ENDS)
    )
