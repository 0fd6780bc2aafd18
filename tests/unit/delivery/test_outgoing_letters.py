"""A letter is claimed by one, posted once and recorded as it came out, in either database."""

import zlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from approval_books import ask, say
from post_office import (
    DAY,
    NOON,
    QUOTA,
    REFUSED,
    SUSPENDED,
    THROTTLED,
    UNKNOWN,
    approve,
    eml,
    planned,
    row_of,
    states,
)
from sqlalchemy import Engine, select, update

from o2c.approvals import Item
from o2c.delivery.carrier import Outcome
from o2c.delivery.events import DeliveryEvent
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.delivery_events import record_events
from o2c.ledger.outgoing import (
    Claim,
    approved_letters,
    cancel_letters,
    cancel_stale,
    claim,
    expire_leases,
    lift_pause,
    open_pauses,
    pause,
    plan_letters,
    presume_not_sent,
    record,
    record_and_claim,
    still_held,
)
from o2c.ledger.recording import back_off
from o2c.ledger.suppressing import lift_suppression
from o2c.ledger.tables import (
    activities,
    approval_requests,
    attempts,
    audit,
    letter_messages,
    letters,
    suppressions,
)
from o2c.ledger.triggers import drop_triggers

LEASE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    ledger = Ledger(ledger_url)
    yield ledger.engine
    ledger.engine.dispose()


def take(engine: Engine, *ids: str, now=NOON, owner: str = "w1", **more: Any) -> list[Claim]:
    said = {"carrier": "ses", "lease": LEASE, "contact_date": now.date(), "limit": len(ids) or 100}
    return claim(engine, owner=owner, now=now, letter_ids=ids or None, **(said | more))


def bring(engine: Engine, letter_id: str, outcome: Outcome, now=NOON, **more: Any) -> Claim:
    (one,) = take(engine, letter_id, now=now)
    record(engine, [(one, outcome)], now, **more)
    return one


def attempts_of(engine: Engine, letter_id: str) -> list[tuple]:
    with engine.connect() as con:
        query = select(attempts.c.attempt_number, attempts.c.outcome, attempts.c.error_class)
        return [
            tuple(row)
            for row in con.execute(query.where(attempts.c.letter_id == letter_id).order_by("attempt_number"))
        ]


def history(engine: Engine, letter_id: str) -> list[tuple]:
    with engine.connect() as con:
        query = select(audit.c.actor, audit.c.action, audit.c.before, audit.c.after, audit.c.reason)
        rows = con.execute(query.where(audit.c.subject == f"letter:{letter_id}").order_by(audit.c.sequence))
        return [tuple(row) for row in rows]


# ── planning ──


def test_a_letter_is_written_down_with_its_lines_and_its_exact_message(engine: Engine) -> None:
    assert plan_letters(engine, [planned("a"), planned("b")], "anna", NOON) == {"a", "b"}
    assert states(engine) == {"a": "rendered", "b": "rendered"}
    with engine.connect() as con:
        packed = con.execute(
            select(letter_messages.c.content).where(letter_messages.c.letter_id == "a")
        ).scalar_one()
    assert zlib.decompress(packed) == eml("a")
    assert history(engine, "a") == [("anna", "plan", None, "rendered", None)]


def test_a_letter_that_nobody_decided_on_is_replaced_and_one_that_went_further_is_not(engine: Engine) -> None:
    approve(engine, [planned("a")])
    plan_letters(engine, [planned("b")], "o2c", NOON)
    again = [planned(letter_id, total_amount="55.0000", content=b"other") for letter_id in "abc"]
    assert plan_letters(engine, again, "o2c", NOON) == {"b", "c"}
    found = {letter_id: row_of(engine, letter_id, "state", "total_amount") for letter_id in "abc"}
    assert found == {
        "a": ("approved", "100.0000"),
        "b": ("rendered", "55.0000"),
        "c": ("rendered", "55.0000"),
    }


def test_a_letter_cannot_begin_as_approved(engine: Engine) -> None:
    with pytest.raises(LedgerError, match="letters start as rendered or approval_pending: a"):
        plan_letters(engine, [planned("a", state="approved")], "o2c", NOON)
    assert states(engine) == {}


def test_another_letter_of_the_same_identity_is_refused_and_nothing_is_written(engine: Engine) -> None:
    plan_letters(engine, [planned("a", customer_id="C")], "o2c", NOON)
    with pytest.raises(LedgerError, match="second letter of one identity"):
        plan_letters(engine, [planned("b"), planned("c", customer_id="C", try_number=2)], "o2c", NOON)
    assert states(engine) == {"a": "rendered"}


