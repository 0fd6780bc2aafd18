"""An extract as it stood on one morning: only what was known then, with the states of then."""

from datetime import date

import polars as pl

from o2c.demo.books import CURRENCIES
from o2c.demo.calendars import day_number


def as_known_on(table: str, rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The rows of ``rows`` that were known on the morning of ``as_of``, and of them what was known.

    A later extract restricted in this way is the earlier one. Rows without ``known_day`` were always known.
    """
    day = day_number(as_of)
    if "known_day" in rows.columns:
        rows = rows.filter(pl.col("known_day") <= day)
    if table == "disputes":
        return rows.with_columns(resolved_date=pl.when(pl.col("resolved_date") <= day).then("resolved_date"))
    if table == "customers":
        has_stopped = pl.col("stopped_day") <= day
        return rows.with_columns(status=pl.when(has_stopped).then("fate").otherwise(pl.lit("active")))
    if table == "orders":
        return _orders_as_known(rows, day)
    return rows


def _orders_as_known(orders: pl.DataFrame, day: int) -> pl.DataFrame:
    is_invoiced, is_shipped = pl.col("invoiced_day") <= day, pl.col("shipped_date") <= day
    return orders.with_columns(
        status=pl.when(is_invoiced)
        .then(pl.lit("invoiced"))
        .when(is_shipped)
        .then(pl.lit("shipped"))
        .otherwise("status"),
        shipped_date=pl.when(is_shipped).then("shipped_date"),
        invoiced_amount=pl.when(is_invoiced).then("order_amount").otherwise(0),
    )


class Flows:
    """Daily movements of net receivables, summed as chunks pass by; cents by entity, currency and day."""

    _KEY = ("entity_id", "currency_code", "day")

    def __init__(self) -> None:
        self._sums: list[pl.DataFrame] = []

    def add(self, tables: dict[str, pl.DataFrame]) -> None:
        """Take in the documents, payments, applications and adjustments of one chunk, before any is cut off.

        Open debit items less open credit memos less unapplied cash move by documents, payments, discounts and
        write-offs; applying cash or a credit memo moves nothing.
        """
        if "invoices" not in tables:
            return
        invoices = tables["invoices"].filter(
            (pl.col("settlement") == "terms") & (pl.col("status") == "posted")
        )
        sign = pl.when(pl.col("document_type") == "credit_memo").then(-1).otherwise(1)
        of_invoice = invoices.select("invoice_id", "entity_id", "currency_code")
        payments = tables["payments"].filter(pl.col("settlement") == "terms")
        frames = [
            invoices.select(
                "entity_id", "currency_code", day="invoice_date", cents=pl.col("invoice_amount") * sign
            ),
            payments.select("entity_id", "currency_code", day="value_date", cents=-pl.col("payment_amount")),
        ]
        if "payment_applications" in tables:
            discounts = tables["payment_applications"].filter(pl.col("application_type") == "discount")
            frames.append(_of_invoice(discounts, of_invoice, "application_date", "applied_amount"))
        if "adjustments" in tables:
            frames.append(
                _of_invoice(tables["adjustments"], of_invoice, "adjustment_date", "adjustment_amount")
            )
        self._sums.append(pl.concat(frames).group_by(self._KEY).agg(pl.col("cents").sum()))

    def balances(self, start: date, horizon: date) -> pl.DataFrame:
        """Balance of the control account at the end of every day, from a currency's first movement on."""
        daily = pl.concat(self._sums).group_by(self._KEY).agg(pl.col("cents").sum())
        accounts = daily.group_by("entity_id", "currency_code").agg(first_day=pl.col("day").min())
        days = pl.select(day=pl.int_range(day_number(start), day_number(horizon) + 1, dtype=pl.Int32))
        return (
            accounts.join(days, how="cross")
            .filter(pl.col("day") >= pl.col("first_day"))
            .join(daily, on=self._KEY, how="left", validate="1:1")
            .sort("entity_id", pl.col("currency_code").replace_strict(_ORDER), "day")
            .select(
                "entity_id",
                "currency_code",
                balance_date="day",
                control_account_amount=pl.col("cents")
                .fill_null(0)
                .cum_sum()
                .over("entity_id", "currency_code"),
                known_day="day",
            )
        )


_ORDER = {code: place for place, code in enumerate(CURRENCIES)}


def _of_invoice(rows: pl.DataFrame, invoices: pl.DataFrame, day: str, amount: str) -> pl.DataFrame:
    """Reductions of invoices as movements in the invoice's entity and currency."""
    return rows.join(invoices, on="invoice_id", validate="m:1").select(
        "entity_id", "currency_code", day=day, cents=-pl.col(amount)
    )
