"""Work on a column that repeats itself, done once for each of its distinct texts."""

from collections.abc import Callable

import polars as pl

# A column is taken to repeat itself when its first rows do. A wrong guess costs time, never a value.
_LOOKED_AT, _REPEATS = 2_048, 1_024


def by_distinct(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """``read`` of the texts, row by row; it sees each text once where they repeat. Null stays null.

    Args:
        texts: text.
        read: makes one value of one text, without regard to the others.
    """
    if len(texts) <= _LOOKED_AT or texts.head(_LOOKED_AT).n_unique() > _REPEATS:
        return read(texts)
    distinct = texts.unique().drop_nulls()
    if len(distinct) > len(texts) // 4:
        return read(texts)
    return read(distinct).gather(texts.cast(pl.Enum(distinct)).to_physical())
