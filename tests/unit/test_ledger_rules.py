"""What the rules of the ledger let through, on both sides of each edge, and when two are at it at once."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from ledger_rows import DAY, HOUR, LEASE, NOON, WAYS, approve, ask, lead, letter, put, say, step
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from o2c.ledger import Ledger, tables
from o2c.ledger.states import ALL_STATES, TRANSITIONS


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = Ledger(ledger_url).engine
    yield engine
    engine.dispose()


def claim(engine: Engine, letter_id: str, day: date = DAY, **changes: Any) -> None:
    """Approved → sending, as a worker does it."""
    table = tables.letters
    values = {
        "state": "sending",
        "state_changed_at": NOON,
        "owner": "w",
        "lease_until": NOON + LEASE,
        "carrier": "ses",
        "contact_date": day,
        "attempt_count": table.c.attempt_count + 1,
    } | changes
    with engine.begin() as con:
        con.execute(update(table).where(table.c.letter_id == letter_id).values(**values))


def state(engine: Engine, letter_id: str) -> str:
    table = tables.letters
    with engine.connect() as con:
        return con.execute(select(table.c.state).where(table.c.letter_id == letter_id)).scalar_one()


# ── steps ──


def test_every_step_of_a_letter_that_there_is_can_be_gone(engine: Engine) -> None:
    steps = [(before, after) for before, afters in TRANSITIONS.items() for after in afters]
    assert len(steps) >= 25
    for before, after in steps:
        one = letter(f"{before}-{after}", state=before)
        put(engine, one)
        with engine.begin() as con:
            step(con, one.row["letter_id"], before, after, now=NOON)
        assert state(engine, one.row["letter_id"]) == after


def test_every_other_step_is_refused(engine: Engine) -> None:
    put(engine, *(letter(before, state=before) for before in WAYS))
    refused = 0
    for before in ALL_STATES:
        for after in set(ALL_STATES) - set(TRANSITIONS[before]) - {before}:
            values = {"state": after, "sent_at": NOON, "owner": None, "lease_until": None}
            table = tables.letters
            with (
                pytest.raises(IntegrityError, match=r"letter_(step|is_final|left_as_it_left|approval)"),
                engine.begin() as con,
            ):
                con.execute(update(table).where(table.c.letter_id == before).values(**values))
            refused += 1
    assert refused == len(ALL_STATES) * (len(ALL_STATES) - 1) - sum(map(len, TRANSITIONS.values()))


# ── quiet days ──


@pytest.mark.parametrize("same", ["customer", "address"])
@pytest.mark.parametrize(("days", "is_quiet"), [(0, True), (5, True), (6, False), (-5, True), (-6, False)])
def test_quiet_days_are_over_on_the_day_they_say(
    engine: Engine, same: str, days: int, is_quiet: bool
) -> None:
    changes = {"customer": {"customer_id": "C-a"}, "address": {"address": "A@ACME.example"}}[same]
    put(
        engine, letter("a", state="sent"), letter("b", batch_id="other", level=2, state="approved", **changes)
    )
    if is_quiet:
        with pytest.raises(IntegrityError, match=f"letter_quiet_days_of_{same}"):
            claim(engine, "b", DAY + timedelta(days=days))
    else:
        claim(engine, "b", DAY + timedelta(days=days))
    assert state(engine, "b") == ("approved" if is_quiet else "sending")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"batch_id": "2026-03-12-b"}),
        ({"kind": "courtesy"}, {}),
        ({}, {"kind": "courtesy"}),
        ({"state": "cancelled"}, {}),
        ({"state": "refused"}, {}),
        ({"state": "approved"}, {}),
        ({"quiet_days": 0}, {"quiet_days": 0}),
    ],
    ids=[
        "one batch",
        "after a reminder",
        "a reminder after",
        "withdrawn",
        "refused",
        "not left",
        "none asked for",
    ],
)
def test_what_is_no_contact_of_its_own_starts_no_quiet_days(
    engine: Engine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    put(engine, letter("a", **({"state": "sent"} | first)))
    put(
        engine,
        letter(
            "b", **({"customer_id": "C-a", "batch_id": "other", "level": 2, "state": "approved"} | second)
        ),
    )
    claim(engine, "b")
    assert state(engine, "b") == "sending"


@pytest.mark.parametrize(
    "before", [one for one in WAYS if one in ("sending", "unknown", "presumed_not_sent", "bounced")]
)
def test_what_may_have_left_starts_quiet_days_too(engine: Engine, before: str) -> None:
    put(engine, letter("a", state=before))
    put(engine, letter("b", customer_id="C-a", batch_id="other", level=2, state="approved"))
    with pytest.raises(IntegrityError, match="letter_quiet_days_of_customer"):
        claim(engine, "b")


def test_the_longer_quiet_days_of_the_two_letters_hold(engine: Engine) -> None:
    put(engine, letter("a", state="sent", quiet_days=9))
    put(engine, letter("b", customer_id="C-a", batch_id="other", level=2, state="approved", quiet_days=0))
    with pytest.raises(IntegrityError, match="letter_quiet_days_of_customer"):
        claim(engine, "b", DAY + timedelta(days=8))
    claim(engine, "b", DAY + timedelta(days=9))


def test_of_two_workers_at_once_one_alone_writes_to_a_customer(postgres_url: str) -> None:
    """Neither sees the other's letter; the second must wait for the first, and is then refused."""
    engine = Ledger(postgres_url).engine
    put(engine, letter("a", state="approved"))
    put(engine, letter("b", customer_id="C-a", batch_id="other", level=2, state="approved"))
    sql = (
        "update letters set state = 'sending', state_changed_at = '2026-03-12 12:00+00', owner = 'w', carrier = 'ses',"
        " lease_until = '2026-03-12 12:02+00', contact_date = '2026-03-12', attempt_count = 1 where letter_id = %s"
    )
    told: list[str] = []

    def second() -> None:
        with closing(psycopg.connect(postgres_url)) as con:
            try:
                con.execute(sql, ["b"])
                con.commit()
                told.append("both left")
            except psycopg.errors.CheckViolation as error:
                told.append(str(error).split(":")[0])

    with closing(psycopg.connect(postgres_url)) as con:
        con.execute(sql, ["a"])
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert other.is_alive()
        con.commit()
    other.join()
    assert told == ["letter_quiet_days_of_customer"]
    engine.dispose()


