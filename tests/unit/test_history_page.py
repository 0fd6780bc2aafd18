"""docs/history.md says what the commands take and what is kept."""

import re
from datetime import date

import pytest
import yaml

from flows.month_end import month_end_before
from o2c.cli import _parser
from o2c.publish import DECIDED, MEASURED
from o2c.settings import PROJECT

PAGE = (PROJECT / "docs" / "history.md").read_text()
COMMANDS = sorted(set(re.findall(r"`o2c ((?:run|backfill)[^`\[]*)`", PAGE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_one(command: str) -> None:
    assert _parser().parse_args(command.split()).call is not None


def test_there_are_commands_on_the_page() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize(
    "command",
    [
        "run --known-at 2026-08-31",
        "run --known-at 2026-08-31T12:00:00",
        "run --known-at yesterday",
        "backfill --to 2026-08-31",
        "backfill --from 2026-08-31 --to 2026-08-31 --every week",
        "backfill --from 2026-08-31 --to 2026-08-31 --known-at 2026-08-31T12:00:00Z",
    ],
)
def test_an_instant_needs_its_zone_and_a_backfill_its_dates(command: str) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(command.split())


def test_what_is_measured_and_kept_is_named() -> None:
    assert [mart for mart in MEASURED if f"`{mart}`" not in PAGE] == []
    assert all(mart.startswith("collections.") for mart in DECIDED)


def test_the_month_end_is_restated_as_the_page_says() -> None:
    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    (month_end,) = (one for one in deployments if one["name"] == "month-end")
    assert month_end["parameters"] == {"run": {"restate": True}}
    assert [schedule["cron"].split()[2] for schedule in month_end["schedules"]] == ["4"]


@pytest.mark.parametrize(
    ("day", "month_end"),
    [("2026-03-01", "2026-02-28"), ("2026-03-31", "2026-02-28"), ("2024-03-04", "2024-02-29")],
    ids=["the first", "a month end itself", "after a leap day"],
)
def test_the_last_month_end_is_that_of_the_month_before(day: str, month_end: str) -> None:
    assert month_end_before(date.fromisoformat(day)) == date.fromisoformat(month_end)
