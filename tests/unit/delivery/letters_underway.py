"""Letters in a ledger of their own, in any state that they may be in on their way."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from o2c.approvals import Item, Request
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.ledger import Ledger
from o2c.ledger.approving import submit
from o2c.ledger.outgoing import Claim, PlannedLetter, cancel_letters, claim, plan_letters, record
from o2c.ledger.tables import letters

DAY = date(2026, 9, 30)
NOON = datetime(2026, 9, 30, 12, tzinfo=UTC)
SENDER = "receivables@o2c.example"
LEASE = timedelta(minutes=2)

UNKNOWN = Outcome("unknown", error_class="ReadTimeoutError")
REFUSED = Outcome("refused", http_status=400, error_class="MessageRejected")
THROTTLED = Outcome("not_accepted", http_status=429, error_class="TooManyRequestsException")


def accepted(letter_id: str, number: int = 1) -> Outcome:
    return Outcome("accepted", message_id(letter_id, number), 200)


def message_id(letter_id: str, number: int = 1) -> str:
    return f"0100-{letter_id}-{number}"


def address_of(letter_id: str) -> str:
    return f"ap.{letter_id}@customer.example".lower()


def eml(
    letter_id: str, *, address: str | None = None, sender: str = SENDER, body: str = "Please pay."
) -> bytes:
    lines = [
        f"From: Receivables <{sender}>",
        f"To: Accounts payable <{address or address_of(letter_id)}>",
        "Subject: Reminder",
        f"X-O2C-Letter: {letter_id}",
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def outgoing(letter_id: str = "L1", content: bytes | None = None, **changes: Any) -> OutgoingLetter:
    """A claimed letter as a carrier gets it."""
    content = eml(letter_id) if content is None else content
    row = {
        "letter_id": letter_id,
        "batch_id": "2026-09-30-b",
        "level": 1,
        "channel": "email",
        "address": address_of(letter_id),
        "content": content,
        "message_hash": hashlib.sha256(content).hexdigest(),
    }
    return OutgoingLetter(**(row | changes))


def planned(letter_id: str, **changes: Any) -> PlannedLetter:
    content = eml(letter_id)
    row = {
        "letter_id": letter_id,
        "batch_id": "2026-09-30-b",
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
    } | changes
    return PlannedLetter(row, (), content)


def ledger_with(place: Path | str, *letter_ids: str) -> Engine:
    """A ledger (in a folder, or at a URL) with these letters, approved by the policy."""
    engine = Ledger(place if isinstance(place, str) else f"sqlite:///{place / 'ledger.db'}").engine
    approve(engine, *letter_ids)
    return engine


def approve(engine: Engine, *letter_ids: str, batch_id: str = "2026-09-30-b", at: datetime = NOON) -> None:
    if not letter_ids:
        return
    plan_letters(engine, [planned(letter_id, batch_id=batch_id) for letter_id in letter_ids], "o2c", at)
    items = tuple(
        Item(
            letter_id,
            "EUR",
            Decimal("100.00"),
            {
                "message_hash": hashlib.sha256(eml(letter_id)).hexdigest(),
                "address": address_of(letter_id),
            },
        )
        for letter_id in letter_ids
    )
    request = Request("letters", batch_id, DAY, items, 0, "within the policy", "o2c", 24)
    submit(engine, request, at, is_green=True)


def claim_all(engine: Engine, *letter_ids: str, now: datetime = NOON) -> list[Claim]:
    return claim(
        engine,
        carrier="ses",
        owner="worker",
        now=now,
        lease=LEASE,
        contact_date=now.date(),
        letter_ids=list(letter_ids),
        limit=len(letter_ids),
    )


def bring(engine: Engine, outcomes: dict[str, Outcome], now: datetime = NOON) -> None:
    """Claim letters and record what the carrier answered."""
    claims = claim_all(engine, *outcomes, now=now)
    assert [one.letter.letter_id for one in claims] == list(outcomes)
    record(engine, [(one, outcomes[one.letter.letter_id]) for one in claims], now)


def withdraw(engine: Engine, *letter_ids: str) -> None:
    cancel_letters(engine, dict.fromkeys(letter_ids, "paid"), "o2c", NOON)


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as con:
        rows = con.execute(select(letters.c.letter_id, letters.c.state).order_by(letters.c.letter_id))
        return {row.letter_id: row.state for row in rows}
