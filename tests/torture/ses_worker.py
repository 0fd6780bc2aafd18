"""A worker of the post office to be killed and frozen: the real carrier, the real ledger, a clock that runs fast.

Imported once by the server that workers are forked from, so that starting one takes milliseconds.
"""

import os
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from post_office import NOON, POLICY, SENDER, eml, relaxed
from sqlalchemy import Engine

from o2c.delivery.carrier import Carrier, Outcome, OutgoingLetter
from o2c.delivery.limits import AccountLimits
from o2c.delivery.post import Edge, deliver
from o2c.delivery.ses import SesCarrier, ses_client
from o2c.ledger import Ledger
from o2c.ledger.outgoing import claim, expire_leases, record, waiting_letters

START = NOON
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
SESSION = boto3.Session()
REGION = "eu-central-1"
# boto3 reads megabytes of service models with the first client of a session
SESSION.client("sesv2", region_name=REGION, endpoint_url="http://127.0.0.1:9", **KEYS)


@dataclass(frozen=True)
class Orders:
    """What a worker is told. Its clock shows ``START`` at ``started`` and is ``speed`` times as fast as the wall's."""

    ledger_url: str
    ses_url: str
    started: float
    speed: int
    timeout: float  # of a request, in seconds on the wall; the lease is eight times as long
    done: Path
    rate: float | None  # messages a second that the account allows by its clock; None: one letter at a time

    def clock(self) -> datetime:
        return START + timedelta(seconds=(time.time() - self.started) * self.speed)

    @property
    def lease(self) -> float:
        """Seconds on the wall."""
        return 8 * self.timeout

    def carrier(self) -> Carrier:
        client = ses_client(
            REGION, timedelta(seconds=self.timeout), SESSION, endpoint_url=self.ses_url, **KEYS
        )
        return SesCarrier(client, sender_address=SENDER, configuration_set=None)

    def edge(self) -> Edge:
        return Edge(
            clock=self.clock,
            day_of=lambda _instant: date(2026, 3, 12),
            last_day_of=lambda day: day + timedelta(days=1),
            stop=lambda: "done" if self.done.exists() else None,
            monotonic=lambda: time.monotonic() * self.speed,
        )


def careful(orders: Orders) -> None:
    """The post office as it is: rounds until somebody says stop."""
    ledger = Ledger(orders.ledger_url)
    policy = relaxed(
        lease_seconds=orders.lease * orders.speed,
        request_timeout_seconds=orders.timeout * orders.speed,
        max_attempts=50,
        caps=POLICY.caps.model_copy(update={"messages_per_domain": 10**6}),
    )
    carrier = orders.carrier()
    account = AccountLimits(orders.rate, -1, 0) if orders.rate else None
    while not orders.done.exists():
        owner = f"worker-{os.getpid()}"
        deliver(ledger.engine, carrier, policy, orders.edge(), owner=owner, account=account)
        time.sleep(0.05)


def naive(orders: Orders) -> None:
    """The textbook outbox: post, record, and try again whatever is not recorded as sent."""
    ledger = Ledger(orders.ledger_url)
    carrier = orders.carrier()
    while not orders.done.exists():
        # killed between the two writes of record_as_sent, the letter would be on its way for ever
        expire_leases(ledger.engine, orders.clock())
        for letter in (textbook_letter(row) for row in waiting_letters(ledger.engine, orders.clock())):
            if not orders.done.exists() and carrier.send(letter).kind == "accepted":
                record_as_sent(ledger.engine, letter.letter_id, orders)
        time.sleep(0.05)


def textbook_letter(row: dict[str, Any]) -> OutgoingLetter:
    content = eml(row["letter_id"])
    names = ("letter_id", "batch_id", "level", "channel", "address")
    return OutgoingLetter(*(row[name] for name in names), content, row["message_hash"])


def record_as_sent(engine: Engine, letter_id: str, orders: Orders) -> None:
    """After the post, not before it."""
    claims = claim(
        engine,
        carrier="ses",
        owner="naive",
        now=orders.clock(),
        lease=timedelta(seconds=orders.lease * orders.speed),
        contact_date=START.date(),
        letter_ids=[letter_id],
    )
    record(engine, [(one, Outcome("accepted")) for one in claims], orders.clock())
