"""From the text of a BAI2 file to its records: one on a line, several on a line, or all on one.

A record ends with ``/``; text needs no end and may have slashes in it. The file's own record count decides which
reading is right: lines as they are, else also split behind a slash where something follows that can only be a record.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# What a record begins with so surely that no text does by chance.
_STARTS = re.compile(
    r"/ *(?=01,[^,/]*,[^,/]*,[0-9]{6},|02,[^,/]*,[^,/]*,[1-4],|03,[^,/]+,(?:[A-Z]{3})?,"
    r"|16,[0-9]{3},[+-]?[0-9]*,|49,[+-]?[0-9]+,[0-9]+ */|98,[+-]?[0-9]+,[0-9]+,[0-9]+ *(?:/|$)"
    r"|99,[+-]?[0-9]+,[0-9]+,[0-9]+ *(?:/|$)|88,)"
)
CODES = frozenset({"01,", "02,", "03,", "16,", "49,", "88,", "98,", "99,"})
_TRAILER = re.compile(r"(?:^|/ *)99,[+-]?[0-9]+,[0-9]+,([0-9]{1,9}) */? *$")
LONGEST_TRAILER = 60
# Stands for the ends of lines within a record while a text is cut up: no text has a zero byte.
_WITHIN = "\0"

# Blanks that fill a record to its fixed length, and the end of file of old systems.
_FILL = " \x1a"
Line = tuple[int, str]


class Record(NamedTuple):
    """A record with what goes on in the 88 records behind it: ``more`` is each of these texts behind a line feed.

    ``count`` is how many records these are. ``strays`` are lines without a code that stand among them.
    """

    line: int
    first: str
    more: str
    count: int
    strays: tuple[Line, ...] = ()


def records(text: str) -> Iterator[Record]:
    """Records with the line each begins on. A line that is no record stays with the record before it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\x1a" in text:
        text = "\n".join(line.rstrip(_FILL) for line in text.split("\n"))
    text = text.rstrip(_FILL + "\n")
    stated = _stated_in(text)
    joined = text.replace("\n88,", _WITHIN).split("\n")
    # Where every line is one record, as many as the trailers count, the text was cut up in two calls.
    if stated == text.count("\n") + 1 and text[:3] != "88," and all(one[:3] in CODES for one in joined):
        return _plain(joined)
    return _grouped(_lines(text, stated))


def _plain(joined: list[str]) -> Iterator[Record]:
    number = 1
    for record in joined:
        if _WITHIN in record:
            texts = record.split(_WITHIN)
            first, texts[0] = texts[0], ""
            yield Record(number, first, "\n".join(texts), len(texts))
            number += len(texts)
        else:
            yield Record(number, record, "", 1)
            number += 1


def _lines(text: str, stated: int) -> list[Line]:
    """Lines as they are, or split where their records only then are as many as the trailers count."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line]
    coded = sum(1 for _, line in lines if line[:3] in CODES)
    if coded == len(lines) == stated:
        return lines
    split = list(_split(lines))
    counted = sum(1 for _, line in split if line[:3] in CODES)
    # Where neither fits the count, the plainer reading stands; the counts then say what is wrong.
    return split if counted == stated or coded < len(lines) else lines


def _grouped(lines: list[Line]) -> Iterator[Record]:
    at, end = 0, len(lines)
    while at < end:
        number, first = lines[at]
        more, count, strays = [""], 1, []
        at += 1
        while at < end and ((code := lines[at][1][:3]) == "88," or code not in CODES):
            if code == "88,":
                count += 1
                more.append(lines[at][1][3:])
            else:
                strays.append(lines[at])
                more.append(lines[at][1])
            at += 1
        yield Record(number, first, "\n".join(more), count, tuple(strays))


def _split(lines: list[Line]) -> Iterator[Line]:
    for number, line in lines:
        start = 0
        for found in _STARTS.finditer(line):
            yield number, line[start : found.start() + 1]
            start = found.end()
        yield number, line[start:]


def _stated_in(text: str) -> int:
    """The record counts of all file trailers, each alone on its line or at its end."""
    stated, at = 0, text.find("99,")
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - at <= LONGEST_TRAILER:
            found = _TRAILER.search(text[text.rfind("\n", 0, at) + 1 : end])
            stated += int(found[1]) if found else 0
            at = text.find("99,", end)
        else:
            at = text.find("99,", end - LONGEST_TRAILER)
    return stated
