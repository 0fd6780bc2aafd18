"""One transaction of OFX as an entry, and what is odd about it."""

from typing import Literal

from o2c.sources.bank import ofx_values as take
from o2c.sources.bank.methods import method_of
from o2c.sources.bank.model import Detail, Entry, Issue, Method
from o2c.sources.bank.ofx_elements import Element
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account

# TRNTYPE (OFX 2.2, 11.4.4.3). Types that do not say how money came have no method.
TYPES: dict[str, Method | None] = {
    "CREDIT": None,
    "DEBIT": None,
    "INT": "other",
    "DIV": "other",
    "FEE": "other",
    "SRVCHG": "other",
    "DEP": None,
    "ATM": "cash",
    "POS": "card",
    "XFER": "ach",
    "CHECK": "check",
    "PAYMENT": "ach",
    "CASH": "cash",
    "DIRECTDEP": "ach",
    "DIRECTDEBIT": "direct_debit",
    "REPEATPMT": "ach",
    "HOLD": None,
    "OTHER": None,
}
# Types that say a direction; all others may go either way.
SIGNS = {"CREDIT": 1, "DEP": 1, "DIRECTDEP": 1, "DEBIT": -1}


def entry(
    element: Element, ordinal: int, position: str, statement_currency: str | None, profile: BankProfile
) -> Entry:
    """The entry of a ``STMTTRN``, or of a ``STMTTRNP``, which is pending.

    ``CURRENCY`` says that the amount itself is in another currency; ``ORIGCURRENCY`` only what it was before.

    Raises:
        ValueError: no amount, day or currency, or one of them cannot be read.
    """
    written = take.text(element, "TRNAMT")
    posted = take.text(element, "DTPOSTED" if element.tag == "STMTTRN" else "DTTRAN")
    if written is None or posted is None:
        raise ValueError("no TRNAMT" if written is None else "no day of posting")
    amount = take.amount(written)
    stated = take.currency(take.text(take.child(element, "CURRENCY"), "CURSYM"))
    currency = stated or statement_currency
    if currency is None:
        raise ValueError("neither CURDEF nor CURSYM nor the bank's profile says the currency")
    type_code = (take.text(element, "TRNTYPE") or "").upper() or None
    available = take.text(element, "DTAVAIL")
    return Entry(
        ordinal=ordinal,
        position=position,
        amount=amount,
        currency_code=currency,
        booking_date=take.day(posted),
        value_date=take.day(available) if available else None,
        status=_status(element),
        bank_reference=take.text(element, "FITID"),
        customer_reference=take.text(element, "REFNUM"),
        type_code=type_code,
        method=method_of(None, type_code, profile) or TYPES.get(type_code or ""),
        original_reference=take.text(element, "CORRECTFITID"),
        instructed_currency_code=take.currency(take.text(take.child(element, "ORIGCURRENCY"), "CURSYM")),
        details=(_detail(element, position, amount >= 0, Entry(0, "", amount, currency)),),
    )


def entry_issues(found: Entry, statement_ordinal: int) -> list[Issue]:
    """What is odd about an entry and needs a person: a sign against its type, a correction, an unknown type."""
    said: list[tuple[str, str, Literal["exception", "warning"]]] = []
    if found.type_code and found.type_code not in TYPES:
        said.append(("unknown_code", f"TRNTYPE {found.type_code[:20]!r}", "warning"))
    if SIGNS.get(found.type_code or "", 0) * found.amount < 0:
        said.append(("sign_differs", f"a {found.type_code} of {found.amount}", "exception"))
    if found.original_reference:
        what = "deletes" if found.status == "information" else "replaces"
        said.append(("entry_corrected", f"{what} the entry {found.original_reference[:60]!r}", "exception"))
    return [
        Issue(found.position, code, message, severity, statement_ordinal, found.ordinal)
        for code, message, severity in said
    ]


def _status(element: Element) -> Literal["booked", "pending", "information"]:
    """An entry that deletes an earlier one moves no money itself; one that replaces it does."""
    if element.tag == "STMTTRNP" or take.text(element, "TRNTYPE") == "HOLD":
        return "pending"
    return "information" if take.text(element, "CORRECTACTION") == "DELETE" else "booked"


def _detail(element: Element, position: str, is_credit: bool, of: Entry) -> Detail:
    """The other party and what it says. NAME is the payer of a credit and the payee of a debit."""
    payee = take.child(element, "PAYEE")
    party = take.text(element, "EXTDNAME") or take.text(element, "NAME") or take.text(payee, "NAME")
    other = take.child(element, "BANKACCTTO") or take.child(element, "CCACCTTO")
    number, bank = take.text(other, "ACCTID"), take.text(other, "BANKID")
    number = account(number) if number else None
    check = take.text(element, "CHECKNUM") or take.text(element, "CHKNUM")
    return Detail(
        ordinal=1,
        position=f"{position}, detail 1",
        amount=of.amount,
        currency_code=of.currency_code,
        payer_name=party if is_credit else None,
        payer_account=number if is_credit else None,
        payer_bank=bank if is_credit else None,
        payee_name=None if is_credit else party,
        payee_account=None if is_credit else number,
        # 0 stands for no check at banks that always write the tag.
        check_number=check if check and check.strip("0") else None,
        bank_reference=take.text(element, "FITID"),
        text=take.texts(element, "MEMO"),
        type_code=(take.text(element, "TRNTYPE") or "").upper() or None,
    )
