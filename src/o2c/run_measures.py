"""One run in numbers: what the brakes of later runs are measured against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl
from pydantic import TypeAdapter

FINAL_LEVEL = 3
NONE = Decimal(0)


@dataclass(frozen=True)
class CurrencyMeasures:
    """What a run asks for and what came in, in one currency. Received and in suspense: of ``suspense_days``."""

    letter_count: int = 0
    amount: Decimal = NONE
    largest_customer_amount: Decimal = NONE
    payment_count: int = 0
    received_amount: Decimal = NONE
    suspense_amount: Decimal = NONE


@dataclass(frozen=True)
class Measures:
    """One run in numbers. ``row_counts`` by ``source.table``, ``unexplained_amounts`` by ``entity currency``."""

    message_count: int = 0
    customer_count: int = 0
    first_time_customer_count: int = 0
    final_notice_count: int = 0
    referral_count: int = 0
    row_count: int = 0
    rejected_row_count: int = 0
    by_currency: Mapping[str, CurrencyMeasures] = field(default_factory=dict)
    row_counts: Mapping[str, int] = field(default_factory=dict)
    unexplained_amounts: Mapping[str, Decimal] = field(default_factory=dict)

    def to_json(self) -> str:
        """As the ledger keeps it: amounts as text, keys in the order of their names."""
        return _MEASURES.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Measures":
        """What ``to_json`` wrote."""
        return _MEASURES.validate_json(text)


_MEASURES = TypeAdapter(Measures)


def measures_of(
    letters: pl.DataFrame,
    written_before: pl.Series,
    referral_count: int,
    landed: pl.DataFrame,
    cash: pl.DataFrame,
    unexplained: pl.DataFrame,
) -> Measures:
    """The measures of a run.

    Args:
        letters: one row per letter that the run decided: customer_id, currency_code, level, total_amount.
        written_before: ids of customers that any letter went to before.
        referral_count: items proposed to agencies.
        landed: one row per landed file and table: source, table_name, rows_in, loaded, rejected.
        cash: one row per currency, of the last ``suspense_days``: currency_code, payment_count, received_amount,
            suspense_amount.
        unexplained: what moved open receivables without a posting: entity_id, currency_code, amount.
    """
    customers = letters["customer_id"].unique()
    asked = (
        letters.group_by("currency_code", "customer_id")
        .agg(letter_count=pl.len(), amount=pl.col("total_amount").sum())
        .group_by("currency_code")
        .agg(
            letter_count=pl.col("letter_count").sum(),
            largest_customer_amount=pl.col("amount").max(),
            amount=pl.col("amount").sum(),
        )
    )
    by_currency: dict[str, dict] = {}
    for frame in (asked, cash):
        for row in frame.sort("currency_code").iter_rows(named=True):
            by_currency.setdefault(row.pop("currency_code"), {}).update(row)
    rows = landed.group_by("source", "table_name").agg(pl.col("loaded").sum()).sort("source", "table_name")
    return Measures(
        message_count=letters.height,
        customer_count=customers.len(),
        first_time_customer_count=int((~customers.is_in(written_before.implode())).sum()),
        final_notice_count=letters.filter(pl.col("level") >= FINAL_LEVEL).height,
        referral_count=referral_count,
        row_count=int(landed["rows_in"].sum()),
        rejected_row_count=int(landed["rejected"].sum()),
        by_currency={code: CurrencyMeasures(**own) for code, own in sorted(by_currency.items())},
        row_counts={f"{source}.{table}": int(count) for source, table, count in rows.iter_rows()},
        unexplained_amounts={
            f"{row['entity_id']} {row['currency_code']}": row["amount"]
            for row in unexplained.sort("entity_id", "currency_code").iter_rows(named=True)
        },
    )
