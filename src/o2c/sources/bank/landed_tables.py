"""The tables that a landed bank file becomes, and the writer that fills them while the file is read.

Every row has the file id and the position where a person finds it in the file. (file_id, entry_ordinal),
(file_id, statement_ordinal) and (file_id, remittance_ordinal) name one entry, statement, remittance.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from o2c.durable import sync
from o2c.sources.bank.model import (
    ZERO,
    Balance,
    Charge,
    Detail,
    Entry,
    Issue,
    Remittance,
    RemittanceLine,
    Statement,
)

AMOUNT = pl.Decimal(38, 6)
_TEXTS = pl.List(pl.String())
_TEXT, _INT, _DAY, _FLAG = pl.String(), pl.Int64(), pl.Date(), pl.Boolean()


def _schema(text: str, **kinds: pl.DataType) -> dict[str, pl.DataType]:
    """Columns from a space-separated list; the kind is in the name unless it is given."""
    return {name: kinds.get(name) or _kind(name) for name in text.split()}


def _kind(name: str) -> pl.DataType:
    if name.endswith("_amount") or name == "amount":
        return AMOUNT
    if name.endswith(("_count", "_ordinal")) or name == "page_number":
        return _INT
    if name.endswith("_date"):
        return _DAY
    return _FLAG if name.startswith("is_") else _TEXT


TABLES: dict[str, dict[str, pl.DataType]] = {
    "statements": _schema(
        "file_id statement_ordinal position format kind statement_id account account_name bank currency_code"
        " number page_number from_date to_date last_date opening_amount opening_code opening_date closing_amount"
        " closing_code closing_date entry_count detail_count credit_amount debit_amount digest"
    ),
    "entries": _schema(
        "file_id statement_ordinal entry_ordinal position amount currency_code booking_date value_date status"
        " is_reversal bank_reference customer_reference batch_id batch_count type_code proprietary_code method"
        " return_code original_reference charge_amount included_charge_amount instructed_amount"
        " instructed_currency_code text detail_count"
    ),
    "details": _schema(
        "file_id entry_ordinal detail_ordinal position amount currency_code payer_name payer_account payer_bank"
        " ultimate_payer_name payee_name payee_account end_to_end_id transaction_id instruction_id mandate_id"
        " check_number bank_reference references text additional_text value_date included_charge_amount type_code"
        " return_code original_reference",
        references=_TEXTS,
    ),
    "remittances": _schema(
        "file_id remittance_ordinal position format reference currency_code total_amount payer_name payer_id"
        " payer_account payer_bank payment_date method entry_ordinal other_references text",
        other_references=_TEXTS,
    ),
    # Of a detail of an entry, or of a remittance: the other ordinals are null.
    "lines": _schema(
        "file_id entry_ordinal detail_ordinal remittance_ordinal line_ordinal position invoice_reference"
        " paid_amount discount_amount deduction_amount reason_code gross_amount document_type document_date"
        " reference_qualifier text"
    ),
    "exceptions": _schema(
        "file_id position code message severity statement_ordinal entry_ordinal remittance_ordinal"
    ),
}


@dataclass
class _Summed:
    """What is known of a statement once all its parts were written."""

    entry_count: int = 0
    detail_count: int = 0
    credit: Decimal = ZERO
    debit: Decimal = ZERO
    digest: int = 0

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.entry_count += 1
            self.detail_count += len(entry.details)
            if entry.amount > 0:
                self.credit += entry.amount
            else:
                self.debit -= entry.amount
            what = (entry.booking_date, entry.amount.normalize(), entry.currency_code, entry.bank_reference)
            one = hashlib.sha256(repr([str(part) for part in what]).encode()).digest()[:16]
            # A sum, so that the same entries in another order are the same statement.
            self.digest = (self.digest + int.from_bytes(one)) % (1 << 128)


@dataclass
class FileWriter:
    """Writes the tables of one file beside their place; nothing is there under its name before ``publish``."""

    folder: Path
    file_id: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    exception_count: int = 0
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    _summed: _Summed = field(default_factory=_Summed)

    def add_part(self, statement: Statement, issues: Iterable[Issue], *, is_last: bool) -> None:
        """Entries of a statement; with the last of them the statement itself."""
        entries = statement.entries
        self._summed.add(entries)
        self._write("entries", _entries(statement, entries))
        details = [(entry.ordinal, detail) for entry in entries for detail in entry.details]
        self._write("details", _details(details))
        lines = [(number, detail.ordinal, None, line) for number, detail in details for line in detail.lines]
        self._write("lines", _lines(lines))
        self.add_issues(issues)
        if is_last:
            self._write("statements", _statement(statement, self._summed))
            self._summed = _Summed()

    def add_remittances(self, remittances: Iterable[Remittance]) -> None:
        """Remittances with their lines."""
        remittances = list(remittances)
        self._write("remittances", _remittances(remittances))
        self._write(
            "lines", _lines([(None, None, one.ordinal, line) for one in remittances for line in one.lines])
        )

    def add_issues(self, issues: Iterable[Issue]) -> None:
        issues = list(issues)
        self.exception_count += sum(one.severity == "exception" for one in issues)
        self._write("exceptions", _same("exceptions", issues))

    def publish(self) -> None:
        """Every table on disk under its name, empty ones too; the caller writes the receipt."""
        for table in TABLES:
            if table not in self._writers:
                self._append(table, {})
            self._writers[table].close()
            temporary = self._temporary(table)
            sync(temporary)
            temporary.replace(table_path(self.folder, self.file_id, table))

    def discard(self) -> None:
        """Leave nothing behind of a file that was refused."""
        for table, writer in self._writers.items():
            writer.close()
            self._temporary(table).unlink(missing_ok=True)

    def _write(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        height = len(next(iter(columns.values()), ()))
        if height:
            self._append(table, {**columns, "file_id": [self.file_id] * height})
            self.counts[table] += height

    def _append(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        schema = TABLES[table]
        frame = pl.DataFrame({name: _series(columns.get(name, []), kind) for name, kind in schema.items()})
        arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(
                self._temporary(table), arrow.schema, compression="zstd", compression_level=1
            )
        if frame.height:
            self._writers[table].write_table(arrow)

    def _temporary(self, table: str) -> Path:
        return self.folder / f".{self.file_id}.{table}.{os.getpid()}.tmp"


def table_path(folder: Path, file_id: str, table: str) -> Path:
    """Where a table of a landed file lies."""
    return folder / f"{file_id}.{table}.parquet"


# ── columns of rows: quicker than a dict per row, of which a large file has a hundred thousand ────────────


def _statement(one: Statement, summed: _Summed) -> dict[str, list[Any]]:
    return {
        **_same("statements", [one]),
        **_balance("opening", one.opening),
        **_balance("closing", one.closing),
        "statement_ordinal": [one.ordinal],
        "number": [one.electronic_number or one.number],
        "last_date": [one.last_date],
        "entry_count": [summed.entry_count],
        "detail_count": [summed.detail_count],
        "credit_amount": [summed.credit],
        "debit_amount": [summed.debit],
        "digest": [f"{summed.digest:032x}"],
    }


def _balance(name: str, one: Balance | None) -> dict[str, list[Any]]:
    return {
        f"{name}_amount": [one.amount if one else None],
        f"{name}_code": [one.code if one else None],
        f"{name}_date": [one.balance_date if one else None],
    }


def _entries(statement: Statement, entries: Sequence[Entry]) -> dict[str, list[Any]]:
    return {
        **_same("entries", entries),
        "statement_ordinal": [statement.ordinal] * len(entries),
        "entry_ordinal": [one.ordinal for one in entries],
        "charge_amount": [
            sum((charge.amount for charge in one.charges), ZERO) if one.charges else None for one in entries
        ],
        "included_charge_amount": [_included(one.charges) for one in entries],
        "detail_count": [len(one.details) for one in entries],
    }


def _details(details: Sequence[tuple[int, Detail]]) -> dict[str, list[Any]]:
    own = [detail for _, detail in details]
    return {
        **_same("details", own),
        "entry_ordinal": [number for number, _ in details],
        "detail_ordinal": [one.ordinal for one in own],
        "references": [[each.text for each in one.references] for one in own],
        "included_charge_amount": [_included(one.charges) for one in own],
    }


def _remittances(remittances: Sequence[Remittance]) -> dict[str, list[Any]]:
    return {
        **_same("remittances", remittances),
        "remittance_ordinal": [one.ordinal for one in remittances],
        "other_references": [[each.text for each in one.other_references] for one in remittances],
    }


def _lines(
    lines: Sequence[tuple[int | None, int | None, int | None, RemittanceLine]],
) -> dict[str, list[Any]]:
    """Lines with the ordinals of entry and detail, or of the remittance, that they belong to."""
    own = [line for *_, line in lines]
    return {
        **_same("lines", own),
        "entry_ordinal": [entry for entry, *_ in lines],
        "detail_ordinal": [detail for _, detail, *_ in lines],
        "remittance_ordinal": [remittance for _, _, remittance, _ in lines],
        "line_ordinal": [line.ordinal for line in own],
    }


def _included(charges: tuple[Charge, ...]) -> Decimal | None:
    amounts = [one.amount for one in charges if one.is_included]
    return sum(amounts, ZERO) if amounts else None


def _series(values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    # polars makes a Series of every list first: a third of the time of a landing (2026-11).
    if kind == _TEXTS:
        return pl.Series(pa.array(values, pa.large_list(pa.large_string())))
    return pl.Series(values, dtype=kind)


_ROWS = {
    "statements": Statement,
    "entries": Entry,
    "details": Detail,
    "remittances": Remittance,
    "lines": RemittanceLine,
    "exceptions": Issue,
}
# Fields of the canonical rows that have the name of a column; the others are made above.
_MADE = {"file_id", "references", "other_references"}
_SHARED = {
    table: tuple(one.name for one in fields(row) if one.name in TABLES[table] and one.name not in _MADE)
    for table, row in _ROWS.items()
}


def _same(table: str, rows: Sequence[object]) -> dict[str, list[Any]]:
    return {name: list(map(attrgetter(name), rows)) for name in _SHARED[table]}
