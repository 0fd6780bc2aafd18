"""References with check digits that we printed on invoices: ISO 11649, Swiss QR and ESR, Belgian OGM.

A right check digit makes it ours to read, not yet one of our invoices: what it holds must be a number of ours.
"""

import polars as pl
from stdnum import iso11649
from stdnum.be import ogm_vcs
from stdnum.ch import esr

from o2c.matching.catalogue import Catalogue
from o2c.matching.wording import bare, digit_value

# In groups of four, or in one.
_RF = r"\bRF ?[0-9]{2}(?: ?[A-Z0-9]{1,4}){1,6}\b|\bRF[0-9]{2}[A-Z0-9]{1,21}\b"
_QR = r"\b[0-9]{2}(?: ?[0-9]{5}){5}\b"
_OGM = r"[+*]{3} ?[0-9]{3}/? ?[0-9]{4}/? ?[0-9]{5} ?[+*]{3}"
_MAY_HOLD_ONE = rf"{_RF}|{_QR}|{_OGM}"
_READINGS = {"read": pl.String(), "body": pl.String(), "kind": pl.String()}
CREDITOR_REFERENCES = {"text_key": pl.UInt32(), **_READINGS}


def read_creditor_references(texts: pl.DataFrame) -> pl.DataFrame:
    """Valid references in texts (text_key, plain): one row per text and reference, ``CREDITOR_REFERENCES``."""
    found = (
        texts.filter(pl.col("plain").str.contains(_MAY_HOLD_ONE))
        .select("text_key", read=pl.col("plain").str.extract_all(_MAY_HOLD_ONE))
        .explode("read", empty_as_null=False)
        .filter(pl.col("read").is_not_null())
    )
    readings = pl.DataFrame(
        [_valid(text) for text in found["read"].to_list()], schema=_READINGS, orient="row"
    )
    valid = pl.concat([found.select("text_key"), readings], how="horizontal").filter(pl.col("body") != "")
    return valid.select(pl.col("text_key").cast(pl.UInt32), *_READINGS).unique()


def without_references(texts: pl.DataFrame, references: pl.DataFrame) -> pl.DataFrame:
    """Texts (text_key, plain and others) without the valid references in them: their digits are not read again."""
    if references.is_empty():
        return texts
    held = texts.join(references.group_by("text_key").agg("read"), on="text_key", validate="1:1")
    cleared = []
    for text, parts in held.select("plain", "read").iter_rows():
        for part in sorted(parts, key=len, reverse=True):
            text = text.replace(part, " | ")
        cleared.append(text)
    held = held.drop("read").with_columns(plain=pl.Series(cleared, dtype=pl.String))
    return pl.concat([texts.join(held, on="text_key", how="anti"), held]).sort("text_key")


def _valid(text: str) -> tuple[str, str, str]:
    """What was read, the reference without check digits, and its kind; empty where no check digit is right."""
    if text.startswith("RF"):
        # The words behind it may have been read as further groups.
        for end in range(len(text), 4, -1):
            if (end == len(text) or text[end] == " ") and iso11649.is_valid(text[:end]):
                return text[:end], iso11649.compact(text[:end])[4:], "RF"
        return text, "", ""
    if text[0] in "+*":
        number = "".join(letter for letter in text if letter.isdigit())
        return (text, number[:-2], "OGM") if ogm_vcs.is_valid(number) else (text, "", "")
    number = text.replace(" ", "")
    return (text, number[:-1], "QR") if esr.calc_check_digit(number[:-1]) == number[-1] else (text, "", "")


def invoices_of_references(
    references: pl.DataFrame, texts: pl.DataFrame, invoices: Catalogue, at_least: int
) -> pl.DataFrame:
    """``text_key, item_key, said``: invoices whose number the reference holds.

    The whole body is the number or its digits. A Swiss or Belgian one may begin with the digits of a bank's customer
    and fill up with zeros: what stands behind such a zero is read, the longest that is a number of ours.
    """
    bodies = references.join(texts.select("text_key", "book"), on="text_key", validate="m:1")
    bodies = bodies.with_columns(digit_value(bodies["body"]).alias("value"))
    bodies = bodies.with_columns(length=pl.lit(40, dtype=pl.Int64))
    ends = [
        bodies.filter(
            (pl.col("kind") != "RF")
            & (pl.col("body").str.slice(-length - 1, 1) == "0")
            & (pl.col("body").str.slice(-length, 1) != "0")
        ).with_columns(
            value=pl.col("body").str.tail(length).cast(pl.UInt64, strict=False),
            length=pl.lit(length, dtype=pl.Int64),
        )
        for length in range(at_least, 18)
    ]
    readings = pl.concat([bodies, *ends]).filter(pl.col("value") > 0)
    numbers = invoices.with_values(readings.select("book", "value").unique())
    pairs = readings.join(numbers, on=["book", "value"])
    whole = pl.col("length") == 40
    letters = pl.col("body").str.contains("[A-Z]")
    bare_body = bare(pl.col("body")).str.strip_chars_start("0")
    fits = (
        # Letters in the body must be the number's own; digits alone may be all that the reference had room for.
        pl.when(letters)
        .then(bare_body == pl.col("bare").str.strip_chars_start("0"))
        .otherwise((pl.col("suffix") == "") & (whole | (pl.col("digits").str.len_chars() >= at_least)))
    )
    return (
        pairs.filter(fits)
        .filter(pl.col("length") == pl.col("length").max().over("text_key", "read"))
        .select("text_key", "item_key", said="read")
        .unique()
    )
