"""What a person says yes or no to, and who may: exactly one list, by its hash, within the amounts of a role.

Pure: nothing here reads the ledger, a file or the clock.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from o2c import money
from o2c.approval_people import WORDS_OF_A_NAME, is_name, is_same_person, preparer_name
from o2c.approval_signatures import SignatureRefused, Signed, check_signature
from o2c.policy.controls import Approvals, RequestKind

Verdict = Literal["approve", "reject"]
VERDICTS: tuple[Verdict, ...] = ("approve", "reject")
# Approves where the policy asks for nobody; no person may have a name of these.
POLICY = "policy"
RESERVED_NAMES = (POLICY, "o2c", "system", "root", "unknown")
SHORTEST_HASH = 8
COMMENT_LENGTH = 500
# An approval is signed where it is given: clocks of two machines differ by less than this.
SIGNING_WINDOW = timedelta(minutes=15)


class ApprovalRefused(ValueError):
    """A list or an approval is not accepted, and nothing of it counts. The message says every reason."""


@dataclass(frozen=True)
class Item:
    """One thing of a list: its id, its money, and everything else that is approved with it."""

    item_id: str
    currency_code: str
    amount: Decimal
    facts: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A list that waits for people, or for nobody (``required_approval_count`` 0).

    ``reason``: a code or words, why so many people are needed; with the count it names the group of a batch.
    ``evidence_hash``: sha-256 of what is kept beside the ledger and handed over with the list.
    """

    kind: RequestKind
    batch_id: str
    as_of_date: date
    items: tuple[Item, ...]
    required_approval_count: int
    reason: str
    prepared_by: str
    expiry_hours: int
    evidence_hash: str | None = None

    @property
    def content(self) -> str:
        """The list in the one spelling that its hash is of."""
        rows = [
            {
                **item.facts,
                "item_id": item.item_id,
                "currency_code": item.currency_code,
                "amount": amount_text(item.amount, item.currency_code),
            }
            for item in sorted(self.items, key=lambda item: item.item_id)
        ]
        whole = {
            "kind": self.kind,
            "required_approval_count": self.required_approval_count,
            "reason": self.reason,
            "evidence_hash": self.evidence_hash,
            "items": rows,
        }
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def content_hash(self) -> str:
        return hash_of(self.content)

    @property
    def preparer(self) -> str:
        """Who prepared it, as the ledger keeps names."""
        return preparer_name(self.prepared_by)

    def amounts(self) -> dict[str, Decimal]:
        """Total per currency, sorted by code."""
        totals: dict[str, Decimal] = {}
        for item in self.items:
            totals[item.currency_code] = totals.get(item.currency_code, Decimal(0)) + item.amount
        return dict(sorted(totals.items()))

    def largest_amounts(self) -> dict[str, Decimal]:
        """The largest single amount per currency, sorted by code."""
        largest: dict[str, Decimal] = {}
        for item in self.items:
            largest[item.currency_code] = max(item.amount, largest.get(item.currency_code, item.amount))
        return dict(sorted(largest.items()))

    def check(self) -> None:
        """Raise ApprovalRefused where no list of this kind can be asked for."""
        ids = [item.item_id for item in self.items]
        faults = []
        if not ids:
            faults.append("the list is empty")
        if len(set(ids)) < len(ids):
            faults.append("a thing stands in it twice")
        if any(item.amount < 0 or not item.amount.is_finite() for item in self.items):
            faults.append("an amount is below zero")
        if not 0 <= self.required_approval_count <= 2:
            faults.append(f"{self.required_approval_count} approvals cannot be asked for")
        if not self.reason.strip() or not self.preparer:
            faults.append("it does not say why, or who prepared it")
        if faults:
            raise ApprovalRefused(
                f"{self.kind} of {self.batch_id}: {'; '.join(faults)}. Nothing was asked for."
            )


@dataclass(frozen=True)
class Given:
    """A yes or no that counts already."""

    approver: str
    role: str
    verdict: str
    approved_at: datetime
    signature: str | None
    comment: str | None


@dataclass(frozen=True)
class Pending:
    """A list as the ledger keeps it, with what was said to it so far."""

    request_id: str
    kind: RequestKind
    batch_id: str
    as_of_date: date
    content_hash: str
    item_count: int
    amounts: Mapping[str, Decimal]
    largest_amounts: Mapping[str, Decimal]
    required_approval_count: int
    reason: str
    state: str
    prepared_by: str
    prepared_at: datetime
    expires_at: datetime
    carried_out_at: datetime | None
    approvals: tuple[Given, ...]


@dataclass(frozen=True)
class Ballot:
    """What one person says. ``content_hash``: of what that person looked at, the first digits or all."""

    request_id: str
    content_hash: str
    approver: str
    role: str
    verdict: str
    comment: str | None = None
    signed: Signed | None = None


def faults_of(ballot: Ballot, pending: Pending, policy: Approvals, now: datetime) -> list[str]:
    """Everything that stands against an approval, in words; empty where it counts.

    A reject needs the same person, role and hash, but not the amounts: it lets nothing happen.
    """
    return [
        *_faults_of_the_list(ballot, pending, now),
        *_faults_of_the_person(ballot, pending, policy),
        *_faults_of_the_role(ballot, pending, policy),
        *_faults_of_the_signature(ballot, pending, policy, now),
    ]


