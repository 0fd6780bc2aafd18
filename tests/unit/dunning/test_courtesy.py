"""Courtesy reminders: once per invoice and offset, apart from the ladder."""

from decimal import Decimal

import pytest
from dunning_books import book, credit_memo, customer, decide, decision, item, letter, outcome, reminder


def reminded(*occasions_days_states):
    rows = [reminder(*given, episode=0) for given in occasions_days_states]
    return {"letters": [row for row, _ in rows], "lines": [line for _, line in rows]}


@pytest.mark.parametrize(
    ("late", "occasion"),
    [(-7, "INV-1@-7"), (-6, "INV-1@-7"), (-4, "INV-1@-7"), (-3, "INV-1@-3"), (-1, "INV-1@-3")],
    ids=["first day", "missed a day", "before the second", "second day", "last day"],
)
def test_an_item_is_announced_at_the_nearest_offset_it_has_reached(late, occasion):
    row = decision(book([item(days_past_due=late)]))
    expected = ("letter", "courtesy", 0, "courtesy_reminder", "email", occasion)
    assert (
        tuple(row[name] for name in ("decision", "kind", "level", "stage", "channel", "occasion")) == expected
    )


def test_an_item_farther_away_has_no_row():
    assert decide(book([item(days_past_due=-8)]))[0].is_empty()


def test_an_item_due_today_is_listed_but_is_no_reason_to_write():
    assert outcome(book([item(days_past_due=0)])) == ("none", 0, "nothing_to_remind")
    _, lines = decide(book([item("INV-1", 0, "40.00"), item("INV-2", -2, "60.00")]))
    assert lines.select("invoice_id", "occasion", "amount").rows() == [
        ("INV-1", None, Decimal("40.0000")),
        ("INV-2", "INV-2@-3", Decimal("60.0000")),
    ]


@pytest.mark.parametrize(
    ("history", "late", "expected"),
    [
        (("INV-1@-7", -3), -4, "nothing_to_remind"),
        (("INV-1@-7", -4), -3, "courtesy_due"),
        (("INV-1@-3", -5), -1, "nothing_to_remind"),
        (("INV-1@-7", -4, "unknown"), -5, "nothing_to_remind"),
        (("INV-1@-7", -4, "rendered"), -5, "courtesy_due"),
        (("INV-1@-7", -4, "cancelled"), -5, "courtesy_due"),
        (("INV-1@-7", -4, "presumed_not_sent"), -5, "waiting_for_approval"),
    ],
)
def test_each_invoice_and_offset_is_announced_once(history, late, expected):
    assert outcome(book([item(days_past_due=late)], **reminded(history)))[2] == expected


def test_a_reminder_rendered_yesterday_keeps_its_name_and_a_cancelled_one_is_tried_again():
    fresh = decision(book([item(days_past_due=-6)], **reminded()))
    letters = reminded(("INV-1@-7", -1, "rendered"))
    pending = decision(book([item(days_past_due=-6), item("INV-0", -7)], **letters))
    letters = reminded(("INV-1@-7", -1, "cancelled"))
    again = decision(book([item(days_past_due=-6)], **letters))
    assert pending["letter_id"] == fresh["letter_id"]
    assert (again["try_number"], again["letter_id"] != fresh["letter_id"]) == (2, True)


@pytest.mark.parametrize(("sent", "expected"), [(-2, "reminder_too_soon"), (-3, "courtesy_due")])
def test_a_customer_is_reminded_at_most_once_in_three_days_over_all_entities(sent, expected):
    row, line = reminder("OTHER@-7", sent, entity_id="US01")
    assert outcome(book([item(days_past_due=-7)], letters=[row], lines=[line]))[2] == expected


def test_reminders_do_not_wait_for_the_quiet_days():
    of_book = book([item(days_past_due=-3)], letters=[letter(1, -1, entity_id="US01")])
    assert outcome(of_book) == ("letter", 0, "courtesy_due")


def test_someone_on_the_ladder_is_still_reminded_of_what_is_due_soon():
    items = [item("LATE", 3), item("SOON", -3, "50.00")]
    row = decision(book(items, letters=[letter(1, -2)]))
    assert (row["kind"], row["occasion"], row["is_confirmed_level"]) == ("courtesy", "SOON@-3", 1)
    assert (row["past_due_amount"], row["due_soon_amount"], row["item_count"]) == (
        Decimal(100),
        Decimal(50),
        1,
    )


def test_a_letter_that_is_due_comes_before_a_reminder():
    row = decision(book([item("LATE", 1), item("SOON", -3)]))
    assert (row["kind"], row["level"], row["item_count"]) == ("dunning", 1, 1)


@pytest.mark.parametrize(("amount", "expected"), [("24.99", "below_minimum"), ("25.00", "courtesy_due")])
def test_a_reminder_needs_the_minimum_too(amount, expected):
    assert outcome(book([item(days_past_due=-3, amount=amount)]))[2] == expected


def test_credits_in_hand_count_for_reminders():
    assert outcome(book([item(days_past_due=-3), credit_memo("75.00")]))[2] == "courtesy_due"
    assert outcome(book([item(days_past_due=-3), credit_memo("75.01")]))[2] == "below_minimum"


def test_a_disputed_item_is_not_announced():
    row = decision(book([item(days_past_due=-3, disputed_amount="100.00")]))
    assert (row["reason_code"], row["reason"]) == ("disputed", "Every item due soon is disputed.")


def test_a_natural_person_is_reminded():
    of_book = book([item(days_past_due=-3)], customers=[customer(customer_type="consumer")])
    assert outcome(of_book) == ("letter", 0, "courtesy_due")


def test_installments_of_one_invoice_are_announced_apart():
    second = item("INV-1", -7, installment_number=2)
    assert decision(book([second], **reminded(("INV-1@-7", -30))))["occasion"] == "INV-1/2@-7"
