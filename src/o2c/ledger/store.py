"""The ledger of one home: everything that must never be forgotten or doubled, behind one name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from o2c.ledger.files import DeliveryRows
from o2c.ledger.letters import LetterRows
from o2c.ledger.opening import LedgerError, open_engine, rule_broken
from o2c.ledger.placed import PlacementRows
from o2c.ledger.runs import RunRows
from o2c.ledger.tables import letter_lines, letters

__all__ = ["Ledger", "LedgerError", "SentLetter", "UnsettledLetter"]


@dataclass(frozen=True)
class SentLetter:
    """A letter as the ledger keeps it: identity, address, hash of the exact message, and its lines."""

    row: dict[str, Any]
    lines: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class UnsettledLetter:
    """A letter of which the ledger knows that it was to leave, not whether it did."""

    letter_id: str
    batch_id: str
    decided_as_of_date: date


class Ledger(DeliveryRows, RunRows, LetterRows, PlacementRows):
    """The store of one home, in SQLite or PostgreSQL. Safe to open from several processes at once.

    One short transaction per call; nothing is held open across other work. Opening brings tables and triggers to
    this version.

    Raises:
        LedgerError: the database cannot be opened, is of a later version, or would not keep what it was told.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    @property
    def engine(self) -> Engine:
        return self._engine

    def record_letters(self, planned: Iterable[SentLetter]) -> None:
        """Write letters down before anything leaves, in the state that their row gives.

        A letter of the same identity that still waits for approval is replaced; one that left is not touched.

        Raises:
            LedgerError: an identity is there already in another state and with another message.
        """
        planned = list(planned)
        try:
            with self._engine.begin() as con:
                pending = set(
                    con.execute(
                        select(letters.c.letter_id).where(letters.c.state == "approval_pending")
                    ).scalars()
                )
                for letter_id in sorted(pending & {letter.row["letter_id"] for letter in planned}):
                    con.execute(letter_lines.delete().where(letter_lines.c.letter_id == letter_id))
                    con.execute(letters.delete().where(letters.c.letter_id == letter_id))
                rows = [letter.row for letter in planned]
                lines = [line for letter in planned for line in letter.lines]
                if rows:
                    con.execute(insert(letters), rows)
                if lines:
                    con.execute(insert(letter_lines), lines)
        except IntegrityError as error:
            raise LedgerError(
                f"the ledger refuses a second letter of one identity: {rule_broken(error)}"
            ) from None

    def settle_letters(self, outcomes: dict[str, str], now: datetime) -> None:
        """Record what became of letters in state ``sending``: ``sent`` or ``cancelled`` by letter id."""
        with self._engine.begin() as con:
            for state in ("sent", "cancelled"):
                ids = [letter_id for letter_id, outcome in outcomes.items() if outcome == state]
                for start in range(0, len(ids), 500):
                    con.execute(
                        update(letters)
                        .where(
                            letters.c.letter_id.in_(ids[start : start + 500]), letters.c.state == "sending"
                        )
                        .values(state=state, sent_at=now if state == "sent" else None)
                    )

    def unsettled_letters(self) -> list[UnsettledLetter]:
        """Letters that an interrupted run left in state ``sending``."""
        query = select(letters.c.letter_id, letters.c.batch_id, letters.c.decided_as_of_date).where(
            letters.c.state == "sending"
        )
        with self._engine.connect() as con:
            return [UnsettledLetter(*row) for row in con.execute(query)]

    def forget_letters(self, letter_ids: list[str]) -> None:
        """Take back intents that certainly came to nothing. Letters in any other state are left alone."""
        sending = select(letters.c.letter_id).where(letters.c.state == "sending")
        with self._engine.begin() as con:
            for letter_id in letter_ids:
                con.execute(
                    letter_lines.delete().where(
                        letter_lines.c.letter_id == letter_id, letter_lines.c.letter_id.in_(sending)
                    )
                )
                con.execute(
                    letters.delete().where(letters.c.letter_id == letter_id, letters.c.state == "sending")
                )
