"""A ledger that holds together is told so; whatever is changed below it, with the rules taken away, shows."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from ledger_rows import DAY, HOUR, NOON, WAYS, approve, letter, put
from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, text, update

from o2c.cli import main
from o2c.delivery.carrier import Outcome
from o2c.delivery.events import DeliveryEvent
from o2c.ledger import Ledger, tables
from o2c.ledger.auditing import FIRST_HASH, Change, append, row_hash
from o2c.ledger.delivery_events import record_events
from o2c.ledger.outgoing import claim, expire_leases, plan_letters, presume_not_sent, record
from o2c.ledger.planning import PlannedLetter, cancel_letters
from o2c.ledger.triggers import drop_triggers, install_triggers
from o2c.ledger.verify import GROUPS, verify
from o2c.ledger.verify_chain import chain_findings

EDITS = 1000


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = Ledger(ledger_url).engine
    yield engine
    engine.dispose()


def without_rules(engine: Engine, *changes: Callable[[Connection], Any]) -> None:
    """What somebody does who took the triggers away, and put them back so that nobody sees it."""
    with engine.begin() as con:
        drop_triggers(con)
        for change in changes:
            change(con)
        install_triggers(con)


def kinds(engine: Engine) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in verify(engine).findings]


# ── a ledger that holds together ──


def test_a_new_ledger_holds_together(engine: Engine) -> None:
    found = verify(engine)
    assert (found.findings, found.entry_count, found.letter_count, found.batches) == ((), 0, 0, {})


def test_letters_in_every_state_hold_together_and_their_batches_add_up(engine: Engine) -> None:
    put(engine, *(letter(state, state=state) for state in WAYS))
    put(engine, letter("late", batch_id="2026-03-13-c", state="sent", decided_as_of_date=date(2026, 3, 13)))
    found = verify(engine)
    assert found.findings == ()
    assert found.letter_count == len(WAYS) + 1
    assert found.states == {state: 1 + (state == "sent") for state in WAYS}
    rest = dict.fromkeys(GROUPS, 0)
    assert found.batches == {
        "2026-03-12-b": {"planned": 13, "waiting": 3, "sent": 3, "unknown": 2, "failed": 4, "cancelled": 1},
        "2026-03-13-c": {"planned": 1, **rest, "sent": 1},
    }
    assert all(sum(counts.values()) == 2 * counts["planned"] for counts in found.batches.values())


def test_what_the_post_office_writes_holds_together(engine: Engine) -> None:
    """Planned, planned again, approved, claimed, answered in every way, lost, presumed, reported, withdrawn."""
    from post_office import approve as approve_all

    def planned(letter_id: str, **changes: Any) -> PlannedLetter:
        one = letter(letter_id, **changes)
        return PlannedLetter(one.row, one.lines, one.content)

    ids = [f"L{number}" for number in range(8)]
    plan_letters(engine, [planned(letter_id) for letter_id in ids], "o2c", NOON)
    approve_all(engine, [planned(letter_id, lines=2) for letter_id in ids])
    claims = claim(
        engine,
        carrier="ses",
        owner="w",
        now=NOON,
        lease=timedelta(minutes=2),
        contact_date=DAY,
        limit=7,
    )
    assert [one.letter.letter_id for one in claims] == ids[:7]
    answers = [
        Outcome("accepted", carrier_message_id="m-0"),
        Outcome("accepted", carrier_message_id="m-1"),
        Outcome("refused", error_class="MessageRejected"),
        Outcome("unknown", error_class="ReadTimeoutError"),
        Outcome("not_accepted", error_class="TooManyRequestsException"),
    ]
    record(engine, list(zip(claims, answers, strict=False)), NOON)
    assert verify(engine).findings == ()
    expire_leases(engine, NOON + HOUR)
    record(engine, [(claims[5], Outcome("accepted", carrier_message_id="m-5"))], NOON + HOUR)  # woke up late
    event = {"carrier": "ses", "detail": None, "occurred_at": NOON, "content_hash": FIRST_HASH}
    told = [
        DeliveryEvent(event_id="1", letter_id="L0", event_type="bounce", carrier_message_id="m-0", **event),
        DeliveryEvent(event_id="2", letter_id="L3", event_type="delivery", carrier_message_id="m-3", **event),
    ]
    record_events(engine, told, NOON + HOUR)
    late = NOON + timedelta(days=3)
    assert presume_not_sent(engine, late, timedelta(hours=48), late) == ["L6"]
    cancel_letters(engine, {"L7": "paid"}, "o2c", late)
    found = verify(engine)
    assert found.findings == ()
    assert found.states == {
        "approved": 1, "sent": 2, "delivered": 1, "bounced": 1, "refused": 1, "presumed_not_sent": 1, "cancelled": 1,
    }  # fmt: skip


# ── the chain ──


def written(engine: Engine) -> list[RowMapping]:
    put(engine, *(letter(state, state=state) for state in ("sent", "cancelled", "unknown")))
    with engine.connect() as con:
        return list(con.execute(select(tables.audit).order_by(tables.audit.c.sequence)).mappings())


def tamper(draw: random.Random, rows: list[RowMapping]) -> tuple[str, Any]:
    """One row edited, deleted or added, with and without a hash that fits."""
    audit = tables.audit
    row = dict(draw.choice(rows))
    is_it = audit.c.sequence == row["sequence"]
    kind = draw.choice(["edit", "edit", "edit", "edit and hash", "delete", "add", "add and hash"])
    if kind == "delete":
        return kind, delete(audit).where(is_it)
    if kind.startswith("add"):
        last = rows[-1]
        new = row | {"sequence": draw.choice([0, -1, len(rows) + 1, len(rows) + 2]), "actor": "mallory"}
        new |= {"previous_hash": draw.choice([last["hash"], f"{draw.getrandbits(256):064x}"])}
        new["hash"] = row_hash(new) if kind.endswith("hash") else f"{draw.getrandbits(256):064x}"
        taken = {one["previous_hash"] for one in rows}
        if new["previous_hash"] in taken:
            new["previous_hash"] = f"{draw.getrandbits(256):064x}"
        return kind, insert(audit).values(new)
    column = draw.choice([one.name for one in audit.columns if one.name != "hash" or kind == "edit"])
    if column == "sequence":
        value: Any = draw.choice([-5, 0, len(rows) + 1, len(rows) + 7])
    elif column == "recorded_at":
        value = row[column] + timedelta(microseconds=draw.choice([-1, 1, 10**9]))
    elif column in ("hash", "previous_hash"):
        value = f"{draw.getrandbits(256):064x}"
    else:
        old = row[column]
        value = draw.choice(
            [f"{old} ", "", "mallory", None if old and column in ("before", "after") else "x"]
        )
        if value == old:
            value = "other"
    changed = row | {column: value}
    if kind == "edit and hash":
        changed["hash"] = row_hash(changed)
    return f"{kind} {column}", update(audit).where(is_it).values(changed)


def test_a_thousand_changes_of_one_row_of_the_audit_all_show(engine: Engine) -> None:
    rows = written(engine)
    edits = EDITS if engine.dialect.name == "sqlite" else EDITS // 10
    draw = random.Random(6)  # noqa: S311
    unseen = []
    with engine.begin() as con:
        drop_triggers(con)
        assert chain_findings(con) == []
        for _ in range(edits):
            what, statement = tamper(draw, rows)
            with con.begin_nested() as attempt:
                con.execute(statement)
                if not chain_findings(con):
                    unseen.append((what, str(statement)))
                attempt.rollback()
        assert chain_findings(con) == []
        con.rollback()
    assert unseen == []


def test_the_end_of_the_chain_cut_off_shows(engine: Engine) -> None:
    count = len(written(engine))
    without_rules(
        engine, lambda con: con.execute(delete(tables.audit).where(tables.audit.c.sequence > count - 2))
    )
    assert ("audit_end", "audit") in kinds(engine)


def test_a_chain_written_anew_from_the_middle_shows_in_the_letters(engine: Engine) -> None:
    """Somebody who computes every hash again, and moves the end, still has letters that say otherwise."""
    rows = written(engine)

    def rewrite(con: Connection) -> None:
        con.execute(delete(tables.audit))
        previous, kept = FIRST_HASH, [dict(row) for row in rows if row["subject"] != "letter:unknown"]
        for sequence, row in enumerate(kept, 1):
            row |= {"sequence": sequence, "previous_hash": previous}
            previous = row["hash"] = row_hash(row)
        con.execute(insert(tables.audit), kept)
        con.execute(update(tables.audit_head).values(sequence=len(kept), hash=previous))

    without_rules(engine, rewrite)
    assert kinds(engine) == [("state", "letter:unknown"), ("count", "batch:2026-03-12-b")]


def test_a_step_that_no_letter_may_take_shows_in_the_chain_too(engine: Engine) -> None:
    put(engine, letter("a", state="sent"))
    with engine.begin() as con:
        append(con, [Change("mallory", "step", "letter:a", "sent", "approved")], NOON)
    assert kinds(engine) == [("illegal_step", "letter:a"), ("state", "letter:a")]


# ── everything else ──


def change(table: str, changes: str, where: str = "true") -> Callable[[Connection], Any]:
    return lambda con: con.execute(text(f"update {table} set {changes} where {where}"))


SENT, UNKNOWN, LIST = "letter_id = 'sent'", "letter_id = 'unknown'", "request_id = 'R-sent'"


def remove(table: str, where: str) -> Callable[[Connection], Any]:
    return lambda con: con.execute(text(f"delete from {table} where {where}"))


def _exchange_message(con: Connection) -> None:
    table = tables.letter_messages
    con.execute(update(table).where(table.c.letter_id == "sent").values(content=b"not compressed"))


def _report(con: Connection) -> None:
    told = {"event_id": "E", "letter_id": "sent", "carrier": "ses", "event_type": "send", "content_hash": "0"}
    when = {"occurred_at": NOON, "received_at": NOON, "carrier_message_id": "m-2"}
    con.execute(insert(tables.delivery_events), told | when)


LATE = "approved_at = '2026-03-14 00:00:00.000000', expires_at = '2026-03-15 00:00:00.000000'"
TAMPERINGS: dict[str, tuple[list[Callable[[Connection], Any]], list[tuple[str, str]]]] = {
    "a state moved on": (
        [change("letters", "state = 'delivered'", SENT)],
        [("state", "letter:sent")],
    ),
    "an unknown letter to be sent again": (
        [change("letters", "state = 'approved', contact_date = null", UNKNOWN)],
        [("state", "letter:unknown"), ("attempts", "letter:unknown")],
    ),
    "an attempt more counted": (
        [change("letters", "attempt_count = 2", SENT)],
        [("attempts", "letter:sent")],
    ),
    "an outcome of a sent letter": (
        [change("attempts", "outcome = 'unknown'", SENT)],
        [("attempts", "letter:sent")],
    ),
    "an outcome of a refused letter": (
        [change("attempts", "outcome = 'accepted'", "letter_id = 'refused'")],
        [("attempts", "letter:refused")],
    ),
    "an attempt renumbered": (
        [change("attempts", "attempt_number = 2", SENT)],
        [("attempts", "letter:sent")],
    ),
    "an attempt removed": ([remove("attempts", SENT)], [("attempts", "letter:sent")] * 2),
    "a hash of a message": (
        [change("letters", "message_hash = '00'", SENT)],
        [("message", "letter:sent"), ("approval", "letter:sent")],
    ),
    "a message": ([_exchange_message], [("message", "letter:sent")]),
    "an address": (
        [change("letters", "address = 'x@evil.example'", SENT)],
        [("approval", "letter:sent")],
    ),
    "a letter out of its list": (
        [change("letters", "request_id = null", SENT)],
        [("approval", "letter:sent")],
    ),
    "a letter in a list of others": (
        [change("letters", "request_id = 'R-approved'", SENT)],
        [("approval", "letter:sent")],
    ),
    "a list waits again": (
        [change("approval_requests", "state = 'waiting'", LIST)],
        [("approval", "letter:sent")],
    ),
    "a list emptied": (
        [change("approval_requests", "content = '{}'", LIST)],
        [("request", "request:R-sent")],
    ),
    "a list counted otherwise": (
        [change("approval_requests", "item_count = 2", LIST)],
        [("request", "request:R-sent")],
    ),
    "an address in a list": (
        [change("approval_items", "address = 'x@evil.example'", LIST)],
        [("request", "request:R-sent"), ("approval", "letter:sent")],
    ),
    "more people asked": (
        [change("approval_requests", "required_approval_count = 2", LIST)],
        [("request", "request:R-sent")],
    ),
    "a yes made a no": (
        [change("approvals", "verdict = 'reject'", LIST)],
        [("request", "request:R-sent")] * 2,
    ),
    "a yes that came too late": ([change("approvals", LATE, LIST)], [("request", "request:R-sent")]),
    "a yes removed": ([remove("approvals", LIST)], [("request", "request:R-sent")]),
    "a claim after the approval": (
        [change("attempts", "started_at = '2026-03-14 00:00:00.000000'", SENT)],
        [("approval", "letter:sent")],
    ),
    "a letter accepted twice": (
        [change("attempts", "carrier_message_id = 'm-1'", SENT), _report],
        [("accepted_twice", "letter:sent")],
    ),
    "a second contact of a customer": (
        [change("letters", "customer_id = 'C-sent', batch_id = 'other', level = 2", UNKNOWN)],
        [("quiet_days", "letter:unknown")],
    ),
    "a second contact of an address": (
        [change("letters", "address = 'SENT@acme.example', batch_id = 'other'", UNKNOWN)],
        [("approval", "letter:unknown"), ("quiet_days", "letter:unknown")],
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_changed_below_the_ledger_shows(engine: Engine, what: str) -> None:
    changes, found = TAMPERINGS[what]
    put(engine, *(letter(state, state=state) for state in ("sent", "unknown", "refused", "approved")))
    assert kinds(engine) == []
    without_rules(engine, *changes)
    assert kinds(engine) == found


def test_a_letter_that_was_taken_away_shows_and_one_that_was_put_there_too(engine: Engine) -> None:
    put(engine, letter("a", state="sent"))

    def exchange(con: Connection) -> None:
        row = dict(con.execute(select(tables.letters)).mappings().one())
        for name in ("attempts", "letter_lines", "letter_messages", "letters"):
            con.execute(text(f"delete from {name}"))
        con.execute(insert(tables.letters), row | {"letter_id": "b", "attempt_count": 0})

    without_rules(engine, exchange)
    assert kinds(engine) == [
        ("state", "letter:b"),
        ("attempts", "letter:b"),
        ("gone", "letter:a"),
        ("approval", "letter:b"),
        ("count", "batch:2026-03-12-b"),
    ]


def test_an_item_at_an_agency_without_an_approved_list_shows(engine: Engine) -> None:
    def place(con: Connection) -> None:
        item = {"invoice_id": "I", "installment_number": 1, "customer_id": "C", "agency_id": "A"}
        approve(con, [], request_id="R-h", kind="holds")
        con.execute(insert(tables.placements), item | {"placed_date": DAY, "request_id": "R-h"})
        con.execute(insert(tables.placements), item | {"placed_date": DAY, "invoice_id": "earlier version"})

    without_rules(engine, place)
    assert kinds(engine) == [("handed_over", "placements:I|1")]


def test_rules_that_are_not_in_force_show(engine: Engine) -> None:
    with engine.begin() as con:
        if con.dialect.name == "sqlite":
            con.execute(text("drop trigger o2c_letter_step"))
            con.execute(text("drop trigger o2c_letter_is_kept"))
            con.execute(
                text("create trigger o2c_letter_is_kept before delete on letters begin select 1; end")
            )
            con.execute(text("create trigger mine after insert on letters begin select 1; end"))
            names = ["o2c_letter_is_kept", "o2c_letter_step", "mine"]
        else:
            con.execute(text("alter table letters disable trigger o2c_letters_update"))
            con.execute(text("alter table audit enable trigger o2c_audit_delete"))
            con.execute(
                text(
                    "create or replace function o2c_letters_delete() returns trigger language plpgsql as"
                    " 'begin return old; end'"
                )
            )
            con.execute(
                text("create trigger mine before delete on letters execute function o2c_letters_truncate()")
            )
            con.execute(text("alter table letters enable always trigger mine"))
            names = ["o2c_audit_delete", "o2c_letters_delete", "o2c_letters_update", "mine"]
    assert kinds(engine) == [("rule", f"trigger:{name}") for name in names]


# ── the command ──


def test_the_command_says_so_and_ends_with_two_when_anything_is_wrong(
    engine: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("O2C_LEDGER_URL", ledger_url)
    put(engine, letter("a", state="sent"), letter("b"))
    assert main(["ledger", "verify"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "audit: 7 entries"
    assert told[1] == "letters: 2 (1 rendered, 1 sent)"
    assert told[2] == "  2026-03-12-b: 2 planned = 1 waiting, 1 sent"
    assert told[-1] == "the ledger holds together"

    without_rules(engine, change("letters", "address = 'mallory@evil.example'", "letter_id = 'a'"))
    assert main(["ledger", "verify"]) == 2
    said = capsys.readouterr().out
    assert "WRONG  approval  letter:a: the list R-a has no such letter, message and address" in said
    assert "evil.example" not in said
    assert main(["ledger", "verify", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["is_well"], told["letter_count"], [one["kind"] for one in told["findings"]]) == (
        False,
        2,
        ["approval"],
    )
