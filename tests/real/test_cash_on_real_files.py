"""Real payments and remittances against the items that they name: what the engine settles, withholds and leaves."""

import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bank_outcomes import DATA

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "bank"))
from money_files import Desk, table
from x12_files import Advice

from o2c.frames import ApplicableItems, ApplicablePayments, RemittanceLines
from o2c.matching import apply_cash
from o2c.matching.book import CashBook, CashResult
from o2c.policy import load_policies

POLICIES = load_policies(Path(__file__).parents[2] / "policies")
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not here")


@dataclass(frozen=True)
class Delivered:
    """What a home makes of one bank file."""

    payments: pl.DataFrame
    lines: pl.DataFrame


def delivered(file: str, folder: Path, *, is_released: bool = False) -> Delivered:
    """Payments and lines of a real file; ``is_released`` where a person has let go what was held."""
    desk = Desk(folder)
    report = desk.take([(Path(file).name, (DATA / file).read_bytes())])
    assert report.refused == []
    found = desk.result()
    held = pl.lit(False) if is_released else pl.col("payment_id").is_in(found.held["payment_id"].implode())
    payments = table(found).with_columns(unapplied_amount="payment_amount", is_held=held)
    lines = table(found, "remittance_lines")
    return Delivered(payments.select(ApplicablePayments.columns()), lines.select(RemittanceLines.columns()))


def paid_as_advised(reference: str, amount: str, currency: str) -> pl.DataFrame:
    """The payment that an advice announces: the bank delivers it with the advice's reference as its text."""
    row: dict[str, Any] = dict.fromkeys(ApplicablePayments.columns())
    row |= {"payment_id": "P", "entity_id": "E1", "currency_code": currency, "reference_text": reference}
    row |= {"payment_amount": Decimal(amount), "unapplied_amount": Decimal(amount), "is_held": False}
    row |= {"value_date": date(2026, 9, 30)}
    return pl.DataFrame([row], schema=ApplicablePayments.empty().schema)


def items(currency: str, dated: date, amounts: dict[str, str]) -> pl.DataFrame:
    """Open documents of customer C by number and amount, due a month after their date."""
    rows = [
        dict.fromkeys(ApplicableItems.columns())
        | {"invoice_id": f"id-{number}", "invoice_number": number, "entity_id": "E1", "customer_id": "C"}
        | {"document_type": "credit_memo" if amount.startswith("-") else "invoice", "currency_code": currency}
        | {"invoice_amount": Decimal(amount), "open_amount": Decimal(amount)}
        | {"invoice_date": dated, "due_date": dated}
        for number, amount in amounts.items()
    ]
    return pl.DataFrame(rows, schema=ApplicableItems.empty().schema)


def applied(open_items: pl.DataFrame, payments: pl.DataFrame, lines: pl.DataFrame) -> CashResult:
    as_of = max(payments["value_date"].to_list())
    book = CashBook(items=open_items, payments=payments, remittance_lines=lines)
    return apply_cash(book, POLICIES.matching, POLICIES.reason_codes, as_of)


def settled(result: CashResult) -> list[tuple]:
    return sorted(
        result.applications.select(
            "invoice_id", "application_type", "credit_memo_id", "applied_amount"
        ).rows(),
        key=str,
    )


def test_swiss_references_settle_the_invoices_that_they_hold(tmp_path: Path) -> None:
    found = delivered("camt/metasfresh_ch/camt054.xml", tmp_path)
    # an ESR reference: the number, filled up with zeros, and a check digit
    numbers = found.payments.select(
        "payment_id",
        amount=pl.col("payment_amount").cast(pl.String),
        number=pl.col("reference_text").str.extract(r"\b0+([1-9][0-9]*)[0-9]\b"),
    )
    assert numbers["number"].n_unique() == 10
    amounts = dict(numbers.select("number", "amount").iter_rows())
    result = applied(items("CHF", date(2016, 4, 1), amounts), found.payments, found.lines)
    assert sorted(
        result.applications.select("payment_id", "invoice_id", "applied_amount", "rule").rows()
    ) == [
        (payment_id, f"id-{number}", Decimal(amount), "creditor_reference")
        for payment_id, amount, number in numbers.sort("payment_id").iter_rows()
    ]
    assert result.exceptions.is_empty()


def test_a_remittance_that_does_not_add_up_is_for_a_person_held_or_not(tmp_path: Path) -> None:
    file = "ach/dfdl/TestData_2013/ctx_valid_2.txt"
    open_items = items("USD", date(2011, 6, 1), {"0140611": "69233.64", "0140845": "58970.88"})
    for is_released, reason in ((False, "held"), (True, "remittance_does_not_add_up")):
        found = delivered(file, tmp_path / reason, is_released=is_released)
        assert found.lines["paid_amount"].sum() == Decimal("125898.43")
        result = applied(open_items, found.payments, found.lines)
        assert result.applications.is_empty()
        columns = ("reason_code", "payment_amount", "unapplied_amount")
        amount = Decimal("112998.43")
        assert result.exceptions.select(columns).rows() == [(reason, amount, amount)]


