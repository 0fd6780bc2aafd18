"""The carrier of text messages: AWS End User Messaging SMS through boto3. One letter, one number, one POST.

Consent and the policy decide which letters are text messages at all; here nothing but a letter of that channel to one
plain number leaves.
"""

import hashlib
import re
from datetime import timedelta
from typing import Any, Literal

import boto3

from o2c.delivery.aws import aws_client, refuse_retries
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.ses import accepted_by
from o2c.delivery.ses_errors import ANSWERS, Answer, codes, outcome_of

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164
_LONGEST_MESSAGE = 1600

# The service's own errors; what they share with SES stands in the table of SES.
SMS_ANSWERS: tuple[Answer, ...] = (
    *(line for line in ANSWERS if line.kind == "unknown"),
    Answer(
        "paused",
        "the month's spending limit or another quota is used up",
        codes=codes("ServiceQuotaExceededException"),
        statuses=range(400, 500),
        pause="limit",
    ),
    Answer(
        "refused",
        "the recipient opted out, or the number cannot be written to",
        codes=codes("ConflictException"),
        statuses=range(400, 500),
    ),
    Answer(
        "paused",
        "the origination identity or the configuration set is not there",
        codes=codes("ResourceNotFoundException"),
        statuses=range(400, 500),
        pause="origination_not_found",
    ),
    *(line for line in ANSWERS if line.kind != "unknown"),
)


def sms_client(
    region: str, request_timeout: timedelta, session: boto3.Session | None = None, **more: Any
) -> Any:
    """A client that makes one attempt. ``more`` as in ``aws_client``."""
    return aws_client("pinpoint-sms-voice-v2", region, request_timeout, session, **more)


class SmsCarrier:
    """Hands approved texts to the service. A letter's content is its text in UTF-8."""

    name = "sms"
    reaches_people: Literal[True] = True

    def __init__(self, client: Any, *, origination: str, configuration_set: str | None) -> None:
        refuse_retries(client)
        self._client = client
        self._origination = origination
        self._configuration_set = configuration_set

    @property
    def endpoint_url(self) -> str:
        """Where texts go."""
        return self._client.meta.endpoint_url

    @property
    def reports_delivery(self) -> bool:
        """Operators do not always say that a text arrived, so no canary waits for it."""
        return False

    def send(self, letter: OutgoingLetter) -> Outcome:
        """One POST, or none where the letter is not exactly what may leave."""
        fault = _fault(letter)
        if fault is not None:
            return Outcome("refused", error_class="NotPosted", detail=fault)
        request = {
            "DestinationPhoneNumber": letter.address,
            "OriginationIdentity": self._origination,
            "MessageBody": letter.content.decode(),
            "MessageType": "TRANSACTIONAL",
            "Context": {"letter_id": letter.letter_id, "batch_id": letter.batch_id},
        }
        if self._configuration_set is not None:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            answer = self._client.send_text_message(**request)
        except Exception as error:  # whatever it is, the text may have left: that is an outcome
            return outcome_of(error, SMS_ANSWERS)
        return accepted_by(answer, "MessageId")

    def has(self, letter: OutgoingLetter) -> bool | None:
        """The service cannot be asked by our id."""
        return None


def _fault(letter: OutgoingLetter) -> str | None:
    """Why the letter must not be posted; None where it may be. Without its number or text."""
    if letter.channel != "sms":
        return f"its channel is {letter.channel}, not sms"
    if hashlib.sha256(letter.content).hexdigest() != letter.message_hash:
        return "its bytes are not those that were approved"
    if _NUMBER.fullmatch(letter.address) is None:
        return "its address is not one number with its country code"
    try:
        text = letter.content.decode()
    except UnicodeDecodeError:
        return "its bytes are no text"
    if not 0 < len(text) <= _LONGEST_MESSAGE:
        return f"its text has {len(text)} characters, not 1 to {_LONGEST_MESSAGE}"
    return None
