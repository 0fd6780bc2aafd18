"""The stored values of one sheet of a workbook (xlsx): no formula is computed, no link followed, no macro looked at.

Own reader rather than openpyxl: that gives numbers as floats, fills in every cell a file claims to have (a dimension
of a million rows is a hang), and answers damaged files with a dozen kinds of errors. Office Open XML, ECMA-376 part 1,
18.3 (worksheets), 18.4 (shared strings), 18.8 (styles).
"""

import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from io import BytesIO
from typing import Any

from lxml import etree  # ty: ignore[missing-module-member]

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Content
from o2c.sources.bank.xml_safety import PARSER, refuse_unsafe_prolog

# Caps on what one workbook unpacks to; a remittance of 100,000 lines is 20 MB.
LARGEST_PART, MOST_CELLS, MOST_PARTS, WIDEST = 128 << 20, 5_000_000, 2_000, 500
MAX_RATIO, FREE_BYTES = 200, 1 << 20
ASK = "save the workbook again, or deliver it as CSV"

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
# A double has 15 decimal digits for certain; a spreadsheet shows no more, and the rest is noise of binary fractions.
_SHOWN = Context(prec=15, rounding=ROUND_HALF_EVEN)
# Built-in number formats that are days (18.8.30): with and without time, also those of East Asia.
_DAY_FORMATS = frozenset({14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)})
# Quoted text, escaped letters, colours and locales say nothing about what a format shows.
_NO_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_FIRST_DAYS = {"1900": date(1899, 12, 30), "1904": date(1904, 1, 1)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A stored value as text: numbers with a decimal point, days as ISO dates. ``is_typed`` where it is no text.

    ``is_formula``: a formula made the value, which nobody typed.
    """

    text: str
    is_typed: bool
    is_formula: bool = field(default=False, compare=False)


def sheet_rows(
    content: Content, name: str, sheet: str | None, *, most_rows: int
) -> tuple[str, list[tuple[int, list[Cell]]]]:
    """Name of the sheet and its filled rows with their numbers, up to ``most_rows``.

    Args:
        content: the packed workbook.
        name: of the file, for messages.
        sheet: its name; None takes the only visible one.
        most_rows: rows of higher numbers are left out where only a header is wanted.

    Raises:
        RejectedFile: damaged, too large, unsafe XML, no such sheet or several, a formula without a stored value, an
            error in a cell, or a cell that cannot be read.
    """
    with _archive(content, name) as archive:
        parts = _Parts(archive, name)
        title, path, first_day = _chosen_sheet(parts, sheet)
        strings = list(_shared_strings(parts))
        reading = _Sheet(parts, title, strings, _day_styles(parts), first_day, most_rows)
        return title, list(reading.rows(path))


@contextmanager
def _archive(content: Content, name: str) -> Generator[zipfile.ZipFile]:
    stream = BytesIO(content) if isinstance(content, bytes) else content
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except RejectedFile:
        raise
    except etree.XMLSyntaxError as error:
        reason = f"a part of the workbook is not well-formed XML ({error.msg})"
        raise RejectedFile(name, "workbook", reason, ASK) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        raise RejectedFile(name, "workbook", f"damaged ({error})", ASK) from error


class _Parts:
    """The XML parts of a workbook by path, each unpacked within caps and looked at before it is parsed."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name
        self.names = {one.filename for one in archive.infolist()}
        if len(archive.infolist()) > MOST_PARTS or len(self.names) < len(archive.infolist()):
            raise self.refusal("workbook", f"more than {MOST_PARTS} parts, or two of one name")
        self.left = LARGEST_PART

    def events(self, path: str, *tags: str) -> Iterator[Any]:
        """Elements of these names as they end; what they held is dropped afterwards."""
        content = self._content(path)
        refuse_unsafe_prolog(content, self.name)
        wanted = [f"{{*}}{tag}" for tag in tags]
        for _, element in etree.iterparse(BytesIO(content), events=("end",), tag=wanted, **PARSER):
            yield element
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]

    def _content(self, path: str) -> bytes:
        if path not in self.names:
            raise self.refusal(path, "a part is missing")
        info = self.archive.getinfo(path)
        packed = max(info.compress_size, 1)
        blocks, size = [], 0
        with self.archive.open(info) as source:
            while block := source.read(1 << 18):
                blocks.append(block)
                size += len(block)
                if size > self.left or (size > FREE_BYTES and size > MAX_RATIO * packed):
                    raise self.refusal(path, "it unpacks to too much")
        self.left -= size
        return b"".join(blocks)

    def refusal(self, where: str, reason: str) -> RejectedFile:
        return RejectedFile(self.name, where, reason, ASK)


def _chosen_sheet(parts: _Parts, wanted: str | None) -> tuple[str, str, date]:
    """Title and path of the sheet, and the day that serial number 0 stands for."""
    sheets: dict[str, str] = {}
    first_day = _FIRST_DAYS["1900"]
    for element in parts.events("xl/workbook.xml", "sheet", "workbookPr"):
        if element.tag.endswith("}workbookPr"):
            first_day = _FIRST_DAYS["1904" if element.get("date1904") in ("1", "true") else "1900"]
        elif element.get("state", "visible") == "visible" or element.get("name") == wanted:
            target = next((text for key, text in element.attrib.items() if key.endswith("}id")), "")
            sheets[element.get("name") or ""] = target
    if wanted is None and len(sheets) != 1:
        raise parts.refusal("workbook", f"{len(sheets)} visible sheets; the profile must say which (`sheet`)")
    title = wanted if wanted is not None else next(iter(sheets))
    if title not in sheets:
        raise parts.refusal("workbook", f"no sheet {title!r}; it has {', '.join(sheets)}")
    for element in parts.events("xl/_rels/workbook.xml.rels", "Relationship"):
        if element.get("Id") == sheets[title] and element.get("TargetMode") != "External":
            target = element.get("Target") or ""
            return title, target.removeprefix("/") if target.startswith("/") else f"xl/{target}", first_day
    raise parts.refusal("workbook", f"sheet {title!r} has no part")


