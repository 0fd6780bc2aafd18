"""Items that an agency has, as decisions read them."""

from datetime import date

import polars as pl
from sqlalchemy import Engine, or_, select

from o2c.frames import PlacedItems
from o2c.ledger.tables import placements


class PlacementRows:
    """Reads placements."""

    _engine: Engine

    def placed_before(self, as_of: date) -> pl.DataFrame:
        """Items handed to an agency before a date, and not taken back before it (frames.PlacedItems)."""
        columns = [placements.c[name] for name in PlacedItems.columns()]
        is_there = or_(placements.c.recalled_date.is_(None), placements.c.recalled_date >= as_of)
        with self._engine.connect() as con:
            rows = [
                row._asdict()
                for row in con.execute(
                    select(*columns).where(placements.c.placed_date < as_of, is_there).order_by(*columns)
                )
            ]
        return PlacedItems.validate(pl.DataFrame(rows, schema=PlacedItems.empty().schema))