# ── claiming ──


def test_a_claim_has_exactly_what_was_approved(engine: Engine) -> None:
    approve(engine, [planned("a", level=2)])
    (one,) = take(engine, "a")
    letter = one.letter
    assert (letter.letter_id, letter.level, letter.channel, letter.address) == (
        "a",
        2,
        "email",
        "ap@a.example",
    )
    assert (letter.content, one.attempt_number, one.owner, one.lease_until) == (
        eml("a"),
        1,
        "w1",
        NOON + LEASE,
    )
    assert row_of(engine, "a", "state", "owner", "attempt_count", "carrier", "contact_date") == (
        "sending", "w1", 1, "ses", DAY,
    )  # fmt: skip
    assert attempts_of(engine, "a") == [(1, None, None)]
    assert history(engine, "a")[-1] == ("w1", "claim", "approved", "sending", None)


def test_a_letter_is_claimed_once(engine: Engine) -> None:
    approve(engine, [planned("a")])
    assert len(take(engine, "a")) == 1
    assert take(engine, "a", owner="w2") == []


def test_claims_follow_the_order_asked_for_up_to_the_limit(engine: Engine) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abcd"])
    cancel_letters(engine, {"c": "paid"}, "o2c", NOON)
    assert [one.letter.letter_id for one in take(engine, *"dcba", limit=2)] == ["d", "b"]
    assert [one.letter.letter_id for one in take(engine)] == ["a"]


@pytest.mark.parametrize(("hours", "count"), [(24, 0), (25, 1)], ids=["just over", "holds an hour more"])
def test_an_approval_that_is_over_lets_nothing_leave(engine: Engine, hours: int, count: int) -> None:
    approve(engine, [planned("a")], hours=hours)
    assert len(take(engine, "a", now=NOON + timedelta(hours=24))) == count
    assert approved_letters(engine, NOON + timedelta(hours=24)).height == 0


@pytest.mark.parametrize("state", ["rendered", "approval_pending", "cancelled"])
def test_only_approved_letters_are_claimed(engine: Engine, state: str) -> None:
    plan_letters(
        engine,
        [planned("a", state="approval_pending" if state == "approval_pending" else "rendered")],
        "o2c",
        NOON,
    )
    if state == "cancelled":
        cancel_letters(engine, {"a": "paid"}, "o2c", NOON)
    assert (take(engine, "a"), states(engine)) == ([], {"a": state})


def test_a_suppressed_address_gets_nothing_until_a_person_lifts_it(engine: Engine) -> None:
    approve(engine, [planned("a", address="Ap@A.example")])
    with engine.begin() as con:
        con.execute(suppressions.insert().values(address="ap@a.example", reason="bounce", since=NOON))
    assert take(engine, "a") == []
    lift_suppression(engine, "ap@a.example", "anna", NOON)
    assert len(take(engine, "a")) == 1


def test_a_paused_carrier_gets_nothing_and_another_does(engine: Engine) -> None:
    approve(engine, [planned("a"), planned("b")])
    pause(engine, "ses", "suspended", "", None, "anna", NOON)
    pause(engine, "ses", "suspended", "", None, "anna", NOON)
    assert [(one.carrier, one.reason) for one in open_pauses(engine, NOON)] == [("ses", "suspended")]
    assert take(engine, "a") == []
    assert len(take(engine, "a", carrier="sms")) == 1
    assert lift_pause(engine, "ses", "anna", NOON) == 1
    assert len(take(engine, "b")) == 1


def tamper(engine: Engine, *statements) -> None:
    """As somebody would who owns the database: without its triggers."""
    with engine.begin() as con:
        drop_triggers(con)
        for statement in statements:
            con.execute(statement)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (update(letter_messages).values(content=zlib.compress(b"Pay me instead.")), "message_changed"),
        (update(letter_messages).values(content=b"no zlib"), "message_changed"),
        (letter_messages.delete(), "message_changed"),
        (update(letters).values(address="mallory@a.example"), "not_as_approved"),
        (update(approval_requests).values(content='{"items": []}'), "not_as_approved"),
    ],
    ids=["another message", "garbage", "no message", "another address", "another list"],
)
def test_what_is_not_as_approved_never_leaves(
    engine: Engine, change, reason: str, request: pytest.FixtureRequest
) -> None:
    letter_id = request.node.callspec.id.replace(" ", "-")  # in a list that was not read before
    approve(engine, [planned(letter_id)])
    tamper(engine, change)
    assert take(engine, letter_id) == []
    assert row_of(engine, letter_id, "state", "state_reason") == ("cancelled", reason)


