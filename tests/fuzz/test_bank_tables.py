"""Tables spoilt where it hurts: rows under the profile they were declared by, and parts inside a workbook."""

import random
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from bank_goldens import DATA
from bank_mutations import mutated
from test_bank_fuzz import SEED, TRIES, _assert_sane, _outcome

from o2c.sources.bank import table
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile
from o2c.sources.bank.profiles import BankProfile, load_profiles

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")


def _declared(ending: str) -> list[tuple[bytes, BankProfile]]:
    """Real tables of that ending with the profile they are read by."""
    profiles, found = load_profiles(), []
    for path in sorted((DATA / "bank_csv").rglob(f"*.{ending}")):
        try:
            found.append((path.read_bytes(), table.profile_for(profiles, path.read_bytes(), path.name)))
        except RejectedFile:
            continue
    assert found
    return found


def _with_spoilt_part(content: bytes, rng: random.Random) -> bytes:
    """The workbook with one of its parts spoilt, packed again."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(target, "w", ZIP_DEFLATED) as copy:
        parts = {name: source.read(name) for name in source.namelist()}
        spoilt = rng.choice([name for name in parts if name.endswith((".xml", ".rels"))])
        for name, part in parts.items():
            copy.writestr(name, mutated(part, part, rng) if name == spoilt else part)
    return target.getvalue()


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_spoilt_table_is_read_or_refused_under_its_profile(ending: str) -> None:
    files = _declared(ending)
    refused = 0
    for number in range(TRIES):
        rng = random.Random(f"{SEED} {ending} rows {number}")  # noqa: S311 - to be done again
        content, profile = rng.choice(files)
        spoilt = _with_spoilt_part(content, rng) if ending == "xlsx" else mutated(content, content, rng)

        def read(content: bytes, name: str, profile: BankProfile = profile) -> BankFile:
            return table.read(content, name, profile)

        found = _outcome(read, spoilt, f"try {number}")
        if isinstance(found, RejectedFile):
            refused += 1
            assert found.position
        else:
            _assert_sane(found)
    # A reader that takes everything, or nothing, is not being tried.
    assert 0 < refused < TRIES
