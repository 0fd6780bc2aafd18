"""Disasters, more than thirty, each on an otherwise ordinary morning: each stops before the first message."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from disaster_world import CUSTOMERS, NOW, USUAL, World, new_world
from letter_builders import letter
from sqlalchemy import text
from stub_ses import StubSes, always

from flows.nightly import PastDate
from o2c.delivery.aws import CarrierError
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.approving import ApprovalRefused
from o2c.ledger.outgoing import pause
from o2c.ledger.triggers import drop_triggers
from o2c.letter_templates import Templates
from o2c.letters import LetterError
from o2c.policy import PolicyError, load_policies
from o2c.run_measures import Measures
from o2c.settings import PROJECT, Settings, SettingsError
from o2c.sources.bank.statement_checks import issue_check

WAITS = ["approval_pending"]
"""What ``World.morning`` says where people have to look first."""


@pytest.fixture
def ses() -> Iterator[StubSes]:
    with StubSes() as stub:
        yield stub


@pytest.fixture
def world(tmp_path: Path, ses: StubSes, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    world = new_world(tmp_path, ses)
    yield world
    world.ledger.engine.dispose()


@dataclass(frozen=True)
class Disaster:
    """What goes wrong, and what is said: words of the code, or the refusal and what it names."""

    strike: Callable[[World], Any]
    said: list[str] | tuple[type[Exception], str]


def given(**changes: Any) -> Callable[[World], None]:
    """The world with other values."""

    def strike(world: World) -> None:
        for name, value in changes.items():
            setattr(world, name, value)

    return strike


def measured(**changes: Any) -> Callable[[World], None]:
    return given(measures=replace(USUAL, **changes))


def euro(**changes: Any) -> Measures:
    return replace(USUAL, by_currency={"EUR": replace(USUAL.by_currency["EUR"], **changes)})


def reconfigured(**changes: Any) -> Callable[[World], None]:
    def strike(world: World) -> None:
        kept = world.settings.model_dump() | changes
        world.settings = Settings(**kept)

    return strike


def before_delivery(strike: Callable[[World], Any]) -> Callable[[World], None]:
    return given(before_delivery=strike)


def shop_answers(action: str) -> Callable[[World], None]:
    def strike(world: World) -> None:
        world.ses.behaviour = always(action)

    return strike


def tamper(world: World) -> None:
    """Somebody with the database's file in hand puts another text into a letter that was approved."""
    with world.engine.begin() as con:
        drop_triggers(con)
        con.execute(text("update letter_messages set content = x'00'"))


def lengthen(world: World) -> None:
    """Somebody gives a letter another address after people said yes to it."""
    with world.engine.begin() as con:
        drop_triggers(con)
        con.execute(text("update letters set address = 'somebody@else.example'"))


def without_policy(name: str) -> Callable[[World], None]:
    def strike(world: World) -> None:
        folder = world.home.root / "policies"
        folder.mkdir()
        for path in (PROJECT / "policies").glob("*.yml"):
            if path.stem != name:
                (folder / path.name).write_bytes(path.read_bytes())
        load_policies(folder)

    return strike


def overdue(world: World) -> None:
    consumers = world.policies.dunning.consumers.model_copy(update={"review_by": date(2026, 3, 11)})
    dunning = world.policies.dunning.model_copy(update={"consumers": consumers})
    world.policies = replace(world.policies, dunning=dunning)


def broken_template(world: World) -> None:
    folder = world.home.root / "templates"
    for path in (PROJECT / "templates").rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(PROJECT / "templates")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    for path in (folder / "letters").rglob("first_contact*"):
        path.write_text(path.read_text() + "\n{{ no_such_value }}\n")
    world.templates = Templates(folder)


def poison(world: World) -> None:
    world.letters[1] = letter("C-2", email="one@books.example, two@books.example")


