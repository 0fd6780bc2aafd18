"""Which carriers this installation has. People are reached only after three independent yeses.

They are: the environment says production, AWS says that the credentials are those of the account named in the
settings, and somebody approved the letters, which the ledger sees to. Without the first two nothing that could reach
anybody is opened. A carrier that was asked for and may not be used is never replaced by a folder: letters that nobody
got would count as sent.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy import Engine

from o2c.delivery.aws import CarrierError, aws_client, loopback_url
from o2c.delivery.carrier import Carrier
from o2c.delivery.event_queue import EventQueue
from o2c.delivery.limits import AccountLimits
from o2c.delivery.outbox import FolderCarrier
from o2c.delivery.ses import SesCarrier, ses_client
from o2c.delivery.sms import SmsCarrier, sms_client
from o2c.home import Home
from o2c.policy.controls import Delivery
from o2c.settings import Settings

AccountOf = Callable[[boto3.Session, str], str | None]
"""Session and region → id of the account that the credentials are of; None where AWS does not say."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION_OF_A_STAND_IN = "us-east-1"
_ASK_TIMEOUT = timedelta(seconds=10)
# Text messages have no such account limits; their standard rate is one part a second.
_SMS_LIMITS = AccountLimits(max_send_rate=1.0, max_24_hour_send=-1, sent_last_24_hours=0)


@dataclass(frozen=True)
class OpenCarrier:
    """A carrier, the channels whose letters it takes (None for all), and what its account allows (None: no limit)."""

    carrier: Carrier
    channels: frozenset[str] | None = None
    account: AccountLimits | None = None


@dataclass(frozen=True)
class _Way:
    """How AWS is reached: a stand-in of this machine, or the real one with a session of ours."""

    region: str
    session: boto3.Session
    loopback: str | None

    def client(self, service: str) -> Any:
        return aws_client(service, self.region, _ASK_TIMEOUT, self.session, loopback=self.loopback)


def open_carriers(
    settings: Settings,
    home: Home,
    engine: Engine,
    policy: Delivery,
    *,
    with_sms: bool = False,
    account_of: AccountOf | None = None,
) -> list[OpenCarrier]:
    """The carriers of this installation: the folder, or SES and where the policy says so SMS.

    Args:
        with_sms: the policy lets text messages leave; they need ``O2C_SMS_ORIGINATION`` beside.
        account_of: asks AWS whose credentials these are; tests give another.

    Raises:
        CarrierError: SES was asked for and may not be used. Names everything that is missing.
    """
    if home.marker.simulated or settings.carrier == "folder":
        return [OpenCarrier(FolderCarrier(home.outbox, engine))]
    way = _way(settings, home, engine, account_of or whose_account)
    timeout = timedelta(seconds=policy.request_timeout_seconds)
    ses = SesCarrier(
        ses_client(way.region, timeout, way.session, loopback=way.loopback),
        sender_address=settings.sender_address,
        configuration_set=settings.ses_configuration_set,
        max_message_bytes=policy.max_message_bytes,
    )
    opened = [OpenCarrier(ses, frozenset({"email"}), ses.limits())]
    if with_sms and settings.sms_origination:
        client = sms_client(way.region, timeout, way.session, loopback=way.loopback)
        sms = SmsCarrier(
            client, origination=settings.sms_origination, configuration_set=settings.ses_configuration_set
        )
        opened.append(OpenCarrier(sms, frozenset({"sms"}), _SMS_LIMITS))
    return opened


def open_queue(
    settings: Settings, home: Home, engine: Engine, account_of: AccountOf | None = None
) -> EventQueue | None:
    """The queue of delivery events; None for an installation whose carrier reports none.

    The same yeses as for sending: who reads a queue empties it, and a test must not empty production's.

    Raises:
        CarrierError: as ``open_carriers``.
    """
    if home.marker.simulated or settings.carrier == "folder" or settings.ses_events_queue_url is None:
        return None
    way = _way(settings, home, engine, account_of or whose_account)
    url = settings.ses_events_queue_url
    if way.loopback is not None:
        url = way.loopback + urlsplit(url).path
    return EventQueue(way.client("sqs"), url)


def open_ses(settings: Settings, home: Home, engine: Engine, account_of: AccountOf | None = None) -> Any:
    """A client that asks SES about messages; it sends none. None where SES is not the carrier.

    Raises:
        CarrierError: as ``open_carriers``.
    """
    if home.marker.simulated or settings.carrier == "folder":
        return None
    return _way(settings, home, engine, account_of or whose_account).client("sesv2")


def whose_account(session: boto3.Session, region: str) -> str | None:
    """Asks AWS whose credentials these are."""
    try:
        answer = aws_client("sts", region, _ASK_TIMEOUT, session).get_caller_identity()
    except (BotoCoreError, ClientError):
        return None
    return answer.get("Account")


def _way(settings: Settings, home: Home, engine: Engine, account_of: AccountOf) -> _Way:
    session = boto3.Session()
    if settings.ses_endpoint_url is not None:
        region = settings.aws_region or _REGION_OF_A_STAND_IN
        return _Way(region, session, loopback_url(settings.ses_endpoint_url))
    faults = _missing(settings, engine)
    if not faults and account_of(session, settings.aws_region or "") != settings.aws_account_id:
        faults = [
            "O2C_AWS_ACCOUNT_ID is not the account that AWS names for the credentials, or AWS does not answer"
        ]
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults)
        raise CarrierError(
            f"{home.root}: SES may not be used here; letters stay approved, nothing was sent.\n{shown}\n"
            "With O2C_CARRIER=folder letters are written into the outbox of the home instead."
        )
    return _Way(settings.aws_region or "", session, None)


def _missing(settings: Settings, engine: Engine) -> list[str]:
    """What stands between this installation and people, without asking anybody."""
    faults = []
    if settings.environment != "production":
        faults.append(f"O2C_ENVIRONMENT is {settings.environment}, not production")
    if _ACCOUNT.fullmatch(settings.aws_account_id or "") is None:
        faults.append("O2C_AWS_ACCOUNT_ID is not set to the twelve digits of an account")
    if not settings.aws_region:
        faults.append("O2C_AWS_REGION is not set")
    if not settings.ses_configuration_set:
        faults.append("O2C_SES_CONFIGURATION_SET is not set, so nobody would hear of bounces")
    queue = urlsplit(settings.ses_events_queue_url or "")
    of_account = queue.path.startswith(f"/{settings.aws_account_id}/")
    host = f"sqs.{settings.aws_region}.amazonaws.com"
    if queue.scheme != "https" or queue.netloc not in (host, f"{host}.cn") or not of_account:
        faults.append("O2C_SES_EVENTS_QUEUE_URL is not set to a queue of that account and region")
    if settings.sender_address.endswith(".example") or settings.reply_to.endswith(".example"):
        faults.append("O2C_SENDER_ADDRESS and O2C_REPLY_TO are not both addresses of yours")
    if _is_of_a_simulation(engine):
        faults.append("O2C_LEDGER_URL is the ledger of a simulated home")
    return faults


def _is_of_a_simulation(engine: Engine) -> bool:
    """Whether the ledger's file lies in a home that plays; its approvals are worth nothing."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return False
    marker = Path(engine.url.database).resolve().parent / "home.json"
    try:
        return json.loads(marker.read_bytes()).get("simulated") is not False
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError):
        return True
