"""The last month end once more, when the books of the month are closed: measures only, nothing is decided."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows.backfill import BackfillRun, fill
from o2c.home import SourceEntry
from o2c.policy import load_policies
from o2c.settings import Settings


class MonthEndRun(BaseModel):
    """Which month end, and whether what was published of it may change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    month_end_date: date | None = Field(default=None, description="by default the last one before today")
    restate: bool = Field(
        default=False, description="with what was booked since, where the month end was published before"
    )
    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    sources: tuple[SourceEntry, ...] = Field(
        default=(), description="definitions; by default those used last"
    )


def last_month_end() -> MonthEndRun:
    """What the deployment runs when nothing is said: the last month end, if it has no history yet."""
    return MonthEndRun()


@flow(name="month-end", flow_run_name="month end {run.month_end_date}", persist_result=False)
def month_end(run: MonthEndRun = last_month_end()) -> int:  # noqa: B008
    """Measure and publish the month end. Returns 1, or 0 when it stays as it was published."""
    day = run.month_end_date or month_end_before(datetime.now(ZoneInfo(_time_zone())).date())
    done = fill(
        BackfillRun(
            from_date=day, to_date=day, every="day", restate=run.restate, home=run.home, sources=run.sources
        )
    )
    return len(done.run_dates) if done else 0


def month_end_before(day: date) -> date:
    """The last day of the month before a day's month."""
    return day.replace(day=1) - timedelta(days=1)


def _time_zone() -> str:
    return load_policies(Settings().policies).controls.time_zone
