"""Small tables and the profiles that declare them."""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from openpyxl import Workbook

from o2c.sources.bank.profiles import BankProfile

STATEMENT = {
    "kind": "statement",
    "header": ["Date", "Text", "Amount"],
    "statement": {"date": "Date", "amount": "Amount", "text": ["Text"]},
}
REMITTANCE = {
    "kind": "remittance",
    "header": ["Invoice", "Gross", "Discount", "Deduction", "Reason", "Paid", "Payment"],
    "remittance": {
        "invoice_reference": "Invoice",
        "gross_amount": "Gross",
        "discount_amount": "Discount",
        "deduction_amount": "Deduction",
        "reason_code": "Reason",
        "paid_amount": "Paid",
        "payment_reference": "Payment",
    },
}


def profile(table: dict[str, Any], *, currency: str | None = "EUR", **more: Any) -> BankProfile:
    """A profile that declares one table."""
    return BankProfile.model_validate({"name": "mine", "currency_code": currency, "table": table} | more)


def csv(*lines: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


def workbook(*rows: list[Any], title: str = "Sheet1", others: tuple[str, ...] = ()) -> bytes:
    """A workbook of one filled sheet, and empty ones of the names of ``others``."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for name in others:
        book.create_sheet(name)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def shared_workbook(*rows: list[str]) -> bytes:
    """A workbook whose texts stand apart from their cells, as spreadsheet programs write it."""
    target = BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return target.getvalue()


def with_part(content: bytes, path: str, old: bytes | None, new: bytes) -> bytes:
    """The workbook with a text in one part replaced, or the whole part where ``old`` is None."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(target, "w", ZIP_DEFLATED) as copy:
        for name in source.namelist():
            part = source.read(name)
            if name == path:
                assert old is None or old in part
                part = new if old is None else part.replace(old, new, 1)
            copy.writestr(name, part)
    return target.getvalue()
