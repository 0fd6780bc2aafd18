"""A PostgreSQL database that the release is copied to: the connection, and tables as the release needs them.

Tables are made once and then stay, with the rights and views that others put on them. Columns are added, never
dropped and never retyped, as the published tables themselves only grow.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from o2c.mart_texts import MartText
from o2c.publish import MART_SCHEMAS

CONNECT_SECONDS = 10
# How long another publisher, or one who changes tables by hand, is waited for.
LOCK_WAIT = "60s"
PREFIX = re.compile(r"([a-z_][a-z0-9_]{0,39})?")
LISTED = "quality.published_tables"


class CannotPublish(RuntimeError):
    """The database does not take the release. The message says why, without the password; nothing changed there."""


@dataclass
class Target:
    """One open transaction on the database. ``shown`` is its address without the password."""

    con: psycopg.Connection
    shown: str
    prefix: str

    def identifier(self, name: str) -> sql.Identifier:
        """``schema.table`` of the release as it is named here."""
        schema, _, table = name.partition(".")
        return sql.Identifier(self.prefix + schema, table)

    def listed(self) -> set[str]:
        """The tables that an earlier publication made, by ``schema.table`` without the prefix."""
        if not self.types_of(LISTED):
            return set()
        rows = self.con.execute(
            sql.SQL("select table_schema, table_name from {}").format(self.identifier(LISTED))
        )
        return {f"{schema}.{table}" for schema, table in rows}

    def types_of(self, name: str) -> dict[str, str]:
        """Columns and types of a table, in its order; empty when there is none."""
        schema, _, table = name.partition(".")
        rows = self.con.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " join pg_class on pg_class.oid = attrelid join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = %s and relname = %s and attnum > 0 and not attisdropped order by attnum",
            [self.prefix + schema, table],
        )
        return dict(rows.fetchall())

    def make_schemas(self) -> None:
        """Make the schemas that are missing. Those that are there may belong to somebody else."""
        there = {name for (name,) in self.con.execute("select nspname from pg_namespace").fetchall()}
        for schema in MART_SCHEMAS:
            if self.prefix + schema not in there:
                name = sql.Identifier(self.prefix + schema)
                self.con.execute(sql.SQL("create schema {}").format(name))

    def prepare(self, name: str, types: Mapping[str, str], text: MartText, *, is_ours: bool) -> None:
        """Make the table, or add the columns that it lacks, and say what it and its columns are.

        Raises:
            CannotPublish: somebody else's table has this name, or it has other columns or types.
        """
        there = self.types_of(name)
        if there and not is_ours:
            raise CannotPublish(
                f"{self.shown}: {self.prefix}{name} is there already and was not made by `o2c publish`. Nothing was"
                " changed. Take other schemas with --schema-prefix, or another database."
            )
        others = [f"{column} is {kind}" for column, kind in there.items() if types.get(column) != kind]
        if others:
            raise CannotPublish(
                f"{self.shown}: {self.prefix}{name} has columns that the release has not, or has otherwise:"
                f" {', '.join(others)}. Nothing was changed. If a newer version of o2c publishes here, publish with"
                " that one; else drop the table, and it is made anew."
            )
        if not there:
            self._create(name, types, text)
        for column, kind in types.items():
            if there and column not in there:
                self.con.execute(
                    sql.SQL("alter table {} add column {} {}").format(
                        self.identifier(name), sql.Identifier(column), as_sql(kind)
                    )
                )
        self._comment(name, types, text)

    def _create(self, name: str, types: Mapping[str, str], text: MartText) -> None:
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(column), as_sql(kind)) for column, kind in types.items()
        ]
        kind = sql.SQL("unique" if text.nullable else "primary key")
        key = sql.SQL(", ").join(sql.Identifier(column) for column in text.key)
        columns.append(sql.SQL("{} ({})").format(kind, key))
        self.con.execute(
            sql.SQL("create table {} ({})").format(self.identifier(name), sql.SQL(", ").join(columns))
        )

    def _comment(self, name: str, types: Mapping[str, str], text: MartText) -> None:
        """Put the descriptions where tools show them; those that stand there already are left alone."""
        schema, _, table = name.partition(".")
        rows = self.con.execute(
            "select attname, description from pg_description join pg_class on pg_class.oid = objoid"
            " and classoid = 'pg_class'::regclass join pg_namespace on pg_namespace.oid = relnamespace"
            " left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0"
            " where nspname = %s and relname = %s",
            [self.prefix + schema, table],
        )
        there = dict(rows.fetchall())
        if there.get(None) != text.description:
            self.con.execute(
                sql.SQL("comment on table {} is {}").format(
                    self.identifier(name), sql.Literal(text.description)
                )
            )
        for column, said in text.columns.items():
            if column in types and there.get(column) != said:
                whole = sql.Identifier(self.prefix + schema, table, column)
                self.con.execute(sql.SQL("comment on column {} is {}").format(whole, sql.Literal(said)))


def as_sql(name: str) -> sql.SQL:
    """The name of a type or a sum of a column as SQL: what our own tables are made of, never data."""
    return sql.SQL(cast("LiteralString", name))


@contextmanager
def open_target(url: str, prefix: str) -> Generator[Target]:
    """Connect and hold one transaction, which is committed when the block ends well.

    Args:
        url: ``postgresql://user:password@host:port/database?sslmode=…``; what it leaves out comes from where
            PostgreSQL's own tools look: PGPASSWORD, ~/.pgpass, PGHOST and so on.

    Raises:
        CannotPublish: the URL is none, there is no connection, rights are missing, the database gave up.
    """
    if not PREFIX.fullmatch(prefix):
        raise CannotPublish(
            f"--schema-prefix {prefix}: use small letters, digits and _, not beginning with a digit, 40 at most."
        )
    address = _parsed(url)
    shown = address.set(password=None, query={}).render_as_string()
    try:
        with psycopg.connect(_conninfo(address)) as con:
            con.execute("select set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            con.execute("set local time zone 'UTC'")
            yield Target(con, shown, prefix)
    except psycopg.Error as error:
        raise CannotPublish(f"{shown}: {_reason(error, address)}") from None


def _parsed(url: str) -> URL:
    """The parts of the URL. What cannot be read is not shown: anything in it may be a part of a password."""
    refused = CannotPublish(
        "--to: this is no PostgreSQL address. Write postgresql://user:password@host:5432/database; in the password"
        " write %40 for @, %2F for /, %3A for : and %25 for %, or leave it to PGPASSWORD or ~/.pgpass."
    )
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise refused from None
    if address.drivername not in ("postgresql", "postgres", "postgresql+psycopg") or url.count("@") > 1:
        raise refused
    return address


def _conninfo(address: URL) -> str:
    given = address.translate_connect_args(username="user", database="dbname")
    extra = {
        name: value if isinstance(value, str) else ",".join(value) for name, value in address.query.items()
    }
    limits = {
        "connect_timeout": CONNECT_SECONDS,
        "client_encoding": "utf8",
        "application_name": "o2c publish",
    }
    return make_conninfo("", **(limits | given | extra))


def _reason(error: psycopg.Error, address: URL) -> str:
    """What went wrong and what to do, in one or two lines, with no password in it."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    if address.password:
        said = said.replace(str(address.password), "***")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        user = address.username or "the user"
        return (
            f"missing rights: {said}. Nothing was changed. Let the owner `grant create, temporary on database"
            f" {address.database} to {user}`, or make {user} the owner of the schemas."
        )
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return f"another publication runs, or somebody changes the tables: waited {LOCK_WAIT}. Nothing was changed."
    if error.sqlstate is None:
        return f"no connection: {said}. Nothing was changed. Check host, port, user, password and whether it runs."
    return f"{said} (SQLSTATE {error.sqlstate}). Nothing was changed."
