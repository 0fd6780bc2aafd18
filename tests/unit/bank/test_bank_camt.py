"""camt messages: signs, batches, charges, references, statuses, and what makes a file unfit to load."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from camt_files import Camt, balance, detail, entry

from o2c.sources.bank import camt, camt_reading
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Charge, Reference, RemittanceLine, Statement


def _read(file: Camt) -> BankFile:
    return camt.read(file.xml(), "test.xml")


def _only(file: Camt) -> Statement:
    return _read(file).statements[0]


def _codes(file: Camt) -> list[tuple[str, str]]:
    return [(one.code, one.position) for one in _read(file).exceptions]


def test_a_statement_that_ties_has_no_exceptions_and_all_its_head() -> None:
    found = _read(Camt())
    statement = found.statements[0]
    assert found.exceptions == ()
    assert (found.format, found.version) == ("camt.053.001.08", "001.08")
    assert (statement.kind, statement.statement_id, statement.electronic_number) == ("statement", "S1", "7")
    assert (statement.account, statement.account_scheme) == ("DE89370400440532013000", "iban")
    assert statement.opening is not None
    assert statement.closing is not None
    assert (statement.opening.amount, statement.closing.amount) == (Decimal("100.00"), Decimal("110.00"))
    assert statement.last_date == date(2024, 3, 7)
    assert statement.file_id == found.file_id
    assert len(found.file_id) == 64


@pytest.mark.parametrize(
    ("message", "root", "element", "kind"),
    [
        ("camt.052.001.06", "BkToCstmrAcctRpt", "Rpt", "intraday"),
        ("camt.053.001.02", "BkToCstmrStmt", "Stmt", "statement"),
        ("camt.053.001.13", "BkToCstmrStmt", "Stmt", "statement"),
        ("camt.054.001.10", "BkToCstmrDbtCdtNtfctn", "Ntfctn", "notification"),
    ],
)
def test_each_message_is_read_for_what_it_is(message: str, root: str, element: str, kind: str) -> None:
    statement = _only(Camt(message=message, root=root, element=element))
    assert (statement.kind, statement.format, statement.entry_count) == (kind, message, 1)


@pytest.mark.parametrize(
    "message", ["camt.053.001.01", "camt.053.001.14", "camt.056.001.08", "pain.001.001.09"]
)
def test_other_versions_and_messages_are_refused_by_name(message: str) -> None:
    with pytest.raises(RejectedFile, match=message):
        _read(Camt(message=message))


def test_a_reversal_keeps_its_own_sign() -> None:
    reversal = entry("10.00", "DBIT", more="<RvslInd>true</RvslInd>")
    statement = _only(Camt(entries=entry() + reversal, balances=""))
    assert [(one.amount, one.is_reversal) for one in statement.entries] == [
        (Decimal("10.00"), False),
        (Decimal("-10.00"), True),
    ]


def test_details_of_a_batch_may_go_the_other_way_and_sum_to_the_entry() -> None:
    batch = "<Btch><NbOfTxs>3</NbOfTxs></Btch>" + detail("8") + detail("5") + detail("3", "DBIT")
    file = Camt(entries=entry(details=batch))
    assert _codes(file) == []
    assert [one.amount for one in _only(file).entries[0].details] == [Decimal(8), Decimal(5), Decimal(-3)]


def test_details_that_do_not_sum_are_an_exception_of_their_entry() -> None:
    assert _codes(Camt(entries=entry(details=detail("8") + detail("1")))) == [
        ("details_do_not_sum", "statement 1, entry 1")
    ]


def test_a_batch_with_fewer_details_than_it_states_is_an_exception() -> None:
    batch = "<Btch><NbOfTxs>3</NbOfTxs></Btch>" + detail("8") + detail("2")
    assert _codes(Camt(entries=entry(details=batch))) == [("count_differs", "statement 1, entry 1")]


def test_one_detail_may_stand_for_a_batch_of_many() -> None:
    batch = "<Btch><NbOfTxs>102</NbOfTxs></Btch>" + detail("10.00")
    file = Camt(entries=entry(details=batch))
    assert _codes(file) == []
    assert _only(file).entries[0].batch_count == 102


def test_a_detail_without_a_sign_has_the_sign_of_its_entry() -> None:
    found = _only(Camt(entries=entry("10.00", "DBIT", details=detail("10.00", None)), balances=""))
    assert found.entries[0].details[0].amount == Decimal("-10.00")


def test_the_only_detail_without_an_amount_is_the_entry() -> None:
    found = _only(Camt(entries=entry(details="<TxDtls><Refs><TxId>T</TxId></Refs></TxDtls>")))
    assert found.entries[0].details[0].amount == Decimal("10.00")


def test_charges_and_instructed_amounts_never_replace_the_booked_amount() -> None:
    more = (
        '<AmtDtls><InstdAmt><Amt Ccy="USD">12.00</Amt></InstdAmt></AmtDtls>'
        '<Chrgs><Rcrd><Amt Ccy="EUR">0.70</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        "<ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
    )
    found = _only(Camt(entries=entry(more=more))).entries[0]
    assert (found.amount, found.instructed_amount, found.instructed_currency_code) == (
        Decimal("10.00"),
        Decimal("12.00"),
        "USD",
    )
    assert found.charges == (Charge(Decimal("0.70"), "EUR", True, None),)


def test_charges_of_version_02_have_no_records() -> None:
    more = '<Chrgs><Amt Ccy="EUR">0.70</Amt></Chrgs><Chrgs><Amt Ccy="EUR">0.20</Amt></Chrgs>'
    found = _only(Camt(message="camt.053.001.02", entries=entry(more=more))).entries[0]
    assert [one.amount for one in found.charges] == [Decimal("0.70"), Decimal("0.20")]


def test_pending_entries_and_information_do_not_move_the_balance() -> None:
    pending = entry("5.00", status="<Sts><Cd>PDNG</Cd></Sts>") + entry("7.00", status="<Sts>INFO</Sts>")
    file = Camt(entries=entry() + pending)
    assert _codes(file) == []
    assert [one.status for one in _only(file).entries] == ["booked", "pending", "information"]


def test_an_unknown_status_refuses_the_file() -> None:
    with pytest.raises(RejectedFile, match="'VOID'"):
        _read(Camt(entries=entry(status="<Sts>VOID</Sts>")))


def test_a_balance_without_indicator_is_in_credit_and_amounts_need_no_decimals() -> None:
    balances = balance("OPBD", "100", None) + balance("CLBD", "110", None)
    file = Camt(balances=balances, entries=entry("10"))
    assert _codes(file) == []
    assert [one.amount for one in _only(file).balances] == [Decimal(100), Decimal(110)]


def test_a_balance_that_does_not_tie_says_by_how_much() -> None:
    found = _read(Camt(balances=balance("OPBD", "100.00") + balance("CLBD", "110.01"))).exceptions
    assert [(one.code, one.severity, one.statement_ordinal) for one in found] == [
        ("balance_does_not_tie", "exception", 1)
    ]
    assert "difference 0.01" in found[0].message


def test_stated_counts_and_sums_are_checked_each() -> None:
    summary = (
        "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><Sum>10.00</Sum></TtlNtries>"
        "<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>10.00</Sum></TtlCdtNtries>"
        "<TtlDbtNtries><NbOfNtries>0</NbOfNtries><Sum>1.00</Sum></TtlDbtNtries></TxsSummry>"
    )
    assert _codes(Camt(summary=summary)) == [
        ("count_differs", "statement 1"),
        ("total_differs", "statement 1"),
    ]


def test_another_currency_and_too_many_decimals_are_exceptions() -> None:
    entries = entry("10.00", currency="USD") + entry("1.005") + entry("5", currency="XYZ")
    codes = {code for code, _ in _codes(Camt(entries=entries, balances=""))}
    assert codes == {"currency_differs", "too_many_decimals", "currency_unknown"}


def test_references_are_kept_as_written_and_compared_in_one_spelling() -> None:
    remittance = (
        "<RmtInf><Ustrd>INV 1</Ustrd><Ustrd>INV 2</Ustrd><Strd><CdtrRefInf>"
        "<Ref>RF18 5390 0754 7034</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    more = "<Refs><EndToEndId>NOTPROVIDED</EndToEndId><TxId>T1</TxId></Refs>" + remittance
    found = _only(Camt(entries=entry(details=detail(more=more)))).entries[0].details[0]
    assert found.references == (
        Reference("creditor_reference", "RF18 5390 0754 7034", "RF18539007547034", True),
    )
    assert (found.text, found.end_to_end_id, found.transaction_id) == ("INV 1\nINV 2", None, "T1")


def test_a_wrong_check_digit_in_a_reference_is_a_warning() -> None:
    more = "<RmtInf><Strd><CdtrRefInf><Ref>RF19539007547034</Ref></CdtrRefInf></Strd></RmtInf>"
    found = _read(Camt(entries=entry(details=detail(more=more)))).exceptions
    assert [(one.code, one.severity) for one in found] == [("reference_check_failed", "warning")]


def test_referred_documents_become_remittance_lines_and_credit_notes_are_negative() -> None:
    strd = (
        "<Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CINV</Cd></CdOrPrtry></Tp><Nb>INV-1</Nb>"
        "<RltdDt>2024-01-31</RltdDt></RfrdDocInf><RfrdDocAmt>"
        '<DuePyblAmt Ccy="EUR">15.00</DuePyblAmt><DscntApldAmt><Amt Ccy="EUR">0.30</Amt></DscntApldAmt>'
        '<AdjstmntAmtAndRsn><Amt Ccy="EUR">0.70</Amt><CdtDbtInd>CRDT</CdtDbtInd><Rsn>DMG</Rsn></AdjstmntAmtAndRsn>'
        '<RmtdAmt Ccy="EUR">14.00</RmtdAmt></RfrdDocAmt></Strd>'
        "<Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CREN</Cd></CdOrPrtry></Tp><Nb>CN-9</Nb></RfrdDocInf><RfrdDocAmt>"
        '<RmtdAmt Ccy="EUR">4.00</RmtdAmt></RfrdDocAmt></Strd>'
    )
    found = _only(Camt(entries=entry(details=detail(more=f"<RmtInf>{strd}</RmtInf>")))).entries[0].details[0]
    where = "statement 1, entry 1, detail 1, document"
    assert found.lines == (
        RemittanceLine(
            1,
            f"{where} 1",
            "INV-1",
            paid_amount=Decimal("14.00"),
            discount_amount=Decimal("0.30"),
            deduction_amount=Decimal("0.70"),
            reason_code="DMG",
            gross_amount=Decimal("15.00"),
            document_type="CINV",
            document_date=date(2024, 1, 31),
        ),
        RemittanceLine(2, f"{where} 2", "CN-9", paid_amount=Decimal("-4.00"), document_type="CREN"),
    )


def test_discounts_of_version_02_stand_without_a_group() -> None:
    strd = (
        "<Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf><RfrdDocAmt>"
        '<DscntApldAmt Ccy="EUR">0.30</DscntApldAmt></RfrdDocAmt></Strd>'
    )
    found = _only(Camt(entries=entry(details=detail(more=f"<RmtInf>{strd}</RmtInf>")))).entries[0].details[0]
    assert found.lines[0].discount_amount == Decimal("0.30")


def test_a_return_says_why_and_what_came_back() -> None:
    more = (
        "<Refs><EndToEndId>E2E-1</EndToEndId></Refs><RtrInf><Rsn><Cd>MD06</Cd></Rsn>"
        "<AddtlInf>refused</AddtlInf></RtrInf>"
    )
    found = _only(Camt(entries=entry(details=detail(more=more)), balances="")).entries[0]
    assert (found.return_code, found.original_reference) == ("MD06", "E2E-1")
    assert found.details[0].additional_text == "refused"


@pytest.mark.parametrize(
    ("family", "sub_family", "method"),
    [
        ("RCDT", "ESCT", "ach"),
        ("RCDT", "XBCT", "wire"),
        ("RDDT", "ESDD", "direct_debit"),
        ("RCHQ", "CCHQ", "check"),
        ("XXXX", "YYYY", None),
    ],
)
def test_the_transaction_code_says_how_the_money_came(
    family: str, sub_family: str, method: str | None
) -> None:
    inner = f"<Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly>"
    code = f"<BkTxCd><Domn><Cd>PMNT</Cd>{inner}</Domn></BkTxCd>"
    found = _only(Camt(entries=entry(more=code))).entries[0]
    assert (found.type_code, found.method) == (f"PMNT/{family}/{sub_family}", method)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Camt(account=""), "names no account"),
        (Camt(entries=entry("1,00")), "'1,00' is not an amount"),
        (Camt(entries=entry("-1.00")), "negative beside its CdtDbtInd"),
        (Camt(entries=entry("1E3")), "not an amount"),
        (Camt(entries=entry("١٢")), "not an amount"),
        (Camt(entries=entry("9" * 30)), "not an amount"),
        (Camt(entries=entry("NaN")), "not an amount"),
        (Camt(entries=entry(currency="")), "has the currency"),
        (Camt(entries=entry(sign="CREDIT")), "not CRDT or DBIT"),
        (Camt(entries=entry(details=detail(sign="X"))), "not CRDT or DBIT"),
        (Camt(entries="<Ntry/>"), "CdtDbtInd is None"),
        (Camt(entries=entry().replace("2024-03-07", "2024-02-30")), "no day of the calendar"),
        (Camt(entries=entry().replace("2024-03-07", "07.03.2024")), "is not a date"),
        (Camt(balances=balance("OPBD", "x")), "is not an amount"),
        (Camt(element="Rpt"), "without a statement"),
    ],
)
def test_a_file_without_what_no_statement_can_lack_is_refused(broken: Camt, reason: str) -> None:
    with pytest.raises(RejectedFile) as refused:
        _read(broken)
    assert reason in refused.value.reason
    assert refused.value.file == "test.xml"
    assert refused.value.position
    assert refused.value.advice


def test_the_refusal_names_the_entry() -> None:
    with pytest.raises(RejectedFile) as refused:
        _read(Camt(entries=entry() + entry() + entry("ten")))
    assert refused.value.position == "statement 1, entry 3"


def test_a_message_inside_an_envelope_is_read() -> None:
    inner = Camt(head="").xml().decode()
    found = camt.read(f"<Envelope><AppHdr/>{inner}</Envelope>".encode(), "e")
    assert found.entry_count == 1


def test_every_prefix_of_a_file_is_refused() -> None:
    whole = Camt().xml()
    for cut in range(len(whole)):
        with pytest.raises(RejectedFile):
            camt.read(whole[:cut], "cut.xml")


def test_a_long_statement_comes_in_parts_with_one_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt_reading, "PART", 2)
    file = Camt(entries=entry() * 5, balances=balance("OPBD", "0") + balance("CLBD", "50.00"))
    parts = list(camt.read_parts(BytesIO(file.xml()), "p"))
    assert [(len(one.statement.entries), one.is_last) for one in parts] == [(2, False), (2, False), (1, True)]
    assert len({one.statement.account for one in parts}) == 1
    assert [entry.ordinal for one in parts for entry in one.statement.entries] == [1, 2, 3, 4, 5]
    assert camt.read(file.xml(), "p").statements[0].entry_count == 5


def test_balances_after_the_entries_of_a_long_statement_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt_reading, "PART", 2)
    monkeypatch.setattr(camt, "BLOCK", 64)
    late = Camt(entries=entry() * 3 + balance("CLBD", "130.00"), balances=balance("OPBD", "100.00"))
    with pytest.raises(RejectedFile, match="after the entries"):
        _read(late)


def test_two_statements_of_one_file_are_counted_apart() -> None:
    one = Camt()
    xml = one.xml().replace(b"</BkToCstmrStmt>", one.statement().encode() + b"</BkToCstmrStmt>")
    found = camt.read(xml, "two")
    assert [(s.ordinal, [e.position for e in s.entries]) for s in found.statements] == [
        (1, ["statement 1, entry 1"]),
        (2, ["statement 2, entry 1"]),
    ]
    assert [e.ordinal for s in found.statements for e in s.entries] == [1, 2]


def test_elements_of_another_namespace_are_not_entries() -> None:
    foreign = '<SplmtryData xmlns="urn:other"><Ntry><Amt Ccy="EUR">5</Amt></Ntry></SplmtryData>'
    assert _only(Camt(entries=entry() + foreign)).entry_count == 1


def test_an_entry_outside_its_statement_is_refused() -> None:
    for broken in (entry(more=entry()), f"<Other>{entry()}</Other>", "<TxDtls/>"):
        with pytest.raises(RejectedFile, match="outside"):
            _read(Camt(entries=broken))


def test_a_statement_inside_a_statement_is_refused() -> None:
    with pytest.raises(RejectedFile, match="inside something else"):
        _read(Camt(entries=Camt().statement()))


def test_a_namespace_with_braces_and_a_currency_in_small_letters_are_refused() -> None:
    with pytest.raises(RejectedFile, match="is no camt"):
        camt.read(Camt().xml().replace(b"camt.053", b"camt.{{7*7}}"), "braces")
    with pytest.raises(RejectedFile, match="has the currency"):
        _read(Camt(entries=entry(currency="eur")))
