"""What holds for all tests: real files and a PostgreSQL may be missing on a developer's machine, and nowhere else."""

import os
from collections.abc import Generator
from pathlib import Path

import postgres
import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_configure() -> None:
    """Tests of real files skip where those are not there; in CI that would be a green run that tried nothing."""
    if os.environ.get("CI") and not SHARED.is_dir():
        raise pytest.UsageError(f"{SHARED} is missing: CI must have the real ledgers and bank files there.")


@pytest.fixture(scope="session")
def postgres_server() -> Generator[postgres.Server]:
    """One server for the tests of this process; it starts in a second."""
    try:
        with postgres.serve() as server:
            yield server
    except postgres.NoPostgres as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Generator[str]:
    """URL of an empty database of this test alone."""
    yield postgres_server.database()
    postgres_server.drop_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL for a ledger of this test alone: what holds must hold in both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return request.getfixturevalue("postgres_url")
