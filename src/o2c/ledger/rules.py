"""What the database itself refuses, as conditions that are true of what must not be. ``triggers`` installs them.

A condition is SQL that SQLite and PostgreSQL both read, about ``old`` and ``new`` rows; what the two spell differently
stands in braces (``triggers.SPELLINGS``). A rule's name comes back in the error, so that code and people can tell.
"""

# Names and states in these conditions are our own.
# ruff: noqa: S608

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from o2c.ledger.states import CONTACT_STATES, FAILED_STATES, FIRST_STATES, TRANSITIONS


@dataclass(frozen=True)
class Rule:
    """``when`` is true of what is refused. ``only``: needed in one of the two databases."""

    name: str
    table: str
    event: Literal["insert", "update", "delete"]
    when: str
    says: str
    only: Literal["sqlite", "postgresql"] | None = None


def _listed(values: Sequence[str]) -> str:
    return f"({', '.join(repr(value) for value in values)})"


def _changed(*columns: str) -> str:
    return "(" + " or ".join(f"old.{name} {{differs}} new.{name}" for name in columns) + ")"


def _same(*columns: str) -> str:
    return " and ".join(f"other.{name} = new.{name}" for name in columns)


def _letter(of: str, condition: str) -> str:
    return f"exists (select 1 from letters where letters.letter_id = {of}.letter_id and {condition})"


FIRST = _listed(FIRST_STATES)
STEPS = _listed([f"{before}>{after}" for before, steps in TRANSITIONS.items() for after in steps])
FINAL = _listed([state for state, steps in TRANSITIONS.items() if not steps])
LEFT = _listed(("sent", "delivered", "not_delivered", "bounced", "complained"))
IDENTITY = ("kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion")
CONTENT = (
    "batch_id", "stage", "channel", "language_code", "contact_id", "address", "time_zone", "total_amount",
    "message_hash", "decided_as_of_date", "quiet_days",
)  # fmt: skip
ASKED = (
    "request_id", "kind", "batch_id", "as_of_date", "content_hash", "item_count", "amounts", "largest_amounts",
    "content", "required_approval_count", "reason", "prepared_by", "prepared_at", "expires_at",
)  # fmt: skip
IS_CLAIMED = "new.state = 'sending' and old.state <> 'sending'"
IS_APPROVED = f"new.state = 'approved' and old.state in {FIRST}"

# Enough different people (or the policy, where nobody is asked for) said yes to exactly this list, nobody no, in time.
_APPROVAL_HOLDS = """exists (
    select 1
    from approval_requests
    where
        approval_requests.request_id = new.request_id
        and approval_requests.kind = 'letters'
        and approval_requests.state = 'approved'
        and approval_requests.expires_at > new.state_changed_at
        and approval_requests.required_approval_count <= (
            select count(distinct approvals.approver)
            from approvals
            where
                approvals.request_id = approval_requests.request_id
                and approvals.content_hash = approval_requests.content_hash
                and approvals.approver <> approval_requests.prepared_by
                and approvals.verdict = 'approve'
                and approvals.expires_at > new.state_changed_at
        )
        and not exists (
            select 1
            from approvals
            where approvals.request_id = approval_requests.request_id and approvals.verdict = 'reject'
        )
)"""


def _contact_within_quiet_days(same: str) -> str:
    """All letters to a customer in one batch are one contact; reminders before the due date are apart."""
    return f"""{IS_CLAIMED} and exists (
    select 1
    from letters as other
    where
        {same}
        and other.batch_id <> new.batch_id
        and other.state in {_listed(CONTACT_STATES)}
        and (other.kind = 'courtesy') = (new.kind = 'courtesy')
        and abs({{day}}(other.contact_date) - {{day}}(new.contact_date))
        < {{greatest}}(other.quiet_days, new.quiet_days)
)"""


def _never(table: str, *events: Literal["insert", "update", "delete"]) -> list[Rule]:
    words = {"insert": "added to", "update": "changed", "delete": "deleted"}
    return [
        Rule(f"{table}_{event}_refused", table, event, "1 = 1", f"{table} are never {words[event]}")
        for event in events
    ]


