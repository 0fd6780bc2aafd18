"""A disk that is full, and files that may not grow: a message and an exit code, what is published stays whole.

Once there is room the same morning comes to what it comes to undisturbed.
"""

import os
import shutil
from pathlib import Path

import pytest
from warm import Ended, Warm
from whole_mornings import Morning, leftovers, letters, outbox, outputs, release

POINTS = int(os.environ.get("O2C_DISK_FULL", "3"))
LARGEST = (64, 1024) if POINTS < 20 else (1, 8, 32, 64, 128, 256, 512, 1024, 2048, 4096)


def check(home: Path, morning: Morning, stopped: Ended) -> None:
    """Stopped with a message; then, with room, done as if nothing had been."""
    assert stopped.code == 2, (stopped.code, stopped.output[-2000:])
    assert "Traceback" not in stopped.output, stopped.output[-2000:]
    said = stopped.output.lower()
    assert any(words in said for words in ("no space left", "too large", "disk i/o error")), stopped.output[
        -2000:
    ]
    assert release(home) in (morning.released_before, morning.released)


@pytest.mark.parametrize("part", range(1, POINTS + 1))
def test_a_disk_that_becomes_full_stops_the_run_and_nothing_else(
    part: int, mornings: list[Morning], warm: Warm, tmp_path: Path
) -> None:
    morning, home = mornings[1], tmp_path / f"full-{part}"
    shutil.copytree(morning.before, home, symlinks=True)
    needs_room = [
        int(step.split()[0])
        for step in morning.ended.trace
        if step.split()[1] == "before" and step.split()[2] in ("fsync", "replace", "link", "symlink")
    ]
    at = needs_room[(len(needs_room) - 1) * part // (POINTS + 1)]
    stopped = warm.run("--home", str(home), *morning.arguments, full_at=at)
    check(home, morning, stopped)
    finish(home, morning, warm)


@pytest.mark.parametrize("kilobytes", LARGEST)
def test_files_that_may_not_grow_stop_the_run_and_nothing_else(
    kilobytes: int, mornings: list[Morning], warm: Warm, tmp_path: Path
) -> None:
    """Whoever writes: DuckDB, the ledger, Parquet, workbooks, pages."""
    morning, home = mornings[1], tmp_path / f"limit-{kilobytes}"
    shutil.copytree(morning.before, home, symlinks=True)
    stopped = warm.run("--home", str(home), *morning.arguments, largest_file=1024 * kilobytes)
    check(home, morning, stopped)
    finish(home, morning, warm)


def finish(home: Path, morning: Morning, warm: Warm) -> None:
    ended = warm.run("--home", str(home), *morning.arguments)
    assert ended.code == morning.ended.code, ended.output
    assert outputs(home) == morning.outputs
    assert (letters(home), outbox(home)) == (morning.letters, morning.sent)
    assert leftovers(home) == []
    shutil.rmtree(home)
