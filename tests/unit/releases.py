"""Releases of a handful of tables, published without a run: every row and every total carries the number of its run."""

from datetime import date
from pathlib import Path

from o2c.home import Home
from o2c.mart_texts import MartText
from o2c.publish import Mart, prepare_release, switch_to
from o2c.warehouse import connect

AS_OF = date(2026, 3, 11)
KEYS = {
    "core.dim_customers": ("customer_id",),
    "receivables.fct_ar_kpis": ("as_of_date", "entity_id", "currency_code"),
    "receivables.fct_invoices": ("invoice_id",),
    "quality.fct_run_checks": ("run_id", "check_name"),
}
TEXTS = {
    "core.dim_customers": MartText(
        "core.dim_customers",
        "Who owes, it's said. One row per customer_id.",
        {"customer_id": "The party that owes.", "customer_name": "Its name; 100 % as given."},
        ("customer_id",),
    ),
    "receivables.fct_ar_kpis": MartText(
        "receivables.fct_ar_kpis",
        "Key figures. One row per as_of_date, entity_id, currency_code.",
        {"closing_open_amount": "Open debit items."},
        ("as_of_date", "entity_id", "currency_code"),
    ),
    "receivables.fct_invoices": MartText(
        "receivables.fct_invoices", "Documents. One row per invoice_id.", {}, ("invoice_id",)
    ),
    "quality.fct_run_checks": MartText(
        "quality.fct_run_checks", "Checks. One row per run_id, check_name.", {}, ("run_id", "check_name")
    ),
}


def tables_of(number: int, invoices: int = 3) -> dict[str, str]:
    """The tables of a run as queries. The open amounts of its invoices add up to its key figure."""
    return {
        "core.dim_customers": f"select 'C-1' as customer_id, 'run {number}' as customer_name",
        "receivables.fct_ar_kpis": "select date '2026-03-11' as as_of_date, 'E1' as entity_id, 'EUR' as currency_code,"
        f" cast({number * invoices} as decimal(18, 4)) as closing_open_amount",
        "receivables.fct_invoices": "select 'I-' || i as invoice_id,"
        f" cast({number} as decimal(18, 4)) as open_amount from range({invoices}) as t (i)",
        "quality.fct_run_checks": f"select 'run {number}' as run_id, 'ties' as check_name, true as passed",
    }


def release(home: Home, number: int, tables: dict[str, str] | None = None) -> Path:
    """Publish a release at home."""
    build = home.root / f"build-{number}.duckdb"
    build.unlink(missing_ok=True)
    tables = tables or tables_of(number)
    with connect(build, threads=1) as con:
        for name, query in tables.items():
            con.execute(f"create schema if not exists {name.partition('.')[0]}")
            con.execute(f"create table {name} as {query}")
    made = prepare_release(
        build, [Mart(name, KEYS[name]) for name in tables], home, f"release-{number}", [AS_OF]
    )
    switch_to(made, home)
    build.unlink()
    return made
