import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from demo_files import read, unique

from o2c.contract import TABLES, Kind
from o2c.demo import DEFAULT_END

PARENTS = {
    "contacts": [("customer_id", "customers", "customer_id")],
    "installments": [("invoice_id", "invoices", "invoice_id")],
    "disputes": [("invoice_id", "invoices", "invoice_id")],
    "adjustments": [("invoice_id", "invoices", "invoice_id")],
    "payment_applications": [
        ("invoice_id", "invoices", "invoice_id"),
        ("payment_id", "payments", "payment_id"),
    ],
    "remittance_lines": [("payment_id", "payments", "payment_id")],
    "plan_lines": [("plan_id", "plans", "plan_id")],
    "promises": [("customer_id", "customers", "customer_id")],
    "activities": [
        ("customer_id", "customers", "customer_id"),
        ("collector_id", "collectors", "collector_id"),
    ],
    "customers": [("collector_id", "collectors", "collector_id")],
    "invoices": [("entity_id", "entities", "entity_id"), ("corrects_invoice_id", "invoices", "invoice_id")],
}


def fits(column, text: str) -> bool:
    """Whether a text is a value of the column, read strictly."""
    if text == "":
        return not column.required
    match column.kind:
        case Kind.CODE:
            return text in column.codes
        case Kind.CURRENCY:
            return text in {"USD", "EUR", "GBP", "CAD"}
        case Kind.DATE:
            return date.fromisoformat(text).isoformat() == text
        case Kind.INSTANT:
            return datetime.fromisoformat(text).tzinfo is not None
        case Kind.AMOUNT:
            return re.fullmatch(r"-?\d+\.\d{2}", text) is not None
        case Kind.UNSIGNED_AMOUNT:
            return re.fullmatch(r"\d+\.\d{2}", text) is not None
        case Kind.RATE | Kind.RATIO:
            return Decimal(text) > 0
        case Kind.INTEGER:
            return re.fullmatch(r"\d+", text) is not None
        case Kind.BOOLEAN:
            return text in {"true", "false"}
    return True


@pytest.mark.parametrize("table", TABLES)
def test_every_value_obeys_the_contract(small, table):
    rows, columns = read(small, table), TABLES[table].columns
    assert len(rows) > 0
    assert list(rows[0]) == TABLES[table].names
    wrong = [
        (column.name, row[column.name])
        for row in rows
        for column in columns
        if not fits(column, row[column.name])
    ]
    assert wrong == []


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_unique_once_exact_duplicates_are_gone(small, table):
    rows = unique(read(small, table))
    keys = {tuple(row[name] for name in TABLES[table].key) for row in rows}
    assert len(keys) == len(rows)


@pytest.mark.parametrize("table", PARENTS)
def test_rows_point_at_rows_that_are_there(small, table):
    for column, parent, key in PARENTS[table]:
        there = {row[key] for row in read(small, parent)} | {""}
        assert {row[column] for row in read(small, table)} - there == set()


def test_nothing_lies_after_the_end_of_the_books(small):
    plans_ahead = {
        "due_date",
        "promised_date",
        "valid_until",
        "credit_limit_valid_until",
        "discount_due_date",
    }
    for table in TABLES.values():
        days = [
            column.name
            for column in table.columns
            if column.kind is Kind.DATE and column.name not in plans_ahead
        ]
        late = [row for row in read(small, table.name) for day in days if row[day] > DEFAULT_END.isoformat()]
        assert late == []


def test_no_document_is_due_or_paid_before_its_date(small):
    invoices = {row["invoice_id"]: row for row in read(small, "invoices")}
    assert [
        row for row in invoices.values() if row["due_date"] and row["due_date"] < row["invoice_date"]
    ] == []
    applications = read(small, "payment_applications")
    assert [
        a for a in applications if a["application_date"] < invoices[a["invoice_id"]]["invoice_date"]
    ] == []


def test_no_address_can_reach_anybody(small):
    emails = [
        row["email"] for table in ("contacts", "collectors") for row in read(small, table) if row["email"]
    ]
    emails += [row["account_owner_email"] for row in read(small, "customers")]
    outside = [email for email in emails if "@" in email and not re.search(r"[@.]example\.(com|org)$", email)]
    assert outside == []
    fiction = re.compile(r"\+1\d{3}55501\d\d|\+442079460\d{3}|\+493023125\d{3}")
    assert [row["phone"] for row in read(small, "contacts") if not fiction.fullmatch(row["phone"])] == []


def test_customers_do_not_share_an_address_or_a_name(small):
    billing = [
        row["email"] for row in read(small, "contacts") if row["role"] == "billing" and "@" in row["email"]
    ]
    names = [row["customer_name"] for row in read(small, "customers")]
    assert len(set(billing)) == len(billing)
    assert len(set(names)) == len(names)
