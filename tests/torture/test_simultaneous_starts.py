"""Twenty starts of one morning at one instant: one does it, the others say that it is being done, nothing is twice."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from warm import Warm
from whole_mornings import Morning, leftovers, letters, outbox, outputs

STARTS = 20
ROUNDS = int(os.environ.get("O2C_START_ROUNDS", "2"))
AT_ONCE = {"environment": {"O2C_LOCK_WAIT_SECONDS": "0"}}


def run_rows(home: Path) -> list[tuple]:
    engine = create_engine(f"sqlite:///{home / 'ledger.db'}")
    try:
        with engine.connect() as con:
            return [tuple(row) for row in con.execute(text("select run_number, state from runs"))]
    finally:
        engine.dispose()


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_of_twenty_starts_at_once_exactly_one_publishes_and_sends(
    round_number: int, mornings: list[Morning], warm: Warm, tmp_path: Path
) -> None:
    """In a home without a ledger first, then in one with a morning behind it: the ledger is made by one of them too."""
    morning = mornings[round_number % 2]
    home = tmp_path / f"home-{round_number}"
    shutil.copytree(morning.before, home, symlinks=True)
    rows_before = len(run_rows(home)) if (home / "ledger.db").exists() else 0
    ended = warm.run_at_once(*[(("--home", str(home), *morning.arguments), AT_ONCE)] * STARTS)
    codes = sorted(one.code for one in ended)
    told = [one.output for one in ended if one.code not in (0, 2, morning.ended.code)]
    assert codes == sorted([morning.ended.code] + [2] * (STARTS - 1)), told
    for one in ended:
        assert one.orphans == []
        assert one.code != 2 or "another run holds the publish lock" in one.output, one.output
        assert "Traceback" not in one.output
    assert outputs(home) == morning.outputs
    assert (letters(home), outbox(home)) == (morning.letters, morning.sent)
    assert leftovers(home) == []
    assert [state for _, state in run_rows(home)][rows_before:] == ["published"]


def test_a_run_and_a_bank_intake_at_one_instant_do_not_disturb_each_other(
    mornings: list[Morning], warm: Warm, tmp_path: Path
) -> None:
    morning, home = mornings[1], tmp_path / "intake"
    shutil.copytree(morning.before, home, symlinks=True)
    inbox = tmp_path / "statements"
    inbox.mkdir()
    (inbox / "one.sta").write_text(STATEMENT)
    run, intake = warm.run_at_once(
        (("--home", str(home), *morning.arguments), {}), (("--home", str(home), "ingest", str(inbox)), {})
    )
    assert run.code in (0, 1), run.output
    assert intake.code in (0, 1), intake.output
    assert "one.sta: mt940" in intake.output.lower()
    assert [state for _, state in run_rows(home)][-1:] == ["published"]
    assert leftovers(home) == []
    again = warm.run("--home", str(home), "ingest", str(inbox))
    assert "landed before" in again.output


STATEMENT = (
    ":20:START\r\n:25:10020030/1234567890\r\n:28C:1/1\r\n:60F:C260929EUR1000,00\r\n"
    ":61:2609290929C100,00NTRFNONREF\r\n:86:166?00GUTSCHRIFT?20INV-1\r\n:62F:C260929EUR1100,00\r\n-\r\n"
)
