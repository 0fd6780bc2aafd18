"""What a morning may not do alone: it waits for people, whole runs through, and is done once they said yes."""

import csv
import json
import os
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sending_books import quiet
from sqlalchemy import select

from flows.approval_desk import answer, list_waiting, open_desk
from flows.approvals import CarriedOut
from flows.cash_decisions import list_exceptions, take_decisions
from flows.nightly import NightlyRun, play
from o2c.approvals import ApprovalRefused, Ballot, Pending
from o2c.cash_workbook import HEADINGS
from o2c.home import SourceEntry, init_home, open_home
from o2c.ledger import Ledger
from o2c.ledger.tables import letters, placements
from o2c.run import Run
from o2c.settings import PROJECT
from o2c.warehouse import connect

FIRST, SECOND, THIRD = date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30)
BOOKS = {
    "entities": "entity_id,entity_name,country_code,currency_code,time_zone\nE1,Ours,DE,EUR,Europe/Berlin\n",
    "customers": "customer_id,customer_name,country_code,customer_type,status\nACME,Acme Tools,DE,business,active\n",
    "invoices": "invoice_id,entity_id,invoice_number,document_type,customer_id,invoice_date,due_date,currency_code,"
    "invoice_amount\nI-1,E1,2026-0001,invoice,ACME,2026-09-01,2026-10-01,EUR,900.00\n",
    "payments": "payment_id,entity_id,payer_name,payer_account,value_date,currency_code,payment_amount,reference_text\n"
    "P-1,E1,Holding Nine,DE00ACCOUNT,2026-09-25,EUR,649.99,many thanks\n",
}
DIRECTORS = "  approvers:\n" + "".join(
    f"    - {{person: {name}, roles: [finance_director]}}\n" for name in ("anna", "bert", "kim.lee")
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which people approve, and policies that name them."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    shutil.copytree(PROJECT / "policies", tmp_path / "policies")
    controls = tmp_path / "policies" / "controls.yml"
    controls.write_text(controls.read_text().partition("  approvers:")[0] + DIRECTORS)
    monkeypatch.setenv("O2C_POLICIES", str(tmp_path / "policies"))
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("O2C_OPERATOR", "olga")
    init_home(tmp_path / "home", simulated=True, auto_approve=False)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def first_morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one morning found a payment that is short, and its books beside it."""
    folder = tmp_path_factory.mktemp("short")
    init_home(folder / "home", simulated=True, auto_approve=False)
    run(folder / "home", books_of(folder / "books"), FIRST)
    return folder


@pytest.fixture
def paid_short(installed: Path, first_morning: Path, tmp_path: Path) -> None:
    """That morning, in the home of this test."""
    shutil.rmtree(installed)
    shutil.copytree(first_morning, tmp_path, symlinks=True, dirs_exist_ok=True)


def run(home: Path, books: Path, as_of: date, *, send: bool = False) -> Run:
    return play(NightlyRun(home=home, sources=(SourceEntry(path=books),), as_of_date=as_of, send=send), quiet)


def waits(home: Path) -> list[tuple[str, int, str]]:
    """Kind, count and preparer of what waits."""
    return sorted((one.kind, one.item_count, one.prepared_by) for one in list_waiting(open_desk(home)))


def say(home: Path, pending: Pending, by: str, verdict: str = "approve") -> CarriedOut:
    ballot = Ballot(pending.request_id, pending.content_hash[:12], by, "finance_director", verdict)
    return answer(open_desk(home), ballot)[1]


def books_of(folder: Path) -> Path:
    folder.mkdir()
    for name, text in BOOKS.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def decide_to_give_up(home: Path, amount: str) -> None:
    """Kim sets the payment against the invoice and writes the rest off."""
    frame = pl.read_csv(home / "published/cash/cash-exceptions_2026-09-28.csv", infer_schema=False)
    typed = [("apply", None), ("write off", amount)]
    rows = [
        frame.with_columns(
            pl.lit(decision).alias(HEADINGS["decision"]),
            pl.lit("I-1").alias(HEADINGS["invoice"]),
            pl.lit(given, dtype=pl.String).alias(HEADINGS["amount"]),
        )
        for decision, given in typed
    ]
    pl.concat(rows).write_csv(home.parent / "answer.csv")
    take_decisions(home.parent / "answer.csv", "Kim Lee", home)


def applied(home: Path) -> list[tuple[str, Decimal]]:
    query = "select application_type, applied_amount from receivables.fct_payment_applications order by all"
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query).fetchall()


PAID, GIVEN_UP = ("payment", Decimal("649.9900")), ("write_off", Decimal("250.0100"))


def reasons(home: Path) -> list[tuple[str, str]]:
    return [(one["payment_id"], one["reason_code"]) for one in list_exceptions(home).data()]


def test_a_write_off_a_cent_above_the_limit_waits_for_two_others(installed, paid_short, tmp_path):
    books = tmp_path / "books"
    decide_to_give_up(installed, "250.01")
    assert waits(installed) == [("write_offs", 1, "kim.lee")]
    run(installed, books, SECOND)
    assert (applied(installed), reasons(installed)) == ([PAID], [("P-1", "waiting_for_approval")])
    # a day went by: it was asked for anew
    (pending,) = list_waiting(open_desk(installed))
    assert (pending.as_of_date, pending.amounts) == (SECOND, {"EUR": Decimal("250.01")})
    with pytest.raises(ApprovalRefused, match="prepared this list"):
        say(installed, pending, "kim.lee")
    say(installed, pending, "anna")
    assert say(installed, pending, "bert") == CarriedOut((pending.request_id,), ())
    run(installed, books, THIRD)
    assert (applied(installed), reasons(installed), waits(installed)) == ([PAID, GIVEN_UP], [], [])


def test_a_write_off_that_was_rejected_is_told_once_and_never_done(installed, paid_short, tmp_path):
    books = tmp_path / "books"
    decide_to_give_up(installed, "250.01")
    (pending,) = list_waiting(open_desk(installed))
    say(installed, pending, "anna", "reject")
    run(installed, books, SECOND)
    assert (applied(installed), reasons(installed)) == ([PAID], [("P-1", "decision_not_possible")])
    assert waits(installed) == []


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def placed(home: Path) -> dict[str, tuple]:
    columns = (
        placements.c.invoice_id,
        placements.c.placed_date,
        placements.c.recalled_date,
        placements.c.recall_reason,
    )
    with Ledger(open_home(home).ledger_url).engine.connect() as con:
        return {row[0]: tuple(row[1:]) for row in con.execute(select(*columns))}


def test_letters_referrals_and_holds_of_a_morning_wait_and_are_done_when_people_said_yes(
    installed, small_ledger, tmp_path
):
    books = tmp_path / "ledger"
    shutil.copytree(small_ledger, books)
    made = run(installed, books, THIRD, send=True)
    pending = list_waiting(open_desk(installed))
    assert {one.kind for one in pending} == {"letters", "referrals", "holds"}
    assert {one.prepared_by for one in pending} == {"olga"}
    assert (placed(installed), list((installed / "outbox").glob("*/*.eml"))) == ({}, [])
    counted = {one["request"]: int(one["count"]) for one in made.decided["approvals_waiting"]}
    assert counted == {one.request_id: one.item_count for one in pending}
    proposed = made.decided["agency_referrals"]["proposed"]
    assert proposed == sum(one.item_count for one in pending if one.kind == "referrals")
    names = {row["customer_name"] for row in rows_of(books / "customers.csv")}
    assert not [name for name in names if name in json.dumps(made.decided["approvals_waiting"])]

    for one in pending:
        for person in ("anna", "bert")[: one.required_approval_count]:
            carried = say(installed, one, person)
            assert carried.faults == ()
    with Ledger(open_home(installed).ledger_url).engine.connect() as con:
        assert set(con.execute(select(letters.c.state)).scalars()) == {"approved"}
    there = placed(installed)
    assert {row[:2] for row in there.values()} == {(THIRD, None)}
    assert len(there) == proposed
    listed = [row for path in (installed / "agency").glob("*/*items.csv") for row in rows_of(path)]
    assert {row["Document id"] for row in listed} == set(there)
    totals: dict[str, Decimal] = {}
    for row in listed:
        totals[row["Currency"]] = totals.get(row["Currency"], Decimal(0)) + Decimal(row["Placed"])
    approved: dict[str, Decimal] = {}
    for one in pending:
        for code, amount in one.amounts.items() if one.kind == "referrals" else ():
            approved[code] = approved.get(code, Decimal(0)) + amount
    assert totals == approved
    assert list((installed / "order-holds").glob("*/orders.csv"))

    paid = listed[0]
    with (books / "payments.csv").open(newline="") as handle:
        header = next(csv.reader(handle))
    invoice = next(row for row in rows_of(books / "invoices.csv") if row["invoice_id"] == paid["Document id"])
    payment = dict.fromkeys(header, "") | {
        "payment_id": "PAY-LATE", "entity_id": invoice["entity_id"], "customer_id": invoice["customer_id"],
        "value_date": "2026-10-01", "currency_code": paid["Currency"], "payment_amount": paid["Placed"],
        "reference_text": invoice["invoice_number"],
    }  # fmt: skip
    with (books / "payments.csv").open("a", newline="") as handle:
        csv.DictWriter(handle, header).writerow(payment)
    tomorrow = date(2026, 10, 1)
    run(installed, books, tomorrow, send=True)
    assert placed(installed)[paid["Document id"]] == (THIRD, tomorrow, "paid")
    recalled = [row for path in (installed / "agency/recalls").glob("*/*.csv") for row in rows_of(path)]
    assert [(row["Document id"], row["Placement"], row["Reason"]) for row in recalled] == [
        (paid["Document id"], paid["Placement"], "paid")
    ]
