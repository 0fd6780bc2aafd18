"""Builders of small books for credit review, referrals and worklists: ordinary rows, and what a test says of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from o2c import frames
from o2c.dunning import DunningBook
from o2c.policy import load_policies

AS_OF = date(2026, 9, 30)
POLICIES = load_policies(Path(__file__).parents[2] / "policies")
ZERO = Decimal(0)
_MONEY = pl.Decimal(18, 4)

_DEFAULTS: dict[type[frames.Frame], dict[str, Any]] = {
    frames.OpenItems: {
        "as_of_date": AS_OF,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "installment_number": 1,
        "document_type": "invoice",
        "currency_code": "EUR",
        "open_amount": Decimal("100.00"),
        "disputed_amount": ZERO,
    },
    frames.Customers: {
        "as_of_date": AS_OF,
        "customer_id": "ACME",
        "customer_name": "Acme GmbH",
        "country_code": "DE",
        "customer_type": "business",
        "status": "active",
        "collector_id": "KIM",
        "behaviour_class": "slightly_late",
        "risk_class": "low",
        "segment": "B / slightly late",
        "risk_score": ZERO,
        "settled_invoice_count": 9,
        "broken_promise_count": 0,
        "returned_payment_count": 0,
        "is_stub": False,
    },
    frames.Exposures: {
        "as_of_date": AS_OF,
        "customer_id": "ACME",
        "currency_code": "EUR",
        "open_amount": ZERO,
        "credit_memo_amount": ZERO,
        "unapplied_amount": ZERO,
        "past_due_amount": ZERO,
        "disputed_past_due_amount": ZERO,
        "uninvoiced_order_amount": ZERO,
        "exposure_amount": ZERO,
    },
    frames.Orders: {
        "as_of_date": AS_OF,
        "order_id": "O-1",
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "status": "open",
        "uninvoiced_amount": Decimal("500.00"),
        "order_date": date(2026, 9, 1),
    },
    frames.Promises: {
        "as_of_date": AS_OF,
        "promise_id": "PR-1",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "status": "pending",
        "promised_amount": Decimal("100.00"),
        "promised_date": date(2026, 10, 5),
        "made_date": date(2026, 9, 20),
    },
    frames.Plans: {
        "as_of_date": AS_OF,
        "plan_id": "PL-1",
        "customer_id": "ACME",
        "is_in_good_standing": True,
    },
    frames.Blocks: {
        "as_of_date": AS_OF,
        "block_id": "B-1",
        "scope": "customer",
        "subject_id": "ACME",
        "kind": "manual",
        "reason": "asked for by sales",
        "valid_from": date(2026, 1, 1),
    },
    frames.PossiblePayers: {
        "payment_id": "PAY-9",
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "reason": "the payer's name is the customer's",
        "unapplied_amount": Decimal("10.00"),
    },
    frames.Activities: {"activity_id": "ACT-1", "customer_id": "ACME", "channel": "call"},
    frames.LetterHistory: {
        "kind": "dunning",
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "episode": 1,
        "try_number": 1,
        "state": "sent",
    },
    frames.PlacedItems: {
        "invoice_id": "INV-1",
        "installment_number": 1,
        "customer_id": "ACME",
        "agency_id": "AGENCY-EU",
        "placed_date": date(2026, 9, 1),
    },
    frames.DunningDecisions: {
        "as_of_date": AS_OF,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "decision": "none",
        "reason_code": "ladder_ended",
        "reason": "The ladder ended.",
        "policy_version": "v",
        "past_due_amount": Decimal("100.00"),
        "disputed_amount": ZERO,
        "credit_memo_amount": ZERO,
        "unapplied_amount": ZERO,
        "net_due_amount": Decimal("100.00"),
        "due_soon_amount": ZERO,
        "level": 3,
        "episode": 1,
        "item_count": 1,
        "required_approval_count": 0,
        "is_confirmed_level": 0,
    },
    frames.Collectors: {"collector_id": "KIM", "name": "Kim"},
}


def frame(kind: type[frames.Frame], *rows: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of ordinary rows with what is said of them; amounts may be text. An unknown column is refused."""
    schema = kind.empty().schema
    full = []
    for row in rows:
        assert not set(row) - set(schema), set(row) - set(schema)
        merged = dict.fromkeys(schema) | _DEFAULTS.get(kind, {}) | dict(row)
        full.append(
            {
                name: Decimal(value)
                if isinstance(value, str) and isinstance(schema[name], pl.Decimal)
                else value
                for name, value in merged.items()
            }
        )
    return kind.validate(pl.DataFrame(full, schema=schema, orient="row"))


def item(invoice_id: str = "INV-1", days_past_due: int = 100, **given: Any) -> dict[str, Any]:
    due = AS_OF - timedelta(days=days_past_due)
    amount = given.get("open_amount", "100.00")
    return {
        "invoice_id": invoice_id,
        "invoice_number": invoice_id.removeprefix("INV-"),
        "days_past_due": days_past_due,
        "due_date": due,
        "invoice_date": due - timedelta(days=30),
        "invoice_amount": amount,
        "aging_bucket": "over 90",
    } | given


def activity(days_ago: int, outcome_code: str | None, **given: Any) -> dict[str, Any]:
    day = AS_OF - timedelta(days=days_ago)
    return {
        "activity_id": f"ACT-{days_ago}-{outcome_code}",
        "activity_at": datetime(day.year, day.month, day.day, 10, tzinfo=UTC),
        "outcome_code": outcome_code,
    } | given


def letter(level: int, days_ago: int, **given: Any) -> dict[str, Any]:
    day = AS_OF - timedelta(days=days_ago)
    return {
        "letter_id": f"L{level}-{days_ago}",
        "level": level,
        "decided_as_of_date": day,
        "sent_date": day,
    } | given


def book(**given: pl.DataFrame) -> DunningBook:
    """A book of one ordinary customer; every other frame is empty unless given."""
    empty = {
        "items": frames.OpenItems,
        "contacts": frames.Contacts,
        "entities": frames.Entities,
        "unapplied": frames.UnappliedCash,
        "blocks": frames.Blocks,
        "promises": frames.Promises,
        "plans": frames.Plans,
        "possible_payers": frames.PossiblePayers,
        "placed": frames.PlacedItems,
        "activities": frames.Activities,
        "letters": frames.LetterHistory,
        "lines": frames.LineHistory,
        "previous": frames.DecisionHistory,
    }
    parts = {name: kind.empty() for name, kind in empty.items()}
    return DunningBook(**({"customers": frame(frames.Customers, {})} | parts | given))
