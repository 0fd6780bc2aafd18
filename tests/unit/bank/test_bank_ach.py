"""NACHA ACH: records and controls, signs by transaction code, notes, the 820 in a CTX entry, returns and changes."""

from datetime import date
from decimal import Decimal

import pytest
from ach_files import Ach, ctx_entry, entry, note, returned
from x12_files import Advice

from o2c.sources.bank import ach
from o2c.sources.bank.ach_entries import return_reasons, settlement_day
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Detail, Entry, RemittanceLine, StatedTotals
from o2c.sources.bank.profiles import BankProfile


def _read(file: Ach | str, profile: BankProfile | None = None) -> BankFile:
    text = file if isinstance(file, str) else file.text()
    return ach.read(text.encode(), "test.ach", profile or BankProfile())


def _entry(*records: str, sec: str = "CCD") -> Entry:
    return _read(Ach(entries=[list(records)], sec=sec)).statements[0].entries[0]


def _codes(file: Ach | str) -> list[tuple[str, str, str]]:
    return [(one.code, one.position, one.severity) for one in _read(file).exceptions]


def test_a_credit_is_money_from_the_company_to_the_receiver() -> None:
    found = _read(Ach())
    statement = found.statements[0]
    assert (found.format, found.exceptions, found.remittances) == ("ach", (), ())
    assert (
        statement.kind,
        statement.statement_id,
        statement.account,
        statement.currency_code,
        statement.bank,
    ) == (
        "notification",
        "071000500000001",
        "987654",
        "USD",
        "111000025",
    )
    assert statement.stated == StatedTotals(credit_amount=Decimal("100.00"), debit_amount=Decimal("0.00"))
    assert (statement.file_id, statement.to_date) == (found.file_id, date(2026, 9, 28))
    assert statement.entries == (
        Entry(
            1,
            "record 3",
            Decimal("100.00"),
            "USD",
            date(2026, 9, 28),
            date(2026, 9, 28),
            bank_reference="071000500000001",
            customer_reference="ID-1",
            batch_id="0000001",
            type_code="CCD/22",
            method="ach",
            text="VENDOR PMT",
            details=(
                Detail(
                    1,
                    "record 3",
                    Decimal("100.00"),
                    "USD",
                    payer_name="Payer Inc",
                    payer_bank="07100050",
                    payee_name="Acme Supply",
                    payee_account="987654",
                    end_to_end_id="ID-1",
                    transaction_id="071000500000001",
                    instruction_id="1311234567",
                    bank_reference="071000500000001",
                    additional_text="VENDOR PMT",
                    type_code="22",
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("code", "amount", "status", "method"),
    [
        ("22", "100.00", "booked", "ach"),
        ("32", "100.00", "booked", "ach"),
        ("42", "100.00", "booked", "ach"),
        ("52", "100.00", "booked", "ach"),
        ("24", "100.00", "booked", "ach"),
        ("23", "100.00", "information", "ach"),
        ("27", "-100.00", "booked", "direct_debit"),
        ("37", "-100.00", "booked", "direct_debit"),
        ("47", "-100.00", "booked", "direct_debit"),
        ("29", "-100.00", "booked", "direct_debit"),
        ("28", "-100.00", "information", "direct_debit"),
    ],
)
def test_the_transaction_code_says_credit_or_debit(code: str, amount: str, status: str, method: str) -> None:
    found = _entry(*entry(code=code))
    assert (found.amount, found.status, found.method, found.is_reversal) == (
        Decimal(amount),
        status,
        method,
        False,
    )


@pytest.mark.parametrize("code", ["20", "25", "30", "57", "61", "81", "A2", "  "])
def test_a_transaction_code_without_a_sign_refuses_the_file(code: str) -> None:
    with pytest.raises(RejectedFile, match="transaction code"):
        _read(Ach(entries=[entry(code="22")], changes={2: ("622", f"6{code}")}))


def test_a_debit_is_owed_by_the_receiver() -> None:
    found = _entry(*entry(code="27")).details[0]
    assert (found.payer_name, found.payer_account, found.payer_bank) == ("Acme Supply", "987654", "111000025")
    assert (found.payee_name, found.payee_account) == ("Payer Inc", None)


def test_a_batch_has_an_account_only_where_all_its_entries_have() -> None:
    both = Ach(entries=[entry(), entry(trace=2, account="1")])
    assert _read(both).statements[0].account is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "", "  \n"])
def test_line_ends_of_any_sort_or_none_are_read_alike(end: str) -> None:
    found = ach.read(Ach().data(end), "x")
    assert (found.statements[0].entries, found.exceptions) == (_read(Ach()).statements[0].entries, ())


def test_blanks_at_line_ends_and_the_filler_may_be_missing() -> None:
    records = Ach().records()
    found = _read("\n".join(one.rstrip() for one in records))
    assert (found.statements[0].entries, found.exceptions) == (_read(Ach()).statements[0].entries, ())
    unbroken = _read("".join(records).rstrip())
    assert (unbroken.statements[0].entries, unbroken.exceptions) == (found.statements[0].entries, ())


def test_two_files_in_one_are_both_read() -> None:
    found = _read(Ach().text() + Ach().text())
    assert [(one.ordinal, one.entries[0].ordinal) for one in found.statements] == [(1, 1), (2, 2)]
    assert found.exceptions == ()


def test_a_file_without_batches_is_read_as_empty() -> None:
    header = Ach().records()[0]
    control = f"9000000000001{0:08}{0:010}{0:012}{0:012}"
    assert _read(f"{header}\n{control}\n").statements == ()


@pytest.mark.parametrize("missing", range(5))
def test_each_record_is_needed(missing: int) -> None:
    records = Ach().records()
    del records[missing]
    if missing == 2:
        # A batch without entries is whole; its control says that one is missing.
        assert "count_differs" in {code for code, _, _ in _codes("\n".join(records))}
        return
    with pytest.raises(RejectedFile):
        _read("\n".join(records))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "9" * 94,
        "101 ",
        Ach().text().replace("\n6", "\nX"),
        Ach().text().replace("\n6", "\n 6"),
        "\n".join([*Ach().records()[:4], "9" * 94]),
        "\n".join([*Ach().records(), "8"]),
        Ach(service="280").text(),
    ],
)
def test_what_is_no_whole_ach_file_is_refused(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


@pytest.mark.parametrize("end", ["\n", ""])
def test_every_cut_is_refused_or_identical(end: str) -> None:
    data = Ach(entries=[entry(addenda=("RMR*IV*I1**100.00\\",)), entry(5, "27", trace=2)]).data(end)
    whole = ach.read(data, "x")
    identical = 0
    for cut in range(len(data)):
        try:
            found = ach.read(data[:cut], "x")
        except RejectedFile:
            continue
        identical += 1
        assert (found.statements[0].entries, found.exceptions) == (whole.statements[0].entries, ()), cut
    assert identical > 0


@pytest.mark.parametrize(
    ("at", "old", "new", "code", "position"),
    [
        (3, "8200000001", "8200000002", "count_differs", "record 4"),
        (3, "0011100002", "0011100003", "total_differs", "record 4"),
        (3, "000000010000", "000000010001", "total_differs", "record 4"),
        (3, "000000000000", "000000000001", "total_differs", "record 4"),
        (3, "8200", "8220", "control_number_differs", "record 4"),
        (3, "1311234567", "1311234568", "control_number_differs", "record 4"),
        (3, "071000500000001", "071000510000001", "control_number_differs", "record 4"),
        (3, "071000500000001", "071000500000002", "control_number_differs", "record 4"),
        (4, "9000001", "9000002", "count_differs", "record 5"),
        (4, "9000001000001", "9000001000002", "count_differs", "record 5"),
        (4, "00000001001", "00000002001", "count_differs", "record 5"),
        (4, "0011100002", "0011100003", "total_differs", "record 5"),
        (4, "000000010000", "000000010001", "total_differs", "record 5"),
    ],
)
def test_a_control_that_differs_is_an_exception(
    at: int, old: str, new: str, code: str, position: str
) -> None:
    assert _codes(Ach()) == []
    found = _codes(Ach(changes={at: (old, new)}))
    assert found == [(code, position, "exception")]
    lenient = BankProfile(warnings_only=(code,))
    assert [one.severity for one in _read(Ach(changes={at: (old, new)}), lenient).exceptions] == ["warning"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0000010000", "0000010001"),
        ("622", "627"),
        ("62211100002", "62211100003"),
        ("0000010000", "0000100000"),
    ],
    ids=["amount", "sign", "bank", "digits swapped"],
)
def test_a_changed_entry_is_noticed_by_batch_and_file(old: str, new: str) -> None:
    found = _codes(Ach(changes={2: (old, new)}))
    assert {"record 4", "record 5"} == {position for code, position, _ in found if code == "total_differs"}


