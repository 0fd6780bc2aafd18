"""From the records of one BAI2 account to its statement."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from o2c.money import MINOR_UNITS
from o2c.sources.bank.bai2_codes import RETURNS, is_balance, method_of, side
from o2c.sources.bank.bai2_fields import TYPE, Amount, Detail16, day
from o2c.sources.bank.builders import unfrozen
from o2c.sources.bank.controls import Tally
from o2c.sources.bank.model import Balance, Detail, Entry, Method, StatedTotals, Statement
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import NOTHING, account, account_scheme, is_valid_iban, said

# Opening and closing ledger; total credits and total debits.
OPENING, CLOSING, CREDITS, DEBITS = "010", "015", "100", "400"
# As-of-date modifiers of reports on a day that is not over: interim of the day before or of the same day.
INTERIM = frozenset({"1", "3"})

# One of each is made for every 160 bytes of a file, so they are made by their parts: see ``unfrozen``.
_UnfrozenEntry, _UnfrozenDetail = unfrozen(Entry), unfrozen(Detail)
_new: Any = object.__new__
_fill_entry, _fill_detail = _UnfrozenEntry.__init__, _UnfrozenDetail.__init__
# What the words for no reference begin with; all others need no look at the list of them.
_NO_REFERENCE = frozenset({"", *(one[0] for one in NOTHING), *(one[0].lower() for one in NOTHING)})


@dataclass(frozen=True, slots=True)
class Group:
    """What a group header (02) says of its accounts. Status 3 corrects what was reported before."""

    bank: str
    status: str
    as_of: date
    currency_code: str
    modifier: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type code makes of an entry."""

    sign: int
    method: Method | None
    is_check: bool
    return_code: str | None
    status: Literal["booked", "information"]


def kind_of(code: str, profile: BankProfile) -> Kind | None:
    """What a type code makes of an entry; None where it is neither credit nor debit nor information.

    Raises:
        ValueError: it is no type code.
    """
    if not TYPE.fullmatch(code):
        raise ValueError(f"{code[:20]!r} stands where a type code should")
    sign = side(code, profile)
    if sign is None:
        return None
    method = method_of(code, profile)
    return Kind(
        sign,
        method,
        method == "check",
        code if code in RETURNS else None,
        "booked" if sign else "information",
    )


