"""Single fields of MT940, BAI2 and lockbox files that can be changed alone, by kind."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from camt_fields import Change

# Kind and what it looks like; the group ``old`` is changed.
_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "mt940": (
        ("entry amount", r"^:61:[0-9 ]{6,10}R?[CD][A-Z]?(?P<old>[0-9]+,[0-9]*)"),
        ("entry sign", r"^:61:[0-9 ]{6,10}(?P<old>[CD])"),
        ("entry date", r"^:61:[0-9]{6}(?P<old>[0-9]{4})[CDR]"),
        ("balance amount", r"^:6[02][FM]:[CD][0-9]{6}[A-Z]{3}(?P<old>[0-9]+,[0-9]*)"),
        ("balance sign", r"^:6[02][FM]:(?P<old>[CD])"),
        ("balance currency", r"^:6[02][FM]:[CD][0-9]{6}(?P<old>[A-Z]{3})"),
        ("available balance", r"^:6[45]:[CD][0-9]{6}[A-Z]{3}(?P<old>[0-9]+,[0-9]*)"),
        ("total", r"^:90[CD]:[0-9]+[A-Z]{3}(?P<old>[0-9]+,[0-9]*)"),
        ("count", r"^:90[CD]:(?P<old>[0-9]+)"),
        ("account", r"^:25:(?P<old>[A-Z0-9/]+)$"),
    ),
    "bai2": (
        ("entry amount", r"^16,[0-9]{3},(?P<old>[0-9]+)"),
        ("entry sign", r"^16,(?P<old>[1-6])[0-9]{2},"),
        ("balance amount", r"(?:^03,[^,]*,[A-Z]*|,),?(?:010|015|040|045|100|400),(?P<old>[+-]?[0-9]+)"),
        ("total", r"^(?:49|98|99),(?P<old>[+-]?[0-9]+)"),
        ("count", r"^(?:49|98,[+-]?[0-9]+|99,[+-]?[0-9]+),[+-]?[0-9]+,?(?P<old>[0-9]*)/"),
        ("count", r"^(?:98|99),[+-]?[0-9]+,(?P<old>[0-9]+)"),
        ("report date", r"^02,[^,]*,[^,]*,[0-9],(?P<old>[0-9]{6})"),
        ("account", r"^03,(?P<old>[^,]+),"),
    ),
    "lockbox": (
        ("entry amount", r"^6[0-9]{6}(?P<old>[0-9]{10})"),
        ("total", r"^7[0-9]{22}(?P<old>[0-9]{10})"),
        ("total", r"^8[0-9]{23}(?P<old>[0-9]{10})"),
        ("count", r"^7[0-9]{19}(?P<old>[0-9]{3})"),
        ("count", r"^8[0-9]{19}(?P<old>[0-9]{4})"),
        ("count", r"^9(?P<old>[0-9]{6})"),
        ("lockbox", r"^[78][0-9]{6}(?P<old>[0-9]{7})"),
        ("account", r"^6[0-9]{25}(?P<old>[0-9]{10})"),
    ),
}


def changes(form: str, content: bytes) -> Iterator[Change]:
    """Every such field of the file, each changed alone."""
    text = content.decode()
    for kind, pattern in _FIELDS[form]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            old = found["old"]
            if not old:
                continue
            start, end = found.span("old")
            yield Change(kind, (text[:start] + _other(kind, old) + text[end:]).encode())


def _other(kind: str, old: str) -> str:
    """A value that could as well stand there, as long as the old one."""
    if kind.endswith("sign"):
        return {"C": "D", "D": "C"}.get(old) or str((int(old) + 2) % 6 + 1)
    if kind == "balance currency":
        return "USD" if old != "USD" else "EUR"
    if kind == "entry date":
        day = date(2024, int(old[:2]), int(old[2:])) - timedelta(days=20)
        return f"{day:%m%d}"
    if kind == "report date":
        return old[:-2] + ("01" if old[-2:] != "01" else "02")
    if kind == "account":
        return old[:-1] + str((int(old[-1]) + 1) % 10)
    if "," in old:
        return str(Decimal(old.replace(",", ".")) + Decimal("0.01")).replace(".", ",")
    sign = old[0] if old[0] in "+-" else ""
    digits = old.removeprefix(sign)
    return sign + str(int(digits) + 1).zfill(len(digits))
