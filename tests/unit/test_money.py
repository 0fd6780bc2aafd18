"""Money: the cent is never lost, never invented, and never floats."""

from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c import money

CURRENCIES = st.sampled_from(sorted(money.KNOWN))
AMOUNTS = st.decimals("-9999999", "9999999", places=6)


@pytest.mark.parametrize(
    ("code", "digits", "unit"),
    [("EUR", 2, "0.01"), ("JPY", 0, "1"), ("KWD", 3, "0.001"), ("CLF", 4, "0.0001")],
)
def test_minor_units_are_those_of_iso_4217(code, digits, unit):
    assert (money.minor_units(code), money.unit(code)) == (digits, Decimal(unit))


@pytest.mark.parametrize(("code", "digits"), [("DEM", 2), ("ITL", 0), ("BEF", 0), ("HRK", 2)])
def test_currencies_of_the_past_are_read_but_nobody_owes_in_them(code, digits):
    assert (money.minor_units(code), code in money.KNOWN) == (digits, False)


@pytest.mark.parametrize("code", ["XAU", "XXX", "EURO", "eur", ""])
def test_what_is_no_currency_is_refused_by_name(code):
    with pytest.raises(money.UnknownCurrency, match=f"'{code}' is no currency"):
        money.minor_units(code)


def test_every_currency_fits_the_four_decimals_of_money():
    assert max(money.MINOR_UNITS.values()) <= 4


ROUNDED = [
    ("0.005", "EUR", "0.01"),
    ("-0.005", "EUR", "-0.01"),
    ("0.015", "EUR", "0.02"),
    ("0.025", "EUR", "0.03"),
    ("0.0049", "EUR", "0.00"),
    ("2.5", "JPY", "3"),
    ("-2.5", "JPY", "-3"),
    ("2.4999", "JPY", "2"),
    ("1.0005", "KWD", "1.001"),
]


@pytest.mark.parametrize(("amount", "code", "expected"), ROUNDED)
def test_halves_go_away_from_zero_for_one_amount_and_for_a_column(amount, code, expected):
    frame = pl.DataFrame({"amount": [Decimal(amount)], "currency_code": [code]})
    column = frame.select(money.rounded_amount(pl.col("amount"), pl.col("currency_code")))["amount"]
    assert money.rounded(Decimal(amount), code) == Decimal(expected)
    assert (column.dtype, column.to_list()) == (pl.Decimal(18, 4), [Decimal(expected)])


@given(st.lists(st.tuples(AMOUNTS, CURRENCIES), min_size=1, max_size=20))
def test_a_column_rounds_like_its_amounts_one_by_one(rows):
    frame = pl.DataFrame(rows, schema={"amount": pl.Decimal(38, 6), "currency_code": pl.String}, orient="row")
    column = frame.select(money.rounded_amount(pl.col("amount"), pl.col("currency_code")))["amount"]
    assert column.to_list() == [money.rounded(amount, code) for amount, code in rows]


def test_an_unknown_currency_in_a_column_gives_no_amount():
    frame = pl.DataFrame({"amount": [Decimal("1.00")], "currency_code": ["XXX"]})
    assert frame.select(money.rounded_amount(pl.col("amount"), pl.col("currency_code")))[
        "amount"
    ].to_list() == [None]


def test_a_product_keeps_the_digits_that_polars_drops():
    frame = pl.DataFrame({"a": [Decimal("0.10")], "b": [Decimal("0.149")], "currency_code": ["EUR"]})
    naive = frame.select((pl.col("a") * pl.col("b")).round(2, mode="half_away_from_zero")).item()
    exact = frame.select(
        money.rounded_amount(money.product(pl.col("a"), pl.col("b")), pl.col("currency_code"))
    ).item()
    assert (naive, exact) == (Decimal("0.02"), Decimal("0.01"))


@given(st.decimals("-99999", "99999", places=2), st.decimals("-9.9999", "9.9999", places=4))
def test_a_product_is_exact_to_six_decimals(left, right):
    frame = pl.DataFrame(
        {"left": [left], "right": [right]}, schema={"left": money.MONEY, "right": pl.Decimal(18, 6)}
    )
    assert frame.select(money.product(pl.col("left"), pl.col("right"))).item() == left * right


@given(
    st.integers(-10_000_000, 10_000_000),
    st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=12).filter(any),
    CURRENCIES,
)
def test_parts_add_up_to_the_whole_and_none_is_a_unit_away_from_its_share(units, weights, code):
    step = money.unit(code)
    whole = units * step
    parts = money.split(whole, weights, code)
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        exact = whole * weight / sum(weights)
        assert abs(part - exact) < step + Decimal("1e-18")
        assert part == part.quantize(step, rounding=ROUND_HALF_UP)
        assert part == 0 or (part > 0) == (whole > 0)


@pytest.mark.parametrize(
    ("whole", "weights", "code", "parts"),
    [
        ("100.00", ["1", "1", "1"], "EUR", ["33.34", "33.33", "33.33"]),
        ("-100.00", ["1", "1", "1"], "EUR", ["-33.34", "-33.33", "-33.33"]),
        ("100", ["1", "1", "1"], "JPY", ["34", "33", "33"]),
        ("0.05", ["0.5", "0.25", "0.25"], "EUR", ["0.03", "0.01", "0.01"]),
        ("0.02", ["1", "0", "2"], "EUR", ["0.01", "0.00", "0.01"]),
    ],
)
def test_left_over_cents_go_to_the_largest_remainders_and_the_earlier_part_first(whole, weights, code, parts):
    assert money.split(Decimal(whole), [Decimal(w) for w in weights], code) == [Decimal(p) for p in parts]


@pytest.mark.parametrize(
    ("whole", "weights", "why"),
    [
        ("1.00", ["0", "0"], "weights"),
        ("1.00", ["2", "-1"], "weights"),
        ("1.00", [], "weights"),
        ("1.005", ["1"], "round it"),
    ],
)
def test_a_split_that_cannot_add_up_is_refused(whole, weights, why):
    with pytest.raises(ValueError, match=why):
        money.split(Decimal(whole), [Decimal(w) for w in weights], "EUR")


@pytest.mark.parametrize(
    ("part", "whole", "ratio"),
    [
        ("1.00", "3.00", "0.333333"),
        ("2.00", "3.00", "0.666667"),
        ("-2.00", "3.00", "-0.666667"),
        ("0.0001", "200.00", "0.000001"),
        ("0.0001", "200.0001", "0.000000"),
        ("-0.0015", "1000.00", "-0.000002"),
        ("99999999999999.9999", "0.0003", "333333333333333333.000000"),
        ("0.00", "5.00", "0.000000"),
        ("5.00", "0.00", None),
        ("5.00", "-1.00", None),
    ],
)
def test_a_ratio_is_exact_and_rounded_once(part, whole, ratio):
    frame = pl.DataFrame(
        {"part": [Decimal(part)], "whole": [Decimal(whole)]},
        schema=dict.fromkeys(("part", "whole"), money.MONEY),
    )
    result = frame.select(ratio=money.ratio(pl.col("part"), pl.col("whole")))["ratio"].to_list()
    assert result == [ratio and Decimal(ratio)]
