"""Tables of the ledger. Its constraints, not code, forbid a second letter of one identity.

Amounts are text (SQLite has no decimal); dates are ISO text by SQLAlchemy's Date; instants are UTC. What a column
cannot say (transitions, quiet days, who may approve, what is never changed) triggers say: see ``ledger.triggers``.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy import UniqueConstraint as Unique

from o2c.ledger.states import ALL_STATES, FAILED_STATES

metadata = MetaData()


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("name", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("mapping_id", String, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Index("deliveries_by_source", "source", "delivery_id"),
)

# What counted as landed, and from when to when: a landing opens rows for what is new and closes what has gone.
known_files = Table(
    "known_files",
    metadata,
    Column("known_file_id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("table_name", String, nullable=False),
    Column("name", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("mapping_id", String, nullable=False),
    Column("names_order", Integer, nullable=False),
    Column("is_chosen", Integer, nullable=False),
    Column("is_open_items_only", Integer, nullable=False),
    Column("balance_date", Date),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_until", DateTime(timezone=True)),
    Index("known_files_by_instant", "known_from", "known_until"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_number", Integer, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("is_sending", Integer, nullable=False),
    Column("applications_file", String),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    # null in rows of earlier versions: known when it started, published as the current release
    Column("known_at", DateTime(timezone=True)),
    Column("publishes", String),
    # counts and amounts of the run as JSON: what the brakes of later runs are measured against
    Column("measures", String),
    CheckConstraint("state in ('started', 'published', 'failed')", name="run_state"),
)

# What a person (or the policy, where no person is needed) says yes or no to: exactly this list, by its hash.
approval_requests = Table(
    "approval_requests",
    metadata,
    Column("request_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("amounts", String, nullable=False),  # JSON: currency code to total
    Column("largest_amounts", String, nullable=False),  # JSON: currency code to the largest single amount
    Column("content", String, nullable=False),  # JSON: the list itself, sorted; content_hash is its sha-256
    Column("required_approval_count", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("prepared_by", String, nullable=False),
    Column("prepared_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("carried_out_at", DateTime(timezone=True)),
    Unique("request_id", "content_hash", "prepared_by", name="approval_request_content"),
    CheckConstraint(
        _one_of("kind", ("letters", "referrals", "holds", "write_offs")), name="approval_request_kind"
    ),
    CheckConstraint(
        _one_of("state", ("waiting", "approved", "rejected", "expired", "superseded")),
        name="approval_request_state",
    ),
    CheckConstraint("required_approval_count between 0 and 2", name="approval_request_count"),
    CheckConstraint("prepared_by = lower(prepared_by)", name="approval_request_preparer"),
    Index("approval_requests_by_batch", "batch_id"),
)

# One yes or no of one person. Who prepared the list is part of the key, so that nobody can approve his own.
approvals = Table(
    "approvals",
    metadata,
    Column("request_id", String, primary_key=True),
    Column("approver", String, primary_key=True),
    Column("content_hash", String, nullable=False),
    Column("prepared_by", String, nullable=False),
    Column("role", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("comment", String),
    Column("signature", String),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["request_id", "content_hash", "prepared_by"],
        ["approval_requests.request_id", "approval_requests.content_hash", "approval_requests.prepared_by"],
        name="approval_of_exactly_this",
    ),
    CheckConstraint("approver <> prepared_by", name="nobody_approves_his_own"),
    CheckConstraint("approver = lower(approver) and approver <> ''", name="approver_in_lower_case"),
    CheckConstraint(_one_of("verdict", ("approve", "reject")), name="approval_verdict"),
    CheckConstraint("expires_at > approved_at", name="approval_expires_later"),
)

# The letters of a list, one by one, so that the database can tell whether one was in what people approved.
approval_items = Table(
    "approval_items",
    metadata,
    Column("request_id", String, ForeignKey("approval_requests.request_id"), primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("message_hash", String, nullable=False),
    Column("address", String, nullable=False),
)

letters = Table(
    "letters",
    metadata,
    Column("letter_id", String, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column(
        "request_id", String, ForeignKey("approval_requests.request_id")
    ),  # null before there were requests
    Column("kind", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("currency_code", String, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("occasion", String, nullable=False, server_default=""),
    Column("try_number", Integer, nullable=False),
    Column("stage", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("language_code", String, nullable=False),
    Column("contact_id", String),
    Column("address", String, nullable=False),
    Column("time_zone", String),
    Column("total_amount", String, nullable=False),
    Column("state", String, nullable=False),
    Column("state_reason", String),
    Column("state_changed_at", DateTime(timezone=True)),
    Column("message_hash", String, nullable=False),
    Column("decided_as_of_date", Date, nullable=False),
    # of the claim: the day that quiet days count from, who has it and until when, and how often it was tried
    Column("quiet_days", Integer, nullable=False, server_default="0"),
    Column("contact_date", Date),
    Column("attempt_count", Integer, nullable=False, server_default="0"),
    Column("owner", String),
    Column("lease_until", DateTime(timezone=True)),
    Column("not_before", DateTime(timezone=True)),  # back-off after a carrier that could not take it
    Column("carrier", String),
    Column("carrier_message_id", String),
    Column("sent_at", DateTime(timezone=True)),
    Unique(
        "kind",
        "entity_id",
        "customer_id",
        "currency_code",
        "episode",
        "level",
        "occasion",
        "try_number",
        name="letter_identity",
    ),
    CheckConstraint(_one_of("state", ALL_STATES), name="letter_state"),
    CheckConstraint("state <> 'sent' or sent_at is not null", name="sent_has_an_instant"),
    CheckConstraint(
        "(state = 'sending') = (owner is not null and lease_until is not null)", name="claimed_has_an_owner"
    ),
    Index("letters_by_customer", "entity_id", "customer_id", "currency_code"),
    Index("letters_by_state", "state", "batch_id"),
    Index("letters_by_contact", "customer_id", "contact_date"),
    Index("letters_by_address", text("lower(address)"), "contact_date"),
    Index(
        "letter_alive_once",
        *("kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion"),
        unique=True,
        sqlite_where=text(f"not ({_one_of('state', FAILED_STATES)})"),
        postgresql_where=text(f"not ({_one_of('state', FAILED_STATES)})"),
    ),
)

# Exactly what leaves, compressed; written with the letter, so that the renderer is not called again.
letter_messages = Table(
    "letter_messages",
    metadata,
    Column("letter_id", String, ForeignKey("letters.letter_id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

letter_lines = Table(
    "letter_lines",
    metadata,
    Column("letter_id", String, ForeignKey("letters.letter_id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("invoice_id", String, nullable=False),
    Column("installment_number", Integer, nullable=False),
    Column("invoice_number", String, nullable=False),
    Column("po_number", String),
    Column("currency_code", String, nullable=False),
    Column("occasion", String),
    Column("invoice_amount", String, nullable=False),
    Column("disputed_amount", String, nullable=False),
    Column("amount", String, nullable=False),
    Column("days_past_due", Integer, nullable=False),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
)

# Intent before effect: a row stands here before anything is posted.
attempts = Table(
    "attempts",
    metadata,
    Column("letter_id", String, ForeignKey("letters.letter_id"), primary_key=True),
    Column("attempt_number", Integer, primary_key=True),
    Column("carrier", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("outcome", String),
    Column("http_status", Integer),
    Column("error_class", String),
    Column("request_id", String),  # of the carrier's answer
    Column("carrier_message_id", String),
    CheckConstraint(
        "outcome is null or "
        + _one_of("outcome", ("accepted", "not_accepted", "refused", "paused", "unknown")),
        name="attempt_outcome",
    ),
    CheckConstraint("(ended_at is null) = (outcome is null)", name="attempt_ends_with_an_outcome"),
)

# What the carrier says became of a letter. Each once, in any order; a letter_id of null is nobody's we know.
delivery_events = Table(
    "delivery_events",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("letter_id", String, ForeignKey("letters.letter_id")),
    Column("carrier", String, nullable=False),
    Column("event_type", String, nullable=False),
    Column("carrier_message_id", String),
    Column("detail", String),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("content_hash", String, nullable=False),
    Index("delivery_events_by_letter", "letter_id"),
)

# How far a carrier's events were read: all that it published before ``read_until`` stands in delivery_events.
event_streams = Table(
    "event_streams",
    metadata,
    Column("carrier", String, primary_key=True),
    Column("read_until", DateTime(timezone=True), nullable=False),
)

# Addresses that nothing is sent to until a person lifts it. One open row per address.
suppressions = Table(
    "suppressions",
    metadata,
    Column("suppression_id", Integer, primary_key=True),
    Column("address", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("event_id", String),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("lifted_at", DateTime(timezone=True)),
    Column("lifted_by", String),
    CheckConstraint("address = lower(address)", name="suppressed_address_in_lower_case"),
    Index(
        "suppressed_once",
        "address",
        unique=True,
        sqlite_where=text("lifted_at is null"),
        postgresql_where=text("lifted_at is null"),
    ),
)

# A carrier that must not be used: until an instant (a quota), or until a person lifts it.
pauses = Table(
    "pauses",
    metadata,
    Column("pause_id", Integer, primary_key=True),
    Column("carrier", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("lifted_at", DateTime(timezone=True)),
    Column("lifted_by", String),
    Index("pauses_by_carrier", "carrier", "lifted_at"),
)

placements = Table(
    "placements",
    metadata,
    Column("invoice_id", String, primary_key=True),
    Column("installment_number", Integer, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("agency_id", String, nullable=False),
    Column("placed_date", Date, nullable=False),
    Column("request_id", String, ForeignKey("approval_requests.request_id")),
    Column("currency_code", String),
    Column("placed_amount", String),
    Column("recalled_date", Date),
    Column("recall_reason", String),
)

# Orders held and released with approval: what was exported to the order system.
order_holds = Table(
    "order_holds",
    metadata,
    Column("hold_id", String, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("decided_as_of_date", Date, nullable=False),
    Column("request_id", String, ForeignKey("approval_requests.request_id"), nullable=False),
    Column("exported_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(_one_of("action", ("hold", "release")), name="order_hold_action"),
)

# What happened with a customer, and what a person is to do about it while ``closed_at`` is null.
activities = Table(
    "activities",
    metadata,
    Column("activity_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("letter_id", String, ForeignKey("letters.letter_id")),
    Column("activity_at", DateTime(timezone=True), nullable=False),
    Column("channel", String, nullable=False),
    Column("outcome_code", String, nullable=False),
    Column("note", String, nullable=False),
    Column("is_task", Integer, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", String),
    Index("activities_by_customer", "customer_id", "activity_at"),
)

# Append-only: each row holds the hash of the one before, so that a change anywhere shows.
audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("before", String),
    Column("after", String),
    Column("reason", String),
    Column("previous_hash", String, nullable=False, unique=True),
    Column("hash", String, nullable=False, unique=True),
)

# Where the chain ends: a chain alone cannot tell that its last entries are gone. One row, there from the beginning.
audit_head = Table(
    "audit_head",
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String, nullable=False),
    CheckConstraint("head_id = 1", name="one_audit_head"),
)

# Which text of ``ledger.triggers`` the database has, so that a newer one replaces it. One row.
installed_triggers = Table("installed_triggers", metadata, Column("content_hash", String, primary_key=True))
