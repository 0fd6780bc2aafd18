"""Values that can be read but not quite believed: loaded, with a warning row."""

from datetime import date

import polars as pl

from o2c.contract import Table
from o2c.sources.values import Fault

# Dates of things that have happened: one after the day of loading is a slip. Due and promised dates are not.
HAPPENED = {
    "invoice_date",
    "order_date",
    "shipped_date",
    "delivered_date",
    "sent_date",
    "value_date",
    "booking_date",
    "application_date",
    "adjustment_date",
    "opened_date",
    "resolved_date",
    "made_date",
    "agreed_date",
    "created_date",
    "financials_date",
    "rate_date",
    "balance_date",
    "activity_at",
}


def row_warnings(
    frame: pl.DataFrame, table: Table, loaded_on: object, has_due_dates: bool
) -> tuple[list[Fault], pl.Series, pl.Series]:
    """Warnings by row, and for the file's verdict: rows due before their invoice date, rows that have both dates.

    Args:
        frame: rows of the contract.
        table: their table.
        loaded_on: the day of loading; later dates are future dates.
        has_due_dates: whether the mapping fills due dates at all; if not, blank ones are no news.
    """
    assert isinstance(loaded_on, date)  # noqa: S101  # the edge passes the day
    found = []
    for name in table.names:
        if name in HAPPENED and (latest := frame[name].max()) is not None:
            dates = frame[name].dt.date() if name.endswith("_at") else frame[name]
            if (latest if not name.endswith("_at") else dates.max()) > loaded_on:  # ty: ignore[unsupported-operator]
                rows = (dates > loaded_on).arg_true()
                says = f"is after the day of loading, {loaded_on}"
                found.append(Fault(rows, name, "future_date", dates.gather(rows).cast(pl.String), says))
    none = pl.repeat(False, frame.height, eager=True, dtype=pl.Boolean)
    if table.name != "invoices":
        return found, none, none
    is_debit = frame["document_type"].ne_missing("credit_memo")
    due, made = frame["due_date"], frame["invoice_date"]
    if has_due_dates and len(rows := (due.is_null() & is_debit).arg_true()):
        found.append(
            Fault(rows, "due_date", "blank_due_date", None, "is blank: the terms decide when it is due")
        )
    before = ((due < made) & is_debit).fill_null(False)
    if len(rows := before.arg_true()):
        text = due.gather(rows).cast(pl.String)
        found.append(Fault(rows, "due_date", "due_before_invoice_date", text, "is before the invoice date"))
    return found, before, (due.is_not_null() & made.is_not_null() & is_debit)
