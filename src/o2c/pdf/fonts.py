"""The two faces of our PDFs: what they can show and how wide it is.

DejaVu Sans Condensed (Latin, Greek, Cyrillic and more) is embedded. Chinese, Japanese and Korean characters use the
fonts that PDF readers bring for them (PDF 32000-1 §9.7.5.2), which are named and not embedded. What neither has is
written as its code point, ``[U+1F600]``: ugly, but a number that is printed is never another one.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"

# The codec that says which characters a font of the PDF reader surely has, and that font.
_FOREIGN = {
    "cp932": "HeiseiKakuGo-W5",
    "gbk": "STSong-Light",
    "big5": "MSung-Light",
    "cp949": "HYSMyeongJo-Medium",
}
_UNSHOWN = frozenset(("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"))
RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff](?:[ \u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]*"
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff])?"
)


@lru_cache(maxsize=8)
def registered(name: str) -> TTFont | UnicodeCIDFont:
    """The font, read once and known to reportlab, which keeps what a document uses of it by document."""
    font = TTFont(name, str(FONTS / f"{name}.ttf")) if name in (REGULAR, BOLD) else UnicodeCIDFont(name)
    pdfmetrics.registerFont(font)
    return font


@lru_cache(maxsize=1)
def _embedded() -> frozenset[str]:
    """The characters that both our own faces have."""
    faces: list[Any] = [registered(name).face for name in (REGULAR, BOLD)]
    regular, bold = (face.charToGlyph for face in faces)
    return frozenset(map(chr, regular.keys() & bold.keys()))


@lru_cache(maxsize=4096)
def font_of(character: str, own: str) -> str | None:
    """The font that shows a character: our own, one that the PDF reader brings, or None."""
    if character in _embedded():
        return own
    if character > "\uffff":
        return None
    for codec, font in _FOREIGN.items():
        try:
            character.encode(codec)
        except UnicodeEncodeError:
            continue
        return font
    return None


def runs(text: str, own: str) -> list[tuple[str, str]]:
    """A shown text as pieces, each with the font that shows it; mostly one."""
    if text.isascii() or _embedded().issuperset(text):
        return [(own, text)]
    pieces = groupby(text, lambda character: font_of(character, own) or own)
    return [(font, "".join(characters)) for font, characters in pieces]


def shown(text: str) -> str:
    """The text as the file shows it: what no font has is its code point, what is not seen is left out.

    Words that run from right to left stand as they are read, letter after letter from the right; Arabic letters are
    not joined.
    """
    if text.isascii() and text.isprintable():
        return text
    return _shown(text)


@lru_cache(maxsize=65536)
def _shown(text: str) -> str:
    pieces = []
    for character in unicodedata.normalize("NFC", text):
        if character in _embedded():
            pieces.append("" if unicodedata.category(character) in _UNSHOWN else character)
        elif font_of(character, REGULAR):
            pieces.append(character)
        elif unicodedata.category(character) not in ("Cc", "Cf", "Mn"):
            pieces.append(f"[U+{ord(character):04X}]")
    return RIGHT_TO_LEFT.sub(lambda words: words[0][::-1], "".join(pieces))


@lru_cache(maxsize=65536)
def width(text: str, name: str, size: float) -> float:
    """Width of a shown text, in points."""
    return sum(registered(font).stringWidth(piece, size) for font, piece in runs(text, name))
