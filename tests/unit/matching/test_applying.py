"""Every shape of payment on the smallest book that shows it: what is applied, given up, contested, and left."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from matching_books import POLICY, accounts, after, apply, book, item, items, lines, names, payment, payments

FEB = date(2026, 2, 2)
TERMS = {"discount_ratio": "0.02", "discount_due_date": FEB, "invoice_date": date(2026, 1, 23)}
KNOWN = accounts(("DE77", "ACME"))


def done(result):
    """Type, invoice, amount and rule of what was applied."""
    return [
        (kind, invoice, f"{amount:.2f}", rule)
        for kind, invoice, amount, rule in result.applications.sort("application_id")
        .select("application_type", "invoice_id", "applied_amount", "rule")
        .iter_rows()
    ]


def withheld(result):
    return result.deductions.select("invoice_id", "reason_code", "deduction_amount").rows()


def why(result):
    return result.exceptions.select("payment_id", "reason_code", "customer_id").rows()


def paid(*invoices, amount, text=None, of_lines=None, **other):
    """One payment from ACME's account."""
    receipt = payment("P", amount, text, payer_account="DE77", **other)
    return apply(book(items(*invoices), payments(receipt), of_lines, known=KNOWN))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("INV-2026-4711", "invoice_id"),
        ("2026-4711", "invoice_number"),
        ("Rechnung 2026-4711 vom 3.4., danke", "embedded_number"),
        ("RE 20264711", "digits"),
    ],
)
def test_a_payment_settles_the_invoice_that_its_text_names(text, rule):
    result = paid(item("INV-2026-4711", "100.00"), item("INV-2026-2001", "50.00"), amount="100.00", text=text)
    assert [(kind, invoice, amount) for kind, invoice, amount, _ in done(result)] == [
        ("payment", "INV-2026-4711", "100.00")
    ]
    assert result.exceptions.is_empty()
    assert done(result)[0][3] in (rule, "embedded_number")


def test_an_application_says_who_paid_what_by_which_rule_and_why():
    result = paid(item("INV-2026-4711", "100.00"), amount="100.00", text="2026-4711")
    assert result.applications.rows(named=True) == [
        {
            "application_id": "engine|1|P|INV-2026-4711|1",
            "payment_id": "P",
            "credit_memo_id": None,
            "invoice_id": "INV-2026-4711",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "application_type": "payment",
            "rule": "invoice_number",
            "explanation": "The reference text is its number. The account has paid for the customer before."
            " The amounts agree.",
            "reverses_application_id": None,
            "applied_amount": Decimal("100.0000"),
            # 1 - (1 - .93) x (1 - .85) x (1 - .75)
            "score": Decimal("0.997375"),
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
        ({}, {"is_held": True}),
    ],
    ids=["other entity", "other currency", "other customer", "not yet invoiced", "not yet paid", "held"],
)
def test_nothing_is_applied_across_entity_currency_customer_or_the_as_of_date(invoice, receipt):
    of = book(
        items(item("INV-2026-4711", "9.00", **invoice)),
        payments(payment("P", "9.00", "2026-4711", **receipt)),
    )
    assert done(apply(of)) == []


def test_one_payment_settles_several_invoices_by_name_range_and_remittance():
    invoices = [item(f"INV-2026-{4701 + n}", f"{n + 1}0.00") for n in range(3)]
    expected = [("payment", f"INV-2026-{4701 + n}", f"{n + 1}0.00") for n in range(3)]
    by_name = paid(*invoices, amount="60.00", text="2026-4701, 2026-4702 and 2026-4703")
    by_range = paid(*invoices, amount="60.00", text="INV-2026-4701 to 4703")
    said = lines(*(("R", n, "P", f"2026-{4701 + n}", f"{n + 1}0.00") for n in range(3)))
    by_lines = paid(*invoices, amount="60.00", of_lines=said)
    for result in (by_name, by_range, by_lines):
        assert [row[:3] for row in done(result)] == expected
        assert result.exceptions.is_empty()


