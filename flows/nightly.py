"""Every morning: from orders, invoices and bank data to letters, worklists, holds and referrals."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows._steps import show_markdown
from flows.apply_cash import apply_payments, load_recorded
from flows.approvals import carry_out, recall_placed, request_approvals, request_write_offs
from flows.bank_files import add_bank_files
from flows.brakes import check_brakes
from flows.build import audit, build_cash_inputs, build_marts, load_sources
from flows.credit_review import review_accounts
from flows.deliver import DeliverRun, send_out
from flows.dunning import decide_letters
from flows.ingest import land_sources, recall_sources
from flows.losses import expect_losses
from flows.publication import check_gates, finish_published, publish, publish_dates
from flows.sending import by_folder, load_letters, plan, put_out, recover, show_letters
from o2c.calendars import BusinessCalendar
from o2c.gates import sending_clock
from o2c.home import Home, SourceEntry, open_home
from o2c.knowledge import knowledge_of
from o2c.ledger import Ledger
from o2c.policy import ControlsPolicy, load_policies
from o2c.run import Run, Step, run_id_of
from o2c.settings import Settings
from o2c.summary import summary_of


class NightlyRun(BaseModel):
    """What one run is about. Given again, it does the same again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    sources: tuple[SourceEntry, ...] = Field(
        default=(), description="definitions; by default those used last"
    )
    as_of_date: date | None = Field(default=None, description="by default today in the business time zone")
    send: bool = Field(
        default=False, description="let letters leave; otherwise decide, publish and show only"
    )
    known_at: datetime | Literal["now"] | None = Field(
        default=None,
        description="what was known at an instant, or now; by default now, and for a past date that has a published"
        " run what that run knew",
    )
    until: Literal["cash", "marts", "decisions", "published"] = Field(
        default="published", description="stop after this stage; before the last one nothing is kept"
    )


class PastDate(ValueError):
    """Letters of another day than today may not leave."""


def refuse_past(home: Home, ledger: Ledger, as_of: date, now: datetime, controls: ControlsPolicy) -> None:
    """Sending needs today; in a simulated home, the day of the last sending run or a later one.

    Raises:
        PastDate: otherwise.
    """
    if home.marker.simulated:
        latest = ledger.latest_sending_date()
        if latest is not None and as_of < latest:
            raise PastDate(
                f"--as-of {as_of}: this simulated home has sent as of {latest} and only moves forward."
                " Nothing was run. Give that date or a later one, or leave out --send."
            )
        return
    next_day = BusinessCalendar().next_business_day(controls.country_code, as_of)
    check = sending_clock(as_of, now, next_day, controls)
    if not check.passed:
        raise PastDate(
            f"--send: letters of {as_of} may leave from {check.expected}; today is {check.actual}."
            " Nothing was run. Leave out --send to see what that day looks like."
        )


def no_run() -> NightlyRun:
    """What a deployment runs when nothing is said: today, from the sources used last, without sending."""
    return NightlyRun()


@flow(name="o2c-nightly", flow_run_name="o2c nightly {run.as_of_date}", persist_result=False)
def nightly(run: NightlyRun = no_run()) -> str:  # noqa: B008
    """Land, apply cash, age, decide, audit, send what may leave, publish. Returns the run's id."""
    return play(run).run_id


def play(request: NightlyRun, say: Callable[[str], None] = print) -> Run:
    """The flow itself: called by the Prefect flow above and, without a server, by ``o2c run``.

    Files leave before publishing, so that the tables say so; people are written to after it, in contact hours.
    """
    run = decide_and_publish(request, say)
    is_whole = request.until == "published"
    if request.send and is_whole and not run.closed_gates and not by_folder(run):
        run.decided["delivery"] = send_out(DeliverRun(home=run.home.root), say).data()
    return run


def decide_and_publish(request: NightlyRun, say: Callable[[str], None]) -> Run:
    """The morning under the publish lock, up to what this run was asked for."""
    settings = Settings()
    policies = load_policies(settings.policies)
    home = open_home(request.home or settings.home)
    time_zone = policies.controls.time_zone
    as_of = request.as_of_date or datetime.now(ZoneInfo(time_zone)).date()
    policies.require_reviewed(as_of, "nothing was run")
    now = home.clock(as_of, time_zone)
    with home.lock("publish", settings.lock_wait_seconds):
        ledger = Ledger(settings.ledger_url or home.ledger_url)  # made by one run when many start at once
        finish_published(home, ledger, now)
        if request.send:
            refuse_past(home, ledger, as_of, now, policies.controls)
        knowledge = knowledge_of(
            home,
            ledger,
            as_of,
            today=datetime.now(ZoneInfo(time_zone)).date(),
            now=now,
            asked=request.known_at,
            is_sending=request.send,
        )
        steps: list[Step] = []
        if knowledge.known_at is not None:
            landed = recall_sources(home, ledger, knowledge.known_at, as_of, steps, say)
        else:
            landed = land_sources(home, ledger, request.sources, as_of, now, settings, steps, say)
        landed = add_bank_files(home, ledger, landed, as_of, policies.controls, steps, say)
        run = Run(
            settings=settings,
            home=home,
            policies=policies,
            ledger=ledger,
            as_of=as_of,
            now=now,
            run_id=run_id_of(as_of, landed.effective.input_ids, policies.version, knowledge.known_at),
            is_sending=request.send,
            inputs=landed.described,
            known_at=landed.known_at,
            publishes=knowledge.publishes,
            say=say,
            steps=steps,
            checks=list(landed.checks),
        )
        run.run_number = ledger.start_run(
            run.run_id,
            as_of,
            is_sending=request.send,
            now=now,
            known_at=landed.known_at,
            publishes=knowledge.publishes,
        )
        unfinished = recover(home, ledger, policies, now)
        load_sources(run, landed)
        load_recorded(run)
        build_cash_inputs(run)
        cash = apply_payments(run)
        if request.until == "cash":
            return run
        build_marts(run)
        if request.until == "marts":
            return run
        expect_losses(run)
        check_gates(run, landed)
        letters = decide_letters(run, cash)
        accounts = review_accounts(run, letters)
        people, because = check_brakes(run, landed, letters.book, letters.rows, accounts.referrals)
        letters = show_letters(run, letters, people)
        audit(run)
        if request.until == "decisions":
            return run
        if knowledge.acts:
            request_write_offs(run, cash.withheld)
        if request.send and not run.closed_gates:
            plan(run, letters)
            request_approvals(run, letters, accounts, at_least=people, because=because)
            run.decided["not_carried_out"] = list(carry_out(home, ledger, now, time_zone).faults)
            recall_placed(run, accounts)
            if by_folder(run) and not put_out(run, letters, unfinished):
                load_letters(run, letters, will_withdraw=False)
                audit(run)
        if knowledge.publishes == "current":
            publish(run, cash, letters, accounts, records=knowledge.acts)
        else:
            publish_dates(run, rewrites_history=knowledge.rewrites_history, has_decisions=True)
        show_markdown("run-summary", summary_of(run))
        return run
