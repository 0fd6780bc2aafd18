"""Four customers worked out by hand: who they are, what they owe, how they pay, what they risk."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from customer_books import build, dbt, read_book, rows_of

AS_OF = date(2026, 3, 31)


@pytest.fixture(scope="module")
def four_kinds(tmp_path_factory) -> Path:
    return build(
        read_book("cust_four_kinds"),
        tmp_path_factory.mktemp("books") / "four_kinds",
        "+path:models/marts/core +path:models/marts/quality +path:models/intermediate/decisions",
    )


def money(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.0001"))


def ratio(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text).quantize(Decimal("0.000001"))


def test_a_customer_is_sorted_by_value_behaviour_and_risk(four_kinds):
    names = [
        "customer_id",
        "value_tier",
        "behaviour_class",
        "risk_class",
        "segment",
        "reasons",
        "revenue_amount",
        "revenue_share_ratio",
        "risk_score",
        "weighted_days_late",
        "settled_invoice_count",
    ]
    rows = rows_of(
        four_kinds,
        f"select as_of_date, {', '.join(names)} from core.fct_customer_segments order by customer_id",
    )
    expected = [
        (
            *("ALPHA", "A", "slightly_late", "medium", "A / slightly late", None),
            *(money("1100"), ratio("0.846154"), ratio("0.416429"), ratio("7.142857"), 3),
        ),
        (
            *("BETA", "B", "chronically_late", "medium", "B / chronically late"),
            "no data for: past due share, trend",
            *(money("175"), ratio("0.134615"), ratio("0.300000"), ratio("30"), 3),
        ),
        (
            *("DELTA", None, "new", "medium", "no revenue / new"),
            "no data for: revenue, days late, trend, utilisation",
            *(None, None, ratio("0.300000"), None, 0),
        ),
        (
            *("GAMMA", "C", "new", "low", "C / new", "no data for: days late, trend, utilisation"),
            *(money("25"), ratio("0.019231"), ratio("0"), None, 0),
        ),
    ]
    assert rows == [{"as_of_date": AS_OF} | dict(zip(names, row, strict=True)) for row in expected]


def test_every_term_of_the_score_is_stored(four_kinds):
    rows = rows_of(
        four_kinds,
        "select term, weight, value, contribution, is_missing from core.fct_customer_risk_terms"
        " where customer_id = 'ALPHA' order by term_order",
    )
    expected = [
        ("days_late", "0.30", "0.238095", "0.071429"),
        ("past_due_share", "0.30", "0.25", "0.075"),
        ("trend", "0.15", "1", "0.15"),
        ("broken_promises", "0.10", "0.5", "0.05"),
        ("returned_payments", "0.05", "0.5", "0.025"),
        ("utilisation", "0.10", "0.45", "0.045"),
    ]
    assert rows == [
        {
            "term": term,
            "weight": ratio(weight),
            "value": ratio(value),
            "contribution": ratio(contribution),
            "is_missing": False,
        }
        for term, weight, value, contribution in expected
    ]


def test_exposure_is_in_group_currency_or_stays_where_no_rate_is_known(four_kinds):
    names = [
        "currency_code",
        "open_amount",
        "credit_memo_amount",
        "unapplied_amount",
        "past_due_amount",
        "disputed_past_due_amount",
        "uninvoiced_order_amount",
        "exposure_amount",
        "credit_limit_amount",
        "oldest_days_past_due",
    ]
    rows = rows_of(
        four_kinds,
        f"select customer_id, {', '.join(names)} from intermediate.int_exposures_summed order by 1",
    )
    expected = {
        "ALPHA": ("EUR", "400", "0", "0", "100", "0", "50", "450", "1000", 28),
        "BETA": ("EUR", "0", "25", "0", "0", "0", "0", "-25", "100", None),
        "DELTA": ("GBP", "10", "0", "0", "10", "0", "0", "10", None, 16),
        "GAMMA": ("EUR", "25", "0", "0", "0", "0", "0", "25", None, None),
    }
    assert rows == [
        {
            "customer_id": customer_id,
            "currency_code": currency,
            **{
                name: None if amount is None else money(amount)
                for name, amount in zip(names[1:-1], amounts, strict=True)
            },
            "oldest_days_past_due": days,
        }
        for customer_id, (currency, *amounts, days) in expected.items()
    ]


def test_the_360_degree_view_has_one_row_per_customer_stubs_included(four_kinds):
    names = [
        "customer_id",
        "customer_name",
        "status",
        "customer_type",
        "collector_id",
        "credit_limit_amount",
        "currency_code",
        "group_open_amount",
        "group_past_due_amount",
        "group_exposure_amount",
        "group_currency_code",
        "average_days_to_pay",
        "average_days_late",
        "weighted_days_to_pay",
        "broken_promise_count",
        "returned_payment_count",
        "is_stub",
        "last_payment_date",
        "as_of_date",
    ]
    rows = rows_of(four_kinds, f"select {', '.join(names)} from core.dim_customers order by customer_id")
    none = [None] * 3
    expected = [
        (
            *("ALPHA", "Alpha Ltd", "active", "business", "K1", money("1000"), "EUR"),
            *(money("400"), money("100"), money("450"), "EUR", ratio("40"), ratio("10"), ratio("37.142857")),
            *(1, 1, False, date(2026, 3, 1)),
        ),
        (
            *("BETA", "Beta Inc", "active", "business", None, money("200"), "USD"),
            *(money("0"), money("0"), money("-25"), "EUR", ratio("60"), ratio("30"), ratio("60")),
            *(0, 0, False, date(2025, 10, 31)),
        ),
        ("DELTA", "DELTA", "active", None, None, None, "EUR", *none, "EUR", *none, 0, 0, True, None),
        (
            *("GAMMA", "Gamma", "closed", "consumer", None, None, "EUR"),
            *(money("25"), money("0"), money("25"), "EUR", *none, 0, 0, False, None),
        ),
    ]
    assert rows == [dict(zip(names, (*row, AS_OF), strict=True)) for row in expected]


def test_habits_of_the_quarter_and_the_one_before_are_there_for_credit(four_kinds):
    rows = rows_of(
        four_kinds,
        "select customer_id, weighted_days_late_last_90_days as last, weighted_days_late_previous_90_days as previous,"
        " last_broken_promise_date, last_returned_payment_date from intermediate.int_customers_profiled"
        " where customer_id in ('ALPHA', 'BETA') order by customer_id",
    )
    assert rows == [
        {
            "customer_id": "ALPHA",
            "last": ratio("20"),
            "previous": ratio("10"),
            "last_broken_promise_date": date(2026, 3, 10),
            "last_returned_payment_date": date(2026, 3, 25),
        },
        {
            "customer_id": "BETA",
            "last": None,
            "previous": ratio("30"),
            "last_broken_promise_date": None,
            "last_returned_payment_date": None,
        },
    ]


def test_rows_that_name_what_nobody_delivers_are_warned_of(four_kinds):
    rows = rows_of(
        four_kinds,
        "select table_name, line, severity, reason_code, reason from quality.fct_rejected_rows order by all",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("contacts", 2, "warning", "unknown_customer", "No source delivers the customer NOBODY."),
        ("invoices", 12, "warning", "unknown_customer", "No source delivers the customer DELTA."),
        ("payment_applications", 8, "warning", "unknown_invoice", "No source delivers the invoice NOWHERE."),
    ]


def test_every_rule_holds_at_its_edges(four_kinds):
    folders = ("customers", "decisions")
    tested = dbt(
        four_kinds,
        "test",
        "--select",
        *(f"path:models/intermediate/{folder},test_type:unit" for folder in folders),
    )
    assert {name: status for name, status in tested.items() if status != "pass"} == {}
    assert len(tested) >= 21
