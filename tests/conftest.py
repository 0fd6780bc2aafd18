"""What holds for all tests: real files and a PostgreSQL may be missing on a developer's machine, and nowhere else."""

import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import postgres
import pytest

from o2c.ledger import Ledger

SHARED = Path(__file__).parents[2] / "shared" / "data"
GUARD = Path(__file__).parent / "guard"
sys.path.insert(0, str(GUARD))


def pytest_configure() -> None:
    """Tests of real files skip where those are not there; in CI that would be a green run that tried nothing."""
    if os.environ.get("CI") and not SHARED.is_dir():
        raise pytest.UsageError(f"{SHARED} is missing: CI must have the real ledgers and bank files there.")


@pytest.fixture(scope="session", autouse=True)
def no_network(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Nothing here, and nothing that is started from here, reaches another machine; who tried fails the run."""
    import network_guard

    log = tmp_path_factory.mktemp("guard") / "tried.txt"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(network_guard.LOG, str(log))
        patched.setenv("PYTHONPATH", str(GUARD), prepend=os.pathsep)
        # no credentials of this machine, and nobody is asked for any
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patched.setenv(name, os.devnull)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            patched.delenv(name, raising=False)
        network_guard.install()
        yield
    if log.exists():
        pytest.fail(f"tests tried to reach other machines:\n{log.read_text()[:5000]}")


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


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new ledger in SQLite, to be copied: making its tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "new.db"
    Ledger(f"sqlite:///{path}").engine.dispose()
    return path


@pytest.fixture(scope="session")
def ledger_template(postgres_server: postgres.Server) -> str:
    """Name of a database with a new ledger, to be copied."""
    name = "o2c_new_ledger"
    postgres_server.run(f"create database {name}")
    Ledger(postgres_server.url("o2c", name)).engine.dispose()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """URL of a new ledger of this test alone: what holds must hold in both databases."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copyfile(request.getfixturevalue("ledger_file"), path)
        yield f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres_server")
        yield server.database(request.getfixturevalue("ledger_template"))
        server.drop_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database of this test alone that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return request.getfixturevalue("postgres_url")
