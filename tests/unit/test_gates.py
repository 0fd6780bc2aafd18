"""What closes the gate before sending, a cent and a minute on either side."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from o2c.calendars import BusinessCalendar
from o2c.checks import Check
from o2c.gates import PROTECTIVE_TABLES, calendar_known, control_account, rejected_rows, sending_clock
from o2c.policy import ControlsPolicy, load_policies
from o2c.settings import PROJECT

CONTROLS = load_policies(PROJECT / "policies").controls


def policy(ratio: str = "0.005", time_zone: str = "America/New_York") -> ControlsPolicy:
    return CONTROLS.model_copy(update={"time_zone": time_zone, "max_rejected_ratio": Decimal(ratio)})


def counts(*rows: tuple[str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"table_name": pl.String, "rows_in": pl.Int64, "rejected": pl.Int64}, orient="row"
    )


def gate(name: str, expected: str, actual: str, passed: bool) -> Check:
    return Check(name, expected, actual, passed, "gate")


# ── rejected rows ──


@pytest.mark.parametrize(("rejected", "passed"), [(0, True), (1, False)], ids=["none", "one"])
def test_a_limit_of_zero_lets_no_rejected_row_pass_and_none_is_well(rejected: int, passed: bool) -> None:
    found = rejected_rows(counts(("payments", 100, rejected)), policy("0"))
    assert [check.passed for check in found] == [passed, True]


@pytest.mark.parametrize(
    ("rows_in", "rejected", "shown", "passed"),
    [
        (10_000, 49, "0.004900", True),
        (10_000, 50, "0.005000", False),
        (10_000, 51, "0.005100", False),
        (100_000_000, 499_999, "0.005000", True),
        (1, 0, "0.000000", True),
        (0, 0, "0.000000", True),
    ],
    ids=["just below", "at the limit", "above", "a hair below", "none rejected", "no rows"],
)
def test_rejected_rows_stay_below_the_limit(rows_in: int, rejected: int, shown: str, passed: bool) -> None:
    assert rejected_rows(counts(("invoices", rows_in, rejected)), policy()) == [
        gate("rejected_rows_ratio", "< 0.005", f"{shown} ({rejected} of {rows_in})", passed),
        gate("rejected_protective_rows", "0", "0", True),
    ]


def test_the_share_is_that_of_all_files_together() -> None:
    ratio, _ = rejected_rows(counts(("invoices", 100, 1), ("payments", 900, 0)), policy())
    assert ratio == gate("rejected_rows_ratio", "< 0.005", "0.001000 (1 of 1000)", True)


@pytest.mark.parametrize("table", PROTECTIVE_TABLES)
def test_one_rejected_row_that_may_protect_a_customer_closes_the_gate(table: str) -> None:
    found = rejected_rows(counts(("invoices", 1_000_000, 0), (table, 10, 1)), policy())
    assert [(check.check_name, check.actual, check.passed) for check in found] == [
        ("rejected_rows_ratio", "0.000001 (1 of 1000010)", True),
        ("rejected_protective_rows", "1", False),
    ]


def test_nothing_landed_closes_no_gate() -> None:
    assert [check.passed for check in rejected_rows(counts(), policy())] == [True, True]


# ── control account ──


def accounts(*rows: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    money = pl.Decimal(18, 4)
    return pl.DataFrame(
        [
            (entity, currency, *(None if text is None else Decimal(text) for text in pair))
            for entity, currency, *pair in rows
        ],
        schema={
            "entity_id": pl.String,
            "currency_code": pl.String,
            "expected_amount": money,
            "actual_amount": money,
        },
        orient="row",
    )


def test_accounts_that_tie_pass() -> None:
    assert control_account(accounts(("E1", "EUR", "10.00", "10.0000"), ("E1", "USD", "0", "0"))) == gate(
        "control_account_ties", "no difference", "no difference", True
    )


def test_each_account_that_is_a_cent_off_is_named_in_order() -> None:
    found = control_account(
        accounts(("E2", "EUR", "10", "9.99"), ("E1", "USD", "5", "5"), ("E1", "EUR", "-10", "-9.99"))
    )
    assert found == gate(
        "control_account_ties",
        "no difference",
        "E1 EUR: ledger -10.0000, items -9.9900; E2 EUR: ledger 10.0000, items 9.9900",
        False,
    )


def test_two_accounts_that_are_off_against_each_other_do_not_make_up_for_it() -> None:
    assert not control_account(accounts(("E1", "EUR", "10", "11"), ("E2", "EUR", "11", "10"))).passed


@pytest.mark.parametrize(("expected", "actual"), [("10", None), (None, "10")])
def test_an_account_of_which_one_side_is_unknown_does_not_tie(
    expected: str | None, actual: str | None
) -> None:
    assert not control_account(accounts(("E1", "EUR", expected, actual))).passed


def test_without_a_control_account_the_gate_does_not_apply() -> None:
    assert control_account(accounts()) == gate("control_account_ties", "not given", "not applicable", True)


# ── calendar ──


def test_holidays_that_are_known_for_the_year_pass() -> None:
    assert calendar_known(["US", "DE", "US"], date(2026, 3, 12), BusinessCalendar()) == gate(
        "calendar_known", "holidays of 2026", "known", True
    )


@pytest.mark.parametrize("year", [2026, 2027])
def test_a_country_without_holidays_for_the_year_closes_the_gate(year: int) -> None:
    found = calendar_known(["US", "LK"], date(year, 3, 12), BusinessCalendar())
    assert found == (
        gate("calendar_known", "holidays of 2026", "known", True)
        if year == 2026
        else gate(
            "calendar_known",
            "holidays of 2027",
            "no holidays known for LK in 2027: Monday to Friday are taken as business days",
            False,
        )
    )


# ── sending window ──

THURSDAY, FRIDAY, MONDAY = date(2026, 3, 12), date(2026, 3, 13), date(2026, 3, 16)


@pytest.mark.parametrize(
    ("as_of", "next_day", "now", "passed"),
    [
        (THURSDAY, FRIDAY, datetime(2026, 3, 12, 3, 59, 59, tzinfo=UTC), False),
        (THURSDAY, FRIDAY, datetime(2026, 3, 12, 4, tzinfo=UTC), True),
        (THURSDAY, FRIDAY, datetime(2026, 3, 14, 3, 59, 59, tzinfo=UTC), True),
        (THURSDAY, FRIDAY, datetime(2026, 3, 14, 4, tzinfo=UTC), False),
        (FRIDAY, MONDAY, datetime(2026, 3, 15, 12, tzinfo=UTC), True),
        (FRIDAY, MONDAY, datetime(2026, 3, 17, 3, 59, 59, tzinfo=UTC), True),
        (FRIDAY, MONDAY, datetime(2026, 3, 17, 4, tzinfo=UTC), False),
    ],
    ids=[
        "a second before the day begins in New York",
        "the day begins there",
        "the last second of the next business day",
        "the day after it",
        "over the weekend",
        "Monday ends",
        "Tuesday begins",
    ],
)
def test_letters_leave_within_the_window_of_the_business_time_zone(
    as_of: date, next_day: date, now: datetime, passed: bool
) -> None:
    check = sending_clock(as_of, now, next_day, policy())
    assert (check.check_name, check.expected, check.passed, check.severity) == (
        "sending_window",
        f"{as_of} to {next_day}",
        passed,
        "gate",
    )


@pytest.mark.parametrize(
    ("time_zone", "shown", "passed"),
    [("Pacific/Auckland", "2026-03-12", True), ("America/New_York", "2026-03-11", False)],
)
def test_the_same_instant_is_another_day_elsewhere(time_zone: str, shown: str, passed: bool) -> None:
    noon = datetime(2026, 3, 11, 12, tzinfo=UTC)
    check = sending_clock(THURSDAY, noon, FRIDAY, policy(time_zone=time_zone))
    assert (check.actual, check.passed) == (shown, passed)
