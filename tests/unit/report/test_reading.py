"""What the page reads: rows of its date, ranked without ties left to chance, nothing where a mart is not there."""

import re
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from o2c.report.reading import CUSTOMERS_SHOWN, MARTS_READ, Figures, read_figures

MARTS = Path(__file__).parents[3] / "dbt_project" / "models" / "marts"
DAY = date(2026, 9, 30)
AGING = (
    "entity_id text, customer_id text, currency_code text, as_of_date date, current_amount decimal(18, 4),"
    " past_due_1_30_amount decimal(18, 4), past_due_31_60_amount decimal(18, 4), past_due_61_90_amount decimal(18, 4),"
    " past_due_over_90_amount decimal(18, 4), open_amount decimal(18, 4), credit_memo_amount decimal(18, 4),"
    " unapplied_amount decimal(18, 4), net_amount decimal(18, 4), disputed_amount decimal(18, 4),"
    " oldest_days_past_due bigint"
)
CUSTOMERS = (
    "customer_id text, customer_name text, group_currency_code text, group_open_amount decimal(18, 4),"
    " group_past_due_amount decimal(18, 4), group_disputed_amount decimal(18, 4), oldest_days_past_due bigint"
)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """A database with aging and customers alone."""
    con = duckdb.connect()
    con.execute("create schema receivables; create schema core;")
    con.execute(f"create table receivables.fct_ar_aging ({AGING})")
    con.execute(f"create table core.dim_customers ({CUSTOMERS})")
    return con


def owe(
    con: duckdb.DuckDBPyConnection, customer: str, past_due: str, day: date = DAY, code: str = "EUR"
) -> None:
    con.execute(
        "insert into receivables.fct_ar_aging values ('A', ?, ?, ?, 10, ?, 0, 0, 0, 10 + ?, 1, 2, 0, 0, 5)",
        [customer, code, day, Decimal(past_due), Decimal(past_due)],
    )


def test_the_marts_that_are_read_are_those_the_exposure_names() -> None:
    exposures = yaml.safe_load((MARTS / "exposures.yml").read_text())["exposures"]
    page = next(one for one in exposures if one["name"] == "finance_page")
    named = {re.fullmatch(r"ref\('(\w+)'\)", one)[1] for one in page["depends_on"]}  # type: ignore[index]
    assert named == {mart.partition(".")[2] for mart in MARTS_READ}


def test_a_database_without_marts_has_no_figures() -> None:
    figures = read_figures(duckdb.connect(), DAY)
    parts = {part.name for part in fields(Figures)} - {"absent"}
    assert figures == Figures(absent=frozenset(parts))


def test_the_largest_are_shown_and_among_equals_the_smaller_id(con: duckdb.DuckDBPyConnection) -> None:
    for number in range(12, 0, -1):
        owe(con, f"C{number:02d}", "100.0000")
    owe(con, "C99", "100.0001")
    owe(con, "C00", "0")
    owe(con, "B00", "900", day=date(2026, 9, 29))
    ranked = [(row["debtor_rank"], row["customer_id"]) for row in read_figures(con, DAY).debtors]
    assert ranked == list(
        enumerate(["C99", *(f"C{number:02d}" for number in range(1, CUSTOMERS_SHOWN))], start=1)
    )


def test_the_group_is_ranked_by_group_currency_and_no_one_without_a_rate_is(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("insert into core.dim_customers values ('C1', 'One', 'EUR', 90, 70, 0, 3), ('C2', 'Two', 'EUR', null,"
                " null, null, 4), ('C3', 'Three', 'EUR', 80, 75, 5, 9)")  # fmt: skip
    group = [(row["customer_id"], row["past_due_amount"]) for row in read_figures(con, DAY).debtors]
    assert group == [("C3", Decimal("75.0000")), ("C1", Decimal("70.0000"))]


def test_balances_are_summed_by_entity_and_currency_without_a_float(con: duckdb.DuckDBPyConnection) -> None:
    owe(con, "C1", "0.1000")
    owe(con, "C2", "0.2000")
    owe(con, "C3", "5", code="USD")
    rows = [(row["currency_code"], row["past_due_1_30_amount"], row["customer_count"], row["credit_memo_amount"])
            for row in read_figures(con, DAY).balances]  # fmt: skip
    assert rows == [
        ("EUR", Decimal("0.3000"), 2, Decimal("2.0000")),
        ("USD", Decimal("5.0000"), 1, Decimal("1.0000")),
    ]
