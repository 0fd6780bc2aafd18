"""The two faces of our PDFs: what they can show, how wide it is, and the parts of them that a file carries.

DejaVu Sans Condensed (Latin, Greek, Cyrillic and more) is embedded. Chinese, Japanese and Korean characters use the
fonts that PDF readers bring for them (PDF 32000-1 §9.7.5.2), which are named and not embedded. What neither has is
written as its code point, ``[U+1F600]``: ugly, but a number that is printed is never another one.
"""

import re
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase.ttfonts import TTFontFace

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"

# Positions of the subset that every file has, ready made: ASCII where it belongs, then the rest of Latin-1 and what
# business letters of Europe are full of. Few letters need a second subset.
_USUAL = (0,) * 32 + (
    *range(0x20, 0x7F), 0, *range(0xA0, 0x100), 0x20AC, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x201E,
    0x2022, 0x202F, 0x0141, 0x0142, 0x0160, 0x0161, 0x017D, 0x017E, 0x0104, 0x0105, 0x0106, 0x0107, 0x010C, 0x010D,
    0x0118, 0x0119, 0x015A, 0x015B, 0x0179, 0x017A,
)  # fmt: skip
_SUBSET_SIZE = 200

# Character collection, its font, and the codec that says which characters it surely has.
CJK = {
    "cp932": ("HeiseiKakuGo-W5", "UniJIS-UCS2-H", "Japan1", 2),
    "gbk": ("STSong-Light", "UniGB-UCS2-H", "GB1", 2),
    "big5": ("MSung-Light", "UniCNS-UCS2-H", "CNS1", 0),
    "cp949": ("HYSMyeongJo-Medium", "UniKS-UCS2-H", "Korea1", 1),
}
_UNSHOWN = frozenset(("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"))
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff](?:[ \u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]*"
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff])?"
)


class _Face(TTFontFace):
    """A face whose subsets leave out what only whole fonts need."""

    _is_whole = True

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self._is_whole = False

    def get_table(self, tag: str) -> bytes:
        if not self._is_whole and tag in ("name", "OS/2"):
            raise KeyError(tag)
        return super().get_table(tag)


@dataclass(frozen=True)
class Subset:
    """Some glyphs of a face as a file carries them. ``content`` is compressed, ``length`` its size before that."""

    name: str
    codes: tuple[int, ...]
    widths: tuple[int, ...]
    content: bytes
    length: int


@lru_cache(maxsize=2)
def face(name: str) -> TTFontFace:
    """The face, read once."""
    return _Face(str(FONTS / f"{name}.ttf"))


@lru_cache(maxsize=256)
def subset(name: str, codes: tuple[int, ...]) -> Subset:
    """The glyphs of these characters, at these positions."""
    whole = face(name)
    program = whole.makeSubset(list(codes))
    return Subset(
        name,
        codes,
        tuple(round(whole.getCharWidth(code)) if code else 0 for code in codes),
        zlib.compress(program, 9),
        len(program),
    )


def usual_subset(name: str) -> Subset:
    """The subset that every file has of a face."""
    return subset(name, _USUAL)


@lru_cache(maxsize=1)
def usual_positions() -> dict[str, int]:
    """Character to its position in the usual subset."""
    return {chr(code): position for position, code in enumerate(_USUAL) if code}


def further_subsets(name: str, characters: set[str]) -> list[Subset]:
    """Subsets of characters that the usual one does not have, in the order of their code points."""
    codes = sorted(map(ord, characters))
    return [
        subset(name, (0, *codes[start : start + _SUBSET_SIZE]))
        for start in range(0, len(codes), _SUBSET_SIZE)
    ]


def is_embedded(character: str) -> bool:
    """Whether our own faces have the character."""
    return character in _widths(REGULAR) and character in _widths(BOLD)


@lru_cache(maxsize=4096)
def collection_of(character: str) -> str | None:
    """The codec of the collection that a character is shown with; None where our own faces have it."""
    if is_embedded(character):
        return None
    for codec in CJK:
        try:
            character.encode(codec)
        except UnicodeEncodeError:
            continue
        return codec
    return None


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
        if character in usual_positions() or is_embedded(character):
            pieces.append("" if unicodedata.category(character) in _UNSHOWN else character)
        elif ord(character) < 0x10000 and collection_of(character):
            pieces.append(character)
        elif unicodedata.category(character) not in ("Cc", "Cf", "Mn"):
            pieces.append(f"[U+{ord(character):04X}]")
    return _RIGHT_TO_LEFT.sub(lambda words: words[0][::-1], "".join(pieces))


@lru_cache(maxsize=8)
def _widths(name: str) -> dict[str, int]:
    return {chr(code): round(advance) for code, advance in (face(name).charWidths or {}).items()}


def width(text: str, name: str, size: float) -> float:
    """Width of a shown text, in points."""
    widths = _widths(name)
    return sum([widths.get(character, 1000) for character in text]) * size / 1000
