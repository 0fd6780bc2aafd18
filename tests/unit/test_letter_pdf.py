"""A final notice as PDF: read back with another reader, it says what the mail says, on one sort of paper, for good."""

import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256

import pytest
from hostile import HOSTILE
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frames_of, letter, line, render
from pdf_reading import packed, says, text_of
from pypdf import PdfReader

from o2c.letter_checks import LetterFault, check_pdf
from o2c.letter_pdf import A4, US_LETTER, Words, letter_pdf
from o2c.letters import reference, render_letters
from o2c.mime import pdf_of
from o2c.pdf.fonts import REGULAR, font_of, shown

FINAL = {"stage": "final_notice", "level": 3}


def notices(*letters, **entity):
    return render_letters(
        *frames_of(*letters, **entity), SENDER, TEMPLATES, AS_OF, BATCH, pdf_stages=["final_notice"]
    )


def notice(*lines, **changes):
    (message,) = notices(letter("C-400", list(lines) or None, **FINAL, **changes))
    return message


def pages_of(pdf):
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_the_pdf_says_what_the_mail_says():
    message = notice(
        line("1001", "1234.56", 12, po_number="4500012345", disputed_amount=Decimal("200")),
        line("1042", "88.00", 3),
        credit_memo_amount=Decimal("20.00"),
        unapplied_amount=Decimal("100.50"),
        name="Müller & Söhne GmbH",
    )
    ref = reference(message.letter_id)
    assert [packed(page) for page in pages_of(message.pdf)] == [
        packed(
            "Northwind GmbH Müller & Söhne GmbH Jane Doe Date 12 Mar 2026 Customer no. C-400"
            f" Reference {ref}"
            " Final notice Dear Jane Doe,"
            " We have reminded you before of payments past due."
            " On 12 Mar 2026 the following items are unpaid in our books."
            " Invoice Dated Due Days past due Amount (EUR)"
            " 1001 29 Jan 2026 28 Feb 2026 12 1.234,56 € disputed, left out: 200,00 € PO 4500012345"
            " 1042 7 Feb 2026 9 Mar 2026 3 88,00 €"
            " Total past due 1.322,56 € Open credit memos -20,00 € Payments not yet matched -100,50 €"
            " Amount to pay 1.202,06 € We request payment of 1.202,06 € without delay."
            " If the amount is not paid and we do not hear from you, we will have the matter reviewed for legal action"
            " without a further reminder."
            " How to pay Northwind GmbH IBAN DE02 1203 0000 0000 2020 51 BIC BYLADEM1001"
            f" Please quote {ref} and the invoice numbers."
            " Something not right? Write to receivables@northwind.example:"
            " • Already paid: tell us the date and the payment reference, and we will find it."
            " • Not in agreement: tell us which invoice and why; we take a disputed amount out while we look into it."
            " • Invoice missing: ask for a copy and we will send one."
            " • Wrong person: tell us who looks after payments."
            " Yours sincerely, Northwind Receivables Northwind GmbH"
            " State of our books on 12 Mar 2026; a payment made since then may have crossed with this letter."
            " It was prepared automatically and is valid without signature."
            f" Northwind GmbH, customer no. C-400 {ref}, page 1 of 1"
        )
    ]


def test_the_mail_carries_the_pdf_under_the_letters_name_and_its_hash_binds_it():
    message = notice()
    mail = message_from_bytes(message.eml, policy=SMTP)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == f"{message.letter_id}.pdf"
    assert attachment.get_content() == message.pdf == pdf_of(message.eml)
    plain, rich = next(mail.iter_parts()).iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == message.text
    assert rich.get_payload(decode=True).decode() == message.html
    assert message.message_hash == sha256(message.eml).hexdigest()
    assert all(part.endswith(b"\r\n") or part == b"" for part in message.eml.splitlines(keepends=True))
    assert max(map(len, message.eml.split(b"\r\n"))) <= 998


def test_only_stages_of_the_policy_carry_one():
    first, final = notices(letter("C-1"), letter("C-2", **FINAL))
    both = {one.stage: one.pdf is not None for one in (first, final)}
    assert both == {"first_contact": False, "final_notice": True}
    assert render(letter("C-2", **FINAL))[0].pdf is None


@pytest.mark.parametrize(
    ("country_code", "paper"), [("DE", A4), ("GB", A4), (None, A4), ("US", US_LETTER), ("CA", US_LETTER)]
)
def test_the_paper_is_that_of_the_customers_country(country_code, paper):
    box = PdfReader(io.BytesIO(notice(country_code=country_code).pdf)).pages[0].mediabox
    assert (float(box.width), float(box.height)) == paper


