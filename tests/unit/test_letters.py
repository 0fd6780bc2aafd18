"""A letter says what was decided, in both parts, to the right person; if one cannot, none is written."""

import os
import re
from datetime import date
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from letter_builders import (
    AS_OF,
    BATCH,
    SENDER,
    TEMPLATES,
    frames_of,
    letter,
    letter_id,
    line,
    render,
)

from o2c.letter_checks import LetterFault, check_parts
from o2c.letter_message import Sender
from o2c.letter_templates import Templates
from o2c.letters import LetterError, iter_letters, reference, render_letters
from o2c.mime import one_line

GOLDEN = Path(__file__).parent / "golden"
STAGES = {
    "courtesy_reminder": letter(
        "C-100",
        [line("INV-2026-1001", "1234.56", -3, po_number="4500012345")],
        stage="courtesy_reminder",
        kind="courtesy",
        level=0,
        country_code="GB",
    ),
    "first_contact": letter(
        "C-200", [line("1001", "1234.56", 12), line("1042", "88.00", 3)], country_code="US"
    ),
    "follow_up": letter(
        "C-300",
        [line("1001", "1234.56", 12, disputed_amount=Decimal("200")), line("1042", "88.00", 3)],
        stage="follow_up",
        level=2,
        credit_memo_amount=Decimal("20.00"),
        unapplied_amount=Decimal("100.50"),
    ),
    "final_notice": letter(
        "C-400",
        [line("1001", "2500", 20, currency_code="JPY")],
        stage="final_notice",
        level=3,
        contact_name=None,
    ),
}


