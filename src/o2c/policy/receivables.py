"""Policies about the book itself: segments, aging buckets and terms."""

from decimal import Decimal
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from o2c.policy.base import Days, Fraction, PolicyFile, PolicyModel, PositiveCount, PositiveDays, Text

# The published aging columns are named after these buckets, so a policy may label them but not invent others.
BUCKET_LABELS = ("current", "1-30", "31-60", "61-90", "over 90")


class RiskWeights(PolicyModel):
    """Weights of the risk score's terms; they add up to one."""

    days_late: Fraction
    past_due: Fraction
    trend: Fraction
    broken_promises: Fraction
    returned_payments: Fraction
    utilisation: Fraction

    @model_validator(mode="after")
    def _add_up(self) -> "RiskWeights":
        total = sum((getattr(self, name) for name in type(self).model_fields), Decimal(0))
        if total != 1:
            raise ValueError(f"weights must add up to 1, not {total}")
        return self


class RiskCaps(PolicyModel):
    """Where each term of the risk score is full."""

    days_late: PositiveDays = Field(description="weighted days late")
    trend_days: PositiveDays = Field(
        description="rise of weighted days late, last 90 days against the 275 before"
    )
    broken_promise_count: PositiveCount
    returned_payment_count: PositiveCount


class SegmentsPolicy(PolicyFile):
    """Value tiers, behaviour classes and the risk score (policies/segments.yml)."""

    tier_a_revenue_ratio: Fraction = Field(
        gt=0, description="A: largest customers up to this share of revenue"
    )
    tier_c_customer_ratio: Fraction = Field(description="C: this share of the customers, the smallest")
    slightly_late_days: PositiveDays = Field(description="slightly late up to, chronically late above")
    new_customer_settled_count: PositiveCount = Field(description="new with fewer settled items")
    risk_medium_ratio: Fraction = Field(description="medium from this score")
    risk_high_ratio: Fraction = Field(description="high from this score")
    risk_weights: RiskWeights
    risk_caps: RiskCaps

    @model_validator(mode="after")
    def _in_order(self) -> "SegmentsPolicy":
        if not 0 < self.risk_medium_ratio < self.risk_high_ratio:
            raise ValueError("risk_medium_ratio must be above 0 and below risk_high_ratio")
        return self


class Bucket(PolicyModel):
    """A range of days past due, both ends included; an open end is null."""

    label: Text
    from_day: Days | None = None
    to_day: Days | None = None


class AgingPolicy(PolicyFile):
    """Aging buckets (policies/aging.yml)."""

    buckets: tuple[Bucket, ...] = Field(description="youngest first, without gaps")

    @model_validator(mode="after")
    def _cover_every_day_once(self) -> "AgingPolicy":
        if tuple(bucket.label for bucket in self.buckets) != BUCKET_LABELS:
            raise ValueError(
                f"labels must be {', '.join(BUCKET_LABELS)}: published columns are named after them"
            )
        first, last = self.buckets[0], self.buckets[-1]
        if (first.from_day, first.to_day) != (None, 0):
            raise ValueError(
                "current has no from_day and ends at day 0: an item is not past due on its due date"
            )
        if last.to_day is not None:
            raise ValueError("the last bucket has no to_day")
        edges = [(bucket.from_day, bucket.to_day) for bucket in self.buckets]
        for (_, ends), (starts, stops) in pairwise(edges):
            if ends is None or starts != ends + 1 or (stops is not None and stops < starts):
                raise ValueError("each bucket must start the day after the one before ends")
        return self


class TermsPolicy(PolicyFile):
    """How a due date is found (policies/terms.yml)."""

    missing_due_date: tuple[Literal["document_terms"], Literal["customer_terms"], Literal["invoice_date"]] = (
        Field(
            description="tried in this order, the only one there is; the first two are days after the invoice date"
        )
    )