def _not_replaced(table: str, same: str) -> Rule:
    """SQLite's ``or replace`` deletes the row in the way without asking the rules about deletion."""
    return Rule(
        f"{table}_not_replaced",
        table,
        "insert",
        f"exists (select 1 from {table} as other where {same})",
        "UNIQUE: it is there already, and is not replaced",
        only="sqlite",
    )


LETTERS = [
    Rule(
        "letter_begins",
        "letters",
        "insert",
        f"new.state not in {FIRST} or new.attempt_count <> 0 or new.owner is not null or new.lease_until is not null"
        " or new.contact_date is not null or new.carrier is not null or new.carrier_message_id is not null"
        " or new.sent_at is not null",
        f"a letter begins as {' or '.join(FIRST_STATES)}, unclaimed",
    ),
    Rule(
        "letter_address_is_trimmed",
        "letters",
        "insert",
        "new.address <> trim(new.address)",
        "an address with spaces around it would be another one",
    ),
    _not_replaced(
        "letters",
        f"other.letter_id = new.letter_id or ({_same(*IDENTITY)} and (other.try_number = new.try_number"
        f" or other.state not in {_listed(FAILED_STATES)}))",
    ),
    Rule(
        "letter_identity_is_kept",
        "letters",
        "update",
        _changed("letter_id", *IDENTITY, "try_number"),
        "what a letter is never changes",
    ),
    Rule(
        "letter_content_is_kept",
        "letters",
        "update",
        f"(old.state not in {FIRST} and {_changed('request_id', *CONTENT)})"
        f" or (old.request_id is not null and old.request_id = new.request_id and {_changed(*CONTENT)})",
        "what was shown for approval never changes",
    ),
    Rule(
        "letter_step",
        "letters",
        "update",
        f"old.state <> new.state and old.state || '>' || new.state not in {STEPS}",
        "there is no such step of a letter",
    ),
    Rule("letter_is_final", "letters", "update", f"old.state in {FINAL}", "this letter's story has ended"),
    Rule(
        "letter_approval",
        "letters",
        "update",
        f"(({IS_APPROVED}) or ({IS_CLAIMED})) and not {_APPROVAL_HOLDS}",
        "no approval by enough people holds for this letter",
    ),
    Rule(
        "letter_in_the_approved_list",
        "letters",
        "update",
        f"""{IS_APPROVED} and not exists (
    select 1
    from approval_items
    where
        approval_items.request_id = new.request_id
        and approval_items.item_id = new.letter_id
        and approval_items.message_hash = new.message_hash
        and approval_items.address = new.address
)""",
        "the approved list has no such letter, message and address",
    ),
    Rule(
        "letter_second_try",
        "letters",
        "update",
        f"""{IS_APPROVED} and exists (
    select 1
    from letters as other
    where {_same(*IDENTITY)} and other.try_number < new.try_number and other.state = 'presumed_not_sent'
) and not exists (
    select 1
    from approval_requests
    where approval_requests.request_id = new.request_id and approval_requests.required_approval_count >= 2
)""",
        "a letter that may have left is tried again with two approvals alone",
    ),
    Rule(
        "letter_claim",
        "letters",
        "update",
        f"{IS_CLAIMED} and (new.owner is null or new.lease_until is null or new.contact_date is null or new.carrier is"
        " null or new.state_changed_at is null or new.lease_until < new.state_changed_at"
        " or new.attempt_count <> old.attempt_count + 1)",
        "a claim names owner, lease, carrier and day, and counts one attempt more",
    ),
    Rule(
        "letter_back_off",
        "letters",
        "update",
        f"{IS_CLAIMED} and old.not_before > new.state_changed_at",
        "the carrier asked to wait",
    ),
    Rule(
        "letter_has_its_message",
        "letters",
        "update",
        f"{IS_CLAIMED} and not exists (select 1 from letter_messages where"
        " letter_messages.letter_id = new.letter_id)",
        "there is no message to send",
    ),
    Rule(
        "letter_quiet_days_of_customer",
        "letters",
        "update",
        _contact_within_quiet_days("other.customer_id = new.customer_id"),
        "the customer was written to within quiet days",
    ),
    Rule(
        "letter_quiet_days_of_address",
        "letters",
        "update",
        _contact_within_quiet_days("lower(other.address) = lower(new.address)"),
        "the address was written to within quiet days",
    ),
    Rule(
        "letter_to_a_suppressed_address",
        "letters",
        "update",
        f"{IS_CLAIMED} and exists (select 1 from suppressions where suppressions.address = lower(new.address) and"
        " suppressions.lifted_at is null)",
        "nothing is sent to this address",
    ),
    Rule(
        "letter_claim_is_kept",
        "letters",
        "update",
        f"(old.attempt_count <> new.attempt_count and not ({IS_CLAIMED})) or (old.state = new.state and"
        f" {_changed('owner', 'lease_until', 'contact_date', 'carrier')}) or (old.state <> 'sending' and"
        f" new.state <> 'sending' and {_changed('contact_date', 'carrier')})",
        "owner, lease, day and attempts of a claim change with it alone",
    ),
    Rule(
        "letter_attempt_is_there",
        "letters",
        "update",
        "old.state = 'sending' and new.state <> 'sending' and old.attempt_count > 0 and not exists (select 1 from"
        " attempts where attempts.letter_id = old.letter_id and attempts.attempt_number = old.attempt_count)",
        "nothing comes of a claim without an attempt",
    ),
    Rule(
        "letter_outcome",
        "letters",
        "update",
        "old.state = 'sending' and old.attempt_count > 0 and new.state in ('approved', 'sent', 'refused')"
        " and not exists (select 1 from attempts where attempts.letter_id = old.letter_id"
        " and attempts.attempt_number = old.attempt_count and ("
        "(new.state = 'approved' and attempts.outcome in ('not_accepted', 'paused'))"
        " or (new.state = 'sent' and attempts.outcome = 'accepted')"
        " or (new.state = 'refused' and attempts.outcome = 'refused')))",
        "what becomes of a letter is what its attempt came to",
    ),
    Rule(
        "letter_left_as_it_left",
        "letters",
        "update",
        f"(old.sent_at is not null and {_changed('sent_at')}) or (old.carrier_message_id is not null and"
        f" {_changed('carrier_message_id')}) or (new.sent_at is not null and new.state not in {LEFT})",
        "when and as what a letter left never changes",
    ),
    Rule(
        "letter_is_kept",
        "letters",
        "delete",
        f"old.state not in {FIRST}",
        "a letter that was approved or withdrawn is never deleted",
    ),
]

