"""Random ledgers, a thousand to a build: every published figure is what the slow way by the definitions says.

``O2C_ORACLE=10000`` tries ten thousand. A ledger is one or two entities, so that one build holds them all apart.
"""

import os
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from balances_by_hand import BUCKETS, Balances
from comparison import TABLES, Build, built, differences, published, worked_out
from ledger_pen import Ledger
from random_ledgers import random_ledgers

from flows import _dbt

LEDGERS = int(os.environ.get("O2C_ORACLE", "1000"))
PER_BUILD = 1000
RUN_DATES = (
    (date(2025, 12, 31), date(2026, 2, 14), date(2026, 5, 31)),
    (date(2026, 1, 1), date(2026, 2, 28), date(2026, 4, 30)),
    (date(2025, 11, 30), date(2026, 3, 1), date(2026, 3, 30)),
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


class Tried(NamedTuple):
    """Many ledgers in one build, and what comes of them by hand."""

    build: Build
    ledgers: list[Ledger]
    by_hand: dict[str, dict[tuple, tuple]]


def together(ledgers: list[Ledger]) -> dict[str, list[dict[str, Any]]]:
    """Their rows by table."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for ledger in ledgers:
        for name, rows in ledger.tables.items():
            tables[name] += rows
    return tables


@pytest.fixture(scope="module", params=range(-(-LEDGERS // PER_BUILD)))
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    seed = request.param
    run_dates = RUN_DATES[seed % len(RUN_DATES)]
    ledgers = random_ledgers(seed, min(PER_BUILD, LEDGERS - seed * PER_BUILD), run_dates)
    build = built(together(ledgers), run_dates, tmp_path_factory.mktemp(f"oracle{seed}") / "book")
    return Tried(build, ledgers, worked_out([ledger.tables for ledger in ledgers], build))


@pytest.mark.parametrize("subject", TABLES)
def test_every_figure_is_that_of_the_definitions(tried: Tried, subject: str) -> None:
    """Not a cent and not a day apart; of those that differ the smallest ledger is told whole."""
    answers = TABLES[subject]
    by_hand = tried.by_hand[subject]
    wrong = differences(answers, by_hand, published(tried.build, answers))
    assert len(by_hand) > len(tried.ledgers)
    if wrong:
        of_ledger = defaultdict(list)
        for key, told in wrong:
            of_ledger[key[0][:-1]].append(told)
        smallest = min((one for one in tried.ledgers if one.name in of_ledger), key=lambda one: one.size)
        pytest.fail(
            f"{answers.table}: {len(wrong)} of {len(by_hand)} rows differ, in {len(of_ledger)} of"
            f" {len(tried.ledgers)} ledgers. The smallest is {smallest.name}:\n{smallest.told()}\n"
            + "\n".join(of_ledger[smallest.name][:5]),
            pytrace=False,
        )


def test_totals_tie_on_random_ledgers(tried: Tried) -> None:
    assert _dbt.run_tests(tried.build.path, tried.build.path.parent, TIES, exclude="") == []


def test_the_roll_forward_by_hand_closes(tried: Tried) -> None:
    """The slow way has closing balances out of open items and flows out of documents: they must meet, too."""
    for key, (opening, *flows, closing) in tried.by_hand["rollforward"].items():
        invoiced, *lowering = flows
        assert closing == opening + invoiced - sum(lowering, Decimal(0)), key


def test_the_ledgers_have_all_that_can_happen(tried: Tried) -> None:
    """A generator that no longer makes reversals, say, would leave every other test green."""
    by_table = together(tried.ledgers)
    balances = [Balances(ledger.tables) for ledger in tried.ledgers]
    items = [item for book in balances for item in book.items(max(tried.build.run_dates))]
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
    assert {name: count for name, count in counts.items() if count < len(tried.ledgers) // 100} == {}
