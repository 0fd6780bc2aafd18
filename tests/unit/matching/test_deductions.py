"""What customers withheld, as deductions with our reason, each recorded once."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from test_reasons import POLICY

from o2c.contract import MONEY
from o2c.frames import Deductions
from o2c.matching.deductions import deductions_of

FEB = date(2026, 2, 2)
WITHHELD = {
    "payment_id": pl.String(),
    "invoice_id": pl.String(),
    "customer_id": pl.String(),
    "currency_code": pl.String(),
    "customer_reason_code": pl.String(),
    "kind": pl.String(),
    "deduction_amount": MONEY,
    "deducted_date": pl.Date(),
}


def withheld(*rows):
    full = [
        {"invoice_id": "INV-1", "customer_id": "ACME", "currency_code": "EUR", "deducted_date": FEB}
        | {"customer_reason_code": None, "kind": "line"}
        | row
        | {"deduction_amount": Decimal(row["deduction_amount"])}
        for row in rows
    ]
    return pl.DataFrame(full, schema=WITHHELD, orient="row")


def one(amount, **other):
    return {"payment_id": "P1", "deduction_amount": amount, **other}


def told(found):
    return found.select(
        "deduction_id",
        "customer_reason_code",
        "reason_code",
        "deduction_amount",
        "opens_dispute",
        "explanation",
    ).rows()


def test_a_line_with_a_code_becomes_a_deduction_with_our_reason_and_where_it_stands():
    found = deductions_of(withheld(one("12.50", customer_reason_code="K7")), Deductions.empty(), POLICY)
    assert found.rows() == [
        (
            "deduction|2|P1|INV-1|1",
            "P1",
            "INV-1",
            "ACME",
            "EUR",
            "K7",
            "damaged",
            "The customer withheld 12.50 EUR with code K7: damaged, by the customer's own list.",
            Decimal("12.5000"),
            True,
            FEB,
        )
    ]


@pytest.mark.parametrize(
    ("row", "reason", "opens_dispute", "explanation"),
    [
        (
            one("12.50", customer_reason_code="11"),
            "returned_goods",
            True,
            "The customer withheld 12.50 EUR with code 11: returned goods, by X12 element 426.",
        ),
        (
            one("1250", customer_reason_code="edifact_4465:11", currency_code="JPY"),
            "bank_fee",
            False,
            "The customer withheld 1250 JPY with code edifact_4465:11: bank fee, by EDIFACT element 4465.",
        ),
        (
            one("1.234", customer_reason_code="Q9", currency_code="KWD"),
            "unknown",
            True,
            "The customer withheld 1.234 KWD with code Q9, which is on no list: map it in reason_codes.yml.",
        ),
        (one("3.00"), "none_given", True, "The remittance says that 3.00 EUR was withheld, without a code."),
        (
            one("3.00", kind="short"),
            "none_given",
            True,
            "The payment is 3.00 EUR short of what it settles, without a word.",
        ),
        (
            one("3.00", kind="unearned_discount", customer_reason_code="01"),
            "discount",
            True,
            "The customer took 3.00 EUR of discount that was not earned: discount.",
        ),
    ],
)
def test_every_kind_has_its_reason_and_says_why(row, reason, opens_dispute, explanation):
    found = deductions_of(withheld(row), Deductions.empty(), POLICY)
    assert found.select("reason_code", "opens_dispute", "explanation").rows() == [
        (reason, opens_dispute, explanation)
    ]


def test_what_is_recorded_is_not_recorded_again_even_where_the_code_was_mapped_since():
    rows = withheld(one("3.00", customer_reason_code="Q9"), one("3.00", kind="short"), one("4.00"))
    first = deductions_of(rows, Deductions.empty(), POLICY)
    assert first["reason_code"].to_list() == ["none_given", "none_given", "unknown"]
    mapped = POLICY.model_copy(update={"customers": {"ACME": {"Q9": "pricing"}}})
    later = rows.with_columns(deducted_date=date(2026, 3, 3))
    assert deductions_of(later, first, mapped).rows() == []


def test_equal_amounts_withheld_at_once_are_all_recorded_and_ids_go_on_from_there():
    twice = withheld(one("3.00"), one("3.00"))
    first = deductions_of(twice, Deductions.empty(), POLICY)
    assert first["deduction_id"].to_list() == ["deduction|2|P1|INV-1|1", "deduction|2|P1|INV-1|2"]
    more = pl.concat([twice, withheld(one("3.00"), one("2.00"), one("3.00", invoice_id="INV-2"))])
    assert told(deductions_of(more, first, POLICY)) == [
        (
            f"deduction|2|P1|{invoice_id}|{ordinal}",
            None,
            "none_given",
            Decimal(amount),
            True,
            f"The remittance says that {amount} EUR was withheld, without a code.",
        )
        for invoice_id, ordinal, amount in (("INV-1", 3, "2.00"), ("INV-1", 4, "3.00"), ("INV-2", 1, "3.00"))
    ]


def test_the_order_of_rows_changes_nothing():
    rows = withheld(
        one("3.00"),
        one("2.00"),
        one("2.00", kind="short"),
        one("1.00", customer_reason_code="01"),
        one("9.00"),
    )
    found = deductions_of(rows, Deductions.empty(), POLICY)
    assert deductions_of(rows.reverse(), Deductions.empty(), POLICY).equals(found)


def test_nothing_withheld_is_no_deduction():
    rows = withheld(one("0"), one("-1.00"))
    assert deductions_of(rows, Deductions.empty(), POLICY).rows() == []
    assert deductions_of(rows.clear(), Deductions.empty(), POLICY).rows() == []


def test_a_kind_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="kind guess is not line, short or unearned_discount"):
        deductions_of(withheld(one("1.00", kind="guess")), Deductions.empty(), POLICY)
