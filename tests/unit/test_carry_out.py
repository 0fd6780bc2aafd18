"""What people approved is done once: files first, then the row, however often it dies between. Both databases."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from approval_books import ask, item, request, say
from sqlalchemy import select

import flows.approvals
import o2c.handover_files
from flows.approvals import CarriedOut, carry_out, finish_recalls
from o2c.approvals import Item
from o2c.handover_files import keep_hand_over, write_recall
from o2c.home import Home, init_home
from o2c.ledger import Ledger
from o2c.ledger.approving import read_request, submit
from o2c.ledger.placing import approved_holds, items_at_agencies
from o2c.ledger.tables import audit, order_holds, placements

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ZONE = "Europe/Berlin"


class Killed(BaseException):
    """The process is gone: nothing after this line runs."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home", simulated=True, auto_approve=False)


@pytest.fixture
def ledger(ledger_url: str):
    ledger = Ledger(ledger_url)
    yield ledger
    ledger.engine.dispose()


def referral(number: int, amount: str = "100.00") -> Item:
    facts = {
        "invoice_id": f"INV-{number}",
        "installment_number": 1,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "agency_id": "AGENCY-EU",
        "rule": "standard",
    }
    return Item(f"INV-{number}|1", "EUR", Decimal(amount), facts)


def hand_over(*items: Item) -> dict:
    rows = [
        dict(one.facts) | {"currency_code": "EUR", "referred_amount": str(one.amount), "days_past_due": 100}
        for one in items
    ]
    return {"agency_id": "AGENCY-EU", "items": rows, "contact_log": [], "evidence": []}


def ask_referrals(home: Home, ledger: Ledger, *items: Item, hands: dict | None = None) -> str:
    name = keep_hand_over(home.agency, hands or hand_over(*items))
    return ask(ledger.engine, *items, kind="referrals", reason="referral to AGENCY-EU", evidence_hash=name)


def approve(ledger: Ledger, request_id: str) -> None:
    for person in ("bert", "carl"):
        say(ledger.engine, request_id, person)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def placed(ledger: Ledger) -> list[tuple]:
    names = (
        "invoice_id",
        "agency_id",
        "placed_date",
        "request_id",
        "placed_amount",
        "recalled_date",
        "recall_reason",
    )
    with ledger.engine.connect() as con:
        query = select(*(placements.c[name] for name in names)).order_by(placements.c.invoice_id)
        return [tuple(row) for row in con.execute(query)]


def test_nothing_is_handed_over_before_two_people_said_yes(home, ledger):
    request_id = ask_referrals(home, ledger, referral(1))
    say(ledger.engine, request_id, "bert")
    assert carry_out(home, ledger, NOON, ZONE) == CarriedOut((), ())
    assert (placed(ledger), list(home.agency.glob("referrals-*"))) == ([], [])


def test_an_approved_list_is_handed_over_once(home, ledger):
    request_id = ask_referrals(home, ledger, referral(1), referral(2, "7.50"))
    approve(ledger, request_id)
    assert carry_out(home, ledger, NOON, ZONE) == CarriedOut((request_id,), ())
    rows = [
        ("INV-1", "AGENCY-EU", date(2026, 3, 12), request_id, "100.00", None, None),
        ("INV-2", "AGENCY-EU", date(2026, 3, 12), request_id, "7.50", None, None),
    ]
    content = files(home.agency)
    assert placed(ledger) == rows
    assert carry_out(home, ledger, LATER, ZONE) == CarriedOut((), ())
    assert (placed(ledger), files(home.agency)) == (rows, content)
    assert read_request(ledger.engine, request_id).carried_out_at == NOON


def test_the_day_of_a_placement_is_the_day_where_the_business_is(home, ledger):
    approve(ledger, ask_referrals(home, ledger, referral(1)))
    carry_out(home, ledger, datetime(2026, 3, 12, 23, 30, tzinfo=UTC), ZONE)
    assert placed(ledger)[0][2] == date(2026, 3, 13)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (o2c.handover_files, "write_workbook"),
        (o2c.handover_files, "sync"),
        (flows.approvals, "record_placements"),
    ],
    ids=["while files are written", "before the folder has its name", "between files and row"],
)
def test_killed_on_the_way_it_is_done_once_all_the_same(home, ledger, monkeypatch, module, name):
    request_id = ask_referrals(home, ledger, referral(1))
    approve(ledger, request_id)

    def die(*_arguments, **_options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, name, die)
        with pytest.raises(Killed):
            carry_out(home, ledger, NOON, ZONE)
    there = files(home.agency / request_id) if (home.agency / request_id).exists() else None
    assert (placed(ledger), there is not None) == ([], name == "record_placements")
    assert carry_out(home, ledger, LATER, ZONE) == CarriedOut((request_id,), ())
    assert [row[0] for row in placed(ledger)] == ["INV-1"]
    assert there in (None, files(home.agency / request_id))
    with ledger.engine.connect() as con:
        done = con.execute(
            select(audit.c.subject).where(audit.c.action.in_(("place", "carry out")))
        ).scalars()
        assert sorted(done) == ["item:INV-1|1", f"request:{request_id}"]


def test_what_left_before_the_approval_ended_is_written_down_after_it(home, ledger, monkeypatch):
    request_id = ask_referrals(home, ledger, referral(1))
    approve(ledger, request_id)

    def die(*_arguments):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(flows.approvals, "record_placements", die)
        with pytest.raises(Killed):
            carry_out(home, ledger, NOON, ZONE)
    assert carry_out(home, ledger, NOON + timedelta(hours=30), ZONE) == CarriedOut((request_id,), ())
    assert [row[0] for row in placed(ledger)] == ["INV-1"]


