"""Decisions of persons that could not be done are told to a person, whatever became of their payments."""

import polars as pl

from o2c.contract import MONEY
from o2c.frames import UNIDENTIFIED, CashExceptions

REASON_CODE = "decision_not_possible"
# A payment that waits for one of these reasons keeps it: it is why the decision could not be done.
_STRONGER = ("held", "returned_unclear")


def add_refused(
    refused: pl.DataFrame,
    payments: pl.DataFrame,
    exceptions: pl.DataFrame,
    dated: pl.Expr,
    currency_code: str,
) -> pl.DataFrame:
    """Exceptions with every refused decision among them, in words.

    Args:
        refused: ``payment_id, reason`` of decisions, in any number per payment.
        payments: ``payment_id, entity_id, customer_id, currency_code, payment_amount, unapplied_amount, value_date``
            of those that are there, also of which nothing is left.
        exceptions: CashExceptions found so far.
        dated: the date of a payment that is not there any more.
        currency_code: its currency, of an amount of zero.

    Returns:
        CashExceptions, by payment_id.
    """
    said = (
        refused.sort("payment_id", "decision_id")
        .group_by("payment_id")
        .agg(
            reason=pl.format(
                "A decision was refused: {}. Nothing of it was done; decide anew.",
                pl.col("reason").str.join("; "),
            )
        )
        .join(exceptions.filter(pl.col("reason_code").is_in(_STRONGER)), on="payment_id", how="anti")
    )
    known = exceptions.select(
        "payment_id", listed_amount="unapplied_amount", listed_customer_id="customer_id"
    )
    told = (
        said.join(payments, on="payment_id", how="left", validate="1:1")
        .join(known, on="payment_id", how="left", validate="1:1")
        .select(
            "payment_id",
            pl.col("entity_id").fill_null(UNIDENTIFIED),
            customer_id=pl.coalesce("listed_customer_id", "customer_id"),
            currency_code=pl.col("currency_code").fill_null(currency_code),
            reason_code=pl.lit(REASON_CODE),
            reason="reason",
            payment_amount=pl.col("payment_amount").fill_null(0).cast(MONEY),
            unapplied_amount=pl.coalesce("listed_amount", "unapplied_amount", pl.lit(0)).cast(MONEY),
            value_date=pl.coalesce("value_date", dated),
        )
    )
    rest = exceptions.join(told, on="payment_id", how="anti")
    return CashExceptions.validate(pl.concat([rest, told.select(rest.columns)]).sort("payment_id"))
