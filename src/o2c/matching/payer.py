"""Who paid: each rule says which customers a payment may be from, and by what it knows them.

A customer may be known by several rules; the most trusted one is named. Nothing is decided here: a payment that
several customers may have made has a row for each.
"""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from o2c.matching.names import likeness, name_keys
from o2c.policy import MatchingPolicy
from o2c.policy.matching import PAYER_RULES

PAYERS = {
    "payment_key": pl.UInt32(),
    "customer_id": pl.String(),
    "rule": pl.String(),
    "said": pl.String(),
}
# Letters at either end of a name; one end survives a typing error.
_ENDS = 6
# What more customers share than this finds nobody; of what is left the rarest are tried.
_MAX_SHARED = 150
_MAX_KEYS = 3


@dataclass(frozen=True)
class Directory:
    """What is known of customers, and the names of payers.

    ``called``: customer_id, customer_name, bare, core; ``paying``: payer_name, bare, core, once per name; both without
    empty names. ``accounts``: PayerAccounts.
    """

    called: pl.DataFrame
    paying: pl.DataFrame
    accounts: pl.DataFrame


class PayerRule(Protocol):
    """What every rule offers: its name in the policy, and ``payment_key, customer_id, said``."""

    @property
    def name(self) -> str: ...

    def find(self, payments: pl.DataFrame, directory: Directory, policy: MatchingPolicy) -> pl.DataFrame: ...


@dataclass(frozen=True)
class SourceCustomerRule:
    """The payment came with the customer's id."""

    name: str = "source_customer"

    def find(self, payments: pl.DataFrame, directory: Directory, policy: MatchingPolicy) -> pl.DataFrame:
        return payments.filter(pl.col("customer_id").is_not_null()).select(
            "payment_key", "customer_id", said=pl.lit("the source names the customer")
        )


@dataclass(frozen=True)
class AccountRule:
    """The payer's account has paid for the customer before, or a person said that it does."""

    name: str
    is_remembered: bool
    said: str

    def find(self, payments: pl.DataFrame, directory: Directory, policy: MatchingPolicy) -> pl.DataFrame:
        accounts = directory.accounts.filter(pl.col("is_remembered") == self.is_remembered)
        return (
            payments.select("payment_key", payer_account=_account("payer_account"))
            .filter(pl.col("payer_account") != "")
            .join(accounts.select("customer_id", payer_account=_account("payer_account")), on="payer_account")
            .select("payment_key", "customer_id", said=pl.lit(self.said))
        )


@dataclass(frozen=True)
class NameRule:
    """The payer's name is the customer's, but for spelling and legal forms."""

    name: str = "payer_name"

    def find(self, payments: pl.DataFrame, directory: Directory, policy: MatchingPolicy) -> pl.DataFrame:
        return (
            directory.paying.join(directory.called, on="bare")
            .select(
                "payer_name", "customer_id", said=pl.format("{} is called {}", "customer_id", "customer_name")
            )
            .join(payments.select("payment_key", "payer_name"), on="payer_name")
            .select("payment_key", "customer_id", "said")
        )


@dataclass(frozen=True)
class SimilarNameRule:
    """The payer's name is much like the customer's, and like no other's.

    Names that differ in weak words only (Acme Systems, Acme Trust) are one name: all their customers are found.
    """

    name: str = "similar_name"

    def find(self, payments: pl.DataFrame, directory: Directory, policy: MatchingPolicy) -> pl.DataFrame:
        """The customers of the most similar name, where the next name is less alike by the margin.

        Only names that share a word, a beginning or an ending are compared: others are not similar.
        """
        called = directory.called
        paying = directory.paying.join(payments, on="payer_name", how="semi")
        floor = float(policy.name_similarity - policy.name_margin)
        pairs = _comparable(paying, called)
        best = (
            pairs.with_columns(
                likeness=pl.max_horizontal(
                    likeness(pairs["core"], pairs["core_right"], floor),
                    likeness(pairs["bare"], pairs["bare_right"], floor),
                )
            )
            .filter(pl.col("likeness") > 0)
            .group_by("bare", "core_right")
            .agg(pl.col("likeness").max())
            .with_columns(best=pl.col("likeness").max().over("bare"))
            # How many names come within the margin of the best: one is the best itself.
            .filter((pl.col("likeness") > pl.col("best") - float(policy.name_margin)).sum().over("bare") == 1)
            .filter(
                (pl.col("likeness") == pl.col("best")) & (pl.col("likeness") >= float(policy.name_similarity))
            )
            .select("bare", "core_right")
        )
        return (
            best.join(
                called.select("customer_id", "customer_name", core_right="core"),
                on="core_right",
            )
            .join(paying.select("bare", "payer_name"), on="bare")
            .join(payments.select("payment_key", "payer_name"), on="payer_name")
            .select(
                "payment_key",
                "customer_id",
                said=pl.format("{} is called {}, much alike", "customer_id", "customer_name"),
            )
        )


