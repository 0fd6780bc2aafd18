"""Approvals that must not be: each is refused, with its reason, and leaves the ledger as it was. On both databases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from approval_books import HOUR, NOON, POLICY, ask, item, say, signed
from sqlalchemy import Engine, select

from o2c.approvals import ApprovalRefused
from o2c.ledger import Ledger
from o2c.ledger.approving import expire, read_request
from o2c.ledger.tables import approval_requests, approvals, audit
from o2c.policy.controls import Approvals, Approver


@dataclass(frozen=True)
class Attempt:
    """One thing that somebody tries: what stands in the ledger, what is said, and the reason that must come back."""

    name: str
    refusal: str
    by: str = "bert"
    as_role: str = "director"
    before: Callable[[Engine], str] = ask
    changes: dict[str, Any] | None = None
    makes: Callable[[Engine, str], dict[str, Any]] | None = None


def with_amounts(*amounts: tuple[str, str], **changes: Any) -> Callable[[Engine], str]:
    items = [item(f"ORD-{at}", amount, currency) for at, (amount, currency) in enumerate(amounts)]
    return lambda engine: ask(engine, *items, **changes)


def prepared_by(name: str) -> Callable[[Engine], str]:
    return lambda engine: ask(engine, prepared_by=name)


def of_kind(kind: str) -> Callable[[Engine], str]:
    facts = {"invoice_id": "INV-1", "installment_number": 1}
    return lambda engine: ask(engine, item(**facts), kind=kind)


def answered(*people: str, verdict: str = "approve") -> Callable[[Engine], str]:
    def prepare(engine: Engine) -> str:
        request_id = ask(engine)
        for person in people:
            say(engine, request_id, person, verdict=verdict)
        return request_id

    return prepare


def superseded(engine: Engine) -> str:
    older = ask(engine)
    ask(engine, item(amount="101.00"))
    return older


def expired(engine: Engine) -> str:
    request_id = ask(engine)
    expire(engine, NOON + 25 * HOUR)
    return request_id


def two_lists(engine: Engine) -> str:
    ask(engine, item("ORD-9"), reason="others")
    return ask(engine)


def hash_of_the_older(engine: Engine, request_id: str) -> dict[str, Any]:
    other = engine.connect().execute(
        select(approval_requests.c.content_hash).where(approval_requests.c.request_id != request_id)
    )
    return {"content_hash": other.scalars().one()[:12]}


def newer_list(engine: Engine) -> str:
    ask(engine)
    return ask(engine, item(amount="101.00"))


def sign_with(**changes: Any) -> Callable[[Engine, str], dict[str, Any]]:
    def make(engine: Engine, request_id: str) -> dict[str, Any]:
        pending = read_request(engine, request_id)
        assert pending is not None
        values = {"request_id": request_id, "content_hash": pending.content_hash, "by": "dora"} | changes
        return {"signed": signed(**values)}

    return make


def garbled(engine: Engine, request_id: str) -> dict[str, Any]:
    good = sign_with()(engine, request_id)["signed"]
    return {"signed": type(good)(good.signature[:-6] + "AAAA==", good.signed_at)}


def with_approver(person: str) -> dict[str, Any]:
    more = Approver.model_construct(person=person, roles=("director",), public_key=None)
    return {"policy": Approvals.model_construct(**vars(POLICY) | {"approvers": (*POLICY.approvers, more)})}


ATTEMPTS = [
    Attempt("no such list", "there is no such list", before=lambda engine: "holds-20260312-none"),
    Attempt("a stranger", "not among the approvers", by="mallory"),
    Attempt("a name in capitals", "a name is lower-case", by="Bert"),
    Attempt("a name with a space behind it", "a name is lower-case", by="bert "),
    Attempt("a name with a letter that only looks alike", "a name is lower-case", by="bеrt"),
    Attempt("no name at all", "a name is lower-case", by=""),
    Attempt("a name with a line break", "a name is lower-case", by="bert\n"),
    Attempt("the policy itself", "is no person", by="policy"),
    Attempt("the policy itself, made an approver", "is no person", by="policy", changes=with_approver("policy")),
    Attempt("a role that the person does not have", "does not have that role", by="carl", as_role="lead"),
    Attempt("a role that there is not", "has no such role", as_role="emperor"),
    Attempt("a kind that the role may not approve", "may not approve referrals", by="anna", as_role="lead",
            before=of_kind("referrals")),
    Attempt("write-offs by a role for letters", "may not approve write offs", by="anna", as_role="lead",
            before=of_kind("write_offs")),
    Attempt("one cent above the largest amount of the role", "1000.01 EUR, lead may approve up to 1000.00",
            by="anna", as_role="lead", before=with_amounts(("1000.01", "EUR"))),
    Attempt("one cent above the total of the role", "the total is 5000.01 EUR", by="anna", as_role="lead",
            before=with_amounts(*[("1000.00", "EUR")] * 5, ("0.01", "EUR"))),
    Attempt("a second currency above the limit", "the total is 5000.01 USD", by="anna", as_role="lead",
            before=with_amounts(("10.00", "EUR"), *[("999.99", "USD")] * 5, ("0.06", "USD"))),
    Attempt("a currency with a limit of its own", "100001 JPY, lead may approve up to 100000", by="anna",
            as_role="lead", before=with_amounts(("100001", "JPY"))),
    Attempt("the one who prepared it", "prepared this list", before=prepared_by("bert")),
    Attempt("the one who prepared it, in capitals", "prepared this list", before=prepared_by("BERT")),
    Attempt("the one who prepared it, with look-alikes", "prepared this list", before=prepared_by("Веrt")),
    Attempt("the one who prepared it, by his full name", "prepared this list", before=prepared_by("Bert Berg")),
    Attempt("the one who prepared it, by his address", "prepared this list", before=prepared_by("bert@ours.example")),
    Attempt("the same person twice", "has answered already", before=answered("bert")),
    Attempt("the same person twice, in another role", "has answered already", as_role="lead",
            before=answered("bert")),
    Attempt("a list that is approved", "it is approved", by="dora", before=answered("bert", "carl"),
            makes=sign_with()),
    Attempt("a list that was rejected", "it is rejected", before=answered("carl", verdict="reject")),
    Attempt("a list that a newer one replaced", "it is superseded", before=superseded),
    Attempt("a list that was ended", "it is expired", before=expired),
    Attempt("a list whose last second is over", "it expired at", changes={"now": NOON + 24 * HOUR}),
    Attempt("a list of tomorrow", "still to come", changes={"now": NOON - HOUR}),
    Attempt("no hash", "at least 8 digits", changes={"content_hash": ""}),
    Attempt("a hash that is too short", "at least 8 digits", makes=lambda engine, request_id: {
        "content_hash": read_request(engine, request_id).content_hash[:7]}),
    Attempt("a hash that is none", "at least 8 digits", changes={"content_hash": "%%%%%%%%"}),
    Attempt("the hash of an older list", "another one", before=newer_list, makes=hash_of_the_older),
    Attempt("the hash of another list", "another one", before=two_lists, makes=hash_of_the_older),
    Attempt("a verdict that is none", "is no verdict", changes={"verdict": "maybe"}),
    Attempt("no signature where the policy has a key", "must be signed", by="dora"),
    Attempt("a signature of another list", "not of this approval", by="dora",
            makes=sign_with(request_id="holds-20260312-other")),
    Attempt("a signature of other content", "not of this approval", by="dora", makes=sign_with(content_hash="f" * 64)),
    Attempt("a signature of a no for a yes", "not of this approval", by="dora", makes=sign_with(verdict="reject")),
    Attempt("a signature in another role", "not of this approval", by="dora", makes=sign_with(as_role="lead")),
    Attempt("a signature by somebody else", "another key", by="dora", makes=sign_with(key="mallory")),
    Attempt("a signature of yesterday", "it was signed at", by="dora", makes=sign_with(at=NOON - 24 * HOUR)),
    Attempt("a signature of tomorrow", "it was signed at", by="dora", makes=sign_with(at=NOON + 24 * HOUR)),
    Attempt("a signature that was changed", "not of this approval", by="dora", makes=garbled),
    Attempt("a signature that nobody can check", "no public key to check", makes=sign_with(by="bert")),
    Attempt("a key in the policy that is none", "no OpenSSH Ed25519 key", by="erik", makes=sign_with(by="erik")),
    Attempt("a comment without end", "the comment is longer", changes={"comment": "x" * 501}),
]  # fmt: skip


def ledger_of(engine: Engine) -> list[list[Any]]:
    with engine.connect() as con:
        return [list(con.execute(select(table)).all()) for table in (approval_requests, approvals, audit)]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_an_illegal_approval_is_refused_and_leaves_nothing(attempt: Attempt, ledger_url: str):
    engine = Ledger(ledger_url).engine
    request_id = attempt.before(engine)
    before = ledger_of(engine)
    more = (attempt.changes or {}) | (attempt.makes(engine, request_id) if attempt.makes else {})
    with pytest.raises(ApprovalRefused, match=attempt.refusal):
        say(engine, request_id, attempt.by, attempt.as_role, **more)
    assert ledger_of(engine) == before
    engine.dispose()


def test_the_list_of_illegal_approvals_is_long_enough():
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS) >= 30


def test_the_same_values_without_the_fault_are_accepted(ledger_url):
    engine = Ledger(ledger_url).engine
    request_id = ask(engine, *[item(f"ORD-{at}", "1000.00") for at in range(5)])
    first = say(engine, request_id, "anna", "lead")
    second = say(engine, request_id, "dora", **sign_with()(engine, request_id))
    assert (first.state, second.state, second.is_signed) == ("waiting", "approved", True)
    engine.dispose()
