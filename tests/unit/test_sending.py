"""A send that dies anywhere is finished by the next one: each letter once, none lost, and the states add up."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest
from letter_builders import AS_OF, SENDER, TEMPLATES, frames_of, letter, line

import flows.nightly
import flows.sending
from flows.sending import Letters, letter_rows, plan, put_out, recover, show_letters, with_ledger
from o2c.approval_lists import Terms, letter_lists
from o2c.checks import Check
from o2c.delivery.outbox import FolderCarrier
from o2c.home import Home, init_home
from o2c.ledger import Ledger
from o2c.ledger.approving import submit
from o2c.ledger.asking import letters_to_ask
from o2c.ledger.outgoing import cancel_letters
from o2c.letters import render_letters
from o2c.policy import load_policies
from o2c.run import Run
from o2c.settings import PROJECT, Settings

POLICIES = load_policies(PROJECT / "policies")
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
MORNING, NOON = "1" * 20, "2" * 20
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


def decided(run: Run, *customers: str, people: int = 0, **changes: Any) -> Letters:
    """What a run decided, one letter for each customer, in the state in which it will be shown."""
    frames = frames_of(
        *(letter(customer, email=f"{customer}@books.example", **changes) for customer in customers)
    )
    decisions, lines, customer_rows, contacts, entities = frames
    messages = render_letters(
        decisions, lines, customer_rows, contacts, entities, SENDER, TEMPLATES, AS_OF, run.batch_id
    )
    book: Any = SimpleNamespace(
        items=decisions.select("customer_id", "entity_id"), customers=customer_rows, entities=entities
    )
    letters = Letters(book, decisions, messages, letter_rows(run, book, decisions, messages), lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "open_build", lambda _run: duckdb.connect())
        patch.setattr(flows.sending, "load_frame", lambda *_arguments: None)
        return show_letters(run, letters, people)


def ask(run: Run, letters: Letters, people: int = 0) -> None:
    """Approval as the run asks for it."""
    needs = letters.decisions.select("letter_id", "required_approval_count")
    asked = letters_to_ask(run.ledger.engine, run.batch_id).join(needs, on="letter_id", validate="1:1")
    terms = Terms(run.batch_id, AS_OF, "sam", 24, is_given=run.home.marker.auto_approve)
    for request in letter_lists(asked, terms, people):
        submit(run.ledger.engine, request, NOW, is_green=True)


def send(home: Home, ledger: Ledger, run_id: str = MORNING, customers: tuple[str, ...] = CUSTOMERS) -> Run:
    """One sending run of the morning, from recovery to the outbox."""
    run = run_of(home, ledger, run_id)
    unfinished = recover(home, ledger, POLICIES, NOW)
    letters = decided(run, *customers)
    plan(run, letters)
    ask(run, letters)
    assert put_out(run, letters, unfinished)
    return run


def outbox(home: Home) -> list[str]:
    return sorted(path.stem for path in home.outbox.glob("*/*.eml"))


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.letter_rows(date.max).select("letter_id", "state").iter_rows())


def sent(ledger: Ledger) -> list[str]:
    return sorted(letter_id for letter_id, state in states(ledger).items() if state == "sent")


def ids(*customers: str) -> list[str]:
    return sorted(letter(customer)["letter_id"] for customer in customers)


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
    from o2c.delivery import folder, rounds

    match point:
        case "before the ledger":
            monkeypatch.setattr(flows.sending, "plan_letters", Dies(None))
        case "before the claim":
            monkeypatch.setattr(rounds, "claim", Dies(None))
        case "before the outbox":
            monkeypatch.setattr(FolderCarrier, "send_many", Dies(None))
        case "while staging":
            dies = Dies(Path.write_bytes, done=1)
            monkeypatch.setattr(Path, "write_bytes", lambda path, data: dies(path, data))
        case "half renamed":
            dies = Dies(Path.rename, done=1)
            monkeypatch.setattr(Path, "rename", lambda path, target: dies(path, target))
        case "before the pages":
            monkeypatch.setattr(folder, "_replace_leaves", Dies(None))
        case "before recording":
            monkeypatch.setattr(rounds, "record", Dies(None))


POINTS = {
    "before the ledger": 0,
    "before the claim": 0,
    "before the outbox": 0,
    "while staging": 0,
    "half renamed": 1,
    "before the pages": 3,
    "before recording": 3,
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
    assert not list(home.outbox.glob(".*.partial"))
    assert all((batch / "index.html").exists() for batch in home.outbox.iterdir() if batch.is_dir())


@pytest.mark.parametrize("point", ["half renamed", "before the pages", "before recording"])
def test_a_killed_send_ends_with_the_same_bytes_as_one_that_was_not(
    home: Home, ledger: Ledger, tmp_path: Path, point: str
) -> None:
    def found(home: Home) -> dict[str, bytes]:
        return {
            str(path.relative_to(home.outbox)): path.read_bytes()
            for path in home.outbox.glob("*/*")
            if path.is_file()
        }

    with pytest.MonkeyPatch.context() as patch:
        die_at(point, patch)
        with pytest.raises(Killed):
            send(home, ledger)
    send(home, ledger)
    other = init_home(tmp_path / "other", simulated=True, auto_approve=True)
    send(other, Ledger(other.ledger_url))
    assert found(home) == found(other)


def test_pages_that_a_recovery_wrote_without_names_get_them_in_the_next_run(
    home: Home, ledger: Ledger
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at("before recording", patch)
        with pytest.raises(Killed):
            send(home, ledger)
    (index,) = home.outbox.glob("*/index.html")
    before = index.read_text()
    recover(home, ledger, POLICIES, NOW)  # of a run that was killed right after
    assert index.read_text() != before
    send(home, ledger)
    assert index.read_text() == before


@pytest.mark.parametrize("point", ["before the claim", "before the outbox"])
def test_who_paid_between_the_killed_send_and_the_next_is_not_written_to(
    home: Home, ledger: Ledger, point: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at(point, patch)
        with pytest.raises(Killed):
            send(home, ledger)
    send(home, ledger, NOON, CUSTOMERS[1:])
    assert outbox(home) == sent(ledger) == ids(*CUSTOMERS[1:])
    assert states(ledger)[ids("C-1")[0]] == "cancelled"


def test_a_letter_that_says_something_else_now_does_not_leave_as_it_was_approved(
    home: Home, ledger: Ledger
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at("before the outbox", patch)
        with pytest.raises(Killed):
            send(home, ledger, customers=("C-1",))
    run = run_of(home, ledger, NOON)
    recover(home, ledger, POLICIES, NOW)
    letters = decided(run, "C-1", lines=[line(amount="50.00")])
    plan(run, letters)
    assert (outbox(home), states(ledger)) == ([], dict.fromkeys(ids("C-1"), "cancelled"))


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
    plan(run, decided(run, "C-1"))
    cancel_letters(ledger.engine, dict.fromkeys(ids("C-1"), "withdrawn"), "anna", NOW)
    letters = decided(run, "C-1", "C-2")
    plan(run, letters)
    ask(run, letters)
    put_out(run, letters, ())
    assert outbox(home) == sent(ledger) == ids("C-2")


@pytest.mark.parametrize("people", [0, 1], ids=["its own level asks", "the run asks"])
def test_what_needs_a_person_waits_in_the_ledger_and_not_in_the_outbox(tmp_path: Path, people: int) -> None:
    home = init_home(tmp_path / "home", simulated=True, auto_approve=False)
    ledger = Ledger(home.ledger_url)
    run = run_of(home, ledger)
    for _ in range(2):
        letters = decided(run, "C-1", people=people, required_approval_count=1 - people)
        plan(run, letters)
        ask(run, letters, people)
        put_out(run, letters, ())
        assert outbox(home) == []
        assert states(ledger) == dict.fromkeys(ids("C-1"), "approval_pending")
        assert letters.rows["state"].to_list() == ["approval_pending"]


def test_a_letter_whose_days_are_over_is_withdrawn(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home", simulated=True, auto_approve=False)
    ledger = Ledger(home.ledger_url)
    run = run_of(home, ledger)
    letters = decided(run, "C-1", required_approval_count=1)
    plan(run, letters)
    ask(run, letters)
    recover(home, ledger, POLICIES, NOW + timedelta(days=1))
    assert states(ledger) == dict.fromkeys(ids("C-1"), "approval_pending")
    recover(home, ledger, POLICIES, NOW + timedelta(days=7))
    assert states(ledger) == dict.fromkeys(ids("C-1"), "cancelled")


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
    shown, lines = with_ledger(preview, decided(preview, "C-1", "C-2"))
    expected = [
        (*ids("C-1"), first.batch_id, "sent", NOW, False),
        (*ids("C-2"), preview.batch_id, "rendered", None, True),
    ]
    assert shown.select("letter_id", "batch_id", "state", "sent_at", "is_of_last_run").rows() == sorted(
        expected
    )
    assert lines["letter_id"].to_list() == ids("C-1", "C-2")


def test_a_letter_that_the_ledger_holds_back_is_told_to_the_run(home: Home, ledger: Ledger) -> None:
    run = run_of(home, ledger)
    letters = decided(run, "C-1", "C-2")
    plan(run, letters)
    ask(run, letters)
    cancel_letters(ledger.engine, dict.fromkeys(ids("C-1"), "quiet_days"), "policy", NOW)
    assert not put_out(run, letters, ())
    assert outbox(home) == ids("C-2")


def test_an_outbox_that_was_moved_away_does_not_bring_the_letters_back(home: Home, ledger: Ledger) -> None:
    send(home, ledger)
    shutil.rmtree(home.outbox)
    send(home, ledger, NOON)
    assert outbox(home) == []
    assert sent(ledger) == ids(*CUSTOMERS)


def test_a_letter_stands_in_the_time_zone_of_its_customer(home: Home, ledger: Ledger) -> None:
    rows = decided(run_of(home, ledger), "C-1").rows
    assert rows["time_zone"].null_count() == 0


def test_while_stop_is_pulled_nothing_is_put_out(home: Home, ledger: Ledger) -> None:
    run = run_of(home, ledger)
    letters = decided(run, "C-1")
    plan(run, letters)
    ask(run, letters)
    (home.root / "STOP").write_text("wrong bank account on letters")
    assert not put_out(run, letters, ())
    assert outbox(home) == []
    assert run.decided["delivery"]["stopped"] == "wrong bank account on letters"
    (home.root / "STOP").unlink()
    assert put_out(run, letters, ())
    assert outbox(home) == sent(ledger) == ids("C-1")
    assert ledger.letter_rows(AS_OF).filter(pl.col("state") == "sent")["sent_at"].to_list() == [NOW]


@pytest.mark.parametrize(("until", "is_sent"), [("cash", False), ("decisions", False), ("published", True)])
def test_a_run_that_stops_early_lets_nothing_leave(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, until: str, is_sent: bool
) -> None:
    """What was approved earlier waits for a whole run or for ``o2c deliver``."""
    run = SimpleNamespace(closed_gates=[], decided={}, home=SimpleNamespace(root=tmp_path))
    sent: list[Any] = []
    monkeypatch.setattr(flows.nightly, "decide_and_publish", lambda *_asked: run)
    monkeypatch.setattr(flows.nightly, "by_folder", lambda _run: False)
    monkeypatch.setattr(
        flows.nightly, "send_out", lambda *asked: sent.append(asked) or SimpleNamespace(data=dict)
    )
    flows.nightly.play(flows.nightly.NightlyRun.model_validate({"send": True, "until": until}))
    assert bool(sent) is is_sent
