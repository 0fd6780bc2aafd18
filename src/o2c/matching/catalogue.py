"""The numbers of documents, taken apart: what stands before the digits, the digits, what stands behind."""

from dataclasses import dataclass

import polars as pl

from o2c.matching.wording import bare, digit_value, plain

# The run of digits that counts: the last, or the one before it where the last may be a year; and that year.
COUNTER = r"([0-9]+)(?:[^0-9]+((?:19|20)?[0-9]{2}))?[^0-9]*$"
# More beginnings than this are no series of documents.
_MOST_SERIES = 500


@dataclass(frozen=True)
class Catalogue:
    """Numbers of one kind: invoice numbers, order numbers. One row per item_key and number.

    ``numbers``: item_key, book, number (plain), value (its digits as one whole number, null without any).
    ``series``: letters with which numbers begin, of these and of others that are not to be mistaken for them.
    """

    numbers: pl.DataFrame
    series: list[str]

    def beside(self, others: "list[Catalogue]") -> "Catalogue":
        """The same numbers, not to be mistaken for others."""
        known = {*self.series, *(letters for other in others for letters in other.series)}
        return Catalogue(self.numbers, sorted(known))

    def with_values(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Numbers whose book and value are wanted, taken apart (``take_apart``)."""
        return take_apart(self.numbers.join(wanted, on=["book", "value"], how="semi"))


def catalogue(items: pl.DataFrame, column: str) -> Catalogue:
    """Numbers in one column of items (item_key, book, column)."""
    numbers = items.select("item_key", "book", number=plain(items[column])).filter(
        pl.col("number").is_not_null() if items[column].null_count() else pl.lit(value=True)
    )
    numbers = numbers.with_columns(digit_value(numbers["number"]).alias("value"))
    beginnings = (
        numbers["number"]
        .str.strip_chars_end("0123456789-/_. #")
        .unique()
        .str.extract(r"^([A-Z]+)")
        .unique()
        .drop_nulls()
        .sort()
        .to_list()
    )
    return Catalogue(numbers, beginnings if len(beginnings) <= _MOST_SERIES else [])


def take_apart(numbers: pl.DataFrame) -> pl.DataFrame:
    """Adds what a number is made of.

    bare: letters and digits only; stem: bare up to the last digit; prefix: letters before the digits; digits; suffix:
    letters behind them; counter: the run of digits that counts; tail: a year behind it; run_count: runs of digits.
    """
    return (
        numbers.with_columns(bare=bare(pl.col("number")))
        .with_columns(stem=pl.col("bare").str.extract(r"^(.*[0-9])").fill_null(""))
        .with_columns(
            prefix=pl.col("stem").str.extract(r"^([^0-9]*)"),
            digits=pl.col("stem").str.replace_all(r"[^0-9]+", ""),
            suffix=pl.col("bare").str.slice(pl.col("stem").str.len_chars()),
            counter=pl.col("number").str.extract(COUNTER, 1),
            tail=pl.col("number").str.extract(COUNTER, 2).fill_null(""),
            run_count=pl.col("number").str.count_matches("[0-9]+").cast(pl.Int32),
        )
    )
