"""Laws of cash application, tried on many random small books."""

import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import polars as pl
from cash_random_books import books, days, random_book
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from matching_books import AS_OF, after, apply, payments
from polars.testing import assert_frame_equal

from o2c.contract import MONEY

# A few books each time; more where somebody changes the rules: O2C_LAW_EXAMPLES=500 make test.
EXAMPLES = int(os.environ.get("O2C_LAW_EXAMPLES", "8"))
# A failing book is made smaller only on demand: O2C_LAW_SHRINK=1, since each try is a whole run.
PHASES = [phase for phase in Phase if phase != Phase.shrink or os.environ.get("O2C_LAW_SHRINK")]
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
OUTPUTS = ("applications", "assignments", "deductions", "exceptions", "candidates", "possible_payers")
ZERO = Decimal(0)


def typed(applications):
    """Applications with the type that they are, or that they take back."""
    kinds = applications.select(reverses_application_id="application_id", of="application_type")
    joined = applications.join(kinds, on="reverses_application_id", how="left", validate="m:1")
    return joined.with_columns(kind=pl.coalesce("of", "application_type"))


def uses(applications):
    """What applications take: of payments, and of documents (credit memos with a minus)."""
    all_of_them = typed(applications)
    of_payments = all_of_them.filter(pl.col("kind") == "payment").select(
        "application_date", key="payment_id", used="applied_amount", paid_for="reverses_application_id"
    )
    of_items = all_of_them.select("application_date", key="invoice_id", used="applied_amount")
    of_memos = all_of_them.filter(pl.col("credit_memo_id").is_not_null()).select(
        "application_date", key="credit_memo_id", used=-pl.col("applied_amount")
    )
    documents = pl.concat([of_items, of_memos], how="vertical_relaxed")
    return of_payments.drop("paid_for"), documents


def within(used, there):
    """Every sum stays between nothing and what was there."""
    for key, amount in used.group_by("key").agg(pl.col("used").sum()).iter_rows():
        low, high = sorted((ZERO, there[key]))
        assert low <= amount <= high, (key, amount, there[key])


@FEW
@given(books())
def test_every_cent_is_applied_or_left_and_nothing_is_overdrawn_on_any_day(of):
    applications = apply(of).applications
    of_payments, of_documents = uses(applications)
    left = dict(of.payments.select("payment_id", "unapplied_amount").iter_rows())
    opened = dict(of.items.select("invoice_id", "open_amount").iter_rows())
    for day in applications["application_date"].unique().sort():
        within(of_payments.filter(pl.col("application_date") <= day), left)
        within(of_documents.filter(pl.col("application_date") <= day), opened)


@FEW
@given(books())
def test_what_comes_off_items_is_cash_and_what_was_given_up_to_the_cent(of):
    result = apply(of)
    rest = after(of, result)
    kinds = typed(result.applications)

    def total(*names):
        return kinds.filter(pl.col("kind").is_in(names))["applied_amount"].sum() or ZERO

    opened, left = of.items["open_amount"].sum(), of.payments["unapplied_amount"].sum()
    # A credit memo that is netted takes from one document what it gives to the other.
    assert rest.items["open_amount"].sum() == opened - total("payment", "discount", "write_off")
    assert (rest.payments["unapplied_amount"].sum() or ZERO) == left - total("payment")
    assert (result.deductions["deduction_amount"] > 0).all()
    # What one payment settles and withholds of a document is not more than was open of it.
    both = pl.concat(
        [
            kinds.filter(pl.col("kind") != "reversal").select(
                "payment_id", "invoice_id", amount="applied_amount"
            ),
            result.deductions.select("payment_id", "invoice_id", amount="deduction_amount"),
        ]
    )
    asked = both.group_by("payment_id", "invoice_id").agg(pl.col("amount").sum())
    assert asked.join(of.items, on="invoice_id").filter(pl.col("amount") > pl.col("open_amount")).is_empty()


@FEW
@given(books())
def test_nothing_crosses_entity_or_currency_and_the_owner_of_an_item_is_named(of):
    applications = apply(of).applications
    places = ["entity_id", "currency_code"]
    joined = (
        applications.drop("currency_code")
        .join(of.items.select("invoice_id", *places, owner="customer_id"), on="invoice_id")
        .join(of.payments.select("payment_id", *places), on="payment_id", suffix="_of_payment")
        .join(
            of.items.select(
                credit_memo_id="invoice_id", entity_id="entity_id", currency_code="currency_code"
            ),
            on="credit_memo_id",
            how="left",
            suffix="_of_memo",
        )
    )
    assert joined.height == applications.height
    assert joined.filter(pl.col("owner") != pl.col("customer_id")).is_empty()
    for place in places:
        assert joined.filter(pl.col(place) != pl.col(f"{place}_of_payment")).is_empty()
        assert joined.filter(pl.col(place) != pl.col(f"{place}_of_memo")).is_empty()