def test_several_payments_settle_one_invoice_and_no_more():
    receipts = [payment(f"P{n}", "40.00", "2026-4711", payer_account="DE77") for n in range(3)]
    result = apply(book(items(item("INV-2026-4711", "100.00")), payments(*receipts), known=KNOWN))
    by_payment = result.applications.select("payment_id", "applied_amount").rows()
    assert by_payment == [("P0", Decimal(40)), ("P1", Decimal(40)), ("P2", Decimal(20))]


@pytest.mark.parametrize(
    ("value_date", "expected", "contested"),
    [
        (FEB, [("discount", "2.00"), ("payment", "98.00")], []),
        (date(2026, 2, 5), [("discount", "2.00"), ("payment", "98.00")], []),
        (date(2026, 2, 6), [("payment", "98.00")], [("INV-2026-4711", "unearned_discount", Decimal(2))]),
    ],
    ids=["on the last day", "last day of grace", "too late"],
)
def test_a_discount_is_granted_in_time_and_contested_when_it_comes_late(value_date, expected, contested):
    result = paid(
        item("INV-2026-4711", "100.00", **TERMS), amount="98.00", text="2026-4711", value_date=value_date
    )
    assert sorted((kind, amount) for kind, _, amount, _ in done(result)) == expected
    assert withheld(result) == contested


@pytest.mark.parametrize(
    ("amount", "expected", "contested"),
    [
        ("995.00", [("payment", "995.00"), ("write_off", "5.00")], []),
        ("994.99", [("payment", "994.99")], [("unexplained", Decimal("5.01"))]),
        ("800.00", [("payment", "800.00")], [("unexplained", Decimal(200))]),
        ("799.99", [("payment", "799.99")], []),
    ],
    ids=["small enough", "a cent more", "a fifth short", "a part payment"],
)
def test_what_is_short_is_written_off_contested_or_simply_open(amount, expected, contested):
    result = paid(item("INV-2026-4711", "1000.00"), amount=amount, text="2026-4711")
    assert sorted((kind, value) for kind, _, value, _ in done(result)) == expected
    assert [row[1:] for row in withheld(result)] == contested


def test_a_wire_may_lose_a_fee_on_its_way_and_a_transfer_may_not():
    invoice = item("INV-2026-4711", "1000.00")
    by_wire = paid(invoice, amount="980.00", text="2026-4711", payment_method="wire")
    by_ach = paid(invoice, amount="980.00", text="2026-4711", payment_method="ach")
    assert [row[:3] for row in done(by_wire)] == [
        ("payment", "INV-2026-4711", "980.00"),
        ("write_off", "INV-2026-4711", "20.00"),
    ]
    assert withheld(by_ach) == [("INV-2026-4711", "unexplained", Decimal(20))]


def test_what_the_text_says_was_withheld_is_no_small_difference():
    result = paid(item("INV-2026-4711", "100.00"), amount="96.01", text="2026-4711 ABZUG 3,99 MAENGEL")
    assert [row[:3] for row in done(result)] == [("payment", "INV-2026-4711", "96.01")]
    assert withheld(result) == [("INV-2026-4711", "unexplained", Decimal("3.99"))]


def test_small_differences_of_a_customer_end_at_the_limit_of_a_day():
    limits = POLICY.small_differences.model_copy(
        update={
            "per_customer": POLICY.small_differences.per_customer.model_copy(
                update={"by_currency": {"EUR": Decimal(6)}}
            )
        }
    )
    policy = POLICY.model_copy(update={"small_differences": limits})
    invoices = [item(f"INV-2026-{n}", "1000.00") for n in (4701, 8802)]
    receipts = [payment(f"P{n}", "996.00", f"2026-{n}", payer_account="DE77") for n in (4701, 8802)]
    of = book(items(*invoices), payments(*receipts), known=KNOWN)
    result = apply(of, policy)
    assert [row[:3] for row in done(result)] == [
        ("payment", "INV-2026-4701", "996.00"),
        ("write_off", "INV-2026-4701", "4.00"),
    ]
    assert why(result) == [("P8802", "limit_reached", "ACME")]


