"""Marked persons and secrets, and a search for them in everything that a home holds, whatever its format."""

import gzip
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl

# A word that is in no language and no hash; what a person is known by gets one each, so that a hit says which it was.
MARK = "zqxk"
SECRET = "Zvqsecret"  # noqa: S105

PERSONAL = {
    "customers": ("customer_name",),
    "contacts": ("name", "email", "phone"),
    "payments": ("payer_name", "payer_account", "reference_text"),
    "activities": ("note",),
    "blocks": ("reason",),
}


def mark(books: Path) -> None:
    """Mark every personal value of a ledger in the contract's files."""
    for table, columns in PERSONAL.items():
        path = books / f"{table}.csv"
        rows = pl.read_csv(path, infer_schema=False)
        rows.with_columns(_marked(name) for name in columns).write_csv(path)


def _marked(name: str) -> pl.Expr:
    marked = {
        "email": pl.lit(f"{MARK}mail.") + pl.col("email"),
        "phone": pl.lit(f"+49 {MARK}phone ") + pl.col("phone"),
    }.get(name, pl.col(name) + pl.lit(f" {MARK}{name.replace('_', '')}"))
    return pl.when(pl.col(name).is_not_null()).then(marked).alias(name)


def places(home: Path, word: str) -> set[str]:
    """Where a word stands below a home: files by name, and columns of tables, dates and hashes left out."""
    found = set()
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink() and "published" not in path.relative_to(home).parts[:1]:
            shown = path.relative_to(home).as_posix()
            found |= {f"{shown}{part}" for part, text in _texts(path) if word.lower() in text.lower()}
            if word.lower() in shown.lower():
                found.add(f"the name of {shown}")
    return found


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Parts of a file with the text in them: a table's columns one by one, anything else as it is."""
    head = path.read_bytes()[:16]
    if head[:4] == b"PAR1":
        frame = pl.read_parquet(path)
        for name in frame.columns:
            yield f" {name}", _joined(frame[name].cast(pl.String, strict=False).to_list())
    elif head.startswith(b"SQLite format 3"):
        yield from _sqlite(path)
    elif head[8:12] == b"DUCK":
        yield from _duckdb(path)
    elif head[:2] == b"PK":
        with zipfile.ZipFile(path) as parts:
            yield "", _joined([parts.read(name).decode(errors="replace") for name in parts.namelist()])
    elif head[:2] == b"\x1f\x8b":
        yield "", gzip.decompress(path.read_bytes()).decode(errors="replace")
    else:
        yield "", path.read_bytes().decode(errors="replace")


def _sqlite(path: Path) -> Iterator[tuple[str, str]]:
    con = sqlite3.connect(path)
    try:
        for (table,) in con.execute("select name from sqlite_master where type = 'table'").fetchall():
            rows = con.execute(f"select * from {table}")
            names = [column[0] for column in rows.description]
            values = list(zip(*rows.fetchall(), strict=True)) or [() for _ in names]
            for name, column in zip(names, values, strict=True):
                yield f" {table}.{name}", _joined([_readable(value) for value in column])
    finally:
        con.close()


def _readable(value: object) -> str | None:
    """Messages are kept compressed."""
    if isinstance(value, bytes):
        import zlib

        return zlib.decompress(value).decode(errors="replace")
    return None if value is None else str(value)


def _duckdb(path: Path) -> Iterator[tuple[str, str]]:
    with duckdb.connect(path, read_only=True) as con:
        columns = con.execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns"
            " where data_type in ('VARCHAR', 'BLOB') or data_type like '%[]'"
        ).fetchall()
        for table, name in columns:
            rows = con.execute(f'select distinct "{name}"::varchar from {table}').fetchall()
            yield f" {table}.{name}", _joined([value for (value,) in rows])


def _joined(values: list) -> str:
    return "\n".join(value for value in values if value)
