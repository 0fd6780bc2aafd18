"""How much of each claim can be paid: never more than claimed, than left on the payment, than open on the invoice."""

import polars as pl

from o2c.contract import MONEY
from o2c.matching.chronology import settle_tangled


def settle_claims(
    claims: pl.DataFrame,
    items: pl.DataFrame,
    payments: pl.DataFrame,
    returns: pl.DataFrame,
    recorded: pl.DataFrame,
    standing: pl.DataFrame,
) -> pl.DataFrame:
    """``turn, applied_amount, application_date`` of what claims get, by sums where they suffice, else in order."""
    returned = standing.join(returns, left_on="payment_id", right_on="returned_payment_id", validate="m:1")
    touched = pl.concat(
        [
            returned.select("item_key").drop_nulls(),
            claims.join(returns, on="payment_key", how="semi").select("item_key"),
        ]
    ).unique()
    reopened = (
        recorded.filter(pl.col("application_type") == "reversal", pl.col("item_key").is_not_null())
        .group_by("item_key")
        .agg(reopened_date=pl.col("application_date").max())
    )
    items = items.join(reopened, on="item_key", how="left", validate="1:1")
    simple, tangled = split_claims(
        claims.join(
            payments.select("payment_key", "value_date", left_amount="unapplied_amount"),
            on="payment_key",
            validate="m:1",
        ).join(
            items.select("item_key", "invoice_date", "open_amount", "reopened_date"),
            on="item_key",
            validate="m:1",
        ),
        touched,
    )
    by_sums = (
        settle_simple(simple)
        .join(simple.select("turn", "value_date", "invoice_date", "reopened_date"), on="turn", validate="1:1")
        .select(
            "turn",
            "applied_amount",
            application_date=pl.max_horizontal("value_date", "invoice_date", "reopened_date"),
        )
    )
    return pl.concat([by_sums, settle_tangled(tangled, items, returns, returned)])


def split_claims(claims: pl.DataFrame, touched_items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Claims that sums can settle, and those that must be gone through one after the other.

    A claim is simple where its payment is the only one on all its invoices, or its invoice is the only one of all
    its payments: then running sums give what a person would by going down the list. What is left are small tangles
    (a payment over several invoices, of which one is paid in parts), and everything near a reversal, where
    an invoice is settled, reopened and settled again.

    Args:
        claims: from ``score.claim``.
        touched_items: ``item_key`` of invoices that a reversal reopens or could reopen.

    Returns:
        Simple and tangled claims. No payment and no invoice is in both.
    """
    marked = claims.with_columns(
        payments_on_item=pl.len().over("item_key"),
        items_of_payment=pl.len().over("payment_key"),
        is_touched=pl.col("item_key").is_in(touched_items["item_key"].implode()),
    )
    alone_on_items = ((pl.col("payments_on_item") == 1) & ~pl.col("is_touched")).all().over("payment_key")
    alone_on_payments = ((pl.col("items_of_payment") == 1) & ~pl.col("is_touched")).all().over("item_key")
    marked = marked.with_columns(is_simple=alone_on_items | alone_on_payments)
    return (
        marked.filter("is_simple").drop("is_touched", "is_simple"),
        marked.filter(~pl.col("is_simple")).select(claims.columns),
    )


def settle_simple(claims: pl.DataFrame) -> pl.DataFrame:
    """Amounts of simple claims by running sums, in order of ``turn``.

    Args:
        claims: simple claims with ``left_amount`` of the payment and ``open_amount`` of the invoice.

    Returns:
        ``turn, applied_amount`` for every claim that gets something.
    """
    most = pl.min_horizontal(
        pl.col("claimed_amount").fill_null(pl.col("left_amount")), "left_amount", "open_amount"
    ).cast(MONEY)
    single = (pl.col("payments_on_item") == 1) & (pl.col("items_of_payment") == 1)
    bounded = claims.sort("turn").with_columns(most_amount=most)
    shared = bounded.filter(~single)
    by_payment = pl.col("items_of_payment") > 1
    # Of the two ends of a simple claim only one is shared; what came before on that end has taken its part.
    shared = pl.concat(
        [
            _in_line(shared.filter(by_payment), "payment_key", "left_amount"),
            _in_line(shared.filter(~by_payment), "item_key", "open_amount"),
        ]
    )
    return (
        pl.concat([bounded.filter(single).select("turn", applied_amount="most_amount"), shared])
        .filter(pl.col("applied_amount") > 0)
        .sort("turn")
    )


def _in_line(claims: pl.DataFrame, key: str, available: str) -> pl.DataFrame:
    before = pl.col("most_amount").cum_sum().over(key) - pl.col("most_amount")
    rest = pl.max_horizontal(pl.col(available) - before, pl.lit(0, dtype=MONEY))
    return claims.select("turn", applied_amount=pl.min_horizontal("most_amount", rest).cast(MONEY))
