"""A file cut anywhere is refused, or read exactly as the whole one: never a part of it."""

from dataclasses import replace

import pytest
from bank_goldens import DATA, goldens, reader, without_identity

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile
from o2c.sources.bank.recognise import MODULES

LARGEST = 6_000
FILES = 3
# Formats that are a row of whole messages and do not say how many: one cut between two is whole. What is missing is
# noticed by the chain of statements, and nothing but the balances of available funds behind the last closing balance.
ROWS = frozenset({"mt940"})

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")


@pytest.mark.parametrize("form", [form for form in MODULES if form != "csv"])
def test_every_cut_of_a_small_file_is_refused_or_identical(form: str) -> None:
    files = [(name, content) for name, content in goldens().get(form, ()) if len(content) <= LARGEST]
    if not files:
        pytest.skip(f"no reader of {form} yet, or no small file")
    read = reader(form)
    for name, content in files[-FILES:]:
        whole = without_identity(read(content, "cut"))
        for cut in range(len(content)):
            try:
                found = read(content[:cut], "cut")
            except RejectedFile:
                continue
            if form in ROWS and _is_row_of(without_identity(found), whole):
                continue
            assert without_identity(found) == whole, f"{name} cut at byte {cut} of {len(content)}"


def _is_row_of(found: BankFile, whole: BankFile) -> bool:
    """Whether these are the first messages of the whole file, each with all its entries."""
    count = len(found.statements)
    kept = [replace(one, balances=()) for one in found.statements]
    return (
        kept == [replace(one, balances=()) for one in whole.statements[:count]]
        and found.statements[:-1] == whole.statements[: count - 1]
        and found.exceptions == whole.exceptions[: len(found.exceptions)]
    )
