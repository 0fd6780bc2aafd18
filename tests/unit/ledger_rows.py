"""Letters as the ledger takes them: only what a test is about is said."""

from datetime import UTC, date, datetime
from typing import Any

from o2c.ledger import SentLetter

DAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)


def line(letter_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "letter_id": letter_id,
        "line_number": number,
        "invoice_id": f"INV-{number}",
        "installment_number": 1,
        "invoice_number": f"2026/{number}",
        "po_number": None,
        "currency_code": "EUR",
        "occasion": None,
        "invoice_amount": "100.0000",
        "disputed_amount": "0.0000",
        "amount": "100.0000",
        "days_past_due": 12,
        "invoice_date": date(2026, 1, 30),
        "due_date": date(2026, 2, 28),
    } | changes


def letter(letter_id: str = "a", *, lines: int = 1, **changes: Any) -> SentLetter:
    """A letter to customer ``C-<letter_id>``, so that two ids are two identities unless a test says otherwise."""
    row = {
        "letter_id": letter_id,
        "batch_id": "2026-03-12-b",
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": f"C-{letter_id}",
        "currency_code": "EUR",
        "episode": 1,
        "level": 1,
        "occasion": "",
        "try_number": 1,
        "stage": "first_contact",
        "channel": "email",
        "language_code": "en",
        "address": "jane@acme.example",
        "total_amount": str(100 * lines) + ".0000",
        "state": "sending",
        "message_hash": "00ff",
        "decided_as_of_date": DAY,
        "sent_at": None,
    } | changes
    return SentLetter(row, tuple(line(letter_id, number) for number in range(1, lines + 1)))
