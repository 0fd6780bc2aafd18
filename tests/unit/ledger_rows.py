"""Letters as the ledger takes them, led by legal steps to where a test needs them: only what it is about is said."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from o2c.approvals import Item, Request, amount_text
from o2c.ledger import tables
from o2c.ledger.auditing import Change, append
from o2c.ledger.states import TRANSITIONS

DAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=2)
# How each state is come to, from a letter that was just rendered.
WAYS: dict[str, tuple[str, ...]] = {
    "rendered": (),
    "approval_pending": ("approval_pending",),
    "approved": ("approved",),
    "cancelled": ("cancelled",),
    "sending": ("approved", "sending"),
    "refused": ("approved", "sending", "refused"),
    "unknown": ("approved", "sending", "unknown"),
    "presumed_not_sent": ("approved", "sending", "unknown", "presumed_not_sent"),
    "sent": ("approved", "sending", "sent"),
    "delivered": ("approved", "sending", "sent", "delivered"),
    "not_delivered": ("approved", "sending", "sent", "not_delivered"),
    "bounced": ("approved", "sending", "sent", "bounced"),
    "complained": ("approved", "sending", "sent", "complained"),
}
OUTCOMES = {"sent": "accepted", "unknown": "unknown", "refused": "refused", "approved": "not_accepted"}


@dataclass(frozen=True)
class RenderedLetter:
    """A letter's row, lines and message, before it is written down."""

    row: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    content: bytes


def line(letter_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "letter_id": letter_id,
        "line_number": number,
        "invoice_id": f"INV-{number}",
        "installment_number": 1,
        "invoice_number": f"2026/{number}",
        "po_number": None,
        "currency_code": "EUR",
        "occasion": None,
        "invoice_amount": "100.0000",
        "disputed_amount": "0.0000",
        "amount": "100.0000",
        "days_past_due": 12,
        "invoice_date": date(2026, 1, 30),
        "due_date": date(2026, 2, 28),
    } | changes


def letter(letter_id: str = "a", *, lines: int = 1, **changes: Any) -> RenderedLetter:
    """A letter to customer ``C-<letter_id>``, so that two ids are two identities unless a test says otherwise."""
    content = f"To: {letter_id}@acme.example\n\nplease pay {lines} invoices".encode()
    row = {
        "letter_id": letter_id,
        "batch_id": "2026-03-12-b",
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
        "address": f"{letter_id}@acme.example",
        "total_amount": str(100 * lines) + ".0000",
        "state": "rendered",
        "message_hash": hashlib.sha256(content).hexdigest(),
        "decided_as_of_date": DAY,
        "quiet_days": 6,
    } | changes
    return RenderedLetter(row, tuple(line(letter_id, number) for number in range(1, lines + 1)), content)


def put(engine: Engine, *letters: RenderedLetter) -> None:
    """Write letters down as they are; one whose ``state`` is a later one is led there, a minute for each step."""
    with engine.begin() as con:
        for one in letters:
            first = one.row["state"] if one.row["state"] == "approval_pending" else "rendered"
            row = {name: value for name, value in one.row.items() if name != "sent_at"} | {"state": first}
            con.execute(insert(tables.letters), row | {"state_changed_at": NOON})
            message = {"letter_id": row["letter_id"], "content": zlib.compress(one.content)}
            con.execute(insert(tables.letter_messages), message)
            if one.lines:
                con.execute(insert(tables.letter_lines), list(one.lines))
            append(con, [Change("test", "plan", f"letter:{row['letter_id']}", None, first)], NOON)
    for one in letters:
        lead(engine, one.row["letter_id"], one.row["state"], sent_at=one.row.get("sent_at"))


def lead(
    engine: Engine, letter_id: str, state: str, *, now: datetime = NOON, sent_at: datetime | None = None
) -> None:
    """Take a letter to a state, with the request, attempt and audit rows that belong to each step."""
    with engine.begin() as con:
        there = con.execute(
            select(tables.letters.c.state).where(tables.letters.c.letter_id == letter_id)
        ).scalar_one()
        way = WAYS[state]
        if there in way:
            way = way[way.index(there) + 1 :]
        for after in way:
            if after not in TRANSITIONS[there]:
                continue
            step(con, letter_id, there, after, now=now, sent_at=sent_at)
            there = after


