"""A delimited file: what stands before and after its records by declared dialect, and the records in batches."""

import csv
import mmap
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from o2c.sources.csv_records import Records, split
from o2c.sources.decoding import decoded, refuse_nul, too_long, utf8
from o2c.sources.model import FileSpec
from o2c.sources.reading import BATCH_BYTES, MAX_COLUMNS, MAX_RECORD_BYTES, Batch, RefusedFile

_NEWLINE = 10


class CsvReader:
    """One delimited file as batches of text columns.

    Raises:
        RefusedFile: empty, truncated, not in the declared encoding, NUL bytes, a record over 1 MiB,
            a quote out of place, a header that names a column twice.
    """

    def __init__(self, path: Path, spec: FileSpec, batch_bytes: int = BATCH_BYTES) -> None:
        self._dialect = spec.dialect
        self._batch_bytes = batch_bytes
        self._data = decoded(path, self._dialect.encoding)
        self._start, self._line = 0, 1
        self.stated_count: int | None = None
        if self._data[:3] == BOM_UTF8:
            self._start = 3
        self._end = len(self._data)
        self._check_last_line()
        self._skip_lines(self._dialect.skip_lines)
        self.columns = self._header(spec)
        self._leave_out_trailer()

    def batches(self) -> Iterator[Batch]:
        """Every record once, in the order of the file."""
        records = Records(self._dialect, self.columns)
        while self._start < self._end:
            stop = min(self._start + self._batch_bytes, self._end)
            if stop < self._end:
                stop = self._data.rfind(b"\n", self._start, stop) + 1 or stop
            chunk = self._data[self._start : stop]
            is_last = self._start + len(chunk) == self._end
            cut, batch, lines = records.batch(chunk, self._line, is_last=is_last)
            self._start += cut
            self._line += lines
            # what was read need not stay in memory
            self._data.madvise(
                mmap.MADV_DONTNEED, 0, self._start // mmap.PAGESIZE * mmap.PAGESIZE or mmap.PAGESIZE
            )
            yield batch

    # ── before the first record ──────────────────────────────────────────────────────────────────────

    def _check_last_line(self) -> None:
        if self._start == self._end:
            raise RefusedFile("the file is empty (no header, no rows). Extract it again.")
        refuse_nul(self._data[self._start : self._start + 64], 1)
        if self._data[self._end - 1] != _NEWLINE and self._dialect.final_newline == "required":
            raise RefusedFile(
                f"line {self._lines_in_all()} has no line end, so the file may be cut off there. Extract it again,"
                " or, where the producer never ends the last line, declare `final_newline: optional`."
            )

    def _lines_in_all(self) -> int:
        return sum(1 for _ in iter(self._data.readline, b""))

    def _next_line(self) -> bytes:
        at = self._data.find(b"\n", self._start, self._end)
        stop = self._end if at < 0 else at + 1
        if stop - self._start > MAX_RECORD_BYTES:
            raise too_long(self._line)
        line = self._data[self._start : stop]
        self._start, self._line = stop, self._line + 1
        return line

    def _skip_lines(self, count: int) -> None:
        for _ in range(count):
            if self._start == self._end:
                raise RefusedFile(f"the file has fewer lines than the {count} of `skip_lines`.")
            self._next_line()

    def _header(self, spec: FileSpec) -> list[str]:
        if not self._dialect.header:
            return list(spec.columns or ())
        if self._start == self._end:
            raise RefusedFile("the file has no header line.")
        raw = self._next_line()
        refuse_nul(raw, self._line - 1)
        text = utf8(raw, self._line - 1, self._dialect.encoding).rstrip("\r\n")
        try:
            names = next(iter(split([text], self._dialect)), [])
        except csv.Error as error:
            raise RefusedFile(
                f"the header line is not readable: {error}. It reads {text[:120]!r}."
            ) from error
        if not any(name.strip() for name in names):
            raise RefusedFile(
                "the header line is empty. Extract the file again, or declare `header: false` and `columns`."
            )
        if len(names) > MAX_COLUMNS:
            raise RefusedFile(
                f"the header has {len(names)} columns, more than the {MAX_COLUMNS} a ledger could have."
            )
        named = [name or f"column_{i}" for i, name in enumerate(names, 1)]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise RefusedFile(
                f"the header names a column twice: {', '.join(twice)}. Which one is meant is not known."
            )
        if spec.columns and list(spec.columns) != named:
            raise RefusedFile(
                f"the header is {', '.join(named)}, but `columns` declares {', '.join(spec.columns)}."
            )
        return named

    def _leave_out_trailer(self) -> None:
        count = self._dialect.trailer_lines
        for _ in range(count):
            if self._start >= self._end:
                raise RefusedFile(f"the file has fewer lines than the {count} of `trailer_lines`.")
            stop = self._end - (self._data[self._end - 1] == _NEWLINE)
            last = self._data.rfind(b"\n", self._start, stop) + 1 or self._start
            if self._dialect.trailer_count and (
                found := re.search(
                    self._dialect.trailer_count, self._data[last:stop].decode("utf-8", "replace")
                )
            ):
                self.stated_count = int(found.group(1))
            self._end = last
        if self._dialect.trailer_count and self.stated_count is None:
            raise RefusedFile(
                f"no trailer line has the count that `trailer_count: {self._dialect.trailer_count}` reads."
            )
