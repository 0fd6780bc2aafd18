"""Events as they lie in the queue: raw, from SNS, from EventBridge, from SMS; and what is no event."""

import json
from datetime import UTC, datetime

import pytest
import stub_ses_events as stub
from hypothesis import given
from hypothesis import strategies as st

from o2c.delivery.events import DeliveryEvent, UnreadableEvent, read_event

AT = 1790769660.5
BOUNCE = stub.ses_event("Bounce", "0100-1", "L1", AT)


@pytest.mark.parametrize(
    "wrap", [json.dumps, stub.enveloped, stub.bridged], ids=["raw", "SNS", "EventBridge"]
)
def test_an_event_is_the_same_whatever_brought_it(wrap):
    event = read_event(wrap(BOUNCE))

    assert event == DeliveryEvent(
        event_id=event.event_id,
        letter_id="L1",
        carrier="ses",
        event_type="bounce",
        carrier_message_id="0100-1",
        detail="Permanent-General",
        occurred_at=datetime(2026, 9, 30, 12, 1, 0, 500000, tzinfo=UTC),
        content_hash=event.content_hash,
    )
    assert event == read_event(json.dumps(BOUNCE))


def test_what_happened_twice_has_two_ids():
    again = stub.ses_event("Bounce", "0100-1", "L1", AT + 1)
    other = stub.ses_event("Bounce", "0100-2", "L1", AT)
    assert len({read_event(json.dumps(one)).event_id for one in (BOUNCE, again, other)}) == 3


@pytest.mark.parametrize(
    ("event", "event_type"),
    [
        *((stub.ses_event(kind, "m", "L1", AT), name) for kind, name in [
            ("Send", "send"), ("Delivery", "delivery"), ("Complaint", "complaint"), ("Reject", "reject"),
            ("DeliveryDelay", "delivery_delay"), ("Open", "open"), ("Rendering Failure", "rendering_failure"),
        ]),
        *((stub.ses_event("Bounce", "m", "L1", AT, bounce=kinds), name) for kinds, name in [
            (("Permanent", "NoEmail"), "bounce"),
            (("Permanent", "Suppressed"), "suppressed"),
            (("Permanent", "OnAccountSuppressionList"), "suppressed"),
            (("Transient", "General"), "transient_bounce"),
            (("Transient", "MailboxFull"), "given_up"),
            (("Undetermined", "Undetermined"), "transient_bounce"),
        ]),
        (stub.ses_event("Complaint", "m", "L1", AT, complaint="not-spam"), "other"),
        *((stub.sms_event(kind, "m", "L1", AT), name) for kind, name in [
            ("TEXT_SENT", "send"), ("TEXT_DELIVERED", "delivery"), ("TEXT_INVALID", "bounce"),
            ("TEXT_BLOCKED", "reject"), ("TEXT_UNREACHABLE", "given_up"), ("TEXT_NEW", "other"),
        ]),
    ],
)  # fmt: skip
def test_every_kind_has_its_type(event, event_type):
    assert read_event(json.dumps(event)).event_type == event_type


def test_a_text_message_is_known_by_its_context():
    event = read_event(stub.enveloped(stub.sms_event("TEXT_DELIVERED", "m-1", "L1", AT)))

    assert (event.carrier, event.letter_id, event.carrier_message_id, event.detail) == (
        "sms", "L1", "m-1", "TEXT_DELIVERED",
    )  # fmt: skip
    assert event.occurred_at == datetime(2026, 9, 30, 12, 1, 0, 500000, tzinfo=UTC)


def test_without_a_tag_the_header_says_which_letter():
    event = stub.ses_event("Send", "0100-1", "L1", AT)
    del event["mail"]["tags"]["letter_id"]
    assert read_event(json.dumps(event)).letter_id == "L1"
    event["mail"]["headers"] *= 2
    assert read_event(json.dumps(event)).letter_id is None


@pytest.mark.parametrize("tag", [["L1", "L2"], [], "L1", ["../x y"], [None], [{"a": 1}]])
def test_a_tag_that_is_none_is_nobodys(tag):
    event = stub.ses_event("Send", "0100-1", None, AT)
    event["mail"]["headers"] = []
    event["mail"]["tags"]["letter_id"] = tag
    assert read_event(json.dumps(event)).letter_id is None


def test_what_a_mail_server_said_is_not_taken():
    event = stub.ses_event("Reject", "0100-1", "L1", AT)
    event["reject"]["reason"] = "to <jane@customer.example> " + "x" * 100
    found = read_event(json.dumps(event)).detail
    assert len(found) <= 60
    assert "@" not in found


def test_the_greeting_of_a_topic_is_no_event_and_no_fault():
    text = "Successfully validated SNS topic for Amazon SES event publishing."
    assert read_event(json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": text})) is None
    assert read_event(text) is None


def _changed(**changes: object) -> str:
    event = json.loads(json.dumps(BOUNCE))
    event["mail"] |= changes
    return json.dumps(event)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("12", "not a JSON object"),
        ("{}", "no event of SES or SMS"),
        (json.dumps({"eventType": "Bounce"}), "no event of SES or SMS"),
        (json.dumps({"eventType": "Exploded", "mail": {}}), "no event of SES or SMS"),
        (json.dumps({"eventType": ["Bounce"], "mail": {}}), "no event of SES or SMS"),
        (json.dumps({"TopicArn": "a", "Message": "{"}), "not JSON"),
        (
            stub.enveloped(json.loads(stub.enveloped(json.loads(stub.enveloped(BOUNCE))))),
            "too many envelopes",
        ),
        (_changed(messageId=None), "no message id"),
        (_changed(messageId="a b"), "no message id"),
        (_changed(messageId="x" * 201), "no message id"),
        (json.dumps(BOUNCE | {"bounce": {"timestamp": "yesterday"}}), "no instant"),
        (json.dumps(stub.sms_event("TEXT_SENT", "m", "L1", AT) | {"eventTimestamp": "1"}), "no instant"),
        (json.dumps(stub.sms_event("TEXT_SENT", "m", "L1", AT) | {"messageId": 7}), "no message id"),
    ],
)
def test_what_is_no_event_is_refused_without_its_words(body, why):
    with pytest.raises(UnreadableEvent) as error:
        read_event(body)
    assert str(error.value) == why


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["Bounce", "Complaint", "Send", "Reject", "DeliveryDelay"]), st.data())
def test_an_event_changed_in_any_place_is_an_event_or_refused(kind, data):
    event = stub.ses_event(kind, "0100-1", "L1", AT)
    places = [(event, key) for key in event] + [
        (inner, key) for inner in event.values() if isinstance(inner, dict) for key in inner
    ]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(_JSON)
    try:
        found = read_event(json.dumps(event))
    except UnreadableEvent:
        return
    assert found is not None
    assert found.occurred_at.tzinfo is UTC
