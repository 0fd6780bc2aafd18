"""Who is left alone whatever is owed, and which reason is named when there are several."""

from decimal import Decimal

import pytest
from dunning_books import (
    block,
    book,
    contact,
    customer,
    days,
    decide,
    decision,
    item,
    letter,
    outcome,
    placed,
    plan,
    possible_payer,
    previous,
    promise,
)

PAST_DUE = [item(days_past_due=3)]
DUE_SOON = [item(days_past_due=-3)]

PROTECTED = {
    "insolvent customer": ({"customers": [customer(status="insolvent")]}, "insolvent"),
    "insolvency block": ({"blocks": [block(kind="insolvency")]}, "insolvent"),
    "insolvency block on one invoice": ({"blocks": [block("INV-1", "invoice", "insolvency")]}, "insolvent"),
    "legal customer": ({"customers": [customer(status="legal")]}, "legal"),
    "legal block": ({"blocks": [block(kind="legal")]}, "legal"),
    "not to be contacted": ({"customers": [customer(status="do_not_contact")]}, "do_not_contact"),
    "closed": ({"customers": [customer(status="closed")]}, "closed"),
    "status we do not know": ({"customers": [customer(status="merged")]}, "unknown_status"),
    "own company": ({"customers": [customer(customer_type="intercompany")]}, "intercompany"),
    "only in documents": ({"customers": [customer(is_stub=True)]}, "unknown_customer"),
    "not in the master": ({"customers": []}, "unknown_customer"),
    "no type": ({"customers": [customer(customer_type=None)]}, "unknown_customer_type"),
    "type we do not know": ({"customers": [customer(customer_type="club")]}, "unknown_customer_type"),
    "no country": ({"customers": [customer(country_code=None)]}, "unknown_jurisdiction"),
    "country that is none": ({"customers": [customer(country_code="XX")]}, "unknown_jurisdiction"),
    "plan over everything": ({"plans": [plan()]}, "payment_plan"),
    "plan block": ({"blocks": [block(kind="payment_plan")]}, "payment_plan"),
    "block by hand": ({"blocks": [block()]}, "blocked"),
    "block of a kind we do not know": ({"blocks": [block(kind="karma")]}, "blocked"),
    "payment in suspense": ({"possible_payers": [possible_payer(entity_id="US01")]}, "possible_payer"),
    "block ended yesterday": ({"blocks": [block(valid_until=days(-1))]}, "block_ended"),
    "held back at the last decision": ({"previous": [previous("possible_payer")]}, "block_ended"),
}


@pytest.mark.parametrize("items", [PAST_DUE, DUE_SOON], ids=["past due", "due soon"])
@pytest.mark.parametrize(("given", "reason"), PROTECTED.values(), ids=PROTECTED)
def test_the_machine_keeps_still(given, reason, items):
    assert outcome(book(items, **given)) == ("none", 0, reason)


def test_insolvency_is_named_before_every_other_reason():
    of_book = book(
        PAST_DUE,
        customers=[customer(status="do_not_contact", customer_type=None, country_code=None)],
        blocks=[block(), block("INV-1", "invoice", "insolvency")],
        possible_payers=[possible_payer()],
    )
    assert outcome(of_book)[2] == "insolvent"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (1, None, "level_due"),
        (0, None, "blocked"),
        (-9, 0, "blocked"),
        (-9, -1, "block_ended"),
        (-9, -2, "level_due"),
    ],
    ids=["from tomorrow", "from today", "until today", "until yesterday", "until the day before"],
)
def test_a_block_holds_from_its_first_day_to_its_last_and_silences_the_day_after(first, last, expected):
    until = None if last is None else days(last)
    assert outcome(book(PAST_DUE, blocks=[block(valid_from=days(first), valid_until=until)]))[2] == expected


HELD_ITEMS = {
    "disputed": ({}, {"disputed_amount": "100.00"}, "disputed"),
    "placed": ({"placed": [placed()]}, {}, "placed_with_agency"),
    "promised": ({"promises": [promise("INV-1")]}, {}, "promise_pending"),
    "promised in general": ({"promises": [promise()]}, {}, "promise_pending"),
    "on a plan": ({"plans": [plan("INV-1")]}, {}, "plan_in_good_standing"),
    "blocked": ({"blocks": [block("INV-1", "invoice")]}, {}, "invoice_blocked"),
}


@pytest.mark.parametrize(("given", "of_item", "reason"), HELD_ITEMS.values(), ids=HELD_ITEMS)
def test_an_item_that_is_held_back_is_not_dunned_and_the_others_are(given, of_item, reason):
    held = item("INV-1", 30, **of_item)
    assert outcome(book([held], **given)) == ("none", 0, reason)

    general = reason == "promise_pending" and given["promises"][0]["invoice_id"] is None
    other = item("INV-2", 2, "60.00", currency_code="USD" if general else "EUR")
    decisions, lines = decide(book([held, other], **given))
    row = decisions.filter(decisions["currency_code"] == other["currency_code"]).row(0, named=True)
    assert (row["decision"], row["past_due_amount"], row["oldest_days_past_due"]) == (
        "letter",
        Decimal("60.0000"),
        2,
    )
    assert lines["invoice_id"].to_list() == ["INV-2"]


