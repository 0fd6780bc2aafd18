"""What counted as landed, instant by instant. Only changes are written, so that ten years of mornings stay small."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, func, insert, or_, select, update

from o2c.landing import KnownFile
from o2c.ledger.tables import known_files, runs


def note_landing(engine: Engine, files: Iterable[KnownFile], at: datetime) -> None:
    """Note that from an instant on exactly these files count; what is as before is left alone."""
    counting = dict.fromkeys(files)
    with engine.begin() as con:
        rows = con.execute(select(known_files).where(known_files.c.known_until.is_(None))).all()
        there = {_known_file(row): row.known_file_id for row in rows}
        gone = [known_file_id for file, known_file_id in there.items() if file not in counting]
        for start in range(0, len(gone), 500):
            con.execute(
                update(known_files)
                .where(known_files.c.known_file_id.in_(gone[start : start + 500]))
                .values(known_until=at)
            )
        fresh = [vars(file) | {"known_from": at} for file in counting if file not in there]
        if fresh:
            con.execute(insert(known_files), fresh)


def files_known_at(engine: Engine, at: datetime) -> list[KnownFile]:
    """The files that counted at an instant, in the order in which they came to count."""
    counted = or_(known_files.c.known_until.is_(None), known_files.c.known_until > at)
    query = (
        select(known_files)
        .where(known_files.c.known_from <= at, counted)
        .order_by(known_files.c.known_file_id)
    )
    with engine.connect() as con:
        return [_known_file(row) for row in con.execute(query)]


def known_by_the_run_before(engine: Engine, as_of: date) -> datetime | None:
    """What the last published run of an earlier date knew: what came since is news to a date's run. None before one."""
    query = select(
        func.max(func.coalesce(runs.c.known_at, runs.c.started_at, type_=runs.c.started_at.type))
    ).where(runs.c.state == "published", runs.c.as_of_date < as_of)
    with engine.connect() as con:
        found = con.execute(query).scalar()
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _known_file(row: Any) -> KnownFile:
    return KnownFile(
        source=row.source,
        table_name=row.table_name,
        name=row.name,
        file_id=row.file_id,
        mapping_id=row.mapping_id,
        names_order=bool(row.names_order),
        is_chosen=bool(row.is_chosen),
        is_open_items_only=bool(row.is_open_items_only),
        balance_date=row.balance_date,
        seen_at=row.seen_at.replace(tzinfo=UTC) if row.seen_at.tzinfo is None else row.seen_at,
    )
