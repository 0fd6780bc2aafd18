"""The ladder: when each level is due, and what it waits for."""

from decimal import Decimal

import pytest
from dunning_books import (
    AS_OF,
    POLICY,
    activity,
    block,
    book,
    contact,
    credit_memo,
    customer,
    days,
    decide,
    decision,
    item,
    letter,
    outcome,
    previous,
    unapplied,
)

from o2c import frames
from o2c.policy.dunning import Override


def test_a_decision_carries_everything_that_was_decided_on():
    of_book = book(
        [
            item("INV-1", 9, "100.00", disputed_amount="40.00"),
            item("INV-2", 1, "30.50"),
            item("INV-3", -20, "99.00"),
            credit_memo("10.00"),
        ],
        unapplied=[unapplied("5.25")],
    )
    decisions, lines = decide(of_book)
    expected = {
        "as_of_date": AS_OF,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "decision": "letter",
        "kind": "dunning",
        "stage": "first_contact",
        "occasion": None,
        "channel": "email",
        "contact_id": "C-ACME",
        "language_code": "de",
        "reason_code": "level_due",
        "reason": "Level 1 (first_contact) is due: 2 items of 90.50 EUR, the oldest 9 days past due.",
        "policy_version": POLICY.policy_version,
        "letter_id": "foikb5mirzath2abyaw3jezgiy",
        "past_due_amount": Decimal("90.5000"),
        "disputed_amount": Decimal("40.0000"),
        "credit_memo_amount": Decimal("10.0000"),
        "unapplied_amount": Decimal("5.2500"),
        "net_due_amount": Decimal("75.2500"),
        "due_soon_amount": Decimal("0.0000"),
        "level": 1,
        "episode": 1,
        "try_number": 1,
        "item_count": 2,
        "oldest_days_past_due": 9,
        "required_approval_count": 0,
        "is_confirmed_level": 0,
        "nothing_past_due_since": None,
    }
    assert decisions.to_dicts() == [expected]
    assert lines.select("line_number", "invoice_id", "amount", "disputed_amount", "days_past_due").rows() == [
        (1, "INV-1", Decimal("60.0000"), Decimal("40.0000"), 9),
        (2, "INV-2", Decimal("30.5000"), Decimal("0.0000"), 1),
    ]
    assert set(lines["letter_id"]) == {"foikb5mirzath2abyaw3jezgiy"}


@pytest.mark.parametrize(
    ("confirmed", "late", "expected"),
    [
        (0, 1, ("letter", 1, "level_due")),
        (0, 400, ("letter", 1, "level_due")),
        (1, 6, ("none", 1, "next_level_not_due")),
        (1, 7, ("letter", 2, "level_due")),
        (1, 400, ("letter", 2, "level_due")),
        (2, 13, ("none", 2, "next_level_not_due")),
        (2, 14, ("letter", 3, "waiting_for_approval")),
        (3, 20, ("none", 3, "next_level_not_due")),
        (3, 21, ("task", 4, "legal_review_due")),
        (3, 400, ("task", 4, "legal_review_due")),
    ],
)
def test_the_oldest_item_says_how_far_and_each_level_follows_the_one_before(confirmed, late, expected):
    letters = [letter(level, -6 - 7 * (confirmed - level)) for level in range(1, confirmed + 1)]
    assert outcome(book([item(days_past_due=late), item("INV-2", 1)], letters=letters)) == expected


def test_a_disputed_old_item_does_not_drag_the_ladder_up():
    of_book = book([item("OLD", 90, disputed_amount="100.00"), item("NEW", 2)], letters=[letter(1)])
    assert outcome(of_book) == ("none", 1, "next_level_not_due")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(-5, ("none", 1, "too_soon_after_level")), (-6, ("letter", 2, "level_due"))],
    ids=["day before", "the day"],
)
def test_the_next_level_waits_for_the_days_between(sent, expected):
    assert outcome(book([item(days_past_due=30)], letters=[letter(1, sent)])) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("sent", ("letter", 2, "level_due")),
        ("rendered", ("letter", 1, "level_due")),
        ("approval_pending", ("letter", 1, "level_due")),
        ("cancelled", ("letter", 1, "level_due")),
        ("refused", ("letter", 1, "level_due")),
        ("bounced", ("none", 0, "no_valid_address")),
        ("not_delivered", ("none", 0, "no_valid_address")),
        ("presumed_not_sent", ("letter", 1, "waiting_for_approval")),
        ("unknown", ("none", 0, "letter_unconfirmed")),
        ("sending", ("none", 0, "letter_unconfirmed")),
    ],
)
def test_only_a_letter_known_to_be_sent_confirms_its_level(state, expected):
    assert outcome(book([item(days_past_due=30)], letters=[letter(1, -10, state)])) == expected