class Words(HTMLParser):
    """The text of a page, its tags and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(f"{tag} {sorted(name for name, _ in attrs)}")

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("stage", STAGES)
def test_a_letter_reads_as_agreed(stage):
    """After a wanted change of words: O2C_WRITE_GOLDEN=1 pytest tests/unit/test_letters.py, then read the diff."""
    frames = frames_of(STAGES[stage])
    (message,) = render_letters(*frames, SENDER, TEMPLATES, AS_OF, BATCH, {"final_notice": date(2026, 3, 19)})
    shown = {".txt": f"{message.subject}\n\n{message.text}", ".html": message.html}
    if os.environ.get("O2C_WRITE_GOLDEN"):
        for suffix, body in shown.items():
            (GOLDEN / f"{stage}{suffix}").write_text(body, encoding="utf-8")
    assert shown == {suffix: (GOLDEN / f"{stage}{suffix}").read_text(encoding="utf-8") for suffix in shown}


@pytest.mark.parametrize(
    ("number", "shown"),
    [("4711", "PO 4711"), ("PO-4711", "PO-4711"), ("po 4711", "po 4711"), ("Portland 7", "PO Portland 7")],
)
def test_an_order_number_is_called_one_only_once(number: str, shown: str) -> None:
    message = render(letter("C-1", [line(po_number=number)]))[0]
    assert f"Invoice INV-1001 ({shown})\n" in message.text
    assert f"<i>{shown}</i>" in message.html


def test_no_letter_says_of_its_items_what_is_true_of_others_only() -> None:
    """A reminder may go to somebody who has other items past due, a final notice may list items of yesterday."""
    reminder = render(STAGES["courtesy_reminder"])[0].text
    assert "Nothing is late" not in reminder
    assert "item falls due shortly and is not late" in reminder
    final = render(STAGES["final_notice"])[0].text
    assert "Despite" not in final
    assert "We have reminded you before of payments past due." in final


def test_the_headers_name_us_the_customer_and_the_letter():
    (message,) = render(letter("C-1", email="Jane.Doe@ACME.example", contact_name="Doe, Jane"))
    assert message.headers == (
        ("From", "Northwind Receivables <receivables@northwind.example>"),
        ("Reply-To", "<receivables@northwind.example>"),
        ("Date", "Thu, 12 Mar 2026 12:00:00 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("To", '"Doe, Jane" <Jane.Doe@acme.example>'),
        (
            "Subject",
            "=?utf-8?b?UGF5bWVudCByZW1pbmRlcjogMTAwLDAwwqDigqwgcGFzdCBkdWUg?="
            " =?utf-8?b?" + message.headers[5][1].split("=?utf-8?b?")[2],
        ),
        ("Message-ID", f"<{letter_id('C-1')}.20260312@northwind.example>"),
        ("X-O2C-Letter", letter_id("C-1")),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="=_o2c_{letter_id("C-1")}"'),
    )
    assert message_from_bytes(message.eml, policy=SMTP)["Subject"] == message.subject


def test_the_message_knows_what_the_outbox_and_the_ledger_ask_for():
    (message,) = render(STAGES["follow_up"])
    assert (message.total_amount, message.total, message.to_name) == (
        Decimal("1202.0600"),
        "1.202,06\u00a0€",
        "Jane Doe",
    )
    assert (message.batch_id, message.customer_id, message.stage, message.level) == (
        BATCH,
        "C-300",
        "follow_up",
        2,
    )
    assert message.message_hash == sha256(message.eml).hexdigest()


def test_the_subject_quotes_the_short_reference():
    (message,) = render(letter())
    assert reference("k7q2hf3dzzzzzzzzzzzzzzzzzz") == "Ref K7Q2-HF3D"
    assert (
        message.subject
        == f"Payment reminder: 100,00\u00a0€ past due to Northwind GmbH [{reference(message.letter_id)}]"
    )


def test_the_same_decisions_give_the_same_bytes_in_any_order_of_rows():
    frames = frames_of(*STAGES.values())
    shuffled = [frame.sample(fraction=1, shuffle=True, seed=7) for frame in frames]
    once, again = (render_letters(*given_, SENDER, TEMPLATES, AS_OF, BATCH) for given_ in (frames, shuffled))
    assert once == again
    assert [message.letter_id for message in once] == sorted(message.letter_id for message in once)


def test_only_decisions_to_write_become_letters():
    frames = list(frames_of(letter("C-1"), letter("C-2")))
    frames[0] = frames[0].with_columns(
        decision=pl.when(pl.col("customer_id") == "C-2").then(pl.lit("none")).otherwise("decision")
    )
    frames[1] = frames[1].filter(pl.col("letter_id") == letter_id("C-1"))
    assert [message.customer_id for message in render_letters(*frames, SENDER, TEMPLATES, AS_OF, BATCH)] == [
        "C-1"
    ]


def test_payment_instructions_are_ours_and_left_out_when_we_gave_none():
    (without,) = render(letter(), remit_to=None)
    (with_them,) = render(letter(), remit_to="IBAN DE02 1203 0000 0000 2020 51")
    assert ("How to pay" in without.text, "How to pay" in without.html) == (False, False)
    assert ("IBAN DE02" in with_them.text, "IBAN DE02" in with_them.html) == (True, True)


def test_a_warning_of_legal_action_stands_in_the_final_notice_alone():
    stages = ["courtesy_reminder", "first_contact", "follow_up", "final_notice"]
    warned = ["legal" in message.text + message.html for stage in stages for message in render(STAGES[stage])]
    assert warned == [False, False, False, True]


POISON = {
    "no contact": ({"contact_id": None}, "contact None is not in the contact data"),
    "a contact that is not there": ({"contact_id": "gone"}, "contact 'gone' is not in the contact data"),
    "another customer's contact": ({"contact_id": "contact-C-1"}, "belongs to customer C-1"),
    "no address": ({"email": None}, "no address"),
    "two addresses": ({"email": "a@x.example, b@y.example"}, "exactly one @"),
    "an unknown entity": ({"entity_id": "E9"}, "entity 'E9' is not in the entity data"),
    "no stage": ({"stage": None}, "stage None is not a name of a template"),
    "a stage without words": ({"stage": "legal_review"}, "there is no template legal_review.subject.j2"),
    "a stage that is a path": ({"stage": "../letters/first_contact"}, "is not a name of a template"),
    "a total that is not its lines": (
        {"past_due_amount": Decimal("100.01")},
        "add up to 100.0000, its decision to 100.0100",
    ),
    "a net that is not its parts": (
        {"net_due_amount": Decimal("99.99")},
        "net due 99.9900 is not 100.0000 less",
    ),
    "nothing due": ({"unapplied_amount": Decimal("100")}, "nothing is due"),
    "a negative credit": ({"credit_memo_amount": Decimal("-1")}, "are negative"),
    "an item for nothing": ({"lines": [line(amount="0")]}, "an item asks for nothing"),
    "a dispute below nothing": ({"lines": [line(disputed_amount=Decimal(-1))]}, "negative disputed part"),
    "a tenth of a cent": ({"lines": [line(amount="0.001")]}, "finer than the currency's minor unit"),
    "an unknown currency": ({"lines": [line(currency_code="ABC")]}, "'ABC'"),
    "no item": ({"lines": []}, "it lists no item"),
    "an id that is no id": ({"letter_id": "LETTER-1"}, "not 26 characters of base32"),
    "the id of another": ({"letter_id": letter_id("C-1")}, "another letter has the same id"),
}


@pytest.mark.parametrize(("changes", "why"), POISON.values(), ids=POISON)
def test_one_letter_that_cannot_be_written_stops_all_and_is_named(changes, why):
    with pytest.raises(LetterError) as stopped:
        render(letter("C-1"), letter("C-2", **changes), letter("C-3"))
    assert "no letter was written" in str(stopped.value)
    assert f"letter {changes.get('letter_id', letter_id('C-2'))}, customer C-2: " in str(stopped.value)
    assert why in str(stopped.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(LetterError, match=r"^2 fault") as stopped:
        render(letter("C-1", email="x"), letter("C-2"), letter("C-3", stage=None))
    assert re.findall(r"customer (C-\d)", str(stopped.value)) == sorted(["C-1", "C-3"], key=letter_id)


def test_a_line_without_a_letter_and_one_in_another_currency_stop_all():
    decisions, lines, *rest = frames_of(letter("C-1", [line("A"), line("B")]))
    stray = lines.with_columns(letter_id=pl.lit(letter_id("C-9")))
    foreign = lines.with_columns(
        currency_code=pl.when(pl.col("line_number") == 2).then(pl.lit("USD")).otherwise("currency_code")
    )
    for bad, why in ((pl.concat([lines, stray]), "lines without a decision"), (foreign, "a line is in USD")):
        with pytest.raises(LetterError, match=why):
            render_letters(decisions, bad, *rest, SENDER, TEMPLATES, AS_OF, BATCH)


def test_letters_one_at_a_time_end_in_the_same_error():
    frames = frames_of(
        *(letter(f"C-{number}", email="bad" if number == 3 else "a@b.example") for number in range(5))
    )
    taken = []
    with pytest.raises(LetterError, match="customer C-3"):
        taken.extend(iter_letters(*frames, SENDER, TEMPLATES, AS_OF, BATCH))


def test_a_sender_that_is_no_address_is_refused():
    with pytest.raises(ValueError, match="exactly one @"):
        render_letters(*frames_of(letter()), Sender("Us", "us", "us@x.example"), TEMPLATES, AS_OF, BATCH)


def test_a_template_that_names_what_is_not_there_writes_nothing(tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    for path in (Path(__file__).parents[2] / "templates" / "letters").iterdir():
        (folder / path.name).write_text(path.read_text().replace("{{ total }}", "{{ totl }}"))
    with pytest.raises(LetterError, match="'totl' is undefined"):
        render_letters(*frames_of(letter()), SENDER, Templates(tmp_path), AS_OF, BATCH)


VIEW = {
    "customer_id": "C-1",
    "reference": "Ref AAAA-BBBB",
    "items": [
        ("INV-1", "", "1 Mar", "2 Mar", "9", "€1.00", ""),
        ("INV-2", "", "1 Mar", "2 Mar", "9", "€2.00", ""),
    ],
    "total": "€3.00",
    "reductions": [("Credits", "-€1.00")],
    "net": "€2.00",
    "remit_to": [],
}
BODY = "C-1 Ref AAAA-BBBB INV-1 2 Mar 9 €1.00 INV-2 2 Mar 9 €2.00 €3.00 -€1.00 €2.00"


def test_a_whole_letter_passes_the_checks():
    check_parts(VIEW, "[Ref AAAA-BBBB]", BODY, f"<body>{BODY}")


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("C-1 ", ""),
        BODY.replace("INV-2 ", ""),
        BODY.replace("9 €2.00", "9"),
        BODY.replace("€1.00 INV-2 2 Mar 9 €2.00", "€2.00 INV-2 2 Mar 9 €1.00"),
        BODY.replace("€3.00", "€3.01"),
        BODY.removesuffix(" €2.00"),
        BODY + " {{ x }}",
        BODY + " None",
        BODY + " nan",
        BODY + " undefined",
    ],
)
def test_a_part_that_misses_something_or_has_a_gap_is_found_out(body):
    for text, html in ((body, BODY), (BODY, body)):
        with pytest.raises(LetterFault):
            check_parts(VIEW, "[Ref AAAA-BBBB]", text, f"<body>{html}")


def test_a_subject_without_the_reference_is_found_out():
    with pytest.raises(LetterFault, match="subject"):
        check_parts(VIEW, "Payment reminder", BODY, f"<body>{BODY}")


HEADERS = [
    "From",
    "Reply-To",
    "Date",
    "Auto-Submitted",
    "To",
    "Subject",
    "Message-ID",
    "X-O2C-Letter",
    "MIME-Version",
    "Content-Type",
]
TAGS = Words(render(letter("C-1", [line(po_number="1")]))[0].html).tags


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(text):
    shown = one_line(text)
    names = {"name": text, "contact_name": text}
    number = {"invoice_number": text, "po_number": text}
    try:
        (message,) = render(letter(text, [line(**number)], **names, contact_id=f"contact-{text}"))
    except LetterError:
        pytest.fail("hostile text is data like any other")

    mail = message_from_bytes(message.eml, policy=SMTP)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert mail.keys() == HEADERS
    assert [address.addr_spec for address in mail["To"].addresses] == ["jane.doe@acme.example"]
    assert mail["To"].addresses[0].display_name == (
        shown if len(shown) < 46 else mail["To"].addresses[0].display_name
    )
    assert f"Dear {shown}," in message.text or not shown
    assert f"Invoice {shown} (PO {shown})" in message.text
    page = Words(message.html)
    assert page.tags == TAGS
    assert shown in page.text


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=30),
            st.decimals("0.01", "99999999.99", places=2),
            st.integers(1, 400),
        ),
        min_size=1,
        max_size=5,
    ),
    st.text(max_size=40),
    st.sampled_from(["US", "DE", "FR", "CH", "IN", None]),
)
def test_any_text_and_any_amount_give_a_letter_that_reads_back(items, name, country_code):
    lines = [line(number, str(amount), days) for number, amount, days in items]
    (message,) = render(letter("C-1", lines, name=name, contact_name=name, country_code=country_code))
    mail = message_from_bytes(message.eml, policy=SMTP)
    plain, rich = mail.iter_parts()
    assert mail["Subject"] == message.subject
    assert plain.get_payload(decode=True).decode().replace("\r\n", "\n") == message.text
    assert rich.get_payload(decode=True).decode() == message.html
    assert message.total_amount == sum(amount for _, amount, _ in items)
    assert message.total in message.text
