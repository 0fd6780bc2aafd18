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
# What a range is made of: its start, with the last run and the value of its end.
_ENDS = (
    *("text_key", "book", "first", "value", "prefix", "number_digits", "rule", "start_last", "start_key"),
    *("last", "end_value", "read", "is_short"),
)
# With the number that begins it.
_MOST_BY_DIGITS = 10
_TO = r"(?:-{1,2}|TO|BIS|THRU|THROUGH|TILL|UNTIL|UP TO|A|AU|AL|TOT|T/M|T\.M\.|\.{2,3}|>|~)"
_END_WITH_WORD = rf"^ *{_TO} *([A-Z]*)[-/_.#: ]*$"
_END_ALONE = rf"^ *{_TO} *$"


def ranges(claimed: pl.DataFrame, reading: Reading, invoices: Catalogue, at_most: int) -> pl.DataFrame:
    """Invoices of ranges, without the one that begins them.

    A range goes from a number that is ours to one that is ours, with the same letters and as many digits; numbers
    between that are not ours do not matter. The end may be shortened to its last digits.

    Returns:
        text_key, first, last (of the whole range), start_last and start_key (the claim that begins it), item_key, read.
    """
    starts = claimed.filter((pl.col("suffix") == "") & ~pl.col("is_broken")).select(
        "text_key",
        "book",
        "first",
        "value",
        "prefix",
        "number_digits",
        "read",
        "rule",
        start_last="last",
        start_key="item_key",
    )
    ends = pl.concat([_whole_ends(starts, claimed), _short_ends(starts, reading)])
    length = pl.col("end_value").cast(pl.Int64) - pl.col("value").cast(pl.Int64)
    # 1001-26 may be a number and its year: without our letters a shortened end must be close.
    most = pl.when(pl.col("is_short") & (pl.col("rule") == "digits")).then(_MOST_BY_DIGITS).otherwise(at_most)
    ends = ends.filter((length > 0) & (length < most)).with_row_index("range")
    steps = ends.with_columns(
        value=pl.int_ranges(pl.col("value").cast(pl.Int64) + 1, pl.col("end_value").cast(pl.Int64) + 1)
    ).explode("value", empty_as_null=False)
    steps = steps.with_columns(pl.col("value").cast(pl.UInt64))
    numbers = invoices.with_values(steps.select("book", "value").unique()).filter(pl.col("suffix") == "")
    found = steps.join(
        numbers.select("book", "value", "prefix", "item_key", ours="digits"), on=["book", "value", "prefix"]
    ).filter(pl.col("ours").str.len_chars() == pl.col("number_digits").str.len_chars())
    ended = found.filter(pl.col("value") == pl.col("end_value")).select("range").unique()
    return found.join(ended, on="range", how="semi").select(*RANGES)


def _whole_ends(starts: pl.DataFrame, claimed: pl.DataFrame) -> pl.DataFrame:
    """Starts with the claim that follows them, where it is the end of a range."""
    following = claimed.filter((pl.col("suffix") == "") & ~pl.col("is_broken")).select(
        "text_key",
        "last",
        "prefix",
        end_gap="gap",
        end_value="value",
        end_digits="number_digits",
        end_read="read",
        start_last=pl.col("first") - 1,
    )
    word = pl.col("end_gap").str.extract(_END_WITH_WORD)
    return (
        starts.join(following, on=["text_key", "start_last", "prefix"])
        .filter(
            word.is_not_null()
            & ((word == "") | (word == pl.col("prefix")) | word.is_in(INVOICE_WORDS))
            & (pl.col("number_digits").str.len_chars() == pl.col("end_digits").str.len_chars())
        )
        .with_columns(read=pl.col("read") + pl.col("end_read"), is_short=pl.lit(value=False))
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
    power = pl.lit(10, dtype=pl.UInt64).pow(short.cast(pl.UInt32)).cast(pl.UInt64)
    return (
        starts.join(runs.join(followed, on=["text_key", "last"], how="anti"), on=["text_key", "start_last"])
        .filter((short < pl.col("number_digits").str.len_chars()) & (short <= 9))
        .with_columns(
            end_value=pl.col("value") // power * power + pl.col("end_digits").cast(pl.UInt64, strict=False)
        )
        .with_columns(read=pl.col("read") + pl.col("end_read"), is_short=pl.lit(value=True))
        .select(*_ENDS)
    )
