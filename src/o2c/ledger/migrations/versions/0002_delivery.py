"""Approvals, attempts, delivery events, suppressions, pauses, order holds, activities and the audit chain.

Letters keep their rows and states. One that a killed run left in ``sending`` is claimed by nobody any longer, so its
lease is over: the carrier is asked what became of it. The audit chain begins with every letter as it was found.
"""

from datetime import UTC, date, datetime, time

from alembic import op
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
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
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.schema import CreateTable

from o2c.ledger.auditing import FIRST_HASH, row_hash

revision = "0002"
down_revision = "0001"

_REBUILT = "letters_0002"
_REFERENCE = "request_id varchar references approval_requests (request_id)"
_ADDED = (
    ("runs", "measures varchar"),
    ("placements", _REFERENCE),
    ("placements", "currency_code varchar"),
    ("placements", "placed_amount varchar"),
    ("placements", "recalled_date date"),
    ("placements", "recall_reason varchar"),
)
_ADDED_TO_LETTERS = (
    _REFERENCE,
    "contact_id varchar",
    "time_zone varchar",
    "state_reason varchar",
    "state_changed_at timestamp with time zone",
    "quiet_days integer not null default '0'",
    "contact_date date",
    "attempt_count integer not null default '0'",
    "owner varchar",
    "lease_until timestamp with time zone",
    "not_before timestamp with time zone",
    "carrier varchar",
    "carrier_message_id varchar",
)


# States as they were when this revision was written.
_STATES = (
    "rendered", "approval_pending", "approved", "sending", "unknown", "sent", "delivered", "not_delivered", "bounced",
    "complained", "refused", "presumed_not_sent", "cancelled",
)  # fmt: skip
_FAILED = ("cancelled", "refused", "bounced", "not_delivered", "presumed_not_sent")

added = MetaData()


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


Table(
    "approval_requests",
    added,
    Column("request_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("amounts", String, nullable=False),
    Column("largest_amounts", String, nullable=False),
    Column("content", String, nullable=False),
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

Table(
    "approvals",
    added,
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

Table(
    "approval_items",
    added,
    Column("request_id", String, ForeignKey("approval_requests.request_id"), primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("message_hash", String, nullable=False),
    Column("address", String, nullable=False),
)

letters = Table(
    "letters",
    added,
    Column("letter_id", String, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column("request_id", String, ForeignKey("approval_requests.request_id")),
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
    Column("quiet_days", Integer, nullable=False, server_default="0"),
    Column("contact_date", Date),
    Column("attempt_count", Integer, nullable=False, server_default="0"),
    Column("owner", String),
    Column("lease_until", DateTime(timezone=True)),
    Column("not_before", DateTime(timezone=True)),
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
    CheckConstraint(_one_of("state", _STATES), name="letter_state"),
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
        sqlite_where=text(f"not ({_one_of('state', _FAILED)})"),
        postgresql_where=text(f"not ({_one_of('state', _FAILED)})"),
    ),
)

Table(
    "letter_messages",
    added,
    Column("letter_id", String, ForeignKey("letters.letter_id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

Table(
    "attempts",
    added,
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
    Column("request_id", String),
    Column("carrier_message_id", String),
    CheckConstraint(
        "outcome is null or "
        + _one_of("outcome", ("accepted", "not_accepted", "refused", "paused", "unknown")),
        name="attempt_outcome",
    ),
    CheckConstraint("(ended_at is null) = (outcome is null)", name="attempt_ends_with_an_outcome"),
)

Table(
    "delivery_events",
    added,
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

Table(
    "event_streams",
    added,
    Column("carrier", String, primary_key=True),
    Column("read_until", DateTime(timezone=True), nullable=False),
)

Table(
    "suppressions",
    added,
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

Table(
    "pauses",
    added,
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

Table(
    "order_holds",
    added,
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

Table(
    "activities",
    added,
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

Table(
    "audit",
    added,
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

Table("installed_triggers", added, Column("content_hash", String, primary_key=True))


def upgrade() -> None:
    con = op.get_bind()
    for table in added.sorted_tables:
        if table.name != "letters":
            table.create(con)
    for table, column in _ADDED:
        op.execute(f"alter table {table} add column {column}")
    if con.dialect.name == "sqlite":
        _rebuild_letters(con)
    else:
        _alter_letters(con)
    _begin_the_chain(con)


def _converted() -> dict[str, str]:
    """What the new columns are in a letter that was there."""
    return {
        "carrier": "case when state in ('sending', 'sent') then 'folder' end",
        "contact_date": "case when state in ('sending', 'sent') then decided_as_of_date end",
        "owner": "case when state = 'sending' then 'earlier version' end",
        "state_changed_at": "sent_at",
    }


def _rebuild_letters(con: Connection) -> None:
    """SQLite changes no constraint of a table, so the table is made anew."""
    new = letters.to_metadata(added, name=_REBUILT)
    added.remove(new)
    before = [column["name"] for column in inspect(con).get_columns("letters")]
    values = _converted() | {
        "lease_until": "case when state = 'sending' then decided_as_of_date || ' 00:00:00.000000' end"
    }
    con.execute(CreateTable(new))
    names, found = ", ".join([*before, *values]), ", ".join([*before, *values.values()])
    con.execute(text(f"insert into {_REBUILT} ({names}) select {found} from letters"))  # noqa: S608
    op.drop_table("letters")
    op.rename_table(_REBUILT, "letters")
    for index in letters.indexes:
        index.create(con)


def _alter_letters(con: Connection) -> None:
    op.drop_constraint("letter_state", "letters")
    op.drop_constraint("sent_has_an_instant", "letters")
    for column in _ADDED_TO_LETTERS:
        op.execute(f"alter table letters add column {column}")
    values = _converted() | {
        "lease_until": "case when state = 'sending' then decided_as_of_date::timestamp at time zone 'UTC' end"
    }
    changed = ", ".join(f"{name} = {value}" for name, value in values.items())
    con.execute(text(f"update letters set {changed}"))  # noqa: S608
    for constraint in letters.constraints:
        if isinstance(constraint, CheckConstraint):
            op.create_check_constraint(str(constraint.name), "letters", constraint.sqltext)
    there_indexes = {index["name"] for index in inspect(con).get_indexes("letters")}
    for index in letters.indexes:
        if index.name not in there_indexes:
            index.create(con)


def _begin_the_chain(con: Connection) -> None:
    query = select(letters.c.letter_id, letters.c.state, letters.c.decided_as_of_date, letters.c.sent_at)
    rows, previous = [], FIRST_HASH
    for row in con.execute(query.order_by(letters.c.decided_as_of_date, letters.c.letter_id)):
        entry = {
            "sequence": len(rows) + 1,
            "recorded_at": row.sent_at or _midnight(row.decided_as_of_date),
            "actor": "o2c",
            "action": "take over",
            "subject": f"letter:{row.letter_id}",
            "before": None,
            "after": row.state,
            "reason": "earlier version",
            "previous_hash": previous,
        }
        previous = entry["hash"] = row_hash(entry)
        rows.append(entry)
    if rows:
        con.execute(insert(added.tables["audit"]), rows)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
