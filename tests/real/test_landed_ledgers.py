"""Real ledgers of others load by their definitions alone, to the cent. They are shared test input, never published."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from o2c.landing import Delivery, LandingReport, land
from o2c.sources.definition import load_definition
from o2c.sources.effective import Effective, effective

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
if not DATA.is_dir():
    pytest.skip(f"real ledgers are not here: {DATA} is missing", allow_module_level=True)

# after the last date in any of the ledgers
LOADED_AT = datetime(2036, 1, 1, tzinfo=UTC)


class Memory:
    def history(self, source: str) -> list[Delivery]:
        return []

    def record(self, delivery: Delivery) -> None:
        return


def landed(definition: Path, folder: Path, data_root: Path = DATA) -> LandingReport:
    return land(load_definition(definition, data_root), folder, Memory(), LOADED_AT)


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory) -> dict[str, tuple[LandingReport, Effective]]:
    folder = tmp_path_factory.mktemp("landing")
    found = {}
    for name in ("ibm_late_payments", "highradius", "highradius_raw_dmy", "molonglo_guild", "xero"):
        report = landed(ROOT / "sources" / f"{name}.yml", folder)
        report.require_no_refusals()
        found[name] = (report, effective([report], folder))
    return found


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((DATA / "expectations" / "ledgers.json").read_text())


def table(ledgers: dict, source: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(ledgers[source][1].tables[name])


def problem_counts(ledgers: dict, source: str) -> dict[tuple[str, str, str], int]:
    whole = pl.concat([pl.read_parquet(path) for path in ledgers[source][1].rejected_paths])
    counted = whole.group_by("table_name", "severity", "reason_code").len()
    return {row[:3]: row[3] for row in counted.rows()}


def test_ibm_loads_whole(ledgers, expected):
    facts = expected["ibm"]
    invoices, payments = (
        table(ledgers, "ibm_late_payments", "invoices"),
        table(ledgers, "ibm_late_payments", "payments"),
    )

    assert invoices.height == payments.height == facts["rows"]
    assert (
        invoices["invoice_amount"].sum() == payments["payment_amount"].sum() == Decimal(facts["total_amount"])
    )
    assert table(ledgers, "ibm_late_payments", "customers").height == facts["customers"]
    assert table(ledgers, "ibm_late_payments", "disputes").height == facts["disputed_rows"]
    assert invoices["invoice_number"].str.starts_with("0").sum() == facts["invoice_numbers_with_leading_zero"]
    assert payments["reference_text"].is_in(invoices["invoice_number"].implode()).all()
    assert problem_counts(ledgers, "ibm_late_payments") == {}


@pytest.mark.parametrize("day", ["2012-06-30", "2012-12-31"])
def test_ibm_open_amounts_tie_at_a_date(ledgers, expected, day):
    invoices = table(ledgers, "ibm_late_payments", "invoices")
    payments = table(ledgers, "ibm_late_payments", "payments").select("reference_text", "value_date")
    as_of = datetime.fromisoformat(day).date()
    books = invoices.join(payments, left_on="invoice_number", right_on="reference_text", validate="1:1")

    still_open = books.filter(pl.col("invoice_date") <= as_of, pl.col("value_date") > as_of)

    facts = expected["ibm"]["as_of"][day]
    assert (still_open.height, str(still_open["invoice_amount"].sum().quantize(Decimal("0.01")))) == (
        facts["open_items"],
        facts["open_amount"],
    )


def test_highradius_keeps_zeros_and_counts_what_it_rounds(ledgers):
    report, found = ledgers["highradius"]
    invoices = table(ledgers, "highradius", "invoices")

    assert (invoices.height, invoices["invoice_amount"].sum()) == (9681, Decimal("310427859.02"))
    assert invoices["customer_id"].str.starts_with("0").sum() == 8866
    assert not invoices["invoice_id"].str.contains(".", literal=True).any()
    uses = {"strip_suffix.invoice_id": 9681, "strip_suffix.invoice_number": 9681, "round.invoice_amount": 631}
    assert report.totals()["invoices"].uses == uses
    assert {check.check_name: check.actual for check in found.checks}[
        "landing.round.highradius.invoices.invoice_amount"
    ] == "631"
    assert problem_counts(ledgers, "highradius") == {("invoices", "warning", "due_before_invoice_date"): 27}


def test_the_spreadsheet_copy_reports_what_was_lost(ledgers, expected):
    facts = expected["highradius_a_excel_roundtrip"]
    counts = problem_counts(ledgers, "highradius_raw_dmy")

    assert (
        counts[("invoices", "warning", "leading_zeros_lost")] == facts["rows_cust_number_lost_leading_zeros"]
    )
    dates = ["invoice_id", "invoice_date", "due_date"]
    original = table(ledgers, "highradius", "invoices").select(dates).sort("invoice_id")
    assert table(ledgers, "highradius_raw_dmy", "invoices").select(dates).sort("invoice_id").equals(original)


def test_the_swapped_copy_is_refused(tmp_path):
    report = landed(ROOT / "sources" / "highradius_predicted_dates_swapped.yml", tmp_path)

    (refusal,) = report.refusals
    assert "3481 of 9681 due dates are before the invoice date, more than the 1" in refusal.says
    assert report.landed == []


def test_a_comparison_by_document_finds_the_swapped_dates(ledgers, expected, tmp_path):
    text = (ROOT / "sources" / "highradius_predicted_dates_swapped.yml").read_text()
    lenient = tmp_path / "lenient.yml"
    lenient.write_text('max_implausible_ratio: "1"\n' + text)
    report = landed(lenient, tmp_path / "landing")
    (swapped,) = [part for part in report.landed if part.table == "invoices"]
    original = table(ledgers, "highradius", "invoices").select("invoice_id", "due_date")

    both = original.join(pl.read_parquet(swapped.path), on="invoice_id", validate="1:1", suffix="_swapped")
    differing = both.filter(pl.col("due_date") != pl.col("due_date_swapped"))

    is_swapped = (pl.col("due_date").dt.day() == pl.col("due_date_swapped").dt.month()) & (
        pl.col("due_date").dt.month() == pl.col("due_date_swapped").dt.day()
    )
    facts = expected["highradius_a_excel_roundtrip"]
    assert both.height == 9681
    assert differing.filter(is_swapped).height == differing.height
    assert differing.height == facts["rows_with_due_date_day_month_swapped_in_predicted_dates_swapped"]


def test_molonglo_is_cleaned_as_stated(ledgers, expected):
    facts = expected["molonglo"]
    report, _ = ledgers["molonglo_guild"]
    invoices, payments = (
        table(ledgers, "molonglo_guild", "invoices"),
        table(ledgers, "molonglo_guild", "payments"),
    )
    gross, paid = invoices["invoice_amount"].sum(), payments["payment_amount"].sum()

    assert report.totals()["invoices"].skipped == {"exact_duplicate": facts["exact_duplicate_rows"]}
    assert invoices.height == facts["invoices_after_dedup"]
    assert (gross, paid, gross - paid) == (
        Decimal(facts["gross_after_dedup"]),
        Decimal(facts["paid_after_dedup"]),
        Decimal(facts["open_after_dedup"]),
    )
    customers = table(ledgers, "molonglo_guild", "customers")
    assert (customers.height, report.totals()["customers"].skipped) == (
        facts["customers_distinct"],
        {"one_per": facts["duplicate_customer_ids"]},
    )
    assert problem_counts(ledgers, "molonglo_guild") == {
        ("invoices", "warning", "unknown_customer"): 1,
        ("invoices", "warning", "due_before_invoice_date"): facts["due_before_issue_after_dedup"],
        ("payments", "warning", "paid_before_invoice_date"): facts["paid_before_issue_after_dedup"],
    }


def test_xero_balances_stand_per_currency(ledgers, expected):
    facts = expected["xero_seed"]["by_currency"]
    invoices, payments = table(ledgers, "xero", "invoices"), table(ledgers, "xero", "payments")

    assert invoices.filter(status="cancelled").height == 1
    assert table(ledgers, "xero", "customers").height == expected["xero_seed"]["contacts"]
    for currency in ("GBP", "USD"):
        own, paid = invoices.filter(currency_code=currency), payments.filter(currency_code=currency)
        cancelled = own.filter(status="cancelled")["invoice_amount"].sum()
        assert (own.height, own["invoice_amount"].sum()) == (
            facts[currency]["n"],
            Decimal(facts[currency]["total"]),
        )
        assert paid["payment_amount"].sum() == Decimal(facts[currency]["paid"])
        open_amount = own["invoice_amount"].sum() - cancelled - paid["payment_amount"].sum()
        assert open_amount == Decimal(facts[currency]["due"])
    assert payments["reference_text"].is_in(invoices["invoice_number"].implode()).all()


@pytest.mark.parametrize(
    ("name", "root", "loaded"),
    [
        ("cassandra", "shape_samples", {"customers": 24, "invoices": 25, "payments": 25, "entities": 1}),
        (
            "unicorn",
            "shape_samples",
            {"customers": 8, "contacts": 8, "invoices": 25, "payment_applications": 25, "entities": 1},
        ),
        ("highradius_b", "shape_samples", {"entities": 3, "customers": 19, "invoices": 25}),
        (
            "sap_s4_o2c",
            "shape_samples",
            {
                "entities": 1,
                "customers": 3,
                "orders": 3,
                "invoices": 3,
                "payments": 3,
                "payment_applications": 3,
            },
        ),
        ("sap_bestrun", ".", {"customers": 40, "orders": 3699}),
        ("quickbooks", ".", {"customers": 5, "invoices": 17, "payments": 12, "payment_applications": 12}),
        ("stripe", ".", {"customers": 12, "invoices": 2, "payments": 0}),
    ],
)
def test_other_ledgers_attach_by_a_definition_alone(tmp_path, name, root, loaded):
    report = landed(ROOT / "tests" / "ledgers" / "definitions" / f"{name}.yml", tmp_path, DATA / root)

    report.require_no_refusals()
    assert {table: counts.loaded for table, counts in report.totals().items()} == loaded
    assert sum(counts.rejected for counts in report.totals().values()) == 0


def test_a_decimal_comma_and_repeated_orders_add_up(tmp_path):
    report = landed(ROOT / "tests" / "ledgers" / "definitions" / "sap_bestrun.yml", tmp_path)
    (orders,) = [part for part in report.landed if part.table == "orders"]
    raw = pl.read_csv(DATA / "sap_bestrun" / "Sales" / "SalesOrders.csv", separator=";", infer_schema=False)

    assert (
        pl.read_parquet(orders.path)["order_amount"].sum() == raw["GROSSAMOUNT"].cast(pl.Decimal(18, 4)).sum()
    )
    assert orders.counts.skipped == {"one_per": 5166 - 3699}
