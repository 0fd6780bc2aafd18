"""The exceptions list as it comes back: rows with something decided, as text, with every fault of form in them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from o2c.cash_workbook import ACTIONS, CANDIDATE, EXCEPTIONS, HEADINGS
from o2c.sources.bank.errors import printable
from o2c.sources.bank.workbook import Cell, sheet_rows
from o2c.workbooks import unguarded

MOST_BYTES = 64 << 20
_MOST_ROWS = 1_048_576
_AMOUNT = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,4})?", re.ASCII)
_CANDIDATE = re.compile(rf"{CANDIDATE}\s*#?\s*([0-9]{{1,3}})", re.ASCII)
# What goes with each decision: needed, and allowed beside. A note always is.
_NEEDED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "apply": (("invoice",), ("amount",)),
    "credit": (("invoice", "credit_memo"), ("amount",)),
    "discount": (("invoice", "amount"), ()),
    "write_off": (("invoice", "amount"), ()),
    "deduct": (("invoice", "amount", "reason_code"), ()),
    "assign": (("customer_id",), ("remember",)),
    "unassign": ((), ()),
    "reverse": ((), ("invoice", "application_id")),
    CANDIDATE: ((), ("remember", "reason_code")),
}
_SPELLINGS = {action.replace(" ", "_"): action.replace(" ", "_") for action in ACTIONS}
_SPELLINGS |= {"take_back": "reverse", "reverse": "reverse"}
_YES_NO = {"yes": True, "no": False, "true": True, "false": False}


class DecisionsRefused(ValueError):
    """A file of decisions has faults: nothing of it was recorded. The message names each."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one cell: row of the sheet, the field of ``HEADINGS``, and why."""

    row: int
    name: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """One row in which something was decided. ``decision`` is an action, or ``candidate`` with its number."""

    row: int
    payment_id: str
    code: str | None
    decision: str
    candidate: int | None
    invoice: str | None
    credit_memo: str | None
    amount: Decimal | None
    customer_id: str | None
    reason_code: str | None
    application_id: str | None
    remember: bool | None
    note: str | None


@dataclass(frozen=True)
class SheetRead:
    """Entries in the order of rows, and faults of form. ``columns`` says at which place each field stands."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    columns: dict[str, int]
    is_workbook: bool


def read_sheet(path: Path) -> SheetRead:
    """Read the exceptions workbook (its first sheet) or its CSV with the decision columns filled in.

    Raises:
        DecisionsRefused: no such file, too large, not readable as either, or columns are missing or stand twice.
        RejectedFile: the workbook is damaged or unsafe.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DecisionsRefused(f"{path}: cannot be read ({error.strerror}). Nothing was recorded.") from None
    if len(content) > MOST_BYTES:
        raise DecisionsRefused(f"{path}: {len(content):,} bytes is no exceptions list. Nothing was recorded.")
    is_workbook = content[:2] == b"PK"
    rows = list(_workbook_rows(content, path) if is_workbook else _csv_rows(content, path))
    header = [cell.text for cell in rows[0][1]] if rows else []
    columns = {name: header.index(heading) for name, heading in HEADINGS.items() if heading in header}
    missing = [heading for name, heading in HEADINGS.items() if name not in columns]
    twice = [heading for heading in HEADINGS.values() if header.count(heading) > 1]
    if missing or twice:
        faults = [f"column {heading!r} is missing" for heading in missing]
        faults += [f"column {heading!r} stands twice" for heading in twice]
        raise DecisionsRefused(
            f"{path}: not the exceptions list ({'; '.join(faults)}). Nothing was recorded."
            " Give the workbook or the CSV as o2c wrote it, with its yellow columns filled in."
        )
    entries, faults = _entries(rows[1:], columns)
    return SheetRead(tuple(entries), tuple(faults), columns, is_workbook)


def _workbook_rows(content: bytes, path: Path) -> Iterator[tuple[int, list[Cell]]]:
    _, rows = sheet_rows(content, path.name, EXCEPTIONS, most_rows=_MOST_ROWS)
    yield from rows


