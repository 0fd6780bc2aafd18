"""What holds for all tests: real files may be missing on a developer's machine, and nowhere else."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_configure() -> None:
    """Tests of real files skip where those are not there; in CI that would be a green run that tried nothing."""
    if os.environ.get("CI") and not SHARED.is_dir():
        raise pytest.UsageError(f"{SHARED} is missing: CI must have the real ledgers and bank files there.")
