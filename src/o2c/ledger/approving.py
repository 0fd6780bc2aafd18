"""Lists that wait for people, in the ledger: asked for, answered, expired, each in one short transaction.

A list is bound to its content by a hash. A list that is decided anew takes the place of one that nobody decided on;
what was said to that one does not count for the new one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from o2c.approval_rules import faults_of
from o2c.approval_signatures import SignatureRefused, Signed, check_signature
from o2c.approvals import (
    ApprovalRefused,
    Ballot,
    Pending,
    Request,
    approval_text,
    content_faults,
    is_enough,
)
from o2c.ledger import approval_rows as rows
from o2c.ledger.approval_letters import cancel_letters, release_letters, tie_letters
from o2c.ledger.auditing import Change, append
from o2c.ledger.moving import utc
from o2c.ledger.opening import rule_broken
from o2c.ledger.tables import approval_requests as requests
from o2c.ledger.tables import approvals, letters
from o2c.ledger.verify_chain import Finding
from o2c.ledger.writing import writing
from o2c.policy.controls import Approvals


@dataclass(frozen=True)
class Submitted:
    """What became of a list that was asked for.

    ``request_id`` is None where nothing was left to ask. ``is_kept``: the same list waits, or was answered, already.
    ``left_out``: things that were approved before and are on their way. ``superseded``: lists that this one replaced.
    """

    request_id: str | None
    state: str | None
    is_kept: bool = False
    left_out: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decided:
    """What a yes or no came to."""

    request_id: str
    state: str
    approval_count: int
    required_approval_count: int
    is_signed: bool


def submit(engine: Engine, request: Request, now: datetime, *, is_green: bool = False) -> Submitted:
    """Ask for the approval of a list; where nobody is needed, the policy approves it at once.

    The same list that waits or was answered in this batch stays as it is. What an approved list has on its way is
    left out. Lists that nobody decided on and that have things in common with this one, or are the same group of
    the same batch, are superseded.

    Args:
        request: the list. Letters stand in the ledger already, rendered, with exactly these messages and addresses.
        now: instant that it counts as prepared.
        is_green: no gate is closed and no brake tripped; else nothing goes without people.

    Raises:
        ApprovalRefused: it is no list that can be asked for, or nobody is to look although not all is green.
    """
    request.check()
    if request.required_approval_count == 0 and not is_green:
        raise ApprovalRefused(
            f"{request.kind} of {request.batch_id}: only people approve while a gate is closed or a brake tripped."
            " Nothing was asked for."
        )
    with writing(engine) as con:
        if kept := rows.same(con, request, now):
            if kept.state == "waiting" and kept.kind == "letters":
                ids = [item.item_id for item in request.items]
                tie_letters(con, ids, kept.request_id, "approval_pending", now)
            return Submitted(kept.request_id, kept.state, is_kept=True)
        asked, left_out = rows.without_underway(con, request, now)
        if not asked.items:
            return Submitted(None, None, left_out=left_out)
        if left_out and (kept := rows.same(con, asked, now)):
            return Submitted(kept.request_id, kept.state, is_kept=True, left_out=left_out)
        request_id = rows.free_id(con, asked)
        ids = [item.item_id for item in asked.items]
        superseded = rows.supersede_overlapping(con, asked, now)
        rows.insert_request(con, asked, request_id, now)
        state = "waiting"
        if asked.required_approval_count == 0:
            state = "approved"
            rows.approve_by_policy(con, asked, request_id, now)
        if asked.kind == "letters":
            after = "approved" if state == "approved" else "approval_pending"
            tie_letters(con, ids, request_id, after, now)
    return Submitted(request_id, state, left_out=left_out, superseded=superseded)


def retire_others(
    engine: Engine, kinds: Collection[str], keep: Collection[str], reason: str, now: datetime
) -> list[str]:
    """Supersede every list of these kinds that waits and is not among those to keep. Returns their ids.

    Letters that somebody said yes to already were not rendered anew (``plan_letters``), so that their list stands.
    """
    with writing(engine) as con:
        begun = select(approvals.c.approver).where(approvals.c.request_id == requests.c.request_id)
        query = select(requests.c.request_id).where(
            requests.c.state == "waiting",
            requests.c.kind.in_(sorted(kinds)),
            or_(requests.c.kind != "letters", ~begun.exists()),
        )
        found = con.execute(query.order_by(requests.c.request_id)).scalars()
        gone = [request_id for request_id in found if request_id not in keep]
        rows.end(con, gone, "superseded", reason, now)
    return gone


def decide(
    engine: Engine,
    request_id: str,
    *,
    content_hash: str,
    approver: str,
    role: str,
    verdict: str,
    policy: Approvals,
    now: datetime,
    comment: str | None = None,
    signed: Signed | None = None,
) -> Decided:
    """Record one person's yes or no. With enough of them the list is approved, and its letters may leave.

    One no rejects the list; its letters are cancelled.

    Args:
        content_hash: of the list that the person looked at, its first eight digits or more.
        policy: who may approve what.
        now: instant of the approval; a signature carries its own, close to it.

    Raises:
        ApprovalRefused: with every reason. Nothing was recorded.
    """
    ballot = Ballot(request_id, content_hash, approver, role, verdict, comment, signed)
    try:
        with writing(engine) as con:
            return _decide(con, ballot, policy, now)
    except IntegrityError as error:
        raise ApprovalRefused(f"{request_id}: the ledger refuses it: {rule_broken(error)}") from None


def expire(engine: Engine, now: datetime) -> list[str]:
    """End what nobody decided on in time; letters approved and not gone by then are cancelled, too.

    Returns:
        Ids of the lists that ended, sorted.
    """
    with writing(engine) as con:
        over = select(requests.c.request_id).where(
            requests.c.state == "waiting", requests.c.expires_at <= now
        )
        ended = list(con.execute(over.order_by(requests.c.request_id)).scalars())
        rows.end(con, ended, "expired", "nobody decided in time", now)
        stale = select(requests.c.request_id).where(
            requests.c.kind == "letters", requests.c.state == "approved", requests.c.expires_at <= now
        )
        is_stale = and_(letters.c.request_id.in_(stale), letters.c.state == "approved")
        cancel_letters(con, is_stale, "approval_expired", "o2c", now)
    return ended


def waiting(engine: Engine, now: datetime) -> list[Pending]:
    """Lists that wait for people and have not expired, the oldest first."""
    condition = and_(requests.c.state == "waiting", requests.c.expires_at > now)
    return _find(engine, condition)


def to_carry_out(engine: Engine) -> list[Pending]:
    """Approved lists of things that are handed over, which were not yet; also those that expired since."""
    condition = and_(
        requests.c.state == "approved",
        requests.c.carried_out_at.is_(None),
        requests.c.kind != "letters",
    )
    return _find(engine, condition)


def read_request(engine: Engine, request_id: str) -> Pending | None:
    """One list with what was said to it."""
    with engine.connect() as con:
        return _read(con, request_id)


def read_content(engine: Engine, request_id: str) -> str:
    """The list itself, as it was hashed."""
    query = select(requests.c.content).where(requests.c.request_id == request_id)
    with engine.connect() as con:
        return con.execute(query).scalar_one()


def end_unused(engine: Engine, request_id: str, now: datetime) -> None:
    """End an approved list that was not carried out before its approval expired."""
    with writing(engine) as con:
        con.execute(
            update(requests)
            .where(
                requests.c.request_id == request_id,
                requests.c.state == "approved",
                requests.c.carried_out_at.is_(None),
            )
            .values(state="expired")
        )
        ended = Change(
            "o2c", "expired", f"request:{request_id}", "approved", "expired", "not carried out in time"
        )
        append(con, [ended], now)


def list_findings(engine: Engine) -> list[Finding]:
    """Lists that are not what people were asked about any more. Rules of the database forbid it."""
    return [
        Finding("list", f"request:{one.request_id}", fault)
        for one in _find(engine, requests.c.request_id.is_not(None))
        for fault in content_faults(one, read_content(engine, one.request_id))
    ]


def signature_findings(engine: Engine, policy: Approvals) -> list[Finding]:
    """Signatures in the ledger that the keys of the policy do not confirm."""
    query = select(approvals).where(approvals.c.signature.is_not(None)).order_by(*approvals.primary_key)
    findings = []
    with engine.connect() as con:
        for row in con.execute(query):
            person = policy.approver(row.approver)
            subject = f"request:{row.request_id}"
            if person is None or person.public_key is None:
                says = f"controls.yml has no key to check the signature of {row.approver} with"
                findings.append(Finding("signature", subject, says))
                continue
            said = approval_text(
                row.request_id, row.content_hash, row.approver, row.role, row.verdict, utc(row.approved_at)
            )
            try:
                check_signature(said, row.signature, person.public_key)
            except SignatureRefused as fault:
                findings.append(Finding("signature", subject, f"{row.approver}: {fault}"))
    return findings


def _decide(con: Connection, ballot: Ballot, policy: Approvals, now: datetime) -> Decided:
    request_id, verdict, signed = ballot.request_id, ballot.verdict, ballot.signed
    pending = _read(con, request_id)
    if pending is None:
        raise ApprovalRefused(f"{request_id}: there is no such list. `o2c approve` shows what waits.")
    content = con.execute(select(requests.c.content).where(requests.c.request_id == request_id)).scalar_one()
    if faults := [*content_faults(pending, content), *faults_of(ballot, pending, policy, now)]:
        raise ApprovalRefused("\n  ".join([f"{request_id}: not {_done(verdict)}.", *faults]))
    at = signed.signed_at if signed else now
    rows.record(con, pending, ballot, at, now)
    given = rows.given(con, [request_id]).get(request_id, ())
    state = "waiting"
    if verdict == "reject":
        state = "rejected"
        rows.end(con, [request_id], state, "rejected", now, actor=ballot.approver)
    elif is_enough(pending.required_approval_count, given):
        state = "approved"
        rows.set_state(con, [request_id], "approved", "enough people said yes", ballot.approver, now)
        if pending.kind == "letters":
            release_letters(con, request_id, ballot.approver, now)
    yes = sum(one.verdict == "approve" for one in given)
    return Decided(request_id, state, yes, pending.required_approval_count, signed is not None)


def _find(engine: Engine, condition: ColumnElement[bool]) -> list[Pending]:
    with engine.connect() as con:
        return rows.find(con, condition)


def _read(con: Connection, request_id: str) -> Pending | None:
    found = rows.find(con, requests.c.request_id == request_id)
    return found[0] if found else None


def _done(verdict: str) -> str:
    return "rejected" if verdict == "reject" else "approved"
