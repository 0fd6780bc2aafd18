"""Records of delimited text, read strictly: where they end and how many fields they have is decided here.

The parser behind it (polars) fills short rows and swallows a cut last line without a word; it does refuse a row with
too many fields. So a piece whose delimiters add up and that it takes has only even records; any other is counted
record by record, and only whole, even ones reach it.
"""

import csv
import io
from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from o2c.sources.decoding import refuse_nul, too_long, utf8
from o2c.sources.forms import Dialect
from o2c.sources.reading import MAX_RECORD_BYTES, BadRecord, Batch, RefusedFile

_NEWLINE, _RETURN = 10, 13


class Records:
    """Cuts pieces of a file into rows of text columns, by declared dialect."""

    def __init__(self, dialect: Dialect, columns: list[str]) -> None:
        self._dialect, self._columns = dialect, columns
        self._delimiter = ord(dialect.delimiter)
        self._quote = None if dialect.quote == "none" else dialect.quote.encode()
        self._line = 1

    def batch(self, chunk: bytes, line: int, *, is_last: bool) -> tuple[int, Batch, int]:
        """Whole records at the start of ``chunk``: how many bytes they take, the rows, and how many lines.

        Raises:
            RefusedFile: a record over 1 MiB, NUL bytes, an octet that is not UTF-8, a quote out of place, a cut end.
        """
        self._line = line
        if is_cut := is_last and chunk[-1] != _NEWLINE:
            chunk += b"\n"
        has_quotes = self._quote is not None and self._quote in chunk
        found = None if has_quotes else self._even(chunk)
        if found is None:
            found = self._counted(chunk, has_quotes=has_quotes, is_last=is_last, is_cut=is_cut)
        cut, batch, lines = found
        return cut - (is_cut and cut == len(chunk)), batch, lines

    def _even(self, chunk: bytes) -> tuple[int, Batch, int] | None:
        """A piece without quotes in which all is as it should be; None when records must be looked at one by one."""
        each = len(self._columns) - 1
        cut = chunk.rfind(b"\n") + 1
        if not each or not cut or _is_too_long_somewhere(chunk, cut):
            return None
        text = chunk[:cut]
        octets = _octets(text)
        height = int((octets == _NEWLINE).sum())
        if int((octets == self._delimiter).sum()) != height * each:
            return None
        self._check_text(text)
        frame = self._taken(text, has_quotes=False)
        if frame is None or frame.height != height:
            return None
        return cut, Batch(frame, pl.int_range(self._line, self._line + height, eager=True)), height

    def _counted(
        self, chunk: bytes, *, has_quotes: bool, is_last: bool, is_cut: bool
    ) -> tuple[int, Batch, int]:
        """Any piece: the end of every record by its octets, then its fields."""
        octets = _octets(chunk)
        newlines = (octets == _NEWLINE).arg_true()
        marks = pl.Series([], dtype=newlines.dtype)
        ends = newlines
        if has_quotes:
            assert self._quote is not None  # noqa: S101  # there is one in the chunk
            marks = (octets == self._quote[0]).arg_true()
            ends = newlines.filter(_is_outside(newlines, marks))
            self._check_quotes(octets, marks, newlines, ends, is_last=is_last)
        if ends.is_empty():
            raise too_long(self._line)
        cut = int(ends[-1]) + 1
        starts = pl.concat([pl.Series([0], dtype=ends.dtype), (ends + 1).head(len(ends) - 1)])
        if len(ends) < len(newlines):
            lines = newlines.search_sorted(starts).cast(pl.Int64) + self._line
        else:
            lines = pl.int_range(self._line, self._line + len(ends), eager=True)
        lengths = (ends - starts).cast(pl.Int64)
        if (longest := lengths.arg_max()) is not None and lengths[longest] > MAX_RECORD_BYTES:
            raise too_long(int(lines[longest]))
        text = chunk[:cut]
        self._check_text(text)
        batch = self._rows(text, octets, marks, starts, ends, lines, is_cut=is_cut)
        return cut, batch, len(newlines) if cut == len(chunk) else int(newlines.search_sorted(cut))

    def _check_text(self, text: bytes) -> None:
        refuse_nul(text, self._line)
        if not text.isascii():
            utf8(text, self._line, self._dialect.encoding)

    def _check_quotes(
        self, octets: pl.Series, marks: pl.Series, newlines: pl.Series, ends: pl.Series, *, is_last: bool
    ) -> None:
        """A quote must enclose a whole value."""
        assert self._quote is not None  # noqa: S101  # only called where there is one
        known = int(ends[-1]) + 1 if len(ends) else 0
        opening, closing = marks.gather_every(2), marks.gather_every(2, 1)
        is_first, is_end = opening == 0, closing == len(octets) - 1
        before = octets.gather(opening.set(is_first, 1) - 1)
        after = octets.gather(closing.set(is_end, 0) + 1)
        may_open = is_first | before.is_in([self._delimiter, _NEWLINE, self._quote[0]])
        may_close = is_end | after.is_in([self._delimiter, _NEWLINE, _RETURN, self._quote[0]])
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

    def _rows(
        self,
        text: bytes,
        octets: pl.Series,
        marks: pl.Series,
        starts: pl.Series,
        ends: pl.Series,
        lines: pl.Series,
        *,
        is_cut: bool,
    ) -> Batch:
        """Records with as many fields as there are columns become rows, blank lines are left out, others are bad."""
        width, has_quotes = len(self._columns), bool(len(marks))
        if width > 1 and (frame := self._taken(text, has_quotes=has_quotes)) is not None:
            # no record is too long, and one that is too short would have nothing in the last column
            if frame.height == len(lines) and not frame.to_series(width - 1).null_count():
                return Batch(frame, lines)
            del frame
        delimiters = (octets == self._delimiter).arg_true()
        if has_quotes:
            delimiters = delimiters.filter(_is_outside(delimiters, marks))
        if width > 1 and _is_even(starts, ends, delimiters, width - 1):
            return Batch(self._parsed(text, len(lines), has_quotes=has_quotes), lines)
        lengths = (ends - starts).cast(pl.Int64)
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

    # ── the parser ───────────────────────────────────────────────────────────────────────────────────

    def _taken(self, text: bytes, *, has_quotes: bool) -> pl.DataFrame | None:
        """What the parser makes of the text; None when a record has too many fields for it."""
        try:
            frame = pl.read_csv(
                text,
                has_header=False,
                schema={str(i): pl.String for i in range(len(self._columns))},
                separator=self._dialect.delimiter,
                quote_char=self._dialect.quote if has_quotes else None,
                infer_schema=False,
                glob=False,
            )
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
            return None
        frame.columns = self._columns
        return frame

    def _parsed(self, text: bytes, height: int, *, has_quotes: bool) -> pl.DataFrame:
        if not height:
            return pl.DataFrame(schema=dict.fromkeys(self._columns, pl.String))
        if len(self._columns) == 1:
            # the parser skips lines that look empty when there is one column
            records = split(io.StringIO(text.decode(), newline=""), self._dialect)
            values = [record[0] or None for record in records]
            return pl.DataFrame({self._columns[0]: pl.Series(values, dtype=pl.String)})
        frame = self._taken(text, has_quotes=has_quotes)
        if frame is None or frame.height != height:
            there = "were not readable" if frame is None else f"but {frame.height} rows were read"
            raise RefusedFile(f"near line {self._line}: {height} records, {there}. Check the quoting.")
        return frame


