"""REMADV: EDIFACT service characters and envelopes, amounts, adjustments, credit notes; and the XML form."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank import remadv, remadv_xml
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Reference, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.remadv_reading import reasons

DOCUMENTS = "DOC+380+INV-1'MOA+12:100.00'DOC+380+INV-2'MOA+12:50.00'"


@dataclass
class Edifact:
    """A REMADV over 150.00 EUR for two invoices."""

    una: str = ""
    begin: str = "BGM+481+RA-1+9'"
    head: str = "DTM+137:20260928:102'NAD+PR+4711::92++Acme SE'NAD+PE+1::9++Us'CUX+2:EUR:11'"
    body: str = DOCUMENTS
    total: str = "UNS+S'MOA+12:150.00'"
    kind: str = "REMADV"
    flag: str = ""

    def message(self) -> str:
        """UNH to UNT."""
        inside = self.begin + self.head + self.body + self.total
        return f"UNH+1+{self.kind}:D:96A:UN'{inside}UNT+{inside.count(chr(39)) + 2}+1'"

    def text(self) -> str:
        """The whole file."""
        return f"{self.una}UNB+UNOC:3+A:ZZ+B:ZZ+260928:1813+77{self.flag}'{self.message()}UNZ+1+77'"


def _read(file: Edifact | str, profile: BankProfile | None = None) -> BankFile:
    text = file if isinstance(file, str) else file.text()
    return remadv.read(text.encode(), "test.edi", profile or BankProfile())


def _only(file: Edifact) -> Remittance:
    return _read(file).remittances[0]


def _codes(file: Edifact | str) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in _read(file).exceptions]


def test_an_advice_is_a_payment_with_its_documents() -> None:
    found = _read(Edifact())
    assert (found.format, found.version, found.exceptions) == ("edifact.remadv.d96a", "D.96A", ())
    lines = (
        RemittanceLine(1, "message 1, segment 7", "INV-1", Decimal("100.00"), document_type="380"),
        RemittanceLine(2, "message 1, segment 9", "INV-2", Decimal("50.00"), document_type="380"),
    )
    assert found.remittances == (
        Remittance(
            1,
            "message 1",
            "edifact.remadv.d96a",
            "RA-1",
            "EUR",
            Decimal("150.00"),
            payer_name="Acme SE",
            payer_id="4711",
            payee_name="Us",
            payment_date=date(2026, 9, 28),
            lines=lines,
            file_id=found.file_id,
        ),
    )


@pytest.mark.parametrize(
    ("una", "swap"),
    [
        ("UNA:+.? '", {}),
        ("UNA:+,? '\r\n", {}),
        ("UNA;*.? ~", {":": ";", "+": "*", "'": "~"}),
        ("UNA:+.  '", {}),
    ],
)
def test_service_characters_are_those_of_una(una: str, swap: dict[str, str]) -> None:
    text = Edifact().text()
    for usual, other in swap.items():
        text = text.replace(usual, other)
    found = _read(una + text)
    assert (found.remittances[0].lines, found.exceptions) == (_only(Edifact()).lines, ())


def test_a_released_character_is_text() -> None:
    found = _only(Edifact(body="DOC+380+A?+B?'C??'MOA+12:150'"))
    assert found.lines[0].invoice_reference == "A+B'C?"
    text = Edifact(una="UNA:+.  '", body="DOC+380+A?B'MOA+12:150'")
    assert _only(text).lines[0].invoice_reference == "A?B"


@pytest.mark.parametrize("between", ["'\n", "'\r\n", "' ", "'\r\n  "])
def test_line_ends_between_segments_mean_nothing(between: str) -> None:
    assert _only(Edifact()).lines == _read(Edifact().text().replace("'", between)).remittances[0].lines


@pytest.mark.parametrize("una", ["UNA", "UNA:+.?", "UNA::.? '", "UNAa+.? '", "UNA:+.+ '"])
def test_unusable_service_characters_refuse_the_file(una: str) -> None:
    with pytest.raises(RejectedFile):
        _read(una + Edifact().text())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("UNT+13+1", "UNT+14+1", "count_differs"),
        ("UNT+13+1", "UNT+13+2", "control_number_differs"),
        ("UNZ+1+77", "UNZ+2+77", "count_differs"),
        ("UNZ+1+77", "UNZ+1+78", "control_number_differs"),
    ],
)
def test_a_trailer_that_differs_is_an_exception(old: str, new: str, code: str) -> None:
    text = Edifact().text()
    assert old in text
    assert _codes(text.replace(old, new)) == [(code, "exception")]
    lenient = BankProfile(warnings_only=(code,))
    assert [one.severity for one in _read(text.replace(old, new), lenient).exceptions] == ["warning"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UNB",
        Edifact().text().replace("UNT+13+1'", ""),
        Edifact().text().replace("UNZ+1+77'", ""),
        Edifact().text().replace("UNH+1+REMADV:D:96A:UN'", ""),
        Edifact().text().replace("UNT+13+1'", "UNT+x+1'"),
        Edifact().text() + "UNH+2+REMADV:D:96A:UN'",
        Edifact().text().replace("DOC", "UNB", 1),
        Edifact().text().replace("BGM", "B", 1),
        Edifact().text().replace("UNB+", "BGM+1'UNB+", 1),
        Edifact().text().replace("UNZ", "UNE+1+1'UNZ"),
        Edifact().text() + "?",
        "UNB+UNOC:3+A+B+260928:1813+77'UNZ+0+77'",
        Edifact(begin="").text(),
    ],
)
def test_what_is_no_whole_interchange_is_refused(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


def test_every_cut_is_refused() -> None:
    text = Edifact().text()
    for cut in range(len(text)):
        with pytest.raises(RejectedFile):
            _read(text[:cut])


def test_a_huge_file_is_refused_before_it_is_cut_into_tokens() -> None:
    with pytest.raises(RejectedFile, match="larger"):
        _read("UNB+" + "x" * (2 << 20))


def test_groups_and_several_messages_are_read() -> None:
    one = Edifact().message()
    text = f"UNB+UNOC:3+A+B+260928:1813+77'UNG+REMADV+A+B+260928:1813+5'{one}{one}UNE+2+5'UNZ+1+77'"
    found = _read(text)
    assert ([one.ordinal for one in found.remittances], found.exceptions) == ([1, 2], ())
    assert _codes(text.replace("UNE+2", "UNE+1")) == [("count_differs", "exception")]


def test_a_message_without_an_interchange_is_read_and_told() -> None:
    assert _codes(Edifact().message()) == [("repaired", "warning")]


def test_other_messages_are_told_and_a_file_of_them_is_refused_by_name() -> None:
    text = Edifact().text().replace("UNZ+1", f"{Edifact(kind='CONTRL').message()}UNZ+2")
    assert _codes(text) == [("unknown_code", "warning")]
    with pytest.raises(RejectedFile, match="INVOIC"):
        _read(Edifact(kind="INVOIC"))


def test_a_test_interchange_is_told() -> None:
    assert _codes(Edifact(flag="++++++1")) == [("test_file", "warning")]
    assert _codes(Edifact(flag="++++++0")) == []


def test_an_adjustment_says_why_less_is_remitted() -> None:
    body = (
        "DOC+380+INV-1'MOA+12:84.50'MOA+39:100.00'MOA+52:3.00'DTM+137:20260901:102'RFF+ON:P1'"
        "AJT+4'MOA+165:-10.00'AJT+71'MOA+165:-2.50'FTX+ZZZ+++two boxes:missing'"
    )
    found = _only(Edifact(body=body, total="UNS+S'MOA+12:84.50'MOA+52:3.00'"))
    assert found.lines == (
        RemittanceLine(
            1,
            "message 1, segment 7",
            "INV-1",
            Decimal("84.50"),
            Decimal("3.00"),
            Decimal("12.50"),
            "4",
            Decimal("100.00"),
            "380",
            date(2026, 9, 1),
            other_references=("P1",),
            text="two boxes missing",
        ),
    )


def test_adjustments_of_lines_count_only_where_the_document_has_none() -> None:
    line = "DLI+O+1'MOA+12:60'AJT+3'MOA+165:-4'DLI+O+2'AJT+3'MOA+165:-1'"
    alone = _only(Edifact(body=f"DOC+380+A'MOA+12:95'MOA+9:100'{line}", total="UNS+S'MOA+12:95'"))
    both = _only(Edifact(body=f"DOC+380+A'MOA+12:95'AJT+3'MOA+165:-5'{line}", total="UNS+S'MOA+12:95'"))
    assert [one.deduction_amount for one in (*alone.lines, *both.lines)] == [Decimal(5), Decimal(5)]
    assert (alone.lines[0].paid_amount, alone.lines[0].gross_amount) == (Decimal(95), Decimal(100))


def test_a_fee_is_a_deduction() -> None:
    found = _only(Edifact(body="DOC+380+A'MOA+39:155'MOA+265:-5'MOA+12:150'"))
    assert (found.lines[0].paid_amount, found.lines[0].deduction_amount) == (Decimal(150), Decimal(5))


@pytest.mark.parametrize("written", ["25.00", "-25.00", "-25,00"])
@pytest.mark.parametrize("kind", ["381", "261", "83"])
def test_a_credit_note_lowers_the_payment_however_it_is_signed(kind: str, written: str) -> None:
    found = _read(Edifact(body=f"{DOCUMENTS}DOC+{kind}+C-1'MOA+12:{written}'", total="UNS+S'MOA+12:125'"))
    assert found.exceptions == ()
    assert found.remittances[0].lines[2].paid_amount == Decimal("-25.00")


def test_documents_that_do_not_add_up_are_an_exception_of_their_payment() -> None:
    found = _read(Edifact(total="UNS+S'MOA+12:150.01'")).exceptions
    assert [(one.code, one.severity, one.remittance_ordinal) for one in found] == [
        ("remittance_does_not_sum", "exception", 1)
    ]


def test_the_total_may_stand_at_the_head_and_must_be_the_same_at_the_end() -> None:
    head = Edifact().head + "MOA+12:150.00'"
    assert _only(Edifact(head=head, total="")).total_amount == Decimal("150.00")
    assert _codes(Edifact(head=head)) == []
    assert _codes(Edifact(head=head.replace("150.00", "150.01"))) == [("total_differs", "exception")]
    assert _only(Edifact(total="")).total_amount is None


def test_stated_discounts_are_held_against_the_documents() -> None:
    body = "DOC+380+A'MOA+12:150'MOA+52:3'"
    assert _codes(Edifact(body=body, total="UNS+S'MOA+12:150'MOA+52:3'")) == []
    assert _codes(Edifact(body=body, total="UNS+S'MOA+12:150'MOA+52:4'")) == [("total_differs", "exception")]


@pytest.mark.parametrize("text", ["1.000,00", "1e3", "abc", "1 0", "\u0661", "--1"])
def test_an_unreadable_amount_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile, match="segment 8"):
        _read(Edifact(body=f"DOC+380+A'MOA+12:{text}'"))


def test_an_amount_said_twice_is_an_exception_and_the_first_is_taken() -> None:
    found = _read(Edifact(body="DOC+380+A'MOA+12:150'MOA+12:140'"))
    assert found.remittances[0].lines[0].paid_amount == Decimal(150)
    assert [(one.code, one.severity) for one in found.exceptions] == [("value_unreadable", "exception")]
    assert _codes(Edifact(body="DOC+380+A'MOA+12:150'MOA+12:150.0'")) == []


def test_the_currency_is_that_of_the_head_or_of_the_amounts() -> None:
    no_cux = Edifact(head="", total="UNS+S'MOA+12:150:GBP'")
    assert (_only(no_cux).currency_code, _codes(no_cux)) == ("GBP", [])
    assert _only(Edifact(head="")).currency_code is None
    assert _read(Edifact(head=""), BankProfile(currency_code="CHF")).remittances[0].currency_code == "CHF"
    assert _codes(Edifact(body="DOC+380+A'MOA+12:150:USD'")) == [("currency_differs", "exception")]
    assert _codes(Edifact(body="DOC+380+A'CUX+2:USD'MOA+12:150'")) == [("currency_differs", "exception")]
    assert _codes(Edifact(head="CUX+2:XXQ:11'")) == [("currency_unknown", "exception")]


@pytest.mark.parametrize(
    ("function", "codes"),
    [
        ("9", []),
        ("", []),
        ("7", [("unknown_code", "warning")]),
        ("31", [("unknown_code", "warning")]),
        ("1", [("unknown_code", "exception")]),
        ("5", [("unknown_code", "exception")]),
    ],
)
def test_an_advice_that_changes_another_is_an_exception(function: str, codes: list[tuple[str, str]]) -> None:
    assert _codes(Edifact(begin=f"BGM+481+RA-1+{function}'")) == codes


@pytest.mark.parametrize(
    ("head", "day"),
    [
        ("DTM+137:20260901:102'DTM+203:20260902:102'DTM+138:20260903:102'", date(2026, 9, 3)),
        ("DTM+137:20260901:102'DTM+209:260904:101'", date(2026, 9, 4)),
        ("DTM+203:202609051200:203'", date(2026, 9, 5)),
        ("DTM+203:20260906120000:204'", date(2026, 9, 6)),
        ("DTM+171:20260901:102'", None),
    ],
)
def test_the_day_of_the_payment_is_the_most_certain_one(head: str, day: date | None) -> None:
    assert _only(Edifact(head=head)).payment_date == day


@pytest.mark.parametrize("text", ["20260931:102", "202650:616", "2026:102"])
def test_a_day_that_cannot_be_read_is_left_out_and_told(text: str) -> None:
    found = _read(Edifact(head=f"DTM+138:{text}'"))
    assert found.remittances[0].payment_date is None
    assert [(one.code, one.severity) for one in found.exceptions] == [("value_unreadable", "warning")]


def test_parties_banks_references_and_words_of_the_head() -> None:
    head = "PAI+::20'RFF+PQ:RF18539007547034'FII+OR+DE1:Acme+COBADEFF'FII+BF+DE2'NAD+BY+5::9+Street 1'"
    head += "NAD+SU+6::9'FTX+AAI+++a note'"
    found = _only(Edifact(head=head))
    assert (found.method, found.payer_id, found.payer_name, found.payee_account) == (
        "check",
        "5",
        "Street 1",
        "DE2",
    )
    assert (found.payer_account, found.payer_bank, found.text) == ("DE1", "COBADEFF", "a note")
    assert found.other_references == (
        Reference("creditor_reference", "RF18539007547034", "RF18539007547034", True),
    )


def test_a_reason_that_is_not_in_the_list_is_kept_and_told() -> None:
    found = _read(Edifact(body="DOC+380+A'MOA+12:150'AJT+Q9'"))
    assert found.remittances[0].lines[0].reason_code == "Q9"
    assert [(one.code, one.severity) for one in found.exceptions] == [("unknown_code", "warning")]
    assert all(len(code) <= 3 and words for code, words in reasons().items())


LINE = (
    "<document:ListLineItem><erpel:ListLineItemExtension><edifact:ListLineItemExtension>"
    "<edifact:REMADVListLineItemExtension><edifact:BusinessProcessID>{kind}</edifact:BusinessProcessID>"
    "<edifact:DocumentNumber>{number}</edifact:DocumentNumber><edifact:DocumentDate>2026-09-01T00:00:00</edifact:DocumentDate>"
    "<edifact:MonetaryAmounts><edifact:InvoiceGrossAmount><edifact:Amount>{gross}</edifact:Amount></edifact:InvoiceGrossAmount>"
    "<edifact:CommissionAmount><edifact:Amount>{fee}</edifact:Amount></edifact:CommissionAmount>"
    "<edifact:PaymentDiscountAmount><edifact:Amount>{discount}</edifact:Amount></edifact:PaymentDiscountAmount>"
    "<edifact:RemittedAmount><edifact:Amount>{paid}</edifact:Amount></edifact:RemittedAmount>"
    "<edifact:Adjustment><edifact:ReasonCode>19</edifact:ReasonCode></edifact:Adjustment></edifact:MonetaryAmounts>"
    "</edifact:REMADVListLineItemExtension></edifact:ListLineItemExtension></erpel:ListLineItemExtension>"
    "</document:ListLineItem>"
)
SPACES = (
    'xmlns="http://erpel.at/schemas/1p0/messaging/message" xmlns:document="http://erpel.at/schemas/1p0/documents"'
    ' xmlns:edifact="http://erpel.at/schemas/1p0/documents/extensions/edifact"'
    ' xmlns:erpel="http://erpel.at/schemas/1p0/documents/ext"'
    ' xmlns:header="http://erpel.at/schemas/1p0/messaging/header"'
)


def _xml(
    *,
    lines: str = "",
    total: str = "98",
    fee: str = "-1",
    discount: str = "1",
    kind: str = "RemittanceAdvice",
) -> str:
    lines = lines or LINE.format(kind="380", number="I1", gross="100", fee="-1", discount="1", paid="98")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ErpelMessage {SPACES}>'
        f'<document:Document document:DocumentCurrency="EUR" document:DocumentType="{kind}">'
        "<document:DocumentNumber>RA-1</document:DocumentNumber>"
        "<document:DocumentDate>2026-09-28T00:00:00</document:DocumentDate>"
        "<document:Customer><document:FurtherIdentification>GLN1</document:FurtherIdentification>"
        "<document:Address><document:Name>Acme</document:Name></document:Address></document:Customer>"
        f"<document:Details><document:ItemList>{lines}</document:ItemList></document:Details>"
        "<erpel:DocumentExtension><edifact:DocumentExtension><edifact:REMADVExtension>"
        f"<edifact:AmountRemitted>{total}</edifact:AmountRemitted>"
        f"<edifact:ComissionAmount>{fee}</edifact:ComissionAmount>"
        f"<edifact:PaymentDiscountAmount>{discount}</edifact:PaymentDiscountAmount>"
        "</edifact:REMADVExtension></edifact:DocumentExtension></erpel:DocumentExtension>"
        "</document:Document></ErpelMessage>"
    )


def _read_xml(text: str) -> BankFile:
    return remadv_xml.read(text.encode(), "test.xml")


def test_the_xml_form_is_a_payment_with_fees_and_discounts() -> None:
    found = _read_xml(_xml())
    assert (found.format, found.exceptions) == ("remadv_xml.erpel", ())
    assert found.remittances == (
        Remittance(
            1,
            "document 1",
            "remadv_xml.erpel",
            "RA-1",
            "EUR",
            Decimal(98),
            payer_name="Acme",
            payer_id="GLN1",
            payment_date=date(2026, 9, 28),
            lines=(
                RemittanceLine(
                    1,
                    "document 1, line 1",
                    "I1",
                    Decimal(98),
                    Decimal(1),
                    Decimal(1),
                    "19",
                    Decimal(100),
                    "380",
                    date(2026, 9, 1),
                ),
            ),
            file_id=found.file_id,
        ),
    )


@pytest.mark.parametrize("paid", ["20", "-20"])
def test_a_credit_note_in_xml_lowers_the_payment(paid: str) -> None:
    lines = LINE.format(kind="380", number="I1", gross="100", fee="-1", discount="1", paid="98")
    lines += LINE.format(kind="381", number="C1", gross="20", fee="0", discount="0", paid=paid)
    found = _read_xml(_xml(lines=lines, total="78"))
    assert found.exceptions == ()
    assert [one.paid_amount for one in found.remittances[0].lines] == [Decimal(98), Decimal(-20)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (_xml(total="98.01"), "remittance_does_not_sum"),
        (_xml(fee="2"), "total_differs"),
        (_xml(discount="2"), "total_differs"),
        (_xml().replace('Currency="EUR"', 'Currency="XXQ"'), "currency_unknown"),
    ],
)
def test_totals_of_the_xml_form_are_held_against_its_lines(text: str, code: str) -> None:
    assert [(one.code, one.severity, one.remittance_ordinal) for one in _read_xml(text).exceptions] == [
        (code, "exception", 1)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        _xml()[:-1],
        _xml(total="1,5"),
        _xml(discount="x"),
        _xml(kind="Invoice"),
        _xml().replace("2026-09-28T", "2026-09-31T"),
        _xml().replace("REMADVListLineItemExtension", "Other"),
        _xml().replace("<ErpelMessage", "<!DOCTYPE a><ErpelMessage"),
        _xml().replace('<?xml version="1.0" encoding="UTF-8"?>', '<!DOCTYPE a [<!ENTITY b "c">]>'),
        _xml()
        .replace("document:Document>", "document:Dokument>")
        .replace("<document:Document ", "<document:Dokument "),
    ],
)
def test_xml_that_is_no_safe_whole_advice_is_refused(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read_xml(text)


def test_every_cut_of_the_xml_is_refused() -> None:
    text = _xml()
    for cut in range(len(text)):
        with pytest.raises(RejectedFile):
            _read_xml(text[:cut])
