"""What left by the ledger against what left by the carrier, and asking the carrier itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stub_ses_events as stub
from botocore.exceptions import EndpointConnectionError
from letters_underway import (
    NOON,
    REFUSED,
    UNKNOWN,
    accepted,
    address_of,
    bring,
    claim_all,
    ledger_with,
    message_id,
)

from o2c.delivery.events import DeliveryEvent, read_event
from o2c.delivery.insights import InsightsError, Missing, ask_insights
from o2c.delivery.reconcile import Reconciliation, missing_letters, reconcile
from o2c.ledger.delivery_events import Finding, record_events

HOUR = timedelta(hours=1)


def told(kind: str, letter_id: str | None, number: int = 1) -> DeliveryEvent:
    body = stub.ses_event(kind, message_id(letter_id or "none", number), letter_id, NOON.timestamp())
    event = read_event(json.dumps(body))
    assert event is not None
    return event


def test_everything_told_is_clean(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2")
    bring(engine, {"L1": accepted("L1"), "L2": accepted("L2")})
    record_events(engine, [told("Send", "L1"), told("Delivery", "L2")], NOON)

    look = reconcile(engine, NOON + 2 * HOUR, account_in_24_hours=2)

    assert look == Reconciliation(accepted_in_24_hours=2, account_in_24_hours=2)
    assert (look.is_clean, look.text()) == (True, "- nothing to look at")


def test_everything_that_does_not_fit_is_listed_by_id(ledger_url):
    engine = ledger_with(ledger_url, "L1", "L2", "L3", "L4", "L5")
    bring(engine, {"L1": accepted("L1"), "L2": UNKNOWN, "L3": REFUSED, "L4": accepted("L4")})
    claim_all(engine, "L5")
    record_events(engine, [told("Send", "L3"), told("Send", "L4", 7), told("Send", "L9")], NOON)

    look = reconcile(engine, NOON + 2 * HOUR, account_in_24_hours=9)

    assert look == Reconciliation(
        sent_without_event=("L1",),
        unknown=("L2",),
        unknown_tag_count=1,
        findings=(
            Finding("double_accept", "L4", "accepted 2 times by the carrier"),
            Finding("left_after_all", "L3", "has events, but its state is refused"),
        ),
        accepted_in_24_hours=2,
        unknown_in_24_hours=2,
        account_in_24_hours=9,
    )
    assert not look.is_clean
    assert look.text().splitlines() == [
        "- 1 letters sent more than an hour ago of which no event came: L1",
        "- 1 letters of which nobody knows whether they left: L2",
        "- 1 events of letters that are not ours",
        "- **double_accept** L4: accepted 2 times by the carrier",
        "- **left_after_all** L3: has events, but its state is refused",
        "- in 24 hours the carrier accepted 2 letters (and perhaps 2 more), but counts 9",
    ]


@pytest.mark.parametrize(("told_", "differs"), [(1, True), (2, False), (3, False), (4, True), (None, False)])
def test_the_account_s_count_lies_between_what_was_taken_and_what_perhaps_was(told_, differs):
    look = Reconciliation(accepted_in_24_hours=2, unknown_in_24_hours=1, account_in_24_hours=told_)
    assert look.account_differs is differs


@pytest.mark.parametrize(
    ("after", "listed"), [(timedelta(minutes=59), ()), (HOUR, ("L1",)), (timedelta(days=31), ())]
)
def test_a_letter_without_an_event_is_listed_after_an_hour_and_for_a_month(tmp_path, after, listed):
    engine = ledger_with(tmp_path, "L1")
    bring(engine, {"L1": accepted("L1")})
    assert reconcile(engine, NOON + after).sent_without_event == listed


def test_what_another_carrier_did_is_not_looked_at(tmp_path):
    engine = ledger_with(tmp_path, "L1", "L2")
    bring(engine, {"L1": accepted("L1"), "L2": UNKNOWN})
    assert reconcile(engine, NOON + 2 * HOUR, carrier="sms").is_clean


def test_letters_that_have_been_unknown_for_so_long_are_asked_about(tmp_path):
    engine = ledger_with(tmp_path, "L1", "L2")
    bring(engine, {"L1": UNKNOWN, "L2": accepted("L2")})
    assert missing_letters(engine, "ses", NOON - HOUR) == []
    assert missing_letters(engine, "ses", NOON) == [Missing("L1", address_of("L1"), NOON, NOON)]


class Insights:
    """SES's message insights as far as they are asked."""

    def __init__(
        self, statuses: list[str], messages: dict[str, dict], url: str = "https://x.amazonaws.com/1"
    ):
        self.statuses, self.messages, self.url = statuses, messages, url
        self.asked: list[dict[str, Any]] = []

    def create_export_job(self, **request: Any) -> dict:
        self.asked.append(request)
        return {"JobId": "1"}

    def get_export_job(self, JobId: str) -> dict:  # noqa: N803
        return {"JobStatus": self.statuses.pop(0), "ExportDestination": {"S3Url": self.url}}

    def get_message_insights(self, MessageId: str) -> dict:  # noqa: N803
        return {"MessageId": MessageId} | self.messages[MessageId]

    def download(self, url: str) -> bytes:
        assert url == self.url
        return "\n".join(json.dumps({"MessageId": one}) for one in self.messages).encode()


