"""What an 820 (or one payment of an 823) says: who pays how much, when, and for what.

Segments by ASC X12 transaction set 820. What is not obvious:

- RMR04 is what is paid of a document, RMR05 the document, RMR06 the discount, RMR08 an amount added to the payment;
- an ADX below an RMR says why RMR04 is not RMR05, so it is in RMR04 already; one above any RMR of its ENT is a part of
  the payment by itself and becomes a line of its own;
- a negative ADX01 lowers the payment; up to release 003030 it was a positive one (notes to ADX01 in each release);
- a credit memo lowers the payment however its sign was written;
- BPR03 ``D`` takes a payment back: its total and all its lines are negative.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from o2c.money import MINOR_UNITS
from o2c.policy.plain_yaml import PlainLoader
from o2c.sources.bank import values
from o2c.sources.bank.builders import builder, unfrozen
from o2c.sources.bank.controls import check_remittance
from o2c.sources.bank.model import ZERO, Issue, Method, Reference, Remittance, RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import reference
from o2c.sources.bank.x12_segments import Segment

# Element 128: a seller's (CL) or buyer's (CM) credit memo.
CREDIT_MEMOS = frozenset({"CM", "CL"})
# Element 591, how the money moves. NON is an advice of a payment that goes another way.
METHODS: dict[str, Method] = {"ACH": "ach", "CHK": "check", "FWT": "wire", "SWT": "wire", "CWT": "wire"}
SIGNS = {"C": 1, "D": -1}
LAST_RELEASE_WITH_OTHER_SIGN = "003030"
# Element 374 in a DTM: invoice; and of the payment, where BPR16 has no day: effective, settlement.
_INVOICE_DATE, _PAYMENT_DATES = "003", ("007", "234")
# Element 506: ABA, SWIFT, CHIPS participant, Canadian bank.
_BANK_QUALIFIERS = frozenset({"01", "02", "03", "04"})
_MOST_DECIMALS = 4
# RMR has eight elements behind its tag.
_DOCUMENT_ELEMENTS = 9
_NOTHING = [""] * _DOCUMENT_ELEMENTS

_remittance = builder(Remittance)
# A large 820 is nothing but lines, so they are made by their parts: see ``unfrozen``.
_UnfrozenLine = unfrozen(RemittanceLine)
_new: Any = object.__new__
_fill_line = _UnfrozenLine.__init__


@lru_cache(maxsize=64)
def _plain_document(separator: str) -> re.Pattern[str]:
    """An RMR with amounts of two decimals without sign and without an adjustment: nearly all of them."""
    mark = re.escape(separator)
    text, number = f"[^{mark}]*", r"([0-9]{1,13}\.[0-9]{2})?"
    return re.compile(
        rf"RMR{mark}({text}){mark}({text}){mark}{text}{mark}{number}(?:{mark}{number}(?:{mark}{number})?)?"
    )


@lru_cache(maxsize=1)
def reasons() -> dict[str, str]:
    """Words for the codes of element 426."""
    text = Path(__file__).with_name("x12_reasons.yml").read_text("utf-8")
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a SafeLoader


def amount(text: str) -> Decimal:
    """A decimal as X12 writes it (type R): a point if any, a minus if negative.

    Raises:
        ValueError: anything else, or more than four decimals.
    """
    text = text.strip()
    tail = text.partition(".")[2]
    if len(tail) > _MOST_DECIMALS and tail[_MOST_DECIMALS:].strip("0"):
        raise ValueError(f"{text[:40]!r} has more than {_MOST_DECIMALS} decimals")
    return values.amount(text)


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """A day of eight digits, or of six as older releases write it.

    Raises:
        ValueError: neither, or no such day.
    """
    text = text.strip()
    return values.compact_day(text) if len(text) == 8 else values.short_day(text)


@lru_cache(maxsize=65536)
def _invoice_day(raw: str, separator: str) -> tuple[date | None, str | None]:
    """The day of a DTM if it is the invoice's, or why it cannot be read. Documents are of few days."""
    segment = raw.split(separator)
    text = _text(segment, 2)
    if not text or segment[1].strip() != _INVOICE_DATE:
        return None, None
    try:
        return day(text), None
    except ValueError as error:
        return None, str(error)


@dataclass(frozen=True, slots=True)
class Advice:
    """One payment read: its remittance, and what to look at."""

    remittance: Remittance
    issues: tuple[Issue, ...]


