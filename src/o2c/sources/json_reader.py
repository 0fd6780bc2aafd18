"""JSON lines: one object per line, every value as the text that the file has.

Numbers keep their spelling (``216.10`` stays ``216.10``), objects in objects become ``outer_inner``,
lists are JSON text, a missing key is as good as null.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from o2c.sources.model import FileSpec
from o2c.sources.reading import BATCH_BYTES, MAX_COLUMNS, MAX_RECORD_BYTES, BadRecord, Batch, RefusedFile


class JsonLinesReader:
    """One file of JSON objects, a line each, as batches of text columns.

    Raises:
        RefusedFile: empty, not UTF-8, a line over 1 MiB, or cut off in its last line.
    """

    def __init__(self, path: Path, spec: FileSpec, batch_bytes: int = BATCH_BYTES) -> None:
        self._path = path
        self._optional_newline = spec.dialect.final_newline == "optional"
        self._batch_bytes = batch_bytes
        self.stated_count: int | None = None
        if not path.stat().st_size:
            raise RefusedFile("the file has zero bytes. Extract it again.")
        self.columns = self._all_keys()

    def batches(self) -> Iterator[Batch]:
        """Every record once, in the order of the file."""
        rows: list[dict[str, str | None]] = []
        lines: list[int] = []
        bad: list[BadRecord] = []
        blank = size = 0
        for line, text in self._lines():
            size += len(text)
            if not text.strip():
                blank += 1
            else:
                row, why = _record(text)
                if row is None:
                    if not text.endswith("\n"):
                        raise RefusedFile(
                            f"line {line}, the last one, is {why}, and it has no line end: cut off there."
                        )
                    bad.append(BadRecord(line, text.rstrip("\r\n"), "bad_json", why))
                else:
                    rows.append(row)
                    lines.append(line)
            if size >= self._batch_bytes:
                yield self._batch(rows, lines, bad, blank)
                rows, lines, bad, blank, size = [], [], [], 0, 0
        yield self._batch(rows, lines, bad, blank)

    def _batch(self, rows: list, lines: list[int], bad: list[BadRecord], blank: int) -> Batch:
        frame = pl.DataFrame(rows, schema=dict.fromkeys(self.columns, pl.String), orient="row")
        return Batch(frame, pl.Series(lines, dtype=pl.Int64), bad, blank)

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self._path.open("rb") as source:
            line = 0
            while octets := source.readline(MAX_RECORD_BYTES + 1):
                line += 1
                if len(octets) > MAX_RECORD_BYTES:
                    raise RefusedFile(
                        f"line {line} is longer than {MAX_RECORD_BYTES >> 20} MiB, which no row is."
                    )
                if octets[-1:] != b"\n" and not self._optional_newline:
                    raise RefusedFile(
                        f"line {line} has no line end, so the file may be cut off there. Extract it again, or, where"
                        " the producer never ends the last line, declare `final_newline: optional`."
                    )
                try:
                    yield line, octets.decode("utf-8-sig" if line == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise RefusedFile(f"line {line} is not UTF-8 ({error.reason}); JSON is UTF-8.") from error

    def _all_keys(self) -> list[str]:
        keys: dict[str, None] = {}
        for _, text in self._lines():
            row, _ = _record(text)
            keys.update(dict.fromkeys(row or {}))
            if len(keys) > MAX_COLUMNS:
                raise RefusedFile(f"the objects have more than {MAX_COLUMNS} different keys.")
        return list(keys)


class _Twice(ValueError):
    """A key that stands twice in one object."""


def _record(text: str) -> tuple[dict[str, str | None] | None, str]:
    """The flat record, or None and why there is none."""
    try:
        value = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=lambda name: name, object_pairs_hook=_object
        )
    except _Twice as error:
        return None, f"the key {error} stands twice in the object"
    except (ValueError, RecursionError) as error:
        return None, f"not JSON: {error}"
    if not isinstance(value, dict):
        return None, "not an object"
    return dict(_flat(value, "")), ""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice(next(key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1))
    return found


def _flat(value: dict, prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, item in value.items():
        match item:
            case dict():
                yield from _flat(item, f"{prefix}{key}_")
            case bool():
                yield prefix + key, "true" if item else "false"
            case None | str():
                yield prefix + key, item
            case _:
                yield prefix + key, json.dumps(item, ensure_ascii=False)
