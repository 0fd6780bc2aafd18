"""The exceptions list goes out, is filled in and comes back: what it says, and every fault that it may have."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

from o2c.cash_decisions import Checked, check_decisions, describe
from o2c.cash_records import (
    Recorded,
    latest_assignments,
    read_decisions,
    read_record,
    read_recorded,
    write_decisions,
    write_records,
)
from o2c.cash_sheet import DecisionsRefused, SheetRead, read_sheet
from o2c.cash_typed import ListedPayment, Published
from o2c.cash_workbook import HEADINGS, CashSheets, row_codes, write_cash_workbook
from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CashCandidates,
    CashExceptions,
    Deductions,
    Frame,
    PayerAssignments,
)
from o2c.ledger import DecisionFile, Ledger
from o2c.ledger.cash import list_decision_files, next_file_number, record_decision_file
from o2c.policy import load_policies
from o2c.settings import PROJECT

AS_OF = date(2026, 3, 31)
REASONS = load_policies(PROJECT / "policies").reason_codes
HOSTILE = "=HYPERLINK(0)"


def frame(model: type[Frame], *rows: dict[str, Any], **defaults: Any) -> pl.DataFrame:
    schema = model.empty().schema
    full = [dict.fromkeys(schema) | defaults | row for row in rows]
    for row in full:
        for name, value in row.items():
            if name.endswith("amount") or name == "score":
                row[name] = None if value is None else Decimal(value)
    return model.validate(pl.DataFrame(full, schema=schema, orient="row"))


EXCEPTIONS = frame(
    CashExceptions,
    {"payment_id": "P", "reason_code": "ambiguous", "payment_amount": "120", "unapplied_amount": "120"},
    {"payment_id": HOSTILE, "reason_code": "unknown_payer", "payment_amount": "9", "unapplied_amount": "9"},
    entity_id="E1",
    currency_code="EUR",
    reason="two explanations",
    value_date=date(2026, 3, 15),
)
CANDIDATES = frame(
    CashCandidates,
    {"candidate_rank": 1, "invoice_id": "A", "applied_amount": "100", "score": "0.9"},
    {"candidate_rank": 2, "invoice_id": "B", "applied_amount": "50", "deduction_amount": "1", "score": "0.8"},
    {"candidate_rank": 2, "invoice_id": "A", "applied_amount": "90", "discount_amount": "2", "score": "0.8"},
    {"candidate_rank": 2, "invoice_id": "C", "applied_amount": "-20", "score": "0.8"},
    {"candidate_rank": 3, "applied_amount": "0", "score": "0.5"},
    payment_id="P",
    customer_id="ACME",
    currency_code="EUR",
    rule="statement",
    reason="sums",
    discount_amount="0",
    deduction_amount="0",
)
RECORDED = Recorded(
    applications=frame(
        Applications,
        {"application_id": "engine|4|DONE|B|1", "invoice_id": "B", "applied_amount": "5"},
        {"application_id": "engine|4|DONE|A|1", "invoice_id": "A", "applied_amount": "6"},
        payment_id="DONE",
        customer_id="ACME",
        currency_code="EUR",
        application_type="payment",
        rule="invoice_number",
        explanation="number",
        score="1",
        application_date=date(2026, 3, 15),
    )
)
CODES = row_codes(EXCEPTIONS, CANDIDATES, AS_OF)


def published(**other: Any) -> Published:
    standard: dict[str, Any] = {
        "as_of": AS_OF,
        "listed": {
            CODES["P"]: ListedPayment("P", None, CANDIDATES),
            CODES[HOSTILE]: ListedPayment(HOSTILE, None, CANDIDATES.clear()),
        },
        "payments": frame(
            ApplicablePayments,
            {"payment_id": "P", "payment_amount": "120", "unapplied_amount": "120"},
            {"payment_id": HOSTILE, "payment_amount": "9", "unapplied_amount": "9"},
            {"payment_id": "DONE", "payment_amount": "11", "unapplied_amount": "0"},
            entity_id="E1",
            currency_code="EUR",
            is_held=False,
            value_date=date(2026, 3, 15),
        ),
        "items": frame(
            ApplicableItems,
            {"invoice_id": "A", "invoice_number": "2026/1", "open_amount": "100"},
            {"invoice_id": "B", "invoice_number": "2026/2", "open_amount": "51"},
            {"invoice_id": "B2", "invoice_number": "2026/2", "open_amount": "51"},
            {
                "invoice_id": "C",
                "invoice_number": "CM/1",
                "open_amount": "-20",
                "document_type": "credit_memo",
            },
            {"invoice_id": "U", "invoice_number": "U/1", "open_amount": "10", "currency_code": "USD"},
            {"invoice_id": "X", "invoice_number": "X/1", "open_amount": "10", "entity_id": "E2"},
            **{"entity_id": "E1", "customer_id": "ACME", "currency_code": "EUR"},
            document_type="invoice",
            invoice_amount="100",
            invoice_date=date(2026, 3, 1),
            due_date=date(2026, 3, 31),
        ),
        "customers": frozenset({"ACME", "BOLT"}),
        "recorded": RECORDED,
        "given": read_decisions(Path(), []),
    }
    return Published(**(standard | other))


@pytest.fixture
def written(tmp_path: Path) -> list[Path]:
    """The workbook and the CSV of two exceptions."""
    sheets = CashSheets(
        exceptions=EXCEPTIONS,
        candidates=CANDIDATES,
        payments=pl.DataFrame(
            {
                "payment_id": ["P", HOSTILE],
                "payer_name": ["=1+1", "Bolt"],
                "payer_account": ["DE00", None],
                "reference_text": ["@x", "-y"],
            }
        ),
        customers=pl.DataFrame({"customer_id": ["ACME"], "customer_name": ["Acme Tools"]}),
        documents=pl.DataFrame({"invoice_id": ["A", "B"], "invoice_number": ["2026/1", "2026/2"]}),
        applications=RECORDED.applications,
        deductions=frame(
            Deductions,
            {"deduction_id": "D1", "customer_reason_code": "Z9", "deduction_amount": "3"},
            {"deduction_id": "D2", "customer_reason_code": "Z9", "deduction_amount": "4"},
            payment_id="P",
            invoice_id="A",
            customer_id="ACME",
            currency_code="EUR",
            reason_code=REASONS.unmapped,
            explanation="short",
            opens_dispute=True,
            deducted_date=AS_OF,
        ),
    )
    return write_cash_workbook(tmp_path / "cash", sheets, REASONS, 5, AS_OF)


def fill(path: Path, *rows: dict[str, Any]) -> Path:
    """The list with these rows in place of its own: facts of the payment's row, and what a person typed."""
    return _fill_csv(path, rows) if path.suffix == ".csv" else _fill_workbook(path, rows)


