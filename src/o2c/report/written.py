"""Numbers and dates of the page as text: English, exact, a real minus sign, a dash where nothing is known."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.dates import format_date

from o2c.mime import one_line
from o2c.money import minor_units, rounded

NOTHING = "–"
_MINUS = "\u2212"


def money(amount: Decimal | None, currency_code: str) -> str:
    """With all minor units of its currency and without its code, which stands at the head of the table."""
    if amount is None:
        return NOTHING
    exact = rounded(amount, currency_code)
    # Minus nothing is nothing.
    return _signed(f"{exact if exact else abs(exact):,.{minor_units(currency_code)}f}")


def money_of(amount: Decimal | None, currency_code: str) -> str:
    """In a sentence: ``EUR 1,234.50``."""
    return NOTHING if amount is None else f"{currency_code}\u00a0{money(amount, currency_code)}"


def money_change(amount: Decimal | None, currency_code: str) -> str:
    return NOTHING if amount is None else _plus(amount, money(amount, currency_code))


def percent(ratio: Decimal | None) -> str:
    """A fraction as percent with one decimal."""
    return NOTHING if ratio is None else f"{_signed(_places(ratio * 100, 1))}\u00a0%"


def share(part: Decimal, whole: Decimal) -> str:
    """One amount in percent of another; a dash where the other is not above zero."""
    return percent(part / whole) if whole > 0 else NOTHING


def days(number: Decimal | int | None) -> str:
    """Days with one decimal."""
    return NOTHING if number is None else _signed(_places(Decimal(number), 1))


def figure(value: Decimal | None, unit: str) -> str:
    """A key figure in its unit: days, ratio or times."""
    if value is None:
        return NOTHING
    if unit == "ratio":
        return percent(value)
    return days(value) if unit == "days" else _signed(_places(value, 2))


def figure_change(value: Decimal | None, unit: str) -> str:
    """How much a key figure moved: ratios in percentage points."""
    if value is None:
        return NOTHING
    if unit == "ratio":
        return f"{_plus(value, _signed(_places(value * 100, 1)))}\u00a0pp"
    return _plus(value, figure(value, unit))


def count(number: int | None) -> str:
    return NOTHING if number is None else _signed(f"{number:,}")


def counted(number: int, one: str, many: str = "") -> str:
    """``1 item``, ``1,204 items``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(value: date | None) -> str:
    """``30 Sep 2026``."""
    return NOTHING if value is None else format_date(value, "d\u00a0MMM\u00a0y", locale="en")


def day_and_month(value: date) -> str:
    return format_date(value, "d\u00a0MMM", locale="en")


def month(value: date) -> str:
    return format_date(value, "MMM\u00a0yy", locale="en")


def long_day(value: date) -> str:
    return format_date(value, "d MMMM y", locale="en")


def text(value: Any) -> str:
    """What other people's systems wrote: what cannot be printed in a line, or turns it around, becomes a space."""
    return NOTHING if value is None else one_line(str(value))


def words(code: str | None) -> str:
    """A code as words: ``on_account`` reads ``on account``."""
    return text(code).replace("_", " ")


def _places(value: Decimal, places: int) -> str:
    exact = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{exact if exact else abs(exact):,.{places}f}"


def _signed(plain: str) -> str:
    return plain.replace("-", _MINUS)


def _plus(value: Decimal, written: str) -> str:
    """With a plus in front of what is more than nothing as it is written."""
    return f"+{written}" if value > 0 and any(digit in "123456789" for digit in written) else written
