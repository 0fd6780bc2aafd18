"""The objects of a PDF file: fonts, streams, the table of where each is. PDF 32000-1 §7.5, §9.6 to §9.10."""

from functools import lru_cache

from o2c.pdf.fonts import CJK, Subset, face

_BY_100 = 100  # entries that one block of a character map may have


def stream(content: bytes, entries: str = "") -> bytes:
    """A stream with its length."""
    return f"<<{entries}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


@lru_cache(maxsize=256)
def font_objects(part: Subset, label: str, first: int) -> tuple[bytes, ...]:
    """A simple font of a subset as four objects: font, descriptor, program, map to Unicode; ``first`` is the number
    of the first of them."""
    whole = face(part.name)
    name = f"OTWOC{chr(ord('A') + int(label[1:]) % 26)}+{part.name}"
    numbers = " ".join(str(round(value)) for value in whole.bbox)
    return (
        f"<</Type/Font/Subtype/TrueType/BaseFont/{name}/FirstChar 0/LastChar {len(part.codes) - 1}"
        f"/Widths[{' '.join(map(str, part.widths))}]/FontDescriptor {first + 1} 0 R"
        f"/ToUnicode {first + 3} 0 R>>".encode(),
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{numbers}]/ItalicAngle 0"
        f"/Ascent {round(whole.ascent)}/Descent {round(whole.descent)}/CapHeight {round(whole.capHeight)}"
        f"/StemV {round(whole.stemV)}/FontFile2 {first + 2} 0 R>>".encode(),
        stream(part.content, f"/Filter/FlateDecode/Length1 {part.length}"),
        stream(_to_unicode({f"{at:02X}": chr(code) for at, code in enumerate(part.codes) if code})),
    )


@lru_cache(maxsize=256)
def foreign_objects(codec: str, characters: str, first: int) -> tuple[bytes, ...]:
    """A font that the PDF reader brings: font, its descendant, descriptor, map to Unicode."""
    name, encoding, ordering, supplement = CJK[codec]
    return (
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}-{encoding}/Encoding/{encoding}"
        f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 3} 0 R>>".encode(),
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/DW 1000/FontDescriptor {first + 2} 0 R"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})/Supplement {supplement}>>>>".encode(),
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[0 -120 1000 880]/ItalicAngle 0"
        "/Ascent 880/Descent -120/CapHeight 740/StemV 90>>".encode(),
        stream(_to_unicode({f"{ord(character):04X}": character for character in characters})),
    )


def _to_unicode(characters: dict[str, str]) -> bytes:
    """A character map (§9.10.3) from code in hexadecimal digits to character."""
    digits = len(next(iter(characters)))
    rows = [f"<{code}> <{ord(character):04X}>" for code, character in characters.items()]
    blocks = [rows[start : start + _BY_100] for start in range(0, len(rows), _BY_100)]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CMapName /O2C def /CMapType 2 def",
        f"1 begincodespacerange <{'0' * digits}> <{'F' * digits}> endcodespacerange",
        *(line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")),
        "endcmap end end",
    ]
    return "\n".join(lines).encode("ascii")


def file_of(objects: list[bytes], info: int) -> bytes:
    """The objects, numbered from 1, as a file. The first is the catalogue; ``info`` is the number of the title's."""
    pieces, places, at = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"], [], 15
    for number, content in enumerate(objects, start=1):
        piece = b"%d 0 obj\n%b\nendobj\n" % (number, content)
        places.append(at)
        pieces.append(piece)
        at += len(piece)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    pieces.append(
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, info, at)
    )
    return b"".join(pieces)
