"""What payments say they are for: the documents that their texts and remittance lines name, and by which rule.

A reference decides nothing: amount and payer must agree before anything is applied. Nothing is found across entities
or currencies.
"""

import polars as pl

from o2c.matching.catalogue import Catalogue, catalogue
from o2c.matching.creditor_references import invoices_of_references, read_creditor_references
from o2c.matching.numbers_in_text import best_claims, claims, covered_runs, demoted
from o2c.matching.reading import read_texts
from o2c.matching.remittances import documents_of_lines, lines_of_payments
from o2c.matching.wording import digit_value, plain
from o2c.policy import MatchingPolicy
from o2c.policy.matching import REFERENCE_RULES

__all__ = ["REFERENCES", "find_references", "lines_of_payments"]

REFERENCES = {
    "payment_key": pl.UInt32(),
    "line_key": pl.UInt32(),
    "item_key": pl.UInt32(),
    "rule": pl.String(),
    "said": pl.String(),
}
FOUND = {"text_key": pl.UInt32(), "item_key": pl.UInt32(), "rule": pl.String(), "said": pl.String()}


def find_references(
    payments: pl.DataFrame,
    lines: pl.DataFrame,
    items: pl.DataFrame,
    payers: pl.DataFrame,
    policy: MatchingPolicy,
) -> pl.DataFrame:
    """Documents that each payment's text and remittance lines name.

    Args:
        payments: ApplicablePayments with ``payment_key``.
        lines: RemittanceLines with ``line_key`` and ``payment_key`` (``lines_of_payments``).
        items: ApplicableItems with ``item_key``.
        payers: customers who may have made a payment (payment_key, customer_id); only their numbers are mistyped.
        policy: rules in use and how far they go.

    Returns:
        One row per payment_key, line_key (null for the payment's own text) and item_key, with the most trusted rule
        and what was read, sorted; ``REFERENCES``.
    """
    books = (
        pl.concat([items.select(*_BOOK), payments.select(*_BOOK)]).unique().sort(_BOOK).with_row_index("book")
    )
    ours = items.join(books, on=_BOOK, validate="m:1")
    texts = _texts(payments.join(books, on=_BOOK, validate="m:1"), lines)
    invoices = catalogue(ours, "invoice_number")
    found = []
    left = texts
    for step in (_named_by_lines, _whole_texts):
        rows = step(left, ours, invoices, policy)
        found.append(rows)
        left = left.join(rows, on="text_key", how="anti")
    creditor, left = _creditor_references(left, invoices, policy)
    found.append(creditor)
    found.append(_in_texts(left, invoices, policy))
    return _ranked(pl.concat(found), texts)


_BOOK = ["entity_id", "currency_code"]


