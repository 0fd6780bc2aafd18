"""Text in a workbook or a CSV is text, an amount is exact, and the same rows give the same bytes."""

import csv
import zipfile
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from o2c.money import MONEY
from o2c.workbooks import Column, Sheet, file_name, guarded, unguarded, write_csv, write_workbook

AS_OF = date(2026, 3, 12)
COLUMNS = (
    Column("Name", "name", width=20),
    Column("Amount", "amount", "money"),
    Column("Days", "days", "count"),
    Column("Ratio", "ratio", "ratio"),
    Column("Used", "used", "percent"),
    Column("Due", "due", "date"),
    Column("Outcome", "", "entry", choices=("promise", "dispute")),
)


def table(*names, amount="1234.5", currency_code="EUR", due=date(2026, 2, 1)):
    return pl.DataFrame(
        {
            "name": list(names),
            "currency_code": [currency_code] * len(names),
            "amount": [Decimal(amount)] * len(names),
            "days": [-3] * len(names),
            "ratio": [Decimal("0.345")] * len(names),
            "used": [Decimal("1.25")] * len(names),
            "due": [due] * len(names),
        },
        schema_overrides={"amount": MONEY, "name": pl.String},
    )


def sheet_of(path, name="T"):
    return load_workbook(path)[name]


def written(tmp_path, frame, columns=COLUMNS):
    return write_workbook(
        tmp_path / "t.xlsx", [Sheet("T", frame, columns, frozen_columns=1)], AS_OF, title="T"
    )


def test_a_workbook_has_text_numbers_and_dates_of_the_right_kind(tmp_path):
    page = sheet_of(written(tmp_path, table("Acme")))
    assert [cell.value for cell in page[1]] == ["Name", "Amount", "Days", "Ratio", "Used", "Due", "Outcome"]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in page[2]] == [
        ("Acme", "s", "@"),
        (1234.5, "n", '#,##0.00 "EUR";[Red]-#,##0.00 "EUR"'),
        (-3, "n", "#,##0"),
        (0.345, "n", "0.000"),
        (1.25, "n", "0.0%"),
        (datetime(2026, 2, 1), "d", "yyyy-mm-dd"),  # noqa: DTZ001 (a cell has no time zone)
        (None, "n", "@"),
    ]


def test_a_sheet_can_be_filtered_scrolled_and_printed(tmp_path):
    page = sheet_of(written(tmp_path, table("A", "B")))
    assert (page.auto_filter.ref, page.freeze_panes) == ("A1:G3", "B2")
    assert (page.page_setup.orientation, page.page_setup.paperSize, page.print_title_rows) == (
        "landscape",
        9,
        "$1:$1",
    )
    assert [(str(rule.sqref), rule.formula1) for rule in page.data_validations.dataValidation] == [
        ("G2:G3", '"promise,dispute"')
    ]


def test_a_table_without_rows_is_a_heading(tmp_path):
    page = sheet_of(written(tmp_path, table()))
    assert [[cell.value for cell in row] for row in page.rows] == [[column.heading for column in COLUMNS]]


@pytest.mark.parametrize(
    ("currency_code", "amount", "shown", "number_format"),
    [
        ("JPY", "2500", "2500", '#,##0 "JPY";[Red]-#,##0 "JPY"'),
        ("KWD", "-0.125", "-0.125", '#,##0.000 "KWD";[Red]-#,##0.000 "KWD"'),
        ("EUR", "0.1", "0.10", '#,##0.00 "EUR";[Red]-#,##0.00 "EUR"'),
        ("EUR", "9999999999999.99", "9999999999999.99", '#,##0.00 "EUR";[Red]-#,##0.00 "EUR"'),
        ("EUR", "99999999999999.99", "99999999999999.99", '#,##0.00 "EUR";[Red]-#,##0.00 "EUR"'),
        ("EUR", "0.0001", "0.0001", '#,##0.00 "EUR";[Red]-#,##0.00 "EUR"'),
    ],
)
def test_an_amount_is_exact_and_has_the_decimals_of_its_currency(
    tmp_path, currency_code, amount, shown, number_format
):
    frame = table("Acme", amount=amount, currency_code=currency_code)
    cell = sheet_of(written(tmp_path, frame))["B2"]
    assert (Decimal(str(cell.value)), cell.number_format) == (Decimal(amount), number_format)
    path = write_csv(tmp_path / "t.csv", frame, COLUMNS)
    assert path.read_text().splitlines()[1] == f'"Acme",{shown},-3,0.345,1.25,2026-02-01,'


