"""A run that is unlike the last ones trips a brake: both sides of every edge, and what is too small to judge."""

from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from o2c.brakes import judge_brakes, median, required_approvals
from o2c.checks import Check
from o2c.contract import MONEY
from o2c.policy import load_policies
from o2c.policy.controls import Brakes
from o2c.run_measures import CurrencyMeasures, Measures, measures_of
from o2c.settings import PROJECT

POLICY = load_policies(PROJECT / "policies").controls.brakes
EUR = CurrencyMeasures(
    letter_count=100,
    amount=Decimal("10000.00"),
    largest_customer_amount=Decimal("900.00"),
    payment_count=80,
    received_amount=Decimal("50000.00"),
    suspense_amount=Decimal("600.00"),
)
USUAL = Measures(
    message_count=100,
    customer_count=90,
    first_time_customer_count=9,
    final_notice_count=6,
    referral_count=2,
    row_count=10_000,
    rejected_row_count=3,
    by_currency={"EUR": EUR},
    row_counts={"erp.invoices": 1000, "erp.disputes": 4, "erp.payments": 21},
)
BEFORE = [USUAL] * 5


def tripped(measures: Measures, earlier: list[Measures] | None = None, policy: Brakes = POLICY) -> list[str]:
    return [
        check.check_name for check in judge_brakes(measures, earlier or BEFORE, policy) if not check.passed
    ]


def eur(**changes) -> Measures:
    given = {name: Decimal(value) if isinstance(value, str) else value for name, value in changes.items()}
    return replace(USUAL, by_currency={"EUR": replace(EUR, **given)})


def rows(**changes: int) -> Measures:
    return replace(
        USUAL, row_counts={**USUAL.row_counts, **{f"erp.{table}": n for table, n in changes.items()}}
    )


# ── the median ──


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([7], "7"),
        ([9, 1, 5], "5"),
        ([1, 2, 3, 10], "2.5"),
        ([Decimal("0.01"), Decimal("0.02")], "0.015"),
        ([Decimal("99999999999999.9999"), Decimal("99999999999999.9998")], "99999999999999.99985"),
        ([5, 1, 1, 1, 1], "1"),
    ],
)
def test_the_median_of_an_even_count_is_the_exact_mean_of_the_two_in_the_middle(
    values: list, middle: str
) -> None:
    assert median(values) == Decimal(middle)


# ── each brake on both sides of its edge ──


def test_an_ordinary_run_trips_nothing_and_needs_nobody() -> None:
    checks = judge_brakes(USUAL, BEFORE, POLICY)
    assert {check.severity for check in checks} == {"brake"}
    assert [check.check_name for check in checks] == [
        "brake.messages",
        "brake.amount.EUR",
        "brake.largest_customer.EUR",
        "brake.first_time_customers",
        "brake.final_notices",
        "brake.referrals",
        "brake.rows.erp.invoices",
        "brake.rows.erp.payments",
        "brake.suspense.EUR",
        "brake.unexplained_change",
    ]
    assert all(check.passed for check in checks)
    assert required_approvals(checks, POLICY, len(BEFORE)) == (0, "")


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (replace(USUAL, message_count=130), []),
        (replace(USUAL, message_count=131), ["brake.messages"]),
        (replace(USUAL, message_count=70), []),
        (replace(USUAL, message_count=69), ["brake.messages"]),
        (eur(amount="12500.00"), []),
        (eur(amount="12500.01"), ["brake.amount.EUR"]),
        (eur(amount="7500.00"), []),
        (eur(amount="7499.99"), ["brake.amount.EUR"]),
        (eur(largest_customer_amount="2000.00"), []),
        (eur(largest_customer_amount="2000.01"), ["brake.largest_customer.EUR"]),
        (replace(USUAL, first_time_customer_count=18), []),
        (replace(USUAL, first_time_customer_count=19), ["brake.first_time_customers"]),
        (replace(USUAL, final_notice_count=12), []),
        (replace(USUAL, final_notice_count=13), ["brake.final_notices"]),
        (replace(USUAL, referral_count=5), []),
        (replace(USUAL, referral_count=6), ["brake.referrals"]),
        (rows(invoices=700), []),
        (rows(invoices=699), ["brake.rows.erp.invoices"]),
        (rows(invoices=9000), []),
        (eur(suspense_amount="1000.00"), []),
        (eur(suspense_amount="1000.01"), ["brake.suspense.EUR"]),
        (replace(USUAL, unexplained_amounts={"DE01 EUR": Decimal("0.0000")}), []),
        (replace(USUAL, unexplained_amounts={"DE01 EUR": Decimal("-0.01")}), ["brake.unexplained_change"]),
    ],
    ids=[
        "30 % more messages", "one more than that", "30 % fewer", "one fewer than that", "25 % more money",
        "a cent more than that", "25 % less", "a cent less than that", "a fifth with one customer", "a cent more",
        "a fifth of the customers are new", "one more is", "twice the final notices", "one more", "five referrals",
        "six", "30 % of a table gone", "one row more gone", "many more rows", "2 % of cash in suspense", "a cent more",
        "every change posted", "a cent that nobody posted",
    ],
)  # fmt: skip
def test_what_lies_on_the_limit_passes_and_what_lies_beyond_trips(now: Measures, names: list[str]) -> None:
    assert tripped(now) == names


