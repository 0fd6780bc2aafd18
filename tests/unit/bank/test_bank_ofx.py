"""OFX and QFX: SGML and XML, headers as banks write them, amounts, days, balances, and what must be refused."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from ofx_files import HEAD, XML_HEAD, Ofx, transaction

from o2c.sources.bank import ofx, ofx_elements, ofx_text
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Balance, BankFile, Detail, Entry, content_id
from o2c.sources.bank.profiles import STANDARD, BankProfile


def _read(content: Ofx | str | bytes, profile: BankProfile = STANDARD) -> BankFile:
    if isinstance(content, Ofx):
        content = content.bytes()
    return ofx.read(content.encode() if isinstance(content, str) else content, "x.ofx", profile)


def _one(**parts: str) -> Entry:
    return _read(Ofx(transactions=transaction(**parts))).statements[0].entries[0]


def _issues(found: BankFile) -> list[tuple[str, str, str]]:
    return [(one.severity, one.position, one.code) for one in found.exceptions]


def test_a_whole_statement_is_read() -> None:
    content = Ofx().bytes()
    found = _read(content)
    assert (found.format, found.version, found.file_id, found.exceptions) == (
        "ofx.102",
        "102",
        content_id(content),
        (),
    )
    (statement,) = found.statements
    ledger = Balance("LEDGERBAL", Decimal("1100.00"), "EUR", date(2024, 4, 1))
    assert replace(statement, entries=()) == replace(
        statement,
        entries=(),
        ordinal=1,
        position="statement 1",
        format="ofx.102",
        kind="statement",
        account="0123456",
        account_scheme="other",
        currency_code="EUR",
        bank="50010517",
        from_date=date(2024, 3, 1),
        to_date=date(2024, 3, 31),
        opening=None,
        closing=ledger,
        balances=(ledger, Balance("AVAILBAL", Decimal("900.00"), "EUR", date(2024, 4, 1))),
        file_id=found.file_id,
    )
    assert statement.entries == (
        Entry(
            ordinal=1,
            position="statement 1, entry 1",
            amount=Decimal("100.00"),
            currency_code="EUR",
            booking_date=date(2024, 3, 7),
            bank_reference="F1",
            type_code="CREDIT",
            details=(
                Detail(
                    ordinal=1,
                    position="statement 1, entry 1, detail 1",
                    amount=Decimal("100.00"),
                    currency_code="EUR",
                    payer_name="ACME",
                    bank_reference="F1",
                    text="INV 7",
                    type_code="CREDIT",
                ),
            ),
        ),
    )


def test_all_that_a_transaction_can_say_is_kept() -> None:
    more = (
        "<DTAVAIL>20240308<CHECKNUM>0042<REFNUM>R-9<NAME>ACME<BANKACCTTO><BANKID>1<ACCTID>DE89 3704 0044 0532 0130 00"
        "<ACCTTYPE>CHECKING</BANKACCTTO><MEMO>one<MEMO>two<ORIGCURRENCY><CURRATE>0.9<CURSYM>USD</ORIGCURRENCY>\n"
    )
    entry = _one(kind="CHECK", more=more)
    assert (entry.value_date, entry.customer_reference, entry.method) == (date(2024, 3, 8), "R-9", "check")
    assert (entry.instructed_amount, entry.instructed_currency_code) == (None, "USD")
    (detail,) = entry.details
    assert (detail.check_number, detail.text, detail.payer_account, detail.payer_bank) == (
        "0042",
        "one\ntwo",
        "DE89370400440532013000",
        "1",
    )


def test_the_other_party_of_a_debit_is_paid() -> None:
    (detail,) = _one(amount="-100.00", kind="DEBIT").details
    assert (detail.payer_name, detail.payee_name) == (None, "ACME")
    payee = "<PAYEE><NAME>ACME LTD<ADDR1>x<CITY>y<STATE>z<POSTALCODE>1<PHONE>2</PAYEE>\n"
    assert _one(more=payee).details[0].payer_name == "ACME LTD"


def test_sgml_and_xml_say_the_same() -> None:
    sgml = _read(Ofx())
    xml = XML_HEAD + _closed(Ofx(head="").text())
    for other in (
        xml,
        xml.replace("\n", ""),
        XML_HEAD + Ofx(head="").text(),
        HEAD + _closed(Ofx(head="").text()),
    ):
        found = _read(other)
        assert [replace(one, file_id="", format="") for one in found.statements] == [
            replace(one, file_id="", format="") for one in sgml.statements
        ]


def _closed(text: str) -> str:
    """The body with every leaf closed."""
    return re.sub(r"<([A-Z0-9]+)>([^<\n]+)\n?(?=<)", r"<\1>\2</\1>", text)


@pytest.mark.parametrize(
    "head",
    [
        "\n\n" + HEAD,
        HEAD.strip() + "\n",
        HEAD.replace("\n", "") + "\n",
        HEAD.replace("\n", "\r\n"),
        "DATA:OFXSGML\nENCODING:UTF-8\n",
        "OFXHEADER: 100\nVERSION: 103\n",
    ],
    ids=["blank lines", "no blank line", "one line", "crlf", "two keys", "blanks after colons"],
)
def test_a_header_is_read_as_banks_write_it(head: str) -> None:
    found = _read(Ofx(head=head))
    assert found.statements[0].entry_count == 1
    assert found.exceptions == ()


def test_a_file_without_a_header_is_read_and_told() -> None:
    found = _read(Ofx(head=""))
    assert (found.format, found.version, _issues(found)) == ("ofx", None, [("warning", "file", "repaired")])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SECURITY:NONE", "SECURITY:TYPE1"),
        ("COMPRESSION:NONE", "COMPRESSION:GZIP"),
        ("DATA:OFXSGML", "DATA:OTHER"),
        ("VERSION:102", "VERSION:1.0.2"),
        ("OFXHEADER:100", "HELLO OFXHEADER:100"),
    ],
)
def test_a_header_that_is_none_or_hides_the_content_is_refused(old: str, new: str) -> None:
    with pytest.raises(RejectedFile):
        _read(Ofx(head=HEAD.replace(old, new)))


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("ENCODING:USASCII\nCHARSET:1252", "cp1252"),
        ("ENCODING:UTF-8\nCHARSET:NONE", "utf-8"),
        ("ENCODING:USASCII\nCHARSET:ISO-8859-1", "latin-1"),
        ("ENCODING:USASCII\nCHARSET:8859-1", "latin-1"),
    ],
)
def test_bytes_are_decoded_as_the_header_declares(charset: str, encoding: str) -> None:
    head = HEAD.replace("ENCODING:USASCII\nCHARSET:1252", charset)
    content = Ofx(head=head, transactions=transaction(more="<NAME>MÜLLER\n")).bytes(encoding)
    assert _read(content).statements[0].entries[0].details[0].payer_name == "MÜLLER"


def test_bytes_that_are_not_in_the_declared_encoding_are_refused_with_their_line() -> None:
    head = HEAD.replace("ENCODING:USASCII", "ENCODING:UTF-8")
    content = Ofx(head=head, transactions=transaction(more="<NAME>MÜLLER\n")).bytes("latin-1")
    with pytest.raises(RejectedFile, match="not utf-8") as refused:
        _read(content)
    line = content[: content.index(b"M\xdcLLER")].count(b"\n") + 1
    assert refused.value.position == f"line {line}"
    profile = BankProfile(name="b", encodings=("latin-1",))
    assert _read(content, profile).statements[0].entries[0].details[0].payer_name == "MÜLLER"


def test_xml_is_read_in_the_encoding_it_declares() -> None:
    body = _closed(Ofx(head="", transactions=transaction(more="<NAME>MÜLLER\n")).text())
    for encoding in ("utf-8", "iso-8859-1"):
        content = (XML_HEAD.replace("UTF-8", encoding) + body).encode(encoding)
        assert _read(content).statements[0].entries[0].details[0].payer_name == "MÜLLER"
    content = (XML_HEAD.replace("UTF-8", "UTF-16") + body).encode("utf-16")
    assert _read(content).statements[0].entries[0].details[0].payer_name == "MÜLLER"
    with pytest.raises(RejectedFile, match="not one we read"):
        _read(XML_HEAD.replace("UTF-8", "UTF-7") + body)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("100.00", "100.00"),
        ("+100.00", "100.00"),
        ("-0.01", "-0.01"),
        ("12,50", "12.50"),
        ("-12,5", "-12.5"),
        ("7", "7"),
    ],
)
def test_an_amount_has_a_point_or_a_comma(written: str, amount: str) -> None:
    assert _one(amount=written, kind="OTHER").amount == Decimal(amount)


@pytest.mark.parametrize(
    "written", ["$120", "1,234.50", "1.234,50", "1 000", "1e3", "NaN", "--1", "(5)", "1_000"]
)
def test_anything_else_is_no_amount_and_refuses_the_file(written: str) -> None:
    with pytest.raises(RejectedFile) as refused:
        _one(amount=written)
    assert refused.value.position.startswith("line ")


def test_a_comma_never_parts_thousands() -> None:
    found = _read(Ofx(transactions=transaction(amount="1,234")))
    assert found.statements[0].entries[0].amount == Decimal("1.234")
    assert _issues(found) == [("exception", "statement 1, entry 1", "too_many_decimals")]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("20240307", date(2024, 3, 7)),
        ("202403072359", date(2024, 3, 7)),
        ("20240307235960", date(2024, 3, 7)),
        ("20240307000000.000[-5:EST]", date(2024, 3, 7)),
        ("20240307235959[+14:LINT]", date(2024, 3, 7)),
        ("20240307120000[0]", date(2024, 3, 7)),
        ("20240307120000.123[5.5:IST]", date(2024, 3, 7)),
        ("20240229", date(2024, 2, 29)),
    ],
)
def test_a_day_is_the_one_that_the_bank_wrote(written: str, day: date) -> None:
    assert _one(day=written).booking_date == day


@pytest.mark.parametrize(
    "written",
    [
        "20240230",
        "201120000000",
        "2024037",
        "010126",
        "20240307250000",
        "20240307126000",
        "20240307[99:X]",
        "0",
        "19691231",
    ],
)
def test_no_day_refuses_the_file(written: str) -> None:
    with pytest.raises(RejectedFile):
        _one(day=written)


@pytest.mark.parametrize("part", ["amount", "day"])
def test_an_entry_without_amount_or_day_refuses_the_file(part: str) -> None:
    with pytest.raises(RejectedFile, match="no "):
        _one(**{part: ""})


def test_zeros_for_the_day_of_a_balance_mean_that_it_is_not_known() -> None:
    balances = "<LEDGERBAL><BALAMT>5<DTASOF>00000000</LEDGERBAL>\n"
    assert _read(Ofx(balances=balances)).statements[0].closing == Balance(
        "LEDGERBAL", Decimal(5), "EUR", None
    )


def test_a_balance_without_an_amount_is_none_and_told() -> None:
    found = _read(Ofx(balances="<LEDGERBAL><BALAMT></BALAMT><DTASOF></DTASOF></LEDGERBAL>\n"))
    assert found.statements[0].closing is None
    assert _issues(found) == [("warning", "statement 1", "value_unreadable")]


@pytest.mark.parametrize(
    ("kind", "amount", "is_told"),
    [
        ("CREDIT", "0.01", False),
        ("CREDIT", "0.00", False),
        ("CREDIT", "-0.01", True),
        ("DEBIT", "-0.01", False),
        ("DEBIT", "0.01", True),
        ("DIRECTDEP", "-5", True),
        ("POS", "5", False),
        ("POS", "-5", False),
        ("FEE", "5", False),
    ],
)
def test_a_type_that_says_the_other_direction_is_an_exception(kind: str, amount: str, is_told: bool) -> None:
    found = _read(Ofx(transactions=transaction(kind=kind, amount=amount)))
    assert found.statements[0].entries[0].amount == Decimal(amount)
    assert _issues(found) == [("exception", "statement 1, entry 1", "sign_differs")] * is_told


def test_a_type_in_small_letters_is_known_and_an_unknown_one_is_told() -> None:
    assert _issues(_read(Ofx(transactions=transaction(kind="Credit")))) == []
    found = _read(Ofx(transactions=transaction(kind="MAGIC")))
    assert _issues(found) == [("warning", "statement 1, entry 1", "unknown_code")]


@pytest.mark.parametrize(
    ("kind", "method"),
    [("DIRECTDEBIT", "direct_debit"), ("CHECK", "check"), ("ATM", "cash"), ("POS", "card"), ("DEP", None)],
)
def test_the_type_says_how_money_came(kind: str, method: str | None) -> None:
    assert _one(kind=kind).method == method


def test_the_profile_knows_a_bank_s_types_better() -> None:
    profile = BankProfile(name="b", methods={"DEP": "check"})
    assert (
        _read(Ofx(transactions=transaction(kind="DEP")), profile).statements[0].entries[0].method == "check"
    )


def test_two_entries_with_one_number_are_exceptions() -> None:
    found = _read(Ofx(transactions=transaction() + transaction(amount="5.00")))
    assert _issues(found) == [
        ("exception", "statement 1, entry 1", "entry_repeated"),
        ("exception", "statement 1, entry 2", "entry_repeated"),
    ]
    assert _issues(_read(Ofx(transactions=transaction() + transaction(number="F2")))) == []
    assert _issues(_read(Ofx(transactions=transaction(number="") * 2))) == []


def test_a_correction_is_an_exception_and_a_deletion_moves_no_money() -> None:
    more = "<CORRECTFITID>F0<CORRECTACTION>{}<NAME>ACME\n"
    for action, status in (("REPLACE", "booked"), ("DELETE", "information")):
        found = _read(Ofx(transactions=transaction(more=more.format(action))))
        entry = found.statements[0].entries[0]
        assert (entry.status, entry.original_reference) == (status, "F0")
        assert _issues(found) == [("exception", "statement 1, entry 1", "entry_corrected")]


def test_a_pending_list_gives_pending_entries() -> None:
    pending = (
        "<BANKTRANLISTP><DTASOF>20240401<STMTTRNP><TRNTYPE>POS<DTTRAN>20240331<TRNAMT>-3<NAME>X</STMTTRNP>"
        "</BANKTRANLISTP>"
    )
    found = _read(Ofx(balances=pending)).statements[0]
    assert [(one.ordinal, one.status, one.amount) for one in found.entries] == [
        (1, "booked", Decimal("100.00")),
        (2, "pending", Decimal(-3)),
    ]


def test_an_amount_in_another_currency_is_an_exception() -> None:
    more = "<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>\n"
    found = _read(Ofx(transactions=transaction(more=more)))
    assert found.statements[0].entries[0].currency_code == "USD"
    assert _issues(found) == [("exception", "statement 1, entry 1", "currency_differs")]


def test_without_curdef_the_entries_or_the_profile_say_the_currency() -> None:
    stated = transaction(more="<CURRENCY><CURRATE>1<CURSYM>AUD</CURRENCY>\n")
    found = _read(Ofx(currency="<CURDEF></CURDEF>", transactions=stated))
    assert (found.statements[0].currency_code, _issues(found)) == (
        "AUD",
        [("warning", "statement 1", "repaired")],
    )
    profile = BankProfile(name="b", currency_code="NZD")
    assert _read(Ofx(currency=""), profile).statements[0].entries[0].currency_code == "NZD"
    with pytest.raises(RejectedFile, match="currency"):
        _read(Ofx(currency=""))
    other = transaction(number="F2", more="<CURRENCY><CURRATE>1<CURSYM>USD</CURRENCY>\n")
    with pytest.raises(RejectedFile, match="several currencies"):
        _read(Ofx(currency="", transactions=stated + other))


def test_a_currency_in_small_letters_is_repaired_and_another_word_refused() -> None:
    found = _read(Ofx(currency="<CURDEF>eur"))
    assert (found.statements[0].currency_code, _issues(found)) == (
        "EUR",
        [("warning", "statement 1", "repaired")],
    )
    with pytest.raises(RejectedFile, match="not a currency"):
        _read(Ofx(currency="<CURDEF>EURO"))


def test_an_iban_is_checked_and_a_hash_is_none() -> None:
    account = "<BANKACCTFROM><BANKID>1<ACCTID>{}<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
    for number, expected, issues in (
        ("DE89370400440532013000", ("DE89370400440532013000", "iban"), []),
        (
            "DE88370400440532013000",
            ("DE88370400440532013000", "iban"),
            [("warning", "statement 1", "account_check_failed")],
        ),
        ("ce7566d1d08cc094b74cf283cf9c56a5", ("ce7566d1d08cc094b74cf283cf9c56a5", "other"), []),
    ):
        found = _read(Ofx(account=account.format(number)))
        assert (found.statements[0].account, found.statements[0].account_scheme) == expected
        assert _issues(found) == issues
    with pytest.raises(RejectedFile, match="no account"):
        _read(Ofx(account="<BANKACCTFROM><BANKID>1</BANKACCTFROM>"))


def test_card_and_bank_statements_of_one_file_are_all_read() -> None:
    card = (
        "<CREDITCARDMSGSRSV1><CCSTMTTRNRS><TRNUID>2<STATUS><CODE>0<SEVERITY>INFO</STATUS><CCSTMTRS><CURDEF>EUR"
        "<CCACCTFROM><ACCTID>4111</CCACCTFROM><BANKTRANLIST><DTSTART>20240301<DTEND>20240331"
        f"{transaction(amount='-7.00', kind='POS')}</BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1>\n"
    )
    found = _read(Ofx(after=card))
    assert [
        (one.ordinal, one.account, one.entries[0].ordinal, one.entries[0].amount) for one in found.statements
    ] == [
        (1, "0123456", 1, Decimal("100.00")),
        (2, "4111", 2, Decimal("-7.00")),
    ]


def test_messages_that_are_not_read_are_told() -> None:
    found = _read(Ofx(after="<INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>1</INVSTMTTRNRS></INVSTMTMSGSRSV1>"))
    assert _issues(found) == [("warning", "file", "unknown_code")]


def test_an_answer_that_is_an_error_refuses_the_file() -> None:
    status = "<STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>Account not found</STATUS>"
    with pytest.raises(RejectedFile, match="error 2003: Account not found"):
        _read(Ofx(status=status))
    assert _read(Ofx(status=status.replace("ERROR", "WARN"))).statements[0].entry_count == 1


@pytest.mark.parametrize("body", ["<OFX></OFX>", "<OFX>\n<SIGNONMSGSRSV1></SIGNONMSGSRSV1></OFX>"])
def test_a_file_without_a_statement_is_refused(body: str) -> None:
    with pytest.raises(RejectedFile, match="no bank or card statement"):
        _read(HEAD + body)


def test_an_empty_tag_that_is_not_closed_takes_nothing_from_what_follows() -> None:
    entry = _one(more="<NAME>\n<CHECKNUM>\n<MEMO>INV 7\n<CURRENCY><CURRATE>1<CURSYM>EUR</CURRENCY>\n")
    (detail,) = entry.details
    assert (detail.payer_name, detail.check_number, detail.text, entry.currency_code) == (
        None,
        None,
        "INV 7",
        "EUR",
    )


def test_marks_in_texts_are_kept() -> None:
    entry = _one(more="<NAME>SMITH &amp; SONS &lt;1&gt; &#233; R&D &foo;\n<MEMO><![CDATA[a <b> &amp; c]]>\n")
    (detail,) = entry.details
    assert (detail.payer_name, detail.text) == ("SMITH & SONS <1> é R&D &foo;", "a <b> &amp; c")
    assert _one(more="<NAME>1 < 2 <= 3\n").details[0].payer_name == "1 < 2 <= 3"


@pytest.mark.parametrize("number", ["0", "000", ""])
def test_a_check_number_of_zeros_is_none(number: str) -> None:
    assert _one(more=f"<CHECKNUM>{number}</CHECKNUM>\n").details[0].check_number is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</STMTTRN>", ""),
        ("</BANKTRANLIST>", ""),
        ("</STMTRS>", ""),
        ("</STMTTRNRS>", ""),
        ("</BANKMSGSRSV1>", ""),
        ("</LEDGERBAL>", ""),
        ("</BANKACCTFROM>", ""),
        ("</OFX>", ""),
        ("</OFX>", "</OFX><OFX></OFX>"),
        ("</OFX>", "</OFX>more"),
        ("<STMTTRN>", "<STMTTRN>text"),
        ("<STMTTRN>", ""),
        ("<MEMO>", "</MEMO><MEMO>"),
        ("<NAME>ACME", "<NAME>ACME<name>"),
        ("<NAME>ACME", "<NAME>ACME</>"),
        ("<NAME>ACME", "<NAME>ACME</NAME>ACME"),
        ("<NAME>ACME", "<NAME><X>1</X></NAME>"),
        ("<NAME>ACME", "<NAME>ACME<NAME>OTHER"),
        ("<TRNAMT>100.00", "<TRNAMT>100.00<TRNAMT>200.00"),
        ("<CURDEF>EUR", "<CURDEF>EUR<CURDEF>USD"),
        ("<NAME>ACME", "<NAME>ACME\x01"),
        ("<NAME>ACME", "<NAME>ACME\x00"),
        ("<MEMO>", "<MEMO><![CDATA[never closed"),
        ("<MEMO>", "<!-- never closed <MEMO>"),
        ("<OFX>", '<!DOCTYPE OFX [<!ENTITY x "y">]><OFX>'),
        ("<MEMO>", '<!ENTITY x "y"><MEMO>'),
        ("<MEMO>", "<?php ?><MEMO>"),
    ],
)
def test_a_broken_body_is_refused(old: str, new: str) -> None:
    text = Ofx().text()
    assert old in text
    with pytest.raises(RejectedFile):
        _read(text.replace(old, new, 1))


def test_every_cut_is_refused_but_that_of_the_last_line_end() -> None:
    for content in (Ofx().bytes(), (XML_HEAD + _closed(Ofx(head="").text())).encode()):
        whole = content.rstrip()
        for cut in range(len(whole)):
            with pytest.raises(RejectedFile):
                _read(content[:cut])
        assert _read(whole).statements[0].entries == _read(content).statements[0].entries
        assert _read(content + b"\x1a").statements[0].entries == _read(content).statements[0].entries


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "<OFX>" + "<A>" * 100_000,
        HEAD + "<OFX>" + "<" * 3_000_000,
        HEAD + "<OFX><X>" + "&amp;" * 5_000_000,
        HEAD + "<OFX><X" + " a" * 1_000_000,
        HEAD + "<OFX>" + "<![CDATA[" * 300_000,
        HEAD + " " * (1 << 20) + "<OFX></OFX>",
    ],
    ids=["deep", "bare marks", "references", "attributes", "open cdata", "far away"],
)
def test_a_body_made_to_harm_is_refused(content: str) -> None:
    with pytest.raises(RejectedFile):
        _read(content)


def test_more_tags_than_the_cap_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Ofx(transactions="".join(transaction(number=str(number)) for number in range(20))).text()
    monkeypatch.setattr(ofx_elements, "MOST", content.count("<"))
    assert _read(content).statements[0].entry_count == 20
    monkeypatch.setattr(ofx_elements, "MOST", content.count("<") - 1)
    with pytest.raises(RejectedFile, match="tags"):
        _read(content)


def test_a_file_over_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Ofx().bytes()
    monkeypatch.setattr(ofx_text, "LARGEST", len(content))
    assert _read(content).statements
    monkeypatch.setattr(ofx_text, "LARGEST", len(content) - 1)
    with pytest.raises(RejectedFile, match="more than"):
        _read(content)
