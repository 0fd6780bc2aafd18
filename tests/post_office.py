"""Approved letters in a ledger, and carriers that do as they are told: for tests of what leaves."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, select

from o2c.approvals import Item, Request
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.post import Edge
from o2c.ledger.approving import submit
from o2c.ledger.outgoing import PlannedLetter, plan_letters
from o2c.ledger.tables import letters
from o2c.policy import load_policies
from o2c.policy.controls import Delivery
from o2c.settings import PROJECT

DAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
BATCH = "2026-03-12-b"
SENDER = "ar@o2c.example"
POLICY: Delivery = load_policies(PROJECT / "policies").controls.delivery
ACCEPTED = Outcome("accepted", carrier_message_id="m-1", http_status=200)
THROTTLED = Outcome("not_accepted", http_status=429, error_class="TooManyRequestsException")
REFUSED = Outcome("refused", http_status=400, error_class="MessageRejected")
UNKNOWN = Outcome("unknown", error_class="ReadTimeoutError")
SUSPENDED = Outcome("paused", http_status=400, error_class="AccountSuspendedException", pause="suspended")
QUOTA = Outcome("paused", http_status=429, pause="daily_quota", pause_for=timedelta(days=1))


def eml(letter_id: str) -> bytes:
    head = f"From: AR <{SENDER}>\r\nTo: AP <{address_of(letter_id)}>\r\nSubject: Reminder"
    return f"{head}\r\nX-O2C-Letter: {letter_id}\r\n\r\nPlease pay.\r\n".encode()


def address_of(letter_id: str) -> str:
    return f"ap@{letter_id.lower()}.example"


def planned(letter_id: str, **changes: Any) -> PlannedLetter:
    """A rendered letter to a customer of its own, unless a test says otherwise."""
    content = changes.pop("content", eml(letter_id))
    row = {
        "letter_id": letter_id,
        "batch_id": BATCH,
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": f"C-{letter_id}",
        "currency_code": "EUR",
        "episode": 1,
        "level": 1,
        "occasion": "",
        "try_number": 1,
        "stage": "first_contact",
        "channel": "email",
        "language_code": "en",
        "address": address_of(letter_id),
        "total_amount": "100.0000",
        "state": "rendered",
        "message_hash": hashlib.sha256(content).hexdigest(),
        "decided_as_of_date": DAY,
        "quiet_days": 6,
    } | changes
    return PlannedLetter(row, (), content)


def approve(
    engine: Engine, some: Iterable[PlannedLetter], now: datetime = NOON, hours: int = 24
) -> list[str]:
    """Write letters down and approve them by the policy, one list per batch. Returns their ids."""
    some = list(some)
    plan_letters(engine, some, "o2c", now)
    for batch_id in sorted({one.row["batch_id"] for one in some}):
        rows = [one.row for one in some if one.row["batch_id"] == batch_id]
        items = tuple(
            Item(
                row["letter_id"],
                row["currency_code"],
                Decimal(row["total_amount"]),
                {"message_hash": row["message_hash"], "address": row["address"]},
            )
            for row in rows
        )
        as_of = rows[0]["decided_as_of_date"]
        request = Request("letters", batch_id, as_of, items, 0, "within the policy", "o2c", hours)
        submit(engine, request, now, is_green=True)
    return [one.row["letter_id"] for one in some]


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as con:
        query = select(letters.c.letter_id, letters.c.state).order_by(letters.c.letter_id)
        return {row.letter_id: row.state for row in con.execute(query)}


def row_of(engine: Engine, letter_id: str, *columns: str) -> tuple[Any, ...]:
    with engine.connect() as con:
        query = select(*(letters.c[name] for name in columns)).where(letters.c.letter_id == letter_id)
        return tuple(con.execute(query).one())


@dataclass
class Clock:
    """Time that stands still unless somebody moves it; sleeping moves it."""

    now: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def edge(self, **changes: Any) -> Edge:
        said: dict[str, Any] = {
            "clock": self,
            "day_of": lambda instant: instant.date(),
            "last_day_of": lambda day: day + timedelta(days=1),
            "stop": lambda: None,
            "monotonic": self.monotonic,
            "sleep": self.sleep,
        }
        return Edge(**(said | changes))


@dataclass
class Postbox:
    """A carrier that keeps what it is given and answers as told, letter by letter; otherwise it accepts."""

    answers: dict[str, Sequence[Outcome]] = field(default_factory=dict)
    reaches_people: bool = True
    reports_delivery: bool = False
    name: str = "postbox"
    taken: list[OutgoingLetter] = field(default_factory=list)
    before: Callable[[OutgoingLetter], None] = lambda _letter: None

    def send(self, letter: OutgoingLetter) -> Outcome:
        self.before(letter)
        number = Counter(one.letter_id for one in self.taken)[letter.letter_id]
        self.taken.append(letter)
        said = self.answers.get(letter.letter_id, (Outcome("accepted", f"m-{letter.letter_id}", 200),))
        return said[min(number, len(said) - 1)]

    def has(self, letter: OutgoingLetter) -> bool | None:
        return None

    @property
    def ids(self) -> list[str]:
        return [letter.letter_id for letter in self.taken]


def relaxed(**changes: Any) -> Delivery:
    """The policy without canary and breakers, so that a test sees one rule at a time."""
    free = {
        "canary": POLICY.canary.model_copy(update={"size": 0}),
        "breakers": POLICY.breakers.model_copy(
            update={"unknown_in_a_row": 10**6, "unknown_ratio": Decimal(1), "complaint_ratio": Decimal(1)}
        ),
    }
    return POLICY.model_copy(update=free | changes)
