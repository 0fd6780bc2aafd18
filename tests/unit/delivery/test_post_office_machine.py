"""Whatever happens in whatever order: a letter is accepted at most once, and its states tell a story that can be.

Workers claim, freeze, post without looking, die and come back as zombies; leases run out, events come late or twice,
customers pay, carriers pause, and the planner decides the same letters again every day.
"""

import hashlib
import shutil
import tempfile
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from post_office import NOON, REFUSED, SUSPENDED, THROTTLED, UNKNOWN, approve, planned, states
from sqlalchemy import select

from o2c.delivery.carrier import Outcome
from o2c.delivery.events import DeliveryEvent
from o2c.ledger import Ledger
from o2c.ledger.auditing import FIRST_HASH, row_hash
from o2c.ledger.delivery_events import record_events
from o2c.ledger.outgoing import (
    Claim,
    cancel_letters,
    claim,
    expire_leases,
    lift_pause,
    presume_not_sent,
    record,
    record_and_claim,
    still_held,
)
from o2c.ledger.states import CONTACT_STATES, FAILED_STATES, FIRST_STATES, TRANSITIONS
from o2c.ledger.tables import audit, letters

CUSTOMERS = ("C1", "C2", "C3")
WORKERS = ("w1", "w2", "w3")
LEASE = timedelta(minutes=2)
QUIET_DAYS = 3
ANSWERS = {
    "accepted": (True, Outcome("accepted", "m", 200)),
    "accepted and lost": (True, UNKNOWN),
    "lost": (False, UNKNOWN),
    "throttled": (False, THROTTLED),
    "refused": (False, REFUSED),
    "suspended": (False, SUSPENDED),
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy: making its tables takes longer than a story."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    Ledger(f"sqlite:///{path}").engine.dispose()
    return path


class PostOffice(RuleBasedStateMachine):
    """One ledger, three workers, and a carrier that counts what it accepted."""

    empty: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, self.folder / "ledger.db")
        self.engine = Ledger(f"sqlite:///{self.folder / 'ledger.db'}").engine
        self.now: datetime = NOON
        self.hands: dict[str, list[tuple[Claim, Outcome | None]]] = {worker: [] for worker in WORKERS}
        self.accepted: Counter[str] = Counter()
        self.posts: Counter[tuple[str, int]] = Counter()
        self.contacts: dict[str, set[tuple[date, str]]] = {}
        self.planned: dict[str, str] = {}
        self.ended: dict[str, str] = {}

    # ── the planner, every day again ──

    @rule(customer=st.sampled_from(CUSTOMERS), level=st.integers(1, 2), is_approved=st.booleans())
    def plan(self, customer: str, level: int, is_approved: bool) -> None:
        found = states(self.engine)
        earlier = [one for one in self.planned if one.startswith(f"{customer}-{level}-")]
        number = 1 + sum(found[one] in FAILED_STATES for one in earlier)
        if any(found[one] == "presumed_not_sent" for one in earlier):
            return  # only people may try that again
        letter_id = f"{customer}-{level}-{number}"
        day = self.now.date()
        one = planned(
            letter_id,
            customer_id=customer,
            address=f"ap@{customer.lower()}.example",
            level=level,
            try_number=number,
            batch_id=f"{day}-b",
            decided_as_of_date=day,
            quiet_days=QUIET_DAYS,
        )
        if found.get(letter_id, "rendered") in FIRST_STATES:
            self.planned[letter_id] = one.row["message_hash"]
        if is_approved or letter_id not in found:
            approve(self.engine, [one], self.now)

    @rule(customer=st.sampled_from(CUSTOMERS))
    def pay(self, customer: str) -> None:
        cancel_letters(
            self.engine, {one: "paid" for one in self.planned if one.startswith(customer)}, "o2c", self.now
        )

    # ── workers ──

    def claims_of(self, worker: str, *, also_records: bool = False) -> None:
        said = {
            "carrier": "ses",
            "owner": worker,
            "now": self.now,
            "lease": LEASE,
            "contact_date": self.now.date(),
        }
        answered = [(one, outcome) for one, outcome in self.hands[worker] if outcome] if also_records else []
        taken = (
            record_and_claim(self.engine, answered, **said) if also_records else claim(self.engine, **said)
        )
        self.hands[worker] = [] if also_records else self.hands[worker]
        self.hands[worker] += [(one, None) for one in taken]
        for one in taken:
            content_hash = hashlib.sha256(one.letter.content).hexdigest()
            assert content_hash == self.planned[one.letter.letter_id]

    @rule(worker=st.sampled_from(WORKERS))
    def take(self, worker: str) -> None:
        self.claims_of(worker)

    @rule(worker=st.sampled_from(WORKERS), answer=st.sampled_from(sorted(ANSWERS)), looks=st.booleans())
    def post(self, worker: str, answer: str, looks: bool) -> None:
        """With or without the last look: a worker may freeze right after it."""
        for position, (one, outcome) in enumerate(self.hands[worker]):
            if outcome is None and (not looks or still_held(self.engine, [one])):
                letter = one.letter
                is_accepted, outcome = ANSWERS[answer]
                self.posts[letter.letter_id, one.attempt_number] += 1
                self.accepted[letter.letter_id] += is_accepted
                self.hands[worker][position] = (one, outcome)
                if is_accepted:
                    customer = letter.letter_id.partition("-")[0]
                    day = self.contact_date(letter.letter_id)
                    self.contacts.setdefault(customer, set()).add((day, letter.batch_id))

    @rule(worker=st.sampled_from(WORKERS))
    def note(self, worker: str) -> None:
        answered = [(one, outcome) for one, outcome in self.hands[worker] if outcome]
        record(self.engine, answered, self.now, max_attempts=3)
        self.hands[worker] = [(one, outcome) for one, outcome in self.hands[worker] if not outcome]

    @rule(worker=st.sampled_from(WORKERS))
    def note_and_take(self, worker: str) -> None:
        if all(outcome for _, outcome in self.hands[worker]):
            self.claims_of(worker, also_records=True)

    @rule(worker=st.sampled_from(WORKERS))
    def kill(self, worker: str) -> None:
        self.hands[worker] = []

    # ── time, events, people ──

    @rule(minutes=st.sampled_from([1, 2, 11, 24 * 60, 3 * 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def expire(self) -> None:
        expire_leases(self.engine, self.now)

    @precondition(lambda self: self.accepted.total())
    @rule(
        data=st.data(),
        kinds=st.lists(st.sampled_from(["send", "delivery", "bounce", "suppressed"]), min_size=1, max_size=3),
    )
    def hear(self, data: st.DataObject, kinds: list[str]) -> None:
        letter_id = data.draw(st.sampled_from(sorted(one for one, count in self.accepted.items() if count)))
        told = [
            DeliveryEvent(f"{letter_id}-{kind}", letter_id, "ses", kind, "m", None, self.now, "0" * 64)
            for kind in kinds
        ]
        record_events(self.engine, told, self.now)

    @rule()
    def presume(self) -> None:
        """Workers that had a letter for two days are known to be gone."""
        presume_not_sent(self.engine, self.now, timedelta(hours=48), self.now)
        for worker, held in self.hands.items():
            self.hands[worker] = [
                pair for pair in held if pair[0].lease_until > self.now - timedelta(hours=47)
            ]

    @rule()
    def lift(self) -> None:
        lift_pause(self.engine, "ses", "anna", self.now)

    # ── what must hold after each step ──

    def contact_date(self, letter_id: str) -> date:
        with self.engine.connect() as con:
            query = select(letters.c.contact_date).where(letters.c.letter_id == letter_id)
            return con.execute(query).scalar_one() or self.now.date()

    @invariant()
    def no_letter_is_accepted_twice(self) -> None:
        assert max(self.accepted.values(), default=0) <= 1
        assert max(self.posts.values(), default=0) <= 1

    @invariant()
    def what_was_accepted_is_not_forgotten_and_what_is_sent_was_accepted(self) -> None:
        for letter_id, state in states(self.engine).items():
            if self.accepted[letter_id]:
                assert state in CONTACT_STATES, f"{letter_id} was accepted and is {state}"
            else:
                assert state not in ("sent", "delivered", "bounced"), (
                    f"{letter_id} was not accepted and is {state}"
                )

    @invariant()
    def states_add_up_and_ends_are_final(self) -> None:
        found = states(self.engine)
        assert set(found) == set(self.planned)
        for letter_id, state in self.ended.items():
            assert found[letter_id] == state
        self.ended |= {one: state for one, state in found.items() if not TRANSITIONS[state]}

    @invariant()
    def nobody_hears_from_us_twice_within_quiet_days(self) -> None:
        for days in self.contacts.values():
            ordered = sorted(days)
            for (one, batch), (next_, other) in pairwise(ordered):
                assert batch == other or (next_ - one).days >= QUIET_DAYS

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        with self.engine.connect() as con:
            rows = [dict(row) for row in con.execute(select(audit).order_by(audit.c.sequence)).mappings()]
        self.engine.dispose()
        shutil.rmtree(self.folder)
        previous, at = FIRST_HASH, {}
        for row in rows:
            assert row["previous_hash"] == previous
            assert row["hash"] == row_hash(row)
            previous = row["hash"]
            if row["subject"].startswith("letter:"):
                before, after = row["before"], row["after"]
                assert before == at.get(row["subject"])
                assert before in (None, after) or after in TRANSITIONS[before]
                at[row["subject"]] = after


class Careless(PostOffice):
    """With a recovery that sends again what may have left."""

    @rule()
    def expire(self) -> None:
        expire_leases(self.engine, self.now, lambda _letter: False)


SETTINGS = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_order_of_events_makes_a_letter_leave_twice(empty: Path) -> None:
    PostOffice.empty = empty
    run_state_machine_as_test(PostOffice, settings=SETTINGS)


@pytest.mark.parametrize("office", [PostOffice, Careless], ids=["as it is", "sending again"])
def test_a_recovery_that_sends_again_would_be_found(office: type[PostOffice], empty: Path) -> None:
    office.empty = empty
    told = office()
    told.begin()
    told.plan("C1", 1, True)
    for worker in ("w1", "w2"):
        told.take(worker)
        told.post(worker, "accepted", True)
        told.wait(2)
        told.expire()
    if office is Careless:
        with pytest.raises(AssertionError):
            told.no_letter_is_accepted_twice()
    else:
        told.no_letter_is_accepted_twice()
        assert told.accepted.total() == 1
    told.teardown()
