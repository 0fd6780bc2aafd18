"""Lists for people, the people who may approve them, and their keys: only what a test is about is said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Engine

from o2c.approval_signatures import Signed, sign
from o2c.approvals import Ballot, Item, Request, signed_text
from o2c.ledger.approving import Decided, decide, read_request, submit
from o2c.policy.controls import Approvals, Approver, Role

DAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def key_of(name: str) -> Ed25519PrivateKey:
    """The same key for the same name, so that a test can be run again."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")[:32])


def public_line(name: str) -> str:
    public = key_of(name).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{public.decode()} {name}@laptop"


def private_file(name: str) -> bytes:
    return key_of(name).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def role(name: str, kinds: tuple[str, ...], largest: str, total: str, **by_currency: str) -> Role:
    return Role.model_validate(
        {
            "role": name,
            "kinds": kinds,
            "largest_amount": {"default": largest, "by_currency": by_currency},
            "total_amount": {"default": total},
        }
    )


# Anna leads collections up to 1,000.00 a thing and 5,000.00 a list; Bert, Carl and Dora direct finance. Dora signs.
POLICY = Approvals(
    expiry_hours=24,
    write_off_limit={"default": "250.00"},
    write_off_approval_count=2,
    roles=(
        role("lead", ("letters", "holds"), "1000.00", "5000.00", JPY="100000"),
        role("director", ("letters", "holds", "referrals", "write_offs"), "100000.00", "900000.00"),
    ),
    approvers=(
        Approver(person="anna", roles=("lead",)),
        Approver(person="bert", roles=("director", "lead")),
        Approver(person="carl", roles=("director",)),
        Approver(person="dora", roles=("director",), public_key=public_line("dora")),
        Approver(person="erik", roles=("director",), public_key="ssh-ed25519 AAAAbroken erik"),
    ),
)


def item(item_id: str = "ORD-1", amount: str = "100.00", currency_code: str = "EUR", **facts: Any) -> Item:
    order = {"order_id": item_id, "action": "hold", "customer_id": "C1", "reason": "over the limit"}
    return Item(
        f"{item_id}|hold",
        currency_code,
        Decimal(amount),
        order | {"decided_as_of_date": "2026-03-12"} | facts,
    )


def request(*items: Item, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "kind": "holds",
        "batch_id": "2026-03-12-b",
        "as_of_date": DAY,
        "items": items or (item(),),
        "required_approval_count": 2,
        "reason": "orders to hold",
        "prepared_by": "Olga Operator",
        "expiry_hours": 24,
    }
    return Request(**values | changes)


def ask(engine: Engine, *items: Item, now: datetime = NOON, is_green: bool = True, **changes: Any) -> str:
    """Ask for a list. Returns its id."""
    submitted = submit(engine, request(*items, **changes), now, is_green=is_green)
    assert submitted.request_id is not None
    return submitted.request_id


def signed(
    request_id: str,
    content_hash: str,
    by: str,
    as_role: str = "director",
    verdict: str = "approve",
    at: datetime = NOON,
    key: str | None = None,
) -> Signed:
    """A signature of ``by`` (with the key of ``key``) over these values."""
    text = signed_text(Ballot(request_id, content_hash, by, as_role, verdict), request_id, content_hash, at)
    return Signed(sign(text, key_of(key or by)), at)


def say(
    engine: Engine,
    request_id: str,
    by: str,
    as_role: str = "director",
    *,
    verdict: str = "approve",
    now: datetime = NOON,
    policy: Approvals = POLICY,
    **changes: Any,
) -> Decided:
    """Say yes or no to a list, with the hash that it has."""
    pending = read_request(engine, request_id)
    content_hash = pending.content_hash if pending else "0" * 64
    return decide(
        engine,
        request_id,
        **{
            "content_hash": content_hash[:12],
            "approver": by,
            "role": as_role,
            "verdict": verdict,
            "policy": policy,
            "now": now,
        }
        | changes,
    )
