"""What key figures are held against: loss ratios, medians of others, own targets, alerts."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction as Exact
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from o2c.policy.base import Fraction, Number, PolicyFile, PolicyModel, PositiveCount, Text
from o2c.policy.receivables import BUCKET_LABELS

MAX_DENOMINATOR = 1_000_000


@dataclass(frozen=True)
class Kpi:
    """A key figure that is a number of days, a ratio or a number of times, and which way is better."""

    unit: Literal["days", "ratio", "times"]
    better: Literal["lower", "higher"]


# Columns of receivables.fct_ar_kpis that can be compared; amounts of one ledger say nothing beside another's.
KPIS = {
    "dso_days": Kpi("days", "lower"),
    "dso_countback_days": Kpi("days", "lower"),
    "best_possible_dso_days": Kpi("days", "lower"),
    "average_days_delinquent": Kpi("days", "lower"),
    "collection_effectiveness_ratio": Kpi("ratio", "higher"),
    "collection_effectiveness_quarter_ratio": Kpi("ratio", "higher"),
    "ar_turnover_ratio": Kpi("times", "higher"),
    "past_due_ratio": Kpi("ratio", "lower"),
    "over_90_ratio": Kpi("ratio", "lower"),
    "past_due_invoice_ratio": Kpi("ratio", "lower"),
    "weighted_days_to_pay": Kpi("days", "lower"),
    "weighted_days_late": Kpi("days", "lower"),
    "at_risk_ratio": Kpi("ratio", "lower"),
    "bad_debt_ratio": Kpi("ratio", "lower"),
}


def _exact(value: object) -> Exact:
    """A plain number or a fraction as text, ``2/23``: a third is no decimal."""
    if isinstance(value, Exact):
        return value
    if isinstance(value, str):
        top, slash, bottom = value.partition("/")
        if not slash or not (top.isascii() and top.isdigit() and bottom.isascii() and bottom.isdigit()):
            raise ValueError(f'{value!r} is no fraction; write one like "2/23", or a number without quotes')
        if int(bottom) == 0:
            raise ValueError(f"{value!r} divides by zero")
        found = Exact(int(top), int(bottom))
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError('write a plain number like 0.25, or a fraction in quotes like "2/23"')
    else:
        found = Exact(value)
    if not 0 <= found <= 1:
        raise ValueError(f"{value} must be from 0 to 1")
    if found.denominator > MAX_DENOMINATOR:
        raise ValueError(f"{value} has more than six decimals, or a denominator above a million")
    return found


def _kpi(value: object) -> object:
    if value not in KPIS:
        raise ValueError(f"{value!r} is no key figure that can be compared; there are {', '.join(KPIS)}")
    return value


LossRatio = Annotated[Exact, BeforeValidator(_exact)]
KpiName = Annotated[str, BeforeValidator(_kpi)]
KpiValue = Annotated[Number, Field(ge=-1_000_000, le=1_000_000, decimal_places=6)]


class ExpectedLossPolicy(PolicyFile):
    """Provision matrix and roll-rate chain (policies/expected_loss.yml)."""

    loss_ratios: dict[str, LossRatio] = Field(description="of open debit items, by aging bucket")
    forward_factor: Annotated[Number, Field(ge=0, le=10, decimal_places=6)] = Field(
        description="what the outlook does to the losses of the past; 1 leaves them"
    )
    roll_months: Annotated[int, Field(strict=True, ge=1, le=120)] = Field(
        description="months whose roll rates the chain averages"
    )

    @model_validator(mode="after")
    def _every_bucket_once(self) -> "ExpectedLossPolicy":
        if set(self.loss_ratios) != set(BUCKET_LABELS):
            raise ValueError(f"loss_ratios must name every bucket: {', '.join(BUCKET_LABELS)}")
        return self


class Benchmark(PolicyModel):
    """A published figure, with who published it."""

    kpi: KpiName
    value: KpiValue
    period: Text = Field(description="what it was measured over, like 2021-Q1")
    source: Text = Field(description="who published it, where, and how its formula differs")


class Target(PolicyModel):
    """What one wants a key figure to be."""

    kpi: KpiName
    entity_id: Text | None = Field(
        default=None, description="an entity or ALL; null for all without their own"
    )
    value: KpiValue


class AlertsPolicy(PolicyModel):
    """When a row is put into the list of alerts."""

    shortfall_ratio: Fraction = Field(
        description="collected below this share of the three months' mean before"
    )
    concentration_ratio: Fraction = Field(description="one customer above this share of what is open")
    concentration_min_customer_count: PositiveCount = Field(
        description="not where fewer customers owe anything"
    )


class KpisPolicy(PolicyFile):
    """Benchmarks, targets, alerts, cost of capital (policies/kpis.yml)."""

    cost_of_capital_ratio: Fraction = Field(description="a year, on cash trapped in late receivables")
    benchmarks: tuple[Benchmark, ...] = Field(description="published figures, each key figure at most once")
    targets: tuple[Target, ...] = Field(description="own targets, each key figure once per entity")
    alerts: AlertsPolicy

    @model_validator(mode="after")
    def _each_once(self) -> "KpisPolicy":
        stated = [(row.kpi, None) for row in self.benchmarks]
        wanted = [(row.kpi, row.entity_id) for row in self.targets]
        for kind, keys in (("benchmarks", stated), ("targets", wanted)):
            twice = sorted({kpi for kpi, entity in keys if keys.count((kpi, entity)) > 1})
            if twice:
                raise ValueError(f"{kind} stand twice for {', '.join(twice)}")
        return self