def _fill_workbook(path: Path, rows: tuple[dict[str, Any], ...]) -> Path:
    book = load_workbook(path)
    sheet = book["Exceptions"]
    header = [cell.value for cell in sheet[1]]
    facts = {row[0]: list(row) for row in sheet.iter_rows(min_row=2, values_only=True)}
    sheet.delete_rows(2, sheet.max_row)
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(_with(header, facts, row), start=1):
            sheet.cell(number, place).value = value
            if isinstance(value, str):
                sheet.cell(number, place).data_type = "s"  # openpyxl would make a formula of =1+1
    book.save(path)
    return path


def _fill_csv(path: Path, rows: tuple[dict[str, Any], ...]) -> Path:
    with path.open(encoding="utf-8", newline="") as handle:
        header, *old = list(csv.reader(handle))
    facts = {row[0].removeprefix("'"): row for row in old}
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *(_with(header, facts, row) for row in rows)])
    return path


def _with(header: list[str], facts: dict[str, list[Any]], row: dict[str, Any]) -> list[Any]:
    cells = list(facts.get(row.get("of", "P"), [None] * len(header)))
    for name, value in row.items():
        if name != "of":
            cells[header.index(HEADINGS[name])] = value
    return cells


def check(path: Path, state: Published | None = None) -> tuple[SheetRead, Checked]:
    sheet = read_sheet(path)
    return sheet, check_decisions(sheet.entries, state or published(), REASONS, "Kim Lee", 7)


