"""The published release, copied to PostgreSQL in one transaction.

Tables stay and only their rows change: those that are gone or other are deleted, new ones are written. To rename
freshly loaded tables over the old ones would show half a run: names in PostgreSQL are not part of a transaction's
snapshot, so that a reader that began before finds the new tables, and finds them empty. Rights and views that
finance put on the old tables would go with them, too. Here no reader waits, and no reader is waited for.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
from psycopg import sql

from o2c.home import Home
from o2c.mart_texts import MartText
from o2c.postgres_target import Target, as_sql, open_target
from o2c.publish import MART_SCHEMAS, quoted
from o2c.publish_notes import note
from o2c.warehouse import connect

TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}


class NothingToPublish(ValueError):
    """There is no release to copy, or a table of it cannot be copied."""


class DoesNotTie(RuntimeError):
    """What arrived in PostgreSQL is not what is published; nothing was changed there."""


@dataclass(frozen=True)
class Copied:
    """What a publication did. ``changed_rows`` were deleted or written: 0 when the release was there already."""

    run_id: str
    as_of_date: date
    target: str
    table_count: int
    row_count: int
    changed_rows: int

    def text(self) -> str:
        return (
            f"{self.target}: as of {self.as_of_date}, run {self.run_id}: {self.table_count} tables,"
            f" {self.row_count:,} rows, {self.changed_rows:,} changed"
        )


@dataclass(frozen=True)
class Published:
    """A table of the release: its columns as PostgreSQL types, its rows and the sums of its decimals."""

    name: str
    types: dict[str, str]
    text: MartText
    totals: tuple[int | Decimal | None, ...]

    @property
    def columns(self) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(column) for column in self.types)

    @property
    def row_count(self) -> int:
        return int(self.totals[0] or 0)


def publish_to_postgres(
    home: Home, url: str, texts: Mapping[str, MartText], *, now: datetime, schema_prefix: str = ""
) -> Copied:
    """Make a PostgreSQL database show the home's published release, all of it at once.

    Schemas ``core``, ``receivables``, ``collections`` and ``quality``, each with the prefix, are made where they are
    not there. Rows and sums of decimals are held against the release before the commit.

    Args:
        texts: descriptions and keys of the tables, by ``schema.table``.
        now: stands in ``quality.published_run``.

    Raises:
        NothingToPublish: the home has no release, or a table of it has no key, or a type that is not known here.
        CannotPublish: no connection, missing rights, or tables of others are in the way.
        DoesNotTie: rows or sums that arrived are others than those of the release.
    """
    if not (home.published / "o2c.duckdb").exists():
        raise NothingToPublish(
            f"{home.root}: nothing is published here, so nothing was copied. Start `o2c run` first, or give --home."
        )
    release = home.published.resolve()
    with connect(release / "o2c.duckdb", read_only=True) as con:
        tables = read_published(con, texts)
        run_id, as_of = _identity(con, release)
        with open_target(url, schema_prefix) as target:
            target.con.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"o2c publish {schema_prefix}"])
            target.make_schemas()
            listed = target.listed()
            changed = sum(_copy(con, target, table, is_ours=table.name in listed) for table in tables)
            counts = {table.name: table.row_count for table in tables}
            for name in sorted(listed - set(counts)):
                changed += target.con.execute(
                    sql.SQL("delete from {}").format(target.identifier(name))
                ).rowcount
                counts[name] = 0
            rows = sum(counts.values())
            note(target, counts, [run_id, as_of, release.name, len(tables), rows, now])
    return Copied(run_id, as_of, target.shown, len(tables), rows, changed)


def read_published(con: duckdb.DuckDBPyConnection, texts: Mapping[str, MartText]) -> list[Published]:
    """The tables of a release by name.

    Raises:
        NothingToPublish: with every table that has no key, and every column of a type that is not known here.
    """
    found: dict[str, dict[str, str]] = {}
    faults = []
    for schema, table, column, kind in con.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where list_contains($schemas, table_schema) order by table_schema, table_name, ordinal_position",
        {"schemas": list(MART_SCHEMAS)},
    ).fetchall():
        name = f"{schema}.{table}"
        known = TYPES.get(kind) or (kind.lower().replace("decimal", "numeric") if "DECIMAL" in kind else None)
        if known is None:
            faults.append(f"  {name}.{column}: {kind} has no type there")
        found.setdefault(name, {})[column] = known or ""
    faults += [f"  {name}: no key is known" for name in found if name not in texts or not texts[name].key]
    if faults:
        raise NothingToPublish("\n".join(["the release cannot be copied, nothing was.", *faults]))
    return [
        Published(
            name, types, texts[name], con.table(name).aggregate(", ".join(_totals(types))).fetchall()[0]
        )
        for name, types in found.items()
    ]


def _totals(types: Mapping[str, str]) -> list[str]:
    """What both sides count and add up: rows, and every decimal column."""
    return ["count(*)", *(f'sum("{column}")' for column, kind in types.items() if kind.startswith("numeric"))]


def _identity(con: duckdb.DuckDBPyConnection, release: Path) -> tuple[str, date]:
    """Run and as-of date of a release, out of its own tables."""
    try:
        runs = con.execute("select distinct run_id from quality.fct_run_checks").fetchall()
        ((as_of,),) = con.execute("select max(as_of_date) from receivables.fct_ar_kpis").fetchall()
    except duckdb.CatalogException as error:
        raise NothingToPublish(f"{release}: not a whole release, nothing was copied. {error}") from None
    if len(runs) != 1 or as_of is None:
        raise NothingToPublish(
            f"{release}: {len(runs)} runs and as-of date {as_of} in one release; nothing was copied."
            " Start `o2c run` again."
        )
    return runs[0][0], as_of


def _copy(con: duckdb.DuckDBPyConnection, target: Target, table: Published, *, is_ours: bool) -> int:
    """Load a table beside, write what differs, compare. Returns how many rows were deleted or written."""
    target.prepare(table.name, table.types, table.text, is_ours=is_ours)
    names = {
        "there": target.identifier(table.name),
        "new": sql.Identifier("o2c_new"),
        "columns": table.columns,
    }
    target.con.execute(
        sql.SQL(
            "create temporary table {new} on commit drop as select {columns} from {there} limit 0"
        ).format(**names)
    )
    _load(con, target, table, sql.SQL("copy {new} ({columns}) from stdin (format csv)").format(**names))
    same = sql.SQL(" and ").join(
        sql.SQL("old.{0} is not distinct from new.{0}" if column in table.text.nullable else "old.{0} = new.{0}")
        .format(sql.Identifier(column))
        for column in table.text.key
    )  # fmt: skip
    values = {
        side: sql.SQL(", ").join(sql.Identifier(side, column) for column in table.types)
        for side in ("old", "new")
    }
    deleted = target.con.execute(
        sql.SQL(
            "delete from {there} as old where not exists (select from {new} as new where {same}"
            " and row({old_values}) is not distinct from row({new_values}))"
        ).format(**names, same=same, old_values=values["old"], new_values=values["new"])
    ).rowcount
    written = target.con.execute(
        sql.SQL(
            "insert into {there} ({columns}) select {columns} from {new} as new"
            " where not exists (select from {there} as old where {same})"
        ).format(**names, same=same)
    ).rowcount
    totals = sql.SQL(", ").join(as_sql(total) for total in _totals(table.types))
    arrived = target.con.execute(
        sql.SQL("select {totals} from {there}").format(**names, totals=totals)
    ).fetchone()
    if arrived != table.totals:
        differences = [
            f"{total} is {here} there and {given} in the release"
            for total, here, given in zip(_totals(table.types), arrived or (), table.totals, strict=True)
            if here != given
        ]
        raise DoesNotTie(f"{target.shown}: {table.name}: {', '.join(differences)}. Nothing was changed.")
    target.con.execute(sql.SQL("drop table {new}").format(**names))
    if deleted or written:
        target.con.execute(sql.SQL("analyze {there}").format(**names))
    return deleted + written


def _load(con: duckdb.DuckDBPyConnection, target: Target, table: Published, copy: sql.Composed) -> None:
    """Rows as CSV: null is an empty field, empty text is quoted. PostgreSQL has no character 0; it gets a sign."""
    texts = [f'"{column}"' for column, kind in table.types.items() if kind == "text"]
    replaced = {column: f"replace({column}, chr(0), '␀') as {column}" for column in texts}
    columns = [replaced.get(column, column) for column in (f'"{name}"' for name in table.types)]
    rows = con.table(table.name).project(", ".join(columns)).sql_query()
    forced = f", force_quote ({', '.join(texts)})" if texts else ""
    with tempfile.TemporaryDirectory(prefix="o2c-publish-") as folder:
        file = Path(folder) / "rows.csv"
        con.execute(f"copy ({rows}) to {quoted(file)} (format csv, header false{forced})")
        with file.open("rb") as lines, target.con.cursor().copy(copy) as into:
            while block := lines.read(1 << 20):
                into.write(block)
