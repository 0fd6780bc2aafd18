"""Between the decision and the hour of sending things happen: what they concern is never sent, the rest is."""

from pathlib import Path

import pytest
from sending_books import (
    Books,
    approve,
    copy_of,
    left,
    new_home,
    policies_with_approvers,
    quiet,
    run,
    states,
)

from flows.deliver import DeliverRun, send_out

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
    return policies_with_approvers(tmp_path_factory.mktemp("policies") / "policies")


@pytest.fixture(autouse=True)
def in_force(policies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("O2C_POLICIES", str(policies))
    monkeypatch.setenv("O2C_OPERATOR", "machine")


@pytest.fixture(scope="module")
def approved_home(tmp_path_factory: pytest.TempPathFactory, policies: Path) -> tuple[Path, Path]:
    """A home in which a morning decided a letter to everybody and a person said yes. Tests copy it."""
    root = tmp_path_factory.mktemp("approved")
    books = Books(root / "ledger", [*HAPPENINGS, *UNTOUCHED], {"SUSPECT": "313.37"})
    new_home(root / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("O2C_POLICIES", str(policies))
        patch.setenv("O2C_OPERATOR", "machine")
        done = run(root / "home", books.folder)
        assert set(states(root / "home").values()) == {("approval_pending", None)}
        approve(root / "home", policies, done.now)
    return root / "home", books.folder


@pytest.fixture
def approved(approved_home: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Books]:
    """A copy of it, beside a copy of its ledger, that a test may change."""
    return copy_of(*approved_home, tmp_path)


def test_what_happened_since_is_never_written_to_and_everybody_else_is(approved: tuple[Path, Books]) -> None:
    home, books = approved
    happen(books)
    done = send_out(DeliverRun(home=home), quiet)
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
