"""camt.052, camt.053 and camt.054 of ISO 20022, all versions: XML to statements, streaming.

The elements are those of the message definitions (BkToCstmrAcctRpt, BkToCstmrStmt, BkToCstmrDbtCdtNtfctn), which the
versions 001.02 to 001.13 only add to or move by a level. Rules that are not obvious:

- the sign of an entry is its own CdtDbtInd, also when RvslInd says that it takes back an earlier one;
- the amount booked is Ntry/Amt; charges and instructed amounts stand beside it and never replace it;
- a detail inside a batch may have the opposite CdtDbtInd, and the details sum to the entry when signed by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

from lxml import etree  # ty: ignore[missing-module-member]

from o2c.sources.bank import camt_fields as fields
from o2c.sources.bank.camt_text import Group, Node, flatten
from o2c.sources.bank.controls import Issues, Tally
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Content, Detail, Entry, Issue, Statement, content_id
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.xml_safety import PARSER, refuse_unsafe_prolog

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
# Message, the element of one account in it, and what it is to us.
MESSAGES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt", "intraday"),
    "camt.053": ("BkToCstmrStmt", "Stmt", "statement"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "notification"),
}
VERSIONS = frozenset(f"001.{number:02}" for number in range(2, 14))

BLOCK = 1 << 18
# Nothing that is built in one piece (a head, one transaction) is larger in any real file: 60 kB was the most seen.
LARGEST_PIECE = 2 << 20
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


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All statements of one camt file.

    Raises:
        RejectedFile: not a supported camt message, not well-formed to the last byte, unsafe XML, or an element that
            no statement can do without (account, amount, currency, sign) is missing or unreadable.
    """
    file_id = content_id(content)
    statements: list[Statement] = []
    entries: list[Entry] = []
    exceptions: list[Issue] = []
    for part in read_parts(content, name, profile, file_id):
        entries.extend(part.statement.entries)
        exceptions.extend(part.exceptions)
        if part.is_last:
            statements.append(replace(part.statement, entries=tuple(entries)))
            entries.clear()
    form = statements[0].format
    return BankFile(
        name, file_id, form, form.split(".", 2)[2], statements=tuple(statements), exceptions=tuple(exceptions)
    )


def read_parts(
    content: Content, name: str, profile: BankProfile = STANDARD, file_id: str | None = None
) -> Iterator[Part]:
    """The same in parts, for files of any size: memory does not grow with the file.

    A file can turn out broken at its last byte, so a caller keeps nothing until the iterator has ended.

    Raises:
        RejectedFile: as ``read`` does, at the part where the fault is.
    """
    file_id = file_id or content_id(content)
    stream = BytesIO(content) if isinstance(content, bytes) else content
    reading = _Reading(name, file_id, profile)
    count = 0
    for event, element in _events(stream, name, reading):
        for part in reading.take(event, element):
            count += part.is_last
            yield part
    if not count:
        raise RejectedFile(name, "end of file", "a camt message without a statement", ASK)


def _events(stream: BinaryIO, name: str, reading: "_Reading") -> Iterator[tuple[str, Any]]:
    """Parser events of the few elements that matter, while the file is fed in blocks."""
    stream.seek(0)
    block = stream.read(BLOCK)
    refuse_unsafe_prolog(block, name)
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=["{*}Document", "{*}Rpt", "{*}Stmt", "{*}Ntfctn", "{*}Ntry", "{*}TxDtls"],
        **PARSER,
    )
    waiting = 0
    try:
        while block:
            parser.feed(block)
            waiting += len(block)
            before = reading.steps
            yield from parser.read_events()
            if reading.steps != before:
                waiting = 0
            if waiting > LARGEST_PIECE + BLOCK:
                raise RejectedFile(
                    name, reading.where(), "one transaction or head is larger than 2 MB", "check who sent it"
                )
            block = stream.read(BLOCK)
        parser.close()
        yield from parser.read_events()
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise RejectedFile(
            name, f"line {line}, column {column}", f"not well-formed XML ({error.msg})", ASK
        ) from error


class _Reading:
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
        self.issues.extend(fields.entry_issues(head, entry))
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
        self.issues.extend(fields.head_issues(head))
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
