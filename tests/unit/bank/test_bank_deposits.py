"""A lockbox file and the deposit that the bank books for it; remittances and the payment they go with."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from money_files import Account, Desk, Movement, amounts, mt940, table

DAY = date(2016, 5, 23)
# One check of 7,000.00 for one document.
LOCKBOX = (
    b"100ABCDEFGHIJ00999999911605231800\n"
    b"2ABCDEFGHIJ0099999991000000000040008000801\n"
    b"50000000022222160523ABCDEFGHIJ0099999991\n"
    b"6001001000070000005500270700123455550000000180051616BOB E SMITH                   MY BUSINESS COMPANY\n"
    b"40010016019CE554\n"
    b"700100000222221605230010000700000\n"
    b"8000000002222216052300010000700000\n"
    b"9000008\n"
)


def bai2(cents: int, day: date = DAY, text: str = "LOCKBOX DEPOSIT 22222") -> bytes:
    """One account with one lockbox deposit (115)."""
    opening, closing = 100_000, 100_000 + cents
    stamp = f"{day:%y%m%d}"
    account = opening + closing + cents
    return (
        f"01,BANK,OURS,{stamp},0700,1,80,,2/\n02,OURS,BANK,1,{stamp},,USD,2/\n"
        f"03,4444555566,USD,010,{opening},,,015,{closing},,/\n16,115,{cents},Z,BR1,,{text}/\n"
        f"49,{account},3/\n98,{account},1,5/\n99,{account},1,7/\n"
    ).encode()


@pytest.mark.parametrize("order", ["lockbox first", "deposit first"])
def test_the_checks_of_a_lockbox_stand_for_the_deposit(order: str, tmp_path: Path) -> None:
    files = [("lockbox.txt", LOCKBOX), ("day.bai", bai2(700_000))]
    desk = Desk(tmp_path)
    report = desk.take(files if order == "lockbox first" else reversed(files))
    assert report.refused == []
    found = desk.result()
    payments = table(found)
    assert payments.select("payment_amount", "payer_name", "payment_method").rows() == [
        (Decimal(7000), "BOB E SMITH", "check")
    ]
    lines = table(found, "remittance_lines").select("payment_id", "invoice_reference", "paid_amount")
    assert lines.rows() == [(payments["payment_id"][0], "CE554", Decimal(7000))]


def test_a_lockbox_before_its_deposit_is_money_and_stays_the_same_payment(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("lockbox.txt", LOCKBOX)])
    before = table(desk.result())
    assert before["payment_amount"].to_list() == [Decimal(7000)]
    desk.take([("day.bai", bai2(700_000))])
    assert table(desk.result()).equals(before)


def test_a_lockbox_whose_deposit_is_not_on_the_covered_day_is_for_a_person(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("lockbox.txt", LOCKBOX), ("day.bai", bai2(700_001))])
    found = desk.result()
    assert amounts(found) == [Decimal("7000.01")]
    assert found.rejected_rows["reason_code"].to_list() == ["notified_not_booked"]


def x12(reference: str, total: str) -> bytes:
    """An 820 of one payment for two documents."""
    segments = [
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*OURS           *160523*0700*U*00401*000000001*0*P*>",
        "GS*RA*PAYER*OURS*20160523*0700*1*X*004010",
        "ST*820*0001",
        f"BPR*C*{total}*C*ACH*CTX*01*011000015*DA*111*1234567890**01*021000021*DA*4444555566*20160523",
        f"TRN*1*{reference}",
        "N1*PR*ACME CORP",
        "ENT*1",
        "RMR*IV*INV-1**400.00",
        "RMR*IV*INV-2**100.00",
        "SE*8*0001",
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return ("~\n".join(segments) + "~\n").encode()


@pytest.mark.parametrize(
    ("total", "is_linked"), [("500.00", True), ("500.01", False)], ids=["the same total", "a cent more"]
)
def test_a_remittance_goes_with_the_payment_of_its_reference_and_total(
    total: str, is_linked: bool, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    account = Account(DAY, DAY, 0, (Movement(DAY, 50_000, "TRACE00012345"),))
    report = desk.take([("day.sta", mt940(account)), ("820.edi", x12("TRACE00012345", total))])
    assert report.refused == []
    found = desk.result()
    lines = table(found, "remittance_lines")
    payment_id = table(found)["payment_id"][0]
    assert amounts(found) == [Decimal(500)]
    assert lines["payment_id"].to_list() == [payment_id if is_linked else None] * 2
    assert lines.select("payment_reference", "invoice_reference", "paid_amount").rows() == [
        ("TRACE00012345", "INV-1", Decimal(400)),
        ("TRACE00012345", "INV-2", Decimal(100)),
    ]


def test_the_same_remittance_twice_is_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    again = x12("TRACE00012345", "500.00").replace(b"~\n", b"~")
    desk.take([("820.edi", x12("TRACE00012345", "500.00")), ("again.edi", again)])
    lines = table(desk.result(), "remittance_lines")
    assert lines.select(pl.col("remittance_id").n_unique(), pl.len()).row(0) == (1, 2)
