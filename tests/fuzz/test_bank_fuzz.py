"""Spoilt bank files are read or refused: never another error, never a hang. ``O2C_FUZZ`` says how many per format."""

import os
import random
import signal
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from io import BytesIO
from types import FrameType

import pytest
from bank_goldens import DATA, Read, goldens, reader
from bank_mutations import mutated

from o2c.sources.bank.controls import CODES
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile
from o2c.sources.bank.recognise import MODULES, recognise
from o2c.sources.bank.unpack import unpacked

TRIES = int(os.environ.get("O2C_FUZZ", "500"))
SEED = int(os.environ.get("O2C_FUZZ_SEED", "1"))
# Larger goldens say nothing new and take long.
LARGEST = 40_000
SECONDS = 5

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")


@contextmanager
def _time_limit() -> Generator[None]:
    # Processor time, so that a busy machine does not look like a hang.
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still reading after {SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _assert_sane(found: BankFile) -> None:
    """What holds of anything that a reader lets through."""
    assert {one.code for one in found.exceptions} <= CODES.keys()
    for statement in found.statements:
        for entry in statement.entries:
            assert isinstance(entry.amount, Decimal)
            assert entry.amount.is_finite()
            assert len(entry.currency_code) == 3
            assert entry.booking_date is None or date(1970, 1, 1) <= entry.booking_date < date(2100, 1, 1)
            for detail in entry.details:
                assert detail.amount is None or detail.amount.is_finite()
    for remittance in found.remittances:
        for line in remittance.lines:
            assert line.paid_amount is None or line.paid_amount.is_finite()


def _outcome(read: Read, content: bytes, what: str) -> BankFile | RejectedFile:
    """What comes of reading: a file or its refusal; anything else fails with what it takes to do it again."""
    try:
        with _time_limit():
            return read(content, "spoilt")
    except RejectedFile as error:
        return error
    except Exception as error:
        raise AssertionError(f"{what}: {error!r} on {content[:400]!r}") from error


def _intake(content: bytes, name: str) -> BankFile:
    """Unpacked, recognised, read: as intake does it."""
    with unpacked(BytesIO(content), name) as found:
        plain = found.stream.read()
        form = recognise(plain[: 1 << 16], name)
        if form not in goldens():
            raise RejectedFile(name, "byte 0", f"{form} needs a declared profile", "declare one")
        return reader(form)(plain, name)


@pytest.mark.parametrize("form", list(MODULES))
def test_a_spoilt_file_is_read_or_refused(form: str) -> None:
    files = [content for _, content in goldens().get(form, ()) if len(content) <= LARGEST]
    if not files:
        pytest.skip(f"no reader of {form} yet")
    refused = 0
    for number in range(TRIES):
        rng = random.Random(f"{SEED} {form} {number}")  # noqa: S311 - to be done again
        content = mutated(rng.choice(files), rng.choice(files), rng)
        found = _outcome(reader(form), content, f"try {number}")
        if isinstance(found, RejectedFile):
            refused += 1
            assert found.position
            assert len(str(found)) < 600
        else:
            _assert_sane(found)
    # A reader that takes everything, or nothing, is not being tried.
    assert 0 < refused < TRIES


def test_random_bytes_are_refused_by_intake() -> None:
    assert goldens()
    for number in range(TRIES):
        rng = random.Random(f"{SEED} bytes {number}")  # noqa: S311 - to be done again
        start = rng.choice((b"", b"\x1f\x8b", b"PK\x03\x04", b"<", b":20:"))
        content = start + rng.randbytes(rng.randint(0, 3000))
        found = _outcome(_intake, content, f"try {number}")
        assert isinstance(found, RejectedFile)
