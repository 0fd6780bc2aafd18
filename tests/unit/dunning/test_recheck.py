"""What is learned between decision and sending withdraws the letter; what changes nothing leaves it alone."""

from datetime import timedelta

import polars as pl
import pytest
from dunning_books import (
    AS_OF,
    POLICY,
    block,
    book,
    contact,
    credit_memo,
    customer,
    days,
    decide,
    item,
    placed,
    plan,
    possible_payer,
    previous,
    promise,
    unapplied,
)

from o2c.dunning import DunningBook
from o2c.recheck import WITHDRAWAL_REASONS, letters_to_withdraw

NEIGHBOUR = {"customer_id": "BOLT", "invoice_id": "INV-9"}


def items(**changes):
    """Two items of ACME past due, the first changed; and one of a neighbour whom nothing concerns."""
    return [
        item("INV-1", 12, **{"amount": "100.00"} | changes),
        item("INV-2", 2, "50.00"),
        item(days_past_due=3, amount="70.00", **NEIGHBOUR),
    ]


def both(open_items=None, **rows):
    """A book of ACME and its neighbour."""
    given = {
        "customers": [customer(), customer("BOLT")],
        "contacts": [contact(), contact("BOLT")],
    } | rows
    return book(items() if open_items is None else open_items, **given)


def planned(of_book: DunningBook) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The letters that the book's day decides, as rows of the ledger, and their lines."""
    decisions, lines = decide(of_book)
    emails = of_book.contacts.select("contact_id", address="email")
    letters = decisions.filter(pl.col("decision") == "letter").join(emails, on="contact_id", how="left")
    assert set(letters["customer_id"]) == {"ACME", "BOLT"}
    return letters, lines


def withdrawn(then: DunningBook, now: DunningBook, as_of=AS_OF) -> dict[str, str]:
    """Reason by customer, of the letters that the first book decided and the second one withdraws."""
    letters, lines = planned(then)
    found = letters_to_withdraw(now, letters, lines, POLICY, as_of)
    assert found.columns == ["letter_id", "reason_code"]
    assert set(found["reason_code"]) <= set(WITHDRAWAL_REASONS)
    return dict(found.join(letters, on="letter_id").select("customer_id", "reason_code").iter_rows())


def test_what_nothing_happened_to_leaves() -> None:
    assert withdrawn(both(), both()) == {}


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (both(items()[1:]), "settled"),
        (both([item("INV-1", 12, "99.99"), *items()[1:]]), "settled_in_part"),
        (both(items(disputed_amount="0.01")), "disputed_more"),
        (both(items(disputed_amount="100.00")), "disputed"),
        (both([item("INV-1", -30, "100.00"), *items()[1:]]), "not_past_due"),
        (both([item("INV-1", 0, "100.00"), *items()[1:]]), "not_past_due"),
        (both(items(currency_code="USD")), "settled"),
        (both(items(entity_id="DE02")), "settled"),
        (both(blocks=[block()]), "blocked"),
        (both(blocks=[block(kind="insolvency")]), "insolvent"),
        (both(blocks=[block("INV-1", "invoice", "legal")]), "legal"),
        (both(blocks=[block("INV-1", "invoice")]), "invoice_blocked"),
        (both(blocks=[block(valid_until=days(-1))]), "block_ended"),
        (both(customers=[customer(status="insolvent"), customer("BOLT")]), "insolvent"),
        (both(customers=[customer(status="do_not_contact"), customer("BOLT")]), "do_not_contact"),
        (both(customers=[customer(status="strange"), customer("BOLT")]), "unknown_status"),
        (both(customers=[customer(customer_type=None), customer("BOLT")]), "unknown_customer_type"),
        (both(customers=[customer("BOLT")]), "unknown_customer"),
        (both(promises=[promise()]), "promise_pending"),
        (both(promises=[promise("INV-1")]), "promise_pending"),
        (both(plans=[plan()]), "payment_plan"),
        (both(plans=[plan("INV-2")]), "plan_in_good_standing"),
        (both(placed=[placed()]), "placed_with_agency"),
        (both(possible_payers=[possible_payer()]), "possible_payer"),
        (both(unapplied=[unapplied("150.00")]), "nothing_net_due"),
        (both([*items(), credit_memo("150.00")]), "nothing_net_due"),
        (both(unapplied=[unapplied("125.01")]), "below_minimum"),
        (both(contacts=[contact(email="new@acme.example"), contact("BOLT")]), "address_changed"),
        (both(contacts=[contact("BOLT")]), "address_changed"),
        (both(contacts=[contact(valid_from=days(1)), contact("BOLT")]), "address_changed"),
        (both(contacts=[contact(role="escalation"), contact("BOLT")]), "address_changed"),
        (
            both(contacts=[contact("BOLT"), contact("BOLT", "C-ACME", "ap@acme.example")]),
            "address_changed",
        ),
        (both(suppressed=[{"address": "AP@acme.example"}]), "no_valid_address"),
    ],
)  # fmt: skip
def test_what_was_learned_since_withdraws_the_letter_and_no_other(now: DunningBook, reason: str) -> None:
    assert withdrawn(both(), now) == {"ACME": reason}


