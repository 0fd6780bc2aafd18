"""What was settled, as rows to be recorded: who paid what, by which rule, how sure, and why in words."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from o2c.contract import MONEY, RATIO
from o2c.frames import Applications
from o2c.matching.desk import Desk, money

# What was read, in words; {said} is put in.
REFERENCE_WORDS = {
    "remittance_line": "The remittance names it ({said}).",
    "creditor_reference": "Its number stands in the creditor reference {said}.",
    "invoice_id": "The reference text is its id.",
    "invoice_number": "The reference text is its number.",
    "embedded_number": "The text names it as {said}.",
    "number_range": "The text names the range {said}.",
    "digits": "The text has the digits of its number: {said}.",
    "order_number": "The text names its order: {said}.",
    "typo": "The text has its number but for one character: {said}.",
    "whole_balance": "The payment is all that the payer has open.",
    "single_amount": "The payment is exactly this item, and no other.",
    "all_due": "The payment is all that was due to one date.",
    "oldest_first": "The payment is the sum of the oldest items.",
    "statement": "The payment is the sum of one month's items.",
    "order": "The payment is the sum of one order's items.",
    "subset_sum": "Only one sum of the payer's open items makes the amount.",
}
PAYER_WORDS = {
    "source_customer": "The source says who paid.",
    "remembered_account": "A person said whose account it came from.",
    "payer_account": "The account has paid for the customer before.",
    "payer_name": "The payer has the customer's name.",
    "similar_name": "The payer's name is like the customer's.",
}
SHAPE_WORDS = {
    "exact": "The amounts agree.",
    "discount": "The amounts agree net of the discount in time.",
    "late_discount": "The amounts agree net of the discount, of which what came too late is contested.",
    "small_difference": "The difference is small enough to be written off.",
    "told_short": "The text says how much was withheld.",
    "short": "The rest was withheld.",
    "over": "What is left stays on account.",
    "partial": "A part was paid.",
}
_TYPES = ("payment", "credit_memo", "discount", "write_off")


def application_rows(accepted: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Applications without application_id, in the order in which they were settled.

    Args:
        accepted: rows of ACCEPTED.
        desk: for names and dates; what is open does not matter here.
    """
    items = desk.items.select(
        "item_key", "invoice_id", "customer_id", "currency_code", "invoice_date", "due_date", "reopened_date"
    )
    rows = (
        accepted.join(items, on="item_key", validate="m:1")
        .join(
            desk.payments.select("payment_key", "payment_id", "value_date"), on="payment_key", validate="m:1"
        )
        .with_columns(
            explanation=explained(),
            score=(1 - pl.col("doubt")).round(6).cast(RATIO),
            day=pl.max_horizontal("value_date", "invoice_date", "reopened_date"),
            has_credit=(pl.col("settled") < 0).any().over("payment_key", "round"),
        )
    )
    parts = [
        rows.filter(~pl.col("has_credit"), pl.col("cash") > 0).with_columns(
            application_type=pl.lit("payment"), amount="cash", credit_memo_id=pl.lit(None, dtype=pl.String)
        ),
        *(
            rows.filter(pl.col(kind) > 0).with_columns(
                application_type=pl.lit(kind), amount=kind, credit_memo_id=pl.lit(None, dtype=pl.String)
            )
            for kind in ("discount", "write_off")
        ),
        _netted(rows.filter("has_credit")),
    ]
    order = pl.col("application_type").replace_strict(
        {name: n for n, name in enumerate(_TYPES)}, return_dtype=pl.Int64
    )
    return (
        pl.concat(parts, how="diagonal")
        .sort("round", "payment_key", "due_date", "invoice_id", order, "credit_memo_id")
        .select(
            "payment_id",
            "credit_memo_id",
            "invoice_id",
            "customer_id",
            "currency_code",
            "application_type",
            "rule",
            "explanation",
            reverses_application_id=pl.lit(None, dtype=pl.String),
            applied_amount=money("amount"),
            score="score",
            application_date="day",
        )
    )


def explained() -> pl.Expr:
    """Reference, payer and amount in words, from ``rule, said, payer_rule, shape``."""
    before = {rule: words.split("{said}")[0] for rule, words in REFERENCE_WORDS.items()}
    behind = {rule: words.split("{said}")[1] for rule, words in REFERENCE_WORDS.items() if "{said}" in words}
    rule = pl.col("rule")
    reference = pl.concat_str(
        rule.replace_strict(before, default="", return_dtype=pl.String),
        pl.when(rule.is_in(list(behind))).then(pl.col("said").fill_null("")).otherwise(pl.lit("")),
        rule.replace_strict(behind, default="", return_dtype=pl.String),
    )
    payer = pl.col("payer_rule").replace_strict(
        PAYER_WORDS, default="Nothing else is known of the payer.", return_dtype=pl.String
    )
    shape = pl.col("shape").replace_strict(SHAPE_WORDS, default="", return_dtype=pl.String)
    return pl.concat_str(
        reference, payer.fill_null("Nothing else is known of the payer."), shape, separator=" "
    )


def _netted(rows: pl.DataFrame) -> pl.DataFrame:
    """Credit memos set against the invoices that a payment settles, oldest first; the payment pays the rest."""
    made = []
    ordered = rows.sort("round", "payment_key", "due_date", "invoice_id")
    for (_, _), group in ordered.group_by("round", "payment_key", maintain_order=True):
        made += list(_net_one(group.to_dicts()))
    schema = {**rows.schema, "application_type": pl.String, "amount": pl.Int64, "credit_memo_id": pl.String}
    return pl.DataFrame(made, schema=schema, orient="row")


def _net_one(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    memos = [dict(row, rest=-row["settled"]) for row in rows if row["settled"] < 0]
    for row in rows:
        need = row["cash"]
        for memo in memos:
            used = min(need, memo["rest"])
            if row["settled"] <= 0 or used <= 0:
                continue
            memo["rest"] -= used
            need -= used
            day = max(row["day"], memo["day"])
            yield row | {
                "application_type": "credit_memo",
                "amount": used,
                "credit_memo_id": memo["invoice_id"],
                "day": day,
            }
        if need > 0:
            yield row | {"application_type": "payment", "amount": need, "credit_memo_id": None}


def numbered(rows: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """Applications with their ids: payment, invoice, and the how-manieth between the two.

    The id is readable, and no two pairs of ids can spell the same one: the payment's length comes first.
    """
    pair = ["payment_id", "invoice_id"]
    # A person's rows have ids of their own and are not counted.
    of_engine = recorded.filter(pl.col("application_id").str.starts_with("engine|"))
    earlier = of_engine.group_by(pair).agg(earlier_count=pl.len())
    return (
        rows.join(earlier, on=pair, how="left", validate="m:1", maintain_order="left")
        .with_columns(
            ordinal=pl.col("earlier_count").fill_null(0) + pl.int_range(1, pl.len() + 1).over(pair),
            score=pl.col("score").cast(RATIO),
            applied_amount=pl.col("applied_amount").cast(MONEY),
        )
        .with_columns(
            application_id=pl.format(
                "engine|{}|{}|{}|{}",
                pl.col("payment_id").str.len_chars(),
                "payment_id",
                "invoice_id",
                "ordinal",
            )
        )
        .select(*Applications.columns())
    )
