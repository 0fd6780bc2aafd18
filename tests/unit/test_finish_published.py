"""A run that died between showing its release and telling the ledger is finished by whoever comes next."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.publication import finish_published
from o2c.home import Home, init_home
from o2c.ledger import Ledger

DAY, NOW = date(2026, 3, 12), datetime(2026, 3, 12, 6, tzinfo=UTC)
RUN_ID = "a1b2c3d4" + "0" * 12


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home", simulated=True, auto_approve=True)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    ledger = Ledger(home.ledger_url)
    yield ledger
    ledger.engine.dispose()


def start(home: Home, ledger: Ledger, *, publishes: str = "current") -> str:
    """A run that has begun; the name of its release."""
    number = ledger.start_run(RUN_ID, DAY, is_sending=True, now=NOW, publishes=publishes)
    return f"{DAY}-{RUN_ID[:8]}-{number}"


def show(home: Home, name: str) -> None:
    (home.releases / name).mkdir(parents=True)
    home.published.unlink(missing_ok=True)
    home.published.symlink_to(Path("releases") / name)


def test_a_release_that_is_shown_counts_with_what_its_run_recorded(home: Home, ledger: Ledger) -> None:
    name = start(home, ledger)
    (home.applications / name).mkdir(parents=True)
    show(home, name)
    assert (ledger.current_date(), ledger.application_files()) == (None, [])
    for _ in range(2):
        finish_published(home, ledger, NOW)
        assert (ledger.current_date(), ledger.application_files()) == (DAY, [name])


def test_also_when_another_run_has_begun_since(home: Home, ledger: Ledger) -> None:
    show(home, start(home, ledger))
    start(home, ledger)  # marks the one before as failed
    finish_published(home, ledger, NOW)
    assert (ledger.current_date(), ledger.application_files()) == (DAY, [])


def test_a_run_that_died_before_the_switch_stays_as_it_is(home: Home, ledger: Ledger) -> None:
    name = start(home, ledger)
    (home.applications / name).mkdir(parents=True)
    finish_published(home, ledger, NOW)
    show(home, f"{DAY}-{RUN_ID[:8]}-99")  # of a ledger that is not this one
    finish_published(home, ledger, NOW)
    assert (ledger.current_date(), ledger.application_files()) == (None, [])


def test_what_a_past_date_applied_counts_for_nothing(home: Home, ledger: Ledger) -> None:
    show(home, start(home, ledger, publishes="dated"))
    finish_published(home, ledger, NOW)
    assert (ledger.published_known_at(DAY), ledger.current_date()) == (NOW, None)
    assert ledger.application_files() == []