def split(lines: Iterable[str], dialect: Dialect) -> Iterable[list[str]]:
    """Fields by the standard reader, for what is too small or too odd for the fast one."""
    if dialect.quote == "none":
        return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)


def _octets(text: bytes) -> pl.Series:
    """The bytes as a series, not copied."""
    octets = pl.from_arrow(pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)]))
    assert isinstance(octets, pl.Series)  # noqa: S101  # an array becomes a series
    return octets


def _is_too_long_somewhere(chunk: bytes, cut: int) -> bool:
    """Whether a record in front of ``cut`` is longer than a record may be."""
    at = 0
    while cut - at > MAX_RECORD_BYTES:
        at = chunk.rfind(b"\n", at, at + MAX_RECORD_BYTES + 1) + 1
        if not at:
            return True
    return False


def _is_outside(places: pl.Series, marks: pl.Series) -> pl.Series:
    """Which places stand outside quotes: an even number of quotes is in front of them."""
    return marks.search_sorted(places) % 2 == 0


def _is_even(starts: pl.Series, ends: pl.Series, delimiters: pl.Series, each: int) -> bool:
    """Whether every record has exactly ``each`` delimiters: as many in all, and the first and last in their record."""
    delimiters = delimiters.head(int(delimiters.search_sorted(int(ends[-1]))))
    if each < 1 or len(delimiters) != each * len(ends):
        return False
    first, last = delimiters.gather_every(each), delimiters.gather_every(each, each - 1)
    return bool((first >= starts).all() and (last < ends).all())
