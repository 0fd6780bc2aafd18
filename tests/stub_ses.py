"""A stand-in for Amazon SES on this machine that fails the way the real one does, on purpose.

It speaks enough of SES v2 (SendEmail, GetAccount, message insights), SQS (the queue of delivery events) and SMS
(SendTextMessage) for unchanged boto3 clients, on one loopback port. What it accepted stands in its journal before the
caller gets an answer, so that duplicates and lost answers can be counted whatever happens to the caller.

In a test: ``with StubSes(behaviour=seeded(7, {"accept_then_hang": 0.2})) as ses: ses.url, ses.accepts, ses.posts``.
As a process: ``python tests/stub_ses.py FOLDER '{"seed": 7, "shares": {"throttle": 0.08}, "events": {"lost": 0.02}}'``
writes ``FOLDER/port`` when it listens and appends to ``FOLDER/journal.jsonl``; ``read_journal(FOLDER)`` reads it back.
"""

import base64
import email
import json
import random
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from stub_ses_events import EventFaults, EventQueue, ses_history, sms_history

ACCOUNT = "123456789012"
Behaviour = Callable[[str, int], str]
"""Letter id and number of the post of that letter (from 1) → name of an action."""


@dataclass(frozen=True)
class Action:
    """What the service does with one post: whether it takes the letter, and what the caller gets to see."""

    accepts: bool
    shows: str  # id, hang, reset, close, cut or stall (half an answer, then the end or nothing), or a body
    status: int = 200
    code: str | None = None
    becomes: str = "delivered"  # what happens to an accepted letter afterwards


def _error(status: int, code: str, message: str, *, accepts: bool = False) -> Action:
    return Action(accepts, json.dumps({"__type": code, "message": message}), status, code)


ACTIONS: dict[str, Action] = {
    "accept": Action(True, "id"),
    "accept_then_hang": Action(True, "hang"),
    "accept_then_reset": Action(True, "reset"),
    "accept_then_close": Action(True, "close"),
    "accept_then_500": _error(500, "InternalServiceError", "internal", accepts=True),
    "accept_then_503": _error(503, "ServiceUnavailable", "unavailable", accepts=True),
    "accept_then_garbled": Action(True, '{"MessageId": "0100'),
    "accept_then_html": Action(True, "<html>200</html>"),
    "accept_then_empty": Action(True, ""),
    "accept_then_cut": Action(True, "cut"),
    "accept_then_stall": Action(True, "stall"),
    "accept_without_id": Action(True, "{}"),
    "accept_suppressed": Action(True, "id", becomes="suppressed"),
    "accept_bounced": Action(True, "id", becomes="bounced"),
    "accept_complained": Action(True, "id", becomes="complained"),
    "accept_rejected": Action(True, "id", becomes="rejected"),
    "hang_before": Action(False, "hang"),
    "reset_before": Action(False, "reset"),
    "500_before": _error(500, "InternalServiceError", "internal"),
    "throttle": _error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    "throttling_400": _error(400, "ThrottlingException", "Rate exceeded"),
    "quota": _error(429, "TooManyRequestsException", "Daily message quota exceeded."),
    "quota_limit": _error(400, "LimitExceededException", "Daily message quota exceeded."),
    "limit": _error(400, "LimitExceededException", "There are more instances of attributes than allowed."),
    "suspended": _error(400, "AccountSuspendedException", "Account suspended."),
    "sending_paused": _error(400, "SendingPausedException", "Sending is paused for this account."),
    "mail_from": _error(400, "MailFromDomainNotVerifiedException", "MAIL FROM domain is not verified."),
    "no_configuration_set": _error(404, "NotFoundException", "Configuration set does not exist."),
    "message_rejected": _error(400, "MessageRejected", "Email is rejected."),
    "identity_not_verified": _error(
        400,
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region X: a@b.example",
    ),
    "bad_request": _error(400, "BadRequestException", "Invalid content."),
    "too_large": _error(413, "RequestEntityTooLarge", "too large"),
    "signature": _error(403, "SignatureDoesNotMatch", "The request signature does not match."),
    "expired_token": _error(403, "ExpiredTokenException", "The security token is expired."),
    "clock_skew": _error(403, "InvalidSignatureException", "Signature expired: is now earlier than 5 min."),
    "access_denied": _error(403, "AccessDeniedException", "not authorized to perform ses:SendEmail"),
    "sms_opted_out": _error(400, "ConflictException", "Destination phone number has opted out."),
    "sms_spent": _error(400, "ServiceQuotaExceededException", "Monthly spend limit reached."),
    "sms_no_origination": _error(400, "ResourceNotFoundException", "Sender not found."),
    "sms_invalid": _error(400, "ValidationException", "Invalid parameter."),
    "unlisted_400": _error(400, "SomethingNewException", "new"),
}