# ── approvals ──


@pytest.mark.parametrize(("late", "holds"), [(timedelta(microseconds=-1), True), (timedelta(), False)])
def test_an_approval_holds_until_the_instant_it_expires(engine: Engine, late: timedelta, holds: bool) -> None:
    put(engine, letter("a", state="approved"))
    now = NOON + 23 * HOUR + late
    if holds:
        claim(engine, "a", state_changed_at=now, lease_until=now + LEASE)
    else:
        with pytest.raises(IntegrityError, match="letter_approval"):
            claim(engine, "a", state_changed_at=now, lease_until=now + LEASE)


def test_two_different_people_say_yes_where_two_are_asked(engine: Engine) -> None:
    put(engine, letter("a"))
    table = tables.approval_requests
    agree = update(table).values(state="approved")
    with engine.begin() as con:
        ask(con, ["a"], required_approval_count=2)
        say(con, "R-a", "anna")
    with pytest.raises(IntegrityError, match="request_approval"), engine.begin() as con:
        con.execute(agree)
    with engine.begin() as con:
        say(con, "R-a", "bob")
        con.execute(agree)
        values = {"state": "approved", "request_id": "R-a", "state_changed_at": NOON}
        con.execute(update(tables.letters).values(**values))
    assert state(engine, "a") == "approved"


