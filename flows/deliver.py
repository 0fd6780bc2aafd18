"""What was approved leaves, through the day: looked at once more with the newest data, in contact hours, or not."""

import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows._steps import show_markdown
from flows.approvals import carry_out
from flows.printing import print_letters
from flows.recheck import SecondLook, look_once_more
from flows.sending import last_day_of
from o2c.calendars import BusinessCalendar
from o2c.contact_hours import doors_of
from o2c.delivery.limits import AccountLimits
from o2c.delivery.post import Edge
from o2c.delivery.post import deliver as hand_over
from o2c.delivery.production import OpenCarrier, open_carriers
from o2c.delivery.sendout import Sendout
from o2c.delivery.stop import stop_file
from o2c.home import Home, open_home
from o2c.ledger import Ledger
from o2c.ledger.outgoing import cancel_letters, cancel_stale, expire_leases
from o2c.ledger.queueing import batches_since
from o2c.ledger.unsent import newest_knowledge, unsent_letters
from o2c.policy import Policies, load_policies
from o2c.settings import Settings

ACTOR = "second look"
# Why a round ends in the middle: something has come in since the letters were looked at.
NEWER = "newer data has come in"
_ROUNDS = 5
_LOOK_EVERY_SECONDS = 5.0
# Longer than a letter's end may be unknown.
_PRINTS_BACK = timedelta(days=7)


