"""What payments say they are for: the documents that their texts and remittance lines name, and by which rule.

A reference decides nothing: amount and payer must agree before anything is applied. Nothing is found across entities
or currencies.
"""

import polars as pl

from o2c.contract import MONEY
from o2c.matching.catalogue import Catalogue, catalogue
from o2c.matching.creditor_references import (
    invoices_of_references,
    read_creditor_references,
    without_references,
)
from o2c.matching.mistyped import mistyped
from o2c.matching.number_lists import list_claims
from o2c.matching.number_ranges import RANGES, ranges
from o2c.matching.numbers_in_text import claims
from o2c.matching.order_numbers import order_claims
from o2c.matching.parts_of_numbers import part_claims
from o2c.matching.reading import read_texts
from o2c.matching.remittances import documents_of_lines, lines_of_payments
from o2c.matching.rival_claims import best_claims, covered_runs, demoted
from o2c.matching.whole_texts import invoices_by_id, invoices_by_number
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
_SPAN = ["text_key", "first", "last"]
_BOOK = ["entity_id", "currency_code"]


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
    places = pl.concat([items.select(*_BOOK), payments.select(*_BOOK)]).unique().sort(_BOOK)
    books = places.with_row_index("book")
    items, payments = _in_books(items, books), _in_books(payments, books)
    texts = _texts(payments, lines)
    orders = [catalogue(items, column) for column in ("order_id", "po_number")]
    invoices = catalogue(items, "invoice_number").beside(orders)
    found, left = [], texts
    for rows in (_by_lines, _by_id, _by_number):
        found.append(rows(left, items, invoices, policy))
        left = left.join(found[-1], on="text_key", how="anti")
    held = read_creditor_references(left)
    found.append(_by_creditor_reference(held, left, invoices, policy))
    left = without_references(left, held).join(found[-1], on="text_key", how="anti")
    found += _in_texts(left, invoices, orders, policy)
    unsure = texts.join(_sure(pl.concat(found), texts, payments, items), on="text_key", how="anti")
    found.append(_by_typo(unsure, _amounts(unsure, payments, lines), payers, items, policy))
    return _ranked(pl.concat(found), texts)


def _in_books(rows: pl.DataFrame, books: pl.DataFrame) -> pl.DataFrame:
    """Rows with ``book``: their entity and currency as one number, as joins on numbers are faster."""
    book = rows.select(*_BOOK).join(books, on=_BOOK, how="left", validate="m:1", maintain_order="left")[
        "book"
    ]
    return rows.with_columns(book)


