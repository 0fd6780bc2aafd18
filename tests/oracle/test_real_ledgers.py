"""Three real ledgers month by month: by hand, by the models, and at their ends as an independent reading found them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from comparison import TABLES, Build, built, differences, published, worked_out

from o2c.landing import Delivery, land
from o2c.settings import PROJECT
from o2c.sources.definition import load_definition
from o2c.sources.effective import effective

DATA = PROJECT.parent / "shared" / "data"
if not DATA.is_dir():
    pytest.skip(f"real ledgers are not here: {DATA} is missing", allow_module_level=True)

EXPECTED = json.loads((DATA / "expectations" / "ledgers.json").read_text())
RUN_DATES = {
    "ibm_late_payments": [date(2012, 6, 30), date(2012, 12, 31)],
    "molonglo_guild": [date(2025, 6, 30), date(2026, 12, 31)],
    "xero": [date(2021, 6, 30), date(2021, 12, 31)],
}


class Memory:
    """A ledger that has seen nothing yet."""

    def history(self, source: str) -> list[Delivery]:
        return []

    def record(self, delivery: Delivery) -> None:
        return


class Real(NamedTuple):
    """One real ledger: what was built of it, and its figures by hand."""

    name: str
    build: Build
    by_hand: dict[str, dict[tuple, tuple]]


def rows_of(name: str, folder: Path) -> dict[str, list[dict]]:
    """The ledger's rows by table, landed by its definition."""
    report = land(
        load_definition(PROJECT / "sources" / f"{name}.yml", DATA),
        folder,
        Memory(),
        datetime(2036, 1, 1, tzinfo=UTC),
    )
    report.require_no_refusals()
    return {
        table: pl.read_parquet(path).select(pl.exclude("^_.*$")).to_dicts()
        for table, path in effective([report], folder).tables.items()
    }


@pytest.fixture(scope="module", params=RUN_DATES)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    folder = tmp_path_factory.mktemp(request.param)
    tables = rows_of(request.param, folder)
    build = built(tables, RUN_DATES[request.param], folder / "book")
    return Real(request.param, build, worked_out([tables], build))


@pytest.mark.parametrize("subject", TABLES)
def test_real_ledgers_have_the_figures_of_the_definitions(real: Real, subject: str) -> None:
    by_hand = real.by_hand[subject]
    assert by_hand
    wrong = differences(TABLES[subject], by_hand, published(real.build, TABLES[subject]))
    assert [told for _, told in wrong] == []


def stated(name: str) -> dict[str, tuple[Decimal, ...]]:
    """Invoiced, collected and open per currency, as found without us. What Xero deleted is in its total alone."""
    if name == "molonglo_guild":
        facts = EXPECTED["molonglo"]
        totals = (facts["gross_after_dedup"], facts["paid_after_dedup"], facts["open_after_dedup"])
        return {"AUD": tuple(map(Decimal, totals))}
    found = {}
    for code, amounts in EXPECTED["xero_seed"]["by_currency"].items():
        paid, due = Decimal(amounts["paid"]), Decimal(amounts["due"])
        found[code] = (paid + due, paid, due)
    return found


def test_months_follow_each_other_to_what_was_found_without_us(real: Real) -> None:
    """Opening at nothing, month by month, to what is open at the end."""
    rows = published(real.build, TABLES["rollforward"])
    found = {}
    for code in {key[2] for key in rows}:
        months = [row for key, row in sorted(rows.items()) if key[2] == code]
        assert months[0][0] == 0
        assert [row[0] for row in months[1:]] == [row[-1] for row in months[:-1]]
        found[code] = (sum(row[1] for row in months), sum(row[3] for row in months), months[-1][-1])
    if real.name != "ibm_late_payments":
        assert found == stated(real.name)
        return
    names = ("month_opening_ar", "month_invoiced", "month_collected", "month_closing_ar")
    for day, facts in EXPECTED["ibm"]["as_of"].items():
        opening, invoiced, _, collected, *_, closing = rows["IBM", date.fromisoformat(day), "USD"]
        assert (opening, invoiced, collected, closing) == tuple(Decimal(facts[name]) for name in names)
