"""Addresses that nothing is sent to, until a person lifts it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from o2c.delivery.events import DeliveryEvent
from o2c.ledger.auditing import Change, append
from o2c.ledger.event_streams import in_pieces
from o2c.ledger.tables import suppressions
from o2c.ledger.writing import writing

# Nothing more is sent to the address after one of these; the weightiest first.
SUPPRESSES = {"complaint": "complaint", "bounce": "bounce", "suppressed": "carrier_suppression"}


def suppressed_addresses(engine: Engine) -> dict[str, str]:
    """Addresses in lower case that nothing is sent to, each with the reason."""
    query = select(suppressions.c.address, suppressions.c.reason).where(suppressions.c.lifted_at.is_(None))
    with engine.connect() as con:
        return {row.address: row.reason for row in con.execute(query.order_by(suppressions.c.address))}


def lift_suppression(engine: Engine, address: str, person: str, now: datetime) -> bool:
    """Let an address be written to again, because a person says so. False where it was not suppressed."""
    with writing(engine) as con:
        query = (
            update(suppressions)
            .where(suppressions.c.address == address.lower(), suppressions.c.lifted_at.is_(None))
            .values(lifted_at=now, lifted_by=person)
            .returning(suppressions.c.suppression_id)
        )
        lifted = con.execute(query).scalars().all()
        append(con, [Change(person, "lift_suppression", f"suppression:{one}") for one in lifted], now)
    return bool(lifted)


def suppress(
    con: Connection, events: list[DeliveryEvent], known: dict[str, Any], now: datetime
) -> list[tuple[str, str]]:
    """Add the addresses of letters that came back. Returns event ids and reasons of those that are new."""
    wanted: dict[str, DeliveryEvent] = {}
    rank = list(SUPPRESSES)
    telling = [event for event in events if event.event_type in SUPPRESSES]
    for event in sorted(telling, key=lambda one: (rank.index(one.event_type), one.event_id)):
        wanted.setdefault(known[event.letter_id or ""].address.lower(), event)
    open_ = {
        row
        for start in in_pieces(wanted)
        for row in con.execute(
            select(suppressions.c.address).where(
                suppressions.c.address.in_(start), suppressions.c.lifted_at.is_(None)
            )
        ).scalars()
    }
    added = [(address, event) for address, event in sorted(wanted.items()) if address not in open_]
    if added:
        con.execute(
            insert(suppressions),
            [
                {
                    "address": address,
                    "reason": SUPPRESSES[event.event_type],
                    "event_id": event.event_id,
                    "since": now,
                }
                for address, event in added
            ],
        )
    return [(event.event_id, SUPPRESSES[event.event_type]) for _, event in added]
