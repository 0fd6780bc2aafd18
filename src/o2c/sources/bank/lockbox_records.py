"""Fields of the lockbox records 6 (check) and 4 (overflow), by layouts of field and width."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.model import Detail, Entry, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile, CheckField
from o2c.sources.bank.references import said

# A check behind its batch and item numbers. The names are an extension that many banks send.
CHECK: tuple[tuple[CheckField, int], ...] = (
    ("amount", 10),
    ("payer_bank", 9),
    ("payer_account", 10),
    ("check_number", 10),
    ("check_date", 6),
    ("payer_name", 30),
    ("payee_name", 78),
)
CHECK_START, OVERFLOW_START = 7, 11
# Amounts of an overflow record; each may end in a minus.
AMOUNTS = frozenset({"paid_amount", "discount_amount", "deduction_amount", "gross_amount"})


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the file; places count from 0, as in the standard's tables less one."""

    line: int
    text: str

    def field(self, start: int, end: int) -> str:
        return self.text[start:end].strip()

    def day(self, start: int, end: int) -> date:
        return values.short_day(self.field(start, end))


@dataclass(slots=True)
class Check:
    """A record 6 with the overflow records that came so far."""

    line: int
    batch: str
    item: str
    amount: Decimal
    payer_bank: str | None
    payer_account: str | None
    check_number: str | None
    check_date: date | None
    payer_name: str | None
    payee_name: str | None
    unreadable: list[str]
    overflow_count: int = 0
    is_complete: bool = False
    lines: list[RemittanceLine] = field(default_factory=list)


def check_fields(record: Record, layout: tuple[tuple[CheckField, int], ...], minor_units: int) -> Check:
    """The fields of a check.

    Raises:
        ValueError: batch, item or amount cannot be read.
    """
    found, start = dict[str, str](), CHECK_START
    for name, width in layout:
        found[name] = record.field(start, start + width)
        start += width
    number = found.get("check_number", "")
    check_date, unreadable = _check_day(found.get("check_date", ""))
    return Check(
        record.line,
        str(values.count(record.field(1, 4))).zfill(3),
        str(values.count(record.field(4, 7))).zfill(3),
        values.minor_amount(found["amount"], minor_units),
        said(found.get("payer_bank")),
        said(found.get("payer_account")),
        # Zeros in front only fill the field: the number on the check has none.
        said(number.lstrip("0")) if number.isdecimal() else said(number),
        check_date,
        said(found.get("payer_name")),
        said(found.get("payee_name")),
        unreadable,
    )


def _check_day(text: str) -> tuple[date | None, list[str]]:
    """``mmddyy``, unlike the other dates of the format; a date that cannot be read is left out and said."""
    if not text.strip("0"):
        return None, []
    try:
        return values.short_day(text[4:6] + text[:4]), []
    except ValueError as error:
        return None, [f"check date (month, day, year): {error}"]


def document_lines(
    record: Record, profile: BankProfile, minor_units: int, line_count: int
) -> list[RemittanceLine]:
    """The documents of an overflow record by the profile's layout; without one its text is one line.

    Raises:
        ValueError: an amount of the declared layout cannot be read.
    """
    if not profile.lockbox_document:
        text = said(record.text[OVERFLOW_START:])
        if text is None:
            return []
        is_word = " " not in text and any(one.isdigit() for one in text)
        ordinal = line_count + 1
        return [RemittanceLine(ordinal, f"line {record.line}", text if is_word else None, text=text)]
    found: list[RemittanceLine] = []
    width = sum(one for _, one in profile.lockbox_document)
    for start in range(OVERFLOW_START, len(record.text), width):
        if not record.field(start, start + width):
            continue
        words: dict[str, str | None] = {}
        sums: dict[str, Decimal | None] = {}
        at = start
        for name, size in profile.lockbox_document:
            text = record.field(at, at + size)
            at += size
            if name in AMOUNTS:
                sums[name] = _amount(text, minor_units)
            elif name != "blank":
                words[name] = said(text)
        found.append(
            RemittanceLine(
                line_count + len(found) + 1,
                f"line {record.line}, document {len(found) + 1}",
                words.get("invoice_reference"),
                sums.get("paid_amount"),
                sums.get("discount_amount"),
                sums.get("deduction_amount"),
                words.get("reason_code"),
                sums.get("gross_amount"),
            )
        )
    return found


def _amount(text: str, minor_units: int) -> Decimal | None:
    if not text:
        return None
    sign = -1 if text.endswith("-") else 1
    return sign * values.minor_amount(text.removesuffix("-"), minor_units)


def entry_of(check: Check, ordinal: int, deposit_date: date, currency_code: str) -> Entry:
    """A check as an entry of the day it was deposited on."""
    position = f"line {check.line}"
    return Entry(
        ordinal=ordinal,
        position=position,
        amount=check.amount,
        currency_code=currency_code,
        booking_date=deposit_date,
        bank_reference=f"{check.batch}/{check.item}",
        customer_reference=check.check_number,
        batch_id=check.batch,
        method="check",
        details=(
            Detail(
                1,
                f"{position}, detail 1",
                check.amount,
                currency_code,
                payer_name=check.payer_name,
                payer_account=check.payer_account,
                payer_bank=check.payer_bank,
                payee_name=check.payee_name,
                check_number=check.check_number,
            ),
        ),
    )


def remittance_of(check: Check, entry: Entry, ordinal: int) -> Remittance:
    """What a check is for, once all its overflow records are there."""
    return Remittance(
        ordinal=ordinal,
        position=entry.position,
        format="bai_lockbox",
        reference=check.check_number,
        currency_code=entry.currency_code,
        total_amount=check.amount,
        payer_name=check.payer_name,
        payer_account=check.payer_account,
        payer_bank=check.payer_bank,
        payee_name=check.payee_name,
        payment_date=check.check_date,
        method="check",
        entry_ordinal=entry.ordinal,
        text="\n".join(one.text for one in check.lines if one.text) or None,
        lines=tuple(check.lines),
    )
