"""What a run may know of a date, and what of a past date comes before finance."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.home import Home, init_home, open_home
from o2c.knowledge import Knowledge, NotKnowable, knowledge_of
from o2c.landing import KnownFile
from o2c.ledger import Ledger
from o2c.ledger.landings import files_known_at, note_landing

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 11)


def at(day: date, hour: int = 6) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Ledger:
    return Ledger(home.ledger_url)


def published(ledger: Ledger, as_of: date, known_at: datetime, publishes: str = "current") -> None:
    number = ledger.start_run(
        "run", as_of, is_sending=False, now=known_at, known_at=known_at, publishes=publishes
    )
    ledger.finish_run(number, "published", known_at)


def ask(home: Home, ledger: Ledger, as_of: date, today: date = WEDNESDAY, **asked: Any) -> Knowledge:
    values: dict[str, Any] = {"asked": None, "is_sending": False} | asked
    return knowledge_of(home, ledger, as_of, today=today, now=at(today, 12), **values)


def test_a_first_run_knows_what_is_known_now_whatever_its_date(home: Home, ledger: Ledger) -> None:
    assert ask(home, ledger, MONDAY) == Knowledge(None, "current", rewrites_history=True)
    assert ask(home, ledger, WEDNESDAY) == Knowledge(None, "current", rewrites_history=True)


def test_a_past_date_that_was_published_knows_what_its_run_knew(home: Home, ledger: Ledger) -> None:
    published(ledger, MONDAY, at(MONDAY))
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, MONDAY) == Knowledge(at(MONDAY), "dated", rewrites_history=False)


def test_the_date_of_the_current_release_is_replayed_as_the_current_release(
    home: Home, ledger: Ledger
) -> None:
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, TUESDAY) == Knowledge(at(TUESDAY), "current", rewrites_history=True)


def test_today_knows_now_also_when_it_was_published_this_morning(home: Home, ledger: Ledger) -> None:
    published(ledger, WEDNESDAY, at(WEDNESDAY))
    assert ask(home, ledger, WEDNESDAY) == Knowledge(None, "current", rewrites_history=True)


def test_today_is_the_current_release_also_after_a_date_still_to_come(home: Home, ledger: Ledger) -> None:
    published(ledger, date(2027, 1, 1), at(TUESDAY))
    assert ask(home, ledger, WEDNESDAY).publishes == "current"


def test_a_past_date_between_published_ones_is_measured_now_and_put_beside(
    home: Home, ledger: Ledger
) -> None:
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, MONDAY) == Knowledge(None, "dated", rewrites_history=True)


def test_restating_is_asked_for_and_then_is_what_the_date_knows(home: Home, ledger: Ledger) -> None:
    published(ledger, MONDAY, at(MONDAY))
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, MONDAY, asked="now") == Knowledge(None, "dated", rewrites_history=True)
    published(ledger, MONDAY, at(WEDNESDAY), "dated")
    assert ask(home, ledger, MONDAY).known_at == at(WEDNESDAY)
    assert ledger.current_date() == TUESDAY


def test_an_instant_is_that_instant_up_to_the_last_thing_known(home: Home, ledger: Ledger) -> None:
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, MONDAY, asked=at(TUESDAY, 3)) == Knowledge(
        at(TUESDAY, 3), "dated", rewrites_history=True
    )
    assert ask(home, ledger, MONDAY, asked=at(WEDNESDAY, 12)).known_at == at(WEDNESDAY, 12)
    with pytest.raises(NotKnowable, match="knows up to 2026-03-11T12:00:00"):
        ask(home, ledger, MONDAY, asked=at(WEDNESDAY, 13))


def test_letters_leave_on_what_is_known_now_alone(home: Home, ledger: Ledger) -> None:
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, TUESDAY, is_sending=True).known_at is None
    with pytest.raises(NotKnowable, match="--send"):
        ask(home, ledger, TUESDAY, is_sending=True, asked=at(TUESDAY))


def test_letters_of_a_day_before_the_current_release_no_longer_leave(home: Home, ledger: Ledger) -> None:
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, TUESDAY, is_sending=True).publishes == "current"
    with pytest.raises(NotKnowable, match="current release is of 2026-03-10"):
        ask(home, ledger, MONDAY, is_sending=True)


def test_only_a_run_of_the_current_release_that_knows_now_counts_for_later_days(
    home: Home, ledger: Ledger
) -> None:
    published(ledger, MONDAY, at(MONDAY))
    published(ledger, TUESDAY, at(TUESDAY))
    acting = {day: ask(home, ledger, day).acts for day in (MONDAY, TUESDAY, WEDNESDAY)}
    assert acting == {MONDAY: False, TUESDAY: False, WEDNESDAY: True}
    assert not ask(home, ledger, MONDAY, asked="now").acts


def test_in_a_simulated_home_the_current_release_is_today(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home", simulated=True, auto_approve=False)
    ledger = Ledger(home.ledger_url)
    published(ledger, MONDAY, at(MONDAY))
    published(ledger, TUESDAY, at(TUESDAY))
    assert ask(home, ledger, TUESDAY) == Knowledge(None, "current", rewrites_history=True)
    assert ask(home, ledger, MONDAY) == Knowledge(at(MONDAY), "dated", rewrites_history=False)


# ── what the ledger remembers ──


def file(name: str, **changes: Any) -> KnownFile:
    values: dict[str, Any] = {
        "source": "books",
        "table_name": "invoices",
        "name": name,
        "file_id": f"content of {name}",
        "mapping_id": "mapping",
        "names_order": False,
        "is_chosen": True,
        "is_open_items_only": False,
        "balance_date": None,
        "seen_at": at(MONDAY),
    }
    return KnownFile(**(values | changes))


def test_what_counted_at_an_instant_is_what_had_come_and_had_not_gone(ledger: Ledger) -> None:
    first, second, changed = file("a"), file("b"), file("a", file_id="other", balance_date=TUESDAY)
    note_landing(ledger.engine, [first, second], at(MONDAY))
    note_landing(ledger.engine, [first, second], at(MONDAY, 9))
    note_landing(ledger.engine, [second, changed], at(TUESDAY))
    note_landing(ledger.engine, [changed], at(WEDNESDAY))
    known = {
        hour: files_known_at(ledger.engine, hour)
        for hour in (
            at(MONDAY, 5),
            at(MONDAY),
            at(TUESDAY, 5),
            at(TUESDAY),
            at(WEDNESDAY, 5),
            at(WEDNESDAY),
        )
    }
    assert list(known.values()) == [
        [],
        [first, second],
        [first, second],
        [second, changed],
        [second, changed],
        [changed],
    ]


def test_two_landings_at_one_instant_leave_the_second(ledger: Ledger) -> None:
    note_landing(ledger.engine, [file("a")], at(MONDAY))
    note_landing(ledger.engine, [file("a", file_id="noon")], at(MONDAY))
    assert files_known_at(ledger.engine, at(MONDAY)) == [file("a", file_id="noon")]


def test_applications_of_runs_that_knew_more_are_not_there(ledger: Ledger) -> None:
    for day in (MONDAY, TUESDAY):
        number = ledger.start_run("run", day, is_sending=False, now=at(day), known_at=at(day))
        ledger.finish_run(number, "published", at(day, 7), f"{day}.parquet")
    assert ledger.application_files(at(TUESDAY)) == [f"{MONDAY}.parquet", f"{TUESDAY}.parquet"]
    assert ledger.application_files(at(TUESDAY, 5)) == [f"{MONDAY}.parquet"]
    assert ledger.application_files(at(MONDAY, 5)) == []


def test_a_backfill_is_on_record_for_each_of_its_dates(ledger: Ledger) -> None:
    number = ledger.start_run("run", TUESDAY, is_sending=False, now=at(WEDNESDAY), publishes="dated")
    ledger.finish_run(number, "published", at(WEDNESDAY), also_of=[MONDAY, TUESDAY])
    assert {day: ledger.published_known_at(day) for day in (MONDAY, TUESDAY, WEDNESDAY)} == {
        MONDAY: at(WEDNESDAY),
        TUESDAY: at(WEDNESDAY),
        WEDNESDAY: None,
    }
    assert ledger.current_date() is None
