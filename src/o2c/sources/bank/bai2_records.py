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
_CODE = re.compile(r"(?:01|02|03|16|49|88|98|99),")
_TRAILER = re.compile(r"(?:^|/ *)99,[+-]?[0-9]+,[0-9]+,([0-9]{1,9}) */? *$", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\n|\r")

Record = tuple[int, str]


def records(text: str) -> list[Record]:
    """Records with the line each begins on, 88 apart. A line that is no record stays with the text before it."""
    lines = [
        (number, line)
        for number, raw in enumerate(_LINE_END.split(text) if "\r" in text else text.split("\n"), start=1)
        if (line := raw.rstrip(" \x1a\x00"))
    ]
    stated = sum(int(count) for count in _TRAILER.findall(text))
    coded = sum(1 for _, line in lines if _CODE.match(line))
    if coded == len(lines) == stated:
        return lines
    split = list(_split(lines))
    counted = sum(1 for _, line in split if _CODE.match(line))
    # Where neither fits the count, the plainer reading stands; the counts then say what is wrong.
    return split if counted == stated or coded < len(lines) else lines


def _split(lines: list[Record]) -> Iterator[Record]:
    for number, line in lines:
        start = 0
        for found in _STARTS.finditer(line):
            yield number, line[start : found.start() + 1]
            start = found.end()
        yield number, line[start:]


def is_record(line: str) -> bool:
    """Whether the line begins with the code of a record."""
    return _CODE.match(line) is not None
