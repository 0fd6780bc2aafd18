"""Lists in the ledger: asked for, answered, replaced and ended; and what becomes of their letters. Both databases."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from approval_books import DAY, HOUR, NOON, POLICY, ask, item, request, say, signed
from ledger_rows import letter, put
from sqlalchemy import Engine, select, update

from o2c.approval_lists import NOBODY, Terms, letter_lists
from o2c.approvals import ApprovalRefused, Item
from o2c.ledger import Ledger
from o2c.ledger.approving import (
    Submitted,
    expire,
    list_findings,
    read_content,
    read_request,
    retire_others,
    signature_findings,
    submit,
    waiting,
)
from o2c.ledger.asking import letters_to_ask
from o2c.ledger.tables import approval_requests, approvals, audit, letters
from o2c.ledger.verify_chain import Finding


@pytest.fixture
def engine(ledger_url: str):
    engine = Ledger(ledger_url).engine
    yield engine
    engine.dispose()


def as_item(letter_id: str, **changes) -> Item:
    row = letter(letter_id, **changes).row
    facts = {name: row[name] for name in ("letter_id", "message_hash", "address")}
    return Item(letter_id, row["currency_code"], Decimal(row["total_amount"]), facts)


def ask_letters(engine: Engine, *ids: str, count: int = 1, now=NOON, **changes) -> Submitted:
    values = {"kind": "letters", "reason": "final notice", "required_approval_count": count} | changes
    return submit(engine, request(*(as_item(one) for one in ids), **values), now, is_green=True)


def states(engine: Engine) -> dict[str, tuple[str, str | None]]:
    query = select(letters.c.letter_id, letters.c.state, letters.c.state_reason)
    with engine.connect() as con:
        return {row.letter_id: (row.state, row.state_reason) for row in con.execute(query)}


def state_of(engine: Engine, request_id: str) -> str:
    pending = read_request(engine, request_id)
    assert pending is not None
    return pending.state


def test_letters_wait_and_may_leave_when_one_person_said_yes(engine):
    put(engine, letter("a"), letter("b"), letter("c"))
    asked = ask_letters(engine, "a", "b")
    assert states(engine) == {
        "a": ("approval_pending", None),
        "b": ("approval_pending", None),
        "c": ("rendered", None),
    }
    decided = say(engine, asked.request_id, "bert")
    assert (decided.state, decided.approval_count, decided.required_approval_count) == ("approved", 1, 1)
    assert states(engine) == {"a": ("approved", None), "b": ("approved", None), "c": ("rendered", None)}


def test_every_step_stands_in_the_audit_chain_with_who_and_why(engine):
    put(engine, letter("a"))
    asked = ask_letters(engine, "a")
    say(engine, asked.request_id, "bert", comment="checked by phone")
    with engine.connect() as con:
        rows = con.execute(select(audit).order_by(audit.c.sequence)).all()
    said = [(row.actor, row.action, row.subject, row.before, row.after, row.reason) for row in rows[1:]]
    content_hash = read_request(engine, asked.request_id).content_hash
    about = f"request:{asked.request_id}"
    assert said == [
        ("olga.operator", "ask for approval", about, None, "waiting", "final notice"),
        ("o2c", "approval_pending", "letter:a", "rendered", "approval_pending", asked.request_id),
        ("bert", "approve", about, None, content_hash, "unsigned, as director: checked by phone"),
        ("bert", "approved", about, "waiting", "approved", "enough people said yes"),
        ("bert", "approved", "letter:a", "approval_pending", "approved", asked.request_id),
    ]


def test_the_policy_approves_where_it_asks_for_nobody(engine):
    put(engine, letter("a"))
    asked = ask_letters(engine, "a", count=0, reason=NOBODY)
    assert asked.state == "approved"
    assert states(engine) == {"a": ("approved", None)}
    with engine.connect() as con:
        rows = con.execute(select(approvals.c.approver, approvals.c.role, approvals.c.verdict)).all()
    assert rows == [("policy", "policy", "approve")]


def test_the_policy_approves_nothing_while_gates_or_brakes_are_not_green(engine):
    put(engine, letter("a"))
    nobody = request(as_item("a"), kind="letters", required_approval_count=0, reason=NOBODY)
    with pytest.raises(ApprovalRefused, match="only people approve while a gate is closed"):
        submit(engine, nobody, NOON, is_green=False)
    assert states(engine) == {"a": ("rendered", None)}


def test_one_no_rejects_the_list_and_cancels_its_letters(engine):
    put(engine, letter("a"), letter("b"))
    asked = ask_letters(engine, "a", "b", count=2)
    say(engine, asked.request_id, "carl")
    assert say(engine, asked.request_id, "bert", verdict="reject").state == "rejected"
    assert states(engine) == {
        "a": ("cancelled", "approval_rejected"),
        "b": ("cancelled", "approval_rejected"),
    }


def test_a_no_needs_no_limit_since_it_lets_nothing_happen(engine):
    request_id = ask(engine, item(amount="1000.01"))
    assert say(engine, request_id, "anna", "lead", verdict="reject").state == "rejected"


def test_the_same_list_asked_again_is_kept_with_what_was_said(engine):
    put(engine, letter("a"))
    first = ask_letters(engine, "a", count=2)
    say(engine, first.request_id, "bert")
    again = ask_letters(engine, "a", count=2, now=NOON + HOUR, batch_id="2026-03-12-other")
    assert again == Submitted(first.request_id, "waiting", is_kept=True)
    assert say(engine, first.request_id, "carl", now=NOON + HOUR).state == "approved"


def test_another_list_of_the_same_letters_makes_the_older_void(engine):
    put(engine, letter("a"), letter("b"), letter("c"))
    first = ask_letters(engine, "a", "b", count=2)
    say(engine, first.request_id, "bert")
    second = ask_letters(engine, "b", "c", count=2, now=NOON + HOUR, batch_id="2026-03-12-other")
    assert second.superseded == (first.request_id,)
    assert states(engine) == {
        "a": ("cancelled", "approval_superseded"),
        "b": ("approval_pending", None),
        "c": ("approval_pending", None),
    }
    assert state_of(engine, first.request_id) == "superseded"
    decided = say(engine, second.request_id, "bert", now=NOON + HOUR)
    assert (decided.state, decided.approval_count) == ("waiting", 1)


def test_lists_of_other_letters_stand_beside_each_other(engine):
    put(engine, letter("a"), letter("b"))
    first = ask_letters(engine, "a")
    second = ask_letters(engine, "b", count=2, reason="second try")
    assert [one.request_id for one in waiting(engine, NOON)] == sorted([first.request_id, second.request_id])


def test_what_was_approved_is_left_out_of_a_later_list(engine):
    put(engine, letter("a"), letter("b"))
    first = ask_letters(engine, "a")
    say(engine, first.request_id, "bert")
    second = ask_letters(engine, "a", "b", now=NOON + HOUR)
    assert second.left_out == ("a",)
    assert '"item_id":"a"' not in read_content(engine, second.request_id)
    assert ask_letters(engine, "a", now=NOON + HOUR, reason="again") == Submitted(None, None, left_out=("a",))


def test_a_letter_of_other_content_than_the_ledger_has_is_not_asked_for(engine):
    put(engine, letter("a"))
    wrong = Item("a", "EUR", Decimal("100.00"), {"message_hash": "0" * 64, "address": "a@acme.example"})
    with pytest.raises(ApprovalRefused, match="with another message or address"):
        submit(engine, request(wrong, kind="letters"), NOON)
    assert waiting(engine, NOON) == []


@pytest.mark.parametrize(
    ("later", "state"),
    [(24 * HOUR - timedelta(microseconds=1), "waiting"), (24 * HOUR, "expired")],
    ids=["last moment", "over"],
)
def test_a_list_that_nobody_decided_on_in_time_ends_with_its_letters(engine, later, state):
    put(engine, letter("a"))
    asked = ask_letters(engine, "a")
    ended = expire(engine, NOON + later)
    assert ended == ([asked.request_id] if state == "expired" else [])
    assert state_of(engine, asked.request_id) == state
    expected = ("cancelled", "approval_expired") if state == "expired" else ("approval_pending", None)
    assert states(engine) == {"a": expected}


def test_letters_that_did_not_leave_before_their_approval_ended_never_leave(engine):
    put(engine, letter("a"))
    asked = ask_letters(engine, "a")
    say(engine, asked.request_id, "bert")
    assert expire(engine, NOON + 24 * HOUR) == []
    assert states(engine) == {"a": ("cancelled", "approval_expired")}


def test_an_ended_list_can_be_asked_for_again_under_another_id(engine):
    first = ask(engine)
    expire(engine, NOON + 24 * HOUR)
    second = ask(engine, now=NOON + 24 * HOUR)
    assert second == f"{first}-2"


def test_a_list_that_was_rejected_is_not_asked_again_in_its_batch(engine):
    request_id = ask(engine)
    say(engine, request_id, "bert", verdict="reject")
    assert submit(engine, request(), NOON + HOUR) == Submitted(request_id, "rejected", is_kept=True)
    tomorrow = submit(engine, request(batch_id="2026-03-13-c"), NOON + HOUR)
    assert (tomorrow.state, tomorrow.is_kept) == ("waiting", False)


def test_a_newer_run_ends_the_lists_that_it_does_not_ask_for_again(engine):
    put(engine, letter("a"), letter("b"), letter("c"))
    gone = ask_letters(engine, "a").request_id
    begun = ask_letters(engine, "b", count=2, reason="second try").request_id
    say(engine, begun, "bert")
    kept = ask_letters(engine, "c", reason="required by policy").request_id
    held = ask(engine)
    assert retire_others(engine, ("letters", "holds"), {kept}, "a newer run", NOON) == sorted([gone, held])
    assert [one.request_id for one in waiting(engine, NOON)] == sorted([begun, kept])
    assert states(engine)["a"] == ("cancelled", "approval_superseded")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"items": ()}, "the list is empty"),
        ({"items": (item(), item())}, "stands in it twice"),
        ({"items": (item(amount="-1.00"),)}, "an amount is below zero"),
        ({"required_approval_count": 3}, "3 approvals cannot be asked for"),
        ({"reason": " "}, "does not say why"),
        ({"prepared_by": " "}, "who prepared it"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_no_list_is_not_asked_for(engine, wrong, why):
    with pytest.raises(ApprovalRefused, match=why):
        submit(engine, request(**wrong), NOON)
    assert waiting(engine, NOON) == []


def test_letters_are_grouped_by_how_many_people_they_need_and_why(engine):
    put(engine, letter("d", customer_id="C-c", state="presumed_not_sent"))
    put(engine, letter("a"), letter("b", level=3, stage="final_notice"), letter("c", try_number=2))
    asked = letters_to_ask(engine, "2026-03-12-b")
    assert asked.select("letter_id", "is_second_try").rows() == [("a", False), ("b", False), ("c", True)]
    asked = asked.with_columns(required_approval_count=pl.Series([0, 1, 0], dtype=pl.Int64))
    terms = Terms("2026-03-12-b", DAY, "olga", 24)

    def grouped(**changes):
        lists = letter_lists(asked, **{"terms": terms} | changes)
        return [(one.required_approval_count, one.reason, [it.item_id for it in one.items]) for one in lists]

    assert grouped() == [(0, "policy", ["a"]), (1, "final notice", ["b"]), (2, "second try", ["c"])]
    assert grouped(at_least=1, because="one of the first runs") == [
        (1, "one of the first runs", ["a", "b"]),
        (2, "second try", ["c"]),
    ]
    assert grouped(at_least=2, because="a brake tripped") == [(2, "a brake tripped", ["a", "b", "c"])]


def test_signatures_are_checked_again_later(engine):
    request_id = ask(engine)
    content_hash = read_request(engine, request_id).content_hash
    say(engine, request_id, "bert")
    say(engine, request_id, "dora", signed=signed(request_id, content_hash, "dora"))
    assert signature_findings(engine, POLICY) == []
    others = POLICY.model_copy(
        update={
            "approvers": tuple(
                one.model_copy(update={"public_key": None}) if one.person == "dora" else one
                for one in POLICY.approvers
            )
        }
    )
    says = "controls.yml has no key to check the signature of dora with"
    assert signature_findings(engine, others) == [Finding("signature", f"request:{request_id}", says)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"content_hash": "f" * 64}, "its content is not what its hash is of"),
        ({"content": "{}"}, "its content is not what its hash is of"),
        ({"amounts": '{"EUR": "1.00"}'}, "its amounts is not that of its list"),
        ({"largest_amounts": '{"EUR": "1.00"}'}, "its largest_amounts is not that of its list"),
        ({"required_approval_count": 1}, "its required_approval_count is not that of its list"),
        ({"kind": "letters"}, "its kind is not that of its list"),
        ({"item_count": 2}, "its item_count is not that of its list"),
    ],
    ids=lambda one: one if isinstance(one, str) else next(iter(one)),
)
def test_a_list_that_was_changed_below_the_ledger_is_not_approved(tmp_path, changes, why):
    engine = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").engine
    request_id = ask(engine)
    assert list_findings(engine) == []
    with engine.begin() as con:
        con.exec_driver_sql("drop trigger o2c_request_is_kept")
        con.execute(update(approval_requests).values(**changes))
    with pytest.raises(ApprovalRefused, match=why):
        say(engine, request_id, "bert")
    assert list_findings(engine) == [Finding("list", f"request:{request_id}", why)]
    engine.dispose()