def _shared_strings(parts: _Parts) -> Iterator[str]:
    if "xl/sharedStrings.xml" in parts.names:
        for element in parts.events("xl/sharedStrings.xml", "si"):
            yield _text_of(element)


def _text_of(element: Any) -> str:
    """All text runs of a string, without its phonetic ones."""
    return "".join(one.text or "" for one in element.iter("{*}t") if not one.getparent().tag.endswith("}rPh"))


def _day_styles(parts: _Parts) -> frozenset[int]:
    """Numbers of the cell styles that show a day."""
    if "xl/styles.xml" not in parts.names:
        return frozenset()
    formats = set(_DAY_FORMATS)
    found: set[int] = set()
    for element in parts.events("xl/styles.xml", "numFmt", "cellXfs"):
        if element.tag.endswith("}numFmt"):
            code = _NO_FORMAT.sub("", element.get("formatCode") or "").lower()
            number = int(element.get("numFmtId") or -1)
            formats.discard(number)
            if "d" in code and ("m" in code or "y" in code):
                formats.add(number)
        else:
            found = {at for at, one in enumerate(element) if int(one.get("numFmtId") or 0) in formats}
    return frozenset(found)


@dataclass
class _Sheet:
    """What is needed to read the cells of one sheet."""

    parts: _Parts
    title: str
    strings: list[str]
    day_styles: frozenset[int]
    first_day: date
    most_rows: int
    cell_count: int = 0

    def rows(self, path: str) -> Iterator[tuple[int, list[Cell]]]:
        before = 0
        for element in self.parts.events(path, "row"):
            number = int(element.get("r") or before + 1)
            if number <= before:
                raise self._refusal(number, "rows are out of order")
            before = number
            if number > self.most_rows:
                return
            cells = self._cells(element, number)
            if any(cell.text for cell in cells):
                yield number, cells

    def _cells(self, row: Any, number: int) -> list[Cell]:
        cells: list[Cell] = []
        space = row.tag.removesuffix("row")
        for element in row.iterchildren(f"{space}c"):
            column = self._column(element.get("r"), number, len(cells))
            if column < len(cells) or column >= WIDEST:
                raise self._refusal(number, f"a cell out of order, or more than {WIDEST} columns")
            self.cell_count += 1 + column - len(cells)
            if self.cell_count > MOST_CELLS:
                raise self._refusal(number, f"more than {MOST_CELLS} cells")
            cells += [Cell("", is_typed=False)] * (column - len(cells))
            cell = self._cell(element, space, number, column)
            has_formula = any(one.tag == f"{space}f" for one in element)
            cells.append(replace(cell, is_formula=True) if has_formula else cell)
        return cells

    def _column(self, reference: str | None, number: int, following: int) -> int:
        """Number of the column from ``B7``, counted from 0; without a reference the next one."""
        if reference is None:
            return following
        found = _REFERENCE.fullmatch(reference)
        if not found or int(found[2]) != number:
            raise self._refusal(number, f"a cell with the reference {reference[:20]!r}")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        return column - 1

    def _cell(self, element: Any, space: str, number: int, column: int) -> Cell:
        kind, parts = element.get("t", "n"), {one.tag: one for one in element}
        if kind == "inlineStr":
            inline = parts.get(f"{space}is")
            return Cell(_text_of(inline).strip() if inline is not None else "", is_typed=False)
        value = parts.get(f"{space}v")
        stored = (value.text or "") if value is not None else None
        if stored is None or (not stored and kind != "str"):
            if f"{space}f" in parts:
                raise self._refusal(number, f"column {column + 1}: a formula without a stored value")
            return Cell("", is_typed=False)
        match kind:
            case "s":
                if not stored.isdecimal() or len(stored) > 9 or int(stored) >= len(self.strings):
                    raise self._refusal(
                        number, f"column {column + 1}: shared string {stored[:20]!r} does not exist"
                    )
                return Cell(self.strings[int(stored)].strip(), is_typed=False)
            case "str":
                return Cell(stored.strip(), is_typed=False)
            case "n":
                is_day = int(element.get("s") or 0) in self.day_styles
                return Cell(self._number(stored, number, column, is_day=is_day), is_typed=True)
            case "d":
                return Cell(stored.strip()[:10], is_typed=True)
            case "b":
                return Cell("true" if stored.strip() == "1" else "false", is_typed=True)
        raise self._refusal(number, f"column {column + 1}: {stored[:20]!r} is an error, no value")

    def _number(self, stored: str, number: int, column: int, *, is_day: bool) -> str:
        """The number as it is shown with all its digits, at most 15; or the day that it stands for."""
        if not _NUMBER.fullmatch(stored.strip()):
            raise self._refusal(number, f"column {column + 1}: {stored[:20]!r} is no number")
        value = _SHOWN.create_decimal(stored.strip())
        if not is_day:
            # 100 may be stored as 1E2. Of more than 15 digits some are lost: then the exponent stays, none is made up.
            return format(value.normalize(_SHOWN), "f") if abs(value) < Decimal("1e15") else str(value)
        days = int(value)
        if not 60 < days < 73_051:
            raise self._refusal(
                number, f"column {column + 1}: day {stored[:20]} is before 1900-03-01 or after 2099"
            )
        return (self.first_day + timedelta(days=days)).isoformat()

    def _refusal(self, number: int, reason: str) -> RejectedFile:
        return self.parts.refusal(f"sheet {self.title}, row {number}", reason)
