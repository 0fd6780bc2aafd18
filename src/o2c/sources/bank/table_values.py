"""Columns of a declared table as values: the strict grammar of amounts and days that ledgers are read by too."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from o2c.contract import Kind
from o2c.money import MINOR_UNITS
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.table_form import ColumnForm, TableForm
from o2c.sources.bank.table_rows import Rows
from o2c.sources.forms import TextForm
from o2c.sources.values import Fault, clean, parse

# How a workbook's own numbers and days are given to us.
TYPED = TextForm()
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
ADVICE = "correct the file, or declare in the profile how it is written"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One cell that cannot be read; ``row`` counts from 0."""

    row: int
    reason: str


class Columns:
    """The declared columns of one file's rows. Faults are collected, so that all can be told at once."""

    def __init__(self, rows: Rows, form: TableForm, name: str) -> None:
        self.rows, self.form, self.name = rows, form, name
        self.declared = form.columns()
        self.count = rows.frame.height
        self._troubles: list[_Trouble] = []

    def has(self, what: str) -> bool:
        return what in self.declared

    def texts(self, what: str, *, is_reference: bool = False) -> list[str | None]:
        """Texts of a column, None where empty or not declared; those of several columns each on its line."""
        found = [self._text(one, is_reference=is_reference) for one in self.declared.get(what, ())]
        if not found:
            return [None] * self.count
        if len(found) == 1:
            return found[0]
        return ["\n".join(text for text in row if text) or None for row in zip(*found, strict=True)]

    def currencies(self, usual: str | None) -> list[str | None]:
        """Currency of each row in capitals: of its column, else the ``usual`` one of the profile."""
        found: list[str | None] = []
        for row, text in enumerate(self.texts("currency")):
            code = text.upper() if text else usual
            if code is not None and not _CURRENCY.fullmatch(code):
                self.trouble(row, f"{code[:20]!r} is not a currency")
                code = None
            found.append(code)
        return found

    def days(self, what: str) -> list[date | None]:
        """Days of a column by the declared formats; a time of day is dropped."""
        if not self.has(what):
            return [None] * self.count
        return self._parsed(self.declared[what][0], Kind.DATE, None).to_list()

    def amounts(self, what: str, currencies: list[str | None]) -> list[Decimal | None]:
        """Amounts of a column, with as many decimals as their currency has."""
        if not self.has(what):
            return [None] * self.count
        found = self._parsed(self.declared[what][0], Kind.AMOUNT, pl.Series(currencies, dtype=pl.String))
        return [
            None if value is None else _shortened(value, currency)
            for value, currency in zip(found.to_list(), currencies, strict=True)
        ]

    def trouble(self, row: int, reason: str) -> None:
        """Note that a row cannot be used."""
        self._troubles.append(_Trouble(row, reason))

    def refuse_troubles(self) -> None:
        """Refuse the file where a row cannot be used: a table with a row left out is another payment.

        Raises:
            RejectedFile: with the first such row, and how many more there are.
        """
        if not self._troubles:
            return
        first = min(self._troubles, key=lambda one: one.row)
        others = len({one.row for one in self._troubles}) - 1
        more = f" ({others} more row{'s' * (others > 1)} cannot be read)" if others else ""
        raise RejectedFile(self.name, self.rows.positions[first.row], first.reason + more, ADVICE)

    def _text(self, one: ColumnForm, *, is_reference: bool) -> list[str | None]:
        texts, _ = clean(
            self.rows.frame[one.column], one.value_form(), one.value_form().text_form(self.form.dialect)
        )
        if is_reference:
            # A number that a spreadsheet rounded is not the reference that was meant.
            checked = parse(texts, Kind.TEXT, "invoice_number", one.value_form(), TYPED)
            self._note(checked.faults, one)
        return texts.to_list()

    def _parsed(self, one: ColumnForm, kind: Kind, currencies: pl.Series | None) -> pl.Series:
        form = one.value_form()
        text_form = form.text_form(self.form.dialect)
        texts, _ = clean(self.rows.frame[one.column], form, text_form)
        typed = self.rows.typed[one.column] if self.rows.typed is not None else None
        if typed is None or not typed.any():
            return self._read(texts, kind, one, text_form, currencies)
        own = self._read(texts.zip_with(~typed, _nothing(texts)), kind, one, text_form, currencies)
        stored = self._read(texts.zip_with(typed, _nothing(texts)), kind, one, TYPED, currencies)
        return stored.zip_with(typed, own)

    def _read(
        self, texts: pl.Series, kind: Kind, one: ColumnForm, text_form: TextForm, currencies: pl.Series | None
    ) -> pl.Series:
        found = parse(texts, kind, one.column, one.value_form(), text_form, currencies)
        self._note(found.faults, one)
        return found.series

    def _note(self, faults: list[Fault], one: ColumnForm) -> None:
        for fault in faults:
            for at, row in enumerate(fault.rows.to_list()):
                value = "" if fault.text is None else f" {str(fault.text[at])[:60]!r}"
                self.trouble(row, f"{one.column}{value} {fault.says}")


def _nothing(texts: pl.Series) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))


def _shortened(value: Decimal, currency: str | None) -> Decimal:
    """The same amount with the decimals of its currency."""
    short = value.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(currency or "", 2)))
    return short if short == value else value
