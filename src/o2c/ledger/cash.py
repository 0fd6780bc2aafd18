"""Files of persons' decisions about cash, as the ledger names them: what it does not name was never given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, DateTime, Engine, Integer, String, Table, func, insert, select

from o2c.ledger.moving import utc
from o2c.ledger.tables import metadata, runs

decision_files = Table(
    "cash_decision_files",
    metadata,
    Column("file_number", Integer, primary_key=True),
    Column("file_id", String, nullable=False, unique=True),
    Column("given_by", String, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("decision_count", Integer, nullable=False),
)


@dataclass(frozen=True)
class DecisionFile:
    """Decisions that one person gave at one time; ``file_number`` is the order in which they were given."""

    file_number: int
    file_id: str
    given_by: str
    given_at: datetime
    decision_count: int


@dataclass(frozen=True)
class PublishedRun:
    """A run that counts, and where it recorded what it applied."""

    run_number: int
    as_of_date: date
    records: str | None


def list_decision_files(engine: Engine, known_at: datetime | None = None) -> list[DecisionFile]:
    """Files of decisions in the order in which they were given, those after ``known_at`` left out."""
    with engine.connect() as con:
        rows = con.execute(select(decision_files).order_by(decision_files.c.file_number)).all()
    found = [DecisionFile(*row[:3], utc(row.given_at), row.decision_count) for row in rows]
    return [file for file in found if known_at is None or file.given_at <= known_at]


def next_file_number(engine: Engine) -> int:
    """The number that the next file of decisions will have. Ask for it under the landing lock."""
    with engine.connect() as con:
        return (con.execute(select(func.max(decision_files.c.file_number))).scalar() or 0) + 1


def record_decision_file(engine: Engine, file: DecisionFile) -> None:
    """Name a file of decisions that is on disk: from now on they count."""
    with engine.begin() as con:
        con.execute(insert(decision_files).values(**vars(file)))


def published_runs(engine: Engine) -> Iterator[PublishedRun]:
    """Runs that were published, latest first."""
    query = (
        select(runs.c.run_number, runs.c.as_of_date, runs.c.applications_file)
        .where(runs.c.state == "published")
        .order_by(runs.c.run_number.desc())
    )
    with engine.connect() as con:
        yield from [PublishedRun(*row) for row in con.execute(query)]