def test_a_file_has_no_link_and_no_script_and_is_the_same_in_another_process():
    pdf = letter_pdf(VIEW | WORLD, WORDS, A4).content
    program = (
        "import hashlib, json, sys; from o2c.letter_pdf import A4, Words, letter_pdf;"
        "view, words = json.load(sys.stdin);"
        "print(hashlib.sha256(letter_pdf(view, Words(*words), A4).content).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([VIEW | WORLD, list(vars(WORDS).values())]),
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONHASHSEED": "7",
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    assert other.stdout == f"{sha256(pdf).hexdigest()}\n"
    bare = re.sub(rb"stream\n.*?endstream", b"", pdf, flags=re.DOTALL)
    for word in (
        b"/Annots",
        b"/URI",
        b"/JavaScript",
        b"/OpenAction",
        b"/AA ",
        b"/EmbeddedFile",
    ):
        assert word not in bare


def test_names_of_the_world_have_glyphs():
    europe = "Müller Łódź Ελλάδα Εμπορική България Україна Škoda Ğ ő ß – € “x”"
    assert [character for character in europe if font_of(character, REGULAR) != REGULAR] == []
    for name, font in (
        ("株式会社サンプル", "HeiseiKakuGo-W5"),
        ("上海贸易有限公司", "STSong-Light"),
        ("한국상사", "HYSMyeongJo-Medium"),
    ):
        pdf = notice(name=name).pdf
        assert font.encode() in pdf
        assert packed(name) in packed(pages_of(pdf)[0])


def test_what_no_font_has_is_told_by_its_number_and_words_from_right_to_left_can_be_read():
    assert shown("Zoë 👩 & Co") == "Zoë [U+1F469] & Co"
    assert shown("\u05d0\u05d1 12") == "\u05d1\u05d0 12"
    assert shown("a\u200bb\u00adc") == "abc"
    assert "[U+1F469]" in pages_of(notice(name="👩 GmbH").pdf)[0]


def test_many_items_take_pages_each_with_the_head_of_the_table_and_its_number():
    message = notice(*[line(f"INV-{number:04}", "10.00", 30) for number in range(150)])
    pages = pages_of(message.pdf)
    assert len(pages) == 5
    for number, page in enumerate(pages, start=1):
        assert page.endswith(f"page {number} of 5")
        assert ("INV-" in page) == ("Days past due" in page)
    everything = " ".join(pages)
    assert [everything.count(f"INV-{number:04}") for number in range(150)] == [1] * 150


@pytest.mark.parametrize("before", [0, 12, 14, 16, 18, 20])
def test_a_value_is_never_torn_over_pages(before):
    lines = [line(f"N-{number}", "1.00", 30) for number in range(before)]
    message = notice(*lines, line("w" * 1200, "1.00", 30, po_number="P" * 700), line("LAST", "1.00", 30))
    assert "w" * 1200 in text_of(message.pdf)


VIEW = {
    "customer_id": "C-1", "reference": "Ref AAAA-BBBB", "entity_name": "E", "customer_name": "Acme",
    "to_name": "Jane", "letter_date": "12 Mar 2026", "days_label": "Days past due", "currency_code": "EUR",
    "items": [
        ("INV-1", "", "1 Jan 2026", "1 Feb 2026", "39", "10.00 €", ""), ("INV-2", "", "a", "b", "9", "5.00 €", ""),
    ],
    "total_label": "Total past due", "total": "15.00 €", "reductions": [("Credit", "-1.00 €")], "net": "14.00 €",
    "remit_to": [], "sender_name": "S", "reply_to": "r@x.example",
}  # fmt: skip
WORLD = {"customer_name": "株式会社 Ромашка Łódź 한국 \u05d0\u05d1 👩", "to_name": "Ελλάδα ěšč ŧŋ"}
WORDS = Words("Final notice", "Pay.", "Soon.", "", "Yours")


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer_id": "C-2"},
        {"reference": "Ref AAAA-CCCC"},
        {"total": "15.01 €"},
        {"net": "13.00 €"},
        {"reductions": [("Credit", "-2.00 €")]},
        {"items": [*VIEW["items"], ("INV-3", "", "a", "b", "1", "1.00 €", "")]},
        {"items": [("INV-1", "", "1 Jan 2026", "1 Feb 2026", "39", "10.01 €", ""), VIEW["items"][1]]},
        {"items": VIEW["items"][::-1]},
    ],
    ids=str,
)
def test_a_pdf_that_says_something_else_is_found_out(wrong):
    pdf = letter_pdf(VIEW, WORDS, A4)
    check_pdf(VIEW, pdf.text)
    with pytest.raises(LetterFault, match="PDF"):
        check_pdf(VIEW | wrong, pdf.text)


def test_a_gap_that_a_template_left_is_found_out():
    with pytest.raises(LetterFault, match="PDF"):
        check_pdf(
            VIEW, letter_pdf(VIEW, Words("Final notice", "We ask {{ nobody }}.", "", "", "Yours"), A4).text
        )


# Text, its font and place, colours and filled boxes: nothing that draws a picture, a link or a form.
OPERATORS = {b"BT", b"ET", b"Tf", b"Tj", b"Tm", b"TL", b"T*", b"rg", b"re", b"f*", b"n", b"q", b"Q", b"cm"}


def test_hostile_text_is_no_operator_and_reads_back_from_the_page():
    for number, text in enumerate(HOSTILE):
        (message,) = notices(
            letter(f"{number} {text}", [line(text, po_number=text)], name=text, contact_name=text, **FINAL)
        )
        reader = PdfReader(io.BytesIO(message.pdf))
        for page in reader.pages:
            assert {operator for _, operator in page.get_contents().operations} <= OPERATORS
        assert says(message.pdf, text)
