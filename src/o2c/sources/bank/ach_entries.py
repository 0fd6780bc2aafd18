"""One ACH entry and its addenda: who paid whom, what for, or what came back."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from o2c.policy.plain_yaml import PlainLoader
from o2c.sources.bank import values
from o2c.sources.bank.ach_records import CREDIT_CODES, DEBIT_CODES, is_prenote, is_return
from o2c.sources.bank.builders import unfrozen
from o2c.sources.bank.model import Detail, Entry, Method
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.x12_notes import NoteReader

# Classes whose entries state the number of their addenda before the name.
_LONG_HEADED = frozenset({"CTX", "ENR", "ACK", "ATX"})
# By whether it is a credit.
_METHODS: dict[bool, Method] = {True: "ach", False: "direct_debit"}

# An entry settles within a few banking days of its effective date.
_NEAR_DAYS = 31

# One of each is made for every 95 bytes of a file, so they are made by their parts: see ``unfrozen``.
_UnfrozenEntry, _UnfrozenDetail = unfrozen(Entry), unfrozen(Detail)
_new: Any = object.__new__
_fill_entry, _fill_detail = _UnfrozenEntry.__init__, _UnfrozenDetail.__init__


@lru_cache(maxsize=1)
def return_reasons() -> dict[str, str]:
    """Words for return reason and change codes."""
    text = Path(__file__).with_name("ach_returns.yml").read_text("utf-8")
    return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a SafeLoader


class Kind(NamedTuple):
    """What a transaction code says; ``type_code`` is it behind the class of the batch, ``CTX/22``."""

    is_credit: bool
    is_prenote: bool
    is_return: bool
    method: Method
    type_code: str


class Batch:
    """What the header of a batch says of all its entries."""

    def __init__(self, ordinal: int, number: int, record: str, profile: BankProfile) -> None:
        self.ordinal, self.number, self.record, self.profile = ordinal, number, record, profile
        self.position = f"batch {ordinal}"
        self.service_class = record[1:4]
        self.sec = record[50:53].strip()
        self.is_international = self.sec == "IAT"
        self.company = None if self.is_international else record[4:20].strip() or None
        self.company_id = record[40:50].strip() or None
        self.description = record[53:63].strip() or None
        currency = record[66:69]
        self.currency = (
            currency if self.is_international and currency.isalpha() and currency.isupper() else "USD"
        )
        self.originating_bank = record[79:87]
        self.batch_number = record[87:94]
        self.effective_text, self.settlement_text = record[69:75].strip(), record[75:78].strip()
        self.names_at = slice(58, 74) if self.sec in _LONG_HEADED else slice(54, 76)
        self.kinds: dict[str, Kind] = {}
        self.notes = NoteReader(profile)
        self.effective_date: date | None = None
        self.settlement_date: date | None = None

    def kind(self, code: str) -> "Kind":
        """What a transaction code means for an entry of this batch.

        Raises:
            ValueError: it says neither credit nor debit.
        """
        if code not in CREDIT_CODES and code not in DEBIT_CODES:
            raise ValueError(f"transaction code {code!r} is neither a credit nor a debit")
        is_credit = code in CREDIT_CODES
        known = self.profile.methods
        method: Method = known.get(f"{self.sec}/{code}") or known.get(self.sec) or _METHODS[is_credit]
        self.kinds[code] = Kind(is_credit, is_prenote(code), is_return(code), method, f"{self.sec}/{code}")
        return self.kinds[code]

    def read_days(self, file_day: date | None) -> list[str]:
        """Set both days; what cannot be read comes back as sentences. A batch without a day has the file's."""
        problems = []
        try:
            self.effective_date = values.short_day(self.effective_text)
        except ValueError as error:
            if self.effective_text.strip("0"):
                problems.append(f"effective entry date: {error}")
            self.effective_date = file_day
        if self.effective_date and self.settlement_text.strip("0"):
            self.settlement_date = settlement_day(self.settlement_text, self.effective_date)
            if self.settlement_date is None:
                problems.append(
                    f"settlement date: no day {self.settlement_text!r} of a year near {self.effective_date}"
                )
        return problems


