"""camt.052, camt.053 and camt.054 of ISO 20022, all versions: XML to statements, streaming.

The elements are those of the message definitions (BkToCstmrAcctRpt, BkToCstmrStmt, BkToCstmrDbtCdtNtfctn), which the
versions 001.02 to 001.13 only add to or move by a level. Rules that are not obvious:

- the sign of an entry is its own CdtDbtInd, also when RvslInd says that it takes back an earlier one;
- the amount booked is Ntry/Amt; charges and instructed amounts stand beside it and never replace it;
- a detail inside a batch may have the opposite CdtDbtInd, and the details sum to the entry when signed by it.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from lxml import etree  # ty: ignore[missing-module-member]

from o2c.sources.bank.camt_reading import ASK, Part, Reading
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Content, Entry, Issue, Statement, content_id
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.xml_safety import PARSER, refuse_unsafe_prolog

BLOCK = 1 << 18
# Nothing that is built in one piece (a head, one transaction) is larger in any real file: 60 kB was the most seen.
LARGEST_PIECE = 2 << 20


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
    reading = Reading(name, file_id, profile)
    count = 0
    for event, element in _events(stream, name, reading):
        for part in reading.take(event, element):
            count += part.is_last
            yield part
    if not count:
        raise RejectedFile(name, "end of file", "a camt message without a statement", ASK)


def _events(stream: BinaryIO, name: str, reading: Reading) -> Iterator[tuple[str, Any]]:
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
