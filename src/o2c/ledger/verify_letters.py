"""Letters held against what the chain says of them, their attempts, their messages and each other."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from o2c.ledger.states import CONTACT_STATES, FIRST_STATES
from o2c.ledger.tables import attempts, delivery_events, letter_messages
from o2c.ledger.verify_chain import ROWS_AT_ONCE, Finding, Story

_NOT_TAKEN = {"not_accepted", "paused"}
_LEFT = ("sent", "delivered", "not_delivered", "bounced", "complained")
_LATE = {None, "accepted", "not_accepted", "refused", "paused", "unknown"}
# What the last attempt of a letter in a state may have come to. None: it has not ended.
_LAST_OUTCOMES: Mapping[str, set[str | None]] = {
    "approved": {*_NOT_TAKEN},
    "cancelled": {*_NOT_TAKEN},
    "sending": {None},
    "refused": {"refused"},
    "unknown": _LATE,  # a worker that was believed dead may come back with any answer
    "presumed_not_sent": _LATE - {"accepted"},
    **{state: {"accepted"} for state in _LEFT},
}
Row = Mapping[str, Any]


def letter_findings(con: Connection, rows: Sequence[Row], stories: Mapping[str, Story]) -> list[Finding]:
    """Every letter is in the state that the chain says last, and its attempts are those of that state."""
    by_letter: dict[str, list[Any]] = {}
    for attempt in con.execute(select(attempts).order_by(attempts.c.letter_id, attempts.c.attempt_number)):
        by_letter.setdefault(attempt.letter_id, []).append(attempt)
    findings = []
    for row in rows:
        letter_id = row["letter_id"]
        story = stories.get(letter_id, Story())
        if story.state != row["state"]:
            said = f"is {row['state']}; the audit says {story.state or 'nothing of it'}"
            findings.append(_finding("state", letter_id, said))
        told = by_letter.get(letter_id, [])
        findings += [_finding("attempts", letter_id, fault) for fault in _attempt_faults(row, story, told)]
    there = {row["letter_id"] for row in rows}
    for letter_id, story in stories.items():
        if letter_id not in there and story.state not in FIRST_STATES:
            findings.append(
                _finding("gone", letter_id, f"is not there; the audit says that it is {story.state}")
            )
    return findings


def _attempt_faults(row: Row, story: Story, told: Sequence[Any]) -> Iterable[str]:
    state, count = row["state"], row["attempt_count"]
    if [attempt.attempt_number for attempt in told] != list(range(1, count + 1)):
        yield f"counts {count} attempts and has {len(told)}"
    if not told:
        if state in (*CONTACT_STATES, "refused") and not story.is_taken_over:
            yield f"is {state} without an attempt"
        return
    for attempt in told[:-1]:
        if attempt.outcome not in _NOT_TAKEN:
            yield f"was attempted again although attempt {attempt.attempt_number} may have left"
    allowed = _LAST_OUTCOMES.get(state, set())
    if state in _LEFT and "unknown" in story.states:
        allowed = _LATE
    if told[-1].outcome not in allowed:
        yield f"is {state}; its last attempt is {told[-1].outcome or 'open'}"


def accept_findings(con: Connection) -> list[Finding]:
    """No letter was accepted twice: one message id of the carrier each, in attempts and events (invariant 42)."""
    ids: dict[str, set[str]] = {}
    for table in (attempts, delivery_events):
        query = select(table.c.letter_id, table.c.carrier_message_id).where(
            table.c.carrier_message_id.is_not(None), table.c.letter_id.is_not(None)
        )
        for row in con.execute(query):
            ids.setdefault(row.letter_id, set()).add(row.carrier_message_id)
    return [
        _finding("accepted_twice", letter_id, f"was accepted {len(told)} times by the carrier: SEV-1")
        for letter_id, told in sorted(ids.items())
        if len(told) > 1
    ]


def message_findings(con: Connection, rows: Sequence[Row]) -> list[Finding]:
    """What was or will be sent is what its hash says, and is there while it may still be sent (invariant 43)."""
    hashes = {row["letter_id"]: row["message_hash"] for row in rows}
    findings, there = [], set()
    query = select(letter_messages).order_by(letter_messages.c.letter_id)
    for letter_id, packed in con.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        there.add(letter_id)
        try:
            found = hashlib.sha256(zlib.decompress(packed)).hexdigest()
        except zlib.error:
            found = "unreadable"
        if found != hashes.get(letter_id):
            findings.append(_finding("message", letter_id, "its message is not the one that was approved"))
    findings += [
        _finding("message", row["letter_id"], f"is {row['state']} and has no message")
        for row in rows
        if row["state"] in ("approved", "sending") and row["letter_id"] not in there and row["attempt_count"]
    ]
    return findings


def contact_findings(rows: Sequence[Row]) -> list[Finding]:
    """No two contacts of a customer, or of an address, within quiet days; all of one batch are one contact."""
    contacts = [row for row in rows if row["state"] in CONTACT_STATES and row["contact_date"] is not None]
    groups: dict[tuple[str, str, bool], list[Row]] = {}
    for row in contacts:
        is_courtesy = row["kind"] == "courtesy"
        groups.setdefault(("customer", row["customer_id"], is_courtesy), []).append(row)
        groups.setdefault(("address", row["address"].lower(), is_courtesy), []).append(row)
    pairs: dict[tuple[str, str], str] = {}
    for (what, _, _), members in sorted(groups.items()):
        for first, second in _too_close(members):
            pairs.setdefault((first["letter_id"], second["letter_id"]), what)
    return [
        _finding("quiet_days", later, f"went to the same {what} as letter {earlier} within quiet days")
        for (earlier, later), what in sorted(pairs.items())
    ]


def _too_close(members: Sequence[Row]) -> Iterable[tuple[Row, Row]]:
    if len(members) < 2:
        return
    ordered = sorted(members, key=lambda row: (row["contact_date"], row["letter_id"]))
    longest = max(row["quiet_days"] for row in ordered)
    for place, later in enumerate(ordered):
        for earlier in reversed(ordered[:place]):
            days = _days(earlier["contact_date"], later["contact_date"])
            if days >= longest:
                break
            is_other = earlier["batch_id"] != later["batch_id"]
            if is_other and days < max(earlier["quiet_days"], later["quiet_days"]):
                yield earlier, later


def _days(first: date, second: date) -> int:
    return (second - first).days


def _finding(kind: str, letter_id: str, says: str) -> Finding:
    return Finding(kind, f"letter:{letter_id}", says)
