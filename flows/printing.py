"""Letters that also go by post: once the message has left, its PDF lies in the print folder."""

from collections.abc import Iterable, Iterator

from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.print_folder import printed, write_print_folder
from o2c.dunning.book import CONFIRMED
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.queueing import letters_at_carrier


def print_letters(home: Home, ledger: Ledger, carrier: str, batch_ids: Iterable[str]) -> int:
    """Put the PDFs of letters that a carrier has into the print folder. Returns how many are new."""
    batches = sorted(set(batch_ids))
    return len(write_print_folder(home.print_folder, _left(home, ledger, carrier, batches)))


def _left(home: Home, ledger: Ledger, carrier: str, batch_ids: list[str]) -> Iterator[OutgoingLetter]:
    for batch_id in batch_ids:
        done = printed(home.print_folder, batch_id)
        for row, content in letters_at_carrier(ledger.engine, carrier, batch_id, but=done):
            if row["state"] in CONFIRMED:
                yield OutgoingLetter(
                    letter_id=row["letter_id"],
                    batch_id=batch_id,
                    level=row["level"],
                    channel=row["channel"],
                    address=row["address"],
                    content=content,
                    message_hash=row["message_hash"],
                )
