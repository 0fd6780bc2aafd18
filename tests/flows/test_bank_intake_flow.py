"""Bank files come in by themselves, and what they say is in the next run."""

import gzip
import threading
import time
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from bank_days import BankDay, Booking, declare_account, write_ledger

from flows.bank_files import land_paths
from flows.bank_intake import IntakeRun, bank_intake, look_into
from flows.nightly import NightlyRun, play
from o2c.cli import main
from o2c.home import SourceEntry, init_home, open_home
from o2c.ledger import Ledger
from o2c.run import Run
from o2c.sources.bank.landing import landed_before
from o2c.warehouse import connect

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 9, day) for day in (14, 15, 16, 17))
PAID = Booking("100.00", "E2E-ACME-1", "INV-1001", "Acme Corp")
ALSO_PAID = Booking("250.00", "E2E-BOLT-1", "INV-1002", "Bolt Ltd")
UNKNOWN = Booking("77.70", "E2E-X-1", "thank you", "Nobody we know")
CHARGE = Booking("3.00", "FEE-1", "account fee", sign="DBIT")
RETURNED = Booking("100.00", "RET-1", "returned", "Acme Corp", "DBIT", returns="E2E-ACME-1")
FIRST = BankDay(MONDAY, 1, "1000.00", [PAID, ALSO_PAID, UNKNOWN, CHARGE])
SECOND = BankDay(TUESDAY, 2, FIRST.closes_with, [RETURNED])
THIRD = BankDay(WEDNESDAY, 3, SECOND.closes_with)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_home(tmp_path / "home", simulated=True, auto_approve=True)
    declare_account(tmp_path / "home")
    write_ledger(tmp_path / "ledger")
    return tmp_path / "home"


def deliver(home: Path, *days: BankDay) -> None:
    for one in days:
        path = home.parent / f"statement-{one.number}.xml"
        path.write_text(one.xml())
        land_paths([path], home)


def run(home: Path, as_of: date, until: Literal["cash", "published"] = "published") -> Run:
    sources = (SourceEntry(path=home.parent / "ledger"),)
    return play(NightlyRun(home=home, sources=sources, as_of_date=as_of, until=until), lambda _line: None)


def rows(home: Path, query: str) -> list[tuple]:
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query).fetchall()


PAYMENTS = "select payment_amount::varchar, status from receivables.fct_payments order by payment_amount"
OPEN = (
    "select invoice_id, open_amount::varchar from receivables.fct_open_items"
    " where as_of_date = (select max(as_of_date) from receivables.fct_open_items) order by invoice_id"
)


def closed(done: Run) -> list[str]:
    return sorted(check.check_name for check in done.closed_gates)


def test_payments_out_of_a_statement_settle_invoices_and_a_return_reopens_them(home: Path) -> None:
    deliver(home, FIRST)
    done = run(home, TUESDAY)
    assert rows(home, PAYMENTS) == [("77.7000", "suspense"), ("100.0000", "applied"), ("250.0000", "applied")]
    assert rows(home, OPEN) == []
    assert closed(done) == []

    deliver(home, SECOND)
    done = run(home, WEDNESDAY)
    assert rows(home, PAYMENTS) == [
        ("-100.0000", "reversed"),
        ("77.7000", "suspense"),
        ("100.0000", "reversed"),
        ("250.0000", "applied"),
    ]
    assert rows(home, OPEN) == [("INV-1001", "100.0000")]
    assert closed(done) == []


def test_a_day_that_is_not_there_closes_the_gate(home: Path) -> None:
    deliver(home, FIRST)
    done = run(home, WEDNESDAY)
    assert closed(done) == ["bank_statements_complete.US1"]


def test_a_missing_day_in_between_closes_the_gate_by_its_balance_and_number(home: Path) -> None:
    deliver(home, FIRST, THIRD)
    done = run(home, THURSDAY)
    (gate,) = done.closed_gates
    assert gate.check_name == "bank_statements_follow_on"
    assert "opening_differs" in gate.actual
    assert "sequence_gap" in gate.actual

    deliver(home, SECOND)
    assert closed(run(home, THURSDAY)) == []