def test_a_message_changed_together_with_its_hash_is_not_in_the_approved_list(engine: Engine) -> None:
    approve(engine, [planned("a")])
    other = planned("a", content=b"Pay me instead.")
    tamper(
        engine,
        update(letter_messages).values(content=zlib.compress(other.content)),
        update(letters).values(message_hash=other.row["message_hash"]),
    )
    assert take(engine, "a") == []
    assert row_of(engine, "a", "state", "state_reason") == ("cancelled", "not_as_approved")


@pytest.mark.parametrize(
    ("days", "becomes"), [(5, "cancelled"), (6, "sending")], ids=["fifth day", "sixth day"]
)
def test_a_letter_within_quiet_days_is_cancelled_and_the_others_go_on(
    engine: Engine, days: int, becomes: str
) -> None:
    then = NOON - timedelta(days=days)
    approve(engine, [planned("a", customer_id="C", batch_id="old", decided_as_of_date=then.date())], now=then)
    bring(engine, "a", UNKNOWN, then)
    approve(engine, [planned("b", customer_id="C", level=2), planned("c")])
    claims = take(engine, "b", "c")
    assert states(engine) == {"a": "unknown", "b": becomes, "c": "sending"}
    assert [one.letter.letter_id for one in claims] == (["c"] if becomes == "cancelled" else ["b", "c"])
    if becomes == "cancelled":
        assert row_of(engine, "b", "state_reason", "attempt_count") == ("quiet_days", 0)


# ── recording ──


def test_an_accepted_letter_is_sent_with_the_carriers_name_for_it(engine: Engine) -> None:
    approve(engine, [planned("a")])
    bring(engine, "a", Outcome("accepted", "m-7", 200, request_id="r-1"))
    assert row_of(engine, "a", "state", "carrier_message_id", "owner", "lease_until") == (
        "sent",
        "m-7",
        None,
        None,
    )
    assert attempts_of(engine, "a") == [(1, "accepted", None)]
    assert history(engine, "a")[-1] == ("w1", "record", "sending", "sent", None)


def test_a_refused_letter_is_a_persons_task(engine: Engine) -> None:
    approve(engine, [planned("a")])
    bring(engine, "a", REFUSED)
    assert row_of(engine, "a", "state", "state_reason") == ("refused", "MessageRejected")
    with engine.connect() as con:
        query = select(
            activities.c.customer_id, activities.c.letter_id, activities.c.outcome_code, activities.c.is_task
        )
        assert con.execute(query).all() == [("C-a", "a", "refused", 1)]


def test_an_unknown_letter_is_never_claimed_again(engine: Engine) -> None:
    approve(engine, [planned("a")])
    bring(engine, "a", UNKNOWN)
    assert row_of(engine, "a", "state", "state_reason") == ("unknown", "ReadTimeoutError")
    assert take(engine, "a", now=NOON + timedelta(hours=1)) == []


def test_a_letter_the_carrier_could_not_take_waits_longer_each_time_and_is_then_given_up(
    engine: Engine,
) -> None:
    approve(engine, [planned("a")])
    now = NOON
    for number in (1, 2):
        bring(engine, "a", THROTTLED, now, max_attempts=3)
        wait = back_off("a", number)
        assert row_of(engine, "a", "state", "contact_date") == ("approved", None)
        assert take(engine, "a", now=now + wait - timedelta(microseconds=1)) == []
        now += wait
    bring(engine, "a", THROTTLED, now, max_attempts=3)
    assert row_of(engine, "a", "state", "state_reason") == ("cancelled", "not_accepted")
    assert attempts_of(engine, "a") == [
        (number, "not_accepted", THROTTLED.error_class) for number in (1, 2, 3)
    ]


def test_tries_are_those_that_the_carrier_itself_could_not_take(engine: Engine) -> None:
    approve(engine, [planned("a")], hours=48)
    now = NOON
    ours = [Outcome("not_accepted", error_class=name) for name in ("Stopped", "LeaseOver")]
    for outcome in (*ours, QUOTA, THROTTLED, *ours, THROTTLED):
        assert row_of(engine, "a", "state") == ("approved",)
        bring(engine, "a", outcome, now, max_attempts=2)
        now += timedelta(hours=1)
        lift_pause(engine, "ses", "anna", now)
    assert row_of(engine, "a", "state", "attempt_count") == ("cancelled", 7)


