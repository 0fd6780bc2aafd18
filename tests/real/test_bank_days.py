"""59 consecutive banking days of one account: no break, and none unnoticed."""

import sys
from pathlib import Path

import polars as pl
import pytest
from bank_outcomes import DATA

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "bank"))
from money_files import Desk, amounts

FOLDER = DATA / "camt" / "subite" / "LT625883379695428516"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the shared files are not here")


def days() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(FOLDER.rglob("*.xml"))]


def failed(desk: Desk) -> list[str]:
    return [check.check_name for check in desk.result().checks if not check.passed]


def test_the_days_follow_one_another_and_their_credits_are_the_payments(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    report = desk.take(days())
    assert (len(report.landed), report.refused, report.exception_count) == (59, [], 0)
    credit = sum(pl.read_parquet(one.path("statements"))["credit_amount"].sum() for one in report.landed)
    assert failed(desk) == []
    assert sum(amounts(desk.result())) == credit


@pytest.mark.parametrize("place", [1, 20, 57])
def test_a_day_taken_out_is_noticed(place: int, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(one for i, one in enumerate(days()) if i != place)
    assert failed(desk) == ["bank_statements_follow_on"]


def test_a_day_given_twice_is_noticed_and_counts_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(days())
    before = amounts(desk.result())
    name, content = next((name, content) for name, content in days() if b"<Ntry>" in content)
    report = desk.take([(f"again {name}", content), (f"other {name}", content.rstrip() + b"\n\n")])
    assert [note.code for note in report.notes] == ["known_content"]
    found = desk.result()
    assert amounts(found) == before
    (check,) = [one for one in found.checks if one.check_name == "bank_statements_repeated"]
    # every file has one statement for each of two accounts
    assert check.actual.startswith("2 came again and count once: …")
