"""From the text of a NACHA file to its records of 94 characters, and the layout of each kind.

Nacha Operating Rules, appendix on ACH record format specifications. Positions below count from 0, where those of the
rules count from 1. Files come with line ends of any sort, with blanks at line ends dropped, or without line ends.
"""

from collections.abc import Iterator

from o2c.sources.bank.errors import RejectedFile

ASK = "ask the bank for the file again"
SIZE = 94
# Records to a block; the last block is filled with nines.
BLOCKING = 10
FILLER = "9" * SIZE
# What may come behind a record: 1 file header, 5 batch header, 6 entry, 7 addendum, 8 batch control, 9 file control.
FOLLOWS = {"1": "59", "5": "68", "6": "678", "7": "678", "8": "59", "9": "1"}
_KINDS = frozenset(FOLLOWS)

# Second digit of a transaction code: return or notice, live, prenotification, zero amount with remittance; the first
# is the kind of account (checking, savings, ledger, loan).
CREDIT_CODES = frozenset(f"{account}{kind}" for account in "2345" for kind in "1234")
DEBIT_CODES = frozenset(f"{account}{kind}" for account in "234" for kind in "6789") | {"55", "56"}
# Trial entries, and returns or notices.
_PRENOTES, _RETURNS = "38", "16"


def is_prenote(code: str) -> bool:
    """A trial entry without money."""
    return code[1] in _PRENOTES


def is_return(code: str) -> bool:
    """A return or notice of change; what it was of stands in its addendum."""
    return code[1] in _RETURNS


def records(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Each record with its number in the file, from 1, filled up to 94 characters; without the filler at the end.

    Raises:
        RejectedFile: a record of another length, kind or place, or no file control at the end.
    """
    allowed = "1"
    for number, record in enumerate(_cut(text, name), 1):
        kind = record[0]
        if record == FILLER and allowed == "1" and number > 1:
            continue
        if record == FILLER:
            raise RejectedFile(name, f"record {number}", "filler before the file control (record 9)", ASK)
        if kind not in allowed:
            raise _misplaced(number, record, allowed, name)
        allowed = FOLLOWS[kind]
        yield number, record
    if allowed != "1" or not text.strip():
        raise RejectedFile(name, "end of file", "no file control (record 9): the file is cut off", ASK)


def _cut(text: str, name: str) -> list[str]:
    lines = text.rstrip("\x1a").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [line for line in lines if line and line.strip(" ")]
    if all(len(line) == SIZE for line in lines):
        return lines
    is_unbroken = len(lines) == 1
    found: list[str] = []
    for line in lines:
        # Blanks at the end may be dropped, or there may be more of them; without line ends one line is the file.
        plain = line.rstrip(" ")
        if len(plain) > SIZE and len(line) % SIZE and not is_unbroken:
            where = f"record {len(found) + 1}"
            raise RejectedFile(name, where, f"a line of {len(plain)} characters, not {SIZE}", ASK)
        found += (plain[start : start + SIZE].ljust(SIZE) for start in range(0, len(plain), SIZE))
    return found


def _misplaced(number: int, record: str, allowed: str, name: str) -> RejectedFile:
    where = f"record {number}"
    if record[0] not in _KINDS:
        return RejectedFile(name, where, f"{record[:20]!r} is no record of an ACH file", ASK)
    expected = " or ".join(allowed)
    return RejectedFile(name, where, f"record type {record[0]} where {expected} must be", ASK)
