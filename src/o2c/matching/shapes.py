"""How an amount fits a set of items: exactly, with a discount, nearly, short, over, in part."""

import polars as pl

from o2c.matching.desk import units
from o2c.policy import MatchingPolicy

_WITHHOLDING = (
    r"\b(PARTIAL|PART PAYMENT|TEILZAHLUNG|TEILBETRAG|ACOMPTE|PARCIAL|DEDUCT|SHORT|LESS|MINUS|ABZ"
    r"|DISC|SKONTO|SCONTO|ESCOMPTE|KUERZ|KÜRZ|MANGEL|MAENGEL|MÄNGEL|CHARGEBACK|CLAIM|DISPUTE|REKLAMATION|RETENUE|DETRAZIONE)"
)

# One row per item of a proposal; amounts in units. ``settled`` comes off the item (negative on credit memos), of it
# ``discount`` and ``write_off`` are given up; ``deduction`` stays open on the item and is contested.
PARTS = {
    "proposal": pl.UInt32(),
    "item_key": pl.UInt32(),
    "settled": pl.Int64(),
    "discount": pl.Int64(),
    "write_off": pl.Int64(),
    "deduction": pl.Int64(),
    "deduction_kind": pl.String(),
    "customer_reason_code": pl.String(),
}


def granted_discount(value_date: pl.Expr, policy: MatchingPolicy) -> pl.Expr:
    """What of an item's ``discount`` is granted to a payment of that date."""
    last_day = pl.col("discount_due_date").dt.offset_by(f"{policy.discount_grace_days}d")
    return pl.when(value_date <= last_day).then("discount").otherwise(0)


def small_difference_limit(
    currency_code: pl.Expr, payment_method: pl.Expr, policy: MatchingPolicy
) -> pl.Expr:
    """Most units that may be written off to settle items with one payment."""
    per_item = units(policy.small_differences.per_item.amount_expression(currency_code))
    fee = units(policy.bank_fees.amount_expression(currency_code))
    keeps_fee = payment_method.is_in(list(policy.bank_fee_methods)).fill_null(False)
    return pl.when(keeps_fee).then(pl.max_horizontal(per_item, fee)).otherwise(per_item)


