"""Letters whose worker was lost, and letters of which no trace came: what the ledger says of them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, select, update

from o2c.delivery.carrier import OutgoingLetter
from o2c.ledger.auditing import Change, append
from o2c.ledger.claiming import contents_of, outgoing
from o2c.ledger.moving import CHUNK, move, utc
from o2c.ledger.tables import attempts, letters
from o2c.ledger.writing import writing


def expire_leases(
    engine: Engine,
    now: datetime,
    asks: Callable[[OutgoingLetter], bool | None] | None = None,
    *,
    carrier: str | None = None,
    actor: str = "recovery",
) -> dict[str, str]:
    """Settle letters whose lease is over: unknown, unless the carrier knows for certain. Returns state by letter id.

    The worker may be frozen, not dead: nothing goes back to approved but what the carrier certainly does not have, and
    such a carrier takes the same letter twice without harm.

    Args:
        asks: the carrier's ``has``; where it says true the letter is sent, where it says false approved again.
        carrier: letters of this carrier alone; by default of all, and then ``asks`` must know all of them.
    """
    now = utc(now)
    settled: dict[str, str] = {}
    changes: list[Change] = []
    with writing(engine) as con:
        query = select(letters).where(letters.c.state == "sending", letters.c.lease_until <= now)
        if carrier is not None:
            query = query.where(letters.c.carrier == carrier)
        rows = con.execute(query.order_by(letters.c.letter_id)).all()
        for start in range(0, len(rows), CHUNK):
            for after, those in _answers(con, rows[start : start + CHUNK], asks).items():
                moved, said = _expire(con, those, after, now, actor)
                settled |= dict.fromkeys(moved, after)
                changes += said
        append(con, changes, now)
    return dict(sorted(settled.items()))


def presume_not_sent(
    engine: Engine,
    now: datetime,
    after: timedelta,
    is_event_stream_read_until: datetime | None,
    *,
    actor: str = "recovery",
) -> list[str]:
    """Unknown letters without a trace for so long are taken as not sent. Returns them, sorted.

    Absence proves something only if somebody looked: the events must have been read up to the end of the wait. A
    letter whose worker came back late with the carrier's yes is sent, and is not among those returned.

    Args:
        after: the wait since the letter's last attempt began.
        is_event_stream_read_until: all events up to here are in the ledger; None where no events are read at all,
            and then nothing is presumed.
    """
    now = utc(now)
    if is_event_stream_read_until is None:
        return []
    seen = min(now, utc(is_event_stream_read_until))
    last = and_(
        attempts.c.letter_id == letters.c.letter_id, attempts.c.attempt_number == letters.c.attempt_count
    )
    with writing(engine) as con:
        rows = con.execute(
            select(
                letters.c.letter_id, attempts.c.outcome, attempts.c.carrier_message_id, attempts.c.ended_at
            )
            .join(attempts, last)
            .where(letters.c.state == "unknown", attempts.c.started_at <= seen - after)
            .order_by(letters.c.letter_id)
        ).all()
        changes: list[Change] = []
        for row in (row for row in rows if row.outcome == "accepted"):
            _, said = move(
                con,
                [row.letter_id],
                "unknown",
                "sent",
                now,
                actor=actor,
                action="settle",
                reason="late_answer",
                sent_at=row.ended_at,
                carrier_message_id=row.carrier_message_id,
            )
            changes += said
        traceless = [row.letter_id for row in rows if row.outcome != "accepted"]
        presumed, said = move(
            con,
            traceless,
            "unknown",
            "presumed_not_sent",
            now,
            actor=actor,
            action="settle",
            reason="no_trace",
        )
        append(con, [*changes, *said], now)
    return presumed


def _answers(
    con: Connection,
    rows: Sequence[Row[Any]],
    asks: Callable[[OutgoingLetter], bool | None] | None,
) -> dict[str, list[Row[Any]]]:
    contents = contents_of(con, rows) if asks else {}
    answers: dict[str, list[Row[Any]]] = {}
    for row in rows:
        known = asks(outgoing(row, contents[row.letter_id])) if asks and row.letter_id in contents else None
        answers.setdefault({True: "sent", False: "approved", None: "unknown"}[known], []).append(row)
    return answers


def _expire(
    con: Connection, rows: Sequence[Row[Any]], after: str, now: datetime, actor: str
) -> tuple[list[str], list[Change]]:
    values: dict[str, Any] = {"sent": {"sent_at": now}, "approved": {"contact_date": None}}.get(after, {})
    if after != "unknown":  # that of an unknown one stays open: its worker may come back with an answer
        outcome = {"sent": "accepted", "approved": "not_accepted"}[after]
        for row in rows:
            con.execute(
                update(attempts)
                .where(
                    attempts.c.letter_id == row.letter_id,
                    attempts.c.attempt_number == row.attempt_count,
                    attempts.c.outcome.is_(None),
                )
                .values(ended_at=now, outcome=outcome, error_class="LeaseOver")
            )
    moved, changes = move(
        con,
        [row.letter_id for row in rows],
        "sending",
        after,
        now,
        actor=actor,
        action="expire",
        reason="lease_over",
        is_lease_over=True,
        **values,
    )
    return moved, changes