@pytest.mark.parametrize(
    ("state", "same_letter", "tries", "approvals"),
    [
        ("rendered", True, 1, 0),
        ("approval_pending", True, 1, 0),
        ("cancelled", False, 2, 0),
        ("refused", False, 2, 0),
        ("presumed_not_sent", False, 2, 2),
    ],
)
def test_a_letter_decided_again_is_the_same_one_unless_the_first_try_ended(
    state, same_letter, tries, approvals
):
    first = decision(book([item(days_past_due=30)]))
    again = decision(book([item(days_past_due=30)], letters=[letter(1, -10, state)]))
    assert (again["letter_id"] == first["letter_id"]) is same_letter
    assert (again["try_number"], again["required_approval_count"]) == (tries, approvals)


def test_a_bounced_letter_is_tried_again_at_a_new_address():
    bounced = letter(1, -6, "bounced", address="old@acme.example")
    row = decision(book([item(days_past_due=30)], letters=[bounced]))
    assert (row["decision"], row["level"], row["try_number"]) == ("letter", 1, 2)


def test_letters_of_another_episode_entity_or_currency_confirm_nothing():
    others = [
        letter(3, -20, episode=2),
        letter(2, -21, entity_id="US01"),
        letter(2, -22, currency_code="USD"),
        letter(0, -7, kind="courtesy", occasion="INV-1@-3"),
    ]
    assert outcome(book([item(days_past_due=30)], letters=others)) == ("letter", 1, "level_due")


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("24.99", "EUR", "below_minimum"),
        ("25.00", "EUR", "level_due"),
        ("2499", "JPY", "below_minimum"),
        ("2500", "JPY", "level_due"),
    ],
)
def test_a_letter_needs_the_minimum_of_its_currency(amount, currency, expected):
    assert outcome(book([item(amount=amount, currency_code=currency)]))[2] == expected


@pytest.mark.parametrize(
    ("cash", "credit", "expected"),
    [
        ("0", "0", "level_due"),
        ("50.00", "25.00", "level_due"),
        ("50.00", "25.01", "below_minimum"),
        ("50.00", "49.99", "below_minimum"),
        ("50.00", "50.00", "nothing_net_due"),
        ("200.00", "0", "nothing_net_due"),
    ],
)
def test_cash_on_account_and_credit_memos_count_before_anyone_is_written_to(cash, credit, expected):
    items = [item(amount="100.00"), credit_memo(credit)] if credit != "0" else [item(amount="100.00")]
    assert outcome(book(items, unapplied=[unapplied(cash)] if cash != "0" else []))[2] == expected


def test_cash_of_another_entity_or_currency_covers_nothing():
    cash = [unapplied("500.00", entity_id="US01"), unapplied("500.00", currency_code="USD")]
    assert decision(book([item()], unapplied=cash))["net_due_amount"] == Decimal("100.0000")


def test_currencies_and_entities_are_never_added_up():
    items = [
        item("A", amount="20.00"),
        item("B", amount="20.00", currency_code="USD"),
        item("C", amount="20.00", entity_id="US01"),
    ]
    decisions, _ = decide(book(items))
    assert decisions.select("entity_id", "currency_code", "reason_code", "net_due_amount").rows() == [
        ("DE01", "EUR", "below_minimum", Decimal("20.0000")),
        ("DE01", "USD", "below_minimum", Decimal("20.0000")),
        ("US01", "EUR", "below_minimum", Decimal("20.0000")),
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [(-5, ("none", 2, "too_soon_after_level")), (-6, ("letter", 3, "waiting_for_approval"))],
)
def test_letters_on_record_from_before_us_are_confirmed_history(day, expected):
    assert outcome(book([item(days_past_due=90)], activities=[activity(2, days(day))])) == expected


