"""The folder as a carrier: every letter a file, the pages to leaf through written anew with each batch."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row

from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.folder import alone, write_batch
from o2c.durable import sync
from o2c.ledger.queueing import rows_at_carrier, with_contents
from o2c.letter_message import Message, file_name, reference
from o2c.locale_formats import amount_writer, letter_locale

NAME = "folder"


class FolderCarrier:
    """Takes letters by writing them into ``<folder>/<batch_id>``; reaches nobody.

    A letter that lies there with the same bytes left, one that does not did not: it can be asked for certain, and
    taking a letter twice comes to the same. One process at a time writes.
    """

    name = NAME
    reaches_people = False
    reports_delivery = False

    def __init__(self, folder: Path, engine: Engine, messages: Mapping[str, Message] | None = None) -> None:
        """``messages`` are letters as rendered, by id: their pages tell customers' names, which the ledger has not."""
        self._folder, self._engine, self._messages = folder, engine, messages or {}

    def has(self, letter: OutgoingLetter) -> bool:
        """Whether exactly this letter lies in its batch's folder, for good."""
        path = self._folder / letter.batch_id / file_name(letter.letter_id, letter.channel)
        try:
            if path.read_bytes() != letter.content:
                return False
        except FileNotFoundError:
            return False
        sync(path.parent)  # a run that was killed may have renamed it and not come further
        return True

    def send(self, letter: OutgoingLetter) -> Outcome:
        """One letter, with its batch's pages."""
        return self.send_many([letter])[0]

    def send_many(self, letters: Sequence[OutgoingLetter]) -> list[Outcome]:
        """Letters of any batches, each batch all or none.

        Raises:
            OutboxError: another message lies there under a letter's id; nothing of that batch was written.
        """
        by_batch: dict[str, list[str]] = {}
        for letter in letters:
            by_batch.setdefault(letter.batch_id, []).append(letter.letter_id)
        for batch_id, letter_ids in sorted(by_batch.items()):
            self._write(batch_id, frozenset(letter_ids))
        return [Outcome("accepted")] * len(letters)

    def finish(self, batch_ids: Collection[str]) -> None:
        """Write the pages of batches anew."""
        for batch_id in sorted(batch_ids):
            self._write(batch_id, frozenset())

    def _write(self, batch_id: str, handed_over: frozenset[str]) -> None:
        there = rows_at_carrier(self._engine, NAME, batch_id, handed_over)
        if not there:
            return
        states = dict.fromkeys((row.letter_id for row in there), "sent")
        as_of: date = there[0].decided_as_of_date
        with alone(self._folder):
            write_batch(self._folder, batch_id, self._all_of(there), as_of, states)

    def _all_of(self, rows: Sequence[Row[Any]]) -> Iterator[Message]:
        for row, content in with_contents(self._engine, rows):
            rendered = self._messages.get(row["letter_id"])
            same = rendered is not None and rendered.message_hash == row["message_hash"]
            yield rendered if same else _as_message(row, content)


def _as_message(row: Mapping[str, Any], content: bytes) -> Message:
    """A letter as the ledger has it; the customer is named by the id alone."""
    amount = Decimal(row["total_amount"])
    write = amount_writer(row["currency_code"], letter_locale(row["language_code"], None))
    return Message(
        letter_id=row["letter_id"],
        batch_id=row["batch_id"],
        customer_id=row["customer_id"],
        customer_name=row["customer_id"],
        stage=row["stage"],
        level=row["level"],
        currency_code=row["currency_code"],
        total_amount=amount,
        total=write(amount),
        to_address=row["address"],
        to_name="",
        subject=_subject(content) if row["channel"] == "email" else reference(row["letter_id"]),
        eml=content,
        message_hash=row["message_hash"],
        channel=row["channel"],
    )


def _subject(content: bytes) -> str:
    return str(BytesHeaderParser(policy=policy.SMTP).parsebytes(content)["Subject"] or "")
