"""What the bank took back: which earlier payment a debit returns."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from o2c.sources.bank.references import normalised, said
from o2c.sources.bank.transactions import REFERENCES

_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-/.]{3,34}", re.ASCII)
# A shorter number in a text may be anything.
SHORTEST_IN_TEXT = 6


def is_return() -> pl.Expr:
    """A transaction of which the bank says that it takes back an earlier one."""
    return pl.col("is_reversal") | pl.col("return_code").is_not_null()


def find_originals(returns: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """The payment that each return takes back: the same account and currency, its amount, and a shared reference.

    A return may be larger by the fee that it includes. Of several originals the latest before it is taken, each one
    once; of returns the earliest comes first.

    Args:
        returns: transactions with a negative amount.
        payments: transactions with a positive amount.

    Returns:
        One row per return with an original: payment_id, reverses_payment_id, original_amount.
    """
    by_reference: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    back = returns.select(full=-pl.col("amount"), net=-pl.col("amount") - pl.col("charge_amount"))
    wanted = pl.concat([back["full"], back["net"]]).unique()
    for row in payments.filter(pl.col("amount").is_in(wanted.implode())).sort("day", "turn").to_dicts():
        for one in _references(row):
            by_reference[row["account_key"], row["currency_code"], one].append(row)
    found, taken = [], set()
    for row in returns.sort("day", "turn").to_dicts():
        amounts = {-row["amount"], -row["amount"] - (row["charge_amount"] or Decimal(0))}
        for one in (*_references(row), *mentioned(row)):
            fitting = [
                payment
                for payment in by_reference.get((row["account_key"], row["currency_code"], one), ())
                if payment["amount"] in amounts
                and payment["payment_id"] not in taken
                and (row["day"] is None or payment["day"] is None or payment["day"] <= row["day"])
            ]
            if fitting:
                original = fitting[-1]
                taken.add(original["payment_id"])
                found.append((row["payment_id"], original["payment_id"], original["amount"]))
                break
    schema = {
        "payment_id": pl.String(),
        "reverses_payment_id": pl.String(),
        "original_amount": payments.schema["amount"],
    }
    return pl.DataFrame(found, schema=schema, orient="row")


def _references(row: dict[str, Any]) -> Iterator[str]:
    """References in the order of how well they name one payment."""
    for name in ("original_reference", *REFERENCES):
        if text := said(row[name]):
            yield normalised(text)
    for text in row["references"] or ():
        yield normalised(text)


def mentioned(row: dict[str, Any]) -> Iterator[str]:
    """Long words of the texts that have a digit: banks name the original there where they have no field for it."""
    for name in ("text", "additional_text"):
        for word in _WORDS.findall(row[name] or ""):
            if len(word) >= SHORTEST_IN_TEXT and any(one.isdigit() for one in word):
                yield normalised(word)
