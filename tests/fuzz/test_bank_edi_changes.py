"""One amount, sign, count, total or control number changed in a valid 820, ACH or REMADV file is noticed."""

from collections import Counter

import pytest
from bank_goldens import DATA, goldens, reader, without_identity
from edi_fields import changes

from o2c.sources.bank.errors import RejectedFile

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")

# Kinds that a file of the format cannot notice, and why. Of all others every one must be noticed.
UNCONTROLLED: dict[tuple[str, str], str] = {
    ("x12", "payment sign"): "the whole advice turns with it, and its documents still add up",
    (
        "x12",
        "document amount",
    ): "the invoice's own amount (RMR05) is told, not summed: a part of it may be paid",
    ("x12", "day"): "every day is as good",
    ("ach", "account"): "accounts at a bank have no check digits; the hash is of bank numbers only",
    ("ach", "day"): "every day is as good",
    ("edifact", "adjustment"): "adjustments inform and are in no total",
    ("edifact", "day"): "every day is as good",
}
KINDS = {
    "x12": {"payment amount", "paid amount", "own adjustment", "count", "control number"},
    "ach": {
        "entry amount",
        "entry sign",
        "entry bank",
        "count",
        "hash",
        "total",
        "batch number",
        "addendum number",
    },
    "edifact": {"total", "paid amount", "count", "control number"},
}


@pytest.mark.parametrize("form", KINDS)
def test_a_single_change_is_noticed_where_the_file_carries_a_control(form: str) -> None:
    tried: Counter[str] = Counter()
    missed: list[tuple[str, str]] = []
    for name, content in goldens()[form]:
        whole = reader(form)(content, name)
        if any(one.severity == "exception" for one in whole.exceptions):
            continue
        for change in changes(form, content):
            try:
                found = reader(form)(change.content, name)
            except RejectedFile:
                found = None
            if found and without_identity(found) == without_identity(whole):
                continue
            tried[change.kind] += 1
            if found and found.exceptions == whole.exceptions:
                missed.append((name, change.kind))
    assert set(tried) >= KINDS[form]
    assert [(name, kind) for name, kind in missed if (form, kind) not in UNCONTROLLED] == []
    # What is listed as uncontrolled is so: else the list is out of date.
    assert {kind for _, kind in missed} == {kind for one, kind in UNCONTROLLED if one == form}
