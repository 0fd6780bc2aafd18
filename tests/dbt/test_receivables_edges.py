"""Ledgers that are not complete, or not only ours: open amounts alone, no payments, our own applications."""

from datetime import date

import pytest
from customer_books import Book
from receivables_books import RECEIVABLES, built, frame, read

from flows import _dbt
from o2c import warehouse

AS_OF = date(2026, 3, 31)


def invoice(invoice_id: str, amount: str, dated: str = "2026-03-01", **more: object) -> dict[str, object]:
    return {
        **{"invoice_id": invoice_id, "invoice_number": invoice_id, "entity_id": "E", "customer_id": "C"},
        **{
            "document_type": "invoice",
            "invoice_date": dated,
            "due_date": "2026-03-31",
            "currency_code": "EUR",
        },
        "invoice_amount": amount,
        **more,
    }


def payment(payment_id: str, amount: str, valued: str = "2026-03-10", **more: object) -> dict[str, object]:
    return {
        **{"payment_id": payment_id, "entity_id": "E", "customer_id": "C", "value_date": valued},
        **{"currency_code": "EUR", "payment_amount": amount},
        **more,
    }


def application(
    application_id: str, payment_id: str | None, invoice_id: str, amount: str, **more: object
) -> dict:
    return {
        **{"application_id": application_id, "payment_id": payment_id, "invoice_id": invoice_id},
        **{"application_date": "2026-03-10", "applied_amount": amount, "application_type": "payment"},
        **more,
    }


def test_a_ledger_of_open_amounts_has_balances_and_no_history(tmp_path):
    book = Book(
        {"invoices": [invoice("I", "100", "2026-01-05")]}, [AS_OF], [date(2026, 1, 31)], open_items_only=True
    )
    build = built(book, tmp_path / "book")
    assert read(build, "receivables.fct_open_items", "as_of_date, invoice_id, open_amount") == [
        ("2026-03-31", "I", "100")
    ]
    columns = (
        "as_of_date, entity_id, closing_open_amount, past_due_ratio, dso_days, collection_effectiveness_ratio"
    )
    assert read(build, "receivables.fct_ar_kpis", columns) == [
        ("2026-03-31", "ALL", "100", "0", None, None),
        ("2026-03-31", "E", "100", "0", None, None),
    ]


def test_a_ledger_without_payments_rolls_forward_by_its_applications(tmp_path):
    tables = {"invoices": [invoice("I", "100")], "payment_applications": [application("A", None, "I", "30")]}
    build = built(Book(tables, [AS_OF]), tmp_path / "book")
    assert read(build, "receivables.fct_invoices", "open_amount, status") == [("70", "partly_paid")]
    assert read(
        build, "receivables.fct_ar_kpis", "closing_net_amount, weighted_days_to_pay", "entity_id = 'E'"
    ) == [("70", "9")]
    assert _dbt.run_tests(build, build.parent, "tag:ties", exclude="") == []


def test_money_that_settles_what_we_do_not_see_is_no_unapplied_cash(tmp_path):
    tables = {
        "invoices": [
            invoice("prepaid", "40", settlement="prepaid"),
            invoice("cancelled", "40", status="cancelled"),
        ],
        "payments": [payment("P", "100")],
        "payment_applications": [
            application("A", "P", "prepaid", "40"),
            application("B", "P", "before_our_books", "25"),
            application("C", "P", "cancelled", "15"),
        ],
    }
    build = built(Book(tables, [AS_OF]), tmp_path / "book")
    assert read(build, "receivables.fct_payments", "applied_amount, unapplied_amount, status") == [
        ("65", "35", "partly_applied")
    ]
    assert read(build, "receivables.fct_ar_aging", "customer_id, unapplied_amount, net_amount") == [
        ("C", "35", "-35")
    ]
    assert _dbt.run_tests(build, build.parent, "tag:ties", exclude="") == []


