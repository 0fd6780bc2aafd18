"""From the text of an MT940 or MT942 file to messages of tagged fields: what is whole, what is cut, where things stand.

A message is what stands between ``:20:`` and its end mark: ``-`` alone, or ``-}`` where SWIFT's blocks are around it.
Banks that write no end mark close with the balances.
"""

import re
from dataclasses import dataclass, field

from o2c.money import MINOR_UNITS
from o2c.sources.bank.errors import RejectedFile

TAGS = frozenset(
    "13 13C 13D 20 21 25 25P 28 28C 34F 60F 60M 61 62F 62M 64 65 86 90C 90D NS 940".split()  # noqa: SIM905
)
# Fields that go on over several lines; after the balances of the end a line without a tag belongs to nothing.
MANY_LINES = frozenset({"25", "25P", "61", "86", "NS"})
LAST = frozenset({"62F", "62M", "64", "65"})
ASK = "ask the bank for the file again"
# No bank writes more: a text of an entry is 390 characters, the blocks of an envelope are some 200.
LONGEST_FIELD, LONGEST_ENVELOPE = 100_000, 2_000

_TAG = re.compile(r":([0-9]{2}[A-Z]?|NS|940):", re.ASCII)
_LINE_END = re.compile(r"\r\n|\n|\r")
_BLOCK = re.compile(r"\{[1235S]:")
# Frame characters of old transmissions: start and end of text.
_FRAME = "\x01\x02\x03\x04\x1a"
_COMPLETE_BALANCE = re.compile(r"[CD][0-9]{6}([A-Z]{3})[0-9]{1,15},([0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One tag with its text; lines are parted by line feeds, ``line`` is where it begins."""

    tag: str
    line: int
    text: str


@dataclass(slots=True)
class Message:
    """Fields of one message. ``header`` has SWIFT's blocks 1 to 3 where they are there.

    ``is_piece``: the file begins in the middle of a message. A cut file begins with its head, so it is never that.
    """

    line: int
    header: str = ""
    is_enveloped: bool = False
    end_mark: str = ""
    is_piece: bool = False
    fields: list[Field] = field(default_factory=list)


def messages(text: str, name: str) -> list[Message]:
    """All messages of a file, each closed. Of a file without any ``:20:`` these are pieces (``is_piece``).

    Raises:
        RejectedFile: the last message is cut off, an envelope is not closed, or text stands outside the messages.
    """
    lines = _LINE_END.split(text)
    splitting = _Splitting(name, is_piece=_begins_inside(lines))
    for number, line in enumerate(lines, start=1):
        splitting.take(line, number)
    found = splitting.finish()
    _refuse_cut_end(text, found, name)
    return found


class _Splitting:
    """State while the lines of one file are put into messages."""

    def __init__(self, name: str, *, is_piece: bool) -> None:
        self.name, self.is_piece = name, is_piece
        self.found: list[Message] = []
        self.message: Message | None = None
        self.header = ""
        self.header_line = 0
        self.is_in_block = False
        # Lines in front of a message: a bank's own heading, such as its BIC and the message type.
        self.heading_line = 0
        self.tag, self.tag_line, self.texts, self.size = "", 0, [""], 0

    def take(self, line: str, number: int) -> None:
        line = line.strip(_FRAME)
        start = line[:1]
        if start == ":" and (found := _TAG.match(line)) and self._is_tag(found[1]):
            self._start_field(found[1], line[found.end() :], number)
        elif not line.strip():
            return
        elif start == "{" and (_BLOCK.match(line) or line.startswith("{4:")):
            self._take_blocks(line, number)
        elif start == "-" and self._is_end(line):
            self._end_message(line.rstrip(), number)
        elif self.tag in LAST or not self.tag:
            self._end_field()
            self.message = None if self.message and not self.message.is_enveloped else self.message
            self.heading_line = self.heading_line or number
        elif self.tag in MANY_LINES:
            self.size += len(line)
            if self.size > LONGEST_FIELD:
                raise self._refusal(number, f"a field of more than {LONGEST_FIELD} characters")
            self.texts.append(line)
        else:
            raise self._refusal(number, f"field :{self.tag}: goes on, which it never does")

    def finish(self) -> list[Message]:
        self._end_field()
        if self.heading_line or self.header:
            raise self._refusal(self.heading_line or self.header_line, "text after the last message")
        if self.message and self.message.is_enveloped:
            raise self._refusal(self.message.line, "the message's envelope is not closed by -}")
        if not self.found:
            raise RejectedFile(self.name, "end of file", "no message in it", ASK)
        return self.found

    def _is_tag(self, tag: str) -> bool:
        """A line of text may look like a tag; one that no statement has is text where text may stand."""
        return tag in TAGS or self.tag not in MANY_LINES

    def _is_end(self, line: str) -> bool:
        """A dash alone ends a message; in the text of an entry, before the closing balance, it is text.

        A piece need not have a closing balance, so there the dash is its end.
        """
        if line.startswith("-}"):
            return True
        if line.rstrip() != "-":
            return False
        closing = self.message and any(one.tag in LAST or one.tag[:2] == "90" for one in self.message.fields)
        return self.tag != "86" or bool(closing) or self.is_piece

    def _start_field(self, tag: str, text: str, number: int) -> None:
        self._end_field()
        if tag == "940":
            # The heading of one bank (Rabobank) is written like a tag.
            self.message = None
            self.heading_line = number
            return
        if tag == "20" and self.message and self.message.fields:
            if self.message.is_enveloped:
                raise self._refusal(number, "a message begins before the envelope of the last is closed")
            self.message = None
        if self.message is None:
            if tag != "20" and not self.is_piece:
                raise self._refusal(
                    number, f"field :{tag}: stands before any :20:, a message without its head"
                )
            self.message = Message(
                self.header_line or number, self.header, self.is_in_block, is_piece=self.is_piece
            )
            self.found.append(self.message)
            self.header, self.header_line, self.heading_line, self.is_in_block = "", 0, 0, False
        self.tag, self.tag_line, self.texts, self.size = tag, number, [text], len(text)

    def _end_field(self) -> None:
        if self.tag and self.message:
            self.message.fields.append(Field(self.tag, self.tag_line, "\n".join(self.texts).rstrip()))
        self.tag = ""

    def _end_message(self, mark: str, number: int) -> None:
        self._end_field()
        if self.message is None:
            # A mark between two messages, or in front of the first, ends nothing.
            if mark.startswith("-}"):
                raise self._refusal(number, "an envelope is closed that was not opened")
            return
        if self.message.is_enveloped != mark.startswith("-}"):
            raise self._refusal(
                number, f"the message ends with {mark[:2]!r}, which does not fit its beginning"
            )
        self.message.end_mark = mark[:2].strip()
        self.message = None
        if rest := mark[2:].lstrip("$ " + _FRAME):
            self._take_blocks(rest, number)

    def _take_blocks(self, line: str, number: int) -> None:
        """SWIFT's blocks: 5 and S end a message, 1 to 3 and the beginning of 4 are the head of the next."""
        if self.message is not None:
            self._end_field()
            if self.message.is_enveloped:
                raise self._refusal(number, "a block begins before the last message is closed by -}")
            self.message = None
        if len(line) > LONGEST_ENVELOPE:
            raise self._refusal(number, f"an envelope of more than {LONGEST_ENVELOPE} characters")
        while line := line.lstrip("$ " + _FRAME):
            if line.startswith("{4:"):
                if not self.header:
                    self.header_line = number
                self.is_in_block = True
                if rest := line[3:].strip():
                    self.take(rest, number)
                return
            end = _closing(line)
            if not _BLOCK.match(line) or not end:
                raise self._refusal(number, "a block of the envelope is not closed")
            if line[1] in "123":
                self.header += line[:end]
                self.header_line = self.header_line or number
            line = line[end:]

    def _refusal(self, number: int, reason: str) -> RejectedFile:
        return RejectedFile(self.name, f"line {number}", reason, ASK)


def _begins_inside(lines: list[str]) -> bool:
    """Whether the first line is a field that only stands inside a message, and no message begins below it."""
    first = next((line.strip(_FRAME) for line in lines if line.strip(_FRAME).strip()), "")
    found = _TAG.match(first)
    if not found or found[1] not in TAGS - {"20", "940"}:
        return False
    return not any(line.strip(_FRAME).startswith(":20:") for line in lines)


def _closing(line: str) -> int:
    """Where the block that begins the line ends; 0 where it does not."""
    depth = 0
    for at, letter in enumerate(line):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return at + 1
    return 0


def _refuse_cut_end(text: str, found: list[Message], name: str) -> None:
    """A last line without a line end is whole only where its form says so: an end mark, or all its decimals."""
    last = found[-1]
    position = f"line {last.fields[-1].line}"
    marked = {bool(one.end_mark) for one in found}
    if len(marked) > 1 and not last.end_mark:
        raise RejectedFile(name, position, "the last message has no end mark, others have one", ASK)
    if text.startswith("\x01") and "\x03" not in text[-8:]:
        raise RejectedFile(name, position, "the transmission begins with SOH but has no ETX at its end", ASK)
    if last.end_mark or text.endswith(("\n", "\r")):
        return
    balance = _COMPLETE_BALANCE.fullmatch(last.fields[-1].text)
    is_whole = (
        last.fields[-1].tag in LAST
        and balance is not None
        and len(balance[2]) >= MINOR_UNITS.get(balance[1], 2)
    )
    if not is_whole:
        raise RejectedFile(name, position, "the file breaks off within its last line", ASK)
