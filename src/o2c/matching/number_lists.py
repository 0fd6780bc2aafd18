"""Lists that write the first number whole and then only what changes: INV-2026-013806, 010259, 018353."""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.number_ranges import counted_on
from o2c.matching.reading import Reading

# Between numbers of one list stand signs and no words but "and".
_GOES_ON = r"^[^A-Z|]*(?:(?:AND|UND|ET|Y|E|U)[^A-Z|]*)?$"


def list_claims(best: pl.DataFrame, rest: Reading, invoices: Catalogue) -> pl.DataFrame:
    """Invoices of digits that go on from a number of ours, with as many digits as its counter.

    Args:
        best: claims on numbers that are ours.
        rest: what else stands in the texts.
        invoices: the numbers.

    Returns:
        text_key, item_key, read, first, last.
    """
    begun = best.filter(pl.col("counter").str.len_chars() < pl.col("number_digits").str.len_chars()).select(
        "text_key", "value", "prefix", "suffix", "number_digits", "counter", "tail", begun="last"
    )
    spans = rest.spans.filter(pl.col("gap").str.contains(_GOES_ON)).select(
        "text_key", "book", "first", "last", "digits", "read"
    )
    listed = (
        begun.unique()
        .join(spans, on="text_key")
        .filter(
            (pl.col("first") > pl.col("begun"))
            & (pl.col("digits").str.len_chars() == pl.col("counter").str.len_chars())
        )
        # The number before it is the one it goes on from.
        .filter(pl.col("begun") == pl.col("begun").max().over("text_key", "first", "last"))
        .with_columns(
            steps=pl.col("digits").cast(pl.Int64, strict=False)
            - pl.col("counter").cast(pl.Int64, strict=False)
        )
        .with_columns(value=counted_on("steps"))
    )
    numbers = invoices.with_values(listed.select("book", "value").unique())
    key = ["book", "value", "prefix", "suffix"]
    return (
        listed.join(numbers.select(*key, "item_key", ours="digits"), on=key)
        .filter(pl.col("ours").str.len_chars() == pl.col("number_digits").str.len_chars())
        .select("text_key", "item_key", "read", "first", "last")
        .unique()
    )
