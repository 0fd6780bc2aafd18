"""Files made to harm: bombs, entities, paths that point outside, binary and broken content. None may be read.

Each is a name and a function that makes the bytes, so that big ones exist only while they are tried.
"""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from camt_files import Camt, detail, entry

Make = Callable[[], bytes]


def _with_doctype(doctype: str, text: str = "x") -> bytes:
    xml = Camt(statement_head=f"<LglSeqNb>{text}</LglSeqNb>").xml().decode()
    return xml.replace("?><Document", f"?>{doctype}<Document").encode()


def _laughs() -> bytes:
    lines = ['<!ENTITY l0 "lol">'] + [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    return _with_doctype(f"<!DOCTYPE Document [{''.join(lines)}]>", "&l9;")


def _quadratic() -> bytes:
    return _with_doctype(f'<!DOCTYPE Document [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 20_000)


def _zip(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return target.getvalue()


def _zip_flagged(offset_flags: int) -> bytes:
    """A zip whose member says that it is encrypted."""
    raw = bytearray(_zip(("a.xml", Camt().xml())))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= offset_flags
    return bytes(raw)


def _zip_lying() -> bytes:
    """A zip bomb whose directory says that it is small."""
    raw = bytearray(_zip(("a.xml", _blanks(32))))
    at = raw.index(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<L", 1000)
    return bytes(raw)


def _zip_damaged() -> bytes:
    raw = bytearray(_zip(("a.xml", Camt().xml())))
    raw[raw.index(b"PK\x01\x02") - 40] ^= 0xFF
    return bytes(raw)


def _zip_many() -> bytes:
    return _zip(*((f"{number}.xml", b"x") for number in range(3000)))


def _workbook_bomb() -> bytes:
    return _zip(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", _blanks(64)))


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        archive.addfile(link)
    return target.getvalue()


def _blanks(megabytes: int) -> bytes:
    return b" " * (megabytes << 20)


def _gz_bomb(megabytes: int) -> bytes:
    engine = zlib.compressobj(9, wbits=31)
    block = b" " * (1 << 20)
    return b"".join([*(engine.compress(block) for _ in range(megabytes)), engine.flush()])


def _utf7() -> bytes:
    return Camt(head='<?xml version="1.0" encoding="UTF-7"?>').xml()


def _swap(old: bytes, new: bytes) -> bytes:
    return Camt().xml().replace(old, new, 1)


HOSTILE: dict[str, Make] = {
    # entities and document types
    "external entity of a file": lambda: _with_doctype(
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"
    ),
    "external entity of a host": lambda: _with_doctype(
        '<!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', "&x;"
    ),
    "external document type": lambda: _with_doctype('<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">'),
    "public document type": lambda: _with_doctype('<!DOCTYPE d PUBLIC "-//X//Y" "file:///etc/hosts">'),
    "parameter entity": lambda: _with_doctype('<!DOCTYPE d [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'),
    "empty document type": lambda: _with_doctype("<!DOCTYPE Document>"),
    "document type in small letters": lambda: _with_doctype("<!doctype Document>"),
    "document type after a comment": lambda: _with_doctype("<!-- a -->\n<!DOCTYPE Document [ ]>"),
    "a billion laughs": _laughs,
    "quadratic blow-up": _quadratic,
    "document type in UTF-16": lambda: (
        _with_doctype("<!DOCTYPE Document [ ]>").decode().replace("UTF-8", "UTF-16").encode("utf-16")
    ),
    "undeclared entity": lambda: _swap(b"<Id>S1", b"<Id>&nothing;"),
    "XInclude of a file": lambda: _swap(
        b"<Document ",
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><Document ',
    ),
    # broken and huge XML
    "huge token": lambda: _swap(b"S1", b"S" * (11 << 20)),
    "huge attribute": lambda: _swap(b"<GrpHdr>", b'<GrpHdr a="' + b"x" * (11 << 20) + b'">'),
    "deep nesting": lambda: _swap(b"<MsgId>", b"<a>" * 100_000),
    "very many elements in the head": lambda: _swap(b"<MsgId>", b"<a/>" * 700_000 + b"<MsgId>"),
    "very many foreign entries": lambda: _swap(
        b"<Ntry>", b'<x xmlns="urn:x">' + b"<Ntry/>" * 400_000 + b"</x><Ntry>"
    ),
    "too many transactions in one entry": lambda: Camt(
        entries=entry(details=detail() + "<TxDtls/>" * 1500)
    ).xml(),
    "long prolog without an element": lambda: b"<?xml version='1.0'?>" + b"<!-- x -->" * 400_000,
    "unclosed comment": lambda: b"<!--" + b"-" * 5_000_000,
    "unclosed element": lambda: Camt().xml()[:-5],
    "two roots": lambda: Camt().xml() + Camt(head="").xml(),
    "rubbish after the end": lambda: Camt().xml() + b"rubbish",
    "mismatched tags": lambda: _swap(b"</Ntry>", b"</Entry>"),
    "duplicate attribute": lambda: _swap(b'Ccy="EUR"', b'Ccy="EUR" Ccy="USD"'),
    "control characters": lambda: _swap(b"S1", b"S\x01"),
    "NUL in the text": lambda: _swap(b"S1", b"S\x00"),
    "numeric reference to NUL": lambda: _swap(b"S1", b"&#0;"),
    # encodings
    "latin-1 declared as UTF-8": lambda: _swap(b"S1", "Müller".encode("latin-1")),
    "truncated UTF-8": lambda: _swap(b"S1", b"\xc3"),
    "overlong UTF-8": lambda: _swap(b"S1", b"\xc0\xbc"),
    "surrogates in UTF-8": lambda: _swap(b"S1", b"\xed\xa0\x80"),
    "UTF-7": _utf7,
    "UTF-32": lambda: Camt(head="").xml().decode().encode("utf-32"),
    "EBCDIC": lambda: Camt(head="").xml().decode().encode("cp500"),
    "UTF-16 cut in a character": lambda: Camt(head="").xml().decode().encode("utf-16")[:-1],
    "unknown encoding": lambda: _swap(b"UTF-8", b"x-mac-klingon"),
    # archives
    "gz bomb": lambda: _gz_bomb(64),
    "gz bomb in a gz": lambda: gzip.compress(_gz_bomb(20)),
    "gz cut off": lambda: gzip.compress(Camt().xml())[:-9],
    "gz with a wrong checksum": lambda: gzip.compress(Camt().xml())[:-8] + b"\x00" * 8,
    "gz of two members": lambda: gzip.compress(Camt().xml()) + gzip.compress(b"more"),
    "gz with rubbish behind": lambda: gzip.compress(Camt().xml()) + b"rubbish",
    "gz of nothing": lambda: gzip.compress(b""),
    "gz of noise": lambda: b"\x1f\x8b" + bytes(range(256)) * 100,
    "zip bomb": lambda: _zip(("a.xml", _blanks(64))),
    "zip bomb that lies about its size": _zip_lying,
    "zip in a zip": lambda: _zip(("a.zip", _zip(("b.xml", Camt().xml())))),
    "gz in a zip": lambda: _zip(("a.gz", gzip.compress(Camt().xml()))),
    "zip of two files": lambda: _zip(("a.xml", Camt().xml()), ("b.xml", Camt().xml())),
    "zip of 3,000 files": _zip_many,
    "zip of nothing": lambda: _zip(),
    "zip with a path that climbs": lambda: _zip(("../../etc/cron.d/x", Camt().xml())),
    "zip with an absolute path": lambda: _zip(("/etc/cron.d/x", Camt().xml())),
    "zip with a Windows path": lambda: _zip(("..\\..\\x.xml", Camt().xml())),
    "zip with a drive": lambda: _zip(("C:\\x.xml", Camt().xml())),
    "zip with a symbolic link": lambda: _zip(("a.xml", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
    "zip with a password": lambda: _zip_flagged(1),
    "zip cut off": lambda: _zip(("a.xml", Camt().xml()))[:-30],
    "zip with damaged content": _zip_damaged,
    "workbook bomb": _workbook_bomb,
    "tar with a link": _tar,
    "tar in a gz": lambda: gzip.compress(_tar()),
    "bz2": lambda: bz2.compress(Camt().xml()),
    "xz": lambda: lzma.compress(Camt().xml()),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100),
    # not bank files
    "nothing": lambda: b"",
    "blanks": lambda: b" \r\n\t" * 1000,
    "NUL bytes": lambda: bytes(10_000),
    "an executable": lambda: b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40,
    "a PDF": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "a page": lambda: b"<html><body><script>alert(1)</script></body></html>",
    "JSON": lambda: b'{"Document": {"BkToCstmrStmt": []}}',
    "noise": lambda: bytes((number * 197 + number // 7 * 31) % 256 for number in range(20_000)),
    "a letter": lambda: b"Dear Sirs,\n\nplease find the statement attached.\n",
}
