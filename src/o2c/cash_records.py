"""What runs and persons decided about cash, on disk: written once, counted when the ledger names it.

One folder per run below ``applications`` (older homes: one file of applications), one file per set of decisions
below ``decisions/cash``.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from o2c.durable import put_in_place, sync
from o2c.frames import (
    Applications,
    CashCandidates,
    CashDecisions,
    CashExceptions,
    Deductions,
    Frame,
    PayerAssignments,
)

# ``decisions`` are those that the run was given: it did them or refused them, and they are not given again.
KINDS: dict[str, type[Frame]] = {
    "applications": Applications,
    "assignments": PayerAssignments,
    "deductions": Deductions,
    "decisions": CashDecisions,
    "exceptions": CashExceptions,
    "candidates": CashCandidates,
}


@dataclass(frozen=True)
class Recorded:
    """What earlier runs recorded: it stands. ``answered`` are the decisions that they did or refused."""

    applications: pl.DataFrame = field(default_factory=Applications.empty)
    assignments: pl.DataFrame = field(default_factory=PayerAssignments.empty)
    deductions: pl.DataFrame = field(default_factory=Deductions.empty)
    answered: pl.DataFrame = field(default_factory=CashDecisions.empty)


def read_recorded(folder: Path, names: Iterable[str]) -> Recorded:
    """Everything that the named runs recorded below ``folder``, given in the order of the runs."""
    names = list(names)
    applications, assignments, deductions, answered = (
        pl.concat([KINDS[kind].empty(), *(read_record(folder, name, kind) for name in names)])
        for kind in ("applications", "assignments", "deductions", "decisions")
    )
    return Recorded(
        Applications.validate(applications.sort("application_id")),
        PayerAssignments.validate(latest_assignments(assignments)),
        Deductions.validate(deductions.sort("deduction_id")),
        CashDecisions.validate(answered.sort("decision_id")),
    )


def latest_assignments(assignments: pl.DataFrame) -> pl.DataFrame:
    """One row per payment and date, out of rows in the order of their runs: a person's before the engine's, then the
    latest run's. Sorted by payment_id and assigned_date."""
    key = ["payment_id", "assigned_date"]
    return (
        assignments.with_row_index("place")
        .sort(*key, pl.col("rule") == "person", "place")
        .unique(key, keep="last", maintain_order=True)
        .select(PayerAssignments.columns())
    )


def read_record(folder: Path, name: str | None, kind: str) -> pl.DataFrame:
    """One kind of rows that one run recorded; none where it recorded none of the kind."""
    model = KINDS[kind]
    if name is None:
        return model.empty()
    path = folder / name
    if path.suffix != ".parquet":
        path = path / f"{kind}.parquet"
        if not path.exists():
            return model.empty()
    elif kind != "applications":
        return model.empty()
    return _with_all_columns(pl.read_parquet(path), model)


def write_records(folder: Path, name: str, frames: Mapping[str, pl.DataFrame]) -> str:
    """Keep what a run decided, by kind. It is on disk when this returns, and counts once the ledger names it.

    The exceptions are there also when there are none: that is what the run found.

    Returns:
        The name for the ledger.
    """
    filled = {kind: frame for kind, frame in frames.items() if kind == "exceptions" or not frame.is_empty()}
    beside, place = folder / f"{name}.new", folder / name
    for leftover in (*folder.glob("*.new"), place):  # also of runs that were killed
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    for kind, frame in sorted(filled.items()):
        KINDS[kind].validate(frame).select(KINDS[kind].columns()).write_parquet(beside / f"{kind}.parquet")
        sync(beside / f"{kind}.parquet")
    put_in_place(beside, place)
    sync(folder.parent)
    return name


def write_decisions(folder: Path, decisions: pl.DataFrame) -> str:
    """Keep decisions as a file named by the hash of what they say. Returns the hash; it counts once in the ledger."""
    rows = CashDecisions.validate(decisions).select(CashDecisions.columns()).sort("decision_id")
    file_id = hashlib.sha256(rows.write_json().encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{file_id}.new"
    rows.write_parquet(beside)
    put_in_place(beside, folder / f"{file_id}.parquet")
    sync(folder.parent)
    sync(folder.parent.parent)
    return file_id


def read_decisions(folder: Path, file_ids: Iterable[str]) -> pl.DataFrame:
    """All decisions of these files (CashDecisions), by decision_id."""
    frames = [
        _with_all_columns(pl.read_parquet(folder / f"{one}.parquet"), CashDecisions) for one in file_ids
    ]
    return CashDecisions.validate(pl.concat([CashDecisions.empty(), *frames]).sort("decision_id"))


def _with_all_columns(frame: pl.DataFrame, model: type[Frame]) -> pl.DataFrame:
    """The frame with columns that came later as nulls: what was written once is never written again."""
    schema = model.empty().schema
    missing = {name: pl.lit(None, dtype=kind) for name, kind in schema.items() if name not in frame.columns}
    return frame.with_columns(**missing).select(list(schema))
