"""What the carrier says became of letters: read, kept, acted on, and held against what we say left."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.context import FlowRunContext
from prefect.events import emit_event
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from flows._steps import WAITING_HELPS, show_markdown, step
from o2c.delivery.aws import CarrierError
from o2c.delivery.event_queue import drain
from o2c.delivery.events import DeliveryEvent, UnreadableEvent, read_event
from o2c.delivery.events_done import EventsDone
from o2c.delivery.insights import InsightsError, ask_insights
from o2c.delivery.production import AccountOf, open_queue, open_ses
from o2c.delivery.reconcile import missing_letters, reconcile
from o2c.delivery.ses import ask_account
from o2c.durable import put_in_place
from o2c.home import Home, open_home
from o2c.ledger import Ledger
from o2c.ledger.delivery_events import Finding, record_events
from o2c.ledger.event_streams import note_read_until, read_until
from o2c.ledger.outgoing import expire_leases, pause, presume_not_sent
from o2c.policy import load_policies
from o2c.policy.controls import Delivery
from o2c.settings import Settings

CARRIERS = ("ses", "sms")
# These say that a letter left, or may leave, twice: nothing more leaves by that carrier before a person has looked.
STOPPING = ("double_accept", "left_without_claim")
_ASK_AFTER = timedelta(hours=24)


class EventsRun(BaseModel):
    """Where the events are read from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    files: tuple[Path, ...] = Field(
        default=(), description="messages kept in files, one a line, to be read instead of the queue"
    )
    wait_seconds: int = Field(default=5, ge=0, le=20, description="the queue's long poll")
    most: int = Field(default=50_000, ge=1, description="messages read in one run")


def no_run() -> EventsRun:
    """What the deployment runs when nothing is said: the queue of the settings."""
    return EventsRun()


@flow(name="delivery-events", persist_result=False)
def delivery_events(run: EventsRun = no_run()) -> dict[str, Any]:  # noqa: B008
    """Take what came, settle what was unknown, say what does not fit. Returns the counts."""
    return take_events(run).data()


