"""The SES carrier: exactly the approved bytes to exactly one recipient, or nothing."""

import base64
import functools
import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from letters_underway import SENDER, address_of, eml, outgoing
from moto import mock_aws
from stub_ses import StubSes, always

import o2c
from o2c.delivery.aws import CarrierError, one_attempt
from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.limits import AccountLimits
from o2c.delivery.ses import LARGEST_MESSAGE, SesCarrier, ses_client
from o2c.delivery.sms import SmsCarrier, sms_client

TIMEOUT = timedelta(seconds=5)
PACKAGE = Path(o2c.__file__).parent


@pytest.fixture(scope="module")
def ses() -> Iterator[StubSes]:
    with StubSes() as server:
        yield server


@functools.cache
def client_at(url: str) -> Any:
    """A client takes a while to make and keeps nothing of a letter."""
    return ses_client("eu-central-1", TIMEOUT, loopback=url)


def carrier(server: StubSes, **more: Any) -> SesCarrier:
    options: dict[str, Any] = {"sender_address": SENDER, "configuration_set": "o2c"} | more
    return SesCarrier(client_at(server.url), **options)


def test_what_leaves_is_what_was_approved_to_one_recipient_with_its_tags(ses: StubSes):
    letter = outgoing(
        "L1", eml("L1", body="Überfällig: 1.234,56 €\r\n" * 50), batch_id="2026-09-30/b.1", level=2
    )

    outcome = carrier(ses).send(letter)

    kept = ses.accepted[outcome.carrier_message_id or ""]
    assert outcome.kind == "accepted"
    assert base64.b64decode(kept.request["Content"]["Raw"]["Data"]) == letter.content
    assert kept.request | {"Content": None} == {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": [address_of("L1")]},
        "Content": None,
        "EmailTags": [
            {"Name": "letter_id", "Value": "L1"},
            {"Name": "batch_id", "Value": "2026-09-30-b-1"},
            {"Name": "level", "Value": "2"},
        ],
        "ConfigurationSetName": "o2c",
    }


def test_an_attachment_leaves_within_the_message(ses: StubSes):
    message = message_from_bytes(eml("L2"), policy=SMTP)
    message.set_content("Please pay.")
    message.add_attachment(
        b"%PDF-1.7 " + b"x" * 200_000, maintype="application", subtype="pdf", filename="L2.pdf"
    )
    letter = outgoing("L2", message.as_bytes(policy=SMTP))

    outcome = carrier(ses).send(letter)

    raw = base64.b64decode(ses.accepted[outcome.carrier_message_id or ""].request["Content"]["Raw"]["Data"])
    assert raw == letter.content
    (attached,) = message_from_bytes(raw, policy=SMTP).iter_attachments()  # ty: ignore[unresolved-attribute]
    assert attached.get_filename() == "L2.pdf"


def _head(**changes: str | None) -> bytes:
    lines: dict[str, str | None] = {
        "From": f"Receivables <{SENDER}>",
        "To": f"Accounts payable <{address_of('L1')}>",
        "Subject": "Reminder",
        "X-O2C-Letter": "L1",
    } | changes
    text = "\r\n".join(f"{name}: {value}" for name, value in lines.items() if value is not None)
    return f"{text}\r\n\r\nPlease pay.".encode()


ONE = address_of("L1")


