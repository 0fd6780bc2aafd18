"""Builders of small books: one per frame, with only the columns that matter to a rule."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from o2c import frames
from o2c.calendars import BusinessCalendar
from o2c.dunning import DunningBook, decide_dunning
from o2c.policy import load_policies

ROOT = Path(__file__).parents[3]
POLICIES = load_policies(ROOT / "policies")
POLICY, ADDRESSES = POLICIES.dunning, POLICIES.controls.addresses
CALENDAR = BusinessCalendar()
AS_OF = date(2026, 9, 16)  # a Wednesday, no holiday in the countries used here
KEY = ["entity_id", "customer_id", "currency_code"]
LEFT = {"sent", "delivered", "bounced", "not_delivered", "complained"}


def frame(kind, rows):
    """A frame of the given kind; a key that no column has is refused."""
    schema = kind.empty().schema
    unknown = {name for row in rows for name in row} - set(schema)
    assert not unknown, unknown
    return pl.DataFrame(rows, schema=schema) if rows else kind.empty()


def days(count, as_of=AS_OF):
    return as_of + timedelta(days=count)


def item(invoice_id="INV-1", days_past_due=1, amount="100.00", *, as_of=AS_OF, **given):
    """An open invoice of ACME in DE01 and EUR, as many days past due."""
    due = as_of - timedelta(days=days_past_due)
    row = {
        "as_of_date": as_of,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "invoice_id": invoice_id,
        "installment_number": 1,
        "invoice_number": invoice_id,
        "document_type": "invoice",
        "currency_code": "EUR",
        "aging_bucket": "1-30",
        "invoice_amount": Decimal(amount),
        "open_amount": Decimal(amount),
        "disputed_amount": Decimal(0),
        "days_past_due": days_past_due,
        "invoice_date": due - timedelta(days=30),
        "due_date": due,
    } | given
    return row | {name: Decimal(row[name]) for name in ("open_amount", "disputed_amount", "invoice_amount")}


def credit_memo(amount, invoice_id="CM-1", **given):
    return item(invoice_id, 0, f"-{amount}", document_type="credit_memo", aging_bucket=None, **given)


def customer(customer_id="ACME", **given):
    return {
        "as_of_date": AS_OF,
        "customer_id": customer_id,
        "customer_name": f"{customer_id} GmbH",
        "country_code": "DE",
        "language_code": "de",
        "customer_type": "business",
        "status": "active",
        "value_tier": "B",
        "behaviour_class": "slightly_late",
        "risk_class": "low",
        "segment": "B/slightly_late/low",
        "risk_score": Decimal(0),
        "settled_invoice_count": 5,
        "broken_promise_count": 0,
        "returned_payment_count": 0,
        "is_stub": False,
    } | given


def contact(customer_id="ACME", contact_id=None, email=None, **given):
    return {
        "contact_id": contact_id or f"C-{customer_id}",
        "customer_id": customer_id,
        "role": "dunning",
        "email": email or f"ap@{customer_id.lower()}.example",
    } | given


def unapplied(amount, customer_id="ACME", **given):
    return {
        "as_of_date": AS_OF,
        "entity_id": "DE01",
        "customer_id": customer_id,
        "currency_code": "EUR",
        "unapplied_amount": Decimal(amount),
    } | given


def block(subject_id="ACME", scope="customer", kind="manual", valid_from=None, valid_until=None):
    return {
        "as_of_date": AS_OF,
        "block_id": f"B-{subject_id}-{kind}",
        "scope": scope,
        "subject_id": subject_id,
        "kind": kind,
        "reason": "asked for by sales",
        "valid_from": valid_from or days(-5),
        "valid_until": valid_until,
    }


def promise(invoice_id=None, status="pending", **given):
    return {
        "as_of_date": AS_OF,
        "promise_id": f"P-{invoice_id}",
        "customer_id": "ACME",
        "invoice_id": invoice_id,
        "currency_code": "EUR",
        "status": status,
        "promised_amount": Decimal("100.00"),
        "promised_date": days(3),
        "made_date": days(-2),
    } | given


def plan(invoice_id=None, is_in_good_standing=True, **given):
    return {
        "as_of_date": AS_OF,
        "plan_id": "PL-1",
        "customer_id": "ACME",
        "invoice_id": invoice_id,
        "is_in_good_standing": is_in_good_standing,
    } | given


def possible_payer(customer_id="ACME", **given):
    return {
        "payment_id": "PAY-1",
        "entity_id": "DE01",
        "customer_id": customer_id,
        "currency_code": "EUR",
        "reason": "same name",
        "unapplied_amount": Decimal("10.00"),
    } | given


def placed(invoice_id="INV-1", installment_number=1):
    return {
        "invoice_id": invoice_id,
        "installment_number": installment_number,
        "customer_id": "ACME",
        "agency_id": "AGENCY-EU",
        "placed_date": days(-10),
    }


def activity(level, day, customer_id="ACME", channel="letter"):
    return {
        "activity_id": f"A-{customer_id}-{level}-{day}",
        "customer_id": customer_id,
        "activity_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "channel": channel,
        "outcome_code": f"dunned_level_{level}",
    }


def letter(level=1, sent=-7, state="sent", *, as_of=AS_OF, **given):
    """A letter to ACME decided, and sent if it was, so many days from the as-of date."""
    day = as_of + timedelta(days=sent)
    row = {
        "kind": "dunning",
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "level": level,
        "episode": 1,
        "try_number": 1,
        "state": state,
        "address": "ap@acme.example",
        "decided_as_of_date": day,
        "sent_date": day if state in LEFT else None,
    } | given
    return {"letter_id": f"L-{row['customer_id']}-{row['kind']}-{level}-{sent}-{row['try_number']}"} | row


def reminder(occasion, sent=-3, state="sent", **given):
    """A courtesy reminder, as a letter and as its line."""
    row = letter(0, sent, state, kind="courtesy", occasion=occasion, **given)
    line = {
        "letter_id": row["letter_id"],
        "invoice_id": occasion.split("@")[0],
        "occasion": occasion,
        "state": state,
        "sent_date": row["sent_date"],
    }
    return row, line


def previous(reason_code="level_due", days_ago=1, **given):
    return {
        "as_of_date": days(-days_ago),
        "entity_id": "DE01",
        "customer_id": "ACME",
        "currency_code": "EUR",
        "decision": "none",
        "reason_code": reason_code,
        "episode": 1,
        "is_confirmed_level": 0,
    } | given


def book(items=(), **rows):
    """A book of one customer ACME with a contact, unless customers and contacts are given."""
    kinds = {
        "customers": frames.Customers,
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
        "suppressed": frames.SuppressedAddresses,
    }
    given = {"customers": [customer()], "contacts": [contact()]} | rows
    return DunningBook(
        items=frame(frames.OpenItems, list(items)),
        **{name: frame(kind, list(given.get(name, []))) for name, kind in kinds.items()},
    )


def decide(of_book, policy=POLICY, as_of=AS_OF, addresses=ADDRESSES):
    return decide_dunning(of_book, policy, addresses, CALENDAR, as_of)


def decision(of_book, policy=POLICY, as_of=AS_OF):
    """The only decision of a book, as a row."""
    decisions, _ = decide(of_book, policy, as_of)
    assert decisions.height == 1, decisions
    return decisions.row(0, named=True)


def outcome(of_book, policy=POLICY, as_of=AS_OF):
    """(decision, level, reason code) of the only decision."""
    row = decision(of_book, policy, as_of)
    return row["decision"], row["level"], row["reason_code"]


def changed(of_book, **frames_given):
    return replace(of_book, **frames_given)
