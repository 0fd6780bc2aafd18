"""From landed bank files to payments and remittance lines of the contract."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from camt_files import Camt, balance, detail, entry
from money_files import DOMESTIC, IBAN, Account, Desk, Movement, amounts, camt, mt940, table
from x12_files import Advice

from o2c.sources.bank.profiles import BankProfile

DAY, NEXT = date(2024, 3, 4), date(2024, 3, 5)
PAID = Movement(DAY, 50_000, "E2E-0001")


def codes(desk: Desk) -> list[tuple[str, str]]:
    return desk.result().rejected_rows.select("severity", "reason_code").rows()


def test_a_payment_has_every_column_that_the_bank_filled(tmp_path: Path) -> None:
    more = (
        "<Refs><EndToEndId>E2E-1</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Acme</Nm></Pty></Dbtr>"
        "<DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct></RltdPties>"
        "<RmtInf><Ustrd>INV-1 </Ustrd><Ustrd>thanks</Ustrd><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf>"
        "</Strd></RmtInf>"
    )
    desk = Desk(tmp_path)
    desk.take([("a.xml", Camt(entries=entry(details=detail(more=more))).xml())])
    row = table(desk.result()).row(0, named=True)
    assert row.pop("payment_id").startswith("bank-")
    assert row == {
        "entity_id": "E1",
        "bank_account_id": IBAN,
        "customer_id": None,
        "payer_name": "Acme",
        "payer_account": "NL91ABNA0417164300",
        "value_date": date(2024, 3, 7),
        "booking_date": date(2024, 3, 7),
        "currency_code": "EUR",
        "payment_amount": Decimal("10.0000"),
        "payment_method": None,
        "reference_text": "RF18539007547034 INV-1 thanks",
        "reverses_payment_id": None,
        "settlement": None,
    }


def test_documents_that_the_payer_named_are_remittance_lines_of_the_payment(tmp_path: Path) -> None:
    documents = "".join(
        f"<Strd><RfrdDocInf><Nb>{number}</Nb></RfrdDocInf><RfrdDocAmt><RmtdAmt Ccy='EUR'>{paid}</RmtdAmt></RfrdDocAmt>"
        "</Strd>"
        for number, paid in (("INV-1", "4.00"), ("INV-2", "6.00"))
    )
    desk = Desk(tmp_path)
    desk.take([("a.xml", Camt(entries=entry(details=detail(more=f"<RmtInf>{documents}</RmtInf>"))).xml())])
    found = desk.result()
    payment_id = table(found)["payment_id"][0]
    lines = table(found, "remittance_lines").select(
        "payment_id", "line_number", "invoice_reference", "paid_amount"
    )
    assert lines.rows() == [(payment_id, 1, "INV-1", Decimal(4)), (payment_id, 2, "INV-2", Decimal(6))]


def test_documents_named_without_amounts_are_a_part_of_the_text(tmp_path: Path) -> None:
    numbers = "".join(f"<RfrdDocInf><Nb>{number}</Nb></RfrdDocInf>" for number in ("INV-1", "INV-2"))
    more = f"<RmtInf><Ustrd>INV-2</Ustrd><Ustrd>thanks</Ustrd><Strd>{numbers}</Strd></RmtInf>"
    desk = Desk(tmp_path)
    desk.take([("a.xml", Camt(entries=entry(details=detail(more=more))).xml())])
    found = desk.result()
    assert table(found)["reference_text"].to_list() == ["INV-2 thanks INV-1"]
    assert table(found, "remittance_lines").is_empty()


def test_an_adjustment_of_no_document_is_a_line_so_that_lines_add_up_to_the_payment(tmp_path: Path) -> None:
    body = "ENT*1~ADX*-10.00*01~RMR*IV*INV-1**100.00*100.00~RMR*CM*CM-7**20.00~"
    alone = Advice(amount="5.00", body="ENT*1~ADX*5.00*01~", head="TRN*1*TR-2~")
    desk = Desk(tmp_path)
    desk.take([("a.edi", Advice(amount="70.00", body=body).data()), ("b.edi", alone.data())])
    found = desk.result()
    columns = ("payment_reference", "invoice_reference", "paid_amount", "deduction_amount", "reason_code")
    assert table(found, "remittance_lines").sort("line_number").select(columns).rows() == [
        ("TR-1", "(none)", Decimal(-10), Decimal(10), "01"),
        ("TR-1", "INV-1", Decimal(100), None, None),
        ("TR-1", "CM-7", Decimal(-20), None, None),
    ]
    # what names nothing at all is told, not dropped
    assert codes(desk) == [("rejected", "line_incomplete")]


@pytest.mark.parametrize(
    ("amounts", "signed"),
    [
        ("RMR*IV*I**98.00*100.00*2.00~", (98, 2, None)),
        ("RMR*IV*I**98.00*100.00*-2.00~", (98, 2, None)),
        ("RMR*IV*I**98.00**-2.00~", (98, 2, None)),
        # the document says that more was paid, not less
        ("RMR*IV*I**102.00*100.00*-2.00~", (102, -2, None)),
        ("RMR*CM*I**98.00*100.00*2.00~", (-98, -2, None)),
        ("RMR*CM*I**98.00**2.00~", (-98, -2, None)),
        ("RMR*IV*I**88.00*100.00*2.00~ADX*-10.00*01~", (88, 2, 10)),
        ("RMR*IV*I**88.00*100.00*2.00~ADX*10.00*01~", (88, 2, 10)),
        ("RMR*IV*I**110.00*100.00~ADX*10.00*01~", (110, None, -10)),
        ("RMR*IV*I**88.00~ADX*-10.00*01~", (88, None, 10)),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_what_is_paid_discounted_and_withheld_adds_up_to_the_document(
    amounts: str, signed: tuple[int | None, ...], tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    other = 500 - signed[0] if signed[0] else 0
    body = f"ENT*1~{amounts}RMR*IV*OTHER**{other}.00~"
    desk.take([("a.edi", Advice(amount="500.00", body=body).data())])
    line = table(desk.result(), "remittance_lines").filter(invoice_reference="I")
    assert line.select("paid_amount", "discount_amount", "deduction_amount").rows() == [
        tuple(None if one is None else Decimal(one) for one in signed)
    ]


def test_a_reason_code_of_edifact_says_its_list_and_others_stand_as_they_are(tmp_path: Path) -> None:
    advice = (
        "UNB+UNOC:3+A:ZZ+B:ZZ+260928:1813+77'UNH+1+REMADV:D:96A:UN'BGM+481+RA-1+9'DTM+137:20260928:102'"
        "NAD+PR+4711::92++Acme SE'NAD+PE+1::9++Us'CUX+2:EUR:11'"
        "DOC+380+INV-1'MOA+12:90.00'AJT+11'MOA+165:-10.00'DOC+380+INV-2'MOA+12:50.00'UNS+S'MOA+12:140.00'"
        "UNT+15+1'UNZ+1+77'"
    )
    document = (
        "<Strd><RfrdDocInf><Nb>INV-3</Nb></RfrdDocInf><RfrdDocAmt><AdjstmntAmtAndRsn><Amt Ccy='EUR'>1.00</Amt>"
        "<Rsn>11</Rsn></AdjstmntAmtAndRsn><RmtdAmt Ccy='EUR'>10.00</RmtdAmt></RfrdDocAmt></Strd>"
    )
    desk = Desk(tmp_path)
    statement = Camt(entries=entry(details=detail(more=f"<RmtInf>{document}</RmtInf>"))).xml()
    desk.take([("a.xml", statement), ("b.edi", advice.encode())])
    lines = table(desk.result(), "remittance_lines").sort("invoice_reference")
    assert lines.select("invoice_reference", "deduction_amount", "reason_code").rows() == [
        ("INV-1", Decimal(10), "edifact_4465:11"),
        ("INV-2", None, None),
        ("INV-3", Decimal(1), "11"),
    ]


def test_a_batch_is_one_payment_per_detail_only_when_they_add_up(tmp_path: Path) -> None:
    right = Camt(entries=entry("10.00", details=detail("4.00") + detail("6.00"))).xml()
    wrong = Camt(entries=entry("10.00", details=detail("4.00") + detail("5.00"))).xml()
    for name, content, expected, held in (
        ("right", right, [Decimal(4), Decimal(6)], []),
        ("wrong", wrong, [Decimal(10)], ["details_do_not_sum"]),
    ):
        desk = Desk(tmp_path / name)
        desk.take([("a.xml", content)])
        found = desk.result()
        assert amounts(found) == expected
        assert found.held["reason_code"].to_list() == held


def test_pending_entries_charges_and_other_debits_are_no_payments(tmp_path: Path) -> None:
    entries = entry("10.00") + entry("5.00", "DBIT") + entry("7.00", status="<Sts>PDNG</Sts>")
    balances = balance("OPBD", "100.00") + balance("CLBD", "105.00")
    desk = Desk(tmp_path)
    desk.take([("a.xml", Camt(entries=entries, balances=balances).xml())])
    found = desk.result()
    assert amounts(found) == [Decimal(10)]
    assert {name: found.counts[0][name] for name in ("rows_in", "loaded", "rejected", "skipped")} == {
        "rows_in": 2,
        "loaded": 1,
        "rejected": 0,
        "skipped": 1,
    }


def returned(reference: str, cents: int = -50_000, day: date = NEXT) -> Movement:
    return Movement(day, cents, "RET-0001", returns=reference)


def test_a_return_takes_back_the_payment_that_it_names(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("a.xml", camt(Account(DAY, NEXT, 0, (PAID, returned("E2E-0001")))))])
    payments = table(desk.result())
    original = payments.filter(payment_amount=Decimal(500))["payment_id"][0]
    assert payments.filter(payment_amount=Decimal(-500))["reverses_payment_id"].to_list() == [original]
    assert codes(desk) == []


@pytest.mark.parametrize(
    "back",
    [returned("E2E-0002"), returned("E2E-0001", -49_999), returned("E2E-0001", day=date(2024, 3, 3))],
    ids=["another reference", "a cent less", "before the payment"],
)
def test_a_return_without_its_payment_is_for_a_person(back: Movement, tmp_path: Path) -> None:
    first = min(DAY, back.day)
    desk = Desk(tmp_path)
    movements = tuple(sorted((PAID, back), key=lambda one: one.day))
    desk.take([("a.xml", camt(Account(first, NEXT, 100_000, movements)))])
    assert amounts(desk.result()) == [Decimal(500)]
    assert codes(desk) == [("rejected", "return_without_original")]


def test_a_payment_is_returned_once(tmp_path: Path) -> None:
    second = replace(returned("E2E-0001"), reference="RET-0002")
    desk = Desk(tmp_path)
    desk.take([("a.xml", camt(Account(DAY, NEXT, 100_000, (PAID, returned("E2E-0001"), second))))])
    assert amounts(desk.result()) == [Decimal(-500), Decimal(500)]
    assert codes(desk) == [("rejected", "return_without_original")]


OURS = {"ours": BankProfile(name="ours", recognised_by=(IBAN,), entities={IBAN: "E2"})}


@pytest.mark.parametrize(
    ("profiles", "entities", "owner"),
    [(OURS, ["E1", "E2"], "E2"), ({}, ["E1"], "E1"), ({}, ["E1", "E2"], None)],
    ids=["declared", "the only one", "nobody knows"],
)
def test_a_payment_belongs_to_the_entity_of_its_account(
    profiles: dict[str, BankProfile], entities: list[str], owner: str | None, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, profiles)
    desk.take(
        [("a.sta", mt940(Account(DAY, DAY, 0, (PAID,)))), ("b.xml", camt(Account(DAY, DAY, 0, (PAID,))))]
    )
    found = desk.result(entities)
    assert table(found)["entity_id"].to_list() == ([owner] if owner else [])
    assert found.rejected_rows["reason_code"].to_list() == ([] if owner else ["account_without_entity"])


def test_the_domestic_number_inside_an_iban_is_the_same_account(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("a.sta", mt940(Account(DAY, DAY, 0, (PAID,))))])
    before = table(desk.result())
    assert before["bank_account_id"].to_list() == [DOMESTIC.replace("/", "")]
    desk.take([("b.xml", camt(Account(NEXT, NEXT, 50_000, (), 2)))])
    after = table(desk.result())
    assert after["bank_account_id"].to_list() == [IBAN]
    assert after["payment_id"].to_list() == before["payment_id"].to_list()


def test_an_account_declared_for_nobody_we_know_closes_the_gate(tmp_path: Path) -> None:
    """Mistyped, and nobody would ask for the statements of the right entity."""
    desk = Desk(tmp_path, OURS)
    desk.take([("a.xml", camt(Account(DAY, DAY, 0, (PAID,))))])
    (check,) = [one for one in desk.result(["E1"], due=DAY).checks if one.check_name == "bank_accounts_known"]
    assert (check.severity, check.passed, check.expected) == ("gate", False, "accounts of E1")
    assert check.actual == "…3000 of E2: correct `entities` in bank_profiles"


def test_declared_accounts_must_be_complete_through_the_last_business_day(tmp_path: Path) -> None:
    desk = Desk(tmp_path, OURS)
    desk.take([("a.xml", camt(Account(DAY, DAY, 0, (PAID,))))])
    for due, passed in ((DAY, True), (NEXT, False)):
        (check,) = [one for one in desk.result(["E2"], due=due).checks if "complete" in one.check_name]
        assert (check.check_name, check.severity, check.passed) == (
            "bank_statements_complete.E2",
            "gate",
            passed,
        )
        assert check.actual == "…3000 through 2024-03-04"
