"""Bytes of a delimited file as UTF-8, by the declared encoding, or a refusal with the line."""

import codecs
import mmap
import tempfile
from pathlib import Path
from typing import IO

from o2c.sources.reading import MAX_RECORD_BYTES, RefusedFile

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decoded(path: Path, encoding: str) -> mmap.mmap:
    """The file as UTF-8 on disk: itself, or a copy in a temporary file that goes away with the reader."""
    with path.open("rb") as source:
        head = source.read(4)
        if not head:
            raise RefusedFile(
                "the file has zero bytes. An extract without rows has at least a header; extract it again."
            )
        mark = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
        if mark and not encoding.startswith(mark):
            raise RefusedFile(
                f"line 1 starts with the byte order mark of {mark}, but the declared encoding is {encoding}."
                f" Declare `encoding: {mark}`."
            )
        source.seek(0)
        if encoding == "utf-8":
            return mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        with tempfile.TemporaryFile() as copy:
            _transcode(source, copy, encoding)
            if not copy.tell():
                raise RefusedFile("the file holds a byte order mark and nothing else. Extract it again.")
            copy.flush()
            return mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ)


def _transcode(source: IO[bytes], copy: IO[bytes], encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    while True:
        octets = source.read(1 << 20)
        try:
            text = decoder.decode(octets, final=not octets)
        except UnicodeDecodeError as error:
            line += octets[: error.start].count(b"\n")
            raise RefusedFile(
                f"line {line} is not {encoding}: {error.reason}. Declare the encoding that the producer writes."
            ) from error
        line += text.count("\n")
        copy.write(text.encode())
        if not octets:
            return


def utf8(text: bytes, line: int, encoding: str) -> str:
    """The decoded text.

    Raises:
        RefusedFile: an octet that is not UTF-8, with its line.
    """
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        at = line + text.count(b"\n", 0, error.start)
        raise RefusedFile(
            f"line {at} is not {encoding} (octet 0x{text[error.start]:02x}). Declare the encoding that the producer"
            " writes, often cp1252 or latin-1."
        ) from error


def refuse_nul(text: bytes, line: int) -> None:
    if (at := text.find(b"\0")) >= 0:
        raise RefusedFile(
            f"line {line + text.count(chr(10).encode(), 0, at)} has a NUL byte. The file is damaged, or it is UTF-16:"
            " then declare `encoding: utf-16-le` or `utf-16-be`."
        )


def too_long(line: int) -> RefusedFile:
    return RefusedFile(
        f"line {line} is longer than {MAX_RECORD_BYTES // (1 << 20)} MiB, which no row of a ledger is."
        " The line ends or the quotes of the file are damaged; extract it again."
    )
