"""A text message is short, of the plain alphabet, to a number whose owner agreed, and threatens nobody."""

from decimal import Decimal
from hashlib import sha256

import polars as pl
import pytest
from hostile import HOSTILE
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frames_of, letter, line

from o2c.gsm import gsm_length, gsm_text
from o2c.letter_checks import LetterFault, check_sms
from o2c.letter_message import Sender
from o2c.letters import LetterError, reference, render_letters

PHONE = "+4930123456"
STAGES = {
    "courtesy_reminder": {"kind": "courtesy", "level": 0},
    "first_contact": {"level": 1},
    "follow_up": {"level": 2},
}


def frames_with_phone(*letters, phone=PHONE, sms_consent=True, **entity):
    decisions, lines, customers, contacts, entities = frames_of(*letters, **entity)
    contacts = contacts.with_columns(
        email=pl.lit(None, dtype=pl.String),
        phone=pl.lit(phone, dtype=pl.String),
        sms_consent=pl.lit(sms_consent, dtype=pl.Boolean),
    )
    return decisions, lines, customers, contacts, entities


def texted(
    stage="first_contact", *lines, phone=PHONE, sms_consent=True, sender=SENDER, entity=None, **changes
):
    given = STAGES.get(stage, {}) | {"stage": stage, "channel": "sms"} | changes
    frames = frames_with_phone(
        letter("C-1", list(lines) or None, **given), phone=phone, sms_consent=sms_consent, **(entity or {})
    )
    (message,) = render_letters(*frames, sender, TEMPLATES, AS_OF, BATCH, sms_characters=306)
    return message


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (
            "courtesy_reminder",
            "Northwind GmbH: a friendly note that 100.00 EUR fall due shortly ({ref}). If payment is on its way, thank"
            " you; there is nothing more to do. Questions: receivables@northwind.example",
        ),
        (
            "first_contact",
            "Northwind GmbH: we have not yet found your payment of 100.00 EUR, which is past due ({ref}). If you have"
            " paid in the meantime, thank you. Questions: receivables@northwind.example",
        ),
        (
            "follow_up",
            "Northwind GmbH: second reminder, 100.00 EUR are still past due in our books ({ref}). Please pay or tell"
            " us what stands in the way: receivables@northwind.example",
        ),
    ],
)
def test_a_text_message_reads_as_agreed(stage, text):
    message = texted(stage, line(days=-3) if stage == "courtesy_reminder" else line())
    expected = text.format(ref=reference(message.letter_id))
    assert message.text == expected
    assert message.eml == expected.encode()
    assert message.message_hash == sha256(message.eml).hexdigest()
    assert (message.channel, message.to_address, message.headers, message.pdf) == ("sms", PHONE, (), None)
    assert message.file_name == f"{message.letter_id}.txt"
    assert message.html == f'<p style="white-space:pre-wrap">{expected}</p>'


def test_amounts_stand_on_their_smallest_unit_less_credits():
    message = texted("first_contact", line(amount="2500", currency_code="JPY"))
    assert " 2500 JPY," in message.text
    less = texted("first_contact", line(amount="88.00"), unapplied_amount=Decimal("8.50"))
    assert " 79.50 EUR," in less.text
    assert (less.total, less.total_amount) == ("79.50 EUR", Decimal("79.50"))


@pytest.mark.parametrize(
    "word", ["legal", "court", "lawyer", "agency", "final", "consequence", "immediately"]
)
def test_no_text_message_threatens(word):
    for stage in STAGES:
        assert (
            word not in texted(stage, line(days=-3) if stage == "courtesy_reminder" else line()).text.lower()
        )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sms_consent": False}, "did not agree"),
        ({"sms_consent": None}, "did not agree"),
        ({"phone": "030 123456"}, "not a phone number"),
        ({"phone": None}, "not a phone number"),
        ({"phone": "+4930123456;+4930999999"}, "not a phone number"),
        ({"stage": "final_notice", "level": 3}, "level 3 is no text message"),
        ({"stage": "legal_review", "level": 2}, "no template legal_review.sms.j2"),
        ({"channel": "post"}, "channel 'post'"),
    ],
    ids=str,
)
def test_what_may_not_be_texted_stops_the_batch(changes, why):
    with pytest.raises(LetterError, match=why) as error:
        texted(**changes)
    assert "customer C-1" in str(error.value)
    assert PHONE not in str(error.value)


def test_a_message_that_is_too_long_stops_the_batch():
    long = Sender("N", "a@northwind.example", "receivables@" + "long-name." * 20 + "example")
    with pytest.raises(LetterError, match="of 306 characters"):
        texted(sender=long)


def test_a_long_or_foreign_name_of_ours_still_fits():
    message = texted(entity={"entity_name": "Łódź Großhandel ŻÓŁĆ 株式会社 " * 5})
    assert message.text.startswith("?odz Großhandel ZO?C ???? ?odz Großhande:")
    assert gsm_length(message.text) <= 306


VIEW = {"sender": "Northwind", "reference": "Ref AAAA-BBBB", "total": "1.00 EUR", "reply_to": "a@b.example"}
GOOD = "Northwind: 1.00 EUR, Ref AAAA-BBBB"


@pytest.mark.parametrize(
    "text",
    [
        "Northwind: 1.00 EUR",
        "Northwind: Ref AAAA-BBBB",
        "1.00 EUR, Ref AAAA-BBBB",
        f"{GOOD} {{{{ x }}}}",
        f"{GOOD} None",
        f"{GOOD} Ł",
        f"{GOOD} \u00a0",
        f"{GOOD} {'x' * 272}",
        f"{GOOD} {'€' * 136}",
    ],
)
def test_a_message_with_a_gap_or_too_much_is_found_out(text):
    check_sms(VIEW, f"{GOOD} {'x' * 271}", 306)
    with pytest.raises(LetterFault):
        check_sms(VIEW, text, 306)


def test_some_signs_take_two_places_and_others_have_none():
    assert (gsm_length("@abc"), gsm_length("a€"), gsm_length("{}"), gsm_length("Ł")) == (4, 3, 4, None)
    assert gsm_text("Ünï\u00a0ŁŽ—€") == "Üni ?Z??"


def test_nothing_that_a_customer_is_called_reaches_a_text_message():
    plain = texted().text
    for text in HOSTILE:
        message = texted(
            "first_contact",
            line(text, po_number=text),
            name=text,
            contact_name=text,
            contact_id="contact-C-1",
        )
        assert message.text == plain
