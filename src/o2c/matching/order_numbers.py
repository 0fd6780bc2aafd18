"""Orders that a text names, ours or the customer's: all their invoices are meant."""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.labels import OF_A_PARTY
from o2c.matching.numbers_in_text import is_number_itself, pairs_of, with_surroundings
from o2c.matching.reading import Reading


def order_claims(reading: Reading, orders: list[Catalogue], at_least: int, at_most: int) -> pl.DataFrame:
    """``text_key, item_key, read``: items of the orders in texts.

    An order's number must stand there whole; only what is too short, a date, or another party's number is not read.
    """
    spans = reading.spans
    wanted = spans.select("book", "value").unique()
    found = []
    for numbers in orders:
        pairs = pairs_of(spans, numbers.with_values(wanted), at_most)
        length = (
            pl.col("number_digits").str.len_chars()
            + pl.col("prefix").str.len_chars()
            + pl.col("suffix").str.len_chars()
        )
        unlikely = pl.col("is_time") | pl.col("gap").str.contains(OF_A_PARTY) | pl.col("is_of_strange_code")
        found.append(
            with_surroundings(pairs, [])
            .filter(is_number_itself() & (length >= at_least) & ((pl.col("prefix") != "") | ~unlikely))
            .select("text_key", "item_key", "read", "first", "last")
        )
    # Of orders in one place of the text the longest is meant, and one that fits too many says nothing.
    claimed = pl.concat(found).unique()
    longest = (pl.col("last") - pl.col("first")).max().over("text_key")
    return (
        claimed.filter((pl.col("last") - pl.col("first")) == longest)
        .filter(pl.len().over("text_key", "first", "last") <= at_most)
        .select("text_key", "item_key", "read")
        .unique()
    )
