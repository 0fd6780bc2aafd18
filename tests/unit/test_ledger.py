"""The ledger keeps what must never be forgotten or doubled, also against code that is wrong."""

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
from ledger_rows import DAY, NOON, approve, letter, put
from polars.testing import assert_frame_equal
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from o2c.frames import LetterHistory, LetterLines, LineHistory, PlacedItems
from o2c.landing import Delivery
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.auditing import Change, append
from o2c.ledger.letters import SHOWN
from o2c.ledger.states import CONTACT_STATES, FAILED_STATES
from o2c.ledger.tables import audit, deliveries, placements
from o2c.ledger.verify_chain import chain_findings

BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = Ledger(ledger_url)
    yield ledger
    ledger.engine.dispose()


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.letter_rows(date.max).select("letter_id", "state").iter_rows())


# ── the file ──


def test_sqlite_writes_ahead_and_syncs_every_commit_in_every_connection(path: Path) -> None:
    engine = Ledger(f"sqlite:///{path}").engine
    for _ in range(2):
        with engine.connect() as con:
            found = [
                con.execute(text(f"pragma {name}")).scalar()
                for name in (
                    "journal_mode",
                    "synchronous",
                    "foreign_keys",
                    "busy_timeout",
                    "recursive_triggers",
                )
            ]
        engine.dispose()
        assert found == ["wal", 2, 1, 30000, 1]


