"""Text to values, by declared form. Strict: what the form does not say is not a value, and nothing is guessed.

Digits are ASCII; there is no exponent, no underscore, no NaN and no infinity, whatever the parser behind would take.
"""

import re
from dataclasses import dataclass
from functools import cache

import iso4217
import polars as pl

from o2c.contract import POLARS_TYPES, Kind
from o2c.sources.dates import parse_dates, parse_instants
from o2c.sources.distinct import by_distinct
from o2c.sources.model import TextForm, ValueForm

EXACT = pl.Decimal(38, 18)
SCALES = {Kind.AMOUNT: 4, Kind.UNSIGNED_AMOUNT: 4, Kind.RATE: 8, Kind.RATIO: 6}
# What a spreadsheet makes of an id: 2960623488.0, 1.93E+09. Never the id that the ledger has.
_FLOAT_LOOKING = r"^[0-9]+(?:\.0+|(?:\.[0-9]+)?[eE]\+[0-9]+)$"
_PLAIN_AMOUNT = r"^-?[0-9]{1,14}(?:\.[0-9]{1,4})?$"
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_WITHOUT_END = ("valid_until",)


@dataclass(frozen=True)
class Fault:
    """Rows of a batch on which one column has one fault. ``rows`` counts from 0 in the batch."""

    rows: pl.Series
    column: str
    code: str
    text: pl.Series | None
    says: str

    def reasons(self) -> pl.Series:
        """The sentence for each of ``rows``."""
        if self.text is None:
            return pl.Series([f"{self.column} {self.says}"], dtype=pl.String).new_from_index(
                0, len(self.rows)
            )
        said = [f"{self.column} {str(value)[:80]!r} {self.says}" for value in self.text.to_list()]
        return pl.Series(said, dtype=pl.String)


@dataclass(frozen=True)
class Values:
    """Typed values (null where the text is none), what was wrong, and how often a repair was used."""

    series: pl.Series
    faults: list[Fault]
    uses: dict[str, int]


@cache
def minor_units() -> dict[str, int]:
    """Digits after the decimal mark by currency, ISO 4217; currencies without minor units (gold) are no ledger's."""
    return {
        currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None
    }


def clean(texts: pl.Series, form: ValueForm, text_form: TextForm) -> tuple[pl.Series, dict[str, int]]:
    """Text with blanks as null, trimmed, cased and rid of the declared suffix; and how often the suffix went."""
    uses: dict[str, int] = {}
    if form.trim:
        texts = texts.str.strip_chars()
    if (is_blank := texts.is_in(["", *text_form.nulls]) if text_form.nulls else texts == "").any():
        texts = texts.set(is_blank, None)
    if form.strip_suffix:
        has_it = texts.str.ends_with(form.strip_suffix)
        if count := int(has_it.sum() or 0):
            texts = texts.str.strip_suffix(form.strip_suffix)
            uses["strip_suffix"] = count
    if form.case:
        texts = texts.str.to_uppercase() if form.case == "upper" else texts.str.to_lowercase()
    return texts, uses


def parse(
    texts: pl.Series,
    kind: Kind,
    column: str,
    form: ValueForm,
    text_form: TextForm,
    currencies: pl.Series | None = None,
) -> Values:
    """Values of one column.

    Args:
        texts: cleaned text, null where there is nothing.
        kind: what the column holds.
        column: its name, for the reasons.
        form: what the definition says of the column.
        text_form: how the file writes values.
        currencies: the currency of each row, where the amount has one: it decides how many decimals there can be.
    """
    if kind in SCALES:
        return _decimals(texts, kind, column, form, text_form, currencies)
    if kind in {Kind.DATE, Kind.INSTANT}:
        return _dates(texts, kind, column, text_form)
    if kind is Kind.INTEGER:
        fits = texts.str.contains("^-?[0-9]{1,18}$")
        found = texts.set(~fits.fill_null(True), None).cast(pl.Int64)
        return Values(found, _unreadable(texts, found, column, "is not a whole number"), {})
    if kind is Kind.BOOLEAN:
        found = texts.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        return Values(found, _unreadable(texts, found, column, "is neither true nor false"), {})
    faults = []
    if kind is Kind.TEXT and (column.endswith("_id") or column == "invoice_number"):
        rows = by_distinct(texts, _is_float_looking).arg_true()
        if len(rows):
            says = (
                "looks like a number out of a spreadsheet; ids are kept byte for byte. Declare `strip_suffix`"
            )
            faults.append(Fault(rows, column, "float_looking_id", texts.gather(rows), says))
            texts = _blanked(texts, rows)
    return Values(texts, faults, {})


