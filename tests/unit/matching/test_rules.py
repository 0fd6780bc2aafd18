"""Each rule of cash application by itself, on literal rows."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from matching_books import (
    AS_OF,
    POLICY,
    accounts,
    apply,
    item,
    items,
    lines,
    names,
    payment,
    payments,
    settled,
)

from o2c.matching.payers import bare_name
from o2c.matching.rules import INVOICE_ID, INVOICE_NUMBER, REFERENCES

FEB = date(2026, 2, 2)


@pytest.mark.parametrize(
    ("reference", "by_id", "by_number"),
    [
        ("INV-7", [0], []),
        ("7", [], [0]),
        ("inv-7", [], []),
        ("INV-", [], []),
        ("07", [], []),
        ("8", [], [1, 2]),
    ],
)
def test_a_rule_proposes_invoices_whose_id_or_number_is_the_reference_letter_for_letter(
    reference, by_id, by_number
):
    book = pl.DataFrame(
        {
            "item_key": pl.Series([0, 1, 2, 3], dtype=pl.UInt32),
            "invoice_id": ["INV-7", "INV-8", "INV-9", "INV-10"],
            "invoice_number": ["7", "8", "8", "7"],
            "entity_id": ["DE01", "DE01", "DE01", "US01"],
            "currency_code": ["EUR"] * 4,
        }
    )
    said = pl.DataFrame([dict.fromkeys(REFERENCES) | _reference(reference)], schema=REFERENCES, orient="row")
    assert sorted(INVOICE_ID.candidates(said, book)["item_key"]) == by_id
    assert sorted(INVOICE_NUMBER.candidates(said, book)["item_key"]) == by_number


def _reference(text):
    return {"reference_key": 0, "reference": text, "entity_id": "DE01", "currency_code": "EUR"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("INV-7", "invoice_id"),
        ("  7\t", "invoice_number"),
        ("77", None),
        ("Invoice 7", None),
        ("", None),
        (None, None),
    ],
)
def test_a_payment_settles_the_invoice_that_its_text_names(text, rule):
    result = apply(items(item("INV-7", "100.00")), payments(payment("P", "100.00", text)))
    assert settled(result) == ([("P", "INV-7", rule, "100.00", FEB)] if rule else [])


def test_an_application_says_who_paid_what_by_which_rule_and_why():
    result = apply(items(item("INV-7", "100.00")), payments(payment("P", "60.00", "7")))
    assert result.applications.rows(named=True) == [
        {
            "application_id": "engine|1|P|INV-7|1",
            "payment_id": "P",
            "invoice_id": "INV-7",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "application_type": "payment",
            "rule": "invoice_number",
            "explanation": "The reference text is this invoice's number, and no other's in this entity and currency.",
            "reverses_application_id": None,
            "applied_amount": Decimal("60.0000"),
            "score": Decimal("1.000000"),
            "application_date": FEB,
        }
    ]


@pytest.mark.parametrize(
    ("invoice", "receipt"),
    [
        ({"entity_id": "US01"}, {}),
        ({"currency_code": "USD"}, {}),
        ({}, {"customer_id": "BOLT"}),
        ({"invoice_date": date(2026, 4, 1)}, {}),
        ({}, {"value_date": date(2026, 4, 1)}),
    ],
    ids=["other entity", "other currency", "other customer", "not yet invoiced", "not yet paid"],
)
def test_nothing_is_applied_across_entity_currency_customer_or_the_as_of_date(invoice, receipt):
    assert (
        settled(
            apply(items(item("INV-7", "9.00", **invoice)), payments(payment("P", "9.00", "7", **receipt)))
        )
        == []
    )


@pytest.mark.parametrize(
    ("invoices", "reference"),
    [
        ((item("A", "9.00", invoice_number="7"), item("B", "9.00", invoice_number="7")), "7"),
        ((item("7", "9.00", invoice_number="1"), item("B", "9.00", invoice_number="7")), "7"),
    ],
    ids=["two of one number", "an id that is another's number"],
)
def test_a_reference_that_fits_two_invoices_settles_neither(invoices, reference):
    assert settled(apply(items(*invoices), payments(payment("P", "9.00", reference)))) == []


def test_a_number_may_repeat_in_another_entity_or_currency():
    book = items(
        item("A", "9.00", invoice_number="7"),
        item("B", "9.00", invoice_number="7", entity_id="US01"),
        item("C", "9.00", invoice_number="7", currency_code="USD"),
    )
    assert settled(apply(book, payments(payment("P", "9.00", "7")))) == [
        ("P", "A", "invoice_number", "9.00", FEB)
    ]


@pytest.mark.parametrize(
    ("value_date", "invoice_date", "counts_from"),
    [
        (date(2026, 2, 2), date(2026, 2, 1), date(2026, 2, 2)),
        (date(2026, 2, 2), date(2026, 2, 2), date(2026, 2, 2)),
        (date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 3)),
        (date(2026, 2, 2), AS_OF, AS_OF),
    ],
)
def test_an_application_counts_from_the_later_of_payment_and_invoice(value_date, invoice_date, counts_from):
    result = apply(
        items(item("INV-7", "9.00", invoice_date=invoice_date)),
        payments(payment("P", "9.00", "7", value_date=value_date)),
    )
    assert result.applications["application_date"].to_list() == [counts_from]


def test_the_earlier_payment_comes_first_and_the_rest_stays_unapplied():
    result = apply(
        items(item("INV-7", "100.00")),
        payments(
            payment("B", "60.00", "7"),
            payment("A", "60.00", "7"),
            payment("Z", "10.00", "7", value_date=date(2026, 2, 1)),
        ),
    )
    assert settled(result) == [
        ("Z", "INV-7", "invoice_number", "10.00", date(2026, 2, 1)),
        ("A", "INV-7", "invoice_number", "60.00", FEB),
        ("B", "INV-7", "invoice_number", "30.00", FEB),
    ]


def test_remittance_lines_come_before_the_text_and_set_the_amounts():
    result = apply(
        items(item("INV-1", "100.00"), item("INV-2", "100.00"), item("INV-3", "100.00")),
        payments(payment("P", "90.00", "INV-3")),
        lines(
            ("R", 2, "P", "INV-2", "50.00"),
            ("R", 1, "P", " 1 ", "30.00"),
            ("R", 3, "P", "INV-1", "30.00"),
            ("R", 4, "P", "INV-9", "30.00"),
        ),
    )
    # Lines 1 and 3 are one claim of 60.00 at the place of line 1; 30.00 are left for line 2.
    assert settled(result) == [
        ("P", "INV-1", "remittance_line", "60.00", FEB),
        ("P", "INV-2", "remittance_line", "30.00", FEB),
    ]
    assert result.applications["explanation"].to_list() == [
        "Remittance R, line 1, names this invoice.",
        "Remittance R, line 2, names this invoice.",
    ]


@pytest.mark.parametrize(
    ("texts", "who", "settles"),
    [
        (("REF 5", None), "ref: REF 5", ["A"]),
        (("REF 5", "REF 5"), "ref:REF 5", []),
        (("REF 5", None), "ref:REF 6", []),
        ((None, None), "ref:", []),
    ],
)
def test_a_remittance_finds_its_payment_by_a_reference_that_only_one_carries(texts, who, settles):
    receipts = [payment(key, "9.00", text) for key, text in zip("AB", texts, strict=True)]
    result = apply(items(item("INV-7", "9.00")), payments(*receipts), lines(("R", 1, who, "7", "9.00")))
    assert result.applications["payment_id"].to_list() == settles


def test_a_policy_may_leave_rules_out():
    only_ids = POLICY.model_copy(update={"rules": ("invoice_id",)})
    result = apply(
        items(item("INV-1", "9.00"), item("INV-2", "9.00"), item("INV-3", "9.00")),
        payments(payment("A", "9.00", "1"), payment("B", "9.00", "INV-2"), payment("C", "9.00")),
        lines(("R", 1, "C", "INV-3", "9.00")),
        policy=only_ids,
    )
    assert settled(result) == [("B", "INV-2", "invoice_id", "9.00", FEB)]


def back(payment_id, reverses, amount, day, **other):
    return payment(payment_id, f"-{amount}", None, reverses_payment_id=reverses, value_date=day, **other)


def test_a_returned_payment_is_negated_and_the_next_one_settles_the_invoice():
    returned, paid_again = date(2026, 2, 9), date(2026, 2, 20)
    result = apply(
        items(item("INV-7", "100.00")),
        payments(
            payment("P1", "100.00", "7"),
            back("R1", "P1", "100.00", returned),
            payment("P2", "100.00", "7", value_date=paid_again),
        ),
    )
    assert settled(result) == [
        ("P1", "INV-7", "invoice_number", "100.00", FEB),
        ("R1", "INV-7", "reversal", "-100.00", returned),
        ("P2", "INV-7", "invoice_number", "100.00", paid_again),
    ]
    negation = result.applications.filter(pl.col("payment_id") == "R1").row(0, named=True)
    assert negation["application_type"] == "reversal"
    assert negation["reverses_application_id"] == "engine|2|P1|INV-7|1"
    assert (
        negation["explanation"]
        == "Payment P1 was taken back by R1, and with it what it had paid on this invoice."
    )


def test_a_payment_that_waited_settles_what_a_return_reopens_but_not_before_it_was_open():
    returned = date(2026, 2, 9)
    result = apply(
        items(item("INV-7", "100.00")),
        payments(
            payment("P1", "100.00", "7"),
            payment("P2", "70.00", "7", value_date=date(2026, 2, 5)),
            back("R1", "P1", "100.00", returned),
        ),
    )
    assert settled(result) == [
        ("P1", "INV-7", "invoice_number", "100.00", FEB),
        ("P2", "INV-7", "invoice_number", "70.00", returned),
        ("R1", "INV-7", "reversal", "-100.00", returned),
    ]


@pytest.mark.parametrize("at_hand", [True, False], ids=["invoice listed", "invoice no longer listed"])
def test_what_earlier_runs_applied_is_taken_back_too(at_hand):
    first = apply(items(item("INV-7", "100.00")), payments(payment("P1", "100.00", "7")))
    later = apply(
        items(item("INV-7" if at_hand else "INV-8", "0.00" if at_hand else "9.00")),
        payments(back("R1", "P1", "100.00", date(2026, 2, 9))),
        recorded=first.applications,
    )
    assert settled(later) == [("R1", "INV-7", "reversal", "-100.00", date(2026, 2, 9))]


@pytest.mark.parametrize(
    "reversal",
    [
        back("R1", "P1", "99.99", date(2026, 2, 9)),
        back("R1", "P9", "100.00", date(2026, 2, 9)),
        back("R1", "P1", "100.00", date(2026, 2, 9), entity_id="US01"),
        back("R1", "P1", "100.00", date(2026, 2, 9), currency_code="USD"),
        back("R1", "P1", "100.00", date(2026, 4, 1)),
        payment("R1", "-100.00", "7"),
    ],
    ids=[
        "a part",
        "unknown payment",
        "other entity",
        "other currency",
        "later than as-of",
        "names no payment",
    ],
)
def test_what_is_not_exactly_a_return_is_left_for_a_person(reversal):
    result = apply(items(item("INV-7", "100.00")), payments(payment("P1", "100.00", "7"), reversal))
    assert settled(result) == [("P1", "INV-7", "invoice_number", "100.00", FEB)]


def test_a_line_is_used_up_once():
    said = lines(("R", 1, "P", "7", "40.00"))
    first = apply(items(item("INV-7", "100.00")), payments(payment("P", "100.00")), said)
    assert settled(first) == [("P", "INV-7", "remittance_line", "40.00", FEB)]
    again = apply(
        items(item("INV-7", "60.00")),
        payments(payment("P", "100.00", unapplied_amount="60.00")),
        said,
        recorded=first.applications,
    )
    assert settled(again) == []


def payers(receipt, *invoices, customers=None, known=None, others=(), policy=POLICY):
    book = items(*(invoices or (item("INV-1", "50.00"),)))
    result = apply(book, payments(receipt, *others), customers=customers, known=known, policy=policy)
    return result.possible_payers.select("payment_id", "customer_id", "reason").rows()


NAME = "the payer's name is the customer's"
ACCOUNT = "the payer's account has paid for the customer before"


@pytest.mark.parametrize(
    ("payer_name", "found"),
    [
        ("ACME GMBH", True),
        ("Ácme  G.m.b.H.", True),
        ("Acme GmbH & Co", False),
        ("Acme", False),
        ("--", False),
        (None, False),
    ],
)
def test_suspense_may_be_the_customers_of_that_name(payer_name, found):
    rows = payers(payment("P", "7.00", payer_name=payer_name), customers=names(ACME="Acme GmbH", BOLT="--"))
    assert rows == ([("P", "ACME", NAME)] if found else [])


def test_a_name_without_letters_or_digits_is_no_name():
    frame = pl.DataFrame({"name": ["A-1 Straße", "...", "ŁÓDŹ"]})
    assert frame.select(bare_name("name"))["name"].to_list() == ["a1straße", "", "łodz"]


def test_suspense_may_be_the_customers_who_paid_from_that_account():
    receipt = payment("P", "7.00", payer_account="DE1")
    assert payers(receipt, known=accounts(("DE1", "ACME"), ("DE2", "BOLT"))) == [("P", "ACME", ACCOUNT)]
    other = payment("Q", "7.00", customer_id="BOLT", payer_account="DE1")
    assert payers(receipt, others=[other]) == [("P", "BOLT", ACCOUNT)]


OPEN = (item("INV-1", "50.00"), item("INV-2", "30.00"), item("INV-3", "20.00", due_date=date(2026, 4, 1)))


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("50.00", "the amount is that of invoice 1"),
        ("20.00", "the amount is that of invoice 3"),
        ("80.00", "the amount is all that the customer has past due"),
        ("100.00", None),
        ("49.99", None),
    ],
)
def test_suspense_may_be_the_customers_who_owes_exactly_that(amount, reason):
    assert payers(payment("P", amount), *OPEN) == ([("P", "ACME", reason)] if reason else [])


@pytest.mark.parametrize(
    "invoices",
    [
        (item("INV-1", "50.00"), item("INV-2", "50.00")),
        (item("INV-1", "50.00", entity_id="US01"),),
        (item("INV-1", "50.00", currency_code="USD"),),
    ],
    ids=["two of that amount", "other entity", "other currency"],
)
def test_an_amount_that_is_not_exactly_one_open_item_says_nothing(invoices):
    assert payers(payment("P", "50.00"), *invoices) == []


@pytest.mark.parametrize(("count", "found"), [(3, 3), (4, 0)])
def test_a_rule_that_fits_too_many_customers_says_nothing(count, found):
    invoices = [item(f"INV-{n}", "50.00", customer_id=f"C{n}") for n in range(count)]
    assert len(payers(payment("P", "50.00"), *invoices)) == found


def test_reasons_for_one_customer_stand_together_and_a_policy_may_leave_some_out():
    receipt = payment("P", "50.00", payer_name="acme", payer_account="DE1")
    about = {"customers": names(ACME="ACME"), "known": accounts(("DE1", "ACME"))}
    both = f"the amount is that of invoice 1; {ACCOUNT}; {NAME}"
    assert payers(receipt, **about) == [("P", "ACME", both)]
    by_name = POLICY.model_copy(update={"possible_payer_rules": ("payer_name",)})
    assert payers(receipt, policy=by_name, **about) == [("P", "ACME", NAME)]


def test_the_rest_of_a_payment_may_be_of_the_customer_it_paid_for():
    receipt = payment("P", "60.00", "1")
    assert payers(receipt) == [("P", "ACME", "another part of the payment settled the customer's invoice")]


@pytest.mark.parametrize(
    "others",
    [(payment("P", "50.00", customer_id="ACME"),), (payment("P", "50.00"), back("R", "P", "50.00", FEB))],
)
def test_known_and_returned_payments_are_no_suspense(others):
    assert payers(*others[:1], others=others[1:]) == []


def test_a_possible_payer_row_has_what_is_left_of_the_payment():
    result = apply(
        items(item("INV-1", "50.00")), payments(payment("P", "60.00", "1", unapplied_amount="55.00"))
    )
    assert result.possible_payers.rows(named=True) == [
        {
            "payment_id": "P",
            "entity_id": "DE01",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "reason": "another part of the payment settled the customer's invoice",
            "unapplied_amount": Decimal("5.0000"),
        }
    ]