@pytest.mark.parametrize(
    ("letter", "fault"),
    [
        (outgoing("L1", channel="sms"), "its channel is sms, not email"),
        (outgoing("L1", channel="print"), "its channel is print, not email"),
        (outgoing("L1", message_hash="0" * 64), "its bytes are not those that were approved"),
        (outgoing("L1 L2"), "its id cannot be a tag"),
        (outgoing("L1", address=f"{ONE}, b@evil.example"), "its address is not one plain address"),
        (outgoing("L1", address=""), "its address is not one plain address"),
        (outgoing("L1", address=f"x <{ONE}>"), "its address is not one plain address"),
        (outgoing("L1", address="other@customer.example"), "its To header is not exactly its address"),
        (outgoing("L1", eml("L2", address=ONE)), "its X-O2C-Letter header is not its id"),
        (outgoing("L1", eml("L1", sender="ceo@o2c.example")), "its From header is not the sender"),
        (outgoing("L1", eml("L1").replace(b"\r\n", b"\n")), "its headers are not lines of a message"),
        (outgoing("L1", b""), "its headers are not lines of a message"),
        (outgoing("L1", b"no headers at all"), "its headers are not lines of a message"),
        *(
            (outgoing("L1", _head(**changes)), fault)
            for changes, fault in [
                ({"To": None}, "its To header is not exactly its address"),
                ({"To": f"<{ONE}>, <b@evil.example>"}, "its To header is not exactly its address"),
                ({"To": f"<{ONE}>\r\nTo: <b@evil.example>"}, "its To header is not exactly its address"),
                ({"To": f"<{ONE}>\r\nto: <{ONE}>"}, "its To header is not exactly its address"),
                ({"To": f"friends: <{ONE}>;"}, "its To header is not exactly its address"),
                ({"To": f"{ONE} <b@evil.example>"}, "its To header is not exactly its address"),
                ({"To": f"{ONE}(<b@evil.example>)"}, None),
                ({"To": f'"{ONE}" <b@evil.example>'}, "its To header is not exactly its address"),
                ({"To": "undisclosed-recipients:;"}, "its To header is not exactly its address"),
                ({"Cc": "<b@evil.example>"}, "it names further recipients"),
                ({"BCC": "<b@evil.example>"}, "it names further recipients"),
                ({"Resent-To": "<b@evil.example>"}, "it names further recipients"),
                ({"From": None}, "its From header is not the sender"),
                ({"From": f"{SENDER}, b@evil.example"}, "its From header is not the sender"),
                ({"X-O2C-Letter": None}, "its X-O2C-Letter header is not its id"),
                ({"X-O2C-Letter": "L1\r\nX-O2C-Letter: L1"}, "its X-O2C-Letter header is not its id"),
                ({"Subject": "a\rBcc: b@evil.example"}, "its headers are not lines of a message"),
                ({"Subject": "a\nBcc: b@evil.example"}, "its headers are not lines of a message"),
                ({"Subject": "a\0"}, "its headers are not lines of a message"),
            ]
            if fault is not None
        ),
    ],
)
def test_a_letter_that_is_not_exactly_what_may_leave_is_not_posted(
    ses: StubSes, letter: OutgoingLetter, fault: str
):
    before = len(ses.posts)
    assert carrier(ses).send(letter) == Outcome("refused", error_class="NotPosted", detail=fault)
    assert len(ses.posts) == before


@pytest.mark.parametrize(
    ("more", "kind"), [(0, "accepted"), (1, "refused")], ids=["the last byte", "one more"]
)
def test_a_message_has_a_largest_size(ses: StubSes, more: int, kind: str):
    content = eml("L3") + b"x" * (5000 - len(eml("L3")) + more)
    outcome = carrier(ses, max_message_bytes=5000).send(outgoing("L3", content))
    assert outcome.kind == kind
    assert outcome.detail == (None if kind == "accepted" else "it has 5001 bytes, more than 5000")


def test_no_policy_lets_more_through_than_the_carrier_takes(ses: StubSes):
    content = eml("L4") + b"x" * LARGEST_MESSAGE
    outcome = carrier(ses, max_message_bytes=10 * LARGEST_MESSAGE).send(outgoing("L4", content))
    assert (outcome.kind, ses.posts_of("L4")) == ("refused", 0)


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(retries={"max_attempts": 1}),
        Config(retries={"total_max_attempts": 2, "mode": "standard"}),
        Config(retries={"total_max_attempts": 1, "mode": "adaptive"}),
        one_attempt(TIMEOUT).merge(Config(proxies={"https": "http://127.0.0.1:1"})),
    ],
    ids=["default", "one retry", "two attempts", "adaptive", "proxy"],
)
@pytest.mark.parametrize("service", ["sesv2", "pinpoint-sms-voice-v2"])
def test_a_client_that_might_post_twice_is_not_taken(config: Config, service: str):
    client = boto3.client(service, region_name="eu-central-1", config=config)  # ty: ignore[no-matching-overload]
    with pytest.raises(CarrierError):
        _carrier_of(service, client)


