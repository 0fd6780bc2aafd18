"""Tables of the ledger. Its constraints, not code, forbid a second letter of one identity.

Amounts are text (SQLite has no decimal); dates are ISO text by SQLAlchemy's Date; instants are UTC.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy import UniqueConstraint as Unique

metadata = MetaData()

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
    CheckConstraint("state in ('started', 'published', 'failed')", name="run_state"),
)

letters = Table(
    "letters",
    metadata,
    Column("letter_id", String, primary_key=True),
    Column("batch_id", String, nullable=False),
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
    Column("address", String, nullable=False),
    Column("total_amount", String, nullable=False),
    Column("state", String, nullable=False),
    Column("message_hash", String, nullable=False),
    Column("decided_as_of_date", Date, nullable=False),
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
    CheckConstraint("state in ('approval_pending', 'sending', 'sent', 'cancelled')", name="letter_state"),
    CheckConstraint("(state = 'sent') = (sent_at is not null)", name="sent_has_an_instant"),
    Index("letters_by_customer", "entity_id", "customer_id", "currency_code"),
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

placements = Table(
    "placements",
    metadata,
    Column("invoice_id", String, primary_key=True),
    Column("installment_number", Integer, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("agency_id", String, nullable=False),
    Column("placed_date", Date, nullable=False),
)
