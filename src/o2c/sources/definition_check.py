"""What pydantic cannot see in a definition: names of the contract, of files, of columns in expressions.

Works on the raw mapping, part by part, so that a fault in one part hides none in another.
"""

from collections.abc import Iterator
from difflib import get_close_matches

import polars as pl
from pydantic import ValidationError

from o2c.contract import TABLES, Kind, Table
from o2c.sources.expression import ExpressionError, parse, result_type
from o2c.sources.model import ColumnSpec
from o2c.sources.values import minor_units

INPUT_TYPES: dict[str, pl.DataType] = {
    "amount": pl.Decimal(18, 4),
    "date": pl.Date(),
    "integer": pl.Int32(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
}


def spec_faults(raw: dict) -> list[str]:
    """Everything that is wrong with the names and meanings in a definition, as sentences with their place."""
    files = raw.get("files") if isinstance(raw.get("files"), dict) else {}
    tables = raw.get("tables") if isinstance(raw.get("tables"), dict) else {}
    assert isinstance(files, dict)  # noqa: S101  # just made sure
    assert isinstance(tables, dict)  # noqa: S101  # just made sure
    faults = []
    used: set[str] = set()
    for name, specs in tables.items():
        if name not in TABLES:
            faults.append(
                f"tables.{name}: no table of the contract{_near(name, list(TABLES))}. Known: {', '.join(TABLES)}"
            )
            continue
        for i, spec in enumerate(specs if isinstance(specs, list) else [specs]):
            if isinstance(spec, dict):
                where = f"tables.{name}.{i}" if isinstance(specs, list) else f"tables.{name}"
                faults += _table_faults(where, spec, TABLES[name], files)
                used |= {spec.get("from", "")} | {join.get("file", "") for join in _dicts(spec.get("join"))}
    unused = [name for name in files if name not in used]
    faults += [f"files.{name}: no table is made from it" for name in unused if tables]
    return faults


def _table_faults(where: str, spec: dict, table: Table, files: dict) -> Iterator[str]:
    for name in [spec.get("from"), *(join.get("file") for join in _dicts(spec.get("join")))]:
        if isinstance(name, str) and name not in files:
            yield f"{where}: file {name!r} is not under `files`{_near(name, list(files))}"
    for sql in [spec.get("where"), *(item.get("when") for item in _dicts(spec.get("warnings")))]:
        if isinstance(sql, str):
            yield from _expression_faults(where, sql, _input_types(spec), "BOOLEAN")
    for name, join in (spec.get("join") or {}).items() if isinstance(spec.get("join"), dict) else ():
        for sql in join.get("on", {}) if isinstance(join, dict) and isinstance(join.get("on"), dict) else ():
            if set("()'\"|+*,") & set(sql):
                yield from _expression_faults(f"{where}.join.{name}.on", sql, {}, None)
        if isinstance(join, dict) and isinstance(join.get("where"), str):
            yield from _expression_faults(f"{where}.join.{name}", join["where"], {}, "BOOLEAN")
    columns = spec.get("columns")
    if isinstance(columns, dict):
        yield from _column_faults(where, columns, table, _input_types(spec))
    for row in _dicts(spec.get("rows")):
        yield from _names_faults(f"{where}.rows", row, table)
    one_per = spec.get("one_per")
    if isinstance(one_per, dict):
        for key in ("key", "by", "sum"):
            names = one_per.get(key) or []
            for name in [names] if isinstance(names, str) else names:
                if name not in table.names:
                    yield f"{where}.one_per.{key}: {name!r} is no column of {table.name}{_near(name, table.names)}"


def _column_faults(where: str, columns: dict, table: Table, inputs: dict[str, pl.DataType]) -> Iterator[str]:
    yield from _names_faults(where, columns, table)
    for name, raw in columns.items():
        if name not in table.names:
            continue
        try:
            spec = ColumnSpec.model_validate({"column": raw} if isinstance(raw, str) else raw)
        except ValidationError:
            continue  # told by the models
        place, kind = f"{where}.columns.{name}", table[name].kind
        if spec.expression is not None:
            yield from _expression_faults(place, spec.expression, inputs, None)
        if kind is Kind.CODE:
            yield from _code_faults(place, spec, table[name].codes)
        if kind is Kind.CURRENCY and spec.constant is not None and spec.constant not in minor_units():
            yield f"{place}: {spec.constant!r} is not a currency of ISO 4217"
        if spec.plus_days is not None and kind is not Kind.DATE:
            yield f"{place}: plus_days is for dates"
        if (spec.decimals == "round" or spec.sign) and kind not in {
            Kind.AMOUNT,
            Kind.UNSIGNED_AMOUNT,
            Kind.RATE,
            Kind.RATIO,
        }:
            yield f"{place}: decimals and sign are for amounts and rates"


def _names_faults(where: str, given: dict, table: Table) -> Iterator[str]:
    for name in given:
        if name not in table.names:
            yield f"{where}: {name!r} is no column of {table.name}{_near(name, table.names)}"
    missing = [column.name for column in table.columns if column.required and column.name not in given]
    if missing:
        yield f"{where}: required columns are missing: {', '.join(missing)}"


def _code_faults(place: str, spec: ColumnSpec, codes: tuple[str, ...]) -> Iterator[str]:
    given = [*(spec.codes or {}).values()]
    if spec.unmapped not in {"reject", "null", "keep"}:
        given.append(spec.unmapped)
    if spec.constant is not None and not spec.codes:
        given.append(spec.constant)
    for code in dict.fromkeys(given):
        if code and code not in codes:
            yield f"{place}: {code!r} is not one of {', '.join(codes)}"


def _expression_faults(
    place: str, sql: str, inputs: dict[str, pl.DataType], wanted: str | None
) -> Iterator[str]:
    try:
        expression = parse(sql)
        given = result_type(expression, {name: inputs.get(name, pl.String()) for name in expression.columns})
    except ExpressionError as error:
        yield f"{place}: {sql!r}: {error}"
        return
    if given in {"DOUBLE", "FLOAT"}:
        yield f"{place}: {sql!r} gives a {given}, which loses cents. Cast its parts to decimal(18, 4) and avoid `/`"
    elif wanted and given != wanted:
        yield f"{place}: {sql!r} gives {given}, but must be a condition"


def _input_types(spec: dict) -> dict[str, pl.DataType]:
    """The types that expressions see for the declared inputs; every other column is text."""
    found = {}
    for name, given in (spec.get("inputs") or {}).items() if isinstance(spec.get("inputs"), dict) else ():
        kind = given.get("kind") if isinstance(given, dict) else given
        found[name] = INPUT_TYPES.get(str(kind), pl.String())
    return found


def _dicts(value: object) -> list[dict]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _near(name: object, known: list[str]) -> str:
    close = get_close_matches(str(name), known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