def test_a_statement_that_does_not_tie_is_loaded_and_nothing_of_it_is_applied(home: Path) -> None:
    deliver(home, BankDay(MONDAY, 1, "1000.00", [PAID, UNKNOWN], closing="1177.71"))
    done = run(home, TUESDAY)
    assert rows(home, PAYMENTS) == [("77.7000", "suspense"), ("100.0000", "suspense")]
    assert closed(done) == ["bank_files_tie"]
    reasons = rows(
        home, "select severity, reason_code from quality.fct_rejected_rows where table_name = 'bank_files'"
    )
    assert reasons == [("warning", "balance_does_not_tie")]


def test_without_a_declared_account_completeness_does_not_apply_and_says_so(home: Path) -> None:
    (home / "bank_profiles" / "ours.yml").unlink()
    deliver(home, FIRST)
    done = run(home, THURSDAY)
    check = next(one for one in done.checks if one.check_name == "bank_statements_complete")
    assert (check.passed, check.actual) == (True, "none declared, not applicable")


def test_a_run_has_the_identity_of_its_bank_files(home: Path) -> None:
    deliver(home, FIRST)
    first = run(home, THURSDAY, "cash").run_id
    assert run(home, THURSDAY, "cash").run_id == first
    deliver(home, SECOND)
    assert run(home, THURSDAY, "cash").run_id != first


def test_ingest_says_what_it_found_and_refuses_by_file(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = home.parent / "delivered"
    inbox.mkdir()
    (inbox / "a.xml").write_text(FIRST.xml())
    (inbox / "b.xml.gz").write_bytes(gzip.compress(SECOND.xml().encode()))
    (inbox / "c.xml").write_text(THIRD.xml()[:-40])
    assert main(["--home", str(home), "ingest", str(inbox)]) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "a.xml: camt.053.001.08, 1 statement, 4 entries, 0 exceptions",
        "b.xml.gz: camt.053.001.08, 1 statement, 1 entry, 0 exceptions",
    ]
    assert said[2].startswith("refused: c.xml: line 1")

    (inbox / "c.xml").unlink()
    assert main(["--home", str(home), "ingest", str(inbox)]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(", landed before")

    (inbox / "d.xml").write_text(BankDay(WEDNESDAY, 3, "1.00", closing="2.00").xml())
    assert main(["--home", str(home), "ingest", str(inbox / "d.xml")]) == 1


def landed_names(home: Path) -> list[str]:
    opened = open_home(home)
    return [one.name for one in landed_before(opened.landing, Ledger(opened.ledger_url))]


def test_the_intake_takes_complete_files_moves_nothing_and_remembers_by_content(home: Path) -> None:
    inbox = home / "inbox"
    assert bank_intake.fn(IntakeRun(home=home)) == 0
    (inbox / "monday").mkdir(parents=True)
    (inbox / "monday" / "one.xml").write_text(FIRST.xml())
    (inbox / ".two.xml").write_text(SECOND.xml())
    asked = IntakeRun(home=home, settle_seconds=0)
    assert [bank_intake.fn(asked), bank_intake.fn(asked)] == [1, 0]
    (inbox / "monday" / "one.xml").rename(inbox / "renamed.xml")
    assert bank_intake.fn(asked) == 0
    assert (inbox / "renamed.xml").exists()
    assert landed_names(home) == ["renamed.xml"]


def test_the_intake_does_not_wait_for_a_run(home: Path) -> None:
    (home / "inbox").mkdir()
    (home / "inbox" / "one.xml").write_text(FIRST.xml())
    with open_home(home).lock("publish", 0):
        assert bank_intake.fn(IntakeRun(home=home, settle_seconds=0)) == 1


def test_a_file_that_somebody_still_writes_is_never_loaded(home: Path) -> None:
    content = FIRST.xml().encode()
    path = home / "inbox" / "trickles.xml"
    path.parent.mkdir()
    stop = threading.Event()

    def trickle() -> None:
        with path.open("wb", buffering=0) as target:
            for start in range(0, len(content), 120):
                target.write(content[start : start + 120])
                time.sleep(0.01)
        stop.set()

    writer = threading.Thread(target=trickle)
    writer.start()
    looks = 0
    while not stop.is_set():
        report = look_into(IntakeRun(home=home, settle_seconds=0.004))
        looks += 1
        assert all(one.receipt["entries"] == 4 for one in report.landed)
    writer.join()
    assert looks > 1
    look_into(IntakeRun(home=home, settle_seconds=0.01))
    assert landed_names(home) == ["trickles.xml"]
    (receipt,) = (home / "landing" / "_bank").glob("*/*.json")
    assert pl.read_parquet(receipt.with_name(receipt.stem + ".entries.parquet")).height == 4
