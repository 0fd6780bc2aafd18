"""What carriers said became of letters, and what follows: states, addresses not written to, tasks for people.

Every event counts once, in whatever order it comes: a letter's state is the strongest of all that is known of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, insert, or_, select

from o2c.delivery.events import STATE_OF_EVENT, DeliveryEvent
from o2c.ledger.auditing import Change, append
from o2c.ledger.event_streams import in_pieces
from o2c.ledger.moving import move, utc
from o2c.ledger.states import EVENT_LATTICE, TRANSITIONS
from o2c.ledger.suppressing import suppress, suppressed_addresses
from o2c.ledger.tables import attempts, delivery_events, letters
from o2c.ledger.tasks import activity_rows, add_tasks
from o2c.ledger.writing import writing

__all__ = [
    "EventReport", "Finding", "activity_rows", "record_events", "strongest", "suppressed_addresses",
]  # fmt: skip

ACTOR = "delivery-events"
_WEAK = ("unknown", "sent")
_LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """Something in the events that must not be. ``kind``: double_accept (SEV-1), left_without_claim, left_after_all."""

    kind: str
    letter_id: str
    detail: str


@dataclass(frozen=True)
class EventReport:
    """What came of one call: counts, and what a person must look at."""

    recorded: int = 0
    repeated: int = 0
    unknown_tags: int = 0
    suppressed: int = 0
    tasks: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def strongest(state: str, event_types: Iterable[str]) -> str:
    """The state of a letter that left or may have left, after these events in any order."""
    told = [STATE_OF_EVENT[kind] for kind in event_types if kind in STATE_OF_EVENT]
    return max([state, *told], key=EVENT_LATTICE.index)


def record_events(engine: Engine, events: Sequence[DeliveryEvent], now: datetime) -> EventReport:
    """Write events down and let what they say follow, in one transaction. The same event again changes nothing.

    A letter that is just being sent keeps its state; its events count as soon as the attempt is recorded, with the
    next call. Events of letters that the ledger does not have are kept with a null letter.
    """
    by_id = {
        event.event_id: event for event in sorted(events, key=lambda one: one.content_hash, reverse=True)
    }
    with writing(engine) as con:
        there = set(_among(con, delivery_events.c.event_id, by_id))
        fresh = sorted(
            (event for id_, event in by_id.items() if id_ not in there), key=lambda one: one.event_id
        )
        known = _letters(con, {event.letter_id for event in fresh if event.letter_id is not None})
        if fresh:
            con.execute(insert(delivery_events), [_row(event, known, now) for event in fresh])
        ours = [event for event in fresh if event.letter_id in known]
        suppressed = suppress(con, ours, known, now)
        tasks = add_tasks(con, ours, known)
        waiting = _letters(con, _waiting(con, now) - set(known))
        moved, changes = _fold(con, known | waiting, now)
        findings = _findings(con, known)
        changes += [Change(ACTOR, "suppress", f"event:{event_id}", after=why) for event_id, why in suppressed]
        changes += [
            Change(ACTOR, "alarm", f"letter:{one.letter_id}", reason=f"{one.kind}: {one.detail}")
            for one in findings
        ]
        append(con, changes, now)
    return EventReport(
        recorded=len(fresh),
        repeated=len(events) - len(fresh),
        unknown_tags=len(fresh) - len(ours),
        suppressed=len(suppressed),
        tasks=tasks,
        by_type=dict(sorted(Counter(event.event_type for event in fresh).items())),
        moved=dict(sorted(moved.items())),
        findings=findings,
    )


def _row(event: DeliveryEvent, known: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The event as the ledger keeps it; a letter that it does not have stands in the detail."""
    row = vars(event) | {"received_at": now}
    if event.letter_id not in known:
        row |= {"letter_id": None, "detail": f"letter {event.letter_id}: {event.detail or ''}"}
    return row


