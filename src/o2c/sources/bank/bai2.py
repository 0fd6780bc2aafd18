"""BAI2: balances and entries of US banks, as comma-separated records that may go on in 88 records.

Cash Management Balance Reporting Specifications, version 2. Rules that are not obvious:

- amounts are integers of minor units, as many as the currency of the account has; type codes say the side;
- a record goes on in 88 records anywhere, also inside a list of type codes; the last field of a 16 is text, which
  88 records continue line by line, and which is kept as it is;
- 49, 98 and 99 repeat sums and counts. Records or parts that are not all there refuse the file; a sum that differs
  is an exception. ``warnings_only: [count_differs]`` in a bank's profile makes its wrong counts a warning.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from o2c.sources.bank.bai2_account import Account, Group, Kind, kind_of, statement_of
from o2c.sources.bank.bai2_fields import amounts, day, detail_16, minor, without_end
from o2c.sources.bank.bai2_parts import Part, Parts, add_up
from o2c.sources.bank.bai2_records import Line, Record, records
from o2c.sources.bank.builders import no_cycle_collector
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Content, Entry, Issue, Statement, all_bytes, content_id
from o2c.sources.bank.profiles import STANDARD, BankProfile

ASK = "ask the bank for the file again"
# Which record may follow which part: the open part, and the codes that go on there.
FOLLOWS = {
    "nothing": ("01",),
    "file": ("02", "99"),
    "group": ("03", "98"),
    "account": ("16", "49"),
}
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All accounts of one file, one statement each.

    Raises:
        RejectedFile: a record is missing, out of place or unreadable, a count differs, the file is a test or asks to
            delete what was reported before.
    """
    file_id = content_id(content)
    reading = _Reading(name, profile)
    text = decoded(all_bytes(content), name, profile)
    with no_cycle_collector():
        reading.run(records(text))
    return BankFile(
        name,
        file_id,
        "bai2",
        "2",
        statements=tuple(replace(one, file_id=file_id) for one in reading.statements),
        exceptions=tuple(reading.issues.found),
    )


