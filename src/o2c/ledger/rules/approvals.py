"""Lists that people say yes or no to, and what they say."""

# Names and states in these conditions are our own.
# ruff: noqa: S608

from o2c.ledger.rules.rule import Rule, changed, never, not_replaced

ASKED = (
    "request_id", "kind", "batch_id", "as_of_date", "content_hash", "item_count", "amounts", "largest_amounts",
    "content", "required_approval_count", "reason", "prepared_by", "prepared_at", "expires_at",
)  # fmt: skip
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
    not_replaced("approval_requests", "other.request_id = new.request_id"),
    Rule(
        "request_is_kept",
        "approval_requests",
        "update",
        changed(*ASKED),
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
        f"{changed('carried_out_at')} and (old.carried_out_at is not null or old.state <> 'approved'"
        " or new.state <> 'approved')",
        "a list is carried out once, when it is approved",
    ),
    *never("approval_requests", "delete"),
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
    not_replaced("approvals", "other.request_id = new.request_id and other.approver = new.approver"),
    *never("approvals", "update", "delete"),
    Rule(
        "approval_item_of_a_new_list",
        "approval_items",
        "insert",
        "not exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        f" approval_requests.state = 'waiting') or exists ({_SAID} new.request_id)",
        "nothing is added to a list that people look at",
    ),
    not_replaced("approval_items", "other.request_id = new.request_id and other.item_id = new.item_id"),
    *never("approval_items", "update", "delete"),
]
