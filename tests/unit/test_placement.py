"""What goes to an agency: every condition on both sides of its edge."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from recovery_books import AS_OF, POLICIES, activity, book, frame, item, letter

from o2c import frames
from o2c.placement import CONDITIONS, propose_referrals

POLICY = POLICIES.agency
OURS = (letter(1, 60), letter(2, 50), letter(3, 40))
KINDS = {
    "items": frames.OpenItems,
    "customers": frames.Customers,
    "letters": frames.LetterHistory,
    "activities": frames.Activities,
    "promises": frames.Promises,
    "plans": frames.Plans,
    "blocks": frames.Blocks,
    "possible_payers": frames.PossiblePayers,
    "placed": frames.PlacedItems,
}


def refer(*items, decisions=({},), policy=POLICY, **parts):
    """The referrals of a book whose customer was dunned three times, the last 40 days ago."""
    rows = {"items": items or (item(),), "letters": OURS} | parts
    given = {name: frame(KINDS[name], *part) for name, part in rows.items()}
    return propose_referrals(book(**given), frame(frames.DunningDecisions, *decisions), policy, AS_OF)


def failed(*items, **parts):
    return refer(*items, **parts)["failed_conditions"].to_list()


def letters(**changes):
    return [row | changes for row in OURS]


def history(*days_ago, **given):
    return [
        activity(days, f"dunned_level_{level}", channel="letter", **given)
        for level, days in enumerate(days_ago, 1)
    ]


def test_an_item_that_fails_nothing_is_proposed_to_the_agency_of_its_country():
    assert refer().rows(named=True) == [
        {
            "as_of_date": AS_OF,
            "entity_id": "DE01",
            "customer_id": "ACME",
            "invoice_id": "INV-1",
            "installment_number": 1,
            "currency_code": "EUR",
            "agency_id": "AGENCY-EU",
            "status": "proposed",
            "rule": "standard",
            "failed_conditions": "",
            "policy_version": POLICY.policy_version,
            "referred_amount": Decimal("100.00"),
            "days_past_due": 100,
        }
    ]


def test_items_are_listed_from_day_91_on():
    assert refer(item("A", 90), item("B", 91)).select("invoice_id", "status").rows() == [("B", "proposed")]


def test_credit_memos_are_not_listed():
    memo = item("CM", 100, document_type="credit_memo", open_amount="-10.00", aging_bucket=None)
    assert refer(memo).rows() == []


@pytest.mark.parametrize(
    ("days", "conditions"), [(119, "not_old_enough"), (120, "not_old_enough"), (121, "")]
)
def test_a_policy_may_wait_longer_and_still_lists_from_day_91_on(days, conditions):
    later = POLICY.model_copy(update={"more_than_days_past_due": 120})
    assert failed(item("A", days), policy=later) == [conditions]


@pytest.mark.parametrize(
    ("parts", "conditions"),
    [
        ({"items": [item(disputed_amount="0.01")]}, "disputed"),
        ({"blocks": [{}]}, "blocked"),
        ({"blocks": [{"scope": "invoice", "subject_id": "INV-1"}]}, "blocked"),
        ({"blocks": [{"scope": "invoice", "subject_id": "INV-2"}]}, ""),
        ({"blocks": [{"valid_until": AS_OF}]}, "blocked"),
        ({"blocks": [{"valid_until": AS_OF - timedelta(days=1)}]}, ""),
        ({"customers": [{"status": "insolvent"}]}, "customer_status"),
        ({"customers": [{"status": "closed"}]}, "customer_status"),
        ({"customers": [{"is_stub": True}]}, "customer_status"),
        ({"plans": [{}]}, "on_plan"),
        ({"plans": [{"invoice_id": "INV-1"}]}, "on_plan"),
        ({"plans": [{"invoice_id": "INV-2"}]}, ""),
        ({"plans": [{"is_in_good_standing": False}]}, ""),
        ({"promises": [{}]}, "promise_pending"),
        ({"promises": [{"invoice_id": "INV-1"}]}, "promise_pending"),
        ({"promises": [{"invoice_id": "INV-2"}]}, ""),
        ({"promises": [{"status": "broken"}]}, ""),
        ({"possible_payers": [{}]}, "possible_payer"),
        ({"possible_payers": [{"customer_id": "BOLT"}]}, ""),
        ({"decisions": [{"net_due_amount": "0.00"}]}, "nothing_net_due"),
        ({"decisions": [{"net_due_amount": "0.01"}]}, ""),
        ({"customers": [{"customer_type": "public"}]}, ""),
        ({"customers": [{"customer_type": "consumer"}]}, "customer_type"),
        ({"customers": [{"customer_type": None}]}, "customer_type"),
        ({"customers": [{"country_code": None}]}, "jurisdiction"),
        ({"customers": [{"country_code": "BR"}]}, "jurisdiction"),
        # An agency works there, but nobody entered when claims expire.
        ({"customers": [{"country_code": "ES"}]}, "jurisdiction"),
    ],
)
def test_what_stands_against_a_referral_is_named(parts, conditions):
    parts = dict(parts)
    assert failed(*parts.pop("items", ()), **parts) == [conditions]


@pytest.mark.parametrize(
    ("last_payment_days_ago", "conditions"),
    [(0, "recent_payment"), (29, "recent_payment"), (30, ""), (None, "")],
)
def test_a_customer_that_paid_in_the_last_30_days_is_left_alone(last_payment_days_ago, conditions):
    day = None if last_payment_days_ago is None else AS_OF - timedelta(days=last_payment_days_ago)
    assert failed(customers=[{"last_payment_date": day}]) == [conditions]


NEVER = "levels_unconfirmed,final_notice_missing"


@pytest.mark.parametrize(
    ("sent", "conditions"),
    [
        ((), NEVER),
        ((letter(1, 60), letter(2, 50)), NEVER),
        ((letter(2, 50), letter(3, 40)), "levels_unconfirmed"),
        ((letter(1, 60), letter(2, 50), letter(3, 14)), ""),
        ((letter(1, 60), letter(2, 50), letter(3, 13)), "final_notice_too_recent"),
        # The final notice could list the item from the day after its due date on.
        ((letter(1, 160), letter(2, 150), letter(3, 99)), ""),
        ((letter(1, 160), letter(2, 150), letter(3, 100)), "final_notice_missing"),
        ((*OURS, letter(3, 5)), "final_notice_too_recent"),
        (letters(state="bounced"), NEVER),
        (letters(state="unknown"), NEVER),
        (letters(state="approval_pending"), NEVER),
        (letters(episode=2), NEVER),
        (letters(kind="courtesy"), NEVER),
        (letters(currency_code="USD"), NEVER),
        (letters(entity_id="US01"), NEVER),
        (letters(customer_id="BOLT"), NEVER),
    ],
)
def test_every_level_must_be_confirmed_in_this_episode_and_the_final_notice_14_days_old(sent, conditions):
    assert failed(letters=sent) == [conditions]


@pytest.mark.parametrize(
    ("recorded", "conditions"),
    [
        (history(60, 50, 14), ""),
        (history(60, 50, 13), "final_notice_too_recent"),
        (history(60, 50), NEVER),
        (history(99, 98, 97), ""),
        # A letter on the day the oldest item fell due was about another episode.
        (history(100, 98, 97), "levels_unconfirmed"),
        (history(60, 50, 40, customer_id="BOLT"), NEVER),
        ([row | {"channel": "call"} for row in history(60, 50, 40)], NEVER),
    ],
)
def test_letters_on_record_from_before_us_count_as_confirmed(recorded, conditions):
    assert failed(letters=(), activities=recorded) == [conditions]


def test_a_level_that_dunning_still_counts_does_not_fall_because_the_oldest_item_was_paid():
    recorded = history(120, 110, 99)
    assert failed(letters=(), activities=recorded) == ["levels_unconfirmed"]
    assert failed(letters=(), activities=recorded, decisions=[{"is_confirmed_level": 3}]) == [""]


@pytest.mark.parametrize(
    ("amount", "days", "currency", "status", "rule", "conditions"),
    [
        ("50.00", 100, "EUR", "proposed", "standard", ""),
        ("49.99", 100, "EUR", "not_eligible", None, "below_minimum"),
        ("49.99", 180, "EUR", "not_eligible", None, "below_minimum"),
        ("49.99", 181, "EUR", "proposed", "small_balance", ""),
        ("5.00", 181, "EUR", "proposed", "small_balance", ""),
        ("4.99", 181, "EUR", "not_eligible", None, "below_minimum"),
        ("50.00", 181, "EUR", "proposed", "standard", ""),
        ("5000", 100, "JPY", "proposed", "standard", ""),
        ("4999", 100, "JPY", "not_eligible", None, "below_minimum"),
        ("4999", 181, "JPY", "proposed", "small_balance", ""),
    ],
)
def test_small_items_wait_until_they_are_old(amount, days, currency, status, rule, conditions):
    referrals = refer(
        item("A", days, open_amount=amount, currency_code=currency),
        letters=letters(currency_code=currency),
        decisions=[{"currency_code": currency}],
    )
    assert referrals.select("status", "rule", "failed_conditions").rows() == [(status, rule, conditions)]


@pytest.mark.parametrize(
    ("country", "due", "conditions"),
    [
        # Three years from the end of the year of 2022: over on 1 January 2026, long before the as-of date.
        ("DE", date(2022, 12, 31), "time_barred"),
        ("DE", date(2023, 1, 1), ""),
        ("GB", date(2020, 9, 29), "time_barred"),
        ("GB", date(2020, 9, 30), ""),
    ],
)
def test_what_is_time_barred_is_not_referred(country, due, conditions):
    old = item("A", (AS_OF - due).days)
    assert failed(old, customers=[{"country_code": country}]) == [conditions]


def test_a_placed_item_stays_with_its_agency():
    referrals = refer(item("INV-1"), item("INV-2"), placed=[{"agency_id": "OTHER"}])
    assert referrals.select("invoice_id", "status", "agency_id", "rule", "failed_conditions").rows() == [
        ("INV-1", "placed", "OTHER", None, "already_placed"),
        ("INV-2", "proposed", "AGENCY-EU", "standard", ""),
    ]


def test_all_conditions_are_named_in_one_order():
    hopeless = refer(
        item("INV-1", 4000, open_amount="0.02", disputed_amount="0.01"),
        letters=(letter(3, 3),),
        blocks=[{}],
        plans=[{}],
        promises=[{}],
        possible_payers=[{}],
        placed=[{}],
        decisions=[{"net_due_amount": "-1.00"}],
        customers=[{"status": "legal", "customer_type": None, "last_payment_date": AS_OF}],
    )
    expected = [
        code for code in CONDITIONS if code not in ("not_old_enough", "final_notice_missing", "jurisdiction")
    ]
    assert hopeless["failed_conditions"].to_list() == [",".join(expected)]


def test_a_customer_of_whom_nothing_is_known_is_not_referred():
    assert failed(item(customer_id="GHOST"), decisions=(), letters=()) == [
        "customer_status,levels_unconfirmed,final_notice_missing,nothing_net_due,jurisdiction,customer_type"
    ]


def test_the_order_of_rows_changes_nothing():
    items = [item(f"INV-{n}", 90 + n) for n in range(1, 6)]
    assert refer(*items).equals(refer(*items[::-1], letters=OURS[::-1]))
