"""One short writing transaction at a time: what it reads stays true until it commits."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from o2c.ledger.auditing import lock


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """A transaction that takes the writer's turn before it reads.

    A transaction that reads first and writes later may be refused (SQLite) or decide on counts that another one is
    just changing (PostgreSQL). Here writers queue up: SQLite by ``begin immediate``, PostgreSQL by the lock that the
    audit chain takes anyway, taken first by everybody so that no two wait for each other.
    """
    with engine.begin() as con:
        if con.dialect.name == "sqlite":
            raw = con.connection.dbapi_connection
            if not getattr(raw, "in_transaction", False):
                con.exec_driver_sql("begin immediate")
        else:
            lock(con)
        yield con