def test_our_own_applications_count_until_the_ledger_books_them(tmp_path):
    tables = {
        "invoices": [invoice("I", "100"), invoice("J", "50")],
        "payments": [payment("P", "150")],
        "payment_applications": [application("A", "P", "I", "100")],
    }
    build = built(Book(tables, [AS_OF]), tmp_path / "book")
    ours = warehouse.connect(build)
    for name, target, amount in (("E1", "I", "100"), ("E2", "J", "50")):
        row = {
            **{"application_id": name, "payment_id": "P", "invoice_id": target, "customer_id": "C"},
            **{
                "currency_code": "EUR",
                "application_type": "payment",
                "rule": "invoice_id",
                "explanation": "named",
            },
            **{
                "reverses_application_id": None,
                "applied_amount": amount,
                "score": "1",
                "application_date": AS_OF,
            },
        }
        ours.execute(
            f"insert into raw.engine_applications ({', '.join(row)}) values ({', '.join('?' * len(row))})",
            list(row.values()),
        )
    ours.close()
    _dbt.run_models(build, build.parent, RECEIVABLES)
    assert read(
        build, "receivables.fct_payment_applications", "application_id, invoice_id, applied_by, rule"
    ) == [
        ("A", "I", "ledger", None),
        ("E2", "J", "engine", "invoice_id"),
    ]
    assert read(build, "receivables.fct_invoices", "invoice_id, open_amount") == [("I", "0"), ("J", "0")]
    assert _dbt.run_tests(build, build.parent, "tag:ties", exclude="") == []


@pytest.mark.parametrize(
    ("applied_by_us", "refused"),
    [(False, False), (True, True)],
    ids=["the ledger's fault warns", "ours stops"],
)
def test_more_applied_than_there_is(tmp_path, applied_by_us, refused):
    build = built(
        Book({"invoices": [invoice("I", "100")], "payments": [payment("P", "120")]}, [AS_OF]), tmp_path / "b"
    )
    table = "engine_applications" if applied_by_us else "payment_applications"
    con = warehouse.connect(build)
    if not applied_by_us:
        con.execute("create or replace table raw.payment_applications as from raw.payment_applications")
    con.execute(
        f"insert into raw.{table} by name select 'A' as application_id, 'P' as payment_id, 'I' as invoice_id,"
        " date '2026-03-10' as application_date, 100.01 as applied_amount, 'payment' as application_type"
    )
    con.close()
    _dbt.run_models(build, build.parent, RECEIVABLES)
    if refused:
        with pytest.raises(
            _dbt.BuildFailed, match=r"subject_id I, whole_amount 100\.0000, applied_amount 100\.0100"
        ):
            _dbt.run_tests(build, build.parent, "tag:ties", exclude="")
    else:
        findings = _dbt.run_tests(build, build.parent, "tag:ties", exclude="")
        assert [finding.name for finding in findings] == ["assert_ledger_applies_within_amounts"]


def test_a_currency_without_a_rate_has_its_own_rows_and_no_group_row(tmp_path):
    tables = {"invoices": [invoice("I", "100"), invoice("J", "7", currency_code="USD")]}
    build = built(Book(tables, [AS_OF]), tmp_path / "book")
    assert read(build, "receivables.fct_ar_kpis", "entity_id, currency_code, closing_open_amount") == [
        ("E", "EUR", "100"),
        ("E", "USD", "7"),
    ]
    findings = _dbt.run_tests(build, build.parent, "tag:ties", exclude="")
    assert [(finding.name, finding.rows.strip()) for finding in findings] == [
        (
            "assert_currencies_have_rates",
            "as_of_date 2026-03-31, currency_code USD, open_amount 7.0000, item_count 1",
        )
    ]


def test_large_amounts_keep_their_cents(tmp_path):
    tables = {"invoices": [invoice("I", "99999999999.99", due_date="2026-03-01"), invoice("J", "0.01")]}
    build = built(Book(tables, [AS_OF]), tmp_path / "book")
    columns = "closing_net_amount, past_due_amount, dso_days, past_due_ratio"
    assert read(build, "receivables.fct_ar_kpis", columns, "entity_id = 'E'") == [
        ("100000000000", "99999999999.99", "90", "1")
    ]


def test_the_same_book_twice_gives_the_same_rows(tmp_path):
    tables = {
        "invoices": [invoice(f"I{n}", f"{n}.{n:02}") for n in range(1, 40)],
        "payments": [payment(f"P{n}", f"{n}.00") for n in range(1, 40, 3)],
        "payment_applications": [application(f"A{n}", f"P{n}", f"I{n}", f"{n}.00") for n in range(1, 40, 3)],
    }
    first = built(Book(tables, [AS_OF]), tmp_path / "first")
    shuffled = {name: list(reversed(rows)) for name, rows in tables.items()}
    second = built(Book(shuffled, [AS_OF]), tmp_path / "second")
    for table in ("fct_invoices", "fct_open_items", "fct_ar_aging", "fct_payments", "fct_ar_kpis"):
        one, other = (
            frame(build, f"receivables.{table}").drop("file_id", "line", strict=False)
            for build in (first, second)
        )
        assert one.sort(one.columns).equals(other.sort(one.columns))