def test_the_hash_keeps_its_last_ten_digits() -> None:
    many = [entry(1, trace=number, bank="99999999") for number in range(1, 203)]
    assert _codes(Ach(entries=many)) == []


@pytest.mark.parametrize(
    "text",
    [
        "000001000X",
        "0000 10000",
        "\u0660\u0660\u0660\u0660\u0660\u0661\u0660\u0660\u0660\u0660",
        "00000100\u00b20",
    ],
)
def test_an_amount_that_is_not_ten_digits_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile, match="record 3"):
        _read(Ach(changes={2: ("0000010000", text)}))


@pytest.mark.parametrize(
    ("effective", "settlement", "value", "booked", "codes"),
    [
        ("260928", "271", date(2026, 9, 28), date(2026, 9, 28), []),
        ("260928", "272", date(2026, 9, 28), date(2026, 9, 29), []),
        ("261231", "004", date(2026, 12, 31), date(2027, 1, 4), []),
        ("260928", "   ", date(2026, 9, 28), date(2026, 9, 28), []),
        ("      ", "   ", date(2026, 9, 28), date(2026, 9, 28), []),
        ("000000", "000", date(2026, 9, 28), date(2026, 9, 28), []),
        ("260931", "271", date(2026, 9, 28), date(2026, 9, 28), ["value_unreadable"]),
        ("260928", "100", date(2026, 9, 28), date(2026, 9, 28), ["value_unreadable"]),
        ("260928", "367", date(2026, 9, 28), date(2026, 9, 28), ["value_unreadable"]),
        ("260928", "2x1", date(2026, 9, 28), date(2026, 9, 28), ["value_unreadable"]),
    ],
)
def test_days_are_the_effective_and_the_settlement_date_of_the_batch(
    effective: str, settlement: str, value: date, booked: date, codes: list[str]
) -> None:
    found = _read(Ach(effective=effective, settlement=settlement))
    one = found.statements[0].entries[0]
    assert (one.value_date, one.booking_date, [issue.code for issue in found.exceptions]) == (
        value,
        booked,
        codes,
    )
    assert all(issue.severity == "warning" for issue in found.exceptions)


