"""Which columns a mapping needs of its file and of the files it joins, and what is missing there."""

from difflib import get_close_matches

from o2c.contract import Table
from o2c.sources.expression import key_expression, parse
from o2c.sources.model import ColumnSpec, TableSpec, template_fields
from o2c.sources.reading import RefusedFile

_DELIMITERS = {";": "';'", "\t": "tab", "|": "'|'", ",": "','"}


def column_specs(spec: TableSpec, table: Table, file_columns: list[str]) -> dict[str, ColumnSpec]:
    """The columns that a mapping fills; ``as_named`` takes what the file has of the contract."""
    if spec.columns == "as_named":
        return {name: ColumnSpec(column=name) for name in table.names if name in file_columns}
    assert not isinstance(spec.columns, str)  # noqa: S101  # the other form is a mapping
    return spec.columns


def needed_columns(spec: TableSpec, table: Table, file_columns: list[str]) -> list[str]:
    """Columns of the mapping's own file that it reads, in the order they are met; joined ones are left out."""
    return [
        name
        for name in mentioned(spec, table, file_columns)
        if _join_of(spec, name) is None and name != "_line"
    ]


def joined_columns(spec: TableSpec, table: Table, join: str) -> list[str]:
    """Columns of the joined file that the mapping reads, by their names there, keys included."""
    found = [
        name.removeprefix(f"{join}__") for name in mentioned(spec, table, []) if _join_of(spec, name) == join
    ]
    where = parse(spec.join[join].where or "true").columns
    return list(dict.fromkeys([*spec.join[join].on.values(), *found, *where]))


def require_columns(needed: list[str], there: list[str], table: str) -> None:
    """Refuse a file that lacks declared columns.

    Raises:
        RefusedFile: with the missing columns, near names, and a delimiter that would fit better.
    """
    missing = [name for name in needed if name not in there]
    if not missing:
        return
    said = []
    for name in missing:
        close = get_close_matches(name, there, n=1)
        said.append(f"{name!r}" + (f" (renamed to {close[0]!r}?)" if close else ""))
    text = (
        f"declared columns of {table} are missing: {', '.join(said)}. The file has: {', '.join(there)[:300]}."
    )
    if len(there) == 1:
        marks = [name for mark, name in _DELIMITERS.items() if mark in there[0]]
        text += f" It seems to be delimited by {marks[0]}: declare `delimiter`." if marks else ""
    raise RefusedFile(text + " Correct the definition, or extract the file again.")


def _join_of(spec: TableSpec, name: str) -> str | None:
    return next((join for join in spec.join if name.startswith(f"{join}__")), None)


def mentioned(spec: TableSpec, table: Table, file_columns: list[str]) -> list[str]:
    """Every name that a mapping reads, of its own file, of those it joins, and ``_line``."""
    names: list[str] = []
    for join in spec.join.values():
        names += [name for text in join.on for name in key_expression(text).columns]
    names += spec.inputs
    for sql in [spec.where, *(warning.when for warning in spec.warnings)]:
        names += parse(sql).columns if sql else ()
    if spec.columns == "as_named":
        # what the contract requires must be there, the rest is taken where it is
        names += [column.name for column in table.columns if column.required]
    for column in column_specs(spec, table, file_columns).values():
        names += [column.column] if column.column is not None else []
        names += template_fields(column.template) if column.template is not None else []
        names += parse(column.expression).columns if column.expression is not None else []
        names += [column.plus_days] if column.plus_days and not column.plus_days.lstrip("-").isdigit() else []
    return list(dict.fromkeys(names))