class Reading:
    """The segments of one payment, taken in order; ``advice`` is what came of them."""

    def __init__(
        self, position: str, version: str | None, separator: str, profile: BankProfile, currency: str | None
    ) -> None:
        self.position, self.separator, self.profile = position, separator, profile
        self.currency = currency or profile.currency_code
        is_old = bool(version) and version[:6].isdigit() and version[:6] <= LAST_RELEASE_WITH_OTHER_SIGN
        self.adjustment_sign = -1 if is_old else 1
        self.bpr: Segment | None = None
        self.sign = 1
        self.traces: list[str] = []
        self.references: list[Reference] = []
        self.names: dict[str, Segment] = {}
        self.dates: dict[str, date] = {}
        self.texts: list[str] = []
        self.in_detail = False
        # In an 823 the remitter is named behind the documents; in an 820 such names are of what is paid.
        self.is_named_late = False
        self.entity: str | None = None
        self.lines: list[RemittanceLine] = []
        # What adjustments below a line would change it by, were they not in it already; by its index.
        self.changes: dict[int, Decimal] = {}
        # The most decimals of any amount, where they are not the two of a plain document.
        self.finest = 0
        self.issues: list[Issue] = []

    def run(self, segments: list[str], first: int) -> None:
        """Use all segments, the first of them numbered so; those without money or references are let pass.

        One loop with its state in locals, longer than it should be: a large 820 is nothing but these segments, and
        a method per document made reading a seventh slower (2026-11).

        Raises:
            ValueError: an amount or sign cannot be read, or a segment comes where it cannot.
        """
        separator, plain_document = self.separator, _plain_document(self.separator).fullmatch
        head = paid = gross = discount = change = reason = text = dated = None
        name, at, references = "", 0, ()
        for number, raw in enumerate(segments, first):
            tag = raw[:3]
            if tag == "RMR":
                if head is not None:
                    self._add(at, head, name, paid, gross, discount, change, reason, dated, references, text)
                at, references, dated, change, reason, text = number, (), None, None, None, self.entity
                if found := plain_document(raw):
                    head, name, paid_text, gross_text, discount = found.groups()
                    paid = Decimal(paid_text) if paid_text else None
                    # Most documents are paid in full.
                    gross = paid if gross_text == paid_text else Decimal(gross_text) if gross_text else None
                    discount = Decimal(discount) if discount else None
                else:
                    head, name, paid, gross, discount, change, reason = self._any_document(raw, number)
                self.in_detail = True
            elif head is None:
                self._outside(raw, number)
            elif tag == "REF":
                segment = raw.split(separator, 3)
                if len(segment) > 2 and (value := segment[2].strip()):
                    references += (value,)
            elif tag == "DTM":
                found, problem = _invoice_day(raw, separator)
                dated = found or dated
                if problem:
                    self._unreadable(problem, number)
            elif tag == "ADX":
                segment = raw.split(separator)
                added, why = self._adjustment(segment, number)
                change, reason = added if change is None else change + added, reason or why
                references += _one(segment, 4)
            elif tag == "NTE":
                text = "\n".join(filter(None, (text, *_one(raw.split(separator), 2))))
            elif tag == "ENT":
                self._add(at, head, name, paid, gross, discount, change, reason, dated, references, text)
                head = None
                self._outside(raw, number)
            elif tag == "BPR" or (raw[:2] == "N1" and self.is_named_late):
                self._outside(raw, number)
        if head is not None:
            self._add(at, head, name, paid, gross, discount, change, reason, dated, references, text)

    def _outside(self, raw: str, number: int) -> None:
        """A segment that is not below a document."""
        segment = raw.split(self.separator)
        tag = segment[0]
        if tag == "ADX":
            self._own_adjustment(number, segment)
        elif tag == "DTM":
            self._date(number, segment)
        elif tag in _OTHERS:
            _OTHERS[tag](self, segment)

    def _add(
        self,
        number: int,
        qualifier: str,
        name: str,
        paid: Decimal | None,
        gross: Decimal | None,
        discount: Decimal | None,
        change: Decimal | None,
        reason: str | None,
        dated: date | None,
        references: tuple[str, ...],
        text: str | None,
    ) -> None:
        """The line of one RMR and what came below it."""
        if qualifier in CREDIT_MEMOS:
            paid = None if paid is None else -abs(paid)
            gross = None if gross is None else -abs(gross)
        if self.sign < 0:
            paid, gross, discount, change = (
                None if one is None else -one for one in (paid, gross, discount, change)
            )
        lines = self.lines
        if change:
            self.changes[len(lines)] = change
        line = _new(_UnfrozenLine)
        _fill_line(
            line,
            len(lines) + 1,
            f"{self.position}, segment {number}",
            name.strip() or None,
            paid,
            discount,
            None if change is None else -change,
            reason,
            gross,
            None,
            dated,
            qualifier or None,
            references,
            text,
        )
        line.__class__ = RemittanceLine
        lines.append(line)

    def _any_document(self, head: str, number: int) -> tuple:
        """An RMR of any shape: qualifier, number, paid, gross, discount, what RMR08 adds to the payment, and why."""
        segment = head.split(self.separator)
        if len(segment) < _DOCUMENT_ELEMENTS:
            segment += _NOTHING[len(segment) :]
        amounts = (self._amount(segment, at, number) if segment[at].strip() else None for at in (4, 5, 6, 8))
        return segment[1].strip(), segment[2].strip(), *amounts, self._reason(segment, 7, number)

    def _reference(self, segment: Segment) -> None:
        text = _text(segment, 2)
        if text and not self.in_detail:
            self.references.append(reference(text))

    def _date(self, number: int, segment: Segment) -> None:
        text = _text(segment, 2)
        if (
            text
            and segment[1] in _PAYMENT_DATES
            and not self.in_detail
            and (found := self._day(text, number))
        ):
            self.dates[segment[1]] = found

    def _adjustment(self, segment: Segment, number: int) -> tuple[Decimal, str | None]:
        """What an ADX adds to the payment, and why."""
        return self.adjustment_sign * self._amount(segment, 1, number), self._reason(segment, 2, number)

    def _own_adjustment(self, number: int, segment: Segment) -> None:
        change, reason = self._adjustment(segment, number)
        self.in_detail = True
        line = RemittanceLine(
            len(self.lines) + 1,
            f"{self.position}, segment {number}",
            _text(segment, 4),
            self.sign * change,
            deduction_amount=-self.sign * change,
            reason_code=reason,
            document_type="ADX",
            reference_qualifier=_text(segment, 3),
            text=self.entity,
        )
        self.lines.append(line)

    def _reason(self, segment: Segment, at: int, number: int) -> str | None:
        reason = _text(segment, at)
        if reason and reason not in reasons():
            where = f"{self.position}, segment {number}"
            message = f"{segment[0]}{at:02} {reason[:10]!r} is not in our list of reasons"
            self.issues.append(Issue(where, "unknown_code", message, "warning"))
        return reason

    def _beginning(self, segment: Segment) -> None:
        if self.bpr is not None:
            raise ValueError("a second BPR: one payment has one")
        self.bpr = segment = self._whole(segment)
        if len(segment) < 4 or segment[3].strip() not in SIGNS:
            raise ValueError(f"BPR03 is {segment[3:4]}, not C or D: credit or debit?")
        self.sign = SIGNS[segment[3].strip()]

    def _whole(self, segment: Segment) -> Segment:
        """Some payers leave BPR11 out without its separator: a bank number's qualifier stands there, a day at 15."""
        if len(segment) != 16 or segment[11].strip() not in _BANK_QUALIFIERS:
            return segment
        try:
            day(segment[15])
        except ValueError:
            return segment
        message = "BPR11 is left out without its separator; the rest is read one place on"
        self.issues.append(Issue(f"{self.position}, BPR", "repaired", message, "warning"))
        return [*segment[:11], "", *segment[11:]]

    def _trace(self, segment: Segment) -> None:
        if text := _text(segment, 2):
            self.traces.append(text)

    def _currency(self, segment: Segment) -> None:
        code = (_text(segment, 2) or "").upper()
        if code in MINOR_UNITS:
            self.currency = code
        elif code:
            message = f"CUR02 {code[:10]!r} is not in ISO 4217"
            self.issues.append(Issue(self.position, "currency_unknown", message))

    def _name(self, segment: Segment) -> None:
        if (self.is_named_late or not self.in_detail) and len(segment) > 1:
            self.names.setdefault(segment[1].strip(), segment)

    def _entity(self, segment: Segment) -> None:
        self.in_detail = True
        self.entity = None

    def _person(self, segment: Segment) -> None:
        self.entity = " ".join((*_one(segment, 4), *_one(segment, 3))) or self.entity

    def _note(self, segment: Segment) -> None:
        self.texts += _one(segment, 2)

    def advice(self, ordinal: int, form: str, file_id: str, entry_ordinal: int | None = None) -> Advice:
        """The remittance of all segments taken.

        Raises:
            ValueError: no BPR, or its amount or a line's cannot be read.
        """
        bpr = self.bpr
        if bpr is None:
            raise ValueError("no BPR: it has no amount")
        total = self.sign * self._amount(bpr, 2, None)
        self._net_adjustments(total)
        payer, payee = self.names.get("PR", []), self.names.get("PE", [])
        dated = self._day(bpr[16], None) if len(bpr) > 16 and bpr[16].strip() else None
        method = (_text(bpr, 4) or "").upper()
        found = _remittance(
            ordinal,
            self.position,
            form,
            self.traces[0] if self.traces else None,
            self.currency,
            total,
            payer_name=_text(payer, 2),
            payer_id=_text(payer, 4) or _text(bpr, 10),
            payer_account=_text(bpr, 9),
            payer_bank=_text(bpr, 7),
            payee_name=_text(payee, 2),
            payee_account=_text(bpr, 15),
            payment_date=dated
            or next((self.dates[one] for one in _PAYMENT_DATES if one in self.dates), None),
            method=self.profile.methods.get(method) or METHODS.get(method),
            entry_ordinal=entry_ordinal,
            other_references=(*map(reference, self.traces[1:]), *self.references),
            text="\n".join(self.texts) or None,
            lines=tuple(self.lines),
            file_id=file_id,
        )
        issues = [*self.issues, *self._decimals(found), *check_remittance(found)]
        return Advice(found, tuple(replace(one, remittance_ordinal=ordinal) for one in issues))

    def _net_adjustments(self, total: Decimal) -> None:
        """Some payers write RMR04 before the adjustments below it. The total says so: only with them it ties."""
        changes = sum(self.changes.values(), ZERO)
        paid = [line.paid_amount for line in self.lines] if changes else []
        if not paid or None in paid:
            return
        listed = sum((one for one in paid if one is not None), ZERO)
        if listed == total or listed + changes != total:
            return
        for at, change in self.changes.items():
            line = self.lines[at]
            self.lines[at] = replace(line, paid_amount=(line.paid_amount or ZERO) + change)
        message = f"paid amounts are before adjustments of {changes}: the payment is {total} only with them"
        self.issues.append(Issue(self.position, "repaired", message, "warning"))

    def _decimals(self, found: Remittance) -> list[Issue]:
        """Amounts finer than the smallest coin of their currency, if it is known."""
        units = MINOR_UNITS.get(found.currency_code or "")
        if units is None or units >= max(2, self.finest):
            return []
        coin = Decimal(1).scaleb(-units)
        amounts = (found.total_amount, *(line.paid_amount for line in found.lines))
        if all(one is None or not one % coin for one in amounts):
            return []
        message = f"an amount has more decimals than {found.currency_code} has"
        return [Issue(self.position, "too_many_decimals", message)]

    def _amount(self, segment: Segment, at: int, number: int | None) -> Decimal:
        try:
            found = amount(segment[at])
            self.finest = max(self.finest, -int(found.normalize().as_tuple().exponent))
            return found
        except (IndexError, ValueError) as error:
            where = f"segment {number}, " if number else ""
            said = str(error) if isinstance(error, ValueError) else "it is missing"
            raise ValueError(f"{where}{segment[0][:3]}{at:02}: {said}") from None

    def _day(self, text: str, number: int | None) -> date | None:
        try:
            return day(text)
        except ValueError as error:
            self._unreadable(str(error), number)
            return None

    def _unreadable(self, problem: str, number: int | None) -> None:
        where = f"{self.position}, segment {number}" if number else f"{self.position}, BPR"
        self.issues.append(Issue(where, "value_unreadable", problem, "warning"))


