"""What earlier runs published and sent is read as it was, and of the days that are asked for."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from ledger_rows import DAY, letter, put
from polars.testing import assert_frame_equal

from o2c.frames import ForecastHistory
from o2c.histories import LETTER_COLUMNS, forecasts_between, letters_before
from o2c.home import Home, open_home
from o2c.ledger import Ledger
from o2c.warehouse import RUN_TABLES


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = open_home(tmp_path / "home")
    (home.root / "releases" / "one").mkdir(parents=True)
    home.published.symlink_to("releases/one")
    return home


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.engine.dispose()


def forecast(day: date, *weeks: int) -> pl.DataFrame:
    rows = [
        {
            "as_of_date": day,
            "week_start_date": date(2026, 3, 2) + timedelta(weeks=week - 1),
            "entity_id": "E1",
            "currency_code": "EUR",
            "week_number": week,
            "is_beyond_horizon": False,
            "expected_amount": Decimal(100 + week),
            "low_amount": Decimal(50),
            "high_amount": Decimal(200),
        }
        for week in weeks
    ]
    return pl.DataFrame(rows, schema=ForecastHistory.empty().schema)


def publish(home: Home, day: date, *weeks: int) -> None:
    """As a run leaves it: with a column more, and weeks in any order."""
    folder = home.published / "history" / "receivables.fct_cash_forecast"
    folder.mkdir(parents=True, exist_ok=True)
    frame = forecast(day, *weeks).with_columns(promised_amount=pl.lit(Decimal(1)))
    frame.write_parquet(folder / f"{day.isoformat()}.parquet")


def test_forecasts_of_the_first_day_count_and_those_of_the_last_do_not(home: Home) -> None:
    days = [date(2026, 2, day) for day in (8, 9, 15, 16)]
    for day in days:
        publish(home, day, 2, 1)
    found = forecasts_between(home, days[1], days[3])
    assert_frame_equal(found, pl.concat([forecast(days[1], 1, 2), forecast(days[2], 1, 2)]))


def test_before_anything_was_published_there_is_no_forecast(home: Home) -> None:
    assert_frame_equal(forecasts_between(home, date(2025, 1, 1), date(2026, 1, 1)), ForecastHistory.empty())


def test_letters_of_earlier_days_come_with_the_day_they_left_and_without_their_address(
    ledger: Ledger,
) -> None:
    put(
        ledger.engine,
        letter("b", state="cancelled"),
        letter("a", state="sent"),
        letter("c", decided_as_of_date=DAY + timedelta(days=1)),
    )
    found = letters_before(ledger, DAY + timedelta(days=1))
    assert found.columns == list(LETTER_COLUMNS)
    assert found.select("letter_id", "customer_id", "level", "state", "sent_date").rows() == [
        ("a", "C-a", 1, "sent", DAY),
        ("b", "C-b", 1, "cancelled", None),
    ]


def test_the_build_has_a_table_for_each(home: Home, ledger: Ledger) -> None:
    assert list(RUN_TABLES["raw.forecast_history"]) == ForecastHistory.columns()
    assert list(RUN_TABLES["raw.letter_history"]) == letters_before(ledger, DAY).columns
