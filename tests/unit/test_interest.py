"""Discounts left and interest of late payments: the values of the definition, both sides of each edge."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.interest import discount_cost, late_interest

DUE = date(2026, 3, 31)


def test_two_ten_net_thirty_costs_37_24_percent_a_year():
    assert discount_cost(Decimal("0.02"), 10, 30) == Decimal("0.372449")
    assert discount_cost(Decimal("0.01"), 0, 1) == Decimal("3.686869")


@pytest.mark.parametrize(
    ("ratio", "days", "net"), [("0", 10, 30), ("1", 10, 30), ("0.02", 30, 30), ("0.02", -1, 30)]
)
def test_what_is_no_discount_is_refused(ratio, days, net):
    with pytest.raises(ValueError, match="is no discount"):
        discount_cost(Decimal(ratio), days, net)


@pytest.mark.parametrize(
    ("paid", "interest"),
    [
        (date(2026, 3, 30), "0"),
        (DUE, "0"),
        (date(2026, 4, 1), "3.2192"),
        (date(2026, 4, 2), "6.4384"),
        (date(2027, 3, 31), "1175"),
    ],
)
def test_ten_thousand_at_11_75_percent_is_3_2192_a_day(paid, interest):
    assert late_interest(Decimal(10000), [(date(2026, 1, 1), Decimal("0.1175"))], DUE, paid) == Decimal(
        interest
    )


def test_interest_is_split_where_the_rate_changes():
    rates = [(date(2026, 7, 1), Decimal("0.1")), (date(2026, 1, 1), Decimal("0.2"))]
    # 91 days from April to June at 20 %, then July's first day at 10 %; rounded once
    assert late_interest(Decimal(365), rates, DUE, date(2026, 6, 30)) == Decimal("18.2")
    assert late_interest(Decimal(365), rates, DUE, date(2026, 7, 1)) == Decimal("18.3")
    assert late_interest(Decimal(-365), rates, DUE, date(2026, 7, 1)) == Decimal("-18.3")


def test_a_day_without_a_rate_and_two_rates_for_a_day_are_refused():
    assert late_interest(Decimal(365), [(date(2026, 4, 1), Decimal(1))], DUE, date(2026, 4, 1)) == 1
    with pytest.raises(ValueError, match="no interest rate for 2026-04-01"):
        late_interest(Decimal(365), [(date(2026, 4, 2), Decimal(1))], DUE, date(2026, 4, 2))
    with pytest.raises(ValueError, match="two interest rates"):
        late_interest(Decimal(365), [(date(2026, 1, 1), Decimal(1))] * 2, DUE, date(2026, 4, 2))
