"""What moved open receivables without a posting: documents of the release before that are gone, or are another amount.

New documents are postings, however late they came. What stood in the books on an earlier morning and no longer does
is none: the extract is short, a row was dropped, somebody changed what was posted.
"""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from o2c.contract import MONEY
from o2c.warehouse import read_frame

# Mart, its key, the amount by which a row moves net receivables, and the date from which it counts.
_DOCUMENTS = (
    ("receivables.fct_invoices", "invoice_id", "invoice_amount", "invoice_date"),
    ("receivables.fct_payments", "payment_id", "payment_amount", "value_date"),
    ("receivables.fct_adjustments", "adjustment_id", "moved_amount", "effective_date"),
)
_RAISE = ("receivables.fct_invoices",)
UNEXPLAINED = pl.DataFrame(schema={"entity_id": pl.String(), "currency_code": pl.String(), "amount": MONEY})


def unexplained_changes(con: duckdb.DuckDBPyConnection, release: Path, as_of: date) -> pl.DataFrame:
    """By how much net receivables differ from the release before by other things than new documents.

    An archived invoice that goes together with its payments changes nothing.

    Args:
        con: the build of the run, with its marts.
        release: the published release before.
        as_of: of the run; documents of later dates are left out on both sides.

    Returns:
        One row per entity_id and currency_code with a difference: amount, positive where receivables rose.
    """
    parts = [UNEXPLAINED]
    for mart, key, amount, day in _DOCUMENTS:
        file = release / "parquet" / f"{mart}.parquet"
        if not file.exists():
            continue
        columns = [key, "entity_id", "currency_code", amount, day]
        sign = 1 if mart in _RAISE else -1
        before = pl.scan_parquet(file).select(columns).filter(pl.col(day) <= as_of)
        now = read_frame(con, mart, columns).lazy().filter(pl.col(day) <= as_of)
        parts += [
            one.select("entity_id", "currency_code", amount=(pl.col(amount) * factor).cast(MONEY)).collect()
            for one, factor in ((before, -sign), (now.join(before, on=key, how="semi"), sign))
        ]
    return (
        pl.concat(parts)
        .group_by("entity_id", "currency_code")
        .agg(pl.col("amount").sum().cast(MONEY))
        .filter(pl.col("amount") != 0)
        .sort("entity_id", "currency_code")
    )
