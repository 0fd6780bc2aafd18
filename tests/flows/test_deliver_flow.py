"""Between the decision and the hour of sending things happen: what they concern is never sent, the rest is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bank_days import declare_account
from sending_books import (
    MORNING,
    Books,
    approve,
    copy_of,
    ledger_of,
    left,
    new_home,
    policies_with_approvers,
    quiet,
    run,
    states,
)
from sqlalchemy import update

import flows.brakes
import flows.deliver
import flows.recheck
from flows.deliver import DeliverRun, send_out
from flows.ingest import IngestRun, land_only
from o2c.cli import main
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.production import OpenCarrier
from o2c.delivery.sendout import Sendout
from o2c.home import open_home
from o2c.landing import RefusedFiles
from o2c.ledger.approving import waiting
from o2c.ledger.outgoing import claim
from o2c.ledger.tables import letters
from o2c.run_measures import Measures
from o2c.warehouse import connect

HAPPENINGS = {
    "PAID": "settled",
    "PARTLY": "settled_in_part",
    "DISPUTES": "disputed",
    "CLAIMS": "disputed_more",
    "BLOCKED": "blocked",
    "HELDITEM": "invoice_blocked",
    "INSOLVENT": "insolvent",
    "LAWYERS": "legal",
    "PROMISES": "promise_pending",
    "INSTALS": "plan_in_good_standing",
    "CREDITED": "nothing_net_due",
    "MOVED": "address_changed",
    "DEPARTED": "address_changed",
    "NOBODY": "unknown_customer_type",
    "SUSPECT": "possible_payer",
    "POSTPONED": "not_past_due",
}
UNTOUCHED = {"STEADY", "CALM"}


def happen(books: Books) -> None:
    """Everything that a morning can bring, each to one customer."""
    books.pay("PAID", "100.00")
    books.pay("PARTLY", "40.00")
    dispute = {"reason_code": "quality", "opened_date": "2026-09-16"}
    books.add(
        "disputes",
        {"dispute_id": "D-1", "invoice_id": "INV-DISPUTES", "disputed_amount": "100.00"} | dispute,
        {"dispute_id": "D-2", "invoice_id": "INV-CLAIMS", "disputed_amount": "0.01"} | dispute,
    )
    block = {"valid_from": "2026-09-16", "reason": "asked for", "set_by": "sales"}
    books.add(
        "blocks",
        {"block_id": "B-1", "scope": "customer", "subject_id": "BLOCKED", "kind": "manual"} | block,
        {"block_id": "B-2", "scope": "invoice", "subject_id": "INV-HELDITEM", "kind": "manual"} | block,
        {"block_id": "B-3", "scope": "invoice", "subject_id": "INV-LAWYERS", "kind": "legal"} | block,
    )
    books.change("customers", "customer_id", "INSOLVENT", status="insolvent")
    books.change("customers", "customer_id", "NOBODY", customer_type="")
    books.add(
        "promises",
        {
            "promise_id": "P-1",
            "customer_id": "PROMISES",
            "promised_amount": "100.00",
            "currency_code": "USD",
            "promised_date": "2026-09-20",
            "made_date": "2026-09-16",
        },
    )
    books.add(
        "plans",
        {"plan_id": "PL-1", "customer_id": "INSTALS", "agreed_date": "2026-09-16", "status": "active"},
    )
    books.add(
        "plan_lines",
        {
            "plan_id": "PL-1",
            "line_number": "1",
            "invoice_id": "INV-INSTALS",
            "due_date": "2026-10-20",
            "plan_amount": "100.00",
            "currency_code": "USD",
        },
    )
    books.add(
        "invoices",
        books.invoice("CREDITED", document_type="credit_memo", invoice_id="CM-1", invoice_number="CM-1"),
    )
    books.change("invoices", "invoice_id", "INV-POSTPONED", due_date="2026-10-12")
    books.change("contacts", "customer_id", "MOVED", email="ap@elsewhere.example")
    books.write("contacts", [row for row in books.read("contacts") if row["customer_id"] != "DEPARTED"])
    books.pay("SUSPECT", "313.37", customer_id="", payer_name="Somebody", reference_text="thank you")


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = policies_with_approvers(tmp_path_factory.mktemp("policies") / "policies")
    for name, here, there in (
        ("controls", "expiry_hours: 24", "expiry_hours: 72"),  # into the next morning
        ("dunning", "tone: friendly}", "tone: friendly, has_pdf: true}"),
    ):
        path = folder / f"{name}.yml"
        text = path.read_text()
        assert text.count(here) == 1
        path.write_text(text.replace(here, there))
    return folder


@pytest.fixture(autouse=True)
def in_force(policies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2C_POLICIES", str(policies))
    monkeypatch.setenv("O2C_OPERATOR", "machine")


@pytest.fixture(scope="module")
def decided_home(tmp_path_factory: pytest.TempPathFactory, policies: Path) -> tuple[Path, Path, datetime]:
    """A home in which a morning decided a letter to everybody, its ledger, and when that was. Tests copy it."""
    root = tmp_path_factory.mktemp("decided")
    books = Books(root / "ledger", [*HAPPENINGS, *UNTOUCHED], {"SUSPECT": "313.37"})
    new_home(root / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("O2C_POLICIES", str(policies))
        patch.setenv("O2C_OPERATOR", "machine")
        done = run(root / "home", books.folder)
    assert set(states(root / "home").values()) == {("approval_pending", None)}
    return root / "home", books.folder, done.now


@pytest.fixture
def decided(decided_home: tuple[Path, Path, datetime], tmp_path: Path) -> tuple[Path, Books]:
    """A copy of it, beside a copy of its ledger, that a test may change."""
    return copy_of(*decided_home[:2], tmp_path)


@pytest.fixture
def approved(
    decided: tuple[Path, Books], policies: Path, decided_home: tuple[Path, Path, datetime]
) -> tuple[Path, Books]:
    """The same, after a person said yes to every letter."""
    approve(decided[0], policies, decided_home[2])
    return decided


def deliver(home: Path, *routes: OpenCarrier) -> Sendout:
    return send_out(DeliverRun(home=home), quiet, routes or None)


def test_what_happened_since_is_never_written_to_and_everybody_else_is(approved: tuple[Path, Books]) -> None:
    home, books = approved
    happen(books)
    done = deliver(home)
    assert states(home) == {
        **{customer: ("cancelled", reason) for customer, reason in HAPPENINGS.items()},
        **dict.fromkeys(UNTOUCHED, ("sent", None)),
    }
    assert left(home) == UNTOUCHED
    assert (done.exit_code, done.outcomes, done.withdrawn.total()) == (
        0,
        {"accepted": len(UNTOUCHED)},
        len(HAPPENINGS),
    )


def test_a_letter_approved_the_day_before_leaves_with_the_next_run_only_if_it_is_still_right(
    approved: tuple[Path, Books],
) -> None:
    """The run itself puts letters into the folder; nobody called ``o2c deliver`` in between."""
    home, books = approved
    happen(books)
    run(home, as_of=MORNING + timedelta(days=1))
    assert left(home) == UNTOUCHED
    names = [{path.stem for path in home.glob(where)} for where in ("print/*/*.pdf", "outbox/*/*.eml")]
    assert names[0] == names[1]
    assert states(home) == {
        **{customer: ("cancelled", reason) for customer, reason in HAPPENINGS.items()},
        **dict.fromkeys(UNTOUCHED, ("sent", None)),
    }
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        shown = con.execute("select customer_id, state from collections.fct_letters").fetchall()
    assert dict(shown) == {customer: state for customer, (state, _) in states(home).items()}


EVERYBODY = {*HAPPENINGS, *UNTOUCHED}
ALL_SENT = dict.fromkeys(EVERYBODY, ("sent", None))
ALL_APPROVED = dict.fromkeys(EVERYBODY, ("approved", None))


def test_when_nothing_happened_everything_leaves_by_the_build_that_is_there_and_only_once(
    approved: tuple[Path, Books],
) -> None:
    home, _ = approved
    done = deliver(home)
    assert (done.exit_code, done.outcomes, done.withdrawn, done.waiting) == (
        0,
        {"accepted": len(EVERYBODY)},
        {},
        {},
    )
    assert states(home) == ALL_SENT
    assert left(home) == EVERYBODY
    assert list((home / "runs").glob("recheck-*")) == []
    assert deliver(home).data() == Sendout(as_of=MORNING).data()


def test_what_nobody_approved_waits_for_people(decided: tuple[Path, Books]) -> None:
    home, _ = decided
    done = deliver(home)
    assert (done.exit_code, done.waiting, left(home)) == (1, {"approval": len(EVERYBODY)}, set())


def test_a_second_look_that_died_is_made_anew_and_then_not_again(approved: tuple[Path, Books]) -> None:
    """Also for letters that a dead worker had in hand."""
    home, books = approved
    books.pay("PAID", "100.00")
    claimed = claim_all(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.recheck, "build_marts", died)
        with pytest.raises(Died):
            deliver(home)
    assert states(home) == dict.fromkeys(EVERYBODY, ("approved", "lease_over"))
    assert left(home) == set()

    done = deliver(home, OpenCarrier(Carrier(outcome=Outcome("not_accepted", error_class="Throttled"))))
    assert (done.withdrawn, done.outcomes) == ({"settled": 1}, {"not_accepted": claimed - 1})
    assert states(home)["PAID"] == ("cancelled", "settled")
    assert len(list((home / "runs").glob("recheck-*"))) == 1

    with ledger_of(home).engine.begin() as con:
        con.execute(
            update(letters).where(letters.c.state == "approved").values(not_before=None)
        )  # the back-off is over
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.recheck, "build_marts", lambda _run: pytest.fail("nothing new came"))
        assert deliver(home).withdrawn == {}
    assert left(home) == EVERYBODY - {"PAID"}


def test_a_gate_that_new_data_closes_lets_nothing_go_until_it_opens(approved: tuple[Path, Books]) -> None:
    home, books = approved
    row = {"entity_id": "US1", "currency_code": "USD", "balance_date": MORNING.isoformat()}
    books.write("ledger_balances", [row | {"control_account_amount": "2013.36"}])
    done = deliver(home)
    assert ([check.check_name for check in done.closed_gates], done.exit_code) == (
        ["control_account_ties"],
        2,
    )
    assert states(home) == ALL_APPROVED
    assert left(home) == set()
    (books.folder / "ledger_balances.csv").unlink()
    assert deliver(home).outcomes == {"accepted": len(EVERYBODY)}


def test_new_data_that_cannot_be_read_lets_nothing_go(approved: tuple[Path, Books]) -> None:
    home, books = approved
    (books.folder / "payments.csv").write_text("half a fi")
    with pytest.raises(RefusedFiles):
        deliver(home)
    assert states(home) == ALL_APPROVED
    assert left(home) == set()


def test_two_at_once_send_each_letter_once(approved: tuple[Path, Books]) -> None:
    home, _ = approved
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deliver, [home, home]))
    assert states(home) == ALL_SENT
    assert left(home) == EVERYBODY


def claim_all(home: Path) -> int:
    """A worker claims every letter and dies."""
    taken = claim(
        ledger_of(home).engine,
        carrier="folder",
        owner="died",
        now=open_home(home).clock(MORNING, "America/New_York"),
        lease=timedelta(0),
        contact_date=MORNING,
        limit=len(EVERYBODY),
    )
    return len(taken)


ACCEPTED = Outcome("accepted")


class Carrier:
    """Takes letters one by one; something happens when it takes the first."""

    name = "fake"
    reaches_people = False
    reports_delivery = False

    def __init__(self, then: Callable[[], object] = lambda: None, outcome: Outcome = ACCEPTED) -> None:
        self._then, self._outcome = then, outcome
        self.letters: list[str] = []

    def send(self, letter: OutgoingLetter) -> Outcome:
        self.letters.append(letter.letter_id)
        if len(self.letters) == 1:
            self._then()
        return self._outcome

    def has(self, letter: OutgoingLetter) -> None:
        return None


class Died(BaseException):
    """As a kill: nothing of ours catches it."""


def died(_run: object) -> None:
    raise Died


def test_what_lands_while_letters_leave_is_looked_at_before_the_next_one(
    approved: tuple[Path, Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, books = approved
    monkeypatch.setattr(flows.deliver, "_LOOK_EVERY_SECONDS", 0.0)

    def everybody_pays() -> None:
        for customer in EVERYBODY:
            books.pay(customer, "313.37" if customer == "SUSPECT" else "100.00")
        land_only(IngestRun(home=home), quiet)

    carrier = Carrier(everybody_pays)
    done = deliver(home, OpenCarrier(carrier))
    assert len(carrier.letters) == 1
    assert (done.outcomes, done.withdrawn) == ({"accepted": 1}, {"settled": len(EVERYBODY) - 1})
    assert sorted(states(home).values()) == [("cancelled", "settled")] * (len(EVERYBODY) - 1) + [
        ("sent", None)
    ]


def test_stop_pulled_while_letters_leave_stops_the_next_one(approved: tuple[Path, Books]) -> None:
    home, _ = approved
    carrier = Carrier(lambda: (home / "STOP").write_text("wrong prices"))
    done = deliver(home, OpenCarrier(carrier))
    assert (len(carrier.letters), done.stopped, done.exit_code) == (1, "wrong prices", 2)
    assert done.waiting == {"stopped": len(EVERYBODY) - 1}


def test_people_are_disturbed_in_contact_hours_alone(approved: tuple[Path, Books]) -> None:
    """A simulated home's clock stands at six in the morning."""
    home, _ = approved
    carrier = Carrier()
    carrier.reaches_people = True
    done = deliver(home, OpenCarrier(carrier))
    assert (carrier.letters, done.waiting, done.exit_code) == (
        [],
        {"outside_contact_hours": len(EVERYBODY)},
        1,
    )


