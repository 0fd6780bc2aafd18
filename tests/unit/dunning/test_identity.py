"""A letter's id: of its identity alone, the same for ever."""

import base64
import hashlib

import pytest
from dunning_books import book, contact, customer, days, decide, decision, item, letter

from o2c.dunning.identity import letter_id


def id_of(identity):
    digest = hashlib.sha256(identity.encode()).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()[:26]


@pytest.mark.parametrize(
    ("of_book", "identity"),
    [
        (book([item()]), "dunning|DE01|ACME|EUR|1|1|1"),
        (book([item(days_past_due=9)], letters=[letter(1)]), "dunning|DE01|ACME|EUR|1|2|1"),
        (book([item()], letters=[letter(1, -9, "cancelled")]), "dunning|DE01|ACME|EUR|1|1|2"),
        (book([item(days_past_due=-5)]), "courtesy|DE01|ACME|EUR|0|INV-1@-7|1"),
    ],
)
def test_the_id_is_made_of_what_the_letter_is_about(of_book, identity):
    assert decision(of_book)["letter_id"] == id_of(identity)


def test_amounts_items_and_the_day_do_not_change_the_id():
    first = decision(book([item()]))
    later = decision(book([item("INV-2", 5, "77.00"), item("INV-3", 4)]), as_of=days(1))
    assert first["letter_id"] == later["letter_id"]


def test_ids_with_the_separator_in_them_are_told_apart():
    names = [("DE|01", "ACME"), ("DE", "01|ACME"), ("DE\\", "01|ACME")]
    of_book = book(
        [item(f"I-{entity}", entity_id=entity, customer_id=name) for entity, name in names],
        customers=[customer("ACME"), customer("01|ACME")],
        contacts=[contact("ACME"), contact("01|ACME", email="ap@other.example")],
    )
    decisions, _ = decide(of_book)
    assert decisions["letter_id"].n_unique() == 3


def test_an_id_has_26_small_letters_and_digits_and_never_changes():
    assert letter_id("dunning|DE01|ACME|EUR|1|1|1") == "foikb5mirzath2abyaw3jezgiy"
