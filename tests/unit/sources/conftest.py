"""A small ledger on disk: files are written, landed and read back."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from o2c.landing import Delivery, LandingReport, land
from o2c.sources.definition import Definition, folder_definition, load_definition
from o2c.sources.effective import Effective, effective

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


class Memory:
    """Deliveries in a list."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def history(self, source: str) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.source == source]

    def record(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)


class Books:
    """A folder with a source in it and a folder where it is landed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.landing, self.memory = folder / "books", folder / "landing", Memory()
        self.folder.mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def define(self, text: str) -> Definition:
        return load_definition(self.write("books.yml", text))

    def land(self, definition: Definition | None = None, at: datetime = NOON) -> LandingReport:
        return land(definition or folder_definition(self.folder), self.landing, self.memory, at)

    def effective(self, *reports: LandingReport) -> Effective:
        return effective(list(reports), self.landing)

    def rows(self, report: LandingReport, table: str, *columns: str) -> list[tuple]:
        paths = self.effective(report).tables[table]
        return pl.read_parquet(paths).select(*columns).rows()

    def problems(self, report: LandingReport, severity: str) -> list[tuple[str, int, str]]:
        """Table, line and reason code of every problem of a severity."""
        whole = pl.concat([pl.read_parquet(path) for path in self.effective(report).rejected_paths])
        return (
            whole.filter(severity=severity).select("table_name", "line", "reason_code").sort(pl.all()).rows()
        )

    def refusal(self, report: LandingReport) -> str:
        assert len(report.refusals) == 1, report.refusals
        return report.refusals[0].says


@pytest.fixture
def books(tmp_path) -> Books:
    return Books(tmp_path)
