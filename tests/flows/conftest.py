"""Ledgers that whole runs are tried on."""

from pathlib import Path

import pytest

from o2c.demo import generate


@pytest.fixture(scope="session")
def small_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated ledger of 300 invoices in the contract's files, as of 2026-09-30."""
    folder = tmp_path_factory.mktemp("generated") / "ledger"
    generate(folder, invoices=300, seed=7)
    return folder
