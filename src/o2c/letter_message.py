"""A letter as it leaves, and who it comes from."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from o2c import mime


@dataclass(frozen=True)
class Sender:
    """Who our letters come from: the name below them, the From address and the monitored Reply-To."""

    name: str
    address: str
    reply_to: str


@dataclass(frozen=True)
class Message:
    """One letter, ready to go. ``eml`` is the exact message; text, HTML and headers are read from it.

    ``message_hash`` is the sha-256 of ``eml``. ``total`` is the amount asked for, as the letter writes it.
    """

    letter_id: str
    batch_id: str
    customer_id: str
    customer_name: str
    stage: str
    level: int
    currency_code: str
    total_amount: Decimal
    total: str
    to_address: str
    to_name: str
    subject: str
    eml: bytes
    message_hash: str

    @property
    def text(self) -> str:
        return mime.text_of(self.eml)

    @property
    def html(self) -> str:
        return mime.html_of(self.eml)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Name and encoded value of each header, in order, unfolded."""
        head = self.eml.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
        return tuple(
            (name, value) for name, _, value in (line.partition(": ") for line in head.split("\r\n"))
        )
