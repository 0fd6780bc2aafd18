"""Mail messages as bytes: text and HTML, perhaps a PDF beside them; CRLF, the same bytes for the same input.

``email.message.EmailMessage`` takes 1.4 ms for one letter, more than all the rest of it together; this takes a
fiftieth. It writes one shape only, and the tests read it back with ``email.parser``.
RFC 5322 (headers, folding), RFC 2045 (bodies), RFC 2046 §5.1 (mixed, alternative), RFC 2047 (encoded words).
"""

import re
from base64 import b64decode, b64encode
from binascii import a2b_qp, b2a_qp
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

# What has no place in a line of text: controls, line and paragraph separators, the byte-order mark, and the marks
# that turn the direction of writing, with which a name could show the amount beside it backwards. Half a pair of
# surrogates is no character at all, and no encoding takes it.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)
_SPACES = re.compile(" {2,}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ]*")

# A line may have 78 characters (RFC 5322 §2.1.1), an encoded word 75: 12 of frame and 60 of base64, which are 45 bytes.
_LINE_LENGTH = 76
_WORD_BYTES = 45

# "=_" never occurs in quoted-printable text, where "=" stands before two hex digits or a line end, nor in base64.
_BOUNDARY = "=_o2c_{}"
_OUTER_BOUNDARY = "=_o2cm_{}"


def one_line(text: str) -> str:
    """The text without what cannot be printed in one line; each run of it becomes one space."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", _UNPRINTABLE.sub(" ", text)).strip()


def date_header(day: date) -> str:
    """Noon UTC of the day: the same calendar day nearly everywhere."""
    return format_datetime(datetime.combine(day, time(12), tzinfo=UTC))


def text_header(name: str, text: str) -> str:
    """A header of free text, encoded and folded where it must be, without the line end."""
    text = one_line(text)
    line = f"{name}: {text}"
    if line.isascii() and "=?" not in text:
        if len(line) <= _LINE_LENGTH:
            return line
        folded = _folded_at_spaces(line)
        if folded is not None:
            return folded
    return f"{name}: " + "\r\n ".join(_encoded_words(text, first=_LINE_LENGTH - len(name) - 2))


def mailbox_header(name: str, display_name: str, address: str) -> str:
    """A header with exactly one mailbox. ``address`` must come from ``addresses.mailbox``.

    A display name longer than one encoded word, or 60 plain characters, is cut: readers disagree on names in
    several words, and the letter itself has the whole name.
    """
    display_name = one_line(display_name)
    if not display_name:
        return f"{name}: <{address}>"
    if not display_name.isascii() or "=?" in display_name:
        (shown,) = _encoded_words(_cut(display_name, _WORD_BYTES), first=_LINE_LENGTH)
    elif _PLAIN_NAME.fullmatch(display_name):
        shown = display_name[:60].rstrip()
    else:
        shown = '"' + display_name[:60].rstrip().replace("\\", "\\\\").replace('"', '\\"') + '"'
    before = " " if len(name) + len(shown) + 2 <= _LINE_LENGTH else "\r\n "
    last = len(shown) if before != " " else len(name) + 2 + len(shown)
    between = " " if last + len(address) + 3 <= _LINE_LENGTH else "\r\n "
    return f"{name}:{before}{shown}{between}<{address}>"


def alternative(headers: list[str], key: str, text: str, html: str) -> bytes:
    """A multipart/alternative message: the headers given, a text part, an HTML part.

    The text is quoted-printable, so that a person who looks into the file can read it; the HTML, of which half
    would have to be quoted anyway, is base64, which takes a fifth of the time. ``key`` names the boundary and has
    letters and digits only. Bodies are given with line feeds.
    """
    return _head(headers) + _alternative(key, text, html)


def with_pdf(headers: list[str], key: str, text: str, html: str, pdf: bytes) -> bytes:
    """A multipart/mixed message: what ``alternative`` makes, and a PDF attached under the name ``<key>.pdf``."""
    mark = _OUTER_BOUNDARY.format(key)
    return b"".join(
        (
            _head(headers),
            f'Content-Type: multipart/mixed; boundary="{mark}"\r\n\r\n--{mark}\r\n'.encode("ascii"),
            _alternative(key, text, html),
            f'--{mark}\r\nContent-Type: application/pdf; name="{key}.pdf"\r\n'
            f'Content-Disposition: attachment; filename="{key}.pdf"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n".encode("ascii"),
            _base64_lines(pdf),
            f"\r\n--{mark}--\r\n".encode("ascii"),
        )
    )


def _head(headers: list[str]) -> bytes:
    return "\r\n".join([*headers, "MIME-Version: 1.0\r\n"]).encode("ascii")


def _alternative(key: str, text: str, html: str) -> bytes:
    mark = _BOUNDARY.format(key)
    quoted = b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")
    return b"".join(
        (
            f'Content-Type: multipart/alternative; boundary="{mark}"\r\n\r\n'
            f'--{mark}\r\nContent-Type: text/plain; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode("ascii"),
            quoted,
            f'\r\n--{mark}\r\nContent-Type: text/html; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n".encode("ascii"),
            _base64_lines(html.encode()),
            f"\r\n--{mark}--\r\n".encode("ascii"),
        )
    )


def _base64_lines(content: bytes) -> bytes:
    coded = b64encode(content)
    return b"\r\n".join([coded[at : at + _LINE_LENGTH] for at in range(0, len(coded), _LINE_LENGTH)])


def text_of(message: bytes) -> str:
    """The text part of a message of ours, with line feeds."""
    return a2b_qp(_part(message, 1).replace(b"\r\n", b"\n")).decode()


def html_of(message: bytes) -> str:
    """The HTML part of a message of ours, with line feeds."""
    return b64decode(_part(message, 2)).decode()


def pdf_of(message: bytes) -> bytes | None:
    """The PDF attached to a message of ours; None where there is none."""
    head = message[: message.index(b"\r\n\r\n")]
    return b64decode(_part(message, 2, b"mixed")) if b"multipart/mixed" in head else None


def _part(message: bytes, number: int, kind: bytes = b"alternative") -> bytes:
    """The body of a part of the multipart of a kind."""
    start = message.index(b"multipart/" + kind + b'; boundary="')
    start = message.index(b'"', start) + 1
    mark = b"--" + message[start : message.index(b'"', start)]
    return message[start:].split(mark)[number].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


def _folded_at_spaces(line: str) -> str | None:
    """The line folded before words so that no line is too long; None if a word is too long itself."""
    lines = [""]
    for word in line.split(" "):
        if len(word) >= _LINE_LENGTH:
            return None
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LINE_LENGTH:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _cut(text: str, size: int) -> str:
    """The beginning of the text that fits into so many bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore").rstrip()


def _encoded_words(text: str, first: int) -> list[str]:
    """The text as base64 encoded words, each of whole characters; the first fits into ``first`` columns."""
    octets, words, start = text.encode(), [], 0
    room = max(6, min(_WORD_BYTES, (first - 12) // 4 * 3))
    while start < len(octets):
        end = min(start + room, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        words.append(f"=?utf-8?b?{b64encode(octets[start:end]).decode('ascii')}?=")
        start, room = end, _WORD_BYTES
    return words
