"""What every bank reader returns: statements with entries and details, remittances with lines, issues.

Amounts are exact decimals in units of their currency, credits to our account positive and debits negative.
Days are dates. Text is as the bank wrote it, without the blanks around it; what was not said is None, never "".
``position`` says where a person finds the thing in the file (``line 12``; ``statement 2, entry 3, detail 1``);
``ordinal`` counts from 1 within the parent, except that entries and remittances count through the whole file, so that
(file_id, ordinal) names one of them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Literal

ZERO = Decimal(0)

# The words of the contract's payments.payment_method.
Method = Literal["check", "ach", "wire", "card", "direct_debit", "cash", "other"]
ReferenceKind = Literal[
    "creditor_reference",  # ISO 11649: RF + check digits
    "qr_reference",  # Swiss QR, 27 digits with a check digit (also the old orange ESR/ISR)
    "structured",  # a structured reference of another scheme
    "document",  # an invoice or credit memo named by the payer
    "customer",  # our number for the payer, or the payer's own reference to us
]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something about a complete file that a person must look at. An ``exception`` holds its payments back."""

    position: str
    code: str
    message: str
    severity: Literal["exception", "warning"] = "exception"
    # What the issue is about, where it is about a part: then only that part is held back.
    statement_ordinal: int | None = None
    entry_ordinal: int | None = None
    remittance_ordinal: int | None = None
    # Said by checks over several files; an issue inside a BankFile is about that file.
    file_id: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance the bank stated. ``code`` is the bank's word: OPBD, PRCD, CLBD, CLAV, 60F, 015."""

    code: str
    amount: Decimal
    currency_code: str | None
    balance_date: date | None