def test_letters_of_a_channel_that_nobody_takes_wait(approved: tuple[Path, Books]) -> None:
    home, _ = approved
    done = deliver(home, OpenCarrier(Carrier(), frozenset({"sms"})))
    assert (done.waiting, done.exit_code) == ({"no_carrier": len(EVERYBODY)}, 1)


def test_a_run_that_trips_a_brake_waits_for_two_people_who_are_told_why(
    decided: tuple[Path, Books],
    policies: Path,
    decided_home: tuple[Path, Path, datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, books = decided
    usual = Measures(message_count=18, row_counts={"ledger.invoices": 60})
    monkeypatch.setattr(flows.brakes, "earlier_measures", lambda *_asked: [usual] * 5)
    books.add("invoices", books.invoice("STEADY", "5.00", invoice_id="INV-S2", invoice_number="N-S2"))
    done = run(home)
    assert [check.check_name for check in done.checks if check.severity == "brake" and not check.passed] == [
        "brake.rows.ledger.invoices"
    ]
    engine = ledger_of(home).engine
    (request,) = (one for one in waiting(engine, done.now) if one.kind == "letters")
    assert (request.required_approval_count, request.reason) == (
        2,
        "unlike the runs before: brake.rows.ledger.invoices: 20, not at least 42",
    )
    approve(home, policies, done.now, ["anna"])
    assert deliver(home).waiting == {"approval": len(EVERYBODY)}
    assert left(home) == set()
    approve(home, policies, done.now, ["bert"])
    assert deliver(home).outcomes == {"accepted": len(EVERYBODY)}


def test_a_missing_bank_file_closes_sending_and_nothing_is_written_down(
    decided: tuple[Path, Books], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, books = decided
    home = tmp_path / "new"
    monkeypatch.setenv("O2C_HOME", str(home))  # the command line sets it, too, and would leave it behind
    new_home(home, auto_approve=True)
    declare_account(home)
    arguments = ["run", "--source", str(books.folder), "--as-of", MORNING.isoformat(), "--send"]
    assert main(["--home", str(home), *arguments]) == 2
    assert states(home) == {}
    assert left(home) == set()
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        gates = con.execute(
            "select check_name from quality.fct_run_checks where severity = 'gate' and not passed"
        ).fetchall()
        shown = con.execute("select distinct state from collections.fct_letters").fetchall()
    assert (gates, shown) == ([("bank_statements_complete.US1",)], [("rendered",)])
