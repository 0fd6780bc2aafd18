"""What is written survives a crash: whole or not at all, and on disk before anybody counts on it."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(written: Path, path: Path) -> None:
    """Give a finished file its name: content on disk first, then the rename, then the folder with all its names.

    Both stand in one file system, so that the rename shows the old file or the new one and never a part.
    """
    sync(written)
    written.replace(path)
    sync(path.parent)


def forget_unfinished(folder: Path) -> None:
    """Delete what processes that died left half written here: hidden files with the number of another process.

    Ask for it under the lock that such files are written under; then no other process is at it.
    """
    for path in folder.glob(".*"):
        number = path.suffixes[-2:-1]
        if number and number[0][1:].isdigit() and number[0] != f".{os.getpid()}" and path.is_file():
            path.unlink(missing_ok=True)