def settlement_day(text: str, near: date) -> date | None:
    """Day of the year (``001`` to ``366``) in the year that brings it nearest to another day; None if not near it."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 366:
        return None
    days = [date(year, 1, 1) + timedelta(int(text) - 1) for year in (near.year - 1, near.year, near.year + 1)]
    found = min(days, key=lambda one: abs((one - near).days))
    return found if abs((found - near).days) <= _NEAR_DAYS else None


def entry_of(ordinal: int, number: int, record: str, addenda: Sequence[str], batch: Batch) -> Entry:
    """The entry of a record 6 and its records 7.

    Raises:
        ValueError: the transaction code says neither credit nor debit, or the amount is not of ten digits.
    """
    code, amount_text = record[1:3], record[29:39]
    is_credit, is_prenote, is_back, method, type_code = batch.kinds.get(code) or batch.kind(code)
    if not amount_text.isdigit() or not amount_text.isascii():
        raise ValueError(f"{amount_text!r} is not an amount in cents")
    amount = Decimal(f"{'' if is_credit else '-'}{amount_text[:8]}.{amount_text[8:]}")
    position = f"record {number}"
    account, name = record[12:29].strip() or None, record[batch.names_at].strip() or None
    identification, trace, company = (
        record[39:54].strip() or None,
        record[79:94].strip() or None,
        batch.company,
    )
    if batch.is_international:
        account, identification = record[39:74].strip() or None, None
        name, company = _addendum_text(addenda, "10", 46, 81), _addendum_text(addenda, "11", 3, 38)
    note, lines, code_of_return, original, information = None, (), None, None, batch.description
    if addenda:
        note = payment_note(addenda)
        code_of_return, original, words = _returned(addenda)
        information = words or information
        if note and batch.sec != "CTX":
            lines = batch.notes.lines(note, position, 1 if is_credit else -1)
    is_notice = code_of_return is not None and code_of_return.startswith("C")
    # By position, in the order of model.Detail and model.Entry: a third faster than by name.
    detail = _new(_UnfrozenDetail)
    _fill_detail(
        detail,
        1,
        position,
        amount,
        batch.currency,
        company if is_credit else name,
        None if is_credit else account,
        batch.originating_bank if is_credit else record[3:12],
        name if is_credit else company,
        account if is_credit else None,
        identification,
        trace,
        batch.company_id,
        None,
        None,
        trace,
        (),
        note,
        information,
        lines=lines,
        type_code=code,
        return_code=code_of_return,
        original_reference=original,
    )
    detail.__class__ = Detail
    entry = _new(_UnfrozenEntry)
    _fill_entry(
        entry,
        ordinal,
        position,
        amount,
        batch.currency,
        batch.settlement_date or batch.effective_date,
        batch.effective_date,
        "information" if is_notice or is_prenote else "booked",
        (is_back or code_of_return is not None) and not is_notice,
        trace,
        identification,
        batch.batch_number,
        None,
        None,
        type_code,
        None,
        method,
        code_of_return,
        original,
        None,
        None,
        (),
        batch.description,
        (detail,),
    )
    entry.__class__ = Entry
    return entry


def payment_note(addenda: Sequence[str]) -> str | None:
    """The payment information of all addenda 05, joined as they were cut; None where there is none."""
    parts = [one[3:83] for one in addenda if one[1:3] == "05"]
    return "".join(parts).rstrip() or None if parts else None


def _addendum_text(addenda: Sequence[str], kind: str, start: int, end: int) -> str | None:
    return next((one[start:end].strip() or None for one in addenda if one[1:3] == kind), None)


def _returned(addenda: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """Reason, trace number of the original entry, and words, of a return (99) or notice of change (98)."""
    for one in addenda:
        if one[1:3] in ("98", "99"):
            information = one[35:64] if one[1:3] == "98" else one[35:79]
            return one[3:6].strip() or None, one[6:21].strip() or None, information.strip() or None
    return None, None, None
