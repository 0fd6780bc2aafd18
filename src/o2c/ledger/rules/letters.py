"""Letters, their lines, messages and attempts: steps, claims, quiet days, and what is never changed."""

# Names and states in these conditions are our own.
# ruff: noqa: S608

from o2c.ledger.rules.rule import FIRST, Rule, changed, letter, listed, never, not_replaced, same
from o2c.ledger.states import CONTACT_STATES, FAILED_STATES, FIRST_STATES, TRANSITIONS

STEPS = listed([f"{before}>{after}" for before, steps in TRANSITIONS.items() for after in steps])
FINAL = listed([state for state, steps in TRANSITIONS.items() if not steps])
LEFT = listed(("sent", "delivered", "not_delivered", "bounced", "complained"))
IDENTITY = ("kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion")
CONTENT = (
    "batch_id", "stage", "channel", "language_code", "contact_id", "address", "time_zone", "total_amount",
    "message_hash", "decided_as_of_date", "quiet_days",
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
        and other.state in {listed(CONTACT_STATES)}
        and (other.kind = 'courtesy') = (new.kind = 'courtesy')
        and abs({{day}}(other.contact_date) - {{day}}(new.contact_date))
        < {{greatest}}(other.quiet_days, new.quiet_days)
)"""


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
    not_replaced(
        "letters",
        f"other.letter_id = new.letter_id or ({same(*IDENTITY)} and (other.try_number = new.try_number"
        f" or other.state not in {listed(FAILED_STATES)}))",
    ),
    Rule(
        "letter_identity_is_kept",
        "letters",
        "update",
        changed("letter_id", *IDENTITY, "try_number"),
        "what a letter is never changes",
    ),
    Rule(
        "letter_content_is_kept",
        "letters",
        "update",
        f"(old.state not in {FIRST} and {changed('request_id', *CONTENT)})"
        f" or (old.request_id is not null and old.request_id = new.request_id and {changed(*CONTENT)})",
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
    where {same(*IDENTITY)} and other.try_number < new.try_number and other.state = 'presumed_not_sent'
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
        f" {changed('owner', 'lease_until', 'contact_date', 'carrier')}) or (old.state <> 'sending' and"
        f" new.state <> 'sending' and {changed('contact_date', 'carrier')})",
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
        f"(old.sent_at is not null and {changed('sent_at')}) or (old.carrier_message_id is not null and"
        f" {changed('carrier_message_id')}) or (new.sent_at is not null and new.state not in {LEFT})",
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
        "line_added", "letter_lines", "insert", letter("new", _NOT_FIRST), "an approved letter's lines stay"
    ),
    Rule(
        "line_changed",
        "letter_lines",
        "update",
        f"{letter('old', _NOT_FIRST)} or {letter('new', _NOT_FIRST)}",
        "an approved letter's lines stay",
    ),
    Rule("line_kept", "letter_lines", "delete", letter("old", _NOT_FIRST), "an approved letter's lines stay"),
    Rule(
        "message_added", "letter_messages", "insert", letter("new", _NOT_FIRST), "an approved message stays"
    ),
    Rule(
        "message_changed",
        "letter_messages",
        "update",
        f"{letter('old', _NOT_FIRST)} or {letter('new', _NOT_FIRST)}",
        "an approved message stays",
    ),
    Rule(
        "message_kept",
        "letter_messages",
        "delete",
        letter("old", "letters.state in ('approved', 'sending', 'unknown')"),
        "a message is kept while it may still be sent or looked for",
    ),
    Rule(
        "attempt_of_a_claim",
        "attempts",
        "insert",
        "not "
        + letter(
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
        + changed("letter_id", "attempt_number", "carrier", "owner", "started_at", "lease_until"),
        "an attempt ends once, and is as it was otherwise",
    ),
    *never("attempts", "delete"),
]