def said(checked: Checked) -> list[tuple[Any, ...]]:
    """Decisions in few words: what, on which document, with which, how much, for whom."""
    return [
        (
            row["action"],
            row["invoice_id"] or row["application_id"],
            row["credit_memo_id"] or row["reason_code"] or row["customer_id"],
            None if row["amount"] is None else f"{row['amount']:.2f}",
        )
        for row in checked.decisions.iter_rows(named=True)
    ]


BOTH = pytest.mark.parametrize("place", [0, 1], ids=["workbook", "csv"])


def test_the_workbook_shows_text_as_text_and_the_same_bytes_again(written, tmp_path):
    book = load_workbook(written[0])
    assert book.sheetnames == ["Exceptions", "Candidates", "Applied", "Reason codes"]
    rows = list(book["Exceptions"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == ["P", HOSTILE]
    assert rows[0][3] == "=1+1"
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    assert rows[0][12] == "candidate 1: 1 documents of Acme Tools, score 0.900"
    waiting = next(book["Reason codes"].iter_rows(min_row=2, max_row=2, values_only=True))
    assert waiting[:4] == ("not mapped", "ACME", "Z9", REASONS.unmapped)
    assert waiting[6:] == (2, 7)
    lists = [rule.formula1 for rule in book["Exceptions"].data_validations.dataValidation]
    assert any(one.startswith('"candidate 1,candidate 2') for one in lists)


def test_a_code_of_a_row_changes_with_the_date_the_payment_and_its_candidates():
    fewer = CANDIDATES.filter(pl.col("candidate_rank") < 3)
    less = EXCEPTIONS.with_columns(unapplied_amount=pl.lit(Decimal("1.0000")).cast(pl.Decimal(18, 4)))
    codes = [
        CODES["P"],
        row_codes(EXCEPTIONS, CANDIDATES, date(2026, 4, 1))["P"],
        row_codes(EXCEPTIONS, fewer, AS_OF)["P"],
        row_codes(less, CANDIDATES, AS_OF)["P"],
    ]
    assert len(set(codes)) == 4
    assert row_codes(EXCEPTIONS.reverse(), CANDIDATES.reverse(), AS_OF) == CODES


@BOTH
def test_a_list_in_which_nothing_is_typed_says_nothing(written, place):
    sheet, checked = check(written[place])
    assert (sheet.entries, sheet.faults, checked.faults) == ((), (), ())


@BOTH
def test_decisions_come_back_as_they_were_typed(written, place):
    path = fill(
        written[place],
        {"decision": "Apply", "invoice": "2026/1", "amount": "99.50", "note": "by phone"},
        {"decision": "write off", "invoice": "A", "amount": "0.5"},
        {"decision": "assign", "customer_id": "BOLT", "remember": "no", "of": HOSTILE},
        {"decision": "credit", "invoice": "B", "credit_memo": "CM/1"},
        {"payment_id": "DONE", "of": "", "decision": "take back", "invoice": "B"},
    )
    sheet, checked = check(path)
    assert [*sheet.faults, *checked.faults] == []
    assert said(checked) == [
        ("reverse", "engine|4|DONE|B|1", None, None),
        ("apply", "A", None, "99.50"),
        ("write_off", "A", None, "0.50"),
        ("assign", None, "BOLT", None),
        ("credit", "B", "C", None),
    ]
    first = checked.decisions.row(1, named=True)
    assert (first["payment_id"], first["note"], first["decided_by"]) == ("P", "by phone", "Kim Lee")
    assert first["decided_date"] == AS_OF
    assert first["decision_id"].startswith("20260331-000007-000002-")
    assert checked.decisions["payment_id"].to_list()[3] == HOSTILE
    assert checked.decisions["remember"].to_list() == [False] * 5


@BOTH
def test_a_candidate_becomes_all_that_it_says(written, place):
    _, checked = check(fill(written[place], {"decision": "candidate 2"}))
    assert checked.faults == ()
    assert said(checked) == [
        ("credit", "A", "C", "20.00"),
        ("apply", "A", None, "70.00"),
        ("discount", "A", None, "2.00"),
        ("apply", "B", None, "50.00"),
        ("deduct", "B", REASONS.unexplained, "1.00"),
        ("assign", None, "ACME", None),
    ]
    assert checked.decisions["remember"].to_list() == [False] * 5 + [True]


def test_a_candidate_that_only_says_whose_it_is_assigns_the_payment(written):
    _, checked = check(fill(written[0], {"decision": "candidate 3", "remember": "no"}))
    assert said(checked) == [("assign", None, "ACME", None)]
    assert checked.decisions["remember"].to_list() == [False]


def test_everything_of_a_payment_is_taken_back_when_no_document_is_named(written):
    _, checked = check(fill(written[0], {"payment_id": "DONE", "of": "", "decision": "take back"}))
    assert said(checked) == [
        ("reverse", "engine|4|DONE|A|1", None, None),
        ("reverse", "engine|4|DONE|B|1", None, None),
    ]


def test_the_same_list_again_adds_nothing_and_a_longer_one_only_what_is_new(written):
    row = {"decision": "apply", "invoice": "A", "amount": "10"}
    _, first = check(fill(written[0], row))
    state = published(given=first.decisions)
    _, again = check(fill(written[0], row | {"note": "once more"}), state)
    assert (again.decisions.height, again.given_before, again.faults) == (0, 1, ())
    _, longer = check(fill(written[0], row, {"decision": "apply", "invoice": "A", "amount": "11"}), state)
    assert (said(longer), longer.given_before) == ([("apply", "A", None, "11.00")], 1)


def test_what_was_decided_before_counts_as_done(written):
    _, first = check(fill(written[0], {"decision": "apply", "invoice": "A", "amount": "90"}))
    _, second = check(
        fill(written[0], {"decision": "apply", "invoice": "A", "amount": "10.01"}),
        published(given=first.decisions),
    )
    assert [one.reason for one in second.faults] == ["10.01 EUR is more than the 10 open of A"]


FAULTS = {
    "unknown payment": (
        {"payment_id": "NOBODY", "of": "", "decision": "unassign"},
        "payment_id",
        "there is no payment NOBODY",
    ),
    "another payment in the row": (
        {"payment_id": "DONE", "decision": "unassign"},
        "payment_id",
        "DONE is not the payment of this row, that is P",
    ),
    "another code in the row": (
        {"code": "0123456789ab", "decision": "unassign"},
        "code",
        "no list that was published has a row of this code; copy the row anew",
    ),
    "a candidate without its code": (
        {"payment_id": "P", "of": "", "decision": "candidate 1"},
        "decision",
        "candidates are known by the code of the row, which is empty",
    ),
    "no such candidate": ({"decision": "candidate 9"}, "decision", "this payment has no candidate 9"),
    "no such decision": (
        {"decision": "pay"},
        "decision",
        "'pay' is none of candidate 1, apply, credit, discount, write off, deduct, assign, unassign, take back",
    ),
    "nothing decided": ({"invoice": "A"}, "decision", "something is filled in, but nothing is decided"),
    "an invoice of another currency": (
        {"decision": "apply", "invoice": "U"},
        "invoice",
        "U is of currency USD, payment P of EUR",
    ),
    "an invoice of another entity": (
        {"decision": "apply", "invoice": "X"},
        "invoice",
        "X is of entity E2, payment P of E1",
    ),
    "no such invoice": ({"decision": "apply", "invoice": "Z"}, "invoice", "there is no document Z"),
    "a number of two": (
        {"decision": "apply", "invoice": "2026/2"},
        "invoice",
        "2026/2 is the number of B, B2; give the id",
    ),
    "beyond what is open": (
        {"decision": "apply", "invoice": "A", "amount": "100.01"},
        "amount",
        "100.01 EUR is more than the 100 open of A",
    ),
    "beyond what is left": (
        {"of": HOSTILE, "decision": "apply", "invoice": "A", "amount": "9.01"},
        "amount",
        f"9.01 EUR is more than the 9 left of payment {HOSTILE}",
    ),
    "no amount": (
        {"decision": "apply", "invoice": "A", "amount": "1,50"},
        "amount",
        "'1,50' is no amount; write it like 1234.56",
    ),
    "an amount that is missing": ({"decision": "write off", "invoice": "A"}, "amount", "write off needs it"),
    "an amount too many": ({"decision": "unassign", "amount": "1"}, "amount", "does not go with unassign"),
    "no such customer": (
        {"decision": "assign", "customer_id": "NOBODY"},
        "customer_id",
        "there is no customer NOBODY",
    ),
    "no such reason": (
        {"decision": "deduct", "invoice": "A", "amount": "1", "reason_code": "whim"},
        "reason_code",
        f"none of {', '.join(sorted(reason.code for reason in REASONS.reasons))}",
    ),
    "neither yes nor no": (
        {"decision": "assign", "customer_id": "ACME", "remember": "perhaps"},
        "remember",
        "yes or no",
    ),
    "a formula": ({"decision": "apply", "invoice": "=A1"}, "invoice", "a formula; type the value itself"),
    "nothing to take back": (
        {"decision": "take back"},
        "decision",
        "nothing of this payment stands applied",
    ),
    "no such application": (
        {"decision": "take back", "application_id": "none"},
        "decision",
        "application none is not recorded here, or was taken back before",
    ),
}


@pytest.mark.parametrize(("row", "name", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_csv_is_told_with_its_place(written, row, name, reason):
    sheet, checked = check(fill(written[1], row))
    assert [(one.row, one.name, one.reason) for one in (*sheet.faults, *checked.faults)] == [
        (2, name, reason)
    ]


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [one for key, one in FAULTS.items() if key != "a formula"],
    ids=[key for key in FAULTS if key != "a formula"],
)
def test_a_fault_in_the_workbook_is_told_with_its_place(written, row, name, reason):
    sheet, checked = check(fill(written[0], row))
    assert [(one.row, one.name, one.reason) for one in (*sheet.faults, *checked.faults)] == [
        (2, name, reason)
    ]


def test_a_formula_with_a_value_is_told_too(written):
    """openpyxl writes formulas without their values; a spreadsheet stores both."""
    import zipfile

    path = fill(written[0], {"decision": "apply", "invoice": "A"})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet_name = "xl/worksheets/sheet1.xml"
    text = parts[sheet_name].decode()
    start = text.index(">apply<")
    cell = text.rfind("<c ", 0, start)
    assert cell > 0
    end = text.index("</c>", start)
    reference = text[cell:].split('r="', 1)[1].split('"', 1)[0]
    parts[sheet_name] = (
        text[:cell] + f'<c r="{reference}" t="str"><f>"apply"</f><v>apply</v>' + text[end:]
    ).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    sheet, _ = check(path)
    assert [(one.name, one.reason) for one in sheet.faults] == [
        ("decision", "a formula; type the value itself")
    ]


def test_all_faults_are_told_at_once_with_sheet_row_and_column(written):
    path = fill(
        written[0],
        {"decision": "apply", "invoice": "Z"},
        {"decision": "pay"},
        {"decision": "apply", "invoice": "A", "amount": "1"},
        {"decision": "apply", "invoice": "A", "amount": "1"},
    )
    sheet, checked = check(path)
    told = [describe(one, sheet.columns, is_workbook=True) for one in (*sheet.faults, *checked.faults)]
    assert told == [
        "sheet Exceptions, row 3, column N (Decision): 'pay' is none of candidate 1, apply, credit, discount,"
        " write off, deduct, assign, unassign, take back",
        "sheet Exceptions, row 2, column O (For document): there is no document Z",
        "sheet Exceptions, row 5, column N (Decision): the same as in row 4",
    ]


def test_two_candidates_for_one_payment_do_not_fit_together(written):
    _, checked = check(fill(written[0], {"decision": "candidate 1"}, {"decision": "candidate 2"}))
    assert {one.row for one in checked.faults} == {3}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "column 'Payment' is missing"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"", "column 'Payment' is missing"),
        (b'"Payment",x\n"P', "unexpected end of data"),
        (b"Payment,x\nP\n", "line 2 has 1 fields, the header 2"),
    ],
    ids=["another table", "no text", "empty", "cut", "short row"],
)
def test_what_is_no_exceptions_list_is_refused_whole(tmp_path, content, said):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(DecisionsRefused, match=said):
        read_sheet(path)