def step(
    con: Connection,
    letter_id: str,
    before: str,
    after: str,
    *,
    now: datetime,
    sent_at: datetime | None = None,
) -> None:
    """One legal step."""
    table = tables.letters
    row = con.execute(select(table).where(table.c.letter_id == letter_id)).one()
    values: dict[str, Any] = {"state": after, "state_changed_at": now, "owner": None, "lease_until": None}
    if after == "approved" and before != "sending":
        values["request_id"] = approve(con, [letter_id], now=now)
    if after == "sending":
        values |= {"owner": "worker", "lease_until": now + LEASE, "carrier": "folder"}
        values |= {"contact_date": row.decided_as_of_date, "attempt_count": row.attempt_count + 1}
    if after in ("sent", "delivered", "not_delivered", "bounced", "complained") and row.sent_at is None:
        values["sent_at"] = sent_at or now
    if before == "sending" and after in OUTCOMES:
        end_attempt(con, letter_id, OUTCOMES[after], now=now)
    con.execute(update(table).where(table.c.letter_id == letter_id).values(**values))
    if after == "sending":
        attempt = {"letter_id": letter_id, "attempt_number": row.attempt_count + 1, "carrier": "folder"}
        attempt |= {"owner": "worker", "started_at": now, "lease_until": now + LEASE}
        con.execute(insert(tables.attempts), attempt)
    append(con, [Change("test", "step", f"letter:{letter_id}", before, after)], now)


def end_attempt(con: Connection, letter_id: str, outcome: str, *, now: datetime) -> None:
    con.execute(
        update(tables.attempts)
        .where(tables.attempts.c.letter_id == letter_id, tables.attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome)
    )


def ask(
    con: Connection,
    letter_ids: Sequence[str],
    *,
    request_id: str | None = None,
    now: datetime = NOON,
    **changes: Any,
) -> str:
    """Ask for the approval of letters. Returns the list's id."""
    request_id = request_id or "R-" + "-".join(letter_ids)
    table = tables.letters
    found = con.execute(select(table).where(table.c.letter_id.in_(letter_ids)).order_by(table.c.letter_id))
    items = tuple(
        Item(
            row.letter_id,
            row.currency_code,
            Decimal(row.total_amount),
            {"message_hash": row.message_hash, "address": row.address},
        )
        for row in found
    )
    kind, required = changes.pop("kind", "letters"), changes.pop("required_approval_count", 1)
    listed = Request(kind, "2026-03-12-b", DAY, items, required, "a test", "robot", 24)
    request = {
        "request_id": request_id,
        "kind": kind,
        "batch_id": listed.batch_id,
        "as_of_date": DAY,
        "content_hash": listed.content_hash,
        "item_count": len(items),
        "amounts": _texts(listed.amounts()),
        "largest_amounts": _texts(listed.largest_amounts()),
        "content": listed.content,
        "required_approval_count": required,
        "reason": "a test",
        "state": "waiting",
        "prepared_by": "robot",
        "prepared_at": now - HOUR,
        "expires_at": now + 23 * HOUR,
    } | changes
    con.execute(insert(tables.approval_requests), request)
    if items:
        rows = [{"request_id": request_id, "item_id": item.item_id} | dict(item.facts) for item in items]
        con.execute(insert(tables.approval_items), rows)
    append(con, [Change("robot", "ask", f"request:{request_id}", None, "waiting")], now)
    return request_id


def _texts(amounts: Mapping[str, Decimal]) -> str:
    return json.dumps({code: amount_text(amount, code) for code, amount in amounts.items()})


def say(con: Connection, request_id: str, approver: str, verdict: str = "approve", **changes: Any) -> None:
    """One person's yes or no."""
    table = tables.approval_requests
    row = con.execute(select(table).where(table.c.request_id == request_id)).one()
    said = {
        "request_id": request_id,
        "approver": approver,
        "content_hash": row.content_hash,
        "prepared_by": row.prepared_by,
        "role": "lead",
        "verdict": verdict,
        "approved_at": row.prepared_at,
        "expires_at": row.expires_at,
    } | changes
    con.execute(insert(tables.approvals), said)


def approve(con: Connection, letter_ids: Sequence[str], *, now: datetime = NOON, **changes: Any) -> str:
    """A list of letters that one person approved. Returns its id."""
    request_id = ask(con, letter_ids, now=now, **changes)
    say(con, request_id, "anna")
    table = tables.approval_requests
    con.execute(update(table).where(table.c.request_id == request_id).values(state="approved"))
    append(con, [Change("anna", "approve", f"request:{request_id}", "waiting", "approved")], now)
    return request_id