class DeliverRun(BaseModel):
    """Which home's letters leave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )


def no_run() -> DeliverRun:
    """What the deployment runs when nothing is said: the home of the settings."""
    return DeliverRun()


@flow(name="deliver", persist_result=False)
def deliver(run: DeliverRun = no_run()) -> dict[str, Any]:  # noqa: B008
    """Let go what is approved and still right. Returns the counts."""
    return send_out(run).data()


def send_out(
    request: DeliverRun,
    say: Callable[[str], None] = print,
    routes: Sequence[OpenCarrier] | None = None,
) -> Sendout:
    """The flow itself. Called twice at once, each letter still leaves once.

    The publish lock is held while letters are looked at and not while they leave; when something comes in meanwhile,
    what has not left is looked at again.

    Args:
        routes: the carriers; by default those of the installation.

    Raises:
        PolicyError: a value that law gave is past its review. RefusedFiles and the like: new data cannot be read, so
            nobody knows whether the letters are still right.
    """
    settings = Settings()
    policies = load_policies(settings.policies)
    home = open_home(request.home or settings.home)
    office = Office(settings, policies, home, Ledger(settings.ledger_url or home.ledger_url), say)
    done = office.done
    if reason := office.stop():
        done.stopped = reason
    elif office.as_of is not None:
        policies.require_reviewed(office.as_of, "nothing left")
        office.open(routes)
    show_markdown("delivery", done.text())
    return done


@dataclass
class Office:
    """One call: from the look at what waits to the last letter that may leave."""

    settings: Settings
    policies: Policies
    home: Home
    ledger: Ledger
    say: Callable[[str], None]
    done: Sendout = field(default_factory=Sendout)
    calendar: BusinessCalendar = field(default_factory=BusinessCalendar)
    posted: Counter[str] = field(default_factory=Counter)  # by carrier

    def __post_init__(self) -> None:
        self.controls = self.policies.controls
        self.stop = stop_file(self.home.root)
        today = self.day_of(datetime.now(UTC))
        # every run's date is the clock of a simulated home
        self.as_of = self.ledger.current_date() if self.home.marker.simulated else today
        self.done.as_of = self.as_of

    def clock(self) -> datetime:
        """Now; in a simulated home, the morning of its current release."""
        return self.home.clock(self.as_of, self.controls.time_zone)

    def day_of(self, instant: datetime) -> date:
        """An instant's date in the business time zone."""
        return instant.astimezone(ZoneInfo(self.controls.time_zone)).date()

    def last_day_of(self, as_of: date) -> date:
        """The last date on which letters of an as-of date may leave."""
        return last_day_of(self.policies, as_of)

    def open(self, routes: Sequence[OpenCarrier] | None) -> None:
        """Look, let go, and again while something new comes in."""
        owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        if routes is None:
            routes = open_carriers(
                self.settings,
                self.home,
                self.ledger.engine,
                self.controls.delivery,
                with_sms=self.policies.dunning.sms.enabled,
            )
        for _ in range(_ROUNDS):
            self.done.waiting.clear()
            look = self.look(routes)
            if look is None or look.closed_gates:
                break
            if not any(self.let_go(route, owner, look) for route in routes):
                break
        self.print_recent(routes)
        self.count_waiting()

    def look(self, routes: Sequence[OpenCarrier]) -> SecondLook | None:
        """Settle what a lost worker had, withdraw what must not leave any more. None where nothing is approved."""
        engine = self.ledger.engine
        with self.home.lock("publish", self.settings.lock_wait_seconds):
            now = self.clock()
            carried = carry_out(self.home, self.ledger, now, self.controls.time_zone)
            self.done.carried_out += len(carried.request_ids)
            self.done.faults = list(carried.faults)
            for carrier in (route.carrier for route in routes):
                settled = expire_leases(engine, now, carrier.has, carrier=carrier.name)
                self.done.settled.update(settled.values())
            stale = cancel_stale(engine, now, self.last_day_of, today=self.day_of(now))
            self.done.withdrawn.update(["stale"] * len(stale))
            unsent = unsent_letters(engine)
            if self.as_of is None or "approved" not in unsent.letters["state"]:
                return None
            look = look_once_more(
                self.home, self.ledger, self.policies, self.settings, unsent, self.as_of, now, self.say
            )
            withdrawn = cancel_letters(engine, look.reasons, ACTOR, now)
        self.done.withdrawn.update(look.reasons[letter_id] for letter_id in withdrawn)
        self.done.closed_gates = look.closed_gates
        return look

    def let_go(self, route: OpenCarrier, owner: str, look: SecondLook) -> bool:
        """Everything of a route that may leave at this hour. Says whether something came in meanwhile."""
        edge = Edge(
            clock=self.clock,
            day_of=self.day_of,
            last_day_of=self.last_day_of,
            stop=Interrupted(self.stop, self.ledger, look.known_at),
            may_leave=doors_of(look.book, self.policies, self.calendar).may_leave,
        )
        report = hand_over(
            self.ledger.engine,
            route.carrier,
            self.controls.delivery,
            edge,
            owner=owner,
            account=self.account_of(route),
            channels=route.channels,
        )
        self.posted[route.carrier.name] += sum(
            report.outcomes.get(kind, 0) for kind in ("accepted", "unknown")
        )
        self.done.outcomes.update(report.outcomes)
        self.done.settled.update(report.settled)
        self.done.waiting.update(report.waiting)
        if report.paused:
            self.done.paused[route.carrier.name] = report.paused
        if report.stopped and report.stopped != NEWER:
            self.done.stopped = report.stopped
        return report.stopped == NEWER

    def print_recent(self, routes: Sequence[OpenCarrier]) -> None:
        """Paper for all that left in the last days: also by a worker that died, and what an event has settled since."""
        if self.as_of is not None:
            batches = batches_since(self.ledger.engine, self.as_of - _PRINTS_BACK)
            for route in routes:
                stages = self.policies.dunning.stages_with_pdf
                print_letters(self.home, self.ledger, route.carrier.name, batches, stages)

    def account_of(self, route: OpenCarrier) -> AccountLimits | None:
        """What the account allows: it was asked once, before what this call itself has sent since."""
        if route.account is None:
            return None
        said = self.posted[route.carrier.name]
        return replace(route.account, sent_last_24_hours=route.account.sent_last_24_hours + said)

    def count_waiting(self) -> None:
        """Letters that people have not approved wait, too, and those that nobody was asked to take."""
        states = unsent_letters(self.ledger.engine).letters["state"]
        approved = int((states == "approved").sum())
        others = "gate_closed" if self.done.closed_gates else "no_carrier"
        for reason, count in (
            (others, approved - self.done.waiting.total()),
            ("approval", states.len() - approved),
        ):
            if count > 0:
                self.done.waiting[reason] += count


class Interrupted:
    """Why nothing more may leave: STOP, or something that letters depend on came after they were looked at."""

    def __init__(self, stop: Callable[[], str | None], ledger: Ledger, known_at: datetime | None) -> None:
        self._stop, self._ledger, self._known_at = stop, ledger, known_at
        self._looked = time.monotonic()

    def __call__(self) -> str | None:
        """Looks for STOP each time, and into the ledger every few seconds."""
        if reason := self._stop():
            return reason
        if time.monotonic() - self._looked >= _LOOK_EVERY_SECONDS:
            self._looked = time.monotonic()
            if newest_knowledge(self._ledger) != self._known_at:
                return NEWER
        return None
