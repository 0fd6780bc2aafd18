"""What waits to leave, and whether anything came that it may depend on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import ledger_rows
import pytest

from flows.recheck import said_by_persons
from o2c.landing import Delivery
from o2c.ledger import Ledger
from o2c.ledger.cash import DecisionFile, record_decision_file
from o2c.ledger.unsent import newest_knowledge, published_knowledge, unsent_letters

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = date(2026, 3, 12)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = Ledger(ledger_url)
    yield ledger
    ledger.engine.dispose()


def given(ledger: Ledger, number: int, at: datetime) -> None:
    record_decision_file(ledger.engine, DecisionFile(number, f"F-{number}", "anna", at, 1))


def test_what_waits_for_people_or_its_hour_has_not_left_and_the_rest_has(ledger: Ledger) -> None:
    for name in ledger_rows.WAYS:
        ledger_rows.put(ledger.engine, ledger_rows.letter(name, state=name, lines=2))
    found = unsent_letters(ledger.engine)
    waiting = ["approval_pending", "approved", "rendered"]
    assert found.letters["letter_id"].to_list() == waiting
    assert found.lines["letter_id"].to_list() == [name for name in waiting for _ in range(2)]
    assert found.letters.row(0, named=True) == {
        "letter_id": "approval_pending",
        "batch_id": "2026-03-12-b",
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": "C-approval_pending",
        "currency_code": "EUR",
        "level": 1,
        "channel": "email",
        "contact_id": None,
        "address": "approval_pending@acme.example",
        "state": "approval_pending",
        "decided_as_of_date": DAY,
    }
    assert found.lines["amount"].to_list() == [Decimal("100.0000")] * 6


def test_an_empty_ledger_has_nothing_unsent(ledger: Ledger) -> None:
    found = unsent_letters(ledger.engine)
    assert (found.letters.height, found.lines.height) == (0, 0)


def test_a_published_run_knew_what_it_knew_unless_it_was_begun_again(ledger: Ledger) -> None:
    assert published_knowledge(ledger.engine, "r") is None
    first = ledger.start_run("r", DAY, is_sending=True, now=NOON, known_at=NOON + HOUR)
    assert published_knowledge(ledger.engine, "r") is None
    ledger.finish_run(first, "published", NOON)
    assert published_knowledge(ledger.engine, "r") == NOON + HOUR
    ledger.start_run("other", DAY, is_sending=True, now=NOON)
    assert published_knowledge(ledger.engine, "r") == NOON + HOUR
    ledger.start_run("r", DAY, is_sending=True, now=NOON)  # its build is being replaced
    assert published_knowledge(ledger.engine, "r") is None


def test_the_newest_knowledge_is_that_of_files_runs_and_persons(ledger: Ledger) -> None:
    assert newest_knowledge(ledger) is None
    ledger.record(Delivery("erp", "invoices.csv", "f", "m", NOON))
    assert newest_knowledge(ledger) == NOON
    given(ledger, 1, NOON + HOUR)
    assert newest_knowledge(ledger) == NOON + HOUR
    ledger.start_run("r", DAY, is_sending=True, now=NOON, known_at=NOON + 2 * HOUR)
    assert newest_knowledge(ledger) == NOON + 2 * HOUR


def test_what_persons_said_is_compared_by_what_was_known(ledger: Ledger) -> None:
    run: Any = SimpleNamespace(ledger=ledger)
    given(ledger, 1, NOON)
    given(ledger, 2, NOON + HOUR)
    assert said_by_persons(run, NOON) == ["F-1"]
    assert said_by_persons(run, NOON + HOUR) == ["F-1", "F-2"]
