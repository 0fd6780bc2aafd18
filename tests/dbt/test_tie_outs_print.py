"""Each total that must tie, when it does not, is told with the total it should meet and what both are about.

One cent, one row or one document is changed in what was built; then the tie-out is asked, as it was compiled.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from customer_books import Book, load_book, read_book
from duckdb import DuckDBPyConnection
from receivables_books import built
from test_collections import SLIPS

from flows import _dbt
from o2c.warehouse import connect

TESTS = Path(__file__).parents[2] / "dbt_project" / "tests"
JUNE = "date '2026-06-30'"
EUR, USD = "entity_id = 'E1' and currency_code = 'EUR'", "entity_id = 'E1' and currency_code = 'USD'"


class Slip(NamedTuple):
    """A change of one table, and a row of the tie-out that says so."""

    table: str
    change: str
    told: dict[str, str]


BROKEN = {
    "applications_are_conserved": Slip(
        "receivables.fct_payment_applications",
        "delete from {} where application_id = 'A9'",
        {"application_type": "discount", "recorded_amount": "1.6000", "published_amount": "0.0000"},
    ),
    "buckets_sum_to_open_amount": Slip(
        "receivables.fct_ar_aging",
        f"update {{}} set current_amount = 500.01 where customer_id = 'ACME' and as_of_date = {JUNE}",
        {
            "customer_id": "ACME",
            "currency_code": "EUR",
            "bucket_amount": "620.0100",
            "open_amount": "620.0000",
        },
    ),
    "cash_exceptions_have_something_to_decide": Slip(
        "receivables.fct_cash_exceptions",
        "insert into {} by name select 'P1' as payment_id, 'no_match' as reason_code, 399.99 as payment_amount",
        {"payment_id": "P1", "payment_amount": "399.9900", "stated_amount": "400.0000"},
    ),
    "cash_forecast_ties_to_net_receivables": Slip(
        "receivables.fct_cash_forecast",
        f"delete from {{}} where currency_code = 'USD' and as_of_date = {JUNE}",
        {
            "as_of_date": "2026-06-30",
            "currency_code": "USD",
            "expected_amount": "0.0000",
            "net_amount": "100.0000",
        },
    ),
    "cash_is_applied_on_account_or_in_suspense": Slip(
        "receivables.fct_ar_aging",
        "update {} set unapplied_amount = 32.99 where customer_id = '(unidentified)'",
        {"customer_id": "(unidentified)", "left_amount": "33.0000", "aged_amount": "32.9900"},
    ),
    "control_accounts_tie": Slip(
        "raw.ledger_balances",
        f"update {{}} set control_account_amount = 627.01 where {EUR}",
        {"currency_code": "EUR", "control_account_amount": "627.0100", "net_amount": "627.0000"},
    ),
    "currencies_have_rates": Slip(
        "receivables.fct_open_items",
        "update {} set group_open_amount = null where currency_code = 'USD'",
        {"as_of_date": "2026-06-30", "currency_code": "USD", "open_amount": "100.0000", "item_count": "1"},
    ),
    "disputes_tie_to_open_items": Slip(
        "receivables.fct_open_items",
        f"update {{}} set disputed_amount = 499 where invoice_id = 'I2' and as_of_date = {JUNE}",
        {"invoice_id": "I2", "open_disputed_amount": "500.0000", "disputed_amount": "499.0000"},
    ),
    "documents_are_conserved": Slip(
        "receivables.fct_invoices",
        "delete from {} where invoice_id = 'I10'",
        # all of E1's euros but the prepaid one and July's: 1000 500 200 120 300 55 40 80
        {
            "subject": "documents",
            "currency_code": "EUR",
            "raw_amount": "2295.0000",
            "mart_amount": "2215.0000",
        },
    ),
    "engine_applies_within_amounts": Slip(
        "receivables.fct_payment_applications",
        "update {} set applied_by = 'engine', applied_amount = 400.01 where application_id = 'A1'",
        {"subject": "payment", "subject_id": "P1", "whole_amount": "400.0000", "applied_amount": "400.0100"},
    ),
    "every_cent_of_cash_is_somewhere": Slip(
        "intermediate.int_applications_unioned",
        "update {} set applied_amount = 599.99 where application_id = 'A2'",
        {"landed_amount": "1331.4000", "applied_amount": "1248.3900", "unapplied_amount": "83.0000"},
    ),
    "expected_losses_tie_to_aging": Slip(
        "receivables.fct_expected_credit_loss",
        f"update {{}} set open_amount = 120.01 where open_amount = 120 and {EUR}",
        {"bucket_order": "2", "loss_open_amount": "120.0100", "aged_open_amount": "120.0000"},
    ),
    "group_rows_are_there": Slip(
        "intermediate.int_net_balances_dated",
        "update {} set unrated_count = 1 where entity_id = 'ALL';"
        "delete from receivables.fct_ar_kpis where entity_id = 'ALL'",
        {"as_of_date": "2026-06-30", "subject": "balances", "unrated_count": "1"},
    ),
    "kpis_tie_to_aging": Slip(
        "receivables.fct_ar_kpis",
        f"update {{}} set closing_net_amount = 99.99 where {USD} and as_of_date = {JUNE}",
        {"currency_code": "USD", "kpi_net_amount": "99.9900", "aged_net_amount": "100.0000"},
    ),
    "ledger_applies_within_amounts": Slip(
        "receivables.fct_payments",
        "update {} set applied_amount = 400.01, unapplied_amount = -0.01 where payment_id = 'P1'",
        {"subject": "payment", "subject_id": "P1", "whole_amount": "400.0000", "applied_amount": "400.0100"},
    ),
    "months_open_where_the_last_closed": Slip(
        "receivables.fct_ar_rollforward",
        f"update {{}} set opening_amount = 1640.01 where {EUR} and month_end_date = {JUNE}",
        {"month_end_date": "2026-05-31", "closing_amount": "1640.0000", "next_opening_amount": "1640.0100"},
    ),
    "net_receivables_roll_forward": Slip(
        "intermediate.int_net_balances_dated",
        f"update {{}} set net_amount = 627.01 where {EUR} and balance_date = {JUNE}",
        {"as_of_date": "2026-06-30", "standing_amount": "627.0000", "rolled_amount": "627.0100"},
    ),
    "open_items_tie_to_aging": Slip(
        "receivables.fct_open_items",
        "delete from {} where invoice_id = 'I5'",
        {
            "currency_code": "USD",
            "item_amount": "0.0000",
            "aged_amount": "100.0000",
            "document_amount": "100.0000",
        },
    ),
    "order_to_cash_conserves": Slip(
        "core.fct_order_to_cash",
        "delete from {} where invoice_id = 'I10' and event_type = 'discounted'",
        {"invoice_id": "I10", "currency_code": "EUR", "open_amount": "0.0000", "told_amount": "1.6000"},
    ),
    "payments_come_one_way": Slip(
        "raw.payments",
        "insert into {} select * replace (payment_id || 'b' as payment_id, '_bank' as _source) from {}"
        " where payment_amount > 0",
        # 400 700 120 77 78.40 33 500, each once by the bank and once by the ledger
        {"currency_code": "EUR", "bank_count": "7", "twice_count": "7", "twice_amount": "1908.4000"},
    ),
    "payments_tie_to_applications": Slip(
        "receivables.fct_payments",
        "update {} set unapplied_amount = 33.01 where payment_id = 'P8'",
        {"expected_amount": "83.0000", "payments_amount": "83.0100", "aged_amount": "83.0000"},
    ),
    "rolled_amounts_are_all_that_was_open": Slip(
        "receivables.fct_roll_rates",
        "delete from {} where to_bucket = 'written_off'",
        {
            "from_bucket": "1-30",
            "from_amount": "740.0000",
            "rolled_amount": "700.0000",
            "ratio_sum": "0.945946",
        },
    ),
    "rollforward_closes": Slip(
        "receivables.fct_ar_rollforward",
        f"update {{}} set written_off_amount = 39.99 where {EUR} and written_off_amount = 40",
        {"month_end_date": "2026-06-30", "rolled_amount": "627.0100", "closing_amount": "627.0000"},
    ),
    "rollforward_ties_to_aging": Slip(
        "receivables.fct_ar_rollforward",
        f"update {{}} set closing_amount = 99.99 where {USD} and month_end_date = {JUNE}",
        {"currency_code": "USD", "closing_amount": "99.9900", "aged_net_amount": "100.0000"},
    ),
    "segment_kpis_sum_to_the_whole": Slip(
        "receivables.fct_ar_segment_kpis",
        "delete from {} where segment = '(unidentified)'",
        {
            "segment_dimension": "risk_class",
            "closing_net_amount": "627.0000",
            "segments_net_amount": "660.0000",
        },
    ),
    "segments_sum_to_the_whole": Slip(
        "core.fct_segment_matrix",
        "update {} set revenue_amount = revenue_amount + 1 where revenue_amount > 0",
        {"as_of_date": "2026-05-31", "revenue_amount": "2211.0000", "segment_revenue_amount": "2210.0000"},
    ),
    "translation_is_what_the_rates_did": Slip(
        "receivables.fct_ar_rollforward",
        "update {} set fx_amount = -10.05 where entity_id = 'ALL' and fx_amount = -10",
        {
            "month_end_date": "2026-06-30",
            "fx_amount": "-10.0500",
            "translated_amount": "-10.0000000000000000",
        },
    ),
    "unapplied_cash_ages_in_full": Slip(
        "receivables.fct_unapplied_cash_aging",
        f"update {{}} set age_0_7_amount = age_0_7_amount + 0.01 where {EUR} and bank_account_id = 'ALL'",
        {"all_amount": "83.0000", "accounts_amount": "83.0000", "aging_amount": "83.0000"},
    ),
    "write_offs_come_one_way": Slip(
        "raw.payment_applications",
        "insert into {} by name select 'A99' as application_id, 'I8' as invoice_id, 'write_off' as application_type,"
        " 39 as applied_amount, date '2026-06-25' as application_date, 'ledger' as _source",
        {"_source": "ledger", "adjustment_amount": "40.0000", "applied_amount": "39.0000"},
    ),
}


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A small book built whole, and the tie-outs of the project as SQL."""
    folder = tmp_path_factory.mktemp("ties")
    build = load_book(read_book("recv_one_quarter"), folder)
    for tag in ("tag:cash", "tag:marts", "tag:decisions"):
        _dbt.run_models(build, folder, tag)
    compiled = _dbt._invoke(["compile", "--select", "test_type:singular"], build, folder)
    return build, {result.node.name: result.node.compiled_code for result in compiled.result.results}


