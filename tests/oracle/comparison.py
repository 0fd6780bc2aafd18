"""What the models publish beside what the definitions give, row by row."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from balances_by_hand import Balances
from customer_books import Book, load_book
from figures_by_hand import Figures

from flows import _dbt
from flows.build import month_ends
from o2c.warehouse import connect

MODELS = (
    "+fct_open_items +fct_ar_aging +fct_ar_rollforward +fct_ar_kpis"
    " +fct_invoices +fct_payments +fct_payment_applications"
)
BUCKET_COLUMNS = (
    "current_amount",
    "past_due_1_30_amount",
    "past_due_31_60_amount",
    "past_due_61_90_amount",
    "past_due_over_90_amount",
)


class Answers(NamedTuple):
    """A table's values by its keys, the entity first: by hand and by the models."""

    table: str
    columns: tuple[str, ...]
    keys: int
    """How many of the columns are the key."""


TABLES = {
    "items": Answers(
        "receivables.fct_open_items",
        (
            *("entity_id", "as_of_date", "invoice_id", "installment_number"),
            *("currency_code", "customer_id", "document_type", "open_amount", "disputed_amount"),
            *("due_date", "days_past_due", "aging_bucket"),
        ),
        4,
    ),
    "aging": Answers(
        "receivables.fct_ar_aging",
        (
            *("entity_id", "as_of_date", "currency_code", "customer_id"),
            *BUCKET_COLUMNS,
            *("open_amount", "credit_memo_amount", "unapplied_amount", "net_amount", "disputed_amount"),
            "oldest_days_past_due",
        ),
        4,
    ),
    "rollforward": Answers(
        "receivables.fct_ar_rollforward",
        (
            *("entity_id", "as_of_date", "currency_code"),
            *("opening_amount", "invoiced_amount", "credited_amount", "collected_amount", "discount_amount"),
            *("written_off_amount", "adjusted_amount", "closing_amount"),
        ),
        3,
    ),
    "kpis": Answers(
        "receivables.fct_ar_kpis",
        (
            *("entity_id", "as_of_date", "currency_code"),
            *("credit_sales_amount", "closing_open_amount", "closing_net_amount", "past_due_amount"),
            *("trapped_cash_amount", "dso_days", "dso_countback_days", "best_possible_dso_days"),
            *("average_days_delinquent", "collection_effectiveness_ratio"),
            *(
                "collection_effectiveness_quarter_ratio",
                "ar_turnover_ratio",
                "past_due_ratio",
                "over_90_ratio",
            ),
            *("past_due_invoice_ratio", "weighted_days_to_pay", "weighted_days_late", "bad_debt_ratio"),
        ),
        3,
    ),
}


class Build(NamedTuple):
    """A build file, and the days it is about: those of its runs and the month ends before the last."""

    path: Path
    run_dates: Sequence[date]
    kpi_dates: Sequence[date]


def built(tables: dict[str, list[dict[str, Any]]], run_dates: Sequence[date], folder: Path) -> Build:
    """The tables that are compared, built of a ledger's rows."""
    folder.mkdir()
    first = min(
        min(row["invoice_date"] for row in tables["invoices"]),
        min(row["value_date"] for row in tables["payments"]),
    )
    kpi_dates = month_ends(first, max(run_dates))
    path = load_book(Book(tables, run_dates, kpi_dates), folder)
    _dbt.run_models(path, folder, MODELS)
    return Build(path, run_dates, kpi_dates)


def last_of_month(days: Iterable[date]) -> list[date]:
    """Of each month the last day, as the roll-forward sees it."""
    return sorted({(day.year, day.month): day for day in sorted(days)}.values())


def worked_out(ledgers: Iterable[dict], build: Build) -> dict[str, dict[tuple, tuple]]:
    """Every row of every table, the slow way, ledger by ledger."""
    found: dict[str, dict[tuple, tuple]] = {name: {} for name in TABLES}
    days = sorted({*build.run_dates, *build.kpi_dates})
    for tables in ledgers:
        balances = Balances(tables)
        figures = Figures(balances)
        for day in build.run_dates:
            for item in balances.items(day):
                key = (item.entity_id, day, item.invoice_id, item.installment_number)
                found["items"][key] = (item.currency_code, item.customer_id, *item[5:])
            for (entity, currency, customer), row in balances.aging(day).items():
                found["aging"][entity, day, currency, customer] = tuple(row)
        for day in days:
            for (entity, currency), kpis in figures.kpis(day).items():
                columns = TABLES["kpis"].columns[TABLES["kpis"].keys :]
                found["kpis"][entity, day, currency] = tuple(kpis[name] for name in columns)
        for day in last_of_month(days):
            for (entity, currency), row in figures.rollforward(day).items():
                found["rollforward"][entity, day, currency] = row
    return found


def published(build: Build, answers: Answers) -> dict[tuple, tuple]:
    """The table as the models made it; rows of nothing but zeros say nothing."""
    with connect(build.path, read_only=True) as con:
        rows = con.execute(
            f"select {', '.join(answers.columns)} from {answers.table} where entity_id <> 'ALL'"
        ).fetchall()
    return {
        row[: answers.keys]: row[answers.keys :]
        for row in rows
        if answers.table != "receivables.fct_ar_aging" or any(row[answers.keys :])
    }


def differences(answers: Answers, by_hand: dict[tuple, tuple], by_models: dict[tuple, tuple]) -> list[tuple]:
    """Key and text of each row that differs: in one only, or with the columns and both of their values."""
    found = []
    for key in by_hand.keys() | by_models.keys():
        hand, models = by_hand.get(key), by_models.get(key)
        if hand == models:
            continue
        names = answers.columns[answers.keys :]
        if hand is None or models is None:
            told = f"by hand {said(hand)}, by the models {said(models)}"
        else:
            told = "; ".join(
                f"{name}: by hand {left}, by the models {right}"
                for name, left, right in zip(names, hand, models, strict=True)
                if left != right
            )
        found.append((key, f"{', '.join(map(str, key))}: {told}"))
    return sorted(found)


def said(row: tuple | None) -> str:
    return "no row" if row is None else ", ".join(map(str, row))
