"""Extracts → landed, immutable Parquet; only what is new is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows._steps import WAITING_HELPS, show_markdown, step
from o2c.checks import Check
from o2c.home import Home, HomeError, SourceEntry, open_home
from o2c.landing import Delivered, land, landed_then
from o2c.ledger import Ledger
from o2c.ledger.landings import files_known_at, known_by_the_run_before, note_landing
from o2c.run import Step, measured
from o2c.settings import Settings
from o2c.sources.bank.held import HELD
from o2c.sources.bank.landing import SOURCE as BANK
from o2c.sources.definition import DefinitionError, open_source, set_faults
from o2c.sources.effective import Effective, effective
from o2c.sources.sink import REJECTED


class NothingKnown(ValueError):
    """No landing is on record by the instant that is asked for."""


class DoesNotTie(RuntimeError):
    """Rows in are not rows loaded, rejected and skipped: nothing may be built on it."""


@dataclass(frozen=True)
class Inputs:
    """What a run is built from: effective tables, and how they came."""

    effective: Effective
    known_at: datetime
    rejected_rows: pl.DataFrame
    counts: pl.DataFrame
    checks: list[Check]
    # Payments of bank files that do not tie: loaded, and left to a person.
    held_payments: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD))

    @property
    def sources(self) -> pl.DataFrame:
        """One row per source, as raw.sources has it."""
        return pl.DataFrame(
            [vars(kind) for kind in self.effective.sources],
            schema={"source": pl.String, "is_open_items_only": pl.Boolean, "balance_date": pl.Date},
        )

    @property
    def described(self) -> list[dict[str, Any]]:
        """Each landed file and table with its counts, for the manifest."""
        return self.counts.to_dicts()


class IngestRun(BaseModel):
    """Which sources are landed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    sources: tuple[SourceEntry, ...] = Field(
        default=(), description="definitions; by default those used last"
    )


def no_sources() -> IngestRun:
    """What the deployment runs when nothing is said: the sources used last."""
    return IngestRun()


@flow(name="o2c-ingest", persist_result=False)
def ingest(run: IngestRun = no_sources()) -> int:  # noqa: B008
    """Land what is new. Returns the number of rejected rows."""
    inputs = land_only(run)
    return int(inputs.counts["rejected"].sum())


def land_only(request: IngestRun, say: Callable[[str], None] = print) -> Inputs:
    """Land new files of the given sources, nothing else."""
    settings = Settings()
    home = open_home(request.home or settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    return land_sources(home, ledger, request.sources, None, datetime.now(UTC), settings, [], say)


@step(name="land sources", **WAITING_HELPS)
def land_sources(
    home: Home,
    ledger: Ledger,
    entries: tuple[SourceEntry, ...],
    as_of: date | None,
    now: datetime,
    settings: Settings,
    steps: list[Step],
    say: Callable[[str], None],
) -> Inputs:
    """Land every source and say what counts for a run, and from which instant on.

    A landing by another process in the meantime is known too: the instant is then the later one.

    Raises:
        HomeError: no source was ever given. DefinitionError, RefusedFiles: what is wrong with them.
        DoesNotTie: rows were lost on the way.
    """
    entries = entries or home.marker.sources
    if not entries:
        raise HomeError(f"{home.root}: no source is known here. Give one with --source; it is remembered.")
    with measured("landing", steps, say) as counts, home.lock("landing", settings.lock_wait_seconds):
        definitions = [open_source(entry.path, entry.data_root) for entry in entries]
        if faults := set_faults(definitions, has_bank_files=bool(ledger.history(BANK))):
            raise DefinitionError("\n".join(["the sources do not go together, nothing was landed.", *faults]))
        known_at = max(now, ledger.latest_knowledge() or now)
        since = known_by_the_run_before(ledger.engine, as_of) if as_of is not None else None
        reports = [
            land(definition, home.landing, ledger, known_at, news_since=since) for definition in definitions
        ]
        for report in reports:
            report.require_no_refusals()
            for note in report.notes:
                say(f"{report.source}: {note.severity}: {note.name} {note.says}")
        _refuse_earlier(reports, as_of)
        inputs = _inputs_of(reports, home, known_at)
        home.remember_sources(entries)
        note_landing(ledger.engine, [file for report in reports for file in report.known_files()], known_at)
        _count(inputs, counts)
    show_markdown("landing", "\n".join(inputs_table(inputs)))
    return inputs


@step(name="recall sources")
def recall_sources(
    home: Home,
    ledger: Ledger,
    known_at: datetime,
    as_of: date,
    steps: list[Step],
    say: Callable[[str], None],
) -> Inputs:
    """What counted at an earlier instant, out of what landed by then. Nothing is landed.

    Raises:
        NothingKnown: no landing by then is on record.
    """
    with measured("recall", steps, say) as counts:
        files = files_known_at(ledger.engine, known_at)
        if not files:
            raise NothingKnown(
                f"{home.root}: no landing by {known_at.isoformat()} is on record. Nothing was run."
                " Give `--known-at now` to see the date with what is known today, or a later instant."
            )
        reports = landed_then(files, home.landing)
        _refuse_earlier(reports, as_of)
        inputs = _inputs_of(reports, home, known_at)
        _count(inputs, counts)
    return inputs


def inputs_table(inputs: Inputs) -> list[str]:
    """What was landed, as a markdown table."""
    lines = [
        "| source | table | file | rows in | loaded | rejected | skipped |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    names = ("source", "table_name", "name", "rows_in", "loaded", "rejected", "skipped")
    return lines + ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in inputs.described]


def _count(inputs: Inputs, counts: dict[str, Any]) -> None:
    for name in ("rows_in", "loaded", "rejected", "skipped", "warned"):
        counts[name.replace("_", " ")] = int(inputs.counts[name].sum())


def _inputs_of(reports: Sequence[Delivered], home: Home, known_at: datetime) -> Inputs:
    found = effective(reports, home.landing)
    if lost := [check for check in found.checks if check.severity == "error" and not check.passed]:
        raise DoesNotTie(
            "\n".join(f"{c.check_name}: {c.expected} rows in, {c.actual} accounted for" for c in lost)
        )
    rejected = [pl.read_parquet(path) for path in found.rejected_paths]
    counted = [
        {
            "source": part.source,
            "table_name": part.table,
            "name": part.name,
            "file_id": part.file_id,
            "mapping_id": part.mapping_id,
            "rows_in": part.counts.rows_in,
            "loaded": part.counts.loaded,
            "rejected": part.counts.rejected,
            "skipped": sum(part.counts.skipped.values()),
            "warned": part.counts.warned,
        }
        for part in found.landed
    ]
    order = ["source", "table_name", "name"]
    return Inputs(
        found,
        known_at,
        pl.concat([pl.DataFrame(schema=REJECTED), *rejected]).sort("source", "table_name", "file_id", "line"),
        pl.DataFrame(counted).sort(order),
        list(found.checks),
    )


def _refuse_earlier(reports: Sequence[Delivered], as_of: date | None) -> None:
    """An extract of open items alone says nothing of days before its balance date."""
    for report in reports:
        if as_of is not None and report.balance_date is not None and as_of < report.balance_date:
            raise DefinitionError(
                f"{report.source}: has open items of {report.balance_date} only, so --as-of {as_of} cannot be"
                " answered. Nothing was run. Give that date or a later one."
            )
