"""One amount, sign, count, date or account changed in a valid camt file is noticed wherever a control is carried."""

from collections import Counter

import pytest
from bank_goldens import DATA, goldens, reader, without_identity
from camt_fields import changes

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile

LARGEST = 30_000

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")

# Kinds that a file cannot notice, or not always, and why. Of all others 99 in 100 must be noticed.
NOT_ALWAYS = {
    "available balance": "balances of available funds move with value dates and credit lines; nothing ties to them",
    "booking date": "a day within the statement's own period is as good as the right one",
    "count": "a batch with one detail that names nobody is a summary: there is nothing to count",
    "detail sign": "version 02 has none, and in a batch of one detail the entry's own sign decides",
}


def _carries_control(found: BankFile) -> bool:
    """A final statement with both balances, and nothing wrong to begin with."""
    return not found.exceptions and all(
        one.kind == "statement" and one.opening and one.closing for one in found.statements
    )


def _noticed() -> tuple[Counter[str], Counter[str]]:
    """Changes tried and noticed, by kind. One that changes nothing (the sign of 0.00) is not counted."""
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    read = reader("camt")
    for name, content in goldens()["camt"]:
        whole = read(content, name)
        if len(content) > LARGEST or not _carries_control(whole):
            continue
        for change in changes(content):
            try:
                found = read(change.content, name)
            except RejectedFile:
                found = None
            if found and without_identity(found) == without_identity(whole):
                continue
            tried[change.kind] += 1
            noticed[change.kind] += found is None or bool(found.exceptions)
    return tried, noticed


def test_a_single_change_is_noticed_where_the_file_carries_a_control() -> None:
    tried, noticed = _noticed()
    report = {kind: f"{noticed[kind]} of {tried[kind]}" for kind in sorted(tried)}
    certain = [kind for kind in tried if kind not in NOT_ALWAYS]
    assert {"entry amount", "entry sign"} <= set(certain)
    count = sum(tried[kind] for kind in certain)
    assert count > 1000
    assert sum(noticed[kind] for kind in certain) >= 0.99 * count, report
    assert all(noticed[kind] > 0 for kind in ("count", "booking date") if tried[kind]), report
