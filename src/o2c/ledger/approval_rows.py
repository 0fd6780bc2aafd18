"""Rows of lists that wait for approval: found, written, ended. Each function runs in its caller's transaction."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from o2c.approvals import (
    POLICY,
    Ballot,
    Given,
    Pending,
    Request,
    amount_text,
    hash_of,
    read_items,
)
from o2c.ledger.approval_letters import cancel_letters, chunks, left_first_states
from o2c.ledger.auditing import Change, append
from o2c.ledger.moving import utc
from o2c.ledger.states import FIRST_STATES
from o2c.ledger.tables import approval_items, approvals, letters, order_holds, placements
from o2c.ledger.tables import approval_requests as requests


def find(con: Connection, condition: ColumnElement[bool]) -> list[Pending]:
    """Lists that meet a condition with what was said to them, the oldest first."""
    columns = [column for column in requests.columns if column.name != "content"]
    rows = con.execute(
        select(*columns).where(condition).order_by(requests.c.prepared_at, requests.c.request_id)
    ).all()
    said = given(con, [row.request_id for row in rows])
    return [
        Pending(
            **{
                name: getattr(row, name)
                for name in Pending.__dataclass_fields__
                if name
                not in (
                    "amounts",
                    "largest_amounts",
                    "prepared_at",
                    "expires_at",
                    "carried_out_at",
                    "approvals",
                )
            },
            amounts=_amounts(row.amounts),
            largest_amounts=_amounts(row.largest_amounts),
            prepared_at=utc(row.prepared_at),
            expires_at=utc(row.expires_at),
            carried_out_at=row.carried_out_at and utc(row.carried_out_at),
            approvals=said.get(row.request_id, ()),
        )
        for row in rows
    ]


def given(con: Connection, request_ids: Sequence[str]) -> dict[str, tuple[Given, ...]]:
    """What was said, by list, in the order in which it was said."""
    found: dict[str, tuple[Given, ...]] = {}
    for ids in chunks(request_ids):
        query = select(approvals).where(approvals.c.request_id.in_(ids))
        for row in con.execute(query.order_by(approvals.c.approved_at, approvals.c.approver)):
            one = Given(row.approver, row.role, row.verdict, utc(row.approved_at), row.signature, row.comment)
            found[row.request_id] = (*found.get(row.request_id, ()), one)
    return found


def same(con: Connection, request: Request, now: datetime) -> Pending | None:
    """The list with exactly this content that waits or was approved and is alive, or was answered in this batch."""
    is_alive = and_(requests.c.state.in_(("waiting", "approved")), requests.c.expires_at > now)
    is_answered = and_(
        requests.c.batch_id == request.batch_id,
        or_(
            requests.c.state == "rejected",
            and_(requests.c.state == "approved", requests.c.carried_out_at.is_not(None)),
        ),
    )
    found = find(
        con,
        and_(
            requests.c.kind == request.kind,
            requests.c.content_hash == request.content_hash,
            or_(is_alive, is_answered),
        ),
    )
    return found[-1] if found else None


def without_underway(con: Connection, request: Request, now: datetime) -> tuple[Request, tuple[str, ...]]:
    """The list without what another list was approved for already, and what was left out.

    Raises:
        ApprovalRefused: the ledger has a letter with another message or address than the list.
    """
    ids = [item.item_id for item in request.items]
    gone = left_first_states(con, request) if request.kind == "letters" else _underway(con, request, now)
    gone &= set(ids)
    kept = tuple(item for item in request.items if item.item_id not in gone)
    return replace(request, items=kept), tuple(sorted(gone))


def _underway(con: Connection, request: Request, now: datetime) -> set[str]:
    """Things of approved lists that are not carried out yet, or are done."""
    alive = and_(
        requests.c.kind == request.kind,
        requests.c.state == "approved",
        or_(
            and_(requests.c.carried_out_at.is_(None), requests.c.expires_at > now),
            # a write-off is done by the next run, which may be later
            requests.c.kind == "write_offs",
        ),
    )
    gone = {
        row["item_id"]
        for content in con.execute(select(requests.c.content).where(alive)).scalars()
        for row in read_items(content)
    }
    if request.kind == "referrals":
        placed = select(placements.c.invoice_id, placements.c.installment_number).where(
            placements.c.recalled_date.is_(None)
        )
        there = set(con.execute(placed).tuples())
        gone |= {
            item.item_id
            for item in request.items
            if (item.facts["invoice_id"], item.facts["installment_number"]) in there
        }
    if request.kind == "holds":
        done = con.execute(
            select(order_holds.c.order_id, order_holds.c.action, order_holds.c.decided_as_of_date)
        )
        there = {(row.order_id, row.action, row.decided_as_of_date.isoformat()) for row in done}
        names = ("order_id", "action", "decided_as_of_date")
        gone |= {item.item_id for item in request.items if tuple(item.facts[name] for name in names) in there}
    return gone


def supersede_overlapping(con: Connection, request: Request, now: datetime) -> tuple[str, ...]:
    """End lists that nobody decided on and that this one takes the place of."""
    query = select(
        requests.c.request_id,
        requests.c.batch_id,
        requests.c.required_approval_count,
        requests.c.reason,
        requests.c.content,
    ).where(requests.c.kind == request.kind, requests.c.state == "waiting")
    ids = {item.item_id for item in request.items}
    group = (request.batch_id, request.required_approval_count, request.reason)
    gone = [
        row.request_id
        for row in con.execute(query.order_by(requests.c.request_id))
        if (row.batch_id, row.required_approval_count, row.reason) == group
        or any(item["item_id"] in ids for item in read_items(row.content))
    ]
    end(con, gone, "superseded", "a newer list", now, except_letters=ids)
    return tuple(gone)


def free_id(con: Connection, request: Request) -> str:
    """The id of a new list: kind, date, and a digest of its content; numbered where the same was there before.

    The digest is not the hash that people approve: who knows the id alone has not seen the list.
    """
    kind = request.kind.replace("_", "-")
    digest = hash_of(f"request {request.content_hash}")[:10]
    stem = f"{kind}-{request.as_of_date:%Y%m%d}-{digest}"
    query = select(func.count()).where(
        or_(requests.c.request_id == stem, requests.c.request_id.like(f"{stem}-%"))
    )
    count = con.execute(query).scalar_one()
    return f"{stem}-{count + 1}" if count else stem


def insert_request(con: Connection, request: Request, request_id: str, now: datetime) -> None:
    con.execute(
        insert(requests).values(
            request_id=request_id,
            kind=request.kind,
            batch_id=request.batch_id,
            as_of_date=request.as_of_date,
            content_hash=request.content_hash,
            item_count=len(request.items),
            amounts=_text(request.amounts()),
            largest_amounts=_text(request.largest_amounts()),
            content=request.content,
            required_approval_count=request.required_approval_count,
            reason=request.reason,
            state="waiting",
            prepared_by=request.preparer,
            prepared_at=now,
            expires_at=now + timedelta(hours=request.expiry_hours),
        )
    )
    if request.kind == "letters":
        names = ("message_hash", "address")
        listed = [
            {"request_id": request_id, "item_id": item.item_id} | {name: item.facts[name] for name in names}
            for item in request.items
        ]
        con.execute(insert(approval_items), listed)
    asked = Change(
        request.preparer,
        "ask for approval",
        f"request:{request_id}",
        None,
        "waiting",
        request.reason,
    )
    append(con, [asked], now)


def record(con: Connection, pending: Pending, ballot: Ballot, at: datetime, now: datetime) -> None:
    """Write down what a person said, and that it was said."""
    con.execute(
        insert(approvals).values(
            request_id=pending.request_id,
            approver=ballot.approver,
            content_hash=pending.content_hash,
            prepared_by=pending.prepared_by,
            role=ballot.role,
            verdict=ballot.verdict,
            comment=ballot.comment,
            signature=ballot.signed.signature if ballot.signed else None,
            approved_at=at,
            expires_at=pending.expires_at,
        )
    )
    how = "signed" if ballot.signed else "unsigned"
    said = f"{how}, as {ballot.role}" + (f": {ballot.comment}" if ballot.comment else "")
    append(
        con,
        [
            Change(
                ballot.approver,
                ballot.verdict,
                f"request:{pending.request_id}",
                None,
                pending.content_hash,
                said,
            )
        ],
        now,
    )


def approve_by_policy(con: Connection, request: Request, request_id: str, now: datetime) -> None:
    """The policy says yes where it asks for nobody."""
    con.execute(
        insert(approvals).values(
            request_id=request_id,
            approver=POLICY,
            content_hash=request.content_hash,
            prepared_by=request.preparer,
            role=POLICY,
            verdict="approve",
            approved_at=now,
            expires_at=now + timedelta(hours=request.expiry_hours),
        )
    )
    set_state(con, [request_id], "approved", request.reason, POLICY, now)


def set_state(
    con: Connection, request_ids: Iterable[str], state: str, reason: str, actor: str, now: datetime
) -> None:
    """Move lists that wait to a later state."""
    ids = list(request_ids)
    for some in chunks(ids):
        con.execute(
            update(requests)
            .where(requests.c.request_id.in_(some), requests.c.state == "waiting")
            .values(state=state)
        )
    append(con, [Change(actor, state, f"request:{one}", "waiting", state, reason) for one in ids], now)


def end(
    con: Connection,
    request_ids: Sequence[str],
    state: str,
    reason: str,
    now: datetime,
    *,
    actor: str = "o2c",
    except_letters: Collection[str] = (),
) -> None:
    """End lists that wait, and cancel their letters but for those that a newer list has."""
    if not request_ids:
        return
    set_state(con, request_ids, state, reason, actor, now)
    is_theirs = and_(letters.c.request_id.in_(list(request_ids)), letters.c.state.in_(FIRST_STATES))
    cancel_letters(con, is_theirs, f"approval_{state}", actor, now, except_letters=except_letters)


def mark_carried_out(con: Connection, request_id: str, detail: str, now: datetime) -> None:
    """Note, in the transaction that records its effects, that an approved list was carried out."""
    con.execute(
        update(requests)
        .where(requests.c.request_id == request_id, requests.c.carried_out_at.is_(None))
        .values(carried_out_at=now)
    )
    append(con, [Change("o2c", "carry out", f"request:{request_id}", "approved", "approved", detail)], now)


def _amounts(text: str) -> dict[str, Decimal]:
    return {code: Decimal(amount) for code, amount in json.loads(text).items()}


def _text(amounts: dict[str, Decimal]) -> str:
    return json.dumps({code: amount_text(amount, code) for code, amount in amounts.items()}, sort_keys=True)
