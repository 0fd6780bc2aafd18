"""Messages of the queue: kept first, deleted then; and when it was empty."""

from datetime import UTC, datetime, timedelta
from itertools import count

import boto3
import pytest
from botocore.stub import Stubber

from o2c.delivery.event_queue import Drained, EventQueue, QueueUnreachable, Received, drain

NOON = datetime(2026, 9, 30, 12, tzinfo=UTC)
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/events"


class Pile(EventQueue):
    """A queue of so many messages, some of which somebody else has just received."""

    def __init__(self, message_count: int, elsewhere: int = 0) -> None:
        self.left = [Received(str(number), f"m{number}") for number in range(message_count)]
        self.elsewhere = elsewhere
        self.seen: set[str] = set()
        self.done: list[str] = []

    def receive(self, wait_seconds: int) -> list[Received]:
        found = [one for one in self.left if one.handle not in self.seen][:10]
        self.seen |= {one.handle for one in found}
        return found

    def delete(self, messages: list[Received]) -> None:
        assert 0 < len(messages) <= 10
        self.done.append(f"delete {len(messages)}")
        self.left = [one for one in self.left if one not in messages]

    def is_empty(self) -> bool:
        return not self.left and not self.elsewhere


def ticking():
    seconds = count()
    return lambda: NOON + timedelta(seconds=next(seconds))


@pytest.mark.parametrize(
    ("messages", "done", "empty_since"),
    [
        (0, [], NOON),
        (3, ["take 3", "delete 3"], NOON + timedelta(seconds=2)),
        (10, ["take 10", "delete 10"], NOON + timedelta(seconds=2)),
        (25, ["take 25", "delete 10", "delete 10", "delete 5"], NOON + timedelta(seconds=4)),
    ],
)
def test_all_is_taken_then_deleted_and_empty_since_the_last_look_began(messages, done, empty_since):
    queue = Pile(messages)
    bodies: list[str] = []

    def take(some: list[str]) -> None:
        queue.done.append(f"take {len(some)}")
        bodies.extend(some)

    drained = drain(queue, take, ticking(), wait_seconds=0, most=1000)

    assert drained == Drained(messages, empty_since)
    assert (queue.done, bodies) == (done, [f"m{number}" for number in range(messages)])


def test_a_long_queue_is_taken_some_hundred_at_a_time():
    queue, sizes = Pile(450), []
    drain(queue, lambda bodies: sizes.append(len(bodies)), ticking(), wait_seconds=0, most=1000)
    assert sizes == [200, 200, 50]


def test_what_another_reader_holds_is_not_read_yet():
    assert drain(Pile(3, elsewhere=1), lambda _: None, ticking(), wait_seconds=0, most=9) == Drained(3, None)


@pytest.mark.parametrize(("most", "taken"), [(10, 10), (11, 20), (1000, 30)])
def test_no_more_is_taken_than_asked_for_but_the_rest_of_a_handful(most, taken):
    drained = drain(Pile(30), lambda _: None, ticking(), wait_seconds=0, most=most)
    assert drained.message_count == taken
    assert (drained.empty_since is None) == (taken < 30)


def test_what_is_not_kept_is_not_deleted():
    queue = Pile(3)

    def take(_: list[str]) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        drain(queue, take, ticking(), wait_seconds=0, most=10)
    assert (len(queue.left), queue.done) == (3, [])


@pytest.mark.parametrize("operation", ["receive_message", "delete_message_batch", "get_queue_attributes"])
def test_a_queue_that_does_not_answer_is_told_by_its_code(operation):
    client = boto3.client(  # ty: ignore[no-matching-overload]
        "sqs",
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106
    )
    queue = EventQueue(client, URL)
    calls = {
        "receive_message": lambda: queue.receive(0),
        "delete_message_batch": lambda: queue.delete([Received("h", "b")]),
        "get_queue_attributes": queue.is_empty,
    }
    with Stubber(client) as stubber:
        stubber.add_client_error(
            operation, "AWS.SimpleQueueService.NonExistentQueue", "no queue of jane@acme"
        )
        with pytest.raises(QueueUnreachable) as error:
            calls[operation]()
    assert str(error.value) == (
        "the queue of delivery events does not answer (AWS.SimpleQueueService.NonExistentQueue)."
    )
