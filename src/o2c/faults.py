"""What is told of an error that is none of ours: where it happened, never what it was about.

Messages of libraries quote values: a row that broke a rule, a statement with its parameters, a URL with its password.
Those may be of persons, or secret, and what is printed ends up in logs. So the lines printed have names of files,
functions and kinds of errors alone; the whole text goes to a file of the home that only its owner can read.
"""

import contextlib
import os
import traceback
from datetime import datetime
from pathlib import Path

_NO_ROOM = (
    "no space left on device",
    "file too large",
    "disk quota exceeded",
    "database or disk is full",
    "disk i/o error",
    "could not write all bytes",
)


def is_about_room(error: BaseException) -> bool:
    """Whether the disk took no more, a quota or a largest size of files: by whoever wrote, DuckDB and SQLite too."""
    seen: BaseException | None = error
    while seen is not None:
        said = str(seen).lower()
        if any(words in said for words in _NO_ROOM):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def where_it_happened(error: BaseException) -> str:
    """The traceback without source lines and messages: kinds of errors, files, lines, functions."""
    parts = []
    seen: BaseException | None = error
    while seen is not None:
        frames = [
            f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
            for frame in traceback.extract_tb(seen.__traceback__)
        ]
        parts.append("\n".join([*frames, f"{type(seen).__module__}.{type(seen).__qualname__}"]))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\nwhich was the end of:\n".join(reversed(parts))


def keep_whole(error: BaseException, home: Path, at: datetime) -> Path | None:
    """Write the whole text of an error to ``<home>/faults``, for its owner alone. None where that is not possible."""
    path = home / "faults" / f"{at:%Y-%m-%dT%H%M%S}-{os.getpid()}.txt"
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(traceback.format_exception(error))
        return path
    return None