SOURCE_CUSTOMER = SourceCustomerRule()
REMEMBERED_ACCOUNT = AccountRule("remembered_account", True, "a person said whose account it is")
PAYER_ACCOUNT = AccountRule("payer_account", False, "the account paid for the customer before")
PAYER_NAME = NameRule()
SIMILAR_NAME = SimilarNameRule()
SURE_RULES: tuple[PayerRule, ...] = (SOURCE_CUSTOMER, REMEMBERED_ACCOUNT, PAYER_ACCOUNT, PAYER_NAME)


def find_payers(
    payments: pl.DataFrame, customers: pl.DataFrame, accounts: pl.DataFrame, policy: MatchingPolicy
) -> pl.DataFrame:
    """Customers who may have made each payment.

    Args:
        payments: ApplicablePayments with ``payment_key``.
        customers: CustomerNames.
        accounts: PayerAccounts.
        policy: how alike names must be.

    Returns:
        One row per payment_key and customer_id with the most trusted rule, sorted; ``PAYERS``.
    """
    called = _keyed(customers, "customer_name").select("customer_id", "customer_name", "bare", "core")
    paying = _keyed(payments.select("payer_name").unique(), "payer_name")
    directory = Directory(called, paying, accounts)
    found = [_ranked(rule, rule.find(payments, directory, policy)) for rule in SURE_RULES]
    known = pl.concat(found).select("payment_key").unique()
    unknown = payments.join(known, on="payment_key", how="anti")
    found.append(_ranked(SIMILAR_NAME, SIMILAR_NAME.find(unknown, directory, policy)))
    return (
        pl.concat(found)
        .sort("payment_key", "customer_id", "rank", "said")
        .unique(["payment_key", "customer_id"], keep="first", maintain_order=True)
        .select(*PAYERS)
    )


def _ranked(rule: PayerRule, found: pl.DataFrame) -> pl.DataFrame:
    rank = PAYER_RULES.index(rule.name)
    return found.with_columns(rule=pl.lit(rule.name), rank=pl.lit(rank, dtype=pl.Int32))


def _account(column: str) -> pl.Expr:
    """An account number as banks print it or not: blanks mean nothing."""
    return pl.col(column).str.replace_all(" ", "", literal=True).str.to_uppercase()


def _keyed(names: pl.DataFrame, column: str) -> pl.DataFrame:
    return names.hstack(name_keys(names[column])).filter(pl.col("bare") != "")


def _comparable(paying: pl.DataFrame, called: pl.DataFrame) -> pl.DataFrame:
    """Pairs of names that share one of the payer's rarest keys: bare, core, bare_right, core_right."""
    keys_of_customers = _keys(called).filter(pl.len().over("key") <= _MAX_SHARED)
    rare = keys_of_customers.group_by("key").len("sharing")
    keys_of_payers = (
        _keys(paying)
        .join(rare, on="key", validate="m:1")
        .sort("core", "sharing", "key")
        .filter(pl.int_range(pl.len()).over("core") < _MAX_KEYS)
    )
    cores = keys_of_payers.join(keys_of_customers, on="key").select("core", core_right="core_right").unique()
    return (
        cores.join(paying.select("bare", "core").unique(), on="core")
        .join(called.select(bare_right="bare", core_right="core").unique(), on="core_right")
        .select("bare", "core", "bare_right", "core_right")
    )


def _keys(names: pl.DataFrame) -> pl.DataFrame:
    """``core, key``: words, pairs of words, both ends, and the consonants of names; similar names share one."""
    cores = names.select("core").unique()
    joined = pl.col("core").str.replace_all(" ", "", literal=True)
    words = (
        cores.select("core", word=pl.col("core").str.split(" ")).explode("word", empty_as_null=False).unique()
    )
    paired = words.join(words, on="core", suffix="_after").filter(pl.col("word") < pl.col("word_after"))
    return pl.concat(
        [
            words.filter(pl.col("word").str.len_chars() > 2).rename({"word": "key"}),
            paired.select("core", key=pl.col("word") + "+" + pl.col("word_after")),
            cores.select("core", key="^" + joined.str.head(_ENDS)),
            cores.select("core", key=joined.str.tail(_ENDS) + "$"),
            cores.select("core", key="~" + joined.str.replace_all("[AEIOU]", "")),
        ]
    )
