"""A PDF of a few pages, written by hand: text and filled boxes. The same calls give the same bytes.

reportlab reads and cuts the fonts. Its canvas takes 8 ms for a letter, most of it for cutting the same glyphs and
counting the same objects again; this takes a tenth. Text is written as hexadecimal codes of glyphs, so nothing in it
can be an operator. There is no date, no id and no link in the file. PDF 32000-1 §7 (syntax), §9 (text).
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from o2c.pdf.fonts import (
    BOLD,
    CJK,
    REGULAR,
    Subset,
    collection_of,
    further_subsets,
    usual_positions,
    usual_subset,
)
from o2c.pdf.objects import file_of, font_objects, foreign_objects, stream

Colour = tuple[float, float, float]
_MARKS = {REGULAR: "R", BOLD: "B"}


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    font: str
    size: float
    colour: Colour


@dataclass
class Document:
    """Pages of one size; places are points from the lower left corner. Texts must come from ``fonts.shown``."""

    width: float
    height: float
    title: str
    _pages: list[list[str | _Text]] = field(default_factory=list)

    def add_page(self) -> int:
        """A new page; its number counts from 0."""
        self._pages.append([])
        return len(self._pages) - 1

    @property
    def page_count(self) -> int:
        return len(self._pages)

    def text(self, page: int, x: float, y: float, text: str, font: str, size: float, colour: Colour) -> None:
        """A line of text whose base line begins at x, y."""
        if text:
            self._pages[page].append(_Text(x, y, text, font, size, colour))

    def box(self, page: int, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled box; a line is a thin one."""
        place = " ".join(map(_number, (x, y, width, height)))
        self._pages[page].append(f"{_rgb(colour)} {place} re f")

    def build(self) -> bytes:
        """The file."""
        fonts = _Fonts(part for page in self._pages for part in page if isinstance(part, _Text))
        objects: list[bytes] = [b"", b"", *fonts.objects(3)]
        named = " ".join(f"/{label} {number} 0 R" for label, number in fonts.numbers.items())
        kids = []
        for page in self._pages:
            content = "\n".join(part if isinstance(part, str) else fonts.drawn(part) for part in page)
            kids.append(len(objects) + 1)
            objects += [
                f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_number(self.width)} {_number(self.height)}]"
                f"/Resources<</Font<<{named}>>>>/Contents {len(objects) + 2} 0 R>>".encode(),
                stream(zlib.compress(content.encode("ascii"), 6), "/Filter/FlateDecode"),
            ]
        objects[0] = b"<</Type/Catalog/Pages 2 0 R/Lang(en)/ViewerPreferences<</DisplayDocTitle true>>>>"
        listed = " ".join(f"{kid} 0 R" for kid in kids)
        objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{listed}]>>".encode()
        objects.append(f"<</Title<FEFF{self.title.encode('utf-16-be').hex().upper()}>>>".encode())
        return file_of(objects, len(objects))


class _Fonts:
    """The fonts of one document, and which of them shows which character under which code."""

    def __init__(self, texts: Iterable[_Text]) -> None:
        usual = usual_positions()
        used: dict[str, set[str]] = {name: set() for name in _MARKS}
        for text in texts:
            used[text.font].update(text.text)
        self.numbers: dict[str, int] = {}
        self._subsets: list[tuple[str, Subset]] = []
        self._codes: dict[str, dict[str, tuple[str, str]]] = {}
        foreign: set[str] = set()
        for name, mark in _MARKS.items():
            unusual = used[name] - usual.keys()
            own = {character for character in unusual if collection_of(character) is None}
            foreign |= unusual - own
            parts = [usual_subset(name), *further_subsets(name, own)]
            self._subsets += [(f"{mark}{number}", part) for number, part in enumerate(parts)]
            self._codes[name] = _usual_codes(mark) | {
                chr(code): (f"{mark}{number}", f"{at:02X}")
                for number, part in enumerate(parts[1:], start=1)
                for at, code in enumerate(part.codes)
                if code
            }
        self._foreign: dict[str, str] = {}
        for character in sorted(foreign):
            codec = collection_of(character) or ""
            self._foreign[codec] = self._foreign.get(codec, "") + character
            for codes in self._codes.values():
                codes[character] = (CJK[codec][2], f"{ord(character):04X}")

    def objects(self, first: int) -> list[bytes]:
        """The objects of all fonts, numbered from ``first``."""
        objects: list[bytes] = []
        for label, part in self._subsets:
            self.numbers[label] = first + len(objects)
            objects += font_objects(part, label, first + len(objects))
        for codec, characters in self._foreign.items():
            self.numbers[CJK[codec][2]] = first + len(objects)
            objects += foreign_objects(codec, characters, first + len(objects))
        return objects

    def drawn(self, text: _Text) -> str:
        """The operators that show a text."""
        pieces = [f"BT {_rgb(text.colour)} {_number(text.x)} {_number(text.y)} Td"]
        label, codes = "", []
        known, size = self._codes[text.font], _number(text.size)
        for character in text.text:
            font, code = known[character]
            if font != label:
                if codes:
                    pieces.append(f"<{''.join(codes)}> Tj")
                pieces.append(f"/{font} {size} Tf")
                label, codes = font, []
            codes.append(code)
        pieces.append(f"<{''.join(codes)}> Tj ET")
        return " ".join(pieces)


def _usual_codes(mark: str) -> dict[str, tuple[str, str]]:
    if mark not in _USUAL_CODES:
        _USUAL_CODES[mark] = {
            character: (f"{mark}0", f"{at:02X}") for character, at in usual_positions().items()
        }
    return _USUAL_CODES[mark]


_USUAL_CODES: dict[str, dict[str, tuple[str, str]]] = {}


def _number(value: float) -> str:
    """At most two decimals, which is finer than any printer."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


def _rgb(colour: Colour) -> str:
    return " ".join(map(_number, colour)) + " rg"
