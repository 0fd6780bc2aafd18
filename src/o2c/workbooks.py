"""Tables as XLSX and CSV for people: text stays text, amounts stay exact, the same rows give the same bytes.

XLSX keeps numbers as binary floats of 15 to 16 digits. Amounts are handed over as decimal digits, so a cell shows
the exact cent up to 15 digits (9,999,999,999,999.99); longer ones are written as text rather than a cent off.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TextIO, cast

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet as XlsxSheet

from o2c.money import minor_units

# What a spreadsheet takes for a formula at the start of a text cell of a CSV file, full-width and small forms too.
_FORMULA = re.compile("'*[\\s\0]*[=+\\-@\t\r\n\0＝＋－＠﹦﹢﹣﹫]")
_SHEET_ROWS = 1_048_575  # less the header
_CELL_CHARACTERS = 32_767
_CHOICES_CHARACTERS = 255
_EXACT_DIGITS = 15
_FIRST_SERIAL_DATE = date(1900, 3, 1)  # spreadsheets count a 29 February 1900 that never was
_DAY_ZERO = date(1899, 12, 30)


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, the frame's column, what it holds.

    ``money`` takes its currency from the frame's column ``currency_of``. ``entry`` is empty, for a person to fill;
    ``choices`` offers what may be typed.
    """

    heading: str
    name: str
    kind: Literal["text", "money", "count", "ratio", "percent", "date", "entry"] = "text"
    width: int = 14
    currency_of: str = "currency_code"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A named table of a workbook, in the order of the frame's rows."""

    name: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    frozen_columns: int = 0


class _PlainSheet(XlsxSheet):
    """A sheet whose texts are texts.

    xlsxwriter writes a string between ``<r>`` and ``</r>`` into the file as it is, taking it for its own rich text, so
    that a customer of that name could bring cells and formulas of its own. Here every string is escaped; it is
    also the inner loop, and takes half the time.
    """

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind, out = type(cell).__name__, cast(TextIO, self.fh)
        if kind not in ("String", "Number"):
            super()._write_cell(row, col, cell)
            return
        look = f' s="{cell.format._get_xf_index()}"' if cell.format else ""
        if kind == "Number":
            out.write(f'<c r="{_letters(col)}{row + 1}"{look}><v>{cell.number:.16G}</v></c>')
            return
        text = cell.string
        if not text.isprintable() or "_x" in text:
            text = self._escape_control_characters(text)
        if "&" in text or "<" in text or ">" in text:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        out.write(
            f'<c r="{_letters(col)}{row + 1}"{look} t="inlineStr">'
            f'<is><t xml:space="preserve">{text}</t></is></c>'
        )


_letters = lru_cache(maxsize=None)(xl_col_to_name)


def file_name(*parts: str, suffix: str) -> str:
    """A file name of letters, digits, ``.``, ``_`` and ``-`` alone, different for different parts.

    A part that had to be changed ends in a short hash of what it was, so that ``A/1`` and ``A_1`` do not meet.
    """
    safe = []
    for part in parts:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-")[:60]
        safe.append(
            plain if plain == part else f"{plain}-{sha256(part.encode()).hexdigest()[:8]}".lstrip("-")
        )
    return "_".join(safe) + suffix


def write_workbook(path: Path, sheets: Sequence[Sheet], as_of: date, title: str) -> Path:
    """Write the sheets to one XLSX file, in bounded memory, replacing the file in one step."""
    beside = path.with_name(f".{path.name}.new")
    with Workbook(
        beside,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    ) as book:
        book.set_properties({"title": title, "created": datetime.combine(as_of, time(), tzinfo=UTC)})
        formats: dict[str, Any] = {}
        for sheet in sheets:
            slices = list(sheet.frame.iter_slices(_SHEET_ROWS)) or [sheet.frame]
            for number, rows in enumerate(slices, start=1):
                name = sheet.name if number == 1 else f"{sheet.name} ({number})"
                _write_sheet(book, formats, name, sheet, rows, as_of)
    return beside.replace(path)


def write_csv(path: Path, frame: pl.DataFrame, columns: Sequence[Column]) -> Path:
    """Write the table as CSV (UTF-8, comma, line feed): text quoted, numbers and ISO dates bare, nothing a formula.

    Text that a spreadsheet would run gets an apostrophe in front (``unguarded`` takes it off again).
    """
    writers = [_csv_writer(column) for column in columns]
    currencies = _currency_positions(frame, columns)
    places = [frame.get_column_index(column.name) if column.kind != "entry" else -1 for column in columns]
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as handle:
        handle.write(",".join(f'"{column.heading}"' for column in columns) + "\n")
        for row in frame.iter_rows():
            cells = [
                "" if place < 0 or (value := row[place]) is None else write(value, row[currency])
                for write, place, currency in zip(writers, places, currencies, strict=True)
            ]
            handle.write(",".join(cells) + "\n")
    return beside.replace(path)