def _is_float_looking(texts: pl.Series) -> pl.Series:
    whole = texts.str.join("").item()
    if "." not in whole and "+" not in whole:
        return pl.repeat(False, len(texts), eager=True, dtype=pl.Boolean)
    return texts.str.contains(_FLOAT_LOOKING)


def _blanked(series: pl.Series, rows: pl.Series) -> pl.Series:
    """The series with null in these rows."""
    keep = pl.repeat(True, len(series), eager=True).scatter(rows, False)
    return series.zip_with(keep, pl.Series([None], dtype=series.dtype).new_from_index(0, len(series)))


def _unreadable(texts: pl.Series, found: pl.Series, column: str, says: str) -> list[Fault]:
    if texts.null_count() == found.null_count():
        return []
    rows = (texts.is_not_null() & found.is_null()).arg_true()
    return [Fault(rows, column, f"bad_{_word(says)}", texts.gather(rows), says)]


def _word(says: str) -> str:
    return {"is not a whole number": "integer", "is neither true nor false": "boolean"}.get(says, "value")


def _dates(texts: pl.Series, kind: Kind, column: str, text_form: TextForm) -> Values:
    parser = parse_dates if kind is Kind.DATE else parse_instants
    found = parser(texts, text_form.dates)
    faults = []
    if found.null_count() > texts.null_count():
        rows = (texts.is_not_null() & found.is_null()).arg_true()
        says = f"is not a date by the declared formats ({', '.join(text_form.dates)})"
        faults.append(Fault(rows, column, "bad_date", texts.gather(rows), says))
    until = 9999 if column.endswith(_WITHOUT_END) else _LAST_YEAR
    ends = pl.Series([found.min(), found.max()], dtype=found.dtype).dt.year()
    if not ends.is_between(_FIRST_YEAR, until).all():
        rows = (~found.dt.year().is_between(_FIRST_YEAR, until)).arg_true()
        says = f"is not between {_FIRST_YEAR} and {until}"
        faults.append(Fault(rows, column, "date_out_of_range", texts.gather(rows), says))
        found = _blanked(found, rows)
    return Values(found, faults, {})


def _decimals(
    texts: pl.Series,
    kind: Kind,
    column: str,
    form: ValueForm,
    text_form: TextForm,
    currencies: pl.Series | None,
) -> Values:
    plain = texts if _is_plain(text_form) else _plain(texts, text_form)
    faults: list[Fault] = []
    uses: dict[str, int] = {}
    scale, dtype = SCALES[kind], POLARS_TYPES[kind]
    simple = plain.str.contains(_PLAIN_AMOUNT).fill_null(texts.is_null())
    if simple.all():
        found = plain.cast(dtype)
    else:
        exact, faults = _exact(texts, plain, column, text_form)
        found = exact.round(scale, mode="half_away_from_zero").cast(dtype, strict=False)
        if form.decimals == "reject" and (rows := (found.cast(EXACT) != exact).arg_true()).len():
            says = f"has more than {scale} decimals. Declare `decimals: round` if it is meant to be rounded"
            faults.append(Fault(rows, column, "too_many_decimals", texts.gather(rows), says))
            found = _blanked(found, rows)
        if form.decimals == "round" and kind in {Kind.AMOUNT, Kind.UNSIGNED_AMOUNT}:
            found = _to_minor_units(exact, form, currencies).cast(dtype, strict=False)
            uses["round"] = int((found.cast(EXACT) != exact).sum())
        elif form.decimals == "round":
            uses["round"] = int((found.cast(EXACT) != exact).sum())
    if kind in {Kind.AMOUNT, Kind.UNSIGNED_AMOUNT} and not uses.get("round"):
        on_grid = _to_minor_units(found, form, currencies)
        rows = (on_grid != found).arg_true()
        if len(rows) and form.decimals == "round":
            uses["round"], found = len(rows), on_grid.cast(dtype)
        elif len(rows):
            says = (
                "has more decimals than its currency. Declare `decimals: round` if it is meant to be rounded"
            )
            faults.append(Fault(rows, column, "too_many_decimals", texts.gather(rows), says))
            found = _blanked(found, rows)
    if form.sign == "negate":
        found = (-found).cast(dtype)
    elif form.sign == "absolute":
        found = found.abs().cast(dtype)
    return Values(found, faults, {name: count for name, count in uses.items() if count})


