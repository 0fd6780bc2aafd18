"""Letters that have not left and still may: what is looked at once more before they do."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
from sqlalchemy import Engine, select

from o2c.contract import MONEY
from o2c.frames import LetterLines
from o2c.ledger.cash import list_decision_files
from o2c.ledger.store import Ledger
from o2c.ledger.tables import letter_lines, letters, runs

UNSENT_STATES = ("rendered", "approval_pending", "approved")
_LETTER = {
    "letter_id": pl.String(),
    "batch_id": pl.String(),
    "kind": pl.String(),
    "entity_id": pl.String(),
    "customer_id": pl.String(),
    "currency_code": pl.String(),
    "level": pl.Int64(),
    "channel": pl.String(),
    "contact_id": pl.String(),
    "address": pl.String(),
    "state": pl.String(),
    "decided_as_of_date": pl.Date(),
}


@dataclass(frozen=True)
class Unsent:
    """Letters by letter_id with the columns that a second look needs, and what they list (frames.LetterLines)."""

    letters: pl.DataFrame
    lines: pl.DataFrame


def unsent_letters(engine: Engine) -> Unsent:
    """Everything that waits: for people, or for its hour."""
    waits = letters.c.state.in_(UNSENT_STATES)
    lines = LetterLines.empty().schema
    with engine.connect() as con:
        found = con.execute(
            select(*(letters.c[name] for name in _LETTER)).where(waits).order_by(letters.c.letter_id)
        ).all()
        listed = con.execute(
            select(*(letter_lines.c[name] for name in lines))
            .join(letters, letters.c.letter_id == letter_lines.c.letter_id)
            .where(waits)
            .order_by(letter_lines.c.letter_id, letter_lines.c.line_number)
        ).all()
    text = {name: pl.String() if kind == MONEY else kind for name, kind in lines.items()}
    return Unsent(
        pl.DataFrame(found, schema=_LETTER, orient="row"),
        LetterLines.validate(pl.DataFrame(listed, schema=text, orient="row").cast(dict(lines))),
    )


def published_knowledge(engine: Engine, run_id: str) -> datetime | None:
    """What the run knew, where the last attempt at it was published; None where its build may not be whole."""
    query = (
        select(runs.c.state, runs.c.known_at)
        .where(runs.c.run_id == run_id)
        .order_by(runs.c.run_number.desc())
        .limit(1)
    )
    with engine.connect() as con:
        row = con.execute(query).one_or_none()
    if row is None or row.state != "published" or row.known_at is None:
        return None
    return row.known_at.replace(tzinfo=UTC) if row.known_at.tzinfo is None else row.known_at


def newest_knowledge(ledger: Ledger) -> datetime | None:
    """The last instant at which anything came that a letter may depend on: files, runs, persons' decisions on cash."""
    given = [file.given_at for file in list_decision_files(ledger.engine)]
    return max(filter(None, [ledger.latest_knowledge(), *given]), default=None)
