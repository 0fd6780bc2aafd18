"""A REMADV as XML, in the form of the ecosio/ERPEL message (namespaces below ``http://erpel.at/schemas/1p0``).

What is paid of a document is RemittedAmount; CommissionAmount is what the payer kept as a fee, negative where less is
paid; Adjustment elements say why, with parts of the same fee, and are not counted again.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree  # ty: ignore[missing-module-member]

from o2c.money import MINOR_UNITS
from o2c.sources.bank import values
from o2c.sources.bank.controls import Issues, check_remittance
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import (
    ZERO,
    BankFile,
    Content,
    Issue,
    Remittance,
    RemittanceLine,
    all_bytes,
    content_id,
)
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.remadv_reading import CREDIT_NOTES
from o2c.sources.bank.xml_safety import PARSER, refuse_unsafe_prolog

FORM = "remadv_xml.erpel"
ROOT = "{http://erpel.at/schemas/1p0/messaging/message}ErpelMessage"
# The whole tree is held; the largest advice seen has 15 kB.
LARGEST = 16 << 20
ASK = "ask the sender for the file again"


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All remittance advices of one XML file.

    Raises:
        RejectedFile: not well-formed, unsafe, larger than 16 MB, not an ERPEL message with a remittance advice, or an
            amount or day cannot be read.
    """
    data = all_bytes(content)
    root = _root(data, name)
    file_id, issues = content_id(data), Issues(profile)
    found = []
    for document in root.iterfind("{*}Document"):
        kind = _attribute(document, "DocumentType")
        if kind != "RemittanceAdvice":
            raise RejectedFile(name, "Document", f"{kind!r}: not a RemittanceAdvice", "deliver a REMADV")
        ordinal = len(found) + 1
        try:
            advice = _advice(document, ordinal, profile, file_id)
            faults = _checks(document, advice)
        except ValueError as error:
            raise RejectedFile(name, f"document {ordinal}", str(error), ASK) from error
        found.append(advice)
        issues.extend(faults)
    if not found:
        raise RejectedFile(name, "end of file", "no Document in it", ASK)
    if _text(root, "{*}ErpelBusinessDocumentHeader/{*}InterchangeHeader/{*}TestIndicator") == "1":
        issues.add(Issue("InterchangeHeader", "test_file", "TestIndicator is 1", "warning"))
    return BankFile(name, file_id, FORM, None, remittances=tuple(found), exceptions=tuple(issues.found))


def _root(data: bytes, name: str) -> Any:
    refuse_unsafe_prolog(data[: 1 << 16], name)
    if len(data) > LARGEST:
        raise RejectedFile(name, f"byte {LARGEST}", "larger than any remittance advice", "split the file")
    try:
        root = etree.fromstring(data, etree.XMLParser(**PARSER))
    except etree.XMLSyntaxError as error:
        line, column = error.position
        where = f"line {line}, column {column}"
        raise RejectedFile(name, where, f"not well-formed XML ({error.msg})", ASK) from error
    if root.getroottree().docinfo.doctype:
        raise RejectedFile(name, "head of the file", "it has a DOCTYPE", "check who sent it")
    if root.tag != ROOT:
        raise RejectedFile(
            name, "head of the file", f"{root.tag[:80]!r} is no ERPEL message", "deliver a REMADV"
        )
    return root


def _advice(document: Any, ordinal: int, profile: BankProfile, file_id: str) -> Remittance:
    position = f"document {ordinal}"
    items = document.iterfind("{*}Details/{*}ItemList/{*}ListLineItem")
    customer, supplier = document.find("{*}Customer"), document.find("{*}Supplier")
    return Remittance(
        ordinal,
        position,
        FORM,
        _text(document, "{*}DocumentNumber"),
        _attribute(document, "DocumentCurrency") or profile.currency_code,
        _amount(document, ".//{*}REMADVExtension/{*}AmountRemitted"),
        payer_name=_text(customer, "{*}Address/{*}Name"),
        payer_id=_text(customer, "{*}FurtherIdentification"),
        payee_name=_text(supplier, "{*}Address/{*}Name"),
        payment_date=_day(document, "{*}PaymentConditions/{*}DueDate") or _day(document, "{*}DocumentDate"),
        lines=tuple(_line(item, number, position) for number, item in enumerate(items, 1)),
        file_id=file_id,
    )


def _line(item: Any, number: int, position: str) -> RemittanceLine:
    position = f"{position}, line {number}"
    found = item.find(".//{*}REMADVListLineItemExtension")
    if found is None:
        raise ValueError(f"line {number} has no REMADVListLineItemExtension")
    kind = _text(found, "{*}BusinessProcessID")
    paid = _amount(found, "{*}MonetaryAmounts/{*}RemittedAmount/{*}Amount")
    gross = _amount(found, "{*}MonetaryAmounts/{*}InvoiceGrossAmount/{*}Amount")
    discount = _amount(found, "{*}MonetaryAmounts/{*}PaymentDiscountAmount/{*}Amount")
    fee = _amount(found, "{*}MonetaryAmounts/{*}CommissionAmount/{*}Amount")
    if kind in CREDIT_NOTES:
        paid = None if paid is None else -abs(paid)
        gross = None if gross is None else -abs(gross)
    return RemittanceLine(
        number,
        position,
        _text(found, "{*}DocumentNumber"),
        paid,
        None if discount is None else abs(discount),
        None if fee is None else -fee,
        _text(found, "{*}MonetaryAmounts/{*}Adjustment/{*}ReasonCode"),
        gross,
        kind or _text(found, "{*}DocumentName"),
        _day(found, "{*}DocumentDate"),
        text=_text(found, "{*}DocumentNameDescription"),
    )


def _checks(document: Any, advice: Remittance) -> list[Issue]:
    """The lines add up to the payment, the fees and the discounts that the message states."""
    found = check_remittance(advice)
    fees = -sum((line.deduction_amount or ZERO for line in advice.lines), ZERO)
    discounts = sum((line.discount_amount or ZERO for line in advice.lines), ZERO)
    # The schema spells it with one m.
    pairs = (("fees", "ComissionAmount", fees), ("discounts", "PaymentDiscountAmount", discounts))
    for what, element, listed in pairs:
        stated = _amount(document, f".//{{*}}REMADVExtension/{{*}}{element}")
        if stated is not None and abs(stated) != abs(listed):
            message = f"{what}: stated {stated}, found {abs(listed)}"
            found.append(Issue(advice.position, "total_differs", message, remittance_ordinal=advice.ordinal))
    if advice.currency_code and advice.currency_code not in MINOR_UNITS:
        message = f"{advice.currency_code[:10]} is not in ISO 4217"
        found.append(Issue(advice.position, "currency_unknown", message, remittance_ordinal=advice.ordinal))
    return found


def _text(element: Any, path: str) -> str | None:
    found = element.findtext(path) if element is not None else None
    return (found or "").strip() or None


def _attribute(element: Any, local: str) -> str | None:
    """An attribute of any namespace."""
    return next((value.strip() or None for key, value in element.items() if key.endswith(f"}}{local}")), None)


def _amount(element: Any, path: str) -> Decimal | None:
    text = _text(element, path)
    return values.amount(text) if text else None


def _day(element: Any, path: str) -> date | None:
    text = _text(element, path)
    return values.iso_day(text) if text else None
