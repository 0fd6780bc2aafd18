"""X12 820 and 823: separators and envelopes, signs, discounts and adjustments, deposits of a lockbox."""

from datetime import date
from decimal import Decimal

import pytest
from x12_files import DOCUMENTS, Advice, isa

from o2c.sources.bank import x12
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Reference, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.x12_values import amount, reasons


def _read(data: str | bytes, profile: BankProfile | None = None) -> BankFile:
    content = data.encode() if isinstance(data, str) else data
    return x12.read(content, "test.edi", profile or BankProfile())


def _only(file: Advice) -> Remittance:
    return _read(file.data()).remittances[0]


def _codes(file: Advice | str) -> list[tuple[str, str, str]]:
    text = file if isinstance(file, str) else file.text()
    return [(one.code, one.position, one.severity) for one in _read(text).exceptions]


def test_an_820_is_a_payment_with_its_documents() -> None:
    found = _read(Advice().data())
    assert (found.format, found.version, found.exceptions) == ("x12.820.004010", "004010", ())
    assert found.remittances == (
        Remittance(
            1,
            "set 1",
            "x12.820.004010",
            "TR-1",
            None,
            Decimal("150.00"),
            payer_name="Acme Inc",
            payer_id="4711",
            payee_name="Us",
            payment_date=date(2026, 9, 28),
            method="ach",
            lines=(
                RemittanceLine(
                    1,
                    "set 1, segment 7",
                    "INV-1",
                    Decimal("100.00"),
                    gross_amount=Decimal("100.00"),
                    reference_qualifier="IV",
                ),
                RemittanceLine(
                    2,
                    "set 1, segment 8",
                    "INV-2",
                    Decimal("50.00"),
                    gross_amount=Decimal("50.00"),
                    reference_qualifier="IV",
                ),
            ),
            file_id=found.file_id,
        ),
    )


@pytest.mark.parametrize(
    ("separator", "terminator"),
    [("*", "~"), ("|", "~"), ("+", "'"), ("\x1d", "\x1c"), ("*", "\\"), ("*", "\n"), ("*", "\r\n")],
)
def test_separators_are_those_of_the_isa(separator: str, terminator: str) -> None:
    text = Advice().text().replace(isa(), "")
    text = text.replace("~", terminator).replace("*", separator)
    found = _read(isa(separator, ">", terminator) + text)
    assert [line.paid_amount for line in found.remittances[0].lines] == [Decimal("100.00"), Decimal("50.00")]
    assert found.exceptions == ()


@pytest.mark.parametrize("between", ["~\n", "~\r\n", "~  ", " ~\n  ", "~\n\n", "~~"])
def test_blanks_line_ends_and_empty_segments_mean_nothing(between: str) -> None:
    found = _read(Advice().text().rstrip("~").replace("~", between) + "~\r\n\x1a")
    plain = _read(Advice().data())
    assert (found.remittances[0].lines, found.exceptions) == (plain.remittances[0].lines, ())


def test_a_byte_order_mark_is_let_pass() -> None:
    assert _read(b"\xef\xbb\xbf" + Advice().data()).remittances[0].total_amount == Decimal("150.00")


def test_interchanges_groups_and_sets_follow_one_another() -> None:
    one = Advice()
    group = f"GS*RA*A*U*20260907*1813*7*X*004010~{one.set()}{one.set()}GE*2*7~"
    text = f"{isa()}TA1*000000104*260907*1813*A*000~{group}{group}IEA*2*000000104~\n{one.text()}"
    found = _read(text)
    assert [(one.ordinal, one.position) for one in found.remittances] == [
        (n, f"set {n}") for n in range(1, 6)
    ]
    assert found.exceptions == ()


