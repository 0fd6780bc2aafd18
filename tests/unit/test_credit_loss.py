"""Where open money ends: worked values, what is not known, and that no cent is made or lost by rounding."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.credit_loss import absorbed_in, chain_losses

JUNE = date(2026, 6, 30)
ENDS = ("paid", "written_off")
WORKED = {
    ("1-30", "1-30"): Decimal("25"),
    ("1-30", "31-60"): Decimal("25"),
    ("1-30", "paid"): Decimal("50"),
    ("31-60", "1-30"): Decimal("5"),
    ("31-60", "31-60"): Decimal("25"),
    ("31-60", "paid"): Decimal("50"),
    ("31-60", "written_off"): Decimal("20"),
}


def rates(rolled, months=(JUNE,), entity="E", currency="EUR"):
    return pl.DataFrame(
        [
            {
                "month_end_date": month,
                "entity_id": entity,
                "currency_code": currency,
                "from_bucket": start,
                "to_bucket": end,
                "rolled_amount": Decimal(amount),
            }
            for month in months
            for (start, end), amount in rolled.items()
        ],
        schema_overrides={"rolled_amount": pl.Decimal(18, 4)},
    )


def balances(amounts, as_of=JUNE, entity="E", currency="EUR"):
    return pl.DataFrame(
        [
            {
                "as_of_date": as_of,
                "entity_id": entity,
                "currency_code": currency,
                "aging_bucket": label,
                "open_amount": Decimal(amount),
            }
            for label, amount in amounts.items()
        ],
        schema_overrides={"open_amount": pl.Decimal(18, 4)},
    )


def rows(frame):
    columns = ["aging_bucket", "chain_loss_ratio", "chain_allowance_amount"]
    return [tuple(row) for row in frame.select(columns).iter_rows()]


def test_the_chain_of_the_definition_ends_where_it_says():
    assert absorbed_in(WORKED, ENDS) == {
        "1-30": {"paid": Fraction(10, 11), "written_off": Fraction(1, 11)},
        "31-60": {"paid": Fraction(8, 11), "written_off": Fraction(3, 11)},
    }


def test_its_allowance_is_rounded_once_and_split_by_largest_remainder():
    found = chain_losses(rates(WORKED), balances({"1-30": "40000", "31-60": "50000"}), 12, ("1-30", "31-60"))
    assert rows(found) == [
        ("1-30", Decimal("0.090909"), Decimal("3636.37")),
        ("31-60", Decimal("0.272727"), Decimal("13636.36")),
    ]
    assert found["chain_allowance_amount"].sum() == Decimal("17272.73")


def test_a_currency_without_cents_is_split_in_whole_units():
    found = chain_losses(
        rates(WORKED, currency="JPY"),
        balances({"1-30": "40000", "31-60": "50000"}, currency="JPY"),
        12,
        ("1-30", "31-60"),
    )
    assert [row[2] for row in rows(found)] == [3637, 13636]


def test_a_bucket_that_nobody_has_seen_leave_is_not_known():
    rolled = {("1-30", "31-60"): 1, ("current", "paid"): 3, ("current", "written_off"): 1}
    assert absorbed_in(rolled, ENDS) == {"current": {"paid": Fraction(3, 4), "written_off": Fraction(1, 4)}}
    assert absorbed_in({("over 90", "over 90"): 5}, ENDS) == {}
    assert absorbed_in({("1-30", "31-60"): 1, ("31-60", "1-30"): 1, ("1-30", "paid"): 0}, ENDS) == {}
    assert absorbed_in({}, ENDS) == {}


def test_what_is_held_where_nothing_is_known_leaves_the_sum_unknown():
    known = rates({("1-30", "paid"): "3", ("1-30", "written_off"): "1"})
    labels = ("1-30", "over 90")
    assert rows(chain_losses(known, balances({"1-30": "10", "over 90": "0"}), 12, labels)) == [
        ("1-30", Decimal("0.25"), Decimal("2.5")),
        ("over 90", None, Decimal(0)),
    ]
    assert rows(chain_losses(known, balances({"1-30": "10", "over 90": "0.01"}), 12, labels)) == [
        ("1-30", Decimal("0.25"), None),
        ("over 90", None, None),
    ]


@pytest.mark.parametrize(
    ("month", "known"),
    [
        (date(2025, 7, 31), True),
        (date(2025, 6, 30), False),
        (date(2026, 6, 30), True),
        (date(2026, 7, 31), False),
    ],
)
def test_the_months_that_count_are_the_last_twelve_by_the_date(month, known):
    found = chain_losses(
        rates({("1-30", "written_off"): "1"}, [month]), balances({"1-30": "10"}), 12, ("1-30",)
    )
    assert rows(found) == [("1-30", Decimal(1), Decimal(10)) if known else ("1-30", None, None)]


def test_months_are_averaged_by_their_amounts():
    both = pl.concat(
        [
            rates({("1-30", "paid"): "90", ("1-30", "written_off"): "10"}, [date(2026, 5, 31)]),
            rates({("1-30", "written_off"): "100"}, [JUNE]),
        ]
    )
    assert rows(chain_losses(both, balances({"1-30": "100"}), 12, ("1-30",))) == [
        ("1-30", Decimal("0.55"), Decimal(55))
    ]


def test_ledgers_do_not_mix_and_money_owed_by_us_is_not_lost():
    found = chain_losses(
        pl.concat([rates({("1-30", "paid"): "1"}), rates({("1-30", "written_off"): "1"}, currency="USD")]),
        pl.concat([balances({"1-30": "-7"}), balances({"1-30": "7"}, currency="USD")]),
        12,
        ("1-30",),
    )
    assert rows(found) == [("1-30", Decimal(0), Decimal(0)), ("1-30", Decimal(1), Decimal(7))]


AMOUNTS = st.integers(min_value=0, max_value=10_000)
LABELS = ("a", "b", "c")


@given(
    moved=st.dictionaries(st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, *ENDS))), AMOUNTS),
    opens=st.fixed_dictionaries(dict.fromkeys(LABELS, AMOUNTS)),
)
def test_shares_of_a_bucket_add_up_to_one_and_parts_to_the_rounded_whole(moved, opens):
    shares = absorbed_in(moved, ENDS)
    assert all(sum(ends.values()) == 1 and min(ends.values()) >= 0 for ends in shares.values())
    for bucket in shares:
        # one step of the chain leaves every share as it is
        whole = sum(amount for (start, _), amount in moved.items() if start == bucket)
        onwards = sum(
            Fraction(amount, whole) * (shares[end]["paid"] if end in shares else Fraction(int(end == "paid")))
            for (start, end), amount in moved.items()
            if start == bucket and amount
        )
        assert onwards == shares[bucket]["paid"]
    if moved:
        found = chain_losses(rates(moved), balances(opens), 12, LABELS)
        if found["chain_allowance_amount"].null_count() == 0:
            exact = sum(
                opens[label] * shares.get(label, {"written_off": 0})["written_off"] for label in LABELS
            )
            assert abs(Fraction(found["chain_allowance_amount"].sum()) - exact) <= Fraction(1, 200)