def test_a_day_before_spreadsheets_count_is_text(tmp_path):
    dates = [
        sheet_of(written(tmp_path, table("A", due=day)))["F2"]
        for day in (date(1900, 2, 28), date(1900, 3, 1))
    ]
    assert [cell.data_type for cell in dates] == ["s", "d"]
    assert (dates[0].value, dates[1].value.date()) == ("1900-02-28", date(1900, 3, 1))


def test_hostile_text_comes_back_from_a_workbook_as_it_was_and_is_never_a_formula(tmp_path):
    path = written(tmp_path, table(*HOSTILE))
    cells = [row[0] for row in sheet_of(path).iter_rows(min_row=2)]
    # openpyxl leaves the escapes of inline strings to the reader; spreadsheets show the character.
    assert tuple(unescape(cell.value) for cell in cells) == HOSTILE
    assert {cell.data_type for row in sheet_of(path).iter_rows() for cell in row} <= {"s", "n", "d"}
    assert all(cell.hyperlink is None for cell in cells)
    with zipfile.ZipFile(path) as parts:
        everything = b"".join(parts.read(name) for name in parts.namelist())
    assert b"<f>" not in everything.replace(b"&lt;f&gt;", b"")
    assert b'Target="http://evil' not in everything


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_any_text_comes_back_from_a_csv_and_no_cell_starts_a_formula(tmp_path_factory, names):
    path = write_csv(tmp_path_factory.mktemp("csv") / "t.csv", table(*names), COLUMNS)
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))[1:]
    assert [unguarded(row[0]) for row in rows] == names
    assert all(row[0].lstrip()[:1] not in set("=+-@＝＋－＠") or row[0][:1] == "'" for row in rows)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_guard_is_put_before_formulas_alone_and_comes_off_again(text):
    starts = text.lstrip("'").lstrip("\x00 \t\r\n")[:1]
    is_formula = starts in set("=+-@＝＋－＠") or text.lstrip("' ")[:1] in set("\t\r\n\x00")
    assert guarded(text) == (f"'{text}" if starts and is_formula else text)
    assert unguarded(guarded(text)) == text


def test_a_text_longer_than_a_cell_is_cut_with_a_mark(tmp_path):
    whole, longer, pairs = "x" * 32_767, "x" * 32_768, "👩" * 16_384
    page = sheet_of(written(tmp_path, table(whole, longer, pairs)))
    assert page["A2"].value == whole
    assert page["A3"].value.endswith("… (cut, 32768 characters)")
    assert page["A4"].value.endswith("… (cut, 16384 characters)")


def test_the_same_rows_give_the_same_bytes(tmp_path):
    frame = table(*HOSTILE)
    once = written(tmp_path, frame).read_bytes(), write_csv(tmp_path / "t.csv", frame, COLUMNS).read_bytes()
    again = written(tmp_path, frame).read_bytes(), write_csv(tmp_path / "t.csv", frame, COLUMNS).read_bytes()
    assert once == again
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.xlsx"]


def test_choices_that_a_drop_down_cannot_hold_are_refused(tmp_path):
    columns = (Column("Outcome", "", "entry", choices=("x" * 128, "y" * 128)), Column("Name", "name"))
    with pytest.raises(ValueError, match="choices of Outcome"):
        written(tmp_path, table("A"), columns)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_file_name_has_harmless_characters_alone_and_stays_one_name(tmp_path, text):
    name = file_name("worklist", text, "2026-03-12", suffix=".xlsx")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert (tmp_path / name).parent == tmp_path
    assert name.startswith("worklist_")
    assert len(name) < 110


def test_different_parts_have_different_names():
    assert file_name("worklist", "COL-1", suffix=".csv") == "worklist_COL-1.csv"
    names = [
        file_name("worklist", text, suffix=".csv") for text in (*HOSTILE, "a-b", "a_b", "-a-b", "A/1", "A_1")
    ]
    assert len(set(names)) == len(names)