def _to_minor_units(amounts: pl.Series, form: ValueForm, currencies: pl.Series | None) -> pl.Series:
    """Amounts rounded half away from zero to the minor unit of their currency; to cents where none is known."""
    if form.minor_units is not None:
        return amounts.round(form.minor_units, mode="half_away_from_zero")
    if currencies is None:
        return amounts.round(2, mode="half_away_from_zero") if form.decimals == "round" else amounts
    codes: dict[int, list[str | None]] = {}
    for code in currencies.unique().to_list():
        codes.setdefault(minor_units().get(code, 2) if code is not None else 4, []).append(code)
    most = max(codes, default=4)
    found = amounts.round(most, mode="half_away_from_zero")
    for digits, some in codes.items():
        if digits != most:
            is_coarser = currencies.is_in(some, nulls_equal=True)
            found = amounts.round(digits, mode="half_away_from_zero").zip_with(is_coarser, found)
    return found


def _exact(
    texts: pl.Series, plain: pl.Series, column: str, text_form: TextForm
) -> tuple[pl.Series, list[Fault]]:
    """Amounts with all their decimals, and the texts that are none."""
    faults = []
    is_amount = plain.str.contains(r"^-?[0-9]+(?:\.[0-9]+)?$").fill_null(texts.is_null())
    if len(rows := (~is_amount).arg_true()):
        says = f"is not an amount with decimal mark {text_form.decimal!r}"
        if text_form.thousands:
            says += f" and thousands mark {text_form.thousands!r}"
        faults.append(Fault(rows, column, "bad_amount", texts.gather(rows), says))
    fits = plain.str.contains(r"^-?[0-9]{1,14}(?:\.[0-9]+)?$").fill_null(True)
    if len(rows := (is_amount & ~fits).arg_true()):
        faults.append(
            Fault(rows, column, "amount_out_of_range", texts.gather(rows), "has more than 14 digits")
        )
    short = plain.set(~(is_amount & fits), None).str.replace(r"(\.[0-9]{18})[0-9]+$", "${1}")
    return short.cast(EXACT, strict=False), faults


def _is_plain(form: TextForm) -> bool:
    return (
        form.decimal == "."
        and not form.thousands
        and not form.currency_signs
        and form.negative == ("leading",)
    )


def _plain(texts: pl.Series, form: TextForm) -> pl.Series:
    """Amounts as ``-1234.56``; what is not written in the declared way becomes a text that is no amount."""
    decimal, thousands = re.escape(form.decimal), re.escape(form.thousands)
    signs = "|".join(re.escape(sign) for sign in form.currency_signs)
    number = r"[0-9]+" if not thousands else rf"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+)"
    number += rf"(?:{decimal}[0-9]+)?"
    lead = "-?" if "leading" in form.negative else ""
    before = f"{lead}(?:(?:{signs}) ?)?{lead}" if signs else lead
    shapes = [f"{before}{number}" + (f"(?: ?(?:{signs}))?" if signs else "")]
    if "trailing" in form.negative:
        shapes.append(f"(?:(?:{signs}) ?)?{number}-" if signs else f"{number}-")
    if "parentheses" in form.negative:
        shapes.append(rf"\((?:(?:{signs}) ?)?{number}\)" if signs else rf"\({number}\)")
    fits = texts.str.contains(f"^(?:{'|'.join(shapes)})$") & ~texts.str.contains("-.*-")
    digits = texts.str.replace_all(f"[^0-9{decimal}]", "").str.replace(form.decimal, ".", literal=True)
    negative = texts.str.contains(r"[-(]")
    signed = digits.zip_with(~negative.fill_null(False), "-" + digits)
    # a sign with a full stop in it ("Rs.") would leave one before the digits
    signed = (
        signed.str.replace(r"^(-?)\.+", "${1}")
        if any("." in sign for sign in form.currency_signs)
        else signed
    )
    return signed.zip_with(fits.fill_null(False), texts.zip_with(texts.is_null(), "no amount: " + texts))
