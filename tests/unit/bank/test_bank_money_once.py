"""However often and in whatever form a bank tells of money, it counts once; any order of arrival gives the same."""

import gzip
import io
import random
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from money_files import Account, Desk, Movement, amounts, at_other_order, camt, mt940, table

FIRST = date(2024, 3, 4)
WEEK = Account(
    FIRST,
    FIRST + timedelta(4),
    100_000,
    (
        Movement(FIRST, 12_345, "REF001"),
        Movement(FIRST, 10_000, "REF002"),
        Movement(FIRST, 10_000, "REF003"),
        Movement(FIRST + timedelta(1), -2_500, "REF004"),
        Movement(FIRST + timedelta(2), 60_000, "REF005", parts=(10_000, 20_000, 30_000)),
        Movement(FIRST + timedelta(4), 777, "REF006"),
    ),
)
PLAIN = camt(WEEK)


def _zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("other.xml", content)
    return target.getvalue()


def _days(account: Account) -> list[Account]:
    count = (account.last - account.first).days + 1
    days = [account.first + timedelta(i) for i in range(count)]
    return [account.part(day, day) for day in days]


DISGUISES = {
    "another name": ("b.xml", PLAIN),
    "gz": ("a.xml.gz", gzip.compress(PLAIN)),
    "zip": ("a.zip", _zipped(PLAIN)),
    "rows in another order": ("a.xml", camt(at_other_order(WEEK))),
    "line ends": ("a.xml", PLAIN.replace(b"\n", b"\r\n")),
    "byte order mark": ("a.xml", b"\xef\xbb\xbf" + PLAIN),
    "re-encoded": ("a.xml", PLAIN.decode().replace("UTF-8", "UTF-16").encode("utf-16")),
    "another format": ("a.sta", mt940(WEEK)),
    "an overlapping statement": ("c.xml", camt(WEEK.part(FIRST + timedelta(1), FIRST + timedelta(4)))),
    "the same as intraday report": ("d.xml", camt(WEEK, "camt.052.001.08")),
    "the same as notification": ("e.xml", camt(WEEK, "camt.054.001.08")),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("comes_first", [True, False], ids=["before", "after"])
def test_a_statement_in_a_disguise_adds_no_cent(disguise: str, comes_first: bool, tmp_path: Path) -> None:
    alone = Desk(tmp_path / "alone")
    alone.take([("a.xml", PLAIN)])
    both = Desk(tmp_path / "both")
    files = [("a.xml", PLAIN), DISGUISES[disguise]]
    both.take(reversed(files) if comes_first else files)
    assert amounts(both.result()) == WEEK.truth
    assert table(both.result()).equals(table(alone.result()))


def test_no_disguise_of_a_whole_statement_closes_a_gate(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    files = [("a.xml", PLAIN), *(one for name, one in DISGUISES.items() if "overlap" not in name)]
    report = desk.take(files)
    assert report.refused == []
    assert report.exception_count == 0
    assert [check.check_name for check in desk.result().checks if not check.passed] == []


MOVEMENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-3, 5).filter(bool), st.booleans()), min_size=1, max_size=12
)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Three days with few different amounts, so that many are equal; some entries are batches."""
    movements = tuple(
        Movement(
            FIRST + timedelta(day),
            cents * 100,
            f"R{place:04}",
            parts=(cents * 40, cents * 60) if is_batch and cents > 0 else (),
        )
        for place, (day, cents, is_batch) in enumerate(sorted(draw(MOVEMENTS), key=lambda one: one[0]))
    )
    return Account(FIRST, FIRST + timedelta(2), 5_000, movements)


@settings(max_examples=6, deadline=None)
@given(account=accounts(), seed=st.integers(0, 10_000))
def test_any_order_of_arrival_gives_the_same_payments_each_once(
    account: Account, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = [
        ("week.xml", camt(account)),
        ("week.sta", mt940(account)),
        ("again.xml", camt(at_other_order(account))),
        *((f"{day.first}.xml", camt(day)) for day in _days(account)),
        *((f"intraday {day.first}.xml", camt(day, "camt.052.001.08")) for day in _days(account)),
        ("notified.xml", camt(account, "camt.054.001.08")),
    ]
    shuffled = files.copy()
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a fixed order
    one, two = (Desk(tmp_path_factory.mktemp("desk")) for _ in range(2))
    one.take(files)
    two.take(shuffled)
    assert amounts(one.result()) == account.truth
    assert table(one.result()).equals(table(two.result()))


def test_what_an_intraday_report_said_keeps_its_identity_in_the_statement(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("intraday.xml", camt(WEEK, "camt.052.001.08"))])
    before = table(desk.result())
    desk.take([("final.xml", PLAIN)])
    assert table(desk.result()).equals(before)
    assert amounts(desk.result()) == WEEK.truth


def test_an_intraday_entry_that_the_statement_does_not_have_is_gone(tmp_path: Path) -> None:
    more = Account(WEEK.first, WEEK.last, WEEK.opening, (*WEEK.movements, Movement(FIRST, 99, "NEVER")))
    desk = Desk(tmp_path)
    desk.take([("intraday.xml", camt(more, "camt.052.001.08")), ("final.xml", PLAIN)])
    assert amounts(desk.result()) == WEEK.truth


def test_details_of_a_notification_explain_a_batch_of_the_statement(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("final.xml", camt(WEEK, with_parts=False))])
    assert Decimal(600) in amounts(desk.result())
    desk.take([("notified.xml", camt(WEEK, "camt.054.001.08"))])
    assert amounts(desk.result()) == WEEK.truth


def test_what_is_notified_of_a_covered_day_but_not_booked_is_for_a_person_and_not_counted(
    tmp_path: Path,
) -> None:
    stray = Account(WEEK.first, WEEK.last, 0, (Movement(FIRST, 4_242, "STRAY"),))
    desk = Desk(tmp_path)
    desk.take([("final.xml", PLAIN), ("notified.xml", camt(stray, "camt.054.001.08"))])
    found = desk.result()
    assert amounts(found) == WEEK.truth
    assert found.rejected_rows["reason_code"].to_list() == ["notified_not_booked"]
    assert [check.check_name for check in found.checks if not check.passed] == ["bank_statements_follow_on"]


def test_two_equal_entries_on_pages_that_follow_on_are_two(tmp_path: Path) -> None:
    """The first page closes with what the second opens with, so nothing of it is the same money."""
    morning = Account(FIRST, FIRST, 1_000, (Movement(FIRST, 500, "SAME"),), number=1)
    noon = Account(FIRST, FIRST, 1_500, (Movement(FIRST, 500, "SAME"),), number=2)
    desk = Desk(tmp_path)
    desk.take(
        [
            ("1.sta", mt940(morning)),
            ("2.sta", mt940(noon)),
            ("again.sta", mt940(noon).replace(b"ST2", b"STX")),
        ]
    )
    assert amounts(desk.result()) == [Decimal(5), Decimal(5)]


def test_two_formats_that_disagree_are_an_exception_and_hold_the_day(tmp_path: Path) -> None:
    other = (Movement(FIRST, 12_346, "REF001"), *WEEK.movements[1:])
    desk = Desk(tmp_path)
    desk.take([("a.xml", PLAIN), ("a.sta", mt940(Account(WEEK.first, WEEK.last, WEEK.opening, other)))])
    found = desk.result()
    assert amounts(found) == WEEK.truth
    of_first_day = table(found).filter(booking_date=FIRST)["payment_id"]
    assert found.held["payment_id"].sort().to_list() == of_first_day.sort().to_list()
    assert found.held["reason_code"].unique().to_list() == ["formats_differ"]


def test_of_two_versions_of_a_statement_one_counts_whichever_came_first(tmp_path: Path) -> None:
    changed = Account(
        WEEK.first, WEEK.last, WEEK.opening, (Movement(FIRST, 12_999, "REF001"), *WEEK.movements[1:])
    )
    results = []
    for name, files in (("one", [WEEK, changed]), ("two", [changed, WEEK])):
        desk = Desk(tmp_path / name)
        desk.take([("same.xml", camt(one)) for one in files])
        found = desk.result()
        results.append(table(found))
        assert len(amounts(found)) == len(WEEK.truth)
        assert found.held.height == len(WEEK.truth)
        assert [check.check_name for check in found.checks if not check.passed] == [
            "bank_statements_follow_on"
        ]
    assert results[0].equals(results[1])
