"""A past date, or many, put beside what is published: the release stays of its own later date."""

import os
import shutil
from datetime import date
from pathlib import Path

import duckdb

from o2c.home import Home
from o2c.publish import AS_MADE, MEASURED, Mart, quoted
from o2c.warehouse import connect


def prepare_dates(
    build: Path,
    marts: list[Mart],
    home: Home,
    name: str,
    as_of_dates: list[date],
    *,
    rewrites_history: bool,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Path:
    """The current release with the rows of these dates in its dated tables, and nothing else changed.

    Every table with an as-of date in its key gets them, but those of collections: what was decided is of its own day.
    Tables without an as-of date stay those of the current release.

    Args:
        build: the audited database of the run.
        marts: those of the build.
        home: has a published release.
        name: folder name of the release, new for each run.
        as_of_dates: run dates of the build.
        rewrites_history: replace what is kept of these dates; else only dates that have no history get one.
        threads, memory_limit: DuckDB's, as in ``warehouse.connect``.

    Returns:
        The folder of the release, to be switched to.
    """
    folder = home.releases / name
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(home.published.resolve(), folder, copy_function=_linked)
    con = connect(folder / "o2c.duckdb", threads=threads, memory_limit=memory_limit)
    try:
        con.execute("set preserve_insertion_order = true")
        con.execute(f"attach {quoted(build)} as build (read_only)")
        for mart in marts:
            if "as_of_date" not in mart.key or mart.name.startswith("collections."):
                continue
            con.execute(f"create schema if not exists {mart.name.partition('.')[0]}")
            if mart.name in MEASURED:
                rewrites = rewrites_history and mart.name not in AS_MADE
                files = _history(con, folder / "history" / mart.name, mart, as_of_dates, rewrites)
            else:
                files = [_with_dates(con, folder / "parquet" / f"{mart.name}.parquet", mart, as_of_dates)]
            read = ", ".join(quoted(path) for path in files)
            con.execute(
                f"create or replace table {mart.name} as from read_parquet([{read}], union_by_name = true)"
            )
        con.execute("checkpoint")
    finally:
        con.close()
    return folder


def _history(
    con: duckdb.DuckDBPyConnection, folder: Path, mart: Mart, as_of_dates: list[date], rewrites: bool
) -> list[Path]:
    """A file for each of the dates beside those of others; returns all, by date."""
    folder.mkdir(parents=True, exist_ok=True)
    for day in as_of_dates:
        target = folder / f"{day.isoformat()}.parquet"
        if rewrites or not target.exists():
            _write(con, f"from build.{mart.name} where {_among([day])}", mart, target)
    return sorted(folder.glob("*.parquet"))


def _with_dates(con: duckdb.DuckDBPyConnection, file: Path, mart: Mart, as_of_dates: list[date]) -> Path:
    """The table as published, its rows of these dates out of the build."""
    rows = f"from build.{mart.name} where {_among(as_of_dates)}"
    if file.exists():
        others = f"from read_parquet({quoted(file)}) where not ({_among(as_of_dates)})"
        rows = f"{others} union all by name {rows}"
    _write(con, rows, mart, file)
    return file


def _write(con: duckdb.DuckDBPyConnection, rows: str, mart: Mart, target: Path) -> None:
    """Into a new file: the old one is the same as that of the release before."""
    order = ", ".join(f'"{column}"' for column in mart.key)
    beside = target.with_name(f"{target.name}.new")
    con.execute(f"copy (from ({rows}) order by {order}) to {quoted(beside)} (format parquet)")
    beside.replace(target)


def _among(as_of_dates: list[date]) -> str:
    days = ", ".join(f"date '{day.isoformat()}'" for day in as_of_dates)
    return f"as_of_date in ({days})"


def _linked(source: str, target: str) -> str:
    """Files of a release never change, so a link is as good as a copy; the database is written to, so it is copied."""
    if source.endswith(".duckdb"):
        shutil.copyfile(source, target)
    else:
        os.link(source, target)
    return target
