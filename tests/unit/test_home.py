"""A home says what it is, keeps its kind, and lets one run in at a time."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from o2c.home import AlreadyRunning, HomeError, SourceEntry, init_home, open_home, sending_window

THURSDAY = date(2026, 3, 12)
DULL = {"simulated": False, "auto_approve": False, "sources": []}


# ── what kind of home ──


def test_a_folder_that_is_not_there_becomes_an_ordinary_home(tmp_path: Path) -> None:
    home = open_home(tmp_path / "new" / "home")
    assert json.loads((tmp_path / "new" / "home" / "home.json").read_text()) == DULL
    assert home.marker.model_dump(mode="json") == DULL
    assert sorted(path.name for path in home.root.iterdir()) == ["home.json"]


def test_a_relative_home_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = open_home(Path("var"))
    monkeypatch.chdir("/")
    assert home.root == tmp_path / "var"
    assert home.ledger_url == f"sqlite:///{tmp_path}/var/ledger.db"


@pytest.mark.parametrize(
    ("simulated", "auto_approve"), [(False, False), (True, False), (True, True)], ids=str
)
def test_a_home_is_of_the_kind_it_was_made_as_also_when_made_again(
    tmp_path: Path, simulated: bool, auto_approve: bool
) -> None:
    for _ in range(2):
        home = init_home(tmp_path / "home", simulated=simulated, auto_approve=auto_approve)
        assert (home.marker.simulated, home.marker.auto_approve) == (simulated, auto_approve)
        assert open_home(tmp_path / "home") == home


@pytest.mark.parametrize(
    ("first", "second"), [((False, False), (True, False)), ((True, True), (True, False))]
)
def test_a_home_does_not_become_one_of_another_kind(
    tmp_path: Path, first: tuple[bool, bool], second: tuple[bool, bool]
) -> None:
    for kinds in ((first, second), (second, first)):
        place = tmp_path / str(kinds[0])
        home = init_home(place, simulated=kinds[0][0], auto_approve=kinds[0][1])
        with pytest.raises(HomeError, match=r"home\.json: this home is of another kind already"):
            init_home(place, simulated=kinds[1][0], auto_approve=kinds[1][1])
        assert open_home(place) == home


def test_approval_is_automatic_in_simulated_homes_alone(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="--auto-approve is for simulated homes alone"):
        init_home(tmp_path / "home", simulated=False, auto_approve=True)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "text",
    [
        '{"simulated": false, "auto_approve": true}',
        '{"simulated": true, "colour": "red"}',
        '{"simulated": "perhaps"}',
        "{",
        "",
        "\x00\ufffd",
    ],
    ids=["auto-approve by hand", "unknown word", "wrong type", "half a file", "empty", "no text"],
)
def test_a_marker_that_was_spoilt_is_refused_by_name_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "home.json"
    path.write_text(text)
    with pytest.raises(HomeError, match=r"home\.json: not a home marker"):
        open_home(tmp_path)
    assert path.read_text() == text


def test_a_marker_in_no_known_encoding_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_bytes(b'{"simulated": \xff\xfe}')
    with pytest.raises(HomeError, match=r"home\.json: not a home marker"):
        open_home(tmp_path)


def test_a_file_cannot_be_a_home(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("mine")
    for make in (open_home, lambda root: init_home(root, simulated=True, auto_approve=False)):
        with pytest.raises(HomeError, match="file: cannot be used as home"):
            make(place)
    assert place.read_text() == "mine"


# ── clock ──


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 3, 7), datetime(2026, 3, 7, 11, tzinfo=UTC)),
        (date(2026, 3, 8), datetime(2026, 3, 8, 10, tzinfo=UTC)),
    ],
    ids=["winter time", "summer time"],
)
def test_a_simulated_home_takes_six_in_the_morning_of_the_day_as_now(
    tmp_path: Path, day: date, instant: datetime
) -> None:
    home = init_home(tmp_path, simulated=True, auto_approve=False)
    assert home.clock(day, "America/New_York") == instant
    assert home.clock(day, "America/New_York").tzinfo is UTC


@pytest.mark.parametrize(("simulated", "day"), [(False, THURSDAY), (False, None), (True, None)])
def test_every_other_home_and_a_run_without_a_day_take_the_clock(
    tmp_path: Path, simulated: bool, day: date | None
) -> None:
    home = init_home(tmp_path, simulated=simulated, auto_approve=False)
    before = datetime.now(UTC)
    assert before <= home.clock(day, "America/New_York") <= datetime.now(UTC)


# ── sources ──


def test_sources_are_remembered_in_their_order_and_replaced_as_a_whole(tmp_path: Path) -> None:
    home = init_home(tmp_path, simulated=True, auto_approve=True)
    books, bank = (
        SourceEntry(path=Path("/a/books.yml"), data_root=Path("/data")),
        SourceEntry(path=Path("/b")),
    )
    remembered = home.remember_sources((books, bank))
    assert remembered.marker.sources == (books, bank)
    assert open_home(tmp_path) == remembered
    assert open_home(tmp_path).remember_sources((bank,)).marker.sources == (bank,)
    kept = open_home(tmp_path).marker
    assert (kept.simulated, kept.auto_approve, kept.sources) == (True, True, (bank,))


def test_the_same_sources_again_write_nothing(tmp_path: Path) -> None:
    home = open_home(tmp_path).remember_sources((SourceEntry(path=Path("/b")),))
    before = (tmp_path / "home.json").stat().st_ino
    assert home.remember_sources((SourceEntry(path=Path("/b")),)) is home
    assert (tmp_path / "home.json").stat().st_ino == before


# ── sending window ──


@pytest.mark.parametrize(
    ("next_business_day", "last"),
    [(date(2026, 3, 13), date(2026, 3, 13)), (date(2026, 3, 16), date(2026, 3, 16))],
    ids=["the next day", "over a long weekend"],
)
def test_letters_may_leave_from_the_day_itself_to_the_next_business_day(
    next_business_day: date, last: date
) -> None:
    assert sending_window(THURSDAY, next_business_day) == (THURSDAY, last)


# ── locks ──

HOLDS = """
import sys, time
from pathlib import Path
from o2c.home import open_home
with open_home(Path(sys.argv[1])).lock("publish", 0):
    print("held", flush=True)
    sys.stdin.read()
print("given back", flush=True)
"""


@contextmanager
def held_by_another_process(root: Path) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_lock_that_another_process_holds_is_refused_after_the_wait_and_given_back_when_it_is_killed(
    tmp_path: Path,
) -> None:
    home = open_home(tmp_path)
    with held_by_another_process(tmp_path) as process:
        started = time.monotonic()
        with pytest.raises(AlreadyRunning, match=r"another run holds the publish lock.*Nothing was done"):
            home.lock("publish", 0.3).__enter__()
        assert time.monotonic() - started >= 0.3
        with home.lock("landing", 0):
            pass  # the other lock is free
        os.kill(process.pid, signal.SIGKILL)
        with home.lock("publish", 10):
            process.wait()
        assert process.returncode == -signal.SIGKILL


def test_a_run_that_waits_gets_the_lock_once_the_other_ends(tmp_path: Path) -> None:
    home, order = open_home(tmp_path), []

    def wait() -> None:
        with open_home(tmp_path).lock("landing", 10):
            order.append("second")

    waiting = threading.Thread(target=wait)
    with home.lock("landing", 0):
        waiting.start()
        time.sleep(0.15)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_lock_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    with pytest.raises(ZeroDivisionError), home.lock("publish", 0):
        _ = 1 / 0
    with home.lock("publish", 0):
        pass
