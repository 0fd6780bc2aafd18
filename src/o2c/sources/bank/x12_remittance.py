"""What an 820 (or one payment of an 823) says: who pays how much, when, and for what.

Segments by ASC X12 transaction set 820. What is not obvious:

- RMR04 is what is paid of a document, RMR05 the document, RMR06 the discount, RMR08 an amount added to the payment;
- an ADX below an RMR says why RMR04 is not RMR05, so it is in RMR04 already; one above any RMR of its ENT is a part of
  the payment by itself and becomes a line of its own;
- a negative ADX01 lowers the payment; up to release 003030 it was a positive one (notes to ADX01 in each release);
- a credit memo lowers the payment however its sign was written;
- BPR03 ``D`` takes a payment back: its total and all its lines are negative.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2c.money import MINOR_UNITS
from o2c.sources.bank.builders import builder
from o2c.sources.bank.controls import check_remittance
from o2c.sources.bank.model import ZERO, Issue, Method, Reference, Remittance
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import reference
from o2c.sources.bank.x12_documents import Documents
from o2c.sources.bank.x12_segments import Segment
from o2c.sources.bank.x12_values import day, one_at, text_at

# Element 591, how the money moves. NON is an advice of a payment that goes another way.
METHODS: dict[str, Method] = {"ACH": "ach", "CHK": "check", "FWT": "wire", "SWT": "wire", "CWT": "wire"}
SIGNS = {"C": 1, "D": -1}
# Element 374 in a DTM, where BPR16 has no day: effective, settlement.
_PAYMENT_DATES = ("007", "234")
# Element 506: ABA, SWIFT, CHIPS participant, Canadian bank.
_BANK_QUALIFIERS = frozenset({"01", "02", "03", "04"})

_remittance = builder(Remittance)


@dataclass(frozen=True, slots=True)
class Advice:
    """One payment read: its remittance, and what to look at."""

    remittance: Remittance
    issues: tuple[Issue, ...]


class Reading(Documents):
    """The segments of one payment, taken in order by ``run``; ``advice`` is what came of them."""

    def __init__(
        self, position: str, version: str | None, separator: str, profile: BankProfile, currency: str | None
    ) -> None:
        super().__init__(position, version, separator)
        self.profile = profile
        self.currency = currency or profile.currency_code
        self.bpr: Segment | None = None
        self.traces: list[str] = []
        self.references: list[Reference] = []
        self.names: dict[str, Segment] = {}
        self.dates: dict[str, date] = {}
        self.texts: list[str] = []

    def take_other(self, segment: Segment, number: int) -> None:
        """A segment that is about the payment, or begins an entity; others are let pass."""
        tag = segment[0]
        if tag == "DTM":
            self._date(number, segment)
        elif tag in _OTHERS:
            _OTHERS[tag](self, segment)

    def _reference(self, segment: Segment) -> None:
        text = text_at(segment, 2)
        if text and not self.in_detail:
            self.references.append(reference(text))

    def _date(self, number: int, segment: Segment) -> None:
        text = text_at(segment, 2)
        if (
            text
            and segment[1] in _PAYMENT_DATES
            and not self.in_detail
            and (found := self.day_of(text, number))
        ):
            self.dates[segment[1]] = found

    def _beginning(self, segment: Segment) -> None:
        if self.bpr is not None:
            raise ValueError("a second BPR: one payment has one")
        if self.in_detail:
            raise ValueError("BPR stands behind the documents of its payment")
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
        if text := text_at(segment, 2):
            self.traces.append(text)

    def _currency(self, segment: Segment) -> None:
        code = (text_at(segment, 2) or "").upper()
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
        self.entity = " ".join((*one_at(segment, 4), *one_at(segment, 3))) or self.entity

    def _note(self, segment: Segment) -> None:
        self.texts += one_at(segment, 2)

    def advice(self, ordinal: int, form: str, file_id: str, entry_ordinal: int | None = None) -> Advice:
        """The remittance of all segments taken.

        Raises:
            ValueError: no BPR, or its amount or a line's cannot be read.
        """
        bpr = self.bpr
        if bpr is None:
            raise ValueError("no BPR: it has no amount")
        total = self.sign * self.amount_of(bpr, 2, None)
        self._net_adjustments(total)
        payer, payee = self.names.get("PR", []), self.names.get("PE", [])
        dated = self.day_of(bpr[16], None) if len(bpr) > 16 and bpr[16].strip() else None
        method = (text_at(bpr, 4) or "").upper()
        found = _remittance(
            ordinal,
            self.position,
            form,
            self.traces[0] if self.traces else None,
            self.currency,
            total,
            payer_name=text_at(payer, 2),
            payer_id=text_at(payer, 4) or text_at(bpr, 10),
            payer_account=text_at(bpr, 9),
            payer_bank=text_at(bpr, 7),
            payee_name=text_at(payee, 2),
            payee_account=text_at(bpr, 15),
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
