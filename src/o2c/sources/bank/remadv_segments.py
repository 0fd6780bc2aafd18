"""From the text of an EDIFACT interchange to messages: service characters, envelopes, counts and references.

ISO 9735 syntax versions 1 to 4; pydifact cuts the text into tokens, the rest is ours. A message without an interchange
around it (``UNH`` first) is read too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydifact.control.characters import Characters
from pydifact.exceptions import EDISyntaxError
from pydifact.token import Token
from pydifact.tokenizer import Tokenizer

from o2c.sources.bank import values
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Issue

ASK = "ask the sender for the file again"
# The tokenizer takes a second and more per megabyte; the largest advice seen has 15 kB, and 2 MB hold 20,000 documents.
LARGEST = 2 << 20
_BLANKS = " \t\r\n\x1a"
_ENVELOPE = frozenset({"UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its tag, and its data elements each as a list of components, the first data element at 1."""

    tag: str
    elements: list[list[str]]

    def text(self, element: int, component: int = 0) -> str | None:
        """A component without blanks; None where it is empty or not there."""
        try:
            return self.elements[element][component].strip() or None
        except IndexError:
            return None


@dataclass(slots=True)
class Message:
    """One UNH to UNT. ``segments`` are those between; the first of them is segment 2.

    ``kind`` is ``REMADV``, ``directory`` ``D.96A``. ``issues`` are those of its trailer.
    """

    ordinal: int
    head: Segment
    segments: list[Segment] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.head.text(2) or ""

    @property
    def directory(self) -> str | None:
        parts = [part for at in (1, 2) if (part := self.head.text(2, at))]
        return ".".join(parts) or None

    @property
    def position(self) -> str:
        return f"message {self.ordinal}"


def messages(text: str, name: str, issues: Issues) -> Iterator[Message]:
    """The messages of all interchanges, in order. A count or reference that differs goes to ``issues``.

    Raises:
        RejectedFile: unusable service characters, a segment that does not end, a trailer missing or out of place,
            or more than 2 MB.
    """
    if len(text) > LARGEST:
        raise RejectedFile(name, f"byte {LARGEST}", "larger than any remittance advice", "split the file")
    walk = _Walk(name, issues)
    for segment in _segments(text, name):
        if done := walk.take(segment):
            yield done
    walk.end()


def _segments(text: str, name: str) -> Iterator[Segment]:
    characters, body = _service_characters(text.strip(_BLANKS), name)
    if not body.endswith(characters.segment_terminator):
        raise RejectedFile(name, "end of file", "the last segment does not end: the file is cut off", ASK)
    elements: list[list[str]] = [[""]]
    count = 0
    try:
        for token in Tokenizer().get_tokens(body, characters):
            if token.type is Token.Type.CONTENT:
                elements[-1][-1] = token.value
            elif token.type is Token.Type.COMPONENT_SEPARATOR:
                elements[-1].append("")
            elif token.type is Token.Type.DATA_SEPARATOR:
                elements.append([""])
            else:
                count += 1
                tag = elements[0][0].strip(_BLANKS)
                if len(tag) != 3 or not tag.isalnum():
                    raise RejectedFile(name, f"segment {count}", f"{tag[:10]!r} is no segment", ASK)
                yield Segment(tag, elements)
                elements = [[""]]
    except EDISyntaxError as error:
        raise RejectedFile(name, f"segment {count + 1}", f"it does not end ({error})", ASK) from error


def _service_characters(text: str, name: str) -> tuple[Characters, str]:
    """The characters of UNA, or the usual ones, and the text behind it."""
    marks, body = ":+.? '", text
    if text.startswith("UNA"):
        marks, body = text[3:9], text[9:].lstrip(_BLANKS)
    component, data, decimal, release, _, terminator = marks if len(marks) == 6 else [""] * 6
    # A blank says that nothing is released; no text has a zero byte.
    release = release if release.strip() else "\x00"
    used = (component, data, release, terminator)
    if len(set(used)) < 4 or any(not one or one.isalnum() or one in " -" for one in used):
        raise RejectedFile(name, "UNA", f"{marks!r} cannot be the service characters", ASK)
    return Characters(component, data, decimal, release, " ", terminator), body


