"""BAI lockbox: the checks a bank took out of our letter box, as records of fixed width.

Records by their first digit: 1 file header, 2 service, 5 batch header, 6 check, 4 what goes with a check, 7 batch
total, 8 lockbox total, 9 file trailer. A lockbox becomes one notification, each check an entry with a remittance whose
lines are its overflow records. Widths are those that most banks use; ``lockbox_check`` and ``lockbox_document`` of a
bank's profile say others. An overflow record without a declared layout is one line of text, and a reference where it
is one word. Amounts are in minor units of the profile's currency, US dollars by default.
"""

from dataclasses import replace

from o2c.money import MINOR_UNITS
from o2c.sources.bank import values
from o2c.sources.bank.controls import Issues, check_remittance, check_statement
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.lockbox_records import (
    CHECK,
    Check,
    Record,
    check_fields,
    document_lines,
    entry_of,
    remittance_of,
)
from o2c.sources.bank.model import (
    ZERO,
    BankFile,
    Content,
    Entry,
    Issue,
    Remittance,
    StatedTotals,
    Statement,
    all_bytes,
    content_id,
)
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.references import said

ASK = "ask the bank for the file again"
# What may come behind a record; 4 also behind 4, and the first is 1.
FOLLOWS = {"1": "259", "2": "59", "5": "678", "6": "4678", "4": "4678", "7": "5689", "8": "2589", "9": ""}
LONGEST_LINE = 400


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All lockboxes of one file.

    Raises:
        RejectedFile: a record is missing, out of place or unreadable, or a count differs.
    """
    file_id = content_id(content)
    reading = _Reading(name, profile)
    reading.run(decoded(all_bytes(content), name, profile))
    return BankFile(
        name,
        file_id,
        "bai_lockbox",
        None,
        statements=tuple(replace(one, file_id=file_id) for one in reading.statements),
        remittances=tuple(replace(one, file_id=file_id) for one in reading.remittances),
        exceptions=tuple(reading.issues.found),
    )


class _Reading:
    """State while one file is read."""

    def __init__(self, name: str, profile: BankProfile) -> None:
        self.name, self.profile = name, profile
        self.issues = Issues(profile)
        self.currency = profile.currency_code or "USD"
        self.minor_units = MINOR_UNITS.get(self.currency, 2)
        self.layout = profile.lockbox_check or CHECK
        self.bank: str | None = None
        self.statements: list[Statement] = []
        self.remittances: list[Remittance] = []
        self.lockbox: Record | None = None
        # The last 5: banks write one for the lockbox, or one for each batch with its own day.
        self.header: Record | None = None
        self.checks: list[Check] = []
        self.entries: list[Entry] = []
        self.batch_start = 0

    def run(self, text: str) -> None:
        """Take all records of a file."""
        lines = [
            (number, line.rstrip(" \x1a"))
            for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
        ]
        lines = [(number, line) for number, line in lines if line]
        allowed = "1"
        for count, (number, line) in enumerate(lines, start=1):
            record = Record(number, line)
            if line[0] not in allowed or len(line) > LONGEST_LINE:
                expected = ", ".join(allowed) or "nothing"
                raise self._refusal(record, f"{line[:20]!r} stands where record {expected} should")
            try:
                self._take(record, count)
            except ValueError as error:
                if isinstance(error, RejectedFile):
                    raise
                raise self._refusal(record, f"record {line[0]}: {error}") from error
            allowed = FOLLOWS[line[0]]
        if allowed:
            raise RejectedFile(self.name, "end of file", "there is no record 9 at its end", ASK)

    def _take(self, record: Record, count: int) -> None:
        kind = record.text[0]
        if kind == "1":
            self.bank = said(record.field(13, 23))
            record.day(23, 29)
        elif kind == "5":
            self._start_batch(record)
        elif kind == "6":
            self._take_check(record)
        elif kind == "4":
            self._take_overflow(record)
        elif kind == "7":
            self._end_batch(record)
        elif kind == "8":
            self._end_lockbox(record)
        elif kind == "9":
            if self.lockbox:
                raise self._refusal(record, f"lockbox {self.lockbox.field(7, 14)} has no record 8")
            self._compare_count(record, "records", values.count(record.field(1, 7)), count)

    def _start_batch(self, record: Record) -> None:
        if self.lockbox and self.lockbox.field(7, 14) != record.field(7, 14):
            raise self._refusal(record, f"lockbox {self.lockbox.field(7, 14)} has no record 8")
        record.day(14, 20)
        self.lockbox = self.lockbox or record
        self.header = record
        self.batch_start = len(self.entries)

    def _take_check(self, record: Record) -> None:
        if self.header is None:
            raise self._refusal(record, "a check outside any lockbox")
        batch, item = record.field(1, 4), record.field(4, 7)
        found = check_fields(record, self.layout, self.minor_units)
        previous = self.checks[-1] if len(self.entries) > self.batch_start else None
        if previous and (previous.batch != batch or int(previous.item) >= values.count(item)):
            raise self._refusal(record, f"item {batch}/{item} stands behind {previous.batch}/{previous.item}")
        for problem in found.unreadable:
            self._add(record, "value_unreadable", problem, severity="warning")
        self._finish_remittance()
        self.checks.append(found)
        ordinal = sum(one.entry_count for one in self.statements) + len(self.entries) + 1
        self.entries.append(entry_of(found, ordinal, self.header.day(14, 20), self.currency))

    def _take_overflow(self, record: Record) -> None:
        check = self.checks[-1]
        if (record.field(1, 4), record.field(4, 7)) != (check.batch, check.item):
            raise self._refusal(
                record, f"it belongs to another check than {check.batch}/{check.item} before it"
            )
        if record.field(7, 8) not in ("6", ""):
            raise self._refusal(record, f"it goes with record {record.field(7, 8)!r}, not 6")
        if check.is_complete:
            raise self._refusal(record, "it stands behind the one that says it is the last")
        if values.count(record.field(8, 10)) != check.overflow_count + 1:
            raise self._refusal(record, f"overflow {check.overflow_count + 1} of the check is missing")
        check.overflow_count += 1
        check.is_complete = record.field(10, 11) == "9"
        check.lines += document_lines(record, self.profile, self.minor_units, len(check.lines))

    def _finish_remittance(self) -> None:
        """The remittance of the last check, once all its overflow records are there."""
        if not self.entries or (
            self.remittances and self.remittances[-1].entry_ordinal == self.entries[-1].ordinal
        ):
            return
        check, entry = self.checks[-1], self.entries[-1]
        if check.overflow_count and not check.is_complete:
            raise RejectedFile(
                self.name, f"line {check.line}", "the last overflow of its check is missing", ASK
            )
        found = remittance_of(check, entry, len(self.remittances) + 1)
        self.entries[-1] = replace(entry, details=(replace(entry.details[0], text=found.text),))
        self.remittances.append(found)
        for issue in check_remittance(found):
            self.issues.add(replace(issue, entry_ordinal=entry.ordinal))

    def _end_batch(self, record: Record) -> None:
        self._finish_remittance()
        entries = self.entries[self.batch_start :]
        if entries and record.field(1, 4) != entries[0].batch_id:
            raise self._refusal(
                record, f"the total of batch {record.field(1, 4)} behind {entries[0].batch_id}"
            )
        self._compare_count(record, "checks", values.count(record.field(20, 23)), len(entries))
        stated = values.minor_amount(record.field(23, 33), self.minor_units)
        if stated != (found := sum((one.amount for one in entries), ZERO)):
            self._add(record, "total_differs", f"the batch states {stated}, its checks sum to {found}")
        self.batch_start = len(self.entries)

    def _end_lockbox(self, record: Record) -> None:
        if self.lockbox is None or record.field(7, 14) != self.lockbox.field(7, 14):
            raise self._refusal(record, f"the total of lockbox {record.field(7, 14)!r} behind another")
        self._finish_remittance()
        if len(self.entries) > self.batch_start:
            raise self._refusal(record, "the last batch has no record 7")
        count = values.count(record.field(20, 24))
        self._compare_count(record, "checks", count, len(self.entries))
        day = self.lockbox.day(14, 20)
        found = Statement(
            ordinal=len(self.statements) + 1,
            position=f"statement {len(self.statements) + 1}",
            format="bai_lockbox",
            kind="notification",
            statement_id=None,
            account=said(self.lockbox.field(7, 14)),
            currency_code=self.currency,
            bank=self.bank,
            from_date=day,
            to_date=day,
            stated=StatedTotals(credit_amount=values.minor_amount(record.field(24, 34), self.minor_units)),
            entries=tuple(self.entries),
        )
        self.issues.extend(check_statement(found))
        self.statements.append(found)
        self.lockbox = self.header = None
        self.entries, self.batch_start = [], 0

    def _compare_count(self, record: Record, what: str, stated: int, found: int) -> None:
        if stated == found:
            return
        message = f"record {record.text[0]} states {stated} {what}, {found} are there"
        if "count_differs" not in self.profile.warnings_only:
            raise self._refusal(record, message)
        self._add(record, "count_differs", message)

    def _refusal(self, record: Record, reason: str) -> RejectedFile:
        return RejectedFile(self.name, f"line {record.line}", reason, ASK)

    def _add(self, record: Record, code: str, message: str, severity: str = "exception") -> None:
        self.issues.add(
            Issue(
                f"line {record.line}",
                code,
                message,
                severity,  # ty: ignore[invalid-argument-type]
                len(self.statements) + 1,
            )
        )
