"""The page of finance in whole runs: mornings and month ends beside each other, each date's own."""

from datetime import date
from pathlib import Path

import pytest
from lxml import html

import flows.report
from flows.month_end import MonthEndRun, month_end
from flows.nightly import NightlyRun, play
from o2c.home import SourceEntry, init_home
from o2c.report.shelf import page_path

MORNING, MONTH_END = date(2026, 9, 30), date(2026, 8, 31)


def quiet(_line: str) -> None:
    """Steps are not printed in tests."""


@pytest.fixture(scope="module")
def home(small_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one morning published."""
    home = tmp_path_factory.mktemp("report") / "home"
    init_home(home, simulated=True, auto_approve=True)
    play(NightlyRun(home=home, sources=(SourceEntry(path=small_ledger),), as_of_date=MORNING), quiet)
    return home


def test_a_month_end_has_its_page_beside_that_of_the_morning_which_stays(home: Path) -> None:
    published = home / "published"
    morning = page_path(published, MORNING).read_bytes()
    month_end.fn(MonthEndRun(month_end_date=MONTH_END, home=home))
    assert sorted(path.name for path in (published / "reports").iterdir()) == ["2026-08-31", "2026-09-30"]
    assert page_path(published, MORNING).read_bytes() == morning
    page = html.fromstring(page_path(published, MONTH_END).read_text())
    assert page.findtext(".//h1") == "Receivables as of 31 August 2026"
    assert len(page.find_class("ledger")) >= 2
    assert {"Aging", "Key figures", "Roll-forward", "Largest past-due customers", "Cash forecast"} <= {
        heading.text_content() for heading in page.iter("h3")
    }


def test_a_page_that_cannot_be_made_stops_nothing_and_is_told_of(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> str:
        raise ValueError("no ink")

    monkeypatch.setattr(flows.report, "_render", fails)
    run = play(NightlyRun(home=home, as_of_date=MORNING), quiet)
    assert [
        (check.check_name, check.actual) for check in run.checks if check.check_name == "finance_page"
    ] == [("finance_page", "none: no ink")]
    assert run.has_exceptions
    assert (home / "published" / "o2c.duckdb").exists()
    assert "report" not in run.outputs
