"""Single fields of a camt file that can be changed alone, by kind, and which control is there to notice it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal


@dataclass(frozen=True)
class Change:
    """One field changed: what kind it is, and the whole file with the change in it."""

    kind: str
    content: bytes


_ENTRY = re.compile(r"<Ntry>.*?</Ntry>", re.DOTALL)
_DETAIL = re.compile(r"<TxDtls>.*?</TxDtls>", re.DOTALL)
_BALANCE = re.compile(r"<Bal>(?:(?!</Bal>).)*<Cd>(?:OPBD|PRCD|CLBD)</Cd>.*?</Bal>", re.DOTALL)
_AVAILABLE = re.compile(r"<Bal>(?:(?!</Bal>).)*<Cd>(?:OPAV|CLAV|FWAV|ITAV)</Cd>.*?</Bal>", re.DOTALL)
_AMOUNT = re.compile(r"(<Amt Ccy=\"[A-Z]{3}\">)([0-9.]+)(</Amt>)")
_SIGN = re.compile(r"(<CdtDbtInd>)(CRDT|DBIT)(</CdtDbtInd>)")
_COUNT = re.compile(r"(<(?:NbOfTxs|NbOfNtries)>)([0-9]+)(</)")
_SUM = re.compile(r"(<Sum>)([0-9.]+)(</Sum>)")
_BOOKED = re.compile(r"(<BookgDt>\s*<Dt>)([0-9-]+)(</Dt>)")
_ACCOUNT = re.compile(r"(<Acct>\s*<Id>\s*(?:<IBAN>|<Othr>\s*<Id>))([A-Z0-9]+)(</)")
_OTHER = {"CRDT": "DBIT", "DBIT": "CRDT"}


def changes(content: bytes) -> Iterator[Change]:
    """Every amount, sign, count, total, booking date and account of the file, each changed alone."""
    text = content.decode("utf-8-sig")
    for kind, pattern, inner in (
        ("entry amount", _ENTRY, _AMOUNT),
        ("entry sign", _ENTRY, _SIGN),
        ("booking date", _ENTRY, _BOOKED),
        ("balance amount", _BALANCE, _AMOUNT),
        ("balance sign", _BALANCE, _SIGN),
        ("available balance", _AVAILABLE, _AMOUNT),
    ):
        for block in pattern.finditer(text):
            # The first in the block is the block's own; those of details come after it.
            if found := inner.search(block[0]):
                yield _change(kind, text, block.start() + found.start(2), found[2])
    for block in _DETAIL.finditer(text):
        for kind, inner in (("detail amount", _AMOUNT), ("detail sign", _SIGN)):
            if found := inner.search(block[0]):
                yield _change(kind, text, block.start() + found.start(2), found[2])
    for kind, inner in (("count", _COUNT), ("total", _SUM), ("account", _ACCOUNT)):
        for found in inner.finditer(text):
            yield _change(kind, text, found.start(2), found[2])


def _change(kind: str, text: str, at: int, old: str) -> Change:
    return Change(kind, (text[:at] + _other(kind, old) + text[at + len(old) :]).encode())


def _other(kind: str, old: str) -> str:
    """A value that could as well stand there: a cent or one more, the other sign, a day earlier, another digit."""
    if kind.endswith("sign"):
        return _OTHER[old]
    if kind == "count":
        return str(int(old) + 1)
    if kind == "booking date":
        return str(date.fromisoformat(old) - timedelta(days=1))
    if kind == "account":
        return old[:-1] + str((int(old[-1]) + 1) % 10) if old[-1].isdigit() else old[:-1] + "0"
    return str(Decimal(old) + Decimal("0.01"))
