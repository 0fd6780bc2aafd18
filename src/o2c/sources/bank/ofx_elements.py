"""OFX tags to elements, for SGML bodies with left-out end tags and for XML bodies alike.

An end tag closes what it names; only elements without children (leaves) may lack one. So an element that is still
open when one around it ends was a leaf: with a text it had that, without one it was empty, and what seemed to be
inside it came after it. Aggregates that we know must be closed by name, so a cut or a lost end tag is never bridged.
"""

import re
from dataclasses import dataclass, field
from html import unescape

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.ofx_text import ASK, Text

DEEPEST = 64
# 50,000 transactions of twenty tags each
MOST = 1_000_000

# Elements that hold elements (OFX 1.6 and 2.2, messages BANK, CREDITCARD, SIGNON): their end tag is never left out.
AGGREGATES = frozenset(
    {
        *("OFX", "SIGNONMSGSRSV1", "SONRS", "STATUS", "FI", "BANKMSGSRSV1", "CREDITCARDMSGSRSV1"),
        *("STMTTRNRS", "CCSTMTTRNRS", "STMTRS", "CCSTMTRS", "BANKACCTFROM", "CCACCTFROM"),
        *("BANKTRANLIST", "BANKTRANLISTP", "STMTTRN", "STMTTRNP", "LEDGERBAL", "AVAILBAL", "BALLIST", "BAL"),
        *("PAYEE", "BANKACCTTO", "CCACCTTO", "CURRENCY", "ORIGCURRENCY", "IMAGEDATA"),
    }
)
# A tag, whether it is an end tag or an empty one, and the text up to the next mark.
_TAG = re.compile(r"<(/?)([A-Z][A-Z0-9._]{0,31})(?:\s[^<>]{0,500}?)?(/?)>([^<]*)", re.ASCII)
# Character references that both kinds of body have; a bare & is text.
_REFERENCE = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});", re.ASCII | re.IGNORECASE
)


@dataclass(slots=True)
class Element:
    """A tag with its text (a leaf) or its children (an aggregate), and the line it begins on."""

    tag: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        return [one for one in self.children if one.tag == tag]


def elements(text: Text, name: str) -> Element:
    """The ``OFX`` element of a body.

    Raises:
        RejectedFile: cut off, an end tag without its start, a known aggregate that is not closed, text where none
            can be, a document type, or more than ``MOST`` tags and references.
    """
    return _Reading(text, name).run()


class _Reading:
    """State while tags are read: what is open, from the root down."""

    def __init__(self, text: Text, name: str) -> None:
        self.body, self.name = text.body, name
        self.line = text.line
        self.open: list[Element] = []
        self.root: Element | None = None
        self.count = 0

    def run(self) -> Element:
        at, end, match, stack = 0, len(self.body), _TAG.match, self.open
        while at < end:
            self.count += 1
            if self.count > MOST:
                raise self._refusal(f"more than {MOST} tags and references")
            found = match(self.body, at)
            if not found:
                at = self._other(at)
                continue
            is_end, tag, is_empty, text = found.groups()
            if not is_end:
                self._start(tag)
                if is_empty:
                    stack.pop()
            elif stack and stack[-1].tag == tag:
                stack.pop()
            else:
                self._close(tag)
            if text:
                if not text.isspace():
                    self._text(text)
                self.line += text.count("\n")
            at = found.end()
        if stack or self.root is None:
            inside = stack[0].tag if stack else "OFX"
            raise self._refusal(f"the file ends inside <{inside}>: it is cut off")
        return self.root

    def _other(self, at: int) -> int:
        """Use what begins at ``at`` and is no tag: literal text, a comment, a bare <. Where it ends."""
        for start, end in (("<![CDATA[", "]]>"), ("<!--", "-->")):
            if self.body.startswith(start, at):
                until = self.body.find(end, at + len(start))
                if until < 0:
                    raise self._refusal(f"{start} is never closed")
                if start == "<![CDATA[":
                    self._text(self.body[at + len(start) : until], is_literal=True)
                return self._text_from(until + len(end), at)
        following = self.body[at + 1 : at + 2]
        if following.isalpha() or (following and following in "/!?"):
            raise self._refusal(f"{self.body[at : at + 20]!r} is no OFX tag")
        # A bare < in a text, which SGML allows before anything that begins no tag.
        self._text("<", is_literal=True)
        return self._text_from(at + 1, at)

    def _text_from(self, start: int, counted: int) -> int:
        """Use the text up to the next mark; where that is."""
        mark = self.body.find("<", start)
        mark = len(self.body) if mark < 0 else mark
        self._text(self.body[start:mark])
        self.line += self.body.count("\n", counted, mark)
        return mark

    def _text(self, text: str, *, is_literal: bool = False) -> None:
        if not text or text.isspace():
            if self.open and self.open[-1].text:
                self.open[-1].text += text
            return
        holder = self.open[-1] if self.open else None
        if holder is None or holder.children or holder.tag in AGGREGATES:
            raise self._refusal(f"text {text.strip()[:30]!r} outside an element that can have one")
        # Each reference takes as long as a tag.
        self.count += text.count("&")
        if self.count > MOST:
            raise self._refusal(f"more than {MOST} tags and references")
        holder.text += text if is_literal else _REFERENCE.sub(lambda found: unescape(found[0].lower()), text)

    def _start(self, tag: str) -> None:
        if self.open and self.open[-1].text:
            self.open.pop()
        if len(self.open) >= DEEPEST:
            raise self._refusal(f"more than {DEEPEST} elements inside one another")
        element = Element(tag, self.line)
        if self.open:
            self.open[-1].children.append(element)
        elif self.root is not None or tag != "OFX":
            raise self._refusal(f"<{tag}> outside <OFX>")
        else:
            self.root = element
        self.open.append(element)

    def _close(self, tag: str) -> None:
        while self.open and self.open[-1].tag != tag:
            left = self.open.pop()
            if left.tag in AGGREGATES:
                raise self._refusal(f"</{tag}> before the end of <{left.tag}> of line {left.line}")
            # It was an empty leaf: what seemed to be inside it came after it.
            self.open[-1].children += left.children
            left.children = []
        if not self.open:
            raise self._refusal(f"</{tag}> closes nothing")
        self.open.pop()

    def _refusal(self, reason: str) -> RejectedFile:
        return RejectedFile(self.name, f"line {self.line}", reason, ASK)
