"""Which runs are a measure for the next one, and what moved receivables without a posting."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import ledger_rows
import polars as pl
import pytest
from sqlalchemy import select

from flows.brakes import unexplained_since_letters_left
from o2c.contract import MONEY
from o2c.home import init_home
from o2c.ledger import Ledger
from o2c.ledger.run_measures import earlier_measures, record_measures
from o2c.ledger.tables import runs
from o2c.policy import load_policies
from o2c.postings import unexplained_changes
from o2c.run import Run
from o2c.run_measures import Measures
from o2c.settings import PROJECT, Settings
from o2c.warehouse import load_frame

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
TODAY = date(2026, 3, 12)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = Ledger(ledger_url)
    yield ledger
    ledger.engine.dispose()


def run(
    ledger: Ledger,
    day: int,
    count: int | None,
    *,
    is_sending: bool = True,
    state: str = "published",
    letter: str | None = "sent",
) -> None:
    """A run of a day of March with so many messages, and a letter of that day in a state."""
    as_of = date(2026, 3, day)
    number = ledger.start_run(f"{day:020}", as_of, is_sending=is_sending, now=NOW)
    if count is not None:
        record_measures(ledger.engine, number, Measures(message_count=count))
    ledger.finish_run(number, state, NOW)
    if letter is not None:
        name = f"{day}x{number}"
        batch = {"batch_id": f"{as_of}-b", "decided_as_of_date": as_of}
        ledger_rows.put(ledger.engine, ledger_rows.letter(name, state=letter, **batch))


def counts(ledger: Ledger, run_count: int = 5, as_of: date = TODAY) -> list[int]:
    return [one.message_count for one in earlier_measures(ledger.engine, as_of, run_count)]


def test_the_last_runs_that_sent_are_the_measure_the_latest_first(ledger: Ledger) -> None:
    for day in range(1, 9):
        run(ledger, day, day)
    assert counts(ledger) == [8, 7, 6, 5, 4]
    assert counts(ledger, 2) == [8, 7]


def test_of_a_day_the_last_run_counts_once(ledger: Ledger) -> None:
    run(ledger, 10, 1)
    run(ledger, 10, 2, letter=None)
    assert counts(ledger) == [2]


def test_runs_of_the_day_itself_and_of_later_days_are_no_measure(ledger: Ledger) -> None:
    run(ledger, 11, 11)
    run(ledger, 12, 12)
    run(ledger, 13, 13)
    assert counts(ledger) == [11]


@pytest.mark.parametrize(
    "strange",
    [
        {"is_sending": False}, {"state": "failed"}, {"count": None}, {"letter": "approval_pending"},
        {"letter": "cancelled"}, {"letter": None},
    ],
    ids=["only looked", "failed", "of an earlier version", "nobody approved", "people said no", "no letters"],
)  # fmt: skip
def test_a_run_that_sent_nothing_is_no_measure(ledger: Ledger, strange: dict) -> None:
    run(ledger, 9, 9)
    given = {"count": 10} | strange
    run(ledger, 10, given.pop("count"), **given)
    assert counts(ledger) == [9]


@pytest.mark.parametrize("letter", ["sending", "unknown", "delivered", "bounced"])
def test_a_run_of_which_a_letter_may_have_left_is_one(ledger: Ledger, letter: str) -> None:
    run(ledger, 10, 10, letter=letter)
    assert counts(ledger) == [10]


def test_measures_stand_beside_the_run_as_json(ledger: Ledger) -> None:
    run(ledger, 10, 10)
    with ledger.engine.connect() as con:
        kept = con.execute(select(runs.c.measures)).scalar_one()
    assert json.loads(kept)["message_count"] == 10


# ── postings ──

DOCUMENTS = {
    "receivables.fct_invoices": ("invoice_id", "invoice_amount", "invoice_date"),
    "receivables.fct_payments": ("payment_id", "payment_amount", "value_date"),
    "receivables.fct_adjustments": ("adjustment_id", "moved_amount", "effective_date"),
}
Rows = dict[str, list[tuple[str, str, int]]]
BEFORE: Rows = {
    "receivables.fct_invoices": [("I1", "100.00", -20), ("I2", "-30.00", -10)],
    "receivables.fct_payments": [("P1", "60.00", -5)],
    "receivables.fct_adjustments": [("A1", "5.00", -5)],
}


def table(mart: str, rows: list[tuple[str, str, int]], currency: str = "EUR") -> pl.DataFrame:
    key, amount, day = DOCUMENTS[mart]
    return pl.DataFrame(
        [(one, "DE01", currency, Decimal(money), TODAY + timedelta(days=days)) for one, money, days in rows],
        schema={
            key: pl.String,
            "entity_id": pl.String,
            "currency_code": pl.String,
            amount: MONEY,
            day: pl.Date,
        },
        orient="row",
    )


def unexplained(tmp_path: Path, now: Rows) -> list[tuple]:
    folder = tmp_path / "parquet"
    folder.mkdir()
    con = duckdb.connect()
    for mart, rows in BEFORE.items():
        table(mart, rows).write_parquet(folder / f"{mart}.parquet")
        load_frame(con, mart, table(mart, now.get(mart, rows)))
    return unexplained_changes(con, tmp_path, TODAY).rows()


def changed(mart: str, *rows: tuple[str, str, int]) -> Rows:
    return {f"receivables.fct_{mart}": list(rows)}


@pytest.mark.parametrize(
    ("now", "amount"),
    [
        ({}, None),
        (changed("invoices", ("I1", "100.00", -20), ("I2", "-30.00", -10), ("I3", "999.00", -1)), None),
        (changed("invoices", ("I1", "100.00", -20), ("I2", "-30.00", -10), ("I3", "999.00", -300)), None),
        (changed("payments", ("P1", "60.00", -5), ("P2", "7.00", 0)), None),
        (changed("invoices", ("I2", "-30.00", -10)), "-100"),
        (changed("invoices", ("I1", "100.00", -20)), "30"),
        (changed("invoices", ("I1", "100.01", -20), ("I2", "-30.00", -10)), "0.01"),
        (changed("payments"), "60"),
        (changed("payments", ("P1", "61.00", -5)), "-1"),
        (changed("adjustments"), "5"),
        (
            changed("invoices", ("I1", "160.00", -20), ("I2", "-30.00", -10))
            | changed("payments", ("P1", "120.00", -5)),
            None,
        ),
        (changed("invoices", ("I1", "100.00", 1), ("I2", "-30.00", -10)), "-100"),
    ],
    ids=[
        "nothing", "a new invoice", "a new invoice of long ago", "a new payment", "an invoice is gone",
        "a credit memo is gone", "a cent more", "a payment is gone", "a payment of another amount",
        "an adjustment is gone", "two changes that make up for each other", "a date in the future",
    ],
)  # fmt: skip
def test_what_is_gone_or_changed_moves_receivables_and_new_documents_are_postings(
    tmp_path: Path, now: Rows, amount: str | None
) -> None:
    assert unexplained(tmp_path, now) == ([] if amount is None else [("DE01", "EUR", Decimal(amount))])


def test_a_document_in_another_currency_is_gone_there_and_new_here(tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    folder.mkdir()
    con = duckdb.connect()
    for mart, rows in BEFORE.items():
        table(mart, rows).write_parquet(folder / f"{mart}.parquet")
        load_frame(con, mart, table(mart, rows, "CHF" if mart.endswith("payments") else "EUR"))
    assert unexplained_changes(con, tmp_path, TODAY).rows() == [
        ("DE01", "CHF", Decimal(-60)),
        ("DE01", "EUR", Decimal(60)),
    ]


def test_without_a_release_before_nothing_is_compared(tmp_path: Path) -> None:
    assert unexplained_changes(duckdb.connect(), tmp_path, TODAY).is_empty()


@pytest.mark.parametrize(
    ("found", "publishes", "letter", "amounts"),
    [
        ("7.00", "current", None, ["-93.0000"]),
        ("7.00", "current", "approval_pending", ["-93.0000"]),
        ("7.00", "current", "sent", ["-100.0000"]),
        ("100.00", "current", None, []),
        (None, "current", None, ["-100.0000"]),
        ("7.00", "dated", None, ["-100.0000"]),
    ],
    ids=[
        "only looked at", "nobody approved", "letters left on it", "put right since", "of an earlier version",
        "a past date",
    ],
)  # fmt: skip
def test_what_a_run_found_and_nobody_acted_upon_is_found_again(
    ledger: Ledger, tmp_path: Path, found: str | None, publishes: str, letter: str | None, amounts: list[str]
) -> None:
    """A run that only looks publishes, too: compared with its release alone, the change would be the usual."""
    home = init_home(tmp_path / "home", simulated=True, auto_approve=False)
    (home.published / "parquet").mkdir(parents=True)
    con = duckdb.connect()
    for mart, rows in BEFORE.items():
        table(mart, rows).write_parquet(home.published / "parquet" / f"{mart}.parquet")
        load_frame(con, mart, table(mart, [row for row in rows if row[0] != "I1"]))
    policies = load_policies(PROJECT / "policies")
    now = Run(Settings(), home, policies, ledger, TODAY, NOW, "2" * 20, True, [], lambda _line: None)
    number = ledger.start_run("1" * 20, TODAY, is_sending=False, now=NOW, publishes=publishes)
    if found is not None:
        measured = Measures(unexplained_amounts={"DE01 EUR": Decimal(found)})
        record_measures(ledger.engine, number, measured)
    ledger.finish_run(number, "published", NOW)
    if letter is not None:
        batch = {"batch_id": f"{TODAY}-11111111", "decided_as_of_date": TODAY}
        ledger_rows.put(ledger.engine, ledger_rows.letter("left", state=letter, **batch))
    assert [str(row["amount"]) for row in unexplained_since_letters_left(now, con).to_dicts()] == amounts
