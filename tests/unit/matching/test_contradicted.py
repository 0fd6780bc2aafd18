"""Recorded applications that what is delivered now speaks against: told, and proposed to be taken back."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from o2c.contract import MONEY, RATIO
from o2c.frames import Applications, CashCandidates, CashExceptions
from o2c.matching.contradicted import FAULTS, add_contradicted, find_contradicted

DAY = date(2026, 3, 15)


def application(
    application_id: str, invoice_id: str, amount: str, kind: str = "payment", **other: Any
) -> dict:
    return dict.fromkeys(Applications.empty().schema) | {
        "application_id": application_id,
        "payment_id": "BATCH",
        "invoice_id": invoice_id,
        "customer_id": "ACME",
        "currency_code": "EUR",
        "application_type": kind,
        "rule": "invoice_number",
        "explanation": "number",
        "applied_amount": Decimal(amount),
        "score": Decimal(1),
        "application_date": DAY,
        **other,
    }


RECORDED = Applications.validate(
    pl.DataFrame(
        [
            application("1", "A", "60.00"),
            application("2", "A", "1.20", "discount"),
            application("3", "B", "40.00"),
            application("4", "C", "7.00"),
            application("5", "C", "-7.00", "reversal", reverses_application_id="4"),
            application("6", "D", "5.00", payment_id="OTHER"),
        ],
        schema=Applications.empty().schema,
        orient="row",
    )
)
PAYMENTS = pl.DataFrame(
    [("OTHER", "E1", None, "EUR", Decimal(5), DAY)],
    schema={
        "payment_id": pl.String,
        "entity_id": pl.String,
        "customer_id": pl.String,
        "currency_code": pl.String,
        "payment_amount": MONEY,
        "value_date": pl.Date,
    },
    orient="row",
)
DOCUMENTS = pl.DataFrame({"invoice_id": ["A", "B", "C", "D"], "entity_id": ["E1"] * 4})


def found(*faults: tuple[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = pl.DataFrame(list(faults), schema={"application_id": pl.String, "fault": pl.String}, orient="row")
    return find_contradicted(rows, RECORDED, PAYMENTS, DOCUMENTS)


def test_without_a_contradiction_nothing_is_proposed():
    exceptions, candidates = found()
    assert exceptions.is_empty()
    assert candidates.is_empty()


def test_a_payment_that_is_gone_is_one_exception_with_all_that_it_paid_to_be_taken_back():
    exceptions, candidates = found(
        ("1", "payment_missing"), ("2", "payment_missing"), ("3", "payment_missing")
    )
    assert exceptions.to_dicts() == [
        {
            "payment_id": "BATCH",
            "entity_id": "E1",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "reason_code": "evidence_against_application",
            "reason": "payment BATCH is no longer delivered. 3 recorded applications rest on it; they stand until a"
            " person takes them back.",
            "payment_amount": Decimal("100.0000"),
            "unapplied_amount": Decimal("0.0000"),
            "value_date": DAY,
        }
    ]
    moved = ["candidate_rank", "invoice_id", "rule", "applied_amount", "discount_amount"]
    assert candidates.select(moved).rows() == [
        (1, "A", "reverse", Decimal(-60), Decimal("-1.2")),
        (1, "B", "reverse", Decimal(-40), Decimal(0)),
    ]


def test_a_document_that_is_gone_takes_back_its_own_application_alone():
    exceptions, candidates = found(("6", "document_cancelled"))
    assert exceptions["reason"].to_list() == [
        "document D is cancelled. 1 recorded applications rest on it; they stand until a person takes them back."
    ]
    assert exceptions["unapplied_amount"].to_list() == [Decimal(0)]
    assert candidates["invoice_id"].to_list() == ["D"]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_told_in_words(fault):
    exceptions, _ = found(("1", fault))
    assert "{" not in exceptions["reason"][0]
    assert fault not in exceptions["reason"][0]


@pytest.mark.parametrize(
    ("reason_code", "kept", "ranks"),
    [
        ("held", "held", [1]),
        ("ambiguous", "evidence_against_application", [1, 1, 2]),
    ],
    ids=["a weightier reason stays", "a lighter one gives way, its candidates follow"],
)
def test_a_payment_has_one_reason(reason_code, kept, ranks):
    ours = found(("1", "payment_missing"), ("3", "payment_missing"))
    listed = ours[0].with_columns(reason_code=pl.lit(reason_code))
    candidates = CashCandidates.validate(
        ours[1].head(1).with_columns(rule=pl.lit("statement"), score=pl.lit(Decimal("0.9")).cast(RATIO))
    )
    exceptions, all_candidates = add_contradicted(ours, listed, candidates)
    assert CashExceptions.validate(exceptions)["reason_code"].to_list() == [kept]
    assert all_candidates["candidate_rank"].to_list() == ranks
