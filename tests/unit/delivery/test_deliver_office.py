"""What one call of ``o2c deliver`` does over several looks: its quota, its counts, and carriers that are no more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frames_of, letter
from post_office import Clock, Postbox, approve, planned, relaxed

import flows.deliver
from flows.deliver import NEWER, Office
from flows.recheck import SecondLook
from o2c.checks import Check
from o2c.delivery.limits import AccountLimits
from o2c.delivery.post import deliver
from o2c.delivery.production import OpenCarrier
from o2c.home import open_home
from o2c.ledger import Ledger
from o2c.letters import render_letters
from o2c.policy import load_policies
from o2c.settings import PROJECT, Settings

GATE = Check("tie_out", "0.00", "0.01", False, "gate")


@dataclass
class Scene:
    """An office whose looks say what a test wants, over a ledger of its own."""

    office: Office
    looks: list[Callable[[], SecondLook]] = field(default_factory=list)

    def approve(self, *letter_ids: str) -> None:
        now = datetime.now(UTC)
        today = self.office.day_of(now)
        approve(
            self.office.ledger.engine,
            [planned(one, decided_as_of_date=today) for one in letter_ids],
            now,
        )

    def look_once_more(self, *_said: Any) -> SecondLook:
        return self.looks.pop(0)()


def all_is_well(*closed: Check) -> SecondLook:
    return SecondLook({}, list(closed), SimpleNamespace(), None)  # ty: ignore[invalid-argument-type]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))
    home = open_home(tmp_path / "home")
    ledger = Ledger(home.ledger_url)
    policies = load_policies(PROJECT / "policies")
    made = Scene(Office(Settings(), policies, home, ledger, lambda _line: None))
    doors = SimpleNamespace(may_leave=lambda _row, _now: None)
    monkeypatch.setattr(flows.deliver, "look_once_more", made.look_once_more)
    monkeypatch.setattr(flows.deliver, "doors_of", lambda *_said: doors)
    yield made
    ledger.engine.dispose()


def newer_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something comes in after so many letters of a round."""

    class Interrupted:
        def __init__(self, *_said: object) -> None:
            self.asked = 0

        def __call__(self) -> str | None:
            self.asked += 1
            return NEWER if self.asked > 1 + 2 * count else None

    monkeypatch.setattr(flows.deliver, "Interrupted", Interrupted)


def test_the_quota_holds_over_all_rounds_of_a_call(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.approve(*"abcdef")
    scene.looks += [all_is_well] * 5
    newer_after(2, monkeypatch)
    box = Postbox()
    scene.office.open([OpenCarrier(box, None, AccountLimits(1000.0, 10, 7))])
    assert len(box.taken) == 3
    assert scene.office.done.waiting == {"daily_quota": 3}


@pytest.mark.parametrize("days", [0, 7, 8])
def test_paper_comes_for_what_left_by_a_worker_that_died_or_was_unknown_until_today(
    scene: Scene, days: int
) -> None:
    """Nothing waits any more; its PDF was not printed when it left. Longer ago it is not looked for."""
    engine = scene.office.ledger.engine
    earlier = datetime.now(UTC) - timedelta(days=days)
    decided = scene.office.day_of(earlier)
    frames = frames_of(letter("C-1", stage="final_notice", level=3))
    (message,) = render_letters(*frames, SENDER, TEMPLATES, AS_OF, BATCH, pdf_stages=["final_notice"])
    approve(
        engine, [planned("a", stage="final_notice", decided_as_of_date=decided, content=message.eml)], earlier
    )
    deliver(engine, Postbox(), relaxed(), Clock(earlier).edge(), owner="w1")
    routes = [OpenCarrier(Postbox())]
    for _ in range(2):
        scene.office.open(routes)
        found = [path.read_bytes() for path in scene.office.home.print_folder.rglob("*.pdf")]
        assert found == ([message.pdf] if days <= 7 else [])
    for path in scene.office.home.print_folder.rglob("*.pdf"):
        path.unlink()  # taken to the printer
    scene.office.open(routes)
    assert not list(scene.office.home.print_folder.rglob("*.pdf"))


def test_what_waits_is_what_waits_at_the_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.approve(*"abc")
    newer_after(1, monkeypatch)
    scene.looks += [all_is_well, lambda: all_is_well(GATE)]
    scene.office.open([OpenCarrier(Postbox())])
    assert (scene.office.done.outcomes, scene.office.done.waiting) == ({"accepted": 1}, {"gate_closed": 2})
