"""The text of an OFX file: its header read, its bytes decoded as the header declares, nothing guessed."""

import re
from dataclasses import dataclass

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.xml_safety import ENCODINGS

# A year of a busy account is under 5 MB.
LARGEST = 64 << 20
HEADER = 1 << 14
ASK = "ask the bank for the file again"

_BODY = re.compile(rb"<OFX(?:>|\s)")
_KEYS = (
    "OFXHEADER|DATA|VERSION|SECURITY|ENCODING|CHARSET|COMPRESSION|OLDFILEUID|NEWFILEUID"  # 1.x, in this order
)
_PAIRS = re.compile(f"({_KEYS})\\s*:")
_VALUE = re.compile(r"[^\s<>]{0,100}")
_DECLARATION = re.compile(r"<\?xml\s[^<>]*\?>")
_OFX_HEAD = re.compile(r"<\?OFX\s([^<>]*)\?>")
_ATTRIBUTE = re.compile(r"""([A-Za-z]+)\s*=\s*["']([^"'<>]*)["']""")
# Names of CHARSET as banks write them. NONE, and no CHARSET at all, declare ASCII only.
_CHARSETS = {
    "1252": "cp1252",
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
    "1250": "cp1250",
    "1251": "cp1251",
    "ISO-8859-1": "latin-1",
    "8859-1": "latin-1",
    "ISO-8859-15": "iso8859-15",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "65001": "utf-8",
}


@dataclass(frozen=True, slots=True)
class Text:
    """The body from ``<OFX>`` on, the version that the header states, and the line that the body begins on."""

    body: str
    version: str | None
    line: int
    is_headless: bool


def decoded(content: bytes, name: str, profile: BankProfile = STANDARD) -> Text:
    """Header and body of a file of OFX 1.x (``OFXHEADER:100``) or 2.x (``<?OFX OFXHEADER="200"?>``).

    The header may follow blank lines, stand on one line, or be missing; the body decides by itself whether it is
    SGML or XML, because banks put either under either header.

    Raises:
        RejectedFile: too large, no ``<OFX>``, encrypted or compressed, a header that is none, or bytes that are not
            in the declared encoding.
    """
    if len(content) > LARGEST:
        raise RejectedFile(name, "file", f"{len(content)} bytes, more than {LARGEST}", "split the file")
    content = _without_utf16(content, name)
    found = _BODY.search(content, 0, HEADER)
    if not found:
        raise RejectedFile(name, "head of the file", "no <OFX>", "check what was delivered")
    head = content[: found.start()].removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    header = _header(head, name)
    body = _body(content[found.start() :], header, head.count("\n") + 1, name, profile)
    return Text(body, header.get("VERSION"), head.count("\n") + 1, not header)


def _without_utf16(content: bytes, name: str) -> bytes:
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content
    try:
        return b"\xef\xbb\xbf" + content.decode("utf-16").encode("utf-8")
    except UnicodeError as error:
        raise RejectedFile(name, "file", f"not UTF-16 throughout ({error})", ASK) from error


def _header(head: str, name: str) -> dict[str, str]:
    """Keys and values of the header, in upper case; empty where there is none.

    Raises:
        RejectedFile: something else stands before ``<OFX>``, or the header states what we cannot read.
    """
    if "<?" in head:
        header = _xml_header(head, name)
    else:
        before, *pairs = _PAIRS.split(head)
        if before.strip():
            raise RejectedFile(name, "line 1", f"{before.strip()[:40]!r} is no OFX header", ASK)
        header = dict(zip(pairs[::2], (text.strip().upper() for text in pairs[1::2]), strict=True))
    if odd := [text for text in header.values() if not _VALUE.fullmatch(text)]:
        raise RejectedFile(name, "head of the file", f"{odd[0][:40]!r} in the header", "check who sent it")
    wanted = {
        "DATA": ("OFXSGML",),
        "OFXHEADER": ("100", "200"),
        "SECURITY": ("NONE", ""),
        "COMPRESSION": ("NONE", ""),
    }
    for key, fine in wanted.items():
        if key in header and header[key] not in fine:
            reason = f"the header states {key}:{header[key][:40]}, which is not read here"
            raise RejectedFile(name, "head of the file", reason, "ask the bank for a plain OFX file")
    if not re.fullmatch(r"[0-9]{0,3}", header.get("VERSION", ""), re.ASCII):
        raise RejectedFile(name, "head of the file", f"VERSION is {header['VERSION'][:40]!r}", ASK)
    return header


def _xml_header(head: str, name: str) -> dict[str, str]:
    declaration, ofx = _DECLARATION.search(head), _OFX_HEAD.search(head)
    rest = _OFX_HEAD.sub("", _DECLARATION.sub("", head, count=1), count=1)
    rest = re.sub(r"<!--(?:(?!--).)*-->", "", rest, flags=re.DOTALL)
    if rest.strip():
        raise RejectedFile(
            name, "head of the file", f"{rest.strip()[:40]!r} before <OFX>", "check who sent it"
        )
    header = {key.upper(): text.upper() for key, text in _ATTRIBUTE.findall(ofx[1])} if ofx else {}
    stated = dict(_ATTRIBUTE.findall(declaration[0])) if declaration else {}
    encoding = stated.get("encoding", "utf-8")
    if encoding.lower() not in ENCODINGS and not encoding.lower().startswith("utf-16"):
        raise RejectedFile(
            name, "head of the file", f"encoding {encoding[:40]!r} is not one we read", "ask for UTF-8"
        )
    return header | {"XML": "utf-8" if encoding.lower().startswith("utf-16") else encoding.lower()}


def _body(content: bytes, header: dict[str, str], line: int, name: str, profile: BankProfile) -> str:
    """The body as text.

    ``ENCODING:USASCII`` with ``CHARSET:1252`` means the code page 1252. A profile whose encodings are not the usual
    ones knows its bank better than the header.
    """
    if content.isascii():
        return _checked(content.decode("ascii"), line, name)
    declared = header.get("XML") or (
        "utf-8"
        if header.get("ENCODING") in ("UTF-8", "UNICODE")
        else _CHARSETS.get(header.get("CHARSET", ""))
    )
    knows_better = profile.encodings != STANDARD.encodings
    tried = profile.encodings if knows_better or declared is None else (declared,)
    at = 0
    for encoding in tried:
        try:
            return _checked(content.decode(encoding), line, name)
        except UnicodeDecodeError as error:
            at = error.start
        except LookupError:
            continue
    line += content.count(b"\n", 0, at)
    reason = f"byte 0x{content[at]:02x} is not {' or '.join(tried)}"
    raise RejectedFile(name, f"line {line}", reason, "declare `encodings` in the bank's profile")


def _checked(text: str, line: int, name: str) -> str:
    """The text without the mark that ends files of old systems; control characters are no text."""
    text = text.rstrip("\x1a\r\n\t ")
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        line += text.count("\n", 0, found.start())
        raise RejectedFile(
            name, f"line {line}", f"control character 0x{ord(found[0]):02x}", "check what was delivered"
        )
    return text
