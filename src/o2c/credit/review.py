"""Whose credit a person should look at, and what is proposed."""

from datetime import date

import polars as pl

from o2c import money
from o2c.contract import RATIO
from o2c.credit.flags import ROW, list_accounts, raise_flags, reduced_limit
from o2c.credit.orders import find_cured, propose_holds, release_flags
from o2c.dunning.book import DunningBook
from o2c.dunning.reasons import amount_text
from o2c.frames import CreditFlags, Exposures, OrderHolds, Orders
from o2c.policy import CreditPolicy

# The column holds twelve digits before the point; a limit of a few cents must not stop the run.
HIGHEST_RATIO = 999_999


def review_credit(
    book: DunningBook,
    exposures: pl.DataFrame,
    orders: pl.DataFrame,
    previous_flags: pl.DataFrame,
    previous_holds: pl.DataFrame,
    policy: CreditPolicy,
    as_of: date,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Flag every customer whose credit is a question, and propose holds and releases of orders.

    Flags about money are judged in each currency of ``exposures``; flags about the customer stand once, beside the
    currency of its limit. An order is proposed for a hold while any flag of its customer asks for one, and for
    release when none does, the customer is active and the limit has room again (``release_utilisation_ratio``,
    below the limit, so that a customer on the edge is not held and let go in turns).

    Args:
        book: customers, items, promises and blocks of the as-of date.
        exposures: Exposures, what each customer owes and has ordered.
        orders: Orders, not yet invoiced.
        previous_flags: CreditFlags of earlier dates: a hold that was flagged and is over is reported as released.
        previous_holds: OrderHolds of the run before: a proposal that stands keeps its date and its approval.
        policy: thresholds, and what each flag asks for.
        as_of: the date the review is about.

    Returns:
        CreditFlags sorted by customer_id, currency_code, flag_code; OrderHolds sorted by order_id.
    """
    for model, frame in (
        (Exposures, exposures),
        (Orders, orders),
        (CreditFlags, previous_flags),
        (OrderHolds, previous_holds),
    ):
        model.validate(frame)
    accounts = list_accounts(book, exposures)
    raised = raise_flags(accounts, book, policy, as_of)
    rules = pl.DataFrame(
        [flag.model_dump() for flag in policy.flags],
        schema={"flag_code": pl.String, "severity": pl.String, "action": pl.String},
    )
    limit = pl.col("credit_limit_amount")
    can_be_reduced = (pl.col("action") == "reduce_limit") & (limit > 0).fill_null(False)
    flags = (
        raised.join(rules, on="flag_code", validate="m:1")
        .join(accounts, on=ROW, validate="m:1")
        .with_columns(recommended_limit_amount=pl.when(can_be_reduced).then(reduced_limit(limit, policy)))
        # Without a limit there is nothing to reduce; a person sets one.
        .with_columns(
            action=pl.when((pl.col("action") == "reduce_limit") & ~can_be_reduced)
            .then(pl.lit("review"))
            .otherwise("action"),
            reason=pl.when(can_be_reduced)
            .then(
                pl.format(
                    "{} A limit of {} instead of {} is recommended.",
                    "reason",
                    amount_text("recommended_limit_amount"),
                    amount_text("credit_limit_amount"),
                )
            )
            .otherwise("reason"),
        )
    )
    held = flags.filter(pl.col("action") == "hold")
    curable = find_cured(accounts, held, policy)
    released = release_flags(accounts, curable, previous_flags, as_of)
    all_flags = (
        pl.concat([flags.select(released.columns), released])
        .with_columns(
            utilisation_ratio=money.ratio(pl.col("exposure_amount"), limit)
            .clip(-HIGHEST_RATIO, HIGHEST_RATIO)
            .cast(RATIO),
            as_of_date=pl.lit(as_of),
            policy_version=pl.lit(policy.policy_version),
        )
        .select(*CreditFlags.columns())
        .sort(*ROW, "flag_code")
    )
    holds = propose_holds(orders, held, curable, accounts, previous_holds, as_of)
    return CreditFlags.validate(all_flags), OrderHolds.validate(holds)
