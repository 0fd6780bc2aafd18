"""Parquet: typed columns as the text that the contract's own CSV would have, so that one set of rules holds."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from o2c.sources.model import FileSpec
from o2c.sources.reading import MAX_COLUMNS, Batch, RefusedFile

_ROWS = 131_072


class ParquetReader:
    """One Parquet file as batches of text columns; the line of a row is its number plus 1, as if there were a header.

    Raises:
        RefusedFile: not a readable Parquet file, nested columns.
    """

    def __init__(self, path: Path, spec: FileSpec) -> None:
        self.stated_count: int | None = None
        if not path.stat().st_size:
            raise RefusedFile("the file has zero bytes. Extract it again.")
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise RefusedFile(f"not a whole Parquet file: {error}. Extract it again.") from error
        schema = self._file.schema_arrow
        if nested := [field.name for field in schema if pa.types.is_nested(field.type)]:
            raise RefusedFile(
                f"columns with lists or structs: {', '.join(nested)}. Flatten them in the extract."
            )
        if len(schema) > MAX_COLUMNS or len(set(schema.names)) < len(schema):
            raise RefusedFile("too many columns, or a column that stands twice.")
        self.columns = list(schema.names)

    def batches(self) -> Iterator[Batch]:
        """Every row once, in the order of the file."""
        line = 2
        try:
            for part in self._file.iter_batches(_ROWS):
                frame = pl.DataFrame(part).select(
                    _text(name, dtype) for name, dtype in pl.DataFrame(part).schema.items()
                )
                yield Batch(frame, pl.int_range(line, line + frame.height, eager=True))
                line += frame.height
        except (pa.ArrowInvalid, OSError) as error:
            raise RefusedFile(f"damaged after row {line - 2}: {error}. Extract it again.") from error


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    match dtype:
        case pl.Datetime():
            utc = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
            at_midnight = utc.dt.time() == pl.time(0, 0, 0)
            text = pl.when(at_midnight).then(utc.dt.strftime("%Y-%m-%d"))
            return text.otherwise(utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")).alias(name)
        case pl.Boolean():
            return pl.when(column).then(pl.lit("true")).when(~column).then(pl.lit("false")).alias(name)
        case pl.Categorical() | pl.Enum():
            return column.cast(pl.String)
        case pl.Binary():
            return column.cast(pl.String, strict=False)
        case _:
            return column.cast(pl.String)
