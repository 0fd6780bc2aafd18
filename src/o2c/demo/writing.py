"""Files of the source contract, written a chunk at a time; every table has a file, also one without rows."""

from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow.parquet as pq

from o2c.contract import TABLES, Kind

FORMATS = ("csv", "parquet")


class FolderWriter:
    """Appends chunks to ``<folder>/<table>.<format>``. All chunks of a table get the columns of ``_columns``."""

    def __init__(self, folder: Path, file_format: str) -> None:
        if file_format not in FORMATS:
            raise ValueError(f"{file_format}: no such file format, use one of {', '.join(FORMATS)}")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._format = file_format
        self._files: dict[str, BinaryIO] = {}
        self._parquet: dict[str, pq.ParquetWriter] = {}
        self.rows: dict[str, int] = {}

    def write(self, table: str, rows: pl.DataFrame) -> None:
        """Append rows in the contract's types."""
        rows = _complete(table, rows)
        self.rows[table] = self.rows.get(table, 0) + rows.height
        if self._format == "parquet":
            data = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
            if table not in self._parquet:
                self._parquet[table] = pq.ParquetWriter(
                    self._folder / f"{table}.parquet", data.schema, compression="zstd"
                )
            self._parquet[table].write_table(data)
            return
        is_first = table not in self._files
        if is_first:
            self._files[table] = (self._folder / f"{table}.csv").open("wb")
        rows.write_csv(
            self._files[table],
            include_header=is_first,
            datetime_format="%Y-%m-%dT%H:%M:%SZ",
            line_terminator="\n",
        )

    def close(self) -> None:
        """Finish all files; tables of the contract that nobody wrote to get a file with a header alone."""
        for table in TABLES:
            if table not in self.rows:
                self.write(table, pl.DataFrame(schema=TABLES[table].schema))
        for file in (*self._files.values(), *self._parquet.values()):
            file.close()


def _complete(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The same columns for every chunk: all of the contract, amounts with two decimals, empty where unknown."""
    columns = []
    for column in TABLES[table].columns:
        wanted = TABLES[table].schema[column.name]
        if column.kind in (Kind.AMOUNT, Kind.UNSIGNED_AMOUNT):
            wanted = pl.Decimal(18, 2)
        if column.name not in rows.columns:
            columns.append(pl.lit(None, dtype=wanted).alias(column.name))
        elif column.kind is Kind.DATE and rows.schema[column.name] == pl.String:
            columns.append(pl.col(column.name))
        else:
            columns.append(pl.col(column.name).cast(wanted))
    return rows.select(columns)
