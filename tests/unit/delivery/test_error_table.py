"""Every line of the error table against a server: one post an attempt, and the right state in the ledger."""

import datetime as dt
import functools
import inspect
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from letters_underway import NOON, SENDER, claim_all, ledger_with, outgoing, states
from sqlalchemy import select
from stub_ses import ACTIONS, StubSes, always

from o2c.delivery.carrier import Outcome
from o2c.delivery.ses import SesCarrier, ses_client
from o2c.delivery.ses_errors import ANSWERS, NEVER_CONNECTED, NOT_A_REQUEST, NOTHING_ASKED, outcome_of
from o2c.ledger.outgoing import open_pauses, record
from o2c.ledger.tables import attempts

PATIENCE = timedelta(seconds=0.4)
KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}

# action of the server → kind, state in the ledger, pause, class of the error
TABLE: dict[str, tuple[str, str, str | None, str | None]] = {
    "accept": ("accepted", "sent", None, None),
    "accept_then_hang": ("unknown", "unknown", None, "ReadTimeoutError"),
    "accept_then_reset": ("unknown", "unknown", None, "ConnectionClosedError"),
    "accept_then_close": ("unknown", "unknown", None, "ConnectionClosedError"),
    "accept_then_500": ("unknown", "unknown", None, "InternalServiceError"),
    "accept_then_503": ("unknown", "unknown", None, "ServiceUnavailable"),
    "accept_then_garbled": ("unknown", "unknown", None, "NoMessageId"),
    "accept_then_html": ("unknown", "unknown", None, "NoMessageId"),
    "accept_then_empty": ("unknown", "unknown", None, "NoMessageId"),
    "accept_then_cut": ("unknown", "unknown", None, "NoMessageId"),
    "accept_then_stall": ("unknown", "unknown", None, "ReadTimeoutError"),
    "accept_without_id": ("unknown", "unknown", None, "NoMessageId"),
    "accept_suppressed": ("accepted", "sent", None, None),
    "accept_bounced": ("accepted", "sent", None, None),
    "accept_complained": ("accepted", "sent", None, None),
    "accept_rejected": ("accepted", "sent", None, None),
    "hang_before": ("unknown", "unknown", None, "ReadTimeoutError"),
    "reset_before": ("unknown", "unknown", None, "ConnectionClosedError"),
    "500_before": ("unknown", "unknown", None, "InternalServiceError"),
    "throttle": ("not_accepted", "approved", None, "TooManyRequestsException"),
    "throttling_400": ("not_accepted", "approved", None, "ThrottlingException"),
    "quota": ("paused", "approved", "quota", "TooManyRequestsException"),
    "quota_limit": ("paused", "approved", "quota", "LimitExceededException"),
    "limit": ("paused", "approved", "limit", "LimitExceededException"),
    "suspended": ("paused", "approved", "account_suspended", "AccountSuspendedException"),
    "sending_paused": ("paused", "approved", "sending_paused", "SendingPausedException"),
    "mail_from": ("paused", "approved", "mail_from_not_verified", "MailFromDomainNotVerifiedException"),
    "no_configuration_set": ("paused", "approved", "configuration_set_not_found", "NotFoundException"),
    "message_rejected": ("refused", "refused", None, "MessageRejected"),
    "identity_not_verified": ("paused", "approved", "identity_not_verified", "MessageRejected"),
    "bad_request": ("refused", "refused", None, "BadRequestException"),
    "too_large": ("refused", "refused", None, "RequestEntityTooLarge"),
    "signature": ("paused", "approved", "not_let_in", "SignatureDoesNotMatch"),
    "expired_token": ("paused", "approved", "not_let_in", "ExpiredTokenException"),
    "clock_skew": ("paused", "approved", "not_let_in", "InvalidSignatureException"),
    "access_denied": ("paused", "approved", "not_let_in", "AccessDeniedException"),
    "sms_opted_out": ("unknown", "unknown", None, "ConflictException"),
    "sms_spent": ("unknown", "unknown", None, "ServiceQuotaExceededException"),
    "sms_no_origination": ("unknown", "unknown", None, "ResourceNotFoundException"),
    "sms_invalid": ("refused", "refused", None, "ValidationException"),
    "unlisted_400": ("unknown", "unknown", None, "SomethingNewException"),
}