def always(name: str) -> Behaviour:
    """The same action for every post."""
    return lambda _letter_id, _post: name


def scripted(script: Mapping[str, Sequence[str]], otherwise: str = "accept") -> Behaviour:
    """Actions by letter id, one per post; the last one stays. Letters not named: ``otherwise``."""

    def choose(letter_id: str, post: int) -> str:
        actions = script.get(letter_id, (otherwise,))
        return actions[min(post, len(actions)) - 1]

    return choose


def seeded(seed: int, shares: Mapping[str, float]) -> Behaviour:
    """Actions at random by share, the rest accepted; the same seed, letter and post give the same action."""
    names, weights = list(shares), list(shares.values())

    def choose(letter_id: str, post: int) -> str:
        draw = random.Random(f"{seed}|{letter_id}|{post}").random()  # noqa: S311
        for name, weight in zip(names, weights, strict=True):
            if draw < weight:
                return name
            draw -= weight
        return "accept"

    return choose


@dataclass(frozen=True)
class Post:
    """One request to send that reached the server, in order of arrival."""

    letter_id: str
    action: str
    at: float


@dataclass
class Journal:
    """Every post and every accept: letter id to the message ids that it was accepted under."""

    posts: list[Post] = field(default_factory=list)
    accepts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def duplicates(self) -> list[str]:
        """Letters that were accepted more than once."""
        return sorted(letter_id for letter_id, ids in self.accepts.items() if len(ids) > 1)


def read_journal(folder: Path) -> Journal:
    """What a stub that runs as a process has written down so far; a last line that is half written is left out."""
    journal = Journal()
    for line in (folder / "journal.jsonl").read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            row = json.loads(line)
            journal.posts.append(Post(row["letter_id"], row["action"], row["at"]))
            if row["message_id"]:
                journal.accepts.setdefault(row["letter_id"], []).append(row["message_id"])
    return journal


@dataclass(frozen=True)
class Accepted:
    """What the service keeps of a letter that it took: for message insights and for tests that look at it."""

    message_id: str
    letter_id: str
    request: dict[str, Any]
    history: tuple[tuple[str, float, dict], ...]


