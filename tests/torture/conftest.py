"""Two undisturbed mornings that others are held against, and the warm process that plays them: once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from warm import Warm
from whole_mornings import Morning, play_mornings


@pytest.fixture(scope="session")
def torture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("torture")


@pytest.fixture(scope="session")
def warm(torture_folder: Path) -> Iterator[Warm]:
    with Warm(torture_folder / "warm", short_cuts=torture_folder / "short_cuts") as warm:
        yield warm


@pytest.fixture(scope="session")
def mornings(torture_folder: Path, warm: Warm) -> list[Morning]:
    return play_mornings(torture_folder, warm)
