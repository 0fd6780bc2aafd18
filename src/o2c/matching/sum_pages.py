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
    """Asked amounts, and the lines of the pages that may explain them.

    Amounts are in ``units`` of 0.0001, wider than any money column, so that no sum of them wraps around.
    ``asked``: ask_key, page_key, units, payment_key, payer_key, currency_code; one row per wanted row and page of it.
    Pages with all items have an even key, the page of the invoices alone the next odd one.
    ``lines``: page_key, position, units, order_key, day, month; one row per page_key and position.
    ``days``: page_key, day (due date and invoice date), units, credits (the negative part), item_count, up_to (all
    items up to this day), is_last_of_due (of the days of one due date).
    ``items``: position (place in the order of due date, invoice date, invoice_id), account_key, and what is said of
    them; one row per position.
    """

    asked: pl.DataFrame
    lines: pl.DataFrame
    days: pl.DataFrame
    items: pl.DataFrame


def open_pages(wanted: pl.DataFrame, items: pl.DataFrame) -> Pages:
    """Lay out what was open to each wanted row: the payer's items that were there on the value date, but for zeros."""
    wanted = wanted.filter(pl.col("amount") > 0).sort("payment_key", "payer_key").with_row_index("ask_key")
    accounts = wanted.select(ACCOUNT).unique().with_row_index("account_key")
    items = _in_order(
        items.join(accounts, on=ACCOUNT, validate="m:1").filter(pl.col("amount") != 0).drop(ACCOUNT)
    )
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
        books.join(
            items.select("account_key", "position", "units", "order_key", "day", "month", "invoice_date"),
            on="account_key",
            maintain_order="left_right",
        )
        .filter(pl.col("invoice_date") <= pl.col("last"))
        .select(
            "position", "units", "order_key", "day", "month", page_key=pl.col("book_key").cast(pl.Int64) * 2
        )
    )
    credit_memos = netted.filter(pl.col("units") < 0).select("page_key").unique()
    invoices = netted.join(credit_memos, on="page_key", how="semi").filter(pl.col("units") > 0)
    lines = pl.concat([netted, invoices.with_columns(pl.col("page_key") + 1)])
    days = _days(lines)
    pages = days.select("page_key", book_key=(pl.col("page_key") // 2).cast(pl.UInt32)).unique()
    return Pages(
        asked=asked.join(books, on=["account_key", "last"], validate="m:1")
        .join(pages, on="book_key")
        .select("ask_key", "page_key", _units(), "payment_key", "payer_key", "currency_code"),
        lines=lines,
        days=days,
        items=items,
    )


def _in_order(items: pl.DataFrame) -> pl.DataFrame:
    """The items with their place in the order of age, and what the rules group them by."""
    due, invoiced = (pl.col(name).to_physical().cast(pl.Int64) for name in ("due_date", "invoice_date"))
    invoiced_on = pl.col("invoice_date").dt
    return (
        items.with_columns(
            _units(),
            day=due * DAYS + invoiced,
            month=invoiced_on.year() * 12 + invoiced_on.month().cast(pl.Int32),
        )
        .sort("day", "invoice_id", "account_key")
        .with_row_index("position")
        .with_columns(pl.col("position").cast(pl.Int64))
    )


def _days(lines: pl.DataFrame) -> pl.DataFrame:
    """Sums by day, of lines in the order of page and position: differences of running sums where a day ends."""
    page, due = pl.col("page_key"), pl.col("day") // DAYS
    ends = lines.select(
        "page_key",
        "day",
        up_to=pl.col("units").cum_sum().over("page_key"),
        credits_up_to=pl.col("units").clip(upper_bound=0).cum_sum().over("page_key"),
        count_up_to=pl.int_range(1, pl.len() + 1).over("page_key"),
    ).filter((page != page.shift(-1)).fill_null(True) | (pl.col("day") != pl.col("day").shift(-1)))
    of_day = {
        "units": "up_to",
        "credits": "credits_up_to",
        "item_count": "count_up_to",
    }
    return ends.select(
        "page_key",
        "day",
        "up_to",
        **{
            name: pl.col(up_to) - pl.col(up_to).shift(1, fill_value=0).over("page_key")
            for name, up_to in of_day.items()
        },
        is_last_of_due=(page != page.shift(-1)).fill_null(True) | (due != due.shift(-1)),
    )


def _units() -> pl.Expr:
    return pl.col("amount").cast(MONEY).to_physical().cast(pl.Int128).alias("units")
