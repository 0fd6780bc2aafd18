"""The bytes of a delivered file, out of gz or zip where it is packed, within caps on size and ratio.

Nothing is ever written under a name from an archive: content goes to an unnamed temporary file.
"""

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.recognise import recognise

# A year of camt of a large account is under 200 MB; real text packs 10 to 30 times.
MAX_BYTES = 512 << 20
MAX_RATIO = 200
# Below this much output a high ratio harms nobody (a file of blanks).
FREE_BYTES = 1 << 20
BLOCK = 1 << 18
IN_MEMORY = 16 << 20
MAX_DIRECTORY = 1 << 16

_ARCHIVES = (
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf",
    b"Rar!",
    b"BZh",
    b"\xfd7zXZ",
    b"(\xb5/\xfd",
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file ready to be read: ``stream`` is seekable and at its start, ``file_id`` the sha-256 of its content."""

    name: str
    stream: BinaryIO
    file_id: str
    size: int
    member: str | None = None


@contextmanager
def opened(path: Path, *, max_bytes: int = MAX_BYTES) -> Generator[Unpacked]:
    """Open a delivered file, unpacked; closed at the end.

    Raises:
        RejectedFile: no regular file (a symbolic link, a pipe, a folder), empty, too large, or as ``unpack``.
    """
    name = path.name
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise RejectedFile(name, "file", f"cannot be opened ({error.strerror})", "check the path") from error
    if not stat.S_ISREG(mode):
        raise RejectedFile(name, "file", "not a regular file", "deliver the file itself, not a link")
    with path.open("rb") as stream, unpacked(stream, name, max_bytes=max_bytes) as found:
        yield found


@contextmanager
def unpacked(stream: BinaryIO, name: str, *, max_bytes: int = MAX_BYTES) -> Generator[Unpacked]:
    """The content of a stream, out of its gz or zip. A workbook (xlsx) stays packed, after its caps are checked.

    Raises:
        RejectedFile: empty, larger than ``max_bytes`` or 200 times its packed size, damaged, encrypted, more than
            one member, an archive inside an archive, or a member name that points outside.
    """
    head = stream.read(4)
    stream.seek(0)
    if head.startswith(b"\x1f\x8b"):
        with _temporary() as target:
            _expand(_gz_blocks(stream, name), target, name, _size_of(stream), max_bytes)
            yield _ready(target, name, None)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with _zip(stream, name) as archive:
            if _is_workbook(archive):
                _check_workbook(archive, name, _size_of(stream), max_bytes)
                yield _ready(stream, name, None, is_workbook=True)
                return
            member = _only_member(archive, name)
            with _temporary() as target:
                blocks = _zip_blocks(archive, member, name)
                _expand(blocks, target, name, max(member.compress_size, 1), max_bytes)
                yield _ready(target, name, member.filename)
    else:
        if (size := _size_of(stream)) > max_bytes:
            raise RejectedFile(name, "file", f"{size} bytes, more than {max_bytes}", "split the file")
        yield _ready(stream, name, None)


def _ready(stream: BinaryIO, name: str, member: str | None, *, is_workbook: bool = False) -> Unpacked:
    stream.seek(0)
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        if not size:
            _refuse_nested(block, name, is_packed=member is not None, is_workbook=is_workbook)
        digest.update(block)
        size += len(block)
    stream.seek(0)
    if not size:
        raise RejectedFile(name, "byte 0", "the file is empty", "ask the bank for the file again")
    return Unpacked(name, stream, digest.hexdigest(), size, member)


def _refuse_nested(head: bytes, name: str, *, is_packed: bool, is_workbook: bool) -> None:
    if is_workbook:
        return
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        what = "an archive inside an archive" if is_packed else "an archive other than gz and zip"
        raise RejectedFile(name, "byte 0", what, "deliver the file itself, or one file in one gz or zip")


def _temporary() -> BinaryIO:
    return cast(BinaryIO, SpooledTemporaryFile(max_size=IN_MEMORY))


def _size_of(stream: IO[bytes]) -> int:
    at = stream.tell()
    size = stream.seek(0, 2)
    stream.seek(at)
    return size


def _expand(blocks: Iterator[bytes], target: BinaryIO, name: str, packed: int, max_bytes: int) -> None:
    """Copy blocks as they come out, and stop at the first cap: a bomb never gets to unfold."""
    size = 0
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise RejectedFile(
                name, f"byte {size}", f"unpacks to more than {max_bytes} bytes", "split the file"
            )
        if size > FREE_BYTES and size > MAX_RATIO * packed:
            raise RejectedFile(
                name, f"byte {size}", f"unpacks to more than {MAX_RATIO} times its size", "check who sent it"
            )
        target.write(block)


def _gz_blocks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Blocks of the only member of a gz file; checksum and length are zlib's to check."""
    engine = zlib.decompressobj(wbits=31)
    try:
        while packed := stream.read(BLOCK):
            while packed and not engine.eof:
                yield engine.decompress(packed, BLOCK)
                packed = engine.unconsumed_tail
            if engine.eof and (engine.unused_data.strip(b"\x00") or stream.read(1).strip(b"\x00")):
                raise RejectedFile(name, "end of file", "more than one member", "one file per archive")
    except zlib.error as error:
        raise RejectedFile(
            name, "packed content", f"damaged gz ({error})", "ask for the file again"
        ) from error
    if not engine.eof:
        raise RejectedFile(name, "end of file", "the gz file is cut off", "ask for the file again")


@contextmanager
def _zip(stream: BinaryIO, name: str) -> Generator[zipfile.ZipFile]:
    _check_directory(stream, name)
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, RejectedFile):
            raise
        raise RejectedFile(
            name, "packed content", f"damaged zip ({error})", "ask for the file again"
        ) from error


