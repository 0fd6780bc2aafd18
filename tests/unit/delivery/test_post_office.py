"""What leaves in one call of the post office, what waits and why, and what stops it."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from post_office import (
    BATCH,
    DAY,
    NOON,
    POLICY,
    REFUSED,
    SUSPENDED,
    THROTTLED,
    UNKNOWN,
    Clock,
    Postbox,
    approve,
    planned,
    relaxed,
    row_of,
    states,
)
from sqlalchemy import Engine

from o2c.delivery.carrier import Outcome
from o2c.delivery.events import DeliveryEvent
from o2c.delivery.limits import AccountLimits, TokenBucket
from o2c.delivery.post import DeliveryReport, deliver
from o2c.delivery.stop import stop_file
from o2c.ledger import Ledger
from o2c.ledger.delivery_events import record_events
from o2c.ledger.moving import move
from o2c.ledger.outgoing import cancel_letters, expire_leases, lift_pause, open_pauses, pause
from o2c.policy.controls import Delivery

CANARY = relaxed(canary=POLICY.canary.model_copy(update={"size": 3, "delivered_count": 2}))


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    ledger = Ledger(ledger_url)
    yield ledger.engine
    ledger.engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hand_over(
    engine: Engine, box: Postbox, clock: Clock, policy: Delivery | None = None, **more: Any
) -> DeliveryReport:
    """One call; what the edge is told goes to the edge."""
    names = {"stop", "may_leave", "last_day_of", "day_of"}
    edge = clock.edge(**{name: more.pop(name) for name in names & set(more)})
    return deliver(engine, box, policy or relaxed(), edge, owner=more.pop("owner", "w1"), **more)


def become(engine: Engine, **outcomes: str) -> None:
    """As delivery events would have it."""
    with engine.begin() as con:
        for letter_id, state in outcomes.items():
            before = row_of(engine, letter_id, "state")[0]
            move(con, [letter_id], before, state, NOON, actor="events", action="event")


# ── the way of a letter ──


def test_everything_approved_leaves_once_the_mildest_and_smallest_first(engine: Engine, clock: Clock) -> None:
    some = [
        planned("a", level=2, total_amount="5.0000"),
        planned("b", total_amount="300.0000"),
        planned("c", total_amount="20.0000"),
    ]
    approve(engine, some)
    box = Postbox()
    assert hand_over(engine, box, clock) == DeliveryReport({"accepted": 3}, {}, {})
    assert box.ids == ["c", "b", "a"]
    assert hand_over(engine, box, clock) == DeliveryReport({}, {}, {})
    assert states(engine) == {"a": "sent", "b": "sent", "c": "sent"}


def test_every_answer_has_its_state_and_is_counted(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abcd"])
    box = Postbox({"a": [THROTTLED], "b": [REFUSED], "c": [UNKNOWN]})
    report = hand_over(engine, box, clock)
    assert report.outcomes == {"accepted": 1, "not_accepted": 1, "refused": 1, "unknown": 1}
    assert report.waiting == {"back_off": 1}
    assert states(engine) == {"a": "approved", "b": "refused", "c": "unknown", "d": "sent"}


def test_what_the_carrier_could_not_take_leaves_with_a_later_call(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a")])
    box = Postbox({"a": [THROTTLED, Outcome("accepted", "m")]})
    hand_over(engine, box, clock)
    clock.now += timedelta(seconds=5)
    assert hand_over(engine, box, clock).outcomes == {"accepted": 1}
    assert (box.ids, states(engine)) == (["a", "a"], {"a": "sent"})


def test_a_carrier_that_raises_may_have_taken_the_letter(engine: Engine, clock: Clock) -> None:
    def broken(_letter) -> None:
        raise OSError("no idea")

    approve(engine, [planned("a")])
    assert hand_over(engine, Postbox(before=broken), clock).outcomes == {"unknown": 1}
    assert row_of(engine, "a", "state", "state_reason") == ("unknown", "OSError")


def test_letters_of_other_channels_and_batches_stay(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a"), planned("b", channel="sms"), planned("c", batch_id="other")])
    box = Postbox()
    hand_over(engine, box, clock, channels=["email"], batch_ids=[BATCH])
    assert states(engine) == {"a": "sent", "b": "approved", "c": "approved"}


# ── looked at once more, right before the post ──


def test_a_stop_between_claim_and_post_gives_the_letter_back(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a"), planned("b")])
    answers = iter([None, None, None, None, "fire"])
    report = hand_over(engine, box := Postbox(), clock, stop=lambda: next(answers, "fire"))
    assert (box.ids, states(engine)) == (["a"], {"a": "sent", "b": "approved"})
    assert (report.stopped, report.waiting) == ("fire", {"stopped": 1})
    assert row_of(engine, "b", "state_reason", "attempt_count", "not_before") == ("Stopped", 1, None)


def test_a_stop_at_the_start_touches_nothing(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a")])
    assert hand_over(engine, Postbox(), clock, stop=lambda: "fire") == DeliveryReport(
        {}, {}, {}, stopped="fire"
    )
    assert row_of(engine, "a", "state", "attempt_count") == ("approved", 0)


@pytest.mark.parametrize(
    ("frozen", "is_posted"), [(110, True), (110.001, False)], ids=["time for the answer", "a moment too late"]
)
def test_a_worker_that_was_frozen_too_long_does_not_post(
    engine: Engine, clock: Clock, frozen: float, is_posted: bool
) -> None:
    """Lease 120 s, time-out 10 s."""
    approve(engine, [planned("a")])
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:  # the look before the post
            clock.sleep(frozen)

    hand_over(engine, box := Postbox(), clock, stop=stop)
    assert box.ids == (["a"] if is_posted else [])
    assert row_of(engine, "a", "state", "state_reason") == (
        ("sent", None) if is_posted else ("approved", "LeaseOver")
    )


def test_a_letter_that_was_taken_back_meanwhile_is_not_posted(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a")])
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            expire_leases(engine, NOON + timedelta(hours=1))

    hand_over(engine, box := Postbox(), clock, stop=stop)
    assert (box.ids, states(engine)) == ([], {"a": "unknown"})


def test_what_the_carrier_said_is_kept_whatever_ends_the_round(engine: Engine, clock: Clock) -> None:
    def broken(row, _now) -> None:
        if row["letter_id"] == "g":
            raise KeyError("no such country")

    approve(engine, [planned(letter_id) for letter_id in "abcdefg"])
    with pytest.raises(KeyError):
        hand_over(engine, box := Postbox(), clock, may_leave=broken)
    assert (box.ids, states(engine)["a"], states(engine)["b"]) == (["a"], "sent", "approved")


def test_a_lost_workers_letters_are_settled_first(engine: Engine, clock: Clock) -> None:
    class Killed(BaseException):
        pass

    def kill(_letter) -> None:
        raise Killed

    approve(engine, [planned("a"), planned("b")])
    with pytest.raises(Killed):
        hand_over(engine, Postbox(before=kill), clock)
    assert states(engine) == {"a": "sending", "b": "approved"}
    box = Postbox()
    assert hand_over(engine, box, clock, owner="w2") == DeliveryReport({"accepted": 1}, {}, {})
    clock.now += timedelta(minutes=2)
    assert hand_over(engine, box, clock, owner="w2") == DeliveryReport({}, {"unknown": 1}, {})
    assert (box.ids, states(engine)) == (["b"], {"a": "unknown", "b": "sent"})


# ── days, hours, pauses ──


@pytest.mark.parametrize(
    ("today", "leaves", "why"),
    [
        (DAY - timedelta(days=1), False, {"not_yet": 1}),
        (DAY, True, {}),
        (DAY + timedelta(days=1), True, {}),
        (DAY + timedelta(days=2), False, {"stale": 1}),
    ],
    ids=["the day before", "the day", "the next", "the day after that"],
)
def test_letters_leave_on_their_day_and_the_next(
    engine: Engine, clock: Clock, today: date, leaves: bool, why: dict
) -> None:
    approve(engine, [planned("a")])
    report = hand_over(engine, box := Postbox(), clock, day_of=lambda _instant: today)
    assert (bool(box.taken), report.waiting) == (leaves, why)


def test_letters_leave_on_their_day_also_where_a_round_lasts_past_midnight(
    engine: Engine, clock: Clock
) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abc"], hours=240)
    box = Postbox(before=lambda _letter: clock.sleep(24 * 3600))
    report = hand_over(engine, box, clock)
    assert (box.ids, report.waiting) == (["a", "b"], {"stale": 1})


def test_a_letter_waits_for_the_hours_of_its_customer_and_is_asked_at_each_letters_time(
    engine: Engine, clock: Clock
) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abc"])
    opens = {"a": 12, "b": 14, "c": 12}

    def may_leave(row, now) -> str | None:
        return None if now.hour >= opens[row["letter_id"]] else "outside_contact_hours"

    report = hand_over(engine, Postbox(), clock, may_leave=may_leave)
    assert (report.outcomes, report.waiting) == ({"accepted": 2}, {"outside_contact_hours": 1})
    nobody = Postbox(reaches_people=False)
    assert hand_over(engine, nobody, clock, may_leave=may_leave).outcomes == {"accepted": 1}


def test_a_carrier_that_says_no_to_all_gets_one_letter_and_the_rest_stays(
    engine: Engine, clock: Clock
) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abc"])
    report = hand_over(engine, box := Postbox({"a": [SUSPENDED]}), clock)
    assert (box.ids, report.paused, report.waiting) == (["a"], "suspended", {"paused": 3})
    assert hand_over(engine, box, clock).outcomes == {}
    lift_pause(engine, "postbox", "anna", NOON)
    box.answers.clear()
    assert hand_over(engine, box, clock).outcomes == {"accepted": 3}


def test_a_pause_by_somebody_else_ends_the_round(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abc"])
    box = Postbox(before=lambda _letter: pause(engine, "postbox", "by_hand", "", None, "anna", NOON))
    report = hand_over(engine, box, clock)
    assert (box.ids, report.paused) == (["a"], "by_hand")


# ── rate and quota ──


def test_letters_leave_at_the_policys_share_of_the_accounts_rate(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}") for number in range(9)])
    account = AccountLimits(5.0, 1000, 0)  # 80 % of 5: one in 250 ms
    hand_over(engine, box := Postbox(), clock, account=account)
    assert (len(box.taken), clock.slept) == (9, pytest.approx([0.25] * 8))


def test_nothing_is_claimed_while_the_rate_is_waited_for(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("a"), planned("b")])
    seen: list[dict[str, str]] = []
    edge = clock.edge(sleep=lambda seconds: (seen.append(states(engine)), clock.sleep(seconds)))
    deliver(engine, Postbox(), relaxed(), edge, owner="w1", account=AccountLimits(1.0, 1000, 0))
    assert seen == [{"a": "sent", "b": "approved"}]


def test_a_bucket_saves_no_more_than_one_second(clock: Clock) -> None:
    bucket = TokenBucket(4.0, clock.monotonic)
    clock.now += timedelta(hours=1)
    free = 0
    while bucket.delay() == 0:
        bucket.take()
        free += 1
    assert (free, bucket.delay()) == (4, pytest.approx(0.25))


@pytest.mark.parametrize(
    ("quota", "sent_before", "leave"),
    [(10, 7, 3), (10, 6, 4), (10, 10, 0), (-1, 10**6, 4)],
    ids=["three left", "just enough", "used up", "no quota"],
)
def test_the_accounts_daily_quota_is_kept(
    engine: Engine, clock: Clock, quota: int, sent_before: int, leave: int
) -> None:
    approve(engine, [planned(letter_id) for letter_id in "abcd"])
    report = hand_over(engine, box := Postbox(), clock, account=AccountLimits(100.0, quota, sent_before))
    assert len(box.taken) == leave
    assert report.waiting == ({"daily_quota": 4 - leave} if leave < 4 else {})


# ── caps ──


@pytest.mark.parametrize(
    ("caps", "why"),
    [
        ({"messages_per_run": 2}, "cap_per_run"),
        ({"messages_per_day": 2}, "cap_per_day"),
        ({"messages_per_domain": 2}, "cap_per_domain"),
    ],
    ids=["batch", "day", "domain"],
)
def test_no_more_than_the_cap_leaves_also_over_several_calls(
    engine: Engine, clock: Clock, caps: dict[str, int], why: str
) -> None:
    approve(engine, [planned(letter_id, address=f"{letter_id}@one.example") for letter_id in "abc"])
    policy = relaxed(caps=POLICY.caps.model_copy(update=caps))
    assert hand_over(engine, box := Postbox({"a": [REFUSED]}), clock, policy).waiting == {}
    assert (box.ids, states(engine)) == (["a", "b", "c"], {"a": "refused", "b": "sent", "c": "sent"})
    approve(engine, [planned("d", address="d@ONE.example")])
    for _ in range(2):
        assert hand_over(engine, box, clock, policy).waiting == {why: 1}
    assert box.ids == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("third", "leaves"), [("100.0000", True), ("100.0001", False)], ids=["to the cent", "above"]
)
def test_no_more_money_than_the_cap_leaves_in_a_batch_of_each_currency(
    engine: Engine, clock: Clock, third: str, leaves: bool
) -> None:
    amounts = POLICY.caps.amount_per_run.model_copy(update={"default": Decimal("300.00")})
    policy = relaxed(caps=POLICY.caps.model_copy(update={"amount_per_run": amounts}))
    approve(
        engine,
        [
            planned("a"),
            planned("b"),
            planned("c", total_amount=third),
            planned("d", currency_code="USD", total_amount="300.0000"),
            planned("e", batch_id="other", total_amount="300.0000"),
        ],
    )
    report = hand_over(engine, Postbox(), clock, policy)
    assert states(engine) == dict.fromkeys("abde", "sent") | {"c": "sent" if leaves else "approved"}
    assert report.waiting == ({} if leaves else {"cap_on_amount": 1})


def test_two_workers_at_once_keep_the_cap_together(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}") for number in range(10)])
    policy = relaxed(caps=POLICY.caps.model_copy(update={"messages_per_run": 5}))
    other = Postbox()

    def meanwhile(_letter) -> None:
        if len(other.taken) < 2:  # another worker's whole round while this one posts
            two = relaxed(caps=POLICY.caps.model_copy(update={"messages_per_run": 3}))
            hand_over(engine, other, clock, two, owner="w2")

    box = Postbox(before=meanwhile)
    hand_over(engine, box, clock, policy)
    assert (len(other.taken), len(box.taken)) == (2, 3)
    assert not set(other.ids) & set(box.ids)


# ── canary ──


def test_a_few_leave_and_the_rest_waits_until_they_were_delivered(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}", total_amount=f"{number + 1}.0000") for number in range(6)])
    box = Postbox(reports_delivery=True)
    report = hand_over(engine, box, clock, CANARY)
    assert (box.ids, report.waiting) == (["L0", "L1", "L2"], {"canary": 3})
    become(engine, L0="delivered", L2="bounced")
    assert hand_over(engine, box, clock, CANARY).waiting == {"canary": 3}
    become(engine, L1="delivered")
    assert hand_over(engine, box, clock, CANARY) == DeliveryReport({"accepted": 3}, {}, {})
    assert len(box.taken) == 6


def test_after_one_complaint_among_the_first_the_rest_stays(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}") for number in range(5)])
    box = Postbox(reports_delivery=True)
    hand_over(engine, box, clock, CANARY)
    become(engine, L0="delivered", L1="delivered", L2="complained")
    assert hand_over(engine, box, clock, CANARY).waiting == {"canary": 2}


def test_another_takes_the_place_of_a_canary_that_did_not_leave(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}") for number in range(5)])
    box = Postbox({"L0": [REFUSED]}, reports_delivery=True)
    hand_over(engine, box, clock, CANARY)
    assert box.ids == ["L0", "L1", "L2", "L3"]


@pytest.mark.parametrize("reports_delivery", [True, False])
def test_a_batch_as_small_as_the_canary_leaves_whole_and_so_does_one_that_nobody_reports_on(
    engine: Engine, clock: Clock, reports_delivery: bool
) -> None:
    approve(engine, [planned(f"L{number}") for number in range(3 if reports_delivery else 6)])
    assert hand_over(engine, Postbox(reports_delivery=reports_delivery), clock, CANARY).waiting == {}


# ── breakers ──


def tripping(**changes: Any) -> Delivery:
    calm = {"unknown_in_a_row": 10**6, "unknown_ratio": Decimal(1), "bounce_ratio": Decimal(1)}
    strict = calm | {"complaint_ratio": Decimal(1)} | changes
    return relaxed(breakers=POLICY.breakers.model_copy(update=strict))


@pytest.mark.parametrize(("after", "posted"), [(2, 9), (3, 5)], ids=["two in a row", "three in a row"])
def test_unknown_outcomes_in_a_row_pause_the_carrier(
    engine: Engine, clock: Clock, after: int, posted: int
) -> None:
    approve(engine, [planned(f"L{number}") for number in range(9)])
    answers = {f"L{number}": [UNKNOWN] for number in range(2, 2 + after)} | {"L0": [UNKNOWN]}
    report = hand_over(engine, box := Postbox(answers), clock, tripping(unknown_in_a_row=3))
    assert (len(box.taken), report.paused) == (posted, "unknown_in_a_row" if after == 3 else None)


def test_unknown_in_a_row_is_counted_over_calls_and_anew_after_a_person_lifted_the_pause(
    engine: Engine, clock: Clock
) -> None:
    approve(engine, [planned("L0"), planned("L1")])
    policy = tripping(unknown_in_a_row=3)
    box = Postbox({f"L{number}": [UNKNOWN] for number in range(9)})
    assert hand_over(engine, box, clock, policy).paused is None
    approve(engine, [planned(f"L{number}") for number in (2, 3, 4, 5)])
    assert hand_over(engine, box, clock, policy).paused == "unknown_in_a_row"
    assert len(box.taken) == 3
    clock.now += timedelta(seconds=1)
    lift_pause(engine, "postbox", "anna", clock.now)
    clock.now += timedelta(seconds=1)
    assert hand_over(engine, box, clock, policy).paused == "unknown_in_a_row"
    assert len(box.taken) == 6


def test_events_that_come_between_do_not_hide_what_came_in_a_row(
    engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("o2c.ledger.health._LOOKED_BACK", 5)
    approve(engine, [planned(f"K{number}") for number in range(5)])
    hand_over(engine, Postbox(), clock)
    approve(engine, [planned(f"L{number}") for number in range(4)])
    box = Postbox({f"L{number}": [UNKNOWN] for number in range(4)})
    told = [
        DeliveryEvent(f"K{number}", f"K{number}", "postbox", "delivery", f"m-K{number}", None, NOON, "0" * 64)
        for number in range(5)
    ]
    box.before = lambda letter: record_events(engine, told if letter.letter_id == "L2" else [], NOON) and None
    assert hand_over(engine, box, clock, tripping(unknown_in_a_row=3)).paused == "unknown_in_a_row"
    assert len(box.taken) == 3


def test_an_unknown_letter_that_an_event_settled_is_unknown_no_longer(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned("L0"), planned("L1")])
    policy = tripping(unknown_in_a_row=3)
    box = Postbox({f"L{number}": [UNKNOWN] for number in range(9)})
    hand_over(engine, box, clock, policy)
    become(engine, L1="delivered")
    approve(engine, [planned("L2"), planned("L3")])
    assert hand_over(engine, box, clock, policy).paused is None


@pytest.mark.parametrize(
    ("unknown", "paused"), [(2, None), (3, "unknown_ratio")], ids=["one in five", "more"]
)
def test_too_large_a_share_of_unknown_letters_pauses_the_carrier(
    engine: Engine, clock: Clock, unknown: int, paused: str | None
) -> None:
    approve(engine, [planned(f"L{number}") for number in range(11)])
    cancel_letters(engine, {"L9": "paid"}, "o2c", NOON)
    answers = {f"L{2 * number}": [UNKNOWN] for number in range(unknown)}
    policy = tripping(unknown_ratio=Decimal("0.2"))
    assert hand_over(engine, Postbox(answers), clock, policy).paused == paused


@pytest.mark.parametrize(
    ("left", "bounced", "paused"),
    [(9, 4, None), (10, 3, None), (10, 4, "bounce_ratio")],
    ids=["too few to judge", "below the share", "the share"],
)
def test_bounces_pause_the_carrier_once_enough_were_tried(
    engine: Engine, clock: Clock, left: int, bounced: int, paused: str | None
) -> None:
    approve(engine, [planned(f"L{number}") for number in range(left)])
    policy = tripping(bounce_ratio=Decimal("0.4"), bounce_minimum=10)
    hand_over(engine, box := Postbox(), clock, policy)
    become(engine, **{f"L{number}": "bounced" for number in range(bounced)})
    approve(engine, [planned("M")])
    report = hand_over(engine, box, clock, policy)
    assert (report.paused, len(box.taken)) == (paused, left + (paused is None))


@pytest.mark.parametrize(
    ("delivered", "days", "paused"),
    [(10, 0, "complaint_ratio"), (11, 0, None), (10, 30, None), (10, 29, "complaint_ratio")],
    ids=["the share", "below it", "long ago", "not so long ago"],
)
def test_complaints_of_the_last_days_pause_the_carrier(
    engine: Engine, clock: Clock, delivered: int, days: int, paused: str | None
) -> None:
    approve(engine, [planned(f"L{number}") for number in range(delivered)])
    policy = tripping(complaint_ratio=Decimal("0.1"), complaint_days=30)
    hand_over(engine, Postbox(), clock, policy)
    become(engine, **{f"L{number}": "delivered" for number in range(1, delivered)}, L0="complained")
    clock.now += timedelta(days=days)
    approve(engine, [planned("M", batch_id="later", decided_as_of_date=clock.now.date())], now=clock.now)
    assert hand_over(engine, Postbox(), clock, policy).paused == paused


def test_a_folder_like_carrier_has_no_rate_no_caps_and_no_breakers(engine: Engine, clock: Clock) -> None:
    approve(engine, [planned(f"L{number}") for number in range(4)])
    policy = POLICY.model_copy(update={"caps": POLICY.caps.model_copy(update={"messages_per_run": 1})})
    box = Postbox({f"L{number}": [UNKNOWN] for number in range(3)}, reaches_people=False)
    report = hand_over(engine, box, clock, policy, account=AccountLimits(1.0, 1, 1))
    assert (len(box.taken), clock.slept, report.paused) == (4, [], None)
    assert open_pauses(engine, NOON) == []


# ── STOP ──


def test_a_file_named_stop_stops_and_its_text_is_the_reason(tmp_path: Path) -> None:
    stop = stop_file(tmp_path)
    assert stop() is None
    file = tmp_path / "STOP"
    file.touch()
    assert stop() == "STOP"
    file.write_text("bank file doubled,\nask Anna\n")
    assert stop() == "bank file doubled, ask Anna"
    file.unlink()
    assert stop() is None


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "garbage"])
def test_what_cannot_be_read_stops_as_well(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "STOP"
    if kind == "folder":
        file.mkdir()
    elif kind == "garbage":
        file.write_bytes(b"\xff\xfe")
    else:
        file.symlink_to(tmp_path / "nowhere")
    assert stop_file(tmp_path)()
