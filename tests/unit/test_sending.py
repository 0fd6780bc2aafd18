"""A send that dies anywhere is finished by the next one: each letter once, none lost, and the states add up."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ledger_rows import letter as ledger_letter
from letter_builders import AS_OF, SENDER, TEMPLATES, frames_of, letter

import flows.sending
from flows.sending import Letters, finish_interrupted, letter_rows, send_letters, with_ledger
from o2c.checks import Check
from o2c.delivery.folder import write_batch
from o2c.home import Home, init_home
from o2c.ledger import Ledger
from o2c.letters import render_letters
from o2c.policy import load_policies
from o2c.run import Run
from o2c.settings import PROJECT, Settings

POLICIES = load_policies(PROJECT / "policies")
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
MORNING, NOON = "1" * 20, "2" * 20
BEFORE, AFTER = AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)
CUSTOMERS = ("C-1", "C-2", "C-3")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home", simulated=True, auto_approve=True)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    ledger = Ledger(home.ledger_url)
    yield ledger
    ledger.engine.dispose()


def run_of(home: Home, ledger: Ledger, run_id: str = MORNING, *, is_sending: bool = True) -> Run:
    return Run(Settings(), home, POLICIES, ledger, AS_OF, NOW, run_id, is_sending, [], lambda _line: None)


def decided(run: Run, *customers: str, **changes: Any) -> Letters:
    """What a run decided: one letter for each customer."""
    frames = frames_of(*(letter(customer, **changes) for customer in customers))
    decisions, lines, customer_rows, contacts, entities = frames
    messages = render_letters(
        decisions, lines, customer_rows, contacts, entities, SENDER, TEMPLATES, AS_OF, run.batch_id
    )
    return Letters(None, decisions, messages, letter_rows(run, decisions, messages), lines)  # ty: ignore[invalid-argument-type]


def send(home: Home, ledger: Ledger, run_id: str = MORNING, customers: tuple[str, ...] = CUSTOMERS) -> Run:
    """One sending run of the morning, from recovery to the outbox."""
    run = run_of(home, ledger, run_id)
    finish_interrupted(home, ledger, AS_OF, NOW)
    send_letters(run, decided(run, *customers))
    return run


def outbox(home: Home) -> list[str]:
    return sorted(path.stem for path in home.outbox.glob("*/*.eml"))


def sent(ledger: Ledger) -> list[str]:
    return sorted(ledger.letter_rows(date.max).filter(pl.col("state") == "sent")["letter_id"])


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.letter_rows(date.max).select("letter_id", "state").iter_rows())


def ids(*customers: str) -> list[str]:
    return sorted(letter(customer)["letter_id"] for customer in customers)


# ── recovery alone ──


@pytest.mark.parametrize(
    "written", [0, 1, 2], ids=["before anything was written", "half written", "all written"]
)
def test_what_lies_in_the_outbox_left_and_the_rest_of_today_is_decided_again(
    home: Home, ledger: Ledger, written: int
) -> None:
    ledger.record_letters([ledger_letter("a", lines=2), ledger_letter("b", lines=2)])
    for letter_id in "ab"[:written]:
        place = home.outbox / "2026-03-12-b"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{letter_id}.eml").write_bytes(b"letter")
    finish_interrupted(home, ledger, AS_OF, NOW)
    assert states(ledger) == dict.fromkeys("ab"[:written], "sent")
    assert ledger.line_rows(AS_OF)["letter_id"].to_list() == sorted("ab"[:written] * 2)
    assert ledger.unsettled_letters() == []


def test_a_letter_staged_for_the_outbox_or_under_another_batch_did_not_leave(
    home: Home, ledger: Ledger
) -> None:
    ledger.record_letters([ledger_letter("a")])
    for place in (".2026-03-12-b.partial", "2026-03-11-b"):
        (home.outbox / place).mkdir(parents=True)
        (home.outbox / place / "a.eml").write_bytes(b"letter")
    finish_interrupted(home, ledger, AS_OF, NOW)
    assert states(ledger) == {}


@pytest.mark.parametrize("state", ["approval_pending", "sent", "cancelled"])
def test_recovery_leaves_settled_and_waiting_letters_alone(home: Home, ledger: Ledger, state: str) -> None:
    earlier = NOW - timedelta(days=3)
    ledger.record_letters([ledger_letter("a", state=state, sent_at=earlier if state == "sent" else None)])
    before = ledger.letter_rows(AS_OF).rows()
    finish_interrupted(home, ledger, AS_OF, NOW)
    assert ledger.letter_rows(AS_OF).rows() == before


@pytest.mark.parametrize(
    ("decided_on", "is_written", "becomes"),
    [
        (BEFORE, False, {"a": "cancelled"}),
        (BEFORE, True, {"a": "sent"}),
        (AS_OF, False, {}),
        (AS_OF, True, {"a": "sent"}),
        (AFTER, False, {"a": "sending"}),
        (AFTER, True, {"a": "sent"}),
    ],
    ids=["yesterday", "yesterday, left", "today", "today, left", "tomorrow", "tomorrow, left"],
)
def test_what_did_not_leave_is_cancelled_the_day_after_and_kept_while_an_earlier_day_is_replayed(
    home: Home, ledger: Ledger, decided_on: date, is_written: bool, becomes: dict[str, str]
) -> None:
    ledger.record_letters([ledger_letter("a", decided_as_of_date=decided_on)])
    if is_written:
        (home.outbox / "2026-03-12-b").mkdir(parents=True)
        (home.outbox / "2026-03-12-b" / "a.eml").write_bytes(b"letter")
    finish_interrupted(home, ledger, AS_OF, NOW)
    assert states(ledger) == becomes


# ── whole sends ──


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


class Dies:
    """Stands in for a step of sending; does its first ``done`` calls and dies in the next."""

    def __init__(self, real: Any, done: int = 0) -> None:
        self.real, self.left = real, done

    def __call__(self, *arguments: Any, **names: Any) -> Any:
        if not self.left:
            raise Killed
        self.left -= 1
        return self.real(*arguments, **names)


def die_at(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match point:
        case "before the ledger":
            monkeypatch.setattr(Ledger, "record_letters", Dies(None))
        case "before the outbox":
            monkeypatch.setattr(flows.sending, "write_batch", Dies(write_batch))
        case "while staging":
            real = Path.write_bytes
            dies = Dies(real, done=1)
            monkeypatch.setattr(Path, "write_bytes", lambda path, data: dies(path, data))
        case "half renamed":
            dies = Dies(Path.rename, done=1)
            monkeypatch.setattr(Path, "rename", lambda path, target: dies(path, target))
        case "before settling":
            settles = Dies(Ledger.settle_letters, done=1)  # recovery comes first
            monkeypatch.setattr(Ledger, "settle_letters", lambda *arguments: settles(*arguments))


POINTS = {
    "before the ledger": 0,
    "before the outbox": 0,
    "while staging": 0,
    "half renamed": 1,
    "before settling": 3,
}


@pytest.mark.parametrize("again", [MORNING, NOON], ids=["same inputs", "new inputs"])
@pytest.mark.parametrize(("point", "left"), POINTS.items(), ids=list(POINTS))
def test_a_send_that_dies_is_finished_by_the_next_with_each_letter_once(
    home: Home, ledger: Ledger, point: str, left: int, again: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at(point, patch)
        with pytest.raises(Killed):
            send(home, ledger)
    assert len(outbox(home)) == left
    assert sent(ledger) == []
    send(home, ledger, again)
    assert outbox(home) == ids(*CUSTOMERS)
    assert states(ledger) == dict.fromkeys(ids(*CUSTOMERS), "sent")
    assert ledger.line_rows(AS_OF)["letter_id"].to_list() == ids(*CUSTOMERS)
    assert not list(home.outbox.glob(".*"))


def test_who_paid_between_the_killed_send_and_the_next_is_not_written_to(home: Home, ledger: Ledger) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at("before the outbox", patch)
        with pytest.raises(Killed):
            send(home, ledger)
    send(home, ledger, NOON, CUSTOMERS[1:])
    assert outbox(home) == sent(ledger) == ids(*CUSTOMERS[1:])


def test_the_same_send_again_changes_no_byte(home: Home, ledger: Ledger) -> None:
    def found() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in home.outbox.rglob("*") if path.is_file()}

    send(home, ledger)
    before, rows = found(), ledger.letter_rows(AS_OF).rows()
    send(home, ledger)
    assert found() == before
    assert ledger.letter_rows(AS_OF).rows() == rows


def test_a_second_send_of_the_day_with_new_inputs_sends_only_what_is_new(home: Home, ledger: Ledger) -> None:
    first = send(home, ledger)
    second = send(home, ledger, NOON, (*CUSTOMERS, "C-4"))
    assert sorted(path.stem for path in (home.outbox / first.batch_id).glob("*.eml")) == ids(*CUSTOMERS)
    assert sorted(path.stem for path in (home.outbox / second.batch_id).glob("*.eml")) == ids("C-4")
    assert states(ledger) == dict.fromkeys(ids(*CUSTOMERS, "C-4"), "sent")


def test_a_letter_that_was_cancelled_today_does_not_leave(home: Home, ledger: Ledger) -> None:
    run = run_of(home, ledger)
    (cancelled,) = ids("C-1")
    row = ledger_letter(cancelled, customer_id="C-1", state="cancelled", batch_id=run.batch_id)
    ledger.record_letters([row])
    send_letters(run, decided(run, "C-1", "C-2"))
    assert outbox(home) == sent(ledger) == ids("C-2")


def test_what_needs_a_person_waits_in_the_ledger_and_not_in_the_outbox(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home", simulated=True, auto_approve=False)
    ledger = Ledger(home.ledger_url)
    run = run_of(home, ledger)
    for _ in range(2):
        send_letters(run, decided(run, "C-1", required_approval_count=1))
        assert outbox(home) == []
        assert states(ledger) == dict.fromkeys(ids("C-1"), "approval_pending")
    send_letters(run, decided(run, "C-1"))
    assert outbox(home) == sent(ledger) == ids("C-1")


@pytest.mark.parametrize(
    ("is_sending", "is_open", "state"),
    [(True, True, "sent"), (True, False, "rendered"), (False, True, "rendered")],
    ids=["sends", "gate closed", "preview"],
)
def test_letters_show_the_state_that_they_will_have_when_the_run_ends_well(
    home: Home, ledger: Ledger, is_sending: bool, is_open: bool, state: str
) -> None:
    run = run_of(home, ledger, is_sending=is_sending)
    run.checks.append(Check("tie", "0", "0" if is_open else "1", is_open, "gate"))
    rows = decided(run, "C-1").rows
    assert rows.select("letter_id", "state", "sent_at").rows() == [
        (*ids("C-1"), state, NOW if state == "sent" else None)
    ]


def test_a_letter_that_left_in_the_morning_is_shown_as_it_left(home: Home, ledger: Ledger) -> None:
    first = send(home, ledger, customers=("C-1",))
    preview = run_of(home, ledger, NOON, is_sending=False)
    letters = decided(preview, "C-1", "C-2")
    shown, lines = with_ledger(preview, letters.rows, letters.lines)
    expected = [
        (*ids("C-1"), first.batch_id, "sent", NOW, False),
        (*ids("C-2"), preview.batch_id, "rendered", None, True),
    ]
    assert shown.select("letter_id", "batch_id", "state", "sent_at", "is_of_last_run").rows() == sorted(
        expected
    )
    assert lines["letter_id"].to_list() == ids("C-1", "C-2")


def test_an_outbox_that_was_moved_away_does_not_bring_the_letters_back(home: Home, ledger: Ledger) -> None:
    send(home, ledger)
    shutil.rmtree(home.outbox)
    send(home, ledger, NOON)
    assert outbox(home) == []
    assert sent(ledger) == ids(*CUSTOMERS)
