"""Whom to call first: the score and its terms, the ranks, the next action."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from recovery_books import AS_OF, POLICIES, activity, book, frame

from o2c import frames
from o2c.worklist import rank_worklist

POLICY = POLICIES.worklist
TERMS = ["term", "weight", "value", "contribution"]


def exposure(amount="5000.00", days=30, **given):
    return {"past_due_amount": amount, "oldest_days_past_due": days, "exposure_amount": amount} | given


def rank(*exposures, decisions=(), collectors=({},), customers=({},), policy=POLICY, **parts):
    return rank_worklist(
        book(customers=frame(frames.Customers, *customers), **parts),
        frame(frames.Exposures, *(exposures or (exposure(),))),
        frame(frames.DunningDecisions, *decisions),
        frame(frames.Collectors, *collectors),
        policy,
        AS_OF,
    )


def late(days, **given):
    return {"average_days_late": None if days is None else Decimal(days)} | given


def contributions(terms):
    return {term: f"{value:.6f}" for term, value in terms.select("term", "contribution").iter_rows() if value}


@pytest.mark.parametrize(
    ("amount", "days", "delay", "score", "priority_class"),
    [
        ("5000.00", 30, 10, "0.600000", "High"),
        ("2000.00", 15, 5, "0.260000", "Medium"),
        ("1000.00", 45, 15, "0.380000", "High"),
        ("50000.00", 900, 300, "1.000000", "High"),
        ("5000.00", 1, -20, "0.403889", "High"),
        ("5000.00", 1, None, "0.403889", "High"),
        ("0.01", 90, 0, "0.350001", "High"),
        ("4374.99", 0, 0, "0.349999", "Medium"),
        ("4375.00", 0, 0, "0.350000", "High"),
        ("2500.00", 0, 0, "0.200000", "Medium"),
        ("2499.99", 0, 0, "0.199999", "Low"),
    ],
)
def test_amount_age_and_habit_make_the_score_and_the_class(amount, days, delay, score, priority_class):
    worklist, terms = rank(exposure(amount, days), customers=[late(delay)])
    assert worklist.select("priority_score", "priority_class").rows() == [(Decimal(score), priority_class)]
    assert terms["contribution"].sum() == Decimal(score)


def test_every_term_is_stored_with_its_weight_value_and_contribution():
    worklist, terms = rank(
        exposure("2000.00", 15, credit_limit_amount="1999.99", disputed_past_due_amount="2000.00"),
        customers=[late(5, broken_promise_count=3)],
        promises=frame(frames.Promises, {}),
        plans=frame(frames.Plans, {}),
        possible_payers=frame(frames.PossiblePayers, {}),
    )
    expected = [
        ("amount", "0.40", "0.4", "0.16"),
        ("days_past_due", "0.35", "0.166667", "0.058333"),
        ("average_delay", "0.25", "0.166667", "0.041667"),
        ("broken_promises", "0.10", "2", "0.20"),
        ("over_limit", "0.05", "1", "0.05"),
        ("all_disputed", "-0.20", "1", "-0.20"),
        ("promise_pending", "-0.20", "1", "-0.20"),
        ("plan_in_good_standing", "-0.20", "1", "-0.20"),
        ("possible_payer", "-0.10", "1", "-0.10"),
    ]
    assert terms.select(TERMS).rows() == [(name, *map(Decimal, figures)) for name, *figures in expected]
    # -0.19 is below the floor: the terms stay as they are, the score is 0.
    assert terms["contribution"].sum() == Decimal("-0.19")
    assert worklist["priority_score"].to_list() == [Decimal(0)]


@pytest.mark.parametrize(
    ("row", "customer", "term"),
    [
        ({"credit_limit_amount": "5000.00"}, {}, {}),
        ({"credit_limit_amount": "4999.99"}, {}, {"over_limit": "0.050000"}),
        ({"disputed_past_due_amount": "4999.99"}, {}, {}),
        ({"disputed_past_due_amount": "5000.00"}, {}, {"all_disputed": "-0.200000"}),
        ({}, {"broken_promise_count": 1}, {"broken_promises": "0.100000"}),
        ({}, {"broken_promise_count": 2}, {"broken_promises": "0.200000"}),
        ({}, {"broken_promise_count": 9}, {"broken_promises": "0.200000"}),
    ],
)
def test_a_term_counts_from_its_edge_on(row, customer, term):
    _, terms = rank(exposure("5000.00", 0, **row), customers=[customer])
    assert contributions(terms) == {"amount": "0.400000"} | term


def test_kept_promises_and_failed_plans_and_others_money_change_nothing():
    _, terms = rank(
        exposure("5000.00", 0),
        promises=frame(frames.Promises, {"status": "kept"}, {"promise_id": "PR-2", "customer_id": "BOLT"}),
        plans=frame(frames.Plans, {"is_in_good_standing": False}),
        possible_payers=frame(frames.PossiblePayers, {"customer_id": "BOLT"}),
    )
    assert contributions(terms) == {"amount": "0.400000"}


def test_collectors_get_their_own_ranks_by_score_then_amount_then_customer():
    owners = {"A": "KIM", "B": "KIM", "C": "KIM", "D": "LEE", "E": None, "F": "GONE"}
    worklist, _ = rank(
        *(
            exposure(amount, 0, customer_id=customer_id)
            for customer_id, amount in zip("ABCDEF", ("6000", "7000", "6000", "10", "20", "30"), strict=True)
        ),
        customers=[{"customer_id": key, "collector_id": owner} for key, owner in owners.items()],
        collectors=[{"daily_capacity": 2}, {"collector_id": "LEE", "name": "Lee"}],
    )
    assert worklist.select("collector_id", "work_rank", "customer_id", "is_in_capacity").rows() == [
        ("(unowned)", 1, "E", False),
        ("GONE", 1, "F", True),
        ("KIM", 1, "B", True),
        ("KIM", 2, "A", True),
        ("KIM", 3, "C", False),
        ("LEE", 1, "D", True),
    ]


def test_only_customers_with_something_past_due_are_called():
    worklist, terms = rank(
        exposure("0.00", None),
        exposure("0.01", 1, customer_id="BOLT"),
        customers=[{}, {"customer_id": "BOLT"}],
    )
    assert worklist["customer_id"].to_list() == ["BOLT"]
    assert terms["customer_id"].unique().to_list() == ["BOLT"]


def test_a_customer_without_rates_is_ranked_once_per_currency():
    worklist, _ = rank(exposure("10.00", 3), exposure("2500.00", 3, currency_code="USD"))
    assert worklist.select("currency_code", "past_due_amount", "work_rank").rows() == [
        ("USD", Decimal("2500.00"), 1),
        ("EUR", Decimal("10.00"), 2),
    ]


@pytest.mark.parametrize(
    ("parts", "action"),
    [
        ({}, "call"),
        ({"activities": [activity(0, "no_invoice_copy")]}, "send_invoice_copy"),
        ({"activities": [activity(14, "no_invoice_copy")]}, "send_invoice_copy"),
        ({"activities": [activity(15, "no_invoice_copy")]}, "call"),
        ({"activities": [activity(3, "no_invoice_copy"), activity(2, "wrong_contact")]}, "find_contact"),
        ({"activities": [activity(3, "no_invoice_copy"), activity(2, "hung_up")]}, "send_invoice_copy"),
        ({"activities": [activity(3, "dispute", customer_id="BOLT")]}, "call"),
        ({"activities": [activity(1, "will_pay")]}, "call_again"),
        ({"activities": [activity(1, "unreachable")]}, "call_again"),
        ({"activities": [activity(1, "dispute")]}, "resolve_dispute"),
        ({"activities": [activity(1, "promise")]}, "wait_for_promise"),
        ({"promises": [{}]}, "wait_for_promise"),
        ({"promises": [{"status": "kept"}]}, "call"),
        ({"plans": [{}]}, "watch_plan"),
        ({"possible_payers": [{}]}, "identify_payment"),
        ({"decisions": [{"decision": "task", "reason_code": "legal_review_due"}]}, "legal_review"),
        ({"decisions": [{"decision": "task"}], "promises": [{}]}, "legal_review"),
        ({"decisions": [{"reason_code": "no_valid_address"}]}, "find_contact"),
        ({"customers": [{"status": "insolvent"}], "promises": [{}]}, "leave_to_legal"),
        ({"customers": [{"broken_promise_count": 1}]}, "call_about_broken_promise"),
        (
            {
                "customers": [
                    {"broken_promise_count": 1, "last_broken_promise_date": AS_OF - timedelta(days=2)}
                ],
                "activities": [activity(2, "promise")],
            },
            "call_about_broken_promise",
        ),
        (
            {
                "customers": [
                    {"broken_promise_count": 1, "last_broken_promise_date": AS_OF - timedelta(days=3)}
                ],
                "activities": [activity(2, "promise")],
            },
            "wait_for_promise",
        ),
    ],
)
def test_the_books_and_the_last_outcome_choose_the_next_action(parts, action):
    kinds = {
        "activities": frames.Activities,
        "promises": frames.Promises,
        "plans": frames.Plans,
        "possible_payers": frames.PossiblePayers,
    }
    worklist, _ = rank(
        **{name: frame(kinds[name], *rows) if name in kinds else rows for name, rows in parts.items()}
    )
    assert worklist["next_action"].to_list() == [action]


def test_a_dispute_over_everything_is_resolved_first():
    worklist, _ = rank(
        exposure(disputed_past_due_amount="5000.00"),
        activities=frame(frames.Activities, activity(1, "no_invoice_copy")),
    )
    assert worklist["next_action"].to_list() == ["resolve_dispute"]


def test_a_row_says_everything_with_its_figures():
    worklist, _ = rank(
        exposure("1234.5", 30, credit_limit_amount="1000"),
        customers=[late("9.45", broken_promise_count=1)],
        activities=frame(frames.Activities, activity(2, "will_pay")),
    )
    assert worklist.rows(named=True) == [
        {
            "as_of_date": date(2026, 9, 30),
            "collector_id": "KIM",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "priority_class": "High",
            "next_action": "call_again",
            "reason": "1234.50 EUR past due, the oldest item for 30 days; pays 9.5 days late on average; "
            "broken promises: 1; over the credit limit; last outcome will_pay on 2026-09-28.",
            "policy_version": POLICY.policy_version,
            "past_due_amount": Decimal("1234.5000"),
            "priority_score": Decimal("0.444177"),
            "work_rank": 1,
            "oldest_days_past_due": 30,
            "is_in_capacity": True,
        }
    ]


def test_the_order_of_rows_changes_nothing():
    owed = [exposure(f"{n % 3}00.00", n, customer_id=f"C{n}") for n in range(1, 9)]
    customers = [{"customer_id": f"C{n}", "collector_id": "KIM" if n % 2 else None} for n in range(1, 9)]
    straight, mixed = (
        rank(*rows, customers=known) for rows, known in ((owed, customers), (owed[::-1], customers[::-1]))
    )
    for one, other in zip(straight, mixed, strict=True):
        assert one.equals(other)
