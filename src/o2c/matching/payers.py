"""Whose suspense may it be: a customer is not written to while money that may be theirs lies unassigned.

Guesses protect, they never apply anything. Each rule is a small object, tried by itself on literal rows.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl

from o2c.contract import MONEY
from o2c.frames import PossiblePayers
from o2c.policy import MatchingPolicy


@dataclass(frozen=True)
class Evidence:
    """What is known beside the suspense itself: invoices still open, names, accounts, what was applied."""

    items: pl.DataFrame
    customers: pl.DataFrame
    accounts: pl.DataFrame
    as_of: date


class PayerRule(Protocol):
    """What every rule offers: its name in the policy, and ``payment_id, customer_id, said`` of possible payers."""

    @property
    def name(self) -> str: ...

    def find(self, suspense: pl.DataFrame, evidence: Evidence) -> pl.DataFrame: ...


@dataclass(frozen=True)
class AccountRule:
    """The payer's account has paid for the customer before."""

    name: str = "payer_account"

    def find(self, suspense: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
        return suspense.join(evidence.accounts, on="payer_account").select(
            "payment_id", "customer_id", said=pl.lit("the payer's account has paid for the customer before")
        )


@dataclass(frozen=True)
class NameRule:
    """The payer's name is the customer's, but for capitals, accents, blanks and punctuation."""

    name: str = "payer_name"

    def find(self, suspense: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
        named = evidence.customers.select("customer_id", bare_name=bare_name("customer_name"))
        return (
            suspense.with_columns(bare_name=bare_name("payer_name"))
            .filter(pl.col("bare_name") != "")
            .join(named, on="bare_name")
            .select("payment_id", "customer_id", said=pl.lit("the payer's name is the customer's"))
        )


@dataclass(frozen=True)
class AmountRule:
    """The amount is that of exactly one of the customer's open items, or all the customer has past due.

    In the payment's entity and currency, as everywhere. Of two items of one amount neither is meant more than
    the other, but the customer may well be: two are no "exactly one", so the amount then says nothing.
    """

    name: str = "open_amount"

    def find(self, suspense: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
        account = ["entity_id", "currency_code"]
        paid = suspense.select("payment_id", *account, open_amount="unapplied_amount")
        items = evidence.items.filter(pl.col("open_amount") > 0)
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
            items.filter(pl.col("due_date") < evidence.as_of)
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


PAYER_RULES: tuple[PayerRule, ...] = (AccountRule(), NameRule(), AmountRule())


def find_possible_payers(
    items: pl.DataFrame,
    payments: pl.DataFrame,
    applied: pl.DataFrame,
    returns: pl.DataFrame,
    customers: pl.DataFrame,
    accounts: pl.DataFrame,
    policy: MatchingPolicy,
    as_of: date,
) -> pl.DataFrame:
    """Customers to whom suspense may belong, each with the reasons.

    Suspense is what is left of payments without a customer. What is left of a payment of which a part was applied
    may also be of the customer whose invoice it paid. A rule that fits more customers than the policy allows
    says nothing about any of them: one price-list amount must not silence the whole ledger.

    Args:
        items: invoices with what is open now.
        payments: payments with what is left now.
        applied: standing applications of payments.
        returns: payments that went back; what is left of them is nobody's.
        customers: names.
        accounts: payer accounts known from before; those of the listed payments are added.
        policy: the rules in use and the most customers that one may name.
        as_of: the date that past due is about.

    Returns:
        One row per payment_id and customer_id, sorted by both.
    """
    received = payments.filter(pl.col("payment_amount") > 0).join(
        returns, left_on="payment_id", right_on="returned_payment_id", how="anti"
    )
    suspense = received.filter(pl.col("customer_id").is_null() & (pl.col("unapplied_amount") > 0)).drop(
        "customer_id"
    )
    paid_for = applied.select("payment_id", "customer_id").unique()
    known = (
        pl.concat(
            [
                accounts.select("payer_account", "customer_id"),
                payments.select("payer_account", "customer_id"),
                payments.select("payment_id", "payer_account")
                .join(paid_for, on="payment_id")
                .select("payer_account", "customer_id"),
            ]
        )
        .drop_nulls()
        .unique()
    )
    evidence = Evidence(items, customers, known, as_of)
    found = [
        rule.find(suspense, evidence).filter(pl.len().over("payment_id") <= policy.max_possible_payers)
        for rule in PAYER_RULES
        if rule.name in policy.possible_payer_rules
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


def bare_name(column: str) -> pl.Expr:
    """A name without what typists vary: capitals, accents, blanks, punctuation."""
    return pl.col(column).str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
