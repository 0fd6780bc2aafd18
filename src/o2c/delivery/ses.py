"""The carrier by e-mail: Amazon SES v2 through boto3. One letter, one recipient, one POST.

SES writes Message-ID and Date anew, so a letter is traced by its tag ``letter_id`` and its header ``X-O2C-Letter``.
"""

import hashlib
import re
from datetime import timedelta
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.policy import SMTP
from typing import Any, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from o2c.addresses import is_mailbox
from o2c.delivery.aws import CarrierError, aws_client, refuse_retries
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.limits import AccountLimits
from o2c.delivery.ses_errors import outcome_of

# The raw message with its attachments; SES counts it before it is coded for the wire.
LARGEST_MESSAGE = 40_000_000
_LETTER_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NO_TAG = re.compile(r"[^A-Za-z0-9_-]")
_MESSAGE_ID = re.compile(r"[!-~]{1,200}")


def ses_client(
    region: str, request_timeout: timedelta, session: boto3.Session | None = None, **more: Any
) -> Any:
    """A client for SES that makes one attempt. ``more`` as in ``aws_client``."""
    return aws_client("sesv2", region, request_timeout, session, **more)


class SesCarrier:
    """Hands approved bytes to SES. Safe to use from several threads: the client is, and nothing else is kept."""

    name = "ses"
    reaches_people: Literal[True] = True

    def __init__(
        self,
        client: Any,
        *,
        sender_address: str,
        configuration_set: str | None,
        max_message_bytes: int = LARGEST_MESSAGE,
    ) -> None:
        refuse_retries(client)
        self._client = client
        self._sender_address = sender_address
        self._configuration_set = configuration_set
        self._max_message_bytes = min(max_message_bytes, LARGEST_MESSAGE)

    @property
    def endpoint_url(self) -> str:
        """Where letters go."""
        return self._client.meta.endpoint_url

    @property
    def reports_delivery(self) -> bool:
        """Events are those of the configuration set."""
        return self._configuration_set is not None

    def send(self, letter: OutgoingLetter) -> Outcome:
        """One POST, or none where the letter is not exactly what may leave."""
        fault = self._fault(letter)
        if fault is not None:
            return Outcome("refused", error_class="NotPosted", detail=fault)
        request = {
            "FromEmailAddress": self._sender_address,
            "Destination": {"ToAddresses": [letter.address]},
            "Content": {"Raw": {"Data": letter.content}},
            "EmailTags": [
                {"Name": "letter_id", "Value": letter.letter_id},
                {"Name": "batch_id", "Value": _tag(letter.batch_id)},
                {"Name": "level", "Value": str(letter.level)},
            ],
        }
        if self._configuration_set is not None:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            answer = self._client.send_email(**request)
        except Exception as error:  # whatever it is, the letter may have left: that is an outcome
            return outcome_of(error)
        return accepted_by(answer, "MessageId")

    def has(self, letter: OutgoingLetter) -> bool | None:
        """SES cannot be asked by our id."""
        return None

    def limits(self) -> AccountLimits:
        """What the account allows.

        Raises:
            CarrierError: SES does not say, or the account may not send to everybody.
        """
        limits, may_send = ask_account(self._client)
        if not may_send:
            raise CarrierError(
                "the account may not send, or is still in the sandbox. Nothing was sent. Ask AWS to let it send."
            )
        return limits

    def _fault(self, letter: OutgoingLetter) -> str | None:
        """Why the letter must not be posted; None where it may be. Without address or text of the letter."""
        if letter.channel != "email":
            return f"its channel is {letter.channel}, not email"
        if hashlib.sha256(letter.content).hexdigest() != letter.message_hash:
            return "its bytes are not those that were approved"
        if len(letter.content) > self._max_message_bytes:
            return f"it has {len(letter.content)} bytes, more than {self._max_message_bytes}"
        if _LETTER_ID.fullmatch(letter.letter_id) is None:
            return "its id cannot be a tag"
        if not is_mailbox(letter.address):
            return "its address is not one plain address"
        return header_fault(letter, self._sender_address)


def ask_account(client: Any) -> tuple[AccountLimits, bool]:
    """The account's limits, and whether it may send to everybody.

    Raises:
        CarrierError: SES does not say.
    """
    try:
        account = client.get_account()
        quota = account["SendQuota"]
        limits = AccountLimits(
            max_send_rate=float(quota["MaxSendRate"]),
            max_24_hour_send=int(quota["Max24HourSend"]),
            sent_last_24_hours=int(quota["SentLast24Hours"]),
        )
        return limits, account["SendingEnabled"] is True and account["ProductionAccessEnabled"] is True
    except (BotoCoreError, ClientError) as error:
        raise CarrierError(
            f"SES does not say what the account allows ({outcome_of(error).error_class}). Nothing was sent."
        ) from None
    except (KeyError, TypeError, ValueError):
        raise CarrierError("SES's answer about the account is incomplete. Nothing was sent.") from None


def header_fault(letter: OutgoingLetter, sender_address: str) -> str | None:
    """What the headers say other than the row: who it is to, who it is from, which letter it is."""
    head = letter.content.partition(b"\r\n\r\n")[0]
    if b"\r\n\r\n" not in letter.content or re.search(rb"[^\r]\n|\r[^\n]|\0", head + b"\r\n\r\n"):
        return "its headers are not lines of a message"
    try:
        headers = BytesHeaderParser(policy=SMTP).parsebytes(head + b"\r\n\r\n")
        if headers.defects:
            return "its headers cannot be read"
        if any(name.lower() in ("cc", "bcc") or name.lower().startswith("resent-") for name in headers):
            return "it names further recipients"
        if _only_address(headers.get_all("To")) != letter.address:
            return "its To header is not exactly its address"
        if _only_address(headers.get_all("From")) != sender_address:
            return "its From header is not the sender"
        if [str(value) for value in headers.get_all("X-O2C-Letter") or []] != [letter.letter_id]:
            return "its X-O2C-Letter header is not its id"
    except (MessageError, ValueError, IndexError, AttributeError):
        return "its headers cannot be read"
    return None


def accepted_by(answer: Any, field: str) -> Outcome:
    """An answer without error: accepted if it has a message id, otherwise nobody knows."""
    answer = answer if isinstance(answer, dict) else {}
    meta = answer.get("ResponseMetadata", {})
    status, request_id = meta.get("HTTPStatusCode"), meta.get("RequestId")
    message_id = answer.get(field)
    if isinstance(message_id, str) and _MESSAGE_ID.fullmatch(message_id) is not None:
        return Outcome("accepted", message_id, http_status=status, request_id=request_id)
    detail = "an answer without a message id"
    return Outcome("unknown", None, status, "NoMessageId", request_id, detail)


def _only_address(headers: list[Any] | None) -> str | None:
    """The one addr-spec of the one header; None where there is another number of either, or a group."""
    if headers is None or len(headers) != 1:
        return None
    (header,) = headers
    if header.defects or len(header.addresses) != 1 or any(group.display_name for group in header.groups):
        return None
    return header.addresses[0].addr_spec


def _tag(text: str) -> str:
    """The text in characters that a tag may have; what it is for is shown to people only."""
    return _NO_TAG.sub("-", text)[:256] or "-"