def _texts(payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per text: of payments, and of remittance lines in their payment's book."""
    of_payments = payments.select(
        "payment_key",
        pl.lit(None, dtype=pl.UInt32).alias("line_key"),
        "book",
        raw=pl.col("reference_text").str.strip_chars(),
    )
    of_lines = lines.select(
        "payment_key", "line_key", raw=pl.col("invoice_reference").str.strip_chars()
    ).join(payments.select("payment_key", "book"), on="payment_key", validate="m:1")
    texts = (
        pl.concat([of_payments, of_lines.select(of_payments.columns)])
        .filter(pl.col("raw").is_not_null() & (pl.col("raw") != ""))
        .with_row_index("text_key")
    )
    texts = texts.with_columns(plain(texts["raw"]).alias("plain"))
    return texts.with_columns(digit_value(texts["plain"]).alias("value"))


def _named_by_lines(
    texts: pl.DataFrame, items: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    """Remittance lines that are a document's id or number as a whole."""
    if "remittance_line" not in policy.rules:
        return pl.DataFrame(schema=FOUND)
    of_lines = texts.filter(pl.col("line_key").is_not_null())
    found = documents_of_lines(of_lines, items, invoices)
    return _few(found, policy).select("text_key", "item_key", rule=pl.lit("remittance_line"), said="said")


def _whole_texts(
    texts: pl.DataFrame, items: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    """Texts of payments that are an invoice's id or number as a whole."""
    of_payments = texts.filter(pl.col("line_key").is_null())
    by_id = of_payments.join(items.select("item_key", "book", raw="invoice_id"), on=["book", "raw"])
    rest = of_payments.join(by_id, on="text_key", how="anti")
    numbers = invoices.with_values(rest.select("book", "value").unique()).select(
        "item_key", "book", "value", "bare"
    )
    lettered = invoices.numbers.filter(pl.col("value").is_null()).select("item_key", "book", plain="number")
    bare_text = pl.col("plain").str.replace_all(r"[^\p{L}\p{N}]+", "")
    by_number = pl.concat(
        [
            rest.join(numbers, on=["book", "value"])
            .filter(bare_text == pl.col("bare"))
            .select("text_key", "item_key", "raw"),
            rest.join(lettered, on=["book", "plain"]).select("text_key", "item_key", "raw"),
        ]
    )
    found = [
        _few(rows, policy).select("text_key", "item_key", rule=pl.lit(rule), said="raw")
        for rule, rows in (("invoice_id", by_id), ("invoice_number", by_number))
        if rule in policy.rules
    ]
    return pl.concat([pl.DataFrame(schema=FOUND), *found])


def _creditor_references(
    texts: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """References with a right check digit, and the texts without them."""
    references = read_creditor_references(texts)
    if references.is_empty():
        return pl.DataFrame(schema=FOUND), texts
    found = pl.DataFrame(schema=FOUND)
    if "creditor_reference" in policy.rules:
        named = invoices_of_references(references, texts, invoices, policy.min_reference_length)
        found = _few(named, policy).select(
            "text_key", "item_key", rule=pl.lit("creditor_reference"), said="read"
        )
    return found, _without(texts, references)


def _without(texts: pl.DataFrame, references: pl.DataFrame) -> pl.DataFrame:
    """What was read as a creditor reference is not read again as something else."""
    held = texts.join(references.group_by("text_key").agg("read"), on="text_key", validate="1:1").sort(
        "text_key"
    )
    cleared = []
    for text, parts in held.select("plain", "read").iter_rows():
        for part in sorted(parts, key=len, reverse=True):
            text = text.replace(part, " | ")
        cleared.append(text)
    rest = texts.join(held, on="text_key", how="anti")
    return pl.concat([rest, held.drop("read").with_columns(plain=pl.Series(cleared, dtype=pl.String))]).sort(
        "text_key"
    )


def _in_texts(texts: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy) -> pl.DataFrame:
    """Numbers of invoices inside texts."""
    reading = read_texts(texts.select("text_key", "book", "plain"))
    claimed = claims(reading, invoices, policy.min_reference_length, policy.max_items_per_reference)
    claimed = demoted(claimed, reading, covered_runs(claimed))
    best = best_claims(claimed.filter(pl.col("rule").is_in(policy.rules)), policy.max_items_per_reference)
    return best.select("text_key", "item_key", "rule", said=_said())


def _said() -> pl.Expr:
    """The last word before a number, and the number."""
    return (
        pl.col("read").str.extract(r"([A-Z]*[^A-Z0-9]*(?:[0-9]+[^0-9]*)*)$").str.strip_chars(" ,;:.-/#+()|")
    )


def _few(found: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """Without texts that fit too many documents."""
    return found.unique().filter(
        pl.col("item_key").n_unique().over("text_key") <= policy.max_items_per_reference
    )


def _ranked(found: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    ranks = {rule: rank for rank, rule in enumerate(REFERENCE_RULES)}
    return (
        found.join(texts.select("text_key", "payment_key", "line_key"), on="text_key", validate="m:1")
        .with_columns(rank=pl.col("rule").replace_strict(ranks, return_dtype=pl.Int32))
        .sort("payment_key", "line_key", "item_key", "rank", "said")
        .unique(["payment_key", "line_key", "item_key"], keep="first", maintain_order=True)
        .select(*REFERENCES)
    )