def test_what_was_not_handed_over_before_the_approval_ended_is_asked_again(home, ledger):
    request_id = ask_referrals(home, ledger, referral(1))
    approve(ledger, request_id)
    assert carry_out(home, ledger, NOON + timedelta(hours=24), ZONE) == CarriedOut((), ())
    assert read_request(ledger.engine, request_id).state == "expired"
    assert (placed(ledger), list(home.agency.glob("referrals-*"))) == ([], [])


@pytest.mark.parametrize(
    ("hands", "why"),
    [
        (hand_over(referral(1, "100.01")), "does not come to what was approved"),
        (None, "not there as it was approved"),
    ],
    ids=["another total", "gone"],
)
def test_a_hand_over_that_is_not_what_was_approved_stays(home, ledger, hands, why):
    request_id = ask_referrals(home, ledger, referral(1), hands=hands)
    approve(ledger, request_id)
    if hands is None:
        for path in (home.agency / "waiting").iterdir():
            path.unlink()
    carried = carry_out(home, ledger, NOON, ZONE)
    assert carried.request_ids == ()
    assert why in carried.faults[0]
    assert (placed(ledger), list(home.agency.glob("referrals-*"))) == ([], [])


def test_an_item_at_an_agency_is_not_asked_for_again_until_it_is_taken_back(home, ledger):
    first = ask_referrals(home, ledger, referral(1))
    approve(ledger, first)
    carry_out(home, ledger, NOON, ZONE)
    again = {"kind": "referrals", "reason": "referral to AGENCY-EU", "batch_id": "2026-03-13-c"}
    assert submit(ledger.engine, request(referral(1, "99.00"), **again), LATER).left_out == ("INV-1|1",)
    recall(home, ledger, "paid_in_part", date(2026, 3, 13))
    second = ask_referrals(home, ledger, referral(1, "99.00"))
    approve(ledger, second)
    carry_out(home, ledger, LATER, ZONE)
    finish_recalls(home, ledger, LATER)  # the file of that recall is of the hand-over before, of the same day
    assert placed(ledger) == [("INV-1", "AGENCY-EU", date(2026, 3, 12), second, "99.00", None, None)]


def recall(home: Home, ledger: Ledger, reason: str, day: date, *, is_killed: bool = False) -> Path:
    found = items_at_agencies(ledger.engine).with_columns(
        recall_reason=pl.lit(reason), open_amount=pl.lit(Decimal("0.00"), dtype=pl.Decimal(18, 4))
    )
    place = write_recall(home.agency, found, f"{day.isoformat()}-abc", day)
    if not is_killed:
        finish_recalls(home, ledger, LATER)
    return place


def test_a_recall_is_told_to_the_agency_and_written_down(home, ledger):
    approve(ledger, ask_referrals(home, ledger, referral(1)))
    carry_out(home, ledger, NOON, ZONE)
    place = recall(home, ledger, "paid", date(2026, 3, 13))
    with next(place.glob("*.csv")).open(newline="") as handle:
        rows = [
            (row["Document id"], row["Placed"], row["Still open"], row["Reason"])
            for row in csv.DictReader(handle)
        ]
    assert rows == [("INV-1", "100.00", "0.00", "paid")]
    assert placed(ledger)[0][-2:] == (date(2026, 3, 13), "paid")
    day = date(2026, 3, 13)
    assert [ledger.placed_before(day + timedelta(days=one)).height for one in (0, 1)] == [1, 0]


def test_a_recall_file_whose_run_died_is_written_down_by_the_next_one_and_only_once(home, ledger):
    approve(ledger, ask_referrals(home, ledger, referral(1)))
    carry_out(home, ledger, NOON, ZONE)
    recall(home, ledger, "disputed", date(2026, 3, 13), is_killed=True)
    assert placed(ledger)[0][-2:] == (None, None)
    for _ in range(2):
        finish_recalls(home, ledger, LATER)
    assert placed(ledger)[0][-2:] == (date(2026, 3, 13), "disputed")
    with ledger.engine.connect() as con:
        assert len(con.execute(select(audit).where(audit.c.action == "recall")).all()) == 1


def test_orders_are_exported_once_and_say_who_approved(home, ledger):
    request_id = ask(ledger.engine, item("ORD-1", "10.00"), item("ORD-2", "20.00"))
    approve(ledger, request_id)
    assert carry_out(home, ledger, NOON, ZONE) == CarriedOut((request_id,), ())
    content = files(home.order_holds)
    assert carry_out(home, ledger, LATER, ZONE) == CarriedOut((), ())
    assert files(home.order_holds) == content
    assert content[f"{request_id}/orders.csv"].decode().splitlines()[1:] == [
        f'"{order}","C1","hold","over the limit","EUR",{amount},2026-03-12,"{request_id}"'
        for order, amount in (("ORD-1", "10.00"), ("ORD-2", "20.00"))
    ]
    day = date(2026, 3, 12)
    assert approved_holds(ledger.engine).rows() == [
        ("ORD-1", "hold", day, "bert, carl"),
        ("ORD-2", "hold", day, "bert, carl"),
    ]
    assert approved_holds(ledger.engine, NOON - timedelta(seconds=1)).is_empty()


def test_a_hold_that_was_exported_is_asked_for_again_only_when_it_is_proposed_anew(home, ledger):
    approve(ledger, ask(ledger.engine))
    carry_out(home, ledger, NOON, ZONE)
    changed = item(reason="over the limit by more")
    assert submit(ledger.engine, request(changed, batch_id="c"), LATER).left_out == ("ORD-1|hold",)
    anew = item(decided_as_of_date="2026-03-20")
    assert submit(ledger.engine, request(anew, batch_id="d"), LATER).state == "waiting"
    with ledger.engine.connect() as con:
        assert len(con.execute(select(order_holds)).all()) == 1