@pytest.fixture(scope="module")
def ses() -> Iterator[StubSes]:
    with StubSes(hang_seconds=2) as server:
        yield server


@functools.cache
def client_at(url: str) -> Any:
    """A client takes a while to make and keeps nothing of a letter."""
    return ses_client("eu-central-1", PATIENCE, endpoint_url=url, **KEYS)


def carrier_at(url: str, **more: Any) -> SesCarrier:
    client = (
        ses_client("eu-central-1", PATIENCE, endpoint_url=url, **(KEYS | more)) if more else client_at(url)
    )
    return SesCarrier(client, sender_address=SENDER, configuration_set="o2c")


def test_the_table_has_every_action_of_the_server():
    assert set(TABLE) == set(ACTIONS)


@pytest.mark.parametrize("action", list(ACTIONS))
def test_one_post_and_the_right_state(ses: StubSes, ledger_file: Path, tmp_path: Path, action: str):
    kind, state, pause, error_class = TABLE[action]
    letter_id = f"L-{action}"
    shutil.copy(ledger_file, tmp_path / "ledger.db")
    engine = ledger_with(tmp_path, letter_id)
    ses.behaviour = always(action)
    (claimed,) = claim_all(engine, letter_id)

    outcome = carrier_at(ses.url).send(claimed.letter)
    record(engine, [(claimed, outcome)], NOON)

    assert ses.posts_of(letter_id) == 1
    assert (outcome.kind, outcome.error_class, outcome.pause) == (kind, error_class, pause)
    assert states(engine) == {letter_id: state}
    assert [(one.carrier, one.reason) for one in open_pauses(engine, NOON)] == (
        [("ses", pause)] if pause else []
    )
    assert [one.until is not None for one in open_pauses(engine, NOON)] == (
        [pause == "quota"] if pause else []
    )
    with engine.connect() as con:
        row = con.execute(select(attempts)).one()
    assert (row.attempt_number, row.outcome, row.error_class) == (1, kind, error_class)
    assert (letter_id in ses.accepts) == ACTIONS[action].accepts
    # a letter that the server took never goes back to where it would be sent again
    assert not (ACTIONS[action].accepts and state in ("approved", "refused"))


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def unreachable(error_class: str, detail: str) -> Outcome:
    """No letter's tries are used up while the way is closed: nothing is posted for ten minutes."""
    return Outcome(
        "paused",
        error_class=error_class,
        detail=detail,
        pause="unreachable",
        pause_for=timedelta(minutes=10),
    )


def test_a_refused_connection_was_none():
    outcome = carrier_at(f"http://127.0.0.1:{_closed_port()}").send(outgoing())
    assert outcome == unreachable("EndpointConnectionError", "no connection was made")


def test_a_connection_that_nobody_takes_was_none():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            outcome = carrier_at(f"http://127.0.0.1:{port}").send(outgoing())
    assert outcome == unreachable("ConnectTimeoutError", "no connection was made")


