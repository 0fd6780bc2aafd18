"""One step of letters from state to state, guarded by the state they are in, with what the audit chain says of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from o2c.ledger.auditing import Change
from o2c.ledger.tables import letters

CHUNK = 500  # identifiers in one statement


def move(
    con: Connection,
    letter_ids: Sequence[str],
    before: str,
    after: str,
    now: datetime,
    *,
    actor: str,
    action: str,
    reason: str | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    **values: Any,
) -> tuple[list[str], list[Change]]:
    """Take letters one step. Those no longer in the state before, or not as ``where`` says, are left alone.

    Returns the letters that moved, sorted, and what the caller adds to the audit chain in the same transaction.
    """
    moved: list[str] = []
    if before == "sending":  # nobody has it any longer
        values = {"owner": None, "lease_until": None} | values
    for start in range(0, len(letter_ids), CHUNK):
        step = (
            update(letters)
            .where(
                letters.c.letter_id.in_(letter_ids[start : start + CHUNK]), letters.c.state == before, *where
            )
            .values(state=after, state_reason=reason, state_changed_at=now, **values)
            .returning(letters.c.letter_id)
        )
        moved.extend(con.execute(step).scalars())
    moved.sort()
    changes = [Change(actor, action, f"letter:{letter_id}", before, after, reason) for letter_id in moved]
    return moved, changes


def utc(instant: datetime) -> datetime:
    """SQLite forgets the zone of what it keeps, so everything we give it is UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
