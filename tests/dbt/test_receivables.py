"""One quarter worked out by hand: what is open, how old, what was paid how late, and that it all ties."""

from datetime import date

import polars as pl
import pytest
from customer_books import read_book
from polars.testing import assert_frame_equal
from receivables_books import built, frame, on_dates, read

from flows import _dbt
from o2c import warehouse

BOOK = read_book("recv_one_quarter")
JUNE = "as_of_date = date '2026-06-30'"


@pytest.fixture(scope="module")
def quarter(tmp_path_factory):
    return built(BOOK, tmp_path_factory.mktemp("recv") / "quarter")


def test_documents_are_as_settled_as_the_ledger_says(quarter):
    columns = "invoice_id, status, invoice_amount, applied_amount, written_off_amount, open_amount, disputed_amount,"
    assert read(
        quarter, "receivables.fct_invoices", columns + " due_date, settled_date, days_to_pay, days_late"
    ) == [
        ("I1", "paid", "1000", "1000", "0", "0", "0", "2026-05-10", "2026-06-20", 71, 41),
        ("I10", "paid", "80", "80", "0", "0", "0", "2026-05-20", "2026-05-18", 8, -2),
        ("I2", "open", "500", "0", "0", "500", "500", "2026-06-30", None, None, None),
        ("I3", "partly_paid", "200", "80", "0", "120", "0", "2026-06-29", None, None, None),
        ("I4", "partly_paid", "300", "120", "0", "180", "0", "2026-07-15", None, None, None),
        ("I5", "open", "100", "0", "0", "100", "0", "2026-05-20", None, None, None),
        ("I7", "cancelled", "55", "0", "0", "0", "0", "2026-05-12", None, None, None),
        ("I8", "written_off", "40", "0", "40", "0", "0", "2026-05-15", "2026-06-25", None, None),
        ("M1", "partly_paid", "-120", "-30", "0", "-90", "0", "2026-06-01", None, None, None),
    ]


def test_open_items_stand_on_each_run_date_with_their_age(quarter):
    columns = (
        "as_of_date, invoice_id, installment_number, currency_code, open_amount, disputed_amount, group_open_amount,"
        " days_past_due, aging_bucket, due_date"
    )
    assert read(quarter, "receivables.fct_open_items", columns) == [
        ("2026-05-31", "I1", 1, "EUR", "600", "0", "600", 21, "1-30", "2026-05-10"),
        ("2026-05-31", "I2", 1, "EUR", "500", "0", "500", -30, "current", "2026-06-30"),
        ("2026-05-31", "I3", 1, "EUR", "200", "0", "200", -29, "current", "2026-06-29"),
        ("2026-05-31", "I4", 1, "EUR", "100", "50", "100", 30, "1-30", "2026-05-01"),
        ("2026-05-31", "I4", 2, "EUR", "200", "0", "200", -45, "current", "2026-07-15"),
        ("2026-05-31", "I8", 1, "EUR", "40", "0", "40", 16, "1-30", "2026-05-15"),
        ("2026-06-30", "I2", 1, "EUR", "500", "500", "500", 0, "current", "2026-06-30"),
        ("2026-06-30", "I3", 1, "EUR", "120", "0", "120", 1, "1-30", "2026-06-29"),
        ("2026-06-30", "I4", 2, "EUR", "180", "0", "180", -15, "current", "2026-07-15"),
        ("2026-06-30", "I5", 1, "USD", "100", "0", "80", 41, "31-60", "2026-05-20"),
        ("2026-06-30", "M1", 1, "EUR", "-90", "0", "-90", 29, None, "2026-06-01"),
    ]


def test_aging_nets_within_customer_and_currency(quarter):
    columns = (
        "customer_id, currency_code, current_amount, past_due_1_30_amount, past_due_31_60_amount, open_amount,"
        " credit_memo_amount, unapplied_amount, net_amount, disputed_amount, oldest_days_past_due"
    )
    assert read(quarter, "receivables.fct_ar_aging", columns, JUNE) == [
        ("(unidentified)", "EUR", "0", "0", "0", "0", "0", "33", "-33", "0", None),
        ("ACME", "EUR", "500", "120", "0", "620", "90", "50", "480", "500", 1),
        ("BETA", "EUR", "180", "0", "0", "180", "0", "0", "180", "0", None),
        ("BETA", "USD", "0", "0", "100", "100", "0", "0", "100", "0", 41),
    ]


def test_payments_are_applied_on_account_in_suspense_or_reversed(quarter):
    columns = "payment_id, customer_id, payment_amount, applied_amount, unapplied_amount, status"
    assert read(quarter, "receivables.fct_payments", columns) == [
        ("P1", "ACME", "400", "400", "0", "applied"),
        ("P2", "ACME", "700", "650", "50", "partly_applied"),
        ("P3", "BETA", "120", "120", "0", "applied"),
        ("P4", "BETA", "100", "100", "0", "reversed"),
        ("P5", "BETA", "-100", "-100", "0", "reversed"),
        ("P7", "BETA", "78.4", "78.4", "0", "applied"),
        ("P8", None, "33", "0", "33", "suspense"),
    ]


