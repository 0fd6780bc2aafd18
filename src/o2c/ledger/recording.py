"""What the carrier answered, written down inside a transaction: the letter's next state, and the attempt's end."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, bindparam, func, insert, select, update

from o2c.delivery.carrier import Outcome
from o2c.ledger.auditing import Change, append
from o2c.ledger.claiming import Claim
from o2c.ledger.moving import CHUNK, move
from o2c.ledger.pausing import pause_in
from o2c.ledger.planning import cancel_in
from o2c.ledger.tables import activities, attempts, letters

LONGEST_BACK_OFF = timedelta(minutes=10)
_FIRST_BACK_OFF = timedelta(seconds=5)
# Errors of our own, before anything was posted: such a try does not count against the letter.
STOPPED, LEASE_OVER = "Stopped", "LeaseOver"
NO_TRY = (STOPPED, LEASE_OVER)

_ENDED = ("ended_at", "outcome", "http_status", "error_class", "request_id", "carrier_message_id")
_END = (
    update(attempts)
    .where(
        attempts.c.letter_id.in_(bindparam("ids", expanding=True)),
        attempts.c.attempt_number == bindparam("number"),
        attempts.c.owner == bindparam("by"),
        attempts.c.outcome.is_(None),
    )
    .values({name: bindparam(f"new_{name}", type_=attempts.c[name].type) for name in _ENDED})
)


def record_in(
    con: Connection, outcomes: Sequence[tuple[Claim, Outcome]], now: datetime, max_attempts: int
) -> int:
    """``outgoing.record`` inside a transaction."""
    changes: list[Change] = []
    count = 0
    alike: dict[tuple[str, str, int, Outcome], list[Claim]] = {}
    for one, outcome in outcomes:
        alike.setdefault((one.owner, one.carrier, one.attempt_number, outcome), []).append(one)
    for (owner, carrier, _, outcome), claims in alike.items():
        for start in range(0, len(claims), CHUNK):
            chunk = claims[start : start + CHUNK]
            _end_attempts(con, chunk, outcome, now)
            moved, said = _settle(con, chunk, outcome, now, max_attempts)
            count += len(moved)
            changes += said
        if outcome.kind == "paused":
            until = now + outcome.pause_for if outcome.pause_for else None
            why = outcome.pause or outcome.error_class or "paused"
            changes += pause_in(con, carrier, why, outcome.detail or "", until, owner, now)
    append(con, changes, now)
    return count


def back_off(letter_id: str, attempt_number: int, retry_after: timedelta | None = None) -> timedelta:
    """How long a letter waits that the carrier could not take: doubled each time, at most ten minutes.

    Up to half of it is taken off by a draw, so that letters refused together do not come back together. The draw is
    made of the letter's id: the same letter waits as long again when the same morning is played again.
    """
    draw = int.from_bytes(hashlib.sha256(f"{letter_id}|{attempt_number}".encode()).digest()[:4]) / 2**32
    longest = min(_FIRST_BACK_OFF * 2 ** min(attempt_number - 1, 10), LONGEST_BACK_OFF)
    waits = timedelta(seconds=round(longest.total_seconds() * (1 - draw / 2), 3))
    return min(max(waits, retry_after or timedelta()), LONGEST_BACK_OFF)


def _end_attempts(con: Connection, claims: Sequence[Claim], outcome: Outcome, now: datetime) -> None:
    """Also of a worker that lost the letter meanwhile: what it learned is kept here."""
    con.execute(
        _END,
        {
            "ids": [one.letter.letter_id for one in claims],
            "number": claims[0].attempt_number,
            "by": claims[0].owner,
            "new_ended_at": now,
            "new_outcome": outcome.kind,
            "new_http_status": outcome.http_status,
            "new_error_class": outcome.error_class,
            "new_request_id": outcome.request_id,
            "new_carrier_message_id": outcome.carrier_message_id,
        },
    )


def _settle(
    con: Connection, claims: Sequence[Claim], outcome: Outcome, now: datetime, max_attempts: int
) -> tuple[list[str], list[Change]]:
    """The step of letters that all had the same answer at the same attempt."""
    ids = [one.letter.letter_id for one in claims]
    took = partial(
        move, con, ids, "sending", now=now, actor=claims[0].owner, action="record", held=claims[0].held
    )
    error = outcome.error_class or outcome.kind
    if outcome.kind == "accepted":
        return took("sent", sent_at=now, carrier_message_id=outcome.carrier_message_id)
    if outcome.kind == "unknown":
        return took("unknown", reason=error)
    if outcome.kind == "refused":
        moved, changes = took("refused", reason=error)
        _give_tasks(con, moved, error, now)
        return moved, changes
    return _give_back(con, claims, outcome, now, max_attempts)


def _give_back(
    con: Connection, claims: Sequence[Claim], outcome: Outcome, now: datetime, max_attempts: int
) -> tuple[list[str], list[Change]]:
    """Letters that the carrier certainly does not have: they wait, or are given up after too many tries."""
    moved: list[str] = []
    changes: list[Change] = []
    is_try = outcome.kind == "not_accepted" and outcome.error_class not in NO_TRY
    tries = _tries_of(con, [one for one in claims if is_try and one.attempt_number >= max_attempts])
    for one in claims:
        letter_id = one.letter.letter_id
        not_before = now + back_off(letter_id, one.attempt_number, outcome.retry_after) if is_try else None
        gone, said = move(
            con,
            [letter_id],
            "sending",
            "approved",
            now,
            actor=one.owner,
            action="record",
            held=one.held,
            reason=outcome.error_class or outcome.kind,
            not_before=not_before,
            contact_date=None,
        )
        moved += gone
        changes += said
        if gone and tries.get(letter_id, 0) >= max_attempts:
            _, said = cancel_in(con, {letter_id: "not_accepted"}, one.owner, now, ("approved",))
            changes += said
    return moved, changes


def _tries_of(con: Connection, claims: Sequence[Claim]) -> dict[str, int]:
    """How often the carrier itself could not take each letter: not while it was paused, not what we gave back."""
    if not claims:
        return {}
    query = select(attempts.c.letter_id, func.count()).where(
        attempts.c.letter_id.in_([one.letter.letter_id for one in claims]),
        attempts.c.outcome == "not_accepted",
        func.coalesce(attempts.c.error_class, "").not_in(NO_TRY),
    )
    return dict(con.execute(query.group_by(attempts.c.letter_id)).tuples().all())


def _give_tasks(con: Connection, letter_ids: Sequence[str], error: str, now: datetime) -> None:
    """A letter that the carrier will never take needs another address or another way: a person's task."""
    query = select(letters.c.letter_id, letters.c.customer_id, letters.c.channel)
    rows = con.execute(query.where(letters.c.letter_id.in_(letter_ids))).all()
    if rows:
        tasks = [
            {
                "activity_id": f"refused-{row.letter_id}",
                "customer_id": row.customer_id,
                "letter_id": row.letter_id,
                "activity_at": now,
                "channel": row.channel,
                "outcome_code": "refused",
                "note": f"the carrier refused the letter ({error})",
                "is_task": 1,
            }
            for row in rows
        ]
        con.execute(insert(activities), tasks)