def test_a_letter_on_record_from_before_the_oldest_item_was_due_is_of_another_story():
    items = [item(days_past_due=7)]
    on_the_due_date = book(items, activities=[activity(2, days(-7))])
    a_day_later = book([item(days_past_due=8)], activities=[activity(2, days(-7))])
    assert outcome(on_the_due_date) == ("letter", 1, "level_due")
    assert outcome(a_day_later) == ("none", 2, "next_level_not_due")


def test_a_level_does_not_fall_when_the_oldest_item_is_paid():
    of_book = book(
        [item(days_past_due=14)],
        activities=[activity(2, days(-30))],
        previous=[previous(is_confirmed_level=2)],
    )
    assert outcome(of_book) == ("letter", 3, "waiting_for_approval")


def test_a_call_is_no_letter():
    of_book = book([item(days_past_due=90)], activities=[activity(2, days(-10), channel="call")])
    assert outcome(of_book) == ("letter", 1, "level_due")


@pytest.mark.parametrize(
    ("given", "confirmed", "late", "expected"),
    [
        ({"behaviour_class": "always_on_time"}, 0, 5, ("letter", 1, "level_due")),
        ({"behaviour_class": "always_on_time"}, 1, 90, ("none", 1, "ladder_ended")),
        ({"risk_class": "high"}, 2, 12, ("none", 2, "next_level_not_due")),
        ({"risk_class": "high"}, 2, 13, ("letter", 3, "waiting_for_approval")),
        ({"risk_class": "high"}, 3, 18, ("none", 3, "next_level_not_due")),
        ({"risk_class": "high"}, 3, 19, ("task", 4, "legal_review_due")),
        ({"customer_group": "strategic"}, 1, 7, ("letter", 2, "waiting_for_approval")),
        ({"customer_type": "consumer"}, 0, 90, ("letter", 1, "level_due")),
        ({"customer_type": "consumer"}, 1, 90, ("none", 1, "natural_person")),
    ],
)
def test_some_customers_have_a_ladder_of_their_own(given, confirmed, late, expected):
    letters = [letter(level, -6 - 7 * (confirmed - level)) for level in range(1, confirmed + 1)]
    of_book = book([item(days_past_due=late)], customers=[customer(**given)], letters=letters)
    assert outcome(of_book) == expected


def test_the_most_specific_override_wins_for_each_setting():
    overrides = [
        {"name": "germans", "country_code": "DE", "max_level": 2, "required_approval_count": {1: 1}},
        {"name": "risky", "risk_class": "low", "value_tier": "B", "max_level": 3, "days_past_due": {1: 3}},
        {"name": "this_one", "customer_id": "ACME", "max_level": 0},
        {"name": "our_company", "entity_id": "DE01", "required_approval_count": {1: 2}},
    ]
    policy = POLICY.model_copy(update={"overrides": tuple(Override(**given) for given in overrides)})
    others = [customer("BOLT"), customer("ACME"), customer("CORK", country_code="AT", risk_class="high")]
    items = [
        item("A", 4),
        item("B", 2, customer_id="BOLT"),
        item("C", 4, customer_id="CORK", entity_id="US01"),
    ]
    items += [item("D", 4, customer_id="BOLT", entity_id="US01")]
    contacts = [contact(name) for name in ("ACME", "BOLT", "CORK")]
    decisions, _ = decide(book(items, customers=others, contacts=contacts), policy)
    columns = ["entity_id", "customer_id", "reason_code", "required_approval_count"]
    assert decisions.select(columns).rows() == [
        ("DE01", "ACME", "ladder_ended", 0),  # the customer's own, before all others
        ("DE01", "BOLT", "next_level_not_due", 0),  # days of the segment, which no more specific one sets
        (
            "US01",
            "BOLT",
            "waiting_for_approval",
            1,
        ),  # approvals of the country, which the segment does not set
        ("US01", "CORK", "level_due", 0),  # none holds
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(-5, ("none", 0, "quiet_days")), (-6, ("letter", 1, "level_due"))],
    ids=["day before", "the day"],
)
def test_a_customer_is_left_in_peace_after_a_letter_of_any_entity(sent, expected):
    assert outcome(book([item()], letters=[letter(1, sent, entity_id="US01")])) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("rendered", "level_due"),
        ("approval_pending", "level_due"),
        ("cancelled", "level_due"),
        ("refused", "level_due"),
        ("presumed_not_sent", "quiet_days"),
        ("unknown", "quiet_days"),
        ("sending", "quiet_days"),
    ],
)
def test_a_letter_that_may_have_left_starts_the_quiet_days(state, expected):
    assert outcome(book([item()], letters=[letter(1, -2, state, entity_id="US01")]))[2] == expected