_OTHERS = {
    "BPR": Reading._beginning,
    "TRN": Reading._trace,
    "CUR": Reading._currency,
    "N1": Reading._name,
    "NM1": Reading._person,
    "ENT": Reading._entity,
    "NTE": Reading._note,
    "REF": Reading._reference,
}


def _one(segment: Segment, at: int) -> tuple[str, ...]:
    """An element without blanks as a tuple of one; of none where it is empty or not there."""
    return (text,) if len(segment) > at and (text := segment[at].strip()) else ()


def _text(segment: Segment, at: int) -> str | None:
    """An element without blanks; None where it is empty or not there."""
    return (segment[at].strip() or None) if len(segment) > at else None


_NOTE = re.compile(r"RMR([^A-Za-z0-9\s])", re.ASCII)


class NoteReader:
    """Reads notes of segments without a set around them, as the addendum of a CCD entry has them."""

    def __init__(self, profile: BankProfile) -> None:
        self.profile = profile
        self.readings: dict[str, Reading] = {}

    def lines(self, note: str, position: str, sign: int) -> tuple[RemittanceLine, ...]:
        """The documents; none where the note is no RMR or cannot be read: then it is just text.

        Segments end with a backslash or a tilde.
        """
        if note[:3] != "RMR" or not (found := _NOTE.match(note)):
            return ()
        reading = self.readings.get(found[1])
        if reading is None:
            reading = self.readings[found[1]] = Reading("", None, found[1], self.profile, None)
        reading.position, reading.sign, reading.bpr = position, sign, None
        reading.lines, reading.issues = [], []
        parts = note.replace("~", "\\").split("\\")
        try:
            reading.run([part for raw in parts if (part := raw.strip())], 1)
        except ValueError:
            return ()
        return tuple(reading.lines)