@FEW
@given(books(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(of, seed):
    parts = ("items", "payments", "remittance_lines", "customers", "accounts")
    shuffled = {part: getattr(of, part).sample(fraction=1, shuffle=True, seed=seed) for part in parts}
    straight, mixed = apply(of), apply(replace(of, **shuffled))
    for output in OUTPUTS:
        assert_frame_equal(getattr(straight, output), getattr(mixed, output))


# Books on which a second run once found more: a rival payer forgotten, a deduction without cash made twice.
ONCE_WRONG = [random_book(Random(seed)) for seed in (14, 233)]  # noqa: S311 (no secrets here)


@FEW
@given(books())
@example(ONCE_WRONG[0])
@example(ONCE_WRONG[1])
def test_running_again_with_what_is_recorded_adds_nothing(of):
    first = apply(of)
    again = apply(after(of, first))
    for output in ("applications", "assignments", "deductions"):
        assert getattr(again, output).rows() == [], output
    assert (
        again.exceptions.select("payment_id", "reason_code").rows()
        == first.exceptions.select("payment_id", "reason_code").rows()
    )


@FEW
@given(books(), days(5, 60))
def test_two_mornings_never_take_back_or_count_twice_what_the_first_applied(of, morning):
    first = apply(of, as_of=morning)
    second = apply(after(of, first))
    both = pl.concat([first.applications, second.applications])
    assert both["application_id"].is_unique().all()
    assert both["reverses_application_id"].drop_nulls().is_unique().all()
    deductions = pl.concat([first.deductions, second.deductions])
    assert deductions["deduction_id"].is_unique().all()
    of_payments, of_documents = uses(both)
    within(of_payments, dict(of.payments.select("payment_id", "unapplied_amount").iter_rows()))
    within(of_documents, dict(of.items.select("invoice_id", "open_amount").iter_rows()))


@FEW
@given(books(with_returns=False))
def test_applying_and_taking_everything_back_leaves_every_document_as_it_was(of):
    first = apply(of)
    paid = first.applications.filter(pl.col("application_type") == "payment")["payment_id"]
    whole = of.payments.filter(pl.col("payment_id").is_in(paid.implode()))
    back = whole.with_columns(
        payment_id=pl.format("BACK-{}", "payment_id"),
        reverses_payment_id="payment_id",
        reference_text=pl.lit(None, dtype=pl.String),
        payment_amount=(-pl.col("payment_amount")).cast(MONEY),
        unapplied_amount=(-pl.col("payment_amount")).cast(MONEY),
        value_date=pl.lit(date(2026, 3, 30)),
        is_held=pl.lit(False),
    )
    morning = after(of, first)
    # Only what goes back happens on the second morning.
    second = apply(replace(morning, payments=back.select(morning.payments.columns)), as_of=AS_OF)
    both = pl.concat([first.applications, second.applications])
    _, of_documents = uses(both)
    assert of_documents.group_by("key").agg(pl.col("used").sum()).filter(pl.col("used") != 0).is_empty()
    made = first.applications.filter(pl.col("payment_id").is_in(paid.implode()))
    taken = second.applications.select("reverses_application_id", -pl.col("applied_amount"))
    assert sorted(taken.iter_rows()) == sorted(made.select("application_id", "applied_amount").iter_rows())


@FEW
@given(books())
def test_every_payment_with_money_left_is_somebodys_or_in_suspense_and_told_once(of):
    result = apply(of)
    assert result.exceptions["payment_id"].is_unique().all()
    assert result.assignments["payment_id"].is_unique().all()
    named = of.payments.filter(pl.col("customer_id").is_not_null())
    assert result.assignments.join(named, on="payment_id", how="semi").is_empty()
    suspects = result.possible_payers.select("payment_id").unique()
    assert suspects.join(result.assignments, on="payment_id", how="semi").is_empty()


def test_an_empty_book_has_an_empty_result():
    from matching_books import book, items

    result = apply(book(items(), payments()))
    assert [getattr(result, output).height for output in OUTPUTS] == [0] * len(OUTPUTS)