def test_a_settlement_day_is_near_or_none() -> None:
    near = date(2026, 9, 28)
    assert settlement_day("240", near) == date(2026, 8, 28)
    assert settlement_day("239", near) is None
    assert settlement_day("302", near) == date(2026, 10, 29)
    assert settlement_day("303", near) is None


def test_a_note_of_a_ccd_entry_is_its_document() -> None:
    found = _read(Ach(entries=[entry(9800, addenda=("RMR*IV*I1**98.00*100.00*2.00\\REF*PO*P1\\",))]))
    detail = found.statements[0].entries[0].details[0]
    assert found.exceptions == ()
    assert detail.text == "RMR*IV*I1**98.00*100.00*2.00\\REF*PO*P1\\"
    assert detail.lines == (
        RemittanceLine(
            1,
            "record 3, segment 1",
            "I1",
            Decimal("98.00"),
            Decimal("2.00"),
            gross_amount=Decimal("100.00"),
            reference_qualifier="IV",
            other_references=("P1",),
        ),
    )


def test_a_note_of_a_debit_takes_from_the_account() -> None:
    found = _read(Ach(entries=[entry(code="27", addenda=("RMR*IV*I1**100.00~",))]))
    assert found.exceptions == ()
    assert found.statements[0].entries[0].details[0].lines[0].paid_amount == Decimal("-100.00")


