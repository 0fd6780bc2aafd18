"""The benchmark of cash application: it can fail, and at a small size the engine meets its goals but speed."""

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from o2c.contract import MONEY, RATIO
from o2c.frames import Applications, PayerAssignments
from o2c.matching.book import CashResult

sys.path.append(str(Path(__file__).parents[3] / "bench"))

from cash import measure, report
from cash_book import SMALL, Size
from cash_mix import make_mix

TINY = Size(items=4_000, customers=200, payments=1_200)
COST = {"payments_per_cpu_second": 1.0}


@pytest.fixture(scope="module")
def mix():
    return make_mix(TINY, 7)


def perfect(mix) -> CashResult:
    """What an engine would return that knows the truth. Credit memos are netted on the first invoices."""
    lines = mix.lines.join(
        mix.book.items.select("invoice_id", "customer_id", "currency_code"), on="invoice_id"
    )
    memos = dict(lines.filter(pl.col("settled_amount") < 0).select("payment_id", "invoice_id").iter_rows())
    left = dict(lines.filter(pl.col("settled_amount") < 0).select("payment_id", "settled_amount").iter_rows())
    rows = []
    for line in lines.filter(pl.col("settled_amount") > 0).iter_rows(named=True):
        by_credit = min(-left.get(line["payment_id"], Decimal(0)), line["settled_amount"])
        left[line["payment_id"]] = left.get(line["payment_id"], Decimal(0)) + by_credit
        parts = {"payment": line["settled_amount"] - by_credit, "credit_memo": by_credit}
        parts["discount"] = line["least_given_amount"]
        for kind, amount in parts.items():
            if amount:
                memo = memos[line["payment_id"]] if kind == "credit_memo" else None
                rows.append(
                    line | {"application_type": kind, "applied_amount": amount, "credit_memo_id": memo}
                )
    known = {
        "rule": "truth",
        "explanation": "",
        "score": Decimal(1),
        "reverses_application_id": None,
        "application_date": date(2026, 9, 30),
    }
    schema = Applications.empty().schema
    full = [{"application_id": str(number), **row, **known} for number, row in enumerate(rows)]
    applications = pl.DataFrame([{key: row[key] for key in schema} for row in full], schema=schema)
    assignments = mix.payments.drop_nulls("customer_id").select(
        "payment_id",
        "customer_id",
        rule=pl.lit("truth"),
        explanation=pl.lit(""),
        score=pl.lit(1).cast(RATIO),
        assigned_date=pl.lit(date(2026, 9, 30)),
    )
    told = mix.payments.filter(pl.col("truth") == "on_account").join(mix.book.payments, on="payment_id")
    exceptions = told.select(
        "payment_id",
        "entity_id",
        "customer_id",
        "currency_code",
        "payment_amount",
        "unapplied_amount",
        "value_date",
        reason_code=pl.lit("already_paid"),
        reason=pl.lit(""),
    )
    return CashResult(
        applications=applications, assignments=PayerAssignments.validate(assignments), exceptions=exceptions
    )


def test_the_mix_is_a_book_and_is_the_same_again(mix):
    mix.book.validate()
    again = make_mix(TINY, 7)
    assert again.book.payments.equals(mix.book.payments)
    assert again.book.remittance_lines.equals(mix.book.remittance_lines)
    assert again.book.items.equals(mix.book.items)
    assert again.lines.equals(mix.lines)


def test_no_document_is_truly_paid_twice_and_what_is_paid_adds_up(mix):
    assert mix.lines["invoice_id"].is_unique().all()
    settled = mix.lines.group_by("payment_id").agg(pl.col("settled_amount").sum().cast(MONEY))
    both = settled.join(mix.payments, on="payment_id").join(mix.book.payments, on="payment_id")
    short = both.filter(pl.col("settled_amount") != pl.col("payment_amount"))
    assert set(short["shape"]) == {"over"}
    assert (short["settled_amount"] < short["payment_amount"]).all()


def test_who_knows_the_truth_gets_everything_right_but_cannot_know_strangers(mix):
    found = report(mix, perfect(mix), COST)
    strangers = mix.payments.filter(pl.col("truth") == "suspense").height / mix.payments.height
    total = found.total
    assert (total["precision"], total["precision_by_value"], total["recall"]) == (1.0, 1.0, 1.0)
    assert total["automatic"] == pytest.approx(1 - strangers)
    assert found.wrong.is_empty()
    assert found.double_claims.is_empty()
    assert found.missed(with_speed=False) == []
    assert found.missed(with_speed=True) == ["1 payments per CPU second, must be 50,000"]


def test_one_payment_on_the_wrong_invoice_is_one_wrong_decision(mix):
    result = perfect(mix)
    spare = mix.book.items.filter(pl.col("open_amount") > 0).join(mix.lines, on="invoice_id", how="anti")
    first = result.applications.filter(pl.col("application_type") == "payment").row(0, named=True)
    moved = result.applications.with_columns(
        invoice_id=pl.when(pl.col("application_id") == first["application_id"])
        .then(pl.lit(spare["invoice_id"][0]))
        .otherwise("invoice_id")
    )
    found = report(mix, CashResult(moved, result.assignments, exceptions=result.exceptions), COST)
    assert found.wrong["payment_id"].to_list() == [first["payment_id"]]
    assert found.total["precision"] < 1


def test_money_on_the_wrong_account_and_a_document_paid_twice_are_seen(mix):
    result = perfect(mix)
    told = result.exceptions["payment_id"][0]
    astray = result.assignments.with_columns(
        customer_id=pl.when(pl.col("payment_id") == told).then(pl.lit("C999999")).otherwise("customer_id")
    )
    twice = pl.concat([result.applications, result.applications.head(1)])
    found = report(mix, CashResult(twice, astray, exceptions=result.exceptions), COST)
    assert told in found.wrong["payment_id"]
    assert set(found.double_claims["key"]) == set(
        result.applications.select("payment_id", "invoice_id").row(0)
    )
    assert any("used beyond" in fault for fault in found.missed(with_speed=False))


def test_the_engine_is_right_and_automatic_enough_on_the_small_mix():
    found = measure(SMALL, 1)
    assert found.missed(with_speed=False) == [], found.wrong.head(20).to_dicts()
