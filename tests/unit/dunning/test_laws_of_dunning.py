"""What holds for every book: tried on many random ones, and against a clerk who decides by hand."""

from dataclasses import fields

import polars as pl
from dunning_books import ADDRESSES, AS_OF, CALENDAR, KEY, POLICY, changed, decide
from dunning_clerk import MOST_AT_ONE_ADDRESS, Clerk
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal
from random_books import books

PROTECTING_STATUSES = ["insolvent", "legal", "do_not_contact", "closed"]
WITH_SMS = POLICY.model_copy(update={"sms": POLICY.sms.model_copy(update={"enabled": True})})
FEW_AT_ONE_ADDRESS = ADDRESSES.model_copy(update={"max_customers_per_address": MOST_AT_ONE_ADDRESS})
law = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(books())
def test_the_decisions_are_those_of_a_clerk_who_decides_by_hand(of_book):
    decisions, lines = decide(of_book, WITH_SMS, addresses=FEW_AT_ONE_ADDRESS)
    listed = {}
    for line in lines.iter_rows(named=True):
        row = (line["invoice_id"], line["installment_number"], line["amount"])
        listed.setdefault(line["letter_id"], []).append(row)
    expected = Clerk(of_book, CALENDAR, AS_OF).decide()
    found = {
        tuple(row[name] for name in KEY): row | {"lines": sorted(listed.get(row["letter_id"], []))}
        for row in decisions.iter_rows(named=True)
    }
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert {name: found[key][name] for name in row} == row, key


@law
@given(books())
def test_everyone_with_anything_past_due_or_due_soon_has_exactly_one_row_with_a_reason(of_book):
    decisions, _ = decide(of_book)
    due = of_book.items.filter(pl.col("document_type") != "credit_memo", pl.col("days_past_due") >= -7)
    assert_frame_equal(decisions.select(KEY), due.select(KEY).unique().sort(KEY))
    assert decisions.filter(pl.col("reason").str.len_chars() < 10).is_empty()


@law
@given(books())
def test_a_letter_lists_undisputed_items_past_due_that_add_up_to_at_least_the_minimum(of_book):
    decisions, lines = decide(of_book)
    letters = decisions.filter(pl.col("kind") == "dunning", pl.col("decision") == "letter")
    totals = lines.group_by("letter_id").agg(pl.col("amount").sum().cast(pl.Decimal(18, 4)), pl.len())
    letters = letters.join(totals, on="letter_id", how="left")
    assert letters["past_due_amount"].to_list() == letters["amount"].to_list()
    assert letters["item_count"].to_list() == letters["len"].to_list()
    for row in letters.iter_rows(named=True):
        assert row["net_due_amount"] >= POLICY.minimum_net_due_amount.amount_for(row["currency_code"])
    of_letters = lines.join(letters, on="letter_id", how="semi")
    assert of_letters.filter((pl.col("days_past_due") < 1) | (pl.col("amount") <= 0)).is_empty()


@law
@given(books())
def test_nobody_who_is_protected_is_written_to(of_book):
    decisions, _ = decide(of_book)
    letters = decisions.filter(pl.col("decision") == "letter")
    protected = pl.concat(
        [
            of_book.customers.filter(pl.col("status").is_in(PROTECTING_STATUSES)).select("customer_id"),
            of_book.customers.filter("is_stub").select("customer_id"),
            of_book.customers.filter(pl.col("customer_type") == "intercompany").select("customer_id"),
            of_book.possible_payers.select("customer_id"),
            of_book.blocks.filter(
                pl.col("scope") == "customer",
                pl.col("valid_until").is_null() | (pl.col("valid_until") == AS_OF),
            ).select(customer_id="subject_id"),
            of_book.plans.filter("is_in_good_standing", pl.col("invoice_id").is_null()).select("customer_id"),
        ]
    )
    assert letters.join(protected, on="customer_id", how="semi").is_empty()
    assert letters.join(of_book.customers, on="customer_id", how="anti").is_empty()


@law
@given(books())
def test_the_order_of_rows_changes_nothing(of_book):
    turned = changed(of_book, **{f.name: getattr(of_book, f.name).reverse() for f in fields(of_book)})
    for once, again in zip(decide(of_book), decide(turned), strict=True):
        assert_frame_equal(once, again)
