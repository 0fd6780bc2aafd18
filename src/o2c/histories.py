"""What earlier runs published or sent, for the marts that tell how it turned out."""

from datetime import date, datetime

import polars as pl

from o2c.frames import ForecastHistory
from o2c.home import Home
from o2c.ledger import Ledger

LETTER_COLUMNS = (
    "letter_id", "kind", "entity_id", "customer_id", "currency_code", "level", "state", "decided_as_of_date",
    "sent_date",
)  # fmt: skip


def forecasts_between(home: Home, first: date, before: date) -> pl.DataFrame:
    """Cash forecasts as they were published for the dates from the first on, before the other.

    A forecast is held against what came as it was made, not as it would be made today: published history is read, and
    not the build.

    Returns:
        ForecastHistory, sorted by its key; no rows where nothing was published.
    """
    files = sorted(
        path
        for path in (home.published / "history" / "receivables.fct_cash_forecast").glob("*.parquet")
        if first.isoformat() <= path.stem < before.isoformat()
    )
    key = ["as_of_date", "week_start_date", "entity_id", "currency_code"]
    rows = [pl.read_parquet(path, columns=ForecastHistory.columns()) for path in files]
    return ForecastHistory.validate(pl.concat([ForecastHistory.empty(), *rows]).sort(key))


def letters_before(ledger: Ledger, as_of: date, known_at: datetime | None = None) -> pl.DataFrame:
    """Letters decided before a date, with the day each left, sorted by id; addresses stay in the ledger.

    Args:
        known_at: without those that left after this instant; by default all.
    """
    letters, _ = ledger.letters_before(as_of, known_at)
    return letters.select(LETTER_COLUMNS).sort("letter_id")
