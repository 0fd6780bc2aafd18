"""A file cut anywhere is refused, or read exactly as the whole one: never a part of it."""

import pytest
from bank_goldens import DATA, goldens, reader, without_identity

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.recognise import MODULES

LARGEST = 6_000
FILES = 3

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")


@pytest.mark.parametrize("form", [form for form in MODULES if form not in ("csv", "xlsx")])
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
            assert without_identity(found) == whole, f"{name} cut at byte {cut} of {len(content)}"