@pytest.mark.parametrize(
    ("change", "code", "position"),
    [
        (("SE*9*", "SE*10*"), "count_differs", "set 1, SE"),
        (("SE*9*0001", "SE*9*0002"), "control_number_differs", "set 1, SE"),
        (("GE*1*104", "GE*2*104"), "count_differs", "GE"),
        (("GE*1*104", "GE*1*105"), "control_number_differs", "GE"),
        (("IEA*1*", "IEA*2*"), "count_differs", "IEA"),
        (("IEA*1*000000104", "IEA*1*000000105"), "control_number_differs", "IEA"),
    ],
)
def test_a_count_or_control_number_that_differs_is_an_exception(
    change: tuple[str, str], code: str, position: str
) -> None:
    text = Advice().text().replace(*change)
    assert text != Advice().text()
    assert _codes(text) == [(code, position, "exception")]
    lenient = BankProfile(warnings_only=(code,))
    assert [one.severity for one in _read(text, lenient).exceptions] == ["warning"]


def test_leading_zeros_of_a_control_number_mean_nothing() -> None:
    assert _codes(Advice().text().replace("GE*1*104", "GE*1*000104")) == []


@pytest.mark.parametrize(
    "missing", ["SE*9*0001~", "GE*1*104~", "IEA*1*000000104~", "GS*RA*ACME*US*20260907*1813*104*X*004010~"]
)
def test_a_missing_envelope_segment_refuses_the_file(missing: str) -> None:
    text = Advice().text()
    assert missing in text
    with pytest.raises(RejectedFile):
        _read(text.replace(missing, ""))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ISA",
        "ISA*00*",
        "ISA****************>~",
        isa(terminator="A") + "GS",
        isa(component="*"),
        isa(),
        "ST*820*0001",
        "ST*820*0001~BPR*C*1*C~",
        Advice().text() + "and more",
        Advice().text().replace("ENT*1~", "ENT*1~ST*820*0002~"),
        Advice().text().replace("GS*", "REF*X*Y~GS*", 1),
        Advice().text().replace("SE*9*0001", "SE*nine*0001"),
        Advice().text().replace("SE*9*0001", "SE*9"),
        Advice().text().replace("ST*820*0001", "ST*820"),
        Advice().text().replace("*104*X*004010", ""),
    ],
)
def test_a_broken_envelope_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


def test_every_cut_is_refused_or_identical() -> None:
    data = Advice(body="ENT*1~" + DOCUMENTS.replace("~", "~\r\n")).data()
    whole = _read(data).remittances[0].lines
    for cut in range(len(data)):
        try:
            found = _read(data[:cut])
        except RejectedFile:
            continue
        assert (cut, found.remittances[0].lines, found.exceptions) == (len(data) - 1, whole, ())


def test_a_set_without_an_envelope_is_read_and_told() -> None:
    text = Advice().set()
    assert _codes(text) == [("repaired", "set 1", "warning")]
    assert (_read(text).format, _read(text).version) == ("x12.820", None)
    assert _read(text.replace("ST*820*0001", "ST*820*0001*005010")).version == "005010"
    with pytest.raises(RejectedFile, match="cut off"):
        _read(text[:-2])


def test_other_sets_are_told_and_a_file_of_them_is_refused_by_name() -> None:
    other = Advice(kind="997").set()
    mixed = Advice().text().replace("GE*1", f"{other}GE*2")
    assert _codes(mixed) == [("unknown_code", "set 2", "warning")]
    with pytest.raises(RejectedFile, match="810, an invoice"):
        _read(Advice(kind="810").text())


def test_a_test_interchange_is_told() -> None:
    assert _codes(Advice().text().replace("*P*>", "*T*>")) == [("test_file", "ISA", "warning")]


def test_documents_that_do_not_add_up_are_an_exception_of_their_payment() -> None:
    found = _read(Advice(amount="150.01").data()).exceptions
    assert [(one.code, one.remittance_ordinal, one.severity) for one in found] == [
        ("remittance_does_not_sum", 1, "exception")
    ]
    assert "difference 0.01" in found[0].message


