"""What people are to do because of what became of letters, and what our own doing adds to the activities."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, insert, select

from o2c.delivery.events import STATE_OF_EVENT, DeliveryEvent
from o2c.frames import Activities
from o2c.ledger.moving import utc
from o2c.ledger.tables import activities

# An event of these makes a task: outcome code of the activity, and what it says.
TASKS = {
    "bounce": ("wrong_contact", "came back as undeliverable; find another address"),
    "suppressed": ("wrong_contact", "address is on the carrier's suppression list; new address or post"),
    "given_up": ("wrong_contact", "could not be delivered; new address or post"),
    "reject": ("not_delivered", "the carrier did not send it; look at it, then new address or post"),
    "rendering_failure": (
        "not_delivered",
        "the carrier did not send it; look at it, then new address or post",
    ),
    "complaint": ("complained", "the recipient complained; nothing more is sent there; a person decides"),
}


def activity_rows(engine: Engine, until: date) -> pl.DataFrame:
    """What happened with customers by our own doing, up to the end of a date in UTC (frames.Activities)."""
    end = datetime.combine(until, time(), tzinfo=UTC) + timedelta(days=1)
    query = select(activities).where(activities.c.activity_at < end).order_by(activities.c.activity_id)
    with engine.connect() as con:
        rows = [
            {
                "activity_id": row.activity_id,
                "customer_id": row.customer_id,
                "collector_id": None,
                "activity_at": utc(row.activity_at),
                "channel": row.channel,
                "outcome_code": row.outcome_code,
                "note": row.note,
            }
            for row in con.execute(query)
        ]
    return Activities.validate(pl.DataFrame(rows, schema=Activities.empty().schema))


def add_tasks(con: Connection, events: list[DeliveryEvent], known: dict[str, Any]) -> int:
    """A task for a person for every event that needs one. Its id is the event's, so that it is there once."""
    rows = []
    for event in events:
        letter = known[event.letter_id or ""]
        said = TASKS.get(event.event_type)
        if said is None and letter.state == "presumed_not_sent" and event.event_type in STATE_OF_EVENT:
            said = ("left_after_all", "was taken as not sent, but it left; look before anything else is sent")
        if said is not None:
            rows.append(
                {
                    "activity_id": f"event-{event.event_id[:32]}",
                    "customer_id": letter.customer_id,
                    "letter_id": letter.letter_id,
                    "activity_at": event.occurred_at,
                    "channel": letter.channel,
                    "outcome_code": said[0],
                    "note": f"letter {letter.letter_id}: {said[1]}"
                    + (f" ({event.detail})" if event.detail else ""),
                    "is_task": 1,
                }
            )
    if rows:
        con.execute(insert(activities), rows)
    return len(rows)
