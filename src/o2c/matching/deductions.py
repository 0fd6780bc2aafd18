"""What customers withheld: one deduction for each amount that an accepted payment leaves contested."""

import polars as pl

from o2c.contract import MONEY
from o2c.frames import Deductions
from o2c.matching.reasons import OWN_LIST, our_reasons
from o2c.money import MINOR_UNITS
from o2c.policy import ReasonCodesPolicy

LIST_WORDS = {
    OWN_LIST: "the customer's own list",
    "x12_426": "X12 element 426",
    "iso_20022": "ISO 20022",
    "edifact_4465": "EDIFACT element 4465",
}
# What makes a deduction the same as one that is recorded: not our reason, since a code may have been mapped since.
_SAME = ["payment_id", "invoice_id", "customer_reason_code", "deduction_amount"]
_ORDER = [*_SAME, "kind", "deducted_date"]


def deductions_of(withheld: pl.DataFrame, recorded: pl.DataFrame, reasons: ReasonCodesPolicy) -> pl.DataFrame:
    """New deductions, each with our reason for it and why it is that one.

    What was recorded before is not recorded again, by whomever: of rows that are equal in payment, invoice, code and
    amount there are as many afterwards as were ever withheld at once. Amounts of zero or less are nothing withheld.
    Ids count per payment and invoice from those recorded on; which of several gets which is decided by what they say,
    never by the order of rows.

    Args:
        withheld: payment_id, invoice_id, customer_id, currency_code, customer_reason_code (null: none given), kind
            (``line``: a remittance line says so, ``short``: paid less without a word, ``unearned_discount``),
            deduction_amount, deducted_date. Amounts stand on the currency's smallest unit.
        recorded: Deductions of earlier runs.
        reasons: what codes mean, and which reasons open a dispute.

    Returns:
        Deductions sorted by deduction_id.

    Raises:
        ValueError: a kind that is none of these.
    """
    if unknown := sorted(set(withheld["kind"].unique()) - {"line", "short", "unearned_discount"}):
        raise ValueError(
            f"withheld: kind {', '.join(map(str, unknown))} is not line, short or unearned_discount"
        )
    of_discount = pl.col("kind") == "unearned_discount"
    judged = our_reasons(withheld.filter(pl.col("deduction_amount") > 0), reasons).with_columns(
        reason_code=pl.when(of_discount).then(pl.lit(reasons.unearned_discount)).otherwise("reason_code"),
        deduction_amount=pl.col("deduction_amount").cast(MONEY),
        customer_reason_code=pl.col("customer_reason_code").cast(pl.String),
    )
    new = _not_recorded(judged, recorded)
    known = pl.DataFrame(
        [(reason.code, reason.text, reason.opens_dispute) for reason in reasons.reasons],
        schema={"reason_code": pl.String, "reason_text": pl.String, "opens_dispute": pl.Boolean},
        orient="row",
    )
    pair = ["payment_id", "invoice_id"]
    earlier = recorded.group_by(pair).agg(earlier_count=pl.len())
    return (
        new.join(known, on="reason_code", validate="m:1")
        .with_columns(explanation=_explained(reasons))
        .join(earlier, on=pair, how="left", validate="m:1")
        .sort(_ORDER)
        .with_columns(ordinal=pl.col("earlier_count").fill_null(0) + pl.int_range(1, pl.len() + 1).over(pair))
        .with_columns(
            deduction_id=pl.format(
                "deduction|{}|{}|{}|{}", pl.col("payment_id").str.len_chars(), *pair, "ordinal"
            )
        )
        .select(*Deductions.columns())
        .sort("deduction_id")
        .pipe(Deductions.validate)
    )


def _not_recorded(judged: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """Rows beyond those that stand in the record already, equal rows counted."""
    standing = recorded.group_by(_SAME).agg(standing_count=pl.len())
    return (
        judged.sort(_ORDER)
        .with_columns(equal_number=pl.int_range(1, pl.len() + 1).over(_SAME))
        .join(standing, on=_SAME, how="left", validate="m:1", nulls_equal=True)
        .filter(pl.col("equal_number") > pl.col("standing_count").fill_null(0))
    )


def _explained(reasons: ReasonCodesPolicy) -> pl.Expr:
    """Why it is this deduction, in words."""
    amount = _amount()
    list_words = pl.col("list_name").replace_strict(LIST_WORDS, default=None, return_dtype=pl.String)
    by_code = pl.format(
        "The customer withheld {} with code {}: {}, by {}.",
        amount,
        "customer_reason_code",
        "reason_text",
        list_words,
    )
    no_list = pl.format(
        "The customer withheld {} with code {}, which is on no list: map it in reason_codes.yml.",
        amount,
        "customer_reason_code",
    )
    return (
        pl.when(pl.col("kind") == "unearned_discount")
        .then(pl.format("The customer took {} of discount that was not earned: {}.", amount, "reason_text"))
        .when(pl.col("list_name").is_not_null())
        .then(by_code)
        .when(pl.col("reason_code") == reasons.unmapped)
        .then(no_list)
        .when(pl.col("kind") == "line")
        .then(pl.format("The remittance says that {} was withheld, without a code.", amount))
        .otherwise(pl.format("The payment is {} short of what it settles, without a word.", amount))
    )


def _amount() -> pl.Expr:
    """The amount with the decimals of its currency, as in ``12.50 EUR`` and ``1250 JPY``."""
    text = pl.col("deduction_amount").cast(pl.String)
    digits = pl.col("currency_code").replace_strict(MINOR_UNITS, default=4, return_dtype=pl.Int64)
    dropped = 4 - digits + (digits == 0).cast(pl.Int64)
    return pl.format(
        "{} {}", text.str.slice(0, text.str.len_chars().cast(pl.Int64) - dropped), "currency_code"
    )
