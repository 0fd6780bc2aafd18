"""Structured remittance information of a camt transaction: references, and documents with what is paid of each."""

from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.camt_text import Group
from o2c.sources.bank.model import ZERO, Reference, RemittanceLine
from o2c.sources.bank.references import reference

# ISO 20022 external document types that reduce what is owed.
CREDIT_DOCUMENTS = frozenset({"CREN", "SBIN_CREN"})


def structured_references(blocks: list[Group]) -> tuple[Reference, ...]:
    """The creditor reference of each structured block, in order."""
    return tuple(
        reference(text) for block in blocks if (text := block.first("CdtrRefInf/Ref", "CdtrRefInf/CdtrRef"))
    )


def document_lines(blocks: list[Group], position: str) -> tuple[RemittanceLine, ...]:
    """One line per referred document. Amounts belong to a block: two documents in one block share none of them."""
    found: list[RemittanceLine] = []
    for block in blocks:
        documents = block.groups.get("RfrdDocInf", [])
        for document in documents:
            amounts = block if len(documents) == 1 else Group()
            found.append(_line(document, amounts, len(found) + 1, position))
    return tuple(found)


def _line(document: Group, block: Group, ordinal: int, position: str) -> RemittanceLine:
    kind = document.first("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd")
    sign = -1 if kind in CREDIT_DOCUMENTS else 1
    gross = _amount(block.first("RfrdDocAmt/DuePyblAmt"))
    paid = _amount(block.first("RfrdDocAmt/RmtdAmt", "RfrdDocAmt/CdtNoteAmt"))
    discounts = [_amount(one.first("", "Amt")) or ZERO for one in block.groups.get("DscntApldAmt", ())]
    adjustments = block.groups.get("AdjstmntAmtAndRsn", [])
    day = document.first("RltdDt", "RltdDt/Dt")
    return RemittanceLine(
        ordinal=ordinal,
        position=f"{position}, document {ordinal}",
        invoice_reference=document.first("Nb"),
        paid_amount=None if paid is None else sign * paid,
        discount_amount=sum(discounts, ZERO) if discounts else None,
        deduction_amount=_deduction(adjustments),
        reason_code=next((text for one in adjustments if (text := one.first("Rsn"))), None),
        gross_amount=None if gross is None else sign * gross,
        document_type=kind,
        document_date=values.iso_day(day) if day else None,
        text=next((text for one in adjustments if (text := one.first("AddtlInf"))), None),
    )


def _deduction(adjustments: list[Group]) -> Decimal | None:
    """What the payer took off: an adjustment in the payer's favour (CRDT, or unsaid) is positive."""
    if not adjustments:
        return None
    return sum(
        (
            (-1 if one.first("CdtDbtInd") == "DBIT" else 1) * (_amount(one.first("Amt")) or ZERO)
            for one in adjustments
        ),
        ZERO,
    )


def _amount(text: str | None) -> Decimal | None:
    return values.amount(text) if text else None
