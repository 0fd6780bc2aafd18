"""What SQL needs of the policies, as the tables of schema ``policy``."""

import polars as pl

from o2c import money
from o2c.policy.kpi_tables import kpi_tables
from o2c.policy.load import Policies
from o2c.policy.reporting import reporting_tables

DECIMAL = pl.Decimal(18, 6)


def policy_tables(policies: Policies) -> dict[str, pl.DataFrame]:
    """The tables of schema ``policy``: controls, aging_buckets, segments, currencies, and those of cash
    application and of key figures.

    Counts and days are bigint, ratios and weights decimal(18, 6), so that SQL reads the same values as Python.
    """
    segments, controls = policies.segments, policies.controls
    weights, caps = segments.risk_weights, segments.risk_caps
    decimals = {
        "tier_a_revenue_ratio": segments.tier_a_revenue_ratio,
        "tier_c_customer_ratio": segments.tier_c_customer_ratio,
        "risk_medium_ratio": segments.risk_medium_ratio,
        "risk_high_ratio": segments.risk_high_ratio,
        "weight_days_late": weights.days_late,
        "weight_past_due": weights.past_due,
        "weight_trend": weights.trend,
        "weight_broken_promises": weights.broken_promises,
        "weight_returned_payments": weights.returned_payments,
        "weight_utilisation": weights.utilisation,
    }
    counts = {
        "slightly_late_days": segments.slightly_late_days,
        "new_customer_settled_count": segments.new_customer_settled_count,
        "days_late_cap": caps.days_late,
        "trend_cap": caps.trend_days,
        "broken_promise_cap": caps.broken_promise_count,
        "returned_payment_cap": caps.returned_payment_count,
    }
    return {
        "controls": pl.DataFrame(
            {
                "group_currency_code": [controls.group_currency_code],
                "time_zone": [controls.time_zone],
                "country_code": [controls.country_code],
            }
        ),
        "aging_buckets": pl.DataFrame(
            [
                (order, bucket.label, bucket.from_day, bucket.to_day)
                for order, bucket in enumerate(policies.aging.buckets, start=1)
            ],
            schema={
                "bucket_order": pl.Int64,
                "aging_bucket": pl.String,
                "from_day": pl.Int64,
                "to_day": pl.Int64,
            },
            orient="row",
        ),
        "segments": pl.DataFrame(
            {name: [value] for name, value in (decimals | counts).items()},
            schema=dict.fromkeys(decimals, DECIMAL) | dict.fromkeys(counts, pl.Int64),
        ),
        "matching": pl.DataFrame({"paid_lookback_days": [policies.matching.paid_lookback_days]}),
        "deduction_reasons": pl.DataFrame(
            sorted(
                (reason.code, reason.text, reason.opens_dispute) for reason in policies.reason_codes.reasons
            ),
            schema={"reason_code": pl.String, "reason": pl.String, "opens_dispute": pl.Boolean},
            orient="row",
        ),
        "currencies": pl.DataFrame(
            sorted(money.MINOR_UNITS.items()),
            schema={"currency_code": pl.String, "minor_units": pl.Int64},
            orient="row",
        ),
        **kpi_tables(
            policies.expected_loss,
            policies.kpis,
            tuple(bucket.label for bucket in policies.aging.buckets),
        ),
        **reporting_tables(policies.reporting, _first_approval_level(policies)),
    }


def _first_approval_level(policies: Policies) -> int | None:
    """The lowest level whose letters wait for a person; overrides for some customers do not count."""
    levels = [stage.level for stage in policies.dunning.stages if stage.required_approval_count > 0]
    return min(levels, default=None)
