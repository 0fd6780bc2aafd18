"""The ledger keeps what must never be forgotten or doubled, also against code that is wrong."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ledger_rows import DAY, NOON, letter
from polars.testing import assert_frame_equal
from sqlalchemy import text

from o2c.frames import LetterHistory, LetterLines, LineHistory, PlacedItems
from o2c.landing import Delivery
from o2c.ledger import Ledger, LedgerError

BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{path}")
    yield ledger
    ledger.engine.dispose()


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.letter_rows(date.max).select("letter_id", "state").iter_rows())


def direct(path: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Another program at the same file, without any of our code."""
    with sqlite3.connect(path) as con:
        rows = con.execute(query, values).fetchall()
    con.close()
    return rows


# ── the file ──


def test_sqlite_writes_ahead_and_syncs_every_commit_in_every_connection(ledger: Ledger) -> None:
    for _ in range(2):
        with ledger.engine.connect() as con:
            found = [
                con.execute(text(f"pragma {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        ledger.engine.dispose()
        assert found == ["wal", 2, 1, 30000]


def test_a_ledger_opened_again_has_what_was_written(ledger: Ledger, path: Path) -> None:
    ledger.record_letters([letter("a")])
    assert states(Ledger(f"sqlite:///{path}")) == {"a": "sending"}


def test_two_connections_at_once_lose_nothing_and_neither_gives_up(path: Path) -> None:
    def write(name: str) -> None:
        own = Ledger(f"sqlite:///{path}")
        for number in range(25):
            own.record(Delivery("books", f"{name}-{number}", "f", "m", NOON))

    Ledger(f"sqlite:///{path}")
    threads = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [delivery.name for delivery in Ledger(f"sqlite:///{path}").history("books")]
    assert sorted(names) == sorted(f"{name}-{number}" for name in ("left", "right") for number in range(25))
    assert [name for name in names if name.startswith("left")] == [f"left-{number}" for number in range(25)]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all/ledger.db",
        "not a url",
        "unheard://host/o2c",
        "postgresql+unheard://host/o2c",
    ],
)
def test_a_ledger_that_cannot_be_opened_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="the ledger cannot be opened"):
        Ledger(url)


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"dear diary, " * 100)
    with pytest.raises(
        LedgerError, match=r"ledger\.db: the ledger cannot be opened \(file is not a database"
    ):
        Ledger(f"sqlite:///{path}")
    assert path.read_bytes() == b"dear diary, " * 100


def test_a_refusal_does_not_tell_the_password() -> None:
    with pytest.raises(LedgerError) as refusal:
        Ledger("unheard://someone:secret@host/o2c")
    assert "secret" not in str(refusal.value)


# ── deliveries ──


def test_deliveries_come_back_oldest_first_and_of_their_source_alone(ledger: Ledger) -> None:
    told = [
        Delivery("books", "b.csv", "f2", "m1", NOON),
        Delivery("books", "a.csv", "f1", "m1", NOON - timedelta(days=1)),
        Delivery("bank", "x.camt", "f3", "m2", NOON),
        Delivery("books", "b.csv", "f4", "m1", NOON),
    ]
    for delivery in told:
        ledger.record(delivery)
    assert ledger.history("books") == [told[0], told[1], told[3]]
    assert ledger.history("bank") == [told[2]]
    assert ledger.history("nobody") == []
    assert {delivery.seen_at.tzinfo for delivery in ledger.history("books")} == {UTC}


# ── runs ──


def start(ledger: Ledger, run_id: str, as_of: date = DAY, *, is_sending: bool = False) -> int:
    return ledger.start_run(run_id, as_of, is_sending=is_sending, now=NOON)


def test_a_run_that_never_ended_is_marked_failed_by_the_next(ledger: Ledger, path: Path) -> None:
    done = start(ledger, "done")
    ledger.finish_run(done, "published", NOON)
    crashed, next_one = start(ledger, "crashed"), start(ledger, "next")
    assert (done, crashed, next_one) == (1, 2, 3)
    assert direct(path, "select run_id, state from runs order by run_number") == [
        ("done", "published"),
        ("crashed", "failed"),
        ("next", "started"),
    ]


def test_application_files_are_those_of_published_runs_in_the_order_of_runs(ledger: Ledger) -> None:
    first, second, third, fourth = (start(ledger, run_id) for run_id in "abcd")
    ledger.finish_run(second, "published", NOON, "second.parquet")
    ledger.finish_run(first, "published", NOON, "first.parquet")
    ledger.finish_run(third, "failed", NOON, "third.parquet")
    ledger.finish_run(fourth, "published", NOON)
    assert ledger.application_files() == ["first.parquet", "second.parquet"]


