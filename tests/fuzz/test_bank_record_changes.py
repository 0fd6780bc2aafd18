"""One amount, sign, count, total, date or account changed in a valid MT940, BAI2 or lockbox file is noticed."""

from collections import Counter

import pytest
from bank_goldens import DATA, goldens, reader, without_identity
from record_fields import changes

from o2c.sources.bank.errors import RejectedFile

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")

# Kinds that a file of the format cannot notice, or not always, and why. Of all others every one must be noticed.
NOT_ALWAYS: dict[tuple[str, str], str] = {
    ("mt940", "available balance"): "nothing ties to the balances of available funds",
    ("mt940", "account"): "only an IBAN has check digits; the chain of statements knows the account",
    ("mt940", "entry date"): "an interim report and an opening balance of long ago leave many days open",
    ("bai2", "entry sign"): "49 sums amounts without their side: noticed where balances or totals are given",
    ("bai2", "account"): "it has no check digits; the chain of statements knows the account",
    ("bai2", "report date"): "every day is as good; the chain of statements knows the one that is missing",
    ("lockbox", "account"): "the payer's account has no check digits",
}
KINDS = {
    "mt940": {
        "entry amount",
        "entry sign",
        "balance amount",
        "balance sign",
        "balance currency",
        "total",
        "count",
    },
    "bai2": {"entry amount", "balance amount", "total", "count"},
    "lockbox": {"entry amount", "total", "count", "lockbox"},
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
            if found and found.exceptions == whole.exceptions and (form, change.kind) not in NOT_ALWAYS:
                missed.append((name, change.kind))
    assert set(tried) >= KINDS[form]
    assert missed == []