class StubSes:
    """The server. Runs on threads of this process; all it knows may be read while it runs."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        events: EventFaults | None = None,
        seed: int = 0,
        hang_seconds: float = 30.0,
        max_bytes: int = 40_000_000,
        max_send_rate: float = 1000.0,
        max_24_hour_send: float = 50_000.0,
        folder: Path | None = None,
        port: int = 0,
        enforces_rate: bool = False,
    ) -> None:
        self.behaviour = behaviour or always("accept")
        self.hang_seconds, self.max_bytes = hang_seconds, max_bytes
        self.max_send_rate, self.max_24_hour_send = max_send_rate, max_24_hour_send
        self.enforces_rate = enforces_rate
        self.account: dict[str, Any] = {"ProductionAccessEnabled": True, "SendingEnabled": True}
        self.suppressed: set[str] = set()
        self.queue = EventQueue(events or EventFaults(), seed)
        self.accepted: dict[str, Accepted] = {}
        self.journal = Journal()
        self._lock = threading.Lock()
        self._posts_of: Counter[str] = Counter()
        self._recent: deque[float] = deque()
        self._exports: dict[str, list[dict]] = {}
        self._folder = folder
        self._ids = 0
        if folder is not None and (folder / "journal.jsonl").exists():
            self.journal = read_journal(folder)
            self._posts_of.update(post.letter_id for post in self.journal.posts)
            self._ids = sum(map(len, self.journal.accepts.values()))
        self._log = (folder / "journal.jsonl").open("a") if folder is not None else None
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def queue_url(self) -> str:
        return f"{self.url}/{ACCOUNT}/delivery-events"

    @property
    def posts(self) -> list[Post]:
        return self.journal.posts

    @property
    def accepts(self) -> dict[str, list[str]]:
        return self.journal.accepts

    def posts_of(self, letter_id: str) -> int:
        """How many requests for a letter reached the server."""
        return self._posts_of[letter_id]

    def __enter__(self) -> Self:
        self._thread.start()
        if self._folder is not None:
            part = self._folder / "port.part"
            part.write_text(str(self._server.server_address[1]))
            part.rename(self._folder / "port")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        if self._log is not None:
            self._log.close()

    def take(self, letter_id: str, address: str, size: int, request: dict, kind: str) -> tuple[Action, str]:
        """Decide on one post and write down that it came, and under which id it was accepted."""
        now = time.time()
        with self._lock:
            self._posts_of[letter_id] += 1
            name = self.behaviour(letter_id, self._posts_of[letter_id])
            if size > self.max_bytes:
                name = "too_large"
            elif self.enforces_rate and ACTIONS[name].accepts and not self._has_room(now):
                name = "throttle"
            action = ACTIONS[name]
            message_id = ""
            if action.accepts:
                self._ids += 1
                message_id = f"0100stub{self._ids:016x}-{self._posts_of[letter_id]:04x}-000000"
                self.journal.accepts.setdefault(letter_id, []).append(message_id)
            self.journal.posts.append(Post(letter_id, name, now))
            if self._log is not None:
                row = {"letter_id": letter_id, "action": name, "at": now, "message_id": message_id}
                self._log.write(json.dumps(row) + "\n")
                self._log.flush()
        if action.accepts:
            becomes = "suppressed" if address.lower() in self.suppressed else action.becomes
            history = (sms_history if kind == "sms" else ses_history)(message_id, request, becomes, now)
            self.accepted[message_id] = Accepted(message_id, letter_id, request, tuple(history))
            self.queue.publish([body for _, _, body in history])
        return action, message_id

    def insights(self, message_id: str) -> dict | None:
        """What GetMessageInsights says of a message; None where there is no such message."""
        kept = self.accepted.get(message_id)
        if kept is None:
            return None
        address = kept.request["Destination"]["ToAddresses"][0]
        events = [
            {"Timestamp": at, "Type": kind, **({"Details": details} if (details := _details(body)) else {})}
            for kind, at, body in kept.history
        ]
        return {
            "MessageId": message_id,
            "FromEmailAddress": kept.request.get("FromEmailAddress"),
            "EmailTags": kept.request.get("EmailTags", []),
            "Insights": [{"Destination": address, "Events": events}],
        }

    def export(self, source: dict) -> str:
        """Start (and at once end) an export of messages by destination."""
        wanted = source["MessageInsightsDataSource"].get("Include", {}).get("Destination", [])
        with self._lock:
            job_id = f"export-{len(self._exports) + 1}"
            self._exports[job_id] = [
                {"MessageId": kept.message_id, "Destination": address}
                for kept in list(self.accepted.values())
                if "Destination" in kept.request
                and (address := kept.request["Destination"]["ToAddresses"][0]) in wanted
            ]
        return job_id

    def exported(self, job_id: str) -> list[dict] | None:
        return self._exports.get(job_id)

    def _has_room(self, now: float) -> bool:
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.max_send_rate:
            return False
        self._recent.append(now)
        return True


def _details(body: dict) -> dict | None:
    if "bounce" not in body:
        return None
    kind = {"Permanent": "PERMANENT", "Transient": "TRANSIENT"}.get(
        body["bounce"]["bounceType"], "UNDETERMINED"
    )
    return {"Bounce": {"BounceType": kind, "BounceSubType": body["bounce"]["bounceSubType"]}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stub: StubSes) -> None:
        self.stub = stub
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def stub(self) -> StubSes:
        return self.server.stub

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v2/email/account":
            quota = {
                "Max24HourSend": self.stub.max_24_hour_send,
                "MaxSendRate": self.stub.max_send_rate,
                "SentLast24Hours": float(sum(map(len, self.stub.accepts.values()))),
            }
            self._json(self.stub.account | {"SendQuota": quota, "EnforcementStatus": "HEALTHY"})
        elif path.startswith("/v2/email/insights/"):
            found = self.stub.insights(unquote(path.split("/")[4]))
            self._json(found) if found else self._fail(404, "NotFoundException", "no such message")
        elif path.startswith("/v2/email/export-jobs/"):
            job_id = path.rsplit("/", 1)[1]
            target = {"DataFormat": "JSON", "S3Url": f"{self.stub.url}/exports/{job_id}"}
            self._json({"JobId": job_id, "JobStatus": "COMPLETED", "ExportDestination": target})
        elif path.startswith("/exports/"):
            rows = self.stub.exported(path.rsplit("/", 1)[1]) or []
            self._reply(200, "\n".join(map(json.dumps, rows)).encode())
        else:
            self._fail(404, "UnknownOperationException", path)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "Authorization" not in self.headers:
            self._fail(403, "MissingAuthenticationTokenException", "not signed")
            return
        body = json.loads(raw or b"{}")
        target = self.headers.get("X-Amz-Target", "")
        if target.startswith("AmazonSQS."):
            self._json(self._sqs(target.partition(".")[2], body))
        elif target.endswith(".SendTextMessage"):
            letter_id = body.get("Context", {}).get("letter_id", "")
            size = len(body.get("MessageBody", ""))
            self._show(*self.stub.take(letter_id, body["DestinationPhoneNumber"], size, body, "sms"))
        elif urlsplit(self.path).path == "/v2/email/outbound-emails":
            content = base64.b64decode(body["Content"]["Raw"]["Data"])
            (address,) = body["Destination"]["ToAddresses"]
            self._show(*self.stub.take(_letter_id(body, content), address, len(content), body, "email"))
        elif urlsplit(self.path).path == "/v2/email/export-jobs":
            self._json({"JobId": self.stub.export(body["ExportDataSource"])})
        else:
            self._fail(404, "UnknownOperationException", self.path)

    def _sqs(self, operation: str, body: dict) -> dict:
        queue = self.stub.queue
        if operation == "ReceiveMessage":
            wait = min(float(body.get("WaitTimeSeconds", 0)), 20.0)
            return queue.receive(body.get("MaxNumberOfMessages", 1), wait, body.get("VisibilityTimeout", 30))
        if operation == "DeleteMessage":
            queue.delete([body["ReceiptHandle"]])
            return {}
        if operation == "DeleteMessageBatch":
            queue.delete([entry["ReceiptHandle"] for entry in body["Entries"]])
            return {"Successful": [{"Id": entry["Id"]} for entry in body["Entries"]], "Failed": []}
        return {"Attributes": queue.attributes()}

    def _show(self, action: Action, message_id: str) -> None:
        if action.shows == "id":
            self._json({"MessageId": message_id})
        elif action.shows == "hang":
            self.stub.closing.wait(self.stub.hang_seconds)
            self.close_connection = True
        elif action.shows == "reset":
            # lingering for zero seconds makes the close a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif action.shows == "close":
            self.close_connection = True
        elif action.shows in ("cut", "stall"):
            self._reply(200, b'{"MessageId": ', length=100)
            self.wfile.flush()
            if action.shows == "stall":
                self.stub.closing.wait(self.stub.hang_seconds)
            self.close_connection = True
        else:
            self._reply(action.status, action.shows.encode(), action.code)

    def _json(self, value: dict) -> None:
        self._reply(200, json.dumps(value).encode())

    def _fail(self, status: int, code: str, message: str) -> None:
        self._reply(status, json.dumps({"message": message}).encode(), code)

    def _reply(self, status: int, body: bytes, code: str | None = None, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        if code is not None:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(body)


def _letter_id(body: dict, content: bytes) -> str:
    """By tag, as the events have it; the header where there is no tag."""
    tags = {tag["Name"]: tag["Value"] for tag in body.get("EmailTags", [])}
    return tags.get("letter_id") or email.message_from_bytes(content)["X-O2C-Letter"] or ""


def main(arguments: list[str]) -> None:
    """Serve until terminated. The second argument is JSON: seed, shares, events and options of ``StubSes``."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    options = json.loads(arguments[1]) if len(arguments) > 1 else {}
    seed, shares = options.pop("seed", 0), options.pop("shares", {})
    faults = EventFaults(**options.pop("events", {}))
    stub = StubSes(seeded(seed, shares), events=faults, seed=seed, folder=folder, **options)
    signal.signal(signal.SIGTERM, lambda *_: stub.closing.set())
    with stub:
        stub.closing.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