def _carrier_of(service: str, client: Any) -> SesCarrier | SmsCarrier:
    if service == "sesv2":
        return SesCarrier(client, sender_address=SENDER, configuration_set=None)
    return SmsCarrier(client, origination="+12065550152", configuration_set=None)


def test_settings_of_the_environment_do_not_make_it_post_twice_or_elsewhere(
    ses: StubSes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "http://192.0.2.1")
    ses.behaviour = always("500_before")
    fresh = ses_client("eu-central-1", TIMEOUT, loopback=ses.url)
    try:
        assert (
            SesCarrier(fresh, sender_address=SENDER, configuration_set=None).send(outgoing("L5")).kind
            == "unknown"
        )
    finally:
        ses.behaviour = always("accept")
    assert ses.posts_of("L5") == 1
    real = ses_client("eu-central-1", TIMEOUT)
    assert real.meta.endpoint_url == "https://email.eu-central-1.amazonaws.com"


def test_what_the_account_allows(ses: StubSes):
    ses.max_send_rate, ses.max_24_hour_send = 14.0, 50_000.0
    limits = carrier(ses).limits()
    assert limits == AccountLimits(14.0, 50_000, sum(map(len, ses.accepts.values())))


@pytest.mark.parametrize("name", ["SendingEnabled", "ProductionAccessEnabled"])
def test_an_account_that_may_not_send_to_everybody_sends_nothing(name: str):
    with StubSes() as server:
        server.account[name] = False
        with pytest.raises(CarrierError, match="may not send, or is still in the sandbox"):
            carrier(server).limits()


def test_an_account_that_says_nothing_sends_nothing():
    with StubSes() as server:
        silent = carrier(server)
    with pytest.raises(CarrierError, match="EndpointConnectionError"):
        silent.limits()


def test_what_kind_of_carrier_it_is(ses: StubSes):
    one = carrier(ses)
    assert (one.name, one.reaches_people, one.reports_delivery, one.has(outgoing())) == (
        "ses",
        True,
        True,
        None,
    )
    assert carrier(ses, configuration_set=None).reports_delivery is False


def test_the_request_is_one_of_the_service_model_and_so_is_its_answer():
    client = ses_client("eu-central-1", TIMEOUT, loopback="http://127.0.0.1:1")
    letter = outgoing("L6")
    with Stubber(client) as stubber:
        stubber.add_response(
            "send_email",
            {"MessageId": "0100-6"},
            {
                "FromEmailAddress": SENDER,
                "Destination": {"ToAddresses": [address_of("L6")]},
                "Content": {"Raw": {"Data": letter.content}},
                "EmailTags": [
                    {"Name": "letter_id", "Value": "L6"},
                    {"Name": "batch_id", "Value": "2026-09-30-b"},
                    {"Name": "level", "Value": "1"},
                ],
                "ConfigurationSetName": "o2c",
            },
        )
        outcome = SesCarrier(client, sender_address=SENDER, configuration_set="o2c").send(letter)
        stubber.assert_no_pending_responses()
    assert (outcome.kind, outcome.carrier_message_id) == ("accepted", "0100-6")