class Account:
    """One account while its records are read."""

    def __init__(
        self, number: str, currency_code: str, group: Group, ordinal: int, amounts: list[Amount]
    ) -> None:
        self.number, self.currency_code, self.group, self.ordinal = number, currency_code, group, ordinal
        self.amounts = amounts
        self.unit = Decimal(1).scaleb(-MINOR_UNITS.get(currency_code, 2))
        self.entries: list[Entry] = []
        # Running counts and sums in minor units of credits and debits, so that no entry is looked at twice.
        self.counts, self.sums = [0, 0], [0, 0]
        self.stated_sum = sum(one.amount or 0 for one in amounts)

    def add(self, found: Detail16, kind: Kind, ordinal: int, line: int) -> str | None:
        """Take one 16 as an entry booked on the group's day; returns what is wrong with its value date.

        Funds type 0 is available at once; of V the date is said; of the others it depends on the bank's calendar.
        """
        code, units, funds, value_text, bank, customer, text = found
        as_of = self.group.as_of
        value_date, unreadable = (as_of if funds == "0" else None), None
        if value_text:
            try:
                value_date = day(value_text)
            except ValueError as error:
                unreadable = f"value date: {error}"
        amount = Decimal(kind.sign * units) * self.unit
        bank_reference = said(bank) if bank[:1] in _NO_REFERENCE else bank
        customer_reference = said(customer) if customer[:1] in _NO_REFERENCE else customer
        check_number = customer_reference if kind.is_check and customer.isdecimal() else None
        details = ()
        if text or check_number:
            detail = _new(_UnfrozenDetail)
            _fill_detail(
                detail,
                ordinal=1,
                position=f"line {line}, detail 1",
                amount=amount,
                currency_code=self.currency_code,
                check_number=check_number,
                bank_reference=bank_reference,
                text=text or None,
                type_code=code,
                return_code=kind.return_code,
            )
            detail.__class__ = Detail
            details = (detail,)
        entry = _new(_UnfrozenEntry)
        _fill_entry(
            entry,
            ordinal=ordinal,
            position=f"line {line}",
            amount=amount,
            currency_code=self.currency_code,
            booking_date=as_of,
            value_date=value_date,
            status=kind.status,
            is_reversal=kind.return_code is not None,
            bank_reference=bank_reference,
            customer_reference=customer_reference,
            type_code=code,
            method=kind.method,
            return_code=kind.return_code,
            details=details,
        )
        entry.__class__ = Entry
        self.entries.append(entry)
        side = 0 if kind.sign >= 0 else 1
        self.counts[side] += 1
        self.sums[side] += units
        return unreadable

    @property
    def control_sum(self) -> int:
        """All amounts of the account without their sides, as record 49 sums them."""
        return self.stated_sum + self.sums[0] + self.sums[1]

    def tally(self) -> Tally:
        """Counts and sums as the controls of statements want them."""
        found = Tally()
        found.counts = list(self.counts)
        found.sums = [one * self.unit for one in self.sums]
        found.net = found.sums[0] - found.sums[1]
        return found

    @property
    def issues(self) -> list[tuple[str, str, str]]:
        """What is wrong with the account itself: code, message and severity."""
        found = []
        if self.currency_code not in MINOR_UNITS:
            found.append(("currency_unknown", f"{self.currency_code} is not in ISO 4217", "exception"))
        if account_scheme(self.number) == "iban" and not is_valid_iban(self.number):
            message = f"check digits of the account {self.number} are wrong"
            found.append(("account_check_failed", message, "warning"))
        if self.group.status == "3":
            severity = "exception" if self.entries else "warning"
            found.append(("statement_changed", "the group corrects an earlier report (status 3)", severity))
        return found


def statement_of(found: Account) -> Statement:
    """The account as a statement of the group's day."""
    group = found.group
    balances = tuple(
        Balance(one.code, Decimal(one.amount) * found.unit, found.currency_code, group.as_of)
        for one in found.amounts
        if one.amount is not None and is_balance(one.code)
    )
    return Statement(
        ordinal=found.ordinal,
        position=f"statement {found.ordinal}",
        format="bai2",
        kind="intraday" if group.modifier in INTERIM else "statement",
        statement_id=None,
        account=account(found.number),
        currency_code=found.currency_code,
        account_scheme=account_scheme(found.number),
        bank=said(group.bank),
        from_date=group.as_of,
        to_date=group.as_of,
        opening=next((one for one in balances if one.code == OPENING), None),
        closing=next((one for one in reversed(balances) if one.code == CLOSING), None),
        balances=balances,
        stated=_stated(found),
        entries=tuple(found.entries),
    )


def _stated(found: Account) -> StatedTotals:
    """Total credits and debits, where the account states how many there are and lists any.

    Without a number of items they may cover more than is listed: banks leave small entries out.
    """
    totals = {
        one.code: one for one in found.amounts if one.code in (CREDITS, DEBITS) and one.count and one.amount
    }
    credit, debit = totals.get(CREDITS), totals.get(DEBITS)
    has_credits = any(entry.amount > 0 for entry in found.entries)
    has_debits = any(entry.amount < 0 for entry in found.entries)
    return StatedTotals(
        credit_count=credit.count if credit and has_credits else None,
        credit_amount=_amount(credit, found) if credit and has_credits else None,
        debit_count=debit.count if debit and has_debits else None,
        debit_amount=_amount(debit, found) if debit and has_debits else None,
    )


def _amount(total: Amount, found: Account) -> Decimal:
    return abs(Decimal(total.amount or 0)) * found.unit