def test_a_list_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DecisionsRefused, match="cannot be read"):
        read_sheet(tmp_path / "none.xlsx")


def test_records_of_a_run_come_back_and_older_files_of_applications_too(tmp_path):
    applications = RECORDED.applications
    applications.drop("credit_memo_id").write_parquet(tmp_path / "old.parquet")
    later = applications.with_columns(application_id=pl.col("application_id") + "0")
    name = write_records(
        tmp_path,
        "2026-03-31-run-2",
        {"applications": later, "exceptions": EXCEPTIONS, "assignments": PayerAssignments.empty()},
    )
    recorded = read_recorded(tmp_path, ["old.parquet", name])
    assert recorded.applications.equals(pl.concat([applications, later]).sort("application_id"))
    assert recorded.assignments.is_empty()
    assert read_record(tmp_path, name, "exceptions").equals(EXCEPTIONS)
    assert read_record(tmp_path, "old.parquet", "exceptions").is_empty()
    assert read_recorded(tmp_path, []).applications.is_empty()


def test_a_record_that_a_crash_left_is_written_anew(tmp_path):
    (tmp_path / "run.new").mkdir()
    (tmp_path / "run.new" / "half.parquet").write_bytes(b"PAR")
    for _ in range(2):
        write_records(tmp_path, "run", {"exceptions": EXCEPTIONS})
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["exceptions.parquet"]
    assert not (tmp_path / "run.new").exists()


