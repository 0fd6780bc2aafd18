"""Remittances from a declared table: what a payer's accounts department sends as CSV or workbook.

Rules that are not obvious:

- rows with one payment reference are one remittance; without that column the whole file is one;
- ``paid_amount`` is net of discount and deduction; where the file says the gross amount as well, each line must tie;
- the payment's amount is what its column or the total row says, else the sum of the lines.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import polars as pl

from o2c.sources.bank.controls import Issues, check_remittance
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import ZERO, Issue, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import said
from o2c.sources.bank.table_form import TableForm
from o2c.sources.bank.table_rows import Rows
from o2c.sources.bank.table_values import Columns

_AMOUNTS = ("paid_amount", "gross_amount", "discount_amount", "deduction_amount", "payment_amount")
_TEXTS = ("reason_code", "payer_name", "payer_id", "document_type", "text", "other_references")


@dataclass(frozen=True, slots=True)
class _Line:
    """One row: the line, and what it says of the payment it belongs to."""

    line: RemittanceLine
    reference: str | None
    currency: str | None
    payment_amount: Decimal | None
    payment_date: date | None
    payer_name: str | None
    payer_id: str | None
    complaint: tuple[str, str] | None


def remittances(
    rows: Rows, name: str, profile: BankProfile, form: TableForm, file_format: str
) -> tuple[list[Remittance], list[Issue]]:
    """The remittances of a table of kind ``remittance``, and what is wrong with them.

    Raises:
        RejectedFile: no rows, a declared total row is missing, or a row has no amount or one that cannot be read.
    """
    rows, last = _without_total(rows, name, form)
    if not rows.positions:
        raise RejectedFile(name, "file", "a remittance without lines", "ask the payer for it again")
    columns = Columns(rows, form, name)
    groups: dict[tuple[str | None, str | None], list[_Line]] = {}
    for one in _lines(columns, profile):
        groups.setdefault((one.reference, one.currency), []).append(one)
    columns.refuse_troubles()
    total = _total(last, name, form, [currency for _, currency in groups]) if last else None
    issues = Issues(profile)
    found = []
    for ordinal, ((reference, currency), lines) in enumerate(groups.items(), 1):
        one = _remittance(ordinal, reference, currency, lines, name, file_format)
        if total is not None and len(groups) == 1 and lines[0].payment_amount is None:
            one = replace(one, total_amount=total)
        for line in lines:
            if line.complaint:
                issues.add(Issue(line.line.position, *line.complaint, remittance_ordinal=ordinal))
        issues.extend(check_remittance(one))
        found.append(one)
    stated = sum((one.total_amount for one in found if one.total_amount is not None), ZERO)
    if total is not None and stated != total:
        message = f"the total row says {total}, the remittances sum to {stated}"
        issues.add(Issue("total row", "remittance_does_not_sum", message))
    return found, issues.found


def _without_total(rows: Rows, name: str, form: TableForm) -> tuple[Rows, Rows | None]:
    """The lines, and the declared total row, which must be the last one."""
    if form.total_word is None:
        return rows, None
    first = rows.frame.select(pl.coalesce(pl.all())).to_series()
    at = (first == form.total_word).arg_true().to_list()
    if at != [rows.frame.height - 1]:
        reason = f"no last row with {form.total_word!r}: the file is cut off, or has several"
        raise RejectedFile(
            name, rows.positions[at[0]] if at else "end of file", reason, "ask the payer for it again"
        )
    return _part(rows, 0, at[0]), _part(rows, at[0], 1)


def _part(rows: Rows, start: int, count: int) -> Rows:
    typed = rows.typed.slice(start, count) if rows.typed is not None else None
    positions = rows.positions[start : start + count]
    return Rows(rows.columns, rows.frame.slice(start, count), positions, typed)


def _total(last: Rows, name: str, form: TableForm, currencies: list[str | None]) -> Decimal:
    columns = Columns(last, form, name)
    what = "paid_amount" if columns.has("paid_amount") else "gross_amount"
    found = columns.amounts(what, [currencies[0]])[0]
    columns.refuse_troubles()
    if found is None or len(set(currencies)) > 1:
        reason = "the total row has no amount" if found is None else "one total row over several currencies"
        raise RejectedFile(name, last.positions[0], reason, "ask the payer for it again")
    return found


def _lines(columns: Columns, profile: BankProfile) -> list[_Line]:
    currencies = columns.currencies(profile.currency_code)
    amounts = {what: columns.amounts(what, currencies) for what in _AMOUNTS}
    texts = {what: columns.texts(what) for what in _TEXTS}
    invoices = columns.texts("invoice_reference", is_reference=True)
    payments = columns.texts("payment_reference", is_reference=True)
    payment_days, document_days = columns.days("payment_date"), columns.days("document_date")
    found = []
    for row, position in enumerate(columns.rows.positions):
        gross, discount, deduction = (
            amounts[what][row] for what in ("gross_amount", "discount_amount", "deduction_amount")
        )
        kept = (discount or ZERO) + (deduction or ZERO)
        paid = amounts["paid_amount"][row]
        complaint = None
        if paid is None and gross is not None:
            paid = gross - kept
        elif paid is not None and gross is not None and gross - kept != paid:
            complaint = "remittance_does_not_sum", f"gross {gross} less {kept} kept is not {paid} paid"
        if paid is None:
            columns.trouble(row, "the row has no amount")
            continue
        invoice = said(invoices[row])
        if invoice is None:
            complaint = "value_unreadable", f"{paid} paid without an invoice reference"
        line = RemittanceLine(
            ordinal=row + 1,
            position=position,
            invoice_reference=invoice,
            paid_amount=paid,
            discount_amount=discount,
            deduction_amount=deduction,
            reason_code=texts["reason_code"][row],
            gross_amount=gross,
            document_type=texts["document_type"][row],
            document_date=document_days[row],
            other_references=tuple((texts["other_references"][row] or "").splitlines()),
            text=texts["text"][row],
        )
        found.append(
            _Line(
                line,
                said(payments[row]),
                currencies[row],
                amounts["payment_amount"][row],
                payment_days[row],
                texts["payer_name"][row],
                texts["payer_id"][row],
                complaint,
            )
        )
    return found


def _remittance(
    ordinal: int,
    reference: str | None,
    currency: str | None,
    lines: list[_Line],
    name: str,
    file_format: str,
) -> Remittance:
    """One payment's lines; what the rows say of the payment must be the same in each."""
    first = lines[0]
    stated = {one.payment_amount for one in lines} - {None}
    if len(stated) > 1:
        reason = f"the lines of payment {reference!r} state different amounts of it"
        raise RejectedFile(name, first.line.position, reason, "ask the payer for it again")
    summed = sum((one.line.paid_amount for one in lines if one.line.paid_amount is not None), ZERO)
    return Remittance(
        ordinal=ordinal,
        position=first.line.position,
        format=file_format,
        reference=reference,
        currency_code=currency,
        total_amount=next(iter(stated), summed),
        payer_name=first.payer_name,
        payer_id=first.payer_id,
        payment_date=first.payment_date,
        lines=tuple(replace(one.line, ordinal=number) for number, one in enumerate(lines, 1)),
    )
