"""Several letters on their way at once: as many as keep the account's rate, and never past what holds for each."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from post_office import (
    POLICY,
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

from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.limits import MOST_AT_ONCE, AccountLimits, TokenBucket
from o2c.delivery.post import DeliveryReport, deliver
from o2c.ledger import Ledger
from o2c.ledger.outgoing import expire_leases
from o2c.policy.controls import Delivery

FAST = AccountLimits(1000.0, -1, 0)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    ledger = Ledger(ledger_url)
    yield ledger.engine
    ledger.engine.dispose()


@dataclass
class Busy:
    """Time passes while the carrier thinks; it answers only once all letters that were claimed with one are there."""

    engine: Engine
    clock: Clock = field(default_factory=Clock)
    groups: list[int] = field(default_factory=list)
    thinks: timedelta = timedelta(milliseconds=100)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.barriers: dict[int, threading.Barrier] = {}

    def __call__(self, _letter: OutgoingLetter) -> None:
        size = Counter(states(self.engine).values())["sending"]
        with self.lock:
            barrier = self.barriers.setdefault(size, threading.Barrier(size, lambda: self.together(size)))
        barrier.wait(timeout=30)

    def together(self, size: int) -> None:
        self.groups.append(size)
        self.clock.now += self.thinks

    def hand_over(
        self, box: Postbox, policy: Delivery | None = None, account: AccountLimits = FAST, **edge: Any
    ) -> DeliveryReport:
        policy = policy or relaxed()
        return deliver(self.engine, box, policy, self.clock.edge(**edge), owner="w1", account=account)


@pytest.fixture
def busy(engine: Engine) -> Busy:
    return Busy(engine)


def some(count: int, **changes: Callable[[int], Any]) -> list[Any]:
    return [
        planned(f"L{number:02}", **{name: change(number) for name, change in changes.items()})
        for number in range(count)
    ]


def test_more_and_more_leave_together_while_all_are_taken(busy: Busy) -> None:
    approve(busy.engine, some(70))
    box = Postbox(before=busy)
    assert busy.hand_over(box).outcomes == {"accepted": 70}
    assert busy.groups == [1, 2, 4, 8, MOST_AT_ONCE, MOST_AT_ONCE, MOST_AT_ONCE, 7]
    assert sorted(box.ids) == [f"L{number:02}" for number in range(70)]


@pytest.mark.parametrize(("rate", "most"), [(14.0, 2), (50.0, 4), (1000.0, MOST_AT_ONCE)])
def test_no_more_than_keep_the_rate_while_the_carrier_thinks(busy: Busy, rate: float, most: int) -> None:
    approve(busy.engine, some(40))
    busy.hand_over(Postbox(before=busy), account=AccountLimits(rate, -1, 0))
    assert max(busy.groups) == most


def test_no_more_leave_together_than_the_rate_has_permits_for(busy: Busy) -> None:
    approve(busy.engine, some(30))
    busy.thinks = timedelta(milliseconds=5)  # four permits of 800 a second
    busy.hand_over(Postbox(before=busy))
    assert busy.groups[:4] == [1, 2, 4, 6]
    assert all(left <= 1 + 4 * before for before, left in enumerate(accumulate(busy.groups)))


@pytest.mark.parametrize("answer", [UNKNOWN, THROTTLED], ids=["no answer", "too fast"])
def test_after_trouble_they_leave_one_at_a_time_again(busy: Busy, answer: Outcome) -> None:
    approve(busy.engine, some(12))
    busy.hand_over(Postbox({"L04": [answer]}, before=busy))
    assert busy.groups == [1, 2, 4, 1, 2, 2]


def test_each_letter_of_a_group_has_its_own_answer(busy: Busy) -> None:
    approve(busy.engine, some(7))
    refused = Outcome("refused", http_status=400, error_class="MessageRejected")
    box = Postbox({"L03": [refused], "L04": [UNKNOWN], "L05": [THROTTLED]}, before=busy)
    report = busy.hand_over(box)
    assert report.outcomes == {"accepted": 4, "not_accepted": 1, "refused": 1, "unknown": 1}
    left = {f"L{number:02}": "sent" for number in (0, 1, 2, 6)}
    assert states(busy.engine) == left | {"L03": "refused", "L04": "unknown", "L05": "approved"}


def test_a_carrier_that_says_no_to_all_gets_nothing_after_the_group_that_heard_it(busy: Busy) -> None:
    approve(busy.engine, some(12))
    box = Postbox({"L05": [SUSPENDED]}, before=busy)
    report = busy.hand_over(box)
    assert (len(box.taken), report.paused, report.waiting) == (7, "suspended", {"paused": 6})


@pytest.mark.parametrize(
    ("caps", "why"),
    [
        ({"messages_per_run": 12}, "cap_per_run"),
        ({"messages_per_day": 12}, "cap_per_day"),
        ({"messages_per_domain": 12}, "cap_per_domain"),
    ],
    ids=["batch", "day", "domain"],
)
def test_a_group_stops_at_the_cap(busy: Busy, caps: dict[str, int], why: str) -> None:
    approve(busy.engine, some(30, address=lambda number: f"ap{number}@one.example"))
    policy = relaxed(caps=POLICY.caps.model_copy(update=caps))
    report = busy.hand_over(Postbox(before=busy), policy)
    assert (report.outcomes, report.waiting) == ({"accepted": 12}, {why: 18})
    assert busy.hand_over(Postbox(before=busy), policy).waiting == {why: 18}


def test_a_group_stops_at_the_cap_on_money_and_at_the_quota(busy: Busy) -> None:
    approve(busy.engine, some(30))
    amounts = POLICY.caps.amount_per_run.model_copy(update={"default": Decimal("1200.00")})
    policy = relaxed(caps=POLICY.caps.model_copy(update={"amount_per_run": amounts}))
    assert busy.hand_over(Postbox(before=busy), policy).waiting == {"cap_on_amount": 18}
    report = busy.hand_over(Postbox(before=busy), account=AccountLimits(1000.0, 50, 41))
    assert (report.outcomes, report.waiting) == ({"accepted": 9}, {"daily_quota": 9})


def test_a_group_stops_at_the_canary(busy: Busy) -> None:
    approve(busy.engine, some(30))
    policy = relaxed(canary=POLICY.canary.model_copy(update={"size": 10, "delivered_count": 9}))
    report = busy.hand_over(Postbox(before=busy, reports_delivery=True), policy)
    assert (report.outcomes, report.waiting) == ({"accepted": 10}, {"canary": 20})


def test_others_take_the_place_of_those_that_the_database_refuses(busy: Busy) -> None:
    approve(busy.engine, [planned("A", customer_id="C-L05", batch_id="earlier", level=2)])
    busy.hand_over(Postbox(before=busy))
    busy.groups.clear()
    approve(busy.engine, some(8))
    caps = POLICY.caps.model_copy(update={"messages_per_run": 7})
    report = busy.hand_over(Postbox(before=busy), relaxed(caps=caps))
    assert (report.outcomes, report.waiting, busy.groups) == ({"accepted": 7}, {}, [1, 2, 4])
    assert states(busy.engine)["L05"] == "cancelled"


def test_a_place_that_the_database_kept_free_is_the_next_letters(busy: Busy) -> None:
    approve(busy.engine, [planned("A", customer_id="C-L01", batch_id="earlier", level=2)])
    busy.hand_over(Postbox(before=busy))
    approve(busy.engine, some(3))
    caps = POLICY.caps.model_copy(update={"messages_per_run": 2})
    report = busy.hand_over(Postbox(before=busy), relaxed(caps=caps))
    assert (report.outcomes, report.waiting) == ({"accepted": 2}, {})


def test_a_stop_between_claim_and_post_gives_the_whole_group_back(busy: Busy) -> None:
    approve(busy.engine, some(12))
    edge = {"stop": lambda: "fire" if len(busy.groups) == 2 and in_state(busy, "sending") > 2 else None}
    report = busy.hand_over(box := Postbox(before=busy), **edge)
    assert (len(box.taken), report.stopped, report.waiting) == (3, "fire", {"stopped": 9})


def test_of_a_group_only_those_leave_that_nobody_took_back(busy: Busy) -> None:
    approve(busy.engine, some(3))
    later = busy.clock.now + timedelta(days=1)

    def stop() -> None:
        if in_state(busy, "sending") == 2:  # the last look comes after this
            expire_leases(busy.engine, later, lambda letter: None if letter.letter_id == "L01" else False)

    box = Postbox()
    box.before = lambda _letter: setattr(busy.clock, "now", busy.clock.now + busy.thinks)
    report = busy.hand_over(box, stop=stop)
    assert "L01" not in box.ids
    assert states(busy.engine)["L01"] == "unknown"
    assert row_of(busy.engine, "L02", "state_reason", "attempt_count") == ("lease_over", 1)
    assert (report.outcomes, report.waiting) == ({"accepted": 1}, {"later": 1})


@pytest.mark.parametrize("how", ["Ctrl-C", "a thread that ends"])
def test_what_was_answered_is_kept_when_somebody_ends_it_in_the_middle(busy: Busy, how: str) -> None:
    approve(busy.engine, some(12))
    together = busy.together

    def end(size: int) -> None:
        together(size)
        if how == "Ctrl-C" and size == 4:
            time.sleep(0.1)  # until all that can be done is to wait for the answers
            signal.raise_signal(signal.SIGINT)

    class Dying(Postbox):
        def send(self, letter: OutgoingLetter) -> Outcome:
            outcome = super().send(letter)
            if letter.letter_id == "L05" and how != "Ctrl-C":
                raise SystemExit
            return outcome

    busy.together = end
    with pytest.raises(KeyboardInterrupt if how == "Ctrl-C" else SystemExit):
        busy.hand_over(Dying(before=busy))
    lost = [] if how == "Ctrl-C" else ["L05"]
    expected = {f"L{number:02}": "sent" if number < 7 else "approved" for number in range(12)}
    assert states(busy.engine) == expected | dict.fromkeys(lost, "sending")


def test_answers_that_did_not_come_are_so_many_in_a_row_whatever_else_left_with_them(busy: Busy) -> None:
    approve(busy.engine, some(30))
    breakers = relaxed().breakers.model_copy(update={"unknown_in_a_row": 5})
    box = Postbox({f"L{number:02}": [UNKNOWN] for number in (7, 8, 10, 12, 13)}, before=busy)
    report = busy.hand_over(box, relaxed(breakers=breakers))
    assert (report.paused, busy.groups) == ("unknown_in_a_row", [1, 2, 4, 8])


def test_quiet_days_hold_within_a_group(busy: Busy) -> None:
    approve(busy.engine, some(3))
    approve(
        busy.engine,
        [
            planned("L03", batch_id="3"),
            planned("L04", batch_id="4", customer_id="C-L03", level=2),
            planned("L05", batch_id="5", address="AP@l03.example", level=2),
            planned("L06", batch_id="6"),
        ],
    )
    assert busy.hand_over(Postbox(before=busy)).outcomes == {"accepted": 5}
    assert busy.groups == [1, 2, 2]
    assert [states(busy.engine)[letter_id] for letter_id in ("L03", "L04", "L05", "L06")] == [
        "sent",
        "cancelled",
        "cancelled",
        "sent",
    ]


def in_state(busy: Busy, state: str) -> int:
    return Counter(states(busy.engine).values())[state]


def test_permits_are_what_was_saved_up_in_whole(busy: Busy) -> None:
    bucket = TokenBucket(8.0, busy.clock.monotonic)
    assert bucket.permits() == 1
    bucket.take(4)
    busy.clock.now += timedelta(seconds=0.8)
    assert (bucket.permits(), bucket.delay()) == (3, 0.0)