def _check_directory(stream: BinaryIO, name: str) -> None:
    """Refuse a large or 64-bit directory before ``zipfile`` builds an object for each of its lines."""
    size = _size_of(stream)
    stream.seek(max(0, size - 65_557))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise RejectedFile(name, "end of file", "the zip file is cut off", "ask for the file again")
    (directory_size,) = struct.unpack_from("<L", tail, at + 12)
    if directory_size > MAX_DIRECTORY or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise RejectedFile(name, "zip directory", "too many members", "one file per archive")


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) != 1:
        raise RejectedFile(name, "zip directory", f"{len(members)} members", "one file per archive")
    _check_member(members[0], name)
    return members[0]


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    path = member.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or ":" in path or "\x00" in path:
        raise RejectedFile(name, "zip directory", "a member name points outside", "check who sent it")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RejectedFile(name, "zip directory", "a member is a symbolic link", "check who sent it")
    if member.flag_bits & 1:
        raise RejectedFile(name, "zip directory", "a member is encrypted", "ask for it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RejectedFile(name, "zip directory", "an unusual compression", "pack it with deflate")


def _zip_blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    with archive.open(member) as source:
        while block := source.read(BLOCK):
            yield block


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    return "[Content_Types].xml" in names and any(one.startswith("xl/") for one in names)


def _check_workbook(archive: zipfile.ZipFile, name: str, packed: int, max_bytes: int) -> None:
    """Unpack every part once, into nothing, within the caps: sizes in the directory may lie."""
    size = 0
    for member in archive.infolist():
        _check_member(member, name)
        for block in _zip_blocks(archive, member, name):
            size += len(block)
            if size > min(max_bytes, max(FREE_BYTES, MAX_RATIO * packed)):
                raise RejectedFile(
                    name, member.filename[:60], "the workbook unpacks to too much", "check who sent it"
                )


def format_of(found: Unpacked) -> str:
    """The format of an unpacked file, by its content.

    Raises:
        RejectedFile: as ``recognise``.
    """
    head = found.stream.read(1 << 16)
    found.stream.seek(0)
    return recognise(head, found.name)
