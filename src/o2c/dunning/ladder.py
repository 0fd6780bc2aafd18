"""The ladder as it stands for each customer, and the next rung."""

import polars as pl

from o2c.policy import DunningPolicy
from o2c.policy.base import LEVELS, MESSAGE_LEVELS
from o2c.policy.dunning import Override


def climb(keys: pl.DataFrame, policy: DunningPolicy) -> pl.DataFrame:
    """Adds the ``target_level`` one above the confirmed one, its first day, its approvals and the ladder's end.

    An override's days replace the ladder's as a whole, so that they rise; of several that set the same, the most
    specific wins. ``target_level`` stays at the last level once it is reached. A natural person's ladder ends at
    the policy's level for consumers whatever an override says.
    """
    stages = {stage.level: stage for stage in policy.stages}
    top = LEVELS[-1]
    target = pl.min_horizontal(pl.col("confirmed_level") + 1, pl.lit(top, dtype=pl.Int64))
    first_days = {
        level: _most_specific(
            policy,
            {
                override.name: policy.first_days(override)[level]
                for override in policy.overrides
                if override.days_past_due
            },
            stages[level].days_past_due,
        )
        for level in LEVELS
    }
    approvals = {
        level: _most_specific(
            policy,
            {
                override.name: override.required_approval_count[level]
                for override in policy.overrides
                if level in override.required_approval_count
            },
            stages[level].required_approval_count,
        )
        for level in MESSAGE_LEVELS
    } | {top: pl.lit(0, dtype=pl.Int64)}
    ends = {
        override.name: override.max_level for override in policy.overrides if override.max_level is not None
    }
    return keys.with_columns(target_level=target).with_columns(
        first_day=_by_level(first_days),
        approval_count=_by_level(approvals),
        max_level=_most_specific(policy, ends, top),
        is_person=(pl.col("customer_type") == "consumer").fill_null(False),
    )


def _by_level(values: dict[int, pl.Expr]) -> pl.Expr:
    return pl.coalesce(
        pl.when(pl.col("target_level") == level).then(value) for level, value in values.items()
    )


def _most_specific(policy: DunningPolicy, values: dict[str, int], default: int) -> pl.Expr:
    """The value of the most specific override that holds for the row, else the default."""
    given = [
        pl.when(_holds(override)).then(pl.lit(values[override.name], dtype=pl.Int64))
        for override in policy.overrides_by_specificity
        if override.name in values
    ]
    return pl.coalesce(*given, pl.lit(default, dtype=pl.Int64))


def _holds(override: Override) -> pl.Expr:
    return pl.all_horizontal(
        (pl.col(column) == value).fill_null(False) for column, value in override.conditions.items()
    )
