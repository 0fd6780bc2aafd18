"""Delivery events as SES publishes them, and a queue that loses, doubles, delays and reorders them as SQS may."""

import hashlib
import json
import random
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_GENERAL_BOUNCE = ("Permanent", "General")
_SUPPRESSED = ("Permanent", "OnAccountSuppressionList")


@dataclass(frozen=True)
class EventFaults:
    """Shares of events (0 to 1) that are lost, come twice or come late, and by how much."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    late_seconds: float = 1.0
    is_shuffled: bool = True


class EventQueue:
    """An SQS standard queue: at least once, in no order, invisible for a while after it was received."""

    def __init__(self, faults: EventFaults, seed: int) -> None:
        self._faults, self._random = faults, random.Random(seed)  # noqa: S311
        self._lock = threading.Condition()
        self._messages: dict[str, tuple[float, str]] = {}  # id → visible from, body
        self.published = self.lost = 0

    def publish(self, events: Iterable[dict]) -> None:
        """Put events in, each in the envelope of SNS, with the faults of this queue."""
        for event in events:
            self.put(enveloped(event))

    def put(self, body: str) -> None:
        """Put one message in as it is, with the faults of this queue."""
        with self._lock:
            self.published += 1
            if self._random.random() < self._faults.lost:
                self.lost += 1
                return
            for _ in range(2 if self._random.random() < self._faults.doubled else 1):
                late = self._random.random() < self._faults.late
                wait = self._random.random() * self._faults.late_seconds if late else 0.0
                message_id = str(uuid.UUID(int=self._random.getrandbits(128)))
                self._messages[message_id] = (time.monotonic() + wait, body)
            self._lock.notify_all()

    def receive(self, most: int, wait_seconds: float, visibility_seconds: float) -> dict:
        """The answer to ReceiveMessage."""
        deadline = time.monotonic() + wait_seconds
        with self._lock:
            while True:
                now = time.monotonic()
                ready = [key for key, (visible_from, _) in self._messages.items() if visible_from <= now]
                if ready or now >= deadline:
                    break
                self._lock.wait(min(deadline - now, 0.05))
            if self._faults.is_shuffled:
                self._random.shuffle(ready)
            found = []
            for key in ready[:most]:
                body = self._messages[key][1]
                self._messages[key] = (time.monotonic() + visibility_seconds, body)
                digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
                found.append({"MessageId": key, "ReceiptHandle": key, "MD5OfBody": digest, "Body": body})
        return {"Messages": found} if found else {}

    def delete(self, handles: Iterable[str]) -> None:
        with self._lock:
            for handle in handles:
                self._messages.pop(handle, None)

    def attributes(self) -> dict[str, str]:
        now = time.monotonic()
        with self._lock:
            visible = sum(visible_from <= now for visible_from, _ in self._messages.values())
            return {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(len(self._messages) - visible),
                "ApproximateNumberOfMessagesDelayed": "0",
            }

    def bodies(self) -> list[str]:
        """Everything in the queue, without taking it."""
        with self._lock:
            return [body for _, body in self._messages.values()]

    def __len__(self) -> int:
        return len(self._messages)


def enveloped(event: dict) -> str:
    """An event as SNS hands it to SQS (raw message delivery off)."""
    text = json.dumps(event)
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": "arn:aws:sns:eu-central-1:123456789012:delivery-events",
            "Subject": "Amazon SES Email Event Notification",
            "Message": text,
            "Timestamp": "2026-09-30T12:00:00.000Z",
            "SignatureVersion": "1",
        }
    )


def bridged(event: dict) -> str:
    """An event as EventBridge hands it to SQS."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": f"Email {event['eventType']}",
            "source": "aws.ses",
            "account": "123456789012",
            "time": "2026-09-30T12:00:00Z",
            "region": "eu-central-1",
            "resources": [],
            "detail": event,
        }
    )


