"""A past date comes beside what is published, in one switch; the release stays of its own date."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from o2c.dated_release import prepare_dates
from o2c.home import Home, open_home
from o2c.publish import Mart, prepare_release, risk_before, switch_to
from o2c.warehouse import connect

MARCH, APRIL, MAY = date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)
AGING = Mart("receivables.fct_ar_aging", ("as_of_date", "customer_id"))
FORECAST = Mart("receivables.fct_cash_forecast", ("as_of_date", "week"))
KPIS = Mart("receivables.fct_ar_kpis", ("as_of_date", "entity_id"))
INVOICES = Mart("receivables.fct_invoices", ("invoice_id",))
DECISIONS = Mart("collections.fct_dunning_decisions", ("as_of_date", "customer_id"))
COVERAGE = Mart("collections.fct_coverage", ("as_of_date", "entity_id"))
MARTS = [AGING, FORECAST, KPIS, INVOICES, DECISIONS, COVERAGE]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "it's home")


def build(home: Home, tag: int, *days: date) -> Path:
    """A build of six marts for some dates, the KPIs with month ends besides; every row carries the tag of its run."""
    path = home.root / f"build-{tag}.duckdb"
    with connect(path, threads=1) as con:
        con.execute("create schema receivables; create schema collections")
        con.execute(f"create table receivables.fct_invoices as select 'INV-1' as invoice_id, {tag} as tag")
        for mart in MARTS:
            if "as_of_date" in mart.key:
                shown = {*days, MARCH} if mart is KPIS else days
                rows = ", ".join(f"(date '{day}', 'x', {tag})" for day in sorted(shown))
                con.execute(
                    f"create table {mart.name} as from (values {rows}) as t (as_of_date, {mart.key[1]}, tag)"
                )
    return path


def publish(home: Home, tag: int, day: date) -> None:
    switch_to(prepare_release(build(home, tag, day), MARTS, home, f"release-{tag}", [day]), home)


def put_beside(home: Home, tag: int, *days: date, rewrites: bool, marts: list[Mart] = MARTS) -> None:
    release = prepare_dates(
        build(home, tag, *days), marts, home, f"release-{tag}", list(days), rewrites_history=rewrites
    )
    switch_to(release, home)


def tags(home: Home, mart: Mart) -> list[tuple]:
    columns = "as_of_date, tag" if "as_of_date" in mart.key else "tag"
    with connect(home.published / "o2c.duckdb", read_only=True) as con:
        return con.execute(f"select {columns} from {mart.name} order by all").fetchall()


def kept(home: Home, mart: Mart) -> dict[str, int]:
    files = (home.published / "history" / mart.name).glob("*.parquet")
    return {file.stem: pl.read_parquet(file)["tag"].item() for file in files}


def test_a_date_that_has_no_history_gets_one_and_nothing_else_moves(home: Home) -> None:
    publish(home, 1, MAY)
    put_beside(home, 2, APRIL, rewrites=False)
    assert {mart.name: tags(home, mart) for mart in MARTS} == {
        AGING.name: [(APRIL, 2), (MAY, 1)],
        FORECAST.name: [(APRIL, 2), (MAY, 1)],
        KPIS.name: [(MARCH, 1), (APRIL, 2), (MAY, 1)],
        INVOICES.name: [(1,)],
        DECISIONS.name: [(MAY, 1)],
        COVERAGE.name: [(MAY, 1)],
    }
    assert kept(home, AGING) == {str(APRIL): 2, str(MAY): 1}
    assert kept(home, DECISIONS) == {str(MAY): 1}
    kpis = pl.read_parquet(home.published / "parquet" / f"{KPIS.name}.parquet")
    assert kpis.select("as_of_date", "tag").rows() == tags(home, KPIS)


def test_what_was_kept_of_a_date_is_replaced_only_on_purpose(home: Home) -> None:
    publish(home, 1, APRIL)
    publish(home, 2, MAY)
    put_beside(home, 3, APRIL, rewrites=False)
    assert (tags(home, AGING), kept(home, AGING)) == (
        [(APRIL, 1), (MAY, 2)],
        {str(APRIL): 1, str(MAY): 2},
    )
    assert tags(home, KPIS) == [(MARCH, 2), (APRIL, 3), (MAY, 2)]
    put_beside(home, 4, APRIL, rewrites=True)
    assert tags(home, AGING) == [(APRIL, 4), (MAY, 2)]
    assert kept(home, FORECAST) == {str(APRIL): 1, str(MAY): 2}
    assert kept(home, DECISIONS) == {str(APRIL): 1, str(MAY): 2}


def test_many_dates_come_at_once_and_tables_that_are_not_there_are_made(home: Home) -> None:
    publish(home, 1, MAY)
    new = Mart("receivables.fct_new", ("as_of_date", "entity_id"))
    path = build(home, 2, MARCH, APRIL)
    with connect(path) as con:
        con.execute("create table receivables.fct_new as select as_of_date, 'x' as entity_id, tag"
                    " from receivables.fct_ar_aging")  # fmt: skip
    release = prepare_dates(path, [AGING, new], home, "many", [MARCH, APRIL], rewrites_history=True)
    assert tags(home, AGING) == [(MAY, 1)]
    switch_to(release, home)
    assert tags(home, AGING) == [(MARCH, 2), (APRIL, 2), (MAY, 1)]
    assert tags(home, new) == [(MARCH, 2), (APRIL, 2)]


def test_the_release_before_keeps_its_own_files(home: Home) -> None:
    publish(home, 1, APRIL)
    publish(home, 2, MAY)
    before = home.published.resolve()
    files = {path: path.read_bytes() for path in before.rglob("*.parquet")}
    put_beside(home, 3, APRIL, rewrites=True)
    assert {path: path.read_bytes() for path in before.rglob("*.parquet")} == files
    with connect(before / "o2c.duckdb", read_only=True) as con:
        assert con.execute("select tag from receivables.fct_ar_aging where as_of_date = ?", [APRIL]).fetchall() == [
            (1,)
        ]  # fmt: skip


def test_a_first_release_without_decisions_has_history_of_measures_alone(home: Home) -> None:
    path = build(home, 1, MARCH, APRIL)
    release = prepare_release(path, MARTS, home, "first", [MARCH, APRIL], decides=False)
    switch_to(release, home)
    assert kept(home, AGING) == {str(MARCH): 1, str(APRIL): 1}
    assert kept(home, DECISIONS) == {}


def test_a_day_as_a_whole_has_no_history_of_later_days(home: Home) -> None:
    publish(home, 1, MARCH)
    publish(home, 2, MAY)
    whole = prepare_release(build(home, 3, APRIL), MARTS, home, "whole", [APRIL], below=home.root / "run")
    assert whole == home.root / "run" / "whole"
    names = sorted(path.stem for path in (whole / "history" / AGING.name).iterdir())
    assert names == [str(MARCH), str(APRIL)]


def test_risk_of_other_dates_is_read_where_aging_and_segments_were_published(home: Home) -> None:
    history = home.published / "history"
    aging, segments = history / "receivables.fct_ar_aging", history / "core.fct_customer_segments"
    for folder in (aging, segments):
        folder.mkdir(parents=True)
    for day in (MARCH, APRIL):
        pl.DataFrame(
            {
                "as_of_date": [day] * 3,
                "entity_id": ["E", "E", "F"],
                "customer_id": ["bad", "good", "unknown"],
                "currency_code": ["EUR"] * 3,
                "open_amount": ["30.50", "70", "5"],
            },
            schema_overrides={"as_of_date": pl.Date},
        ).with_columns(pl.col("open_amount").cast(pl.Decimal(18, 4))).write_parquet(aging / f"{day}.parquet")
    pl.DataFrame({"customer_id": ["bad", "good"], "risk_class": ["high", "medium"]}).write_parquet(
        segments / f"{MARCH}.parquet"
    )
    found = risk_before(home, [MAY, APRIL, MARCH])
    assert [tuple(str(value) for value in row) for row in found.rows()] == [
        ("2026-03-31", "E", "EUR", "30.5000", "100.5000"),
        ("2026-03-31", "F", "EUR", "0.0000", "5.0000"),
    ]
