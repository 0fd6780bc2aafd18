"""Money: minor units, rounding, splits that add up, products that keep their digits.

Amounts are ``Decimal`` from text, or ``decimal(18, 4)`` in frames; their values stand on the minor unit of their
currency. Rounding is half away from zero, once, last. How an amount looks to a reader is the letters' business.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import polars as pl
from iso4217 import Currency

MONEY = pl.Decimal(18, 4)
# polars keeps only the larger scale of a product or a quotient, so factors are widened before they meet.
WIDE = pl.Decimal(38, 6)

# Currencies one can owe in: the list also names gold, bond units and test codes, which have no minor unit.
_CURRENT: dict[str, int] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
KNOWN = frozenset(_CURRENT)
# Currencies of the past (ISO 4217, list of historic codes, those in use since 1970), by their minor units: bank files
# of their time are read, and nobody can owe in them any more.
_HISTORIC: dict[int, str] = {
    0: "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL",
    2: (
        "AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BGL BGN BOP BRB BRC BRE BRN BRR BUK CSD CSK CUC CYP"
        " DDM DEM ECS EEK FIM FRF GEK GHC GNE GNS GQE GWP HRD HRK IEP ILP ILR ISJ LAJ LSM LTL LTT LVL LVR MLF MRO MTL"
        " MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ RHD ROK ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM UAK UGS"
        " UGW UYN UYP VEB VEF VNC XEU YDD YUD YUM YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR"
    ),
}
MINOR_UNITS: dict[str, int] = {
    **{code: digits for digits, codes in _HISTORIC.items() for code in codes.split()},
    **_CURRENT,
}


class UnknownCurrency(ValueError):
    """A code that is not a currency of ISO 4217, of today or of the past, with a minor unit."""


def minor_units(currency_code: str) -> int:
    """Digits after the decimal mark: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises:
        UnknownCurrency: the code is not in ISO 4217, or what it names has no minor unit (XAU, XXX).
    """
    try:
        return MINOR_UNITS[currency_code]
    except KeyError:
        raise UnknownCurrency(
            f"{currency_code!r} is no currency of ISO 4217 with a minor unit; correct the code"
        ) from None


def unit(currency_code: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-minor_units(currency_code))


def rounded(amount: Decimal, currency_code: str) -> Decimal:
    """The amount on the minor unit of its currency, half away from zero: 0.005 EUR is 0.01, -0.005 is -0.01."""
    return amount.quantize(unit(currency_code), rounding=ROUND_HALF_UP)


def rounded_amount(amount: pl.Expr, currency_code: pl.Expr) -> pl.Expr:
    """The same rounding for a column: money on the minor unit of the currency beside it.

    ``amount`` has up to six decimals. An unknown currency gives null, which a money column refuses.
    """
    digits = currency_code.replace_strict(MINOR_UNITS, default=None, return_dtype=pl.Int64)
    wide = amount.cast(WIDE)
    by_digits = pl.lit(None, dtype=WIDE)
    for places in sorted(set(MINOR_UNITS.values())):
        by_digits = (
            pl.when(digits == places)
            .then(wide.round(places, mode="half_away_from_zero").cast(WIDE))
            .otherwise(by_digits)
        )
    return by_digits.cast(MONEY)


def product(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """The product of two decimal columns at six decimals, not yet rounded to money.

    polars alone would cut 0.10 x 0.149 to 0.015, the larger scale of the two; here it is 0.014900. Digits beyond
    the sixth are lost, so factors have at most six decimals between them.
    """
    return (left.cast(WIDE) * right.cast(WIDE)).cast(WIDE)


def ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """The exact quotient of two money columns at six decimals, half away from zero; null unless ``whole`` is positive.

    It is worked out in whole units of 0.0001: polars would round a decimal quotient half to even, at its own scale.
    """
    top, bottom = (side.cast(MONEY).to_physical().cast(pl.Int128) for side in (part, whole))
    rounded_up = (2 * 10**6 * top.abs() + bottom) // (2 * bottom)
    return (
        pl.when(whole > 0)
        .then((rounded_up * top.sign()).cast(WIDE) * pl.lit(Decimal("0.000001"), dtype=WIDE))
        .cast(WIDE)
    )


def split(whole: Decimal, weights: Sequence[Decimal], currency_code: str) -> list[Decimal]:
    """Parts of an amount in proportion to the weights that add up to the whole, by largest remainder.

    Each part is within one minor unit of its exact share; left-over units go to the largest remainders, the
    earlier part first among equals. A negative whole splits as its mirror image.

    Raises:
        ValueError: no weight is positive, one is negative, or the whole is not on its currency's minor unit.
    """
    step = unit(currency_code)
    if any(weight < 0 for weight in weights) or not any(weight > 0 for weight in weights):
        raise ValueError(
            f"cannot split {whole} {currency_code}: weights are not negative, one at least positive"
        )
    if rounded(whole, currency_code) != whole:
        raise ValueError(f"cannot split {whole} {currency_code}: round it to {step} first")
    sign = -1 if whole < 0 else 1
    units, total = int(abs(whole) / step), sum(_as_integers(weights))
    shares = [divmod(units * weight, total) for weight in _as_integers(weights)]
    left_over = units - sum(share for share, _ in shares)
    # sorted() is stable, so among equal remainders the earlier part gets the unit.
    lucky = set(sorted(range(len(shares)), key=lambda part: -shares[part][1])[:left_over])
    return [sign * step * (share + (part in lucky)) for part, (share, _) in enumerate(shares)]


def _as_integers(weights: Sequence[Decimal]) -> list[int]:
    """The weights as whole numbers in the same proportion, so that remainders are exact."""
    places = max(0, *(-int(weight.as_tuple().exponent) for weight in weights))
    return [int(weight.scaleb(places).to_integral_value(rounding=ROUND_DOWN)) for weight in weights]
