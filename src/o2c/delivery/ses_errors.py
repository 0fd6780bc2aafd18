"""What an exception of boto3 means for a letter: was it possibly accepted? (../shared/reliability/delivery.md §5.4)

Only what certainly happened before the connection was made, or what the service itself says about a request that it
did not carry out, is not ``unknown``. The table is data: the first line that fits is taken.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from o2c.delivery.carrier import Outcome, OutcomeKind

LONGEST_BACK_OFF = timedelta(minutes=10)


@dataclass(frozen=True)
class Answer:
    """A line of the table: an error that the service answered with, and what it means.

    ``codes`` and ``statuses`` are any of; ``says`` must stand in the message, in lower case. Empty fits everything.
    """

    kind: OutcomeKind
    detail: str
    codes: frozenset[str] = frozenset()
    statuses: range | None = None
    says: str = ""
    pause: str | None = None
    pause_for: timedelta | None = None

    def fits(self, code: str, status: int, message: str) -> bool:
        """Whether the answer is of this line."""
        return (
            (not self.codes or code in self.codes)
            and (self.statuses is None or status in self.statuses)
            and self.says in message
        )


def codes(text: str) -> frozenset[str]:
    """Error codes from a line of words."""
    return frozenset(text.split())


_THROTTLED = codes(
    "TooManyRequestsException TooManyRequests Throttling ThrottlingException ThrottledException RequestThrottled"
    " RequestThrottledException RequestLimitExceeded BandwidthLimitExceeded"
)
# Who we are was not believed, or we may not: nothing was carried out, and no other letter would fare better.
_NOT_LET_IN = codes(
    "AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException IncompleteSignature"
    " IncompleteSignatureException InvalidAccessKeyId InvalidClientTokenId InvalidSignatureException"
    " MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized OptInRequired RequestExpired"
    " RequestTimeTooSkewed SignatureDoesNotMatch UnrecognizedClientException"
)

ANSWERS: tuple[Answer, ...] = (
    # whatever the words are: a server that failed may have taken the letter before
    Answer("unknown", "the carrier failed inside", statuses=range(500, 600)),
    Answer(
        "paused",
        "the account's daily quota is used up",
        statuses=range(400, 500),
        says="daily message quota exceeded",
        pause="quota",
        pause_for=timedelta(days=1),
    ),
    Answer("not_accepted", "too fast", statuses=range(429, 430)),
    Answer("not_accepted", "too fast", codes=_THROTTLED, statuses=range(400, 500)),
    Answer("not_accepted", "too fast", statuses=range(400, 500), says="maximum sending rate exceeded"),
    Answer(
        "paused",
        "a limit of the account is reached",
        codes=codes("LimitExceededException LimitExceeded"),
        statuses=range(400, 500),
        pause="limit",
    ),
    Answer(
        "paused",
        "the carrier suspended the account",
        codes=codes("AccountSuspendedException"),
        statuses=range(400, 500),
        pause="account_suspended",
    ),
    Answer(
        "paused",
        "sending is switched off for the account or the configuration set",
        codes=codes("SendingPausedException"),
        statuses=range(400, 500),
        pause="sending_paused",
    ),
    Answer(
        "paused",
        "the MAIL FROM domain is not verified",
        codes=codes("MailFromDomainNotVerifiedException"),
        statuses=range(400, 500),
        pause="mail_from_not_verified",
    ),
    Answer(
        "paused",
        "the configuration set is not there",
        codes=codes("NotFoundException"),
        statuses=range(404, 405),
        pause="configuration_set_not_found",
    ),
    Answer("paused", "the carrier does not let us in", statuses=range(401, 402), pause="not_let_in"),
    Answer("paused", "the carrier does not let us in", statuses=range(403, 404), pause="not_let_in"),
    Answer(
        "paused",
        "the carrier does not let us in",
        codes=_NOT_LET_IN,
        statuses=range(400, 500),
        pause="not_let_in",
    ),
    # one sender for all letters: if it is not verified, no letter leaves; in a sandbox the same
    Answer(
        "paused",
        "the sender is not verified, or the account is still in the sandbox",
        codes=codes("MessageRejected"),
        statuses=range(400, 401),
        says="not verified",
        pause="identity_not_verified",
    ),
    Answer(
        "refused",
        "the carrier rejects this message",
        codes=codes("MessageRejected BadRequestException BadRequest"),
        statuses=range(400, 401),
    ),
    Answer(
        "refused",
        "the carrier does not understand this request",
        codes=codes("ValidationException ValidationError SerializationException InvalidParameterValue"),
        statuses=range(400, 401),
    ),
    Answer("refused", "the message is too large", statuses=range(413, 414)),
)
_UNLISTED = Answer("unknown", "an answer that the error table does not know")

_UNREACHABLE_FOR = timedelta(minutes=10)
# Raised before a connection stands: no byte of the letter has left. Subclasses are named too, one by one.
NEVER_CONNECTED: tuple[type[Exception], ...] = (
    boto.ConnectTimeoutError,
    boto.EndpointConnectionError,
    boto.ProxyConnectionError,
)
# Who we are or where to go could not be found out, so nothing was asked of anybody.
NOTHING_ASKED: tuple[type[Exception], ...] = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.CredentialRetrievalError,
    boto.EndpointProviderError,
    boto.EndpointResolutionError,
    boto.EndpointVariantError,
    boto.InvalidConfigError,
    boto.InvalidEndpointConfigurationError,
    boto.InvalidIMDSEndpointError,
    boto.InvalidIMDSEndpointModeError,
    boto.InvalidProxiesConfigError,
    boto.InvalidRegionError,
    boto.InfiniteLoopConfigError,
    boto.LoginAuthorizationCodeError,
    boto.LoginError,
    boto.LoginInsufficientPermissions,
    boto.LoginRefreshRequired,
    boto.LoginTokenLoadError,
    boto.MetadataRetrievalError,
    boto.MissingDependencyException,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.NoRegionError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.RefreshWithMFAUnsupportedError,
    boto.SSOError,
    boto.SSOTokenLoadError,
    boto.TokenRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.UnknownCredentialError,
    boto.UnknownEndpointError,
    boto.UnknownRegionError,
    boto.UnknownSignatureVersionError,
    boto.UnsupportedSignatureVersionError,
)
# The request was refused by the library's own check of it.
NOT_A_REQUEST: tuple[type[Exception], ...] = (
    boto.ParamValidationError,
    boto.MissingParametersError,
    boto.UnknownParameterError,
    boto.AliasConflictParameterError,
    boto.InvalidHostLabelError,
)


def outcome_of(error: Exception, answers: tuple[Answer, ...] = ANSWERS) -> Outcome:
    """What an exception of one attempt means. What no line names is ``unknown``.

    The outcome's words are ours: what a service says may name addresses.
    """
    if isinstance(error, ClientError):
        return _answered(error, answers)
    name = type(error).__name__
    if isinstance(error, boto.SSLError) and _is_certificate_refused(error):
        return Outcome(
            "paused",
            error_class=name,
            detail="the carrier's certificate is not trusted",
            pause="certificate",
        )
    # A way that is closed is closed for the next letter too: nobody's tries are used up while it is.
    if type(error) in NEVER_CONNECTED:
        detail = "no connection was made"
        return Outcome(
            "paused", error_class=name, detail=detail, pause="unreachable", pause_for=_UNREACHABLE_FOR
        )
    if type(error) in NOTHING_ASKED:
        detail = "credentials or endpoint could not be found"
        return Outcome(
            "paused", error_class=name, detail=detail, pause="unreachable", pause_for=_UNREACHABLE_FOR
        )
    if type(error) in NOT_A_REQUEST:
        return Outcome("refused", error_class=name, detail="the request is not one that the carrier knows")
    return Outcome("unknown", error_class=name, detail="no answer that says whether the letter was taken")


def _answered(error: ClientError, answers: tuple[Answer, ...]) -> Outcome:
    told = error.response.get("Error", {})
    meta = error.response.get("ResponseMetadata", {})
    code, status = str(told.get("Code") or ""), int(meta.get("HTTPStatusCode") or 0)
    message = str(told.get("Message") or "").lower()
    line = next((line for line in answers if line.fits(code, status, message)), _UNLISTED)
    return Outcome(
        line.kind,
        http_status=status or None,
        error_class=code[:100],
        request_id=meta.get("RequestId"),
        detail=line.detail,
        pause=line.pause,
        pause_for=line.pause_for,
        retry_after=_retry_after(meta) if line.kind == "not_accepted" else None,
    )


def _retry_after(meta: dict) -> timedelta | None:
    """What the service asks us to wait, ten minutes at most; None where it does not say."""
    told = str(meta.get("HTTPHeaders", {}).get("retry-after", ""))
    return min(timedelta(seconds=int(told[:6])), LONGEST_BACK_OFF) if told.isdecimal() else None


def _is_certificate_refused(error: boto.SSLError) -> bool:
    """Whether it was we who refused, while shaking hands; other errors of TLS may come after the letter has left."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those inside it: of arguments, of ``from``, of botocore's and urllib3's own fields."""
    todo, seen = [error], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
        inner.append(getattr(one, "kwargs", {}).get("error"))
        todo += [cause for cause in inner if isinstance(cause, BaseException)]
