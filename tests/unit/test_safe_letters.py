"""Six hundred hostile texts in every letter and page: shown as they are, and nothing comes of them."""

import io
from email import message_from_bytes
from email.parser import BytesHeaderParser
from email.policy import SMTP
from html.parser import HTMLParser

import polars as pl
import pytest
from hostile import EVERY_HOSTILE, HALVES
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frame, frames_of, letter, line
from pdf_reading import says
from pypdf import PdfReader

from o2c import mime
from o2c.addresses import AddressError, is_mailbox, mailbox, phone_number
from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.folder import OutboxError, write_batch
from o2c.delivery.print_folder import PrintFolderError, write_print_folder
from o2c.dunning.addresses import with_addresses
from o2c.frames import Contacts
from o2c.letters import render_letters
from o2c.mime import one_line
from o2c.pdf.fonts import shown

COUNT = len(EVERY_HOSTILE)
HEADERS = {
    "From", "Reply-To", "Date", "Auto-Submitted", "To", "Subject", "Message-ID", "X-O2C-Letter", "MIME-Version",
    "Content-Type",
}  # fmt: skip


class Page(HTMLParser):
    """Tags with the names of their attributes, and all text, of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def packed(text):
    return "".join(text.split())


def named(number, text, **changes):
    """A final notice in which the text stands wherever a customer can write one."""
    lines = [line(text or "-", po_number=text), line("PLAIN-1", "5.00")]
    names = {"name": text, "contact_name": text, "stage": "final_notice", "level": 3}
    return letter(f"{number} {text}", lines, **names, **changes)


@pytest.fixture(scope="module")
def messages():
    """One letter per text, one of them plain, in the order of the texts."""
    letters = [named(number, text) for number, text in enumerate(("Plain", *EVERY_HOSTILE))]
    rendered = render_letters(
        *frames_of(*letters), SENDER, TEMPLATES, AS_OF, BATCH, pdf_stages=["final_notice"]
    )
    by_id = {message.letter_id: message for message in rendered}
    return [by_id[one["letter_id"]] for one in letters]


def test_no_text_brings_a_recipient_a_header_or_a_part(messages, capsys):
    for number, (text, message) in enumerate(zip(EVERY_HOSTILE, messages[1:], strict=True)):
        mail = BytesHeaderParser(policy=SMTP).parsebytes(message.eml)
        assert set(mail.keys()) == HEADERS, text
        assert len(mail.keys()) == len(HEADERS)
        (to,) = mail["To"].addresses
        assert to.addr_spec == "jane.doe@acme.example"
        assert [one.addr_spec for one in mail["From"].addresses] == [SENDER.address]
        assert [one.addr_spec for one in mail["Reply-To"].addresses] == [SENDER.reply_to]
        assert mail["Subject"] == message.subject
        head = message.eml.partition(b"\r\n\r\n")[0]
        assert head.isascii()
        assert b"\n" not in head.replace(b"\r\n", b"")
        assert message.eml.count(b"multipart/") == 2
        assert message.eml.count(b"\r\n--=_o2c") == 6
        if number % 8:  # reading whole mails is slow
            continue
        mail = message_from_bytes(message.eml, policy=SMTP)
        assert [part.get_content_type() for part in mail.walk()] == [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "application/pdf",
        ], text
        names = [part.get_filename() for part in mail.walk() if part.get_filename()]
        assert names == [f"{message.letter_id}.pdf"]
    with capsys.disabled():
        print(f"\nmails: {COUNT} texts, 0 extra recipients, headers or parts")  # noqa: T201


def test_every_text_stands_in_all_parts_and_none_is_a_tag(messages, capsys):
    plain = Page(messages[0].html).tags
    for number, (text, message) in enumerate(zip(EVERY_HOSTILE, messages[1:], strict=True), start=1):
        seen = one_line(text)
        assert f"Dear {seen or f'{number} accounts payable team'}," in message.text
        assert f"Invoice {seen or ('id-' if text else '-')}" in message.text
        page = Page(message.html)
        expected = [tag for tag in plain if seen or tag[0] != "i"]
        assert [tag for tag in page.tags if tag[0] not in ("i", "br")] == [
            tag for tag in expected if tag[0] not in ("i", "br")
        ], text
        assert " ".join(seen.split()) in page.text
    with capsys.disabled():
        print(f"\nHTML and text of mails: {COUNT} texts, 0 tags")  # noqa: T201


def test_every_text_is_printed_in_the_pdf(messages, capsys):
    for text, message in zip(EVERY_HOSTILE, messages[1:], strict=True):
        assert says(message.pdf, text), text
    for message in messages[:: COUNT // 20]:
        reader = PdfReader(io.BytesIO(message.pdf))
        assert len(reader.pages) >= 1
        assert not reader.attachments
        assert all("/Annots" not in page for page in reader.pages)
        assert "PLAIN-1" in " ".join(page.extract_text() for page in reader.pages)
    with capsys.disabled():
        print(f"\nPDFs: {COUNT} texts printed")  # noqa: T201


def test_the_outbox_shows_them_and_links_to_its_own_files_alone(tmp_path, messages, capsys):
    write_batch(
        tmp_path, BATCH, messages, AS_OF, {one.letter_id: "preview" for one in messages}, durable=False
    )
    files = {path.name for path in (tmp_path / BATCH).iterdir()}
    assert files == {f"{one.letter_id}.eml" for one in messages} | {
        name for name in files if name == "index.html" or name.startswith("page-")
    }
    for path in (tmp_path / BATCH).glob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert not {tag for tag, _ in page.tags} & {
            "script",
            "img",
            "svg",
            "object",
            "embed",
            "form",
            "link",
            "base",
        }
        assert not {name for _, names in page.tags for name in names if name.startswith("on")}
    index = Page((tmp_path / BATCH / "index.html").read_text(encoding="utf-8"))
    assert sum(tag == "tr" for tag, _ in index.tags) == len(messages) + 2 + 1
    for text in EVERY_HOSTILE:
        assert " ".join(one_line(text).split()) in index.text, text
    assert [path for path in tmp_path.rglob("*") if path.parent != tmp_path / BATCH] == [tmp_path / BATCH]
    with capsys.disabled():
        print(f"\noutbox: {COUNT} texts, 0 tags, 0 files outside")  # noqa: T201


def test_an_address_is_one_mailbox_or_none(capsys):
    taken = [text for text in EVERY_HOSTILE if is_mailbox(text)]
    assert taken == ["ap@xn--good-0ye.example"] or all(
        text.count("@") == 1 and not set(text) & set(' ,;<>()[]:"\\\r\n\t\x00') for text in taken
    )
    for text in taken:
        header = mime.mailbox_header("To", "Jane", mailbox(text))
        mail = message_from_bytes(f"{header}\r\n\r\n".encode(), policy=SMTP)
        assert [one.addr_spec for one in mail["To"].addresses] == [mailbox(text)]
    for text in (*EVERY_HOSTILE, *HALVES):
        with pytest.raises(AddressError):
            phone_number(text)
    with capsys.disabled():
        print(f"\naddresses: {COUNT} texts, {len(taken)} plain mailboxes, 0 phone numbers")  # noqa: T201


def test_dunning_and_letters_agree_on_what_an_address_is():
    contacts = frame(
        Contacts,
        *({"contact_id": str(n), "customer_id": "A", "email": text} for n, text in enumerate(EVERY_HOSTILE)),
    )
    judged = with_addresses(contacts)
    assert judged["is_valid"].to_list() == [is_mailbox(text) for text in EVERY_HOSTILE]
    valid = judged.filter("is_valid")
    assert valid["address"].to_list() == [mailbox(email).lower() for email in valid["email"]]


def test_names_of_letters_and_batches_are_names_in_their_folder(tmp_path, messages, capsys):
    message = messages[0]
    refused = 0
    for text in EVERY_HOSTILE:
        for changes in ({"letter_id": text}, {"batch_id": text}):
            row = {"letter_id": message.letter_id, "batch_id": BATCH} | changes
            out = OutgoingLetter(
                **row, level=3, channel="email", address="a@b.example", content=message.eml, message_hash=""
            )
            try:
                write_print_folder(tmp_path / "print", [out])
            except PrintFolderError:
                refused += 1
        try:
            write_batch(
                tmp_path / "outbox", text, [message], AS_OF, {message.letter_id: "sent"}, durable=False
            )
        except OutboxError:
            refused += 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in files:
        where = path.relative_to(tmp_path).parts
        assert where[0] in ("print", "outbox")
        assert len(where) == 3
        assert path.resolve().is_relative_to(tmp_path.resolve())
    with capsys.disabled():
        print(f"\nfile names: {refused} refused, {len(files)} files, 0 outside")  # noqa: T201


def test_half_a_character_is_left_out_of_headers_names_and_pages():
    for half in HALVES:
        assert one_line(half).encode() is not None
        mime.mailbox_header("To", half, "a@b.example").encode("ascii")
        mime.text_header("Subject", half).encode("ascii")
        shown(one_line(half)).encode()


def test_a_frame_cannot_hold_half_a_character():
    with pytest.raises((UnicodeEncodeError, pl.exceptions.PolarsError)):
        pl.Series([HALVES[0]])
