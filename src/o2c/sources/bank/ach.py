"""NACHA ACH files: batches of entries with addenda, returns and notices of change, and the 820 inside a CTX entry.

An ACH file says what moved and is no statement: each batch becomes a notification, and the money comes again in the
bank statement. Amounts are signed as the receiver's account sees them: a transaction code of a credit is positive. A
return has the sign of what it takes back: a returned debit is negative, with the trace number of the original entry.
"""

from dataclasses import replace
from datetime import date
from typing import Literal

from o2c.sources.bank import values, x12
from o2c.sources.bank.ach_controls import Control, addenda_faults, differences, dollars
from o2c.sources.bank.ach_entries import Batch, entry_of, return_reasons
from o2c.sources.bank.ach_records import ASK, BLOCKING, records
from o2c.sources.bank.builders import no_cycle_collector
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import RejectedFile
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

# The file is read whole, and what is read of it takes fourteen times its size.
LARGEST = 64 << 20
# Automated accounting advices have another layout of entries; they are the bank's own bookkeeping.
ADVICES = "280"


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All batches of one ACH file, and the remittances that came inside.

    Raises:
        RejectedFile: a header or control record is missing or out of place, a record is cut, or a control total, an
            amount or a transaction code cannot be read.
    """
    data = all_bytes(content)
    if len(data) > LARGEST:
        raise RejectedFile(
            name, f"byte {LARGEST}", f"{len(data)} bytes, more than {LARGEST}", "split the file"
        )
    with no_cycle_collector():
        reading = _Reading(name, profile, content_id(data))
        reading.run(decoded(data, name, profile))
    return BankFile(
        name,
        reading.file_id,
        "ach",
        None,
        tuple(reading.statements),
        tuple(reading.remittances),
        tuple(reading.issues.found),
    )


class _Reading:
    """State while one file is read."""

    def __init__(self, name: str, profile: BankProfile, file_id: str) -> None:
        self.name, self.profile, self.file_id = name, profile, file_id
        self.issues = Issues(profile)
        self.statements: list[Statement] = []
        self.remittances: list[Remittance] = []
        self.batch: Batch | None = None
        self.entries: list[Entry] = []
        self.entry_count = 0
        self.open: tuple[int, str] | None = None
        self.addenda: list[str] = []
        self.in_batch, self.in_file = Control(), Control()
        self.batches_in_file = self.first_record = 0
        self.bank: str | None = None
        self.file_day: date | None = None

    def run(self, text: str) -> None:
        """Take all records."""
        for number, record in records(text, self.name):
            kind = record[0]
            try:
                if kind == "6":
                    self._close_entry()
                    self.open = (number, record)
                elif kind == "7":
                    self.addenda.append(record)
                elif kind == "8":
                    self._close_entry()
                    self._close_batch(number, record)
                elif kind == "5":
                    self._open_batch(number, record)
                elif kind == "1":
                    self.first_record, self.batches_in_file, self.in_file = number, 0, Control()
                    self.bank = record[3:13].strip() or None
                    self.file_day = self._file_day(number, record)
                else:
                    self._close_file(number, record)
            except RejectedFile:
                raise
            except ValueError as error:
                raise RejectedFile(self.name, f"record {number}", str(error), ASK) from error

    def _file_day(self, number: int, record: str) -> date | None:
        try:
            return values.short_day(record[23:29])
        except ValueError as error:
            self._add(
                f"record {number}", "value_unreadable", f"file creation date: {error}", severity="warning"
            )
            return None

    def _open_batch(self, number: int, record: str) -> None:
        if record[1:4] == ADVICES:
            raise ValueError("a batch of accounting advices (280): not read here")
        self.batch = Batch(len(self.statements) + 1, number, record, self.profile)
        self.entries, self.in_batch = [], Control()
        for problem in self.batch.read_days(self.file_day):
            self._add(f"record {number}", "value_unreadable", problem, severity="warning")

    def _close_entry(self) -> None:
        """Make the entry whose records are all there now."""
        if self.open is None or self.batch is None:
            return
        (number, record), addenda = self.open, self.addenda
        self.open, self.addenda = None, []
        self.entry_count += 1
        bank, amount = record[3:11], record[29:39]
        try:
            if not (bank + amount).isdigit() or not (bank + amount).isascii():
                raise ValueError(f"{bank!r} and {amount!r}: not a bank's number and an amount in cents")
            found = entry_of(self.entry_count, number, record, addenda, self.batch)
        except ValueError as error:
            raise RejectedFile(self.name, f"record {number}", str(error), ASK) from error
        self.entries.append(found)
        control = self.in_batch
        control.count += 1 + len(addenda)
        control.hash += int(bank)
        if found.amount.is_signed():
            control.debit += int(amount)
        else:
            control.credit += int(amount)
        if addenda or record[78] == "1" or found.is_reversal:
            self._look_at_addenda(found, record, addenda, self.batch)

    def _look_at_addenda(self, found: Entry, record: str, addenda: list[str], batch: Batch) -> None:
        for message in addenda_faults(record, addenda, batch):
            self._add(found.position, "count_differs", message, found)
        if found.return_code and found.return_code not in return_reasons():
            message = f"{found.return_code!r} is not in our list of reasons"
            self._add(found.position, "unknown_code", message, found, "warning")
        if found.status == "information" and (found.return_code or "").startswith("C"):
            words = return_reasons().get(found.return_code or "", "see the code")
            self._add(found.position, "notice_of_change", f"{found.return_code}: {words}", found, "warning")
        detail = found.details[0]
        if batch.sec == "CTX" and detail.text:
            self._read_remittance(found, detail.text, batch)
        elif detail.text and detail.text.startswith("RMR") and not detail.lines:
            self._add(
                found.position, "value_unreadable", "its note cannot be read as an RMR", found, "warning"
            )
        paid = [line.paid_amount for line in detail.lines if line.paid_amount is not None]
        if paid and len(paid) == len(detail.lines) and sum(paid, ZERO) != found.amount:
            message = f"the note's lines sum to {sum(paid, ZERO)}, the payment is {found.amount}"
            self._add(found.position, "remittance_does_not_sum", message, found)

    def _read_remittance(self, found: Entry, text: str, batch: Batch) -> None:
        """The 820 in a CTX entry. One that cannot be read does not take the money away: it is an exception."""
        if not text.startswith(("ISA", "ST")):
            return
        try:
            inside, faults = x12.embedded(text, self.profile, self.file_id, found, len(self.remittances) + 1)
        except RejectedFile as error:
            self._add(found.position, "value_unreadable", f"its 820: {error.position}: {error.reason}", found)
            return
        self.remittances += inside
        self.issues.extend(replace(one, statement_ordinal=batch.ordinal) for one in faults)
        total = sum((one.total_amount or ZERO for one in inside), ZERO)
        if total != found.amount:
            message = f"its 820 is for {total}, the entry for {found.amount}"
            self._add(found.position, "remittance_does_not_sum", message, found)

    def _close_batch(self, number: int, record: str) -> None:
        batch, control = self.batch, self.in_batch
        if batch is None:
            raise ValueError("a batch control without a batch")
        self.issues.extend(differences(number, record, (4, 10, 20, 32), control, batch))
        same = (
            ("service class", batch.service_class, record[1:4]),
            ("company identification", batch.company_id, record[44:54].strip() or None),
            ("originating bank", batch.originating_bank, record[79:87]),
            ("batch number", batch.batch_number, record[87:94]),
        )
        for what, header, trailer in same:
            if header != trailer:
                message = f"{what} of the batch: {header} in its header, {trailer} in its control"
                self._add(f"record {number}", "control_number_differs", message)
        self.statements.append(self._statement(batch, record))
        self.in_file.add(control)
        self.batches_in_file += 1
        self.batch = None

    def _statement(self, batch: Batch, control: str) -> Statement:
        accounts = {
            entry.details[0].payee_account or entry.details[0].payer_account for entry in self.entries
        }
        is_ours = len(accounts) == 1 and not any(entry.is_reversal for entry in self.entries)
        return Statement(
            batch.ordinal,
            batch.position,
            "ach",
            "notification",
            f"{batch.originating_bank}{batch.batch_number}".strip() or None,
            accounts.pop() if is_ours else None,
            batch.currency,
            bank=self.bank,
            to_date=batch.settlement_date or batch.effective_date,
            stated=StatedTotals(
                credit_amount=dollars(int(control[32:44])), debit_amount=dollars(int(control[20:32]))
            ),
            entries=tuple(self.entries),
            file_id=self.file_id,
        )

    def _close_file(self, number: int, record: str) -> None:
        batches, blocks = values.count(record[1:7]), values.count(record[7:13])
        used = number - self.first_record + 1
        expected = -(-used // BLOCKING)
        where = f"record {number}"
        if batches != self.batches_in_file:
            message = f"batches of the file: stated {batches}, found {self.batches_in_file}"
            self.issues.add(Issue(where, "count_differs", message))
        if blocks != expected:
            self.issues.add(Issue(where, "count_differs", f"blocks: stated {blocks}, found {expected}"))
        self.issues.extend(differences(number, record, (13, 21, 31, 43), self.in_file, None))

    def _add(
        self,
        where: str,
        code: str,
        message: str,
        entry: Entry | None = None,
        severity: Literal["exception", "warning"] = "exception",
    ) -> None:
        statement = self.batch.ordinal if self.batch else None
        issue = Issue(
            where, code, message, statement_ordinal=statement, entry_ordinal=entry.ordinal if entry else None
        )
        self.issues.add(replace(issue, severity=severity))