class _Walk:
    """Where the reading of one file stands."""

    def __init__(self, name: str, issues: Issues) -> None:
        self.name, self.issues = name, issues
        self.ordinal = 0
        self.interchange: Segment | None = None
        self.group: Segment | None = None
        self.message: Message | None = None
        self.is_bare = False
        self.messages_in_interchange = self.messages_in_group = self.groups = 0

    def take(self, segment: Segment) -> Message | None:
        """Use one segment; the message that a UNT ends comes back."""
        if segment.tag not in _ENVELOPE:
            if self.message is None:
                raise self._refused(f"segment {segment.tag} outside a message")
            self.message.segments.append(segment)
            return None
        if segment.tag == "UNT" and self.message is not None:
            done, self.message = self.message, None
            done.issues = self._differences(segment, len(done.segments) + 2, done.head.text(1))
            return done
        if segment.tag == "UNH" and self.message is None:
            self._start_message(segment)
        elif segment.tag == "UNB" and self.interchange is None and self.message is None and not self.is_bare:
            self.interchange, self.group = segment, None
            self.messages_in_interchange = self.groups = 0
        elif segment.tag == "UNG" and self.interchange and self.group is None and self.message is None:
            self.group, self.messages_in_group = segment, 0
            self.groups += 1
        elif segment.tag == "UNE" and self.group is not None and self.message is None:
            self.issues.extend(self._differences(segment, self.messages_in_group, self.group.text(5)))
            self.group = None
        elif segment.tag == "UNZ" and self.interchange and self.group is None and self.message is None:
            count = self.groups or self.messages_in_interchange
            self.issues.extend(self._differences(segment, count, self.interchange.text(5)))
            if self.interchange.text(11) == "1":
                message = "the interchange says that it is a test (UNB 0035)"
                self.issues.add(Issue("UNB", "test_file", message, "warning"))
            self.interchange = None
        else:
            raise self._refused(f"{segment.tag} out of place: the segment that belongs before it is missing")
        return None

    def _start_message(self, segment: Segment) -> None:
        if self.interchange is None:
            if self.ordinal and not self.is_bare:
                raise self._refused("UNH behind the end of the interchange")
            self.is_bare = True
        self.ordinal += 1
        self.messages_in_interchange += 1
        self.messages_in_group += 1
        self.message = Message(self.ordinal, segment)

    def end(self) -> None:
        """Refuse what is not closed.

        Raises:
            RejectedFile: no UNT or no UNZ, or no message at all.
        """
        if self.message is not None or self.interchange is not None:
            missing = "UNT" if self.message is not None else "UNZ"
            raise RejectedFile(self.name, "end of file", f"no {missing}: the file is cut off", ASK)
        if not self.ordinal:
            raise RejectedFile(self.name, "end of file", "no message", ASK)
        if self.is_bare:
            self.issues.add(
                Issue("message 1", "repaired", "a message without UNB and UNZ around it", "warning")
            )

    def _differences(self, trailer: Segment, count: int, reference: str | None) -> list[Issue]:
        try:
            stated = values.count(trailer.text(1) or "")
        except ValueError as error:
            raise self._refused(f"{trailer.tag}: {error}") from None
        where = f"message {self.ordinal}, UNT" if trailer.tag == "UNT" else trailer.tag
        faults = []
        if stated != count:
            message = f"{_WHAT[trailer.tag]}: stated {stated}, found {count}"
            faults.append(Issue(where, "count_differs", message))
        if trailer.text(2) != reference:
            message = f"{trailer.tag} ends {trailer.text(2)}, its header is {reference}"
            faults.append(Issue(where, "control_number_differs", message))
        return faults

    def _refused(self, reason: str) -> RejectedFile:
        where = f"message {self.ordinal}" if self.ordinal else "head of the file"
        return RejectedFile(self.name, where, reason, ASK)


_WHAT = {
    "UNT": "segments of the message",
    "UNE": "messages of the group",
    "UNZ": "messages of the interchange",
}
