"""History for many past dates out of one build: measures only, published in one switch."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows._dbt import run_tests
from flows._steps import show_markdown, step
from flows.apply_cash import apply_payments, load_recorded
from flows.bank_files import add_bank_files
from flows.build import build_cash_inputs, build_marts, load_sources, month_ends
from flows.ingest import land_sources
from flows.publication import finish_published, publish_dates
from o2c.checks import Check
from o2c.home import SourceEntry, open_home
from o2c.ledger import Ledger
from o2c.policy import load_policies
from o2c.run import Run, Step, run_id_of
from o2c.settings import Settings
from o2c.summary import summary_of


class BackfillRun(BaseModel):
    """Which dates get a history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_date: date = Field(description="no date before this one")
    to_date: date = Field(description="no date after this one")
    every: Literal["month-end", "day"] = Field(default="month-end", description="which dates between them")
    restate: bool = Field(
        default=False, description="also dates that were published before, with what is known now"
    )
    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    sources: tuple[SourceEntry, ...] = Field(
        default=(), description="definitions; by default those used last"
    )

    @model_validator(mode="after")
    def _has_dates(self) -> Self:
        if not self.dates:
            raise ValueError(f"from {self.from_date} to {self.to_date} there is no {self.every}")
        return self

    @property
    def dates(self) -> list[date]:
        """All dates that are asked for, oldest first."""
        if self.every == "month-end":
            return [day for day in month_ends(self.from_date, self.to_date) if day >= self.from_date]
        days = (self.to_date - self.from_date).days + 1
        return [self.from_date + timedelta(days=number) for number in range(days)]


class NotYet(ValueError):
    """A date is still to come, so it has no history."""


@flow(name="backfill", flow_run_name="backfill {run.from_date} to {run.to_date}", persist_result=False)
def backfill(run: BackfillRun) -> int:
    """Measure and publish past dates. Returns how many."""
    done = fill(run)
    return len(done.run_dates) if done else 0


def fill(request: BackfillRun, say: Callable[[str], None] = print) -> Run | None:
    """The flow itself: land, apply cash, measure all dates in one build, test, publish in one switch.

    It never sends and decides nothing: dunning decisions, worklists, flags, holds and referrals are of their own day,
    and what cash application finds here is not recorded. None when there is nothing to do.
    """
    settings = Settings()
    policies = load_policies(settings.policies)
    home = open_home(request.home or settings.home)
    time_zone = policies.controls.time_zone
    now = home.clock(request.dates[-1], time_zone)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    if request.dates[-1] > (today := now.astimezone(ZoneInfo(time_zone)).date()):
        raise NotYet(
            f"--to {request.dates[-1]}: today is {today}. Nothing was run. Give a date that is over."
        )
    with home.lock("publish", settings.lock_wait_seconds):
        finish_published(home, ledger, now)
        dates = dates_to_fill(request, ledger, say)
        if not dates:
            return None
        steps: list[Step] = []
        landed = land_sources(home, ledger, request.sources, dates[0], now, settings, steps, say)
        landed = add_bank_files(home, ledger, landed, dates[-1], policies.controls, steps, say)
        about = [*landed.effective.input_ids, *(f"as of {day}" for day in dates)]
        run = Run(
            settings=settings,
            home=home,
            policies=policies,
            ledger=ledger,
            as_of=dates[-1],
            now=now,
            run_id=run_id_of(dates[-1], about, policies.version),
            is_sending=False,
            inputs=landed.described,
            known_at=landed.known_at,
            publishes="dated",
            as_of_dates=tuple(dates),
            say=say,
            steps=steps,
            checks=list(landed.checks),
        )
        run.run_number = ledger.start_run(
            run.run_id, run.as_of, is_sending=False, now=now, known_at=landed.known_at, publishes="dated"
        )
        load_sources(run, landed)
        load_recorded(run)
        build_cash_inputs(run)
        apply_payments(run)
        build_marts(run)
        audit_measures(run)
        publish_dates(run, rewrites_history=True, has_decisions=False)
        show_markdown("run-summary", summary_of(run))
        return run


def dates_to_fill(request: BackfillRun, ledger: Ledger, say: Callable[[str], None]) -> list[date]:
    """The dates asked for, but those that stay as they were published."""
    current = ledger.current_date()
    there = [day for day in request.dates if ledger.published_known_at(day) is not None]
    stay = [day for day in there if not request.restate or day == current]
    if stay:
        say(f"{len(stay)} of {len(request.dates)} dates were published before and stay as they are")
    if current in stay and request.restate:
        say(
            f"{current} is the date of the current release: `o2c run --as-of {current} --known-at now` restates it"
        )
    return [day for day in request.dates if day not in stay]


@step(name="audit measures")
def audit_measures(run: Run) -> None:
    """Hold what was measured to its tests, on every date. What needs decisions is not there to be tested."""
    with run.step("audit") as counts:
        warnings = run_tests(run.build, run.folder, exclude="tag:deep tag:decisions+")
        run.checks += [
            Check(finding.name, "no rows", f"{finding.failures} rows: {finding.rows.strip()}", False, "warn")
            for finding in warnings
        ]
        counts["warnings"] = len(warnings)