def test_applications_count_from_the_latest_of_the_dates_concerned(quarter):
    columns = (
        "application_id, payment_id, invoice_id, customer_id, applied_amount, discount_amount, application_date,"
        " effective_date, applied_by"
    )
    assert read(quarter, "receivables.fct_payment_applications", columns, "invoice_id in ('I3', 'I10')") == [
        ("A3", "P2", "I3", "ACME", "50", "0", "2026-06-18", "2026-06-20", "ledger"),
        ("A4", None, "I3", "ACME", "30", "0", "2026-06-05", "2026-06-05", "ledger"),
        ("A8", "P7", "I10", "BETA", "78.4", "0", "2026-05-18", "2026-05-18", "ledger"),
        ("A9", "P7", "I10", "BETA", "1.6", "1.6", "2026-05-18", "2026-05-18", "ledger"),
    ]


def test_key_figures_of_the_quarter(quarter):
    columns = (
        "credit_sales_amount, closing_open_amount, closing_net_amount, past_due_amount, trapped_cash_amount, dso_days,"
        " dso_countback_days, best_possible_dso_days, average_days_delinquent, collection_effectiveness_ratio,"
        " collection_effectiveness_quarter_ratio, ar_turnover_ratio, past_due_ratio, over_90_ratio,"
        " past_due_invoice_ratio, weighted_days_to_pay, weighted_days_late, bad_debt_ratio"
    )
    where = f"{JUNE} and entity_id = 'E1' and currency_code = 'EUR'"
    assert read(quarter, "receivables.fct_ar_kpis", columns, where) == [
        (
            *("1700", "800", "627", "120", "-53", "33.194118", "53.703659", "36", "-2.805882"),
            *("1.063095", None, "6.379585", "0.15", "0", "0.333333", "50.806793", "14.252804", "0.02"),
        )
    ]


def test_all_entities_stand_in_group_currency_at_the_rates_of_their_days(quarter):
    columns = (
        "as_of_date, currency_code, credit_sales_amount, closing_open_amount, closing_net_amount, past_due_amount,"
        " dso_days, best_possible_dso_days"
    )
    assert read(quarter, "receivables.fct_ar_kpis", columns, f"entity_id = 'ALL' and {JUNE}") == [
        ("2026-06-30", "EUR", "1790", "880", "707", "200", "35.547486", "34.189944")
    ]


def test_every_date_of_the_run_has_key_figures(quarter):
    assert read(quarter, "receivables.fct_ar_kpis", "as_of_date, entity_id, currency_code") == [
        (day, entity, currency)
        for day in ("2026-04-30", "2026-05-31", "2026-06-30")
        for entity, currency in (("ALL", "EUR"), ("E1", "EUR"), ("E1", "USD"))
    ]


@pytest.mark.parametrize(
    "day", [date(2026, 5, 31), date(2026, 6, 30)], ids=["an earlier date", "the last date"]
)
def test_a_backfill_gives_each_date_the_rows_of_its_own_night(quarter, tmp_path, day):
    night = built(on_dates(BOOK, day), tmp_path / "night")
    for table in ("receivables.fct_open_items", "receivables.fct_ar_aging", "receivables.fct_ar_kpis"):
        alone = frame(night, table).filter(pl.col("as_of_date") == day)
        assert not alone.is_empty()
        assert_frame_equal(
            frame(quarter, table).filter(pl.col("as_of_date") == day), alone, check_row_order=False
        )


def test_books_tie_and_a_control_account_that_differs_is_a_warning(quarter):
    findings = _dbt.run_tests(
        quarter, quarter.parent, "tag:ties test_name:keyed_by,path:models/marts/receivables", exclude=""
    )
    assert [(finding.name, finding.severity, finding.rows.strip()) for finding in findings] == [
        (
            "assert_control_accounts_tie",
            "warn",
            "entity_id E1, currency_code USD, balance_date 2026-06-30, control_account_amount 99.9900,"
            " net_amount 100.0000",
        )
    ]


def test_a_tie_out_that_fails_names_both_totals(quarter, tmp_path):
    broken = built(BOOK, tmp_path / "broken")
    con = warehouse.connect(broken)
    con.execute(
        "update receivables.fct_ar_aging set open_amount = open_amount + 0.01 where customer_id = 'BETA'"
    )
    con.close()
    with pytest.raises(_dbt.BuildFailed) as failure:
        _dbt.run_tests(broken, broken.parent, "tag:ties", exclude="")
    message = str(failure.value)
    assert "assert_buckets_sum_to_open_amount: 3 rows" in message
    assert "customer_id BETA, currency_code USD, bucket_amount 100.0000, open_amount 100.0100" in message
    assert "assert_open_items_tie_to_aging: 3 rows" in message
