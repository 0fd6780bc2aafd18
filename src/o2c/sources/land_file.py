"""One file into all the contract tables that a definition makes of it, in one reading."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from o2c.contract import TABLES
from o2c.sources.definition import Definition
from o2c.sources.expression import Evaluator, parse
from o2c.sources.mapping import CANONICAL, Lookup, TableMapper
from o2c.sources.model import FileSpec, Join, TableSpec
from o2c.sources.needed import joined_columns, needed_columns, require_columns
from o2c.sources.opening import content_id, matching_files, open_reader
from o2c.sources.reading import Batch, Reader, RefusedFile
from o2c.sources.sink import Counts, TableSink

Done = tuple[Path, pl.DataFrame, Counts]
# A single odd row condemns no file, however short it is.
_FEWEST_IMPLAUSIBLE = 2


@dataclass(frozen=True)
class Landing:
    """One table to be made from a file, and the folder for its Parquet."""

    table: str
    spec: TableSpec
    folder: Path


class Lookups:
    """Files that mappings join, each read once and kept as text by key."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}

    def ids(self, spec: TableSpec) -> dict[str, str]:
        """Content ids of the files that a mapping joins, by the name of the join."""
        paths = {name: self._path(join.file) for name, join in spec.join.items()}
        return {name: content_id(path) if path else "" for name, path in paths.items()}

    def of(self, table: str, spec: TableSpec) -> dict[str, Lookup]:
        """The joined columns of a mapping, one row per key.

        Raises:
            RefusedFile: a joined file is not there, lacks a column, or has a key twice.
        """
        return {name: self._lookup(table, spec, name) for name in spec.join}

    def _lookup(self, table: str, spec: TableSpec, name: str) -> Lookup:
        join = spec.join[name]
        wanted = joined_columns(spec, TABLES[table], name)
        keys = list(join.on.values())
        path = self._path(join.file)
        if path is None:
            none = pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
            return _lookup_of(none, join, name)
        try:
            reader = open_reader(path, self._definition.spec.files[join.file])
            require_columns(wanted, reader.columns, f"join {name}")
            parts = [_readable(batch, path).select(wanted) for batch in reader.batches()]
        except RefusedFile as refused:
            raise RefusedFile(f"joined file {path.name}: {refused}") from refused
        whole = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
        if join.where is not None:
            holds, _ = Evaluator().values(parse(join.where), whole)
            whole = whole.filter(holds.fill_null(False))
        whole = whole.drop_nulls(keys).unique(maintain_order=True)
        if (twice := whole.filter(whole.select(keys).is_duplicated())).height:
            shown = ", ".join(str(value) for value in twice.select(keys).row(0))
            raise RefusedFile(
                f"joined file {path.name} has {shown} more than once as {', '.join(keys)}, with different content."
                " Join by a key that is unique there, or leave the others out with `where`."
            )
        return _lookup_of(whole, join, name)

    def _path(self, file_name: str) -> Path | None:
        """The joined file; None when it is optional and not there."""
        spec = self._definition.spec.files[file_name]
        paths, why = matching_files(self._definition.root, spec.path)
        if why and spec.optional:
            return None
        if why or len(paths) != 1:
            raise RefusedFile(why or f"{file_name} is {len(paths)} files; only one file can be joined")
        return paths[0]


def land_file(
    definition: Definition,
    path: Path,
    file_name: str,
    file_spec: FileSpec,
    file_id: str,
    landings: list[Landing],
    lookups: Lookups,
    loaded_at: datetime,
) -> list[Done]:
    """Read the file once and fill one temporary Parquet file per table.

    Raises:
        RefusedFile: the file cannot be trusted as a whole; nothing is left behind.
    """
    before = path.stat()
    reader = open_reader(path, file_spec)
    sinks = [_sink(definition, landing, file_id, loaded_at) for landing in landings]
    try:
        mappers = [_mapper(definition, landing, file_spec, lookups, reader) for landing in landings]
        for sink, (code, reason) in _about_columns(definition, file_name, file_spec, reader, sinks):
            sink.warn(1, code, reason)
        for mapper, sink in zip(mappers, sinks, strict=True):
            if sink.table.name == "invoices" and "due_date" not in mapper.filled:
                sink.warn(
                    1,
                    "due_date_not_delivered",
                    "no due date is mapped: the terms decide when invoices are due",
                )
        record_count = 0
        for batch in reader.batches():
            record_count += batch.record_count
            for mapper, sink in zip(mappers, sinks, strict=True):
                sink.add(mapper.apply(batch, loaded_at.astimezone(UTC).date()), batch.record_count)
        if reader.stated_count not in (None, record_count):
            raise RefusedFile(
                f"its trailer states {reader.stated_count} records, but there are {record_count}."
            )
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise RefusedFile("the file changed while it was read. Let the producer finish, then run again.")
        for sink in sinks:
            _require_plausible(sink, definition)
        return [(*sink.finish(), sink.counts) for sink in sinks]
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise


