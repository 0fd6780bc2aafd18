"""Where the audit chain ends stands beside it: a chain alone cannot tell that its last entries are gone."""

from alembic import op
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, text

revision = "0003"
down_revision = "0002"

audit_head = Table(
    "audit_head",
    MetaData(),
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String, nullable=False),
    CheckConstraint("head_id = 1", name="one_audit_head"),
)


def upgrade() -> None:
    con = op.get_bind()
    audit_head.create(con)
    first = "0" * 64
    con.execute(
        text(
            "insert into audit_head select 1, (select coalesce(max(sequence), 0) from audit),"
            " coalesce((select hash from audit order by sequence desc limit 1), :first)"
        ),
        {"first": first},
    )