def test_sqlite_that_would_not_write_ahead_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network disk: SQLite says nothing and goes on without."""
    monkeypatch.setattr("o2c.ledger.opening._write_ahead", lambda _cursor: "delete")
    with pytest.raises(LedgerError, match="journal_mode is delete, synchronous 2, foreign_keys 1"):
        Ledger(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="would forget everything"):
        Ledger(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_commits_durably_whatever_the_server_does_by_default(
    postgres_url: str, scheme: str
) -> None:
    engine = Ledger(postgres_url.replace("postgresql", scheme, 1)).engine
    with engine.connect() as con:
        assert con.execute(text("show synchronous_commit")).scalar() == "on"
        assert con.execute(text("show timezone")).scalar() == "UTC"
    engine.dispose()


def test_a_ledger_opened_again_has_what_was_written(ledger: Ledger, ledger_url: str) -> None:
    put(ledger.engine, letter("a", state="sending"))
    again = Ledger(ledger_url)
    assert states(again) == {"a": "sending"}
    again.engine.dispose()


# ── two at once ──


def test_two_writers_at_once_lose_nothing_and_neither_gives_up(ledger: Ledger, ledger_url: str) -> None:
    """Each reads before it writes: without turns, one would build on what the other has just changed."""

    def write(name: str) -> None:
        own = Ledger(ledger_url)
        try:
            for number in range(25):
                with own.engine.begin() as con:
                    append(con, [Change(name, "count", f"thing:{number}")], NOON)
        except BaseException as fault:
            faults.append(fault)
        own.engine.dispose()

    faults: list[BaseException] = []
    threads = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with ledger.engine.connect() as con:
        rows = con.execute(
            select(audit.c.sequence, audit.c.actor, audit.c.subject).order_by(audit.c.sequence)
        )
        told = [tuple(row) for row in rows]
        assert chain_findings(con) == []
    assert [row[0] for row in told] == list(range(1, 51))
    for name in ("left", "right"):
        assert [row[2] for row in told if row[1] == name] == [f"thing:{number}" for number in range(25)]


def test_a_reader_sees_what_was_before_while_another_writes(ledger: Ledger) -> None:
    with ledger.engine.begin() as con:
        con.execute(insert(deliveries).values(**vars(Delivery("books", "a", "f", "m", NOON))))
        assert ledger.history("books") == []
    assert [one.name for one in ledger.history("books")] == ["a"]


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


def test_a_run_that_never_ended_is_marked_failed_by_the_next(ledger: Ledger) -> None:
    done = start(ledger, "done")
    ledger.finish_run(done, "published", NOON)
    crashed, next_one = start(ledger, "crashed"), start(ledger, "next")
    assert (done, crashed, next_one) == (1, 2, 3)
    with ledger.engine.connect() as con:
        rows = con.execute(text("select run_id, state from runs order by run_number"))
        assert [tuple(row) for row in rows] == [
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


def test_a_state_that_no_run_has_is_refused_by_the_database_itself(ledger: Ledger) -> None:
    start(ledger, "a")
    with pytest.raises(IntegrityError, match="run_state"), ledger.engine.begin() as con:
        con.execute(text("update runs set state = 'done'"))


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
    [
        *((state, AFTER) for state in CONTACT_STATES),
        *((state, DAY) for state in ("rendered", "approval_pending", "approved", "cancelled", "refused")),
    ],
)
def test_a_run_that_was_killed_after_letters_left_counts_as_one_that_sent(
    ledger: Ledger, state: str, latest: date
) -> None:
    ledger.finish_run(start(ledger, "a", DAY, is_sending=True), "published", NOON)
    start(ledger, "killed", AFTER, is_sending=True)
    put(ledger.engine, letter("a", state=state, decided_as_of_date=AFTER))
    assert ledger.latest_sending_date() == latest


# ── one letter of one identity ──

IDENTITY = ["kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion", "try_number"]
OTHER = dict(zip(IDENTITY, ["courtesy", "E2", "C-2", "USD", 2, 2, "due_soon", 2], strict=True))


@pytest.mark.parametrize("state", ["rendered", "approval_pending", "sent", "complained", "unknown"])
def test_a_second_letter_of_one_identity_is_refused_whatever_its_id(ledger: Ledger, state: str) -> None:
    put(ledger.engine, letter("a", customer_id="C-1", state=state))
    for again in (1, 2):
        with pytest.raises(IntegrityError, match=r"letter_identity|letter_alive_once|letters_not_replaced"):
            put(ledger.engine, letter("b", customer_id="C-1", try_number=again))
    assert states(ledger) == {"a": state}
    assert ledger.line_rows(DAY)["letter_id"].to_list() == ["a"]


@pytest.mark.parametrize("part", IDENTITY)
def test_a_letter_that_differs_in_one_part_of_the_identity_is_another(ledger: Ledger, part: str) -> None:
    put(ledger.engine, letter("a", customer_id="C-1", state="cancelled"))
    changes: dict[str, Any] = {"customer_id": "C-1", part: OTHER[part]}
    put(ledger.engine, letter("b", **changes))
    assert states(ledger) == {"a": "cancelled", "b": "rendered"}


@pytest.mark.parametrize("state", FAILED_STATES)
def test_after_a_failure_the_same_letter_may_be_tried_again_under_the_next_number(
    ledger: Ledger, state: str
) -> None:
    put(ledger.engine, letter("a", customer_id="C-1", state=state))
    put(ledger.engine, letter("b", customer_id="C-1", try_number=2))
    assert states(ledger) == {"a": state, "b": "rendered"}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'lost'", "letter_step|letter_state"),
        ("state = 'sent', owner = null, lease_until = null", "letter_outcome|sent_has_an_instant"),
        ("state = 'unknown'", "claimed_has_an_owner"),
    ],
)
def test_also_by_sql_no_letter_is_sent_without_an_instant_or_in_an_unknown_state(
    ledger: Ledger, change: str, constraint: str
) -> None:
    put(ledger.engine, letter("a", state="sending"))
    with pytest.raises(IntegrityError, match=constraint), ledger.engine.begin() as con:
        con.execute(text(f"update letters set {change}"))


def test_a_process_killed_inside_its_transaction_leaves_nothing(path: Path) -> None:
    dies = (
        "import os, sqlite3\n"
        f"con = sqlite3.connect({str(path)!r})\n"
        "con.execute(\"update letters set state = 'cancelled'\")\n"
        "os.kill(os.getpid(), 9)"
    )
    ledger = Ledger(f"sqlite:///{path}")
    put(ledger.engine, letter("a"))
    assert subprocess.run([sys.executable, "-c", dies], check=False).returncode == -9
    assert states(ledger) == {"a": "rendered"}
    ledger.engine.dispose()


# ── what decisions read ──


def test_letters_before_a_date_leave_out_the_day_itself(ledger: Ledger) -> None:
    put(
        ledger.engine,
        letter("a", decided_as_of_date=BEFORE, state="sent", sent_at=NOON),
        letter("b", decided_as_of_date=DAY),
        letter("c", decided_as_of_date=AFTER),
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
        "address": "a@acme.example",
        "decided_as_of_date": BEFORE,
        "sent_date": BEFORE,
        "state_date": DAY,
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
            state="sent" if sent_at else "unknown",
            sent_at=sent_at,
        )
        one.lines[0]["occasion"] = "due_soon"
        return one

    put(
        ledger.engine,
        reminder("a", BEFORE, NOON),
        reminder("b", BEFORE, None),
        reminder("c", DAY, NOON),
        letter("d", decided_as_of_date=BEFORE),
    )
    letters, lines = ledger.letters_before(DAY)
    assert letters.sort("letter_id").select("letter_id", "occasion", "sent_date").rows() == [
        ("a", "due_soon", BEFORE),
        ("b", "due_soon", BEFORE),
        ("d", None, None),
    ]
    assert_frame_equal(
        lines.sort("letter_id"),
        pl.DataFrame(
            [("a", "INV-1", "due_soon", "sent", BEFORE), ("b", "INV-1", "due_soon", "unknown", None)],
            schema=LineHistory.empty().schema,
            orient="row",
        ),
    )


def test_letters_and_lines_come_back_whole_with_their_types_and_to_the_cent(ledger: Ledger) -> None:
    one = letter("b", total_amount="90071992547409.9301", state="sent", sent_at=NOON)
    one.lines[0].update(invoice_amount="90071992547409.9301", amount="-0.0100", po_number="PO 7")
    put(ledger.engine, one, letter("a", lines=2), letter("c", decided_as_of_date=AFTER))
    rows, lines = ledger.letter_rows(DAY), ledger.line_rows(DAY)
    assert rows.schema["total_amount"] == pl.Decimal(18, 4)
    assert rows.schema["sent_at"] == pl.Datetime("us", "UTC")
    shown = [
        letter("a", lines=2).row
        | {"total_amount": Decimal("200.0000"), "contact_date": None, "sent_at": None},
        one.row | {"total_amount": Decimal("90071992547409.9301"), "contact_date": DAY},
    ]
    assert rows.columns == list(SHOWN)
    assert rows.to_dicts() == [{name: (row | {"occasion": None})[name] for name in SHOWN} for row in shown]
    LetterLines.validate(lines)
    money = ("invoice_amount", "disputed_amount", "amount")
    expected = [*letter("a", lines=2).lines, *one.lines]
    assert lines.to_dicts() == [row | {name: Decimal(row[name]) for name in money} for row in expected]


def test_a_ledger_without_letters_gives_empty_frames_of_the_same_types(ledger: Ledger) -> None:
    empty = ledger.letter_rows(DAY).schema, ledger.line_rows(DAY).schema
    assert ledger.letter_rows(DAY).is_empty()
    put(ledger.engine, letter("a"))
    assert (ledger.letter_rows(DAY).schema, ledger.line_rows(DAY).schema) == empty


# ── placements ──


def test_an_item_at_an_agency_counts_from_the_day_after_until_it_is_recalled(ledger: Ledger) -> None:
    rows = [("INV-1", 1, "C-1", "AGENCY-US", BEFORE), ("INV-1", 2, "C-1", "AGENCY-US", BEFORE)]
    first = pl.DataFrame(rows, schema=PlacedItems.empty().schema, orient="row")
    with ledger.engine.begin() as con:
        approve(con, [], request_id="R", kind="referrals")
        con.execute(insert(placements), [row | {"request_id": "R"} for row in first.to_dicts()])
    assert ledger.placed_before(BEFORE).is_empty()
    assert_frame_equal(ledger.placed_before(DAY), first)
    with ledger.engine.begin() as con:
        recalled = placements.c.installment_number == 2
        con.execute(update(placements).where(recalled).values(recalled_date=DAY, recall_reason="paid"))
    assert_frame_equal(ledger.placed_before(DAY), first)
    assert_frame_equal(ledger.placed_before(AFTER), first.head(1))
