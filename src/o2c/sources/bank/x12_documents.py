"""The documents of a payment: RMR, what comes below it, and adjustments that are of no document.

What is not obvious stands at the head of ``x12_remittance``.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from o2c.sources.bank.builders import unfrozen
from o2c.sources.bank.model import Issue, RemittanceLine
from o2c.sources.bank.x12_segments import Segment
from o2c.sources.bank.x12_values import amount, day, invoice_day, one_at, reasons, text_at

# Element 128: a seller's (CL) or buyer's (CM) credit memo.
CREDIT_MEMOS = frozenset({"CM", "CL"})
LAST_RELEASE_WITH_OTHER_SIGN = "003030"
# RMR has eight elements behind its tag.
_DOCUMENT_ELEMENTS = 9
_NOTHING = [""] * _DOCUMENT_ELEMENTS

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


class Documents:
    """The segments of one payment as they come; what is not about documents goes to ``take_other``."""

    def __init__(self, position: str, version: str | None, separator: str) -> None:
        self.position, self.separator = position, separator
        is_old = bool(version) and version[:6].isdigit() and version[:6] <= LAST_RELEASE_WITH_OTHER_SIGN
        self.adjustment_sign = -1 if is_old else 1
        self.sign = 1
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
                found, problem = invoice_day(raw, separator)
                dated = found or dated
                if problem:
                    self._unreadable(problem, number)
            elif tag == "ADX":
                segment = raw.split(separator)
                added, why = self._adjustment(segment, number)
                change, reason = added if change is None else change + added, reason or why
                references += one_at(segment, 4)
            elif tag == "NTE":
                text = "\n".join(filter(None, (text, *one_at(raw.split(separator), 2))))
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
        if segment[0] == "ADX":
            self._own_adjustment(number, segment)
        else:
            self.take_other(segment, number)

    def take_other(self, segment: Segment, number: int) -> None:
        """A segment that is about the payment, or begins an entity."""

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
        amounts = (
            self.amount_of(segment, at, number) if segment[at].strip() else None for at in (4, 5, 6, 8)
        )
        return segment[1].strip(), segment[2].strip(), *amounts, self._reason(segment, 7, number)

    def _adjustment(self, segment: Segment, number: int) -> tuple[Decimal, str | None]:
        """What an ADX adds to the payment, and why."""
        return self.adjustment_sign * self.amount_of(segment, 1, number), self._reason(segment, 2, number)

    def _own_adjustment(self, number: int, segment: Segment) -> None:
        change, reason = self._adjustment(segment, number)
        self.in_detail = True
        line = RemittanceLine(
            len(self.lines) + 1,
            f"{self.position}, segment {number}",
            text_at(segment, 4),
            self.sign * change,
            deduction_amount=-self.sign * change,
            reason_code=reason,
            document_type="ADX",
            reference_qualifier=text_at(segment, 3),
            text=self.entity,
        )
        self.lines.append(line)

    def _reason(self, segment: Segment, at: int, number: int) -> str | None:
        reason = text_at(segment, at)
        if reason and reason not in reasons():
            where = f"{self.position}, segment {number}"
            message = f"{segment[0]}{at:02} {reason[:10]!r} is not in our list of reasons"
            self.issues.append(Issue(where, "unknown_code", message, "warning"))
        return reason

    def amount_of(self, segment: Segment, at: int, number: int | None) -> Decimal:
        try:
            found = amount(segment[at])
            self.finest = max(self.finest, -int(found.normalize().as_tuple().exponent))
            return found
        except (IndexError, ValueError) as error:
            where = f"segment {number}, " if number else ""
            said = str(error) if isinstance(error, ValueError) else "it is missing"
            raise ValueError(f"{where}{segment[0][:3]}{at:02}: {said}") from None

    def day_of(self, text: str, number: int | None) -> date | None:
        try:
            return day(text)
        except ValueError as error:
            self._unreadable(str(error), number)
            return None

    def _unreadable(self, problem: str, number: int | None) -> None:
        where = f"{self.position}, segment {number}" if number else f"{self.position}, BPR"
        self.issues.append(Issue(where, "value_unreadable", problem, "warning"))
