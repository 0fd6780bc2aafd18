"""Letters that also go by post: once the message has left, its PDF lies in the print folder."""

from collections.abc import Collection, Iterable, Iterator

from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.print_folder import printed, write_print_folder
from o2c.dunning.book import CONFIRMED
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.queueing import rows_at_carrier, with_contents


def print_letters(
    home: Home, ledger: Ledger, carrier: str, batch_ids: Iterable[str], stages: Collection[str]
) -> int:
    """Put the PDFs of letters that a carrier has into the print folder. Returns how many are new.

    Args:
        stages: those whose letters have a PDF; the messages of the others need not be read.
    """
    return len(write_print_folder(home.print_folder, _left(home, ledger, carrier, batch_ids, stages)))


def _left(
    home: Home, ledger: Ledger, carrier: str, batch_ids: Iterable[str], stages: Collection[str]
) -> Iterator[OutgoingLetter]:
    for batch_id in sorted(set(batch_ids)):
        done = printed(home.print_folder, batch_id)
        fresh = [
            row
            for row in rows_at_carrier(ledger.engine, carrier, batch_id)
            if row.letter_id not in done and row.state in CONFIRMED and row.stage in stages
        ]
        for row, content in with_contents(ledger.engine, fresh):
            yield OutgoingLetter(
                letter_id=row["letter_id"],
                batch_id=batch_id,
                level=row["level"],
                channel=row["channel"],
                address=row["address"],
                content=content,
                message_hash=row["message_hash"],
            )
