"""How text is written: the dialect of a file, and what one column adds to it. Frozen pydantic models."""

from typing import Annotated, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from o2c.sources.dates import date_format_faults


class Model(BaseModel):
    """Frozen, and strict about names: a key that is not part of the language is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=0)


def one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_many)]
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
        return one_or_many(value)

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