DISASTERS: dict[str, Disaster] = {
    # what the morning is built on
    "a bank file is missing": Disaster(
        given(statements_until=date(2026, 3, 10)), ["bank_statements_complete.E1"]
    ),
    "a bank statement does not tie": Disaster(
        given(bank_issues=[issue_check("bank_files_tie", [("closing_differs", "0.01")])]), ["bank_files_tie"]
    ),
    "the control account is a cent off": Disaster(
        given(balances={"E1": ("5000.00", "5000.01")}), ["control_account_ties"]
    ),
    "too many rows are rejected": Disaster(given(landed={"invoices": (1000, 5)}), ["rejected_rows_ratio"]),
    "one row that protects a customer is rejected": Disaster(
        given(landed={"invoices": (100_000, 0), "disputes": (12, 1)}), ["rejected_protective_rows"]
    ),
    "holidays of the year are unknown": Disaster(given(countries=("US", "UA")), ["calendar_known"]),
    "a policy's review is overdue": Disaster(overdue, (PolicyError, "dunning.consumers")),
    "the table of terms is missing": Disaster(without_policy("terms"), (PolicyError, "terms.yml")),
    # a run that is unlike the last ones
    "a file came twice under new numbers": Disaster(measured(message_count=200), WAITS),
    "half a source's rows are gone": Disaster(
        measured(row_counts=USUAL.row_counts | {"erp.invoices": 500}), WAITS
    ),
    "no dispute is there any more": Disaster(
        measured(row_counts=USUAL.row_counts | {"erp.disputes": 0}), WAITS
    ),
    "every customer is new": Disaster(measured(first_time_customer_count=90), WAITS),
    "one customer has most of the money": Disaster(
        given(measures=euro(largest_customer_amount=Decimal("6000"))), WAITS
    ),
    "amounts are a hundred times what they are": Disaster(
        given(measures=euro(amount=Decimal("1000000"))), WAITS
    ),
    "three times as many final notices": Disaster(measured(final_notice_count=18), WAITS),
    "a wave of referrals": Disaster(measured(referral_count=60), WAITS),
    "nobody can place the cash": Disaster(given(measures=euro(suspense_amount=Decimal("20000"))), WAITS),
    "receivables moved and nobody posted it": Disaster(
        measured(unexplained_amounts={"E1 EUR": Decimal("-0.01")}), WAITS
    ),
    "nothing was ever sent before": Disaster(given(earlier=[]), WAITS),
    # the clock
    "the day is over": Disaster(given(now=NOW + timedelta(days=2)), (PastDate, "2026-03-12")),
    "the day is still to come": Disaster(given(now=NOW - timedelta(days=1)), (PastDate, "2026-03-12")),
    "the clock of the machine is ten years ahead": Disaster(
        before_delivery(given(now=NOW.replace(year=2036))), ["approval_over"]
    ),
    "it is night where the customers are": Disaster(
        before_delivery(given(now=datetime(2026, 3, 12, 22, tzinfo=UTC))), ["outside_contact_hours"]
    ),
    # people
    "the approval is over": Disaster(
        before_delivery(given(now=datetime(2026, 3, 13, 14, 0, 1, tzinfo=UTC))), ["approval_over"]
    ),
    "somebody approves his own list": Disaster(
        given(earlier=[], people=("machine",)), (ApprovalRefused, "machine prepared this list")
    ),
    "only one of two people looked": Disaster(
        given(measures=replace(USUAL, message_count=200), people=("anna",)), WAITS
    ),
    "people say no": Disaster(given(earlier=[], people=("anna",), verdict="reject"), ["approval_rejected"]),
    "a letter's text was changed after the approval": Disaster(before_delivery(tamper), ["message_changed"]),
    "a letter's address was changed after the approval": Disaster(
        before_delivery(lengthen), ["not_as_approved"]
    ),
    # the way out
    "somebody pulled STOP": Disaster(
        before_delivery(lambda world: (world.home.root / "STOP").write_text("wrong prices")), ["wrong prices"]
    ),
    "the environment is none that we know": Disaster(
        reconfigured(environment="staging"), (SettingsError, "O2C_ENVIRONMENT")
    ),
    "this is a test machine with the real SES": Disaster(
        reconfigured(ses_endpoint_url=None), (CarrierError, "O2C_ENVIRONMENT is test")
    ),
    "the credentials are of another account": Disaster(
        reconfigured(
            ses_endpoint_url=None,
            environment="production",
            aws_account_id="123456789012",
            aws_region="eu-central-1",
            ses_configuration_set="dunning",
            ses_events_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/events",
            sender_address="dunning@northwind.test",
            reply_to="dunning@northwind.test",
        ),
        (CarrierError, "O2C_AWS_ACCOUNT_ID is not the account"),
    ),
    "the account's quota is used up": Disaster(
        lambda world: setattr(world.ses, "max_24_hour_send", 0.0), ["daily_quota"]
    ),
    "the account may not send": Disaster(
        lambda world: world.ses.account.update(SendingEnabled=False), (CarrierError, "may not send")
    ),
    "the sender's domain is not verified": Disaster(
        shop_answers("mail_from"), ["mail_from_not_verified", "paused"]
    ),
    "the carrier is paused": Disaster(
        before_delivery(
            lambda world: pause(world.engine, "ses", "bounce_ratio", "4 of 50", None, "policy", world.now)
        ),
        ["bounce_ratio", "paused"],
    ),
    # what is written
    "a template names a value that is not there": Disaster(broken_template, (LetterError, "no_such_value")),
    "one customer's address is two": Disaster(poison, (LetterError, "C-2")),
    # the ledger
    "the ledger would forget": Disaster(lambda _world: Ledger("sqlite://"), (LedgerError, "forget")),
}


def test_an_undisturbed_morning_sends_every_letter(world: World) -> None:
    assert world.morning() == []
    assert world.left == len(CUSTOMERS)


def test_what_people_look_at_and_approve_leaves(world: World) -> None:
    """A tripped brake is no wall: the same morning with two people's yes."""
    world.measures, world.people = replace(USUAL, message_count=200), ("anna", "bert")
    assert world.morning() == []
    assert world.left == len(CUSTOMERS)


def struck(disaster: Disaster, world: World) -> list[str]:
    disaster.strike(world)
    return world.morning()


@pytest.mark.parametrize("name", list(DISASTERS))
def test_a_disaster_stops_before_the_first_message(name: str, world: World) -> None:
    disaster = DISASTERS[name]
    if isinstance(disaster.said, tuple):
        refusal, words = disaster.said
        with pytest.raises(refusal, match=words):
            struck(disaster, world)
    else:
        assert struck(disaster, world) == disaster.said
    assert world.left == 0


def test_there_are_at_least_thirty() -> None:
    assert len(DISASTERS) >= 30
