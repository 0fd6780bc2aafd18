"""SES that takes letters and does not say so, workers that are killed and frozen: each letter leaves at most once.

``O2C_TORTURE`` is the number of letters, by default 500; one kill for every 25 of them up to 200, or 20.
"""

import bisect
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import ses_worker
import stub_ses
from post_office import approve, planned, states
from ses_worker import START, Orders
from sqlalchemy import func, select

from o2c.delivery.event_queue import EventQueue, drain
from o2c.delivery.events import read_event
from o2c.ledger import Ledger
from o2c.ledger.delivery_events import record_events
from o2c.ledger.outgoing import expire_leases, presume_not_sent
from o2c.ledger.tables import attempts, letters

LETTERS = int(os.environ.get("O2C_TORTURE", "500"))
KILLS = max(20, min(200, LETTERS // 25))
FREEZES = KILLS // 4
WORKERS = 2
SPEED = 5
FAULTS = {"accept_then_hang": 0.20, "accept_then_reset": 0.03, "accept_then_500": 0.03, "throttle": 0.08}
EVENTS = {"lost": 0.02, "doubled": 0.05, "late": 0.05}
TIMEOUT = 0.25
LONGEST_SECONDS = 60 + LETTERS / 3


@dataclass
class Scene:
    """A stand-in for SES in a process of its own, a ledger with approved letters, and workers that come and go."""

    folder: Path
    ledger_url: str
    work: Callable[[Orders], None]
    rate: float | None = None
    started: float = field(default_factory=time.time)
    workers: list[BaseProcess] = field(default_factory=list)
    kills: int = 0
    freezes: int = 0

    def __post_init__(self) -> None:
        self.context = multiprocessing.get_context("forkserver")
        port = (self.folder / "port").read_text()
        self.ses_url = f"http://127.0.0.1:{port}"
        self.orders = Orders(
            self.ledger_url, self.ses_url, self.started, SPEED, TIMEOUT, self.folder / "done", self.rate
        )

    def start_worker(self) -> None:
        worker = self.context.Process(target=self.work, args=(self.orders,), daemon=True)
        worker.start()
        self.workers.append(worker)

    def kill(self, worker: BaseProcess) -> None:
        worker.kill()
        worker.join()
        self.workers.remove(worker)
        self.start_worker()
        self.kills += 1

    def freeze(self, worker: BaseProcess) -> Callable[[], None]:
        """Stop a worker in whatever it does. Returns how to let it go on, past its lease."""
        assert worker.pid
        os.kill(worker.pid, signal.SIGSTOP)
        self.freezes += 1
        until = time.monotonic() + 1.3 * self.orders.lease

        def thaw() -> None:
            time.sleep(max(0.0, until - time.monotonic()))
            os.kill(worker.pid or 0, signal.SIGCONT)

        return thaw

    def end(self) -> None:
        self.orders.done.touch()
        for worker in self.workers:
            worker.join(10 * self.orders.lease)
            assert worker.exitcode == 0, f"a worker ended with {worker.exitcode}"


@contextmanager
def served(folder: Path, **more: object) -> Iterator[None]:
    """The stand-in for SES as a process, with a journal of what it took."""
    options = {"seed": 7, "shares": FAULTS, "events": EVENTS, "hang_seconds": 2 * TIMEOUT} | more
    script = Path(stub_ses.__file__)
    process = subprocess.Popen([sys.executable, str(script), str(folder), json.dumps(options)])
    try:
        deadline = time.monotonic() + 20
        while not (folder / "port").exists():
            assert process.poll() is None, "the stand-in for SES did not start"
            assert time.monotonic() < deadline, "the stand-in for SES does not listen"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


def torture(scene: Scene, ledger: Ledger, kills: int, freezes: int, letter_count: int) -> None:
    """Kill and freeze at random points of the way, until nothing waits and nothing is on its way any more."""
    draw = random.Random(11)  # noqa: S311
    blows = sorted(
        [(draw.randrange(letter_count * 6 // 10), "kill") for _ in range(kills)]
        + [(draw.randrange(letter_count * 6 // 10), "freeze") for _ in range(freezes)]
    )
    for _ in range(WORKERS):
        scene.start_worker()
    deadline = time.monotonic() + LONGEST_SECONDS
    while (still := open_letters(ledger)).total():
        assert time.monotonic() < deadline, (
            f"not done after {LONGEST_SECONDS} s: {Counter(states(ledger.engine).values())}"
        )
        due = bisect.bisect_right(blows, (letter_count - still["approved"], "~"))
        for _, blow in blows[:due]:
            victim = draw.choice(scene.workers)
            if blow == "kill":
                scene.kill(victim)
            else:
                thaw = scene.freeze(victim)
                thaw()
            time.sleep(draw.random() * 0.05)
        del blows[:due]
        time.sleep(0.02)
    scene.end()
    expire_leases(ledger.engine, scene.orders.clock() + timedelta(days=1))


def open_letters(ledger: Ledger) -> Counter[str]:
    """Letters that wait or are on their way, by state."""
    with ledger.engine.connect() as con:
        query = select(letters.c.state, func.count().label("letter_count")).group_by(letters.c.state)
        rows = con.execute(query.where(letters.c.state.in_(("approved", "sending"))))
        return Counter({row.state: row.letter_count for row in rows})


@dataclass(frozen=True)
class Figures:
    """What a torture came to, seen from both sides."""

    states: Counter[str]
    posts: int
    accepts: int
    duplicates: int
    false_sent: int
    posts_beyond_attempts: int
    unknown_but_accepted: int


def look(scene: Scene, ledger: Ledger) -> Figures:
    journal = stub_ses.read_journal(scene.folder)
    found = states(ledger.engine)
    posts = Counter(post.letter_id for post in journal.posts)
    with ledger.engine.connect() as con:
        tried = dict(
            con.execute(select(attempts.c.letter_id, func.count()).group_by(attempts.c.letter_id)).all()
        )
    return Figures(
        states=Counter(found.values()),
        posts=len(journal.posts),
        accepts=len(journal.accepts),
        duplicates=len(journal.duplicates),
        false_sent=sum(state == "sent" and one not in journal.accepts for one, state in found.items()),
        posts_beyond_attempts=sum(count > tried.get(one, 0) for one, count in posts.items()),
        unknown_but_accepted=sum(
            state == "unknown" and one in journal.accepts for one, state in found.items()
        ),
    )


def read_all_events(scene: Scene, ledger: Ledger) -> int:
    """What the queue holds, as the flow reads it: taken, kept, deleted."""
    client = ses_worker.SESSION.client(
        "sqs", region_name=ses_worker.REGION, endpoint_url=scene.ses_url, **ses_worker.KEYS
    )
    queue = EventQueue(client, f"{scene.ses_url}/{stub_ses.ACCOUNT}/delivery-events")

    def take(bodies: list[str]) -> None:
        events = [event for body in bodies if (event := read_event(body))]
        record_events(ledger.engine, events, scene.orders.clock())

    count = 0
    for _ in range(20):
        drained = drain(queue, take, scene.orders.clock, wait_seconds=1, most=10**6)
        count += drained.message_count
        if drained.empty_since:
            return count
    raise AssertionError("the queue never ran empty")


@pytest.fixture(scope="module", autouse=True)
def _fork_server() -> None:
    """What workers are forked from: it has imported all of it, so that a killed one is back in milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        multiprocessing.get_context("forkserver").set_forkserver_preload(["ses_worker"])
        forkserver.ensure_running()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ses").mkdir()
    return tmp_path / "ses"


def test_each_letter_leaves_at_most_once_through_timeouts_kills_and_freezes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with served(folder):
        check_torture(folder, url, LETTERS, KILLS, FREEZES, capsys)


def test_a_smaller_torture_on_postgresql(
    folder: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(folder):
        check_torture(folder, postgres_url, max(100, LETTERS // 5), KILLS // 5, FREEZES // 5, capsys)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_letters_that_leave_many_at_once_leave_at_most_once_too(
    folder: Path,
    tmp_path: Path,
    database: str,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """With few faults, so that groups grow: it is they that are killed and frozen."""
    sqlite = f"sqlite:///{tmp_path / 'ledger.db'}"
    url = sqlite if database == "sqlite" else request.getfixturevalue("postgres_url")
    with served(folder, shares={"accept_then_hang": 0.01, "accept_then_reset": 0.01}):
        check_torture(folder, url, LETTERS, KILLS // 2, FREEZES // 2, capsys, rate=1000.0, unknown_share=2)


def check_torture(
    folder: Path,
    url: str,
    count: int,
    kills: int,
    freezes: int,
    capsys: pytest.CaptureFixture[str],
    *,
    rate: float | None = None,
    unknown_share: int = 15,
) -> None:
    ledger = Ledger(url)
    approve(ledger.engine, (planned(f"L{number:05}") for number in range(count)))
    scene = Scene(folder, url, ses_worker.careful, rate)
    torture(scene, ledger, kills, freezes, count)
    assert (scene.kills, scene.freezes) == (kills, freezes)
    left = look(scene, ledger)
    events = read_all_events(scene, ledger)
    settled = look(scene, ledger)
    seconds = time.time() - scene.started
    resolved = 1 - settled.unknown_but_accepted / left.unknown_but_accepted
    with capsys.disabled():
        sys.stdout.write(
            f"\n{count} letters, {kills} kills, {freezes} freezes on {ledger.engine.dialect.name} in {seconds:.0f} s:"
            f" {left.posts} posts, {left.accepts} accepted, {dict(left.states)}; {events} events:"
            f" {dict(settled.states)}, {resolved:.2%} of {left.unknown_but_accepted} unknown and accepted resolved\n"
        )
    for figures in (left, settled):
        assert (figures.duplicates, figures.false_sent, figures.posts_beyond_attempts) == (0, 0, 0)
        assert figures.states.total() == count
    assert set(left.states) == {"sent", "unknown"}
    assert left.states["sent"] + left.unknown_but_accepted == left.accepts
    assert left.unknown_but_accepted >= count * unknown_share // 100, "nothing was tortured"
    # of a few dozen, one whose every event was lost would be more than three in a hundred
    assert settled.unknown_but_accepted <= max(2, left.unknown_but_accepted * 3 // 100)
    assert_the_rest_is_presumed_not_sent(ledger, scene, settled)


def assert_the_rest_is_presumed_not_sent(ledger: Ledger, scene: Scene, settled: Figures) -> None:
    """After two days without a trace, and not before."""
    wait = timedelta(hours=48)
    last = scene.orders.clock()
    assert presume_not_sent(ledger.engine, START + wait - timedelta(seconds=1), wait, last + wait) == []
    presumed = presume_not_sent(ledger.engine, last + wait, wait, last + wait)
    assert len(presumed) == settled.states["unknown"]
    assert not {"approved", "sending", "unknown"} & set(states(ledger.engine).values())


def test_the_same_torture_finds_that_an_outbox_with_retries_doubles_letters(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger(url)
    approve(ledger.engine, (planned(f"L{number:05}") for number in range(100)))
    with served(folder):
        scene = Scene(folder, url, ses_worker.naive)
        torture(scene, ledger, 4, 1, 100)
        figures = look(scene, ledger)
    with capsys.disabled():
        sys.stdout.write(
            f"\nan outbox with retries: {figures.duplicates} of 100 letters accepted twice or more\n"
        )
    assert figures.duplicates > 0
