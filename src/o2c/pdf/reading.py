"""The text of a PDF that ``document`` wrote, read back from its bytes: what a check sees is what a reader sees."""

import re
import zlib
from functools import lru_cache

_CODES = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]{4})>")
_SHOWN = re.compile(r"/(\w+) [\d.]+ Tf|<([0-9A-F]*)> Tj|(ET)")
_NAMED = re.compile(rb"/(\w+) (\d+) 0 R")


def text_of(pdf: bytes) -> str:
    """The text of all pages, a line per text drawn, in the order of drawing.

    Raises:
        ValueError: the file is none of ours.
    """
    start = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    places = [int(line[:10]) for line in pdf[start:].split(b"\n")[3:] if line.endswith(b" n ")]
    objects = [
        pdf[place:end].partition(b" obj\n")[2]
        for place, end in zip(places, [*places[1:], start], strict=True)
    ]
    pages = objects[1][objects[1].index(b"[") : objects[1].index(b"]")]
    return "\n".join(_page_text(objects, int(number)) for number in re.findall(rb"(\d+) 0 R", pages))


def _page_text(objects: list[bytes], number: int) -> str:
    page = objects[number - 1]
    fonts = {
        label.decode(): _characters(_body(objects[_reference(objects[int(font) - 1], b"/ToUnicode") - 1]))
        for label, font in _NAMED.findall(page[page.index(b"/Font<<") + 7 : page.index(b">>>>")])
    }
    content = zlib.decompress(_body(objects[_reference(page, b"/Contents") - 1])).decode("ascii")
    pieces: list[str] = []
    known: dict[str, str] = {}
    digits = 2
    for label, codes, end in _SHOWN.findall(content):
        if label:
            known = fonts[label]
            digits = len(next(iter(known)))
        elif end:
            pieces.append("\n")
        else:
            pieces += [known[codes[at : at + digits]] for at in range(0, len(codes), digits)]
    return "".join(pieces)


def _reference(content: bytes, key: bytes) -> int:
    return int(content[content.index(key) + len(key) :].split(None, 1)[0])


def _body(content: bytes) -> bytes:
    head, _, body = content.partition(b">>stream\n")
    return body[: int(head[head.index(b"/Length ") + 8 :].split(b"/")[0])]


@lru_cache(maxsize=256)
def _characters(character_map: bytes) -> dict[str, str]:
    return {code.decode(): chr(int(character, 16)) for code, character in _CODES.findall(character_map)}