@pytest.fixture
def con(quarter: tuple[Path, dict[str, str]]) -> Iterator[DuckDBPyConnection]:
    """What is changed is taken back after each test."""
    with connect(quarter[0]) as con:
        con.execute("begin")
        yield con
        con.execute("rollback")


def found(con: DuckDBPyConnection, sql: str) -> list[dict[str, str]]:
    rows = con.execute(sql)
    names = [column[0] for column in rows.description or ()]
    return [{name: str(value) for name, value in zip(names, row, strict=True)} for row in rows.fetchall()]


def change(con: DuckDBPyConnection, slip: Slip) -> None:
    """Some marts and all raw tables are views: what is to be changed becomes a table first."""
    if con.execute(
        "select 1 from duckdb_views() where schema_name || '.' || view_name = ?", [slip.table]
    ).fetchall():
        con.execute(f"create temp table kept as from {slip.table}")
        con.execute(f"drop view {slip.table}")
        con.execute(f"create table {slip.table} as from kept")
    for statement in slip.change.split(";"):
        con.execute(statement.replace("{}", slip.table))


@pytest.mark.parametrize("name", BROKEN)
def test_a_total_that_does_not_tie_is_told_beside_the_other(
    name: str, quarter: tuple[Path, dict[str, str]], con: DuckDBPyConnection
) -> None:
    sql, slip = quarter[1][f"assert_{name}"], BROKEN[name]
    before = found(con, sql)
    change(con, slip)
    new = [row for row in found(con, sql) if row not in before]
    assert any(slip.told.items() <= row.items() for row in new), new