def test_a_brake_says_what_was_expected_found_and_usual() -> None:
    found = judge_brakes(eur(amount="12500.01"), BEFORE, POLICY)
    assert next(check for check in found if not check.passed) == Check(
        "brake.amount.EUR", "7500 to 12500 EUR", "12500.01 EUR (median of 5 runs: 10000)", False, "brake"
    )


def test_referrals_are_measured_by_the_usual_number_where_that_is_more() -> None:
    many = [replace(USUAL, referral_count=20)] * 5
    assert tripped(replace(USUAL, referral_count=40), many) == []
    assert tripped(replace(USUAL, referral_count=41), many) == ["brake.referrals"]


def test_one_strange_run_among_five_does_not_move_what_is_usual() -> None:
    strange = replace(USUAL, message_count=10_000)
    assert tripped(replace(USUAL, message_count=130), [strange, *BEFORE[1:]]) == []
    assert tripped(replace(USUAL, message_count=131), [strange, *BEFORE[1:]]) == ["brake.messages"]


def test_only_the_latest_runs_count() -> None:
    old = [replace(USUAL, message_count=1000)] * 20
    assert tripped(USUAL, [*BEFORE, *old]) == []
    assert tripped(USUAL, [*old, *BEFORE]) == ["brake.messages"]


def test_rows_are_held_against_the_last_run_and_not_against_the_median() -> None:
    shrunk = rows(invoices=400)
    assert tripped(shrunk, [shrunk, *BEFORE[1:]]) == []
    assert tripped(rows(invoices=279), [shrunk, *BEFORE[1:]]) == ["brake.rows.erp.invoices"]


def test_a_table_that_is_gone_trips_also_where_it_is_small_and_protects_customers() -> None:
    none = {name: count for name, count in USUAL.row_counts.items() if name != "erp.disputes"}
    assert tripped(replace(USUAL, row_counts=none)) == ["brake.rows.erp.disputes"]
    assert tripped(rows(disputes=0)) == ["brake.rows.erp.disputes"]
    assert tripped(rows(disputes=1)) == []


# ── what is too small to judge ──


def small(count: int) -> Measures:
    own = CurrencyMeasures(count, Decimal(count * 100), Decimal(count * 90), count, Decimal(100), Decimal(99))
    return replace(
        USUAL,
        message_count=count,
        customer_count=count,
        first_time_customer_count=count,
        final_notice_count=0,
        by_currency={"EUR": own},
    )


def test_no_ratios_are_judged_of_runs_as_small_as_the_policy_says() -> None:
    assert tripped(small(20), [small(5)] * 5) == []
    assert tripped(small(21), [small(5)] * 5) == [
        "brake.messages",
        "brake.amount.EUR",
        "brake.largest_customer.EUR",
        "brake.first_time_customers",
        "brake.suspense.EUR",
    ]


def test_a_small_run_after_large_ones_is_a_change() -> None:
    assert tripped(small(5)) == ["brake.messages", "brake.amount.EUR"]


def test_a_run_without_letters_has_nothing_to_hold_back() -> None:
    nothing = replace(
        USUAL, message_count=0, customer_count=0, first_time_customer_count=0, final_notice_count=0
    )
    assert tripped(replace(nothing, by_currency={})) == []


def test_a_currency_of_few_letters_is_not_judged_and_a_new_one_of_many_is() -> None:
    few, many = (
        replace(EUR, letter_count=20, payment_count=20),
        replace(EUR, letter_count=21, payment_count=0),
    )
    assert tripped(replace(USUAL, by_currency={"EUR": EUR, "CHF": few})) == []
    assert tripped(replace(USUAL, by_currency={"EUR": EUR, "CHF": many})) == ["brake.amount.CHF"]


def test_a_currency_that_is_gone_is_a_change() -> None:
    usd = replace(EUR, suspense_amount=Decimal(0))
    both = [replace(USUAL, by_currency={"EUR": EUR, "USD": usd})] * 5
    assert tripped(USUAL, both) == ["brake.amount.USD"]


# ── the first runs, and homes where approval is taken as given ──


