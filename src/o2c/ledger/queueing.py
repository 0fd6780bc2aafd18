"""The letters that are approved: which of them may leave as far as the ledger knows, and why the others wait."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Row, func, select

from o2c.ledger.claiming import contents_of
from o2c.ledger.moving import CHUNK, utc
from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import approval_requests, letters, suppressions


def waiting_letters(
    engine: Engine,
    now: datetime,
    *,
    channels: Collection[str] | None = None,
    batch_ids: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of approved letters in the order in which they leave: the mildest level and the smallest amount first.

    Each has ``waits_for`` beside its columns: ``approval_over``, ``suppressed``, ``back_off`` or None.
    """
    suppressed = select(suppressions.c.suppression_id).where(
        suppressions.c.address == func.lower(letters.c.address), suppressions.c.lifted_at.is_(None)
    )
    query = (
        select(
            letters,
            approval_requests.c.state.label("request_state"),
            approval_requests.c.expires_at.label("approved_until"),
            suppressed.exists().label("is_suppressed"),
        )
        .outerjoin(approval_requests, approval_requests.c.request_id == letters.c.request_id)
        .where(letters.c.state == "approved")
    )
    if channels is not None:
        query = query.where(letters.c.channel.in_(sorted(channels)))
    if batch_ids is not None:
        query = query.where(letters.c.batch_id.in_(sorted(batch_ids)))
    now = utc(now)
    with engine.connect() as con:
        rows = [dict(row) for row in con.execute(query).mappings()]
    for row in rows:
        until, is_suppressed = row.pop("approved_until"), row.pop("is_suppressed")
        if row.pop("request_state") != "approved" or utc(until) <= now:
            row["waits_for"] = "approval_over"
        elif is_suppressed:
            row["waits_for"] = "suppressed"
        elif row["not_before"] is not None and utc(row["not_before"]) > now:
            row["waits_for"] = "back_off"
        else:
            row["waits_for"] = None
    return sorted(rows, key=_leaves_first)


def batches_of(engine: Engine, letter_ids: Iterable[str]) -> set[str]:
    """The batches that letters are of."""
    ids, found = sorted(letter_ids), set()
    with engine.connect() as con:
        for start in range(0, len(ids), CHUNK):
            query = select(letters.c.batch_id).where(letters.c.letter_id.in_(ids[start : start + CHUNK]))
            found.update(con.execute(query.distinct()).scalars())
    return found


def batches_since(engine: Engine, day: date) -> set[str]:
    """Batches decided on a date or later, of which letters left or may have."""
    query = select(letters.c.batch_id).where(
        letters.c.decided_as_of_date >= day, letters.c.state.in_(CONTACT_STATES)
    )
    with engine.connect() as con:
        return set(con.execute(query.distinct()).scalars())


def rows_at_carrier(
    engine: Engine, carrier: str, batch_id: str, also: Collection[str] = ()
) -> Sequence[Row[Any]]:
    """Letters of a batch that a carrier has, by id.

    Args:
        also: of the letters being handed over just now, these too.
    """
    query = (
        select(letters)
        .where(
            letters.c.batch_id == batch_id, letters.c.carrier == carrier, letters.c.state.in_(CONTACT_STATES)
        )
        .order_by(letters.c.letter_id)
    )
    with engine.connect() as con:
        return [row for row in con.execute(query) if row.state != "sending" or row.letter_id in also]


def with_contents(engine: Engine, rows: Sequence[Row[Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Letters, each row with its exact message; some hundred messages are in memory at a time."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        with engine.connect() as con:
            contents = contents_of(con, chunk)
        yield from ((row._asdict(), contents[row.letter_id]) for row in chunk)


def _leaves_first(row: dict[str, Any]) -> tuple[Any, ...]:
    # amounts of different currencies are compared as numbers: this is about who goes first, not about money
    return (
        row["decided_as_of_date"],
        row["batch_id"],
        row["level"],
        Decimal(row["total_amount"]),
        row["letter_id"],
    )