def _csv_rows(content: bytes, path: Path) -> Iterator[tuple[int, list[Cell]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DecisionsRefused(
            f"{path}: not UTF-8 at byte {error.start}. Nothing was recorded. Save it as CSV UTF-8, or as XLSX."
        ) from None
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width = None
    try:
        for cells in reader:
            width = width or len(cells)
            if not any(cells):
                continue
            if len(cells) != width:
                raise DecisionsRefused(
                    f"{path}: line {reader.line_num} has {len(cells)} fields, the header {width}."
                    " Nothing was recorded."
                )
            # what a spreadsheet would have run was written with an apostrophe before it
            yield (
                reader.line_num,
                [
                    Cell(unguarded(cell.strip()), is_typed=False, is_formula=cell.lstrip().startswith("="))
                    for cell in cells
                ],
            )
    except csv.Error as error:
        raise DecisionsRefused(f"{path}: line {reader.line_num}: {error}. Nothing was recorded.") from None


def _entries(
    rows: Iterable[tuple[int, list[Cell]]], columns: dict[str, int]
) -> tuple[list[Entry], list[Fault]]:
    entries, faults = [], []
    for number, cells in rows:
        row = {
            name: cells[place] for name, place in columns.items() if place < len(cells) and cells[place].text
        }
        if not set(row) - {"payment_id", "code"}:
            continue
        entry, found = _entry(number, row)
        faults += found
        if entry is not None:
            entries.append(entry)
    return entries, faults


def _entry(number: int, row: dict[str, Cell]) -> tuple[Entry | None, list[Fault]]:
    """What one row says, or every fault of form in it."""
    faults = [
        Fault(number, name, "a formula; type the value itself")
        for name, cell in row.items()
        if cell.is_formula
    ]
    said = {name: cell.text for name, cell in row.items()}
    decision, candidate = _decision(said.get("decision", ""))
    if "payment_id" not in said:
        faults.append(Fault(number, "payment_id", "no payment is named"))
    if "decision" not in said:
        faults.append(Fault(number, "decision", "something is filled in, but nothing is decided"))
    elif decision is None:
        known = ", ".join((f"{CANDIDATE} 1", *ACTIONS))
        faults.append(Fault(number, "decision", f"{printable(said['decision'], 40)!r} is none of {known}"))
    else:
        faults += _companions(number, decision, said)
    amount, remember = _amount(said.get("amount")), _YES_NO.get(said.get("remember", "").lower())
    if "amount" in said and amount is None:
        shown = printable(said["amount"], 40)
        faults.append(Fault(number, "amount", f"{shown!r} is no amount; write it like 1234.56"))
    if "remember" in said and remember is None:
        faults.append(Fault(number, "remember", "yes or no"))
    if faults or decision is None:
        return None, faults
    return (
        Entry(
            row=number,
            payment_id=said["payment_id"],
            code=said.get("code"),
            decision=decision,
            candidate=candidate,
            invoice=said.get("invoice"),
            credit_memo=said.get("credit_memo"),
            amount=amount,
            customer_id=said.get("customer_id"),
            reason_code=said.get("reason_code"),
            application_id=said.get("application_id"),
            remember=remember,
            note=said.get("note"),
        ),
        [],
    )


def _decision(text: str) -> tuple[str | None, int | None]:
    """The action that a person typed, or ``candidate`` and its number."""
    plain = " ".join(text.lower().split())
    if found := _CANDIDATE.fullmatch(plain):
        return CANDIDATE, int(found[1])
    return _SPELLINGS.get(plain.replace(" ", "_")), None


def _companions(number: int, decision: str, said: dict[str, str]) -> list[Fault]:
    needed, allowed = _NEEDED[decision]
    words = "take back" if decision == "reverse" else decision.replace("_", " ")
    faults = [Fault(number, name, f"{words} needs it") for name in needed if name not in said]
    others = set(said) - {"payment_id", "code", "decision", "note", *needed, *allowed}
    faults += [Fault(number, name, f"does not go with {words}") for name in HEADINGS if name in others]
    return faults


def _amount(text: str | None) -> Decimal | None:
    """An amount above zero with a decimal point, up to four places; None for anything else."""
    plain = (text or "").replace("\u00a0", "").replace(" ", "")
    if not _AMOUNT.fullmatch(plain):
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    return amount if amount > 0 else None
