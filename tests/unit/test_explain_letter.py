"""A letter is told from what was kept of it: its lines, why, which data, who let it leave, what became of it."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from ledger_rows import end_attempt, step
from letter_builders import AS_OF, BATCH, letter, render
from sqlalchemy import Engine, Table, insert, update

from o2c.explain import NothingFound
from o2c.explain_letter import explain_letter
from o2c.home import Home, open_home
from o2c.ledger import Ledger, tables
from o2c.ledger.auditing import Change, append

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
RUN_ID = "a1b2c3" + "0" * 14
(MESSAGE,) = render(letter("C-100"))
ID = MESSAGE.letter_id
REQUEST = "REQ-1"


def put(engine: Engine, table: Table, **row: Any) -> None:
    with engine.begin() as con:
        con.execute(insert(table), row)


def put_letter(engine: Engine, letter_id: str = ID, **changes: Any) -> None:
    row = {
        "letter_id": letter_id,
        "batch_id": BATCH,
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": "C-100",
        "currency_code": "EUR",
        "episode": 1,
        "level": 1,
        "occasion": "",
        "try_number": 1,
        "stage": "first_contact",
        "channel": "email",
        "language_code": "en",
        "contact_id": "contact-C-100",
        "address": MESSAGE.to_address,
        "total_amount": "100.0000",
        "state": "rendered",
        "message_hash": MESSAGE.message_hash,
        "decided_as_of_date": AS_OF,
    }
    put(engine, tables.letters, **(row | changes))
    put(
        engine,
        tables.letter_lines,
        letter_id=letter_id,
        line_number=1,
        invoice_id="id-INV-1001",
        installment_number=1,
        invoice_number="INV-1001",
        currency_code="EUR",
        invoice_amount="100.0000",
        disputed_amount="0.0000",
        amount="100.0000",
        days_past_due=12,
        invoice_date=date(2026, 1, 29),
        due_date=date(2026, 2, 28),
    )
    put(engine, tables.letter_messages, letter_id=letter_id, content=zlib.compress(MESSAGE.eml))


@pytest.fixture
def home(tmp_path: Any) -> Home:
    home = open_home(tmp_path / "home")
    folder = home.runs / RUN_ID
    folder.mkdir(parents=True)
    inputs = [
        {"source": "books", "table_name": "invoices", "name": "invoices.csv", "file_id": "ff01", "loaded": 3}
    ]
    manifest = {
        "known_at": "2026-03-12T06:00:00+00:00",
        "policy_version": "0123456789ab",
        "code_version": "0.1.0+ab",
        "inputs": inputs,
        "checks": [{"check_name": "control_account_ties", "passed": True}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    history = home.published / "history" / "collections.fct_dunning_decisions"
    history.mkdir(parents=True)
    decisions = {
        "letter_id": [ID, None],
        "entity_id": ["E1", "E1"],
        "customer_id": ["C-100", "C-200"],
        "currency_code": ["EUR", "EUR"],
        "decision": ["letter", "none"],
        "reason_code": ["past_due", "grace"],
        "reason": ["oldest item is 12 days past due", "in grace"],
        "policy_version": ["0123456789ab", "0123456789ab"],
    }
    pl.DataFrame(decisions).write_parquet(history / f"{AS_OF}.parquet")
    return home


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    ledger = Ledger(home.ledger_url)
    ledger.start_run(RUN_ID, AS_OF, is_sending=True, now=NOON - timedelta(hours=6))
    yield ledger.engine
    ledger.engine.dispose()


def approve(engine: Engine) -> None:
    content = json.dumps([[ID, MESSAGE.message_hash, MESSAGE.to_address]])
    content_hash = hashlib.sha256(content.encode()).hexdigest()
    put(
        engine,
        tables.approval_requests,
        request_id=REQUEST,
        kind="letters",
        batch_id=BATCH,
        as_of_date=AS_OF,
        content_hash=content_hash,
        item_count=1,
        amounts='{"EUR": "100.00"}',
        largest_amounts='{"EUR": "100.00"}',
        content=content,
        required_approval_count=1,
        reason="final notice",
        state="waiting",
        prepared_by="robot",
        prepared_at=NOON,
        expires_at=NOON + timedelta(hours=24),
    )
    put(
        engine,
        tables.approval_items,
        request_id=REQUEST,
        item_id=ID,
        message_hash=MESSAGE.message_hash,
        address=MESSAGE.to_address,
    )
    put(
        engine,
        tables.approvals,
        request_id=REQUEST,
        approver="anna",
        content_hash=content_hash,
        prepared_by="robot",
        role="manager",
        verdict="approve",
        signature="SIG",
        approved_at=NOON + timedelta(hours=1),
        expires_at=NOON + timedelta(hours=24),
    )


def test_a_letter_is_told_with_its_lines_its_reason_its_data_and_its_text(home: Home, engine: Engine) -> None:
    approve(engine)
    put_letter(engine, request_id=REQUEST)
    with engine.begin() as con:
        append(con, [Change("robot", "plan", f"letter:{ID}", None, "rendered")], NOON)
        append(con, [Change("anna", "approve", f"request:{REQUEST}", "waiting", "approved")], NOON)
        append(con, [Change("robot", "plan", "letter:another", None, "rendered")], NOON)
    with engine.begin() as con:
        con.execute(update(tables.approval_requests).values(state="approved"))
        con.execute(update(tables.letters).values(state="approved", state_changed_at=NOON))
        step(con, ID, "approved", "sending", now=NOON)
        end_attempt(con, ID, "accepted", now=NOON)
    put(
        engine,
        tables.delivery_events,
        event_id="EV-1",
        letter_id=ID,
        carrier="ses",
        event_type="Delivery",
        occurred_at=NOON,
        received_at=NOON,
        content_hash="00",
    )

    story = explain_letter(home, ID)

    told = story.data
    assert told["letter"][0]["state"] == "sending"
    assert [(row["invoice_number"], row["amount"]) for row in told["lines"]] == [("INV-1001", "100.0000")]
    assert [(row["decision"], row["reason"]) for row in told["decision"]] == [
        ("letter", "oldest item is 12 days past due")
    ]
    assert told["run"][0]["run_id"] == RUN_ID
    assert told["run"][0]["known_at"] == "2026-03-12T06:00:00+00:00"
    assert told["run"][0]["policy_version"] == "0123456789ab"
    assert [(row["name"], row["file_id"]) for row in told["inputs"]] == [("invoices.csv", "ff01")]
    assert [row["amounts"] for row in told["approval_request"]] == ["100.00 EUR"]
    assert [(row["approver"], row["role"], row["signature"]) for row in told["approvals"]] == [
        ("anna", "manager", "SIG")
    ]
    assert [(row["attempt_number"], row["outcome"]) for row in told["attempts"]] == [(1, "accepted")]
    assert [row["event_type"] for row in told["delivery_events"]] == ["Delivery"]
    assert [(row["actor"], row["action"], row["after"]) for row in told["audit_trail"]] == [
        ("robot", "plan", "rendered"),
        ("anna", "approve", "approved"),
        ("test", "step", "sending"),
    ]
    (message,) = told["message"]
    assert message["subject"] == MESSAGE.subject
    assert message["text"].splitlines() == MESSAGE.text.splitlines()
    assert MESSAGE.to_address in message["to"]

    text = story.text()
    for said in ("INV-1001", "oldest item is 12 days past due", "invoices.csv", "anna", MESSAGE.subject):
        assert said in text
    assert "\n  " + MESSAGE.text.splitlines()[-1].rstrip() in text
    assert json.loads(json.dumps(told, default=str))["letter"][0]["letter_id"] == ID


@pytest.mark.parametrize("written", ["{0}-{1}", "Ref {0}-{1}", "ref {0}-{1}", "[Ref {0}-{1}]", ID.upper()])
def test_the_reference_that_the_letter_shows_finds_it(home: Home, engine: Engine, written: str) -> None:
    put_letter(engine)
    asked = written.format(ID[:4].upper(), ID[4:8].upper())
    assert explain_letter(home, asked).data["letter"][0]["letter_id"] == ID
    assert explain_letter(home, asked.lower()).data["letter"][0]["letter_id"] == ID


def test_a_reference_that_two_letters_have_names_both(home: Home, engine: Engine) -> None:
    other = ID[:8] + "2" * 18
    put_letter(engine)
    put_letter(engine, other, customer_id="C-200")
    with pytest.raises(NothingFound, match="several letters") as refused:
        explain_letter(home, f"{ID[:4]}-{ID[4:8]}")
    assert ID in str(refused.value)
    assert other in str(refused.value)
    assert explain_letter(home, other).data["letter"][0]["customer_id"] == "C-200"


@pytest.mark.parametrize("asked", ["nothing", "AAAA-AAAA", "%", ID[:8]])
def test_a_letter_that_is_not_there_is_not_told(home: Home, engine: Engine, asked: str) -> None:
    put_letter(engine)
    with pytest.raises(NothingFound, match="not in the ledger"):
        explain_letter(home, asked)


def test_a_letter_decided_later_is_not_told_as_of_a_day_before(home: Home, engine: Engine) -> None:
    put_letter(engine)
    assert explain_letter(home, ID, AS_OF).data["lines"]
    with pytest.raises(NothingFound, match=f"decided as of {AS_OF}, after 2026-03-11"):
        explain_letter(home, ID, AS_OF - timedelta(days=1))


def test_instants_say_that_they_are_utc(home: Home, engine: Engine) -> None:
    approve(engine)
    put_letter(engine, request_id=REQUEST)
    (given,) = explain_letter(home, ID).data["approvals"]
    assert str(given["approved_at"]) == "2026-03-12 13:00:00+00:00"


def test_checks_that_did_not_hold_come_first_and_by_name(home: Home, engine: Engine) -> None:
    put_letter(engine)
    path = home.runs / RUN_ID / "manifest.json"
    held = {"actual": "0", "check_name": "ties", "expected": "0", "passed": True, "severity": "gate"}
    checks = [held, held | {"check_name": "rows", "actual": "2", "passed": False}]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"checks": checks}))
    told = explain_letter(home, ID).data["checks"]
    assert [tuple(row.values()) for row in told] == [
        ("rows", "gate", False, "0", "2"),
        ("ties", "gate", True, "0", "0"),
    ]


@pytest.mark.parametrize("spoilt", ["manifest.json", f"{AS_OF}.parquet"])
def test_a_file_that_cannot_be_read_is_named(home: Home, engine: Engine, spoilt: str) -> None:
    put_letter(engine)
    (path,) = home.root.rglob(spoilt)
    path.write_bytes(b"garbage")
    with pytest.raises(NothingFound, match="Nothing is told") as refused:
        explain_letter(home, ID)
    assert str(path) in str(refused.value)


def test_a_decision_that_a_later_run_of_the_day_replaced_is_told_as_it_is_kept(
    home: Home, engine: Engine
) -> None:
    put_letter(engine)
    path = home.published / "history" / "collections.fct_dunning_decisions" / f"{AS_OF}.parquet"
    kept = pl.read_parquet(path).with_columns(letter_id=None, decision=pl.lit("none"), reason=pl.lit("paid"))
    kept.write_parquet(path)
    (decision,) = explain_letter(home, ID).data["decision"]
    assert (decision["customer_id"], decision["decision"], decision["reason"]) == ("C-100", "none", "paid")


def test_without_a_manifest_the_files_that_counted_when_the_run_began_are_told(
    home: Home, engine: Engine
) -> None:
    put_letter(engine)
    (home.runs / RUN_ID / "manifest.json").unlink()
    file = {
        "source": "books",
        "table_name": "invoices",
        "name": "invoices.csv",
        "mapping_id": "m",
        "names_order": 0,
        "is_open_items_only": 0,
        "seen_at": NOON,
    }
    began = NOON - timedelta(hours=6)
    for file_id, since, until, is_chosen in (
        ("old", began - timedelta(days=1), began - timedelta(minutes=1), 1),
        ("then", began - timedelta(minutes=1), None, 1),
        ("copy", began - timedelta(minutes=1), None, 0),
        ("later", began + timedelta(minutes=1), None, 1),
    ):
        put(
            engine,
            tables.known_files,
            **file,
            file_id=file_id,
            is_chosen=is_chosen,
            known_from=since,
            known_until=until,
        )
    told = explain_letter(home, ID).data
    assert [row["file_id"] for row in told["inputs"]] == ["then"]
    assert told["run"][0]["run_id"] == RUN_ID


def test_without_its_bytes_the_letter_is_read_from_the_outbox(home: Home, engine: Engine) -> None:
    put_letter(engine)
    with engine.begin() as con:
        con.execute(tables.letter_messages.delete())
    assert explain_letter(home, ID).data["message"] == []
    place = home.outbox / BATCH
    place.mkdir(parents=True)
    (place / f"{ID}.eml").write_bytes(MESSAGE.eml)
    (message,) = explain_letter(home, ID).data["message"]
    assert message["subject"] == MESSAGE.subject
