"""What holds of the second look for every pair of books: of the morning, and of the hour at which letters leave."""

from dataclasses import fields, replace
from decimal import Decimal

import polars as pl
from dunning_books import ADDRESSES, AS_OF, POLICY, decide
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_books import books

from o2c.dunning import DunningBook
from o2c.dunning.addresses import with_addresses
from o2c.dunning.protection import PROTECTIONS
from o2c.recheck import letters_to_withdraw

WITH_SMS = POLICY.model_copy(update={"sms": POLICY.sms.model_copy(update={"enabled": True})})
law = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(of_book: DunningBook) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The letters that a book's day decides, as rows of the ledger, and their lines."""
    decisions, lines = decide(of_book, WITH_SMS, addresses=ADDRESSES)
    contacts = with_addresses(of_book.contacts).select("contact_id", "address", "phone")
    letters = (
        decisions.filter(pl.col("decision") == "letter")
        .join(contacts, on="contact_id", how="left", validate="m:1")
        .with_columns(address=pl.when(pl.col("channel") == "sms").then("phone").otherwise("address"))
    )
    return letters, lines


@law
@given(books())
def test_what_was_decided_on_the_same_data_is_never_withdrawn(morning: DunningBook) -> None:
    letters, lines = planned(morning)
    assert letters_to_withdraw(morning, letters, lines, WITH_SMS, AS_OF).rows() == []


@law
@given(books(), books(), st.sets(st.sampled_from([field.name for field in fields(DunningBook)]), max_size=3))
def test_what_stands_is_right_by_the_data_of_the_hour(
    morning: DunningBook, other: DunningBook, news: set[str]
) -> None:
    """Looked up by hand in the newer book, without the rules of the second look."""
    now = replace(morning, **{name: getattr(other, name) for name in news})
    letters, lines = planned(morning)
    withdrawn = letters_to_withdraw(now, letters, lines, WITH_SMS, AS_OF)["letter_id"]
    assert withdrawn.is_unique().all()
    decisions = {
        (row["entity_id"], row["customer_id"], row["currency_code"]): row
        for row in decide(now, WITH_SMS, addresses=ADDRESSES)[0].iter_rows(named=True)
    }
    items = {(row["invoice_id"], row["installment_number"]): row for row in now.items.iter_rows(named=True)}
    own = {(row["customer_id"], (row["email"] or "").lower()) for row in now.contacts.iter_rows(named=True)}
    own |= {(row["customer_id"], row["phone"]) for row in now.contacts.iter_rows(named=True)}
    for letter in letters.filter(~pl.col("letter_id").is_in(withdrawn.implode())).iter_rows(named=True):
        row = decisions[letter["entity_id"], letter["customer_id"], letter["currency_code"]]
        assert row["reason_code"] not in PROTECTIONS
        for line in lines.filter(pl.col("letter_id") == letter["letter_id"]).iter_rows(named=True):
            item = items[line["invoice_id"], line["installment_number"]]
            undisputed = item["open_amount"] - min(
                max(item["disputed_amount"], Decimal(0)), item["open_amount"]
            )
            assert undisputed >= line["amount"] > 0
            assert (item["days_past_due"] >= 1) == (letter["kind"] == "dunning")
            assert (item["customer_id"], item["entity_id"]) == (letter["customer_id"], letter["entity_id"])
        least = POLICY.minimum_net_due_amount.amount_for(letter["currency_code"])
        coming = row["due_soon_amount"] if letter["kind"] == "courtesy" else Decimal(0)
        assert row["net_due_amount"] + coming >= least
        assert (letter["customer_id"], letter["address"]) in own
