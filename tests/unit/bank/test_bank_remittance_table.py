"""Remittances as CSV or workbook by a declared profile, and what a workbook must not be."""

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from pydantic import ValidationError
from table_files import REMITTANCE, csv, profile, shared_workbook, with_part, workbook

from o2c.sources.bank import table
from o2c.sources.bank import workbook as books
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Remittance, RemittanceLine, content_id
from o2c.sources.bank.recognise import recognise
from o2c.sources.bank.unpack import unpacked

HEADER = "Invoice,Gross,Discount,Deduction,Reason,Paid,Payment"
SHEET = "xl/worksheets/sheet1.xml"


def _table(**changes: Any) -> dict[str, Any]:
    columns = REMITTANCE["remittance"] | changes.pop("columns", {})
    return REMITTANCE | {"remittance": {name: value for name, value in columns.items() if value}} | changes


def _read(content: bytes, declared: dict[str, Any] = REMITTANCE, **more: Any) -> BankFile:
    return table.read(content, "x", profile(declared, **more))


def _issues(found: BankFile) -> list[tuple[str, str, str]]:
    return [(one.severity, one.position, one.code) for one in found.exceptions]


def _line(
    number: int, position: str, invoice: str | None, *amounts: str | None, reason: str | None = None
) -> RemittanceLine:
    gross, discount, deduction, paid = (None if one is None else Decimal(one) for one in amounts)
    return RemittanceLine(
        ordinal=number,
        position=position,
        invoice_reference=invoice,
        paid_amount=paid,
        discount_amount=discount,
        deduction_amount=deduction,
        reason_code=reason,
        gross_amount=gross,
    )


ROWS = ["R-1,100.00,2.00,8.00,damaged,90.00,P1", "R-2,50.00,,,,50.00,P1", "C-3,-20.00,,,,-20.00,P1"]


def test_rows_of_one_payment_are_one_remittance() -> None:
    content = csv(HEADER, *ROWS, "R-4,7.00,,,,7.00,P2")
    found = _read(content)
    assert (found.format, found.version, found.statements, found.exceptions) == ("csv", "mine", (), ())
    assert found.remittances == (
        Remittance(
            ordinal=1,
            position="line 2",
            format="csv",
            reference="P1",
            currency_code="EUR",
            total_amount=Decimal("120.00"),
            file_id=content_id(content),
            lines=(
                _line(1, "line 2", "R-1", "100.00", "2.00", "8.00", "90.00", reason="damaged"),
                _line(2, "line 3", "R-2", "50.00", None, None, "50.00"),
                _line(3, "line 4", "C-3", "-20.00", None, None, "-20.00"),
            ),
        ),
        Remittance(
            ordinal=2,
            position="line 5",
            format="csv",
            reference="P2",
            currency_code="EUR",
            total_amount=Decimal("7.00"),
            file_id=content_id(content),
            lines=(_line(1, "line 5", "R-4", "7.00", None, None, "7.00"),),
        ),
    )


def test_without_a_payment_reference_the_file_is_one_remittance() -> None:
    (remittance,) = _read(csv(HEADER, *ROWS), _table(columns={"payment_reference": None})).remittances
    assert (remittance.reference, remittance.total_amount, len(remittance.lines)) == (
        None,
        Decimal("120.00"),
        3,
    )


@pytest.mark.parametrize("paid", ["89.99", "90.01", "-90.00", "100.00"])
def test_a_line_whose_amounts_do_not_tie_is_an_exception(paid: str) -> None:
    found = _read(csv(HEADER, f"R-1,100.00,2.00,8.00,x,{paid},P1"))
    assert _issues(found) == [("exception", "line 2", "remittance_does_not_sum")]
    assert found.remittances[0].lines[0].paid_amount == Decimal(paid)


def test_a_line_without_the_paid_amount_has_what_is_left_of_the_gross() -> None:
    declared = _table(columns={"paid_amount": None})
    assert _read(csv(HEADER, "R-1,100.00,2.00,8.00,x,,P1"), declared).remittances[0].total_amount == Decimal(
        "90.00"
    )
    assert _read(csv(HEADER, "R-1,100.00,2.00,8.00,x,,P1")).remittances[0].total_amount == Decimal("90.00")
    with pytest.raises(RejectedFile, match="no amount"):
        _read(csv(HEADER, "R-1,,2.00,8.00,x,,P1"))


