"""One row per key out of many, by a declared choice that does not depend on the order of rows."""

import polars as pl

from o2c.contract import POLARS_TYPES, Table
from o2c.sources.model import OnePer


class Gathering:
    """Distinct rows with how often and where first they stand; small, however long the file is."""

    def __init__(self, table: Table, one_per: OnePer) -> None:
        self._table, self._how = table, one_per
        self._distinct: pl.DataFrame | None = None
        self._names = [name for name in table.names if name not in one_per.sum]

    def add(self, rows: pl.DataFrame) -> None:
        """One batch of mapped rows with their lines."""
        grouped = self._grouped(rows.with_columns(row_count=pl.lit(1, dtype=pl.Int64)))
        self._distinct = (
            grouped if self._distinct is None else self._grouped(pl.concat([self._distinct, grouped]))
        )

    def chosen(self) -> tuple[pl.DataFrame, int]:
        """One row per key, and how many others were left out or added into it.

        Sums never mix currencies: a key with two currencies keeps two rows, which then collide and are rejected.
        """
        if self._distinct is None:
            return pl.DataFrame(schema=self._table.schema | {"_line": pl.Int64()}), 0
        total = int(self._distinct["row_count"].sum())
        key = list(self._how.key)
        if self._how.sum and "currency_code" in self._names and "currency_code" not in key:
            key.append("currency_code")
        order, descending = self._order()
        best = self._distinct.sort(order, descending=descending, nulls_last=True)
        best = best.unique(key, keep="first", maintain_order=True)
        if self._how.sum:
            summed = self._distinct.group_by(key).agg(
                *(pl.col(name).sum().cast(self._table.schema[name]) for name in self._how.sum),
                pl.col("_line").min(),
            )
            best = best.drop(*self._how.sum, "_line").join(summed, on=key, how="left", nulls_equal=True)
        rows = best.sort("_line").select(*self._table.names, "_line")
        return rows, total - rows.height

    def _grouped(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.group_by(self._names).agg(
            *(pl.col(name).sum().cast(POLARS_TYPES[self._table[name].kind]) for name in self._how.sum),
            pl.col("_line").min(),
            pl.col("row_count").sum(),
        )

    def _order(self) -> tuple[list[str], list[bool]]:
        """What decides, best first; then the content itself, so that ties have one answer."""
        by = list(self._how.by)
        rest = [name for name in self._names if name not in {*by, *self._how.key}]
        first = ["row_count", *by] if self._how.keep == "most_frequent" else [*by]
        down = (
            [True] + [False] * len(by)
            if self._how.keep == "most_frequent"
            else [self._how.keep == "largest"] * len(by)
        )
        return first + rest, down + [False] * len(rest)