@dataclass(frozen=True, slots=True)
class StatedTotals:
    """Counts and totals that the file itself states, for the controls; all unsigned but ``net_amount``."""

    entry_count: int | None = None
    gross_amount: Decimal | None = None
    net_amount: Decimal | None = None
    credit_count: int | None = None
    credit_amount: Decimal | None = None
    debit_count: int | None = None
    debit_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference as written, and in the one spelling that can be compared; ``is_valid`` by its own check digit.

    ``normalised`` has no blanks or dashes and is upper case. ``is_valid`` is None where the kind has no check digit.
    """

    kind: ReferenceKind
    text: str
    normalised: str
    is_valid: bool | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee on an entry or a detail, positive when the bank took it. Included: the booked amount is net of it."""

    amount: Decimal
    currency_code: str | None
    is_included: bool | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class RemittanceLine:
    """One document that a payer says is settled, with what is paid and what is kept.

    ``paid_amount`` is net of discount and deduction, negative for a credit memo that is used up.
    ``discount_amount`` and ``deduction_amount`` are positive where less is paid for that reason.
    ``gross_amount`` is the document's amount where it is said.
    """

    ordinal: int
    position: str
    invoice_reference: str | None
    paid_amount: Decimal | None = None
    discount_amount: Decimal | None = None
    deduction_amount: Decimal | None = None
    reason_code: str | None = None
    gross_amount: Decimal | None = None
    document_type: str | None = None
    document_date: date | None = None
    reference_qualifier: str | None = None
    other_references: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """One transaction of an entry: who paid and what for. Debits (or a reversal inside a batch) are negative.

    ``text`` is what the payer wrote, its lines parted by line feeds; ``additional_text`` is the bank's own.
    """

    ordinal: int
    position: str
    amount: Decimal | None
    currency_code: str | None
    payer_name: str | None = None
    payer_account: str | None = None
    payer_bank: str | None = None
    payee_name: str | None = None
    payee_account: str | None = None
    end_to_end_id: str | None = None
    transaction_id: str | None = None
    instruction_id: str | None = None
    mandate_id: str | None = None
    check_number: str | None = None
    bank_reference: str | None = None
    references: tuple[Reference, ...] = ()
    text: str | None = None
    additional_text: str | None = None
    value_date: date | None = None
    ultimate_payer_name: str | None = None
    uetr: str | None = None
    lines: tuple[RemittanceLine, ...] = ()
    instructed_amount: Decimal | None = None
    instructed_currency_code: str | None = None
    charges: tuple[Charge, ...] = ()
    type_code: str | None = None
    return_code: str | None = None
    original_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement on the account as it was booked: the amount that the balances move by.

    ``amount`` is credit positive. ``is_reversal`` is the bank's word that this takes back an earlier entry; the
    sign is already that of this entry, so a reversed credit is negative. ``return_code`` and ``original_reference``
    say why and what was returned. ``type_code`` is the bank's code (``PMNT/RCDT/ESCT``, ``NTRF``, ``165``).
    """

    ordinal: int
    position: str
    amount: Decimal
    currency_code: str
    booking_date: date | None = None
    value_date: date | None = None
    status: Literal["booked", "pending", "information"] = "booked"
    is_reversal: bool = False
    bank_reference: str | None = None
    customer_reference: str | None = None
    batch_id: str | None = None
    batch_count: int | None = None
    batch_amount: Decimal | None = None
    type_code: str | None = None
    proprietary_code: str | None = None
    method: Method | None = None
    return_code: str | None = None
    original_reference: str | None = None
    instructed_amount: Decimal | None = None
    instructed_currency_code: str | None = None
    charges: tuple[Charge, ...] = ()
    text: str | None = None
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What a bank says about one account in one message: balances, and the entries in the order of the file.

    ``kind``: ``statement`` is final, ``intraday`` and ``notification`` repeat or announce what a statement has or
    will have, so their entries are not new money where a statement covers the day. Files of formats without
    balances (ACH) are notifications. ``number`` is the number a person sees, ``electronic_number`` the one that counts
    electronic statements; both as text. A long statement may come in parts with the same head: see ``camt.read_parts``.
    """

    ordinal: int
    position: str
    format: str
    kind: Literal["statement", "intraday", "notification"]
    statement_id: str | None
    account: str | None
    currency_code: str | None
    account_scheme: Literal["iban", "other"] = "other"
    account_name: str | None = None
    bank: str | None = None
    number: str | None = None
    electronic_number: str | None = None
    page_number: int | None = None
    is_last_page: bool | None = None
    from_date: date | None = None
    to_date: date | None = None
    opening: Balance | None = None
    closing: Balance | None = None
    balances: tuple[Balance, ...] = ()
    stated: StatedTotals = StatedTotals()
    entries: tuple[Entry, ...] = ()
    file_id: str = ""

    @property
    def last_date(self) -> date | None:
        """The day the statement is about: of its closing balance, else the end of its period."""
        return (self.closing.balance_date if self.closing else None) or self.to_date or self.from_date

    @property
    def credit_amount(self) -> Decimal:
        """Sum of the booked and pending credits, as the file lists them."""
        return sum((entry.amount for entry in self.entries if entry.amount > 0), ZERO)

    @property
    def debit_amount(self) -> Decimal:
        """Sum of the debits as a positive amount."""
        return -sum((entry.amount for entry in self.entries if entry.amount < 0), ZERO)

    @property
    def entry_count(self) -> int:
        return len(self.entries)

    @property
    def detail_count(self) -> int:
        return sum(len(entry.details) for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Remittance:
    """What one payment is for, in the payer's words: an 820, a REMADV, a lockbox check, a remittance CSV.

    ``reference`` is what the payment carries as well (trace or check number). ``total_amount`` is the payment's,
    positive when money comes to us. ``entry_ordinal`` is the entry of the same file that it came with (CTX, lockbox).
    """

    ordinal: int
    position: str
    format: str
    reference: str | None
    currency_code: str | None
    total_amount: Decimal | None
    payer_name: str | None = None
    payer_id: str | None = None
    payer_account: str | None = None
    payer_bank: str | None = None
    payee_name: str | None = None
    payee_account: str | None = None
    payment_date: date | None = None
    method: Method | None = None
    entry_ordinal: int | None = None
    other_references: tuple[Reference, ...] = ()
    text: str | None = None
    lines: tuple[RemittanceLine, ...] = ()
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class BankFile:
    """One file, read whole. ``exceptions`` has issues of both severities, in the order of the file.

    ``file_id`` is the sha-256 of the content after unpacking, so a renamed or re-zipped file has the same one.
    ``format`` is the most exact name: ``camt.053.001.08``, ``mt940``, ``bai2``, ``x12.820.004010``, ``ach``.
    """

    name: str
    file_id: str
    format: str
    version: str | None
    statements: tuple[Statement, ...] = ()
    remittances: tuple[Remittance, ...] = ()
    exceptions: tuple[Issue, ...] = ()

    @property
    def entry_count(self) -> int:
        return sum(statement.entry_count for statement in self.statements)


Content = bytes | BinaryIO


def all_bytes(content: Content) -> bytes:
    """The content as bytes, for formats that are read whole. A stream is read from its start."""
    if isinstance(content, bytes):
        return content
    content.seek(0)
    return content.read()


def content_id(content: Content) -> str:
    """sha-256 of the content as lower-case hex. A stream is left at its start."""
    digest = hashlib.sha256()
    for block in _blocks(content):
        digest.update(block)
    return digest.hexdigest()


def _blocks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    content.seek(0)
    while block := content.read(1 << 20):
        yield block
    content.seek(0)


def net_amount(entries: Iterable[Entry]) -> Decimal:
    """What booked entries move the balance by; pending ones and mere information do not."""
    return sum((entry.amount for entry in entries if entry.status == "booked"), ZERO)