def test_a_state_that_no_run_has_is_refused_by_the_file_itself(ledger: Ledger, path: Path) -> None:
    start(ledger, "a")
    with pytest.raises(sqlite3.IntegrityError, match="run_state"):
        direct(path, "update runs set state = 'done'")


@pytest.mark.parametrize(
    ("state", "is_sending", "latest"),
    [("published", True, DAY), ("published", False, None), ("failed", True, None)],
)
def test_the_latest_sending_date_is_of_published_runs_that_sent(
    ledger: Ledger, state: str, is_sending: bool, latest: date | None
) -> None:
    assert ledger.latest_sending_date() is None
    ledger.finish_run(start(ledger, "a", DAY, is_sending=is_sending), state, NOON)
    assert ledger.latest_sending_date() == latest


@pytest.mark.parametrize(
    ("state", "latest"),
    [("sending", AFTER), ("sent", AFTER), ("approval_pending", DAY), ("cancelled", DAY)],
)
def test_a_run_that_was_killed_after_letters_left_counts_as_one_that_sent(
    ledger: Ledger, state: str, latest: date
) -> None:
    ledger.finish_run(start(ledger, "a", DAY, is_sending=True), "published", NOON)
    start(ledger, "killed", AFTER, is_sending=True)
    ledger.record_letters(
        [letter("a", state=state, decided_as_of_date=AFTER, sent_at=NOON if state == "sent" else None)]
    )
    assert ledger.latest_sending_date() == latest


# ── one letter of one identity ──

IDENTITY = ["kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion", "try_number"]
OTHER = dict(zip(IDENTITY, ["courtesy", "E2", "C-2", "USD", 2, 2, "due_soon", 2], strict=True))


@pytest.mark.parametrize("state", ["sending", "approval_pending"])
def test_a_second_letter_of_one_identity_is_refused_whatever_its_id(ledger: Ledger, state: str) -> None:
    ledger.record_letters([letter("a", customer_id="C-1", state=state)])
    with pytest.raises(LedgerError, match="second letter of one identity"):
        ledger.record_letters([letter("b", customer_id="C-1")])
    assert states(ledger) == {"a": state}
    assert ledger.line_rows(DAY)["letter_id"].to_list() == ["a"]


@pytest.mark.parametrize("part", IDENTITY)
def test_a_letter_that_differs_in_one_part_of_the_identity_is_another(ledger: Ledger, part: str) -> None:
    ledger.record_letters([letter("a", customer_id="C-1")])
    changes: dict[str, Any] = {"customer_id": "C-1", part: OTHER[part]}
    ledger.record_letters([letter("b", **changes)])
    assert states(ledger) == {"a": "sending", "b": "sending"}


def test_also_by_sql_no_second_letter_of_one_identity_goes_in(ledger: Ledger, path: Path) -> None:
    ledger.record_letters([letter("a")])
    columns = ", ".join(name for name in letter("a").row if name != "letter_id")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        direct(path, f"insert into letters (letter_id, {columns}) select 'b', {columns} from letters")
    assert states(ledger) == {"a": "sending"}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'lost'", "letter_state"),
        ("state = 'sent'", "sent_has_an_instant"),
        ("sent_at = '2026-03-12'", "sent_has_an_instant"),
    ],
)
def test_also_by_sql_no_letter_is_sent_without_an_instant_or_in_an_unknown_state(
    ledger: Ledger, path: Path, change: str, constraint: str
) -> None:
    ledger.record_letters([letter("a")])
    with pytest.raises(sqlite3.IntegrityError, match=constraint):
        direct(path, f"update letters set {change}")


def test_one_refused_letter_keeps_the_whole_batch_out(ledger: Ledger) -> None:
    ledger.record_letters([letter("a", customer_id="C-1", state="sent", sent_at=NOON)])
    with pytest.raises(LedgerError):
        ledger.record_letters([letter("b"), letter("c", customer_id="C-1")])
    assert states(ledger) == {"a": "sent"}


def test_a_letter_that_waits_for_approval_is_replaced_by_todays(ledger: Ledger) -> None:
    ledger.record_letters([letter("a", lines=3, state="approval_pending", decided_as_of_date=BEFORE)])
    ledger.record_letters([letter("a", lines=2, state="sending", message_hash="new")])
    (row,) = ledger.letter_rows(DAY).to_dicts()
    assert (row["state"], row["message_hash"], row["decided_as_of_date"]) == ("sending", "new", DAY)
    assert ledger.line_rows(DAY)["line_number"].to_list() == [1, 2]


