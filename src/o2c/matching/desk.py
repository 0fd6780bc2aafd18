"""What lies on the desk: items and payments by number, with what is open and left of them in whole units.

A unit is 0.0001, the last place of MONEY, so that sums are exact and fast.
"""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from o2c.contract import MONEY
from o2c.matching.book import CashBook
from o2c.matching.names import families
from o2c.money import MINOR_UNITS, product, rounded_amount

UNITS = pl.Int64()
# Families are compared a lot, so their ids are kept as numbers.
FAMILY = pl.Categorical()


def units(column: str | pl.Expr) -> pl.Expr:
    """A money column as whole units of 0.0001."""
    expression = pl.col(column) if isinstance(column, str) else column
    return expression.cast(MONEY).to_physical().cast(UNITS)


def money(column: str | pl.Expr) -> pl.Expr:
    """Whole units of 0.0001 as money again."""
    expression = pl.col(column) if isinstance(column, str) else column
    return (expression.cast(pl.Decimal(38, 4)) * pl.lit("0.0001").cast(pl.Decimal(38, 4))).cast(MONEY)


@dataclass(frozen=True)
class Desk:
    """Items and payments of a run.

    items: item_key (the place of its row), family_id, the columns of ApplicableItems, ``open`` (units; credit memos
        negative), ``discount`` (units that the terms offer while the item is wholly open, else 0), ``minor_unit``
        (units), ``reopened_date``.
    payments: payment_key (the place of its row; in order of value date and payment_id), the columns of
        ApplicablePayments, ``left`` (units), ``has_applied`` (something of it stands applied), ``is_active`` (may still
        be applied).
    """

    items: pl.DataFrame
    payments: pl.DataFrame

    def less(self, rows: pl.DataFrame) -> "Desk":
        """The desk after more was settled.

        Args:
            rows: ``payment_key, item_key`` with ``settled`` (off the item) and ``cash`` (off the payment), in units.
        """
        of_items = rows.group_by("item_key").agg(pl.col("settled").sum())
        of_payments = rows.group_by("payment_key").agg(pl.col("cash").sum())
        # Keys are places, so a few rows are changed without reading the others.
        touched, paying = of_items["item_key"], of_payments["payment_key"]
        open_now = self.items["open"].gather(touched) - of_items["settled"]
        left_now = self.payments["left"].gather(paying) - of_payments["cash"]
        items = self.items.with_columns(
            self.items["open"].clone().scatter(touched, open_now),
            # a discount is offered on the whole item
            self.items["discount"].clone().scatter(touched, 0),
        )
        payments = self.payments.with_columns(
            self.payments["left"].clone().scatter(paying, left_now),
            self.payments["has_applied"].clone().scatter(paying, True),
        )
        return replace(self, items=items, payments=payments)

    def items_of(self, rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
        """The rows with columns of the items that they name by ``item_key``."""
        return rows.hstack(self.items.select(columns)[rows["item_key"]])

    def payments_of(self, rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
        """The rows with columns of the payments that they name by ``payment_key``."""
        return rows.hstack(self.payments.select(columns)[rows["payment_key"]])


def book_after(book: CashBook, rows: pl.DataFrame) -> CashBook:
    """The book with more applications recorded, and what is open and left after them.

    Args:
        book: what is known.
        rows: Applications that ``recorded`` has not.
    """
    if rows.is_empty():
        return book
    recorded = pl.concat([book.recorded, rows.select(book.recorded.columns)])
    kinds = recorded.select(reverses_application_id="application_id", reversed_type="application_type")
    typed = rows.join(kinds, on="reverses_application_id", how="left", validate="m:1").with_columns(
        kind=pl.coalesce("reversed_type", "application_type")
    )
    of_items = pl.concat(
        [
            typed.select("invoice_id", amount=units("applied_amount")),
            typed.filter(pl.col("credit_memo_id").is_not_null()).select(
                invoice_id="credit_memo_id", amount=-units("applied_amount")
            ),
        ]
    )
    of_payments = typed.filter(pl.col("kind") == "payment").select(
        "payment_id", amount=units("applied_amount")
    )
    return replace(
        book,
        recorded=recorded,
        items=_less(book.items, of_items, "invoice_id", "open_amount"),
        payments=_less(book.payments, of_payments, "payment_id", "unapplied_amount"),
    )


def _less(frame: pl.DataFrame, amounts: pl.DataFrame, key: str, column: str) -> pl.DataFrame:
    used = amounts.group_by(key).agg(pl.col("amount").sum())
    return (
        frame.join(used, on=key, how="left", validate="1:1", maintain_order="left")
        .with_columns(money(units(column) - pl.col("amount").fill_null(0)).alias(column))
        .drop("amount")
    )


def lay_out(book: CashBook, apart: pl.DataFrame, gone: pl.Series, as_of: date) -> Desk:
    """The desk as the book stands.

    Args:
        book: after returns and persons' decisions.
        apart: ``payment_id`` of payments that a person took apart: they are a person's now.
        gone: payment_id of payments that the bank took back.
        as_of: documents and payments of later dates are not there yet.
    """
    reopened = (
        book.recorded.filter(pl.col("application_type") == "reversal")
        .group_by("invoice_id")
        .agg(reopened_date=pl.col("application_date").max())
    )
    offered = book.items.filter(pl.col("discount_ratio") > 0).select(
        "invoice_id",
        offered=units(
            rounded_amount(
                product(pl.col("invoice_amount"), pl.col("discount_ratio")), pl.col("currency_code")
            )
        ),
    )
    items = (
        book.items.filter(pl.col("invoice_date") <= as_of)
        .join(families(book.customers), on="customer_id", how="left", validate="m:1")
        .join(reopened, on="invoice_id", how="left", validate="1:1")
        .join(offered, on="invoice_id", how="left", validate="1:1")
        .sort("invoice_id")
        .with_row_index("item_key")
        .with_columns(
            family_id=pl.coalesce("family_id", "customer_id").cast(FAMILY),
            open=units("open_amount"),
            discount=pl.col("offered").fill_null(0),
            minor_unit=pl.col("currency_code").replace_strict(
                {code: 10 ** (4 - digits) for code, digits in MINOR_UNITS.items()},
                default=1,
                return_dtype=UNITS,
            ),
        )
        .with_columns(
            # what its terms offer is offered on the whole item
            discount=pl.when(
                (pl.col("open") == units("invoice_amount")) & (pl.col("open") > pl.col("discount"))
            )
            .then(pl.max_horizontal("discount", 0))
            .otherwise(0)
        )
        .drop("offered")
    )
    applied = book.standing().select("payment_id", has_applied=pl.lit(True)).unique()
    # A part that went back is not there to be applied, though nobody knows of what it was taken.
    short = (
        book.payments.filter(pl.col("reverses_payment_id").is_not_null(), pl.col("unapplied_amount") < 0)
        .group_by(payment_id="reverses_payment_id")
        .agg(short=units("unapplied_amount").sum())
    )
    payments = (
        book.payments.filter(pl.col("value_date") <= as_of)
        .join(applied, on="payment_id", how="left", validate="1:1")
        .join(short, on="payment_id", how="left", validate="1:1")
        .sort("value_date", "payment_id")
        .with_row_index("payment_key")
        .with_columns(pl.col("has_applied").fill_null(False), left=units("unapplied_amount"))
        .with_columns(
            is_active=~pl.col("is_held")
            & (pl.col("payment_amount") >= 0)
            & (pl.col("left") >= 0)
            & pl.col("short").is_null()
            & ~pl.col("payment_id").is_in(gone.implode())
            & ~pl.col("payment_id").is_in(apart["payment_id"].implode()),
        )
        .drop("short")
    )
    return Desk(items=items, payments=payments)
