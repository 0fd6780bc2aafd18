"""A payment that nobody can place: listed, decided by a person in the workbook, done in the next run, remembered."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

import flows.publication
from flows.cash_decisions import list_exceptions, take_decisions
from flows.nightly import NightlyRun, play
from o2c.cash_workbook import HEADINGS
from o2c.explain_payment import explain_payment
from o2c.home import SourceEntry, init_home, open_home
from o2c.ledger import Ledger
from o2c.run import Run
from o2c.warehouse import connect

FIRST, SECOND, THIRD = date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30)
BOOKS = {
    "entities": "entity_id,entity_name,country_code,currency_code,time_zone\nE1,Ours,DE,EUR,Europe/Berlin\n",
    "customers": "customer_id,customer_name,country_code,customer_type,status\n"
    "ACME,Acme Tools,DE,business,active\nBOLT,Bolt Works,DE,business,active\n",
    "invoices": "invoice_id,entity_id,invoice_number,document_type,customer_id,invoice_date,due_date,currency_code,"
    "invoice_amount\n"
    "I-1,E1,2026-0001,invoice,ACME,2026-09-01,2026-10-01,EUR,103.17\n"
    "I-2,E1,2026-0002,invoice,ACME,2026-09-02,2026-10-02,EUR,251.90\n"
    "I-3,E1,2026-0003,invoice,BOLT,2026-09-03,2026-10-03,EUR,77.77\n",
}
PAYMENTS = (
    "payment_id,entity_id,payer_name,payer_account,value_date,currency_code,payment_amount,reference_text\n"
    "P-1,E1,Holding Nine,DE00ACCOUNT,2026-09-25,EUR,100.00,many thanks\n"
)
NEXT_PAYMENT = "P-2,E1,Holding Nine,DE00ACCOUNT,2026-09-30,EUR,251.90,thanks again\n"


def write_books(folder: Path, payments: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in (BOOKS | {"payments": payments}).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def run(home: Path, books: Path, as_of: date) -> Run:
    return play(
        NightlyRun(home=home, sources=(SourceEntry(path=books),), as_of_date=as_of), lambda _line: None
    )


def published(home: Path, query: str) -> list[tuple]:
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query).fetchall()


def applications(home: Path) -> list[tuple]:
    return published(
        home,
        "select payment_id, invoice_id, applied_amount, applied_by"
        " from receivables.fct_payment_applications order by payment_id, invoice_id",
    )


def fill_in(workbook: Path, rows: list[dict[str, str]], payment_id: str = "P-1") -> None:
    """Type decisions into the row of a payment; a second one into a copy of that row, as a person does."""
    book = load_workbook(workbook)
    sheet = book["Exceptions"]
    place = {cell.value: cell.column for cell in sheet[1]}
    at = next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, 1).value == payment_id)
    facts = [sheet.cell(at, column).value for column in range(1, sheet.max_column + 1)]
    for number, typed in enumerate(rows):
        row = at if number == 0 else sheet.max_row + 1
        for column, value in enumerate(facts, start=1):
            sheet.cell(row, column).value = value
        for name, value in typed.items():
            sheet.cell(row, place[HEADINGS[name]]).value = value
    book.save(workbook)


@pytest.fixture(scope="module")
def first_morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one morning was run, and its books beside it."""
    folder = tmp_path_factory.mktemp("cash")
    init_home(folder / "home", simulated=True, auto_approve=True)
    run(folder / "home", write_books(folder / "books", PAYMENTS), FIRST)
    return folder


