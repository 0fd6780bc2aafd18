"""One run: what it is about, where it writes, what it did step by step."""

import hashlib
import json
import resource
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from o2c import __version__
from o2c.checks import Check
from o2c.durable import put_in_place
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.policy import Policies
from o2c.settings import PROJECT, Settings
from o2c.warehouse import connect

# An extract that comes anew under yesterday's name is told of, and is no exception.
_EVERYDAY = "landing.changed_content."


@dataclass
class Step:
    """One step of a run with what it cost and what came out."""

    name: str
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: int
    counts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """The run in progress. Everything below the flow gets its date, policies and paths from here.

    ``known_at``: what came later is not in the run. ``publishes``: ``current`` or ``dated``, see ``knowledge``.
    """

    settings: Settings
    home: Home
    policies: Policies
    ledger: Ledger
    as_of: date
    now: datetime
    run_id: str
    is_sending: bool
    inputs: list[dict[str, Any]]
    say: Callable[[str], None]
    known_at: datetime | None = None
    publishes: str = "current"
    as_of_dates: tuple[date, ...] = ()
    run_number: int = 0
    steps: list[Step] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    decided: dict[str, Any] = field(default_factory=dict)

    @property
    def run_dates(self) -> tuple[date, ...]:
        """The dates that the run is about: its as-of date alone, or all dates of a backfill, the last one last."""
        return self.as_of_dates or (self.as_of,)

    @property
    def folder(self) -> Path:
        return self.home.runs / self.run_id

    @property
    def build(self) -> Path:
        return self.folder / "build.duckdb"

    @property
    def marts(self) -> Path:
        """Parquet of this run's marts, one file each, before they are published."""
        return self.folder / "marts"

    @property
    def batch_id(self) -> str:
        return f"{self.as_of.isoformat()}-{self.run_id[:8]}"

    @property
    def release_name(self) -> str:
        """Folder name of what this run publishes; no other run has it."""
        return f"{self.batch_id}-{self.run_number}"

    def open_build(self) -> duckdb.DuckDBPyConnection:
        """The run's database, to read from and write to, with the installation's limits."""
        return connect(
            self.build,
            threads=self.settings.threads,
            memory_limit=self.settings.memory_limit,
            temp_directory=self.folder / "spill",
            for_one_run=True,
        )

    @contextmanager
    def step(self, name: str) -> Generator[dict[str, Any]]:
        """Measure a step; what the caller puts into the yielded dict is printed and kept in the manifest."""
        with measured(name, self.steps, self.say) as counts:
            yield counts

    @property
    def has_exceptions(self) -> bool:
        """Whether a person must look: a closed gate or warning, a rejected row, cash that nobody could place, a list
        that waits for approval."""
        return (
            any(not check.passed and not check.check_name.startswith(_EVERYDAY) for check in self.checks)
            or any(one["rejected"] for one in self.inputs)
            or any(row["status"] == "suspense" for row in self.decided.get("payments", []))
            or bool(self.decided.get("cash_exceptions"))
            or bool(self.decided.get("approvals_waiting"))
        )

    @property
    def closed_gates(self) -> list[Check]:
        return [check for check in self.checks if check.severity == "gate" and not check.passed]

    def manifest(self) -> dict[str, Any]:
        """What this run was and did, as data. Durations and instants are its only parts that vary."""
        return {
            "run_id": self.run_id,
            "as_of_date": self.as_of.isoformat(),
            "as_of_dates": [day.isoformat() for day in self.run_dates],
            "known_at": (self.known_at or self.now).isoformat(),
            "publishes": self.publishes,
            "is_sending": self.is_sending,
            "code_version": code_version(),
            "policy_version": self.policies.version,
            "inputs": self.inputs,
            "checks": [vars(check) for check in self.checks],
            "decided": self.decided,
            "outputs": self.outputs,
            "steps": [vars(step) for step in self.steps],
            "started_at": self.now.isoformat(),
        }


@contextmanager
def measured(name: str, steps: list[Step], say: Callable[[str], None]) -> Generator[dict[str, Any]]:
    """Time the block as a step: wall and CPU seconds of this process and its children, peak memory in MiB."""
    counts: dict[str, Any] = {}
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield counts
    spent = time.perf_counter() - wall
    steps.append(
        Step(
            name,
            round(spent, 3),
            round(_cpu_seconds() - cpu, 3),
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            {key: str(value) if isinstance(value, Decimal) else value for key, value in counts.items()},
        )
    )
    say(f"{name:<14} {spent:6.1f} s  " + ", ".join(f"{_shown(value)} {key}" for key, value in counts.items()))


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)


def _cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def run_id_of(
    as_of: date, input_ids: list[str], policy_version: str, known_at: datetime | None = None
) -> str:
    """The identity of a run: the same as-of date, inputs, policies and code give the same one. 20 hex digits.

    ``known_at`` is part of it where a run looks back to an earlier instant.
    """
    parts = [as_of.isoformat(), policy_version, code_version(), *sorted(input_ids)]
    if known_at is not None:
        parts.append(known_at.isoformat())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


@cache
def code_version() -> str:
    """The package version and a hash of everything that decides: Python, SQL, templates."""
    digest = hashlib.sha256()
    for folder, suffixes in (
        (PROJECT / "src" / "o2c", {".py"}),
        (PROJECT / "flows", {".py"}),
        (PROJECT / "dbt_project", {".sql", ".yml"}),
        (PROJECT / "templates", {".j2"}),
    ):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(PROJECT)
            if path.suffix in suffixes and "target" not in name.parts:
                digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def write_json(path: Path, content: Any) -> None:
    """Write canonical JSON so that it is there whole or not at all, also after a crash."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as handle:
        json.dump(content, handle, indent=2, sort_keys=True, default=str)
        handle.write("\n")
    put_in_place(beside, path)