@pytest.mark.parametrize(
    ("sign", "written"), [(None, "2.00"), ("negate", "-2.00"), ("absolute", "-2.00"), ("absolute", "2.00")]
)
def test_a_discount_is_positive_whatever_sign_the_payer_writes(sign: str | None, written: str) -> None:
    column = {"column": "Discount"} | ({"sign": sign} if sign else {})
    found = _read(
        csv(HEADER, f"R-1,100.00,{written},,,98.00,P1"), _table(columns={"discount_amount": column})
    )
    assert found.remittances[0].lines[0].discount_amount == Decimal("2.00")
    assert found.exceptions == ()


def test_a_line_without_an_invoice_is_kept_as_an_exception() -> None:
    found = _read(csv(HEADER, ROWS[0], ",,,,,5.00,P1"))
    assert found.remittances[0].total_amount == Decimal("95.00")
    assert found.remittances[0].lines[1] == _line(2, "line 3", None, None, None, None, "5.00")
    assert _issues(found) == [("exception", "line 3", "value_unreadable")]


TOTAL = _table(total_word="Total")


def test_the_total_row_is_the_payment_s_amount() -> None:
    found = _read(csv(HEADER, *ROWS, "Total,,,,,120.00,"), TOTAL)
    assert (found.remittances[0].total_amount, len(found.remittances[0].lines), found.exceptions) == (
        Decimal("120.00"),
        3,
        (),
    )
    off = _read(csv(HEADER, *ROWS, "Total,,,,,120.01,"), TOTAL)
    assert off.remittances[0].total_amount == Decimal("120.01")
    assert _issues(off) == [("exception", "line 2", "remittance_does_not_sum")]


def test_the_total_row_may_be_over_several_payments() -> None:
    rows = [*ROWS, "R-4,7.00,,,,7.00,P2"]
    assert _read(csv(HEADER, *rows, "Total,,,,,127.00,"), TOTAL).exceptions == ()
    found = _read(csv(HEADER, *rows, "Total,,,,,127.01,"), TOTAL)
    assert _issues(found) == [("exception", "total row", "remittance_does_not_sum")]
    assert [one.total_amount for one in found.remittances] == [Decimal("120.00"), Decimal("7.00")]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        [*ROWS, "total,,,,,120.00,"],
        ["Total,,,,,120.00,", *ROWS],
        [*ROWS, "Total,,,,,120.00,", "Total,,,,,120.00,"],
        [*ROWS, "Total,,,,,,"],
        [*ROWS, "Total,,,,,many,"],
        ["Total,,,,,0.00,"],
    ],
    ids=["none", "another word", "first", "twice", "no amount", "no number", "no lines"],
)
def test_a_declared_total_row_that_is_not_there_refuses_the_file(rows: list[str]) -> None:
    with pytest.raises(RejectedFile):
        _read(csv(HEADER, *rows), TOTAL)


def test_every_cut_of_a_remittance_with_a_total_is_refused() -> None:
    content = csv(HEADER, *ROWS, "Total,,,,,120.00,")
    for cut in range(len(content)):
        with pytest.raises(RejectedFile):
            _read(content[:cut], TOTAL)


def test_the_payment_s_amount_may_stand_in_each_row() -> None:
    declared = _table(header=[*REMITTANCE["header"], "Sum"], columns={"payment_amount": "Sum"})
    header = f"{HEADER},Sum"
    found = _read(csv(header, f"{ROWS[0]},140.00", f"{ROWS[1]},140.00"), declared)
    assert (found.remittances[0].total_amount, found.exceptions) == (Decimal("140.00"), ())
    found = _read(csv(header, f"{ROWS[0]},140.01", f"{ROWS[1]},"), declared)
    assert _issues(found) == [("exception", "line 2", "remittance_does_not_sum")]
    with pytest.raises(RejectedFile, match="different amounts"):
        _read(csv(header, f"{ROWS[0]},140.00", f"{ROWS[1]},140.01"), declared)


def test_all_that_a_payer_can_say_is_kept() -> None:
    names = {
        "currency": "Ccy",
        "payment_date": "Day",
        "payer_name": "Payer",
        "payer_id": "Number",
        "document_type": "Kind",
        "document_date": "Dated",
    }
    declared = _table(
        header=[*REMITTANCE["header"], *names.values(), "PO", "Ship", "Note"],
        columns=names | {"other_references": ["PO", "Ship"], "text": "Note"},
    )
    row = "R-1,100.00,2.00,8.00,d,90.00,P1,usd,2024-03-07,Acme,0042,invoice,2024-02-01,PO7,S8,hello"
    (remittance,) = _read(csv(",".join(declared["header"]), row), declared).remittances
    assert (
        remittance.currency_code,
        remittance.payment_date,
        remittance.payer_name,
        remittance.payer_id,
    ) == (
        "USD",
        date(2024, 3, 7),
        "Acme",
        "0042",
    )
    (line,) = remittance.lines
    assert (line.document_type, line.document_date, line.other_references, line.text) == (
        "invoice",
        date(2024, 2, 1),
        ("PO7", "S8"),
        "hello",
    )