def test_a_name_that_nobody_knows_was_no_connection(monkeypatch: pytest.MonkeyPatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = carrier_at("http://127.0.0.1:1").send(outgoing())
    assert outcome == unreachable("EndpointConnectionError", "no connection was made")


def test_without_credentials_nobody_is_asked(ses: StubSes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    client = ses_client("eu-central-1", PATIENCE, boto3.Session(), endpoint_url=ses.url)

    outcome = SesCarrier(client, sender_address=SENDER, configuration_set=None).send(outgoing("L-keyless"))

    assert outcome == unreachable("NoCredentialsError", "credentials or endpoint could not be found")
    assert ses.posts_of("L-keyless") == 0


def test_a_request_that_the_library_does_not_know_is_refused(ses: StubSes):
    client = ses_client("eu-central-1", PATIENCE, endpoint_url=ses.url, **KEYS)
    wrong: Any = 7
    outcome = SesCarrier(client, sender_address=SENDER, configuration_set=wrong).send(outgoing("L-param"))

    assert (outcome.kind, outcome.error_class) == ("refused", "ParamValidationError")
    assert ses.posts_of("L-param") == 0


def test_a_proxy_of_the_environment_is_not_used(ses: StubSes, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{_closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    ses.behaviour = always("accept")
    fresh = ses_client("eu-central-1", PATIENCE, endpoint_url=ses.url, **KEYS)
    carrier = SesCarrier(fresh, sender_address=SENDER, configuration_set="o2c")
    assert carrier.send(outgoing("L-proxy")).kind == "accepted"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2049, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


class TlsServer:
    """Shakes hands, reads the beginning of a request and breaks off without a word."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "TlsServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join(2)

    def _serve(self) -> None:
        try:
            raw, _ = self._socket.accept()
            with self._context.wrap_socket(raw, server_side=True) as connection:
                if connection.recv(65536):
                    self.requests += 1
                raw = socket.socket(fileno=connection.detach())
                raw.close()
        except (OSError, ssl.SSLError):
            pass


def test_a_certificate_that_we_refuse_pauses_before_anything_left(certificate: Path):
    with TlsServer(certificate) as server:
        outcome = carrier_at(server.url).send(outgoing())
    assert (outcome.kind, outcome.error_class, outcome.pause) == ("paused", "SSLError", "certificate")
    assert server.requests == 0


def test_tls_that_breaks_after_the_handshake_leaves_it_unknown(certificate: Path):
    with TlsServer(certificate) as server:
        outcome = carrier_at(server.url, verify=str(certificate)).send(outgoing())
    assert outcome.kind == "unknown"
    assert server.requests == 1


def test_tls_with_a_server_that_has_none_is_not_taken_as_certain(ses: StubSes):
    outcome = carrier_at(ses.url.replace("http:", "https:")).send(outgoing())
    assert (outcome.kind, outcome.error_class) == ("unknown", "SSLError")


def _told(code: str, status: int, message: str = "", headers: dict[str, str] | None = None) -> ClientError:
    meta = {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": headers or {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, "SendEmail")  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("TooManyRequestsException", 500, "Maximum sending rate exceeded.", "unknown"),
        ("MessageRejected", 502, "", "unknown"),
        ("AccountSuspendedException", 503, "", "unknown"),
        ("Anything", 429, "", "not_accepted"),
        ("Throttling", 400, "Maximum sending rate exceeded.", "not_accepted"),
        ("LimitExceededException", 400, "Maximum sending rate exceeded.", "not_accepted"),
        ("Anything", 403, "", "paused"),
        ("Anything", 401, "", "paused"),
        ("ExpiredToken", 400, "", "paused"),
        ("RequestTimeTooSkewed", 403, "", "paused"),
        ("NotFoundException", 404, "", "paused"),
        ("UnknownOperationException", 404, "", "unknown"),
        ("MessageRejected", 400, "", "refused"),
        ("BadRequestException", 400, "", "refused"),
        ("SerializationException", 400, "", "refused"),
        ("MessageRejected", 200, "", "unknown"),
        ("MessageRejected", 404, "", "unknown"),
        ("400", 400, "", "unknown"),
        ("408", 408, "", "unknown"),
        ("", 0, "", "unknown"),
        ("302", 302, "", "unknown"),
    ],
)
def test_what_an_answer_means(code: str, status: int, message: str, kind: str):
    outcome = outcome_of(_told(code, status, message))
    assert (outcome.kind, outcome.error_class, outcome.request_id) == (kind, code, "r-1")


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        ("3", timedelta(seconds=3)),
        ("86400", timedelta(minutes=10)),
        ("soon", None),
        ("-1", None),
        (None, None),
    ],
)
def test_no_carrier_makes_a_letter_wait_longer_than_ten_minutes(told: str | None, waits: timedelta | None):
    headers = {"retry-after": told} if told else {}
    assert outcome_of(_told("TooManyRequestsException", 429, headers=headers)).retry_after == waits
    assert outcome_of(_told("MessageRejected", 400, headers=headers)).retry_after is None


def test_the_words_of_the_carrier_are_not_passed_on():
    outcome = outcome_of(
        _told("MessageRejected", 400, "Email address is not verified: jane@customer.example")
    )
    assert "jane" not in repr(outcome)


# Everything botocore may raise that does not say for certain that nothing was taken.
PERHAPS = set(
    """
    ApiVersionNotFoundError AwsChunkedWrapperError BaseEndpointResolverError BotoCoreError
    CapacityNotAvailableError ChecksumError ClientError ConnectionClosedError ConnectionError
    DataNotFoundError EventStreamError FlexibleChecksumError HTTPClientError ImminentRemovalWarning
    IncompleteReadError InvalidChecksumConfigError InvalidDNSNameError InvalidDefaultsMode
    InvalidEndpointDiscoveryConfigurationError InvalidExpressionError InvalidMaxRetryAttemptsError
    InvalidRetryConfigurationError InvalidRetryModeError InvalidS3AddressingStyleError
    InvalidS3UsEast1RegionalEndpointConfigError InvalidSTSRegionalEndpointsConfigError MD5UnavailableError
    MissingServiceIdError OperationNotPageableError PaginationError RangeError ReadTimeoutError
    ResponseStreamingError SSLError ServiceNotInRegionError StubAssertionError StubResponseError
    UnStubbedResponseError UndefinedModelAttributeError UnknownClientMethodError
    UnknownEndpointResolutionBuiltInName UnknownFIPSEndpointError UnknownKeyError UnknownServiceError
    UnknownServiceStyle UnknownTokenProviderError UnseekableStreamError UnsupportedOutpostResourceError
    UnsupportedS3AccesspointConfigurationError UnsupportedS3ArnError UnsupportedS3ConfigurationError
    UnsupportedS3ControlArnError UnsupportedS3ControlConfigurationError UnsupportedServiceProtocolsError
    UnsupportedTLSVersionWarning ValidationError WaiterConfigError WaiterError
    """.split()  # noqa: SIM905
)


def _classes() -> dict[str, type[Exception]]:
    found = inspect.getmembers(boto, inspect.isclass)
    return {
        name: one for name, one in found if issubclass(one, Exception) and one.__module__ == boto.__name__
    }


def test_every_exception_of_the_library_is_sorted_and_a_new_one_fails_here():
    certain = {one.__name__ for one in (*NEVER_CONNECTED, *NOTHING_ASKED, *NOT_A_REQUEST)}
    assert certain & PERHAPS == set()
    assert certain | PERHAPS == set(_classes())


@pytest.mark.parametrize("name", sorted(_classes()))
def test_every_exception_of_the_library_means_what_it_was_sorted_as(name: str):
    kind = _classes()[name]
    error = _told("", 0) if kind is ClientError else kind.__new__(kind)
    if name == "EventStreamError":
        error.response = {}
    expected = "unknown" if name in PERHAPS else "refused" if kind in NOT_A_REQUEST else "paused"
    assert outcome_of(error).kind == expected


class _Derived(boto.EndpointConnectionError):
    """Of a later version: not the same thing."""


@pytest.mark.parametrize(
    "error",
    [
        OSError("reset"), RuntimeError("x"), MemoryError(), KeyError("x"), TimeoutError(), UnicodeError("x"),
        ssl.SSLError("bad record"), ResponseParserError("cut"), _Derived(endpoint_url="x", error=OSError()),
        boto.SSLError(endpoint_url="https://x", error=ssl.SSLEOFError("eof")),
    ],
)  # fmt: skip
def test_anything_else_is_unknown(error: Exception):
    assert outcome_of(error).kind == "unknown"


def test_every_line_of_the_table_is_used():
    used = set()
    for status in (400, 401, 403, 404, 413, 429, 500):
        for code in {code for line in ANSWERS for code in line.codes} | {"Other"}:
            for message in (
                "",
                "daily message quota exceeded",
                "maximum sending rate exceeded",
                "not verified",
            ):
                used.add(next((line for line in ANSWERS if line.fits(code, status, message)), None))
    assert set(ANSWERS) <= used
