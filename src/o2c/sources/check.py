"""What is wrong or missing in a source, and what its first rows become: a dry landing that keeps nothing."""

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from o2c.contract import PROVENANCE, TABLES
from o2c.landing import Deliveries, Delivery, LandingReport, land
from o2c.sources.definition import DefinitionError, open_source, set_faults
from o2c.sources.effective import Effective, SourcesClash, effective
from o2c.sources.sink import REJECTED, Counts

_WIDEST = 40


class _Forgetful(Deliveries):
    """A memory of deliveries for one look: everything is new."""

    def history(self, source: str) -> list[Delivery]:
        return []

    def record(self, delivery: Delivery) -> None:
        return


@dataclass
class SourceCheck:
    """Result of a check. ``faults`` keep the source from being loaded; ``notes`` are worth knowing.

    ``first_rows`` holds, per table, the first mapped rows with the columns that the definition fills;
    ``problems`` counts rejected and warned rows by table, severity and code, each with an example.
    """

    origin: str
    source: str | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    problems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_PROBLEM_COUNTS))
    first_rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether the source would be loaded."""
        return not self.faults

    def text(self) -> str:
        """The result for a person at a terminal."""
        lines = [f"{self.origin}: " + ("usable" if self.is_usable else "not usable")]
        lines += [f"  fault: {fault}" for fault in self.faults]
        lines += [f"  note: {note}" for note in self.notes]
        for table, counts in self.counts.items():
            skipped = "".join(f", {number} skipped ({why})" for why, number in sorted(counts.skipped.items()))
            lines.append("")
            lines.append(
                f"{table}: {counts.rows_in} rows in, {counts.loaded} loaded, {counts.rejected} rejected{skipped},"
                f" {counts.warned} warnings"
            )
            lines += [f"  {use}: used {number} times" for use, number in sorted(counts.uses.items())]
            for row in self.problems.filter(table_name=table).iter_rows(named=True):
                lines.append(
                    f"  {row['severity']} {row['reason_code']} x {row['row_count']},"
                    f" line {row['line']}: {row['reason']}"
                )
            if table in self.first_rows:
                lines += [f"  {line}" for line in _as_lines(self.first_rows[table])]
        return "\n".join(lines)


_PROBLEM_COUNTS = {
    "table_name": pl.String(),
    "severity": pl.String(),
    "reason_code": pl.String(),
    "row_count": pl.UInt32(),
    "line": pl.Int64(),
    "reason": pl.String(),
}


def check_source(path: Path, data_root: Path | None = None, loaded_at: datetime | None = None) -> SourceCheck:
    """Land a source into a folder that goes away, and tell what happened.

    Args:
        path: a definition, or a folder in the contract's names.
        data_root: where the definition's paths start; default its own folder.
        loaded_at: the moment that tells future dates; default now.
    """
    result = SourceCheck(str(path))
    try:
        definition = open_source(path, data_root)
    except DefinitionError as error:
        result.faults = error.faults
        return result
    result.source = definition.source
    result.notes += [f"{fault} (another source of the same run may)" for fault in set_faults([definition])]
    with tempfile.TemporaryDirectory() as folder:
        report = land(definition, Path(folder), _Forgetful(), loaded_at or datetime.now(UTC))
        result.faults += [f"{refusal.name}: {refusal.says}" for refusal in report.refusals]
        result.notes += [f"{note.name} {note.says}" for note in report.notes]
        result.counts = report.totals()
        try:
            found = effective([report], Path(folder))
        except SourcesClash as error:
            result.faults.append(str(error))
            found = Effective(rejected_paths=[part.rejected_path for part in report.landed])
        result.problems = _problems(found)
        result.first_rows = _first_rows(report)
    return result


def _problems(found: Effective) -> pl.DataFrame:
    parts = [pl.read_parquet(path) for path in found.rejected_paths]
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=REJECTED)
    first = whole.sort("table_name", "severity", "reason_code", "line", maintain_order=True)
    return first.group_by("table_name", "severity", "reason_code", maintain_order=True).agg(
        row_count=pl.len(), line=pl.col("line").first(), reason=pl.col("reason").first()
    )


def _first_rows(report: LandingReport, count: int = 3) -> dict[str, pl.DataFrame]:
    found = {}
    for part in report.landed:
        rows = pl.scan_parquet(part.path).head(count).collect()
        filled = [name for name in TABLES[part.table].names if rows[name].null_count() < rows.height]
        if part.table not in found and rows.height:
            found[part.table] = rows.select(*filled, *(name for name in PROVENANCE if name == "_line"))
    return found


def _as_lines(rows: pl.DataFrame) -> list[str]:
    """Rows turned on their side: one line per column reads better than twenty columns side by side."""
    width = max(len(name) for name in rows.columns)
    texts = {name: [_short(value) for value in rows[name].to_list()] for name in rows.columns}
    widths = [max(len(texts[name][i]) for name in rows.columns) for i in range(rows.height)]
    return [
        f"{name:<{width}}  "
        + "  ".join(f"{text:<{widths[i]}}" for i, text in enumerate(texts[name])).rstrip()
        for name in rows.columns
    ]


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
