"""Numbers as a reader of the page sees them: exact, half away from zero, a real minus, a dash for nothing known."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.report import written


@pytest.mark.parametrize(
    ("amount", "code", "shown"),
    [
        ("1234567.8900", "EUR", "1,234,567.89"),
        ("-0.005", "EUR", "−0.01"),
        ("-0.0000", "EUR", "0.00"),
        ("-0.004", "EUR", "0.00"),
        ("12345678901234567.8901", "EUR", "12,345,678,901,234,567.89"),
        ("0.5", "JPY", "1"),
        ("1234", "JPY", "1,234"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_money_has_its_minor_units_and_no_float_on_the_way(amount: str, code: str, shown: str) -> None:
    assert written.money(Decimal(amount), code) == shown


def test_a_change_has_its_sign_unless_nothing_is_left_of_it() -> None:
    assert written.money_change(Decimal("0.01"), "EUR") == "+0.01"
    assert written.money_change(Decimal("0.001"), "EUR") == "0.00"
    assert written.money_change(Decimal("-3"), "EUR") == "−3.00"
    assert written.figure_change(Decimal("0.0123"), "ratio") == "+1.2\u00a0pp"
    assert written.figure_change(Decimal("0.0004"), "ratio") == "0.0\u00a0pp"
    assert written.figure_change(Decimal("-4.45"), "days") == "−4.5"


def test_figures_are_rounded_once_half_away_from_zero() -> None:
    assert written.percent(Decimal("0.3181818")) == "31.8\u00a0%"
    assert written.percent(Decimal("0.00450")) == "0.5\u00a0%"
    assert written.days(Decimal("76.35")) == "76.4"
    assert written.days(Decimal("-0.04")) == "0.0"
    assert written.figure(Decimal("14.332075"), "times") == "14.33"


def test_a_share_of_nothing_or_less_is_not_known() -> None:
    assert written.share(Decimal(1), Decimal(3)) == "33.3\u00a0%"
    assert written.share(Decimal(1), Decimal(0)) == written.share(Decimal(1), Decimal(-5)) == written.NOTHING


def test_what_is_not_known_is_a_dash() -> None:
    shown = {
        written.money(None, "EUR"), written.money_of(None, "EUR"), written.money_change(None, "EUR"),
        written.percent(None), written.days(None), written.figure(None, "ratio"), written.figure_change(None, "days"),
        written.count(None), written.day(None), written.text(None),
    }  # fmt: skip
    assert shown == {"–"}


def test_days_and_counts_read_as_words() -> None:
    assert written.day(date(2026, 9, 30)) == "30\u00a0Sep\u00a02026"
    assert written.long_day(date(2026, 9, 3)) == "3 September 2026"
    assert written.counted(1, "item") == "1 item"
    assert written.counted(1204, "day") == "1,204 days"
    assert written.words("on_account") == "on account"
