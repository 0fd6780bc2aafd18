"""Texts that give part of a number: 24/17 for RE/2024/0017 is none, 2024-17 is; 00000017 for DE01-00000017, too."""

import polars as pl

from o2c.matching.catalogue import COUNTER, Catalogue, take_apart
from o2c.matching.number_series import series_with_one_beginning
from o2c.matching.numbers_in_text import YEAR, are_its_digits, with_surroundings
from o2c.matching.reading import Reading

_LAST = r"([0-9]+)[^0-9]*$"


def part_claims(reading: Reading, claimed: pl.DataFrame, invoices: Catalogue, at_least: int) -> pl.DataFrame:
    """Claims of invoices whose numbers have several runs of digits, by those without zeros, or by the one that counts.

    Args:
        reading: what is not claimed yet in the texts.
        claimed: text_key of texts that name an invoice already; there a counter alone says nothing.
        invoices: the numbers.
        at_least: digits of a counter.

    Returns:
        text_key, item_key, read.
    """
    wanted = reading.spans.select(last=_last("parts")).unique()
    numbers = invoices.numbers.with_columns(last=_last("number"))
    # A last run that may be a year is passed over, so it need not stand in the text.
    may_be_year = (pl.col("last") < 100) | pl.col("last").is_between(1900, 2099)
    several = (
        numbers.filter(may_be_year | pl.col("last").is_in(wanted["last"].implode()))
        .filter(pl.col("number").str.contains(r"[0-9][^0-9]+[0-9]"))
        .with_columns(counter=pl.col("number").str.extract(COUNTER, 1))
    )
    series = invoices.series
    return pl.concat(
        [
            _by_parts(reading, several, series, at_least),
            _by_counter(reading.without(claimed), several, series, at_least),
            _by_rest(reading.without(claimed), invoices, at_least),
        ]
    ).unique()


def _by_parts(reading: Reading, several: pl.DataFrame, series: list[str], at_least: int) -> pl.DataFrame:
    spans = reading.spans.filter(pl.col("first") < pl.col("last"))
    ends = spans.select("book", head=_head("parts"), last=_last("parts")).unique()
    numbers = (
        several.join(ends, on=["book", "last"], how="semi")
        .with_columns(head=_head("number"))
        .join(ends, on=["book", "head", "last"], how="semi")
        .with_columns(
            parts=pl.col("number")
            .str.replace_all(r"[^0-9]+", "-")
            .str.strip_chars("-")
            .str.replace_all(r"\b0+([0-9])", "$1")
        )
    )
    return _judged(spans, take_apart(numbers), ["book", "parts"], series, at_least, "digits")


def _by_counter(reading: Reading, several: pl.DataFrame, series: list[str], at_least: int) -> pl.DataFrame:
    spans = _alone(reading, at_least).with_columns(
        counter_value=pl.col("digits").cast(pl.UInt64, strict=False)
    )
    numbers = several.filter(
        (pl.col("counter").str.len_chars() >= at_least) & ~pl.col("counter").str.contains(YEAR)
    ).with_columns(counter_value=pl.col("counter").cast(pl.UInt64, strict=False))
    numbers = numbers.join(
        spans.select("book", "counter_value").unique(), on=["book", "counter_value"], how="semi"
    )
    # Zeros are lost, never found; where a counter stands there with all its zeros, no other is meant.
    claims = _judged(
        spans,
        take_apart(numbers),
        ["book", "counter_value"],
        series,
        at_least,
        "counter",
        "counter",
        "digits",
        "first",
    ).filter(pl.col("digits").str.len_chars() <= pl.col("counter").str.len_chars())
    lost = pl.col("counter").str.len_chars() - pl.col("digits").str.len_chars()
    return claims.filter(lost == lost.min().over("text_key", "first")).select("text_key", "item_key", "read")


def _alone(reading: Reading, at_least: int) -> pl.DataFrame:
    """Single runs of digits with nothing written closely around them: 2023-0017 is not 2024-0017."""
    near = r"^[-/_.]?$"
    following = reading.runs.select("text_key", first=pl.col("run") - 1).with_columns(
        is_followed=pl.lit(value=True)
    )
    single = (pl.col("first") == pl.col("last")) & (pl.col("digits").str.len_chars() >= at_least)
    return (
        reading.spans.filter(single & ~pl.col("gap").str.contains(r"^[-/_.]$"))
        .join(following, on=["text_key", "first"], how="left", validate="1:1")
        .filter(~(pl.col("after").str.contains(near) & pl.col("is_followed").is_not_null()))
        .drop("is_followed")
    )


def _by_rest(reading: Reading, invoices: Catalogue, at_least: int) -> pl.DataFrame:
    """By the digits that differ within a series, where all its numbers begin alike."""
    spans = _alone(reading, at_least)
    begun = series_with_one_beginning(invoices.numbers, at_least)
    power = pl.lit(10, dtype=pl.UInt64).pow(pl.col("counter_length").cast(pl.UInt32)).cast(pl.UInt64)
    meant = (
        spans.join(begun, on="book")
        .filter(pl.col("value") < power)
        .with_columns(value=pl.col("base") + pl.col("value"))
    )
    numbers = take_apart(invoices.numbers.join(meant, on=["book", "value"], how="semi"))
    same_series = pl.col("number").str.starts_with(pl.col("head")) & (
        pl.col("number").str.len_chars() == pl.col("length")
    )
    pairs = (
        meant.join(
            numbers.select("item_key", "book", "value", "number", "prefix", "suffix", all_digits="digits"),
            on=["book", "value"],
        )
        .filter(same_series)
        .with_columns(number_digits=pl.col("all_digits").str.tail(pl.col("counter_length")))
    )
    return (
        with_surroundings(pairs, invoices.series)
        .filter(are_its_digits(at_least))
        .select("text_key", "item_key", "read")
    )


def _judged(
    spans: pl.DataFrame,
    numbers: pl.DataFrame,
    key: list[str],
    series: list[str],
    at_least: int,
    part: str,
    *also: str,
) -> pl.DataFrame:
    pairs = spans.join(
        numbers.select("item_key", *key, "prefix", "suffix", "counter", number_digits=pl.col(part)), on=key
    )
    return (
        with_surroundings(pairs, series)
        .filter(are_its_digits(at_least))
        .select("text_key", "item_key", "read", *also)
    )


def _last(column: str) -> pl.Expr:
    """The last run of digits as a number."""
    return pl.col(column).str.extract(_LAST).cast(pl.UInt64, strict=False)


def _head(column: str) -> pl.Expr:
    """The first run of digits as a number."""
    return pl.col(column).str.extract("([0-9]+)").cast(pl.UInt64, strict=False)
