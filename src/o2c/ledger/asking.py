"""What the ledger says to those who put lists together: letters to ask about, write-offs answered."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Engine, and_, exists, func, select

from o2c.approvals import read_items
from o2c.contract import MONEY
from o2c.ledger.moving import utc
from o2c.ledger.states import FIRST_STATES
from o2c.ledger.tables import approval_requests as requests
from o2c.ledger.tables import approvals, letters

LETTERS = {
    "letter_id": pl.String(),
    "customer_id": pl.String(),
    "level": pl.Int64(),
    "stage": pl.String(),
    "currency_code": pl.String(),
    "total_amount": MONEY,
    "address": pl.String(),
    "message_hash": pl.String(),
    "is_second_try": pl.Boolean(),
}


@dataclass(frozen=True)
class WriteOffAnswers:
    """What people said to write-offs beyond the limit, by decision_id; and in which list the others wait."""

    approved: frozenset[str]
    rejected: dict[str, str]
    waiting: dict[str, str]


def letters_to_ask(engine: Engine, batch_id: str) -> pl.DataFrame:
    """Letters of a batch that were rendered and not decided on, as LETTERS, by id.

    ``is_second_try``: one of the same identity was sent or not, nobody knows, and is presumed not sent.
    """
    before = letters.alias("before")
    names = ("kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion")
    lost = exists().where(
        and_(*(before.c[name] == letters.c[name] for name in names)),
        before.c.try_number < letters.c.try_number,
        before.c.state == "presumed_not_sent",
    )
    columns = [letters.c[name] for name in LETTERS if name != "is_second_try"]
    query = select(*columns, lost.label("is_second_try")).where(
        letters.c.batch_id == batch_id, letters.c.state.in_(FIRST_STATES)
    )
    with engine.connect() as con:
        rows = [
            row._asdict() | {"is_second_try": bool(row.is_second_try)}
            for row in con.execute(query.order_by(letters.c.letter_id))
        ]
    texts = pl.DataFrame(rows, schema=LETTERS | {"total_amount": pl.String()})
    return texts.with_columns(pl.col("total_amount").str.to_decimal(scale=4).cast(MONEY))


def write_off_answers(engine: Engine, known_at: datetime | None = None) -> WriteOffAnswers:
    """Which decisions beyond the limit people approved or rejected.

    Args:
        known_at: without what was said after this instant; by default all.
    """
    said_at = func.max(approvals.c.approved_at).label("said_at")
    answers = select(approvals.c.request_id, said_at).group_by(approvals.c.request_id).subquery()
    query = (
        select(requests.c.request_id, requests.c.state, requests.c.content, answers.c.said_at)
        .outerjoin(answers, answers.c.request_id == requests.c.request_id)
        .where(requests.c.kind == "write_offs", requests.c.state.in_(("waiting", "approved", "rejected")))
        .order_by(requests.c.prepared_at, requests.c.request_id)
    )
    found: dict[str, dict[str, str]] = {"waiting": {}, "approved": {}, "rejected": {}}
    with engine.connect() as con:
        for row in con.execute(query):
            is_later = known_at is not None and row.said_at is not None and utc(row.said_at) > known_at
            state = "waiting" if is_later else row.state
            for item in read_items(row.content):
                found[state][item["item_id"]] = row.request_id
    return WriteOffAnswers(frozenset(found["approved"]), found["rejected"], found["waiting"])
