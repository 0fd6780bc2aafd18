"""Which candidates are sure enough to be applied without a person."""

from collections.abc import Sequence

import polars as pl

from o2c.contract import MONEY
from o2c.matching.rules import CANDIDATES, NAMED_INVOICE_RULES, Rule


def choose_items(
    references: pl.DataFrame, items: pl.DataFrame, rules: Sequence[Rule] = NAMED_INVOICE_RULES
) -> pl.DataFrame:
    """The one invoice that a reference names beyond doubt.

    A reference that fits two invoices settles neither, whatever the order of the rules: which one was meant is a
    person's question. An invoice of another customer than the payment's is not settled either
    (a parent that pays for its child is an exception with a name of its own).

    Returns:
        ``reference_key, item_key, rule``, at most one row per reference.
    """
    found = [rule.candidates(references, items) for rule in rules]
    owners = items.select("item_key", item_customer_id="customer_id")
    return (
        pl.concat(found)
        .group_by("reference_key")
        # The rules stand in order of trust, so the first of a group is of the rule that is trusted most.
        .agg(pl.col("item_key", "rule").first(), item_count=pl.col("item_key").n_unique())
        .filter(pl.col("item_count") == 1)
        .join(references.select("reference_key", "customer_id"), on="reference_key", validate="m:1")
        .join(owners, on="item_key", validate="m:1")
        .filter(pl.col("customer_id").is_null() | (pl.col("customer_id") == pl.col("item_customer_id")))
        .select(*CANDIDATES)
        .sort("reference_key")
    )


def claim(
    references: pl.DataFrame, chosen: pl.DataFrame, payments: pl.DataFrame, recorded: pl.DataFrame
) -> pl.DataFrame:
    """What each payment wants to settle, in the order in which it may.

    Several lines for one invoice are one claim over their sum. A line's amount is used up once: what earlier
    runs applied for it is taken off, so that a second run claims nothing again.

    Args:
        references: from ``list_references``.
        chosen: from ``choose_items``.
        payments: with ``payment_key`` in order of value date and payment_id.
        recorded: ``payment_id, item_key, applied_amount`` that stands from earlier runs, without reversals.

    Returns:
        One row per payment and invoice with ``turn`` (its place in line) and ``claimed_amount``
        (null: as much as there is).
    """
    named = (
        references.join(chosen, on="reference_key", validate="1:1")
        .join(payments.select("payment_id", "payment_key"), on="payment_id", validate="m:1")
        .sort("payment_key", "remittance_id", "line_number", "reference_key")
        .with_row_index("turn")
        .with_columns(
            rule=pl.when(pl.col("remittance_id").is_null()).then("rule").otherwise(pl.lit("remittance_line"))
        )
    )
    claims = named.group_by("payment_key", "item_key").agg(
        pl.col("turn", "payment_id", "rule", "remittance_id", "line_number").first(),
        # A null amount (a text without one) must stay null: a plain sum would make it zero.
        claimed_amount=pl.when(pl.col("paid_amount").null_count() == 0).then(pl.col("paid_amount").sum()),
    )
    used = recorded.group_by("payment_id", "item_key").agg(used_amount=pl.col("applied_amount").sum())
    return (
        claims.join(used, on=["payment_id", "item_key"], how="left", validate="1:1")
        .with_columns(
            claimed_amount=(pl.col("claimed_amount") - pl.col("used_amount").fill_null(0)).cast(MONEY)
        )
        .filter(pl.col("claimed_amount").is_null() | (pl.col("claimed_amount") > 0))
        .drop("used_amount")
        .sort("turn")
    )
