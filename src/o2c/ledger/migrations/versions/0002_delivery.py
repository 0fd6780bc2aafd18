"""Approvals, attempts, delivery events, suppressions, pauses, order holds, activities and the audit chain.

Letters keep their rows and states. One that a killed run left in ``sending`` is claimed by nobody any longer, so its
lease is over: the carrier is asked what became of it. The audit chain begins with every letter as it was found.
"""

from datetime import UTC, date, datetime, time
from itertools import groupby

from alembic import op
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateTable

from o2c.ledger.auditing import Change, append
from o2c.ledger.tables import letters, metadata

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


def upgrade() -> None:
    con = op.get_bind()
    there = set(inspect(con).get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in there:
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
    new = letters.to_metadata(metadata, name=_REBUILT)
    metadata.remove(new)
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
        if constraint.name in ("letter_state", "sent_has_an_instant", "claimed_has_an_owner"):
            op.create_check_constraint(constraint.name, "letters", constraint.sqltext)
    there_indexes = {index["name"] for index in inspect(con).get_indexes("letters")}
    for index in letters.indexes:
        if index.name not in there_indexes:
            index.create(con)


def _begin_the_chain(con: Connection) -> None:
    query = select(letters.c.letter_id, letters.c.state, letters.c.decided_as_of_date, letters.c.sent_at)
    rows = con.execute(query.order_by(letters.c.decided_as_of_date, letters.c.letter_id)).all()
    for at, found in groupby(rows, lambda row: row.sent_at or _midnight(row.decided_as_of_date)):
        changes = [
            Change("o2c", "take over", f"letter:{row.letter_id}", None, row.state, "earlier version")
            for row in found
        ]
        append(con, changes, at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
