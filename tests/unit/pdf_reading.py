"""PDF letters read back by another library."""

import io
from collections import Counter

from pypdf import PdfReader

from o2c.mime import one_line
from o2c.pdf.fonts import RIGHT_TO_LEFT, shown


def packed(text: str) -> str:
    return "".join(text.split())


def text_of(pdf: bytes) -> str:
    """All pages without white space."""
    return packed("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def says(pdf: bytes, text: str) -> bool:
    """Whether a text stands in the file. Of words from right to left the reader guesses the order."""
    read, drawn = text_of(pdf), packed(shown(one_line(text)))
    if RIGHT_TO_LEFT.search(drawn):
        return Counter(drawn) <= Counter(read)
    return drawn in read
