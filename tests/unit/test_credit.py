"""Whose credit is reviewed, which orders are stopped and let go."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from recovery_books import AS_OF, POLICIES, book, frame, item

from o2c import frames
from o2c.credit import review_credit

POLICY = POLICIES.credit
KINDS = {
    "items": frames.OpenItems,
    "customers": frames.Customers,
    "promises": frames.Promises,
    "blocks": frames.Blocks,
}
LIMITED = {"credit_limit_amount": Decimal(5000), "credit_limit_currency_code": "EUR"}


def days_ago(count):
    return AS_OF - timedelta(days=count)


def exposure(amount="1000.00", limit="5000.00", **given):
    return {"exposure_amount": amount, "credit_limit_amount": limit} | given


def review(*exposures, orders=(), previous_flags=(), previous_holds=(), policy=POLICY, **parts):
    """The review of a book whose customer has a limit of 5,000.00 EUR, unless said otherwise."""
    given = {name: frame(KINDS[name], *rows) for name, rows in ({"customers": [LIMITED]} | parts).items()}
    return review_credit(
        book(**given),
        frame(frames.Exposures, *(exposures or (exposure(),))),
        frame(frames.Orders, *orders),
        frame(frames.CreditFlags, *previous_flags),
        frame(frames.OrderHolds, *previous_holds),
        policy,
        AS_OF,
    )


def raised(*exposures, **parts):
    flags, _ = review(*exposures, **parts)
    return flags.select("flag_code", "action").rows()


def limited(**given):
    return [LIMITED | given]


def test_a_customer_in_order_has_no_flag():
    assert raised() == []


def test_a_flag_says_how_bad_what_to_do_and_why_with_its_figures():
    flags, _ = review(exposure("6000.00"))
    assert flags.rows(named=True) == [
        {
            "as_of_date": AS_OF,
            "customer_id": "ACME",
            "flag_code": "over_limit",
            "severity": "high",
            "currency_code": "EUR",
            "action": "hold",
            "reason": "Exposure of 6000.00 EUR is over the limit of 5000.00 EUR.",
            "policy_version": POLICY.policy_version,
            "exposure_amount": Decimal("6000.0000"),
            "credit_limit_amount": Decimal("5000.0000"),
            "recommended_limit_amount": None,
            "utilisation_ratio": Decimal("1.200000"),
        }
    ]


@pytest.mark.parametrize(
    ("row", "parts", "flags"),
    [
        (exposure("5000.00"), {}, []),
        (exposure("5000.01"), {}, [("over_limit", "hold")]),
        (exposure("0.01", "0.00"), {}, [("over_limit", "hold")]),
        (exposure("5000.01", None), {}, []),
        (exposure(), {"customers": limited(credit_limit_valid_until=AS_OF)}, []),
        (
            exposure(),
            {"customers": limited(credit_limit_valid_until=days_ago(1))},
            [("limit_expired", "review")],
        ),
        (exposure("0.00", None), {"customers": [{}]}, []),
        (exposure("0.01", None), {"customers": [{}]}, [("no_limit_reviewed", "review")]),
        (exposure(), {"items": [item("INV-1", 30)]}, []),
        (exposure(), {"items": [item("INV-1", 31)]}, [("oldest_item_past_due", "hold")]),
        (
            exposure(),
            {"items": [item("INV-1", 31, disputed_amount="99.99")]},
            [("oldest_item_past_due", "hold")],
        ),
        (exposure(), {"items": [item("INV-1", 31, disputed_amount="100.00")]}, []),
        (exposure(), {"items": [item("CM-1", 31, document_type="credit_memo", open_amount="-5.00")]}, []),
        (
            exposure(),
            {"promises": [{"status": "broken", "promised_date": days_ago(90)}]},
            [("broken_promise", "review")],
        ),
        (exposure(), {"promises": [{"status": "broken", "promised_date": days_ago(91)}]}, []),
        (exposure(), {"promises": [{"status": "pending"}]}, []),
        (
            exposure(),
            {"customers": limited(last_returned_payment_date=days_ago(90))},
            [("returned_payment", "prepay")],
        ),
        (exposure(), {"customers": limited(last_returned_payment_date=days_ago(91))}, []),
        (exposure(), {"customers": limited(behaviour_class="slightly_late")}, []),
        (
            exposure(),
            {"customers": limited(behaviour_class="chronically_late", weighted_days_late=Decimal("20.25"))},
            [("chronic_lateness", "reduce_limit")],
        ),
        (exposure(), {"customers": limited(status="insolvent")}, [("insolvency", "hold")]),
        (exposure(), {"customers": limited(status="legal")}, []),
        (exposure(), {"blocks": [{"kind": "insolvency"}]}, [("insolvency", "hold")]),
        (exposure(), {"blocks": [{"kind": "insolvency", "valid_until": days_ago(1)}]}, []),
        (exposure(), {"blocks": [{"kind": "manual"}]}, []),
        (
            exposure(),
            {
                "blocks": [{"kind": "insolvency", "scope": "invoice", "subject_id": "INV-1"}],
                "items": [item("INV-1", 1)],
            },
            [("insolvency", "hold")],
        ),
    ],
)
def test_each_flag_holds_from_its_edge_on(row, parts, flags):
    assert raised(row, **parts) == flags


@pytest.mark.parametrize(
    ("late", "before", "flags"),
    [
        ("14.999999", "5", []),
        ("15", "5", [("payment_slowing", "reduce_limit")]),
        ("5", "-5", [("payment_slowing", "reduce_limit")]),
        ("15", None, []),
        (None, "5", []),
    ],
)
def test_payments_slow_down_by_ten_days_in_a_quarter(late, before, flags):
    habits = {
        "weighted_days_late_last_90_days": late and Decimal(late),
        "weighted_days_late_previous_90_days": before and Decimal(before),
    }
    assert raised(customers=limited(**habits)) == flags


@pytest.mark.parametrize(
    ("limit", "recommended", "action"),
    [
        ("5000.00", Decimal(3700), "reduce_limit"),
        ("1000.00", Decimal(700), "reduce_limit"),
        ("133.33", Decimal(0), "reduce_limit"),
        ("133.34", Decimal(100), "reduce_limit"),
        ("0.00", None, "review"),
        (None, None, "review"),
    ],
)
def test_a_lower_limit_is_recommended_in_whole_steps(limit, recommended, action):
    flags, _ = review(exposure("0.00", limit), customers=limited(behaviour_class="chronically_late"))
    assert flags.select("action", "recommended_limit_amount").rows() == [(action, recommended)]


@pytest.mark.parametrize(
    ("habits", "reason"),
    [
        (
            {"weighted_days_late": Decimal("20.25"), "average_days_late": Decimal(1)},
            "Pays 20.3 days late, weighted by amount.",
        ),
        ({"average_days_late": Decimal("17.04")}, "Pays 17.0 days late on average."),
        ({}, "Pays late as a rule."),
    ],
)
def test_chronic_lateness_is_told_by_what_is_known_of_it(habits, reason):
    flags, _ = review(exposure("0.00", None), customers=limited(behaviour_class="chronically_late", **habits))
    assert flags["reason"].to_list() == [reason]


def test_a_recommended_limit_stands_in_the_reason():
    late = {"behaviour_class": "chronically_late", "weighted_days_late": Decimal("20.25")}
    flags, _ = review(customers=limited(**late))
    assert flags["reason"].to_list() == [
        "Pays 20.3 days late, weighted by amount. A limit of 3700.00 EUR instead of 5000.00 EUR is recommended."
    ]


@pytest.mark.parametrize(
    ("exposed", "limit", "utilisation"),
    [
        ("5000.01", "3.00", "1666.670000"),
        ("2.00", "3.00", "0.666667"),
        ("-2.00", "3.00", "-0.666667"),
        ("5.00", "0.00", None),
        ("5.00", None, None),
        ("99999999999.00", "0.01", "999999"),
    ],
)
def test_utilisation_is_exposure_over_limit(exposed, limit, utilisation):
    flags, _ = review(exposure(exposed, limit), customers=limited(status="insolvent"))
    ratios = flags.filter(flags["flag_code"] == "insolvency")["utilisation_ratio"].to_list()
    assert ratios == [utilisation and Decimal(utilisation)]


def test_flags_about_a_customer_stand_once_beside_the_currency_of_its_limit():
    rows = (
        exposure("10.00", None, currency_code="CHF"),
        exposure("5000.01", "5000.00"),
        exposure("9.00", "5.00", currency_code="USD"),
    )
    flags, _ = review(*rows, customers=limited(status="insolvent"))
    assert flags.select("currency_code", "flag_code").rows() == [
        ("EUR", "insolvency"),
        ("EUR", "over_limit"),
        ("USD", "over_limit"),
    ]


def hold(**given):
    return {
        "order_id": "O-1",
        "customer_id": "ACME",
        "action": "hold",
        "reason": "earlier",
        "currency_code": "EUR",
        "uninvoiced_amount": "500.00",
        "decided_as_of_date": days_ago(1),
    } | given


def test_open_orders_of_a_flagged_customer_are_proposed_for_a_hold_and_nobody_approved_it():
    statuses = ("open", "released", "held", "shipped")
    _, holds = review(
        exposure("6000.00"),
        orders=[{"order_id": f"O-{status}", "status": status} for status in statuses],
        customers=limited(last_returned_payment_date=AS_OF),
    )
    common = {
        "customer_id": "ACME",
        "action": "hold",
        "reason": "Exposure of 6000.00 EUR is over the limit of 5000.00 EUR.",
        "currency_code": "EUR",
        "approved_by": None,
        "uninvoiced_amount": Decimal("500.0000"),
        "decided_as_of_date": AS_OF,
    }
    assert holds.rows(named=True) == [{"order_id": "O-open"} | common, {"order_id": "O-released"} | common]


def test_flags_that_ask_for_less_hold_no_order():
    assert review(orders=[{}], customers=limited(last_returned_payment_date=AS_OF))[1].rows() == []


@pytest.mark.parametrize(
    ("row", "customer", "actions"),
    [
        (exposure("4500.00"), {}, ["release"]),
        (exposure("4500.01"), {}, []),
        (exposure("5000.01"), {}, []),
        (exposure("99999.00", None), {}, ["release"]),
        (exposure(), {"status": "insolvent"}, []),
        (exposure(), {"status": "legal"}, []),
        (exposure(), {"last_returned_payment_date": AS_OF}, ["release"]),
    ],
)
def test_held_orders_are_let_go_when_the_customer_is_cured(row, customer, actions):
    _, holds = review(row, orders=[{"status": "held"}], customers=limited(**customer))
    assert holds["action"].to_list() == actions


def test_a_release_says_why():
    _, holds = review(orders=[{"status": "held"}])
    assert holds["reason"].to_list() == ["No flag asks for a hold any more; exposure is 1000.00 EUR."]


@pytest.mark.parametrize(
    ("earlier", "since", "approver"),
    [
        (hold(approved_by="pat"), days_ago(1), "pat"),
        (hold(approved_by="pat", action="release"), AS_OF, None),
        (hold(approved_by="pat", order_id="O-2"), AS_OF, None),
        (hold(approved_by="pat", decided_as_of_date=AS_OF), AS_OF, None),
    ],
)
def test_a_standing_proposal_keeps_its_date_and_approval(earlier, since, approver):
    _, holds = review(exposure("6000.00"), orders=[{}], previous_holds=[earlier])
    assert holds.select("decided_as_of_date", "approved_by").rows() == [(since, approver)]


def flagged(as_of, action="hold", flag_code="over_limit"):
    return {
        "as_of_date": as_of,
        "customer_id": "ACME",
        "flag_code": flag_code,
        "severity": "high",
        "currency_code": "EUR",
        "action": action,
        "reason": "Exposure of 6000.00 EUR is over the limit of 5000.00 EUR.",
        "policy_version": "v",
        "exposure_amount": "6000.00",
    }


@pytest.mark.parametrize(
    ("row", "previous", "flags"),
    [
        (exposure(), [flagged(days_ago(7))], [("over_limit", "release")]),
        (exposure("4500.01"), [flagged(days_ago(7))], []),
        (exposure("6000.00"), [flagged(days_ago(7))], [("over_limit", "hold")]),
        (exposure(), [flagged(days_ago(7), "review", "limit_expired")], []),
        (exposure(), [flagged(days_ago(9)), flagged(days_ago(7), "release")], []),
        (exposure(), [flagged(AS_OF)], []),
    ],
    ids=["cured", "not enough room yet", "still over", "no hold", "said before", "same day"],
)
def test_a_hold_that_is_over_is_said_once(row, previous, flags):
    assert raised(row, previous_flags=previous) == flags


def test_a_cured_flag_tells_what_it_was_about():
    flags, _ = review(previous_flags=[flagged(date(2026, 9, 23))])
    assert flags["reason"].to_list() == [
        "On 2026-09-23: Exposure of 6000.00 EUR is over the limit of 5000.00 EUR."
        " No longer so: exposure is 1000.00 EUR."
    ]


def test_every_customer_gets_its_own_flags():
    who = ("ACME", "BOLT", "CORP")
    flags, _ = review(
        *(exposure(customer_id=customer_id) for customer_id in who),
        customers=[LIMITED | {"customer_id": customer_id} for customer_id in who],
        items=[
            item("A", 31),
            item("B", 40, customer_id="BOLT"),
            item("C", 400, customer_id="BOLT"),
            item("D", 30),
        ],
        promises=[
            {
                "status": "broken",
                "promised_date": days_ago(9),
                "promise_id": promise_id,
                "customer_id": customer_id,
            }
            for promise_id, customer_id in (("1", "BOLT"), ("2", "CORP"), ("3", "BOLT"))
        ],
    )
    assert flags.select("customer_id", "flag_code", "reason").rows() == [
        ("ACME", "oldest_item_past_due", "Invoice A is 31 days past due."),
        ("BOLT", "broken_promise", "2 promises broken in 90 days, the last of 100.00 EUR for 2026-09-21."),
        ("BOLT", "oldest_item_past_due", "Invoice C is 400 days past due."),
        ("CORP", "broken_promise", "1 promise broken in 90 days, the last of 100.00 EUR for 2026-09-21."),
    ]


def test_the_order_of_rows_changes_nothing():
    rows = [exposure(f"{n}000.00", customer_id=f"C{n}") for n in range(1, 9)]
    known = [LIMITED | {"customer_id": f"C{n}"} for n in range(1, 9)]
    orders = [
        {"order_id": f"O-{n}", "customer_id": f"C{n}", "status": "held" if n % 2 else "open"}
        for n in range(1, 9)
    ]
    straight = review(*rows, customers=known, orders=orders)
    mixed = review(*rows[::-1], customers=known[::-1], orders=orders[::-1])
    assert straight[0].equals(mixed[0])
    assert straight[1].equals(mixed[1])
