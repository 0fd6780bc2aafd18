"""The tables that a landed bank file becomes, and the writer that fills them while the file is read.

Every row has the file id and the position where a person finds it in the file. (file_id, entry_ordinal),
(file_id, statement_ordinal) and (file_id, remittance_ordinal) name one entry, statement, remittance.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from o2c.sources.bank.model import ZERO, Balance, Charge, Entry, Issue, Remittance, RemittanceLine, Statement

AMOUNT = pl.Decimal(38, 6)
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
        references=pl.List(pl.String()),
    ),
    "remittances": _schema(
        "file_id remittance_ordinal position format reference currency_code total_amount payer_name payer_id"
        " payer_account payer_bank payment_date method entry_ordinal other_references text",
        other_references=pl.List(pl.String()),
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
        self._summed.add(statement.entries)
        entries = statement.entries
        self._write("entries", [_entry(self.file_id, statement, one) for one in entries])
        self._write("details", [_detail(self.file_id, one, part) for one in entries for part in one.details])
        self._write(
            "lines",
            [
                _line(self.file_id, line, entry=one.ordinal, detail=part.ordinal)
                for one in entries
                for part in one.details
                for line in part.lines
            ],
        )
        self.add_issues(issues)
        if is_last:
            self._write("statements", [_statement(self.file_id, statement, self._summed)])
            self._summed = _Summed()

    def add_remittances(self, remittances: Iterable[Remittance]) -> None:
        """Remittances with their lines."""
        remittances = list(remittances)
        self._write("remittances", [_remittance(self.file_id, one) for one in remittances])
        self._write(
            "lines",
            [_line(self.file_id, line, remittance=one.ordinal) for one in remittances for line in one.lines],
        )

    def add_issues(self, issues: Iterable[Issue]) -> None:
        rows = [{name: getattr(one, name, None) for name in TABLES["exceptions"]} for one in issues]
        self.exception_count += sum(row["severity"] == "exception" for row in rows)
        self._write("exceptions", [row | {"file_id": self.file_id} for row in rows])

    def publish(self) -> None:
        """Every table on disk under its name, empty ones too; the caller writes the receipt."""
        for table in TABLES:
            self._write(table, [], always=True)
            self._writers[table].close()
            temporary = self._temporary(table)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(table_path(self.folder, self.file_id, table))

    def discard(self) -> None:
        """Leave nothing behind of a file that was refused."""
        for table, writer in self._writers.items():
            writer.close()
            self._temporary(table).unlink(missing_ok=True)

    def _write(self, table: str, rows: list[dict[str, Any]], *, always: bool = False) -> None:
        if not rows and not (always and table not in self._writers):
            return
        arrow = pl.DataFrame(rows, schema=TABLES[table]).to_arrow(compat_level=pl.CompatLevel.oldest())
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(
                self._temporary(table), arrow.schema, compression="zstd", compression_level=1
            )
        self.counts[table] += len(rows)
        if rows:
            self._writers[table].write_table(arrow)

    def _temporary(self, table: str) -> Path:
        return self.folder / f".{self.file_id}.{table}.{os.getpid()}.tmp"


def table_path(folder: Path, file_id: str, table: str) -> Path:
    """Where a table of a landed file lies."""
    return folder / f"{file_id}.{table}.parquet"


def _statement(file_id: str, one: Statement, summed: _Summed) -> dict[str, Any]:
    return {
        **_same(one, TABLES["statements"]),
        **_balance("opening", one.opening),
        **_balance("closing", one.closing),
        "file_id": file_id,
        "statement_ordinal": one.ordinal,
        "number": one.electronic_number or one.number,
        "last_date": one.last_date,
        "entry_count": summed.entry_count,
        "detail_count": summed.detail_count,
        "credit_amount": summed.credit,
        "debit_amount": summed.debit,
        "digest": f"{summed.digest:032x}",
    }


def _balance(name: str, one: Balance | None) -> dict[str, Any]:
    return {
        f"{name}_amount": one.amount if one else None,
        f"{name}_code": one.code if one else None,
        f"{name}_date": one.balance_date if one else None,
    }


def _entry(file_id: str, statement: Statement, one: Entry) -> dict[str, Any]:
    return {
        **_same(one, TABLES["entries"]),
        "file_id": file_id,
        "statement_ordinal": statement.ordinal,
        "entry_ordinal": one.ordinal,
        "charge_amount": sum((charge.amount for charge in one.charges), ZERO) if one.charges else None,
        "included_charge_amount": _included(one.charges),
        "detail_count": len(one.details),
    }


def _detail(file_id: str, entry: Entry, one: Any) -> dict[str, Any]:
    return {
        **_same(one, TABLES["details"]),
        "file_id": file_id,
        "entry_ordinal": entry.ordinal,
        "detail_ordinal": one.ordinal,
        "references": [each.text for each in one.references],
        "included_charge_amount": _included(one.charges),
    }


def _remittance(file_id: str, one: Remittance) -> dict[str, Any]:
    return {
        **_same(one, TABLES["remittances"]),
        "file_id": file_id,
        "remittance_ordinal": one.ordinal,
        "other_references": [each.text for each in one.other_references],
    }


def _line(
    file_id: str,
    one: RemittanceLine,
    entry: int | None = None,
    detail: int | None = None,
    remittance: int | None = None,
) -> dict[str, Any]:
    return {
        **_same(one, TABLES["lines"]),
        "file_id": file_id,
        "entry_ordinal": entry,
        "detail_ordinal": detail,
        "remittance_ordinal": remittance,
        "line_ordinal": one.ordinal,
    }


def _included(charges: tuple[Charge, ...]) -> Decimal | None:
    amounts = [one.amount for one in charges if one.is_included]
    return sum(amounts, ZERO) if amounts else None


def _same(one: object, schema: dict[str, pl.DataType]) -> dict[str, Any]:
    """Fields of the canonical row that have the name of a column."""
    return {name: getattr(one, name) for name in schema if hasattr(one, name)}
