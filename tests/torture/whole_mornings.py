"""Two mornings of a small made-up ledger, and everything that must come out of them the same."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sqlalchemy import create_engine, inspect, text
from warm import Ended, Warm

from o2c.demo import generate
from o2c.warehouse import connect

DATES = ("2026-09-29", "2026-09-30")


@dataclass(frozen=True)
class Morning:
    """A morning as it goes when nobody disturbs it: from which home and ledger, and what it comes to."""

    as_of: str
    books: Path
    before: Path  # the home as it was, to be copied
    ended: Ended
    released_before: dict[str, str]
    released: dict[str, str]
    outputs: dict[str, str]
    letters: list[tuple]
    sent: list[str]

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("run", "--source", str(self.books), "--as-of", self.as_of, "--send")


def play_mornings(folder: Path, warm: Warm) -> list[Morning]:
    """Both mornings undisturbed and as a whole: what dbt does is written down on the way."""
    home = folder / "undisturbed"
    warm.run("--home", str(home), "init", "--simulated", "--auto-approve")
    played = []
    for as_of, books in zip(DATES, write_books(folder), strict=True):
        before = folder / f"before-{as_of}"
        shutil.copytree(home, before, symlinks=True)
        arguments = ("--home", str(home), "run", "--source", str(books), "--as-of", as_of, "--send")
        ended = warm.run(*arguments)
        assert ended.code in (0, 1), ended.output
        assert leftovers(home) == []
        sent = outbox(home)
        played.append(
            Morning(
                as_of,
                books,
                before,
                ended,
                release(before),
                release(home),
                outputs(home),
                letters(home),
                sent,
            )
        )
        assert len(sent) > len(outbox(before))
    return played


def write_books(folder: Path) -> tuple[Path, Path]:
    """The same ledger on two mornings, under one name: what was paid on the second is not there on the first."""
    second = folder / "second" / "books"
    generate(second, invoices=200, seed=1)
    first = folder / "first" / "books"
    shutil.copytree(second, first)
    payments = pl.read_csv(first / "payments.csv", infer_schema=False)
    early = payments.filter(pl.col("value_date") < DATES[1])
    assert early.height < payments.height
    early.write_csv(first / "payments.csv")
    applied = pl.read_csv(first / "payment_applications.csv", infer_schema=False)
    is_early = pl.col("payment_id").is_in(early["payment_id"].implode()) | pl.col("payment_id").is_null()
    applied.filter(is_early).write_csv(first / "payment_applications.csv")
    return first, second


def outputs(home: Path) -> dict[str, str]:
    """Everything that must come out the same, by relative path and hash: tables, lists, pages, letters."""
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (home / "published", *sorted((home / "outbox").glob("[!.]*")))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".duckdb"
    }


def release(home: Path) -> dict[str, str]:
    """What is published: its files, and the rows of each table of its database. Empty before the first."""
    if not (home / "published").exists():
        return {}
    files = {name: found for name, found in outputs(home).items() if name.startswith("published/")}
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        names = con.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        rows = {
            name: str(con.execute(f"select count(*), bit_xor(hash(t)) from {name} as t").fetchall())
            for (name,) in names
        }
    return files | rows


def letters(home: Path) -> list[tuple]:
    """Every letter of the ledger with its batch, state and message; none in a ledger that is not made yet."""
    path = home / "ledger.db"
    if not path.exists():
        return []
    engine = create_engine(f"sqlite:///{path}")
    query = text("select letter_id, batch_id, state, message_hash from letters order by letter_id")
    try:
        if not inspect(engine).has_table("letters"):
            return []
        with engine.connect() as con:
            return [tuple(row) for row in con.execute(query)]
    finally:
        engine.dispose()


def outbox(home: Path) -> list[str]:
    """The ids of the letters in the outbox, one for each time that one lies there."""
    return sorted(path.stem for path in home.glob("outbox/[!.]*/*.eml"))


def leftovers(home: Path) -> list[str]:
    """What a run that died may leave for a while, and a run that ended well may not."""
    marks = (".new", ".partial", ".tmp", ".old", ".wal")
    found = [
        path
        for path in home.rglob("*")
        if path.name.endswith(marks) or (path.name.startswith(".") and path.name != ".printed")
    ]
    releases = sorted((home / "releases").glob("*"), key=lambda path: int(path.name.rpartition("-")[2]))
    found += [path for path in releases[:-2] if path != (home / "published").resolve()]
    return sorted(path.relative_to(home).as_posix() for path in found)