_NOT_FIRST = f"letters.state not in {FIRST}"
PARTS = [
    Rule(
        "line_added", "letter_lines", "insert", _letter("new", _NOT_FIRST), "an approved letter's lines stay"
    ),
    Rule(
        "line_changed",
        "letter_lines",
        "update",
        f"{_letter('old', _NOT_FIRST)} or {_letter('new', _NOT_FIRST)}",
        "an approved letter's lines stay",
    ),
    Rule(
        "line_kept", "letter_lines", "delete", _letter("old", _NOT_FIRST), "an approved letter's lines stay"
    ),
    Rule(
        "message_added", "letter_messages", "insert", _letter("new", _NOT_FIRST), "an approved message stays"
    ),
    Rule(
        "message_changed",
        "letter_messages",
        "update",
        f"{_letter('old', _NOT_FIRST)} or {_letter('new', _NOT_FIRST)}",
        "an approved message stays",
    ),
    Rule(
        "message_kept",
        "letter_messages",
        "delete",
        _letter("old", "letters.state in ('approved', 'sending', 'unknown')"),
        "a message is kept while it may still be sent or looked for",
    ),
    Rule(
        "attempt_of_a_claim",
        "attempts",
        "insert",
        "not "
        + _letter(
            "new",
            "letters.state = 'sending' and letters.owner = new.owner and letters.carrier = new.carrier"
            " and letters.attempt_count = new.attempt_number",
        )
        + " or new.attempt_number <> 1 + (select coalesce(max(other.attempt_number), 0) from attempts as other"
        " where other.letter_id = new.letter_id)",
        "an attempt belongs to the claim that counts it",
    ),
    Rule(
        "attempt_begins",
        "attempts",
        "insert",
        "new.ended_at is not null or new.outcome is not null",
        "an attempt is written down before anything is posted",
    ),
    Rule(
        "attempt_ends_once",
        "attempts",
        "update",
        "old.ended_at is not null or new.ended_at is null or new.outcome is null or "
        + _changed("letter_id", "attempt_number", "carrier", "owner", "started_at", "lease_until"),
        "an attempt ends once, and is as it was otherwise",
    ),
    *_never("attempts", "delete"),
]

