"""Policies about customers who do not pay: credit flags, agency referral, the collectors' worklist."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from o2c.policy.base import (
    Amount,
    Code,
    CountryCode,
    CurrencyAmounts,
    Fraction,
    LegalValue,
    PolicyFile,
    PolicyModel,
    PositiveCount,
    PositiveDays,
    Text,
)

FlagCode = Literal[
    "over_limit",
    "limit_expired",
    "no_limit_reviewed",
    "oldest_item_past_due",
    "broken_promise",
    "returned_payment",
    "payment_slowing",
    "chronic_lateness",
    "insolvency",
]
FLAG_CODES: tuple[str, ...] = FlagCode.__args__
Weight = Annotated[Decimal, Field(ge=-1, le=1, decimal_places=6)]


class CreditFlag(PolicyModel):
    """What a flag means."""

    flag_code: FlagCode
    severity: Literal["low", "medium", "high"]
    action: Literal["hold", "review", "reduce_limit", "prepay"]


class CreditPolicy(PolicyFile):
    """When a customer's credit is looked at, and what is proposed (policies/credit.yml)."""

    flags: tuple[CreditFlag, ...] = Field(description="every flag once")
    oldest_days_past_due: PositiveDays = Field(
        description="oldest item more than so many days past due is a flag"
    )
    slowing_days: PositiveDays = Field(description="weighted days late up by so many in a quarter is a flag")
    lookback_days: PositiveDays = Field(
        description="a broken promise or returned payment is a flag for so many days"
    )
    reduced_limit_ratio: Fraction = Field(gt=0, description="recommended limit as a fraction of the limit")
    limit_step_amount: Amount = Field(
        gt=0, description="recommended limits are rounded down to multiples of it"
    )
    release_utilisation_ratio: Fraction = Field(
        gt=0,
        description="held orders are proposed for release at or below this utilisation, without a hold flag",
    )
    required_approval_count: Annotated[int, Field(strict=True, ge=1, le=2)] = Field(
        description="people who approve a hold or a release"
    )

    @model_validator(mode="after")
    def _every_flag_once(self) -> "CreditPolicy":
        codes = [flag.flag_code for flag in self.flags]
        missing = [code for code in FLAG_CODES if code not in codes]
        double = sorted({code for code in codes if codes.count(code) > 1})
        if missing or double:
            raise ValueError(f"flags must name every flag once; missing: {missing}, more than once: {double}")
        return self

    def flag(self, flag_code: str) -> CreditFlag:
        """Severity and action of a flag."""
        return next(flag for flag in self.flags if flag.flag_code == flag_code)


class Agency(PolicyModel):
    """A collection agency and where it works."""

    agency_id: Text
    country_codes: tuple[CountryCode, ...] = Field(min_length=1)


class Limitation(LegalValue):
    """When a claim on a customer in a country is time-barred."""

    country_code: CountryCode
    years: Annotated[int, Field(strict=True, ge=1, le=30)]
    starts: Literal["due_date", "end_of_year"] = Field(
        description="from the due date, or the end of its year"
    )


class SmallBalances(PolicyModel):
    """The second rule: old small balances, proposed in bulk."""

    more_than_days_past_due: PositiveDays
    minimum_amount: CurrencyAmounts = Field(description="smallest item")
    maximum_amount: CurrencyAmounts = Field(description="largest item; above it the first rule decides")


class AgencyPolicy(PolicyFile):
    """Which items are proposed to an agency (policies/agency.yml)."""

    more_than_days_past_due: Annotated[int, Field(strict=True, ge=90)] = Field(
        description="proposed when more days past due; items over 90 are listed with what they fail"
    )
    required_levels: tuple[Annotated[int, Field(strict=True, ge=1, le=3)], ...] = Field(
        description="dunning levels that must be confirmed"
    )
    final_notice_min_days: PositiveDays = Field(description="age of the confirmed final notice")
    no_payment_days: PositiveDays = Field(description="days without a payment of the customer")
    minimum_amount: CurrencyAmounts = Field(description="smallest item worth a referral")
    small_balances: SmallBalances
    customer_types: tuple[Literal["business", "public"], ...] = Field(description="who may be referred")
    agencies: tuple[Agency, ...] = Field(description="first agency of the customer's country takes the item")
    limitation: tuple[Limitation, ...] = Field(description="no entry for a country: no referral there")
    required_approval_count: Annotated[int, Field(strict=True, ge=2, le=3)] = Field(
        description="people who approve a list, neither its proposer"
    )

    @model_validator(mode="after")
    def _each_once(self) -> "AgencyPolicy":
        ids = [agency.agency_id for agency in self.agencies]
        countries = [entry.country_code for entry in self.limitation]
        if len(set(ids)) != len(ids) or len(set(countries)) != len(countries):
            raise ValueError("an agency_id or a country of limitation stands twice")
        if list(self.required_levels) != sorted(set(self.required_levels)):
            raise ValueError("required_levels must rise, like [1, 2, 3]")
        return self


class WorklistWeights(PolicyModel):
    """Weights of the score's main terms; they add up to one."""

    amount: Fraction
    days_past_due: Fraction
    average_delay: Fraction

    @model_validator(mode="after")
    def _add_up(self) -> "WorklistWeights":
        if self.amount + self.days_past_due + self.average_delay != 1:
            raise ValueError("weights must add up to 1")
        return self


class WorklistCaps(PolicyModel):
    """Where each main term is full."""

    amount: Amount = Field(gt=0, description="in group currency")
    days_past_due: PositiveDays
    average_delay_days: PositiveDays


class WorklistAdjustments(PolicyModel):
    """What is added to the score, or taken from it."""

    per_broken_promise: Annotated[Weight, Field(ge=0)]
    broken_promises_at_most: Annotated[Weight, Field(ge=0)]
    over_limit: Annotated[Weight, Field(ge=0)]
    all_disputed: Annotated[Weight, Field(le=0)]
    promise_pending: Annotated[Weight, Field(le=0)]
    plan_in_good_standing: Annotated[Weight, Field(le=0)]
    possible_payer: Annotated[Weight, Field(le=0)]


class WorklistPolicy(PolicyFile):
    """Whom to call first, and what to do next (policies/worklist.yml)."""

    weights: WorklistWeights
    caps: WorklistCaps
    adjustments: WorklistAdjustments
    high_score: Fraction = Field(description="High from this score")
    medium_score: Fraction = Field(description="Medium from this score")
    default_daily_capacity: PositiveCount = Field(description="calls a day of a collector who states none")
    outcome_days: PositiveDays = Field(description="an outcome chooses the next action for so many days")
    next_actions: dict[Code, Code] = Field(description="outcome_code typed by a collector: next action")

    @model_validator(mode="after")
    def _in_order(self) -> "WorklistPolicy":
        if not 0 < self.medium_score < self.high_score:
            raise ValueError("medium_score must be above 0 and below high_score")
        return self
