"""What a person says yes or no to: exactly one list, by its hash.

Pure: nothing here reads the ledger, a file or the clock.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from o2c import money
from o2c.approval_people import preparer_name
from o2c.approval_signatures import Signed
from o2c.policy.controls import RequestKind

# Approves where the policy asks for nobody.
POLICY = "policy"
COMMENT_LENGTH = 500


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


def content_faults(pending: Pending, content: str) -> list[str]:
    """What of a list is not what its hash is of: somebody changed it below the ledger. Empty where all ties."""
    if hash_of(content) != pending.content_hash:
        return ["its content is not what its hash is of"]
    whole = json.loads(content)
    request = Request(
        kind=whole["kind"],
        batch_id=pending.batch_id,
        as_of_date=pending.as_of_date,
        items=tuple(
            Item(row["item_id"], row["currency_code"], Decimal(row["amount"])) for row in whole["items"]
        ),
        required_approval_count=whole["required_approval_count"],
        reason=whole["reason"],
        prepared_by=pending.prepared_by,
        expiry_hours=0,
    )
    hashed = {
        "kind": request.kind,
        "reason": request.reason,
        "required_approval_count": request.required_approval_count,
        "item_count": len(request.items),
        "amounts": request.amounts(),
        "largest_amounts": request.largest_amounts(),
    }
    return [
        f"its {name} is not that of its list"
        for name, value in hashed.items()
        if getattr(pending, name) != value
    ]


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
