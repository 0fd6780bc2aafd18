"""A letter as a PDF to print and post: the same words and values as its text and HTML, on A4 or US letter.

Pure: no clock, no network. What the fonts cannot show is told in ``o2c.pdf.fonts``.
"""

from dataclasses import dataclass
from typing import Any

from o2c.pdf.document import Colour, Document
from o2c.pdf.fonts import BOLD, REGULAR, shown, width

_MM = 72 / 25.4
A4 = (595.28, 841.89)
US_LETTER = (612.0, 792.0)
_US_PAPER = frozenset(("US", "CA"))

_INK: Colour = (0.11, 0.14, 0.18)
_SOFT: Colour = (0.36, 0.39, 0.45)
_LINE: Colour = (0.80, 0.83, 0.87)
_ACCENT: Colour = (0.18, 0.36, 0.58)
_PALE: Colour = (0.945, 0.957, 0.973)

_LEFT, _RIGHT, _TOP, _BOTTOM = 25 * _MM, 20 * _MM, 18 * _MM, 20 * _MM
_SIZE, _LEADING = 9.5, 13.2
# Invoice, dated, due, days, amount: the share of the width where each column begins, and whether it is flush right.
_COLUMNS = ((0.0, False), (0.38, False), (0.54, False), (0.80, True), (1.0, True))

_REPLIES = (
    ("Already paid:", "tell us the date and the payment reference, and we will find it."),
    (
        "Not in agreement:",
        "tell us which invoice and why; we take a disputed amount out while we look into it.",
    ),
    ("Invoice missing:", "ask for a copy and we will send one."),
    ("Wrong person:", "tell us who looks after payments."),
)


@dataclass(frozen=True)
class Words:
    """What a stage says around the figures, as finished plain text; paragraphs are lines."""

    heading: str
    opening: str
    request: str
    closing: str
    farewell: str


def paper_of(country_code: str | None) -> tuple[float, float]:
    """Width and height in points of the paper that a country uses."""
    return US_LETTER if country_code in _US_PAPER else A4


@dataclass(frozen=True)
class LetterPdf:
    """A file, and what is written in it: a line per text, in the order of drawing."""

    content: bytes
    text: str


def letter_pdf(view: dict[str, Any], words: Words, paper: tuple[float, float]) -> LetterPdf:
    """The letter of a view (``letters``) as a file, the same bytes for the same values."""
    page = _Pages(view, paper, shown(f"{words.heading} {view['reference']}"))
    page.head(view)
    page.paragraph(words.heading, size=15, font=BOLD, after=10)
    page.paragraph(f"Dear {view['to_name']},", after=6)
    page.paragraphs(words.opening)
    page.table(view)
    page.sums(view)
    page.paragraphs(words.request)
    if view["remit_to"]:
        page.how_to_pay(view)
    page.replies(view)
    page.paragraphs(words.closing)
    page.farewell(words.farewell, view)
    page.paragraph(
        f"State of our books on {view['letter_date']}; a payment made since then may have crossed with this letter."
        " It was prepared automatically and is valid without signature.",
        size=7.5,
        colour=_SOFT,
    )
    return page.finished(view)


