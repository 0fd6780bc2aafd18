"""A letter as it leaves, and who it comes from."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from markupsafe import escape

from o2c import mime


@dataclass(frozen=True)
class Sender:
    """Who our letters come from: the name below them, the From address and the monitored Reply-To."""

    name: str
    address: str
    reply_to: str


def reference(letter_id: str) -> str:
    """The short form of a letter's id that people quote, such as ``Ref K7Q2-HF3D``: its first 40 bits."""
    return f"Ref {letter_id[:4].upper()}-{letter_id[4:8].upper()}"


def file_name(letter_id: str, channel: str) -> str:
    """Name of a letter's file in a folder: a mail is an ``.eml``, a text message a ``.txt``."""
    return f"{letter_id}.txt" if channel == "sms" else f"{letter_id}.eml"


@dataclass(frozen=True)
class Message:
    """One letter, ready to go. ``eml`` is the exact message; text, HTML, PDF and headers are read from it.

    A text message (``channel`` sms) is its text alone, in UTF-8. ``message_hash`` is the sha-256 of ``eml``. ``total``
    is the amount asked for, as the letter writes it.
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
    channel: str = "email"

    @property
    def text(self) -> str:
        return self.eml.decode() if self.channel == "sms" else mime.text_of(self.eml)

    @property
    def html(self) -> str:
        """The HTML part; of a text message its text, escaped."""
        if self.channel == "sms":
            return f'<p style="white-space:pre-wrap">{escape(self.text)}</p>'
        return mime.html_of(self.eml)

    @property
    def pdf(self) -> bytes | None:
        """The attached PDF; None where there is none."""
        return None if self.channel == "sms" else mime.pdf_of(self.eml)

    @property
    def file_name(self) -> str:
        """Name of the letter's file in a folder."""
        return file_name(self.letter_id, self.channel)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Name and encoded value of each header, in order, unfolded; a text message has none."""
        if self.channel == "sms":
            return ()
        head = self.eml.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
        return tuple(
            (name, value) for name, _, value in (line.partition(": ") for line in head.split("\r\n"))
        )
