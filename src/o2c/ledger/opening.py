"""Opening the ledger's database: SQLite that loses no commit, PostgreSQL through psycopg 3, tables up to date.

Writers take turns in both: whoever opens a transaction with ``engine.begin()`` waits until the one before has ended,
so that what it reads stays true until it commits, and no transaction fails because another was faster.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from o2c.ledger.auditing import lock
from o2c.ledger.upgrading import UpgradeRefused, upgrade

_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_SYNCHRONOUS_FULL = 2
_WAL_TRIES = 100


class LedgerError(RuntimeError):
    """The ledger refuses what was asked, or cannot be opened."""


class LedgerEngine(Engine):
    """An engine whose ``begin`` is a writer's turn; ``connect`` reads beside whoever writes."""

    @contextmanager
    def begin(self) -> Generator[Connection]:
        with self.connect() as con:
            con.execution_options(is_writing=True)
            with con.begin():
                lock(con)
                yield con


def open_engine(url: str) -> Engine:
    """Open a ledger's database and bring its tables to this version.

    Raises:
        LedgerError: it cannot be opened, is of a later version, or would not keep what it was told.
    """
    try:
        parts = make_url(url)
        if parts.drivername in _POSTGRESQL:
            parts = parts.set(drivername="postgresql+psycopg")
        made = create_engine(parts)
        # an error quotes the statement and never its values, which are of persons
        engine = LedgerEngine(made.pool, made.dialect, made.url, hide_parameters=True)
        if engine.dialect.name == "sqlite":
            _refuse_missing_folder(parts)
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _begin)
        elif engine.dialect.name == "postgresql":
            event.listen(engine, "connect", _set_session)
        else:
            raise UpgradeRefused(f"{engine.dialect.name} is not supported: SQLite or PostgreSQL")
        upgrade(engine)
    except (SQLAlchemyError, ModuleNotFoundError, UpgradeRefused) as error:
        why = error.orig if isinstance(error, DBAPIError) else error
        raise LedgerError(
            f"{_without_password(url)}: the ledger cannot be opened ({why}). Nothing was run."
        ) from None
    return engine


def rule_broken(error: DBAPIError) -> str:
    """Which rule the database says was broken, without the row that broke it: PostgreSQL adds that in further lines."""
    return str(error.orig).partition("\n")[0]


def _refuse_missing_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise UpgradeRefused("a ledger in memory would forget everything; name a file")


def _begin(con: Connection) -> None:
    """Writers queue up at once; a reader that turns writer halfway would be refused."""
    con.exec_driver_sql("begin immediate" if con.get_execution_options().get("is_writing") else "begin")


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: the driver would begin them too late
    cursor = connection.cursor()
    cursor.execute("pragma busy_timeout = 30000")
    mode = _write_ahead(cursor)
    cursor.execute("pragma synchronous = full")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute("pragma recursive_triggers = on")  # also what `or replace` deletes is deleted
    found = [cursor.execute(f"pragma {name}").fetchone()[0] for name in ("synchronous", "foreign_keys")]
    cursor.close()
    if mode != "wal" or found != [_SYNCHRONOUS_FULL, 1]:
        raise UpgradeRefused(
            f"SQLite keeps no promise here: journal_mode is {mode}, synchronous {found[0]}, foreign_keys {found[1]}"
            " instead of wal, 2, 1. The folder must be on a local disk"
        )


def _write_ahead(cursor: Any) -> str:
    """Switch a new file to the write-ahead log. While another does the same it is busy, whatever the timeout."""
    for last in (*[False] * _WAL_TRIES, True):
        try:
            return cursor.execute("pragma journal_mode = wal").fetchone()[0]
        except Exception as error:
            if last or "locked" not in str(error):
                raise
            time.sleep(0.05)
    raise AssertionError("unreachable")


def _set_session(connection: Any, _record: Any) -> None:
    """A commit is on disk when it returns, whatever the server's default; instants come back as UTC."""
    with connection.cursor() as cursor:
        cursor.execute("set synchronous_commit = on")
        cursor.execute("set timezone = 'UTC'")
    connection.commit()


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "O2C_LEDGER_URL"
