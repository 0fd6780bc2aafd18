"""Which format a file is in, by its first bytes. Names and extensions say nothing: banks use them as they like."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, Protocol

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Content
from o2c.sources.bank.profiles import STANDARD, BankProfile

Format = Literal[
    "camt", "mt940", "bai2", "lockbox", "x12", "ach", "edifact", "remadv_xml", "ofx", "csv", "xlsx"
]

HEAD = 1 << 16


class Reader(Protocol):
    """What every format's module offers as ``read``."""

    def __call__(self, content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile: ...


@dataclass(frozen=True, slots=True)
class _Sign:
    """A format and what the file begins with, after blanks and a byte order mark."""

    format: Format
    pattern: re.Pattern[str]


# The first that fits decides; the stricter ones come first.
_SIGNS = (
    _Sign("xlsx", re.compile(r"\APK\x03\x04.*?(?:\[Content_Types\]\.xml|_rels/|xl/)", re.DOTALL)),
    _Sign("camt", re.compile(r"\A<.*?urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.", re.DOTALL)),
    _Sign("ofx", re.compile(r"\A(?:OFXHEADER|DATA:OFXSGML|<OFX>|<\?OFX|<\?xml[^>]*\?>\s*(?:<\?OFX|<OFX>))")),
    _Sign("remadv_xml", re.compile(r"\A<.*?<(?:\w{1,20}:)?(?:ErpelMessage|REMADV)[\s>]", re.DOTALL)),
    _Sign("x12", re.compile(r"\A(?:ISA[^A-Za-z0-9]|ST[^A-Za-z0-9\s]8\d\d[^A-Za-z0-9\s])")),
    _Sign("edifact", re.compile(r"\A(?:UNA.{6}\s*UNB|UNB[^A-Za-z0-9]|UNH[^A-Za-z0-9])", re.DOTALL)),
    _Sign("bai2", re.compile(r"\A01,[^,\n]*,[^,\n]*,\d{6},")),
    _Sign("ach", re.compile(r"\A101.{31}094101", re.DOTALL)),
    _Sign("lockbox", re.compile(r"\A1\d\d[^\n]{20,120}\n2[^\n]{1,120}\n[3-9]")),
    _Sign("mt940", re.compile(r"\A\x01?\s*(?:\{1:[^\n]{1,200}\{4:\s*)?:(?:940|\d\d[A-Z]?):")),
    _Sign("mt940", re.compile(r"\A(?:[^:\n]{0,200}\r?\n){1,8}:20:[^\n]*\r?\n(?s:.*?)^:25", re.MULTILINE)),
)
# Files we know by sight and do not read: said by name, so that nobody searches long.
_KNOWN = (
    (
        re.compile(r"\A<.*?urn:iso:std:iso:20022:tech:xsd:pain\.", re.DOTALL),
        "an ISO 20022 payment order (pain)",
    ),
    (re.compile(r"\A<"), "XML that is no camt.052, .053, .054, OFX or REMADV"),
    (re.compile(r"\A!(?:Account|Type:|Option:)"), "a QIF file"),
    (re.compile(r"\A%PDF"), "a PDF document"),
    (re.compile(r"\A[\[{]\s*(?:[\"{\[]|\Z)"), "JSON"),
    (re.compile(r"\A(?:\x1f\x8b|PK\x03\x04|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd)"), "an archive"),
    (re.compile(r"\A(?s:.{257})ustar"), "a tar archive"),
    (re.compile(r"\A(?:\x7fELF|MZ|\xd0\xcf\x11\xe0|\x89PNG|\xff\xd8\xff)"), "a binary file"),
)

# The module of this package whose ``read`` takes the format. csv and xlsx need a declared profile as well.
MODULES: dict[Format, str] = {
    "camt": "camt",
    "mt940": "mt940",
    "bai2": "bai2",
    "lockbox": "lockbox",
    "x12": "x12",
    "ach": "ach",
    "edifact": "remadv",
    "remadv_xml": "remadv_xml",
    "ofx": "ofx",
    "csv": "table",
    "xlsx": "table",
}


def recognise(head: bytes, name: str) -> Format:
    """The format of a file that begins with ``head`` (64 kB are enough).

    Raises:
        RejectedFile: empty, an archive or other binary content, or text of no format we read.
    """
    if not head:
        raise RejectedFile(name, "byte 0", "the file is empty", "ask the bank for the file again")
    text = _text(head[:HEAD])
    for sign in _SIGNS:
        if sign.pattern.search(text):
            return sign.format
    for pattern, what in _KNOWN:
        if pattern.search(text):
            raise RejectedFile(name, "byte 0", f"{what}: not read here", "deliver a statement or remittance")
    if "\x00" in text or _is_binary(text):
        raise RejectedFile(name, "byte 0", "binary content of no known format", "check what was delivered")
    if not text:
        raise RejectedFile(name, "byte 0", "nothing but blanks", "ask the bank for the file again")
    if _is_table(text):
        return "csv"
    raise RejectedFile(
        name,
        "line 1",
        f"begins with {text[:30]!r}: no format we read",
        "see docs/bank-files.md for those we do",
    )


def reader_of(found: Format) -> Reader:
    """The ``read`` of the format's module. Modules are loaded when first needed: some bring libraries with them."""
    return import_module(f"o2c.sources.bank.{MODULES[found]}").read


def _text(head: bytes) -> str:
    """The head as characters, each byte one, without byte order mark and leading blanks."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(encoding, errors="replace").lstrip()
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip(" \t\r\n")


def _is_binary(text: str) -> bool:
    """More than one in a hundred control characters: no bank writes text like that."""
    controls = sum(1 for one in text if one < " " and one not in "\t\r\n\x0c\x1a\x1c\x1d\x1e\x1f")
    return controls > len(text) // 100


def _is_table(text: str) -> bool:
    """The first lines have one delimiter, as often in each (quoted fields left out)."""
    lines = [re.sub(r'"[^"\n]*"', "", line) for line in text.splitlines()[:20] if line.strip()]
    if len(lines) < 2:
        return False
    return any(lines[0].count(mark) and lines[0].count(mark) == lines[1].count(mark) for mark in ",;\t|")