@pytest.mark.parametrize("state", ["sending", "sent", "cancelled"])
def test_a_letter_that_left_or_was_settled_is_never_replaced(ledger: Ledger, state: str) -> None:
    ledger.record_letters([letter("a", lines=2, state=state, sent_at=NOON if state == "sent" else None)])
    before = ledger.letter_rows(DAY), ledger.line_rows(DAY)
    with pytest.raises(LedgerError):
        ledger.record_letters([letter("a", message_hash="other")])
    assert_frame_equal(ledger.letter_rows(DAY), before[0])
    assert_frame_equal(ledger.line_rows(DAY), before[1])


def test_no_letters_are_no_work(ledger: Ledger) -> None:
    ledger.record_letters([])
    ledger.settle_letters({}, NOON)
    ledger.forget_letters([])
    assert states(ledger) == {}


# ── what became of a letter ──


def test_sending_becomes_sent_or_cancelled_and_nothing_else_moves(ledger: Ledger) -> None:
    earlier = NOON - timedelta(days=9)
    ledger.record_letters(
        [
            letter("goes"),
            letter("stays"),
            letter("untold"),
            letter("waits", state="approval_pending"),
            letter("went", state="sent", sent_at=earlier),
            letter("ended", state="cancelled"),
        ]
    )
    ledger.settle_letters(
        {
            "goes": "sent",
            "stays": "cancelled",
            "waits": "sent",
            "went": "cancelled",
            "ended": "sent",
            "?": "sent",
        },
        NOON,
    )
    assert ledger.letter_rows(DAY).select("letter_id", "state", "sent_at").rows() == [
        ("ended", "cancelled", None),
        ("goes", "sent", NOON),
        ("stays", "cancelled", None),
        ("untold", "sending", None),
        ("waits", "approval_pending", None),
        ("went", "sent", earlier),
    ]


def test_more_letters_than_one_statement_takes_are_all_settled(ledger: Ledger) -> None:
    ids = [f"{number:04}" for number in range(1001)]
    ledger.record_letters([letter(letter_id) for letter_id in ids])
    ledger.settle_letters(dict.fromkeys(ids, "sent"), NOON)
    assert states(ledger) == dict.fromkeys(ids, "sent")


@pytest.mark.parametrize("state", ["approval_pending", "sending", "sent", "cancelled"])
def test_only_what_was_about_to_leave_is_forgotten(ledger: Ledger, state: str) -> None:
    ledger.record_letters([letter("a", lines=2, state=state, sent_at=NOON if state == "sent" else None)])
    ledger.forget_letters(["a", "never heard of"])
    left = [] if state == "sending" else ["a"]
    assert list(states(ledger)) == left
    assert ledger.line_rows(DAY)["letter_id"].to_list() == [one for one in left for _ in range(2)]


def test_a_forgotten_letter_can_be_decided_again(ledger: Ledger) -> None:
    ledger.record_letters([letter("a", lines=2)])
    ledger.forget_letters(["a"])
    ledger.record_letters([letter("a", lines=1)])
    assert states(ledger) == {"a": "sending"}
    assert ledger.line_rows(DAY).height == 1


def test_unsettled_letters_are_those_that_were_about_to_leave(ledger: Ledger) -> None:
    ledger.record_letters(
        [
            letter("a", batch_id="one", decided_as_of_date=BEFORE),
            letter("b", state="approval_pending"),
            letter("c", state="sent", sent_at=NOON),
            letter("d", state="cancelled"),
        ]
    )
    (found,) = ledger.unsettled_letters()
    assert (found.letter_id, found.batch_id, found.decided_as_of_date) == ("a", "one", BEFORE)


def test_a_process_killed_inside_its_transaction_leaves_nothing(ledger: Ledger, path: Path) -> None:
    dies = (
        "import os, sqlite3\n"
        f"con = sqlite3.connect({str(path)!r})\n"
        "con.execute(\"update letters set state = 'cancelled'\")\n"
        "os.kill(os.getpid(), 9)"
    )
    ledger.record_letters([letter("a")])
    assert subprocess.run([sys.executable, "-c", dies], check=False).returncode == -9
    assert states(ledger) == {"a": "sending"}
    ledger.settle_letters({"a": "sent"}, NOON)
    assert states(ledger) == {"a": "sent"}


# ── what decisions read ──


