"""What persons decided: done once, in order, within what is open and left; or refused as a whole."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2c.contract import MONEY
from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CashDecisions,
    CashExceptions,
    Deductions,
    Frame,
    PayerAssignments,
)
from o2c.matching.decided import Decided, carry_out, taken_back_by_persons
from o2c.matching.refused import add_refused
from o2c.policy import load_policies
from o2c.settings import PROJECT

AS_OF = date(2026, 3, 31)
REASONS = load_policies(PROJECT / "policies").reason_codes
PRICING = next(reason for reason in REASONS.reasons if reason.opens_dispute)


def frame(model: type[Frame], rows: tuple[dict[str, Any], ...], **defaults: Any) -> pl.DataFrame:
    schema = model.empty().schema
    full = [dict.fromkeys(schema) | defaults | row for row in rows]
    for row in full:
        for name in row:
            value = row[name]
            if name.endswith("amount") and isinstance(value, str):
                row[name] = Decimal(value)
    return model.validate(pl.DataFrame(full, schema=schema, orient="row"))


def item(invoice_id: str, open_amount: str, **other: Any) -> dict[str, Any]:
    kind = "credit_memo" if open_amount.startswith("-") else "invoice"
    return {"invoice_id": invoice_id, "invoice_number": invoice_id, "open_amount": open_amount} | {
        "invoice_amount": open_amount,
        "document_type": kind,
        **other,
    }


def payment(payment_id: str, amount: str, **other: Any) -> dict[str, Any]:
    return {"payment_id": payment_id, "payment_amount": amount, "unapplied_amount": amount, **other}


def decision(decision_id: str, payment_id: str, action: str, **other: Any) -> dict[str, Any]:
    return {"decision_id": decision_id, "payment_id": payment_id, "action": action, **other}


def do(
    decisions: tuple[dict[str, Any], ...],
    items: tuple[dict[str, Any], ...] = (item("A", "100.00"), item("B", "50.00")),
    payments: tuple[dict[str, Any], ...] = (payment("P", "120.00"),),
    before: Decided | None = None,
    reverse_rows: bool = False,
) -> Decided:
    given_frame = frame(
        CashDecisions, decisions, decided_by="Kim", remember=False, decided_date=date(2026, 3, 30)
    )
    of_items = frame(
        ApplicableItems,
        items,
        entity_id="E1",
        customer_id="ACME",
        currency_code="EUR",
        invoice_date=date(2026, 3, 1),
        due_date=date(2026, 3, 31),
    )
    of_payments = frame(
        ApplicablePayments,
        payments,
        entity_id="E1",
        currency_code="EUR",
        is_held=False,
        value_date=date(2026, 3, 15),
    )
    if reverse_rows:
        given_frame, of_items, of_payments = (one.reverse() for one in (given_frame, of_items, of_payments))
    return carry_out(
        given_frame,
        of_items,
        of_payments,
        before.applications if before else Applications.empty(),
        before.assignments if before else PayerAssignments.empty(),
        before.deductions if before else Deductions.empty(),
        REASONS,
        AS_OF,
    )


def applied(outcome: Decided) -> list[tuple[Any, ...]]:
    return [
        (row["invoice_id"], row["application_type"], f"{row['applied_amount']:.2f}", row["application_date"])
        for row in outcome.applications.sort("application_id").iter_rows(named=True)
    ]


def refused(outcome: Decided) -> list[tuple[str, str, str]]:
    return list(outcome.refused.select("decision_id", "field", "reason").iter_rows())


def test_an_application_of_a_person_says_who_decided_and_names_its_decision():
    outcome = do((decision("D1", "P", "apply", invoice_id="A", amount="99.50", note="by phone"),))
    assert outcome.applications.to_dicts() == [
        {
            "application_id": "person|1|P|A|D1",
            "payment_id": "P",
            "credit_memo_id": None,
            "invoice_id": "A",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "application_type": "payment",
            "rule": "person",
            "explanation": "Kim decided this on 2026-03-30: by phone",
            "reverses_application_id": None,
            "applied_amount": Decimal("99.5000"),
            "score": Decimal("1.000000"),
            "application_date": date(2026, 3, 15),
        }
    ]
    assert outcome.refused.is_empty()


def test_without_an_amount_as_much_is_applied_as_fits():
    outcome = do((decision("D1", "P", "apply", invoice_id="A"), decision("D2", "P", "apply", invoice_id="B")))
    assert applied(outcome) == [
        ("A", "payment", "100.00", date(2026, 3, 15)),
        ("B", "payment", "20.00", date(2026, 3, 15)),
    ]


@pytest.mark.parametrize(
    ("amount", "fault"),
    [
        ("100.00", None),
        ("100.01", "100.01 EUR is more than the 100 open of A"),
        ("0.00", "0 is no amount of EUR above zero"),
        ("-1.00", "-1 is no amount of EUR above zero"),
        ("1.001", "1.001 is no amount of EUR above zero"),
    ],
    ids=["all that is open", "a cent more", "nothing", "less than nothing", "less than a cent"],
)
def test_an_amount_stays_within_what_is_open(amount, fault):
    outcome = do((decision("D1", "P", "apply", invoice_id="A", amount=amount),))
    assert refused(outcome) == ([] if fault is None else [("D1", "amount", fault)])
    assert outcome.applications.height == (fault is None)


@pytest.mark.parametrize(
    ("amount", "fault"),
    [("60.00", None), ("60.01", "60.01 EUR is more than the 60 left of payment P")],
    ids=["all that is left", "a cent more"],
)
def test_an_amount_stays_within_what_is_left(amount, fault):
    outcome = do(
        (decision("D1", "P", "apply", invoice_id="A", amount=amount),), payments=(payment("P", "60.00"),)
    )
    assert refused(outcome) == ([] if fault is None else [("D1", "amount", fault)])


def test_the_second_decision_finds_what_the_first_left_and_is_refused_as_a_whole():
    outcome = do(
        (
            decision("D2", "P", "apply", invoice_id="B", amount="21.00"),
            decision("D1", "P", "apply", invoice_id="A", amount="100.00"),
        )
    )
    assert applied(outcome) == [("A", "payment", "100.00", date(2026, 3, 15))]
    assert refused(outcome) == [("D2", "amount", "21 EUR is more than the 20 left of payment P")]


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"invoice_id": "X"}, "invoice_id", "document X is not there"),
        ({"invoice_id": "C"}, "invoice_id", "C is a credit memo, no invoice"),
        ({"invoice_id": "OTHER"}, "invoice_id", "OTHER is of entity E2, payment P of E1"),
        ({"invoice_id": "USD"}, "invoice_id", "USD is of currency USD, payment P of EUR"),
        ({"invoice_id": "PAID"}, "invoice_id", "nothing is open of PAID"),
        ({"payment_id": "Q"}, "payment_id", "payment Q is not there, or was taken back by the bank"),
        ({"payment_id": "HELD"}, "payment_id", "the statement of payment HELD does not tie"),
        ({"payment_id": "BACK"}, "payment_id", "payment BACK was taken back by the bank"),
        ({"payment_id": "EMPTY"}, "payment_id", "nothing is left of payment EMPTY"),
    ],
)
def test_a_decision_that_does_not_fit_says_why(changed, field, reason):
    outcome = do(
        (decision("D1", "P", "apply", invoice_id="A") | changed,),
        items=(
            item("A", "100.00"),
            item("C", "-10.00"),
            item("OTHER", "1.00", entity_id="E2"),
            item("USD", "1.00", currency_code="USD"),
            item("PAID", "0.00"),
        ),
        payments=(
            payment("P", "120.00"),
            payment("HELD", "1.00", is_held=True),
            payment("BACK", "5.00"),
            payment("BACK-R", "-5.00", reverses_payment_id="BACK"),
            payment("EMPTY", "5.00", unapplied_amount="0.00"),
        ),
    )
    assert refused(outcome) == [("D1", field, reason)]
    assert outcome.applications.is_empty()


def test_what_comes_after_the_as_of_date_is_not_there_yet():
    outcome = do(
        (
            decision("D1", "P", "apply", invoice_id="A", decided_date=date(2026, 4, 1)),
            decision("D2", "P", "apply", invoice_id="LATE"),
            decision("D3", "LATER", "apply", invoice_id="A"),
        ),
        items=(item("A", "100.00"), item("LATE", "1.00", invoice_date=date(2026, 4, 1))),
        payments=(payment("P", "120.00"), payment("LATER", "1.00", value_date=date(2026, 4, 1))),
    )
    assert outcome.applications.is_empty()
    assert [row[0] for row in refused(outcome)] == ["D2", "D3"]


def test_a_credit_memo_is_set_against_an_invoice_from_when_both_are_there():
    outcome = do(
        (decision("D1", "P", "credit", invoice_id="A", credit_memo_id="C", amount="30.00"),),
        items=(item("A", "100.00"), item("C", "-30.00", invoice_date=date(2026, 3, 20))),
    )
    assert applied(outcome) == [("A", "credit_memo", "30.00", date(2026, 3, 20))]
    assert outcome.applications["credit_memo_id"].to_list() == ["C"]
    again = do(
        (decision("D2", "P", "credit", invoice_id="A", credit_memo_id="C", amount="30.01"),),
        items=(item("A", "100.00"), item("C", "-30.00")),
    )
    assert refused(again) == [("D2", "amount", "30.01 EUR is more than the 30 left of credit memo C")]


def test_discounts_and_write_offs_lower_the_invoice_and_leave_the_payment():
    outcome = do(
        (
            decision("D1", "P", "discount", invoice_id="A", amount="2.00"),
            decision("D2", "P", "write_off", invoice_id="A", amount="1.00"),
            decision("D3", "P", "apply", invoice_id="A"),
            decision("D4", "P", "discount", invoice_id="B"),
        )
    )
    assert applied(outcome) == [
        ("A", "discount", "2.00", date(2026, 3, 15)),
        ("A", "write_off", "1.00", date(2026, 3, 15)),
        ("A", "payment", "97.00", date(2026, 3, 15)),
    ]
    assert refused(outcome) == [("D4", "amount", "discount needs an amount")]


def test_a_deduction_leaves_the_amount_open_and_opens_a_dispute_where_the_reason_does():
    outcome = do(
        (
            decision("D1", "P", "apply", invoice_id="A", amount="90.00"),
            decision("D2", "P", "deduct", invoice_id="A", amount="10.00", reason_code=PRICING.code),
            decision("D3", "P", "deduct", invoice_id="A", amount="0.01", reason_code=PRICING.code),
            decision("D4", "P", "deduct", invoice_id="B", amount="0.01", reason_code="whim"),
        )
    )
    assert outcome.deductions.to_dicts() == [
        {
            "deduction_id": "deduction|1|P|A|D2",
            "payment_id": "P",
            "invoice_id": "A",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "customer_reason_code": None,
            "reason_code": PRICING.code,
            "explanation": "Kim decided this on 2026-03-30.",
            "deduction_amount": Decimal("10.0000"),
            "opens_dispute": True,
            "deducted_date": date(2026, 3, 15),
        }
    ]
    assert [(row[0], row[1]) for row in refused(outcome)] == [("D3", "invoice_id"), ("D4", "reason_code")]


def test_of_the_words_of_one_day_about_a_payer_the_last_counts():
    outcome = do(
        (
            decision("D1", "P", "assign", customer_id="ACME"),
            decision("D2", "P", "assign", customer_id="BOLT"),
            decision("D3", "Q", "assign", customer_id="ACME", decided_date=date(2026, 3, 29)),
            decision("D4", "Q", "unassign"),
        ),
        payments=(payment("P", "120.00"), payment("Q", "1.00")),
    )
    assert outcome.assignments.select("payment_id", "customer_id", "rule", "assigned_date").rows() == [
        ("P", "BOLT", "person", date(2026, 3, 30)),
        ("Q", "ACME", "person", date(2026, 3, 29)),
        ("Q", None, "person", date(2026, 3, 30)),
    ]


def test_what_is_taken_back_is_the_exact_negation_and_can_be_applied_anew_from_then_on():
    first = do((decision("D1", "P", "apply", invoice_id="A", amount="100.00"),))
    outcome = do(
        (
            decision("D2", "P", "reverse", application_id="person|1|P|A|D1"),
            decision("D3", "P", "apply", invoice_id="B", amount="50.00"),
        ),
        items=(item("A", "0.00"), item("B", "50.00")),
        payments=(payment("P", "120.00", unapplied_amount="20.00"),),
        before=first,
    )
    assert applied(outcome) == [
        ("A", "reversal", "-100.00", date(2026, 3, 30)),
        ("B", "payment", "50.00", date(2026, 3, 30)),
    ]
    negation = outcome.applications.row(0, named=True)
    assert negation["reverses_application_id"] == "person|1|P|A|D1"
    both = pl.concat([first.applications, outcome.applications])
    assert both.filter(pl.col("invoice_id") == "A")["applied_amount"].sum() == 0
    assert taken_back_by_persons(both).rows() == [("P", "A")]


def test_nothing_is_taken_back_twice_or_of_another_payment():
    first = do((decision("D1", "P", "apply", invoice_id="A", amount="100.00"),))
    name = "person|1|P|A|D1"
    outcome = do(
        (
            decision("D2", "P", "reverse", application_id=name),
            decision("D3", "P", "reverse", application_id=name),
            decision("D0", "Q", "reverse", application_id=name),
        ),
        before=first,
    )
    gone = f"application {name} is not recorded here, or was taken back before"
    assert refused(outcome) == [
        ("D0", "application_id", f"application {name} is of payment P"),
        ("D3", "application_id", gone),
    ]
    other = do(
        (decision("D5", "Q", "reverse", application_id=name),), payments=(payment("Q", "1.00"),), before=first
    )
    assert refused(other) == [("D5", "application_id", gone)]


def test_a_pair_that_a_person_put_together_again_is_no_longer_apart():
    first = do((decision("D1", "P", "apply", invoice_id="A", amount="100.00"),))
    second = do(
        (
            decision("D2", "P", "reverse", application_id="person|1|P|A|D1"),
            decision("D3", "P", "apply", invoice_id="A", amount="40.00"),
        ),
        items=(item("A", "0.00"),),
        payments=(payment("P", "120.00", unapplied_amount="20.00"),),
        before=first,
    )
    both = pl.concat([first.applications, second.applications])
    assert taken_back_by_persons(both).is_empty()


def test_each_decision_is_done_once():
    decisions = (
        decision("D1", "P", "apply", invoice_id="A", amount="40.00"),
        decision("D2", "P", "deduct", invoice_id="A", amount="5.00", reason_code=PRICING.code),
        decision("D3", "P", "assign", customer_id="ACME"),
    )
    first = do(decisions)
    again = do(decisions, before=first)
    assert [one.height for one in vars(first).values()] == [1, 1, 1, 0]
    assert [one.height for one in vars(again).values()] == [0, 0, 0, 0]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["P", "Q"]),
            st.sampled_from(["A", "B"]),
            st.sampled_from(["apply", "discount", "deduct"]),
            st.integers(1, 9000),
        ),
        max_size=8,
    )
)
def test_the_order_of_rows_changes_nothing_and_no_cent_is_made(wishes):
    decisions = tuple(
        decision(
            f"D{number}",
            payer,
            action,
            invoice_id=invoice,
            amount=str(Decimal(cents).scaleb(-2)),
            reason_code=PRICING.code if action == "deduct" else None,
        )
        for number, (payer, invoice, action, cents) in enumerate(wishes)
    )
    payments = (payment("P", "120.00"), payment("Q", "30.00"))
    outcome, other = (do(decisions, payments=payments, reverse_rows=flag) for flag in (False, True))
    for one, two in zip(vars(outcome).values(), vars(other).values(), strict=True):
        assert one.equals(two)
    rows = outcome.applications
    for invoice, limit in (("A", 100), ("B", 50)):
        assert rows.filter(pl.col("invoice_id") == invoice)["applied_amount"].sum() <= limit
    for payer, limit in (("P", 120), ("Q", 30)):
        is_cash = (pl.col("payment_id") == payer) & (pl.col("application_type") == "payment")
        assert rows.filter(is_cash)["applied_amount"].sum() <= limit
    assert rows.height + outcome.deductions.height + outcome.refused.height == len(decisions)


FACTS = pl.DataFrame(
    {
        "payment_id": ["P", "Q"],
        "entity_id": ["E1", "E1"],
        "customer_id": ["ACME", None],
        "currency_code": "EUR",
    }
).with_columns(
    payment_amount=pl.lit(Decimal(9)).cast(MONEY),
    unapplied_amount=pl.lit(Decimal(0)).cast(MONEY),
    value_date=pl.lit(date(2026, 3, 15)),
)


def exception(payment_id: str, reason_code: str, left: str) -> dict[str, Any]:
    return {"payment_id": payment_id, "reason_code": reason_code, "unapplied_amount": left}


def test_every_refused_decision_is_told_whatever_became_of_its_payment():
    listed = frame(
        CashExceptions,
        (
            exception("Q", "no_match", "4.00"),
            exception("R", "no_match", "5.00"),
            exception("H", "held", "6.00"),
        ),
        entity_id="E1",
        currency_code="EUR",
        reason="found",
        payment_amount="9.00",
        value_date=date(2026, 3, 15),
    )
    refused = pl.DataFrame(
        [
            ("D2", "P", "two"),
            ("D1", "P", "one"),
            ("D3", "Q", "three"),
            ("D4", "GONE", "four"),
            ("D5", "H", "five"),
        ],
        schema=["decision_id", "payment_id", "reason"],
        orient="row",
    )
    told = add_refused(refused, FACTS, listed, pl.lit(AS_OF), "USD")
    columns = ["payment_id", "reason_code", "reason", "unapplied_amount", "currency_code", "value_date"]
    said, done = "A decision was refused: ", ". Nothing of it was done; decide anew."
    day, code = date(2026, 3, 15), "decision_not_possible"
    assert told.select(columns).rows() == [
        ("GONE", code, f"{said}four{done}", Decimal(0), "USD", AS_OF),
        ("H", "held", "found", Decimal(6), "EUR", day),
        ("P", code, f"{said}one; two{done}", Decimal(0), "EUR", day),
        ("Q", code, f"{said}three{done}", Decimal(4), "EUR", day),
        ("R", "no_match", "found", Decimal(5), "EUR", day),
    ]
