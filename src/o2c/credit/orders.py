"""Which orders to stop and which to let go. Proposals: nothing changes in the ledger by itself."""

from datetime import date

import polars as pl

from o2c import money
from o2c.contract import MONEY
from o2c.credit.flags import ROW
from o2c.dunning.reasons import amount_text
from o2c.frames import OrderHolds
from o2c.policy import CreditPolicy

# What may still be stopped: a shipped order has left.
STOPPABLE = ("open", "released")


def find_cured(accounts: pl.DataFrame, held: pl.DataFrame, policy: CreditPolicy) -> pl.DataFrame:
    """Customers without any reason to hold, and with room below the limit in every currency."""
    limit = pl.col("credit_limit_amount")
    most = money.product(limit, pl.lit(policy.release_utilisation_ratio, dtype=money.WIDE))
    has_room = limit.is_null() | (pl.col("exposure_amount") <= most)
    return (
        accounts.group_by("customer_id")
        .agg(is_curable=(has_room & (pl.col("status") == "active").fill_null(False)).all())
        .filter("is_curable")
        .join(held, on="customer_id", how="anti")
        .select("customer_id")
    )


def release_flags(
    accounts: pl.DataFrame, curable: pl.DataFrame, previous_flags: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Flags that asked for a hold when last seen, of customers who are cured. Said once."""
    latest = (
        previous_flags.filter(pl.col("as_of_date") < as_of)
        .sort("as_of_date", "currency_code")
        .group_by("customer_id", "flag_code")
        .agg(pl.col("as_of_date", "action", "reason").last())
        .filter(pl.col("action") == "hold")
        .join(curable, on="customer_id", how="semi")
    )
    return (
        latest.join(accounts.filter("is_main"), on="customer_id", validate="m:1")
        .with_columns(
            severity=pl.lit("low"),
            action=pl.lit("release"),
            recommended_limit_amount=pl.lit(None, dtype=MONEY),
            reason=pl.format(
                "On {}: {} No longer so: exposure is {}.",
                "as_of_date",
                "reason",
                amount_text("exposure_amount"),
            ),
        )
        .select(
            *ROW,
            "flag_code",
            "severity",
            "action",
            "reason",
            "exposure_amount",
            "credit_limit_amount",
            "recommended_limit_amount",
        )
    )


def propose_holds(
    orders: pl.DataFrame,
    held: pl.DataFrame,
    curable: pl.DataFrame,
    accounts: pl.DataFrame,
    previous_holds: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """Holds of orders that can still be stopped, releases of held ones."""
    why_held = (
        held.sort(*ROW, "flag_code")
        .group_by("customer_id", maintain_order=True)
        .agg(reason=pl.col("reason").str.join(" "))
    )
    why_released = (
        accounts.filter("is_main")
        .join(curable, on="customer_id", how="semi")
        .select(
            "customer_id",
            reason=pl.format(
                "No flag asks for a hold any more; exposure is {}.", amount_text("exposure_amount")
            ),
        )
    )
    stopped = orders.filter(pl.col("status").is_in(STOPPABLE)).join(
        why_held, on="customer_id", validate="m:1"
    )
    let_go = orders.filter(pl.col("status") == "held").join(why_released, on="customer_id", validate="m:1")
    standing = previous_holds.select(
        "order_id", "action", "approved_by", standing_since="decided_as_of_date"
    ).filter(pl.col("standing_since") < as_of)
    return (
        pl.concat(
            [stopped.with_columns(action=pl.lit("hold")), let_go.with_columns(action=pl.lit("release"))]
        )
        .join(standing, on=["order_id", "action"], how="left", validate="1:1")
        .with_columns(decided_as_of_date=pl.coalesce("standing_since", pl.lit(as_of)))
        .select(*OrderHolds.columns())
        .sort("order_id")
    )