def take_events(
    request: EventsRun,
    say: Callable[[str], None] = print,
    account_of: AccountOf | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EventsDone:
    """The flow itself. Any number may run at once: every event counts once.

    Raises:
        CarrierError: the queue is production's and this is not. QueueUnreachable: it does not answer.
    """
    settings = Settings()
    policy = load_policies(settings.policies).controls.delivery
    home = open_home(request.home or settings.home)
    engine = Ledger(settings.ledger_url or home.ledger_url).engine
    done = EventsDone()
    if request.files:
        load_events(engine, home, _lines(request.files), clock(), done)
    else:
        read_queue(settings, home, engine, request, account_of, clock, done)
    settle(settings, home, engine, policy, account_of, clock(), done)
    say(f"{done.messages} messages, {done.recorded} new events, {done.unreadable} unreadable")
    for alarm in done.alarms:
        say(alarm)
    show_markdown("delivery-events", done.text())
    tell_alarms(done)
    return done


@step(name="read the queue", **WAITING_HELPS)
def read_queue(
    settings: Settings,
    home: Home,
    engine: Engine,
    request: EventsRun,
    account_of: AccountOf | None,
    clock: Callable[[], datetime],
    done: EventsDone,
) -> None:
    """Every message is deleted from the queue after the ledger has its event, never before."""
    queue = open_queue(settings, home, engine, account_of)
    if queue is None:
        done.add(record_events(engine, [], clock()))
        return
    drained = drain(
        queue,
        lambda bodies: load_events(engine, home, bodies, clock(), done),
        clock,
        wait_seconds=request.wait_seconds,
        most=request.most,
    )
    if drained.empty_since is not None:
        for carrier in CARRIERS:
            note_read_until(engine, carrier, drained.empty_since)


def load_events(engine: Engine, home: Home, bodies: Iterable[str], now: datetime, done: EventsDone) -> None:
    """Write down the events in these messages. A message that is none is kept below the home, and counted."""
    events: list[DeliveryEvent] = []
    for body in bodies:
        done.messages += 1
        try:
            event = read_event(body)
        except UnreadableEvent as error:
            done.unreadable += 1
            keep_unreadable(home, body, str(error))
            continue
        if event is not None:
            events.append(event)
    report = record_events(engine, events, now)
    done.add(report)
    _stop_for(engine, report.findings, events, now, done)


def keep_unreadable(home: Home, body: str, why: str) -> Path:
    """Put a message that is no event where a person can look at it; the same one is there once."""
    folder = home.root / "delivery-events" / "unreadable" / why.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    content = body.encode(errors="surrogatepass")
    path = folder / f"{hashlib.sha256(content).hexdigest()}.txt"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(content)
        put_in_place(part, path)
    return path


@step(name="settle and reconcile")
def settle(
    settings: Settings,
    home: Home,
    engine: Engine,
    policy: Delivery,
    account_of: AccountOf | None,
    now: datetime,
    done: EventsDone,
) -> None:
    """Letters that nobody knows of: ask the carrier after a day, take them as not sent after the wait."""
    for carrier in CARRIERS:
        expire_leases(engine, now, carrier=carrier)
    done.add(record_events(engine, [], now))
    is_asked = _fold_insights(settings, home, engine, account_of, now, done)
    done.read_until = read_until(engine, "ses")
    wait = timedelta(hours=policy.presume_not_sent_hours)
    if is_asked or not settings.ses_message_insights:
        done.presumed = len(presume_not_sent(engine, now, wait, done.read_until))
    done.look = reconcile(engine, now, account_in_24_hours=done.account_in_24_hours)
    if done.unreadable:
        done.alarms.append(
            f"{done.unreadable} messages are no events; they lie below delivery-events/unreadable"
        )
    if done.unknown_tags:
        done.alarms.append(f"{done.unknown_tags} events are of letters that this ledger does not have")


def tell_alarms(done: EventsDone) -> None:
    """In Prefect an event to be notified of; letters by their ids alone."""
    if done.alarms and FlowRunContext.get():
        emit_event(
            event="o2c.delivery.alarm",
            resource={"prefect.resource.id": "o2c.delivery", "prefect.resource.name": "o2c delivery"},
            payload={"alarms": done.alarms},
        )


def _fold_insights(
    settings: Settings,
    home: Home,
    engine: Engine,
    account_of: AccountOf | None,
    now: datetime,
    done: EventsDone,
) -> bool:
    """Ask SES itself: how much it sent, and what became of letters that have been unknown for a day.

    False where it was to be asked and did not say: of its silence nothing follows.
    """
    try:
        client = open_ses(settings, home, engine, account_of)
        if client is None:
            return True
        done.account_in_24_hours = ask_account(client)[0].sent_last_24_hours
        if settings.ses_message_insights:
            missing = missing_letters(engine, "ses", now - _ASK_AFTER)
            events = ask_insights(client, missing, sleep=time.sleep)
            report = record_events(engine, events, now)
            done.add(report)
            _stop_for(engine, report.findings, events, now, done)
    except (CarrierError, InsightsError) as error:
        done.alarms.append(str(error))
        return False
    return True


def _stop_for(
    engine: Engine,
    findings: Sequence[Finding],
    events: Sequence[DeliveryEvent],
    now: datetime,
    done: EventsDone,
) -> None:
    """Let nothing more leave by the carrier that told it once a letter left twice, or may; a person lifts it."""
    for one in findings:
        done.alarms.append(f"{one.kind}: letter {one.letter_id} {one.detail}")
    stopping = {
        (event.carrier, one.kind, one.letter_id)
        for one in findings
        for event in events
        if one.kind in STOPPING and event.letter_id == one.letter_id
    }
    for carrier, kind in sorted({(carrier, kind) for carrier, kind, _ in stopping}):
        ids = sorted(letter_id for *told, letter_id in stopping if told == [carrier, kind])
        pause(engine, carrier, kind, f"letters {', '.join(ids[:20])}", None, "delivery-events", now)


def _lines(files: Iterable[Path]) -> list[str]:
    return [line for path in files for line in path.read_text().splitlines() if line.strip()]