def test_courtesy_reminders_do_not_start_the_quiet_days():
    reminded = letter(0, -1, kind="courtesy", occasion="INV-1@-3")
    assert outcome(book([item()], letters=[reminded])) == ("letter", 1, "level_due")


@pytest.mark.parametrize(("sent", "expected"), [(-5, "quiet_days"), (-6, "level_due")])
def test_an_address_is_left_in_peace_whoever_was_written_to(sent, expected):
    other = letter(1, sent, customer_id="BOLT", address="AP@acme.example")
    assert outcome(book([item()], letters=[other]))[2] == expected


def test_all_letters_to_a_customer_on_one_morning_are_one_contact():
    decisions, _ = decide(book([item("A"), item("B", entity_id="US01"), item("C", currency_code="USD")]))
    assert decisions["reason_code"].to_list() == ["level_due"] * 3


def test_of_customers_at_one_address_the_one_who_waits_longest_is_written_to():
    names = ["ACME", "BOLT", "CORK"]
    of_book = book(
        [item(name, late, customer_id=name) for name, late in zip(names, (30, 2, 9), strict=True)],
        customers=[customer(name) for name in names],
        contacts=[contact(name, email="ap@shared.example") for name in names],
        letters=[letter(1, -8, customer_id="ACME", address="old@shared.example")],
    )
    decisions, _ = decide(of_book)
    assert decisions.select("customer_id", "decision", "reason_code").rows() == [
        ("ACME", "none", "quiet_days"),
        ("BOLT", "none", "quiet_days"),
        ("CORK", "letter", "level_due"),
    ]
    assert decisions["reason"][0] == "Another customer with the same address is written to today."


@pytest.mark.parametrize(
    ("as_of", "country", "expected"),
    [
        (days(2), "DE", "level_due"),  # Friday
        (days(3), "DE", "non_business_day"),  # Saturday
        (days(2), "SA", "non_business_day"),  # the weekend is Friday and Saturday there
        (days(4), "SA", "level_due"),  # Sunday
    ],
)
def test_letters_leave_on_business_days_of_the_customers_country(as_of, country, expected):
    of_book = book([item(as_of=as_of)], customers=[customer(country_code=country)])
    assert outcome(of_book, as_of=as_of)[2] == expected


def test_a_task_for_a_person_waits_for_no_address_and_no_business_day():
    saturday = days(3)
    of_book = book([item(days_past_due=30, as_of=saturday)], contacts=[], letters=[letter(3, -10)])
    assert outcome(of_book, as_of=saturday) == ("task", 4, "legal_review_due")


def test_a_book_with_nothing_due_decides_nothing():
    decisions, lines = decide(book([item(days_past_due=-8), credit_memo("10.00")]))
    assert decisions.equals(frames.DunningDecisions.empty().select(decisions.columns))
    assert lines.equals(frames.LetterLines.empty().select(lines.columns))


def test_history_of_the_day_itself_is_not_looked_at():
    today = [letter(1, 0), letter(1, 0, "cancelled", try_number=2)]
    of_book = book([item(days_past_due=30)], letters=today, previous=[previous(days_ago=0, episode=7)])
    assert decide(of_book)[0].equals(decide(book([item(days_past_due=30)]))[0])


def test_a_year_without_known_holidays_is_named_in_the_reason():
    as_of = AS_OF.replace(year=2300)
    row = decision(book([item(as_of=as_of)]), as_of=as_of)
    assert row["reason"].endswith(
        "(no holidays known for DE in 2300: Monday to Friday are taken as business days)"
    )


def test_an_ended_block_does_not_count_when_it_ended_before_yesterday():
    ended = book([item()], blocks=[block(valid_until=days(-2))])
    assert outcome(ended) == ("letter", 1, "level_due")
