"""Letters before they leave: written down with their exact message, shown to people, withdrawn."""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, and_, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from o2c.contract import MONEY
from o2c.ledger.auditing import Change, append
from o2c.ledger.letters import schema_of
from o2c.ledger.moving import CHUNK, move, utc
from o2c.ledger.opening import rule_broken
from o2c.ledger.states import FIRST_STATES
from o2c.ledger.store import LedgerError
from o2c.ledger.tables import approval_requests, approvals, letter_lines, letter_messages, letters
from o2c.ledger.writing import writing

WITHDRAWABLE = (*FIRST_STATES, "approved")
# The fastest: a letter shrinks to a quarter with it, and ten thousand wait in a morning.
_ZLIB_LEVEL = 1


@dataclass(frozen=True)
class PlannedLetter:
    """A letter as rendered: its row (state ``rendered`` or ``approval_pending``), its lines, its exact message."""

    row: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    content: bytes


def plan_letters(engine: Engine, planned: Iterable[PlannedLetter], actor: str, now: datetime) -> set[str]:
    """Write letters down with lines and message. Returns the ids that were written.

    One that waits and that nobody has said yes or no to is replaced; one that went further stays as it is.

    Raises:
        LedgerError: another letter of the same identity is alive, or a row is none; nothing was written.
    """
    planned, now = list(planned), utc(now)
    wrong = sorted(one.row["letter_id"] for one in planned if one.row["state"] not in FIRST_STATES)
    if wrong:
        raise _refused(f"letters start as {' or '.join(FIRST_STATES)}: {', '.join(wrong[:20])}")
    try:
        with writing(engine) as con:
            states = _states_of(con, [one.row["letter_id"] for one in planned])
            undecided = _undecided(
                con, [letter_id for letter_id, state in states.items() if state in FIRST_STATES]
            )
            _forget(con, sorted(undecided))
            fresh = [
                one
                for one in planned
                if states.get(one.row["letter_id"]) is None or one.row["letter_id"] in undecided
            ]
            _write(con, fresh, now)
            append(con, _planned_changes(fresh, states, actor), now)
    except IntegrityError as error:
        raise _refused(f"a second letter of one identity: {rule_broken(error)}") from None
    return {one.row["letter_id"] for one in fresh}


def cancel_letters(engine: Engine, reasons: Mapping[str, str], actor: str, now: datetime) -> set[str]:
    """Withdraw letters that have not left, each with its reason code. Returns those that were withdrawn."""
    now = utc(now)
    with writing(engine) as con:
        cancelled, changes = cancel_in(con, reasons, actor, now)
        append(con, changes, now)
    return cancelled


def cancel_in(
    con: Connection,
    reasons: Mapping[str, str],
    actor: str,
    now: datetime,
    states: Sequence[str] = WITHDRAWABLE,
) -> tuple[set[str], list[Change]]:
    """``cancel_letters`` inside a transaction; the changes go to the audit chain."""
    cancelled: set[str] = set()
    changes: list[Change] = []
    for reason in sorted(set(reasons.values())):
        ids = sorted(letter_id for letter_id, its in reasons.items() if its == reason)
        for state in states:
            moved, said = move(con, ids, state, "cancelled", now, actor=actor, action="cancel", reason=reason)
            cancelled.update(moved)
            changes.extend(said)
    return cancelled, changes


def cancel_stale(
    engine: Engine, now: datetime, last_day_of: Callable[[date], date], *, today: date, actor: str = "policy"
) -> set[str]:
    """Withdraw letters that outlived their days, or whose approval ended before they left. Reason ``stale``.

    Args:
        last_day_of: as-of date to the last date on which letters of it may leave.
        today: the date in the business time zone.
    """
    now = utc(now)
    with writing(engine) as con:
        waiting = con.execute(
            select(
                letters.c.letter_id,
                letters.c.decided_as_of_date,
                letters.c.state,
                approval_requests.c.expires_at,
            )
            .outerjoin(approval_requests, approval_requests.c.request_id == letters.c.request_id)
            .where(letters.c.state.in_(WITHDRAWABLE))
        ).all()
        last_days = {day: last_day_of(day) for day in {row.decided_as_of_date for row in waiting}}
        stale = {
            row.letter_id: "stale"
            for row in waiting
            if last_days[row.decided_as_of_date] < today
            or (row.state == "approved" and row.expires_at is not None and utc(row.expires_at) <= now)
        }
        cancelled, changes = cancel_in(con, stale, actor, now)
        append(con, changes, now)
    return cancelled


def approved_letters(engine: Engine, now: datetime) -> pl.DataFrame:
    """Letters that may leave as far as people are concerned, every column of the ledger, sorted by id."""
    query = (
        select(letters)
        .join(approval_requests, approval_requests.c.request_id == letters.c.request_id)
        .where(
            letters.c.state == "approved",
            approval_requests.c.state == "approved",
            approval_requests.c.expires_at > utc(now),
        )
        .order_by(letters.c.letter_id)
    )
    with engine.connect() as con:
        rows = [
            {name: utc(value) if isinstance(value, datetime) else value for name, value in row.items()}
            for row in con.execute(query).mappings()
        ]
    schema = schema_of(letters.columns)
    return pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("total_amount").cast(MONEY), pl.col("occasion").replace("", None)
    )


def _states_of(con: Connection, letter_ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(letter_ids), CHUNK):
        chunk = letter_ids[start : start + CHUNK]
        query = select(letters.c.letter_id, letters.c.state).where(letters.c.letter_id.in_(chunk))
        found.update(con.execute(query).tuples().all())
    return found


def _undecided(con: Connection, letter_ids: Sequence[str]) -> set[str]:
    """Those without a request, or with one that nobody has said yes or no to."""
    found: set[str] = set()
    said = select(approvals.c.request_id).where(approvals.c.request_id == letters.c.request_id)
    for start in range(0, len(letter_ids), CHUNK):
        query = (
            select(letters.c.letter_id)
            .outerjoin(approval_requests, approval_requests.c.request_id == letters.c.request_id)
            .where(
                letters.c.letter_id.in_(letter_ids[start : start + CHUNK]),
                or_(
                    letters.c.request_id.is_(None),
                    and_(approval_requests.c.state.in_(("waiting", "superseded", "expired")), ~said.exists()),
                ),
            )
        )
        found.update(con.execute(query).scalars())
    return found


def _forget(con: Connection, letter_ids: Sequence[str]) -> None:
    for start in range(0, len(letter_ids), CHUNK):
        chunk = letter_ids[start : start + CHUNK]
        for table in (letter_lines, letter_messages, letters):
            con.execute(delete(table).where(table.c.letter_id.in_(chunk)))


def _write(con: Connection, fresh: Sequence[PlannedLetter], now: datetime) -> None:
    if not fresh:
        return
    con.execute(insert(letters), [one.row | {"state_changed_at": now} for one in fresh])
    con.execute(
        insert(letter_messages),
        [
            {"letter_id": one.row["letter_id"], "content": zlib.compress(one.content, _ZLIB_LEVEL)}
            for one in fresh
        ],
    )
    lines = [line for one in fresh for line in one.lines]
    if lines:
        con.execute(insert(letter_lines), lines)


def _planned_changes(fresh: Sequence[PlannedLetter], states: Mapping[str, str], actor: str) -> list[Change]:
    return [
        Change(
            actor,
            "plan",
            f"letter:{one.row['letter_id']}",
            states.get(one.row["letter_id"]),
            one.row["state"],
        )
        for one in fresh
    ]


def _refused(why: str) -> LedgerError:
    return LedgerError(f"the ledger refuses {why}")
