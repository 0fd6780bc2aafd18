"""One REMADV message: what its segments say of the payment and of each document.

What is not obvious stands at the head of ``remadv``.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import yaml

from o2c.money import MINOR_UNITS
from o2c.policy.plain_yaml import PlainLoader
from o2c.sources.bank import values
from o2c.sources.bank.controls import check_remittance
from o2c.sources.bank.model import ZERO, Issue, Method, Reference, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import reference
from o2c.sources.bank.remadv_segments import Message, Segment

# Data element 1001: credit notes of all kinds.
CREDIT_NOTES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"})
REMITTED, DUE = "12", "9"
_GROSS = ("39", "77", DUE)
_DISCOUNTS = ("52", "109", "21")
_FEES = ("265", "262")
# Qualifiers of DTM: of the payment, the most certain first (payment, execution, value, due at the bank, document),
# and of a document.
_PAYMENT_DATES = ("138", "203", "209", "227", "137")
_DOCUMENT_DATES = ("137", "171", "3")
# Data element 4461, means of payment; transfers are not here, as the code does not say which.
METHODS: dict[str, Method] = {"10": "cash", "20": "check", "21": "check", "23": "check", "26": "check"} | {
    "48": "card",
    "49": "direct_debit",
    "54": "card",
    "55": "card",
    "59": "direct_debit",
}
# Data element 1225: an original, or the same once more.
_ORIGINAL = ("9", None)
_COPIES = {"7": "a duplicate", "31": "a copy", "43": "sent once more"}


@lru_cache(maxsize=1)
def reasons() -> dict[str, str]:
    """Words for the codes of data element 4465."""
    text = Path(__file__).with_name("remadv_reasons.yml").read_text("utf-8")
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a SafeLoader


@dataclass(slots=True)
class _Document:
    """A DOC while its group comes."""

    number: int
    head: Segment
    amounts: dict[str, Decimal] = field(default_factory=dict)
    adjustments: list[Decimal] = field(default_factory=list)
    line_adjustments: list[Decimal] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    dates: dict[str, date] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_in_line: bool = False


class Reading:
    """State while one message is read."""

    def __init__(self, message: Message, ordinal: int, profile: BankProfile) -> None:
        self.message, self.ordinal, self.profile = message, ordinal, profile
        self.position = message.position
        self.number = 1
        self.currency = profile.currency_code
        self.reference: str | None = None
        self.totals: dict[str, Decimal] = {}
        self.summary: dict[str, Decimal] = {}
        self.dates: dict[str, date] = {}
        self.parties: dict[str, Segment] = {}
        self.banks: dict[str, Segment] = {}
        self.references: list[Reference] = []
        self.texts: list[str] = []
        self.method: Method | None = None
        self.document: _Document | None = None
        self.documents: list[_Document] = []
        self.is_summary = self.is_adjusting = False
        self.currencies: set[str] = set()
        self.issues: list[Issue] = []

    def advice(self) -> Remittance:
        """The remittance of the message.

        Raises:
            ValueError: an amount cannot be read, or the message has no BGM.
        """
        for number, segment in enumerate(self.message.segments, 2):
            self.number = number
            if take := _TAKERS.get(segment.tag):
                take(self, segment)
        if not any(segment.tag == "BGM" for segment in self.message.segments):
            raise ValueError("no BGM: the message has no beginning")
        lines = tuple(self._line(one, number) for number, one in enumerate(self.documents, 1))
        payer = self.parties.get("PR") or self.parties.get("BY")
        payee = self.parties.get("PE") or self.parties.get("SU")
        payer_bank, payee_bank = self.banks.get("OR"), self.banks.get("BF") or self.banks.get("RB")
        directory = (self.message.directory or "").replace(".", "").lower()
        found = Remittance(
            self.ordinal,
            self.position,
            f"edifact.remadv.{directory}".rstrip("."),
            self.reference,
            self.currency,
            self.summary.get(REMITTED, self.totals.get(REMITTED)),
            payer_name=_name(payer),
            payer_id=payer.text(2) if payer else None,
            payer_account=payer_bank.text(2) if payer_bank else None,
            payer_bank=payer_bank.text(3) if payer_bank else None,
            payee_name=_name(payee),
            payee_account=payee_bank.text(2) if payee_bank else None,
            payment_date=next((self.dates[one] for one in _PAYMENT_DATES if one in self.dates), None),
            method=self.method,
            other_references=tuple(self.references),
            text="\n".join(self.texts) or None,
            lines=lines,
        )
        self._check(found)
        return found

    def _check(self, found: Remittance) -> None:
        """Controls of the message, each issue about this remittance."""
        self.issues += check_remittance(found)
        if (
            REMITTED in self.summary
            and self.totals.get(REMITTED, self.summary[REMITTED]) != self.summary[REMITTED]
        ):
            message = f"remitted: {self.totals[REMITTED]} at its head, {self.summary[REMITTED]} at its end"
            self._add("total_differs", message)
        discounts = [self.summary[code] for code in _DISCOUNTS if code in self.summary]
        listed = sum((line.discount_amount or ZERO for line in found.lines), ZERO)
        if discounts and abs(discounts[0]) != abs(listed):
            self._add("total_differs", f"discounts: stated {discounts[0]}, found {listed}")
        for code in sorted(self.currencies - {self.currency}):
            self._add("currency_differs", f"an amount in {code} in an advice in {self.currency}")
        if self.currency and self.currency not in MINOR_UNITS:
            self._add("currency_unknown", f"{self.currency[:10]} is not in ISO 4217")
        self.issues += self.message.issues
        self.issues = [replace(one, remittance_ordinal=self.ordinal) for one in self.issues]

    def _line(self, one: _Document, ordinal: int) -> RemittanceLine:
        kind = one.head.text(1)
        paid = one.amounts.get(REMITTED)
        gross = next((one.amounts[code] for code in _GROSS if code in one.amounts), None)
        if kind in CREDIT_NOTES:
            paid = None if paid is None else -abs(paid)
            gross = None if gross is None else -abs(gross)
        changes = one.adjustments or one.line_adjustments
        changes = changes or [one.amounts[code] for code in _FEES if code in one.amounts]
        return RemittanceLine(
            ordinal,
            f"{self.position}, segment {one.number}",
            one.head.text(2),
            paid,
            next((one.amounts[code] for code in _DISCOUNTS if code in one.amounts), None),
            -sum(changes, ZERO) if changes else None,
            one.reasons[0] if one.reasons else None,
            gross,
            kind,
            next((one.dates[code] for code in _DOCUMENT_DATES if code in one.dates), None),
            None,
            tuple(one.references),
            "\n".join(one.texts) or None,
        )

    def _beginning(self, segment: Segment) -> None:
        self.reference = segment.text(2)
        function = segment.text(3)
        if function in _COPIES:
            self._add(
                "unknown_code", f"the advice is {_COPIES[function]} (BGM function {function})", "warning"
            )
        elif function not in _ORIGINAL:
            message = f"BGM function {function[:5]!r}: it changes or cancels an earlier advice"
            self._add("unknown_code", message)

    def _amount(self, segment: Segment) -> None:
        code, text, currency = segment.text(1), segment.text(1, 1), segment.text(1, 2)
        if code is None or text is None:
            return
        amount = values.amount(text, mark="," if "," in text else ".")
        if currency:
            self.currency = self.currency or currency
            self.currencies.add(currency)
        if self.is_adjusting and self.document:
            one = self.document
            (one.line_adjustments if one.is_in_line else one.adjustments).append(amount)
            self.is_adjusting = False
            return
        if self.document and self.document.is_in_line:
            return
        amounts = self.document.amounts if self.document else self.summary if self.is_summary else self.totals
        if amounts.setdefault(code, amount) != amount:
            self._add("value_unreadable", f"amount {code} is said twice: {amounts[code]} and {amount}")

    def _adjustment(self, segment: Segment) -> None:
        reason = segment.text(1)
        self.is_adjusting = True
        if reason and self.document:
            self.document.reasons.append(reason)
            if reason not in reasons():
                self._add("unknown_code", f"AJT {reason[:10]!r} is not in our list of reasons", "warning")

    def _start_document(self, segment: Segment) -> None:
        self.document = _Document(self.number, segment)
        self.documents.append(self.document)
        self.is_adjusting = False

    def _start_line(self, segment: Segment) -> None:
        if self.document:
            self.document.is_in_line = True
        self.is_adjusting = False

    def _start_summary(self, segment: Segment) -> None:
        self.document, self.is_summary, self.is_adjusting = None, True, False

    def _date(self, segment: Segment) -> None:
        qualifier, text = segment.text(1), segment.text(1, 1)
        wanted = _DOCUMENT_DATES if self.document else _PAYMENT_DATES
        if not text or qualifier not in wanted or (self.document and self.document.is_in_line):
            return
        try:
            found = _day(text, segment.text(1, 2))
        except ValueError as error:
            self._add("value_unreadable", f"DTM {qualifier}: {error}", "warning")
            return
        (self.document.dates if self.document else self.dates).setdefault(qualifier, found)

    def _currency(self, segment: Segment) -> None:
        code = segment.text(1, 1)
        if code and self.document is None and segment.text(1) == "2":
            self.currency = code
        elif code and self.document:
            self.currencies.add(code)

    def _party(self, segment: Segment) -> None:
        if self.document is None and (role := segment.text(1)):
            self.parties.setdefault(role, segment)

    def _bank(self, segment: Segment) -> None:
        if self.document is None and (role := segment.text(1)):
            self.banks.setdefault(role, segment)

    def _reference(self, segment: Segment) -> None:
        text = segment.text(1, 1)
        if text and self.document:
            self.document.references.append(text)
        elif text:
            self.references.append(reference(text))

    def _free_text(self, segment: Segment) -> None:
        parts = segment.elements[4] if len(segment.elements) > 4 else []
        text = " ".join(part.strip() for part in parts if part.strip())
        if text:
            (self.document.texts if self.document else self.texts).append(text)

    def _means(self, segment: Segment) -> None:
        code = segment.text(1, 2) or ""
        self.method = self.profile.methods.get(code) or METHODS.get(code)

    def _add(self, code: str, message: str, severity: str = "exception") -> None:
        where = f"{self.position}, segment {self.number}"
        issue = Issue(where, code, message)
        self.issues.append(replace(issue, severity="warning") if severity == "warning" else issue)


_TAKERS = {
    "BGM": Reading._beginning,
    "MOA": Reading._amount,
    "AJT": Reading._adjustment,
    "DOC": Reading._start_document,
    "DLI": Reading._start_line,
    "UNS": Reading._start_summary,
    "DTM": Reading._date,
    "CUX": Reading._currency,
    "NAD": Reading._party,
    "FII": Reading._bank,
    "RFF": Reading._reference,
    "FTX": Reading._free_text,
    "PAI": Reading._means,
}


def _name(party: Segment | None) -> str | None:
    """The party's name, else its name and address as one text."""
    for element in (4, 3):
        parts = party.elements[element] if party and len(party.elements) > element else []
        if text := " ".join(part.strip() for part in parts if part.strip()):
            return text
    return None


def _day(text: str, form: str | None) -> date:
    """A day in one of the formats (2379) that name one: 101, 102, and 203 or 204 with a time behind.

    Raises:
        ValueError: another format, or no such day.
    """
    if form == "101":
        return values.short_day(text)
    if form in ("102", "203", "204", None):
        return values.compact_day(text[:8])
    raise ValueError(f"format {form[:5]!r} names no day")
