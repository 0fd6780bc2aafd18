"""Amounts and dates as the reader of a letter writes them: babel's patterns, ISO 4217's minor units."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from o2c.money import minor_units, unit


@lru_cache(maxsize=1024)
def letter_locale(language_code: str, country_code: str | None) -> Locale:
    """The locale of a language in a country; the international form of the language where CLDR has none."""
    for name in (f"{language_code}_{(country_code or '').upper()}", f"{language_code}_001", language_code):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@lru_cache(maxsize=65536)
def written_date(day: date, locale: Locale) -> str:
    """``12 Mar 2026``, ``Mar 12, 2026``: the locale's medium form, whose month is a word in English."""
    return format_date(day, "medium", locale=locale)


@lru_cache(maxsize=1024)
def amount_writer(currency_code: str, locale: Locale) -> Callable[[Decimal], str]:
    """A function that writes amounts of a currency, always with all its minor units.

    babel takes 40 us for an amount; the pattern it follows is the same for all amounts of a currency, so it is asked
    for one sample and the digits are set into that. Where the sample does not have the usual groups of three
    (India), babel writes each amount.

    Raises:
        ValueError: unknown currency, or (from the function) an amount finer than the currency's minor unit.
    """
    digits = minor_units(currency_code)
    one = unit(currency_code)

    def by_babel(amount: Decimal) -> str:
        text = format_currency(
            amount, currency_code, format=_pattern(locale, digits), locale=locale, currency_digits=False
        )
        return _spaced(text)

    group, point = _symbols(locale)
    sample = f"7654321{'.' + '8' * digits if digits else ''}"
    middle = f"7{group}654{group}321{point + '8' * digits if digits else ''}"
    before, found, after = by_babel(Decimal(sample)).partition(middle)
    minus_before, found_minus, minus_after = by_babel(-Decimal(sample)).partition(middle)
    is_usual = bool(found and found_minus)

    def write(amount: Decimal) -> str:
        if amount != amount.quantize(one):
            raise ValueError(f"{amount} {currency_code} is finer than the currency's minor unit")
        if not is_usual:
            return by_babel(amount)
        plain = f"{abs(amount):,.{digits}f}"
        if group != "," or point != ".":
            plain = plain.replace(",", "\0").replace(".", point).replace("\0", group)
        return minus_before + plain + minus_after if amount < 0 else before + plain + after

    return write


def _pattern(locale: Locale, digits: int) -> str:
    """The locale's currency pattern with as many decimals as the currency has."""
    decimals = "." + "0" * digits if digits else ""
    return locale.currency_formats["standard"].pattern.replace(".00", decimals)


def _symbols(locale: Locale) -> tuple[str, str]:
    symbols = locale.number_symbols[locale.default_numbering_system]
    return symbols.get("group", ","), symbols.get("decimal", ".")


def _spaced(text: str) -> str:
    """A no-break space between a currency's letters and the digits, as CLDR asks (``KWD 1.000``)."""
    for i in range(1, len(text)):
        left, right = text[i - 1], text[i]
        if (left.isalpha() and right.isdigit()) or (left.isdigit() and right.isalpha()):
            return f"{text[:i]}\u00a0{text[i:]}"
    return text
