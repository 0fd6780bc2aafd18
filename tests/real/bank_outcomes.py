"""What the expectation tests share: where the real files are, and what checking one of them gives.

A format joins by a file ``expect_<format>.py`` beside this one with ``FORMAT`` (its name in the table), ``FILES``
(paths below shared/data that have an expectation) and ``check(file) -> Outcome``.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from o2c.sources.bank.model import BankFile

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass
class Outcome:
    """One file tried. ``differences`` must be empty; ``exceptions`` are those that the reader raised."""

    differences: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    is_refused: bool = False

    def compare(self, what: str, found: object, expected: object) -> None:
        """Note a difference, short enough to read."""
        if found != expected:
            self.differences.append(f"{what}: found {str(found)[:300]}, expected {str(expected)[:300]}")


@cache
def expectations(name: str) -> dict[str, Any]:
    """The expectations of one format by file; empty where the shared files are not there."""
    path = DATA / "expectations" / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def exceptions_of(found: BankFile) -> list[str]:
    """The exceptions (not the warnings) of a file as ``position: code``."""
    return [f"{one.position}: {one.code}" for one in found.exceptions if one.severity == "exception"]
