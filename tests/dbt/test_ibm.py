"""A real ledger, loaded by hand: payments out of settled dates, against figures that were computed without us."""

import csv
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from customer_books import Book
from receivables_books import built, read

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
LEDGER = SHARED / "ibm_late_payments" / "WA_Fn-UseC_-Accounts-Receivable.csv"
BUCKETS = {"current": "current", "1-30": "d1_30", "31-60": "d31_60", "61-90": "d61_90", "over 90": "d91_plus"}

pytestmark = pytest.mark.skipif(not LEDGER.exists(), reason=f"{LEDGER} is not there")


def day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 a day has no zone


@pytest.fixture(scope="module")
def ibm(tmp_path_factory) -> Path:
    with LEDGER.open(newline="") as file:
        rows = list(csv.DictReader(file))
    common = [
        {
            "entity_id": "IBM",
            "customer_id": row["customerID"],
            "currency_code": "USD",
            "id": row["invoiceNumber"],
        }
        for row in rows
    ]
    pairs = list(zip(common, rows, strict=True))

    def only(known: dict[str, str], *names: str) -> dict[str, str]:
        return {name: known[name] for name in names}

    tables = {
        "invoices": [
            only(known, "entity_id", "customer_id", "currency_code")
            | {"invoice_id": known["id"], "invoice_number": known["id"], "document_type": "invoice"}
            | {"invoice_date": day(row["InvoiceDate"]), "due_date": day(row["DueDate"])}
            | {"invoice_amount": row["InvoiceAmount"]}
            for known, row in pairs
        ],
        "payments": [
            only(known, "entity_id", "customer_id", "currency_code")
            | {"payment_id": f"P{known['id']}", "value_date": day(row["SettledDate"])}
            | {"payment_amount": row["InvoiceAmount"]}
            for known, row in pairs
        ],
        "payment_applications": [
            {"application_id": f"A{known['id']}", "payment_id": f"P{known['id']}", "invoice_id": known["id"]}
            | {"application_date": day(row["SettledDate"]), "applied_amount": row["InvoiceAmount"]}
            | {"application_type": "payment"}
            for known, row in pairs
        ],
        "disputes": [
            {
                "dispute_id": f"D{known['id']}",
                "invoice_id": known["id"],
                "disputed_amount": row["InvoiceAmount"],
            }
            | {"reason_code": "unknown", "opened_date": day(row["InvoiceDate"])}
            for known, row in pairs
            if row["Disputed"] == "Yes"
        ],
    }
    month_ends = [date(2012, month, 1) - timedelta(days=1) for month in range(2, 13)]
    book = Book(tables, [date(2012, 6, 30), date(2012, 12, 31)], month_ends, group_currency_code="USD")
    return built(book, tmp_path_factory.mktemp("ibm") / "book")


@pytest.mark.parametrize("as_of", ["2012-06-30", "2012-12-31"])
def test_the_ledger_says_what_was_computed_without_us(ibm, as_of):
    expected = json.loads((SHARED / "expectations" / "ledgers.json").read_text())["ibm"]["as_of"][as_of]
    on_date = f"as_of_date = date '{as_of}'"
    items = read(
        ibm,
        "receivables.fct_open_items",
        "aging_bucket, count(*), sum(open_amount), sum(disputed_amount)",
        f"{on_date} group by aging_bucket",
    )
    found = {BUCKETS[bucket]: (count, amount) for bucket, count, amount, _ in items}
    stated = {
        name: (expected["buckets_count"][name], str(Decimal(expected["buckets_amount"][name]).normalize()))
        for name in BUCKETS.values()
        if expected["buckets_count"][name]
    }
    assert found == stated
    assert sum(count for _, count, _, _ in items) == expected["open_items"]
    assert sum(Decimal(disputed) for *_, disputed in items) == Decimal(expected["disputed_open_amount"])
    aging = read(
        ibm,
        "receivables.fct_ar_aging",
        "sum(open_amount), sum(net_amount), count(oldest_days_past_due), max(oldest_days_past_due)",
        on_date,
    )
    total = str(Decimal(expected["open_amount"]).normalize())
    assert aging == [(total, total, expected["overdue_customers"], expected["oldest_days_overdue"])]


@pytest.mark.parametrize("as_of", ["2012-06-30", "2012-12-31"])
def test_key_figures_are_those_computed_without_us(ibm, as_of):
    expected = json.loads((SHARED / "expectations" / "ledgers.json").read_text())["ibm"]["as_of"][as_of]
    ((dso, effectiveness, net),) = read(
        ibm,
        "receivables.fct_ar_kpis",
        "dso_days, collection_effectiveness_ratio, closing_net_amount",
        f"as_of_date = date '{as_of}' and entity_id = 'IBM'",
    )
    assert round(Decimal(dso), 4) == Decimal(str(expected["dso_90_days"]))
    assert round(100 * Decimal(effectiveness), 4) == Decimal(str(expected["cei_month"]))
    assert Decimal(net) == Decimal(expected["month_closing_ar"])


@pytest.mark.parametrize("as_of", ["2012-06-30", "2012-12-31"])
def test_the_month_rolls_forward(ibm, as_of):
    expected = json.loads((SHARED / "expectations" / "ledgers.json").read_text())["ibm"]["as_of"][as_of]
    ((invoiced, collected),) = read(
        ibm,
        "intermediate.int_flows_daily",
        "sum(invoiced_amount), sum(collected_amount)",
        f"date_trunc('month', flow_date) = date_trunc('month', date '{as_of}')",
    )
    assert (Decimal(invoiced), Decimal(collected)) == (
        Decimal(expected["month_invoiced"]),
        Decimal(expected["month_collected"]),
    )


@pytest.mark.parametrize("as_of", ["2012-06-30", "2012-12-31"])
def test_the_roll_forward_says_so_month_by_month(ibm, as_of):
    expected = json.loads((SHARED / "expectations" / "ledgers.json").read_text())["ibm"]["as_of"][as_of]
    columns = "entity_id, opening_amount, invoiced_amount, collected_amount, closing_amount"
    rows = read(ibm, "receivables.fct_ar_rollforward", columns, f"month_end_date = date '{as_of}'")
    names = ("month_opening_ar", "month_invoiced", "month_collected", "month_closing_ar")
    stated = tuple(f"{Decimal(expected[name]).normalize():f}" for name in names)
    assert rows == [("ALL", *stated), ("IBM", *stated)]
