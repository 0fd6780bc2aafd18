"""Who may say yes or no to a list: a person of the policy, in a role, within its amounts, once, in time.

Pure: nothing here reads the ledger or the clock.
"""

from datetime import datetime, timedelta

from o2c.approval_people import WORDS_OF_A_NAME, is_name, is_same_person
from o2c.approval_signatures import SignatureRefused, check_signature
from o2c.approvals import COMMENT_LENGTH, POLICY, Ballot, Pending, amount_text, signed_text
from o2c.policy.controls import Approvals

VERDICTS = ("approve", "reject")
# No person may have a name of these.
RESERVED_NAMES = (POLICY, "o2c", "system", "root", "unknown")
SHORTEST_HASH = 8
# An approval is signed where it is given: clocks of two machines differ by less than this.
SIGNING_WINDOW = timedelta(minutes=15)


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
        faults.append(
            f"it expired at {pending.expires_at.isoformat(timespec='minutes')}; the next run decides anew"
        )
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
