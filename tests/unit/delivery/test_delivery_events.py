"""Events change letters: each once, in any order, and never a state that is final."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stub_ses_events as stub
from hypothesis import given, settings
from hypothesis import strategies as st
from letters_underway import (
    NOON,
    REFUSED,
    THROTTLED,
    UNKNOWN,
    accepted,
    address_of,
    bring,
    claim_all,
    ledger_with,
    message_id,
    states,
    withdraw,
)
from sqlalchemy import Engine, func, select

from o2c.delivery.events import STATE_OF_EVENT, DeliveryEvent, read_event
from o2c.ledger.claiming import Claim
from o2c.ledger.delivery_events import (
    EventReport,
    Finding,
    activity_rows,
    record_events,
    strongest,
    suppressed_addresses,
)
from o2c.ledger.event_streams import note_read_until, read_until
from o2c.ledger.outgoing import presume_not_sent, record
from o2c.ledger.states import EVENT_LATTICE
from o2c.ledger.suppressing import lift_suppression
from o2c.ledger.tables import activities, audit, delivery_events, letters

AT = NOON.timestamp() + 60
LATER = NOON + timedelta(minutes=5)


def told(
    kind: str, letter_id: str | None = "L1", number: int = 1, at: float = AT, **more: Any
) -> DeliveryEvent:
    """An event of a letter as SES tells it."""
    body = stub.ses_event(kind, message_id(letter_id or "none", number), letter_id, at, **more)
    event = read_event(stub.enveloped(body))
    assert event is not None
    return event


SUPPRESSED = ("Permanent", "OnAccountSuppressionList")
FULL = ("Transient", "MailboxFull")
AWAY = ("Transient", "General")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([("Send", None)], "sent"),
        ([("Send", None), ("Delivery", None)], "delivered"),
        ([("DeliveryDelay", None)], "sent"),
        ([("Bounce", AWAY)], "sent"),
        ([("Bounce", FULL)], "not_delivered"),
        ([("Bounce", SUPPRESSED)], "not_delivered"),
        ([("Reject", None)], "not_delivered"),
        ([("Delivery", None), ("Bounce", ("Permanent", "NoEmail"))], "bounced"),
        ([("Delivery", None), ("Complaint", None)], "complained"),
        ([("Bounce", ("Undetermined", "Undetermined"))], "sent"),
    ],
)
@pytest.mark.parametrize("before", [UNKNOWN, accepted("L1")], ids=["unknown", "sent"])
def test_what_events_make_of_a_letter_that_may_have_left(ledger_url, before, events, state):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": before})

    record_events(
        engine, [told(kind, **({"bounce": bounce} if bounce else {})) for kind, bounce in events], LATER
    )

    assert states(engine) == {"L1": state}
    with engine.connect() as con:
        row = con.execute(select(letters)).one()
    assert row.carrier_message_id == message_id("L1")
    assert row.sent_at is not None


def test_a_bounce_suppresses_the_address_and_gives_a_person_a_task_without_the_address(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": accepted("L1")})

    bounce = told("Bounce")
    report = record_events(engine, [bounce], LATER)

    assert report == EventReport(
        recorded=1,
        suppressed=1,
        tasks=1,
        by_type={"bounce": 1},
        moved={"sent → bounced": 1},
    )
    assert suppressed_addresses(engine) == {address_of("L1"): "bounce"}
    with engine.connect() as con:
        (task,) = con.execute(select(activities)).all()
    assert task._asdict() == {
        "activity_id": f"event-{bounce.event_id[:32]}",
        "customer_id": "C-L1",
        "letter_id": "L1",
        "activity_at": task.activity_at,
        "channel": "email",
        "outcome_code": "wrong_contact",
        "note": "letter L1: came back as undeliverable; find another address (Permanent-General)",
        "is_task": 1,
        "closed_at": None,
        "closed_by": None,
    }


@pytest.mark.parametrize(
    ("kind", "more", "reason", "outcome"),
    [
        ("Complaint", {}, "complaint", "complained"),
        ("Bounce", {"bounce": SUPPRESSED}, "carrier_suppression", "wrong_contact"),
        ("Bounce", {"bounce": FULL}, None, "wrong_contact"),
        ("Bounce", {"bounce": AWAY}, None, None),
        ("Reject", {}, None, "not_delivered"),
        ("DeliveryDelay", {}, None, None),
        ("Complaint", {"complaint": "not-spam"}, None, None),
        ("Delivery", {}, None, None),
    ],
)
def test_what_else_follows_from_an_event(ledger_url, kind, more, reason, outcome):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": accepted("L1")})

    record_events(engine, [told(kind, **more)], LATER)

    assert suppressed_addresses(engine) == ({address_of("L1"): reason} if reason else {})
    rows = activity_rows(engine, date(2026, 9, 30))
    assert rows.select("customer_id", "channel", "outcome_code").rows() == (
        [("C-L1", "email", outcome)] if outcome else []
    )


def test_activities_are_those_of_the_date_and_before(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": accepted("L1")})
    record_events(engine, [told("Bounce")], LATER)

    assert activity_rows(engine, date(2026, 9, 29)).is_empty()
    assert activity_rows(engine, date(2026, 9, 30)).height == 1
    assert activity_rows(engine, date(2026, 9, 30))["activity_at"].dtype == pl.Datetime("us", "UTC")


def test_the_same_event_again_changes_nothing(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": accepted("L1")})
    events = [told("Send"), told("Bounce")]
    record_events(engine, events, LATER)
    with engine.connect() as con:
        before = con.execute(select(func.count()).select_from(audit)).scalar()

    report = record_events(engine, [*events, told("Bounce")], LATER + timedelta(hours=1))

    assert report == EventReport(repeated=3)
    with engine.connect() as con:
        assert con.execute(select(func.count()).select_from(audit)).scalar() == before
        assert con.execute(select(func.count()).select_from(activities)).scalar() == 1


def test_an_address_that_a_person_let_in_again_is_suppressed_by_new_bounces_alone(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2")
    bring(engine, {"L1": accepted("L1"), "L2": accepted("L2")})
    first = told("Bounce")
    record_events(engine, [first], LATER)

    assert lift_suppression(engine, address_of("L1").upper(), "anna", LATER)
    record_events(engine, [first], LATER)
    assert suppressed_addresses(engine) == {}
    assert not lift_suppression(engine, address_of("L1"), "anna", LATER)

    record_events(engine, [told("Bounce", at=AT + 9)], LATER)
    assert suppressed_addresses(engine) == {address_of("L1"): "bounce"}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(accepted("L1"), "bounced"), (UNKNOWN, "bounced")],
    ids=["accepted", "unknown"],
)
def test_events_of_a_letter_that_is_just_being_sent_count_when_it_was_recorded(ledger_url, outcome, state):
    engine = ledger_with(ledger_url, "L1")
    claims = claim_all(engine, "L1")

    early = record_events(engine, [told("Send"), told("Bounce")], NOON)
    assert (early.moved, states(engine)) == ({}, {"L1": "sending"})
    record(engine, [(claims[0], outcome)], LATER)

    assert record_events(engine, [], LATER).moved == {
        f"{'sent' if outcome is not UNKNOWN else 'unknown'} → bounced": 1
    }
    assert states(engine) == {"L1": state}


def test_a_letter_that_was_taken_as_not_sent_stays_so_and_a_person_is_told(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": UNKNOWN})
    much_later = NOON + timedelta(hours=72)
    assert presume_not_sent(engine, much_later, timedelta(hours=48), much_later) == ["L1"]

    report = record_events(engine, [told("Send")], much_later)

    assert states(engine) == {"L1": "presumed_not_sent"}
    assert report.findings == (
        Finding("left_after_all", "L1", "has events, but its state is presumed_not_sent"),
    )
    assert activity_rows(engine, much_later.date())["outcome_code"].to_list() == ["left_after_all"]


@pytest.mark.parametrize(
    ("state", "kind"),
    [("refused", "left_after_all"), ("cancelled", "left_after_all"), ("approved", "left_without_claim")],
)
def test_events_of_a_letter_that_never_left_are_an_alarm(ledger_url, state, kind):
    engine = ledger_with(ledger_url, "L1")
    if state == "cancelled":
        withdraw(engine, "L1")
    else:
        bring(engine, {"L1": REFUSED if state == "refused" else THROTTLED})

    report = record_events(engine, [told("Send")], LATER)

    assert report.findings == (Finding(kind, "L1", f"has events, but its state is {state}"),)
    assert states(engine) == {"L1": state}


def test_a_letter_of_which_the_carrier_told_is_not_claimed_again(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2")
    record_events(engine, [told("Send")], LATER)
    assert [one.letter.letter_id for one in claim_all(engine, "L1", "L2")] == ["L2"]


def test_two_readers_at_once_count_every_event_once(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2")
    bring(engine, {"L1": accepted("L1"), "L2": UNKNOWN})
    events = [told(kind, letter_id) for kind in ("Send", "Delivery", "Bounce") for letter_id in ("L1", "L2")]

    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(lambda _: record_events(engine, events, LATER), range(8)))

    assert sum(report.recorded for report in reports) == 6
    assert sum(report.repeated for report in reports) == 42
    assert states(engine) == {"L1": "bounced", "L2": "bounced"}
    assert activity_rows(engine, date(2026, 9, 30)).height == 2


def test_two_accepts_of_one_letter_are_found_by_their_ids(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2")
    bring(engine, {"L1": accepted("L1"), "L2": accepted("L2")})

    report = record_events(engine, [told("Send", "L2"), told("Send", number=2)], LATER)

    assert report.findings == (Finding("double_accept", "L1", "accepted 2 times by the carrier"),)


def test_events_of_letters_that_are_not_ours_are_kept_and_counted(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    strange, untagged = told("Bounce", "L9"), told("Send", None)

    report = record_events(engine, [strange, untagged], LATER)

    assert (report.recorded, report.unknown_tags, report.tasks, report.suppressed) == (2, 2, 0, 0)
    with engine.connect() as con:
        rows = con.execute(
            select(delivery_events.c.event_id, delivery_events.c.letter_id, delivery_events.c.detail)
        )
        assert {tuple(row) for row in rows} == {
            (strange.event_id, None, "letter L9: Permanent-General"),
            (untagged.event_id, None, "letter None: "),
        }


def test_nothing_of_a_person_is_kept_of_an_event(ledger_url):
    engine = ledger_with(ledger_url, "L1")
    bring(engine, {"L1": accepted("L1")})
    for kind in ("Send", "Delivery", "Bounce", "Complaint", "DeliveryDelay", "Open", "Rendering Failure"):
        record_events(engine, [told(kind, address="jane.doe@secret.example")], LATER)

    with engine.connect() as con:
        kept = [
            tuple(row) for table in (delivery_events, activities, audit) for row in con.execute(select(table))
        ]
    assert len(kept) >= 18
    assert not [row for row in kept if "jane" in str(row) or "secret" in str(row) or "192.0.2" in str(row)]


def test_how_far_events_were_read_never_goes_back(ledger_url):
    engine = ledger_with(ledger_url)
    assert read_until(engine, "ses") is None

    note_read_until(engine, "ses", LATER)
    note_read_until(engine, "ses", NOON)

    assert (read_until(engine, "ses"), read_until(engine, "sms")) == (LATER, None)


@given(st.lists(st.sampled_from(sorted(STATE_OF_EVENT)), max_size=6), st.sampled_from(EVENT_LATTICE))
def test_the_state_is_the_strongest_in_any_order_and_however_often(types, state):
    after = strongest(state, types)
    assert after == strongest(state, reversed(types * 2)) == strongest(after, types)
    assert EVENT_LATTICE.index(after) >= EVENT_LATTICE.index(state)


_EVENTS = [
    told(kind, letter_id, at=AT + second, **({"bounce": bounce} if bounce else {}))
    for letter_id in ("L1", "L2", "L3")
    for kind, second, bounce in (
        ("Send", 0, None),
        ("Delivery", 1, None),
        ("DeliveryDelay", 2, None),
        ("Bounce", 3, ("Permanent", "General")),
        ("Bounce", 4, AWAY),
        ("Bounce", 5, SUPPRESSED),
        ("Complaint", 6, None),
        ("Reject", 7, None),
    )
] + [told("Send", "L9")]


@pytest.fixture(scope="module")
def on_its_way(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Claim]:
    """A ledger with a letter sent, one unknown and one that is just being sent; and the claim of that one."""
    folder = tmp_path_factory.mktemp("on_its_way")
    engine = ledger_with(folder, "L1", "L2", "L3")
    bring(engine, {"L1": accepted("L1"), "L2": UNKNOWN})
    (claimed,) = claim_all(engine, "L3")
    with engine.connect() as con:
        con.exec_driver_sql("pragma wal_checkpoint(truncate)")
    engine.dispose()
    return (folder / "ledger.db").read_bytes(), claimed


def _after(start: tuple[bytes, Claim], pieces: list[list[DeliveryEvent]]) -> tuple[dict, list, list]:
    """States, addresses and tasks of a ledger that was told these events in these calls."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ledger.db").write_bytes(start[0])
        engine: Engine = ledger_with(Path(folder))
        for number, piece in enumerate(pieces):
            if number == len(pieces) // 2:
                record(engine, [(start[1], UNKNOWN)], LATER)
            record_events(engine, piece, LATER)
        record_events(engine, [], LATER)
        tasks = activity_rows(engine, date(2026, 10, 30)).rows()
        addresses = sorted(suppressed_addresses(engine))
        found = states(engine)
        engine.dispose()
    return found, addresses, tasks


@settings(max_examples=int(os.environ.get("O2C_EVENT_EXAMPLES", "25")), deadline=None)
@given(st.data())
def test_any_order_and_any_repetition_of_the_log_gives_the_same_ledger(on_its_way, data):
    events = st.lists(st.sampled_from(_EVENTS), min_size=1, max_size=10, unique_by=lambda one: one.event_id)
    chosen = data.draw(events)
    again = data.draw(st.lists(st.sampled_from(chosen), max_size=5))
    log = data.draw(st.permutations(chosen + again))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=3)))
    pieces = [log[start:end] for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True)]

    assert _after(on_its_way, pieces) == _after(on_its_way, [chosen])
