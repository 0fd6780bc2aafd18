"""The queue that delivery events come in (SQS): a message is deleted after what it says is kept, never before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_BATCH = 10  # the most that SQS hands over at once
_TOGETHER = 200
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class QueueUnreachable(ConnectionError):
    """The queue did not answer. What was read is kept; the rest comes with the next call."""


@dataclass(frozen=True)
class Received:
    """One message as it came, and what it is deleted by."""

    handle: str
    body: str


@dataclass(frozen=True)
class Drained:
    """How many messages were taken, and since when there was none left: None where there still are."""

    message_count: int
    empty_since: datetime | None


class EventQueue:
    """Messages of one SQS queue."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client, self._url = client, queue_url

    def receive(self, wait_seconds: int) -> list[Received]:
        """Up to ten messages; waits for the first, and asks all of the queue's servers while it waits.

        Raises:
            QueueUnreachable: no answer.
        """
        asked = self._ask(
            self._client.receive_message, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=wait_seconds
        )
        return [Received(one["ReceiptHandle"], one.get("Body", "")) for one in asked.get("Messages", [])]

    def delete(self, messages: Sequence[Received]) -> None:
        """Take messages out. One that stays in comes again, and is known then.

        Raises:
            QueueUnreachable: no answer.
        """
        entries = [{"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(messages)]
        self._ask(self._client.delete_message_batch, Entries=entries)

    def is_empty(self) -> bool:
        """Whether nothing is left, not even what others have just received.

        Raises:
            QueueUnreachable: no answer.
        """
        counts = self._ask(self._client.get_queue_attributes, AttributeNames=list(_COUNTS)).get(
            "Attributes", {}
        )
        return all(counts.get(name) == "0" for name in _COUNTS)

    def _ask(self, call: Callable[..., dict], **arguments: Any) -> dict:
        try:
            return call(QueueUrl=self._url, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise QueueUnreachable(
                f"the queue of delivery events does not answer ({_name(error)})."
            ) from None


def drain(
    queue: EventQueue,
    take: Callable[[list[str]], None],
    clock: Callable[[], datetime],
    *,
    wait_seconds: int,
    most: int,
) -> Drained:
    """Take messages until there are none, or ``most``; they are deleted when ``take`` has kept them.

    Some hundred are taken together, well before the queue shows them to others again.
    """
    count, held = 0, []
    while count + len(held) < most:
        asked_at = clock()
        messages = queue.receive(0 if held else wait_seconds)
        held += messages
        if held and (not messages or len(held) >= _TOGETHER):
            _settle(queue, take, held)
            count, held = count + len(held), []
        elif not messages:
            return Drained(count, asked_at if queue.is_empty() else None)
    if held:
        _settle(queue, take, held)
    return Drained(count + len(held), None)


def _settle(queue: EventQueue, take: Callable[[list[str]], None], messages: list[Received]) -> None:
    take([one.body for one in messages])
    for start in range(0, len(messages), _BATCH):
        queue.delete(messages[start : start + _BATCH])


def _name(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code"))[:60]
    return type(error).__name__