@pytest.mark.parametrize("count", [0, 4])
def test_while_there_are_fewer_runs_people_look_at_every_letter_instead(count: int) -> None:
    wild = replace(USUAL, message_count=10**6)
    checks = judge_brakes(wild, [USUAL] * count, POLICY)
    assert checks == [
        Check(
            "brakes", "5 runs that sent", f"{count}; people who approve every letter instead: 1", True, "info"
        )
    ]
    people, why = required_approvals(checks, POLICY, count)
    assert (people, why) == (1, f"only {count} of 5 runs have sent that this one could be compared with")


def test_a_tripped_brake_needs_two_people_who_are_told_why() -> None:
    checks = judge_brakes(replace(USUAL, message_count=131, final_notice_count=13), BEFORE, POLICY)
    assert required_approvals(checks, POLICY, 5) == (
        2,
        "unlike the runs before: brake.messages: 131 (median of 5 runs: 100), not 70 to 130;"
        " brake.final_notices: 13, not at most 12",
    )


def test_where_approval_is_taken_as_given_everything_is_only_told() -> None:
    told = judge_brakes(replace(USUAL, message_count=131), BEFORE, POLICY, is_given=True)
    assert [check for check in told if check.severity == "info"] == [
        Check(
            "brake.messages",
            "70 to 130",
            "131 (median of 5 runs: 100); approval is taken as given here",
            True,
            "info",
        )
    ]
    assert all(check.passed for check in told)
    first = judge_brakes(USUAL, [], POLICY, is_given=True)
    assert [check.actual for check in first] == ["0; approval is taken as given here"]


# ── measures ──


def letters(*given: tuple[str, str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(customer, currency, level, Decimal(amount)) for customer, currency, level, amount in given],
        schema={
            "customer_id": pl.String,
            "currency_code": pl.String,
            "level": pl.Int64,
            "total_amount": MONEY,
        },
        orient="row",
    )


LANDED = pl.DataFrame(
    [
        ("erp", "invoices", 100, 98, 2),
        ("erp", "invoices", 50, 50, 0),
        ("crm", "disputes", 3, 3, 0),
    ],
    schema={
        "source": pl.String,
        "table_name": pl.String,
        "rows_in": pl.Int64,
        "loaded": pl.Int64,
        "rejected": pl.Int64,
    },
    orient="row",
)
CASH = pl.DataFrame(
    [("EUR", 4, Decimal("500.00"), Decimal("20.00")), ("GBP", 1, Decimal("5.00"), Decimal("0.00"))],
    schema={
        "currency_code": pl.String,
        "payment_count": pl.Int64,
        "received_amount": MONEY,
        "suspense_amount": MONEY,
    },
    orient="row",
)
UNEXPLAINED = pl.DataFrame(
    [("DE01", "EUR", Decimal("-3.00"))],
    schema={"entity_id": pl.String, "currency_code": pl.String, "amount": MONEY},
    orient="row",
)


def measured() -> Measures:
    return measures_of(
        letters(
            ("A", "EUR", 1, "10.00"),
            ("A", "EUR", 0, "5.50"),
            ("A", "USD", 3, "7.00"),
            ("B", "EUR", 3, "12.00"),
            ("C", "USD", 2, "1.00"),
        ),
        pl.Series(["B", "Z", "B"]),
        3,
        LANDED,
        CASH,
        UNEXPLAINED,
    )


def test_measures_count_letters_customers_money_rows_and_cash_by_currency() -> None:
    assert measured() == Measures(
        message_count=5,
        customer_count=3,
        first_time_customer_count=2,
        final_notice_count=2,
        referral_count=3,
        row_count=153,
        rejected_row_count=2,
        by_currency={
            "EUR": CurrencyMeasures(3, Decimal("27.50"), Decimal("15.50"), 4, Decimal(500), Decimal(20)),
            "GBP": CurrencyMeasures(0, Decimal(0), Decimal(0), 1, Decimal(5), Decimal(0)),
            "USD": CurrencyMeasures(2, Decimal(8), Decimal(7), 0, Decimal(0), Decimal(0)),
        },
        row_counts={"crm.disputes": 3, "erp.invoices": 148},
        unexplained_amounts={"DE01 EUR": Decimal(-3)},
    )


def test_measures_come_back_from_the_ledger_as_they_went_in() -> None:
    for one in (measured(), USUAL, Measures()):
        assert Measures.from_json(one.to_json()) == one
    assert '"amount":"27.5000"' in measured().to_json()


def test_a_run_without_anything_has_measures_too() -> None:
    nothing = measures_of(
        letters(), pl.Series([], dtype=pl.String), 0, LANDED.head(0), CASH.head(0), UNEXPLAINED.head(0)
    )
    assert nothing == Measures()