def test_of_two_words_of_one_date_about_a_payer_the_persons_counts_then_the_later():
    def word(customer_id: str, rule: str) -> dict[str, Any]:
        return {"customer_id": customer_id, "rule": rule}

    rows = frame(
        PayerAssignments,
        word("A", "person"),
        word("B", "person"),
        word("C", "payer_name"),
        payment_id="P",
        explanation="said",
        score="1",
        assigned_date=AS_OF,
    )
    assert latest_assignments(rows)["customer_id"].to_list() == ["B"]


def test_files_of_decisions_count_in_the_order_in_which_they_were_given_from_when_the_ledger_names_them(
    tmp_path,
):
    engine = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").engine
    assert next_file_number(engine) == 1
    first, second = (
        DecisionFile(number, file_id, "Kim Lee", datetime(2026, 3, 30 + number - 1, 9, tzinfo=UTC), 4)
        for number, file_id in ((1, "ff"), (2, "aa"))
    )
    record_decision_file(engine, first)
    record_decision_file(engine, second)
    assert next_file_number(engine) == 3
    assert list_decision_files(engine) == [first, second]
    assert list_decision_files(engine, first.given_at) == [first]
    assert list_decision_files(engine, first.given_at - timedelta(seconds=1)) == []


def test_decisions_are_kept_under_the_hash_of_what_they_say(tmp_path, written):
    _, checked = check(fill(written[0], {"decision": "candidate 2"}))
    file_id = write_decisions(tmp_path / "decisions" / "cash", checked.decisions)
    assert write_decisions(tmp_path / "decisions" / "cash", checked.decisions.reverse()) == file_id
    assert read_decisions(tmp_path / "decisions" / "cash", [file_id]).equals(checked.decisions)
