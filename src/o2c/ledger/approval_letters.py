"""Letters of lists: bound to the list that they are approved by, let go, cancelled. In the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select, update

from o2c.approvals import POLICY, ApprovalRefused, Request
from o2c.ledger.auditing import Change, append
from o2c.ledger.moving import CHUNK
from o2c.ledger.states import FIRST_STATES
from o2c.ledger.tables import letters


def left_first_states(con: Connection, request: Request) -> set[str]:
    """Letters of the list that nobody can be asked about any more: approved, gone, or not there.

    Raises:
        ApprovalRefused: the ledger has one with another message or address than the list.
    """
    there = {}
    for ids in chunks([item.item_id for item in request.items]):
        columns = (letters.c.letter_id, letters.c.state, letters.c.message_hash, letters.c.address)
        for row in con.execute(select(*columns).where(letters.c.letter_id.in_(ids))):
            there[row.letter_id] = row
    gone, wrong = set(), []
    for item in request.items:
        row = there.get(item.item_id)
        if row is None or row.state not in FIRST_STATES:
            gone.add(item.item_id)
        elif (row.message_hash, row.address) != (item.facts["message_hash"], item.facts["address"]):
            wrong.append(item.item_id)
    if wrong:
        raise ApprovalRefused(
            f"letters of {request.batch_id}: {len(wrong)} stand in the ledger with another message or address than in"
            f" the list, such as {sorted(wrong)[0]}. Nothing was asked for; plan them again first."
        )
    return gone


def cancel_letters(
    con: Connection,
    condition: ColumnElement[bool],
    reason: str,
    actor: str,
    now: datetime,
    *,
    except_letters: Collection[str] = (),
) -> list[str]:
    """Cancel letters that meet a condition; it must let through only states from which that can be. Returns ids."""
    query = select(letters.c.letter_id, letters.c.state).where(condition).order_by(letters.c.letter_id)
    rows = [row for row in con.execute(query) if row.letter_id not in except_letters]
    for some in chunks([row.letter_id for row in rows]):
        con.execute(
            update(letters)
            .where(letters.c.letter_id.in_(some))
            .values(state="cancelled", state_reason=reason, state_changed_at=now)
        )
    changes = [
        Change(actor, "cancel", f"letter:{row.letter_id}", row.state, "cancelled", reason) for row in rows
    ]
    append(con, changes, now)
    return [row.letter_id for row in rows]


def tie_letters(
    con: Connection, letter_ids: Iterable[str], request_id: str, state: str, now: datetime
) -> None:
    """Bind letters to the list that they are approved by; they wait, or may leave where the policy approved them."""
    changes = []
    for some in chunks(sorted(letter_ids)):
        is_first = and_(letters.c.letter_id.in_(some), letters.c.state.in_(FIRST_STATES))
        before = con.execute(
            select(letters.c.letter_id, letters.c.state, letters.c.request_id).where(is_first)
        ).all()
        con.execute(
            update(letters)
            .where(is_first)
            .values(request_id=request_id, state=state, state_reason=None, state_changed_at=now)
        )
        actor = POLICY if state == "approved" else "o2c"
        changes += [
            Change(actor, state, f"letter:{row.letter_id}", row.state, state, request_id)
            for row in sorted(before)
            if (row.state, row.request_id) != (state, request_id)
        ]
    append(con, changes, now)


def release_letters(con: Connection, request_id: str, actor: str, now: datetime) -> None:
    """Letters of an approved list may leave."""
    is_theirs = and_(letters.c.request_id == request_id, letters.c.state == "approval_pending")
    ids = (
        con.execute(select(letters.c.letter_id).where(is_theirs).order_by(letters.c.letter_id))
        .scalars()
        .all()
    )
    con.execute(
        update(letters).where(is_theirs).values(state="approved", state_reason=None, state_changed_at=now)
    )
    changes = [
        Change(actor, "approved", f"letter:{one}", "approval_pending", "approved", request_id) for one in ids
    ]
    append(con, changes, now)


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """So many at a time as a statement takes."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
