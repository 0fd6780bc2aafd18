"""Hostile files are refused: in time, in bounded memory, and without a look at any other file or host."""

import socket
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from camt_files import Camt
from hostile_files import HOSTILE, Make

from o2c.sources.bank import camt, camt_reading
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.recognise import reader_of
from o2c.sources.bank.unpack import format_of, opened, unpacked

SECONDS = 10.0  # tells a hang or a bomb from work; the slowest took 2 s of CPU on a loaded machine
BYTES = 200 << 20
# The largest file itself is 64 MB while it is made; it is packed before it is read.
MEASURE = """
import resource
import hostile_files, test_bank_hostile
from o2c.sources.bank import camt, camt_reading
from o2c.sources.bank.errors import RejectedFile
files = [(name, make()) for name, make in hostile_files.HOSTILE.items()]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, content in files:
    try:
        test_bank_hostile._read(content)
    except RejectedFile:
        pass
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _read(content: bytes) -> object:
    """As intake does: unpack, recognise, read."""
    with unpacked(BytesIO(content), "hostile") as found:
        return reader_of(format_of(found))(found.stream, found.name)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_fast(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*arguments: object) -> None:
        raise AssertionError("a reader opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(camt_reading, "LARGEST_BATCH", 1000)
    content = make()
    started = time.process_time()
    with pytest.raises(RejectedFile) as refused:
        _read(content)
    assert time.process_time() - started < SECONDS
    message = str(refused.value)
    assert "root:" not in message
    assert len(message) < 500
    assert refused.value.position
    assert refused.value.reason
    assert refused.value.advice


def test_all_of_them_together_stay_in_bounded_memory() -> None:
    here = str(Path(__file__).parent)
    run = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {here!r})\n{MEASURE}"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=True)
    before, after = (int(text) for text in done.stdout.split())
    assert after - before < BYTES // 1024


def test_there_are_at_least_forty_hostile_files() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", [name for name in HOSTILE if "document type" in name or "entity" in name])
def test_the_camt_reader_alone_refuses_entities_too(name: str) -> None:
    with pytest.raises(RejectedFile):
        camt.read(HOSTILE[name](), name)


def test_a_link_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    real = tmp_path / "real.xml"
    real.write_bytes(Camt().xml())
    link = tmp_path / "link.xml"
    link.symlink_to(real)
    for path in (link, tmp_path, tmp_path / "missing.xml", tmp_path / "real.xml" / "below"):
        with pytest.raises(RejectedFile), opened(path):
            pass
    with opened(real) as found:
        assert found.size == len(Camt().xml())
