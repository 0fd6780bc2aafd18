"""What persons give up beyond the limit waits for other people; of such a decision nothing is done until then."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from o2c.approvals import amount_text
from o2c.contract import MONEY
from o2c.frames import CashDecisions, CashExceptions
from o2c.matching.book import REFUSED
from o2c.policy.base import CurrencyAmounts

GIVING_UP = ("discount", "write_off")
REASON_CODE = "waiting_for_approval"
# A payment that waits for one of these reasons keeps it: it is looked at for that first.
_STRONGER = ("held", "returned_unclear", "decision_not_possible")


@dataclass(frozen=True)
class SortedDecisions:
    """Decisions of persons: those to do now, those that wait for approval, those that people rejected.

    ``free`` and ``rejected`` are CashDecisions, ``withheld`` has ``currency_code`` beside; ``refused`` is REFUSED.
    """

    free: pl.DataFrame
    withheld: pl.DataFrame
    rejected: pl.DataFrame
    refused: pl.DataFrame


def sort_decisions(
    decisions: pl.DataFrame,
    given: pl.DataFrame,
    payments: pl.DataFrame,
    limit: CurrencyAmounts,
    approved: Collection[str],
    rejected: Mapping[str, str],
) -> SortedDecisions:
    """Keep back what gives up more than the limit and was not approved.

    What was given up of one invoice, or by one payment, counts together, so that no limit is passed in small steps;
    what people approved does not count.

    Args:
        decisions: CashDecisions not done yet.
        given: every decision ever given, these among them.
        payments: ``payment_id, currency_code``; a decision about a payment that is not there is free to be refused.
        limit: the most that one person may give up.
        approved: decision_id of those that people approved.
        rejected: decision_id of those that people rejected, and the list that they stood in.
    """
    counted = (
        given.filter(
            pl.col("action").is_in(GIVING_UP),
            ~pl.col("decision_id").is_in(list(approved)),
            ~pl.col("decision_id").is_in(list(rejected)),
            pl.col("amount") > 0,
        )
        .join(payments.select("payment_id", "currency_code"), on="payment_id", validate="m:1")
        .with_columns(
            together=pl.max_horizontal(
                pl.col("amount").sum().over("invoice_id", "currency_code"),
                pl.col("amount").sum().over("payment_id"),
            )
        )
        .filter(pl.col("together") > limit.amount_expression(pl.col("currency_code")))
    )
    withheld = decisions.join(
        counted.select("decision_id", "currency_code"), on="decision_id", validate="1:1"
    ).sort("decision_id")
    turned_down = decisions.filter(pl.col("decision_id").is_in(list(rejected)))
    kept = pl.concat([withheld["decision_id"], turned_down["decision_id"]])
    refused = turned_down.select(
        "decision_id",
        "payment_id",
        field=pl.lit("amount"),
        reason=pl.format(
            "giving up this amount was rejected ({})",
            pl.col("decision_id").replace_strict(dict(rejected), default="", return_dtype=pl.String),
        ),
    )
    return SortedDecisions(
        free=decisions.filter(~pl.col("decision_id").is_in(kept.implode())),
        withheld=withheld,
        rejected=turned_down,
        refused=pl.DataFrame(refused, schema=REFUSED),
    )


def add_withheld(
    withheld: pl.DataFrame, payments: pl.DataFrame, exceptions: pl.DataFrame, required: int
) -> pl.DataFrame:
    """Exceptions with every payment of which a decision waits among them, also one of which nothing is left.

    Args:
        withheld: CashDecisions with ``currency_code``.
        payments: ``payment_id, entity_id, customer_id, currency_code, payment_amount, unapplied_amount, value_date``.
        exceptions: CashExceptions found so far.
        required: people who must approve.

    Returns:
        CashExceptions, by payment_id.
    """
    people = "1 approval" if required == 1 else f"{required} approvals"
    words: dict[str, list[str]] = {}
    for row in withheld.sort("decision_id").iter_rows(named=True):
        amount = f"{amount_text(row['amount'], row['currency_code'])} {row['currency_code']}"
        words.setdefault(row["payment_id"], []).append(amount)
    told_of = {
        payment_id: f"{' and '.join(amounts)} to give up wait for {people}; nothing of it is done until then."
        for payment_id, amounts in words.items()
    }
    said = pl.DataFrame(
        list(told_of.items()), schema={"payment_id": pl.String, "reason": pl.String}, orient="row"
    ).join(exceptions.filter(pl.col("reason_code").is_in(_STRONGER)), on="payment_id", how="anti")
    known = exceptions.select(
        "payment_id", listed_amount="unapplied_amount", listed_customer_id="customer_id"
    )
    told = (
        said.join(payments, on="payment_id", how="inner", validate="1:1")
        .join(known, on="payment_id", how="left", validate="1:1")
        .select(
            "payment_id",
            "entity_id",
            customer_id=pl.coalesce("listed_customer_id", "customer_id"),
            currency_code="currency_code",
            reason_code=pl.lit(REASON_CODE),
            reason="reason",
            payment_amount="payment_amount",
            unapplied_amount=pl.coalesce("listed_amount", "unapplied_amount").cast(MONEY),
            value_date="value_date",
        )
    )
    rest = exceptions.join(told, on="payment_id", how="anti")
    return CashExceptions.validate(pl.concat([rest, told.select(rest.columns)]).sort("payment_id"))


def nothing_withheld() -> pl.DataFrame:
    """No decision that waits."""
    return CashDecisions.empty().with_columns(currency_code=pl.lit(None, dtype=pl.String))
