"""Letters as decisions, marts and people read them. What they become is written in ``planning`` and ``outgoing``."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import polars as pl
from sqlalchemy import Column, ColumnElement, Engine, or_, select

from o2c.contract import MONEY
from o2c.frames import LetterHistory, LetterLines, LineHistory
from o2c.ledger.moving import utc
from o2c.ledger.tables import letter_lines, letters

# What others may see of a letter: claims, leases and carriers' answers stay here.
SHOWN = (
    "letter_id", "batch_id", "kind", "entity_id", "customer_id", "currency_code", "episode", "level", "occasion",
    "try_number", "stage", "channel", "language_code", "address", "total_amount", "state", "message_hash",
    "decided_as_of_date", "contact_date", "sent_at",
)  # fmt: skip
_POLARS = {
    "String": pl.String(),
    "Integer": pl.Int64(),
    "Date": pl.Date(),
    "DateTime": pl.Datetime("us", "UTC"),
}


class LetterRows:
    """Reads letters and their lines."""

    _engine: Engine

    def letters_before(
        self, as_of: date, known_at: datetime | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Letters decided before a date (frames.LetterHistory) and the invoices that reminders listed (LineHistory).

        Args:
            known_at: without letters that left after this instant; by default all.
        """
        columns = [
            letters.c[name] for name in LetterHistory.columns() if name not in ("sent_date", "state_date")
        ]
        with self._engine.connect() as con:
            rows = con.execute(
                select(*columns, letters.c.sent_at, letters.c.contact_date, letters.c.state_changed_at).where(
                    letters.c.decided_as_of_date < as_of, *_left_by(known_at)
                )
            ).all()
            listed = con.execute(
                select(
                    letter_lines.c.letter_id,
                    letter_lines.c.invoice_id,
                    letter_lines.c.occasion,
                    letters.c.state,
                    letters.c.sent_at,
                )
                .join(letters, letters.c.letter_id == letter_lines.c.letter_id)
                .where(
                    letters.c.decided_as_of_date < as_of,
                    letter_lines.c.occasion.is_not(None),
                    *_left_by(known_at),
                )
            ).all()
        history = pl.DataFrame(
            [
                {
                    **row._asdict(),
                    "occasion": row.occasion or None,
                    "sent_date": row.contact_date or (row.decided_as_of_date if row.sent_at else None),
                    "state_date": row.state_changed_at and utc(row.state_changed_at).astimezone(UTC).date(),
                }
                for row in rows
            ],
            schema=LetterHistory.empty().schema,
        )
        left = dict(history.select("letter_id", "sent_date").iter_rows())
        lines = pl.DataFrame(
            [{**row._asdict(), "sent_date": left[row.letter_id] if row.sent_at else None} for row in listed],
            schema=LineHistory.empty().schema,
        )
        return LetterHistory.validate(history), LineHistory.validate(lines)

    def letter_rows(self, until: date, known_at: datetime | None = None) -> pl.DataFrame:
        """All letters decided up to a date, what others may see of them, sorted by id.

        Args:
            known_at: without letters that left after this instant; by default all.
        """
        query = (
            select(*(letters.c[name] for name in SHOWN))
            .where(letters.c.decided_as_of_date <= until, *_left_by(known_at))
            .order_by(letters.c.letter_id)
        )
        with self._engine.connect() as con:
            rows = [
                row._asdict() | {"sent_at": row.sent_at and utc(row.sent_at)} for row in con.execute(query)
            ]
        schema = schema_of(letters.c[name] for name in SHOWN)
        return pl.DataFrame(rows, schema=schema).with_columns(
            pl.col("total_amount").cast(MONEY), pl.col("occasion").replace("", None)
        )

    def line_rows(self, until: date) -> pl.DataFrame:
        """The lines of ``letter_rows`` (frames.LetterLines), sorted by letter and line."""
        query = (
            select(letter_lines)
            .join(letters, letters.c.letter_id == letter_lines.c.letter_id)
            .where(letters.c.decided_as_of_date <= until)
            .order_by(letter_lines.c.letter_id, letter_lines.c.line_number)
        )
        with self._engine.connect() as con:
            rows = [row._asdict() for row in con.execute(query)]
        schema = schema_of(letter_lines.columns)
        frame = pl.DataFrame(rows, schema=schema).with_columns(
            pl.col("invoice_amount", "disputed_amount", "amount").cast(MONEY)
        )
        return LetterLines.validate(frame.select(LetterLines.columns()))


def _left_by(known_at: datetime | None) -> list[ColumnElement[bool]]:
    """Letters that had not left after an instant, as a condition; none for all."""
    return [] if known_at is None else [or_(letters.c.sent_at.is_(None), letters.c.sent_at <= known_at)]


def schema_of(columns: Iterable[Column]) -> dict[str, pl.DataType]:
    """Columns of the ledger as polars has them; amounts are text there."""
    return {column.name: _POLARS[column.type.__class__.__name__] for column in columns}
