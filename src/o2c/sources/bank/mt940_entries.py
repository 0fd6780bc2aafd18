"""From an entry line (:61:) and its text (:86:) to the canonical entry and the transaction behind it."""

from o2c.sources.bank.builders import builder, unfrozen
from o2c.sources.bank.model import Detail, Entry, Method
from o2c.sources.bank.mt940_fields import EntryLine
from o2c.sources.bank.mt940_text import EntryText, entry_text
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import reference, said

_UnfrozenEntry, _new_detail = unfrozen(Entry), builder(Detail)
# SWIFT's own transaction types; S with three digits is the message that moved the money.
TYPES: dict[str, Method] = {"NCHK": "check", "FCHK": "check", "NCLR": "check", "NDDT": "direct_debit"}
# Business transaction codes of the German banks (DK, Geschaeftsvorfallcodes), those of payments.
_BY_METHOD: dict[Method, str] = {
    "ach": "051 052 053 116 117 152 153 154 156 166 191 194",
    "direct_debit": "004 005 104 105 171 174 192 196",
    "check": "070 101 102 103 170",
    "cash": "082 083",
    "wire": "201 202",
}
CODES: dict[str, Method] = {code: method for method, codes in _BY_METHOD.items() for code in codes.split()}
# Codes of entries that give back an earlier payment: direct debits and credit transfers that came back.
RETURNS = frozenset({"108", "109", "159", "181", "183", "184"})


def entry_of(
    line: EntryLine, texts: list[str], ordinal: int, position: str, currency_code: str, profile: BankProfile
) -> Entry:
    """One :61: with all its :86:, in the currency of the account.

    A batch (/NRTX/ above 1) has no detail: what stands in its text is about none of its payments.
    """
    text = entry_text("\n".join(texts))
    is_return = text.code in RETURNS or line.type_code == "NRTI" or text.is_returned
    is_batch = bool(text.batch_count and text.batch_count > 1)
    entry = _UnfrozenEntry(
        ordinal=ordinal,
        position=position,
        amount=line.amount,
        currency_code=currency_code,
        booking_date=line.entry_date,
        value_date=line.value_date,
        status="pending" if line.is_expected else "booked",
        is_reversal=line.is_reversal,
        bank_reference=said(line.bank_reference),
        customer_reference=_customer_reference(line.customer_reference),
        batch_id=text.batch_id,
        batch_count=text.batch_count if is_batch else None,
        type_code=line.type_code,
        proprietary_code=text.code,
        method=_method(line.type_code, text.code, profile),
        return_code=(text.return_code or line.type_code) if is_return else None,
        original_reference=text.end_to_end_id if is_return else None,
        text=text.text if is_batch else "\n".join(filter(None, (text.posting, line.supplement))) or None,
    )
    if any(texts) and not is_batch:
        entry.details = (_detail(entry, text, line.supplement),)
    entry.__class__ = Entry
    return entry


def _method(type_code: str, code: str | None, profile: BankProfile) -> Method | None:
    """What the bank's profile says of its code or type, else the German code, else SWIFT's type."""
    for one in (code, type_code):
        if one and one in profile.methods:
            return profile.methods[one]
    if type_code[0] == "S" and type_code[1:].isdecimal():
        return "wire"
    return CODES.get(code or "") or TYPES.get(type_code)


def _customer_reference(text: str) -> str | None:
    """SWIFT writes NONREF where there is no reference; KREF+ says that it stands in the :86:."""
    return None if text == "KREF+" else said(text)


def _detail(entry: Entry, text: EntryText, supplement: str) -> Detail:
    """The transaction behind an entry. The other side is the payer of a credit and the payee of a debit."""
    is_credit = entry.amount >= 0
    is_check = entry.method == "check" and (entry.customer_reference or "").isdecimal()
    return _new_detail(
        ordinal=1,
        position=f"{entry.position}, detail 1",
        amount=entry.amount,
        currency_code=entry.currency_code,
        payer_name=text.name if is_credit else None,
        payer_account=text.account if is_credit else None,
        payer_bank=text.bank if is_credit else None,
        payee_name=None if is_credit else text.name,
        payee_account=None if is_credit else text.account,
        end_to_end_id=text.end_to_end_id,
        instruction_id=text.instruction_id,
        mandate_id=text.mandate_id,
        check_number=entry.customer_reference if is_check else None,
        bank_reference=entry.bank_reference,
        references=tuple(reference(one) for one in text.creditor_references),
        text=text.text,
        additional_text="\n".join(filter(None, (text.message, supplement))) or None,
        ultimate_payer_name=text.ultimate if is_credit else None,
        type_code=entry.type_code,
        return_code=entry.return_code,
        original_reference=entry.original_reference,
    )
