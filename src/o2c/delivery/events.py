"""What carriers say became of a letter: JSON of SES event publishing and of SMS events → one shape.

A message of the queue may be an event itself (raw delivery), an event in the envelope of SNS, or one of EventBridge.
Addresses, subjects and what a mail server said stay where they are: an event here has ids, codes and instants.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What an event says of a letter's state. Types that are not here say nothing of it: delays, opens, transient bounces.
STATE_OF_EVENT: dict[str, str] = {
    "send": "sent",
    "delivery_delay": "sent",
    "transient_bounce": "sent",
    "open": "delivered",
    "click": "delivered",
    "delivery": "delivered",
    "reject": "not_delivered",
    "rendering_failure": "not_delivered",
    "given_up": "not_delivered",
    "suppressed": "not_delivered",
    "bounce": "bounced",
    "complaint": "complained",
}

_LETTER_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MESSAGE_ID = re.compile(r"[!-~]{1,200}")
_CODE = re.compile(r"[^A-Za-z0-9_-]+")
_NESTED = 3  # two envelopes and the event
# SES says this once when somebody sets the topic up.
_GREETING = "Successfully validated SNS topic"

_ON_A_LIST = ("Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList")
# SES tells a transient bounce when it has stopped trying. A general one may be an out-of-office reply to a letter
# that arrived; these did not arrive, whatever becomes of the address later.
_DID_NOT_ARRIVE = (
    "MailboxFull",
    "MessageTooLarge",
    "ContentRejected",
    "AttachmentRejected",
    "CustomTimeoutExceeded",
)

# Event type of SES → our type, and the object inside the event that has its instant.
_SES_TYPES = {
    "Send": ("send", "send"),
    "Delivery": ("delivery", "delivery"),
    "Bounce": ("bounce", "bounce"),
    "Complaint": ("complaint", "complaint"),
    "Reject": ("reject", "reject"),
    "Rendering Failure": ("rendering_failure", "failure"),
    "DeliveryDelay": ("delivery_delay", "deliveryDelay"),
    "Open": ("open", "open"),
    "Click": ("click", "click"),
    "Subscription": ("subscription", "subscription"),
}
_SMS_TYPES = {
    "TEXT_QUEUED": "send",
    "TEXT_PENDING": "send",
    "TEXT_SENT": "send",
    "TEXT_SUCCESSFUL": "send",
    "TEXT_DELIVERED": "delivery",
    "TEXT_INVALID": "bounce",
    "TEXT_INVALID_MESSAGE": "reject",
    "TEXT_BLOCKED": "reject",
    "TEXT_CARRIER_BLOCKED": "reject",
    "TEXT_PROTECT_BLOCKED": "reject",
    "TEXT_SPAM": "reject",
    "TEXT_CARRIER_UNREACHABLE": "given_up",
    "TEXT_UNREACHABLE": "given_up",
    "TEXT_TTL_EXPIRED": "given_up",
}


class UnreadableEvent(ValueError):
    """A message of the queue is no event that we know. The message says why, without what is in it."""


@dataclass(frozen=True)
class DeliveryEvent:
    """One thing that happened to one letter.

    ``event_id`` is of what happened, not of the message that told it: told twice, it is the same. ``letter_id`` is the
    tag, None where there is none. ``content_hash`` is the sha-256 of the event as it came.
    """

    event_id: str
    letter_id: str | None
    carrier: str
    event_type: str
    carrier_message_id: str | None
    detail: str | None
    occurred_at: datetime
    content_hash: str


def read_event(body: str) -> DeliveryEvent | None:
    """The event in a message of the queue; None for what SES says when a topic is set up.

    Raises:
        UnreadableEvent: anything else.
    """
    event = _unwrapped(body)
    if event is None:
        return None
    kind = event.get("eventType") or event.get("notificationType")
    if not isinstance(kind, str):
        raise UnreadableEvent("no event of SES or SMS")
    if kind.startswith("TEXT_"):
        return _sms_event(event, kind)
    if kind not in _SES_TYPES or not isinstance(event.get("mail"), dict):
        raise UnreadableEvent("no event of SES or SMS")
    return _ses_event(event, kind)


def _unwrapped(body: str) -> dict[str, Any] | None:
    """The event without the envelopes of SNS and EventBridge."""
    value: Any = body
    for _ in range(_NESTED):
        if isinstance(value, str):
            if value.startswith(_GREETING):
                return None
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise UnreadableEvent("not JSON") from None
        if not isinstance(value, dict):
            raise UnreadableEvent("not a JSON object")
        if isinstance(value.get("Message"), str) and "TopicArn" in value:
            value = value["Message"]
        elif isinstance(value.get("detail"), dict) and "detail-type" in value:
            value = value["detail"]
        else:
            return value
    raise UnreadableEvent("too many envelopes")


def _ses_event(event: dict[str, Any], kind: str) -> DeliveryEvent:
    event_type, place = _SES_TYPES[kind]
    mail = event["mail"]
    inner = event.get(place)
    inner = inner if isinstance(inner, dict) else {}
    detail = _code(inner.get("reason") or inner.get("delayType"))
    if kind == "Bounce":
        event_type, detail = _bounce(inner)
    elif kind == "Complaint":
        event_type, detail = _complaint(inner)
    message_id = mail.get("messageId")
    if not isinstance(message_id, str) or _MESSAGE_ID.fullmatch(message_id) is None:
        raise UnreadableEvent("no message id")
    occurred_at = _instant(inner.get("timestamp") or mail.get("timestamp"))
    which = [kind, message_id, occurred_at.isoformat(), str(inner.get("feedbackId") or ""), detail or ""]
    return DeliveryEvent(
        event_id=_digest(which),
        letter_id=_tagged(mail),
        carrier="ses",
        event_type=event_type,
        carrier_message_id=message_id,
        detail=detail,
        occurred_at=occurred_at,
        content_hash=_digest(event),
    )


def _bounce(inner: Mapping[str, Any]) -> tuple[str, str | None]:
    kind, sub = str(inner.get("bounceType")), str(inner.get("bounceSubType"))
    detail = _code(f"{kind}-{sub}")
    if sub in _ON_A_LIST:
        return "suppressed", detail
    if kind == "Permanent":
        return "bounce", detail
    return "given_up" if sub in _DID_NOT_ARRIVE else "transient_bounce", detail


def _complaint(inner: Mapping[str, Any]) -> tuple[str, str | None]:
    feedback, sub = inner.get("complaintFeedbackType"), inner.get("complaintSubType")
    if sub in _ON_A_LIST:
        return "suppressed", _code(f"Complaint-{sub}")
    # the recipient took the letter out of a spam folder: the opposite of a complaint
    return ("other" if feedback == "not-spam" else "complaint"), _code(feedback)


def _sms_event(event: dict[str, Any], kind: str) -> DeliveryEvent:
    message_id, stamp = event.get("messageId"), event.get("eventTimestamp")
    if not isinstance(message_id, str) or _MESSAGE_ID.fullmatch(message_id) is None:
        raise UnreadableEvent("no message id")
    if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 < stamp < 10**14:
        raise UnreadableEvent("no instant")
    context = event.get("context")
    return DeliveryEvent(
        event_id=_digest([kind, message_id, stamp]),
        letter_id=_letter_id((context if isinstance(context, dict) else {}).get("letter_id")),
        carrier="sms",
        event_type=_SMS_TYPES.get(kind, "other"),
        carrier_message_id=message_id,
        detail=_code(kind),
        occurred_at=datetime.fromtimestamp(stamp / 1000, UTC),
        content_hash=_digest(event),
    )


def _tagged(mail: Mapping[str, Any]) -> str | None:
    """The letter's id by its tag; by its header where SES publishes headers but no tags."""
    tags = mail.get("tags")
    values = tags.get("letter_id") if isinstance(tags, dict) else None
    if isinstance(values, list) and len(values) == 1:
        return _letter_id(values[0])
    headers = mail.get("headers")
    named = [
        header.get("value")
        for header in (headers if isinstance(headers, list) else [])
        if isinstance(header, dict) and str(header.get("name")).lower() == "x-o2c-letter"
    ]
    return _letter_id(named[0]) if len(named) == 1 else None


def _letter_id(value: object) -> str | None:
    return value if isinstance(value, str) and _LETTER_ID.fullmatch(value) else None


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UnreadableEvent("no instant") from None


def _code(value: object) -> str | None:
    """A code of the carrier's in letters and digits; anything longer or other could be somebody's words."""
    return _CODE.sub("-", value)[:60] if isinstance(value, str) and value else None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