def _faults_of_the_list(ballot: Ballot, pending: Pending, now: datetime) -> list[str]:
    faults = []
    if ballot.verdict not in VERDICTS:
        faults.append(f"{ballot.verdict!r} is no verdict; there are {' and '.join(VERDICTS)}")
    if ballot.comment is not None and len(ballot.comment) > COMMENT_LENGTH:
        faults.append(f"the comment is longer than {COMMENT_LENGTH} characters")
    if pending.state != "waiting":
        faults.append(f"it is {pending.state} and waits for nobody")
    elif now >= pending.expires_at:
        faults.append(f"it expired at {pending.expires_at.isoformat()}; the next run decides anew")
    if now < pending.prepared_at:
        faults.append(f"it was prepared at {pending.prepared_at.isoformat()}, which is still to come")
    said = ballot.content_hash.strip().lower()
    if len(said) < SHORTEST_HASH or set(said) - set("0123456789abcdef"):
        faults.append(f"--hash: give at least {SHORTEST_HASH} digits of the hash that is shown with the list")
    elif not pending.content_hash.startswith(said):
        faults.append(
            "--hash: the list that was looked at is another one; look at this one with `o2c approve`"
        )
    return faults


def _faults_of_the_person(ballot: Ballot, pending: Pending, policy: Approvals) -> list[str]:
    name = ballot.approver
    if not is_name(name):
        return [f"--by: a name is {WORDS_OF_A_NAME}, as in controls.yml"]
    if name in RESERVED_NAMES:
        return [f"--by: {name} is no person"]
    faults = []
    person = policy.approver(name)
    if person is None:
        faults.append(f"--by: {name} is not among the approvers of controls.yml")
    elif ballot.role not in person.roles:
        faults.append(f"--role: {name} does not have that role; there are {', '.join(person.roles)}")
    if is_same_person(name, pending.prepared_by):
        faults.append(f"--by: {name} prepared this list, or may be who did; somebody else must approve it")
    if any(is_same_person(name, one.approver) for one in pending.approvals):
        faults.append(f"--by: {name} has answered already")
    return faults


def _faults_of_the_role(ballot: Ballot, pending: Pending, policy: Approvals) -> list[str]:
    role = policy.role(ballot.role)
    if role is None:
        return ["--role: controls.yml has no such role"]
    if pending.kind not in role.kinds:
        return [f"--role: {role.role} may not approve {pending.kind.replace('_', ' ')}"]
    if ballot.verdict == "reject":
        return []
    faults = []
    for what, amounts, limit in (
        ("the largest single amount", pending.largest_amounts, role.largest_amount),
        ("the total", pending.amounts, role.total_amount),
    ):
        for currency_code, amount in amounts.items():
            most = limit.amount_for(currency_code)
            if amount > most:
                faults.append(
                    f"--role: {what} is {amount_text(amount, currency_code)} {currency_code}, {role.role} may"
                    f" approve up to {amount_text(most, currency_code)}"
                )
    return faults


def _faults_of_the_signature(ballot: Ballot, pending: Pending, policy: Approvals, now: datetime) -> list[str]:
    """A person with a key in the policy signs; without one nobody can tell whose a signature is."""
    person = policy.approver(ballot.approver) if is_name(ballot.approver) else None
    if person is None:
        return []
    signed = ballot.signed
    if person.public_key is None:
        return ["--key: the policy has no public key to check it with"] if signed else []
    if signed is None:
        return ["--key: the policy has a public key of this person, so the approval must be signed"]
    if abs(now - signed.signed_at) > SIGNING_WINDOW:
        return [f"--key: it was signed at {signed.signed_at.isoformat()}, not now"]
    text = signed_text(ballot, pending.request_id, pending.content_hash, signed.signed_at)
    try:
        check_signature(text, signed.signature, person.public_key)
    except SignatureRefused as fault:
        return [f"--key: {fault}"]
    return []


def signed_text(ballot: Ballot, request_id: str, content_hash: str, at: datetime) -> str:
    """What is signed: the request, the hash of all of its list, who, as what, yes or no, and when."""
    return approval_text(request_id, content_hash, ballot.approver, ballot.role, ballot.verdict, at)


def approval_text(
    request_id: str, content_hash: str, approver: str, role: str, verdict: str, at: datetime
) -> str:
    """The canonical text of one approval. JSON, so that no value can pass for two."""
    values = {
        "what": "o2c approval 1",
        "request_id": request_id,
        "content_hash": content_hash,
        "approver": approver,
        "role": role,
        "verdict": verdict,
        "at": at.isoformat(timespec="seconds"),
    }
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def is_enough(required: int, approvals: Iterable[Given]) -> bool:
    """Whether so many different people said yes and nobody no. Where nobody is needed, the policy says it."""
    given = list(approvals)
    people = {one.approver for one in given if one.verdict == "approve" and one.approver != POLICY}
    return all(one.verdict == "approve" for one in given) and len(people) >= required


def read_items(content: str) -> list[dict[str, Any]]:
    """The rows of a list out of its content, as it was hashed."""
    return json.loads(content)["items"]


def hash_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def amount_text(amount: Decimal, currency_code: str) -> str:
    """The amount with the decimals of its currency, or with more where it has more."""
    short = money.rounded(amount, currency_code)
    return f"{short:f}" if short == amount else f"{amount.normalize():f}"


def in_words(amounts: Mapping[str, Decimal]) -> str:
    """Totals per currency: ``1,200.00 EUR, 50 JPY``."""
    return ", ".join(f"{Decimal(amount_text(amount, code)):,} {code}" for code, amount in amounts.items())


def able_roles(pending: Pending, policy: Approvals) -> list[str]:
    """Roles that may approve a list: of its kind, and up to its amounts."""
    return [
        role.role
        for role in policy.roles
        if pending.kind in role.kinds
        and all(amount <= role.total_amount.amount_for(code) for code, amount in pending.amounts.items())
        and all(
            amount <= role.largest_amount.amount_for(code) for code, amount in pending.largest_amounts.items()
        )
    ]