@pytest.fixture
def morning(first_morning: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of both that a test may change."""
    shutil.copytree(first_morning, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy" / "home", tmp_path / "copy" / "books"


def test_what_a_person_decides_is_done_once_in_the_next_run_and_remembered(
    morning: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, books = morning
    monkeypatch.setenv("O2C_HOME", str(home))
    listed = list_exceptions(home)
    assert [(one["payment_id"], one["reason_code"]) for one in listed.data()] == [("P-1", "unknown_payer")]

    workbook = home.parent / "answer.xlsx"
    shutil.copy(home / "published" / "cash" / "cash-exceptions_2026-09-28.xlsx", workbook)
    fill_in(
        workbook,
        [
            {"decision": "assign", "customer_id": "ACME", "note": "their holding pays"},
            {"decision": "apply", "invoice": "2026-0001"},
        ],
    )
    taken = take_decisions(workbook, "Kim Lee", home)
    assert (taken.decision_count, taken.payment_count, taken.given_before) == (2, 1, 0)
    again = take_decisions(workbook, "Kim Lee", home)
    assert (again.decision_count, again.given_before) == (0, 2)
    assert applications(home) == []

    second = run(home, books, SECOND)
    done = [("P-1", "I-1", Decimal("100.0000"), "person")]
    assert applications(home) == done
    assert published(home, "select customer_id from receivables.fct_payments") == [("ACME",)]
    assert second.decided["new_applications"] == 1
    assert run(home, books, SECOND).decided["new_applications"] == 0
    assert applications(home) == done

    write_books(books, PAYMENTS + NEXT_PAYMENT)
    third = run(home, books, THIRD)
    assert applications(home) == [*done, ("P-2", "I-2", Decimal("251.9000"), "engine")]
    assert third.decided["cash_exceptions"] == []

    story = explain_payment(open_home(home), "P-1")
    assert [row["explanation"] for row in story.data["applications"]] == [
        "Kim Lee decided this on 2026-09-28."
    ]
    assert [(row["customer_id"], row["rule"]) for row in story.data["payer"]] == [("ACME", "person")]
    assert "Holding Nine" not in story.text()
    assert "DE00ACCOUNT" not in story.text()


def test_a_run_that_is_killed_before_it_counts_leaves_the_decision_to_the_next(
    morning: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, books = morning
    source = home / "published" / "cash" / "cash-exceptions_2026-09-28.csv"
    frame = pl.read_csv(source, infer_schema=False)
    answered = frame.with_columns(
        pl.lit("apply").alias(HEADINGS["decision"]), pl.lit("I-1").alias(HEADINGS["invoice"])
    )
    answered.write_csv(home.parent / "answer.csv")
    assert take_decisions(home.parent / "answer.csv", "Kim Lee", home).decision_count == 1

    class Killed(BaseException):
        """As if the machine went down."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(flows.publication, "switch_to", die)
        with pytest.raises(Killed):
            run(home, books, SECOND)
    ledger = Ledger(open_home(home).ledger_url)
    assert len(ledger.application_files()) == 1
    assert run(home, books, SECOND).decided["new_applications"] == 1
    assert applications(home) == [("P-1", "I-1", Decimal("100.0000"), "person")]


def test_a_payment_that_is_no_longer_delivered_is_proposed_to_be_taken_back(
    morning: tuple[Path, Path],
) -> None:
    home, books = morning
    named = PAYMENTS.replace("many thanks", "2026-0001").replace("100.00", "103.17")
    write_books(books, named)
    run(home, books, SECOND)
    assert applications(home) == [("P-1", "I-1", Decimal("103.1700"), "engine")]
    write_books(books, named.replace("P-1,", "P-1-DETAIL,").replace("2026-0001", "many thanks"))
    run(home, books, THIRD)
    listed = list_exceptions(home).data()
    assert ("P-1", "evidence_against_application") in {
        (one["payment_id"], one["reason_code"]) for one in listed
    }
    workbook = home.parent / "answer.xlsx"
    shutil.copy(home / "published" / "cash" / "cash-exceptions_2026-09-30.xlsx", workbook)
    fill_in(workbook, [{"decision": "candidate 1"}])
    assert take_decisions(workbook, "Kim Lee", home).decision_count == 1
    run(home, books, date(2026, 10, 1))
    rows = pl.concat(
        [pl.read_parquet(path) for path in sorted((home / "applications").glob("*/applications.parquet"))]
    )
    assert rows.filter(pl.col("invoice_id") == "I-1")["applied_amount"].sum() == Decimal(0)
    assert published(home, "select open_amount from receivables.fct_invoices where invoice_id = 'I-1'") == [
        (Decimal("103.1700"),)
    ]
    assert "P-1" not in {one["payment_id"] for one in list_exceptions(home).data()}


def test_a_decision_that_no_longer_fits_is_told_once_with_its_reason(morning: tuple[Path, Path]) -> None:
    home, books = morning
    workbook = home.parent / "answer.xlsx"
    shutil.copy(home / "published" / "cash" / "cash-exceptions_2026-09-28.xlsx", workbook)
    fill_in(workbook, [{"decision": "apply", "invoice": "I-1"}])
    take_decisions(workbook, "Kim Lee", home)
    invoices = books / "invoices.csv"
    invoices.write_text("".join(line for line in invoices.open() if not line.startswith("I-1,")))
    run(home, books, SECOND)
    assert [
        (one["payment_id"], one["reason_code"], one["reason"]) for one in list_exceptions(home).data()
    ] == [
        (
            "P-1",
            "decision_not_possible",
            "A decision was refused: document I-1 is not there. Nothing of it was done; decide anew.",
        )
    ]
    run(home, books, THIRD)
    assert [one["reason_code"] for one in list_exceptions(home).data()] == ["unknown_payer"]
