"""How the reports count: forecast, processes, contacts, baseline."""

from datetime import date
from typing import Annotated

import polars as pl
from pydantic import Field, model_validator

from o2c.policy.base import Fraction, PolicyFile, PolicyModel, PositiveCount, PositiveDays

RATIO = pl.Decimal(18, 6)

# Bounds of their own: one given beside an alias that has the same bound would be lost.
WeekCount = Annotated[int, Field(strict=True, ge=1, le=104)]
IntervalCount = Annotated[int, Field(strict=True, ge=1, le=24)]
GraceDays = Annotated[int, Field(strict=True, ge=0, le=3660)]


class ForecastRules(PolicyModel):
    """When open items are expected to be paid."""

    horizon_weeks: WeekCount = Field(description="weeks shown one by one")
    early_ratio: Fraction = Field(description="quantile of days late of the early case")
    late_ratio: Fraction = Field(gt=0, description="quantile of days late of the late case")
    early_weight: Fraction = Field(description="share of the early case in what is expected")
    late_weight: Fraction = Field(description="share of the late case; the rest is the usual one")
    own_settled_count: PositiveCount = Field(
        description="with fewer settled items the segment's habits count"
    )
    segment_settled_count: PositiveCount = Field(description="with fewer in the segment the ledger's count")
    overdue_wait_days: PositiveDays = Field(description="wait for what is later than the late habit")
    doubtful_after_days: PositiveDays = Field(description="past due for longer: not expected")
    error_history_days: PositiveDays = Field(description="how old forecasts are still held against what came")

    @model_validator(mode="after")
    def _in_order(self) -> "ForecastRules":
        if self.early_ratio >= self.late_ratio:
            raise ValueError("early_ratio must be below late_ratio")
        if self.early_weight + self.late_weight > 1:
            raise ValueError("early_weight and late_weight must not be more than 1 together")
        return self


class ProcessRules(PolicyModel):
    """Figures about invoicing, payments and disputes."""

    window_days: PositiveDays = Field(description="trailing days that are counted")
    late_invoicing_days: PositiveDays = Field(description="invoiced later than this after shipping is late")
    smallest_customer_ratio: Fraction = Field(gt=0, description="share of customers that counts as smallest")


class Interval(PolicyModel):
    """Days from one invoice to the next, both ends included."""

    from_days: PositiveDays
    to_days: PositiveDays

    @model_validator(mode="after")
    def _in_order(self) -> "Interval":
        if self.from_days > self.to_days:
            raise ValueError("from_days must not be above to_days")
        return self


class RecurringRules(PolicyModel):
    """Which customers are invoiced at a rhythm, and when the next invoice is missing."""

    interval_count: IntervalCount = Field(description="intervals in a row that make a rhythm")
    month_days: Interval
    quarter_days: Interval
    grace_days: GraceDays = Field(description="after the day on which it was to come")

    @model_validator(mode="after")
    def _apart(self) -> "RecurringRules":
        if self.month_days.to_days >= self.quarter_days.from_days:
            raise ValueError("month_days must end before quarter_days begins")
        return self


class ContactRules(PolicyModel):
    """Who counts as contacted, and what as an answer."""

    window_days: PositiveDays = Field(description="trailing days of contact figures")
    coverage_days: PositiveDays = Field(description="contacted: within so many days")
    day_one_days: PositiveDays = Field(description="newly past due: for at most so many days")
    response_days: PositiveDays = Field(description="answered: money within so many days of a reminder")


class ReportingPolicy(PolicyFile):
    """How the reports count (policies/reporting.yml)."""

    baseline_date: date | None = Field(description="first day of the time after; null compares nothing")
    baseline_days: PositiveDays = Field(description="most days on either side of the baseline")
    forecast: ForecastRules
    process: ProcessRules
    recurring: RecurringRules
    contacts: ContactRules
    lineage_days: PositiveDays | None = Field(description="how far back order to cash goes; null for all")


def reporting_tables(policy: ReportingPolicy, first_approval_level: int | None) -> dict[str, pl.DataFrame]:
    """What SQL needs: ``reporting`` (one row) and ``forecast_weeks`` (the weeks of the horizon and one beyond).

    Args:
        first_approval_level: the lowest level of dunning that a person approves; null when none is.
    """
    forecast, process, recurring, contacts = (
        policy.forecast,
        policy.process,
        policy.recurring,
        policy.contacts,
    )
    ratios = {
        "early_ratio": forecast.early_ratio,
        "late_ratio": forecast.late_ratio,
        "early_weight": forecast.early_weight,
        "late_weight": forecast.late_weight,
        "smallest_customer_ratio": process.smallest_customer_ratio,
    }
    counts = {
        "baseline_days": policy.baseline_days,
        "own_settled_count": forecast.own_settled_count,
        "segment_settled_count": forecast.segment_settled_count,
        "overdue_wait_days": forecast.overdue_wait_days,
        "doubtful_after_days": forecast.doubtful_after_days,
        "error_history_days": forecast.error_history_days,
        "process_window_days": process.window_days,
        "late_invoicing_days": process.late_invoicing_days,
        "recurring_interval_count": recurring.interval_count,
        "month_from_days": recurring.month_days.from_days,
        "month_to_days": recurring.month_days.to_days,
        "quarter_from_days": recurring.quarter_days.from_days,
        "quarter_to_days": recurring.quarter_days.to_days,
        "recurring_grace_days": recurring.grace_days,
        "contact_window_days": contacts.window_days,
        "coverage_days": contacts.coverage_days,
        "day_one_days": contacts.day_one_days,
        "response_days": contacts.response_days,
        "first_approval_level": first_approval_level,
        "lineage_days": policy.lineage_days,
    }
    weeks = range(1, forecast.horizon_weeks + 2)
    return {
        "reporting": pl.DataFrame(
            {
                name: [value]
                for name, value in ({"baseline_date": policy.baseline_date} | ratios | counts).items()
            },
            schema={"baseline_date": pl.Date}
            | dict.fromkeys(ratios, RATIO)
            | dict.fromkeys(counts, pl.Int64),
        ),
        "forecast_weeks": pl.DataFrame(
            {"week_number": weeks, "is_beyond_horizon": [week > forecast.horizon_weeks for week in weeks]},
            schema={"week_number": pl.Int64, "is_beyond_horizon": pl.Boolean},
        ),
    }
