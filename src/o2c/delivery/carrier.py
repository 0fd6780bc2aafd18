"""What a carrier is: something that takes one letter to one recipient, and says what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

OutcomeKind = Literal["accepted", "not_accepted", "refused", "paused", "unknown"]


@dataclass(frozen=True)
class OutgoingLetter:
    """A claimed letter, exactly as it was approved: ``content`` has the sha-256 ``message_hash``."""

    letter_id: str
    batch_id: str
    level: int
    channel: str
    address: str
    content: bytes
    message_hash: str


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to.

    ``accepted``: the carrier has it. ``not_accepted``: it certainly has not, try later. ``refused``: it never will.
    ``paused``: it takes nothing at all for now, and certainly not this one. ``unknown``: perhaps.
    """

    kind: OutcomeKind
    carrier_message_id: str | None = None
    http_status: int | None = None
    error_class: str | None = None
    request_id: str | None = None
    detail: str | None = None
    pause: str | None = None  # of a paused carrier: why, as a code
    pause_for: timedelta | None = None  # the pause ends by itself after so long; otherwise a person lifts it
    retry_after: timedelta | None = None


class Carrier(Protocol):
    """Takes letters one at a time. One call is one attempt: it never tries again by itself."""

    @property
    def name(self) -> str: ...

    @property
    def reaches_people(self) -> bool:
        """Contact hours, rate, quota, canary and breakers are for carriers that do; a folder does not."""
        ...

    @property
    def reports_delivery(self) -> bool:
        """Whether delivery events come back, which a canary waits for."""
        ...

    def send(self, letter: OutgoingLetter) -> Outcome:
        """One attempt. Never raises for what the network or the carrier does: that is an outcome."""
        ...

    def has(self, letter: OutgoingLetter) -> bool | None:
        """Whether the letter is with the carrier already; None where it cannot be asked for certain."""
        ...
