"""Carriers that must not be used: until an instant, or until a person lifts the pause."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, insert, or_, select, update

from o2c.ledger.auditing import Change, append
from o2c.ledger.moving import utc
from o2c.ledger.tables import pauses
from o2c.ledger.writing import writing

_OPEN = (
    select(pauses)
    .where(pauses.c.lifted_at.is_(None), or_(pauses.c.until.is_(None), pauses.c.until > bindparam("now")))
    .order_by(pauses.c.pause_id)
)


@dataclass(frozen=True)
class Pause:
    """An open pause. ``until`` is null for one that a person has to lift."""

    pause_id: int
    carrier: str
    reason: str
    detail: str
    since: datetime
    until: datetime | None


def pause(
    engine: Engine,
    carrier: str,
    reason: str,
    detail: str,
    until: datetime | None,
    actor: str,
    now: datetime,
) -> None:
    """Use a carrier no more. One that is paused for the same reason already stays as it is."""
    with writing(engine) as con:
        append(con, pause_in(con, carrier, reason, detail, until, actor, now), utc(now))


def pause_in(
    con: Connection,
    carrier: str,
    reason: str,
    detail: str,
    until: datetime | None,
    actor: str,
    now: datetime,
) -> list[Change]:
    """``pause`` inside a transaction; what is returned goes to the audit chain."""
    now = utc(now)
    if any(one.reason == reason for one in pauses_in(con, now, carrier)):
        return []
    row = {"carrier": carrier, "reason": reason, "detail": detail, "since": now}
    con.execute(insert(pauses).values(row | {"until": utc(until) if until else None}))
    return [Change(actor, "pause", f"carrier:{carrier}", None, "paused", reason)]


def lift_pause(engine: Engine, carrier: str, actor: str, now: datetime) -> int:
    """Use a carrier again. Returns how many pauses were open; breakers count anew from here."""
    now = utc(now)
    with writing(engine) as con:
        found = pauses_in(con, now, carrier)
        con.execute(
            update(pauses)
            .where(pauses.c.pause_id.in_([one.pause_id for one in found]), pauses.c.lifted_at.is_(None))
            .values(lifted_at=now, lifted_by=actor)
        )
        subject = f"carrier:{carrier}"
        append(con, [Change(actor, "lift_pause", subject, "paused", None, one.reason) for one in found], now)
    return len(found)


def open_pauses(engine: Engine, now: datetime, carrier: str | None = None) -> list[Pause]:
    """Pauses that hold at an instant, of all carriers or of one, oldest first."""
    with engine.connect() as con:
        return pauses_in(con, utc(now), carrier)


def pauses_in(con: Connection, now: datetime, carrier: str | None = None) -> list[Pause]:
    """``open_pauses`` inside a transaction."""
    rows = con.execute(_OPEN, {"now": now})
    return [
        Pause(
            row.pause_id,
            row.carrier,
            row.reason,
            row.detail,
            utc(row.since),
            utc(row.until) if row.until else None,
        )
        for row in rows
        if carrier is None or row.carrier == carrier
    ]