def test_two_currencies_of_one_payment_are_two_remittances() -> None:
    declared = _table(header=[*REMITTANCE["header"], "Ccy"], columns={"currency": "Ccy"})
    found = _read(csv(f"{HEADER},Ccy", f"{ROWS[0]},EUR", f"{ROWS[1]},USD"), declared)
    assert [(one.reference, one.currency_code, one.total_amount) for one in found.remittances] == [
        ("P1", "EUR", Decimal("90.00")),
        ("P1", "USD", Decimal("50.00")),
    ]
    with pytest.raises(RejectedFile, match="several currencies"):
        _read(
            csv(f"{HEADER},Ccy", f"{ROWS[0]},EUR", f"{ROWS[1]},USD", "Total,,,,,140.00,,"),
            declared | {"total_word": "Total"},
        )


@pytest.mark.parametrize(
    "content", [csv(HEADER), csv(HEADER, "R-1,1,0,0,,one,P1"), csv(HEADER, "2960623488.0,1,0,0,,1,P1")]
)
def test_a_remittance_without_lines_or_with_an_unreadable_one_is_refused(content: bytes) -> None:
    with pytest.raises(RejectedFile):
        _read(content)


@pytest.mark.parametrize(
    "columns", [{"paid_amount": None, "gross_amount": None}, {"invoice_reference": None}]
)
def test_a_profile_without_amount_or_invoice_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        profile(_table(columns=columns))


BOOK_ROWS = [
    REMITTANCE["header"],
    ["R-1", 100, 2.0, "8.00", "damaged", 90, "P1"],
    ["R-2", 50.1, None, None, None, 50.10, "P1"],
    ["C-3", -20, None, None, None, "-20.00", "P1"],
]


def test_a_workbook_reads_as_its_text_would() -> None:
    content = workbook(*BOOK_ROWS)
    assert recognise(content, "x") == "xlsx"
    found = _read(content)
    (remittance,) = found.remittances
    assert (found.format, remittance.format, remittance.total_amount) == ("xlsx", "xlsx", Decimal("120.10"))
    assert remittance.lines == (
        _line(1, "row 2", "R-1", "100.00", "2.00", "8.00", "90.00", reason="damaged"),
        _line(2, "row 3", "R-2", "50.10", None, None, "50.10"),
        _line(3, "row 4", "C-3", "-20.00", None, None, "-20.00"),
    )
    assert str(remittance.lines[1].paid_amount) == "50.10"


def test_a_total_row_of_a_workbook_and_blank_rows_around_it() -> None:
    content = workbook(*BOOK_ROWS, [], [" "], ["Total", None, None, None, None, 120.1], [None])
    assert _read(content, TOTAL).exceptions == ()


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (100, "100"),
        (0.1 + 0.2, "0.3"),
        (1.005, "1.005"),
        (1e2, "100"),
        (-0.5, "-0.5"),
        (0, "0"),
        (123456789012345, "123456789012345"),
        (1234567890123456789, "1.23456789012346E+18"),
        (True, "true"),
        ("007", "007"),
        (" x ", "x"),
        (datetime(2024, 2, 29, 23, 59), "2024-02-29"),  # noqa: DTZ001 - a cell has no zone
        (date(1999, 12, 31), "1999-12-31"),
    ],
)
def test_a_cell_is_the_text_of_what_is_shown(stored: object, text: str) -> None:
    _, rows = books.sheet_rows(workbook([stored]), "x", None, most_rows=10)
    assert [[cell.text for cell in cells] for _, cells in rows] == [[text]]


def test_cells_of_a_real_workbook_are_those_that_openpyxl_finds() -> None:
    path = Path(__file__).parents[4] / "shared" / "data" / "bank_csv" / "oca" / "sample_statement_en.xlsx"
    if not path.exists():
        pytest.skip("the shared files are not on this machine")
    content = path.read_bytes()
    title, rows = books.sheet_rows(content, "x", None, most_rows=1000)
    sheet = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)[title]
    expected = [[_openpyxl_text(cell.value) for cell in row] for row in sheet.iter_rows()]
    assert [[*(cell.text for cell in cells), *[""] * (7 - len(cells))] for _, cells in rows] == expected


def _openpyxl_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)


