"""Many run dates in one build say of each date what a build of that date alone says."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from customer_books import Book, read_book
from polars.testing import assert_frame_equal
from receivables_books import built, frame, on_dates

MEASURES = [
    "core.fct_customer_segments",
    "core.fct_customer_risk_terms",
    "receivables.fct_ar_aging",
    "receivables.fct_ar_kpis",
    "receivables.fct_open_items",
]
DAYS = [date(2026, 3, 1), date(2026, 3, 6), date(2026, 3, 10), date(2026, 3, 20), date(2026, 3, 31)]


def invoice(invoice_id: str, day: int, amount: int, customer_id: str = "C", **more: Any) -> dict[str, Any]:
    values = {
        "invoice_id": invoice_id,
        "entity_id": "E",
        "invoice_number": invoice_id,
        "document_type": "invoice",
        "customer_id": customer_id,
        "invoice_date": date(2026, 2, 1) + timedelta(days=day),
        "due_date": date(2026, 2, 11) + timedelta(days=day),
        "currency_code": "EUR",
        "invoice_amount": amount,
    }
    return values | more


def payment(payment_id: str, day: int, amount: int, **more: Any) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "entity_id": "E",
        "value_date": date(2026, 3, day),
        "currency_code": "EUR",
        "payment_amount": amount,
    } | more


def applied(
    number: int, day: int, amount: int, invoice_id: str, kind: str = "payment", **more: Any
) -> dict[str, Any]:
    return {
        "application_id": f"A{number}",
        "invoice_id": invoice_id,
        "application_date": date(2026, 3, day),
        "applied_amount": amount,
        "application_type": kind,
    } | more


# What looks otherwise from the last date than it did on a date before: paid, reopened and paid again; written off after
# a payment; a payer found out, twice; a return of money whose payer was not known yet; an application booked before its
# invoice or its payment; a document about nothing.
TURNS = Book(
    {
        "entities": [
            {
                "entity_id": "E",
                "entity_name": "E",
                "country_code": "DE",
                "currency_code": "EUR",
                "time_zone": "Europe/Berlin",
            }
        ],
        "customers": [{"customer_id": name, "customer_name": name} for name in ("B", "C", "D")],
        "invoices": [
            invoice("bounced", 0, 100),
            invoice("again", 0, 200),
            invoice("given_up", 0, 100, "D"),
            invoice("late", 50, 70, "B"),
            invoice("first", 1, 40, "D"),
            invoice("second", 1, 60, "B"),
            invoice("nothing", 2, 0),
            invoice("memo", 3, 50, document_type="credit_memo"),
            *(invoice(f"habit{number}", number, 10 + number) for number in range(4)),
        ],
        "payments": [
            payment("P1", 1, 100, customer_id="C"),
            payment("P1-", 8, -100, reverses_payment_id="P1"),
            payment("P2", 2, 200, customer_id="C"),
            payment("P3", 5, 70),
            payment("P4", 1, 100),
            payment("P5", 1, 30),
            payment("P5-", 6, -30, reverses_payment_id="P5"),
            payment("P6", 25, 20, customer_id="B"),
            *(payment(f"H{number}", 1 + 7 * number, 10 + number, customer_id="C") for number in range(4)),
        ],
        "payment_applications": [
            applied(1, 1, 100, "bounced", payment_id="P1"),
            applied(2, 8, -100, "bounced", "reversal", payment_id="P1", reverses_application_id="A1"),
            applied(3, 2, 200, "again", payment_id="P2"),
            applied(4, 7, -200, "again", "reversal", payment_id="P2", reverses_application_id="A3"),
            applied(5, 19, 200, "again", payment_id="P2"),
            applied(6, 4, 30, "given_up", "discount"),
            applied(7, 5, 70, "given_up", "write_off"),
            applied(8, 18, -70, "given_up", "reversal", reverses_application_id="A7"),
            applied(9, 5, 70, "late", payment_id="P3"),
            applied(10, 9, 40, "first", payment_id="P4"),
            applied(11, 20, 60, "second", payment_id="P4"),
            applied(12, 9, 30, "again", "credit_memo", credit_memo_id="memo"),
            applied(13, 18, -30, "again", "reversal", credit_memo_id="memo", reverses_application_id="A12"),
            applied(14, 9, 20, "second", payment_id="P6"),
            applied(15, 12, 30, "second", payment_id="P5"),
            *(applied(20 + n, 1 + 7 * n, 10 + n, f"habit{n}", payment_id=f"H{n}") for n in range(4)),
        ],
        "adjustments": [
            {
                "adjustment_id": "W",
                "invoice_id": "nothing",
                "adjustment_type": "other",
                "adjustment_amount": -5,
                "adjustment_date": date(2026, 3, 9),
            }
        ],
        "disputes": [
            {
                "dispute_id": "X",
                "invoice_id": "second",
                "disputed_amount": 15,
                "reason_code": "price",
                "opened_date": date(2026, 3, 6),
                "resolved_date": date(2026, 3, 20),
            }
        ],
    },
    run_dates=DAYS,
)


@pytest.mark.parametrize("book", [TURNS, read_book("recv_one_quarter")], ids=["turns", "one quarter"])
def test_each_date_of_many_is_as_if_it_had_been_built_alone(book: Book, tmp_path: Path) -> None:
    days = sorted(book.run_dates)
    many = built(on_dates(book, *days), tmp_path / "many")
    for day in days:
        alone = built(on_dates(book, day), tmp_path / f"{day}")
        for table in MEASURES:
            rows = [frame(build, table) for build in (many, alone)]
            found, expected = (one.filter(as_of_date=day).sort(one.columns).rows() for one in rows)
            assert found == expected, f"{table} on {day}"
            assert_frame_equal(rows[0].head(0), rows[1].head(0))
