"""One small morning that sends: three letters, every gate and brake, people, the post office and a stand-in of SES.

Undisturbed, all three leave. A test disturbs one thing and looks at what stopped the first message.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
from letter_builders import AS_OF, SENDER, TEMPLATES, frames_of, letter
from stub_ses import StubSes

from flows.nightly import refuse_past
from flows.sending import Letters, last_day_of, letter_rows, plan
from o2c import gates
from o2c.approval_lists import Terms, letter_lists
from o2c.brakes import judge_brakes, required_approvals
from o2c.calendars import BusinessCalendar
from o2c.checks import Check
from o2c.contact_hours import Doors
from o2c.contract import MONEY
from o2c.delivery.post import Edge, deliver
from o2c.delivery.production import open_carriers
from o2c.delivery.stop import stop_file
from o2c.home import Home, init_home
from o2c.ledger import Ledger
from o2c.ledger.approving import decide, submit, waiting
from o2c.ledger.asking import letters_to_ask
from o2c.letters import render_letters
from o2c.policy import Policies, load_policies
from o2c.policy.controls import Approver
from o2c.run import Run
from o2c.run_measures import CurrencyMeasures, Measures
from o2c.settings import PROJECT, Settings
from o2c.sources.bank.statement_checks import freshness_checks

NOW = datetime(2026, 3, 12, 14, tzinfo=UTC)  # Thursday, three in the afternoon in Berlin
CUSTOMERS = ("C-1", "C-2", "C-3")
ACCOUNT = "DE02120300000000202051"
USUAL = Measures(
    message_count=100,
    customer_count=90,
    first_time_customer_count=9,
    final_notice_count=6,
    referral_count=2,
    row_count=10_000,
    by_currency={
        "EUR": CurrencyMeasures(100, Decimal("10000"), Decimal("900"), 80, Decimal("50000"), Decimal("600"))
    },
    row_counts={"erp.invoices": 1000, "erp.payments": 900, "erp.disputes": 12},
)
LANDED = {"invoices": (1000, 0), "payments": (900, 0), "disputes": (12, 0)}
BALANCES = {"E1": ("5000.00", "5000.00")}


@dataclass
class World:
    """Everything that a morning depends on, to be disturbed before ``morning``."""

    home: Home
    settings: Settings
    ses: StubSes
    policies: Policies
    now: datetime = NOW
    as_of: date = AS_OF
    landed: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(LANDED))
    balances: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(BALANCES))
    statements_until: date = date(2026, 3, 11)
    bank_issues: list[Check] = field(default_factory=list)
    countries: tuple[str, ...] = ("US", "DE")
    measures: Measures = USUAL
    earlier: list[Measures] = field(default_factory=lambda: [USUAL] * 5)
    letters: list[dict[str, Any]] = field(default_factory=list)
    people: tuple[str, ...] = ()
    verdict: str = "approve"
    templates: Any = TEMPLATES
    before_delivery: Callable[["World"], None] = lambda _world: None
    account_of: Callable[..., str | None] = lambda *_asked: None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.settings.ledger_url or self.home.ledger_url)
        self.letters = self.letters or [
            letter(customer, email=f"{customer.lower()}@books.example") for customer in CUSTOMERS
        ]

    @property
    def engine(self) -> Any:
        return self.ledger.engine

    def morning(self) -> list[str]:
        """Decide, ask, send, as the flows do. Says what stopped letters, in words of the code; empty if nothing did.

        Raises:
            whatever refuses the run as a whole.
        """
        controls = self.policies.controls
        self.policies.require_reviewed(self.as_of, "nothing was run")
        refuse_past(self.home, self.ledger, self.as_of, self.now, controls)
        run = Run(
            self.settings, self.home, self.policies, self.ledger, self.as_of, self.now, "1" * 20, True, [],
            lambda _line: None,
        )  # fmt: skip
        run.checks += self.checks(run)
        checks = judge_brakes(self.measures, self.earlier, controls.brakes)
        run.checks += checks
        people, because = required_approvals(checks, controls.brakes, len(self.earlier))
        letters = self.decided(run)
        if run.closed_gates:
            return [check.check_name for check in run.closed_gates]
        plan(run, letters)
        self.ask(run, letters, people, because)
        self.answer()
        self.before_delivery(self)
        return self.deliver()

    def checks(self, run: Run) -> list[Check]:
        """The gates, on what landed."""
        counts = pl.DataFrame(
            [(table, *rows) for table, rows in self.landed.items()],
            schema={"table_name": pl.String, "rows_in": pl.Int64, "rejected": pl.Int64},
            orient="row",
        )
        accounts = pl.DataFrame(
            [(entity, "EUR", *map(Decimal, amounts)) for entity, amounts in self.balances.items()],
            schema={
                "entity_id": pl.String,
                "currency_code": pl.String,
                "expected_amount": MONEY,
                "actual_amount": MONEY,
            },
            orient="row",
        )
        heads = pl.DataFrame(
            [(0, 1, self.statements_until, ACCOUNT)],
            schema={"rank": pl.Int64, "lane": pl.Int64, "last_date": pl.Date, "account_key": pl.String},
            orient="row",
        )
        due = {"E1": BusinessCalendar().last_business_day("DE", self.as_of)}
        return [
            *self.bank_issues,
            *freshness_checks(heads, {ACCOUNT: "E1"}, due, self.as_of),
            *gates.rejected_rows(counts, run.policies.controls),
            gates.control_account(accounts),
            gates.calendar_known(self.countries, self.as_of, BusinessCalendar()),
        ]

    def decided(self, run: Run) -> Letters:
        decisions, lines, customers, contacts, entities = frames_of(*self.letters)
        messages = render_letters(
            decisions, lines, customers, contacts, entities, SENDER, self.templates, AS_OF, run.batch_id
        )
        book: Any = SimpleNamespace(
            items=decisions.select("customer_id", "entity_id"), customers=customers, entities=entities
        )
        rows = letter_rows(run, book, decisions, messages).with_columns(
            state=pl.lit("rendered"), sent_at=pl.lit(None, dtype=pl.Datetime("us", "UTC"))
        )
        return Letters(book, decisions, messages, rows, lines)

    def ask(self, run: Run, letters: Letters, people: int, because: str) -> None:
        needs = letters.decisions.select("letter_id", "required_approval_count")
        asked = letters_to_ask(self.engine, run.batch_id).join(needs, on="letter_id", validate="1:1")
        terms = Terms(run.batch_id, AS_OF, "machine", self.policies.controls.approvals.expiry_hours)
        for request in letter_lists(asked, terms, people, because):
            submit(self.engine, request, self.now, is_green=True)

    def answer(self) -> None:
        for person in self.people:
            for request in waiting(self.engine, self.now):
                decide(
                    self.engine,
                    request.request_id,
                    content_hash=request.content_hash,
                    approver=person,
                    role="finance_director",
                    verdict=self.verdict,
                    policy=self.policies.controls.approvals,
                    now=self.now,
                )

    def deliver(self) -> list[str]:
        """The post office, by every carrier that this installation may use."""
        zone = self.policies.controls.time_zone
        doors = Doors(
            self.policies.dunning.contact_hours,
            BusinessCalendar(),
            dict.fromkeys(CUSTOMERS, "DE"),
            {"E1": ("DE", "Europe/Berlin")},
            (self.policies.controls.country_code, zone),
        )
        found: list[str] = []
        for route in open_carriers(
            self.settings,
            self.home,
            self.engine,
            self.policies.controls.delivery,
            account_of=self.account_of,
        ):
            edge = Edge(
                clock=lambda: self.now,
                day_of=lambda instant: instant.astimezone(UTC).date(),
                last_day_of=lambda day: last_day_of(self.policies, day),
                stop=stop_file(self.home.root),
                may_leave=doors.may_leave,
                sleep=lambda _seconds: None,
            )
            report = deliver(
                self.engine,
                route.carrier,
                self.policies.controls.delivery,
                edge,
                owner="worker",
                account=route.account,
                channels=route.channels,
            )
            found += [reason for reason in (report.stopped, report.paused) if reason]
            found += list(report.waiting)
        return found or sorted({row.state_reason or row.state for row in self.rows() if row.state != "sent"})

    def rows(self) -> list[Any]:
        from sqlalchemy import select

        from o2c.ledger.tables import letters as table

        with self.engine.connect() as con:
            return list(con.execute(select(table).order_by(table.c.letter_id)).all())

    @property
    def left(self) -> int:
        """Messages that anybody could have got, and files of letters."""
        return sum(map(len, self.ses.accepts.values())) + len(list(self.home.outbox.glob("*/*.eml")))


def new_world(root: Path, ses: StubSes, **settings: Any) -> World:
    """An installation that sends by SES, of which a stand-in on this machine answers."""
    home = init_home(root / "home", simulated=False, auto_approve=False)
    policies = load_policies(PROJECT / "policies")
    people = tuple(Approver(person=name, roles=("finance_director",)) for name in ("anna", "bert", "machine"))
    approvals = policies.controls.approvals.model_copy(update={"approvers": people})
    controls = policies.controls.model_copy(update={"approvals": approvals})
    given = {
        "home": home.root,
        "carrier": "ses",
        "ses_endpoint_url": ses.url,
        "sender_address": SENDER.address,
        "reply_to": SENDER.reply_to,
        "operator": "machine",
    } | settings
    return World(home, Settings(**given), ses, replace(policies, controls=controls))
