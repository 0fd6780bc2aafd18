"""Remittance lines: whose payment they are about, and which of our documents they name."""

import polars as pl

from o2c.matching.catalogue import Catalogue, take_apart
from o2c.matching.labels import INVOICE_WORDS

# Ways in which a line may name a document, the surest first.
_BY_ID, _BY_NUMBER, _SPELLED, _BY_DIGITS = range(4)


def lines_of_payments(payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The payment of each remittance line.

    It is the one that the line names by id; failing that, the one payment whose reference text is, or has as a word,
    the line's payment reference. A reference that several payments carry is nobody's.

    Args:
        payments: ApplicablePayments with ``payment_key``.
        lines: RemittanceLines with ``line_key``.

    Returns:
        ``lines`` with ``payment_key``, null where there is none, in their order.
    """
    texts = payments.select("payment_key", text=pl.col("reference_text").str.strip_chars()).filter(
        pl.col("text").is_not_null() & (pl.col("text") != "")
    )
    referred = lines.select("line_key", text=pl.col("payment_reference").str.strip_chars()).filter(
        lines["payment_id"].is_null() & pl.col("text").is_not_null() & (pl.col("text") != "")
    )
    words = texts.select("payment_key", text=pl.col("text").str.extract_all(r"\S+")).explode(
        "text", empty_as_null=False
    )
    wanted = referred.select("text").unique()
    by_text = (
        pl.concat([texts, words])
        .join(wanted, on="text", how="semi")
        .unique()
        .filter(pl.len().over("text") == 1)
        .select("text", referred_key="payment_key")
    )
    by_reference = referred.join(by_text, on="text", validate="m:1").select("line_key", "referred_key")
    by_id = payments.select("payment_id", named_key="payment_key")
    return (
        lines.join(by_id, on="payment_id", how="left", validate="m:1", maintain_order="left")
        .join(by_reference, on="line_key", how="left", validate="1:1", maintain_order="left")
        .with_columns(payment_key=pl.coalesce("named_key", "referred_key"))
        .drop("named_key", "referred_key")
    )


def documents_of_lines(lines: pl.DataFrame, ids: pl.DataFrame, invoices: Catalogue) -> pl.DataFrame:
    """Documents that a line names as a whole, by the surest of four ways.

    Args:
        lines: text_key, book, raw, plain, value of each line.
        ids: item_key, book, invoice_id, invoice_number.
        invoices: the invoice numbers.

    Returns:
        text_key, item_key, said.
    """
    numbers = invoices.with_values(lines.select("book", "value").unique())
    spelled = take_apart(lines.select("text_key", "book", "value", "raw", number="plain"))
    pairs = spelled.join(numbers, on=["book", "value"], suffix="_ours")
    one, ours = pl.col("prefix"), pl.col("prefix_ours")
    letters_fit = (one == ours) | (one == "") | one.is_in(INVOICE_WORDS) & ~one.is_in(invoices.series)
    suffix_fits = (pl.col("suffix") == pl.col("suffix_ours")) | (pl.col("suffix") == "")
    found = pl.concat(
        [
            _same(lines, ids, "invoice_id", _BY_ID, "the invoice's id"),
            _same(lines, ids, "invoice_number", _BY_NUMBER, "the invoice's number"),
            pairs.filter(pl.col("bare") == pl.col("bare_ours")).select(
                "text_key", "item_key", way=pl.lit(_SPELLED), said=pl.format("{}, spelled differently", "raw")
            ),
            pairs.filter(letters_fit & suffix_fits).select(
                "text_key",
                "item_key",
                way=pl.lit(_BY_DIGITS),
                said=pl.format("{}, with letters or zeros lost", "raw"),
            ),
        ]
    )
    return found.filter(pl.col("way") == pl.col("way").min().over("text_key")).drop("way")


def _same(lines: pl.DataFrame, ids: pl.DataFrame, column: str, way: int, said: str) -> pl.DataFrame:
    return lines.join(ids.select("item_key", "book", raw=column), on=["book", "raw"]).select(
        "text_key", "item_key", way=pl.lit(way), said=pl.format(f"{{}}, {said}", "raw")
    )
