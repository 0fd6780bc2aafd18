"""Every real bank file that has an expectation is read as expected, and says what is wrong where something is."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from bank_outcomes import DATA

FORMATS: list[ModuleType] = [
    import_module(path.stem) for path in sorted(Path(__file__).parent.glob("expect_*.py"))
]
CASES = [pytest.param(module, file, id=file) for module in FORMATS for file in module.FILES]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")


@pytest.mark.parametrize(("module", "file"), CASES)
def test_a_real_file_is_read_as_expected(
    module: ModuleType, file: str, record_property: Callable[[str, object], None]
) -> None:
    outcome = module.check(file)
    record_property("bank_format", module.FORMAT)
    record_property("bank_refused", outcome.is_refused)
    record_property("bank_exceptions", len(outcome.exceptions))
    assert outcome.differences == []


@pytest.mark.parametrize("module", FORMATS, ids=lambda module: module.FORMAT)
def test_every_format_has_files_to_try(module: ModuleType) -> None:
    assert module.FILES