class _Reading:
    """State while one file is read."""

    def __init__(self, name: str, profile: BankProfile) -> None:
        self.name, self.profile = name, profile
        self.issues = Issues(profile)
        self.statements: list[Statement] = []
        self.entry_count = 0
        self.place = "nothing"
        self.parts = Parts()
        self.group = Group("", "", date.min, "", "")
        self.account: Account | None = None
        self.kinds: dict[str, Kind | None] = {}

    def run(self, found: Iterable[Record]) -> None:
        """Take all records; each comes with the 88 records that follow it."""
        for line, first, more, count, strays in found:
            for stray in strays:
                self._take_stray(stray, first[:2])
            try:
                if self.account and first[:3] == "16,":
                    self.parts.account.record_count += count
                    self._take_entry(self.account, first, more, line)
                else:
                    self._take(first[:2], [first[3:], *more.split("\n")[1:]], line, count)
            except ValueError as error:
                if isinstance(error, RejectedFile):
                    raise
                raise self._refusal(line, f"record {first[:2]}: {error}") from error
        if self.place != "nothing" or not self.parts.file.line:
            raise RejectedFile(
                self.name, "end of file", f"it ends inside its {self.place}, without record 99", ASK
            )

    def _take_stray(self, record: Line, code: str) -> None:
        """A line without a code continues the text of an entry; anywhere else the file is broken."""
        if code != "16":
            raise self._refusal(record[0], f"{record[1][:20]!r} begins no record")
        message = f"line {record[0]} begins no record: taken as text of the entry"
        self.issues.add(Issue(f"line {record[0]}", "repaired", message, "warning"))

    def _take(self, code: str, lines: list[str], line: int, count: int) -> None:
        if code not in FOLLOWS[self.place]:
            expected = " or ".join(FOLLOWS[self.place])
            raise self._refusal(line, f"record {code[:2]!r} stands where {expected} should")
        parts = self.parts
        fields = ",".join(without_end(one) for one in lines).split(",")
        if code == "03":
            parts.account = Part(line, count)
            self._start_account(fields, line)
        elif code == "49":
            parts.account.record_count += count
            self._end_account(fields, line)
        elif code == "02":
            parts.group = Part(line, count)
            self._start_group(fields, line)
        elif code == "98":
            parts.group.record_count += count
            self._end_part(parts.group, fields, line, "accounts", "group")
            add_up(parts.file, parts.group, fields)
            self.place = "file"
        elif code == "01":
            parts.file = Part(line, count)
            self._start_file(fields, line)
        else:
            parts.file.record_count += count
            self._end_part(parts.file, fields, line, "groups", "file")
            self.place = "nothing"

    def _start_file(self, fields: list[str], line: int) -> None:
        fields += [""] * (8 - len(fields))
        if fields[7].strip() not in ("2", ""):
            raise self._refusal(line, f"version {fields[7][:10]!r} of the format, not 2")
        self.place = "file"

    def _start_group(self, fields: list[str], line: int) -> None:
        fields += [""] * (7 - len(fields))
        receiver, originator, status, as_of, _, currency, modifier = (one.strip() for one in fields[:7])
        if status in ("2", "4"):
            reason = {"2": "asks to delete an earlier report", "4": "is a test"}[status]
            raise self._refusal(line, f"the group {reason} (status {status})")
        if status not in ("1", "3"):
            raise self._refusal(line, f"group status {status[:10]!r} is not 1 to 4")
        if currency and not _CURRENCY.fullmatch(currency):
            raise self._refusal(line, f"{currency[:10]!r} is no currency")
        if modifier not in ("", "1", "2", "3", "4"):
            raise self._refusal(line, f"as-of-date modifier {modifier[:10]!r} is not 1 to 4")
        self.group = Group(originator or receiver, status, day(as_of), currency, modifier)
        self.place = "group"

    def _start_account(self, fields: list[str], line: int) -> None:
        fields += [""] * (2 - len(fields))
        number, currency = fields[0].strip(), fields[1].strip()
        if not number:
            raise self._refusal(line, "an account without a number")
        stated = amounts(fields[2:])
        if currency and not _CURRENCY.fullmatch(currency):
            raise self._refusal(line, f"{currency[:10]!r} is no currency")
        currency = currency or self.group.currency_code or self.profile.currency_code or "USD"
        self.account = Account(number, currency, self.group, len(self.statements) + 1, stated)
        self.place = "account"

    def _take_entry(self, account: Account, first: str, more: str, line: int) -> None:
        found = detail_16(first, more)
        code, amount = found[:2]
        if code not in self.kinds:
            self.kinds[code] = kind_of(code, self.profile)
        kind = self.kinds[code] or (_NOTHING if not amount else None)
        if kind is None:
            reason = f"type code {code} is neither credit nor debit: name it in the bank's profile"
            raise self._refusal(line, reason)
        if amount < 0:
            raise self._refusal(line, f"type code {code} has a side, and its amount a minus as well")
        self.entry_count += 1
        if unreadable := account.add(found, kind, self.entry_count, line):
            self._add(account.ordinal, "value_unreadable", unreadable, "warning", account.entries[-1])

    def _end_account(self, fields: list[str], line: int) -> None:
        part, account = self.parts.account, self.account
        if account is None:
            raise self._refusal(line, "the end of no account")
        fields += [""] * (2 - len(fields))
        self._compare_count("records", "account", part.record_count, fields[1], line)
        statement = statement_of(account)
        part.amount = account.control_sum
        if minor(fields[0].strip()) != part.amount:
            message = f"record 49 states {fields[0].strip()}, the amounts sum to {part.amount}"
            self._add(account.ordinal, "total_differs", message)
        for code, message, severity in account.issues:
            self._add(account.ordinal, code, message, severity)
        self.issues.extend(account.tally().close(statement))
        self.statements.append(statement)
        add_up(self.parts.group, part, fields)
        self.account, self.place = None, "group"

    def _end_part(self, part: Part, fields: list[str], line: int, inner: str, what: str) -> None:
        """Compare a 98 or 99 with what was in its group or file."""
        fields += [""] * (3 - len(fields))
        self._compare_count(inner, what, part.part_count, fields[1], line)
        self._compare_count("records", what, part.record_count, fields[2], line)
        if minor(fields[0].strip()) != part.amount:
            message = f"the {what} states {fields[0].strip()}, its {inner} state {part.amount} together"
            self.issues.add(Issue(f"line {line}", "total_differs", message))

    def _compare_count(self, inner: str, what: str, found: int, text: str, line: int) -> None:
        stated = int(text) if text.strip().isdecimal() and text.isascii() and len(text) < 16 else None
        if stated == found:
            return
        message = f"the {what} states {text.strip()[:20]!r} {inner}, {found} are there"
        if "count_differs" not in self.profile.warnings_only:
            raise self._refusal(line, message)
        self.issues.add(Issue(f"line {line}", "count_differs", message))

    def _refusal(self, line: int, reason: str) -> RejectedFile:
        return RejectedFile(self.name, f"line {line}", reason, ASK)

    def _add(
        self, ordinal: int, code: str, message: str, severity: str = "exception", entry: Entry | None = None
    ) -> None:
        self.issues.add(
            Issue(
                entry.position if entry else f"statement {ordinal}",
                code,
                message,
                severity,  # ty: ignore[invalid-argument-type]
                ordinal,
                entry.ordinal if entry else None,
            )
        )


# A code without a side is no money where its amount is zero.
_NOTHING = Kind(0, None, False, None, "information")