def test_a_fee_in_an_advice_is_withheld_from_its_invoice_for_its_reason(tmp_path: Path) -> None:
    found = delivered("edifact_remadv/metasfresh_ecosio/a_10_EcosioRemadvTestFile.xml", tmp_path)
    payment = paid_as_advised("remadv_externalDocNumber", "16.40", "EUR")
    result = applied(items("EUR", date(2020, 10, 30), {"145808": "21.40"}), payment, found.lines)
    assert settled(result) == [("id-145808", "payment", None, Decimal("16.4"))]
    columns = ("invoice_id", "customer_reason_code", "deduction_amount")
    assert result.deductions.select(columns).rows() == [("id-145808", "edifact_4465:19", Decimal(5))]
    # 19 is a trade discount in EDIFACT; in X12 it would be an invoice billed twice
    assert result.deductions["reason_code"].to_list() == [POLICIES.reason_codes.edifact_4465["19"]]


def test_an_adjustment_of_one_document_of_an_advice_is_withheld_and_the_other_is_paid(tmp_path: Path) -> None:
    found = delivered("edifact_remadv/mock_edi_rendered/adjusted_document.edi", tmp_path)
    payment = paid_as_advised("RA-0003", "150.00", "EUR")
    open_items = items("EUR", date(2026, 9, 1), {"INV8000001": "112.50", "INV8000002": "50.00"})
    result = applied(open_items, payment, found.lines)
    assert settled(result) == [
        ("id-INV8000001", "payment", None, Decimal(100)),
        ("id-INV8000002", "payment", None, Decimal(50)),
    ]
    columns = ("invoice_id", "customer_reason_code", "deduction_amount")
    assert result.deductions.select(columns).rows() == [("id-INV8000001", "edifact_4465:71", Decimal("12.5"))]


def test_an_820_settles_its_invoices(tmp_path: Path) -> None:
    found = delivered("x12/820_mock_edi/two_invoices.edi", tmp_path)
    payment = paid_as_advised("TR-0001", "150.00", "USD")
    open_items = items("USD", date(2026, 9, 1), {"INV8000001": "100.00", "INV8000002": "50.00"})
    result = applied(open_items, payment, found.lines)
    assert settled(result) == [
        ("id-INV8000001", "payment", None, Decimal(100)),
        ("id-INV8000002", "payment", None, Decimal(50)),
    ]
    assert result.exceptions.is_empty()


def test_what_an_820_takes_off_the_whole_payment_is_for_a_person(
    tmp_path: Path,
) -> None:
    found = delivered("x12/820_mock_edi/ent_level_deduction.edi", tmp_path)
    assert found.lines.select("invoice_reference", "paid_amount", "reason_code").rows() == [
        ("(none)", Decimal(-10), "01"),
        ("INV8000001", Decimal(100), None),
        ("INV8000002", Decimal(50), None),
    ]
    payment = paid_as_advised("TR-0002", "140.00", "USD")
    open_items = items("USD", date(2026, 9, 1), {"INV8000001": "100.00", "INV8000002": "50.00"})
    result = applied(open_items, payment, found.lines)
    # nobody says from which of the two it is withheld
    assert result.applications.is_empty()
    assert result.exceptions.select("payment_id", "reason_code").rows() == [("P", "remittance_unknown_item")]


def test_an_820_nets_its_credit_memos(tmp_path: Path) -> None:
    body = "ENT*1~RMR*IV*INV-1**100.00*100.00~RMR*IV*INV-2**50.00*50.00~RMR*CM*CM-7**10.50~"
    advice = tmp_path / "advice.edi"
    advice.write_bytes(Advice(amount="139.50", body=body).data())
    found = delivered(str(advice), tmp_path / "home")
    open_items = items("USD", date(2026, 9, 1), {"INV-1": "100.00", "INV-2": "50.00", "CM-7": "-10.50"})
    result = applied(open_items, paid_as_advised("TR-1", "139.50", "USD"), found.lines)
    of_type = result.applications.group_by("application_type").agg(pl.col("applied_amount").sum())
    assert dict(of_type.iter_rows()) == {"payment": Decimal("139.5"), "credit_memo": Decimal("10.5")}
    of_item = result.applications.group_by("invoice_id").agg(pl.col("applied_amount").sum())
    assert dict(of_item.iter_rows()) == {"id-INV-1": Decimal(100), "id-INV-2": Decimal(50)}
    assert result.applications["credit_memo_id"].drop_nulls().unique().to_list() == ["id-CM-7"]
    assert result.exceptions.is_empty()


def test_the_lines_of_a_large_820_keep_their_credit_memos_negative(tmp_path: Path) -> None:
    found = delivered("x12/820/Example7_FromScott.txt", tmp_path)
    negative = found.lines.filter(pl.col("paid_amount") < 0)
    assert (found.lines.height, found.lines["paid_amount"].sum(), negative.height) == (
        29,
        Decimal("28051.32"),
        5,
    )
    # each line is an adjustment of an amount that was not invoiced: nothing of a document is settled by it
    settled_amount = found.lines.select(
        pl.sum_horizontal("paid_amount", pl.col("discount_amount", "deduction_amount").fill_null(0))
    ).to_series()
    assert settled_amount.filter(settled_amount != 0).to_list() == []
