"""Rows of one contract table out of one file, on their way to Parquet: one row per key, nothing lost uncounted."""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from o2c.contract import PROVENANCE, Table
from o2c.durable import forget_unfinished
from o2c.sources.mapping import Mapped
from o2c.sources.model import OnePer, TableSpec
from o2c.sources.one_per import Gathering
from o2c.sources.problems import PROBLEMS

REJECTED = {"file_id": pl.String(), "source": pl.String(), "table_name": pl.String(), **PROBLEMS}


@dataclass
class Counts:
    """What became of the records of a file in one table; they add up, or the file is refused."""

    rows_in: int = 0
    loaded: int = 0
    rejected: int = 0
    warned: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str, count: int) -> None:
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + count

    def require_balance(self, what: str) -> None:
        """Every record is loaded, rejected or a declared skip.

        Raises:
            ArithmeticError: rows were lost or made up; a fault of ours, never of the file.
        """
        parts = self.loaded + self.rejected + sum(self.skipped.values())
        if self.rows_in != parts:
            raise ArithmeticError(f"{what}: {self.rows_in} rows in, but {parts} loaded, rejected or skipped")


class TableSink:
    """Takes mapped batches, keeps one row per key, and leaves a temporary Parquet file to be renamed.

    Rows with the key of another row and the same content are skipped; with other content, all of that key are
    rejected: which one is right does not depend on the order of rows.
    """

    def __init__(
        self, table: Table, spec: TableSpec, folder: Path, *, source: str, file_id: str, loaded_at: datetime
    ) -> None:
        self.table, self.spec = table, spec
        self.counts = Counts()
        self.implausible = self.dated = 0
        self._provenance = {"_source": source, "_file_id": file_id, "_loaded_at": loaded_at}
        folder.mkdir(parents=True, exist_ok=True)
        forget_unfinished(folder)
        self._path = folder / f".{file_id}.{os.getpid()}.tmp"
        self._writer: pq.ParquetWriter | None = None
        self._filled: set[str] = set()
        self._repeated: dict[str, pa.Array] = {}
        self._hashes: list[pl.Series] = []
        self._problems: list[pl.DataFrame] = []
        self._gathering = Gathering(table, spec.one_per) if isinstance(spec.one_per, OnePer) else None

    def add(self, mapped: Mapped, record_count: int) -> None:
        """One batch. ``record_count`` is what the file held in it."""
        self.counts.rows_in += record_count
        self.counts.rejected += mapped.rejected_count
        self.counts.skip("filtered", mapped.filtered_count)
        for name, number in mapped.uses.items():
            self.counts.uses[name] = self.counts.uses.get(name, 0) + number
        self.implausible += mapped.implausible_count
        self.dated += mapped.dated_count
        self._problems.append(mapped.problems)
        if self._gathering is not None:
            self._gathering.add(mapped.rows)
        else:
            self._write(mapped.rows)

    def warn(self, line: int | None, code: str, reason: str) -> None:
        """A warning about the file rather than a row of it."""
        row = [(line, "warning", code, reason, None)]
        self._problems.append(pl.DataFrame(row, schema=PROBLEMS, orient="row"))

    def finish(self) -> tuple[Path, pl.DataFrame]:
        """The temporary file with what is loaded, and the rejected and warned rows."""
        if self._gathering is not None:
            rows, merged_count = self._gathering.chosen()
            self._write(rows)
            self.counts.skip("one_per", merged_count)
        if self._writer is None:
            self._write(pl.DataFrame(schema=self.table.schema | {"_line": pl.Int64()}))
        assert self._writer is not None  # noqa: S101  # just written
        self._writer.close()
        drop = self._duplicates()
        if len(drop):
            self._rewrite_without(drop)
        self.counts.loaded = pq.read_metadata(self._path).num_rows
        problems = pl.concat(self._problems) if self._problems else pl.DataFrame(schema=PROBLEMS)
        self.counts.warned = problems.filter(severity="warning").height
        self.counts.require_balance(f"{self.table.name} of {self._provenance['_source']}")
        named = problems.sort("line", "severity", "reason_code", maintain_order=True).select(
            pl.lit(self._provenance["_file_id"]).alias("file_id"),
            pl.lit(self._provenance["_source"]).alias("source"),
            pl.lit(self.table.name).alias("table_name"),
            pl.all(),
        )
        return self._path, named

    def discard(self) -> None:
        """Leave nothing behind of a file that was refused."""
        if self._writer is not None:
            self._writer.close()
        self._path.unlink(missing_ok=True)

    # ── one row per key ──────────────────────────────────────────────────────────────────────────────

    def _duplicates(self) -> pl.Series:
        """Positions in the temporary file that must not stay."""
        if not self._hashes:
            return pl.Series([], dtype=pl.UInt32)
        hashes = pl.concat(self._hashes)
        if hashes.n_unique() == len(hashes):
            return pl.Series([], dtype=pl.UInt32)
        suspects = hashes.is_duplicated().arg_true()
        names = self.table.names
        rows = (
            pl.scan_parquet(self._path)
            .with_row_index("position")
            .filter(pl.col("position").is_in(suspects.implode()))
            .collect()
            .with_columns(
                key_count=pl.len().over(self.table.key),
                content_count=pl.struct(names).n_unique().over(self.table.key),
                is_first=pl.col("_line").rank("ordinal").over(self.table.key) == 1,
            )
            .filter(pl.col("key_count") > 1)
        )
        collided = rows.filter(pl.col("content_count") > 1)
        copies = rows.filter(pl.col("content_count") == 1, ~pl.col("is_first"))
        self.counts.skip("exact_duplicate", copies.height)
        self._reject(collisions(collided, self.table))
        return pl.concat([collided["position"], copies["position"]]).sort()

    def _reject(self, problems: pl.DataFrame) -> None:
        self.counts.rejected += problems.height
        if problems.height:
            # a rejected row is in no total, so its warnings say nothing any more
            lines = problems["line"].implode()
            self._problems = [part.filter(~pl.col("line").is_in(lines)) for part in self._problems]
            self._problems.append(problems)

    def _rewrite_without(self, drop: pl.Series) -> None:
        old, start = self._path.with_suffix(".old"), 0
        self._path.rename(old)
        whole = pq.ParquetFile(old, read_dictionary=self._repeating())
        self._writer = None
        filled = [name for name in whole.schema_arrow.names if name in self._filled]
        for part in whole.iter_batches(131_072, columns=filled):
            inside = drop.filter(drop.is_between(start, start + part.num_rows - 1)) - start
            kept = pl.repeat(True, part.num_rows, eager=True, dtype=pl.Boolean).scatter(inside, False)
            start += part.num_rows
            self._append(self._whole(part.filter(kept.to_arrow()) if len(inside) else part))
        assert self._writer is not None  # noqa: S101  # there was a row to drop
        self._writer.close()
        whole.close()
        old.unlink()

    # ── Parquet ──────────────────────────────────────────────────────────────────────────────────────

    def _write(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._hashes.append(rows.select(self.table.key).hash_rows(seed=7))
        self._append(self._as_arrow(rows))

    def _append(self, arrow: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._new_writer(arrow.schema)
        if arrow.num_rows:
            self._writer.write_table(arrow)

    def _new_writer(self, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            self._path,
            schema,
            compression="snappy",  # written once, read every night: cheap both ways
            use_dictionary=self._repeating(),
            column_encoding={"_line": "DELTA_BINARY_PACKED"},
            write_statistics=False,
            store_schema=False,  # so that a repeated value is plain text to every reader
        )

    def _as_arrow(self, rows: pl.DataFrame) -> pa.Table:
        """The batch in contract order with its provenance; what is one value or none at all is never spelled out."""
        names = [*self.table.names, "_line"]
        filled = rows.select(name for name in names if rows[name].null_count() < rows.height)
        self._filled.update(filled.columns)
        return self._whole(filled.to_arrow(compat_level=pl.CompatLevel.newest()))

    def _whole(self, there: pa.Table | pa.RecordBatch) -> pa.Table:
        names = set(there.schema.names)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {}
        for name, dtype in (self.table.schema | PROVENANCE).items():
            columns[name] = there[name] if name in names else self._same(name, dtype, there.num_rows)
        return pa.table(columns)

    def _same(self, name: str, dtype: pl.DataType, height: int) -> pa.Array:
        """A column of nothing, or of one value: made once, a little longer than a batch is."""
        what = name if name in self._provenance else str(dtype)
        known = self._repeated.get(what)
        if known is None or len(known) < height:
            known = self._repeated[what] = self._made(name, dtype, height + height // 8)
        return known.slice(0, height)

    def _made(self, name: str, dtype: pl.DataType, height: int) -> pa.Array:
        if name in self._provenance:
            value = pl.Series([self._provenance[name]], dtype=dtype)
            values = value.to_arrow(compat_level=pl.CompatLevel.oldest())
            return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), height), values)
        kind = pl.Series([], dtype=dtype).to_arrow(compat_level=pl.CompatLevel.newest()).type
        return pa.nulls(height, kind)

    def _repeating(self) -> list[str]:
        """Columns whose values repeat: a dictionary of all others costs more than it saves."""
        unique = {*self.table.key, "invoice_number", "order_id", "reference_text", "note", "_line"}
        return [
            name
            for name, dtype in (self.table.schema | PROVENANCE).items()
            if name not in unique and not isinstance(dtype, pl.Decimal)
        ]


def collisions(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows whose key others have with another content, as rejected rows; the mapped row stands for the raw one."""
    said = []
    for row in rows.sort("_line").to_dicts():
        key = ", ".join(f"{name} {row[name]!s}" for name in table.key)
        content = {name: None if row[name] is None else str(row[name]) for name in table.names}
        reason = f"{key} stands in several rows with different content; which one is right is not known"
        said.append(
            (row["_line"], "rejected", "key_collision", reason, json.dumps(content, ensure_ascii=False))
        )
    return pl.DataFrame(said, schema=PROBLEMS, orient="row")
