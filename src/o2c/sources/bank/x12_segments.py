"""From the text of an X12 file to transaction sets: separators, envelopes, counts and control numbers.

ASC X12.5 (interchange) and X12.6 (group, set). The separators stand in the ISA; blanks and line ends around segments
are let pass, several interchanges, groups and sets may follow one another. A set without any envelope (``ST`` first,
as the 820 inside an ACH addenda often is) is read too.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache

from o2c.sources.bank import values
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Issue

ASK = "ask the sender for the file again"
# Blanks, line ends and the old end-of-file mark: they mean nothing between and after interchanges.
_BLANKS = re.compile(r"[ \t\r\n\x1a]*")
_BARE = re.compile(
    r"ST([^A-Za-z0-9\s])([0-9]{3})\1([A-Za-z0-9]{1,9})(?:\1([A-Za-z0-9]{0,35}))? *(?=([^A-Za-z0-9 ]))",
    re.ASCII,
)
# ISA has 16 elements of fixed width, 106 characters with its terminator; a few senders trim them.
_ISA_ELEMENTS, _ISA_LONGEST = 16, 160

Segment = list[str]


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """One ST to SE. ``segments`` are those between, without blanks around; the first of them is segment 2.

    ``version`` is the group's (GS08, ``004010X061A1``) or the set's own (ST03), None where neither is said.
    ``issues`` are those of its trailer.
    """

    ordinal: int
    kind: str
    version: str | None
    separator: str
    segments: list[str]
    issues: tuple[Issue, ...] = ()

    @property
    def position(self) -> str:
        return f"set {self.ordinal}"


def transaction_sets(text: str, name: str, issues: Issues) -> Iterator[TransactionSet]:
    """The sets of all interchanges, in order. A count or control number that differs goes to ``issues``.

    Raises:
        RejectedFile: no ISA or ST at the start, unusable separators, a trailer missing or out of place, or
            something other than an interchange after the end of one.
    """
    walk = _Walk(text, name, issues)
    position = _after_blanks(text, 0)
    while position < len(text):
        if text.startswith("ISA", position):
            end = yield from walk.interchange(position)
        elif not walk.ordinal and text.startswith("ST", position):
            end = yield from walk.bare_sets(position)
        else:
            where = f"after set {walk.ordinal}" if walk.ordinal else "head of the file"
            raise RejectedFile(name, where, f"{text[position : position + 20]!r} is no ISA", ASK)
        position = _after_blanks(text, end)
    if not walk.ordinal:
        raise RejectedFile(name, "end of file", "no transaction set", ASK)


def _after_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


@lru_cache(maxsize=64)
def _envelope_segments(separator: str, terminator: str) -> re.Pattern[str]:
    """An envelope segment behind the end of another. No run of blanks is looked at twice."""
    blanks = "[" + re.escape(" \t\r\n".replace(terminator, "")) + "]*"
    mark, end = re.escape(separator), re.escape(terminator)
    return re.compile(rf"{end}{blanks}((?:ISA|GS|ST|SE|GE|IEA){mark}[^{end}]*)")


class _Walk:
    """Where the reading of one file stands."""

    def __init__(self, text: str, name: str, issues: Issues) -> None:
        self.text, self.name, self.issues = text, name, issues
        self.separator = self.terminator = ""
        self.ordinal = 0
        self.group: Segment | None = None
        self.group_sets = 0
        self.set_head: Segment | None = None

    def interchange(self, start: int) -> Generator[TransactionSet, None, int]:
        """Sets of the interchange that begins at ``start``; returns where it ends."""
        head, done = self._begin(start)
        groups = 0
        for found in _envelope_segments(self.separator, self.terminator).finditer(self.text, done):
            body, done = self.text[done : found.start()], found.end()
            segment = found[1].strip().split(self.separator)
            if segment[0] != "IEA":
                groups += segment[0] == "GS"
                if one := self._envelope(segment, body):
                    yield one
                continue
            if self.group is not None or self.set_head is not None:
                raise self._refused("IEA before the end of its group")
            is_whole = done < len(self.text)
            self.issues.extend(self._close("IEA", segment, groups, head[13], is_whole=is_whole))
            if head[15].strip() == "T":
                message = f"interchange {head[13].strip()} says that it is a test (ISA15)"
                self.issues.add(Issue("ISA", "test_file", message, "warning"))
            return done + is_whole
        raise RejectedFile(self.name, "end of file", "no IEA: the interchange is cut off", ASK)

    def bare_sets(self, start: int) -> Generator[TransactionSet, None, int]:
        """Sets without ISA and GS, to the end of the text; returns where they end."""
        first = _BARE.match(self.text, start)
        if not first:
            raise RejectedFile(self.name, "head of the file", "ST without set and control number", ASK)
        self.separator, self.terminator = first[1], first[5]
        self._envelope(first[0].strip().split(self.separator), "", is_bare=True)
        done = first.end()
        for found in _envelope_segments(self.separator, self.terminator).finditer(self.text, done):
            body, done = self.text[done : found.start()], found.end()
            segment = found[1].strip().split(self.separator)
            is_whole = done < len(self.text)
            if one := self._envelope(segment, body, is_bare=True, is_whole=is_whole):
                yield one
        if self.set_head is not None:
            raise RejectedFile(self.name, "end of file", f"no SE: set {self.ordinal} is cut off", ASK)
        self._nothing_in(self.text[done:])
        self.issues.add(Issue("set 1", "repaired", "a set without ISA and GS around it", "warning"))
        return len(self.text)

    def _begin(self, start: int) -> tuple[Segment, int]:
        """The elements of an ISA and where it ends; its separators are in use from here on."""
        text = self.text
        separator = text[start + 3 : start + 4]
        head = text[start : start + _ISA_LONGEST].split(separator, _ISA_ELEMENTS) if separator else []
        if len(head) <= _ISA_ELEMENTS or len(head[-1]) < 2:
            raise RejectedFile(self.name, "ISA", "it has not its 16 elements", ASK)
        rest = head[-1][1:].lstrip(" ")
        end = start + sum(map(len, head)) + _ISA_ELEMENTS - len(rest)
        if rest.startswith("\r\n"):
            rest, end = rest[1:], end + 1
        marks = (separator, head[-1][0], rest[:1])
        if len(set(marks)) < 3 or any(not one or one.isalnum() or one in " .-" for one in marks):
            raise RejectedFile(self.name, "ISA", f"{marks!r} cannot be the separators", ASK)
        self.separator, _, self.terminator = marks
        return head, end

    def _envelope(
        self, segment: Segment, body: str, *, is_bare: bool = False, is_whole: bool = True
    ) -> TransactionSet | None:
        """Take GS, ST, SE or GE, and the text before it; the set that an SE ends comes back."""
        tag = segment[0]
        if self.set_head is None:
            self._nothing_in(body)
        if tag == "SE" and self.set_head is not None:
            head, self.set_head = self.set_head, None
            segments = list(filter(None, map(str.strip, body.split(self.terminator))))
            faults = self._close("SE", segment, len(segments) + 2, head[2], is_whole=is_whole)
            own = head[3].strip() if len(head) > 3 else ""
            version = self.group[8].strip() if self.group else own
            return TransactionSet(
                self.ordinal, head[1].strip(), version or None, self.separator, segments, tuple(faults)
            )
        if tag == "ST" and self.set_head is None and (is_bare or self.group is not None):
            if len(segment) < 3:
                raise self._refused("ST without set and control number")
            self.ordinal += 1
            self.group_sets += 1
            self.set_head = segment
        elif tag == "GS" and self.group is None and self.set_head is None and not is_bare:
            if len(segment) < 9:
                raise self._refused("GS has not its 8 elements")
            self.group, self.group_sets = segment, 0
        elif tag == "GE" and self.group is not None and self.set_head is None:
            self.issues.extend(self._close("GE", segment, self.group_sets, self.group[6]))
            self.group = None
        else:
            raise self._refused(f"{tag} out of place: the segment before it that belongs to it is missing")
        return None

    def _nothing_in(self, between: str) -> None:
        """Outside a set only an interchange acknowledgment (TA1) may stand."""
        for raw in between.split(self.terminator):
            if raw.strip(" \t\r\n\x1a") and not raw.strip().startswith(f"TA1{self.separator}"):
                raise self._refused(f"{raw.strip()[:20]!r} stands outside a transaction set")

    def _close(
        self, tag: str, trailer: Segment, count: int, control: str, *, is_whole: bool = True
    ) -> list[Issue]:
        """What differs between a trailer and what it closes; one that may be cut off must have its number whole."""
        try:
            stated, number = values.count(trailer[1].strip()), trailer[2].strip()
        except (IndexError, ValueError):
            raise self._refused(f"{tag} without a readable count and control number") from None
        what, control = _WHAT[tag], control.strip()
        is_same = number == control or _as_count(number) == _as_count(control)
        if not is_same and not is_whole:
            raise self._refused(f"{tag} is cut off")
        where = f"set {self.ordinal}, {tag}" if tag == "SE" else tag
        faults = []
        if stated != count:
            faults.append(Issue(where, "count_differs", f"{what}: stated {stated}, found {count}"))
        if not is_same:
            message = f"{tag} ends number {number}, its header is number {control}"
            faults.append(Issue(where, "control_number_differs", message))
        return faults

    def _refused(self, reason: str) -> RejectedFile:
        where = f"set {self.ordinal}" if self.ordinal else "head of the file"
        return RejectedFile(self.name, where, reason, ASK)


_WHAT = {"SE": "segments of the set", "GE": "sets of the group", "IEA": "groups of the interchange"}


def _as_count(text: str) -> int | str:
    """A control number as a number, so that 0104 and 104 are one; any other text as it is."""
    try:
        return values.count(text)
    except ValueError:
        return text
