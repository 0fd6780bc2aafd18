"""Numbers with one character wrong, missing, too many or swapped: believed with the payer and the exact amount only."""

import polars as pl
from rapidfuzz.distance import OSA

from o2c.matching.labels import LABELLED_NUMBER
from o2c.matching.numbers_in_text import YEAR
from o2c.matching.reading import without_others
from o2c.matching.wording import bare, plain

_MOST_WORDS = 3


def mistyped(
    texts: pl.DataFrame, wanted: pl.DataFrame, payers: pl.DataFrame, items: pl.DataFrame, at_least: int
) -> pl.DataFrame:
    """Items of a payer that are one error away from what a text says, with exactly its amount.

    Where two of the payer's items of that amount are one error away, or are one error from each other, none is meant.

    Args:
        texts: text_key, payment_key, book, plain.
        wanted: text_key, open_amount: the amounts that an item may have.
        payers: payment_key, customer_id.
        items: ApplicableItems with item_key and book.
        at_least: characters of a number.

    Returns:
        text_key, item_key, read.
    """
    asking = (
        texts.join(payers.select("payment_key", "customer_id").unique(), on="payment_key")
        .join(wanted, on="text_key")
        .select("text_key", "book", "customer_id", "open_amount")
        .unique()
    )
    pool = asking.join(
        items.filter(pl.col("open_amount") != 0).select(
            "item_key", "book", "customer_id", "open_amount", "invoice_number"
        ),
        on=["book", "customer_id", "open_amount"],
    )
    pool = pool.with_columns(number=plain(pool["invoice_number"])).with_columns(
        number=bare(pl.col("number")), digits=pl.col("number").str.replace_all(r"[^0-9]+", "")
    )
    pool = pool.filter(pl.col("number").str.len_chars() >= at_least).select(
        "text_key", "item_key", "number", "digits"
    )
    words = _words(texts.join(pool.select("text_key").unique(), on="text_key", how="semi"))
    near = pool.join(words, on="text_key").filter(_may_be_near("number") | _may_be_near("digits"))
    is_near = [
        _one_error(word, number) or (word.isdigit() and len(digits) > at_least and _one_error(word, digits))
        for word, number, digits in near.select("word", "number", "digits").iter_rows()
    ]
    near = near.filter(pl.Series(is_near, dtype=pl.Boolean))
    single = near.filter(pl.col("item_key").n_unique().over("text_key") == 1)
    rivals = (
        single.select("text_key", "item_key", "number")
        .unique()
        .join(pool, on="text_key", suffix="_rival")
        .filter(pl.col("item_key") != pl.col("item_key_rival"))
    )
    twins = [_one_error(one, other) for one, other in rivals.select("number", "number_rival").iter_rows()]
    doubtful = rivals.filter(pl.Series(twins, dtype=pl.Boolean)).select("text_key").unique()
    return (
        single.join(doubtful, on="text_key", how="anti")
        .group_by("text_key", "item_key")
        .agg(read=pl.col("word").min())
    )


def _one_error(one: str, other: str) -> bool:
    return OSA.distance(one, other, score_cutoff=1) <= 1


def _may_be_near(column: str) -> pl.Expr:
    longer = pl.col("word").str.len_chars().cast(pl.Int64) - pl.col(column).str.len_chars().cast(pl.Int64)
    return longer.abs() <= 1


def _words(texts: pl.DataFrame) -> pl.DataFrame:
    """``text_key, word``: words with a digit, and up to three neighbours as one, letters and digits only.

    Dates, amounts and numbers that are said to be of another thing are none: they repeat, and may be near anything.
    """
    plain_text = without_others(texts["plain"]).str.replace_all(LABELLED_NUMBER, " | ")
    words = (
        texts.select("text_key", word=plain_text.str.extract_all(r"[^\s,;:()*+]+"))
        .explode("word", empty_as_null=False)
        .with_columns(word=pl.when(pl.col("word") != "|").then(bare(pl.col("word"))))
        .filter((pl.col("word") != "").fill_null(value=True))
    )
    grown = [words]
    for further in range(1, _MOST_WORDS):
        in_text = pl.col("text_key") == pl.col("text_key").shift(-further)
        following = pl.concat_str([pl.col("word").shift(-step) for step in range(further + 1)])
        grown.append(words.select("text_key", word=pl.when(in_text).then(following)))
    spoken = pl.col("word").str.contains("[0-9]") & ~pl.col("word").str.contains(YEAR)
    return pl.concat(grown).drop_nulls().filter(spoken).unique()
