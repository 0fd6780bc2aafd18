"""How far the events of each carrier were read: only up to there does silence mean anything."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from o2c.ledger.moving import CHUNK, utc
from o2c.ledger.tables import event_streams
from o2c.ledger.writing import writing


def note_read_until(engine: Engine, carrier: str, instant: datetime) -> None:
    """Note that all a carrier published before an instant stands here. Never goes back."""
    with writing(engine) as con:
        there = con.execute(
            select(event_streams.c.read_until).where(event_streams.c.carrier == carrier)
        ).scalar_one_or_none()
        if there is None:
            con.execute(insert(event_streams).values(carrier=carrier, read_until=instant))
        elif utc(there) < instant:
            con.execute(
                update(event_streams).where(event_streams.c.carrier == carrier).values(read_until=instant)
            )


def read_until(engine: Engine, carrier: str) -> datetime | None:
    """Up to when a carrier's events were read; None where they never were."""
    query = select(event_streams.c.read_until).where(event_streams.c.carrier == carrier)
    with engine.connect() as con:
        instant = con.execute(query).scalar_one_or_none()
    return None if instant is None else utc(instant)


def in_pieces(values: Iterable[str]) -> Iterable[list[str]]:
    """The values sorted, in pieces that one statement can name."""
    ordered = sorted(values)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
