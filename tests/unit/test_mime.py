"""The message we build is the message that others read."""

from datetime import date
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hostile import HOSTILE
from hypothesis import example, given
from hypothesis import strategies as st

from o2c.mime import alternative, date_header, html_of, mailbox_header, one_line, text_header, text_of

TEXTS = st.one_of(
    st.text(max_size=200), st.sampled_from(HOSTILE), st.lists(st.sampled_from(HOSTILE)).map(" ".join)
)
BODIES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=2000)


def read(headers, text="text", html="<p>html</p>"):
    message = message_from_bytes(alternative(headers, "abc", text, html), policy=SMTP)
    assert message.defects == []
    return message


def lines_of(headers):
    return "\r\n".join(headers).split("\r\n")


@given(TEXTS)
def test_a_subject_reads_as_it_was_and_brings_no_other_header(text):
    header = text_header("Subject", text)
    message = read([header])
    assert message["Subject"] == one_line(text)
    assert message.keys() == ["Subject", "MIME-Version", "Content-Type"]
    assert max(map(len, lines_of([header]))) <= 78


@given(TEXTS)
@example("\u00a0")
@example("0\u00a0")
def test_a_mailbox_has_the_name_it_was_given_and_one_address(name):
    header = mailbox_header("To", name, "ap@acme.example")
    (address,) = read([header])["To"].addresses
    whole = one_line(name)
    assert address.addr_spec == "ap@acme.example"
    assert whole.startswith(address.display_name)
    assert address.display_name == whole or len(address.display_name.encode()) > 40
    assert max(map(len, lines_of([header]))) <= 78


@given(BODIES, BODIES)
def test_both_bodies_come_back_as_they_were(text, html):
    raw = alternative(["Subject: x"], "abc", text, html)
    plain, rich = message_from_bytes(raw, policy=SMTP).iter_parts()
    assert [plain.get_content_type(), rich.get_content_type()] == ["text/plain", "text/html"]
    assert plain.get_payload(decode=True).decode().replace("\r\n", "\n") == text
    assert rich.get_payload(decode=True).decode() == html
    assert (text_of(raw), html_of(raw)) == (text, html)


@given(BODIES, BODIES)
def test_every_line_ends_in_crlf_and_is_short(text, html):
    raw = alternative(["Subject: x"], "abc", text, html)
    assert raw.endswith(b"\r\n")
    assert raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert raw.isascii()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two   spaces ", "two spaces"),
        ("Jane\r\nBcc: x", "Jane Bcc: x"),
        ("\u202eevil\u202c name", "evil name"),
        ("a\x00b\x1bc", "a b c"),
        ("", ""),
        ("\n", ""),
        ("\u00a0Jane\u00a0", "Jane"),
        ("\u3000", ""),
        ("Zoë 👩‍👧", "Zoë 👩‍👧"),
    ],
)
def test_one_line_keeps_what_can_be_printed(text, line):
    assert one_line(text) == line


def test_a_date_is_noon_of_its_day():
    assert date_header(date(2026, 3, 12)) == "Thu, 12 Mar 2026 12:00:00 +0000"
