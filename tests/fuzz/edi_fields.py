"""Single fields of X12 820, ACH and EDIFACT REMADV files that can be changed alone, by kind."""

import re
from collections.abc import Iterator
from decimal import Decimal

from camt_fields import Change

# Kind and what it looks like; the group ``old`` is changed. Records of ACH count from 1 in the rules, from 0 here.
_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "x12": (
        ("payment amount", r"BPR\*[A-Z]\*(?P<old>[0-9.]+)\*"),
        ("payment sign", r"BPR\*[A-Z]\*[0-9.]+\*(?P<old>[CD])\*"),
        ("paid amount", r"RMR\*[A-Z]+\*[^*]*\*[A-Z]*\*(?P<old>-?[0-9.]+)"),
        ("own adjustment", r"ENT\*1~\s*ADX\*(?P<old>-?[0-9.]+)"),
        ("count", r"\b(?:SE|GE|IEA)\*(?P<old>[0-9]+)\*"),
        ("control number", r"\b(?:SE|GE|IEA)\*[0-9]+\*(?P<old>[0-9]+)"),
        ("document amount", r"RMR\*[A-Z]+\*[^*]*\*[A-Z]*\*-?[0-9.]+\*(?P<old>[0-9.]+)"),
        ("day", r"BPR\*(?:[^*]*\*){15}(?P<old>[0-9]{8})"),
    ),
    "ach": (
        ("entry amount", r"^6.{28}(?P<old>[0-9]{10})"),
        ("entry sign", r"^6[2-5](?P<old>[1-46-9])"),
        ("entry bank", r"^6..(?P<old>[0-9]{8})"),
        ("count", r"^8...(?P<old>[0-9]{6})"),
        ("count", r"^9(?P<old>[0-8][0-9]{5})"),
        ("count", r"^9[0-8][0-9]{5}(?P<old>[0-9]{6})"),
        ("count", r"^9[0-8][0-9]{11}(?P<old>[0-9]{8})"),
        ("hash", r"^8.{9}(?P<old>[0-9]{10})"),
        ("hash", r"^9[0-8].{19}(?P<old>[0-9]{10})"),
        ("total", r"^8.{19}(?P<old>[0-9]{12})"),
        ("total", r"^8.{31}(?P<old>[0-9]{12})"),
        ("total", r"^9[0-8].{29}(?P<old>[0-9]{12})"),
        ("total", r"^9[0-8].{41}(?P<old>[0-9]{12})"),
        ("batch number", r"^8.{86}(?P<old>[0-9]{7})"),
        ("addendum number", r"^705.{80}(?P<old>[0-9]{4})"),
        ("account", r"^6.{11}(?P<old>[0-9]+)"),
        ("day", r"^5.{68}(?P<old>[0-9]{6})"),
    ),
    "edifact": (
        ("total", r"UNS\+S'\s*MOA\+12:(?P<old>[0-9.]+)"),
        ("paid amount", r"DOC\+[^']*'\s*MOA\+12:(?P<old>[0-9.]+)"),
        ("count", r"UN[TZ]\+(?P<old>[0-9]+)\+"),
        ("control number", r"UN[TZ]\+[0-9]+\+[A-Z]*(?P<old>[0-9]+)"),
        ("adjustment", r"AJT\+[^']*'\s*MOA\+12:(?P<old>-[0-9.]+)"),
        ("day", r"DTM\+137:(?P<old>[0-9]{8})"),
    ),
}


def changes(form: str, content: bytes) -> Iterator[Change]:
    """Every such field of the file, each changed alone."""
    text = content.decode("utf-8-sig")
    for kind, pattern in _FIELDS[form]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            start, end = found.span("old")
            yield Change(kind, (text[:start] + _other(kind, found["old"]) + text[end:]).encode())


def _other(kind: str, old: str) -> str:
    """A value that could as well stand there."""
    if kind == "payment sign":
        return "D" if old == "C" else "C"
    if kind == "entry sign":
        return str((int(old) + 4) % 10 + 1) if old < "6" else str(int(old) - 5)
    if kind == "day":
        return old[:-2] + ("01" if old[-2:] != "01" else "02")
    if "." in old:
        return str(Decimal(old) + Decimal("0.01"))
    sign = old[0] if old[0] in "+-" else ""
    digits = old.removeprefix(sign)
    return sign + str((int(digits) + 1) % 10 ** len(digits)).zfill(len(digits))
