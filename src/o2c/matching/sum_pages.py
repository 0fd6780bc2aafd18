"""What each payer could pay on each day, laid out for the rules of sums.

A *page* is what one payer had open on one day in one entity and currency. Where credit memos are among it there is a
second page of the invoices alone, since many payers leave credit memos for later.
"""

from dataclasses import dataclass

import polars as pl

from o2c.contract import MONEY

ACCOUNT = ["payer_key", "entity_id", "currency_code"]
# A day is told as one number: days since 1970 of the due date, then of the invoice date.
DAYS = 1 << 32


@dataclass(frozen=True)
class Pages:
    """Asked amounts and the lines of the pages that may explain them.

    ``asked``: ask_key, page_key, units, payment_key, payer_key; one row per wanted row and page of it. Pages with all
    items have an even key, the page of the invoices alone the next odd one.
    ``lines``: what the rules read; one row per page_key and position.
    ``items``: position, kind, item_key, what is said of them; one row per position.
    """

    asked: pl.DataFrame
    lines: pl.DataFrame
    items: pl.DataFrame


def open_pages(wanted: pl.DataFrame, items: pl.DataFrame) -> Pages:
    """Lay out what was open to each wanted row: the payer's items that were there on the value date, but for zeros."""
    wanted = wanted.filter(pl.col("amount") > 0).sort("payment_key", "payer_key").with_row_index("ask_key")
    accounts = wanted.select(ACCOUNT).unique().with_row_index("account_key")
    items = _in_order(items.join(accounts, on=ACCOUNT, validate="m:1").filter(pl.col("amount") != 0))
    asked = (
        wanted.join(accounts, on=ACCOUNT, validate="m:1")
        .sort("value_date")
        .join_asof(
            items.select("account_key", last="invoice_date").unique().sort("last"),
            left_on="value_date",
            right_on="last",
            by="account_key",
            check_sortedness=False,
        )
        .drop_nulls("last")
    )
    books = asked.select("account_key", "last").unique().with_row_index("book_key")
    netted = (
        books.join(items, on="account_key")
        .filter(pl.col("invoice_date") <= pl.col("last"))
        .with_columns(page_key=pl.col("book_key").cast(pl.Int64) * 2)
    )
    credit_memos = netted.filter(pl.col("units") < 0).select("page_key").unique()
    invoices = netted.join(credit_memos, on="page_key", how="semi").filter(pl.col("units") > 0)
    lines = pl.concat([netted, invoices.with_columns(pl.col("page_key") + 1)])
    pages = pl.concat([netted.select("page_key").unique(), credit_memos.select(pl.col("page_key") + 1)])
    return Pages(
        asked=asked.join(books, on=["account_key", "last"], validate="m:1")
        .join(pages.with_columns(book_key=(pl.col("page_key") // 2).cast(pl.UInt32)), on="book_key")
        .select("ask_key", "page_key", _units(), "payment_key", "payer_key"),
        lines=lines.select(
            "page_key", "position", "units", "kind", "order_key", "due", "day", "month", "currency_code"
        ),
        items=items.select("position", "kind", "item_key", "order_key", "invoice_date", "due_date", "units"),
    )


def _in_order(items: pl.DataFrame) -> pl.DataFrame:
    """The items with their place in the order of age, and what the rules group them by.

    Items of one kind differ in nothing that a payment could say: amount and order are the same.
    """
    due, invoiced = (pl.col(name).to_physical().cast(pl.Int64) for name in ("due_date", "invoice_date"))
    return (
        items.sort("due_date", "invoice_date", "invoice_id", "account_key")
        .with_row_index("position")
        .with_columns(
            _units(),
            pl.col("position").cast(pl.Int64),
            due=due,
            day=due * DAYS + invoiced,
            month=pl.col("invoice_date").dt.year().cast(pl.Int64) * 12 + pl.col("invoice_date").dt.month(),
        )
        .with_columns(kind=pl.struct("account_key", "units", "order_key").rank("dense").cast(pl.Int64))
    )


def _units() -> pl.Expr:
    return pl.col("amount").cast(MONEY).to_physical().cast(pl.Int128).alias("units")
