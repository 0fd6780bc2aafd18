"""What delivered bank files hold, without loading anything: read by content, summed, and what is wrong with them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from o2c.sources.bank import camt
from o2c.sources.bank.errors import Fragment, RejectedFile, printable
from o2c.sources.bank.fitting import fitting, named_profile
from o2c.sources.bank.model import ZERO, BankFile, Issue, Remittance, Statement
from o2c.sources.bank.profiles import BankProfile, load_profiles
from o2c.sources.bank.recognise import reader_of
from o2c.sources.bank.unpack import opened


@dataclass(frozen=True, slots=True)
class StatementSummary:
    """One statement in sums."""

    account: str | None
    currency_code: str | None
    number: str | None
    opening_amount: Decimal | None
    closing_amount: Decimal | None
    entry_count: int
    credit_amount: Decimal
    debit_amount: Decimal
    detail_count: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """One file: what it is and holds, or why it is refused (``error``). Remittances are whole."""

    path: Path
    format: str | None = None
    error: str | None = None
    statements: tuple[StatementSummary, ...] = ()
    remittances: tuple[Remittance, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def exceptions(self) -> list[Issue]:
        """Issues that hold payments back; the others are warnings."""
        return [one for one in self.issues if one.severity == "exception"]

    @property
    def entry_count(self) -> int:
        return sum(one.entry_count for one in self.statements)

    def in_words(self) -> str:
        """``camt.053.001.08, 3 statements, 212 entries, 2 exceptions``; or the error."""
        if self.error is not None:
            return self.error
        counts = {
            "statement": len(self.statements),
            "entry": self.entry_count,
            "remittance": len(self.remittances),
            "exception": len(self.exceptions),
        }
        always = {"exception", "entry"} if self.statements else {"exception"}
        said = [_counted(count, what) for what, count in counts.items() if count or what in always]
        return ", ".join([self.format or "", *said])

    def as_json(self) -> str:
        """One line; amounts are strings, what was not said is null."""
        return json.dumps(
            {
                "file": str(self.path),
                "format": self.format,
                "error": self.error,
                "statements": [_statement_json(one) for one in self.statements],
                "remittances": [_remittance_json(one) for one in self.remittances],
                "exceptions": [
                    {"position": one.position, "code": one.code, "message": one.message}
                    for one in self.exceptions
                ],
            }
        )


def inspect_files(
    paths: Iterable[Path], profile: str | None = None, folders: Sequence[Path] = ()
) -> list[Inspected]:
    """Every file read, in the order given; one that is refused says why and stops no other.

    Args:
        paths: delivered files, packed or not.
        profile: name of a profile, or path of its YAML file; by default what fits the file.
        folders: profiles of one's own, beside those that come with o2c.

    Raises:
        BadProfile: no such profile, or one that cannot be used.
    """
    profiles = load_profiles(*folders)
    chosen = named_profile(profiles, profile) if profile else None
    return [_inspected(path, profiles, chosen) for path in paths]


def _inspected(path: Path, profiles: Mapping[str, BankProfile], chosen: BankProfile | None) -> Inspected:
    form = None
    try:
        with opened(path) as found:
            form, profile = fitting(found, profiles, chosen)
            if form == "camt":
                return _streamed(path, found.stream, profile)
            read = reader_of(form)(found.stream, found.name, profile)
            return _summed(path, read)
    except Fragment as fragment:
        # Shown, because nothing is loaded here; landing refuses it.
        return _summed(path, fragment.found)
    except RejectedFile as error:
        return Inspected(path, form, str(error))
    except OSError as error:
        return Inspected(path, form, printable(f"{path.name}: cannot be read ({error.strerror})", 300))


def _summed(path: Path, read: BankFile) -> Inspected:
    sums = tuple(_Sums.of(one).summary(one) for one in read.statements)
    return Inspected(path, read.format, None, sums, read.remittances, read.exceptions)


def _streamed(path: Path, stream: BinaryIO, profile: BankProfile) -> Inspected:
    """A camt file of any size, its entries summed part by part."""
    sums, issues, form, current = [], [], None, _Sums()
    for part in camt.read_parts(stream, path.name, profile):
        form = part.statement.format
        current.add(part.statement)
        issues += part.exceptions
        if part.is_last:
            sums.append(current.summary(part.statement))
            current = _Sums()
    return Inspected(path, form, None, tuple(sums), (), tuple(issues))


@dataclass(slots=True)
class _Sums:
    """Running sums of one statement."""

    counts: list[int] = field(default_factory=lambda: [0, 0])
    amounts: list[Decimal] = field(default_factory=lambda: [ZERO, ZERO])

    @classmethod
    def of(cls, statement: Statement) -> "_Sums":
        sums = cls()
        sums.add(statement)
        return sums

    def add(self, statement: Statement) -> None:
        self.counts[0] += statement.entry_count
        self.counts[1] += statement.detail_count
        self.amounts[0] += statement.credit_amount
        self.amounts[1] += statement.debit_amount

    def summary(self, head: Statement) -> StatementSummary:
        return StatementSummary(
            head.account,
            head.currency_code,
            # The one that the chain of statements counts by.
            head.electronic_number or head.number,
            head.opening.amount if head.opening else None,
            head.closing.amount if head.closing else None,
            self.counts[0],
            *self.amounts,
            self.counts[1],
        )


def _statement_json(one: StatementSummary) -> dict[str, Any]:
    return {
        "account": one.account,
        "currency_code": one.currency_code,
        "statement_number": one.number,
        "opening_amount": _amount(one.opening_amount),
        "closing_amount": _amount(one.closing_amount),
        "entry_count": one.entry_count,
        "credit_amount": _amount(one.credit_amount),
        "debit_amount": _amount(one.debit_amount),
        "detail_count": one.detail_count,
    }


def _remittance_json(one: Remittance) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "currency_code": one.currency_code,
        "total_amount": _amount(one.total_amount),
        "line_count": len(one.lines),
        "lines": [
            {
                "invoice_reference": line.invoice_reference,
                "paid_amount": _amount(line.paid_amount),
                "discount_amount": _amount(line.discount_amount),
                "deduction_amount": _amount(line.deduction_amount),
                "reason_code": line.reason_code,
            }
            for line in one.lines
        ],
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _counted(count: int, what: str) -> str:
    plural = "entries" if what == "entry" else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