@pytest.mark.parametrize(
    "now",
    [
        both(items(amount="120.00")),
        both([*items(), item("INV-3", 40, "900.00")]),
        both(unapplied=[unapplied("125.00")]),
        both(unapplied=[unapplied("999.00", "BOLT", currency_code="USD")]),
        both(blocks=[block(valid_from=days(1))]),
        both(blocks=[block("OTHER")]),
        both(promises=[promise(status="broken")]),
        both(plans=[plan(is_in_good_standing=False)]),
        both(placed=[placed("INV-3")]),
        both(contacts=[contact(email="AP@Acme.example"), contact("BOLT")]),
        both(contacts=[contact(), contact(contact_id="C-NEW", email="new@acme.example"), contact("BOLT")]),
    ],
    ids=[
        "owes more", "owes something else, too", "exactly the minimum is net due", "cash in another currency",
        "blocked from tomorrow on", "somebody else is blocked", "broke a promise", "plan in default",
        "something else was placed", "address in other letters", "has another contact, too",
    ],
)  # fmt: skip
def test_what_does_not_concern_the_letter_leaves_it_alone(now: DunningBook) -> None:
    assert withdrawn(both(), now) == {}


def test_a_partly_disputed_item_whose_dispute_was_known_leaves_for_the_rest() -> None:
    then = both(items(disputed_amount="40.00"))
    assert withdrawn(then, then) == {}
    assert withdrawn(then, both(items(disputed_amount="40.01"))) == {"ACME": "disputed_more"}
    assert withdrawn(then, both(items(disputed_amount="0.00"))) == {}


def test_on_the_next_day_what_holds_from_then_on_withdraws() -> None:
    tomorrow = AS_OF + timedelta(days=1)
    aged = [row | {"days_past_due": row["days_past_due"] + 1} for row in items()]
    history = [previous("level_due", 1, is_confirmed_level=0)]
    assert withdrawn(both(), both(aged, previous=history), tomorrow) == {}
    blocked = both(aged, previous=history, blocks=[block(valid_from=tomorrow)])
    assert withdrawn(both(), blocked, tomorrow) == {"ACME": "blocked"}


def test_a_natural_person_is_not_written_to_beyond_the_first_level() -> None:
    letters, lines = planned(both())
    second = letters.with_columns(level=pl.lit(2, dtype=pl.Int64))
    now = both(customers=[customer(customer_type="consumer"), customer("BOLT")])
    assert letters_to_withdraw(now, letters, lines, POLICY, AS_OF).is_empty()
    found = letters_to_withdraw(now, second, lines, POLICY, AS_OF)
    assert found["reason_code"].to_list() == ["natural_person"]


def soon(**changes):
    """Items due in three days, announced today."""
    return [
        item("INV-1", -3, **{"amount": "100.00"} | changes),
        item(days_past_due=-3, amount="70.00", **NEIGHBOUR),
    ]


@pytest.mark.parametrize(
    ("now", "reasons"),
    [
        (both(soon()), {}),
        (both([item("INV-1", 0), soon()[1]]), {}),
        (both([item("INV-1", 1), soon()[1]]), {"ACME": "past_due_since"}),
        (both(soon()[1:]), {"ACME": "settled"}),
        (both(soon(amount="99.00")), {"ACME": "settled_in_part"}),
        (both(soon(disputed_amount="1.00")), {"ACME": "disputed_more"}),
        (both(soon(), unapplied=[unapplied("75.00")]), {}),
        (both(soon(), unapplied=[unapplied("75.01")]), {"ACME": "below_minimum"}),
        (both(soon(), unapplied=[unapplied("100.00")]), {"ACME": "nothing_net_due"}),
    ],
)  # fmt: skip
def test_reminders_are_withdrawn_by_the_same_rules(now: DunningBook, reasons: dict[str, str]) -> None:
    assert withdrawn(both(soon()), now) == reasons


def test_a_text_message_stands_while_its_contact_agrees_to_it() -> None:
    letters, lines = planned(both())
    texted = letters.with_columns(
        channel=pl.when(pl.col("customer_id") == "ACME").then(pl.lit("sms")).otherwise("channel"),
        address=pl.when(pl.col("customer_id") == "ACME").then(pl.lit("+4930123456")).otherwise("address"),
    )
    for consent, number, reasons in (
        (True, "+4930123456", []),
        (False, "+4930123456", ["address_changed"]),
        (None, "+4930123456", ["address_changed"]),
        (True, "+4930123457", ["address_changed"]),
    ):
        now = both(contacts=[contact(phone=number, sms_consent=consent), contact("BOLT")])
        found = letters_to_withdraw(now, texted, lines, POLICY, AS_OF)
        assert found["reason_code"].to_list() == reasons


def test_a_letter_of_before_that_names_no_contact_may_go_to_any_of_the_customers_own() -> None:
    letters, lines = planned(both())
    unnamed = letters.with_columns(contact_id=pl.lit(None, dtype=pl.String))
    moved = both(contacts=[contact(contact_id="C-NEW"), contact("BOLT")])
    assert letters_to_withdraw(moved, unnamed, lines, POLICY, AS_OF).is_empty()
    assert letters_to_withdraw(moved, letters, lines, POLICY, AS_OF)["reason_code"].to_list() == [
        "address_changed"
    ]


def test_of_several_reasons_the_weightiest_is_given() -> None:
    now = both(items(amount="1.00"), blocks=[block(kind="insolvency"), block("INV-1", "invoice")])
    assert withdrawn(both(), now) == {"ACME": "insolvent"}


def test_nothing_to_check_is_nothing_to_withdraw() -> None:
    letters, lines = planned(both())
    none = letters_to_withdraw(both(), letters.head(0), lines.head(0), POLICY, AS_OF)
    assert none.rows() == []
