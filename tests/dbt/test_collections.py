"""Decisions become tables only if they tie: to open items, to each other, to their own parts."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from customer_books import build, dbt, read_book, rows_of

from o2c.warehouse import connect

# One slip for every tie-out of this part.
SLIPS = {
    "assert_everyone_past_due_has_a_decision": (
        "delete from collections.fct_dunning_decisions where customer_id = 'Y'"
    ),
    "assert_decisions_tie_to_open_items": (
        "update collections.fct_dunning_decisions set past_due_amount = 80.01 where customer_id = 'X'"
    ),
    "assert_net_due_is_past_due_less_cash_and_credits": (
        "update collections.fct_dunning_decisions set net_due_amount = 80.02 where customer_id = 'X'"
    ),
    "assert_letters_have_their_decision": (
        "update collections.fct_dunning_decisions set level = 2 where customer_id = 'X'"
    ),
    "assert_letters_equal_their_lines": "update collections.fct_letters set total_amount = 80.03",
    "assert_letter_lines_are_open": "update collections.fct_letter_lines set amount = 80.01",
    "assert_items_over_90_days_have_a_referral": "delete from collections.fct_agency_referrals",
    "assert_worklist_scores_are_the_sums_of_their_terms": (
        "update collections.fct_worklist set priority_score = 0.354001 where customer_id = 'Y'"
    ),
    "assert_risk_scores_are_the_sums_of_their_terms": (
        "update core.fct_customer_segments set risk_score = risk_score + 0.000001"
    ),
    "assert_exposures_tie_to_open_items": (
        "create or replace table intermediate.int_exposures_by_currency as"
        " select as_of_date, 'X' as customer_id, 'EUR' as currency_code, 139.99 as open_amount, 0 as credit_memo_amount"
        " from intermediate.int_exposures_summed limit 1"
    ),
    "assert_every_customer_of_an_item_has_a_profile": (
        "delete from intermediate.int_customers_profiled where customer_id = 'X'"
    ),
}


@pytest.fixture(scope="module")
def two_debtors(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("books") / "two_debtors"
    return build(
        read_book("cust_two_debtors"),
        folder,
        "+path:models/marts/core +path:models/intermediate/decisions +tag:decisions",
    )


def test_what_was_decided_arrives_as_it_was_decided(two_debtors):
    names = [
        "customer_id",
        "decision",
        "letter_id",
        "past_due_amount",
        "net_due_amount",
        "level",
        "oldest_days_past_due",
    ]
    rows = rows_of(
        two_debtors, f"select {', '.join(names)} from collections.fct_dunning_decisions order by 1"
    )
    expected = [
        ("X", "letter", "L1", Decimal("80.0000"), Decimal("80.0000"), 1, 40),
        ("Y", "none", None, Decimal("50.0000"), Decimal("35.0000"), 0, 95),
    ]
    assert rows == [dict(zip(names, row, strict=True)) for row in expected]


def test_a_letter_has_its_state_and_no_instant_before_it_is_sent(two_debtors):
    names = [
        "letter_id",
        "kind",
        "customer_id",
        "level",
        "state",
        "total_amount",
        "decided_as_of_date",
        "sent_at",
    ]
    rows = rows_of(two_debtors, f"select {', '.join(names)} from collections.fct_letters")
    expected = ("L1", "dunning", "X", 1, "rendered", Decimal("80.0000"), date(2026, 3, 31), None)
    assert rows == [dict(zip(names, expected, strict=True))]


def test_what_ties_passes_and_every_slip_is_found(two_debtors):
    names = " ".join(SLIPS)
    tested = dbt(two_debtors, "test", "--select", *names.split(), "path:models/marts/collections")
    assert {name: status for name, status in tested.items() if status != "pass"} == {}
    assert set(SLIPS) <= set(tested)

    with connect(two_debtors) as con:
        for slip in SLIPS.values():
            con.execute(slip)
    found = dbt(two_debtors, "test", "--select", *names.split())
    assert {name: status.partition(":")[0] for name, status in found.items()} == dict.fromkeys(SLIPS, "fail")