_SAID = "select 1 from approvals where approvals.request_id ="
APPROVALS = [
    Rule(
        "request_begins",
        "approval_requests",
        "insert",
        "not (new.state = 'waiting' or (new.state = 'approved' and new.required_approval_count = 0)) or"
        " new.carried_out_at is not null or new.expires_at <= new.prepared_at",
        "a list waits before anybody approves it, and expires later",
    ),
    Rule(
        "request_preparer",
        "approval_requests",
        "insert",
        "new.prepared_by = '' or new.prepared_by {is_no_name}",
        "who prepared a list is written in small letters, digits and ._@- alone",
    ),
    _not_replaced("approval_requests", "other.request_id = new.request_id"),
    Rule(
        "request_is_kept",
        "approval_requests",
        "update",
        _changed(*ASKED),
        "what people are asked never changes",
    ),
    Rule(
        "request_step",
        "approval_requests",
        "update",
        "old.state <> new.state and old.state || '>' || new.state not in ('waiting>approved', 'waiting>rejected',"
        " 'waiting>expired', 'waiting>superseded', 'approved>expired', 'approved>superseded')"
        " or (old.state <> new.state and old.carried_out_at is not null)",
        "there is no such step of a list",
    ),
    Rule(
        "request_approval",
        "approval_requests",
        "update",
        "old.state <> 'approved' and new.state = 'approved' and (new.required_approval_count > (select"
        " count(distinct approvals.approver) from approvals where approvals.request_id = new.request_id and"
        " approvals.verdict = 'approve' and approvals.approver <> new.prepared_by)"
        f" or exists ({_SAID} new.request_id and approvals.verdict = 'reject'))",
        "not enough different people said yes, or somebody said no",
    ),
    Rule(
        "request_carried_out",
        "approval_requests",
        "update",
        f"{_changed('carried_out_at')} and (old.carried_out_at is not null or old.state <> 'approved'"
        " or new.state <> 'approved')",
        "a list is carried out once, when it is approved",
    ),
    *_never("approval_requests", "delete"),
    Rule(
        "approval_of_a_waiting_list",
        "approvals",
        "insert",
        "not exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        " approval_requests.content_hash = new.content_hash and approval_requests.prepared_by = new.prepared_by and"
        " approval_requests.expires_at > new.approved_at and approval_requests.expires_at >= new.expires_at and"
        " (approval_requests.state = 'waiting' or (approval_requests.state = 'approved' and"
        " approval_requests.required_approval_count = 0)))",
        "the list that this says yes or no to does not wait, has expired, or is another",
    ),
    Rule(
        "approval_by_another_person",
        "approvals",
        "insert",
        "new.approver = '' or new.approver {is_no_name} or new.approver = new.prepared_by or (new.approver = 'policy')"
        " <> exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        " approval_requests.required_approval_count = 0)",
        "people approve what another prepared; the policy approves where nobody is asked",
    ),
    _not_replaced("approvals", "other.request_id = new.request_id and other.approver = new.approver"),
    *_never("approvals", "update", "delete"),
    Rule(
        "approval_item_of_a_new_list",
        "approval_items",
        "insert",
        "not exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        f" approval_requests.state = 'waiting') or exists ({_SAID} new.request_id)",
        "nothing is added to a list that people look at",
    ),
    _not_replaced("approval_items", "other.request_id = new.request_id and other.item_id = new.item_id"),
    *_never("approval_items", "update", "delete"),
]