@pytest.mark.parametrize("number", [1, 2, 3, 8, 50])
def test_back_off_doubles_up_to_ten_minutes_less_at_most_half(number: int) -> None:
    longest = min(5 * 2 ** (number - 1), 600)
    waits = [back_off(f"L{one}", number).total_seconds() for one in range(50)]
    assert longest / 2 - 0.001 <= min(waits) < max(waits) <= longest
    assert len(set(waits)) > 40


@pytest.mark.parametrize(("asked", "waits"), [(30, 30), (3600, 600)], ids=["as asked", "at most ten minutes"])
def test_the_carrier_may_ask_for_a_longer_wait(asked: int, waits: int) -> None:
    assert back_off("a", 1, timedelta(seconds=asked)) == timedelta(seconds=waits)


@pytest.mark.parametrize(
    ("outcome", "reason", "until"),
    [(SUSPENDED, "suspended", None), (QUOTA, "daily_quota", NOON + timedelta(days=1))],
    ids=["until lifted", "until tomorrow"],
)
def test_a_carrier_that_takes_nothing_is_paused_and_the_letter_stays_approved(
    engine: Engine, outcome: Outcome, reason: str, until
) -> None:
    approve(engine, [planned("a"), planned("b")])
    bring(engine, "a", outcome)
    assert states(engine) == {"a": "approved", "b": "approved"}
    assert [(one.reason, one.until) for one in open_pauses(engine, NOON)] == [(reason, until)]
    assert take(engine) == []
    after = NOON + timedelta(hours=23, minutes=59)
    assert take(engine, now=after) == []
    if until:
        assert open_pauses(engine, until) == []


def test_one_transaction_records_a_letter_and_claims_the_next(engine: Engine) -> None:
    approve(engine, [planned("a"), planned("b")])
    (one,) = take(engine, "a")
    said = {"carrier": "ses", "owner": "w1", "now": NOON, "lease": LEASE, "contact_date": DAY}
    (two,) = record_and_claim(engine, [(one, Outcome("accepted", "m"))], letter_ids=["a", "b"], **said)
    assert (two.letter.letter_id, states(engine)) == ("b", {"a": "sent", "b": "sending"})


# ── workers that are lost ──


def test_a_lease_that_is_over_leaves_the_letter_unknown_and_the_late_answer_in_its_attempt(
    engine: Engine,
) -> None:
    approve(engine, [planned("a")])
    (one,) = take(engine, "a")
    assert expire_leases(engine, NOON + LEASE - SECOND) == {}
    assert still_held(engine, [one])
    assert expire_leases(engine, NOON + LEASE) == {"a": "unknown"}
    assert not still_held(engine, [one])
    assert record(engine, [(one, Outcome("accepted", "m-1"))], NOON + LEASE + SECOND) == 0
    assert row_of(engine, "a", "state", "carrier_message_id") == ("unknown", None)
    assert attempts_of(engine, "a") == [(1, "accepted", None)]


@pytest.mark.parametrize(
    ("known", "becomes"),
    [(True, "sent"), (False, "approved"), (None, "unknown")],
    ids=["there", "not", "who knows"],
)
def test_a_carrier_that_can_be_asked_settles_the_letter(
    engine: Engine, known: bool | None, becomes: str
) -> None:
    approve(engine, [planned("a")])
    take(engine, "a")
    asked: list[bytes] = []

    def has(letter) -> bool | None:
        asked.append(letter.content)
        return known

    assert expire_leases(engine, NOON + LEASE, has, carrier="ses") == {"a": becomes}
    assert asked == [eml("a")]
    assert states(engine) == {"a": becomes}


def test_letters_of_another_carrier_are_not_asked_about(engine: Engine) -> None:
    approve(engine, [planned("a")])
    take(engine, "a")
    assert expire_leases(engine, NOON + LEASE, lambda _letter: False, carrier="folder") == {}
    assert states(engine) == {"a": "sending"}


def test_a_zombie_whose_letter_was_claimed_anew_changes_nothing(engine: Engine) -> None:
    approve(engine, [planned("a")])
    (old,) = take(engine, "a")
    expire_leases(engine, NOON + LEASE, lambda _letter: False)
    (new,) = take(engine, "a", now=NOON + LEASE)
    assert (old.owner, old.attempt_number, new.owner, new.attempt_number) == ("w1", 1, "w1", 2)
    assert record(engine, [(old, REFUSED)], NOON + LEASE) == 0
    assert states(engine) == {"a": "sending"}
    assert record(engine, [(new, Outcome("accepted", "m"))], NOON + LEASE) == 1


