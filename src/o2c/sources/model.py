"""The language of a source definition, as frozen pydantic models. docs/sources.md explains it by example."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from o2c.contract import Kind
from o2c.sources.forms import Dialect, Model, Name, TextForm, Texts, ValueForm


class FileSpec(Model):
    """One file, or all files that a pattern matches, that share a form."""

    path: str
    format: Literal["csv", "jsonl", "parquet"] | None = None
    dialect: Dialect = Dialect()
    columns: Texts | None = None
    ignore: Texts = ()
    order: Literal["name"] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _names_where_there_is_no_header(self) -> "FileSpec":
        if self.form == "csv" and not self.dialect.header and not self.columns:
            raise ValueError("`header: false` needs `columns`, the names of the columns in order")
        if self.columns and len(set(self.columns)) < len(self.columns):
            raise ValueError("`columns` names a column twice")
        return self

    @property
    def form(self) -> str:
        """The declared format, else the one that the file name's ending says."""
        if self.format:
            return self.format
        ending = self.path.rsplit(".", 1)[-1].lower()
        return {"parquet": "parquet", "jsonl": "jsonl", "ndjson": "jsonl"}.get(ending, "csv")


class InputSpec(ValueForm):
    """A column read as an amount, a date, an integer or a boolean before expressions see it."""

    kind: Literal["text", "amount", "date", "integer", "boolean"] = "text"

    @property
    def contract_kind(self) -> Kind:
        return Kind(self.kind)


class ColumnSpec(ValueForm):
    """Where one column of the contract comes from: exactly one of column, constant, template, expression."""

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    expression: str | None = None
    plus_days: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnSpec":
        given = [
            name
            for name in ("column", "constant", "template", "expression")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of column, constant, template, expression (given: {', '.join(given) or 'none'})"
            )
        if self.template is not None and not template_fields(self.template):
            raise ValueError(f"template {self.template!r} names no column, as in '{{company}}|{{number}}'")
        return self


class Join(Model):
    """Columns of another file beside each row: every row finds at most one row there."""

    file: str
    on: dict[str, str]
    unmatched: Literal["null", "reject"] = "null"
    where: str | None = None

    @field_validator("on")
    @classmethod
    def _some_key(cls, value: dict[str, str]) -> dict[str, str]:
        if not value:
            raise ValueError("give at least one pair `column here: column there`")
        return value


class OnePer(Model):
    """Which row stays when a table is derived from rows that repeat it. Independent of the order of rows."""

    key: Texts
    keep: Literal["most_frequent", "smallest", "largest"] = "most_frequent"
    by: Texts = ()
    sum: Texts = ()

    @model_validator(mode="after")
    def _by_where_needed(self) -> "OnePer":
        if self.keep != "most_frequent" and not self.by:
            raise ValueError(f"`keep: {self.keep}` needs `by`, the columns that decide")
        return self


class WarningSpec(Model):
    """A condition over the file's columns that is worth a warning row, as SQL."""

    code: Name
    when: str


class TableSpec(Model):
    """How one table of the contract is made from one file, or from rows written in the definition."""

    from_file: str | None = Field(default=None, alias="from")
    rows: tuple[dict[str, str], ...] | None = None
    where: str | None = None
    join: dict[Name, Join] = Field(default_factory=dict)
    inputs: dict[str, InputSpec] = Field(default_factory=dict)
    columns: dict[str, ColumnSpec] | Literal["as_named"] = Field(default_factory=dict)
    one_per: OnePer | None = None
    warnings: tuple[WarningSpec, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: {"column": spec} if isinstance(spec, str) else spec for name, spec in value.items()}

    @field_validator("inputs", mode="before")
    @classmethod
    def _short_inputs(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: {"kind": spec} if isinstance(spec, str) else spec for name, spec in value.items()}

    @field_validator("join", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        return value or {}

    @model_validator(mode="after")
    def _file_or_rows(self) -> "TableSpec":
        if (self.from_file is None) == (self.rows is None):
            raise ValueError("give exactly one of `from` (a file of this definition) and `rows`")
        if self.rows is not None and (self.columns or self.inputs or self.join or self.where or self.one_per):
            raise ValueError(
                "`rows` stand as they are: no columns, inputs, join, where or one_per beside them"
            )
        if self.from_file is not None and not self.columns:
            raise ValueError("`columns` is missing")
        return self


def _list_of_tables(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class DefinitionSpec(Model):
    """A whole source definition."""

    source: Name
    id_prefix: str = ""
    unprefixed: Texts = ()
    open_items_only: bool = False
    balance_date: str | None = None
    max_implausible_ratio: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.01")
    dialect: dict[str, object] = Field(default_factory=dict)
    files: dict[Name, FileSpec] = Field(default_factory=dict)
    tables: dict[str, Annotated[tuple[TableSpec, ...], BeforeValidator(_list_of_tables)]]

    @model_validator(mode="after")
    def _balance_date_goes_with_open_items(self) -> "DefinitionSpec":
        if self.open_items_only != (self.balance_date is not None):
            raise ValueError("`open_items_only: true` and `balance_date` go together")
        return self

    @field_validator("balance_date")
    @classmethod
    def _iso_date(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                date.fromisoformat(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is not a date like 2020-05-31") from error
        return value

    def mappings(self) -> Iterator[tuple[str, TableSpec]]:
        """Every mapping with the name of its contract table, in the order of the definition."""
        for table, specs in self.tables.items():
            for spec in specs:
                yield table, spec


def template_fields(template: str) -> list[str]:
    """Names in braces; a doubled brace is a brace."""
    try:
        return [name for _, name, _, _ in Formatter().parse(template) if name]
    except ValueError:
        return []


__all__ = [
    "ColumnSpec",
    "DefinitionSpec",
    "Dialect",
    "FileSpec",
    "InputSpec",
    "Join",
    "OnePer",
    "TableSpec",
    "TextForm",
    "ValueForm",
]