def insight(letter_id: str, *kinds: str) -> dict:
    bounce = {"Bounce": {"BounceType": "PERMANENT", "BounceSubType": "General"}}
    events = [
        {"Timestamp": NOON, "Type": kind, **({"Details": bounce} if kind == "BOUNCE" else {})}
        for kind in kinds
    ]
    return {
        "EmailTags": [{"Name": "letter_id", "Value": letter_id}],
        "Insights": [{"Destination": "x", "Events": events}],
    }


LOST = Missing("L1", "ap@customer.example", NOON, NOON + HOUR)


def test_the_carrier_s_own_record_gives_the_events_that_were_lost():
    ses = Insights(
        ["CREATED", "PROCESSING", "COMPLETED"],
        {"m1": insight("L1", "SEND", "BOUNCE", "OPEN"), "m2": insight("OTHER", "SEND"), "m3": {}},
    )
    waits: list[float] = []

    events = ask_insights(ses, [LOST], sleep=waits.append, download=ses.download)

    assert sorted((one.letter_id, one.event_type, one.carrier_message_id) for one in events) == [
        ("L1", "bounce", "m1"),
        ("L1", "send", "m1"),
    ]
    assert waits == [1.0, 2.0, 2.0, 1.0, 1.0, 1.0]
    assert ses.asked[0]["ExportDataSource"]["MessageInsightsDataSource"] == {
        "StartDate": NOON - HOUR,
        "EndDate": NOON + 2 * HOUR,
        "Include": {"Destination": ["ap@customer.example"]},
    }


def test_ses_is_asked_about_no_more_addresses_at_once_than_it_takes():
    letters = [Missing(f"L{number}", f"ap{number}@customer.example", NOON, NOON) for number in range(7)]
    ses = Insights(["COMPLETED"] * 2, {f"m{number}": insight(f"L{number}", "SEND") for number in range(7)})
    events = ask_insights(ses, letters, sleep=lambda _: None, download=ses.download)
    assert {one.letter_id for one in events} == {one.letter_id for one in letters}
    asked = [one["ExportDataSource"]["MessageInsightsDataSource"]["Include"] for one in ses.asked]
    assert [len(one["Destination"]) for one in asked] == [5, 2]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"ComplaintFeedbackType": "abuse"}, "complaint"),
        ({"ComplaintFeedbackType": "not-spam"}, "other"),
        ({"ComplaintSubType": "OnAccountSuppressionList"}, "suppressed"),
    ],
)
def test_a_complaint_from_insights_is_what_the_queue_would_have_told(told, kind):
    known = insight("L1", "COMPLAINT")
    known["Insights"][0]["Events"][0]["Details"] = {"Complaint": told}
    ses = Insights(["COMPLETED"], {"m1": known})
    (event,) = ask_insights(ses, [LOST], sleep=lambda _: None, download=ses.download)
    assert event.event_type == kind


def test_nobody_is_asked_about_nothing():
    assert ask_insights(None, [], sleep=lambda _: None) == []


@pytest.mark.parametrize(
    ("statuses", "why"),
    [(["FAILED"], "did not come"), (["CANCELLED"], "did not come"), (["CREATED"] * 30, "did not come")],
)
def test_an_export_that_does_not_come_leaves_letters_unknown(statuses, why):
    ses = Insights(statuses, {})
    with pytest.raises(InsightsError, match=why):
        ask_insights(ses, [LOST], sleep=lambda _: None, download=ses.download)


@pytest.mark.parametrize(
    "url",
    [
        "http://x.amazonaws.com/1", "https://amazonaws.com.evil.example/1", "https://evil.example/amazonaws.com",
        "file:///etc/passwd", "https://x@evil.example", "http://127.0.0.1.evil.example", "http://169.254.169.254/",
    ],
)  # fmt: skip
def test_an_export_is_fetched_from_amazon_alone(url):
    ses = Insights(["COMPLETED"], {}, url)
    with pytest.raises(InsightsError, match="not Amazon's"):
        ask_insights(ses, [LOST], sleep=lambda _: None)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"Id": 1}', b"\xff"])
def test_an_export_of_something_else_changes_nothing(content):
    ses = Insights(["COMPLETED"], {})
    if content == b"":
        assert ask_insights(ses, [LOST], sleep=lambda _: None, download=lambda _: content) == []
    else:
        with pytest.raises(InsightsError, match="something else"):
            ask_insights(ses, [LOST], sleep=lambda _: None, download=lambda _: content)


def test_a_carrier_that_does_not_answer_leaves_letters_unknown():
    class Silent:
        def create_export_job(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://x")

    with pytest.raises(InsightsError, match="EndpointConnectionError"):
        ask_insights(Silent(), [LOST], sleep=lambda _: None)


def test_an_event_from_insights_is_the_one_that_comes_late_by_the_queue():
    at = datetime(2026, 9, 30, 12, 0, 0, 123000, tzinfo=UTC)
    known = insight("L1", "SEND")
    known["Insights"][0]["Events"][0]["Timestamp"] = at
    ses = Insights(["COMPLETED"], {message_id("L1"): known})
    (asked,) = ask_insights(ses, [LOST], sleep=lambda _: None, download=ses.download)
    published = read_event(json.dumps(stub.ses_event("Send", message_id("L1"), "L1", at.timestamp())))

    assert published is not None
    assert asked.event_id == published.event_id
