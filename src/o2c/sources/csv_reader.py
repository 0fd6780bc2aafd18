"""Delimited text, read strictly: where records end and how many fields they have is decided here, by declared dialect.

The parser behind it (polars) fills short rows, drops what is too long and swallows a cut last line without a word;
so every record is counted on the bytes first, and only whole, even records reach the parser.
"""

import csv
import io
import mmap
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from o2c.sources.decoding import decoded, refuse_nul, too_long, utf8
from o2c.sources.model import FileSpec
from o2c.sources.reading import BATCH_BYTES, MAX_COLUMNS, MAX_RECORD_BYTES, BadRecord, Batch, RefusedFile

_NEWLINE, _RETURN = 10, 13


class CsvReader:
    """One delimited file as batches of text columns.

    Raises:
        RefusedFile: empty, truncated, not in the declared encoding, NUL bytes, a record over 1 MiB,
            a quote out of place, a header that names a column twice.
    """

    def __init__(self, path: Path, spec: FileSpec, batch_bytes: int = BATCH_BYTES) -> None:
        self._dialect = spec.dialect
        self._batch_bytes = batch_bytes
        self._delimiter = ord(self._dialect.delimiter)
        self._quote = None if self._dialect.quote == "none" else self._dialect.quote.encode()
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
        while self._start < self._end:
            chunk = self._data[self._start : min(self._start + self._batch_bytes, self._end)]
            cut, batch, lines = self._batch(chunk, is_last=self._start + len(chunk) == self._end)
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
            names = next(iter(self._split([text])), [])
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

    # ── records ──────────────────────────────────────────────────────────────────────────────────────

    def _batch(self, chunk: bytes, *, is_last: bool) -> tuple[int, Batch, int]:
        """Whole records at the start of ``chunk``: how many bytes they take, the rows, and how many lines."""
        if is_cut := is_last and chunk[-1] != _NEWLINE:
            chunk += b"\n"
        octets = pl.from_arrow(pa.Array.from_buffers(pa.uint8(), len(chunk), [None, pa.py_buffer(chunk)]))
        assert isinstance(octets, pl.Series)  # noqa: S101  # an array becomes a series
        newlines = (octets == _NEWLINE).arg_true()
        delimiters = (octets == self._delimiter).arg_true()
        ends = newlines
        if has_quotes := (self._quote is not None and self._quote in chunk):
            ends, delimiters = self._outside_quotes(chunk, octets, newlines, delimiters, is_last=is_last)
        if ends.is_empty():
            raise too_long(self._line)
        cut = int(ends[-1]) + 1
        starts = pl.concat([pl.Series([0], dtype=ends.dtype), (ends + 1).head(len(ends) - 1)])
        if has_quotes:
            lines = newlines.search_sorted(starts).cast(pl.Int64) + self._line
        else:
            lines = pl.int_range(self._line, self._line + len(ends), eager=True)
        lengths = (ends - starts).cast(pl.Int64)
        if (longest := lengths.arg_max()) is not None and lengths[longest] > MAX_RECORD_BYTES:
            raise too_long(int(lines[longest]))
        text = chunk[:cut]
        refuse_nul(text, self._line)
        if not text.isascii():
            utf8(text, self._line, self._dialect.encoding)
        batch = self._rows(
            text, octets, starts, ends, lines, delimiters, has_quotes=has_quotes, is_cut=is_cut
        )
        used_lines = len(newlines) if cut == len(chunk) else int(newlines.search_sorted(cut))
        return cut - (is_cut and cut == len(chunk)), batch, used_lines

    def _outside_quotes(
        self, chunk: bytes, octets: pl.Series, newlines: pl.Series, delimiters: pl.Series, *, is_last: bool
    ) -> tuple[pl.Series, pl.Series]:
        """Line ends and delimiters that are not part of a quoted value. A quote must enclose a whole value."""
        assert self._quote is not None  # noqa: S101  # only called where there is one
        quote = self._quote[0]
        marks = (octets == quote).arg_true()
        inside_after = (octets == quote).cum_sum() % 2 == 1
        ends = newlines.filter(~inside_after.gather(newlines))
        known = int(ends[-1]) + 1 if len(ends) else 0
        opening, closing = marks.gather_every(2), marks.gather_every(2, 1)
        before = pl.concat([pl.Series([_NEWLINE], dtype=pl.UInt8), octets.head(len(octets) - 1)]).gather(
            opening
        )
        after = pl.concat([octets.tail(len(octets) - 1), pl.Series([_NEWLINE], dtype=pl.UInt8)]).gather(
            closing
        )
        may_open = before.is_in([self._delimiter, _NEWLINE, quote])
        may_close = after.is_in([self._delimiter, _NEWLINE, _RETURN, quote])
        strays = pl.concat([opening.filter(~may_open), closing.filter(~may_close)]).sort()
        if len(strays) and (strays[0] < known or is_last):
            line = self._line + int(newlines.search_sorted(strays[0]))
            raise RefusedFile(
                f"line {line} has a quote inside a value, so where values end is not known. A quoted value"
                " is quoted as a whole and doubles its quotes; if the producer never quotes, declare `quote: none`."
            )
        if is_last and len(marks) % 2:
            line = self._line + int(newlines.search_sorted(int(marks[-1])))
            raise RefusedFile(
                f"the quote that opens on line {line} is never closed: the file is cut off or damaged there."
            )
        return ends, delimiters.filter(~inside_after.gather(delimiters))

    def _rows(
        self,
        text: bytes,
        octets: pl.Series,
        starts: pl.Series,
        ends: pl.Series,
        lines: pl.Series,
        delimiters: pl.Series,
        *,
        has_quotes: bool,
        is_cut: bool,
    ) -> Batch:
        """Records with as many fields as there are columns become rows, blank lines are left out, others are bad."""
        width = len(self.columns)
        lengths = (ends - starts).cast(pl.Int64)
        if _is_even(starts, ends, delimiters, width - 1) and width > 1:
            return Batch(self._parsed(text, len(lines), has_quotes=has_quotes), lines)
        upto_end = delimiters.search_sorted(ends).cast(pl.Int64)
        fields = upto_end - pl.concat([pl.Series([0], dtype=pl.Int64), upto_end.head(len(upto_end) - 1)]) + 1
        uneven = fields != width
        bad: list[BadRecord] = []
        blank_lines = 0
        if width == 1 or uneven.any():
            blank = (lengths == 0) | ((lengths == 1) & (octets.gather(starts) == _RETURN))
            blank_lines = int(blank.sum())
            for i in (uneven & ~blank).arg_true():
                raw = text[starts[i] : ends[i]].decode().rstrip("\r")
                if is_cut and i == len(lines) - 1:
                    raise RefusedFile(
                        f"line {lines[i]}, the last one, has {fields[i]} of {width} fields and no line end:"
                        " the file is cut off there. Extract it again."
                    )
                reason = f"the line has {fields[i]} fields, the header has {width}"
                bad.append(BadRecord(int(lines[i]), raw, "field_count", reason))
            whole = ~(uneven | blank)
            text = b"".join(
                text[start : end + 1]
                for start, end in zip(starts.filter(whole), ends.filter(whole), strict=True)
            )
            lines = lines.filter(whole)
        return Batch(self._parsed(text, len(lines), has_quotes=has_quotes), lines, bad, blank_lines)

    def _split(self, lines: Iterable[str]) -> Iterable[list[str]]:
        """Fields by the standard reader, for what is too small or too odd for the fast one."""
        if self._quote is None:
            return csv.reader(lines, delimiter=self._dialect.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(
            lines, delimiter=self._dialect.delimiter, quotechar=self._dialect.quote, strict=True
        )

    def _parsed(self, text: bytes, height: int, *, has_quotes: bool) -> pl.DataFrame:
        names = [str(i) for i in range(len(self.columns))]
        schema = dict.fromkeys(names, pl.String)
        if not height:
            return pl.DataFrame(schema=dict.fromkeys(self.columns, pl.String))
        if len(names) == 1:
            # the parser skips lines that look empty when there is one column
            values = [record[0] or None for record in self._split(io.StringIO(text.decode(), newline=""))]
            return pl.DataFrame({self.columns[0]: pl.Series(values, dtype=pl.String)})
        frame = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            schema=schema,
            separator=self._dialect.delimiter,
            quote_char=self._dialect.quote if has_quotes else None,
            infer_schema=False,
            glob=False,
        )
        frame.columns = self.columns
        if frame.height != height:
            raise RefusedFile(
                f"near line {self._line}: {height} records, but {frame.height} rows were read. Check the quoting."
            )
        return frame


def _is_even(starts: pl.Series, ends: pl.Series, delimiters: pl.Series, each: int) -> bool:
    """Whether every record has exactly ``each`` delimiters: as many in all, and the first and last in their record."""
    delimiters = delimiters.head(int(delimiters.search_sorted(int(ends[-1]))))
    if each < 1 or len(delimiters) != each * len(ends):
        return False
    first, last = delimiters.gather_every(each), delimiters.gather_every(each, each - 1)
    return bool((first >= starts).all() and (last < ends).all())
