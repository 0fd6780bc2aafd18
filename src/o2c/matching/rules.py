"""Rules that find the invoices a payment names. Each is a small object, tried by itself on literal rows.

A rule proposes candidates and decides nothing: whether a candidate is good enough is ``score``'s question,
how much of it can be paid is ``settle``'s.
"""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from o2c.contract import MONEY

REFERENCES = {
    "reference_key": pl.UInt32(),
    "payment_id": pl.String(),
    "entity_id": pl.String(),
    "currency_code": pl.String(),
    "customer_id": pl.String(),
    "reference": pl.String(),
    "remittance_id": pl.String(),
    "line_number": pl.Int64(),
    "paid_amount": MONEY,
}
CANDIDATES = {"reference_key": pl.UInt32(), "item_key": pl.UInt32(), "rule": pl.String()}


class Rule(Protocol):
    """What every rule offers: a name that is stored with the application, and candidates."""

    @property
    def name(self) -> str: ...

    def candidates(self, references: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
        """Possible invoices of each reference, one row per reference_key and item_key."""
        ...


@dataclass(frozen=True)
class ItemColumnRule:
    """The reference is, letter for letter, what one column of the invoice says.

    Only invoices of the payment's own entity and currency are candidates: an id or number that exists
    elsewhere is another document.
    """

    name: str
    column: str

    def candidates(self, references: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
        return references.join(
            items.select("item_key", "entity_id", "currency_code", reference=self.column),
            on=["reference", "entity_id", "currency_code"],
        ).select("reference_key", "item_key", rule=pl.lit(self.name))


INVOICE_ID = ItemColumnRule("invoice_id", "invoice_id")
INVOICE_NUMBER = ItemColumnRule("invoice_number", "invoice_number")

# In order of trust: where two rules find the same invoice, the earlier one is named.
NAMED_INVOICE_RULES: tuple[Rule, ...] = (INVOICE_ID, INVOICE_NUMBER)


def list_references(payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """What each payment is said to be for: its remittance lines, else its reference text.

    A remittance line belongs to the payment it names by id; failing that, to the one payment whose reference text
    equals the line's payment reference. A reference that several payments carry belongs to none of them:
    those payments keep their own text. Blanks around a reference mean nothing.

    Returns:
        One row per remittance line or payment text, with ``paid_amount`` null where the text sets no amount.
    """
    texts = payments.select(
        "payment_id", "entity_id", "currency_code", "customer_id", reference=_trimmed("reference_text")
    )
    by_text = texts.filter(pl.col("reference").is_not_null() & pl.col("reference").is_unique()).select(
        payment_reference="reference", referenced_payment_id="payment_id"
    )
    said = (
        lines.filter(pl.col("paid_amount") > 0)
        .with_columns(payment_reference=_trimmed("payment_reference"))
        .join(by_text, on="payment_reference", how="left", validate="m:1")
        .select(
            "remittance_id",
            "line_number",
            "paid_amount",
            payment_id=pl.coalesce("payment_id", "referenced_payment_id"),
            reference=_trimmed("invoice_reference"),
        )
        .join(texts.drop("reference"), on="payment_id", validate="m:1")
    )
    silent = texts.join(said, on="payment_id", how="anti")
    return (
        pl.concat([said, silent], how="diagonal")
        .filter(pl.col("reference").is_not_null())
        .with_row_index("reference_key")
        .select(*REFERENCES)
    )


def _trimmed(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)
