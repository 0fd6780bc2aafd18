"""The state of reading one camt file: parser events in, parts of statements out, finished elements dropped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from o2c.sources.bank import camt_checks as checks
from o2c.sources.bank import camt_fields as fields
from o2c.sources.bank.camt_text import Group, Node, flatten
from o2c.sources.bank.controls import Issues, Tally
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Detail, Entry, Issue, Statement
from o2c.sources.bank.profiles import BankProfile

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
# Message, the element of one account in it, and what it is to us.
MESSAGES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt", "intraday"),
    "camt.053": ("BkToCstmrStmt", "Stmt", "statement"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "notification"),
}
VERSIONS = frozenset(f"001.{number:02}" for number in range(2, 14))

LARGEST_BATCH = 100_000
PART = 5000

ASK = "ask the bank for the file again"


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of a statement, about ``PART`` with their details, under its whole head.

    Issues of an entry come in its part, those of the statement in the last one.
    """

    statement: Statement
    exceptions: tuple[Issue, ...]
    is_last: bool


class Reading:
    """State while one file is read: where we are, and what of the current statement is not given out yet."""

    def __init__(self, name: str, file_id: str, profile: BankProfile) -> None:
        self.name, self.file_id, self.profile = name, file_id, profile
        self.form = ""
        # Transactions and entries done: their elements are dropped, so memory is bounded by the time between two.
        self.steps = 0
        self.cut = 0
        self.names: dict[str, str] = {}
        self.places = {name: Node() for name in ("GrpHdr", "head", "Ntry", "TxDtls")}
        self.statement_count = self.entry_count = self.entry_in_statement = 0
        self.element: Any = None
        self.head: Statement | None = None
        self.has_given_part = False
        self.entry_sign: int | None = None
        self.details: list[Detail] = []
        self.entries: list[Entry] = []
        self.weight = 0
        self.previous: Any = None
        self.previous_detail: Any = None
        self.tally = Tally()
        self.issues = Issues(profile)

    def where(self) -> str:
        """Where the reading stands, as a position."""
        if not self.statement_count:
            return "head of the message"
        return f"statement {self.statement_count}, entry {self.entry_in_statement + 1}"

    def take(self, event: str, element: Any) -> Iterator[Part]:
        """Use one parser event; a full or finished part comes out."""
        # Not etree.QName, which complains of braces in a namespace.
        local = element.tag[self.cut :] if self.cut else element.tag.rpartition("}")[2]
        if not self.cut:
            if event == "start":
                self._start_document(element, local)
        elif event == "start":
            if local == self.names["statement"]:
                self._start_statement(element)
        elif self.element is None:
            return
        elif local == "TxDtls":
            self._end_detail(element)
        elif local == "Ntry":
            self._end_entry(element)
            self.weight += 1 + len(self.entries[-1].details)
            if self.weight >= PART:
                yield self._part(self._head(), is_last=False)
        elif element is self.element:
            yield self._end_statement()

    def _start_document(self, element: Any, local: str) -> None:
        if element.getroottree().docinfo.doctype:
            raise RejectedFile(self.name, "head of the file", "it has a DOCTYPE", "check who sent it")
        space = element.tag.rpartition("}")[0][1:]
        message, _, version = space.removeprefix(NAMESPACE).partition(".001.")
        if (
            local != "Document"
            or message not in MESSAGES
            or not space.startswith(NAMESPACE)
            or f"001.{version}" not in VERSIONS
        ):
            raise RejectedFile(
                self.name,
                "head of the file",
                f"{local} of namespace {space[:80]!r} is no camt.052, .053 or .054 of version 001.02 to 001.13",
                "ask the bank for one of these",
            )
        self.form = f"{message}.001.{version}"
        root, statement, kind = MESSAGES[message]
        self.cut = len(space) + 2
        self.names = {"root": root, "statement": statement, "kind": kind, "prefix": f"{{{space}}}"}

    def _start_statement(self, element: Any) -> None:
        parent = element.getparent()
        if self.element is not None or parent is None or parent.tag[self.cut :] != self.names["root"]:
            raise RejectedFile(self.name, self.where(), "a statement inside something else", ASK)
        self.element, self.head, self.has_given_part = element, None, False
        self.previous = self.previous_detail = None
        self.statement_count += 1
        self.entry_in_statement = 0
        self.tally = Tally()

    def _end_detail(self, element: Any) -> None:
        """Build the detail and drop its element, so that a batch of any length stays small."""
        parent = element.getparent()
        entry = parent.getparent()
        if entry is None or entry.getparent() is not self.element:
            raise RejectedFile(self.name, self.where(), "TxDtls outside Ntry/NtryDtls", ASK)
        if self.entry_sign is None:
            wanted = self.names["prefix"] + "CdtDbtInd"
            indicator = next((one.text for one in entry if one.tag == wanted), None)
            self.entry_sign = self._required_sign(indicator, "CdtDbtInd")
        self.steps += 1
        ordinal = len(self.details) + 1
        if ordinal > LARGEST_BATCH:
            raise RejectedFile(
                self.name,
                self.where(),
                f"more than {LARGEST_BATCH} transactions in one entry",
                "check who sent it",
            )
        position = f"statement {self.statement_count}, entry {self.entry_in_statement + 1}, detail {ordinal}"
        group = flatten(element, self.places["TxDtls"])
        self.details.append(self._built(fields.detail, group, ordinal, position, self.entry_sign))
        element.clear()
        if self.previous_detail is not None:
            parent_of_previous = self.previous_detail.getparent()
            if parent_of_previous is not None:
                parent_of_previous.remove(self.previous_detail)
        self.previous_detail = element

    def _end_entry(self, element: Any) -> None:
        if element.getparent() is not self.element:
            raise RejectedFile(self.name, self.where(), "Ntry outside its statement", ASK)
        self.steps += 1
        head = self._head()
        position = self.where()
        group = flatten(element, self.places["Ntry"])
        sign = self._required_sign(group.first("CdtDbtInd"), "CdtDbtInd")
        entry = self._built(
            fields.entry, group, self.entry_count + 1, position, sign, tuple(self.details), self.profile
        )
        self.entry_count += 1
        self.entry_in_statement += 1
        self.entries.append(entry)
        self.issues.extend(checks.entry_issues(head, entry))
        self.issues.extend(self.tally.add(head, entry))
        self.details.clear()
        self.entry_sign = self.previous_detail = None
        element.clear()
        if self.previous is not None:
            self.element.remove(self.previous)
        self.previous = element

    def _end_statement(self) -> Part:
        before, self.head = self.head, None
        head = self._head()
        if self.has_given_part and head != before:
            raise RejectedFile(self.name, self.where(), "balances or totals after the entries", ASK)
        self.issues.extend(checks.head_issues(head))
        self.issues.extend(self.tally.close(head))
        part = self._part(head, is_last=True)
        self.element.clear()
        self.element = None
        return part

    def _head(self) -> Statement:
        """The statement without entries, from the children of its element that came so far."""
        if self.head is None:
            group = flatten(self.element, self.places["head"])
            message = self.element.getparent().find(self.names["prefix"] + "GrpHdr")
            self.head = self._built(
                fields.head,
                group,
                flatten(message, self.places["GrpHdr"]) if message is not None else Group(),
                self.statement_count,
                self.form,
                self.names["kind"],
                self.profile,
            )
            self.head = replace(self.head, file_id=self.file_id)
        return self.head

    def _part(self, head: Statement, *, is_last: bool) -> Part:
        part = Part(replace(head, entries=tuple(self.entries)), tuple(self.issues.found), is_last)
        self.entries.clear()
        self.weight = 0
        self.issues.found.clear()
        self.has_given_part = not is_last
        return part

    def _required_sign(self, indicator: str | None, what: str) -> int:
        try:
            return fields.SIGNS[(indicator or "").strip()]
        except KeyError:
            raise RejectedFile(
                self.name, self.where(), f"{what} is {indicator!r}, not CRDT or DBIT", ASK
            ) from None

    def _built(self, build: Any, *arguments: Any) -> Any:
        """What a builder makes; its complaint about a value becomes the refusal of the file."""
        try:
            return build(*arguments)
        except ValueError as error:
            raise RejectedFile(self.name, self.where(), str(error), ASK) from error
