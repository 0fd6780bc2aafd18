"""The language of a source definition, as frozen pydantic models. docs/sources.md explains it by example."""

from collections.abc import Iterator
from decimal import Decimal
from string import Formatter
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from o2c.contract import Kind
from o2c.sources.dates import date_format_faults


class Model(BaseModel):
    """Frozen, and strict about names: a key that is not part of the language is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=0)


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class TextForm(Model):
    """How the text of a value is read. Nothing is guessed: what is not declared does not fit."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "\u00a0", "\u202f"] = ""
    currency_signs: Texts = ()
    negative: tuple[Literal["leading", "trailing", "parentheses"], ...] = ("leading",)
    dates: Texts = ("%Y-%m-%d",)
    nulls: Texts = ()

    @field_validator("negative", mode="before")
    @classmethod
    def _negative_list(cls, value: object) -> object:
        return _one_or_many(value)

    @field_validator("dates")
    @classmethod
    def _known_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        faults = [fault for text in formats for fault in date_format_faults(text)]
        if faults or not formats:
            raise ValueError("; ".join(faults) or "give at least one date format")
        return formats

    @model_validator(mode="after")
    def _marks_differ(self) -> "TextForm":
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands mark are both {self.decimal!r}")
        return self


class Dialect(TextForm):
    """How a file is cut into lines and fields, and how its values are written."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: str = '"'
    encoding: Literal[
        "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "cp1250", "cp437", "cp850"
    ] = "utf-8"
    header: bool = True
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    trailer_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    trailer_count: str | None = None
    final_newline: Literal["required", "optional"] = "required"

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab_by_name(cls, value: object) -> object:
        return "\t" if value in ("tab", "\\t") else value

    @field_validator("quote")
    @classmethod
    def _one_quote(cls, value: str) -> str:
        if value != "none" and (len(value) != 1 or not value.isascii()):
            raise ValueError("one ASCII letter, or `none` for files that quote nothing")
        return value

    @model_validator(mode="after")
    def _ascii_delimiter(self) -> "Dialect":
        if not self.delimiter.isascii() or self.delimiter in {"\n", "\r", self.quote}:
            raise ValueError(
                f"delimiter {self.delimiter!r}: one ASCII letter that is not the quote or a line end"
            )
        if self.trailer_count and not self.trailer_lines:
            raise ValueError("trailer_count needs trailer_lines")
        return self


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


class ValueForm(Model):
    """What is done to one column's text before it is read. Unset keys are those of the file's dialect."""

    trim: bool = False
    case: Literal["upper", "lower"] | None = None
    strip_suffix: str | None = None
    codes: dict[str, str] | None = None
    unmapped: str = "reject"
    sign: Literal["negate", "absolute"] | None = None
    decimals: Literal["reject", "round"] = "reject"
    minor_units: Annotated[int, Field(ge=0, le=4)] | None = None
    pattern: str | None = None
    mismatch: Literal["reject", "warn"] = "reject"
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ".", ",", " ", "'", "\u00a0", "\u202f"] | None = None
    currency_signs: Texts | None = None
    negative: Texts | None = None
    dates: Texts | None = None
    nulls: Texts | None = None

    @field_validator("dates")
    @classmethod
    def _known_formats(cls, formats: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if faults := [fault for text in formats or () for fault in date_format_faults(text)]:
            raise ValueError("; ".join(faults))
        return formats

    @field_validator("pattern")
    @classmethod
    def _readable_pattern(cls, pattern: str | None) -> str | None:
        import polars as pl

        try:
            pl.Series([""]).str.contains(pattern or "")
        except pl.exceptions.ComputeError as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    def text_form(self, dialect: TextForm) -> TextForm:
        """The file's way of writing values, with what this column overrides."""
        own = {name: getattr(self, name) for name in TextForm.model_fields}
        changed = {name: value for name, value in own.items() if value is not None}
        if not changed:
            return dialect
        whole = {name: getattr(dialect, name) for name in TextForm.model_fields}
        return TextForm.model_validate(whole | changed)


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
    join: dict[Name, Join] = {}
    inputs: dict[str, InputSpec] = {}
    columns: dict[str, ColumnSpec] | Literal["as_named"] = {}
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
    dialect: dict[str, object] = {}
    files: dict[Name, FileSpec] = {}
    tables: dict[str, Annotated[tuple[TableSpec, ...], BeforeValidator(_list_of_tables)]]

    @model_validator(mode="after")
    def _balance_date_goes_with_open_items(self) -> "DefinitionSpec":
        if self.open_items_only != (self.balance_date is not None):
            raise ValueError("`open_items_only: true` and `balance_date` go together")
        return self

    @field_validator("balance_date")
    @classmethod
    def _iso_date(cls, value: str | None) -> str | None:
        from datetime import date

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
