"""Series whose numbers all begin with the same digits, as 900004110: customers write 4110."""

import polars as pl

# Digits of a number whose beginning may be left out.
_LONG_ENOUGH = 6
# The largest series of a book; smaller ones are no more than chance.
_MOST_SERIES = 30
SERIES = {
    "book": pl.UInt32(),
    "head": pl.String(),
    "length": pl.UInt32(),
    "base": pl.UInt64(),
    "counter_length": pl.Int64(),
}


def series_with_one_beginning(numbers: pl.DataFrame, at_least: int) -> pl.DataFrame:
    """Series of numbers (book, number, value) of one run of digits, of which the first are the same in all.

    A series is all numbers of a book with the same letters and length.

    Returns:
        book, head (what stands before the digits), length of the whole number, base (the digits that are the same,
        filled up with zeros) and counter_length (of the others, at least ``at_least``).
    """
    groups = (
        numbers.select(
            "book",
            "value",
            head=pl.col("number").str.strip_chars_end("0123456789"),
            length=pl.col("number").str.len_chars(),
        )
        .group_by("book", "head", "length")
        .agg(least=pl.col("value").min(), most=pl.col("value").max(), count=pl.len())
        .filter(~pl.col("head").str.contains("[0-9]") & (pl.col("count") > 1))
        .sort("book", "count", "head", "length", descending=[False, True, False, False])
        .filter(pl.int_range(pl.len()).over("book") < _MOST_SERIES)
    )
    rows = []
    for book, head, length, least, most in groups.select(
        "book", "head", "length", "least", "most"
    ).iter_rows():
        size = length - len(head)
        same = _same_beginning(str(least).zfill(size), str(most).zfill(size))
        counter = size - len(same)
        if size >= _LONG_ENOUGH and same.strip("0") and counter >= at_least:
            rows.append((book, head, length, int(same) * 10**counter, counter))
    return pl.DataFrame(rows, schema=SERIES, orient="row")


def _same_beginning(one: str, other: str) -> str:
    length = next(
        (at for at, pair in enumerate(zip(one, other, strict=True)) if len(set(pair)) > 1), len(one)
    )
    return one[:length]
