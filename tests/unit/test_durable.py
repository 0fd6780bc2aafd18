"""What a process that was killed left half written is gone after the next landing, and nothing else is."""

import os
from pathlib import Path

from o2c.cash_records import KINDS, write_records
from o2c.durable import forget_unfinished

OURS, DEAD = os.getpid(), 4_194_305  # more than the system's largest number of a process


def test_only_hidden_files_of_other_processes_are_forgotten(tmp_path: Path) -> None:
    names = {
        f".ab12.{DEAD}.tmp": False,
        f".ab12.{DEAD}.rejected": False,
        f".ab12.{DEAD}.old": False,
        f".ab12.entries.{DEAD}.tmp": False,
        f".ab12.json.{DEAD}.tmp": False,
        f".ab12.{OURS}.tmp": True,
        f"ab12.{DEAD}.parquet": True,
        ".ab12.tmp": True,
        ".hidden": True,
        "ab12.json": True,
    }
    for name in names:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f".folder.{DEAD}.tmp").mkdir()
    forget_unfinished(tmp_path)
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {name for name, stays in names.items() if stays}
    assert (tmp_path / f".folder.{DEAD}.tmp").is_dir()


def test_records_of_a_run_that_was_killed_while_writing_go_with_the_next(tmp_path: Path) -> None:
    frames = {"exceptions": KINDS["exceptions"].empty()}
    write_records(tmp_path, "2026-03-11-a-1", frames)
    (tmp_path / "2026-03-12-a-2.new").mkdir()
    (tmp_path / "2026-03-12-a-2.new" / "exceptions.parquet").write_bytes(b"half")
    assert write_records(tmp_path, "2026-03-12-a-3", frames) == "2026-03-12-a-3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-03-11-a-1", "2026-03-12-a-3"]
