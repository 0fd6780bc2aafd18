"""The ledger before letters were approved and attempted, as any earlier version left it.

Homes of earlier versions name no revision. Their tables are here with what they had at first; what came since is
added, and is null in their rows.
"""

from alembic import op
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
    UniqueConstraint,
    inspect,
)

revision = "0001"
down_revision = None

earlier = MetaData()

Table(
    "deliveries",
    earlier,
    Column("delivery_id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("name", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("mapping_id", String, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Index("deliveries_by_source", "source", "delivery_id"),
)

Table(
    "known_files",
    earlier,
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

Table(
    "runs",
    earlier,
    Column("run_number", Integer, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("is_sending", Integer, nullable=False),
    Column("applications_file", String),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("known_at", DateTime(timezone=True)),
    Column("publishes", String),
    CheckConstraint("state in ('started', 'published', 'failed')", name="run_state"),
)

Table(
    "letters",
    earlier,
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
    UniqueConstraint(
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

Table(
    "letter_lines",
    earlier,
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

Table(
    "placements",
    earlier,
    Column("invoice_id", String, primary_key=True),
    Column("installment_number", Integer, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("agency_id", String, nullable=False),
    Column("placed_date", Date, nullable=False),
)

Table(
    "cash_decision_files",
    earlier,
    Column("file_number", Integer, primary_key=True),
    Column("file_id", String, nullable=False, unique=True),
    Column("given_by", String, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("decision_count", Integer, nullable=False),
)


def upgrade() -> None:
    """Create what is not there yet."""
    con = op.get_bind()
    found = inspect(con)
    there = set(found.get_table_names())
    for table in earlier.sorted_tables:
        if table.name not in there:
            table.create(con)
            continue
        columns = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                op.add_column(table.name, Column(column.name, column.type))