@pytest.mark.parametrize(
    ("text", "lines", "codes"),
    [
        ("RMR*IV*I1**99.99", 1, [("remittance_does_not_sum", "exception")]),
        ("RMR*IV*I1", 1, []),
        ("RMR*IV*I1**x", 0, [("value_unreadable", "warning")]),
        ("TXP*123*941*250901*941*12345\\", 0, []),
        ("invoice 17, thank you", 0, []),
        ("", 0, []),
    ],
)
def test_a_note_is_text_and_documents_where_it_has_them(
    text: str, lines: int, codes: list[tuple[str, str]]
) -> None:
    found = _read(Ach(entries=[entry(addenda=(note(text),))]))
    detail = found.statements[0].entries[0].details[0]
    assert (detail.text, len(detail.lines)) == (text or None, lines)
    assert [(one.code, one.severity) for one in found.exceptions] == codes


def test_notes_are_joined_in_their_order() -> None:
    first = "x" * 78 + "  "
    found = _entry(*entry(addenda=(first, "second")))
    assert found.details[0].text == first + "second"


@pytest.mark.parametrize(
    "records",
    [
        [entry()[0][:78] + "1" + entry()[0][79:]],
        [entry()[0], note("x")],
        [*entry(addenda=("x",)), note("y", 3)],
        [entry(addenda=("x",))[0], note("x", 1, 2)],
        [*entry(addenda=("x",))[:1], note("x", 2)],
    ],
    ids=[
        "one stated, none there",
        "none stated",
        "one left out",
        "of another entry",
        "begins with the second",
    ],
)
def test_addenda_that_do_not_fit_their_entry_are_an_exception(records: list[str]) -> None:
    found = _read(Ach(entries=[records])).exceptions
    assert {(one.code, one.position, one.entry_ordinal) for one in found} == {
        ("count_differs", "record 3", 1)
    }


def test_a_ctx_entry_has_its_820() -> None:
    found = _read(Ach(entries=[ctx_entry(15_000, Advice().text())], sec="CTX"))
    assert found.exceptions == ()
    advice = found.remittances[0]
    assert (advice.ordinal, advice.entry_ordinal, advice.reference, advice.currency_code, advice.format) == (
        1,
        1,
        "TR-1",
        "USD",
        "x12.820.004010",
    )
    assert (advice.total_amount, advice.file_id, advice.position) == (
        Decimal("150.00"),
        found.file_id,
        "record 3, set 1",
    )
    assert [(one.invoice_reference, one.paid_amount) for one in advice.lines] == [
        ("INV-1", Decimal("100.00")),
        ("INV-2", Decimal("50.00")),
    ]
    assert found.statements[0].entries[0].details[0].payee_name == "Acme Supply"
    assert found.statements[0].entries[0].details[0].text == Advice().text()


def test_the_820_may_come_without_an_envelope() -> None:
    found = _read(Ach(entries=[ctx_entry(15_000, Advice().set())], sec="CTX"))
    assert [(one.code, one.severity) for one in found.exceptions] == [("repaired", "warning")]
    assert found.remittances[0].total_amount == Decimal("150.00")


@pytest.mark.parametrize(
    ("cents", "text", "codes"),
    [
        (15_001, Advice().text(), ["remittance_does_not_sum"]),
        (15_000, Advice(amount="150.01").text(), ["remittance_does_not_sum", "remittance_does_not_sum"]),
        (15_000, Advice().text()[:-40], ["value_unreadable"]),
        (15_000, Advice(sign="X").text(), ["value_unreadable"]),
        (15_000, Advice(kind="810").text(), ["value_unreadable"]),
        (15_000, Advice(count="7").text(), ["count_differs"]),
    ],
    ids=["entry", "total", "cut", "sign", "another set", "count"],
)
def test_an_820_that_does_not_fit_its_entry_is_an_exception(cents: int, text: str, codes: list[str]) -> None:
    found = _read(Ach(entries=[ctx_entry(cents, text)], sec="CTX"))
    assert [one.code for one in found.exceptions] == codes
    assert {(one.severity, one.entry_ordinal) for one in found.exceptions} == {("exception", 1)}
    assert found.statements[0].entries[0].amount == Decimal(cents).scaleb(-2)


