"""Ledgers that several tests look at: made once, never changed."""

from pathlib import Path

import pytest

from o2c.demo import CLEAN, DEFAULT_MORNINGS, generate, generate_mornings


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """The demo's ledger, with the faults that a file within the contract may have."""
    return generate(tmp_path_factory.mktemp("small"), invoices=2_000, seed=1).folder


@pytest.fixture(scope="session")
def mornings(tmp_path_factory) -> dict:
    """Four mornings of the demo's ledger, by date, without faults."""
    made = generate_mornings(tmp_path_factory.mktemp("mornings"), invoices=2_000, seed=1, dirt=CLEAN)
    return dict(zip(DEFAULT_MORNINGS, (extract.folder for extract in made), strict=True))
