"""What counts for a run: the Parquet of every table, one row per key over all files, and the checks that go with it.

Cheap where nothing can clash: keys are compared only when a table has more than one file.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from o2c.contract import TABLES, Table
from o2c.sources.mapping import PROBLEMS
from o2c.sources.sink import REJECTED, collisions

if TYPE_CHECKING:
    from o2c.landing import Landed, LandingReport


class SourcesClash(ValueError):
    """Sources that cannot stand beside each other in one run; says which and what to do."""


@dataclass(frozen=True)
class Check:
    """One check of a run, as fct_run_checks has it, without the run."""

    name: str
    expected: str
    actual: str
    passed: bool
    severity: str


@dataclass(frozen=True)
class SourceKind:
    """One row of raw.sources."""

    source: str
    is_open_items_only: bool
    balance_date: date | None


@dataclass
class Effective:
    """Input of a build: paths by contract table, rejected rows, checks, and what the inputs are called."""

    tables: dict[str, list[Path]] = field(default_factory=dict)
    rejected_paths: list[Path] = field(default_factory=list)
    landed: list["Landed"] = field(default_factory=list)
    sources: list[SourceKind] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    input_ids: list[str] = field(default_factory=list)


def effective(reports: list["LandingReport"], landing_dir: Path) -> Effective:
    """Everything that the reports' definitions deliver now.

    Rows of one key in several files of a table: the same content counts once; with other content, the file that
    was seen later wins, or the one later in name where the definition says ``order: name``, with a warning row;
    first seen together, all rows of the key are rejected, as within one file.

    Raises:
        SourcesClash: two sources share a key, or one source writes off in two ways.
    """
    found = Effective()
    by_source: dict[str, dict[str, list[Path]]] = {}
    for report in reports:
        spec = report.definition.spec
        found.sources.append(SourceKind(report.source, spec.open_items_only, report.definition.balance_date))
        found.landed += report.landed
        found.input_ids += [
            f"{part.source}/{part.table}/{part.mapping_id}/{part.file_id}" for part in report.landed
        ]
        found.checks += _checks(report)
        own = by_source.setdefault(report.source, {})
        for table in dict.fromkeys(part.table for part in report.landed):
            parts = [part for part in report.landed if part.table == table]
            paths, problems, dropped = _one_per_key(
                TABLES[table], parts, landing_dir / report.source / table / "_resolved"
            )
            own[table] = paths
            found.checks += [
                Check(
                    f"landing.{why}_across_files.{report.source}.{table}", "0", str(count), not count, "warn"
                )
                for why, count in dropped.items()
            ]
            found.tables.setdefault(table, []).extend(paths)
            found.rejected_paths += [part.rejected_path for part in parts] + problems
        found.rejected_paths += _across(report.source, own, landing_dir / report.source / "_across")
    found.input_ids.sort()
    _require_apart(by_source)
    return found


# ── one row per key ──────────────────────────────────────────────────────────────────────────────────


def _one_per_key(
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
    shared = pl.concat(hashes).is_duplicated()
    if not shared.any():
        return plain, [], {}
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
    return paths, _written(pl.concat(problems), folder / known / "problems.parquet"), counts


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


# ── across tables and sources ────────────────────────────────────────────────────────────────────────


def _across(source: str, own: dict[str, list[Path]], folder: Path) -> list[Path]:
    """Warning rows that need two tables: unknown customers, payments dated before the invoice they pay."""
    _require_one_way_to_write_off(source, own)
    inputs = json.dumps(
        sorted(str(path) for table in ("customers", *_CUSTOMERS_IN) for path in own.get(table, []))
    )
    target = folder / f"{hashlib.sha256(inputs.encode()).hexdigest()[:24]}.parquet"
    if target.exists():
        return [target]
    problems = [_unknown_customers(own, table) for table in _CUSTOMERS_IN] if own.get("customers") else []
    problems.append(_paid_before_invoice(own))
    return _written(pl.concat(problems), target)


_CUSTOMERS_IN = ("invoices", "payments", "orders")


def _unknown_customers(own: dict[str, list[Path]], table: str) -> pl.DataFrame:
    if not own.get(table):
        return pl.DataFrame(schema=REJECTED)
    known = pl.scan_parquet(own["customers"]).select("customer_id")
    rows = (
        pl.scan_parquet(own[table])
        .select("customer_id", "_file_id", "_source", "_line")
        .drop_nulls("customer_id")
    )
    unknown = rows.join(known, on="customer_id", how="anti").collect().sort("_file_id", "_line")
    return unknown.select(
        file_id="_file_id",
        source="_source",
        table_name=pl.lit(table),
        line="_line",
        severity=pl.lit("warning"),
        reason_code=pl.lit("unknown_customer"),
        reason=pl.format(
            "customer_id '{}' is not among the customers; it is kept and never written to", "customer_id"
        ),
        raw_row=pl.lit(None, dtype=pl.String),
    )


def _paid_before_invoice(own: dict[str, list[Path]]) -> pl.DataFrame:
    if not own.get("payments") or not own.get("invoices"):
        return pl.DataFrame(schema=REJECTED)
    payments = pl.scan_parquet(own["payments"]).select(
        "payment_id", "entity_id", "reference_text", "value_date", "_file_id", "_source", "_line"
    )
    invoices = pl.scan_parquet(own["invoices"]).select("entity_id", "invoice_number", "invoice_date")
    early = (
        payments.drop_nulls("reference_text")
        .join(invoices, left_on=["entity_id", "reference_text"], right_on=["entity_id", "invoice_number"])
        .filter(pl.col("value_date") < pl.col("invoice_date"))
        .collect()
        .sort("_file_id", "_line", "invoice_date")
        .unique("payment_id", keep="first", maintain_order=True)
    )
    return early.select(
        file_id="_file_id",
        source="_source",
        table_name=pl.lit("payments"),
        line="_line",
        severity=pl.lit("warning"),
        reason_code=pl.lit("paid_before_invoice_date"),
        reason=pl.format(
            "value_date {} is before the date of invoice {}, {}",
            "value_date",
            "reference_text",
            "invoice_date",
        ),
        raw_row=pl.lit(None, dtype=pl.String),
    )


def _require_one_way_to_write_off(source: str, own: dict[str, list[Path]]) -> None:
    written_off = [
        table
        for table, column in (
            ("adjustments", "adjustment_type"),
            ("payment_applications", "application_type"),
        )
        if own.get(table)
        and pl.scan_parquet(own[table]).filter(pl.col(column) == "write_off").head(1).collect().height
    ]
    if len(written_off) > 1:
        raise SourcesClash(
            f"{source}: write-offs stand in adjustments and in payment_applications, so they would count twice."
            " Map them in one of the two and leave them out of the other with `where`."
        )


def _require_apart(by_source: dict[str, dict[str, list[Path]]]) -> None:
    """No key may belong to two sources."""
    faults = []
    for (first, left_tables), (second, right_tables) in combinations(by_source.items(), 2):
        for table in left_tables.keys() & right_tables.keys():
            key = list(TABLES[table].key)
            left, right = (
                pl.scan_parquet(tables[table]).select(key) for tables in (left_tables, right_tables)
            )
            if (same := left.join(right, on=key, how="semi").head(1).collect()).height:
                faults.append(f"{table} {', '.join(map(str, same.row(0)))} is in {first} and in {second}")
    if faults:
        raise SourcesClash(
            "sources share ids, so their rows cannot be told apart:\n  "
            + "\n  ".join(sorted(faults))
            + "\nGive one of them an `id_prefix` in its definition; ids that they mean to share go under `unprefixed`,"
            " and the rows of those are delivered by one source only."
        )


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────


def _checks(report: "LandingReport") -> Iterator[Check]:
    for part in report.landed:
        counts = part.counts
        parts = counts.loaded + counts.rejected + sum(counts.skipped.values())
        name = f"landing.rows_add_up.{part.source}.{part.table}.{part.name}"
        yield Check(name, str(counts.rows_in), str(parts), counts.rows_in == parts, "error")
    for table, counts in report.totals().items():
        for use, number in sorted(counts.uses.items()):
            yield Check(
                f"landing.{use.partition('.')[0]}.{report.source}.{table}.{use.partition('.')[2]}",
                "declared",
                str(number),
                True,
                "info",
            )
    for note in report.notes:
        passed = note.severity != "warning"
        yield Check(
            f"landing.{note.code}.{report.source}.{note.name}",
            "as before",
            note.says,
            passed,
            "warn" if not passed else "info",
        )


# ── files ────────────────────────────────────────────────────────────────────────────────────────────


def _named(problems: pl.DataFrame, file_id: str, source: str, table: str) -> pl.DataFrame:
    named = {"file_id": pl.lit(file_id), "source": pl.lit(source), "table_name": pl.lit(table)}
    return problems.select(**named, **{name: pl.col(name) for name in PROBLEMS})


def _written(problems: pl.DataFrame, target: Path) -> list[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    problems.write_parquet(target.with_suffix(".tmp"))
    target.with_suffix(".tmp").replace(target)
    return [target]
