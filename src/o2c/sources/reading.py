"""What every reader gives: batches of text columns with the line of each row, or a refusal of the whole file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

# One record longer than this is no row of a ledger: the file is refused before it fills the memory.
MAX_RECORD_BYTES = 1 << 20
MAX_COLUMNS = 2_000
BATCH_BYTES = 16 << 20


class RefusedFile(ValueError):
    """A file that cannot be trusted as a whole: nothing of it is loaded. Says where and what to do."""


@dataclass(frozen=True)
class BadRecord:
    """A record that is no row: what it says and why, for rejected_rows."""

    line: int
    raw: str
    reason_code: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Rows in the order of the file. ``frame`` holds text columns only; ``lines`` is the 1-based line of each row."""

    frame: pl.DataFrame
    lines: pl.Series
    bad: list[BadRecord] = field(default_factory=list)
    blank_lines: int = 0

    @property
    def record_count(self) -> int:
        """Records that the file holds here, readable or not, blank lines not counted."""
        return self.frame.height + len(self.bad)


class Reader(Protocol):
    """One open file. ``columns`` are known before the first batch; a trailer may state how many records there are."""

    columns: list[str]
    stated_count: int | None

    def batches(self) -> Iterator[Batch]: ...
