"""Figures of PROFILE §7 that a ledger must come near to; how near is said with each."""

from collections import Counter

import polars as pl
import pytest

from o2c.demo import CLEAN, generate


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """20,000 invoices over 700 customers, as in PROFILE §7.1."""
    folder = tmp_path_factory.mktemp("shape")
    generate(folder, invoices=20_000, customers=700, seed=1, file_format="parquet", dirt=CLEAN)
    return {path.stem: pl.read_parquet(path) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def invoices(ledger):
    planted = pl.col("customer_id") >= "0000900000"
    return ledger["invoices"].filter((pl.col("document_type") == "invoice") & ~planted)


def share(values: pl.Series) -> float:
    return values.sum() / len(values)


def test_nine_customers_in_a_hundred_hold_most_of_the_amount(invoices):
    totals = (
        invoices.group_by("customer_id")
        .agg(pl.col("invoice_amount").sum())
        .sort("invoice_amount", descending=True)
    )
    held = totals["invoice_amount"].head(totals.height * 9 // 100).sum() / totals["invoice_amount"].sum()
    assert 0.60 <= float(held) <= 0.90


def test_the_largest_customer_has_a_seventh_of_the_documents(invoices):
    assert 0.10 <= max(Counter(invoices["customer_id"]).values()) / invoices.height <= 0.20


def test_the_middle_amount_is_near_nineteen_thousand(invoices):
    assert 12_000 <= invoices["invoice_amount"].median() <= 26_000


def test_four_in_five_american_invoices_are_due_in_fifteen_days(invoices):
    terms = invoices.filter(pl.col("entity_id") == "US")["payment_terms_days"]
    assert 0.65 <= share(terms == 15) <= 0.92


def test_european_invoices_have_longer_terms_and_some_end_with_a_month(invoices):
    european = invoices.filter(pl.col("entity_id") != "US")
    assert 0.30 <= share(european["payment_terms_days"] == 30) <= 0.65
    assert 0.05 <= share(european["payment_terms_days"].is_null()) <= 0.25
    ends = european.filter(pl.col("payment_terms_days").is_null())["due_date"]
    assert (ends == ends.dt.month_end()).all()


def test_a_third_to_a_half_is_paid_late_and_a_few_very_late(ledger, invoices):
    paid = ledger["payment_applications"].filter(pl.col("application_type") == "payment")
    late = paid.join(invoices, on="invoice_id").select(
        (pl.col("application_date") - pl.col("due_date")).dt.total_days()
    )
    late = late.to_series()
    assert 0.33 <= share(late > 0) <= 0.60
    assert -3 <= late.median() <= 4
    assert 0.01 <= share(late > 60) <= 0.08


def test_payments_come_on_business_days_mostly_fridays_and_mondays(ledger):
    weekdays = ledger["payments"].filter(pl.col("settlement") == "terms")["value_date"].dt.weekday()
    shares = {day: share(weekdays == day) for day in range(1, 8)}
    assert shares[6] == shares[7] == 0
    assert min(shares[1], shares[5]) > max(shares[2], shares[3], shares[4])


def test_about_one_invoice_in_five_is_disputed(ledger, invoices):
    assert 0.12 <= ledger["disputes"].height / invoices.height <= 0.28


def test_some_payments_settle_many_invoices(ledger):
    sizes = ledger["remittance_lines"].group_by("payment_id").len()["len"]
    assert sizes.max() >= 20
    assert (sizes >= 5).sum() >= 10


def test_kinds_of_payments_that_need_care_are_all_there(ledger):
    payments = ledger["payments"]
    assert share(payments["customer_id"].is_null()) > 0.02
    assert payments["reverses_payment_id"].drop_nulls().len() > 0
    assert set(payments["payment_method"]) == {"check", "ach", "wire", "card", "direct_debit"}
    assert set(ledger["payment_applications"]["application_type"]) == {
        "payment",
        "reversal",
        "discount",
        "credit_memo",
    }
    assert set(payments["currency_code"]) == {"USD", "EUR", "GBP", "CAD"}