def _fold(con: Connection, found: dict[str, Any], now: datetime) -> tuple[Counter[str], list[Change]]:
    """Move each letter to the strongest state that its events say."""
    types: dict[str, list[Any]] = {}
    for row in _events_of(con, found):
        types.setdefault(row.letter_id, []).append(row)
    moved: Counter[str] = Counter()
    changes = []
    for letter_id, told in sorted(types.items()):
        letter = found[letter_id]
        if letter.state not in EVENT_LATTICE:
            continue
        state = strongest(letter.state, [row.event_type for row in told])
        if state == letter.state or state not in TRANSITIONS[letter.state]:
            continue
        values: dict[str, Any] = {}
        if letter.sent_at is None:
            values["sent_at"] = min(utc(row.occurred_at) for row in told)
        if letter.carrier_message_id is None:
            ids = [row.carrier_message_id for row in told if row.carrier_message_id]
            values["carrier_message_id"] = min(ids, default=None)
        done, said = move(
            con,
            [letter_id],
            letter.state,
            state,
            now,
            actor=ACTOR,
            action="event",
            reason="delivery_event",
            **values,
        )
        moved[f"{letter.state} → {state}"] += len(done)
        changes += said
    return moved, changes


def _findings(con: Connection, found: dict[str, Any]) -> tuple[Finding, ...]:
    """Letters accepted twice, and letters that left although the ledger says that they did not."""
    ids: dict[str, set[str]] = {}
    left: set[str] = set()
    for row in _events_of(con, found):
        if row.carrier_message_id:
            ids.setdefault(row.letter_id, set()).add(row.carrier_message_id)
        if row.event_type in STATE_OF_EVENT:
            left.add(row.letter_id)
    for start in in_pieces(found):
        query = select(attempts.c.letter_id, attempts.c.carrier_message_id).where(
            attempts.c.letter_id.in_(start), attempts.c.carrier_message_id.is_not(None)
        )
        for row in con.execute(query):
            ids.setdefault(row.letter_id, set()).add(row.carrier_message_id)
    findings = [
        Finding("double_accept", letter_id, f"accepted {len(told)} times by the carrier")
        for letter_id, told in ids.items()
        if len(told) > 1
    ]
    for letter_id in left:
        state = found[letter_id].state
        if state in ("presumed_not_sent", "refused", "cancelled"):
            findings.append(Finding("left_after_all", letter_id, f"has events, but its state is {state}"))
        elif state in ("rendered", "approval_pending", "approved"):
            findings.append(Finding("left_without_claim", letter_id, f"has events, but its state is {state}"))
    return tuple(sorted(findings, key=lambda one: (one.kind, one.letter_id)))


def _waiting(con: Connection, now: datetime) -> set[str]:
    """Letters whose events came while they were being sent, or before their attempt was given up."""
    stronger = [kind for kind, state in STATE_OF_EVENT.items() if state != "sent"]
    told = select(delivery_events.c.event_id).where(delivery_events.c.letter_id == letters.c.letter_id)
    # sent is where most letters stay whose carrier reports nothing: only those that came there lately
    lately = and_(letters.c.state == "sent", letters.c.state_changed_at >= now - _LATELY)
    query = select(letters.c.letter_id).where(
        letters.c.state.in_(_WEAK),
        or_(
            and_(
                letters.c.state == "unknown",
                told.where(delivery_events.c.event_type.in_(STATE_OF_EVENT)).exists(),
            ),
            and_(lately, told.where(delivery_events.c.event_type.in_(stronger)).exists()),
        ),
    )
    return set(con.execute(query).scalars())


def _letters(con: Connection, letter_ids: Iterable[str]) -> dict[str, Any]:
    return {
        row.letter_id: row
        for start in in_pieces(letter_ids)
        for row in con.execute(select(letters).where(letters.c.letter_id.in_(start)))
    }


def _events_of(con: Connection, letter_ids: Iterable[str]) -> Iterable[Any]:
    for start in in_pieces(letter_ids):
        yield from con.execute(
            select(delivery_events)
            .where(delivery_events.c.letter_id.in_(start))
            .order_by(delivery_events.c.event_id)
        ).all()


def _among(con: Connection, column: Any, values: Iterable[str]) -> Iterable[str]:
    for start in in_pieces(values):
        yield from con.execute(select(column).where(column.in_(start))).scalars()