def _texts(payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per text: of payments, and of remittance lines in their payment's book."""
    no_line = pl.lit(None, dtype=pl.UInt32)
    of_payments = payments.select("payment_key", "book", line_key=no_line, raw="reference_text")
    of_lines = lines.join(payments.select("payment_key", "book"), on="payment_key", validate="m:1").select(
        "payment_key", "book", "line_key", raw="invoice_reference"
    )
    texts = (
        pl.concat([of_payments, of_lines])
        .with_columns(pl.col("raw").str.strip_chars())
        .filter(pl.col("raw").is_not_null() & (pl.col("raw") != ""))
        .with_row_index("text_key")
    )
    texts = texts.with_columns(plain(texts["raw"]).alias("plain"))
    return texts.with_columns(digit_value(texts["plain"]).alias("value"))


def _by_lines(
    texts: pl.DataFrame, items: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    of_lines = texts.filter(pl.col("line_key").is_not_null())
    return _rows("remittance_line", documents_of_lines(of_lines, items, invoices), policy)


def _by_id(
    texts: pl.DataFrame, items: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    return _rows("invoice_id", invoices_by_id(texts.filter(pl.col("line_key").is_null()), items), policy)


def _by_number(
    texts: pl.DataFrame, items: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    of_payments = texts.filter(pl.col("line_key").is_null())
    return _rows("invoice_number", invoices_by_number(of_payments, invoices), policy)


def _by_creditor_reference(
    held: pl.DataFrame, texts: pl.DataFrame, invoices: Catalogue, policy: MatchingPolicy
) -> pl.DataFrame:
    found = invoices_of_references(held, texts, invoices, policy.min_reference_length)
    return _rows("creditor_reference", found, policy)


def _in_texts(
    texts: pl.DataFrame, invoices: Catalogue, orders: list[Catalogue], policy: MatchingPolicy
) -> list[pl.DataFrame]:
    """Numbers of invoices inside texts; parts of them and orders where there is none."""
    at_least, at_most = policy.min_reference_length, policy.max_items_per_reference
    reading = read_texts(texts.select("text_key", "book", "plain"))
    claimed = claims(reading, invoices, at_least, at_most)
    spread = pl.DataFrame(schema=RANGES)
    if "number_range" in policy.rules:
        spread = ranges(claimed, reading, invoices, policy.max_range_length)
    spans = pl.concat([one.select(*_SPAN) for one in (claimed, spread)])
    claimed = demoted(claimed, reading, covered_runs(spans)).filter(pl.col("rule").is_in(policy.rules))
    best = best_claims(claimed, at_most)
    begun = best.select("text_key", start_last="last", start_key="item_key")
    spread = spread.join(begun, on=["text_key", "start_last", "start_key"], how="semi")
    found = [
        best.select("text_key", "item_key", "rule", said=_said()),
        spread.select("text_key", "item_key", rule=pl.lit("number_range"), said=_said()),
    ]
    rest = reading.beside(covered_runs(pl.concat([one.select(*_SPAN) for one in (best, spread)])).unique())
    if "digits" in policy.rules:
        listed = list_claims(best, rest, invoices)
        rest = rest.beside(covered_runs(listed.select(*_SPAN)).unique())
        parts = part_claims(rest, best.select("text_key"), invoices, at_least)
        both = pl.concat([one.select("text_key", "item_key", "read") for one in (listed, parts)])
        found.append(_rows("digits", both.with_columns(said=_said()), policy))
    if "order_number" in policy.rules:
        ordered = order_claims(reading.without(pl.concat(found)), orders, at_least, at_most)
        found.append(_rows("order_number", ordered.with_columns(said=_said()), policy))
    return found


def _sure(
    found: pl.DataFrame, texts: pl.DataFrame, payments: pl.DataFrame, items: pl.DataFrame
) -> pl.DataFrame:
    """``text_key`` of texts without a mistyped number: one stands there whole, or what was read has the amount."""
    is_weak = pl.col("rule").is_in(["digits", "order_number"])
    exact = (
        found.filter(is_weak)
        .join(texts.select("text_key", "payment_key"), on="text_key", validate="m:1")
        .join(payments.select("payment_key", amount="unapplied_amount"), on="payment_key", validate="m:1")
        .join(items.select("item_key", amount="open_amount"), on=["item_key", "amount"])
    )
    return pl.concat([one.select("text_key") for one in (found.filter(~is_weak), exact)])


def _by_typo(
    texts: pl.DataFrame,
    amounts: pl.DataFrame,
    payers: pl.DataFrame,
    items: pl.DataFrame,
    policy: MatchingPolicy,
) -> pl.DataFrame:
    found = mistyped(texts, amounts, payers, items, policy.min_reference_length)
    return _rows("typo", found.rename({"read": "said"}), policy)


def _amounts(texts: pl.DataFrame, payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """``text_key, open_amount``: what an item must have open to be what a text says, mistyped.

    Of a payment what is left of it, of a line what it pays or settles.
    """
    parts = pl.col("paid_amount", "discount_amount", "deduction_amount").fill_null(0)
    of_payments = texts.filter(pl.col("line_key").is_null()).join(
        payments.select("payment_key", open_amount="unapplied_amount"), on="payment_key", validate="m:1"
    )
    settled = lines.select("line_key", "paid_amount", settled_amount=pl.sum_horizontal(parts).cast(MONEY))
    of_lines = texts.join(settled, on="line_key", validate="m:1")
    return pl.concat(
        [
            of_payments.select("text_key", "open_amount"),
            of_lines.select("text_key", open_amount="paid_amount"),
            of_lines.select("text_key", open_amount="settled_amount"),
        ]
    ).unique()


def _said() -> pl.Expr:
    """The last word before a number, and the number."""
    number = pl.col("read").str.extract(r"([A-Z]*[^A-Z0-9]*[0-9]+(?:[^0-9|]*[0-9]+)*)$")
    return number.str.strip_chars(" ,;:.-/#+()|")


def _rows(rule: str, found: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """What a rule found; nothing where it is not in use, or for texts that fit too many documents."""
    if rule not in policy.rules:
        found = found.clear()
    return (
        found.select("text_key", "item_key", rule=pl.lit(rule), said="said")
        .unique()
        .filter(pl.col("item_key").n_unique().over("text_key") <= policy.max_items_per_reference)
    )


def _ranked(found: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    ranks = {rule: rank for rank, rule in enumerate(REFERENCE_RULES)}
    return (
        found.join(texts.select("text_key", "payment_key", "line_key"), on="text_key", validate="m:1")
        .with_columns(rank=pl.col("rule").replace_strict(ranks, return_dtype=pl.Int32))
        .sort("payment_key", "line_key", "item_key", "rank", "said")
        .unique(["text_key", "item_key"], keep="first", maintain_order=True)
        .select(*REFERENCES)
    )
