"""The folder that holds all state of one installation, and the locks on it."""

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class HomeError(ValueError):
    """The home folder cannot be used as asked. The message says which, why and what to do."""


class AlreadyRunning(RuntimeError):
    """Another run holds the lock and did not give it back in time."""


class SourceEntry(BaseModel):
    """A source definition that this home reads every day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    data_root: Path | None = None


class Marker(BaseModel):
    """What ``home.json`` says of a home."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    simulated: bool = Field(
        default=False, description="each run's as-of date is the clock; folder carrier alone"
    )
    auto_approve: bool = Field(
        default=False, description="approvals are taken as given; simulated homes only"
    )
    sources: tuple[SourceEntry, ...] = ()

    @model_validator(mode="after")
    def _people_approve(self) -> Self:
        if self.auto_approve and not self.simulated:
            raise ValueError("auto_approve is for simulated homes alone")
        return self


@dataclass(frozen=True)
class Home:
    """Paths below one home. Nothing is created before ``open_home``."""

    root: Path
    marker: Marker

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def applications(self) -> Path:
        return self.root / "applications"

    @property
    def cash_decisions(self) -> Path:
        return self.root / "decisions" / "cash"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def agency(self) -> Path:
        return self.root / "agency"

    @property
    def order_holds(self) -> Path:
        return self.root / "order-holds"

    @property
    def print_folder(self) -> Path:
        return self.root / "print"

    @property
    def ledger_url(self) -> str:
        return f"sqlite:///{self.root / 'ledger.db'}"

    def clock(self, as_of: date | None, time_zone: str) -> datetime:
        """The instant this run takes as now: six in the morning of the as-of date in a simulated home."""
        if self.marker.simulated and as_of is not None:
            return datetime.combine(as_of, time_of_day(6), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
        return datetime.now(UTC)

    @contextmanager
    def lock(self, name: Literal["landing", "publish", "approvals"], wait_seconds: float) -> Generator[None]:
        """Hold one of the locks. The system gives it back when the process dies, however it dies.

        Raises:
            AlreadyRunning: another process still holds it after ``wait_seconds``.
        """
        path = self.root / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as handle:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise AlreadyRunning(
                            f"{self.root}: another run holds the {name} lock since before {wait_seconds:g} s ago."
                            " Nothing was done. Wait for it to end, then start again."
                        ) from None
                    time.sleep(0.1)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)

    def remember_sources(self, sources: tuple[SourceEntry, ...]) -> "Home":
        """Keep the given definitions as those that a run without ``--source`` reads."""
        if sources == self.marker.sources:
            return self
        marker = self.marker.model_copy(update={"sources": sources})
        _write_marker(self.root, marker)
        return Home(self.root, marker)


def open_home(root: Path) -> Home:
    """The home at ``root``; an ordinary one is made there when there is none.

    Raises:
        HomeError: the folder cannot be made or written, or its marker cannot be read.
    """
    root = root.absolute()
    path = root / "home.json"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_marker(root, Marker())
        if not os.access(root, os.W_OK):
            raise PermissionError(13, "no write permission")
        return Home(root, Marker.model_validate_json(path.read_bytes()))
    except OSError as error:
        raise HomeError(
            f"{root}: cannot be used as home ({error.strerror or error}). Nothing was run."
            " Give a folder that can be written with --home."
        ) from None
    except ValidationError as error:
        raise HomeError(f"{path}: not a home marker: {error}") from None


def init_home(root: Path, *, simulated: bool, auto_approve: bool) -> Home:
    """Make a home of the given kind. An existing home keeps its kind.

    Raises:
        HomeError: there is a home of another kind already, or approval is to be automatic outside a simulation.
    """
    if auto_approve and not simulated:
        raise HomeError(
            "--auto-approve is for simulated homes alone: add --simulated, or let people approve."
        )
    path = root / "home.json"
    if path.exists():
        home = open_home(root)
        if (home.marker.simulated, home.marker.auto_approve) != (simulated, auto_approve):
            raise HomeError(
                f"{path}: this home is of another kind already. Take another folder, or delete this one."
            )
        return home
    try:
        root.mkdir(parents=True, exist_ok=True)
        _write_marker(root, Marker(simulated=simulated, auto_approve=auto_approve))
    except OSError as error:
        raise HomeError(f"{root}: cannot be used as home ({error.strerror or error}).") from None
    return open_home(root)


def sending_window(as_of: date, next_business_day: date) -> tuple[date, date]:
    """First and last date on which letters decided for ``as_of`` may leave."""
    return as_of, max(next_business_day, as_of + timedelta(days=1))


def _write_marker(root: Path, marker: Marker) -> None:
    beside = root / "home.json.new"
    beside.write_text(json.dumps(marker.model_dump(mode="json"), indent=2) + "\n")
    beside.replace(root / "home.json")