class _Pages:
    """Writes from top to bottom, on as many pages as it takes."""

    def __init__(self, view: dict[str, Any], paper: tuple[float, float], title: str) -> None:
        self._document = Document(*paper, title)
        self._width, self._height = paper
        self._column = self._width - _LEFT - _RIGHT
        self._page, self._y = 0, 0.0
        self._new_page()

    def _new_page(self) -> None:
        self._page = self._document.add_page()
        self._y = self._height - _TOP

    def _room(self, needed: float) -> None:
        """A new page unless so much fits on this one."""
        if self._y - needed < _BOTTOM:
            self._new_page()

    def _put(
        self,
        x: float,
        text: str,
        font: str = REGULAR,
        size: float = _SIZE,
        colour: Colour = _INK,
        *,
        to_the_right: bool = False,
    ) -> None:
        """A shown text on the current line; with ``to_the_right`` it ends at x."""
        at = x - width(text, font, size) if to_the_right else x
        self._document.text(self._page, at, self._y, text, font, size, colour)

    def _rule(self, y: float, colour: Colour = _LINE, thickness: float = 0.6) -> None:
        self._document.box(self._page, _LEFT, y, self._column, thickness, colour)

    def paragraph(
        self,
        text: str,
        *,
        size: float = _SIZE,
        font: str = REGULAR,
        colour: Colour = _INK,
        after: float = 7,
        indent: float = 0,
    ) -> None:
        """A paragraph, wrapped."""
        leading = size * _LEADING / _SIZE
        for line in wrapped(shown(text), font, size, self._column - indent):
            self._room(leading)
            self._y -= leading
            self._put(_LEFT + indent, line, font, size, colour)
        self._y -= after

    def paragraphs(self, text: str) -> None:
        """Paragraphs, one a line."""
        for line in text.splitlines():
            if line.strip():
                self.paragraph(line.strip())

    def head(self, view: dict[str, Any]) -> None:
        """Who writes, to whom, when and about what."""
        for line in wrapped(shown(view["entity_name"]), BOLD, 14, self._column):
            self._y -= 16
            self._put(_LEFT, line, BOLD, 14, _ACCENT)
        self._y -= 9
        self._rule(self._y, _ACCENT, 1.2)
        top = min(self._y - 20, self._height - 41 * _MM)
        self._y = top
        half = self._column * 0.56
        names = [view["customer_name"]]
        if view["to_name"] not in (view["customer_name"], f"{view['customer_name']} accounts payable team"):
            names.append(view["to_name"])
        for name in names:
            self._lines(_LEFT, *fitted(name, REGULAR, 10.5, half - 12))
        bottom, self._y = self._y, top
        for label, value in (
            ("Date", view["letter_date"]),
            ("Customer no.", view["customer_id"]),
            ("Reference", view["reference"]),
        ):
            self._put(_LEFT + half, label, REGULAR, 8, _SOFT)
            self._lines(_LEFT + half + 66, *fitted(value, REGULAR, _SIZE, self._column - half - 66))
        self._y = min(self._y, bottom, self._height - 68 * _MM) - 8

    def _lines(
        self, x: float, size: float, lines: list[str], font: str = REGULAR, colour: Colour = _INK
    ) -> None:
        """Lines from the current one on; the current line is then the one below."""
        for line in lines:
            self._put(x, line, font, size, colour)
            self._y -= size * _LEADING / _SIZE

    def table(self, view: dict[str, Any]) -> None:
        """The items, with the head of the table again on each page."""
        self._y -= 4
        self._table_head(view)
        for number, po, dated, due, days, amount, disputed in view["items"]:
            room = self._column * 0.36
            size, numbers = fitted(number, BOLD, _SIZE, room)
            note_size, notes = fitted(po, REGULAR, 8, room) if po else (8, [])
            left = (size * len(numbers) + note_size * len(notes)) * _LEADING / _SIZE
            height = max(left, _LEADING * (2 if disputed else 1)) + 4.5
            if self._y - height - 4 < _BOTTOM:
                self._new_page()
                self._table_head(view)
            self._y -= _LEADING
            top = self._y
            self._lines(_LEFT, size, numbers, BOLD)
            below, self._y = self._y, top
            for column, value in enumerate((dated, due, days, amount), start=1):
                self._cell(column, value)
            if disputed:
                self._y -= _LEADING
                self._cell(4, f"disputed, left out: {disputed}", REGULAR, 8, _SOFT)
            self._y = below + 1
            self._lines(_LEFT, note_size, notes, REGULAR, _SOFT)
            self._y = top + _LEADING - height
            self._rule(self._y)
        self._y -= 3

    def _cell(
        self, column: int, text: str, font: str = REGULAR, size: float = _SIZE, colour: Colour = _INK
    ) -> None:
        share, to_the_right = _COLUMNS[column]
        self._put(_LEFT + self._column * share, shown(text), font, size, colour, to_the_right=to_the_right)

    def _table_head(self, view: dict[str, Any]) -> None:
        self._y -= _LEADING
        titles = ("Invoice", "Dated", "Due", view["days_label"], f"Amount ({view['currency_code']})")
        for column, title in enumerate(titles):
            self._cell(column, title, BOLD, 8, _SOFT)
        self._y -= 5
        self._rule(self._y, _INK, 0.8)

    def sums(self, view: dict[str, Any]) -> None:
        """What the items add up to, what is taken off, what is to pay."""
        rows = [(view["total_label"], view["total"], BOLD)]
        rows += [(label, amount, REGULAR) for label, amount in view["reductions"]]
        if view["net"]:
            rows.append(("Amount to pay", view["net"], BOLD))
        self._room((_LEADING + 2) * len(rows))
        for label, amount, font in rows:
            self._y -= _LEADING + 2
            size = 11 if font == BOLD else _SIZE
            self._put(_LEFT + self._column * 0.38, shown(label), font)
            self._put(_LEFT + self._column, shown(amount), font, size, to_the_right=True)
        self._y -= 12

    def how_to_pay(self, view: dict[str, Any]) -> None:
        """The payment instructions of the entity, in a box that stays together where it fits on a page."""
        inner = self._column - 24
        lines = [(f"How to pay {view['entity_name']}", BOLD)]
        lines += [(line, REGULAR) for line in view["remit_to"]]
        lines.append((f"Please quote {view['reference']} and the invoice numbers.", REGULAR))
        set_lines = [
            (line, font) for text, font in lines for line in wrapped(shown(text), font, _SIZE, inner)
        ]
        height = _LEADING * len(set_lines) + 14
        self._y -= 3
        is_whole = height < self._height - _TOP - _BOTTOM
        if is_whole:
            self._room(height)
            self._document.box(self._page, _LEFT, self._y - height, self._column, height, _PALE)
            self._document.box(self._page, _LEFT, self._y - height, 2.5, height, _ACCENT)
        self._y -= 5
        for line, font in set_lines:
            self._room(_LEADING)
            self._y -= _LEADING
            self._put(_LEFT + 12, line, font)
        self._y -= 9 + 7

    def replies(self, view: dict[str, Any]) -> None:
        """What to do where something is not right."""
        self._room(_LEADING * 6)
        self.paragraph(f"Something not right? Write to {view['reply_to']}:", font=BOLD, after=1)
        for label, words in _REPLIES:
            self._room(_LEADING)
            self._y -= _LEADING
            self._put(_LEFT, "\u2022", REGULAR, _SIZE, _ACCENT)
            self._put(_LEFT + 10, label, BOLD)
            self._put(_LEFT + 10 + width(f"{label} ", BOLD, _SIZE), words)
        self._y -= 10

    def farewell(self, text: str, view: dict[str, Any]) -> None:
        """Who signs, kept together."""
        self._room(_LEADING * 6)
        self.paragraph(text.strip(), after=16)
        self.paragraph(view["sender_name"], font=BOLD, after=0)
        self.paragraph(view["entity_name"], after=14)

    def finished(self, view: dict[str, Any]) -> LetterPdf:
        """The file, each page with its foot."""
        count = self._document.page_count
        left = wrapped(
            shown(f"{view['entity_name']}, customer no. {view['customer_id']}"), REGULAR, 7.5, 300
        )[0]
        for number in range(count):
            self._page, self._y = number, 12 * _MM
            self._rule(self._y + 11)
            self._put(_LEFT, left, REGULAR, 7.5, _SOFT)
            foot = f"{view['reference']}, page {number + 1} of {count}"
            self._put(_LEFT + self._column, shown(foot), REGULAR, 7.5, _SOFT, to_the_right=True)
        return LetterPdf(self._document.build(), self._document.drawn)


def fitted(text: str, font: str, size: float, room: float) -> tuple[float, list[str]]:
    """A value in at most six lines, smaller where it takes more: a value is never cut, and never torn over pages."""
    text = shown(text)
    for smaller in (size, size * 0.75, size * 0.55):
        lines = wrapped(text, font, smaller, room)
        if len(lines) <= 6:
            return smaller, lines
    return size * 0.4, wrapped(text, font, size * 0.4, room)


def wrapped(text: str, font: str, size: float, room: float) -> list[str]:
    """The text in lines no wider than the room, at least one; a word wider than that is cut."""
    if width(text, font, size) <= room:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, font, size) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word, font, size) > room:
            cut = max(1, int(len(word) * room / width(word, font, size)))
            while cut > 1 and width(word[:cut], font, size) > room:
                cut -= 1
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return [*lines, line] if line else lines
