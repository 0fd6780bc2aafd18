"""Small frames for letters: only what a test is about is said, the rest is dull and right."""

from base64 import b32encode
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from o2c.frames import Contacts, Customers, DunningDecisions, Entities, Frame, LetterLines
from o2c.letter_message import Message, Sender
from o2c.letter_templates import Templates
from o2c.letters import render_letters

AS_OF = date(2026, 3, 12)
SENDER = Sender("Northwind Receivables", "receivables@northwind.example", "receivables@northwind.example")
TEMPLATES = Templates(Path(__file__).parents[2] / "templates")
BATCH = "2026-03-12-a1b2c3"


def letter_id(text: str) -> str:
    return b32encode(sha256(text.encode()).digest()).decode().lower()[:26]


def frame(model: type[Frame], *rows: dict[str, Any]) -> pl.DataFrame:
    """A valid frame of the rows; a column that a row does not name is null."""
    schema = model.empty().schema
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def line(number: str = "INV-1001", amount: str = "100.00", days: int = 12, **changes: Any) -> dict[str, Any]:
    return {
        "invoice_id": f"id-{number}",
        "installment_number": 1,
        "invoice_number": number,
        "po_number": None,
        "currency_code": "EUR",
        "invoice_amount": Decimal(amount),
        "disputed_amount": Decimal("0"),
        "amount": Decimal(amount),
        "days_past_due": days,
        "invoice_date": AS_OF - timedelta(days=days + 30),
        "due_date": AS_OF - timedelta(days=days),
        **changes,
    }


def letter(
    customer_id: str = "C-100", lines: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A decision to write to a customer, with its ``lines`` and the ``name``, ``contact_name``, ``email`` to use."""
    lines = lines if lines is not None else [line()]
    total = sum((row["amount"] for row in lines), Decimal(0))
    kind = changes.get("kind", "dunning")
    credit = changes.get("credit_memo_amount", Decimal(0))
    unapplied = changes.get("unapplied_amount", Decimal(0))
    return {
        "as_of_date": AS_OF,
        "entity_id": "E1",
        "customer_id": customer_id,
        "currency_code": lines[0]["currency_code"] if lines else "EUR",
        "decision": "letter",
        "kind": kind,
        "stage": "first_contact",
        "channel": "email",
        "contact_id": f"contact-{customer_id}",
        "language_code": "en",
        "reason_code": "past_due",
        "reason": "oldest item is past due",
        "policy_version": "0123456789ab",
        "letter_id": letter_id(customer_id),
        "past_due_amount": total if kind == "dunning" else Decimal(0),
        "disputed_amount": sum((row["disputed_amount"] for row in lines), Decimal(0)),
        "credit_memo_amount": credit,
        "unapplied_amount": unapplied,
        "net_due_amount": total - credit - unapplied if kind == "dunning" else Decimal(0),
        "due_soon_amount": Decimal(0) if kind == "dunning" else total,
        "level": 1,
        "episode": 1,
        "try_number": 1,
        "item_count": len(lines),
        "required_approval_count": 0,
        "is_confirmed_level": 0,
        "lines": lines,
        "name": "Acme Trading Ltd",
        "contact_name": "Jane Doe",
        "email": "jane.doe@acme.example",
        "country_code": "DE",
        **changes,
    }


def frames_of(*letters: dict[str, Any], **entity: Any) -> tuple[pl.DataFrame, ...]:
    """Decisions, lines, customers, contacts and entities of the letters, in the order that rendering takes them."""
    lines = [
        {**row, "letter_id": item["letter_id"], "line_number": number}
        for item in letters
        for number, row in enumerate(item["lines"], start=1)
    ]
    customers = [
        {
            "as_of_date": AS_OF,
            "customer_id": item["customer_id"],
            "customer_name": item["name"],
            "country_code": item["country_code"],
            "status": "active",
            "behaviour_class": "new",
            "risk_class": "low",
            "segment": "new_low",
            "risk_score": Decimal("0.1"),
            "settled_invoice_count": 0,
            "broken_promise_count": 0,
            "returned_payment_count": 0,
            "is_stub": False,
        }
        for item in letters
    ]
    contacts = [
        {
            "contact_id": f"contact-{item['customer_id']}",
            "customer_id": item["customer_id"],
            "name": item["contact_name"],
            "email": item["email"],
        }
        for item in letters
    ]
    entities = [
        {
            "entity_id": "E1",
            "entity_name": "Northwind GmbH",
            "country_code": "DE",
            "currency_code": "EUR",
            "time_zone": "Europe/Berlin",
            "remit_to": "IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001",
            **entity,
        }
    ]
    return (
        frame(DunningDecisions, *letters),
        frame(LetterLines, *lines),
        frame(Customers, *customers),
        frame(Contacts, *contacts),
        frame(Entities, *entities),
    )


def render(*letters: dict[str, Any], **entity: Any) -> list[Message]:
    return render_letters(*frames_of(*letters, **entity), SENDER, TEMPLATES, AS_OF, BATCH)
