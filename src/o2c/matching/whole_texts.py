"""Payments whose text is an invoice's id or number and nothing else."""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.wording import bare


def invoices_by_id(texts: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """``text_key, item_key, said``: texts (text_key, book, raw) that are the id of an item letter for letter."""
    found = texts.join(items.select("item_key", "book", raw="invoice_id"), on=["book", "raw"])
    return found.select("text_key", "item_key", said="raw")


def invoices_by_number(texts: pl.DataFrame, invoices: Catalogue) -> pl.DataFrame:
    """``text_key, item_key, said``: texts (text_key, book, raw, plain, value) that are a number, whatever separates it.

    A blank between digits may also separate two things, INV-100 and 1: then the number must have it, too.
    """
    numbers = invoices.numbers
    literal = texts.join(numbers.select("item_key", "book", plain="number"), on=["book", "plain"])
    others = texts.join(literal, on="text_key", how="anti").filter(
        ~pl.col("plain").str.contains("[0-9] +[0-9]")
    )
    alike = numbers.join(others.select("book", "value").unique(), on=["book", "value"], how="semi")
    spelled = others.join(alike.select("item_key", "book", "value", "number"), on=["book", "value"]).filter(
        bare(pl.col("plain")) == bare(pl.col("number"))
    )
    return pl.concat([one.select("text_key", "item_key", said="raw") for one in (literal, spelled)])
