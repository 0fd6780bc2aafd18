"""How sending goes: what breakers are judged by. Counted since a person last lifted a pause of the carrier."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from o2c.ledger.moving import utc
from o2c.ledger.states import ALL_STATES, CONTACT_STATES
from o2c.ledger.tables import audit, letters, pauses

_LOOKED_BACK = 500  # attempts that came to an end, for what came in a row
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class BatchHealth:
    """Counts of one batch: all letters but the cancelled, those that left or may have, unknown ones, bounces."""

    letter_count: int
    attempted_count: int
    unknown_count: int
    bounced_count: int


@dataclass(frozen=True)
class CarrierHealth:
    """Counts of one carrier: unknown outcomes in a row up to now, and in the last days delivered and complained."""

    unknown_in_a_row: int
    delivered_count: int
    complained_count: int


def batch_health(engine: Engine, carrier: str, batch_id: str) -> BatchHealth:
    """Of letters that the carrier was given, but for the first count, which is of the whole batch."""
    with engine.connect() as con:
        since = _judged_since(con, carrier)
        batch = letters.c.batch_id == batch_id
        given = (batch, letters.c.carrier == carrier)
        fresh = (*given, letters.c.state_changed_at > since)
        alive = [state for state in ALL_STATES if state != "cancelled"]
        return BatchHealth(
            _count(con, letters.c.state.in_(alive), batch),
            _count(con, letters.c.state.in_(CONTACT_STATES), *given),
            _count(con, letters.c.state == "unknown", *fresh),
            _count(con, letters.c.state == "bounced", *fresh),
        )


def carrier_health(engine: Engine, carrier: str, now: datetime, days: int) -> CarrierHealth:
    """Of all batches."""
    with engine.connect() as con:
        since = _judged_since(con, carrier)
        window = utc(now) - timedelta(days=days)
        given = letters.c.carrier == carrier
        complained = _count(
            con,
            letters.c.state == "complained",
            given,
            letters.c.state_changed_at > since,
            letters.c.sent_at > window,
        )
        delivered = (
            _count(con, letters.c.state.in_(("delivered", "complained")), given, letters.c.sent_at > window)
            if complained
            else 0
        )
        return CarrierHealth(_unknown_in_a_row(con, carrier, since), delivered, complained)


def _judged_since(con: Connection, carrier: str) -> datetime:
    lifted = con.execute(select(func.max(pauses.c.lifted_at)).where(pauses.c.carrier == carrier)).scalar()
    return utc(lifted) if lifted else _NEVER


def _count(con: Connection, *where: ColumnElement[bool]) -> int:
    return con.execute(select(func.count()).select_from(letters).where(*where)).scalar_one()


def _unknown_in_a_row(con: Connection, carrier: str, since: datetime) -> int:
    """The last attempts that came to an end; one that an event has settled since is unknown no longer."""
    last = (
        select(audit.c.sequence, audit.c.subject, audit.c.after)
        .where(audit.c.recorded_at > since, audit.c.before == "sending")
        .order_by(audit.c.sequence.desc())
        .limit(_LOOKED_BACK)
    )
    ended = [row for row in con.execute(last) if row.subject.startswith("letter:")]
    ids = [row.subject.removeprefix("letter:") for row in ended]
    query = select(letters.c.letter_id, letters.c.state, letters.c.carrier).where(
        letters.c.letter_id.in_(ids)
    )
    found = {row.letter_id: row for row in con.execute(query)}
    count = 0
    for row, letter_id in zip(ended, ids, strict=True):
        if found[letter_id].carrier != carrier:
            continue
        if row.after != "unknown" or found[letter_id].state != "unknown":
            break
        count += 1
    return count
