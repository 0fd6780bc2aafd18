"""Bank and processor CSV by a declared profile: amounts and signs, running balances, and what must be refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pydantic import ValidationError
from table_files import STATEMENT, csv, profile, workbook

from o2c.sources.bank import table
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Balance, BankFile, Charge, Detail, Entry, content_id
from o2c.sources.bank.profiles import STANDARD, load_profiles
from o2c.sources.bank.recognise import recognise

HEADER = "Date,Text,Amount"


def _table(**changes: Any) -> dict[str, Any]:
    """The plain statement table with other columns and keys."""
    columns = STATEMENT["statement"] | changes.pop("columns", {})
    return STATEMENT | {"statement": {name: value for name, value in columns.items() if value}} | changes


def _read(content: bytes, declared: dict[str, Any] = STATEMENT, **more: Any) -> BankFile:
    return table.read(content, "x.csv", profile(declared, **more))


def _amounts(found: BankFile) -> list[list[str]]:
    return [[str(entry.amount) for entry in one.entries] for one in found.statements]


def _issues(found: BankFile) -> list[tuple[str, str, str]]:
    return [(one.severity, one.position, one.code) for one in found.exceptions]


def test_a_whole_table_is_read() -> None:
    content = csv(HEADER, "2024-03-07,first,100.00", "2024-03-08,,-0.01")
    found = _read(content)
    assert (found.format, found.version, found.file_id, found.exceptions) == (
        "csv",
        "mine",
        content_id(content),
        (),
    )
    (statement,) = found.statements
    assert (statement.account, statement.currency_code, statement.opening, statement.file_id) == (
        None,
        "EUR",
        None,
        found.file_id,
    )
    assert statement.entries == (
        Entry(
            ordinal=1,
            position="line 2",
            amount=Decimal("100.00"),
            currency_code="EUR",
            booking_date=date(2024, 3, 7),
            details=(Detail(1, "line 2, detail 1", Decimal("100.00"), "EUR", text="first"),),
        ),
        Entry(
            ordinal=2,
            position="line 3",
            amount=Decimal("-0.01"),
            currency_code="EUR",
            booking_date=date(2024, 3, 8),
            details=(Detail(1, "line 3, detail 1", Decimal("-0.01"), "EUR"),),
        ),
    )
    assert found == replace(table.read(BytesIO(content), "x.csv", profile(STATEMENT)))


@pytest.mark.parametrize(
    ("dialect", "written", "amount"),
    [
        ({}, "1234.50", "1234.50"),
        ({}, "-1234.5", "-1234.50"),
        ({"decimal": ",", "delimiter": ";"}, "1234,50", "1234.50"),
        ({"decimal": ",", "thousands": ".", "delimiter": ";"}, "1.234,50", "1234.50"),
        ({"thousands": "'"}, "1'234.50", "1234.50"),
        ({"thousands": ","}, '"1,234.50"', "1234.50"),
        ({"negative": ["trailing"]}, "12.00-", "-12.00"),
        ({"negative": ["parentheses"]}, "(12.00)", "-12.00"),
        ({"currency_signs": ["€"]}, "€ 12.00", "12.00"),
    ],
)
def test_an_amount_is_read_as_declared(dialect: dict[str, Any], written: str, amount: str) -> None:
    mark = dialect.get("delimiter", ",")
    content = csv(HEADER.replace(",", mark), mark.join(("2024-03-07", "x", written)))
    assert _amounts(_read(content, _table(dialect=dialect))) == [[amount]]


@pytest.mark.parametrize(
    "written",
    [
        '"1,234.50"',
        "1.234.50",
        "1'234.50",
        "12.00-",
        "(12.00)",
        "1e3",
        "NaN",
        "Infinity",
        "€12",
        "١٢",
        "1_000",
        "0x1",
        "+5",
        "12.345",
        "999999999999999.00",
    ],
)
def test_an_amount_that_is_not_as_declared_refuses_the_file(written: str) -> None:
    with pytest.raises(RejectedFile) as refused:
        _read(csv(HEADER, "2024-03-07,x,1.00", f"2024-03-07,x,{written}"))
    assert refused.value.position == "line 3"
    assert refused.value.reason.startswith("Amount ")


@pytest.mark.parametrize(
    ("currency", "amount", "is_fine"),
    [
        ("JPY", "100", True),
        ("JPY", "100.5", False),
        ("BHD", "1.234", True),
        ("BHD", "1.2345", False),
        ("EUR", "1.23", True),
        ("EUR", "1.234", False),
    ],
)
def test_an_amount_has_no_more_decimals_than_its_currency(currency: str, amount: str, is_fine: bool) -> None:
    content = csv(HEADER, f"2024-03-07,x,{amount}")
    if is_fine:
        assert _amounts(_read(content, currency=currency)) == [[amount]]
    else:
        with pytest.raises(RejectedFile, match="more decimals"):
            _read(content, currency=currency)


def test_all_rows_that_cannot_be_read_are_counted() -> None:
    lines = [HEADER, "2024-03-07,x,1.00", "2024-03-32,x,1.00", "2024-03-07,x,?", ",x,2.00"]
    with pytest.raises(RejectedFile) as refused:
        _read(csv(*lines))
    assert refused.value.position == "line 3"
    assert refused.value.reason.endswith("(2 more rows cannot be read)")


@pytest.mark.parametrize(
    ("row", "missing"), [(",x,1.00", "date"), ("2024-03-07,x,", "amount"), (",x,", "date, amount")]
)
def test_a_row_without_day_or_amount_refuses_the_file(row: str, missing: str) -> None:
    with pytest.raises(RejectedFile, match=f"the row has no {missing}"):
        _read(csv(HEADER, row))


def test_a_row_without_a_currency_refuses_the_file() -> None:
    with pytest.raises(RejectedFile, match="no currency"):
        _read(csv(HEADER, "2024-03-07,x,1.00"), currency=None)


@pytest.mark.parametrize(
    ("form", "written", "day"),
    [
        ("%d.%m.%Y", "07.03.2024", date(2024, 3, 7)),
        ("%m/%d/%Y", "03/07/2024", date(2024, 3, 7)),
        ("%Y-%m-%d %H:%M", "2024-03-07 23:59", date(2024, 3, 7)),
        ("%d-%b-%y", "07-Mar-24", date(2024, 3, 7)),
    ],
)
def test_a_day_is_read_by_the_declared_format(form: str, written: str, day: date) -> None:
    found = _read(csv(HEADER, f"{written},x,1.00"), _table(dialect={"dates": form}))
    assert found.statements[0].entries[0].booking_date == day


@pytest.mark.parametrize(
    "written", ["07.03.2024", "2024-02-30", "24-03-07", "1969-12-31", "2024-03-07 12:00"]
)
def test_a_day_in_another_format_refuses_the_file(written: str) -> None:
    with pytest.raises(RejectedFile, match="Date"):
        _read(csv(HEADER, f"{written},x,1.00"))


def test_each_account_and_currency_is_a_statement() -> None:
    declared = _table(
        header=["Date", "Text", "Amount", "Account", "Currency"],
        columns={"account": "Account", "currency": "Currency"},
    )
    lines = [
        f"{HEADER},Account,Currency",
        "2024-03-07,a,1.00,A,EUR",
        "2024-03-07,b,2.00,B,EUR",
        "2024-03-07,c,3.00,A,usd",
        "2024-03-07,d,4.00,A,EUR",
    ]
    found = _read(csv(*lines), declared)
    assert [
        (one.ordinal, one.account, one.currency_code, [entry.ordinal for entry in one.entries])
        for one in found.statements
    ] == [
        (1, "A", "EUR", [1, 4]),
        (2, "B", "EUR", [2]),
        (3, "A", "USD", [3]),
    ]
    assert [entry.position for entry in found.statements[0].entries] == ["line 2", "line 5"]
    with pytest.raises(RejectedFile, match="not a currency"):
        _read(csv(lines[0], "2024-03-07,a,1.00,A,EURO"), declared)
    found = _read(csv(lines[0], "2024-03-07,a,1.00,A,QQQ"), declared)
    assert _issues(found) == [("exception", "line 2", "currency_unknown")]


def test_a_declared_account_is_that_of_all_rows_and_of_none() -> None:
    declared = _table(account="DE89 3704 0044 0532 0130 00")
    for lines, count in (([HEADER, "2024-03-07,x,1.00"], 1), ([HEADER], 0)):
        found = _read(csv(*lines), declared)
        assert [(one.account, one.account_scheme, one.entry_count) for one in found.statements] == [
            ("DE89370400440532013000", "iban", count)
        ]
    assert _read(csv(HEADER)).statements == ()


SIGNED = _table(
    header=["Date", "Text", "Amount", "D/C"],
    columns={"sign": "D/C"},
    signs={"credit": ["C", "RD"], "debit": "D"},
)


@pytest.mark.parametrize(
    ("row", "amount"), [("5.00,C", "5.00"), ("5.00,RD", "5.00"), ("5.00,D", "-5.00"), ("0.00,D", "0.00")]
)
def test_a_word_says_the_sign(row: str, amount: str) -> None:
    found = _read(csv(f"{HEADER},D/C", f"2024-03-07,x,{row}"), SIGNED)
    assert found.statements[0].entries[0].amount == Decimal(amount)


@pytest.mark.parametrize("row", ["5.00,c", "5.00,", "5.00,X", "-5.00,C", "-5.00,D"])
def test_another_word_or_a_second_sign_refuses_the_file(row: str) -> None:
    with pytest.raises(RejectedFile):
        _read(csv(f"{HEADER},D/C", f"2024-03-07,x,{row}"), SIGNED)


def test_a_sign_beside_the_word_can_be_declared_to_say_nothing() -> None:
    declared = SIGNED | {"signs": SIGNED["signs"] | {"amount": "absolute"}}
    found = _read(csv(f"{HEADER},D/C", "2024-03-07,x,-5.00,C", "2024-03-07,x,-5.00,D"), declared)
    assert _amounts(found) == [["5.00", "-5.00"]]


SIDES = _table(header=["Date", "Text", "Out", "In"], columns={"amount": None, "credit": "In", "debit": "Out"})


@pytest.mark.parametrize(
    ("row", "amount"),
    [("5.00,", "-5.00"), (",5.00", "5.00"), ("0.00,5.00", "5.00"), ("5.00,0.00", "-5.00"), ("0.00,", "0.00")],
)
def test_two_columns_say_the_sign(row: str, amount: str) -> None:
    assert _amounts(_read(csv("Date,Text,Out,In", f"2024-03-07,x,{row}"), SIDES)) == [[amount]]


@pytest.mark.parametrize("row", [",", "5.00,5.00", "-5.00,", ",-5.00"])
def test_two_sides_none_or_a_negative_one_refuse_the_file(row: str) -> None:
    with pytest.raises(RejectedFile):
        _read(csv("Date,Text,Out,In", f"2024-03-07,x,{row}"), SIDES)


BALANCED = _table(
    header=["Date", "Text", "Amount", "Balance"], columns={"balance": "Balance"}, order="oldest_first"
)
ROWS = ["2024-03-06,a,10.00,110.00", "2024-03-07,b,-30.00,80.00", "2024-03-08,c,5.00,85.00"]


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
def test_a_running_balance_gives_the_balances_of_the_statement(order: str) -> None:
    rows = ROWS if order == "oldest_first" else ROWS[::-1]
    found = _read(csv(f"{HEADER},Balance", *rows), BALANCED | {"order": order})
    (statement,) = found.statements
    assert (statement.opening, statement.closing) == (
        Balance("RUNNING", Decimal("100.00"), "EUR", None),
        Balance("RUNNING", Decimal("85.00"), "EUR", date(2024, 3, 8)),
    )
    assert found.exceptions == ()


@pytest.mark.parametrize(
    ("at", "old", "new", "positions"),
    [
        (1, "-30.00", "-30.01", ["line 3", "statement 1"]),
        (1, "-30.00", "30.00", ["line 3", "statement 1"]),
        (1, "80.00", "80.01", ["line 3", "line 4"]),
        (2, "85.00", "85.01", ["line 4", "statement 1"]),
        (0, "110.00", "110.01", ["line 3", "statement 1"]),
    ],
)
def test_a_row_that_does_not_follow_is_an_exception(
    at: int, old: str, new: str, positions: list[str]
) -> None:
    rows = list(ROWS)
    rows[at] = rows[at].replace(old, new)
    found = _read(csv(f"{HEADER},Balance", *rows), BALANCED)
    assert _issues(found) == [("exception", position, "balance_does_not_tie") for position in positions]


def test_a_missing_or_repeated_row_breaks_the_running_balance() -> None:
    for rows in ([ROWS[0], ROWS[2]], [ROWS[0], ROWS[1], ROWS[1], ROWS[2]], ROWS[::-1]):
        found = _read(csv(f"{HEADER},Balance", *rows), BALANCED)
        assert {code for _, _, code in _issues(found)} == {"balance_does_not_tie"}


def test_rows_may_leave_the_balance_to_the_last_of_the_day() -> None:
    rows = [
        "2024-03-06,a,10.00,",
        "2024-03-06,b,20.00,130.00",
        "2024-03-07,c,1.00,",
        "2024-03-07,d,1.00,132.00",
        "2024-03-08,e,1.00,",
    ]
    found = _read(csv(f"{HEADER},Balance", *rows), BALANCED)
    (statement,) = found.statements
    assert statement.opening is not None
    assert statement.closing is not None
    assert (statement.opening.amount, statement.closing.amount, found.exceptions) == (
        Decimal("100.00"),
        Decimal("133.00"),
        (),
    )
    rows[3] = rows[3].replace("132", "131")
    assert ("exception", "line 5", "balance_does_not_tie") in _issues(
        _read(csv(f"{HEADER},Balance", *rows), BALANCED)
    )


PROCESSOR = _table(
    header=["Date", "Text", "Amount", "Fee", "Net", "Refunded", "Status", "Id"],
    columns={"fee": "Fee", "net": "Net", "refunded": "Refunded", "status": "Status", "reference": "Id"},
    statuses={"booked": "Paid", "pending": "Pending", "information": ["Failed"]},
)
PROCESSOR_HEADER = "Date,Text,Amount,Fee,Net,Refunded,Status,Id"


def test_a_processor_s_fee_is_a_charge_beside_the_amount() -> None:
    found = _read(csv(PROCESSOR_HEADER, "2024-03-07,x,25.00,1.03,23.97,0.00,Paid,ch_1"), PROCESSOR)
    (entry,) = found.statements[0].entries
    assert (entry.amount, entry.charges, entry.bank_reference) == (
        Decimal("25.00"),
        (Charge(Decimal("1.03"), "EUR", False, "fee"),),
        "ch_1",
    )
    assert found.exceptions == ()


def test_a_fee_may_be_off_the_amount_already() -> None:
    declared = _table(
        header=["Date", "Text", "Amount", "Fee", "Gross"],
        columns={"fee": "Fee", "gross": "Gross"},
        fee_is_included=True,
    )
    header = "Date,Text,Amount,Fee,Gross"
    found = _read(csv(header, "2024-03-07,x,23.97,1.03,25.00"), declared)
    assert found.statements[0].entries[0].charges == (Charge(Decimal("1.03"), "EUR", True, "fee"),)
    assert found.exceptions == ()
    assert _issues(_read(csv(header, "2024-03-07,x,23.97,1.04,25.00"), declared)) == [
        ("exception", "line 2", "total_differs")
    ]


@pytest.mark.parametrize(
    "row", ["25.00,1.03,23.98", "25.01,1.03,23.97", "25.00,1.02,23.97", "-25.00,1.03,23.97"]
)
def test_gross_fee_and_net_that_do_not_tie_are_an_exception(row: str) -> None:
    found = _read(csv(PROCESSOR_HEADER, f"2024-03-07,x,{row},,Paid,ch_1"), PROCESSOR)
    assert _issues(found) == [("exception", "line 2", "total_differs")]


def test_a_refund_is_a_reversal_that_names_its_payment() -> None:
    found = _read(csv(PROCESSOR_HEADER, "2024-03-07,x,25.00,1.03,23.97,10.00,Paid,ch_1"), PROCESSOR)
    first, second = found.statements[0].entries
    assert (first.ordinal, first.amount, first.is_reversal, first.original_reference) == (
        1,
        Decimal("25.00"),
        False,
        None,
    )
    assert (second.ordinal, second.amount, second.is_reversal, second.original_reference, second.charges) == (
        2,
        Decimal("-10.00"),
        True,
        "ch_1",
        (),
    )
    assert second.details[0].amount == Decimal("-10.00")


@pytest.mark.parametrize(
    ("word", "status"), [("Paid", "booked"), ("Pending", "pending"), ("Failed", "information")]
)
def test_a_status_says_whether_money_moved(word: str, status: str) -> None:
    found = _read(csv(PROCESSOR_HEADER, f"2024-03-07,x,25.00,1.03,23.97,,{word},ch_1"), PROCESSOR)
    assert found.statements[0].entries[0].status == status


@pytest.mark.parametrize("word", ["paid", "Disputed", ""])
def test_an_unknown_status_refuses_the_file(word: str) -> None:
    with pytest.raises(RejectedFile, match="status"):
        _read(csv(PROCESSOR_HEADER, f"2024-03-07,x,25.00,1.03,23.97,,{word},ch_1"), PROCESSOR)


def test_parties_original_amounts_and_methods_are_kept() -> None:
    declared = _table(
        header=["Date", "Text", "Amount", "Who", "IBAN", "Kind", "Orig", "Orig Ccy"],
        columns={
            "party": "Who",
            "party_account": "IBAN",
            "type": "Kind",
            "instructed_amount": "Orig",
            "instructed_currency": "Orig Ccy",
        },
    )
    lines = [
        "Date,Text,Amount,Who,IBAN,Kind,Orig,Orig Ccy",
        "2024-03-07,a,10.00,Acme,DE89 3704 0044 0532 0130 00,SEPA,1500,jpy",
        "2024-03-07,b,-10.00,Acme,1234,,0,USD",
    ]
    first, second = _read(csv(*lines), declared, methods={"SEPA": "ach"}).statements[0].entries
    assert (first.method, first.instructed_amount, first.instructed_currency_code) == (
        "ach",
        Decimal(1500),
        "JPY",
    )
    assert (first.details[0].payer_name, first.details[0].payer_account) == ("Acme", "DE89370400440532013000")
    assert (second.instructed_amount, second.instructed_currency_code, second.method) == (None, None, None)
    assert (second.details[0].payer_name, second.details[0].payee_name, second.details[0].payee_account) == (
        None,
        "Acme",
        "1234",
    )


@pytest.mark.parametrize("written", ["2960623488.0", "1.93E+09"])
def test_a_reference_that_a_spreadsheet_rounded_refuses_the_file(written: str) -> None:
    declared = _table(header=["Date", "Text", "Amount", "Ref"], columns={"reference": "Ref"})
    assert (
        _read(csv(f"{HEADER},Ref", "2024-03-07,x,1.00,007"), declared).statements[0].entries[0].bank_reference
        == "007"
    )
    with pytest.raises(RejectedFile, match="spreadsheet"):
        _read(csv(f"{HEADER},Ref", f"2024-03-07,x,1.00,{written}"), declared)


def test_columns_may_move_and_new_ones_are_told_and_missing_ones_refuse() -> None:
    moved = _read(csv("Amount,Date,Text", "1.00,2024-03-07,x"))
    assert (_amounts(moved), moved.exceptions) == ([["1.00"]], ())
    found = _read(csv(f"{HEADER},New", "2024-03-07,x,1.00,?"))
    assert (_amounts(found), _issues(found)) == ([["1.00"]], [("warning", "header", "undeclared_column")])
    for header, row in (("Date,Text,amount", "2024-03-07,x,1.00"), ("Date,Amount", "2024-03-07,1.00")):
        with pytest.raises(RejectedFile, match="no column"):
            _read(csv(header, row))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        csv(HEADER)[:-1],
        csv(HEADER, "2024-03-07,x,1.00")[:-1],
        csv(HEADER, "2024-03-07,x,1.00,more"),
        csv(HEADER, "2024-03-07,x"),
        csv(HEADER, '2024-03-07,"x,1.00'),
        csv(HEADER, '2024-03-07,x"y",1.00'),
        csv(HEADER, "2024-03-07,\x00,1.00"),
        csv(HEADER, "2024-03-07,M\u00fcller,1.00", encoding="latin-1"),
        csv(HEADER, "2024-03-07,x,1.00").decode().encode("utf-16"),
        csv("Date,Date,Amount", "2024-03-07,x,1.00"),
        csv(HEADER, "2024-03-07,x,1.00", end="\r"),
        csv(HEADER, "2024-03-07," + "x" * (1 << 20) + ",1.00"),
    ],
    ids=[
        "empty",
        "header cut",
        "row cut",
        "field more",
        "field less",
        "open quote",
        "stray quote",
        "NUL",
        "latin-1",
        "utf-16",
        "two columns of one name",
        "old Mac lines",
        "long line",
    ],
)
def test_a_broken_table_is_refused(content: bytes) -> None:
    with pytest.raises(RejectedFile):
        _read(content)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
    ],
)
def test_text_is_decoded_as_declared(content: str, encoding: str) -> None:
    found = _read(
        csv(HEADER, "2024-03-07,Müller,1.00", encoding=content), _table(dialect={"encoding": encoding})
    )
    assert found.statements[0].entries[0].details[0].text == "Müller"


def test_lines_before_the_header_and_a_footer_are_declared() -> None:
    declared = _table(dialect={"skip_lines": 2, "trailer_lines": 1, "trailer_count": r"Rows: (\d+)"})
    lines = ["Account statement", "", HEADER, "2024-03-07,x,1.00", "2024-03-08,y,2.00"]
    found = _read(csv(*lines, "Rows: 2"), declared)
    assert [(entry.position, entry.amount) for entry in found.statements[0].entries] == [
        ("line 4", Decimal("1.00")),
        ("line 5", Decimal("2.00")),
    ]
    for footer in ("Rows: 3", "Rows: 1", "Rows", "2024-03-09,z,3.00"):
        with pytest.raises(RejectedFile):
            _read(csv(*lines, footer), declared)


def test_every_cut_of_a_table_is_refused_or_some_of_its_rows() -> None:
    content = csv(f"{HEADER},Balance", *ROWS)
    whole = _amounts(_read(content, BALANCED))[0]
    for cut in range(len(content)):
        try:
            found = _read(content[:cut], BALANCED)
        except RejectedFile:
            continue
        assert content[:cut].endswith(b"\n")
        rows = _amounts(found)[0] if found.statements else []
        assert rows == whole[: len(rows)]
        assert len(rows) == content[:cut].count(b"\n") - 1


def test_every_cut_of_a_table_with_a_counted_footer_is_refused() -> None:
    declared = BALANCED | {"dialect": {"trailer_lines": 1, "trailer_count": r"^Rows: (\d+)$"}}
    content = csv(f"{HEADER},Balance", *ROWS, "Rows: 3")
    assert _read(content, declared).statements[0].entry_count == 3
    for cut in range(len(content)):
        with pytest.raises(RejectedFile):
            _read(content[:cut], declared)


def test_a_table_in_a_workbook_reads_as_in_text() -> None:
    rows = [
        ["Date", "Text", "Amount", "Balance"],
        [date(2024, 3, 6), "a", 10, 110.0],
        ["2024-03-07", "b", "-30.00", 80.004],
    ]
    with pytest.raises(RejectedFile, match="more decimals"):
        _read(workbook(*rows), BALANCED)
    rows[2][3] = 80
    found = _read(workbook(*rows, [None] * 4, [date(2024, 3, 8), "c", 5, 85]), BALANCED)
    text = _read(csv(f"{HEADER},Balance", *ROWS), BALANCED)
    assert found.format == "xlsx"
    assert [entry.position for entry in found.statements[0].entries] == ["row 2", "row 3", "row 5"]
    assert [_plain(one) for one in found.statements[0].entries] == [
        _plain(one) for one in text.statements[0].entries
    ]
    assert (found.statements[0].opening, found.statements[0].closing) == (
        text.statements[0].opening,
        text.statements[0].closing,
    )


def _plain(entry: Entry) -> Entry:
    return replace(entry, position="", details=tuple(replace(one, position="") for one in entry.details))


def test_without_a_profile_the_one_with_exactly_this_header_is_taken() -> None:
    profiles = load_profiles()
    header = "Transaction Date,Posted Date,Card No.,Description,Category,Debit,Credit"
    content = csv(header, "2024-03-06,2024-03-07,1234,Shop,Food,5.00,")
    assert recognise(content, "x") == "csv"
    assert table.read(content, "x", STANDARD).version == "capital_one_card"
    swapped = csv(
        header.replace("Debit,Credit", "Credit,Debit"), "2024-03-06,2024-03-07,1234,Shop,Food,,5.00"
    )
    assert _amounts(table.read(swapped, "x")) == [["-5.00"]]
    for other in (header + ",New", header.replace(",Category", ""), header.replace("Debit", "debit")):
        with pytest.raises(RejectedFile, match="no profile declares"):
            table.profile_for(profiles, csv(other), "x")


def test_your_own_profile_goes_before_ours_and_two_of_yours_are_refused() -> None:
    ours = load_profiles()
    shipped = ours["n26"]
    own = shipped.model_copy(update={"name": "our_n26", "currency_code": "CHF"})
    content = csv(",".join(shipped.table.header)) if shipped.table else b""
    assert table.profile_for(ours, content, "x").name == "n26"
    assert table.profile_for(ours | {"our_n26": own}, content, "x").name == "our_n26"
    other = own.model_copy(update={"name": "other"})
    with pytest.raises(RejectedFile, match="other, our_n26"):
        table.profile_for(ours | {"our_n26": own, "other": other}, content, "x")


def test_what_a_sample_reads_is_held_back() -> None:
    found = _read(csv(HEADER, "2024-03-07,x,1.00"), STATEMENT | {"is_sample": True})
    assert _issues(found) == [("exception", "file", "sample_profile")]


@pytest.mark.parametrize(
    "declared",
    [
        STATEMENT | {"kind": "remittance"},
        STATEMENT | {"header": ["Date", "Text"]},
        STATEMENT | {"header": ["Date", "Date", "Text", "Amount"]},
        STATEMENT | {"header": []},
        STATEMENT | {"unknown": 1},
        STATEMENT | {"total_word": "Total"},
        STATEMENT | {"signs": {"credit": "C", "debit": "D"}},
        STATEMENT | {"statuses": {"booked": "Paid"}},
        _table(columns={"credit": "Text"}),
        _table(columns={"amount": None}),
        _table(columns={"amount": None, "credit": "Amount"}),
        _table(columns={"sign": "Text"}),
        _table(columns={"status": "Text"}),
        _table(columns={"balance": "Text"}),
        _table(columns={"net": "Text"}),
        _table(columns={"date": {"column": "Date", "dates": "%H"}}),
    ],
)
def test_a_profile_that_does_not_fit_together_is_refused(declared: dict[str, Any]) -> None:
    profile(STATEMENT)
    with pytest.raises(ValidationError):
        profile(declared)


def test_every_shipped_profile_reads_its_own_header() -> None:
    profiles = {name: one for name, one in load_profiles().items() if one.table}
    assert len(profiles) >= 9
    for name, one in profiles.items():
        assert one.table is not None
        mark = one.table.dialect.delimiter
        content = csv(mark.join(f'"{column}"' for column in one.table.header))
        assert table.profile_for(profiles, content, "x").name == name