def _line(body: str, **settings: str) -> RemittanceLine:
    return _only(Advice(body="ENT*1~" + body, **settings)).lines[0]


def test_a_discount_and_an_adjustment_say_why_less_is_paid() -> None:
    found = _line(
        "RMR*IV*I1**88.00*100.00*2.00~REF*PO*P1~DTM*003*20260901~ADX*-10.00*04*CM*D1~NTE*ADD*broken~"
    )
    assert found == RemittanceLine(
        1,
        "set 1, segment 7",
        "I1",
        Decimal("88.00"),
        Decimal("2.00"),
        Decimal("10.00"),
        "04",
        Decimal("100.00"),
        None,
        date(2026, 9, 1),
        "IV",
        ("P1", "D1"),
        "broken",
    )


@pytest.mark.parametrize(
    ("version", "adjustment", "deduction"),
    [
        ("003030", "10.00", "10.00"),
        ("003030", "-10.00", "-10.00"),
        ("003040", "-10.00", "10.00"),
        ("004010X061A1", "-10.00", "10.00"),
        ("005010", "10.00", "-10.00"),
    ],
)
def test_the_sign_of_an_adjustment_turned_after_release_003030(
    version: str, adjustment: str, deduction: str
) -> None:
    found = _line(f"RMR*IV*I1**90.00*100.00~ADX*{adjustment}*01~", version=version)
    assert found.deduction_amount == Decimal(deduction)


def test_several_adjustments_of_a_document_add_up_under_the_first_reason() -> None:
    found = _line("RMR*IV*I1**87.50*100.00**51*2.50~ADX*-10.00*01~ADX*-5*86~")
    assert (found.deduction_amount, found.reason_code) == (Decimal("12.50"), "51")


def test_an_adjustment_outside_any_document_is_a_line_of_the_payment() -> None:
    found = _read(Advice(amount="140.00", body="ENT*1~ADX*-10.00*01*CM*D1~" + DOCUMENTS).data())
    assert found.exceptions == ()
    assert found.remittances[0].lines[0] == RemittanceLine(
        1,
        "set 1, segment 7",
        "D1",
        Decimal("-10.00"),
        deduction_amount=Decimal("10.00"),
        reason_code="01",
        document_type="ADX",
        reference_qualifier="CM",
    )


def test_an_adjustment_behind_the_next_entity_is_its_own_line() -> None:
    body = "ENT*1~RMR*IV*I1**100.00~ENT*2~NM1*BW*1*Smith*Gary~ADX*-10.00*01~RMR*IV*I2**60.00~"
    found = _only(Advice(body=body)).lines
    assert [(one.invoice_reference, one.paid_amount, one.text) for one in found] == [
        ("I1", Decimal("100.00"), None),
        (None, Decimal("-10.00"), "Gary Smith"),
        ("I2", Decimal("60.00"), "Gary Smith"),
    ]


def test_paid_amounts_before_their_adjustments_are_netted_when_only_that_ties() -> None:
    body = "ENT*1~RMR*IV*I1**100.00~ADX*-10.00*01~RMR*IV*I2**60.00~"
    found = _read(Advice(body=body).data())
    assert [one.paid_amount for one in found.remittances[0].lines] == [Decimal("90.00"), Decimal("60.00")]
    assert [(one.code, one.severity) for one in found.exceptions] == [("repaired", "warning")]
    tied = _read(Advice(amount="160.00", body=body).data())
    assert [one.paid_amount for one in tied.remittances[0].lines] == [Decimal("100.00"), Decimal("60.00")]
    assert tied.exceptions == ()