def test_what_is_paid_too_much_stays_on_account_of_the_payer():
    result = paid(item("INV-2026-4711", "100.00"), amount="130.00", text="2026-4711")
    assert [row[:3] for row in done(result)] == [("payment", "INV-2026-4711", "100.00")]
    assert result.assignments.select("payment_id", "customer_id", "rule").rows() == [
        ("P", "ACME", "payer_account")
    ]
    assert result.exceptions.is_empty()


def test_a_second_payment_of_one_invoice_is_on_account_and_told():
    receipts = [payment(f"P{n}", "100.00", "2026-4711", payer_account="DE77") for n in (1, 2)]
    result = apply(book(items(item("INV-2026-4711", "100.00")), payments(*receipts), known=KNOWN))
    assert result.applications["payment_id"].to_list() == ["P1"]
    assert why(result) == [("P2", "already_paid", "ACME")]


def test_a_prepayment_waits_on_account_until_its_invoice_is_there():
    receipt = payments(payment("P", "100.00", "2026-4711", payer_account="DE77"))
    early = book(items(item("INV-2026-2222", "55.00")), receipt, known=KNOWN)
    first = apply(early)
    assert (done(first), why(first)) == ([], [("P", "no_match", "ACME")])
    later = after(early, first)
    invoiced = items(
        item("INV-2026-2222", "55.00"), item("INV-2026-4711", "100.00", invoice_date=date(2026, 3, 1))
    )
    second = apply(book(invoiced, later.payments, known=KNOWN, customers=later.customers))
    assert second.applications.select("invoice_id", "application_date").rows() == [
        ("INV-2026-4711", date(2026, 3, 1))
    ]


@pytest.mark.parametrize("text", ["2026-4711 less CN-5001", "2026-4711"], ids=["named", "by its amount"])
def test_credit_memos_are_netted(text):
    invoices = [item("INV-2026-4711", "100.00"), item("CN-5001", "-20.00")]
    result = paid(*invoices, amount="80.00", text=text)
    rows = result.applications.sort("application_type").select(
        "application_type", "invoice_id", "credit_memo_id", "applied_amount"
    )
    assert rows.rows() == [
        ("credit_memo", "INV-2026-4711", "CN-5001", Decimal(20)),
        ("payment", "INV-2026-4711", None, Decimal(80)),
    ]


def test_a_remittance_of_zero_sets_a_credit_memo_against_an_invoice():
    said = lines(("R", 1, "P", "2026-4711", "20.00"), ("R", 2, "P", "CN-5001", "-20.00"))
    result = paid(item("INV-2026-4711", "20.00"), item("CN-5001", "-20.00"), amount="0.00", of_lines=said)
    assert done(result) == [("credit_memo", "INV-2026-4711", "20.00", "remittance_line")]


@pytest.mark.parametrize("second", ["39.99", "40.01"])
def test_a_remittance_that_does_not_add_up_settles_nothing(second):
    said = lines(("R", 1, "P", "2026-4711", "60.00"), ("R", 2, "P", "2026-2002", second))
    result = paid(
        item("INV-2026-4711", "60.00"), item("INV-2026-2002", "40.00"), amount="100.00", of_lines=said
    )
    assert (done(result), why(result)) == ([], [("P", "remittance_does_not_add_up", "ACME")])


