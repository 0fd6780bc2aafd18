"""What every XML file must pass before a parser sees it: a known encoding and no DOCTYPE."""

import re

from o2c.sources.bank.errors import RejectedFile

# Entities stay unresolved, nothing is fetched, the parser's own limits on depth and length stay on.
PARSER = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": True,
    "remove_pis": True,
}

# Supersets of ASCII, so that the prolog can be searched as bytes. (UTF-7 or EBCDIC could hide a DOCTYPE.)
ENCODINGS = frozenset(
    {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252"}
)
_DECLARED = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ELEMENT = re.compile(r"<[A-Za-z_]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
PROLOG = 1 << 16


def refuse_unsafe_prolog(head: bytes, name: str) -> None:
    """Look at what stands before the first element.

    Raises:
        RejectedFile: empty, not XML, an encoding that is not allowed, any DOCTYPE, or no element in 64 kB.
    """
    if not head:
        raise RejectedFile(name, "byte 0", "the file is empty", "ask the bank for the file again")
    text = _prolog_text(head[:PROLOG], name)
    if not text.lstrip().startswith("<"):
        raise RejectedFile(name, "byte 0", "not XML", "check what was delivered")
    found = _ELEMENT.search(text)
    prolog = text[: found.start()] if found else text
    if "<!doctype" in prolog.lower() or "<!entity" in prolog.lower():
        raise RejectedFile(name, "head of the file", "it has a DOCTYPE", "check who sent it")
    if not found:
        raise RejectedFile(
            name, "head of the file", "no element in the first 64 kB", "check what was delivered"
        )
    declared = _DECLARED.search(prolog)
    if declared and declared[1].lower() not in ENCODINGS and not declared[1].lower().startswith("utf-16"):
        raise RejectedFile(
            name,
            "head of the file",
            f"encoding {declared[1]!r} is not one we read",
            "ask the bank for UTF-8",
        )


def _prolog_text(head: bytes, name: str) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
                break
            return head[len(mark) :].decode(encoding, errors="replace")
    if head.startswith((b"<\x00", b"\x00<")):
        return head.decode("utf-16-le" if head.startswith(b"<\x00") else "utf-16-be", errors="replace")
    if b"\x00" in head:
        raise RejectedFile(name, f"byte {head.index(0)}", "a NUL byte: not text", "check what was delivered")
    return head.decode("latin-1")