@pytest.mark.parametrize("written", ["25.00", "-25.00"])
@pytest.mark.parametrize("qualifier", ["CM", "CL"])
def test_a_credit_memo_lowers_the_payment_however_it_is_signed(qualifier: str, written: str) -> None:
    body = f"ENT*1~{DOCUMENTS}RMR*{qualifier}*C1**{written}*{written}~"
    found = _read(Advice(amount="125.00", body=body).data())
    assert found.exceptions == ()
    memo = found.remittances[0].lines[2]
    assert (memo.invoice_reference, memo.paid_amount, memo.gross_amount) == (
        "C1",
        Decimal("-25.00"),
        Decimal("-25.00"),
    )


def test_a_debit_takes_back_the_payment_and_all_its_lines() -> None:
    body = "ENT*1~ADX*-10.00*01~RMR*IV*I1**98.00*100.00*2.00~ADX*3*53~"
    found = _read(Advice(amount="88.00", sign="D", body=body).data())
    assert found.exceptions == ()
    assert found.remittances[0].total_amount == Decimal("-88.00")
    assert [
        (one.paid_amount, one.discount_amount, one.deduction_amount) for one in found.remittances[0].lines
    ] == [
        (Decimal("10.00"), None, Decimal("-10.00")),
        (Decimal("-98.00"), Decimal("-2.00"), Decimal("3")),
    ]


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        ("BPR*I*150.00*X*ACH~", "BPR03"),
        ("BPR*I*150.00~", "BPR03"),
        ("BPR*I*abc*C*ACH~", "BPR02"),
        ("BPR*I**C*ACH~", "BPR02"),
        ("BPR*I*1,000.00*C*ACH~", "BPR02"),
        ("BPR*I*1.00001*C*ACH~", "more than 4 decimals"),
        ("BPR*I*150.00*C*ACH~BPR*I*150.00*C*ACH~", "second BPR"),
        ("TRN*1*X~", "no BPR"),
        ("ENT*1~BPR*I*150.00*C*ACH~", "behind the documents"),
        ("RMR*IV*I1**1~BPR*I*150.00*C*ACH~", "behind the documents"),
    ],
)
def test_a_payment_without_a_readable_amount_and_sign_is_refused(segment: str, reason: str) -> None:
    with pytest.raises(RejectedFile, match=reason):
        _read(Advice(begin=segment).data())


@pytest.mark.parametrize(
    "text", ["RMR*IV*I1**x~", "RMR*IV*I1**1*1e3~", "RMR*IV*I1**1*1*--1~", "RMR*IV*I1~ADX**01~"]
)
def test_a_document_with_an_unreadable_amount_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile, match="segment"):
        _read(Advice(body=text).data())


def test_a_document_may_have_no_amounts_and_an_amount_no_document() -> None:
    assert _line("RMR*IV*I1~") == RemittanceLine(1, "set 1, segment 7", "I1", reference_qualifier="IV")
    found = _line("RMR***PO*150~")
    assert (found.invoice_reference, found.paid_amount) == (None, Decimal(150))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", "0.01"),
        ("-1", "-1"),
        (" 7.5 ", "7.5"),
        ("1.", "1"),
        (".5", "0.5"),
        ("1.500000", "1.5"),
        ("99999999999999.99", "99999999999999.99"),
    ],
)
def test_amounts_are_decimals_with_a_point(text: str, value: str) -> None:
    assert amount(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "1,5", "1_0", "1e3", "NaN", "\u0661\u0662.\u0661\u0662", "1.23456", "1" * 19, "- 1"]
)
def test_what_is_no_amount_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        amount(text)


