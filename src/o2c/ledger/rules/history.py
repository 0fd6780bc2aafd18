"""What happened is added to and never changed: events, suppressions, pauses, placements, holds, the audit chain."""

# Names and states in these conditions are our own.
# ruff: noqa: S608

from o2c.ledger.rules.rule import Rule, changed, never, not_replaced


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
            f"old.lifted_at is not null or new.lifted_at is null or new.lifted_by is null or {changed(*others)}",
            "it is lifted once, by a person, and is as it was otherwise",
        ),
        *never(table, "delete"),
    ]


def _approved(kind: str) -> str:
    return (
        "exists (select 1 from approval_requests where approval_requests.request_id = new.request_id and"
        f" approval_requests.kind = '{kind}' and approval_requests.state = 'approved')"
    )


HISTORY = [
    not_replaced("delivery_events", "other.event_id = new.event_id"),
    *never("delivery_events", "update", "delete"),
    *_lifted_once("suppressions", "suppression_id", "address", "reason", "event_id", "since"),
    not_replaced(
        "suppressions",
        "other.suppression_id = new.suppression_id or (other.address = new.address and other.lifted_at is null)",
    ),
    *_lifted_once("pauses", "pause_id", "carrier", "reason", "detail", "since", "until"),
    not_replaced("pauses", "other.pause_id = new.pause_id"),
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
        changed("invoice_id", "installment_number")
        + " or (old.recalled_date is null and (new.recalled_date is null or "
        + changed("customer_id", "agency_id", "placed_date", "request_id", "currency_code", "placed_amount")
        + f")) or (old.recalled_date is not null and not ({changed('request_id')} and"
        f" new.recalled_date is null and {_approved('referrals')}))",
        "what was handed over is recalled, or handed over again by another approved list; it never changes otherwise",
    ),
    not_replaced(
        "placements",
        "other.invoice_id = new.invoice_id and other.installment_number = new.installment_number",
    ),
    *never("placements", "delete"),
    Rule(
        "order_hold_approved",
        "order_holds",
        "insert",
        f"not {_approved('holds')}",
        "an order is held or released with an approved list alone",
    ),
    not_replaced("order_holds", "other.hold_id = new.hold_id"),
    *never("order_holds", "update", "delete"),
    Rule(
        "activity_closed_once",
        "activities",
        "update",
        "old.closed_at is not null or new.closed_at is null or "
        + changed(
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
    not_replaced("activities", "other.activity_id = new.activity_id"),
    *never("activities", "delete"),
    Rule(
        "audit_continues",
        "audit",
        "insert",
        "new.sequence <> 1 + (select coalesce(max(other.sequence), 0) from audit as other) or new.previous_hash <>"
        f" coalesce((select other.hash from audit as other order by other.sequence desc limit 1), '{'0' * 64}')"
        " or length(new.hash) <> 64",
        "the chain goes on from its last link",
    ),
    not_replaced("audit", "other.hash = new.hash"),
    *never("audit", "update", "delete"),
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
    *never("audit_head", "delete"),
]
