"""One step of letters from state to state, guarded by the state they are in, with what the audit chain says of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, update

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
    held: tuple[str, int] | None = None,
    counts_attempt: bool = False,
    is_lease_over: bool = False,
    **values: Any,
) -> tuple[list[str], list[Change]]:
    """Take letters one step. Those no longer in the state before, or not as asked for, are left alone.

    Returns the letters that moved, sorted, and what the caller adds to the audit chain in the same transaction.

    Args:
        held: only where this owner is at this attempt.
        counts_attempt: one attempt more.
        is_lease_over: only where the lease has run out by now.
        values: other columns of the letter.
    """
    moved: list[str] = []
    if before == "sending":  # nobody has it any longer
        values = {"owner": None, "lease_until": None} | values
    values |= {"state": after, "state_reason": reason, "state_changed_at": now}
    step = _step(tuple(sorted(values)), held is not None, counts_attempt, is_lease_over)
    said = {f"new_{name}": value for name, value in values.items()} | {"before": before}
    if held is not None:
        said |= {"held_by": held[0], "held_attempt": held[1]}
    if is_lease_over:
        said["now"] = now
    for start in range(0, len(letter_ids), CHUNK):
        moved.extend(con.execute(step, said | {"ids": letter_ids[start : start + CHUNK]}).scalars())
    moved.sort()
    changes = [Change(actor, action, f"letter:{letter_id}", before, after, reason) for letter_id in moved]
    return moved, changes


@cache
def _step(names: tuple[str, ...], is_held: bool, counts_attempt: bool, is_lease_over: bool) -> Any:
    """The statement of a step, made once for each kind of step: making it takes longer than running it."""
    where = [
        letters.c.letter_id.in_(bindparam("ids", expanding=True)),
        letters.c.state == bindparam("before"),
    ]
    if is_held:
        where.append(letters.c.owner == bindparam("held_by"))
        where.append(letters.c.attempt_count == bindparam("held_attempt"))
    if is_lease_over:
        where.append(letters.c.lease_until <= bindparam("now"))
    values: dict[str, ColumnElement[Any]] = {
        name: bindparam(f"new_{name}", type_=letters.c[name].type) for name in names
    }
    if counts_attempt:
        values["attempt_count"] = letters.c.attempt_count + 1
    return update(letters).where(*where).values(values).returning(letters.c.letter_id)


def utc(instant: datetime) -> datetime:
    """SQLite forgets the zone of what it keeps, so everything we give it is UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