def ses_event(
    kind: str,
    message_id: str,
    letter_id: str | None,
    at: float,
    *,
    address: str = "ap@customer.example",
    bounce: tuple[str, str] = _GENERAL_BOUNCE,
    complaint: str | None = None,
    batch_id: str = "B-1",
) -> dict:
    """One event as SES publishes it, with address and headers as the real ones have them."""
    stamp = _stamp(at)
    tags = {
        "ses:configuration-set": ["o2c"],
        "ses:caller-identity": ["sender"],
        "batch_id": [batch_id],
        **({"letter_id": [letter_id]} if letter_id is not None else {}),
    }
    mail = {
        "timestamp": _stamp(at),
        "source": "receivables@o2c.example",
        "sendingAccountId": "123456789012",
        "messageId": message_id,
        "destination": [address],
        "headersTruncated": False,
        "headers": [{"name": "X-O2C-Letter", "value": letter_id or ""}, {"name": "To", "value": address}],
        "commonHeaders": {"to": [address]},
        "tags": tags,
    }
    details: dict[str, tuple[str, dict]] = {
        "Send": ("send", {}),
        "Delivery": (
            "delivery",
            {"timestamp": stamp, "recipients": [address], "smtpResponse": f"250 2.0.0 <{address}> queued"},
        ),
        "Bounce": (
            "bounce",
            {
                "bounceType": bounce[0],
                "bounceSubType": bounce[1],
                "bouncedRecipients": [{"emailAddress": address, "diagnosticCode": f"550 <{address}>"}],
                "timestamp": stamp,
                "feedbackId": f"feedback-{message_id}",
            },
        ),
        "Complaint": (
            "complaint",
            {
                "complainedRecipients": [{"emailAddress": address}],
                "timestamp": stamp,
                "feedbackId": f"complaint-{message_id}",
                "complaintSubType": None,
                "complaintFeedbackType": complaint or "abuse",
            },
        ),
        "Reject": ("reject", {"reason": "Bad content"}),
        "DeliveryDelay": (
            "deliveryDelay",
            {
                "timestamp": stamp,
                "delayType": "TransientCommunicationFailure",
                "delayedRecipients": [{"emailAddress": address, "status": "4.4.1"}],
            },
        ),
        "Open": ("open", {"timestamp": stamp, "ipAddress": "192.0.2.1", "userAgent": "UserAgentString"}),
        "Rendering Failure": ("failure", {"templateName": "none", "errorMessage": f"for {address}"}),
    }
    name, detail = details[kind]
    return {"eventType": kind, "mail": mail, name: detail}


def ses_history(message_id: str, request: dict, becomes: str, at: float) -> list[tuple[str, float, dict]]:
    """What SES publishes of a message that it accepted, in the order in which it happens: name, instant, event."""
    tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])}
    named = {
        "letter_id": tags.get("letter_id"),
        "batch_id": tags.get("batch_id", ""),
        "address": request["Destination"]["ToAddresses"][0],
    }

    def event(kind: str, later: float, **more: tuple[str, str]) -> dict:
        return ses_event(kind, message_id, named["letter_id"], at + later, **_named(named), **more)

    chain = {
        "delivered": [("SEND", 0.0, event("Send", 0.0)), ("DELIVERY", 1.0, event("Delivery", 1.0))],
        "bounced": [("SEND", 0.0, event("Send", 0.0)), ("BOUNCE", 1.0, event("Bounce", 1.0))],
        "suppressed": [
            ("SEND", 0.0, event("Send", 0.0)),
            ("BOUNCE", 1.0, event("Bounce", 1.0, bounce=_SUPPRESSED)),
        ],
        "rejected": [("SEND", 0.0, event("Send", 0.0)), ("REJECT", 1.0, event("Reject", 1.0))],
        "complained": [
            ("SEND", 0.0, event("Send", 0.0)),
            ("DELIVERY", 1.0, event("Delivery", 1.0)),
            ("COMPLAINT", 9.0, event("Complaint", 9.0)),
        ],
        "delayed": [
            ("SEND", 0.0, event("Send", 0.0)),
            ("DELIVERY_DELAY", 1.0, event("DeliveryDelay", 1.0)),
            ("DELIVERY", 5.0, event("Delivery", 5.0)),
        ],
    }[becomes]
    return [(kind, at + later, body) for kind, later, body in chain]


def sms_event(kind: str, message_id: str, letter_id: str | None, at: float, *, number: str = "+490") -> dict:
    """One event as AWS End User Messaging publishes it."""
    return {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": int(at * 1000),
        "isFinal": kind != "TEXT_SENT",
        "originationPhoneNumber": "+12065550152",
        "destinationPhoneNumber": number,
        "isoCountryCode": "DE",
        "messageId": message_id,
        "messageType": "TRANSACTIONAL",
        "messageStatus": kind.removeprefix("TEXT_"),
        "messageStatusDescription": f"to {number}",
        "context": {"letter_id": letter_id} if letter_id is not None else {},
    }


def sms_history(message_id: str, request: dict, becomes: str, at: float) -> list[tuple[str, float, dict]]:
    """What is published of a text message that was accepted: name, instant, event."""
    letter_id = request.get("Context", {}).get("letter_id")
    last = "TEXT_DELIVERED" if becomes == "delivered" else "TEXT_UNREACHABLE"
    number = request["DestinationPhoneNumber"]
    return [
        (kind, at + later, sms_event(kind, message_id, letter_id, at + later, number=number))
        for kind, later in (("TEXT_SENT", 0.0), (last, 1.0))
    ]


def _named(values: dict) -> dict:
    return {"address": values["address"], "batch_id": values["batch_id"]}


def _stamp(at: float) -> str:
    instant = datetime.fromtimestamp(at, UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"