def _lifted_once(table: str, *others: str) -> list[Rule]:
    return [
        Rule(
            f"{table}_begin_open",
            table,
            "insert",
            "new.lifted_at is not null or new.lifted_by is not null",
            "what is lifted was open before",
        ),
        Rule(
            f"{table}_lifted_once",
            table,
            "update",
            f"old.lifted_at is not null or new.lifted_at is null or new.lifted_by is null or {_changed(*others)}",
            "it is lifted once, by a person, and is as it was otherwise",
        ),
        *_never(table, "delete"),
    ]


def _approved(kind: str) -> str:
    return (
        "exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        f" approval_requests.kind = '{kind}' and approval_requests.state = 'approved')"
    )


HISTORY = [
    _not_replaced("delivery_events", "other.event_id = new.event_id"),
    *_never("delivery_events", "update", "delete"),
    *_lifted_once("suppressions", "suppression_id", "address", "reason", "event_id", "since"),
    _not_replaced(
        "suppressions",
        "other.suppression_id = new.suppression_id or (other.address = new.address and other.lifted_at is null)",
    ),
    *_lifted_once("pauses", "pause_id", "carrier", "reason", "detail", "since", "until"),
    _not_replaced("pauses", "other.pause_id = new.pause_id"),
    Rule(
        "placement_approved",
        "placements",
        "insert",
        f"not {_approved('referrals')}",
        "an item is handed over with an approved list alone",
    ),
    Rule(
        "placement_recalled",
        "placements",
        "update",
        _changed("invoice_id", "installment_number")
        + " or (old.recalled_date is null and (new.recalled_date is null or "
        + _changed("customer_id", "agency_id", "placed_date", "request_id", "currency_code", "placed_amount")
        + f")) or (old.recalled_date is not null and not ({_changed('request_id')} and"
        f" new.recalled_date is null and {_approved('referrals')}))",
        "what was handed over is recalled, or handed over again by another approved list; it never changes otherwise",
    ),
    _not_replaced(
        "placements",
        "other.invoice_id = new.invoice_id and other.installment_number = new.installment_number",
    ),
    *_never("placements", "delete"),
    Rule(
        "order_hold_approved",
        "order_holds",
        "insert",
        f"not {_approved('holds')}",
        "an order is held or released with an approved list alone",
    ),
    _not_replaced("order_holds", "other.hold_id = new.hold_id"),
    *_never("order_holds", "update", "delete"),
    Rule(
        "activity_closed_once",
        "activities",
        "update",
        "old.closed_at is not null or new.closed_at is null or "
        + _changed(
            "activity_id",
            "customer_id",
            "letter_id",
            "activity_at",
            "channel",
            "outcome_code",
            "note",
            "is_task",
        ),
        "what happened with a customer is closed once, and is as it was otherwise",
    ),
    _not_replaced("activities", "other.activity_id = new.activity_id"),
    *_never("activities", "delete"),
    Rule(
        "audit_continues",
        "audit",
        "insert",
        "new.sequence <> 1 + (select coalesce(max(other.sequence), 0) from audit as other) or new.previous_hash <>"
        f" coalesce((select other.hash from audit as other order by other.sequence desc limit 1), '{'0' * 64}')"
        " or length(new.hash) <> 64",
        "the chain goes on from its last link",
    ),
    _not_replaced("audit", "other.hash = new.hash"),
    *_never("audit", "update", "delete"),
    Rule(
        "audit_head_is_the_last_link",
        "audit_head",
        "update",
        "new.head_id <> 1 or not exists (select 1 from audit where audit.sequence = new.sequence and"
        " audit.hash = new.hash) or new.sequence < (select max(audit.sequence) from audit)",
        "the chain ends where it ends",
    ),
    Rule(
        "audit_head_is_there",
        "audit_head",
        "insert",
        "exists (select 1 from audit_head)",
        "the chain has one end",
    ),
    *_never("audit_head", "delete"),
]

RULES: tuple[Rule, ...] = (*LETTERS, *PARTS, *APPROVALS, *HISTORY)
