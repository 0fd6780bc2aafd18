"""The four real ledgers through whole runs, held against what an independent reading found."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.nightly import NightlyRun, play
from o2c.home import SourceEntry
from o2c.landing import RefusedFiles
from o2c.settings import PROJECT
from o2c.warehouse import connect

DATA = PROJECT.parent / "shared" / "data"
if not DATA.exists():
    pytest.skip(f"{DATA} is not there", allow_module_level=True)

EXPECTED = json.loads((DATA / "expectations" / "ledgers.json").read_text())
BUCKETS = {
    "current": "current_amount",
    "d1_30": "past_due_1_30_amount",
    "d31_60": "past_due_31_60_amount",
    "d61_90": "past_due_61_90_amount",
    "d91_plus": "past_due_over_90_amount",
}


def run(home: Path, source: str, as_of: date) -> Path:
    entry = SourceEntry(path=PROJECT / "sources" / f"{source}.yml", data_root=DATA)
    play(NightlyRun(home=home, sources=(entry,), as_of_date=as_of), lambda _line: None)
    return home


def rows(home: Path, query: str) -> list[dict[str, Any]]:
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query).pl().to_dicts()


@pytest.fixture(scope="module")
def ibm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home in which both dates were run, the later one first."""
    home = tmp_path_factory.mktemp("ibm") / "home"
    for day in sorted(EXPECTED["ibm"]["as_of"], reverse=True):
        run(home, "ibm_late_payments", date.fromisoformat(day))
    return home


@pytest.mark.parametrize("day", EXPECTED["ibm"]["as_of"])
def test_ibm_ages_to_the_cent(ibm: Path, day: str) -> None:
    expected = EXPECTED["ibm"]["as_of"][day]
    sums = ", ".join(f"sum({column}) as {name}" for name, column in BUCKETS.items())
    (found,) = rows(
        ibm,
        f"select {sums}, sum(open_amount) as open, sum(disputed_amount) as disputed,"
        " max(oldest_days_past_due) as oldest, count(*) filter (oldest_days_past_due > 0) as overdue_customers"
        f" from receivables.fct_ar_aging where as_of_date = '{day}'",
    )
    assert {name: found[name] for name in BUCKETS} == {
        name: Decimal(amount) for name, amount in expected["buckets_amount"].items()
    }
    assert found["open"] == Decimal(expected["open_amount"])
    assert found["disputed"] == Decimal(expected["disputed_open_amount"])
    assert found["oldest"] == expected["oldest_days_overdue"]
    assert found["overdue_customers"] == expected["overdue_customers"]


@pytest.mark.parametrize("day", EXPECTED["ibm"]["as_of"])
def test_ibm_has_the_stated_kpis(ibm: Path, day: str) -> None:
    """The home's last run was the earlier date, so the later one is asked of its own run."""
    expected = EXPECTED["ibm"]["as_of"][day]
    run(ibm, "ibm_late_payments", date.fromisoformat(day))
    (found,) = rows(
        ibm,
        "select closing_net_amount, round(dso_days, 4) as dso,"
        " round(collection_effectiveness_ratio * 100, 4) as cei"
        f" from receivables.fct_ar_kpis where as_of_date = '{day}' and entity_id = 'IBM'",
    )
    assert found["closing_net_amount"] == Decimal(expected["month_closing_ar"])
    assert found["dso"] == Decimal(str(expected["dso_90_days"]))
    assert found["cei"] == Decimal(str(expected["cei_month"]))
    (items,) = rows(
        ibm, f"select count(*) as items from receivables.fct_open_items where as_of_date = '{day}'"
    )
    assert items["items"] == expected["open_items"]


def test_highradius_totals_after_rounding_each_row_and_keeps_leading_zeros(tmp_path: Path) -> None:
    home = run(tmp_path / "home", "highradius", date(2020, 5, 31))
    (total,) = rows(
        home, "select sum(open_amount) as open, count(*) as items from receivables.fct_open_items"
    )
    assert total == {
        "open": Decimal("310427859.0200"),
        "items": EXPECTED["highradius_a_excel_roundtrip"]["rows"],
    }
    (rounded,) = rows(
        home,
        "select actual from quality.fct_run_checks where check_name like 'landing.round.%.invoice_amount'",
    )
    assert rounded["actual"] == "631"
    lost = EXPECTED["highradius_a_excel_roundtrip"]["rows_cust_number_lost_leading_zeros"]
    (zeros,) = rows(home, "select count(*) as n from receivables.fct_invoices where customer_id like '0%'")
    assert zeros["n"] == lost


def test_the_spreadsheet_copy_loads_and_says_what_was_lost(tmp_path: Path) -> None:
    home = run(tmp_path / "home", "highradius_raw_dmy", date(2020, 5, 31))
    (lost,) = rows(
        home, "select count(*) as n from quality.fct_rejected_rows where reason_code = 'leading_zeros_lost'"
    )
    assert lost["n"] == EXPECTED["highradius_a_excel_roundtrip"]["rows_cust_number_lost_leading_zeros"]


def test_the_month_first_misparse_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(RefusedFiles, match="3481 of 9681 due dates"):
        run(tmp_path / "home", "highradius_predicted_dates_swapped", date(2020, 5, 31))
    assert not (tmp_path / "home" / "published").exists()


def test_molonglo_ties_once_every_payment_is_in(tmp_path: Path) -> None:
    home = run(tmp_path / "home", "molonglo_guild", date(2026, 12, 31))
    expected = EXPECTED["molonglo"]
    (found,) = rows(
        home,
        "select count(*) as invoices, sum(invoice_amount) as gross, sum(applied_amount) as paid,"
        " sum(open_amount) as open from receivables.fct_invoices",
    )
    assert found == {
        "invoices": expected["invoices_after_dedup"],
        "gross": Decimal(expected["gross_after_dedup"]),
        "paid": Decimal(expected["paid_after_dedup"]),
        "open": Decimal(expected["open_after_dedup"]),
    }
    (unknown,) = rows(home, "select customer_id from core.dim_customers where is_stub")
    assert unknown["customer_id"] == "CUST999"


def test_xero_keeps_currencies_apart(tmp_path: Path) -> None:
    home = run(tmp_path / "home", "xero", date(2021, 12, 31))
    found = rows(
        home,
        "select currency_code, count(*) as n, sum(applied_amount) as paid, sum(open_amount) as due"
        " from receivables.fct_invoices where status <> 'cancelled' group by 1 order by 1",
    )
    expected = EXPECTED["xero_seed"]["by_currency"]
    assert {row["currency_code"]: (row["paid"], row["due"]) for row in found} == {
        code: (Decimal(amounts["paid"]), Decimal(amounts["due"])) for code, amounts in expected.items()
    }
    assert rows(home, "select count(*) as n from receivables.fct_ar_kpis where entity_id = 'ALL'") == [
        {"n": 0}
    ]
