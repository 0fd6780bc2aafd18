"""Asking SES about letters of which no event came: the only way to ask it "did you get it?" without a message id.

Message insights need Virtual Deliverability Manager and are kept by SES for a limited time. An export lists messages
by recipient and time; each message's tags say whether it is the letter.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from o2c.delivery.events import DeliveryEvent, read_event

# SES knows a message by the name of its events here; what we read are the events as it publishes them.
_EVENT_TYPES = {
    "SEND": "Send",
    "DELIVERY": "Delivery",
    "BOUNCE": "Bounce",
    "COMPLAINT": "Complaint",
    "REJECT": "Reject",
    "DELIVERY_DELAY": "DeliveryDelay",
}
_AROUND = timedelta(hours=1)
# What SES lets pass: addresses in one export, and seconds between two exports or two looks at messages.
_ADDRESSES = 5
_PAUSE_SECONDS = 1.0
_LARGEST_EXPORT = 50_000_000


class InsightsError(RuntimeError):
    """SES does not say. Nothing was changed; the letters stay unknown."""


@dataclass(frozen=True)
class Missing:
    """A letter of which nobody knows whether it left, and between when and when it would have."""

    letter_id: str
    address: str
    first_attempt_at: datetime
    last_attempt_at: datetime


def ask_insights(
    client: Any,
    letters: Sequence[Missing],
    *,
    sleep: Callable[[float], None],
    looks: int = 30,
    download: Callable[[str], bytes] | None = None,
) -> list[DeliveryEvent]:
    """Events of these letters as SES has them; none for a letter that it does not know.

    Args:
        sleep: waits between two questions.

    Raises:
        InsightsError: SES does not say, or not in time.
    """
    if not letters:
        return []
    wanted = {letter.letter_id for letter in letters}
    events: dict[str, DeliveryEvent] = {}
    try:
        for message_id in sorted(_exported(client, letters, sleep, looks, download or _download)):
            insight = client.get_message_insights(MessageId=message_id)
            sleep(_PAUSE_SECONDS)
            tags = {tag["Name"]: tag["Value"] for tag in insight.get("EmailTags", [])}
            if tags.get("letter_id") in wanted:
                events |= {event.event_id: event for event in _events(insight, tags["letter_id"])}
    except (BotoCoreError, ClientError) as error:
        raise InsightsError(f"message insights do not answer ({type(error).__name__}).") from None
    except (KeyError, ValueError, TypeError):
        raise InsightsError("message insights answer with something else.") from None
    return [events[event_id] for event_id in sorted(events)]


def _exported(
    client: Any,
    letters: Sequence[Missing],
    sleep: Callable[[float], None],
    looks: int,
    download: Callable[[str], bytes],
) -> set[str]:
    """Ids of the messages to these addresses in the time of the attempts."""
    addresses = sorted({letter.address for letter in letters})
    found: set[str] = set()
    for start in range(0, len(addresses), _ADDRESSES):
        source = {
            "StartDate": min(letter.first_attempt_at for letter in letters) - _AROUND,
            "EndDate": max(letter.last_attempt_at for letter in letters) + _AROUND,
            "Include": {"Destination": addresses[start : start + _ADDRESSES]},
        }
        job_id = client.create_export_job(
            ExportDataSource={"MessageInsightsDataSource": source}, ExportDestination={"DataFormat": "JSON"}
        )["JobId"]
        sleep(_PAUSE_SECONDS)
        found.update(_message_ids(download(_place_of(client, job_id, sleep, looks))))
    return found


def _place_of(client: Any, job_id: str, sleep: Callable[[float], None], looks: int) -> str:
    """Where SES put an export, once it is made."""
    for _ in range(looks):
        job = client.get_export_job(JobId=job_id)
        if job["JobStatus"] == "COMPLETED":
            return job["ExportDestination"]["S3Url"]
        if job["JobStatus"] in ("FAILED", "CANCELLED"):
            break
        sleep(2.0)
    raise InsightsError("the export of message insights did not come.")


def _message_ids(content: bytes) -> Iterator[str]:
    """Of JSON, a list or one object a line."""
    text = content.decode().strip()
    rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    return iter([row["MessageId"] for row in rows])


def _events(insight: dict[str, Any], letter_id: str) -> Iterator[DeliveryEvent]:
    """As SES would have published them, so that one that comes later by the queue is known by its id."""
    for recipient in insight.get("Insights", []):
        for told in recipient.get("Events", []):
            kind = _EVENT_TYPES.get(told.get("Type"))
            if kind is None:
                continue
            at = told["Timestamp"].astimezone(UTC)
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
            details = told.get("Details", {})
            bounce, complaint = details.get("Bounce", {}), details.get("Complaint", {})
            inner = {
                "timestamp": stamp,
                "bounceType": str(bounce.get("BounceType", "")).capitalize(),
                "bounceSubType": bounce.get("BounceSubType", ""),
                "complaintFeedbackType": complaint.get("ComplaintFeedbackType"),
                "complaintSubType": complaint.get("ComplaintSubType"),
            }
            mail = {
                "messageId": insight["MessageId"],
                "timestamp": stamp,
                "tags": {"letter_id": [letter_id]},
            }
            event = read_event(
                json.dumps({"eventType": kind, "mail": mail, kind[0].lower() + kind[1:]: inner})
            )
            if event is not None:
                yield event


def _download(url: str) -> bytes:
    """The export from where SES put it: Amazon's own servers, or a stand-in on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_theirs = parts.scheme == "https" and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    if not is_theirs and not (parts.scheme == "http" and host == "127.0.0.1"):
        raise InsightsError("the export lies at an address that is not Amazon's.")
    try:
        answer = urllib3.request("GET", url, retries=False, redirect=False, timeout=30.0)
    except urllib3.exceptions.HTTPError as error:
        raise InsightsError(f"the export cannot be read ({type(error).__name__}).") from None
    if answer.status != 200 or len(answer.data) > _LARGEST_EXPORT:
        raise InsightsError("the export cannot be read.")
    return answer.data
