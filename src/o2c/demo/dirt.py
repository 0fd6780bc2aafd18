"""Faults as ledgers really have them, at measured rates (PROFILE §7.7). All by hash of the row's own id, so that an
extract of another morning has the same faults in the same rows."""

from dataclasses import dataclass, fields

import polars as pl

from o2c.demo.draws import Draws


@dataclass(frozen=True)
class Dirt:
    """Shares of rows with a fault. The first two leave a file within the contract: rows are skipped or warned of."""

    duplicated_rows: float = 0.02
    blank_due_dates: float = 0.05
    due_before_invoice: float = 0.0
    # These need a definition that says how to read the file; only text files can have them.
    second_date_spelling: float = 0.0
    month_first_dates: float = 0.0
    lost_leading_zeros: float = 0.0

    def __post_init__(self) -> None:
        wrong = [field.name for field in fields(self) if not 0 <= getattr(self, field.name) <= 1]
        if wrong:
            raise ValueError(f"dirt not accepted: {', '.join(wrong)} must be a share between 0 and 1")


CLEAN = Dirt(duplicated_rows=0.0, blank_due_dates=0.0)
WITHIN_CONTRACT = Dirt()
AS_MEASURED = Dirt(
    due_before_invoice=0.003, second_date_spelling=0.04, month_first_dates=0.027, lost_leading_zeros=0.25
)


def soil(table: str, rows: pl.DataFrame, dirt: Dirt, draws: Draws) -> pl.DataFrame:
    """Rows in the contract's types with these faults put in. Only invoices and payments have faults."""
    if table not in ("invoices", "payments"):
        return rows
    key = "invoice_id" if table == "invoices" else "payment_id"
    rows = rows.with_columns(_counter(key))
    if table == "invoices":
        rows = _soil_invoices(rows, dirt, draws)
    if dirt.lost_leading_zeros:
        loses = draws.happens("lost zeros", "_counter", dirt.lost_leading_zeros)
        bare = pl.col("customer_id").str.strip_chars_start("0")
        rows = rows.with_columns(customer_id=pl.when(loses).then(bare).otherwise("customer_id"))
    if dirt.duplicated_rows:
        # Exact duplicates, right behind the row they repeat.
        times = (
            pl.when(draws.happens("duplicated row", "_counter", dirt.duplicated_rows)).then(2).otherwise(1)
        )
        rows = _repeat(rows, times)
    return rows.drop("_counter")


def _soil_invoices(rows: pl.DataFrame, dirt: Dirt, draws: Draws) -> pl.DataFrame:
    # Without a due date the document's own terms must still say when it falls due; part-wise ones keep theirs.
    is_blank = (
        draws.happens("blank due date", "_counter", dirt.blank_due_dates)
        & pl.col("payment_terms_days").is_not_null()
    )
    rows = rows.with_columns(due_date=pl.when(~is_blank).then("due_date"))
    if dirt.due_before_invoice:
        is_before = draws.happens("due before", "_counter", dirt.due_before_invoice)
        early = pl.col("invoice_date").dt.offset_by("-3d")
        rows = rows.with_columns(due_date=pl.when(is_before).then(early).otherwise("due_date"))
    if dirt.second_date_spelling or dirt.month_first_dates:
        spelling = draws.uniform("date spelling", "_counter")
        second = dirt.second_date_spelling
        rows = rows.with_columns(
            pl.when(spelling < second)
            .then(pl.col(name).dt.to_string("%d.%m.%Y"))
            .when(spelling < second + dirt.month_first_dates)
            .then(pl.col(name).dt.to_string("%m/%d/%Y"))
            .otherwise(pl.col(name).dt.to_string("%Y-%m-%d"))
            for name in ("invoice_date", "due_date")
        )
    return rows


def _repeat(rows: pl.DataFrame, times: pl.Expr) -> pl.DataFrame:
    places = rows.select(pl.int_range(0, pl.len(), dtype=pl.UInt32).repeat_by(times)).to_series()
    return rows[places.explode(empty_as_null=False, keep_nulls=False)]


def _counter(key: str) -> pl.Expr:
    """A number from the digits of an id, such as ``INV-00001234`` or ``PAY-00001234-1R``."""
    return pl.col(key).str.replace_all(r"\D", "").cast(pl.UInt64).alias("_counter")
