"""An address is one plain mailbox, or none."""

import pytest
from hostile import HOSTILE

from o2c.addresses import AddressError, is_mailbox, mailbox


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jane.doe@acme.example", "jane.doe@acme.example"),
        ("Jane.Doe@ACME.Example", "Jane.Doe@acme.example"),
        ("o'neil+ap@acme.co.uk", "o'neil+ap@acme.co.uk"),
        ("ap@müller.example", "ap@xn--mller-kva.example"),
        ("ap@faß.example", "ap@xn--fa-hia.example"),  # the older IDNA made another domain of it: fass.example
        ("ap@xn--mller-kva.example", "ap@xn--mller-kva.example"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
    ],
)
def test_a_plain_address_is_taken_with_its_domain_in_lower_case_ascii(text, address):
    assert mailbox(text) == address


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "jane.doe",
        "@acme.example",
        "jane@",
        "jane@acme",
        "jane@@acme.example",
        "a@b@acme.example",
        ".jane@acme.example",
        "jane.@acme.example",
        "jane..doe@acme.example",
        "jane doe@acme.example",
        '"jane doe"@acme.example',
        "jane@[10.0.0.1]",
        "jane@10.0.0.1",
        "jane@-acme.example",
        "jane@acme-.example",
        "jane@acme.example.",
        "jane@acme..example",
        "jane%evil.example@acme.example",
        "evil!jane@acme.example",
        "a@good.com(<b@evil.com>)",
        "ap@x.example, evil@evil.example",
        "ap@x.example evil@evil.example",
        "ap@x.example;evil@evil.example",
        "<ap@x.example>",
        "Jane <ap@x.example>",
        "ap@x.example\r\nBcc: evil@evil.example",
        "ap@x.example\n",
        " ap@x.example",
        "ap@x.example\x00",
        "ap@x.example\u202e",
        "jäne@acme.example",
        "ap@acme．example.",
        "a" * 65 + "@acme.example",
        "ap@" + "a" * 64 + ".example",
        "ap@" + ".".join(["a" * 60] * 5),
    ],
)
def test_anything_else_is_refused(text):
    assert not is_mailbox(text)
    with pytest.raises(AddressError):
        mailbox(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_address_and_no_second_one(text):
    assert [
        is_mailbox(text),
        is_mailbox(f"jane@acme.example, {text}"),
        is_mailbox(f"jane@acme.example\n{text}"),
    ] == [
        False,
        False,
        False,
    ]
