"""The claiming of letters, inside a transaction: what may leave, checked once more, gets an owner and a lease."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select
from sqlalchemy.exc import DBAPIError

from o2c.approvals import hash_of, read_items
from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.events import STATE_OF_EVENT
from o2c.ledger.auditing import Change, append
from o2c.ledger.moving import CHUNK, move
from o2c.ledger.pausing import pauses_in
from o2c.ledger.planning import cancel_in
from o2c.ledger.rules.letters import IDENTITY
from o2c.ledger.tables import (
    approval_requests,
    attempts,
    delivery_events,
    letter_messages,
    letters,
    suppressions,
)

# Of letters that may leave, in order, those to be claimed now: at most so many.
Admit = Callable[[Connection, Sequence[Row[Any]], int], list[Row[Any]]]

_LEFT = [kind for kind, state in STATE_OF_EVENT.items() if state in ("sent", "delivered", "complained")]
# The carrier has it, whatever stands here: an alarm, and nothing to send again.
_TOLD = select(delivery_events.c.event_id).where(delivery_events.c.letter_id == letters.c.letter_id)
_SUPPRESSED = select(suppressions.c.suppression_id).where(
    suppressions.c.address == func.lower(letters.c.address), suppressions.c.lifted_at.is_(None)
)
# Made once: making a statement takes longer than running it.
_MAY_LEAVE = (
    select(
        *(letters.c[name] for name in ("letter_id", "batch_id", "level", "channel", "address")),
        *(letters.c[name] for name in ("message_hash", "attempt_count", "currency_code", "total_amount")),
        letters.c.try_number,
        approval_requests.c.request_id,
        approval_requests.c.content_hash,
    )
    .join(approval_requests, approval_requests.c.request_id == letters.c.request_id)
    .where(
        letters.c.state == "approved",
        approval_requests.c.state == "approved",
        approval_requests.c.expires_at > bindparam("now"),
        or_(letters.c.not_before.is_(None), letters.c.not_before <= bindparam("now")),
        ~_SUPPRESSED.exists(),
        ~_TOLD.exists(),
    )
    .order_by(letters.c.letter_id)
)
_MAY_LEAVE_OF = _MAY_LEAVE.where(letters.c.letter_id.in_(bindparam("ids", expanding=True)))
# An earlier try that is said not to have left, and of which the carrier says that it did.
_EARLIER = letters.alias("earlier")
_LEFT_AFTER_ALL = (
    select(letters.c.letter_id)
    .join(
        _EARLIER,
        and_(
            *(_EARLIER.c[name] == letters.c[name] for name in IDENTITY),
            _EARLIER.c.try_number < letters.c.try_number,
            _EARLIER.c.state.in_(("presumed_not_sent", "refused", "cancelled")),
        ),
    )
    .where(
        letters.c.letter_id.in_(bindparam("ids", expanding=True)),
        or_(
            select(delivery_events.c.event_id)
            .where(
                delivery_events.c.letter_id == _EARLIER.c.letter_id,
                delivery_events.c.event_type.in_(_LEFT),
            )
            .exists(),
            select(attempts.c.letter_id)
            .where(attempts.c.letter_id == _EARLIER.c.letter_id, attempts.c.outcome == "accepted")
            .exists(),
        ),
    )
)
# Rules of the database that refuse a claim for the letter's own sake → why it is cancelled, None where it waits.
_REFUSALS = {
    "letter_quiet_days_of_customer": "quiet_days",
    "letter_quiet_days_of_address": "quiet_days",
    "letter_approval": None,
}
_CONTENT_OF = select(approval_requests.c.content).where(
    approval_requests.c.request_id == bindparam("request_id")
)
# Content hash → what the list says of each letter. A list never changes: another one has another hash.
_LISTS: dict[str, dict[str, tuple[str | None, str | None]]] = {}
_MESSAGES_OF = select(letter_messages).where(
    letter_messages.c.letter_id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True)
class Claim:
    """A letter that this owner alone may post, once, until the lease is over."""

    letter: OutgoingLetter
    attempt_number: int
    owner: str
    lease_until: datetime
    carrier: str

    @property
    def held(self) -> tuple[str, int]:
        """Owner and attempt, as ``moving.move`` asks for them."""
        return self.owner, self.attempt_number


def claim_in(
    con: Connection,
    carrier: str,
    owner: str,
    now: datetime,
    lease: timedelta,
    contact_date: date,
    letter_ids: Sequence[str] | None,
    limit: int,
    admit: Admit | None,
) -> list[Claim]:
    """``outgoing.claim`` inside a transaction."""
    if pauses_in(con, now, carrier):
        return []
    claims: list[Claim] = []
    values = {
        "owner": owner,
        "lease_until": now + lease,
        "carrier": carrier,
        "contact_date": contact_date,
        "not_before": None,
    }
    for rows in _candidates(con, now, letter_ids):
        rest: Sequence[Row[Any]] = rows
        while rest and len(claims) < limit:
            wanted = limit - len(claims)
            chosen = admit(con, rest, wanted) if admit else rest[:wanted]
            taken = _take(con, chosen, now, values)
            claims += taken
            # where some of those chosen do not leave after all, others may in their place
            rest = rest[rest.index(chosen[-1]) + 1 :] if len(taken) < len(chosen) else []
    return claims


def _candidates(con: Connection, now: datetime, letter_ids: Sequence[str] | None) -> Iterable[list[Row[Any]]]:
    """Letters that may leave, in the order asked for, some at a time."""
    if letter_ids is None:
        yield list(con.execute(_MAY_LEAVE, {"now": now}).all())
        return
    for start in range(0, len(letter_ids), CHUNK):
        wanted = letter_ids[start : start + CHUNK]
        rows = con.execute(_MAY_LEAVE_OF, {"now": now, "ids": wanted})
        found = {row.letter_id: row for row in rows}
        yield [found[letter_id] for letter_id in wanted if letter_id in found]


def _take(con: Connection, rows: Sequence[Row[Any]], now: datetime, values: Mapping[str, Any]) -> list[Claim]:
    """Claim letters whose message is as approved and that did not leave by an earlier try; others are cancelled."""
    if not rows:
        return []
    contents = contents_of(con, rows)
    wrong = {row.letter_id: "message_changed" for row in rows if row.letter_id not in contents}
    wrong |= dict.fromkeys(_not_as_approved(con, rows), "not_as_approved")
    again = [row.letter_id for row in rows if row.try_number > 1]
    if again:
        left = con.execute(_LEFT_AFTER_ALL, {"ids": again}).scalars()
        wrong |= dict.fromkeys(left, "left_after_all")
    right = [row.letter_id for row in rows if row.letter_id not in wrong]
    taken, changes, refused = _mark(con, right, now, values)
    wrong |= {letter_id: reason for letter_id, reason in refused.items() if reason}
    _, said = cancel_in(con, wrong, values["owner"], now, ("approved",))
    claims = [
        Claim(
            outgoing(row, contents[row.letter_id]),
            row.attempt_count + 1,
            values["owner"],
            values["lease_until"],
            values["carrier"],
        )
        for row in rows
        if row.letter_id in taken
    ]
    if claims:
        con.execute(insert(attempts), [_attempt(one, now) for one in claims])
    append(con, [*changes, *said], now)
    return claims


def _mark(
    con: Connection, letter_ids: list[str], now: datetime, values: Mapping[str, Any]
) -> tuple[set[str], list[Change], dict[str, str | None]]:
    """Approved → sending, all at once or, where the database refuses one of them, one by one."""
    if not letter_ids:
        return set(), [], {}
    try:
        with _kept_apart(con):
            actor = values["owner"]
            moved, changes = move(
                con,
                letter_ids,
                "approved",
                "sending",
                now,
                actor=actor,
                action="claim",
                counts_attempt=True,
                **values,
            )
    except DBAPIError as error:
        rule = str(error.orig).partition(":")[0]
        if rule not in _REFUSALS:
            raise
        if len(letter_ids) == 1:
            return set(), [], {letter_ids[0]: _REFUSALS[rule]}
    else:
        return set(moved), changes, {}
    taken: set[str] = set()
    said: list[Change] = []
    refused: dict[str, str | None] = {}
    for letter_id in letter_ids:
        one, changes, reasons = _mark(con, [letter_id], now, values)
        taken |= one
        said += changes
        refused |= reasons
    return taken, said, refused


def _kept_apart(con: Connection) -> AbstractContextManager[Any]:
    """A refused statement takes the whole transaction along in PostgreSQL; in SQLite it takes back itself alone."""
    return con.begin_nested() if con.dialect.name == "postgresql" else nullcontext()


def contents_of(con: Connection, rows: Iterable[Row[Any]]) -> dict[str, bytes]:
    """Messages by letter id, without those that are not what was approved."""
    hashes = {row.letter_id: row.message_hash for row in rows}
    found: dict[str, bytes] = {}
    ids = list(hashes)
    for start in range(0, len(ids), CHUNK):
        for letter_id, packed in con.execute(_MESSAGES_OF, {"ids": ids[start : start + CHUNK]}):
            try:
                content = zlib.decompress(packed)
            except zlib.error:
                continue
            if hashlib.sha256(content).hexdigest() == hashes[letter_id]:
                found[letter_id] = content
    return found


def _not_as_approved(con: Connection, rows: Sequence[Row[Any]]) -> list[str]:
    """Letters that do not stand, with this message and this address, in the list that people said yes to."""
    found = []
    for row in rows:
        if row.content_hash not in _LISTS:
            content = con.execute(_CONTENT_OF, {"request_id": row.request_id}).scalar_one()
            if hash_of(content) == row.content_hash:
                _LISTS.clear()  # one batch leaves at a time; a long one takes megabytes
                _LISTS[row.content_hash] = {
                    one["item_id"]: (one.get("message_hash"), one.get("address"))
                    for one in read_items(content)
                }
        listed = _LISTS.get(row.content_hash, {})
        if listed.get(row.letter_id) != (row.message_hash, row.address):
            found.append(row.letter_id)
    return found


def outgoing(row: Row[Any], content: bytes) -> OutgoingLetter:
    """A row of letters as carriers take it."""
    return OutgoingLetter(
        row.letter_id, row.batch_id, row.level, row.channel, row.address, content, row.message_hash
    )


def _attempt(one: Claim, now: datetime) -> dict[str, Any]:
    return {
        "letter_id": one.letter.letter_id,
        "attempt_number": one.attempt_number,
        "carrier": one.carrier,
        "owner": one.owner,
        "started_at": now,
        "lease_until": one.lease_until,
    }
