"""Runs: when each began and ended, what it knew, and which of them count."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, Engine, func, insert, select, union_all, update

from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import letters, runs


class RunRows:
    """Reads and writes runs."""

    _engine: Engine

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

    def is_unfinished(self, run_number: int) -> bool:
        """Whether a run is on record that never said that it was published."""
        query = select(runs.c.run_number).where(runs.c.run_number == run_number, runs.c.state != "published")
        with self._engine.connect() as con:
            return con.execute(query).scalar() is not None

    def latest_sending_date(self) -> date | None:
        """The latest as-of date that was sent for, for homes whose clock only moves forward.

        A run that was killed between sending and publishing did send: its letters say so.
        """
        ended = select(runs.c.as_of_date.label("day")).where(
            runs.c.is_sending == 1, runs.c.state == "published"
        )
        left = select(letters.c.decided_as_of_date).where(letters.c.state.in_(CONTACT_STATES))
        with self._engine.connect() as con:
            return con.execute(select(func.max(union_all(ended, left).subquery().c.day))).scalar()

    def published_known_at(self, as_of: date) -> datetime | None:
        """What the last published run for a date knew: its instant. None when the date was never published."""
        query = (
            select(run_known_at())
            .where(runs.c.as_of_date == as_of, runs.c.state == "published")
            .order_by(runs.c.run_number.desc())
            .limit(1)
        )
        with self._engine.connect() as con:
            found = con.execute(query).scalar()
        return found.replace(tzinfo=UTC) if found else None

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
            query = query.where(run_known_at() <= known_at)
        with self._engine.connect() as con:
            return list(dict.fromkeys(con.execute(query).scalars()))


def run_known_at() -> ColumnElement[datetime]:
    """The instant of a run's knowledge; runs of earlier versions knew what had landed when they started."""
    return func.coalesce(runs.c.known_at, runs.c.started_at, type_=runs.c.started_at.type)
