"""Amounts and dates look as the reader writes them."""

from datetime import date
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from o2c.locale_formats import amount_writer, letter_locale, written_date


@pytest.mark.parametrize(
    ("country_code", "currency_code", "amount", "written"),
    [
        ("US", "USD", "1234.5", "$1,234.50"),
        ("US", "USD", "-0.01", "-$0.01"),
        ("DE", "EUR", "1234567.89", "1.234.567,89\u00a0€"),
        ("FR", "EUR", "1234", "1\u202f234,00\u00a0€"),
        ("CH", "CHF", "1234.5", "CHF\u00a01’234.50"),
        ("IN", "INR", "1234567.5", "₹12,34,567.50"),
        ("JP", "JPY", "2500", "JP¥2,500"),
        ("GB", "KWD", "0.125", "KWD\u00a00.125"),
        ("BR", "USD", "1", "US$1.00"),
        (None, "EUR", "0", "€0.00"),
    ],
)
def test_an_amount_has_the_marks_of_the_country_and_the_decimals_of_the_currency(
    country_code, currency_code, amount, written
):
    assert amount_writer(currency_code, letter_locale("en", country_code))(Decimal(amount)) == written


@pytest.mark.parametrize(("currency_code", "amount"), [("JPY", "0.5"), ("EUR", "0.001"), ("KWD", "0.0001")])
def test_an_amount_finer_than_its_currency_is_refused(currency_code, amount):
    with pytest.raises(ValueError, match="finer"):
        amount_writer(currency_code, letter_locale("en", "US"))(Decimal(amount))


@pytest.mark.parametrize("currency_code", ["XAU", "ABC", "eur", ""])
def test_what_is_no_money_cannot_be_written(currency_code):
    with pytest.raises(ValueError, match="currency"):
        amount_writer(currency_code, letter_locale("en", "US"))


@given(
    st.decimals(-(10**13), 10**13, places=2),
    st.sampled_from(["US", "GB", "DE", "AT", "CH", "FR", "IN", "ZA", "SE", "NL", "DK", "IL", "JP", None]),
    st.sampled_from(["EUR", "USD", "GBP"]),
)
def test_the_quick_way_writes_what_babel_writes(amount, country_code, currency_code):
    locale = letter_locale("en", country_code)
    amount = amount + 0  # no negative zero: there is no such amount of money
    assert amount_writer(currency_code, locale)(amount) == format_currency(
        amount, currency_code, locale=locale
    )


def test_a_date_names_its_month():
    day = date(2026, 3, 12)
    assert [written_date(day, letter_locale("en", country)) for country in ("US", "DE", "GB", "BR")] == [
        "Mar 12, 2026",
        "12 Mar 2026",
        "12 Mar 2026",
        "12 Mar 2026",
    ]