def test_a_line_that_names_nothing_leaves_its_part_on_account():
    said = lines(("R", 1, "P", "2026-4711", "60.00"), ("R", 2, "P", "2026-9999", "40.00"))
    result = paid(item("INV-2026-4711", "60.00"), amount="100.00", of_lines=said)
    assert [row[:3] for row in done(result)] == [("payment", "INV-2026-4711", "60.00")]
    assert why(result) == [("P", "remittance_unknown_item", "ACME")]


def test_discount_and_deduction_of_a_remittance_line_are_told_apart():
    seldom = {"discount_amount": "2.00", "deduction_amount": "10.00", "reason_code": "01"}
    said = lines(("R", 1, "P", "2026-4711", "88.00", seldom))
    result = paid(item("INV-2026-4711", "100.00", **TERMS), amount="88.00", of_lines=said)
    assert sorted(row[:3] for row in done(result)) == [
        ("discount", "INV-2026-4711", "2.00"),
        ("payment", "INV-2026-4711", "88.00"),
    ]
    (row,) = result.deductions.rows(named=True)
    assert (row["customer_reason_code"], row["reason_code"], row["deduction_amount"]) == (
        "01",
        "pricing",
        Decimal(10),
    )


def test_a_parent_pays_for_its_child_and_a_stranger_does_not():
    of = book(
        items(item("INV-2026-4711", "100.00", customer_id="CHILD")),
        payments(payment("P", "100.00", "2026-4711", payer_account="DE77")),
        customers=names(CHILD=("Child", "ACME"), ACME="Acme", BOLT="Bolt"),
        known=KNOWN,
    )
    assert [row[:3] for row in done(apply(of))] == [("payment", "INV-2026-4711", "100.00")]
    stranger = book(of.items, of.payments, customers=of.customers, known=accounts(("DE77", "BOLT")))
    assert (done(apply(stranger)), why(apply(stranger))) == ([], [("P", "other_customer", "BOLT")])


def test_items_that_differ_in_nothing_a_payment_says_are_a_persons_question():
    result = paid(item("INV-2026-4701", "100.00"), item("INV-2026-2002", "100.00"), amount="100.00")
    assert (done(result), why(result)) == ([], [("P", "ambiguous", "ACME")])
    ranked = result.candidates.select("candidate_rank", "invoice_id").rows()
    assert ranked == [(1, "INV-2026-2002"), (2, "INV-2026-4701")]


def test_money_without_a_sign_of_its_payer_is_in_suspense():
    result = apply(book(items(item("INV-2026-4701", "100.00")), payments(payment("P", "33.00"))))
    assert (done(result), why(result)) == ([], [("P", "unknown_payer", None)])
    assert result.assignments.is_empty()


def test_an_account_that_one_payment_explains_explains_the_next():
    receipts = [
        payment("P1", "100.00", "2026-4711", payer_name="Acme", payer_account="DE99"),
        payment("P2", "55.00", None, payer_account="DE99"),
    ]
    of = book(
        items(item("INV-2026-4711", "100.00"), item("INV-2026-2002", "55.00")),
        payments(*receipts),
        customers=names(ACME="Acme GmbH"),
    )
    result = apply(of)
    assert [row[:3] for row in done(result)] == [
        ("payment", "INV-2026-4711", "100.00"),
        ("payment", "INV-2026-2002", "55.00"),
    ]
    assert apply(after(of, result)).applications.is_empty()


def back(payment_id, reverses, amount, day, **other):
    return payment(payment_id, f"-{amount}", None, reverses_payment_id=reverses, value_date=day, **other)


