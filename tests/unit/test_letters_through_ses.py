"""Letters as they are really rendered pass the carrier's own look at their headers, whatever customers are called."""

import hashlib

import pytest
from letter_builders import letter, render

from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.ses import header_fault
from o2c.letter_message import Message


def outgoing(message: Message) -> OutgoingLetter:
    return OutgoingLetter(
        message.letter_id,
        message.batch_id,
        message.level,
        "email",
        message.to_address,
        message.eml,
        hashlib.sha256(message.eml).hexdigest(),
    )


def sender_of(message: Message) -> str:
    return dict(message.headers)["From"].rpartition("<")[2].removesuffix(">")


@pytest.mark.parametrize(
    "name",
    [
        "Acme Ltd.", "Müller & Söhne GmbH", '"Quoted" (Co), a; b: <x@evil.example>', "株式会社サンプル" * 20,
        "a@good.example(<b@evil.example>)", "Bcc: b@evil.example\r\nBcc: c@evil.example", "=?utf-8?q?x?=", ".",
        "x" * 300,
    ],
)  # fmt: skip
def test_a_rendered_letter_passes(name: str):
    (message,) = render(letter(name=name, contact_name=name))
    assert header_fault(outgoing(message), sender_of(message)) is None


@pytest.mark.parametrize(
    "email",
    [
        "o'brien+ap@acme.example", "a.b-c_d=e~f/g#h&i@acme.example", "ap@münchen.example", "AP@ACME.Example",
        "x" * 64 + "@" + "sub." * 40 + "acme.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("contact", ["Jane Doe", "Zoë " * 20, ""])
def test_so_does_a_letter_to_an_unusual_address(email: str, contact: str):
    (message,) = render(letter(email=email, contact_name=contact))
    assert header_fault(outgoing(message), sender_of(message)) is None
