"""Text that people and banks wrote, made comparable: one kind of capitals, digits, dashes and blanks."""

import polars as pl

# Digits of other scripts that do not decompose into ours.
_ZEROS = "٠۰०০੦૦୦௦౦೦൦๐໐༠"
_MOST_DIGITS = 18
_DIGITS = [chr(ord(zero) + digit) for zero in _ZEROS for digit in range(10)]


def plain(texts: pl.Series) -> pl.Series:
    """Capitals, ASCII digits, dashes and blanks, without accents and what nobody sees. Null stays null."""
    foreign = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(value=False)
    upper = texts.str.to_uppercase()
    if not foreign.any():
        return upper
    at = foreign.arg_true()
    seen = (
        pl.select(
            pl.lit(texts.gather(at))
            # Soft hyphens and marks of width zero stand where a line may break, also inside of numbers.
            .str.replace_all(r"[\u00AD\u200B-\u200F\u2060\uFEFF]", "")
            .str.normalize("NFKD")
            .str.replace_all(r"\p{M}", "")
            .str.replace_all(r"[\p{Pd}\u2212]", "-")
            .str.replace_all(r"[\p{Z}\s]", " ")
            .str.replace_many(_DIGITS, [str(digit) for _ in _ZEROS for digit in range(10)])
            .str.to_uppercase()
            .alias("seen")
        )
        .to_series()
        .rename(texts.name)
    )
    return upper.scatter(at, seen)


def bare(plain_text: pl.Expr) -> pl.Expr:
    """Only letters and digits of text that ``plain`` made."""
    return plain_text.str.replace_all(r"[^\p{L}\p{N}]+", "")


def digit_value(plain_text: pl.Series) -> pl.Series:
    """All digits of plain text as one whole number, so that leading zeros mean nothing; of more than 18 the last.

    Null where there is no digit. A hash, not an identity: texts of one value are compared afterwards.
    """
    value = (
        plain_text.str.replace_all("-", "", literal=True)
        .str.strip_chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ_/ #.:")
        .cast(pl.UInt64, strict=False)
    )
    at = value.is_null().arg_true()
    if len(at) > 0:
        digits = plain_text.gather(at).str.replace_all(r"[^0-9]+", "").str.tail(_MOST_DIGITS)
        value = value.scatter(at, digits.cast(pl.UInt64, strict=False))
    return value % 10**_MOST_DIGITS
