"""Ways to spoil a file that keep most of its structure, so that faults reach the inner parts of a reader."""

import random
import re
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

_NUMBER = re.compile(rb"[0-9]+(?:[.,][0-9]+)?")
_WORD = re.compile(rb"[A-Za-z]{2,}")
_RECORD = re.compile(rb"(?<![^\n~'])[^\n~']*[\n~']")
_ELEMENT = re.compile(rb"<([A-Za-z]+)(?: [^<>]*)?>[^<>]*</\1>")
_TAG = re.compile(rb"</?[A-Za-z]+[^<>]*>")
_MARKS = b",.:;/*+'~|<>\"=&^- \r\n\t"
_NASTY = (
    b"",
    b"0",
    b"-1",
    b"-0.00",
    b"00000000000000000000000000",
    b"99999999999999999999999999999999",
    b"1e9",
    b"NaN",
    b"Infinity",
    b"1_000",
    b"1,000.00",
    b"\xd9\xa1\xd9\xa2",
    b"\xff\xfe",
    b"\x00",
    b"\x1a",
    b"\xe2\x80\xae",
    b"%s%n",
    b"../../etc/passwd",
    b"'; drop table payments; --",
    b"{{7*7}}",
    b"=1+1",
    b"<!DOCTYPE x>",
    b"&x;",
    b"]]>",
    b"999999",
    b"000000",
    b"20240230",
    b"A" * 5000,
)


def _spot(content: bytes, rng: random.Random) -> int:
    return rng.randrange(len(content) + 1)


def _span(content: bytes, rng: random.Random, longest: int = 200) -> tuple[int, int]:
    start = _spot(content, rng)
    return start, min(len(content), start + rng.randint(1, longest))


def _match(pattern: re.Pattern[bytes], content: bytes, rng: random.Random) -> tuple[int, int]:
    found = [one.span() for one in pattern.finditer(content)]
    return rng.choice(found) if found else _span(content, rng)


def change_a_byte(content: bytes, rng: random.Random) -> bytes:
    at = min(_spot(content, rng), len(content) - 1)
    return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]


def change_a_mark(content: bytes, rng: random.Random) -> bytes:
    spots = [at for at, byte in enumerate(content[:50_000]) if byte in _MARKS] or [0]
    at = rng.choice(spots)
    return content[:at] + bytes([rng.choice(_MARKS)]) + content[at + 1 :]


def cut_a_span(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:start] + content[end:]


def repeat_a_span(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 1, 2, 50)) + content[end:]


def cut_the_end(content: bytes, rng: random.Random) -> bytes:
    return content[: _spot(content, rng)]


def insert_something(content: bytes, rng: random.Random) -> bytes:
    at = _spot(content, rng)
    return content[:at] + rng.choice(_NASTY) + content[at:]


def replace_a_number(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_NUMBER, content, rng)
    number = bytearray(content[start:end])
    choice = rng.randrange(4)
    if choice == 0 and number:
        number[rng.randrange(len(number))] = rng.choice(b"0123456789")
    elif choice == 1:
        number = bytearray(str(rng.randrange(10 ** rng.randint(1, 15))).encode())
    else:
        number = bytearray(rng.choice(_NASTY))
    return content[:start] + bytes(number) + content[end:]


def replace_a_word(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_WORD, content, rng)
    other, until = _match(_WORD, content, rng)
    word = content[other:until] if rng.random() < 0.7 else rng.choice(_NASTY)
    return content[:start] + word + content[end:]


def drop_a_record(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_RECORD, content, rng)
    return content[:start] + content[end:]


def repeat_a_record(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_RECORD, content, rng)
    return content[:end] + content[start:end] + content[end:]


def swap_records(content: bytes, rng: random.Random) -> bytes:
    (a, b), (c, d) = sorted((_match(_RECORD, content, rng), _match(_RECORD, content, rng)))
    return content if b > c else content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def drop_an_element(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_ELEMENT, content, rng)
    return content[:start] + content[end:]


def move_an_element(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_ELEMENT, content, rng)
    rest = content[:start] + content[end:]
    at, _ = _match(_TAG, rest, rng)
    return rest[:at] + content[start:end] + rest[at:]


def empty_an_element(content: bytes, rng: random.Random) -> bytes:
    start, end = _match(_ELEMENT, content, rng)
    element = content[start:end]
    opened, closed = element.find(b">") + 1, element.rfind(b"</")
    return content[:start] + element[:opened] + rng.choice(_NASTY) + element[closed:] + content[end:]


def join_lines(content: bytes, rng: random.Random) -> bytes:
    return (
        content.replace(b"\r\n", b"").replace(b"\n", b"")
        if rng.random() < 0.5
        else content.replace(b"\n", b"\r")
    )


def encode_otherwise(content: bytes, rng: random.Random) -> bytes:
    text = content.decode("latin-1")
    return text.encode(rng.choice(("utf-16", "utf-8", "utf-8-sig", "utf-16-le", "utf-32")))


MUTATIONS: tuple[Mutation, ...] = (
    change_a_byte,
    change_a_mark,
    cut_a_span,
    repeat_a_span,
    cut_the_end,
    insert_something,
    replace_a_number,
    replace_a_number,
    replace_a_word,
    drop_a_record,
    repeat_a_record,
    swap_records,
    drop_an_element,
    move_an_element,
    empty_an_element,
    join_lines,
    encode_otherwise,
)


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """The content spoilt one to four times; now and then the head of one file and the tail of another, or noise."""
    kind = rng.random()
    if kind < 0.03:
        return rng.randbytes(rng.randint(0, 2000))
    if kind < 0.08:
        return content[: _spot(content, rng)] + other[_spot(other, rng) :]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if content:
            content = rng.choice(MUTATIONS)(content, rng)
    return content
