"""Rows of a declared table, from delimited text or a workbook: texts by column, and where each row stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

import polars as pl

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Content
from o2c.sources.bank.table_form import TableForm
from o2c.sources.bank.workbook import Cell, sheet_rows
from o2c.sources.csv_reader import CsvReader
from o2c.sources.model import FileSpec
from o2c.sources.reading import MAX_COLUMNS, RefusedFile

Found = TypeVar("Found")
MOST_ROWS = 1_000_000
_LINE = re.compile(r"(?:near )?line ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows as texts, null where a cell is empty. ``positions`` says where each stands (``line 3``, ``row 3``).

    ``typed`` marks cells of a workbook that are numbers or days there, so that no declared form is needed to read
    them: they are in canonical text.
    """

    columns: list[str]
    frame: pl.DataFrame
    positions: list[str]
    typed: pl.DataFrame | None = None


def is_workbook(content: Content) -> bool:
    """Whether the content is a packed workbook rather than delimited text."""
    if isinstance(content, bytes):
        return content.startswith(b"PK")
    content.seek(0)
    head = content.read(2)
    content.seek(0)
    return head == b"PK"


def rows_of(content: Content, name: str, form: TableForm) -> Rows:
    """The rows of the table.

    Raises:
        RejectedFile: not a table of this form: other columns, uneven rows, cut off, another encoding, or damaged.
    """
    found = _workbook_rows(content, name, form) if is_workbook(content) else _text_rows(content, name, form)
    if missing := [column for column in form.header if column not in found.columns]:
        raise RejectedFile(
            name,
            "header",
            f"no column {', '.join(missing)}; it has {', '.join(found.columns)}",
            "declare a profile for it, or ask for the file in its usual form",
        )
    return found


def header_of(content: Content, name: str, form: TableForm) -> list[str]:
    """The columns the file would have by this form.

    Raises:
        RejectedFile: it has no header by this form.
    """
    if is_workbook(content):
        _, columns, _ = _sheet(content, name, form, most_rows=form.dialect.skip_lines + 1)
        return columns
    return _with_reader(content, name, form, lambda reader: reader.columns)


def _spec(form: TableForm) -> FileSpec:
    columns = None if form.dialect.header else form.header
    return FileSpec(path="table", format="csv", dialect=form.dialect, columns=columns)


def _with_reader(content: Content, name: str, form: TableForm, use: Callable[[CsvReader], Found]) -> Found:
    """The strict reader of delimited text needs a file: an unnamed copy, gone afterwards."""
    with NamedTemporaryFile(prefix="o2c-") as copy:
        if isinstance(content, bytes):
            copy.write(content)
        else:
            content.seek(0)
            while block := content.read(1 << 20):
                copy.write(block)
        copy.flush()
        try:
            return use(CsvReader(Path(copy.name), _spec(form)))
        except RefusedFile as error:
            found = _LINE.match(str(error))
            position = f"line {found[1]}" if found else "file"
            raise RejectedFile(
                name, position, str(error), "compare it with the profile, or ask for it again"
            ) from error


def _text_rows(content: Content, name: str, form: TableForm) -> Rows:
    def read(reader: CsvReader) -> Rows:
        frames, lines, count = [], [], 0
        for batch in reader.batches():
            if batch.bad:
                first = batch.bad[0]
                raise _uneven(name, first.line, first.reason, len(batch.bad))
            frames.append(batch.frame)
            lines += batch.lines.to_list()
            count += batch.record_count
            if count > MOST_ROWS:
                raise RejectedFile(name, f"line {lines[-1]}", f"more than {MOST_ROWS} rows", "split the file")
        if reader.stated_count not in (None, count):
            reason = f"the trailer states {reader.stated_count} rows, there are {count}"
            raise RejectedFile(name, "trailer", reason, "ask for the file again")
        schema = dict.fromkeys(reader.columns, pl.String)
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
        return Rows(reader.columns, _trimmed(frame), [f"line {line}" for line in lines])

    return _with_reader(content, name, form, read)


def _uneven(name: str, line: int, reason: str, count: int) -> RejectedFile:
    more = f"; {count - 1} more lines like it" if count > 1 else ""
    return RejectedFile(
        name, f"line {line}", reason + more, "compare it with the profile, or ask for it again"
    )


def _trimmed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.all().str.strip_chars()).with_columns(
        pl.when(pl.all() == "").then(None).otherwise(pl.all()).name.keep()
    )


def _sheet(
    content: Content, name: str, form: TableForm, most_rows: int | None = None
) -> tuple[str, list[str], list[tuple[int, list[Cell]]]]:
    """The sheet's name, its columns by the header, and the rows below it."""
    sheet, found = sheet_rows(content, name, form.sheet, most_rows=most_rows or MOST_ROWS + 1000)
    skip = form.dialect.skip_lines
    rows = [(number, cells) for number, cells in found if number > skip]
    if most_rows is None:
        rows = _without_trailer(rows, name, form)
    if not form.dialect.header:
        return sheet, list(form.header), rows
    if not rows or rows[0][0] != skip + 1:
        raise RejectedFile(
            name, f"sheet {sheet}, row {skip + 1}", "no header there", "compare it with the profile"
        )
    columns = [cell.text for cell in rows[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    columns = [text or f"column_{number}" for number, text in enumerate(columns, 1)]
    if len(set(columns)) < len(columns) or not columns or len(columns) > MAX_COLUMNS:
        reason = "the header is empty, too wide, or names a column twice"
        raise RejectedFile(name, f"sheet {sheet}, row {skip + 1}", reason, "compare it with the profile")
    return sheet, columns, rows[1:]


def _without_trailer(
    rows: list[tuple[int, list[Cell]]], name: str, form: TableForm
) -> list[tuple[int, list[Cell]]]:
    """The rows before the declared trailer, whose count must be theirs."""
    count = form.dialect.trailer_lines
    if not count:
        return rows
    kept, trailer = rows[:-count], rows[-count:]
    if form.dialect.trailer_count:
        text = "\n".join(" ".join(cell.text for cell in cells) for _, cells in trailer)
        found = re.search(form.dialect.trailer_count, text)
        stated = found[1] if found else None
        filled = len(kept) - form.dialect.header
        if stated != str(filled):
            reason = f"the trailer states {stated} rows, there are {filled}"
            raise RejectedFile(name, "trailer", reason, "ask for the file again")
    return kept


def _workbook_rows(content: Content, name: str, form: TableForm) -> Rows:
    sheet, columns, rows = _sheet(content, name, form)
    width = len(columns)
    texts: list[list[str | None]] = []
    typed: list[list[bool]] = []
    positions = []
    for number, cells in rows:
        if not any(cell.text for cell in cells):
            continue
        if any(cell.text for cell in cells[width:]):
            reason = f"a cell to the right of the {width} columns of the header"
            raise RejectedFile(name, f"sheet {sheet}, row {number}", reason, "compare it with the profile")
        padded = [*cells[:width], *[Cell("", is_typed=False)] * (width - len(cells))]
        texts.append([cell.text or None for cell in padded])
        typed.append([cell.is_typed for cell in padded])
        positions.append(f"row {number}")
    frame = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="row")
    marks = pl.DataFrame(typed, schema=dict.fromkeys(columns, pl.Boolean), orient="row")
    return Rows(columns, frame, positions, marks)