def test_letters_before_a_date_leave_out_the_day_itself(ledger: Ledger) -> None:
    ledger.record_letters(
        [
            letter("a", decided_as_of_date=BEFORE, state="sent", sent_at=NOON),
            letter("b", decided_as_of_date=DAY),
            letter("c", decided_as_of_date=AFTER),
        ]
    )
    assert ledger.letters_before(BEFORE)[0].is_empty()
    letters, lines = ledger.letters_before(DAY)
    expected = {
        "letter_id": "a",
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": "C-a",
        "currency_code": "EUR",
        "level": 1,
        "episode": 1,
        "occasion": None,
        "try_number": 1,
        "state": "sent",
        "address": "jane@acme.example",
        "decided_as_of_date": BEFORE,
        "sent_date": BEFORE,
        "state_date": None,
    }
    assert_frame_equal(letters, pl.DataFrame([expected], schema=LetterHistory.empty().schema))
    assert lines.is_empty()
    assert ledger.letters_before(AFTER)[0]["letter_id"].sort().to_list() == ["a", "b"]


def test_reminders_before_a_date_say_which_invoices_they_listed(ledger: Ledger) -> None:
    def reminder(letter_id: str, decided: date, sent_at: datetime | None) -> Any:
        one = letter(
            letter_id,
            kind="courtesy",
            level=0,
            occasion="due_soon",
            decided_as_of_date=decided,
            state="sent" if sent_at else "sending",
            sent_at=sent_at,
        )
        one.lines[0]["occasion"] = "due_soon"
        return one

    ledger.record_letters(
        [
            reminder("a", BEFORE, NOON),
            reminder("b", BEFORE, None),
            reminder("c", DAY, NOON),
            letter("d", decided_as_of_date=BEFORE),
        ]
    )
    letters, lines = ledger.letters_before(DAY)
    assert letters.sort("letter_id").select("letter_id", "occasion", "sent_date").rows() == [
        ("a", "due_soon", BEFORE),
        ("b", "due_soon", None),
        ("d", None, None),
    ]
    assert_frame_equal(
        lines.sort("letter_id"),
        pl.DataFrame(
            [("a", "INV-1", "due_soon", "sent", BEFORE), ("b", "INV-1", "due_soon", "sending", None)],
            schema=LineHistory.empty().schema,
            orient="row",
        ),
    )


def test_letters_and_lines_come_back_whole_with_their_types_and_to_the_cent(ledger: Ledger) -> None:
    one = letter("b", total_amount="90071992547409.9301", state="sent", sent_at=NOON)
    one.lines[0].update(invoice_amount="90071992547409.9301", amount="-0.0100", po_number="PO 7")
    ledger.record_letters([one, letter("a", lines=2), letter("c", decided_as_of_date=AFTER)])
    rows, lines = ledger.letter_rows(DAY), ledger.line_rows(DAY)
    assert rows.schema["total_amount"] == pl.Decimal(18, 4)
    assert rows.schema["sent_at"] == pl.Datetime("us", "UTC")
    assert rows.to_dicts() == [
        letter("a").row | {"total_amount": Decimal("200.0000"), "occasion": None},
        one.row | {"total_amount": Decimal("90071992547409.9301"), "occasion": None},
    ]
    LetterLines.validate(lines)
    money = ("invoice_amount", "disputed_amount", "amount")
    expected = [*letter("a", lines=2).lines, *one.lines]
    assert lines.to_dicts() == [row | {name: Decimal(row[name]) for name in money} for row in expected]


def test_a_ledger_without_letters_gives_empty_frames_of_the_same_types(ledger: Ledger) -> None:
    empty = ledger.letter_rows(DAY).schema, ledger.line_rows(DAY).schema
    assert ledger.letter_rows(DAY).is_empty()
    ledger.record_letters([letter("a")])
    assert (ledger.letter_rows(DAY).schema, ledger.line_rows(DAY).schema) == empty


# ── placements ──


def placed(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=PlacedItems.empty().schema, orient="row")


def test_an_item_is_placed_once_and_counts_from_the_day_after(ledger: Ledger) -> None:
    first = placed(("INV-1", 1, "C-1", "AGENCY-US", BEFORE), ("INV-1", 2, "C-1", "AGENCY-US", BEFORE))
    ledger.record_placements(first)
    ledger.record_placements(
        placed(("INV-1", 1, "C-1", "AGENCY-EU", DAY), ("INV-2", 1, "C-1", "AGENCY-EU", DAY))
    )
    assert ledger.placed_before(BEFORE).is_empty()
    assert_frame_equal(ledger.placed_before(DAY), first)
    assert_frame_equal(
        ledger.placed_before(AFTER), pl.concat([first, placed(("INV-2", 1, "C-1", "AGENCY-EU", DAY))])
    )


def test_also_by_sql_no_item_is_placed_twice(ledger: Ledger, path: Path) -> None:
    ledger.record_placements(placed(("INV-1", 1, "C-1", "AGENCY-US", DAY)))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        direct(path, "insert into placements select * from placements")
