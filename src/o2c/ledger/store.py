"""Reading and writing the ledger. One short transaction per call; nothing is held open across other work."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from sqlalchemy import (
    URL,
    ColumnElement,
    Engine,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from o2c.contract import MONEY
from o2c.frames import LetterHistory, LetterLines, LineHistory, PlacedItems
from o2c.landing import Delivery
from o2c.ledger.tables import deliveries, known_files, letter_lines, letters, metadata, placements, runs


class LedgerError(RuntimeError):
    """The ledger refuses what was asked, or cannot be opened."""


@dataclass(frozen=True)
class SentLetter:
    """A letter as the ledger keeps it: identity, address, hash of the exact message, and its lines."""

    row: dict[str, Any]
    lines: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class UnsettledLetter:
    """A letter of which the ledger knows that it was to leave, not whether it did."""

    letter_id: str
    batch_id: str
    decided_as_of_date: date


class Ledger:
    """The store of one home. Safe to open from several processes; SQLite in WAL with full sync by default."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = create_engine(_with_driver(url))
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _set_pragmas)
            metadata.create_all(self._engine)
            _add_columns(self._engine)
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            why = error.orig if isinstance(error, DBAPIError) else error
            raise LedgerError(
                f"{_without_password(url)}: the ledger cannot be opened ({why}). Nothing was run."
            ) from None

    @property
    def engine(self) -> Engine:
        return self._engine

    # ── deliveries: which content came under which name ──

    def history(self, source: str) -> list[Delivery]:
        """Deliveries of a source, oldest first."""
        query = select(deliveries).where(deliveries.c.source == source).order_by(deliveries.c.delivery_id)
        with self._engine.connect() as con:
            return [
                Delivery(row.source, row.name, row.file_id, row.mapping_id, _utc(row.seen_at))
                for row in con.execute(query)
            ]

    def record(self, delivery: Delivery) -> None:
        """Note that a file's content was landed under its name."""
        with self._engine.begin() as con:
            con.execute(
                insert(deliveries).values(
                    source=delivery.source,
                    name=delivery.name,
                    file_id=delivery.file_id,
                    mapping_id=delivery.mapping_id,
                    seen_at=delivery.seen_at,
                )
            )

    def latest_knowledge(self) -> datetime | None:
        """The last instant at which anything came to be known here: a file, a landing, a run. None in a new home."""
        instants = [known_files.c.known_from, known_files.c.known_until, deliveries.c.seen_at, _known_at()]
        with self._engine.connect() as con:
            latest = [con.execute(select(func.max(instant))).scalar() for instant in instants]
        return max((_utc(instant) for instant in latest if instant), default=None)

    # ── runs ──

    def start_run(
        self,
        run_id: str,
        as_of: date,
        *,
        is_sending: bool,
        now: datetime,
        known_at: datetime | None = None,
        publishes: str | None = None,
    ) -> int:
        """Record that a run began. Returns its number. Runs that never ended are marked failed.

        Args:
            known_at: what came later is not in the run; by default ``now``.
            publishes: ``current`` for a run that finance's release is of, ``dated`` for one that only adds its date.
        """
        with self._engine.begin() as con:
            con.execute(update(runs).where(runs.c.state == "started").values(state="failed"))
            start = insert(runs).values(
                run_id=run_id,
                as_of_date=as_of,
                state="started",
                is_sending=int(is_sending),
                started_at=now,
                known_at=known_at or now,
                publishes=publishes or "current",
            )
            return con.execute(start.returning(runs.c.run_number)).scalar_one()

    def finish_run(
        self,
        run_number: int,
        state: str,
        now: datetime,
        applications_file: str | None = None,
        also_of: Iterable[date] = (),
    ) -> None:
        """Record how a run ended; with it, its applications count as recorded.

        Args:
            also_of: further as-of dates that the run was about, each of which gets a row of its own.
        """
        with self._engine.begin() as con:
            own = con.execute(select(runs).where(runs.c.run_number == run_number)).one()
            shared = {name: value for name, value in own._asdict().items() if name != "run_number"}
            ended = {"state": state, "finished_at": now}
            others = [shared | ended | {"as_of_date": day} for day in also_of if day != own.as_of_date]
            if others:
                con.execute(insert(runs), others)
            con.execute(
                update(runs)
                .where(runs.c.run_number == run_number)
                .values(state=state, finished_at=now, applications_file=applications_file)
            )

    def latest_sending_date(self) -> date | None:
        """The latest as-of date that was sent for, for homes whose clock only moves forward.

        A run that was killed between sending and publishing did send: its letters say so.
        """
        ended = select(runs.c.as_of_date.label("day")).where(
            runs.c.is_sending == 1, runs.c.state == "published"
        )
        left = select(letters.c.decided_as_of_date).where(letters.c.state.in_(("sending", "sent")))
        with self._engine.connect() as con:
            return con.execute(select(func.max(union_all(ended, left).subquery().c.day))).scalar()

    def published_known_at(self, as_of: date) -> datetime | None:
        """What the last published run for a date knew: its instant. None when the date was never published."""
        query = (
            select(_known_at())
            .where(runs.c.as_of_date == as_of, runs.c.state == "published")
            .order_by(runs.c.run_number.desc())
            .limit(1)
        )
        with self._engine.connect() as con:
            found = con.execute(query).scalar()
        return _utc(found) if found else None

    def current_date(self) -> date | None:
        """The as-of date that the current release is of; None while nothing is published."""
        query = (
            select(runs.c.as_of_date)
            .where(runs.c.state == "published", func.coalesce(runs.c.publishes, "current") == "current")
            .order_by(runs.c.run_number.desc())
            .limit(1)
        )
        with self._engine.connect() as con:
            return con.execute(query).scalar()

    def application_files(self, known_at: datetime | None = None) -> list[str]:
        """Names of the files of recorded applications, in the order of their runs.

        Args:
            known_at: only of runs that knew no more than this instant; by default of all.
        """
        query = (
            select(runs.c.applications_file)
            .where(runs.c.applications_file.is_not(None), runs.c.state == "published")
            .order_by(runs.c.run_number)
        )
        if known_at is not None:
            query = query.where(_known_at() <= known_at)
        with self._engine.connect() as con:
            return list(dict.fromkeys(con.execute(query).scalars()))

    # ── letters ──

    def letters_before(
        self, as_of: date, known_at: datetime | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Letters decided before a date (frames.LetterHistory) and the invoices that reminders listed (LineHistory).

        Args:
            known_at: without letters that left after this instant; by default all.
        """
        columns = [
            letters.c[name] for name in LetterHistory.columns() if name not in ("sent_date", "state_date")
        ]
        with self._engine.connect() as con:
            rows = con.execute(
                select(*columns, letters.c.sent_at, letters.c.contact_date, letters.c.state_changed_at).where(
                    letters.c.decided_as_of_date < as_of, *_left_by(known_at)
                )
            ).all()
            listed = con.execute(
                select(
                    letter_lines.c.letter_id,
                    letter_lines.c.invoice_id,
                    letter_lines.c.occasion,
                    letters.c.state,
                    letters.c.sent_at,
                )
                .join(letters, letters.c.letter_id == letter_lines.c.letter_id)
                .where(
                    letters.c.decided_as_of_date < as_of,
                    letter_lines.c.occasion.is_not(None),
                    *_left_by(known_at),
                )
            ).all()
        history = pl.DataFrame(
            [
                {
                    **row._asdict(),
                    "occasion": row.occasion or None,
                    "sent_date": row.contact_date or (row.decided_as_of_date if row.sent_at else None),
                    "state_date": row.state_changed_at and _utc(row.state_changed_at).astimezone(UTC).date(),
                }
                for row in rows
            ],
            schema=LetterHistory.empty().schema,
        )
        decided = dict(history.select("letter_id", "decided_as_of_date").iter_rows())
        lines = pl.DataFrame(
            [
                {**row._asdict(), "sent_date": decided[row.letter_id] if row.sent_at else None}
                for row in listed
            ],
            schema=LineHistory.empty().schema,
        )
        return LetterHistory.validate(history), LineHistory.validate(lines)

    def letter_rows(self, until: date, known_at: datetime | None = None) -> pl.DataFrame:
        """All letters decided up to a date, every column of the ledger, sorted by id.

        Args:
            known_at: without letters that left after this instant; by default all.
        """
        query = (
            select(letters)
            .where(letters.c.decided_as_of_date <= until, *_left_by(known_at))
            .order_by(letters.c.letter_id)
        )
        with self._engine.connect() as con:
            rows = [
                row._asdict() | {"sent_at": row.sent_at and _utc(row.sent_at)} for row in con.execute(query)
            ]
        schema = {column.name: _POLARS[column.type.__class__.__name__] for column in letters.columns}
        return pl.DataFrame(rows, schema=schema).with_columns(
            pl.col("total_amount").cast(MONEY), pl.col("occasion").replace("", None)
        )

    def line_rows(self, until: date) -> pl.DataFrame:
        """The lines of ``letter_rows`` (frames.LetterLines), sorted by letter and line."""
        query = (
            select(letter_lines)
            .join(letters, letters.c.letter_id == letter_lines.c.letter_id)
            .where(letters.c.decided_as_of_date <= until)
            .order_by(letter_lines.c.letter_id, letter_lines.c.line_number)
        )
        with self._engine.connect() as con:
            rows = [row._asdict() for row in con.execute(query)]
        schema = {column.name: _POLARS[column.type.__class__.__name__] for column in letter_lines.columns}
        frame = pl.DataFrame(rows, schema=schema).with_columns(
            pl.col("invoice_amount", "disputed_amount", "amount").cast(MONEY)
        )
        return LetterLines.validate(frame.select(LetterLines.columns()))

    def record_letters(self, planned: Iterable[SentLetter]) -> None:
        """Write letters down before anything leaves, in the state that their row gives.

        A letter of the same identity that still waits for approval is replaced; one that left is not touched.

        Raises:
            LedgerError: an identity is there already in another state and with another message.
        """
        planned = list(planned)
        try:
            with self._engine.begin() as con:
                pending = set(
                    con.execute(
                        select(letters.c.letter_id).where(letters.c.state == "approval_pending")
                    ).scalars()
                )
                for letter_id in sorted(pending & {letter.row["letter_id"] for letter in planned}):
                    con.execute(letter_lines.delete().where(letter_lines.c.letter_id == letter_id))
                    con.execute(letters.delete().where(letters.c.letter_id == letter_id))
                rows = [letter.row for letter in planned]
                lines = [line for letter in planned for line in letter.lines]
                if rows:
                    con.execute(insert(letters), rows)
                if lines:
                    con.execute(insert(letter_lines), lines)
        except IntegrityError as error:
            raise LedgerError(f"the ledger refuses a second letter of one identity: {error.orig}") from None

    def settle_letters(self, outcomes: dict[str, str], now: datetime) -> None:
        """Record what became of letters in state ``sending``: ``sent`` or ``cancelled`` by letter id."""
        with self._engine.begin() as con:
            for state in ("sent", "cancelled"):
                ids = [letter_id for letter_id, outcome in outcomes.items() if outcome == state]
                for start in range(0, len(ids), 500):
                    con.execute(
                        update(letters)
                        .where(
                            letters.c.letter_id.in_(ids[start : start + 500]), letters.c.state == "sending"
                        )
                        .values(state=state, sent_at=now if state == "sent" else None)
                    )

    def unsettled_letters(self) -> list[UnsettledLetter]:
        """Letters that an interrupted run left in state ``sending``."""
        query = select(letters.c.letter_id, letters.c.batch_id, letters.c.decided_as_of_date).where(
            letters.c.state == "sending"
        )
        with self._engine.connect() as con:
            return [UnsettledLetter(*row) for row in con.execute(query)]

    def forget_letters(self, letter_ids: list[str]) -> None:
        """Take back intents that certainly came to nothing. Letters in any other state are left alone."""
        sending = select(letters.c.letter_id).where(letters.c.state == "sending")
        with self._engine.begin() as con:
            for letter_id in letter_ids:
                con.execute(
                    letter_lines.delete().where(
                        letter_lines.c.letter_id == letter_id, letter_lines.c.letter_id.in_(sending)
                    )
                )
                con.execute(
                    letters.delete().where(letters.c.letter_id == letter_id, letters.c.state == "sending")
                )

    # ── placements ──

    def placed_before(self, as_of: date) -> pl.DataFrame:
        """Items handed to an agency before a date (frames.PlacedItems)."""
        columns = [placements.c[name] for name in PlacedItems.columns()]
        with self._engine.connect() as con:
            rows = [
                row._asdict()
                for row in con.execute(
                    select(*columns).where(placements.c.placed_date < as_of).order_by(*columns)
                )
            ]
        return PlacedItems.validate(pl.DataFrame(rows, schema=PlacedItems.empty().schema))

    def record_placements(self, placed: pl.DataFrame) -> None:
        """Write down items handed over (frames.PlacedItems); those already there stay as they are."""
        with self._engine.begin() as con:
            there = set(
                con.execute(select(placements.c.invoice_id, placements.c.installment_number)).tuples()
            )
            fresh = [
                row
                for row in placed.iter_rows(named=True)
                if (row["invoice_id"], row["installment_number"]) not in there
            ]
            if fresh:
                con.execute(insert(placements), fresh)


_POSTGRESQL = ("postgresql", "postgres")

_POLARS = {
    "String": pl.String(),
    "Integer": pl.Int64(),
    "Date": pl.Date(),
    "DateTime": pl.Datetime("us", "UTC"),
}


def _known_at() -> ColumnElement:
    """The instant of a run's knowledge; runs of earlier versions knew what had landed when they started."""
    return func.coalesce(runs.c.known_at, runs.c.started_at, type_=runs.c.started_at.type)


def _left_by(known_at: datetime | None) -> list[ColumnElement[bool]]:
    """Letters that had not left after an instant, as a condition; none for all."""
    return [] if known_at is None else [or_(letters.c.sent_at.is_(None), letters.c.sent_at <= known_at)]


def _add_columns(engine: Engine) -> None:
    """Give tables of an earlier version the columns that came since; they are null in what is there."""
    found = inspect(engine)
    for table in metadata.sorted_tables:
        there = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(engine.dialect)
                with engine.begin() as con:
                    con.execute(text(f"alter table {table.name} add column {column.name} {kind}"))


def _with_driver(url: str) -> URL:
    """PostgreSQL through psycopg 3, by either name that its URLs are known by."""
    parts = make_url(url)
    return parts.set(drivername="postgresql+psycopg") if parts.drivername in _POSTGRESQL else parts


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "O2C_LEDGER_URL"


def _utc(instant: datetime) -> datetime:
    """SQLite forgets the zone of what it keeps; everything we give it is UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma synchronous = full")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute("pragma busy_timeout = 30000")
    cursor.close()