def test_the_policy_says_yes_where_nobody_is_asked(engine: Engine) -> None:
    put(engine, letter("a"))
    with engine.begin() as con:
        ask(con, ["a"], required_approval_count=0)
        say(con, "R-a", "policy")
        con.execute(update(tables.approval_requests).values(state="approved"))
        values = {"state": "approved", "request_id": "R-a", "state_changed_at": NOON}
        con.execute(update(tables.letters).values(**values))
    assert state(engine, "a") == "approved"


def test_a_second_try_after_one_that_may_have_left_needs_two_people(engine: Engine) -> None:
    put(engine, letter("a", state="presumed_not_sent"))
    put(engine, letter("b", customer_id="C-a", try_number=2))
    with engine.begin() as con:
        request_id = ask(con, ["b"], required_approval_count=2)
        say(con, request_id, "anna")
        say(con, request_id, "bob")
        con.execute(
            update(tables.approval_requests)
            .where(tables.approval_requests.c.request_id == request_id)
            .values(state="approved")
        )
        values = {"state": "approved", "request_id": request_id, "state_changed_at": NOON}
        con.execute(update(tables.letters).where(tables.letters.c.letter_id == "b").values(**values))
    assert state(engine, "b") == "approved"


# ── what may still be changed ──


def test_a_letter_that_nobody_decided_on_is_replaced_with_lines_and_message(engine: Engine) -> None:
    put(engine, letter("a", lines=2))
    with engine.begin() as con:
        for table in (tables.letter_lines, tables.letter_messages, tables.letters):
            con.execute(table.delete())
    put(engine, letter("a", lines=3))
    with engine.connect() as con:
        assert len(con.execute(select(tables.letter_lines)).all()) == 3


@pytest.mark.parametrize("after", ["sent", "delivered", "cancelled", "refused", "presumed_not_sent"])
def test_a_message_may_be_deleted_when_its_letter_needs_it_no_longer(engine: Engine, after: str) -> None:
    put(engine, letter("a", state=after))
    with engine.begin() as con:
        assert con.execute(tables.letter_messages.delete()).rowcount == 1


def test_what_a_worker_says_too_late_is_kept_in_its_attempt(engine: Engine) -> None:
    put(engine, letter("a", state="sending"))
    with engine.begin() as con:
        values = {"state": "unknown", "owner": None, "lease_until": None, "state_changed_at": NOON}
        con.execute(update(tables.letters).values(**values))
    with engine.begin() as con:
        con.execute(update(tables.attempts).values(ended_at=NOON, outcome="accepted"))
    assert state(engine, "a") == "unknown"


def test_an_item_that_was_recalled_is_placed_again_by_another_approved_list_alone(engine: Engine) -> None:
    table = tables.placements
    item = {
        "invoice_id": "I",
        "installment_number": 1,
        "customer_id": "C",
        "agency_id": "A",
        "placed_date": DAY,
    }
    with engine.begin() as con:
        approve(con, [], request_id="R-1", kind="referrals")
        approve(con, [], request_id="R-2", kind="referrals")
        con.execute(insert(table), item | {"request_id": "R-1", "placed_amount": "1.00"})
        con.execute(update(table).values(recalled_date=DAY, recall_reason="paid"))
    again = {"recalled_date": None, "recall_reason": None, "placed_amount": "2.00"}
    with pytest.raises(IntegrityError, match="placement_recalled"), engine.begin() as con:
        con.execute(update(table).values(**again))
    with engine.begin() as con:
        con.execute(update(table).values(**again, request_id="R-2"))
    lead_to = select(table.c.request_id, table.c.placed_amount)
    with engine.connect() as con:
        assert [tuple(row) for row in con.execute(lead_to)] == [("R-2", "2.00")]


def test_a_letter_led_anywhere_comes_there(engine: Engine) -> None:
    put(engine, letter("a"))
    for after in ("approved", "sending", "sent", "delivered"):
        lead(engine, "a", after)
        assert state(engine, "a") == after
