"""OFX and QFX, 1.x in SGML and 2.x in XML: bank and card statements.

Read by our own tokenizer. bankfile 0.2.0 reads the same samples, but only the first statement of a file; it drops a
transaction that it cannot read, never refuses a cut file, and knows no positions. Rules that are not obvious:

- the sign of TRNAMT decides; a type that says the other direction (a DEBIT of +5) is an exception;
- a day is the one that the bank wrote, in its zone; it is not moved to another zone;
- LEDGERBAL is the balance when the file was made, which may be after DTEND: there is no opening balance to tie it to.
"""

from collections import Counter
from dataclasses import replace

from o2c.sources.bank import ofx_values as take
from o2c.sources.bank.camt_checks import entry_issues, head_issues
from o2c.sources.bank.controls import Issues, check_statement
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import (
    Balance,
    BankFile,
    Content,
    Entry,
    Issue,
    Statement,
    all_bytes,
    content_id,
)
from o2c.sources.bank.ofx_elements import Element, elements
from o2c.sources.bank.ofx_entries import entry
from o2c.sources.bank.ofx_entries import entry_issues as oddities
from o2c.sources.bank.ofx_text import ASK, decoded
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.references import account, account_scheme

# Message set, the answer about one account in it, and the statement in that.
MESSAGES = {"BANKMSGSRSV1": ("STMTTRNRS", "STMTRS"), "CREDITCARDMSGSRSV1": ("CCSTMTTRNRS", "CCSTMTRS")}


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All bank and card statements of one file, in its order.

    Raises:
        RejectedFile: cut off or not OFX, no statement in it, the bank answered with an error, or a value that no
            statement can do without (account, amount, day, currency) is missing or unreadable.
    """
    content = all_bytes(content)
    text = decoded(content, name, profile)
    reading = _Reading(name, content_id(content), profile, f"ofx.{text.version}" if text.version else "ofx")
    if text.is_headless:
        reading.add("file", "repaired", "no header before <OFX>", "warning")
    reading.run(elements(text, name))
    return BankFile(
        name,
        reading.file_id,
        reading.form,
        text.version,
        statements=tuple(reading.statements),
        exceptions=tuple(reading.issues.found),
    )


class _Reading:
    """State while one file is read."""

    def __init__(self, name: str, file_id: str, profile: BankProfile, form: str) -> None:
        self.name, self.file_id, self.profile, self.form = name, file_id, profile, form
        self.statements: list[Statement] = []
        self.entry_count = 0
        self.issues = Issues(profile)

    def run(self, root: Element) -> None:
        for signon in root.all("SIGNONMSGSRSV1"):
            for answer in signon.all("SONRS"):
                self._refuse_error(answer)
        for message in root.children:
            if message.tag not in MESSAGES:
                if message.tag != "SIGNONMSGSRSV1":
                    self.add("file", "unknown_code", f"{message.tag} is not read", "warning")
                continue
            answer_tag, statement_tag = MESSAGES[message.tag]
            for answer in message.children:
                if answer.tag != answer_tag:
                    self.add("file", "unknown_code", f"{answer.tag} is not read", "warning")
                    continue
                self._refuse_error(answer)
                for element in answer.all(statement_tag):
                    self._statement(element, is_card=message.tag == "CREDITCARDMSGSRSV1")
        if not self.statements:
            raise RejectedFile(self.name, "file", "no bank or card statement in it", ASK)

    def _refuse_error(self, answer: Element) -> None:
        """A bank that could not answer for one account gave an incomplete file."""
        for status in answer.all("STATUS"):
            said = {one.tag: one.text.strip() for one in status.children}
            if said.get("SEVERITY") == "ERROR":
                reason = f"the bank answered with error {said.get('CODE')}: {said.get('MESSAGE', '')[:80]}"
                raise RejectedFile(self.name, f"line {answer.line}", reason, ASK)

    def _statement(self, element: Element, *, is_card: bool) -> None:
        try:
            head = self._head(element, is_card=is_card)
        except ValueError as error:
            raise RejectedFile(self.name, f"line {element.line}", str(error), ASK) from error
        entries: list[Entry] = []
        for tag, kind in (("BANKTRANLIST", "STMTTRN"), ("BANKTRANLISTP", "STMTTRNP")):
            for transactions in element.all(tag):
                for one in transactions.all(kind):
                    entries.append(self._entry(one, head, len(entries) + 1))
        if head.currency_code is None:
            head = self._with_currency(head, entries)
        found = replace(head, entries=tuple(entries))
        self._check(found)
        self.statements.append(found)

    def _head(self, element: Element, *, is_card: bool) -> Statement:
        own = take.child(element, "CCACCTFROM" if is_card else "BANKACCTFROM")
        number = take.text(own, "ACCTID")
        if number is None:
            raise ValueError("the statement names no account")
        currency = self._currency(element)
        lists = element.all("BANKTRANLIST")
        if len(lists) > 1:
            raise ValueError("two BANKTRANLIST in one statement")
        start, end = (take.text(lists[0], tag) if lists else None for tag in ("DTSTART", "DTEND"))
        balances = [
            balance for tag in ("LEDGERBAL", "AVAILBAL") if (balance := self._balance(element, tag, currency))
        ]
        ordinal = len(self.statements) + 1
        # Only in capitals: a hash in small letters, which programs write for an account, is no IBAN.
        is_iban = number[:2].isupper() and account_scheme(number) == "iban"
        return Statement(
            ordinal=ordinal,
            position=f"statement {ordinal}",
            format=self.form,
            kind="statement",
            statement_id=None,
            account=account(number) if is_iban else number,
            currency_code=currency or self.profile.currency_code,
            account_scheme="iban" if is_iban else "other",
            bank=take.text(own, "BANKID"),
            from_date=take.day(start) if start else None,
            to_date=take.day(end) if end else None,
            closing=next((one for one in balances if one.code == "LEDGERBAL"), None),
            balances=tuple(balances),
            file_id=self.file_id,
        )

    def _currency(self, element: Element) -> str | None:
        """CURDEF; in small letters it is the same currency."""
        written = take.text(element, "CURDEF")
        currency = take.currency(written)
        if written != currency:
            where = f"statement {len(self.statements) + 1}"
            self.add(where, "repaired", f"currency {written!r} in small letters", "warning")
        return currency

    def _with_currency(self, head: Statement, entries: list[Entry]) -> Statement:
        """Without CURDEF the account is in the one currency that all its entries state."""
        stated = {one.currency_code for one in entries}
        if len(stated) > 1:
            raise RejectedFile(self.name, head.position, "no CURDEF, and entries in several currencies", ASK)
        if stated:
            self.add(head.position, "repaired", "no CURDEF; its entries all state one currency", "warning")
        currency = next(iter(stated), None)
        return replace(
            head,
            currency_code=currency,
            closing=replace(head.closing, currency_code=currency) if head.closing else None,
            balances=tuple(replace(one, currency_code=currency) for one in head.balances),
        )

    def _balance(self, element: Element, tag: str, currency: str | None) -> Balance | None:
        found = take.child(element, tag)
        if found is None:
            return None
        written, day = take.text(found, "BALAMT"), take.text(found, "DTASOF")
        if written is None:
            where = f"statement {len(self.statements) + 1}"
            self.add(where, "value_unreadable", f"{tag} without an amount", "warning")
            return None
        # Some banks write zeros where they know no day.
        as_of = take.day(day) if day and day.strip("0") else None
        return Balance(tag, take.amount(written), currency or self.profile.currency_code, as_of)

    def _entry(self, element: Element, head: Statement, number: int) -> Entry:
        position = f"{head.position}, entry {number}"
        try:
            found = entry(element, self.entry_count + 1, position, head.currency_code, self.profile)
        except ValueError as error:
            raise RejectedFile(self.name, f"line {element.line}", str(error), ASK) from error
        self.entry_count += 1
        return found

    def _check(self, statement: Statement) -> None:
        self.issues.extend(head_issues(statement))
        seen = Counter(one.bank_reference for one in statement.entries if one.bank_reference)
        for one in statement.entries:
            self.issues.extend(entry_issues(statement, one))
            self.issues.extend(oddities(one, statement.ordinal))
            if one.bank_reference and seen[one.bank_reference] > 1:
                message = f"FITID {one.bank_reference[:60]!r} stands {seen[one.bank_reference]} times"
                issue = Issue(
                    one.position, "entry_repeated", message, "exception", statement.ordinal, one.ordinal
                )
                self.issues.add(issue)
        self.issues.extend(check_statement(statement))

    def add(self, position: str, code: str, message: str, severity: str = "exception") -> None:
        self.issues.add(Issue(position, code, message, severity))  # ty: ignore[invalid-argument-type]
