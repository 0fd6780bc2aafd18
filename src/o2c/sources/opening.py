"""Where the files of a definition are, and which reader opens each. No file outside the data root is ever opened."""

import fnmatch
import hashlib
from pathlib import Path

from o2c.sources.csv_reader import CsvReader
from o2c.sources.json_reader import JsonLinesReader
from o2c.sources.model import FileSpec
from o2c.sources.parquet_reader import ParquetReader
from o2c.sources.reading import Reader, RefusedFile


def open_reader(path: Path, spec: FileSpec) -> Reader:
    """The reader for the file's declared format.

    Raises:
        RefusedFile: the file cannot be read or trusted; without its name, which the caller knows.
    """
    try:
        match spec.form:
            case "parquet":
                return ParquetReader(path, spec)
            case "jsonl":
                return JsonLinesReader(path, spec)
            case _:
                return CsvReader(path, spec)
    except PermissionError as error:
        raise RefusedFile(
            "there is no permission to read it. Give the account that runs o2c read access."
        ) from error
    except OSError as error:
        raise RefusedFile(f"it cannot be read: {error.strerror}.") from error


def matching_files(root: Path, pattern: str) -> tuple[list[Path], str | None]:
    """Files that the pattern names, in the order of their names, and what is wrong when there are none.

    ``*``, ``?`` and ``[…]`` may stand in any part of the path, ``**`` may not.
    """
    parts = Path(pattern).parts
    if Path(pattern).is_absolute() or ".." in parts or "**" in parts:
        return [], f"path {pattern!r} is not allowed: it must be relative to the data root and stay inside it"
    try:
        found = _walk(root, list(parts))
    except PermissionError as error:
        return [], f"{error.filename}: no permission to look for {pattern!r} there"
    inside = root.resolve()
    if outside := [path for path in found if not path.resolve().is_relative_to(inside)]:
        return [], f"{outside[0]} leads out of the data root {root}; links to elsewhere are not followed"
    if found:
        return found, None
    return [], f"no file {pattern!r} in {root}. Check the path and --data-root" + _near(root, pattern)


def content_id(path: Path) -> str:
    """The sha-256 of the file's content.

    Raises:
        RefusedFile: the file cannot be read.
    """
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except PermissionError as error:
        raise RefusedFile(
            "there is no permission to read it. Give the account that runs o2c read access."
        ) from error
    except OSError as error:
        raise RefusedFile(f"it cannot be read: {error.strerror}.") from error


def _walk(folder: Path, parts: list[str]) -> list[Path]:
    if not parts:
        return [folder] if folder.is_file() else []
    if not any(mark in parts[0] for mark in "*?["):
        return _walk(folder / parts[0], parts[1:]) if (folder / parts[0]).exists() else []
    if not folder.is_dir():
        return []
    inside = sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
    names = [name for name in inside if fnmatch.fnmatchcase(name, parts[0])]
    return [path for name in names for path in _walk(folder / name, parts[1:])]


def _near(root: Path, pattern: str) -> str:
    folder = (root / pattern).parent
    if not folder.is_dir():
        return f" (there is no folder {folder})"
    names = sorted(path.name for path in folder.iterdir() if path.is_file())[:5]
    return f" (there: {', '.join(names)})" if names else f" ({folder} is empty)"
