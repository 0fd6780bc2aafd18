"""What one person may give up alone, and what waits for others: both sides of the limit, in one step or in several."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from o2c.frames import CashDecisions, CashExceptions
from o2c.matching.withheld import REASON_CODE, add_withheld, nothing_withheld, sort_decisions
from o2c.policy.base import CurrencyAmounts

LIMIT = CurrencyAmounts.model_validate({"default": "250.00", "by_currency": {"JPY": "25000"}})
DAY = date(2026, 3, 2)


def decisions(*rows: tuple) -> pl.DataFrame:
    """``decision_id, payment_id, invoice_id, action, amount`` of decisions."""
    filled = [
        dict.fromkeys(CashDecisions.columns())
        | {
            "decision_id": decision_id,
            "payment_id": payment_id,
            "invoice_id": invoice_id,
            "action": action,
            "amount": None if amount is None else Decimal(amount),
            "decided_by": "kim",
            "remember": False,
            "decided_date": DAY,
        }
        for decision_id, payment_id, invoice_id, action, amount in rows
    ]
    return CashDecisions.validate(pl.DataFrame(filled, schema=CashDecisions.empty().schema))


PAYMENTS = pl.DataFrame(
    {"payment_id": ["P1", "P2", "PJ"], "currency_code": ["EUR", "EUR", "JPY"]},
)


def kept_back(
    *rows: tuple, before: tuple[tuple, ...] = (), approved: tuple[str, ...] = (), rejected=None
) -> tuple:
    """Ids of decisions that are free, withheld and rejected."""
    new = decisions(*rows)
    found = sort_decisions(
        new, pl.concat([new, decisions(*before)]), PAYMENTS, LIMIT, approved, rejected or {}
    )
    return tuple(sorted(frame["decision_id"]) for frame in (found.free, found.withheld, found.rejected))


@pytest.mark.parametrize(
    ("payment_id", "action", "amount", "waits"),
    [
        ("P1", "write_off", "250.00", False),
        ("P1", "write_off", "250.01", True),
        ("P1", "discount", "250.00", False),
        ("P1", "discount", "250.01", True),
        ("PJ", "write_off", "25000", False),
        ("PJ", "write_off", "25001", True),
        ("P1", "apply", "9999.00", False),
        ("P1", "credit", "9999.00", False),
        ("P1", "deduct", "9999.00", False),
        ("P1", "write_off", None, False),
        ("P1", "write_off", "-999.00", False),
        ("not there", "write_off", "9999.00", False),
    ],
)
def test_only_what_is_given_up_beyond_the_limit_of_its_currency_waits(payment_id, action, amount, waits):
    found = kept_back(("d", payment_id, "I1", action, amount))
    assert found == (([], ["d"], []) if waits else (["d"], [], []))


def test_small_steps_on_one_invoice_or_by_one_payment_count_together():
    one_invoice = [("a", "P1", "I1", "write_off", "150.00"), ("b", "P2", "I1", "discount", "100.01")]
    assert kept_back(*one_invoice) == ([], ["a", "b"], [])
    one_payment = [("a", "P1", "I1", "write_off", "150.00"), ("b", "P1", "I2", "write_off", "100.01")]
    assert kept_back(*one_payment) == ([], ["a", "b"], [])
    apart = [("a", "P1", "I1", "write_off", "250.00"), ("b", "P2", "I2", "write_off", "250.00")]
    assert kept_back(*apart) == (["a", "b"], [], [])


def test_what_was_given_up_in_earlier_days_counts_too_unless_people_approved_it():
    today, before = ("b", "P1", "I1", "write_off", "50.01"), (("a", "P1", "I1", "write_off", "200.00"),)
    assert kept_back(today, before=before) == ([], ["b"], [])
    assert kept_back(today, before=before, approved=("a",)) == (["b"], [], [])
    assert kept_back(today, before=before, rejected={"a": "list"}) == (["b"], [], [])


def test_what_people_approved_is_free_and_what_they_rejected_is_refused_in_words():
    rows = (("a", "P1", "I1", "write_off", "300.00"), ("b", "P2", "I2", "write_off", "300.00"))
    assert kept_back(*rows, approved=("a",)) == (["a"], ["b"], [])
    found = sort_decisions(decisions(*rows), decisions(*rows), PAYMENTS, LIMIT, ("a",), {"b": "write-offs-1"})
    assert found.refused.rows() == [
        ("b", "P2", "amount", "giving up this amount was rejected (write-offs-1)")
    ]
    assert found.rejected["decision_id"].to_list() == ["b"]


def exceptions(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """``payment_id, reason_code, customer_id`` of payments that a person must look at, 10.00 left of each."""
    filled = [
        (payment_id, "E1", customer_id, "EUR", code, "why", Decimal("500.00"), Decimal("10.00"), DAY)
        for payment_id, code, customer_id in rows
    ]
    return pl.DataFrame(filled, schema=CashExceptions.empty().schema, orient="row")


FACTS = exceptions(("P1", "-", "C1"), ("P2", "-", "C2"), ("P3", "-", "C3")).drop("reason_code", "reason")


def waiting(*payment_ids: str) -> pl.DataFrame:
    rows = [(f"d{at}", payment_id, "I1", "write_off", "300.00") for at, payment_id in enumerate(payment_ids)]
    return decisions(*rows).with_columns(currency_code=pl.lit("EUR"))


def test_a_payment_that_waits_for_approval_stays_an_exception_and_says_so():
    found = add_withheld(waiting("P1", "P1", "P2"), FACTS, exceptions(("P2", "no_match", "C9")), 2)
    why = "to give up wait for 2 approvals; nothing of it is done until then."
    left = (Decimal("500.00"), Decimal("10.00"), DAY)
    assert found.rows() == [
        ("P1", "E1", "C1", "EUR", REASON_CODE, f"300.00 EUR and 300.00 EUR {why}", *left),
        ("P2", "E1", "C9", "EUR", REASON_CODE, f"300.00 EUR {why}", *left),
    ]


@pytest.mark.parametrize("code", ["held", "returned_unclear", "decision_not_possible"])
def test_a_weightier_reason_stays(code):
    there = exceptions(("P1", code, "C1"))
    assert add_withheld(waiting("P1"), FACTS, there, 1).equals(there)


def test_without_decisions_that_wait_nothing_changes():
    there = exceptions(("P3", "no_match", "C3"))
    assert add_withheld(nothing_withheld(), FACTS, there, 2).equals(there)
