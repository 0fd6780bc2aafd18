"""Statements of one account follow one another: balances, numbers, days given twice or changed."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank.chain import Link, check_chain


def _day(day: int, opening: int, closing: int, **other: object) -> Link:
    link = Link(
        file_id=f"file-{day}",
        statement_ordinal=1,
        position="statement 1",
        account="ACC",
        currency_code="EUR",
        statement_id=f"S{day}",
        number=None,
        page_number=None,
        last_date=date(2024, 1, day),
        opening_amount=Decimal(opening),
        closing_amount=Decimal(closing),
        entry_count=1,
        digest=f"digest-{day}-{opening}-{closing}",
    )
    return replace(link, **other)


WEEK = [_day(1, 0, 10), _day(2, 10, 7), _day(3, 7, 7), _day(4, 7, 20)]


def _codes(links: list[Link]) -> list[tuple[str, str | None]]:
    return [(one.code, one.file_id) for one in check_chain(links)]


def test_a_week_that_follows_on_is_no_issue_in_any_order() -> None:
    shuffled = WEEK.copy()
    random.Random(1).shuffle(shuffled)  # noqa: S311 - a fixed order
    assert _codes(WEEK) == _codes(shuffled) == []


def test_a_missing_day_shows_in_the_next_opening_balance() -> None:
    assert _codes([WEEK[0], WEEK[2], WEEK[3]]) == [("opening_differs", "file-3")]


def test_a_day_without_movement_is_missed_by_number() -> None:
    numbered = [replace(one, number=str(40 + index)) for index, one in enumerate(WEEK)]
    assert _codes(numbered) == []
    assert _codes([numbered[0], numbered[1], numbered[3]]) == [("sequence_gap", "file-4")]


def test_accounts_and_currencies_are_chains_of_their_own() -> None:
    others = [replace(_day(2, 500, 600), account="OTHER"), replace(_day(3, 70, 80), currency_code="USD")]
    assert _codes([*WEEK, *others]) == []


def test_the_same_statement_in_another_file_is_repeated_and_counted_once() -> None:
    again = replace(WEEK[1], file_id="file-b", statement_id="other-id")
    assert _codes([*WEEK, again]) == [("statement_repeated", "file-b")]


def test_a_day_without_entries_repeats_only_itself() -> None:
    quiet = replace(WEEK[2], entry_count=0, number="3")
    second = replace(quiet, file_id="file-3b", number="4", statement_id="S3b")
    numbered = [replace(WEEK[0], number="1"), replace(WEEK[1], number="2"), quiet, second]
    assert _codes(numbered) == []
    assert _codes([*numbered, replace(quiet, file_id="again")]) == [("statement_repeated", "again")]


def test_one_number_with_two_contents_is_changed() -> None:
    changed = replace(WEEK[3], file_id="file-x", closing_amount=Decimal(21), digest="other")
    assert ("statement_changed", "file-x") in _codes([*WEEK, changed])


def test_several_statements_of_a_day_follow_their_balances() -> None:
    day = [_day(5, 30, 50, file_id="c"), _day(5, 20, 25, file_id="b"), _day(5, 25, 30, file_id="a")]
    day = [replace(one, statement_id=f"S5{one.file_id}") for one in day]
    assert _codes([*WEEK, *day]) == []
    assert _codes(day) == []
    assert [code for code, _ in _codes([*WEEK, day[0], day[1]])] == ["opening_differs"]


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        (("7", 2023, None), ("8", 2023, None), []),
        (("7", 2023, None), ("9", 2023, None), ["sequence_gap"]),
        (("7", 2023, None), ("6", 2023, None), ["sequence_gap"]),
        (("250", 2023, None), ("1", 2024, None), []),
        (("250", 2023, None), ("2", 2024, None), ["sequence_gap"]),
        (("130000250", 2023, None), ("140000001", 2024, None), []),
        (("250", 2023, None), ("251", 2024, None), []),
        (("7", 2023, 1), ("7", 2023, 2), []),
        (("7", 2023, 2), ("7", 2023, 1), []),
        (("20230531", 2023, None), ("20230602", 2023, None), []),
        (("230531", 2023, None), ("230602", 2023, None), []),
        (("0", 2023, None), ("0", 2023, None), []),
        (("A7", 2023, None), ("A9", 2023, None), []),
        ((None, 2023, None), ("9", 2023, None), []),
    ],
)
def test_numbers_count_up_by_one_and_may_start_again_in_a_new_year(
    before: tuple[str | None, int, int | None], after: tuple[str | None, int, int | None], codes: list[str]
) -> None:
    first = replace(_day(1, 0, 0, number=before[0], page_number=before[2]), last_date=date(before[1], 12, 30))
    second = replace(
        _day(2, 0, 0, number=after[0], page_number=after[2]),
        last_date=date(after[1], 12, 31 if before[2] != 2 else 30),
    )
    assert [one.code for one in check_chain([first, second])] == codes


def test_a_statement_without_balances_breaks_no_chain() -> None:
    without = replace(WEEK[1], opening_amount=None, closing_amount=None)
    assert _codes([WEEK[0], without, WEEK[2]]) == []