def land_rows(definition: Definition, landing: Landing, file_id: str, loaded_at: datetime) -> Done:
    """Rows written in the definition, as one temporary Parquet file; their line is their number."""
    table, rows = TABLES[landing.table], landing.spec.rows or ()
    names = [name for name in table.names if any(name in row for row in rows)]
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")
    as_named = TableSpec.model_validate({"from": "rows", "columns": "as_named"})
    mapper = TableMapper(
        table,
        as_named,
        CANONICAL,
        {},
        prefix=definition.spec.id_prefix,
        unprefixed=definition.spec.unprefixed,
        file_columns=names,
    )
    sink = _sink(definition, Landing(landing.table, as_named, landing.folder), file_id, loaded_at)
    batch = Batch(frame, pl.int_range(1, frame.height + 1, eager=True, dtype=pl.Int64))
    sink.add(mapper.apply(batch, loaded_at.astimezone(UTC).date()), batch.record_count)
    return (*sink.finish(), sink.counts)


def _sink(definition: Definition, landing: Landing, file_id: str, loaded_at: datetime) -> TableSink:
    try:
        return TableSink(
            TABLES[landing.table],
            landing.spec,
            landing.folder,
            source=definition.source,
            file_id=file_id,
            loaded_at=loaded_at,
        )
    except OSError as error:
        raise PermissionError(
            f"{landing.folder}: cannot write there ({os.strerror(error.errno or 0)}). Landed files need a folder that"
            " the account running o2c may write to; see --home."
        ) from error


def _mapper(
    definition: Definition, landing: Landing, file_spec: FileSpec, lookups: Lookups, reader: Reader
) -> TableMapper:
    table, spec = TABLES[landing.table], landing.spec
    require_columns(needed_columns(spec, table, reader.columns), reader.columns, landing.table)
    return TableMapper(
        table,
        spec,
        file_spec.dialect if file_spec.form != "parquet" else CANONICAL,
        lookups.of(landing.table, spec),
        prefix=definition.spec.id_prefix,
        unprefixed=definition.spec.unprefixed,
        file_columns=reader.columns,
    )


def _about_columns(
    definition: Definition, file_name: str, file_spec: FileSpec, reader: Reader, sinks: list[TableSink]
) -> Iterator[tuple[TableSink, tuple[str, str]]]:
    """A warning per column that nobody declared, told once, with the file's first table."""
    declared = set(file_spec.ignore)
    if "*" not in declared:
        for table, spec in definition.spec.mappings():
            if spec.from_file == file_name:
                declared |= set(needed_columns(spec, TABLES[table], reader.columns))
            for name, join in spec.join.items():
                declared |= (
                    set(joined_columns(spec, TABLES[table], name)) if join.file == file_name else set()
                )
        for name in reader.columns:
            if name not in declared:
                yield (
                    sinks[0],
                    (
                        "undeclared_column",
                        f"column {name!r} is not declared; map it or list it under `ignore`",
                    ),
                )


def _require_plausible(sink: TableSink, definition: Definition) -> None:
    limit = definition.spec.max_implausible_ratio
    if sink.implausible >= _FEWEST_IMPLAUSIBLE and sink.implausible > limit * sink.dated:
        raise RefusedFile(
            f"{sink.implausible} of {sink.dated} due dates are before the invoice date, more than the"
            f" {limit * 100:f} % of `max_implausible_ratio`. Day and month may be swapped: check the date formats."
        )


def _lookup_of(rows: pl.DataFrame, join: Join, name: str) -> Lookup:
    named = rows.select(pl.all().name.prefix(f"{name}__"), pl.lit("1", dtype=pl.String).alias(f"{name}__"))
    on = {sql: f"{name}__{key}" for sql, key in join.on.items()}
    return Lookup(named, on, join.unmatched == "reject")


def _readable(batch: Batch, path: Path) -> pl.DataFrame:
    if batch.bad:
        first = batch.bad[0]
        raise RefusedFile(f"line {first.line}: {first.reason}; a joined file must be whole.")
    return batch.frame
