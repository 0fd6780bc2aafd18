"""Payments that the bank took back: which they are, and the applications that negate theirs."""

import polars as pl

from o2c.contract import MONEY, RATIO


def list_returns(payments: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """Reversals that take back exactly one payment.

    A reversal counts when it has the payment's entity and currency and exactly its amount; of a payment that
    earlier runs used up (it is no longer listed), when it covers what stands of it. Anything else, a part taken
    back or a second reversal of the same payment, stays as negative unapplied cash for a person.

    Args:
        payments: all payments and reversals up to the as-of date, with ``payment_key``.
        standing: recorded applications that nothing has negated, of type payment, with the ``entity_id`` of their
            invoice (null where that is no longer listed).

    Returns:
        One row per returned payment: ``reversal_id, returned_payment_id, payment_key`` (of the returned payment,
        null when it is used up) and ``returned_date``, never before the payment's own date.
    """
    reversals = payments.filter(
        (pl.col("payment_amount") < 0) & pl.col("reverses_payment_id").is_not_null()
    ).select(
        "entity_id",
        "currency_code",
        reversal_id="payment_id",
        returned_payment_id="reverses_payment_id",
        reversed_amount=-pl.col("payment_amount"),
        reversal_date="value_date",
    )
    originals = payments.filter(pl.col("payment_amount") > 0).select(
        "payment_key",
        "payment_amount",
        "value_date",
        returned_payment_id="payment_id",
        original_entity_id="entity_id",
        original_currency_code="currency_code",
    )
    applied = standing.group_by(returned_payment_id="payment_id").agg(
        applied_amount=pl.col("applied_amount").sum(),
        applied_currency_code=pl.col("currency_code").first(),
        applied_entity_id=pl.col("entity_id").drop_nulls().first(),
    )
    is_of_listed = (
        (pl.col("entity_id") == pl.col("original_entity_id"))
        & (pl.col("currency_code") == pl.col("original_currency_code"))
        & (pl.col("reversed_amount") == pl.col("payment_amount"))
    )
    is_of_used_up = (
        pl.col("payment_key").is_null()
        & (pl.col("currency_code") == pl.col("applied_currency_code"))
        & (pl.col("entity_id") == pl.col("applied_entity_id").fill_null(pl.col("entity_id")))
        & (pl.col("reversed_amount") >= pl.col("applied_amount"))
    )
    return (
        reversals.join(originals, on="returned_payment_id", how="left", validate="m:1")
        .join(applied, on="returned_payment_id", how="left", validate="m:1")
        .filter(is_of_listed.fill_null(False) | is_of_used_up.fill_null(False))
        .sort("reversal_date", "reversal_id")
        .unique("returned_payment_id", keep="first", maintain_order=True)
        .select(
            "reversal_id",
            "returned_payment_id",
            "payment_key",
            returned_date=pl.max_horizontal("reversal_date", "value_date"),
        )
    )


def list_chargebacks(payments: pl.DataFrame, standing: pl.DataFrame, returns: pl.DataFrame) -> pl.DataFrame:
    """Parts taken back that are exactly one application: the only one of that amount of their payment.

    Args:
        payments, standing: as for ``list_returns``.
        returns: what it found; payments that went back as a whole.

    Returns:
        One row per application: ``reversal_id, application_id, returned_date``.
    """
    parts = (
        payments.filter((pl.col("payment_amount") < 0) & pl.col("reverses_payment_id").is_not_null())
        .filter(~pl.col("payment_id").is_in(returns["reversal_id"].implode()))
        .filter(~pl.col("reverses_payment_id").is_in(returns["returned_payment_id"].implode()))
        .filter(pl.col("unapplied_amount") == pl.col("payment_amount"))
        .select(
            "entity_id",
            "currency_code",
            reversal_id="payment_id",
            payment_id="reverses_payment_id",
            applied_amount=-pl.col("payment_amount"),
            reversal_date="value_date",
        )
    )
    paid = standing.filter(pl.col("application_type") == "payment")
    key = ["payment_id", "entity_id", "currency_code", "applied_amount"]
    alone = paid.filter(pl.len().over(key) == 1)
    return (
        parts.filter(pl.len().over("payment_id") == 1)
        .join(alone.select(*key, "application_id", "application_date"), on=key, validate="1:1")
        .select(
            "reversal_id",
            "application_id",
            returned_date=pl.max_horizontal("reversal_date", "application_date"),
        )
        .sort("reversal_id")
    )


def taken_back(standing: pl.DataFrame, returns: pl.DataFrame, chargebacks: pl.DataFrame) -> pl.DataFrame:
    """Standing applications that go back today: the columns of ``standing``, ``reversal_id`` and ``returned_date``.

    Of a returned payment all of them go: what was paid, discounted, netted and written off.
    """
    whole = standing.join(
        returns.select("reversal_id", "returned_date", payment_id="returned_payment_id"),
        on="payment_id",
        validate="m:1",
    )
    parts = standing.join(chargebacks, on="application_id", validate="1:1")
    order = [*standing.columns, "reversal_id", "returned_date"]
    return pl.concat([whole.select(order), parts.select(order)]).sort("application_id")


def negate(back: pl.DataFrame) -> pl.DataFrame:
    """The exact negation of every application that goes back, dated at the return; without application_id."""
    return back.select(
        "credit_memo_id",
        "invoice_id",
        "customer_id",
        "currency_code",
        payment_id="reversal_id",
        application_type=pl.lit("reversal"),
        rule=pl.lit("reversal"),
        explanation=pl.format(
            "Payment {} was taken back by {}, and with it what it had settled of this invoice.",
            "payment_id",
            "reversal_id",
        ),
        reverses_application_id="application_id",
        applied_amount=(-pl.col("applied_amount")).cast(MONEY),
        score=pl.lit(1).cast(RATIO),
        application_date=pl.max_horizontal("returned_date", "application_date"),
    )
