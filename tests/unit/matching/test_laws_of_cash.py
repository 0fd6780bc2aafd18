"""Laws of cash application, tried on many random small books, and a patient clerk's second opinion."""

import os
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_books import AS_OF, after, apply, items, lines, payments
from matching_clerk import clerk
from polars.testing import assert_frame_equal

ENTITIES, CURRENCIES, CUSTOMERS = ("DE01", "US01"), ("EUR", "JPY"), ("ACME", "BOLT", None)
DAYS = st.integers(0, 12).map(lambda days: date(2026, 1, 1) + timedelta(days=days))
# Texts that are ids, numbers, both (of two invoices), neither, blank or not there.
TEXTS = st.sampled_from(["INV-1", "INV-2", "INV-3", " 7 ", "8", "9", "INV-4", "no idea", "  ", None])
AMOUNTS = st.integers(1, 9).map(lambda tens: f"{tens}0.00")
# A few books each time; more where somebody changes the rules: O2C_LAW_EXAMPLES=500 make test.
EXAMPLES = int(os.environ.get("O2C_LAW_EXAMPLES", "12"))
FEW = settings(max_examples=EXAMPLES, deadline=None)
MANY = settings(max_examples=4 * EXAMPLES, deadline=None)


@st.composite
def books(draw):
    """Few invoices, payments and references, so that they get into each other's way."""
    invoices = [
        {
            "invoice_id": f"INV-{number}",
            "invoice_number": draw(st.sampled_from(["7", "8", "9", "INV-1"])),
            "entity_id": draw(st.sampled_from(ENTITIES)) if draw(st.booleans()) else "DE01",
            "currency_code": draw(st.sampled_from(CURRENCIES)) if draw(st.booleans()) else "EUR",
            "customer_id": draw(st.sampled_from(CUSTOMERS[:2])),
            "open_amount": draw(AMOUNTS),
            "invoice_date": draw(DAYS),
        }
        for number in range(1, draw(st.integers(1, 5)) + 1)
    ]
    received = [
        {
            "payment_id": f"{draw(st.sampled_from('AZ'))}{number}",
            "payment_amount": draw(AMOUNTS),
            "reference_text": draw(TEXTS),
            "value_date": draw(DAYS),
            "customer_id": draw(st.sampled_from(CUSTOMERS)),
            "entity_id": draw(st.sampled_from(ENTITIES)) if draw(st.booleans()) else "DE01",
            "currency_code": draw(st.sampled_from(CURRENCIES)) if draw(st.booleans()) else "EUR",
        }
        for number in range(draw(st.integers(1, 6)))
    ]
    back = [
        row
        | {
            "payment_id": f"M{number}",
            "payment_amount": f"-{row['payment_amount']}" if draw(st.integers(0, 5)) else "-5.00",
            "reverses_payment_id": row["payment_id"],
            "value_date": draw(DAYS),
            "reference_text": draw(TEXTS),
        }
        for number, row in enumerate(draw(st.lists(st.sampled_from(received), max_size=3)))
    ]
    said = [
        (
            f"R{draw(st.integers(1, 2))}",
            number,
            draw(st.sampled_from([row["payment_id"] for row in received] + ["ref:no idea", "ref:9", "X"])),
            draw(st.sampled_from(["INV-1", "INV-2", "INV-3", "7", "8", "9 "])),
            draw(st.sampled_from(["10.00", "40.00", "90.00", "0.00", "-10.00"])),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    return items(*invoices), payments(*received, *back), lines(*said)


@MANY
@given(books())
def test_a_patient_clerk_comes_to_the_same_applications(book):
    result = apply(*book)
    columns = ("payment_id", "invoice_id", "applied_amount", "application_date")
    assert sorted(result.applications.select(columns).iter_rows()) == clerk(
        *(part.to_dicts() for part in book), AS_OF
    )


@FEW
@given(books())
def test_every_cent_is_applied_or_left_and_nothing_is_overdrawn_on_any_day(book):
    invoices, receipts, _ = book
    result = apply(*book)
    for key, frame, amount in (
        ("payment_id", receipts, "unapplied_amount"),
        ("invoice_id", invoices, "open_amount"),
    ):
        whole = dict(frame.select(key, amount).iter_rows())
        for day in result.applications["application_date"].unique().sort():
            then = result.applications.filter(pl.col("application_date") <= day)
            for name, used in then.group_by(key).agg(pl.col("applied_amount").sum()).iter_rows():
                low, high = sorted((Decimal(0), whole[name]))
                assert low <= used <= high, (name, day)


@FEW
@given(books())
def test_nothing_crosses_entity_currency_or_customer(book):
    invoices, receipts, _ = book
    both = (
        apply(*book)
        .applications.join(invoices, on="invoice_id", suffix="_of_invoice")
        .join(receipts, on="payment_id", suffix="_of_payment")
    )
    assert both.filter(
        (pl.col("entity_id") != pl.col("entity_id_of_payment"))
        | (pl.col("currency_code") != pl.col("currency_code_of_payment"))
        | (pl.col("currency_code") != pl.col("currency_code_of_invoice"))
        | (pl.col("customer_id") != pl.col("customer_id_of_invoice"))
        | (pl.col("customer_id") != pl.col("customer_id_of_payment"))
    ).is_empty()


@FEW
@given(books(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(book, seed):
    shuffled = [part.sample(fraction=1, shuffle=True, seed=seed) for part in book]
    straight, mixed = apply(*book), apply(*shuffled)
    assert_frame_equal(straight.applications, mixed.applications)
    assert_frame_equal(straight.possible_payers, mixed.possible_payers)


@FEW
@given(books())
def test_running_again_with_what_is_recorded_adds_nothing(book):
    invoices, receipts, said = book
    first = apply(*book)
    again = apply(
        after(invoices, first, "invoice_id", "open_amount"),
        after(receipts, first, "payment_id", "unapplied_amount"),
        said,
        recorded=first.applications,
    )
    assert again.applications.rows() == []
    assert_frame_equal(again.possible_payers, first.possible_payers)


@FEW
@given(books(), DAYS)
def test_two_mornings_never_take_back_or_count_twice_what_the_first_applied(book, morning):
    invoices, receipts, said = book
    first = apply(*book, as_of=morning)
    second = apply(
        after(invoices, first, "invoice_id", "open_amount"),
        after(receipts, first, "payment_id", "unapplied_amount"),
        said,
        recorded=first.applications,
    )
    both = pl.concat([first.applications, second.applications])
    assert both["application_id"].is_unique().all()
    assert both["reverses_application_id"].drop_nulls().is_unique().all()
    for key, frame, amount in (
        ("payment_id", receipts, "unapplied_amount"),
        ("invoice_id", invoices, "open_amount"),
    ):
        whole = dict(frame.select(key, amount).iter_rows())
        for name, used in both.group_by(key).agg(pl.col("applied_amount").sum()).iter_rows():
            low, high = sorted((Decimal(0), whole[name]))
            assert low <= used <= high, name


@FEW
@given(books())
def test_applying_and_taking_everything_back_leaves_every_balance_as_it_was(book):
    invoices, receipts, said = book
    received = receipts.filter(pl.col("payment_amount") > 0)
    back = received.with_columns(
        payment_id=pl.format("BACK-{}", "payment_id"),
        reverses_payment_id="payment_id",
        reference_text=pl.lit(None, dtype=pl.String),
        payment_amount=-pl.col("payment_amount"),
        unapplied_amount=-pl.col("unapplied_amount"),
        value_date=pl.lit(date(2026, 3, 1)),
    ).select(pl.col(column).cast(kind) for column, kind in receipts.schema.items())
    result = apply(invoices, pl.concat([received, back]), said)
    assert_frame_equal(after(invoices, result, "invoice_id", "open_amount"), invoices, check_row_order=False)
    negated = result.applications.filter(pl.col("application_type") == "reversal")
    applied = result.applications.filter(pl.col("application_type") == "payment")
    assert sorted(negated.select("reverses_application_id", -pl.col("applied_amount")).iter_rows()) == sorted(
        applied.select("application_id", "applied_amount").iter_rows()
    )