def test_what_earlier_runs_applied_is_taken_back_and_the_next_payment_settles_it():
    returned, paid_again = date(2026, 2, 9), date(2026, 2, 20)
    of = book(
        items(item("INV-2026-4711", "100.00", **TERMS)),
        payments(payment("P1", "98.00", "2026-4711", payer_account="DE77")),
        known=KNOWN,
    )
    first = after(of, apply(of))
    receipts = payments(
        back("R1", "P1", "98.00", returned),
        payment("P2", "100.00", "2026-4711", value_date=paid_again, payer_account="DE77"),
    )
    second = apply(book(first.items, receipts, known=KNOWN, recorded=first.recorded))
    rows = second.applications.sort("application_date", "application_type", "applied_amount").select(
        "payment_id", "application_type", "applied_amount", "reverses_application_id", "application_date"
    )
    ids = dict(first.recorded.select("application_type", "application_id").iter_rows())
    assert rows.rows() == [
        ("R1", "reversal", Decimal(-98), ids["payment"], returned),
        ("R1", "reversal", Decimal(-2), ids["discount"], returned),
        ("P2", "payment", Decimal(100), None, paid_again),
    ]


def test_a_payment_and_its_return_of_one_morning_settle_nothing():
    receipts = payments(
        payment("P1", "100.00", "2026-4711", payer_account="DE77"),
        back("R1", "P1", "100.00", date(2026, 2, 9)),
    )
    result = apply(book(items(item("INV-2026-4711", "100.00")), receipts, known=KNOWN))
    assert (done(result), why(result)) == ([], [])


@pytest.mark.parametrize(
    "reversal",
    [
        back("R1", "P1", "99.99", date(2026, 2, 9)),
        back("R1", "P9", "100.00", date(2026, 2, 9)),
        back("R1", "P1", "100.00", date(2026, 2, 9), entity_id="US01"),
        back("R1", "P1", "100.00", date(2026, 2, 9), currency_code="USD"),
        payment("R1", "-100.00", "2026-4711"),
    ],
    ids=["a part", "unknown payment", "other entity", "other currency", "names no payment"],
)
def test_what_is_not_exactly_a_return_is_left_for_a_person(reversal):
    of = book(
        items(item("INV-2026-4711", "100.00")),
        payments(payment("P1", "100.00", "2026-4711", payer_account="DE77")),
        known=KNOWN,
    )
    first = after(of, apply(of))
    result = apply(book(first.items, payments(reversal), known=KNOWN, recorded=first.recorded))
    assert done(result) == []
    assert [row[:2] for row in why(result)] == [("R1", "returned_unclear")]


def test_a_part_taken_back_that_is_exactly_one_application_negates_it():
    of = book(
        items(item("INV-2026-4711", "100.00"), item("INV-2026-2002", "40.00")),
        payments(payment("P1", "140.00", "2026-4711 2026-2002", payer_account="DE77")),
        known=KNOWN,
    )
    first = after(of, apply(of))
    reversal = payments(back("R1", "P1", "40.00", date(2026, 2, 9)))
    result = apply(book(first.items, reversal, known=KNOWN, recorded=first.recorded))
    assert done(result) == [("reversal", "INV-2026-2002", "-40.00", "reversal")]
    assert why(result) == []


def test_suspense_that_may_be_a_customers_protects_that_customer():
    of = book(
        items(item("INV-2026-4711", "100.00")),
        payments(payment("P", "33.00", payer_name="Acme Handels")),
        customers=names(ACME="Acme Handel GmbH"),
    )
    result = apply(of)
    assert result.possible_payers.select("payment_id", "customer_id").rows() == [("P", "ACME")]
    assert pl.Series(result.exceptions["reason_code"]).to_list() == ["unknown_payer"]


def test_what_the_ledger_has_booked_itself_is_not_taken_back_by_us():
    of = book(
        items(item("INV-2026-4711", "100.00")),
        payments(payment("P1", "100.00", "2026-4711", payer_account="DE77")),
        known=KNOWN,
    )
    first = after(of, apply(of))
    reversal = payments(back("R1", "P1", "100.00", date(2026, 2, 9)))
    ours = book(first.items, reversal, known=KNOWN, recorded=first.recorded)
    booked = replace(ours, superseded=first.recorded.select("application_id"))
    assert [row[0] for row in done(apply(ours))] == ["reversal"]
    assert done(apply(booked)) == []
