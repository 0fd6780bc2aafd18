"""Random ledgers, a thousand to a build: every published figure is what the slow way by the definitions says.

``O2C_ORACLE=10000`` tries ten thousand. A ledger is one or two entities, so that one build holds them all apart.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from balances_by_hand import BUCKETS, Balances
from customer_books import Book, load_book
from figures_by_hand import Figures
from random_ledgers import Ledger, random_ledgers

from flows import _dbt
from flows.build import month_ends
from o2c.warehouse import connect

LEDGERS = int(os.environ.get("O2C_ORACLE", "1000"))
PER_BUILD = 1000
MODELS = (
    "+fct_open_items +fct_ar_aging +fct_ar_rollforward +fct_ar_kpis"
    " +fct_invoices +fct_payments +fct_payment_applications"
)
RUN_DATES = (
    (date(2025, 12, 31), date(2026, 2, 14), date(2026, 5, 31)),
    (date(2026, 1, 1), date(2026, 2, 28), date(2026, 4, 30)),
    (date(2025, 11, 30), date(2026, 3, 1), date(2026, 3, 30)),
)
BUCKET_COLUMNS = (
    "current_amount",
    "past_due_1_30_amount",
    "past_due_31_60_amount",
    "past_due_61_90_amount",
    "past_due_over_90_amount",
)
TIES = " ".join(
    f"assert_{name}"
    for name in (
        "rollforward_closes",
        "months_open_where_the_last_closed",
        "rollforward_ties_to_aging",
        "buckets_sum_to_open_amount",
        "open_items_tie_to_aging",
        "net_receivables_roll_forward",
        "kpis_tie_to_aging",
        "documents_are_conserved",
        "applications_are_conserved",
        "payments_tie_to_applications",
        "every_cent_of_cash_is_somewhere",
    )
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
    """What was built of many ledgers, and on which days."""

    path: Path
    ledgers: list[Ledger]
    run_dates: tuple[date, ...]
    kpi_dates: list[date]
    by_hand: dict[str, dict[tuple, tuple]]


def last_of_month(days: Iterable[date]) -> list[date]:
    """Of each month the last day, as the roll-forward sees it."""
    return sorted({(day.year, day.month): day for day in sorted(days)}.values())


def worked_out(build: Build) -> dict[str, dict[tuple, tuple]]:
    """Every row of every table, the slow way."""
    found: dict[str, dict[tuple, tuple]] = {name: {} for name in TABLES}
    days = sorted({*build.run_dates, *build.kpi_dates})
    for ledger in build.ledgers:
        balances = Balances(ledger.tables)
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


@pytest.fixture(scope="module", params=range(-(-LEDGERS // PER_BUILD)))
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    seed = request.param
    run_dates = RUN_DATES[seed % len(RUN_DATES)]
    ledgers = random_ledgers(seed, min(PER_BUILD, LEDGERS - seed * PER_BUILD), run_dates)
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for ledger in ledgers:
        for name, rows in ledger.tables.items():
            tables[name] += rows
    first = min(
        chain(
            (row["invoice_date"] for row in tables["invoices"]),
            (row["value_date"] for row in tables["payments"]),
        )
    )
    kpi_dates = month_ends(first, max(run_dates))
    folder = tmp_path_factory.mktemp(f"oracle{seed}") / "book"
    folder.mkdir()
    path = load_book(Book(tables, run_dates, kpi_dates), folder)
    _dbt.run_models(path, folder, MODELS)
    made = Build(path, ledgers, run_dates, kpi_dates, {})
    return made._replace(by_hand=worked_out(made))


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


@pytest.mark.parametrize("subject", TABLES)
def test_every_figure_is_that_of_the_definitions(build: Build, subject: str) -> None:
    """Not a cent and not a day apart; of those that differ the smallest ledger is told whole."""
    answers = TABLES[subject]
    by_hand = build.by_hand[subject]
    wrong = differences(answers, by_hand, published(build, answers))
    assert len(by_hand) > len(build.ledgers)
    if wrong:
        of_ledger = defaultdict(list)
        for key, told in wrong:
            of_ledger[key[0][:-1]].append(told)
        smallest = min((one for one in build.ledgers if one.name in of_ledger), key=lambda one: one.size)
        pytest.fail(
            f"{answers.table}: {len(wrong)} of {len(by_hand)} rows differ, in {len(of_ledger)} of"
            f" {len(build.ledgers)} ledgers. The smallest is {smallest.name}:\n{smallest.told()}\n"
            + "\n".join(of_ledger[smallest.name][:5]),
            pytrace=False,
        )


def test_totals_tie_on_random_ledgers(build: Build) -> None:
    assert _dbt.run_tests(build.path, build.path.parent, TIES, exclude="") == []


def test_the_roll_forward_by_hand_closes(build: Build) -> None:
    """The slow way has closing balances out of open items and flows out of documents: they must meet, too."""
    for key, (opening, *flows, closing) in build.by_hand["rollforward"].items():
        invoiced, *lowering = flows
        assert closing == opening + invoiced - sum(lowering, Decimal(0)), key


def test_the_ledgers_have_all_that_can_happen(build: Build) -> None:
    """A generator that no longer makes reversals, say, would leave every other test green."""
    by_table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for ledger in build.ledgers:
        for name, rows in ledger.tables.items():
            by_table[name] += rows
    balances = [Balances(ledger.tables) for ledger in build.ledgers]
    items = [item for book in balances for item in book.items(max(build.run_dates))]
    counts = {
        "overpaid": sum(item.open_amount < 0 and item.aging_bucket is not None for item in items),
        "credit memos open": sum(item.aging_bucket is None for item in items),
        "partly disputed": sum(0 < item.disputed_amount < item.open_amount for item in items),
        "no due date": sum(row["due_date"] is None for row in by_table["invoices"]),
        "cancelled": sum(row["status"] == "cancelled" for row in by_table["invoices"]),
        "prepaid": sum(row["settlement"] == "prepaid" for row in by_table["payments"]),
        "unknown payers": sum(row["customer_id"] is None for row in by_table["payments"]),
        "returned": sum(row["payment_amount"] < 0 for row in by_table["payments"]),
        "instalments": len(by_table["installments"]),
        "due today": sum(item.days_past_due == 0 for item in items),
    }
    for kind in ("payment", "credit_memo", "discount", "write_off", "reversal"):
        counts[kind] = sum(row["application_type"] == kind for row in by_table["payment_applications"])
    for kind in ("write_off", "fx", "other"):
        counts[f"{kind} adjusted"] = sum(row["adjustment_type"] == kind for row in by_table["adjustments"])
    for bucket in BUCKETS:
        counts[bucket] = sum(item.aging_bucket == bucket for item in items)
    assert {name: count for name, count in counts.items() if count < len(build.ledgers) // 100} == {}
