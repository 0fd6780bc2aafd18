"""Amounts, counts and days by strict grammar; references and accounts in one spelling."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank import references, values
from o2c.sources.bank.model import Reference


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("0", ".", "0"),
        ("1234.50", ".", "1234.50"),
        ("-3", ".", "-3"),
        ("+3.", ".", "3"),
        (".5", ".", "0.5"),
        ("12,", ",", "12"),
        ("12,3", ",", "12.3"),
        ("9" * 18, ".", "9" * 18),
    ],
)
def test_an_amount_as_formats_write_it(text: str, mark: str, amount: str) -> None:
    assert values.amount(text, mark=mark) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "1,5",
        "1 000",
        "1'000",
        "1_000",
        "1e3",
        "NaN",
        "Infinity",
        "--1",
        "１２",
        "٣",
        "0x1",
        "9" * 19,
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        values.amount(text)


def test_minor_units_become_units_of_the_currency() -> None:
    assert [values.minor_amount("+00012345", digits) for digits in (0, 2, 3)] == [
        Decimal(12345),
        Decimal("123.45"),
        Decimal("12.345"),
    ]
    with pytest.raises(ValueError, match="minor units"):
        values.minor_amount("123.45", 2)


def test_counts_are_digits_only() -> None:
    assert values.count("00012") == 12
    for text in ("", "-1", "1.0", "1" * 16, "١"):
        with pytest.raises(ValueError, match="not a count"):
            values.count(text)


def test_days_are_read_as_written_and_must_exist() -> None:
    assert values.iso_day("2024-02-29") == date(2024, 2, 29)
    assert values.iso_day("2024-03-07T23:59:59.999+02:00") == date(2024, 3, 7)
    assert values.compact_day("20240307") == date(2024, 3, 7)
    assert (values.short_day("690101"), values.short_day("700101")) == (date(2069, 1, 1), date(1970, 1, 1))
    for text in (
        "2023-02-29",
        "2024-13-01",
        "2024-3-7",
        "20240307",
        "2024-03-071",
        "1969-12-31",
        "2100-01-01",
    ):
        with pytest.raises(ValueError, match=r"not a date|no day|before 1970"):
            values.iso_day(text)
    for text in ("240230", "2402", "24022x"):
        with pytest.raises(ValueError, match=r"not a date|no day"):
            values.short_day(text)


def test_references_are_recognised_by_shape_and_checked_by_their_digits() -> None:
    assert references.reference("rf18 5390 0754 7034") == Reference(
        "creditor_reference", "rf18 5390 0754 7034", "RF18539007547034", True
    )
    slip = "21 00000 00003 13947 14300 09017"
    assert references.reference(slip) == Reference("qr_reference", slip, slip.replace(" ", ""), True)
    assert references.reference(slip[:-1] + "8").is_valid is False
    assert references.reference("INV-12", "document") == Reference("document", "INV-12", "INV12", None)


def test_accounts_compare_equal_however_they_are_grouped() -> None:
    assert references.account("de89 3704 0044 0532 0130 00") == "DE89370400440532013000"
    assert references.account(" 0012 345 ") == "0012 345"
    assert references.is_valid_iban("DE89 3704 0044 0532 0130 00")
    assert not references.is_valid_iban("DE88 3704 0044 0532 0130 00")


@pytest.mark.parametrize("text", [None, "", "  ", "NOTPROVIDED", "notprovided", "NONREF"])
def test_words_for_nothing_are_nothing(text: str | None) -> None:
    assert references.said(text) is None