@mock_aws
def test_another_model_of_the_service_takes_it_too(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = ses_client("eu-central-1", TIMEOUT)
    one = SesCarrier(client, sender_address=SENDER, configuration_set=None)
    unverified = one.send(outgoing("L7"))
    client.create_email_identity(EmailIdentity=SENDER)

    assert (unverified.kind, unverified.error_class, unverified.http_status) == (
        "refused",
        "MessageRejected",
        400,
    )
    assert one.send(outgoing("L7")).kind == "accepted"


# ── text messages ──

TEXT = b"Invoice 4711 is open. o2c.example/pay"


@functools.cache
def sms_client_at(url: str) -> Any:
    return sms_client("eu-central-1", TIMEOUT, loopback=url)


def sms(server: StubSes) -> SmsCarrier:
    return SmsCarrier(sms_client_at(server.url), origination="+12065550152", configuration_set="o2c")


def text_to(number: str, content: bytes = TEXT, **changes: Any) -> OutgoingLetter:
    return outgoing("S1", content, **({"channel": "sms", "address": number} | changes))


def test_a_text_leaves_as_transactional_with_its_letter_in_the_context(ses: StubSes):
    outcome = sms(ses).send(text_to("+491701234567"))

    assert outcome.kind == "accepted"
    assert ses.accepted[outcome.carrier_message_id or ""].request == {
        "DestinationPhoneNumber": "+491701234567",
        "OriginationIdentity": "+12065550152",
        "MessageBody": TEXT.decode(),
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "o2c",
        "Context": {"letter_id": "S1", "batch_id": "2026-09-30-b"},
    }


@pytest.mark.parametrize(
    ("letter", "fault"),
    [
        (text_to("+491701234567", channel="email"), "its channel is email, not sms"),
        (text_to("+491701234567", message_hash="0"), "its bytes are not those that were approved"),
        *(
            (text_to(number), "its address is not one number with its country code")
            for number in ("01701234567", "+0491701234", "+49 170 1234567", "+49170", "+4917012345678901", "", "a@b.c",
                           "+491701234567,+491701234568", "+491701234567\n", "+٤٩١٧٠١٢٣٤٥")
        ),
        (text_to("+491701234567", b"\xff\xfe"), "its bytes are no text"),
        (text_to("+491701234567", b""), "its text has 0 characters, not 1 to 1600"),
        (text_to("+491701234567", b"x" * 1601), "its text has 1601 characters, not 1 to 1600"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_exactly_what_may_leave_is_not_posted(
    ses: StubSes, letter: OutgoingLetter, fault: str
):
    before = len(ses.posts)
    assert sms(ses).send(letter) == Outcome("refused", error_class="NotPosted", detail=fault)
    assert len(ses.posts) == before


@pytest.mark.parametrize(
    ("action", "kind", "pause"),
    [
        ("accept_then_500", "unknown", None),
        ("accept_then_reset", "unknown", None),
        ("accept_then_garbled", "unknown", None),
        ("accept_without_id", "unknown", None),
        ("throttle", "not_accepted", None),
        ("access_denied", "paused", "not_let_in"),
        ("sms_opted_out", "refused", None),
        ("sms_spent", "paused", "limit"),
        ("sms_no_origination", "paused", "origination_not_found"),
        ("sms_invalid", "refused", None),
    ],
)
def test_errors_of_texts_mean_what_those_of_letters_do(
    ses: StubSes, action: str, kind: str, pause: str | None
):
    before = ses.posts_of("S1")
    ses.behaviour = always(action)
    try:
        outcome = sms(ses).send(text_to("+491701234567"))
    finally:
        ses.behaviour = always("accept")
    assert (outcome.kind, outcome.pause, ses.posts_of("S1") - before) == (kind, pause, 1)


# ── what is not there ──


def test_nothing_sends_mail_but_the_one_call():
    folders = [PACKAGE, PACKAGE.parents[1] / "flows"]
    texts = {path: path.read_text() for folder in folders for path in sorted(folder.rglob("*.py"))}
    calls = [
        (path.name, name) for path, text in texts.items() for name in re.findall(r"\.(send_\w+)\(", text)
    ]
    imports = {
        name for text in texts.values() for name in re.findall(r"^\s*(?:import|from) (\w+)", text, re.M)
    }

    assert len(texts) > 100
    assert [one for one in calls if one[1] != "send_many"] == [
        ("ses.py", "send_email"),
        ("sms.py", "send_text_message"),
    ]
    assert not imports & {"smtplib", "aiosmtplib", "imaplib", "poplib", "telnetlib"}
    assert "boto3" in imports
