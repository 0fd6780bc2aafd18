"""Whose suspense may it be: a customer is not written to while money that may be theirs lies unassigned.

Guesses protect, they never apply anything. Each rule is a small object, tried by itself on literal rows.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from o2c.contract import MONEY
from o2c.frames import PossiblePayers
from o2c.policy import MatchingPolicy


@dataclass(frozen=True)
class AmountRule:
    """The amount is that of exactly one of the customer's open items, or all the customer has past due.

    In the payment's entity and currency, as everywhere. Of two items of one amount neither is meant more than
    the other, but the customer may well be: two are no "exactly one", so the amount then says nothing.
    """

    name: str = "open_amount"

    def find(self, suspense: pl.DataFrame, items: pl.DataFrame, as_of: date) -> pl.DataFrame:
        """``payment_id, customer_id, said`` of customers who owe exactly what is in suspense."""
        account = ["entity_id", "currency_code"]
        paid = suspense.select("payment_id", *account, open_amount="unapplied_amount")
        items = items.filter(pl.col("open_amount") > 0)
        of_item = (
            items.join(paid, on=[*account, "open_amount"], how="semi")
            .group_by(*account, "customer_id", "open_amount")
            .agg(item_count=pl.len(), invoice_number=pl.col("invoice_number").first())
            .filter(pl.col("item_count") == 1)
            .join(paid, on=[*account, "open_amount"])
            .select(
                "payment_id",
                "customer_id",
                said=pl.format("the amount is that of invoice {}", "invoice_number"),
            )
        )
        of_total = (
            items.filter(pl.col("due_date") < as_of)
            .group_by(*account, "customer_id")
            .agg(pl.col("open_amount").sum().cast(MONEY), item_count=pl.len())
            # With one item past due the total is that item, which is said already.
            .filter(pl.col("item_count") > 1)
            .join(paid, on=[*account, "open_amount"])
            .select(
                "payment_id", "customer_id", said=pl.lit("the amount is all that the customer has past due")
            )
        )
        return pl.concat([of_item, of_total])


OPEN_AMOUNT = AmountRule()
# Which evidence of a payer each rule of the policy stands for, and in words.
GUESSES = {
    "remembered_account": ("payer_account", "a person said whose account it came from"),
    "payer_account": ("payer_account", "the payer's account has paid for the customer before"),
    "payer_name": ("payer_name", "the payer's name is the customer's"),
    "similar_name": ("payer_name", "the payer's name is like the customer's"),
    "named_item": ("named_item", "it names the customer's items"),
}


def find_possible_payers(
    suspense: pl.DataFrame,
    items: pl.DataFrame,
    guesses: pl.DataFrame,
    applied: pl.DataFrame,
    policy: MatchingPolicy,
    as_of: date,
) -> pl.DataFrame:
    """Customers to whom suspense may belong, each with the reasons.

    A rule that fits more customers than the policy allows says nothing about any of them: one price-list amount must
    not silence the whole ledger.

    Args:
        suspense: payments without a customer of which something is left: payment_id, entity_id, currency_code,
            unapplied_amount.
        items: invoices with what is open now.
        guesses: ``payment_id, customer_id, rule``: who may have paid, by a rule of GUESSES.
        applied: standing applications of payments. What is left of a payment of which a part was applied may also be
            of the customer whose invoice it paid.
        policy: the rules in use and the most customers that one may name.
        as_of: the date that past due is about.

    Returns:
        One row per payment_id and customer_id, sorted by both.
    """
    paid_for = applied.select("payment_id", "customer_id").unique()
    known = guesses.filter(pl.col("rule").is_in(list(GUESSES))).join(suspense, on="payment_id", how="semi")
    guessed = known.select(
        "payment_id",
        "customer_id",
        by=pl.col("rule").replace_strict(
            {rule: by for rule, (by, _) in GUESSES.items()}, return_dtype=pl.String
        ),
        said=pl.col("rule").replace_strict(
            {rule: said for rule, (_, said) in GUESSES.items()}, return_dtype=pl.String
        ),
    )
    by_amount = OPEN_AMOUNT.find(suspense, items, as_of).with_columns(by=pl.lit(OPEN_AMOUNT.name))
    found = [
        pl.concat([guessed, by_amount.select(guessed.columns)])
        .filter(pl.col("by").is_in(list(policy.possible_payer_rules)))
        .filter(pl.col("customer_id").n_unique().over("payment_id", "by") <= policy.max_possible_payers)
        .drop("by")
    ]
    partly_applied = suspense.join(paid_for, on="payment_id").select(
        "payment_id", "customer_id", said=pl.lit("another part of the payment settled the customer's invoice")
    )
    reasons = (
        pl.concat([partly_applied, *found])
        .unique()
        .group_by("payment_id", "customer_id")
        .agg(reason=pl.col("said").sort().str.join("; "))
    )
    return (
        reasons.join(
            suspense.select("payment_id", "entity_id", "currency_code", "unapplied_amount"),
            on="payment_id",
            validate="m:1",
        )
        .select(*PossiblePayers.columns())
        .sort("payment_id", "customer_id")
    )