def test_every_tie_out_has_been_seen_to_fail() -> None:
    tried = {f"assert_{name}" for name in BROKEN} | set(SLIPS)
    assert {path.stem for path in TESTS.glob("assert_*.sql")} - tried == set()


def test_before_anything_is_changed_all_ties_but_a_cent_of_dollars(
    quarter: tuple[Path, dict[str, str]], con: DuckDBPyConnection
) -> None:
    """The book's control account of dollars is a cent short by itself; nothing else is found."""
    wrong = {name: found(con, quarter[1][f"assert_{name}"]) for name in BROKEN}
    assert {name: rows for name, rows in wrong.items() if rows} == {
        "control_accounts_tie": [
            {"entity_id": "E1", "currency_code": "USD", "balance_date": "2026-06-30"}
            | {"control_account_amount": "99.9900", "net_amount": "100.0000"}
        ]
    }


def test_an_application_ahead_of_its_payment_or_document_is_not_missed(tmp_path: Path) -> None:
    """Dated before the as-of date, while what it settles, or settles with, comes after: it counts from then on."""
    document = {"entity_id": "E", "customer_id": "C", "currency_code": "EUR", "document_type": "invoice"}
    tables = {
        "invoices": [
            document
            | {"invoice_id": name, "invoice_number": name, "invoice_date": dated, "invoice_amount": 10}
            for name, dated in (("now", "2026-03-01"), ("later", "2026-04-01"))
        ],
        "payments": [
            {"payment_id": name, "entity_id": "E", "customer_id": "C", "currency_code": "EUR"}
            | {"value_date": valued, "payment_amount": 10}
            for name, valued in (("P", "2026-03-10"), ("Q", "2026-04-01"))
        ],
        "payment_applications": [
            {"application_id": f"{payment}{document}", "payment_id": payment, "invoice_id": document}
            | {"application_date": "2026-03-15", "applied_amount": 5, "application_type": "payment"}
            for payment, document in (("P", "now"), ("P", "later"), ("Q", "now"))
        ],
    }
    build = built(Book(tables, [date(2026, 3, 31)]), tmp_path / "book")
    assert _dbt.run_tests(build, build.parent, "assert_applications_are_conserved", exclude="") == []