def fit(members: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """Judge the amount of each proposal against the sum of its items.

    Args:
        members: one row per proposal and item, with ``proposal, paid`` (units to fit), ``item_key, open, discount,
            discount_due_date, minor_unit, due_date, invoice_id, value_date, currency_code, payment_method,
            reference_text`` and ``is_vague`` (the text fits several items, so only an exact sum says which are meant).

    Returns:
        The rows of proposals that fit, with ``shape`` and the columns of PARTS.
    """
    whole = pl.col("proposal")
    judged = members.with_columns(
        granted=granted_discount(pl.col("value_date"), policy),
        limit=small_difference_limit(pl.col("currency_code"), pl.col("payment_method"), policy),
    ).with_columns(
        total=pl.col("open").sum().over(whole),
        granted_total=pl.col("granted").sum().over(whole),
        offered_total=pl.col("discount").sum().over(whole),
        item_count=pl.len().over(whole),
        has_credit=(pl.col("open") < 0).any().over(whole),
        vague=pl.col("is_vague").any().over(whole),
        # the item that a difference is written off on: the largest, and of equals the last to fall due
        is_last=pl.struct("open", "due_date", "invoice_id").rank("ordinal").over(whole)
        == pl.len().over(whole),
    )
    short = pl.col("total") - pl.col("paid")
    cents = pl.col("granted").filter(pl.col("granted") > 0).len().over(whole) * pl.col("minor_unit")
    offered_cents = pl.col("discount").filter(pl.col("discount") > 0).len().over(whole) * pl.col("minor_unit")
    alone = (pl.col("item_count") == 1) & ~pl.col("has_credit") & ~pl.col("vague")
    slight = short * 10_000 <= pl.col("total") * int(policy.small_differences.max_ratio * 10_000)
    mostly = short * 10_000 <= pl.col("total") * int(policy.short_payment_ratio * 10_000)
    judged = _with_words(judged.with_columns(short=short, is_alone=alone))
    judged = judged.with_columns(
        shape=pl.when(short == 0)
        .then(pl.lit("exact"))
        .when((pl.col("granted_total") > 0) & ((short - pl.col("granted_total")).abs() <= cents))
        .then(pl.lit("discount"))
        .when((pl.col("offered_total") > 0) & ((short - pl.col("offered_total")).abs() <= offered_cents))
        .then(pl.lit("late_discount"))
        .when((short > 0) & alone & (pl.col("paid") > 0) & pl.col("tells"))
        .then(pl.lit("told_short"))
        .when((short > 0) & (short <= pl.col("limit")) & slight & ~pl.col("vague") & ~pl.col("withholds"))
        .then(pl.lit("small_difference"))
        .when((short > 0) & alone & (pl.col("paid") > 0) & mostly)
        .then(pl.lit("short"))
        .when((short > 0) & alone & (pl.col("paid") > 0))
        .then(pl.lit("partial"))
        .when((short < 0) & (pl.col("total") > 0) & ~pl.col("vague"))
        .then(pl.lit("over"))
    ).filter(pl.col("shape").is_not_null())
    return judged.pipe(_split).select(
        *[name for name in members.columns if name not in PARTS or name in ("proposal", "item_key")],
        "shape",
        *[name for name in PARTS if name not in ("proposal", "item_key")],
    )


def _with_words(judged: pl.DataFrame) -> pl.DataFrame:
    """``tells``: the text has the amount that is short; ``withholds``: it says that something was taken off.

    Texts are read where the payment is short only, which few are.
    """
    read = judged.filter(pl.col("short") > 0, pl.col("reference_text").is_not_null())
    read = read.unique("proposal", keep="first").select(
        "proposal", tells=_tells(pl.col("short")), withholds=_withholds()
    )
    return judged.join(read, on="proposal", how="left", validate="m:1").with_columns(
        pl.col("tells", "withholds").fill_null(False)
    )


def _tells(amount: pl.Expr) -> pl.Expr:
    """The payment's text has the amount in it, with point or comma: what was withheld is said in the text."""
    text = pl.col("reference_text").fill_null("").str.replace_all(r"(\d)[.,' ](\d{3}[.,])", "$1$2")
    whole, cents = (amount // 10_000).cast(pl.String), (amount % 10_000 // 100).cast(pl.String).str.zfill(2)
    spelt = [pl.concat_str(whole, pl.lit(mark), cents) for mark in ".,"]
    found = [pl.concat_str(pl.lit(" "), one) for one in spelt] + [
        pl.concat_str(pl.lit("-"), one) for one in spelt
    ]
    in_text = [pl.concat_str(pl.lit(" "), text).str.contains(one, literal=True) for one in found]
    return pl.any_horizontal(in_text)


def _withholds() -> pl.Expr:
    """The payment's text says that something was taken off, so the difference is no slip."""
    return pl.col("reference_text").fill_null("").str.to_uppercase().str.contains(_WITHHOLDING)


def _split(judged: pl.DataFrame) -> pl.DataFrame:
    """What each shape settles, gives up and leaves contested of its items."""
    shape = pl.col("shape")
    short = pl.col("total") - pl.col("paid")
    late = pl.col("discount") - pl.col("granted")
    late = late + pl.when(pl.col("is_last")).then(short - pl.col("offered_total")).otherwise(0)
    # who rounds a discount another way is off by a cent an item: the last item takes the difference
    odd = (
        pl.when((shape == "discount") & pl.col("is_last")).then(short - pl.col("granted_total")).otherwise(0)
    )
    discount = pl.when(shape.is_in(["discount", "late_discount"])).then(pl.col("granted") + odd).otherwise(0)
    write_off = pl.when((shape == "small_difference") & pl.col("is_last")).then(short).otherwise(0)
    deduction = (
        pl.when(shape == "late_discount")
        .then(late)
        # A discount that nobody claimed is not granted: the whole shortage is contested.
        .when(shape.is_in(["short", "told_short"]))
        .then(short)
        .otherwise(0)
    )
    kind = (
        pl.when(deduction == 0)
        .then(pl.lit(None, dtype=pl.String))
        .when(shape == "late_discount")
        .then(pl.lit("unearned_discount"))
        .otherwise(pl.lit("short"))
    )
    return judged.with_columns(
        settled=pl.when(shape == "partial").then("paid").otherwise(pl.col("open") - deduction),
        discount=discount,
        write_off=write_off,
        deduction=deduction,
        deduction_kind=kind,
        customer_reason_code=pl.lit(None, dtype=pl.String),
    )