def test_texts_that_stand_apart_are_found_by_their_number() -> None:
    content = shared_workbook(["a", "b"], ["b", " c "])
    _, rows = books.sheet_rows(content, "x", None, most_rows=10)
    assert [[cell.text for cell in cells] for _, cells in rows] == [["a", "b"], ["b", "c"]]
    rich = with_part(
        content, "xl/sharedStrings.xml", b"<t>b</t>", b"<r><t>b</t></r><r><t>ee</t></r><rPh><t>x</t></rPh>"
    )
    _, rows = books.sheet_rows(rich, "x", None, most_rows=10)
    assert [cell.text for cell in rows[0][1]] == ["a", "bee"]
    for number in (b"3", b"-1", b"1e0", b"9999999999"):
        broken = with_part(
            content, SHEET, b'<c r="A1" t="s"><v>0</v>', b'<c r="A1" t="s"><v>' + number + b"</v>"
        )
        with pytest.raises(RejectedFile, match="shared string"):
            books.sheet_rows(broken, "x", None, most_rows=10)


def test_a_number_is_no_day_and_a_long_number_no_reference() -> None:
    declared = _table(header=[*REMITTANCE["header"], "Day"], columns={"payment_date": "Day"})
    header = [*REMITTANCE["header"], "Day"]
    row = ["R-1", 100, 2, 8, "x", 90, "P1"]
    assert _read(workbook(header, [*row, date(2024, 3, 7)]), declared).remittances[0].payment_date == date(
        2024, 3, 7
    )
    with pytest.raises(RejectedFile, match="Day"):
        _read(workbook(header, [*row, 45358]), declared)
    with pytest.raises(RejectedFile, match="spreadsheet"):
        _read(workbook(REMITTANCE["header"], [12345678901234567890, *row[1:]]))


def test_the_sheet_is_the_declared_one_or_the_only_visible_one() -> None:
    two = workbook(*BOOK_ROWS, title="Paid", others=("Notes",))
    with pytest.raises(RejectedFile, match="2 visible sheets"):
        _read(two)
    assert _read(two, _table(sheet="Paid")).remittances[0].total_amount == Decimal("120.10")
    with pytest.raises(RejectedFile, match="no sheet 'paid'"):
        _read(two, _table(sheet="paid"))
    hidden = with_part(two, "xl/workbook.xml", b'name="Notes"', b'name="Notes" ')
    hidden = with_part(
        hidden,
        "xl/workbook.xml",
        b'name="Notes"  sheetId="2" state="visible"',
        b'name="Notes" sheetId="2" state="hidden"',
    )
    assert _read(hidden).remittances[0].total_amount == Decimal("120.10")


def test_days_count_from_1904_where_the_workbook_says_so() -> None:
    content = workbook([date(2024, 3, 7)])
    other = with_part(content, "xl/workbook.xml", b"<workbookPr", b'<workbookPr date1904="1"')
    for book, day in ((content, "2024-03-07"), (other, "2028-03-08")):
        _, rows = books.sheet_rows(book, "x", None, most_rows=10)
        assert rows[0][1][0].text == day


def test_a_formula_is_its_stored_value_and_without_one_refused() -> None:
    content = workbook(["a"], [90])
    with_value = with_part(content, SHEET, b"<v>90</v>", b"<f>45*2</f><v>90</v>")
    _, rows = books.sheet_rows(with_value, "x", None, most_rows=10)
    assert rows[1][1][0] == books.Cell("90", is_typed=True)
    for stored in (b"<f>45*2</f>", b"<f>45*2</f><v></v>"):
        with pytest.raises(RejectedFile, match="formula without a stored value"):
            books.sheet_rows(with_part(content, SHEET, b"<v>90</v>", stored), "x", None, most_rows=10)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<v>90</v>", b"<v>ninety</v>"),
        (b"<v>90</v>", b"<v>NaN</v>"),
        (b"<v>90</v>", b"<v>1_0</v>"),
        (b't="n"><v>90', b't="e"><v>#REF!'),
        (b't="n"><v>90', b't="s"><v>7'),
        (b't="n"><v>90', b't="s"><v>-1'),
        (b't="n"><v>90', b't="x"><v>90'),
        (b'r="A2" t="n"', b'r="B1" t="n"'),
        (b'r="A2" t="n"', b'r="XFD2" t="n"'),
        (b'r="A2" t="n"', b'r="A0" t="n"'),
        (b'<row r="2"', b'<row r="1"'),
        (b'<row r="2"', b'<row r="x"'),
        (b"</sheetData>", b""),
        (b"<v>90</v>", b"<v>&x;</v>"),
        (b"<worksheet", b'<!DOCTYPE worksheet [<!ENTITY x "90">]><worksheet'),
    ],
)
def test_a_broken_sheet_is_refused(old: bytes, new: bytes) -> None:
    content = workbook(["a"], [90])
    assert len(books.sheet_rows(content, "x", None, most_rows=10)[1]) == 2
    with pytest.raises(RejectedFile):
        books.sheet_rows(with_part(content, SHEET, old, new), "x", None, most_rows=10)


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE x [<!ENTITY y SYSTEM "http://127.0.0.1:9/">]>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"]
)
def test_a_document_type_in_any_part_is_refused(part: str, attack: bytes) -> None:
    content = shared_workbook(["a"], ["b"])
    with ZipFile(BytesIO(content)) as archive:
        whole = archive.read(part)
    body = whole.split(b"?>", 1)[1] if whole.startswith(b"<?xml") else whole
    with pytest.raises(RejectedFile, match="DOCTYPE"):
        books.sheet_rows(with_part(content, part, None, attack + body), "x", None, most_rows=10)


