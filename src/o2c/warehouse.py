"""The only module that opens DuckDB."""

from pathlib import Path

import duckdb


def connect(path: Path | None = None, *, read_only: bool = False, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or an empty in-memory database, in UTC.

    Args:
        path: the database file; None for memory only.
        read_only: open without the right to write.
        threads: worker threads; None leaves DuckDB's choice, results never depend on it.
    """
    con = duckdb.connect(str(path) if path else ":memory:", read_only=read_only)
    con.execute("set TimeZone = 'UTC'")
    if threads:
        con.execute(f"set threads = {int(threads)}")
    return con


def connect_sealed() -> duckdb.DuckDBPyConnection:
    """An in-memory database that can reach no file and no network: for expressions out of source definitions."""
    con = connect()
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con
