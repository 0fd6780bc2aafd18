"""Expressions of a definition: SQL over the columns of one row, and nothing else.

They run in a database that reaches no file, and are refused before that when they are more than a function of
their row: sub-queries, aggregates, window functions and anything that gives another answer tomorrow.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import duckdb
import polars as pl

from o2c.warehouse import connect_sealed

_SQL_TYPES: dict[pl.DataType, str] = {
    pl.String(): "varchar",
    pl.Decimal(18, 4): "decimal(18, 4)",
    pl.Date(): "date",
    pl.Int32(): "integer",
    pl.Int64(): "bigint",
    pl.Boolean(): "boolean",
}
_NOT_ALLOWED = {
    "SUBQUERY": "a sub-query",
    "WINDOW": "a window function",
    "STAR": "a star",
    "LAMBDA_REF": "a lambda",
}


class ExpressionError(ValueError):
    """An expression that cannot be used; the text says why."""


@dataclass(frozen=True)
class Expression:
    """One SQL expression and the columns it reads, as written."""

    sql: str
    columns: tuple[str, ...]


def key_expression(text: str) -> Expression:
    """One side of a join: a column by its name, however it is spelled, or an expression, which has more than a name.

    Raises:
        ExpressionError: an expression that cannot be used.
    """
    return parse(text) if set("()'\"|+*,") & set(text) else Expression(quoted(text), (text,))


@cache
def parse(sql: str) -> Expression:
    """Read an expression and find the columns that it needs.

    Raises:
        ExpressionError: not SQL, more than one expression, or more than a function of its own row.
    """
    con = connect_sealed()
    try:
        tree = json.loads(_one(con, "select json_serialize_sql(?)", [f"select ({sql}\n) from t"]))  # noqa: S608  # sealed
        if tree["error"]:
            raise ExpressionError(f"not SQL: {tree['error_message']}")
        query = tree["statements"][0]["node"]
        if len(tree["statements"]) > 1 or not _is_plain(query):
            raise ExpressionError("not one expression")
        columns: dict[str, None] = {}
        for node in _nodes(query["select_list"]):
            if what := _NOT_ALLOWED.get(str(node.get("class"))):
                raise ExpressionError(
                    f"{what} is not allowed: an expression sees the columns of its row only"
                )
            if node["class"] == "FUNCTION" and (why := _function_fault(node["function_name"])):
                raise ExpressionError(f"{node['function_name']}() is not allowed: {why}")
            if node["class"] == "COLUMN_REF":
                name = ".".join(node["column_names"])
                if len(node["column_names"]) == 1 and (why := _function_fault(name)):
                    raise ExpressionError(f"{name} is not allowed: {why}")
                columns[name] = None
        return Expression(sql, tuple(columns))
    finally:
        con.close()


def result_type(expression: Expression, schema: dict[str, pl.DataType]) -> str:
    """The SQL type that the expression gives over columns of these types.

    Raises:
        ExpressionError: an unknown column or function, types that do not go together.
    """
    con = connect_sealed()
    try:
        columns = (
            ", ".join(f"{quoted(name)} {_SQL_TYPES[schema[name]]}" for name in expression.columns)
            or "x integer"
        )
        con.execute(f"create table t ({columns})")
        return str(con.execute(f"describe select ({expression.sql}\n) as x from t").fetchall()[0][1])  # noqa: S608  # sealed
    except duckdb.Error as error:
        raise ExpressionError(str(error).partition("\n")[0]) from error
    finally:
        con.close()


class Evaluator:
    """Evaluates expressions over frames, one connection for all. Rows keep their order."""

    def __init__(self) -> None:
        self._opened: duckdb.DuckDBPyConnection | None = None

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._opened = connect_sealed()
        return self._opened

    def values(self, expression: Expression, frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """The value per row, and a mask of rows on which the expression failed (their value is null)."""
        needed = frame.select(expression.columns).with_row_index("row_index")
        try:
            return self._run(expression.sql, needed), pl.repeat(False, frame.height, eager=True)
        except duckdb.Error:
            values = self._run(f"try({expression.sql}\n)", needed)
            failed = pl.repeat(False, frame.height, eager=True)
            suspects = needed.filter(values.is_null())
            bad = [row for part in self._failing(expression.sql, suspects) for row in part]
            return values, failed.scatter(bad, True) if bad else failed

    def _failing(self, sql: str, frame: pl.DataFrame) -> Iterable[list[int]]:
        """Row numbers on which the expression fails, found by halving."""
        if frame.is_empty():
            return
        try:
            self._run(sql, frame)
        except duckdb.Error:
            if frame.height == 1:
                yield frame["row_index"].to_list()
                return
            half = frame.height // 2
            yield from self._failing(sql, frame.head(half))
            yield from self._failing(sql, frame.tail(frame.height - half))

    def _run(self, sql: str, frame: pl.DataFrame) -> pl.Series:
        self._con.register("t", frame.to_arrow())
        found = self._con.execute(f"select row_index, ({sql}\n) as value from t").pl()  # noqa: S608  # sealed
        self._con.unregister("t")
        return found.sort("row_index")["value"]


def _is_plain(query: dict) -> bool:
    return (
        query["type"] == "SELECT_NODE"
        and len(query["select_list"]) == 1
        and query["from_table"]["type"] == "BASE_TABLE"
        and not query["where_clause"]
    )


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _one(con: duckdb.DuckDBPyConnection, sql: str, values: list[str]) -> str:
    row = con.execute(sql, values).fetchone()
    assert row is not None  # noqa: S101  # a scalar query gives a row
    return row[0]


def _nodes(tree: object) -> Iterable[dict]:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for child in tree.values():
            yield from _nodes(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)


@cache
def _functions() -> dict[str, tuple[bool, bool]]:
    """Function name to (gives the same answer every day, works on one row)."""
    con = connect_sealed()
    try:
        rows = con.execute(
            "select lower(function_name), bool_and(coalesce(stability, 'CONSISTENT') = 'CONSISTENT'),"
            " bool_or(function_type in ('scalar', 'macro')) from duckdb_functions() group by all"
        ).fetchall()
    finally:
        con.close()
    return {name: (bool(steady), bool(scalar)) for name, steady, scalar in rows}


_CLOCK = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "today", "now"}
_REACHING = {"getvariable", "current_setting", "getenv", "query", "query_table", "read_text", "read_blob"}


def _function_fault(name: str) -> str | None:
    name = name.lower()
    steady, scalar = _functions().get(name, (True, True))
    if name in _CLOCK or not steady:
        return "it would give another answer on another day"
    if name in _REACHING:
        return "an expression sees the columns of its row only"
    return None if scalar else "an expression sees one row at a time"