def test_a_sheet_far_down_or_wide_costs_nothing() -> None:
    content = workbook(["a"], [90])
    far = with_part(content, SHEET, b'<row r="2"', b'<row r="1048576"')
    far = with_part(far, SHEET, b'r="A2"', b'r="A1048576"')
    far = with_part(far, SHEET, b'<dimension ref="A1:A2"', b'<dimension ref="A1:XFD1048576"')
    _, rows = books.sheet_rows(far, "x", None, most_rows=2_000_000)
    assert [(number, [cell.text for cell in cells]) for number, cells in rows] == [
        (1, ["a"]),
        (1048576, ["90"]),
    ]


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(["a"], [90])
    bomb = with_part(content, SHEET, b"</sheetData>", b"</sheetData>" + b" " * (8 << 20))
    with pytest.raises(RejectedFile, match="unpacks to too much"):
        books.sheet_rows(bomb, "x", None, most_rows=10)
    with pytest.raises(RejectedFile), unpacked(BytesIO(bomb), "x"):
        pass
    monkeypatch.setattr(books, "LARGEST_PART", 100)
    with pytest.raises(RejectedFile, match="unpacks to too much"):
        books.sheet_rows(content, "x", None, most_rows=10)


def test_too_many_cells_or_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(["a", "b"], [1, 2])
    monkeypatch.setattr(books, "MOST_CELLS", 4)
    assert len(books.sheet_rows(content, "x", None, most_rows=10)[1]) == 2
    monkeypatch.setattr(books, "MOST_CELLS", 3)
    with pytest.raises(RejectedFile, match="more than 3 cells"):
        books.sheet_rows(content, "x", None, most_rows=10)
    monkeypatch.setattr(books, "MOST_PARTS", 2)
    with pytest.raises(RejectedFile, match="more than 2 parts"):
        books.sheet_rows(content, "x", None, most_rows=10)


def test_a_workbook_without_a_part_it_needs_is_refused() -> None:
    content = workbook(["a"], [90])
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET):
        target = BytesIO()
        with ZipFile(BytesIO(content)) as source, ZipFile(target, "w", ZIP_DEFLATED) as copy:
            for name in source.namelist():
                if name != part:
                    copy.writestr(name, source.read(name))
        with pytest.raises(RejectedFile):
            books.sheet_rows(target.getvalue(), "x", None, most_rows=10)


def test_every_cut_of_a_workbook_is_refused() -> None:
    content = workbook(*BOOK_ROWS)
    declared = profile(REMITTANCE)
    for cut in range(0, len(content), 7):
        with pytest.raises(RejectedFile):
            table.read(content[:cut], "x", declared)


def test_a_trailer_of_a_workbook_states_its_rows() -> None:
    declared = _table(dialect={"skip_lines": 1, "trailer_lines": 1, "trailer_count": r"lines: (\d+)"})
    for count, is_fine in ((3, True), (2, False), (4, False)):
        content = workbook(["Remittance of Acme"], *BOOK_ROWS, [None, f"lines: {count}"])
        if is_fine:
            assert _read(content, declared).remittances[0].total_amount == Decimal("120.10")
        else:
            with pytest.raises(RejectedFile, match="trailer"):
                _read(content, declared)


def test_a_header_that_is_not_there_or_a_cell_beside_the_columns_refuses() -> None:
    for rows in (
        [[], *BOOK_ROWS],
        [["a", "a"], ["1", "2"]],
        [*BOOK_ROWS, ["R-5", 1, None, None, None, 1, "P1", "beside"]],
    ):
        with pytest.raises(RejectedFile):
            _read(workbook(*rows))
