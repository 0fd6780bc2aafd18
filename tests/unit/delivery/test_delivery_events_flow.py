"""The flow of delivery events against a stand-in of SES and SQS: what came is kept, what did not fit is told."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from letters_underway import SENDER, approve, claim_all, ledger_with, states
from sqlalchemy import Engine, select
from stub_ses import EventFaults, StubSes, always, scripted, seeded

from flows.delivery_events import EventsRun, take_events
from o2c.delivery.aws import CarrierError
from o2c.delivery.events_done import EventsDone
from o2c.delivery.insights import InsightsError
from o2c.delivery.reconcile import reconcile
from o2c.delivery.ses import SesCarrier, ses_client
from o2c.home import open_home
from o2c.ledger.event_streams import read_until
from o2c.ledger.outgoing import open_pauses, record
from o2c.ledger.tables import audit

PATIENCE = timedelta(seconds=0.15)


@pytest.fixture
def home(tmp_path: Path, ledger_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "home"
    open_home(root)
    shutil.copy(ledger_file, root / "ledger.db")
    for name in ("O2C_LEDGER_URL", "O2C_ENVIRONMENT", "O2C_AWS_ACCOUNT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("O2C_HOME", str(root))
    monkeypatch.setenv("O2C_CARRIER", "ses")
    return root


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., StubSes]]:
    running: list[StubSes] = []

    def start(**options: object) -> StubSes:
        server = StubSes(**options).__enter__()  # ty: ignore[invalid-argument-type]
        running.append(server)
        monkeypatch.setenv("O2C_SES_ENDPOINT_URL", server.url)
        monkeypatch.setenv("O2C_SES_EVENTS_QUEUE_URL", server.queue_url)
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


def post(engine: Engine, server: StubSes, *letter_ids: str, now: datetime | None = None) -> None:
    """Claim, post and record letters through the real client."""
    client = ses_client("eu-central-1", PATIENCE, loopback=server.url)
    carrier = SesCarrier(client, sender_address=SENDER, configuration_set="o2c")
    now = now or datetime.now(UTC)
    for claimed in claim_all(engine, *letter_ids, now=now):
        record(engine, [(claimed, carrier.send(claimed.letter))], now)


def take(now: datetime | None = None, wait_seconds: int = 0, **request: object) -> EventsDone:
    told: list[str] = []
    run = EventsRun(wait_seconds=wait_seconds, **request)  # ty: ignore[invalid-argument-type]
    return take_events(run, told.append, clock=lambda: now or datetime.now(UTC))


def ledger(home: Path, *letter_ids: str) -> Engine:
    engine = ledger_with(home)
    approve(engine, *letter_ids, at=datetime.now(UTC))
    return engine


def test_what_became_of_letters_is_read_kept_and_deleted(home, serve):
    server = serve(
        behaviour=scripted(
            {
                "L1": ["accept"],
                "L2": ["accept_then_reset"],
                "L3": ["accept_bounced"],
                "L4": ["accept_suppressed"],
                "L5": ["reset_before"],
            }
        )
    )
    engine = ledger(home, "L1", "L2", "L3", "L4", "L5")
    post(engine, server, "L1", "L2", "L3", "L4", "L5")

    done = take()

    assert states(engine) == {
        "L1": "delivered",
        "L2": "delivered",
        "L3": "bounced",
        "L4": "not_delivered",
        "L5": "unknown",
    }
    assert (done.messages, done.recorded, done.tasks, done.suppressed) == (8, 8, 2, 2)
    assert (done.look.unknown, done.look.findings, done.alarms, done.exit_code) == (("L5",), (), [], 0)
    assert (done.look.accepted_in_24_hours, done.look.unknown_in_24_hours) == (3, 2)
    assert (done.look.account_in_24_hours, done.look.account_differs) == (4, False)
    assert len(server.queue) == 0
    assert read_until(engine, "ses") is not None

    again = take()
    assert (again.messages, again.recorded, again.moved) == (0, 0, {})


def test_nothing_is_deleted_from_the_queue_before_the_ledger_has_it(home, serve, monkeypatch):
    server = serve()
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    before = len(server.queue)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flows.delivery_events.record_events", killed)
        with pytest.raises(KeyboardInterrupt):
            take()

    assert (before, len(server.queue), states(engine)) == (2, 2, {"L1": "sent"})
    assert read_until(engine, "ses") is None


def test_a_message_that_is_no_event_is_kept_for_a_person_and_stops_nothing(home, serve):
    server = serve()
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    server.queue.put("{broken")
    server.queue.put('{"eventType": "Exploded", "mail": {}}')
    server.queue.put("Successfully validated SNS topic for Amazon SES event publishing.")

    done = take()

    kept = sorted((home / "delivery-events" / "unreadable").rglob("*.txt"))
    assert [(path.parent.name, path.read_text()) for path in kept] == [
        ("no-event-of-SES-or-SMS", '{"eventType": "Exploded", "mail": {}}'),
        ("not-JSON", "{broken"),
    ]
    assert (done.unreadable, done.recorded, done.exit_code, len(server.queue)) == (2, 2, 1, 0)
    assert states(engine) == {"L1": "delivered"}


def test_events_that_lie_in_files_are_read_as_those_of_the_queue(home, serve, tmp_path):
    server = serve()
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    file = tmp_path / "kept.jsonl"
    file.write_text("\n".join([*server.queue.bodies(), *server.queue.bodies()]) + "\n")

    done = take(files=(file,))

    assert (done.messages, done.recorded, states(engine)) == (4, 2, {"L1": "delivered"})
    assert read_until(engine, "ses") is None


def test_a_letter_that_left_twice_pauses_the_carrier_and_is_told(home, serve):
    server = serve()
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    client = ses_client("eu-central-1", PATIENCE, loopback=server.url)
    client.send_email(
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": ["x@customer.example"]},
        Content={"Raw": {"Data": b"X-O2C-Letter: L1\r\n\r\n"}},
        EmailTags=[{"Name": "letter_id", "Value": "L1"}],
    )

    done = take()

    assert server.journal.duplicates == ["L1"]
    assert done.alarms == ["double_accept: letter L1 accepted 2 times by the carrier"]
    assert done.exit_code == 1
    assert [one.reason for one in open_pauses(engine, datetime.now(UTC))] == ["double_accept"]
    with engine.connect() as con:
        assert "alarm" in con.execute(select(audit.c.action)).scalars().all()


def test_the_carrier_that_told_of_it_is_paused_and_no_other(home, tmp_path):
    engine = ledger(home, "L1")
    file = tmp_path / "messages.txt"
    told = {"eventType": "TEXT_SENT", "eventTimestamp": 1_790_000_000_000, "context": {"letter_id": "L1"}}
    file.write_text("\n".join(json.dumps(told | {"messageId": name}) for name in ("m-1", "m-2")))

    done = take(files=(file,))

    assert [alarm.partition(":")[0] for alarm in done.alarms[:2]] == ["double_accept", "left_without_claim"]
    pauses = open_pauses(engine, datetime.now(UTC))
    assert [(one.carrier, one.reason) for one in pauses] == [
        ("sms", "double_accept"),
        ("sms", "left_without_claim"),
    ]


def test_events_of_others_are_told(home, serve):
    server = serve()
    engine = ledger(home, "L1")
    client = ses_client("eu-central-1", PATIENCE, loopback=server.url)
    client.send_email(
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": ["x@customer.example"]},
        Content={"Raw": {"Data": b"\r\n"}},
        EmailTags=[{"Name": "letter_id", "Value": "SOMEBODY"}],
    )

    done = take()

    assert (done.unknown_tags, done.look.unknown_tag_count) == (2, 2)
    assert done.alarms == ["2 events are of letters that this ledger does not have"]
    assert states(engine) == {"L1": "approved"}


@pytest.mark.parametrize(("hours", "state"), [(47, "unknown"), (49, "presumed_not_sent")])
def test_silence_counts_after_the_wait_and_only_when_the_events_were_read(home, serve, hours, state):
    server = serve(behaviour=always("reset_before"))
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    later = datetime.now(UTC) + timedelta(hours=hours)

    server.queue.put("{broken")
    full = take(later, most=1)
    assert (full.read_until, full.presumed, states(engine)) == (None, 0, {"L1": "unknown"})

    done = take(later)
    assert states(engine) == {"L1": state}
    assert done.presumed == (1 if state == "presumed_not_sent" else 0)


def test_a_lost_event_is_found_by_asking_the_carrier(home, serve, monkeypatch):
    monkeypatch.setenv("O2C_SES_MESSAGE_INSIGHTS", "true")
    monkeypatch.setattr("flows.delivery_events.time", SimpleNamespace(sleep=lambda _seconds: None))
    server = serve(
        behaviour=scripted({"L1": ["accept_then_reset"], "L2": ["reset_before"]}),
        events=EventFaults(lost=1.0),
    )
    engine = ledger(home, "L1", "L2")
    post(engine, server, "L1", "L2")
    assert take().look.unknown == ("L1", "L2")

    done = take(datetime.now(UTC) + timedelta(hours=25))

    assert states(engine) == {"L1": "delivered", "L2": "unknown"}
    assert (done.moved, done.alarms) == ({"unknown → delivered": 1}, [])


def test_nothing_is_presumed_while_the_carrier_does_not_say(home, serve, monkeypatch):
    monkeypatch.setenv("O2C_SES_MESSAGE_INSIGHTS", "true")
    server = serve(behaviour=always("reset_before"))
    engine = ledger(home, "L1")
    post(engine, server, "L1")
    later = datetime.now(UTC) + timedelta(hours=49)
    with monkeypatch.context() as patch:
        patch.setattr("flows.delivery_events.ask_insights", silent)
        done = take(later)
    assert (done.alarms, done.presumed) == (["message insights do not answer (Silent)."], 0)
    monkeypatch.setattr("flows.delivery_events.time", SimpleNamespace(sleep=lambda _seconds: None))
    assert take(later).presumed == 1


def silent(*_asked: object, **_how: object) -> None:
    raise InsightsError("message insights do not answer (Silent).")


def test_without_the_yeses_production_s_queue_is_not_emptied(home, monkeypatch):
    monkeypatch.setenv(
        "O2C_SES_EVENTS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/events"
    )
    with pytest.raises(CarrierError, match="O2C_ENVIRONMENT is test, not production"):
        take()


def test_an_installation_without_events_has_nothing_to_do(home, monkeypatch):
    monkeypatch.setenv("O2C_CARRIER", "folder")
    done = take()
    assert (done.messages, done.exit_code, done.read_until) == (0, 0, None)


def test_nearly_all_that_left_is_known_by_events_and_all_of_it_by_asking(home, serve, monkeypatch):
    """G3: a fifth of the answers lost after the accept, 2 % of the events lost, a tenth double and late."""
    count = int(os.environ.get("O2C_EVENT_LETTERS", "150"))
    monkeypatch.setenv("O2C_SES_MESSAGE_INSIGHTS", "true")
    monkeypatch.setattr("flows.delivery_events.time", SimpleNamespace(sleep=lambda _seconds: None))
    server = serve(
        behaviour=seeded(5, {"accept_then_reset": 0.2, "reset_before": 0.03, "accept_then_500": 0.03}),
        events=EventFaults(lost=0.02, doubled=0.1, late=0.1, late_seconds=0.3),
        seed=5,
    )
    names = [f"L{number:05}" for number in range(count)]
    engine = ledger(home, *names)
    post(engine, server, *names)
    unsure = [letter_id for letter_id, state in states(engine).items() if state == "unknown"]
    left = [letter_id for letter_id in unsure if letter_id in server.accepts]

    take(wait_seconds=1)
    by_events = [letter_id for letter_id in left if states(engine)[letter_id] != "unknown"]
    take(datetime.now(UTC) + timedelta(hours=25))
    by_asking = [letter_id for letter_id in left if states(engine)[letter_id] != "unknown"]
    much_later = datetime.now(UTC) + timedelta(hours=49)
    take(much_later)

    assert len(left) >= count // 6
    assert len(by_events) >= 0.97 * len(left)
    assert by_asking == left
    final = states(engine)
    assert {final[letter_id] for letter_id in unsure if letter_id not in left} == {"presumed_not_sent"}
    assert server.journal.duplicates == []
    assert len(server.posts) == count
    assert reconcile(engine, much_later).findings == ()