@pytest.mark.parametrize(
    ("hours", "read_until", "becomes"),
    [
        (48, 48, "presumed_not_sent"),
        (47.99, 48, "unknown"),
        (48, 47.99, "unknown"),
        (100, None, "unknown"),
    ],
    ids=["waited and looked", "not waited", "not looked to the end", "never looked"],
)
def test_without_a_trace_a_letter_is_presumed_not_sent_if_somebody_looked(
    engine: Engine, hours: float, read_until: float | None, becomes: str
) -> None:
    approve(engine, [planned("a")])
    bring(engine, "a", UNKNOWN)
    until = None if read_until is None else NOON + timedelta(hours=read_until)
    found = presume_not_sent(engine, NOON + timedelta(hours=hours), timedelta(hours=48), until)
    assert (found, states(engine)) == (["a"] if becomes == "presumed_not_sent" else [], {"a": becomes})


def test_a_late_yes_of_the_carrier_is_not_presumed_away(engine: Engine) -> None:
    approve(engine, [planned("a")])
    (one,) = take(engine, "a")
    expire_leases(engine, NOON + LEASE)
    record(engine, [(one, Outcome("accepted", "m-1"))], NOON + LEASE)
    later = NOON + timedelta(hours=48)
    assert presume_not_sent(engine, later, timedelta(hours=48), later) == []
    assert row_of(engine, "a", "state", "carrier_message_id") == ("sent", "m-1")


@pytest.mark.parametrize(
    ("kind", "state"),
    [("send", "cancelled"), ("late answer", "cancelled"), ("reject", "sent"), (None, "sent")],
)
def test_a_letter_is_not_tried_again_when_the_earlier_try_left_after_all(
    engine: Engine, kind: str | None, state: str
) -> None:
    """The trace came between the two approvals of the second try and its hour."""
    approve(engine, [planned("a")])
    (one,) = take(engine, "a")
    expire_leases(engine, NOON + LEASE)
    later = NOON + timedelta(days=7)
    presume_not_sent(engine, later, timedelta(hours=48), later)
    again = planned("b", customer_id="C-a", try_number=2, batch_id="later", decided_as_of_date=later.date())
    plan_letters(engine, [again], "o2c", later)
    told = {name: again.row[name] for name in ("message_hash", "address")}
    asked = ask(
        engine, Item("b", "EUR", Decimal(100), told), now=later, kind="letters", as_of_date=later.date()
    )
    for person in ("bert", "carl"):
        say(engine, asked, person, now=later)
    if kind == "late answer":
        record(engine, [(one, Outcome("accepted", "m-1"))], later)
    elif kind:
        record_events(engine, [DeliveryEvent("e", "a", "ses", kind, "m-1", None, NOON, "0" * 64)], later)
    for claimed in take(engine, "b", now=later):
        record(engine, [(claimed, Outcome("accepted", "m-2"))], later)
    assert row_of(engine, "b", "state", "state_reason") == (
        state,
        "left_after_all" if state == "cancelled" else None,
    )


# ── withdrawing ──


def test_what_has_not_left_is_withdrawn_with_its_reason_and_what_has_is_not(engine: Engine) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abc"])
    plan_letters(engine, [planned("d")], "o2c", NOON)
    bring(engine, "a", Outcome("accepted", "m"))
    take(engine, "b")
    reasons = {"a": "paid", "b": "paid", "c": "disputed", "d": "paid", "nobody": "paid"}
    assert cancel_letters(engine, reasons, "o2c", NOON) == {"c", "d"}
    assert states(engine) == {"a": "sent", "b": "sending", "c": "cancelled", "d": "cancelled"}
    assert history(engine, "c")[-1] == ("o2c", "cancel", "approved", "cancelled", "disputed")


@pytest.mark.parametrize(
    ("days", "hours", "stale"),
    [(1, 47, set()), (2, 49, {"a", "b"}), (1, 24, {"a"}), (1, 25, set())],
    ids=["the last day", "the day after", "approval just over", "approval holds"],
)
def test_what_outlived_its_days_or_its_approval_is_stale(
    engine: Engine, days: int, hours: int, stale: set[str]
) -> None:
    approve(engine, [planned("a")], hours=hours)
    plan_letters(engine, [planned("b")], "o2c", NOON)
    now = NOON + timedelta(days=days)
    assert cancel_stale(engine, now, lambda day: day + timedelta(days=1), today=now.date()) == stale
    assert {one for one, state in states(engine).items() if state == "cancelled"} == stale
