"""What counts for a run: the Parquet of every table, the rejected rows, and the checks that go with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from o2c.checks import Check
from o2c.contract import TABLES
from o2c.sources.across import SourcesClash, across_tables, require_apart
from o2c.sources.versions import one_per_key

if TYPE_CHECKING:
    from o2c.landing import Delivered, Landed


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


def effective(reports: Sequence["Delivered"], landing_dir: Path) -> Effective:
    """Everything that the sources deliver, now or as of the instant that the reports are of.

    Rows of one key in several files of a table: the same content counts once; with other content, the file that
    was seen later wins, or the one later in name where the definition says ``order: name``, with a warning row;
    first seen together, all rows of the key are rejected, as within one file.

    Raises:
        SourcesClash: two sources share a key, or one source writes off in two ways.
    """
    found = Effective()
    by_source: dict[str, dict[str, list[Path]]] = {}
    for report in reports:
        found.sources.append(SourceKind(report.source, report.is_open_items_only, report.balance_date))
        found.landed += report.landed
        found.input_ids += [
            f"{part.source}/{part.table}/{part.mapping_id}/{part.file_id}" for part in report.landed
        ]
        found.checks += _checks(report)
        own = by_source.setdefault(report.source, {})
        for table in dict.fromkeys(part.table for part in report.landed):
            parts = [part for part in report.landed if part.table == table]
            paths, problems, dropped = one_per_key(
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
        found.rejected_paths += across_tables(report.source, own, landing_dir / report.source / "_across")
    found.input_ids.sort()
    require_apart(by_source)
    return found


def _checks(report: "Delivered") -> Iterator[Check]:
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


__all__ = ["Effective", "SourceKind", "SourcesClash", "effective"]