def guarded(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that ``guarded`` was given."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def _csv_writer(column: Column) -> Callable[[Any, Any], str]:
    if column.kind == "money":
        return lambda amount, currency: _digits(amount, currency)
    if column.kind in ("count", "ratio", "percent", "date"):
        return lambda value, _: str(value)
    return lambda text, _: '"' + guarded(text).replace('"', '""') + '"'


def _digits(amount: Decimal, currency_code: str) -> str:
    """The amount with the decimals of its currency, or with more where it has more."""
    short = f"{amount:.{minor_units(currency_code)}f}"
    return short if Decimal(short) == amount else f"{amount:f}"


def _currency_positions(frame: pl.DataFrame, columns: Sequence[Column]) -> list[int]:
    return [frame.get_column_index(column.currency_of) if column.kind == "money" else 0 for column in columns]


def _write_sheet(
    book: Any, formats: dict[str, Any], name: str, sheet: Sheet, rows: pl.DataFrame, as_of: date
) -> None:
    page = book.add_worksheet(name, worksheet_class=_PlainSheet)
    page.freeze_panes(1, sheet.frozen_columns)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.set_footer(f"&L{name}, {as_of.isoformat()}&R&P / &N")

    heading = _format(book, formats, "heading")
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width)
        page.write_string(0, at, column.heading, heading)
    writers = [_cell_writer(book, formats, page, column) for column in sheet.columns]
    currencies = _currency_positions(rows, sheet.columns)
    places = [rows.get_column_index(column.name) if column.kind != "entry" else 0 for column in sheet.columns]
    cells = list(zip(range(len(places)), writers, places, currencies, strict=True))
    for number, row in enumerate(rows.iter_rows(), start=1):
        for at, write, place, currency in cells:
            value = row[place]
            if value is not None:
                write(number, at, value, row[currency])
    page.autofilter(0, 0, max(rows.height, 1), len(sheet.columns) - 1)
    for at, column in enumerate(sheet.columns):
        if len(",".join(column.choices)) > _CHOICES_CHARACTERS:
            raise ValueError(f"{name}: the choices of {column.heading} are too long for a drop-down list")
        if column.choices and rows.height:
            page.data_validation(
                1,
                at,
                rows.height,
                at,
                {
                    "validate": "list",
                    "source": list(column.choices),
                    "error_title": column.heading,
                    "error_message": "Please choose from the list.",
                },
            )


def _cell_writer(
    book: Any, formats: dict[str, Any], page: Any, column: Column
) -> Callable[[int, int, Any, Any], None]:
    """A function (row, column, value, currency) for one kind of cell."""
    if column.kind == "money":
        by_currency: dict[str, Any] = {}

        def write_money(row: int, at: int, amount: Decimal, currency_code: str) -> None:
            if currency_code not in by_currency:
                by_currency[currency_code] = _format(book, formats, f"money {currency_code}")
            if len(amount.normalize().as_tuple().digits) > _EXACT_DIGITS:
                page.write_string(row, at, _digits(amount, currency_code), by_currency[currency_code])
            else:
                page.write_number(row, at, amount, by_currency[currency_code])

        return write_money
    look = _format(book, formats, column.kind)
    if column.kind in ("count", "ratio", "percent"):
        return lambda row, at, number, _: page.write_number(row, at, number, look)
    if column.kind == "date":

        def write_date(row: int, at: int, day: date, _: Any) -> None:
            if day < _FIRST_SERIAL_DATE:
                page.write_string(row, at, day.isoformat(), look)
            else:
                page.write_number(row, at, (day - _DAY_ZERO).days, look)

        return write_date
    if column.kind == "entry":
        return lambda row, at, _, __: page.write_blank(row, at, None, look)

    return lambda row, at, text, _: page.write_string(row, at, _fitting(text), look)


def _fitting(text: str) -> str:
    """The text, cut with a mark where a cell (of UTF-16 units) cannot hold it."""
    if 2 * len(text) <= _CELL_CHARACTERS or len(text.encode("utf-16-le")) // 2 <= _CELL_CHARACTERS:
        return text
    return f"{text[: _CELL_CHARACTERS // 2 - 40]} … (cut, {len(text)} characters)"


def _format(book: Any, formats: dict[str, Any], key: str) -> Any:
    """One format per kind of cell and currency, made when first asked for."""
    if key not in formats:
        formats[key] = book.add_format({"valign": "top", **_look(key)})
    return formats[key]


def _look(key: str) -> dict[str, Any]:
    kind, _, currency_code = key.partition(" ")
    if kind == "money":
        digits = minor_units(currency_code)
        number = "#,##0" + ("." + "0" * digits if digits else "")
        return {"num_format": f'{number} "{currency_code}";[Red]-{number} "{currency_code}"'}
    return {
        "heading": {"bold": True, "bg_color": "#E8EDF4", "bottom": 1, "text_wrap": True},
        "text": {"num_format": "@", "text_wrap": True},
        "entry": {
            "num_format": "@",
            "text_wrap": True,
            "bg_color": "#FFF8DC",
            "border": 1,
            "border_color": "#D9CFA8",
        },
        "count": {"num_format": "#,##0"},
        "ratio": {"num_format": "0.000"},
        "percent": {"num_format": "0.0%"},
        "date": {"num_format": "yyyy-mm-dd", "align": "left"},
    }[kind]
