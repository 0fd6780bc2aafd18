"""The audit chain: who did what to which thing, each row with the hash of the one before."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, text, update

from o2c.ledger.tables import audit, audit_head

FIRST_HASH = "0" * 64
LOCK = 0x6F326361  # any number, the same for everybody


@dataclass(frozen=True)
class Change:
    """One thing that happened. ``subject`` is ``letter:<id>``, ``request:<id>``, ``carrier:<name>`` and the like."""

    actor: str
    action: str
    subject: str
    before: str | None = None
    after: str | None = None
    reason: str | None = None


def append(con: Connection, changes: Iterable[Change], at: datetime) -> None:
    """Add to the chain, in the transaction that changes the things themselves.

    Writers follow each other: SQLite has one at a time; elsewhere a lock is held until the transaction ends.
    """
    changes = list(changes)
    if not changes:
        return
    lock(con)
    last = con.execute(
        select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
    ).one_or_none()
    sequence, previous = (last.sequence, last.hash) if last else (0, FIRST_HASH)
    rows = []
    for change in changes:
        sequence += 1
        row = {"sequence": sequence, "recorded_at": at, **vars(change), "previous_hash": previous}
        previous = row["hash"] = row_hash(row)
        rows.append(row)
    con.execute(insert(audit), rows)
    con.execute(update(audit_head).values(sequence=sequence, hash=previous))


def lock(con: Connection) -> None:
    """Wait for the writer's turn, and keep it until the transaction ends. Asked for again, it is there already."""
    if con.dialect.name == "postgresql":
        con.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})


def row_hash(row: dict) -> str:
    """The sha-256 over everything in a row but its own hash."""
    at = row["recorded_at"]
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    parts = [
        row["sequence"],
        at.isoformat(timespec="microseconds"),
        *(row[name] for name in ("actor", "action", "subject", "before", "after", "reason", "previous_hash")),
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
