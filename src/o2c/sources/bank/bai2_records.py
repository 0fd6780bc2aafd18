"""From the text of a BAI2 file to its records: one on a line, several on a line, or all on one.

A record ends with ``/``; text needs no end and may have slashes in it. The file's own record count decides which
reading is right: lines as they are, else also split behind a slash where something follows that can only be a record.
"""

import re
from collections.abc import Iterator

# What a record begins with so surely that no text does by chance.
_STARTS = re.compile(
    r"/ *(?=01,[^,/]*,[^,/]*,[0-9]{6},|02,[^,/]*,[^,/]*,[1-4],|03,[^,/]+,(?:[A-Z]{3})?,"
    r"|16,[0-9]{3},[+-]?[0-9]*,|49,[+-]?[0-9]+,[0-9]+ */|98,[+-]?[0-9]+,[0-9]+,[0-9]+ *(?:/|$)"
    r"|99,[+-]?[0-9]+,[0-9]+,[0-9]+ *(?:/|$)|88,)"
)
CODES = frozenset({"01,", "02,", "03,", "16,", "49,", "88,", "98,", "99,"})
_TRAILER = re.compile(r"(?:^|/ *)99,[+-]?[0-9]+,[0-9]+,([0-9]{1,9}) */? *$")
_LINE_END = re.compile(r"\r\n|\n|\r")

# Blanks and zero bytes that fill a record to its fixed length, and the end of file of old systems.
_FILL = " \x1a\x00"
Record = tuple[int, str]


def records(text: str) -> list[Record]:
    """Records with the line each begins on, 88 apart. A line that is no record stays with the text before it."""
    lines: list[Record] = []
    stated = coded = 0
    for number, raw in enumerate(_LINE_END.split(text) if "\r" in text else text.split("\n"), start=1):
        if line := raw.rstrip(_FILL):
            lines.append((number, line))
            coded += line[:3] in CODES
            if "99," in line[-60:]:
                stated += _stated(line)
    if coded == len(lines) == stated:
        return lines
    split = list(_split(lines))
    counted = sum(1 for _, line in split if line[:3] in CODES)
    # Where neither fits the count, the plainer reading stands; the counts then say what is wrong.
    return split if counted == stated or coded < len(lines) else lines


def _split(lines: list[Record]) -> Iterator[Record]:
    for number, line in lines:
        start = 0
        for found in _STARTS.finditer(line):
            yield number, line[start : found.start() + 1]
            start = found.end()
        yield number, line[start:]


def _stated(line: str) -> int:
    """The record count of a file trailer, alone on the line or at its end."""
    found = _TRAILER.search(line)
    return int(found[1]) if found else 0
