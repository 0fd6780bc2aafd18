"""One row per key over all files of a table. Landed files stay as they are; reduced copies stand beside them.

Cheap where nothing can clash: keys are compared only when a table has more than one file.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from o2c.contract import Table
from o2c.sources.problems import PROBLEMS
from o2c.sources.sink import REJECTED, collisions

if TYPE_CHECKING:
    from o2c.landing import Landed


def one_per_key(
    table: Table, parts: list["Landed"], folder: Path
) -> tuple[list[Path], list[Path], dict[str, int]]:
    """Paths of the table and of problems when rows of several files have one key; and how many rows went why."""
    plain = [part.path for part in parts]
    if len(parts) < 2:
        return plain, [], {}
    known = hashlib.sha256(json.dumps([[str(path) for path in plain], _rank(parts)]).encode()).hexdigest()[
        :24
    ]
    hashes = [pl.read_parquet(path, columns=list(table.key)).hash_rows(seed=7) for path in plain]
    whole = pl.concat(hashes)
    if whole.n_unique() == len(whole):
        return plain, [], {}
    shared = whole.is_duplicated()
    rows, start = [], 0
    for i, (path, part_hashes) in enumerate(zip(plain, hashes, strict=True)):
        mask = shared.slice(start, len(part_hashes))
        start += len(part_hashes)
        if mask.any():
            rows.append(_at(path, mask.arg_true()).with_columns(part=pl.lit(i), rank=pl.lit(_rank(parts)[i])))
    suspects = pl.concat(rows).with_columns(
        key_count=pl.len().over(table.key),
        content_count=pl.struct(table.names).n_unique().over(table.key),
        is_latest=(pl.col("rank") == pl.col("rank").max().over(table.key)),
    )
    suspects = suspects.filter(pl.col("key_count") > 1).with_columns(
        latest_contents=pl.struct(table.names).filter(pl.col("is_latest")).n_unique().over(table.key),
        is_first=pl.struct("part", "_line").rank("ordinal").over(table.key) == 1,
        is_last=pl.struct("part", "_line")
        .rank("ordinal", descending=True)
        .over(table.key, pl.col("is_latest"))
        == 1,
    )
    # a derived table has no row that is wrong, only one that was chosen in its file: the latest choice stands
    is_settled = pl.lit(True) if all(part.is_chosen for part in parts) else pl.col("latest_contents") == 1
    copies = suspects.filter(pl.col("content_count") == 1, ~pl.col("is_first"))
    collided = suspects.filter(pl.col("content_count") > 1, ~is_settled)
    superseded = suspects.filter(
        pl.col("content_count") > 1, is_settled, ~(pl.col("is_latest") & pl.col("is_last"))
    )
    gone = pl.concat([copies, collided, superseded]).select("part", "position")
    paths = [_without(path, folder / known, gone.filter(part=i)["position"]) for i, path in enumerate(plain)]
    problems = [
        _problems_of(collided, parts, table, "rejected"),
        _problems_of(superseded.filter(~pl.col("is_latest")), parts, table, "warning"),
    ]
    counts = {"copies": copies.height, "collided": collided.height, "superseded": superseded.height}
    return paths, write_problems(pl.concat(problems), folder / known / "problems.parquet"), counts


def _rank(parts: list["Landed"]) -> list[int]:
    """Which file is later: by name where the definition says so, else by when it was first seen."""
    keys = [(part.name if part.names_order else "", part.seen_at) for part in parts]
    order = sorted(set(keys))
    return [order.index(key) for key in keys]


def _at(path: Path, positions: pl.Series) -> pl.DataFrame:
    wanted = positions.implode()
    return pl.scan_parquet(path).with_row_index("position").filter(pl.col("position").is_in(wanted)).collect()


def _without(path: Path, folder: Path, positions: pl.Series) -> Path:
    """The file less some rows, beside the landed one, which stays as it is."""
    if positions.is_empty():
        return path
    target = folder / path.parent.name / path.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        kept = (
            pl.scan_parquet(path)
            .with_row_index("position")
            .filter(~pl.col("position").is_in(positions.implode()))
        )
        kept.drop("position").sort("_line").sink_parquet(target.with_suffix(".tmp"))
        target.with_suffix(".tmp").replace(target)
    return target


def _problems_of(rows: pl.DataFrame, parts: list["Landed"], table: Table, severity: str) -> pl.DataFrame:
    found = []
    for i in sorted(rows["part"].unique().to_list()):
        problems = collisions(rows.filter(part=i), table)
        if severity == "warning":
            problems = problems.with_columns(
                severity=pl.lit("warning"),
                reason_code=pl.lit("superseded"),
                reason=pl.col("reason").str.replace(
                    " stands in several rows.*", " stands in a later file with other content, which counts"
                ),
            )
        found.append(_named(problems, parts[i].file_id, parts[i].source, table.name))
    return pl.concat(found) if found else pl.DataFrame(schema=REJECTED)


def _named(problems: pl.DataFrame, file_id: str, source: str, table: str) -> pl.DataFrame:
    named = {"file_id": pl.lit(file_id), "source": pl.lit(source), "table_name": pl.lit(table)}
    return problems.select(**named, **{name: pl.col(name) for name in PROBLEMS})


def write_problems(problems: pl.DataFrame, target: Path) -> list[Path]:
    """Problem rows in a file of their own, swapped in whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    problems.write_parquet(target.with_suffix(".tmp"))
    target.with_suffix(".tmp").replace(target)
    return [target]