def test_a_ctx_entry_states_its_addenda() -> None:
    assert _codes(Ach(entries=[ctx_entry(15_000, Advice().text(), stated=9)], sec="CTX")) == [
        ("count_differs", "record 3", "exception")
    ]
    assert _codes(Ach(entries=[ctx_entry(100, "words only")], sec="CTX")) == []


@pytest.mark.parametrize(
    ("code", "amount", "payer"),
    [("26", "-100.00", "Acme Supply"), ("21", "100.00", "Payer Inc"), ("36", "-100.00", "Acme Supply")],
)
def test_a_return_takes_back_the_entry_whose_trace_it_has(code: str, amount: str, payer: str) -> None:
    found = _read(Ach(entries=[entry(code=code, addenda=(returned("R01"),))]))
    one = found.statements[0].entries[0]
    assert found.exceptions == ()
    assert (one.amount, one.is_reversal, one.return_code, one.original_reference, one.status) == (
        Decimal(amount),
        True,
        "R01",
        "071000500000042",
        "booked",
    )
    assert (one.details[0].payer_name, one.details[0].return_code) == (payer, "R01")
    assert found.statements[0].account is None


def test_a_return_without_its_reason_is_an_exception() -> None:
    found = _read(Ach(entries=[entry(code="26")]))
    assert [(one.code, one.entry_ordinal) for one in found.exceptions] == [("count_differs", 1)]
    assert found.statements[0].entries[0].is_reversal


def test_a_notice_of_change_moves_nothing_and_says_what_to_correct() -> None:
    notice = returned("C01", code="98", text="1234567890")
    found = _read(Ach(entries=[entry(0, "21", addenda=(notice,))], sec="COR"))
    one = found.statements[0].entries[0]
    assert (one.status, one.is_reversal, one.return_code, one.details[0].additional_text) == (
        "information",
        False,
        "C01",
        "1234567890",
    )
    assert [(issue.code, issue.severity, issue.message) for issue in found.exceptions] == [
        ("notice_of_change", "warning", "C01: account number")
    ]


def test_a_reason_that_is_not_in_the_list_is_kept_and_told() -> None:
    found = _read(Ach(entries=[entry(code="26", addenda=(returned("R99"),))]))
    assert found.statements[0].entries[0].return_code == "R99"
    assert [(one.code, one.severity) for one in found.exceptions] == [("unknown_code", "warning")]


def test_every_return_reason_is_a_letter_and_two_digits_with_words() -> None:
    assert all(
        code[0] in "RC" and len(code) == 3 and code[1:].isdigit() and words
        for code, words in return_reasons().items()
    )


def test_an_international_entry_is_read_with_the_names_of_its_addenda() -> None:
    head = f"622111000025{'0007':<4}{'':13}{10_000:010}{'DE89370400440532013000':<35}  {'':2}1071000500000001"
    names = [f"710ANN{'':18}{'':22}{'Acme Supply':<35}{'':6}0000001", f"711{'Payer GmbH':<35}{'':49}0000001"]
    found = _read(Ach(entries=[[head, *names]], sec="IAT", company="FF3"))
    one = found.statements[0].entries[0]
    assert (one.details[0].payer_name, one.details[0].payee_name, one.details[0].payee_account) == (
        "Payer GmbH",
        "Acme Supply",
        "DE89370400440532013000",
    )


def test_methods_of_a_profile_go_before_those_of_the_code() -> None:
    profile = BankProfile(methods={"CCD": "wire", "CCD/27": "card"})
    file = Ach(entries=[entry(), entry(code="27", trace=2)])
    assert [one.method for one in _read(file, profile).statements[0].entries] == ["wire", "card"]


def test_a_huge_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(Ach().data())
    monkeypatch.setattr(ach, "LARGEST", size)
    assert _read(Ach()).exceptions == ()
    monkeypatch.setattr(ach, "LARGEST", size - 1)
    with pytest.raises(RejectedFile, match="split the file"):
        _read(Ach())