@pytest.mark.parametrize("text", ["\u0661\u0662.\u0661\u0662", "\u00b2.00"])
def test_digits_of_other_scripts_are_refused_where_most_amounts_are_read(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(Advice(body=f"RMR*IV*I1**{text}*1.00~").data())


def test_the_currency_is_said_or_unknown_never_guessed() -> None:
    assert _only(Advice()).currency_code is None
    assert _only(Advice(head="CUR*PR*CAD~")).currency_code == "CAD"
    assert _read(Advice().data(), BankProfile(currency_code="USD")).remittances[0].currency_code == "USD"
    assert _codes(Advice(head="CUR*PR*XXQ~")) == [("currency_unknown", "set 1", "exception")]


@pytest.mark.parametrize(("currency", "codes"), [("USD", []), ("KWD", []), ("JPY", ["too_many_decimals"])])
def test_an_amount_finer_than_its_currency_is_an_exception(currency: str, codes: list[str]) -> None:
    file = Advice(head=f"CUR*PR*{currency}~", amount="150.50", body="RMR*IV*I1**150.50~")
    assert [code for code, _, _ in _codes(file)] == codes
    fine = Advice(head="CUR*PR*USD~", amount="150.505", body="RMR*IV*I1**150.505~")
    assert [code for code, _, _ in _codes(fine)] == ["too_many_decimals"]


def test_methods_are_those_of_the_standard_or_of_the_profile() -> None:
    assert [_only(Advice(method=one)).method for one in ("CHK", "FWT", "NON", "ACH")] == [
        "check",
        "wire",
        None,
        "ach",
    ]
    profile = BankProfile(methods={"NON": "card"})
    assert _read(Advice(method="NON").data(), profile).remittances[0].method == "card"


def test_accounts_banks_and_days_stand_in_the_bpr() -> None:
    begin = "BPR*C*150*C*ACH*CTX*01*111000025*DA*123*9111**01*071000505*DA*987*260928~"
    found = _only(Advice(begin=begin, head=""))
    assert (found.payer_bank, found.payer_account, found.payer_id) == ("111000025", "123", "9111")
    assert (found.payee_account, found.payment_date, found.reference) == ("987", date(2026, 9, 28), None)


def test_a_bpr_without_its_eleventh_element_is_read_one_place_on() -> None:
    begin = "BPR*C*150*C*ACH*CTX*01*111000025*DA*123*9111*01*071000505*DA*987*260928~"
    found = _read(Advice(begin=begin).data())
    assert (found.remittances[0].payee_account, found.remittances[0].payment_date) == (
        "987",
        date(2026, 9, 28),
    )
    assert [(one.code, one.severity) for one in found.exceptions] == [("repaired", "warning")]


def test_a_day_that_cannot_be_read_is_left_out_and_told() -> None:
    file = Advice(begin="BPR*I*150.00*C*ACH************20260931~", body="RMR*IV*I1**150.00~DTM*003*20261301~")
    found = _read(file.data())
    assert (found.remittances[0].payment_date, found.remittances[0].lines[0].document_date) == (None, None)
    assert [(one.code, one.position, one.severity) for one in found.exceptions] == [
        ("value_unreadable", "set 1, segment 7", "warning"),
        ("value_unreadable", "set 1, BPR", "warning"),
    ]


def test_the_day_may_be_that_of_a_date_segment() -> None:
    file = Advice(begin="BPR*I*150.00*C*ACH~", head="DTM*097*20260901~DTM*234*20260902~DTM*007*20260903~")
    assert _only(file).payment_date == date(2026, 9, 3)


def test_references_and_notes_of_the_head_are_of_the_payment() -> None:
    found = _only(Advice(head="TRN*1*A~TRN*1*B~REF*EF*RF18 5390 0754 7034~NTE*ADD*hello~NTE*ADD*there~"))
    assert (found.reference, found.text) == ("A", "hello\nthere")
    assert found.other_references == (
        Reference("structured", "B", "B"),
        Reference("creditor_reference", "RF18 5390 0754 7034", "RF18539007547034", True),
    )


def test_a_reason_that_is_not_in_the_list_is_kept_and_told() -> None:
    found = _read(Advice(body="RMR*IV*I1**150.00~ADX*0*Q9~").data())
    assert found.remittances[0].lines[0].reason_code == "Q9"
    assert [(one.code, one.severity, one.remittance_ordinal) for one in found.exceptions] == [
        ("unknown_code", "warning", 1)
    ]


def test_every_reason_has_two_signs_and_words() -> None:
    assert all(len(code) == 2 and words for code, words in reasons().items())
    assert {"01", "52", "53"} <= reasons().keys()


LOCKBOX = (
    "N1*PR*BANK~DEP*LB1*20260901***01*071000505*DA*987~AMT*3*300.00~QTY*41*2~QTY*42*3~"
    "BAT*20260901**B1~AMT*3*150.00~QTY*42*2~"
    "BPR*C*100.00*C*CHK~TRN*1*4711~RMR*IV*I1**100.00~N1*PR*Payer One~"
    "BPR*C*50.00*C*CHK~TRN*1*4712~RMR*IV*I2**60.00~ADX*-10.00*01~"
    "BAT*20260901**B2~BPR*C*150.00*C*ACH~TRN*1*T3~RMR*IV*I3**150.00~"
)


def _lockbox(body: str = LOCKBOX) -> BankFile:
    return _read(Advice(kind="823", begin=body, head="", body="").data())


def test_an_823_is_a_deposit_with_its_checks_and_what_they_pay() -> None:
    found = _lockbox()
    deposit = found.statements[0]
    assert (found.format, deposit.kind, deposit.statement_id, deposit.account, deposit.bank) == (
        "x12.823.004010",
        "notification",
        "LB1",
        "987",
        "071000505",
    )
    assert (deposit.to_date, deposit.file_id) == (date(2026, 9, 1), found.file_id)
    assert [
        (one.ordinal, one.amount, one.currency_code, one.batch_id, one.details[0].check_number)
        for one in deposit.entries
    ] == [
        (1, Decimal("100.00"), "USD", "B1", "4711"),
        (2, Decimal("50.00"), "USD", "B1", "4712"),
        (3, Decimal("150.00"), "USD", "B2", None),
    ]
    assert [(one.ordinal, one.entry_ordinal, one.reference, one.payer_name) for one in found.remittances] == [
        (1, 1, "4711", "Payer One"),
        (2, 2, "4712", None),
        (3, 3, "T3", None),
    ]
    # The second check pays its document less an adjustment; only that ties.
    assert [(one.code, one.severity, one.entry_ordinal) for one in found.exceptions] == [
        ("repaired", "warning", 2)
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("AMT*3*300.00", "AMT*3*300.01"), "total_differs"),
        (("AMT*3*150.00", "AMT*3*150.01"), "total_differs"),
        (("QTY*41*2", "QTY*41*3"), "count_differs"),
        (("QTY*42*3", "QTY*42*4"), "count_differs"),
        (("QTY*42*2", "QTY*42*1"), "count_differs"),
        (("BPR*C*150.00*C", "BPR*C*150.00*D"), "total_differs"),
    ],
)
def test_what_a_deposit_or_batch_states_is_held_against_its_checks(
    change: tuple[str, str], code: str
) -> None:
    assert LOCKBOX.replace(*change) != LOCKBOX
    found = _lockbox(LOCKBOX.replace(*change)).exceptions
    assert code in {one.code for one in found if one.severity == "exception" and one.statement_ordinal == 1}


@pytest.mark.parametrize(
    "body", ["N1*PR*BANK~", "BPR*C*1*C~DEP*LB1*20260901~", "DEP*LB1*20260901~AMT*3*x~", "DEP*L~BPR*C*1*Z~"]
)
def test_an_823_without_a_readable_deposit_is_refused(body: str) -> None:
    with pytest.raises(RejectedFile):
        _lockbox(body)


def test_a_huge_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(Advice().data())
    monkeypatch.setattr(x12, "LARGEST", size)
    assert _read(Advice().data()).exceptions == ()
    monkeypatch.setattr(x12, "LARGEST", size - 1)
    with pytest.raises(RejectedFile, match="split the file"):
        _read(Advice().data())