@pytest.mark.parametrize(
    "given",
    [
        {"promises": [promise("INV-1", "kept")]},
        {"promises": [promise("INV-1", "broken")]},
        {"promises": [promise(currency_code="USD")]},
        {"plans": [plan("INV-1", is_in_good_standing=False)]},
        {"plans": [plan(is_in_good_standing=False)]},
        {"placed": [placed(installment_number=2)]},
        {"blocks": [block("INV-9", "invoice"), block("BOLT")]},
        {"possible_payers": [possible_payer("BOLT")]},
    ],
)
def test_what_is_over_or_about_others_holds_nothing_back(given):
    assert outcome(book(PAST_DUE, **given)) == ("letter", 1, "level_due")


@pytest.mark.parametrize(
    ("disputed", "expected"),
    [
        ("100.00", ("none", "0")),
        ("75.01", ("none", "24.99")),
        ("75.00", ("letter", "25.00")),
        ("999.00", ("none", "0")),
    ],
)
def test_the_undisputed_rest_is_dunned(disputed, expected):
    row = decision(book([item(disputed_amount=disputed)]))
    assert (row["decision"], row["past_due_amount"]) == (expected[0], Decimal(expected[1]))


def test_a_customer_whose_items_are_held_in_different_ways_hears_the_weightiest_reason():
    items = [item("A", disputed_amount="100.00"), item("B"), item("C")]
    of_book = book(items, promises=[promise("B")], plans=[plan("C")])
    assert outcome(of_book)[2] == "plan_in_good_standing"


def test_a_dispute_of_yesterday_that_stays_does_not_hold_back_a_new_item():
    items = [item("A", 30, disputed_amount="100.00"), item("B", 1)]
    assert outcome(book(items, previous=[previous("disputed")]))[2] == "level_due"
    assert outcome(book([item("A", 30)], previous=[previous("disputed")]))[2] == "block_ended"


ADDRESSES = {
    "ap@acme.example": True,
    "a.p+x@sub.acme.example": True,
    "AP@ACME.EXAMPLE": True,
    "ap@münchen.example": True,
    "ap@acme.example,ceo@acme.example": False,
    "ap@acme.example ceo@acme.example": False,
    "ap@acme.example\n": False,
    "ap@acme.example\r\nBcc: all@acme.example": False,
    "Ann <ap@acme.example>": False,
    '"a b"@acme.example': False,
    "ap@acme": False,
    "ap@@acme.example": False,
    "@acme.example": False,
    ".ap@acme.example": False,
    "a..p@acme.example": False,
    "ap@-acme.example": False,
    "ap@[192.0.2.1]": False,
    "ap@acme.example ": False,
    "": False,
    f"{'a' * 64}@acme.example": True,
    f"{'a' * 65}@acme.example": False,
}


@pytest.mark.parametrize(("email", "is_valid"), ADDRESSES.items())
def test_only_exactly_one_plain_address_is_written_to(email, is_valid):
    row = decision(book(PAST_DUE, contacts=[contact() | {"email": email}]))
    assert (row["decision"] == "letter", row["reason_code"] == "no_valid_address") == (is_valid, not is_valid)


CONTACTS = {
    "dunning before billing": ([("A", "billing", 0), ("B", "dunning", -90)], "B"),
    "billing before none": ([("A", None, 0), ("B", "billing", -90)], "B"),
    "none before nobody": ([("A", None, 0)], "A"),
    "escalation is for people": ([("A", "escalation", 0)], None),
    "the most recent": ([("A", "dunning", -9), ("B", "dunning", -1), ("C", "dunning", None)], "B"),
    "from today": ([("A", "dunning", 0)], "A"),
    "not from tomorrow": ([("A", "dunning", 1)], None),
    "ties by id": ([("B", "dunning", -9), ("A", "dunning", -9)], "A"),
}


@pytest.mark.parametrize(("given", "chosen"), CONTACTS.values(), ids=CONTACTS)
def test_the_contact_is_chosen_by_role_and_then_the_most_recent(given, chosen):
    contacts = [
        contact(contact_id=name, role=role, valid_from=None if since is None else days(since))
        for name, role, since in given
    ]
    assert decision(book(PAST_DUE, contacts=contacts))["contact_id"] == chosen


def test_a_contact_without_a_valid_address_gives_way_to_one_with():
    contacts = [contact(contact_id="A", email="nobody"), contact(contact_id="B", role="billing")]
    assert decision(book(PAST_DUE, contacts=contacts))["contact_id"] == "B"


def test_the_language_is_the_contacts_then_the_customers_then_the_default():
    def language(of_contact, of_customer):
        given = {
            "contacts": [contact(language_code=of_contact)],
            "customers": [customer(language_code=of_customer)],
        }
        return decision(book(PAST_DUE, **given))["language_code"]

    assert [language("fr", "de"), language(None, "de"), language(None, None)] == ["fr", "de", "en"]


@pytest.mark.parametrize(
    ("valid_from", "expected"),
    [(None, "no_valid_address"), (-9, "no_valid_address"), (-8, "level_due")],
    ids=["never confirmed", "entered on the day it bounced", "entered the day after"],
)
def test_an_address_that_a_letter_came_back_from_needs_a_newer_contact(valid_from, expected):
    of_book = book(
        PAST_DUE,
        contacts=[contact(valid_from=None if valid_from is None else days(valid_from))],
        letters=[letter(1, -9, "bounced", customer_id="BOLT", address="AP@ACME.example")],
    )
    assert outcome(of_book)[2] == expected


def test_a_negative_dispute_does_not_raise_what_is_asked_for():
    assert decision(book([item(disputed_amount="-5.00")]))["past_due_amount"] == Decimal("100.0000")
