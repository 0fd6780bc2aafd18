"""From single transactions to rows of the contract: payments, and why others are none."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from o2c.contract import MONEY
from o2c.sources.bank.references import NOTHING
from o2c.sources.bank.returns import find_originals, is_return

# Why a transaction is no payment; the first two are for a person, the rest is counted.
REJECTED = {
    "account_without_entity": "the account is declared for no entity: name it under `entities` of a bank profile",
    "return_without_original": "nothing was found that this return takes back: no payment of its amount and reference",
    "no_date": "neither the entry nor its statement says a day",
}
SKIPPED = ("other_debit", "returned_debit", "no_amount")


@dataclass(frozen=True)
class Sorted:
    """``payments`` with what they are known by; ``others`` are the remaining transactions with ``why``."""

    payments: pl.DataFrame
    others: pl.DataFrame


def sort_transactions(transactions: pl.DataFrame, owners: Mapping[str, str | None]) -> Sorted:
    """Credits are payments, returns take back theirs, other debits and charges are none of a customer.

    A credit by which the bank gives back an earlier debit of ours is none either: no customer paid.

    Args:
        transactions: from ``list_transactions``.
        owners: entity by account_key.
    """
    owned = transactions.with_columns(
        entity_id=pl.col("account_key").replace_strict(
            {key: owner for key, owner in owners.items() if owner}, default=None, return_dtype=pl.String
        )
    )
    judged = owned.with_columns(
        why=pl.when(pl.col("amount") == 0)
        .then(pl.lit("no_amount"))
        .when(pl.col("amount") > 0, is_return())
        .then(pl.lit("returned_debit"))
        .when(pl.col("amount") < 0, ~is_return())
        .then(pl.lit("other_debit"))
        .when(pl.col("day").is_null())
        .then(pl.lit("no_date"))
        .when(pl.col("entity_id").is_null())
        .then(pl.lit("account_without_entity"))
    )
    money = judged.filter(pl.col("why").is_null())
    credits = money.filter(pl.col("amount") > 0)
    debits = money.filter(pl.col("amount") < 0)
    originals = find_originals(debits, credits)
    returns = debits.join(originals, on="payment_id", how="left", validate="1:1").with_columns(
        amount=pl.coalesce(-pl.col("original_amount"), "amount"),
        why=pl.when(pl.col("reverses_payment_id").is_null()).then(pl.lit("return_without_original")),
    )
    payments = pl.concat(
        [
            credits.with_columns(reverses_payment_id=pl.lit(None, dtype=pl.String)),
            returns.filter(pl.col("why").is_null()).drop("original_amount"),
        ]
    )
    others = pl.concat(
        [judged.filter(pl.col("why").is_not_null()), returns.filter(pl.col("why").is_not_null())],
        how="diagonal",
    )
    return Sorted(payments.sort("turn"), others.sort("turn"))


def contract_payments(payments: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """The columns of the contract, with file and entry ordinal; sorted by payment_id.

    Args:
        payments: from ``sort_transactions``.
        named: ``payment_id, numbers`` of documents that a payer named without saying what is paid of each: a part of
            the reference text.
    """
    payments = payments.join(named, on="payment_id", how="left", validate="1:1", maintain_order="left")
    said = pl.concat_list(
        pl.col("references").fill_null([]),
        pl.col("text").fill_null("").str.split("\n"),
        pl.col("numbers").fill_null([]),
    )
    words = said.list.eval(pl.element().str.strip_chars()).list.eval(
        pl.element()
        .filter(~pl.element().str.to_uppercase().is_in(["", *sorted(NOTHING)]))
        .unique(maintain_order=True)
    )
    return payments.select(
        "payment_id",
        "entity_id",
        bank_account_id="account_key",
        customer_id=pl.lit(None, dtype=pl.String),
        payer_name="payer_name",
        payer_account="payer_account",
        value_date="value_date",
        booking_date="day",
        currency_code="currency_code",
        payment_amount=pl.col("amount").cast(MONEY),
        payment_method="method",
        reference_text=pl.when(words.list.len() > 0)
        .then(words.list.join(" "))
        .otherwise(pl.coalesce("end_to_end_id", "check_number", "customer_reference")),
        reverses_payment_id="reverses_payment_id",
        settlement=pl.lit(None, dtype=pl.String),
        _file_id="file_id",
        _line="entry_ordinal",
    ).sort("payment_id")
