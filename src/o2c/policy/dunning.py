"""Dunning policy: the ladder, its pace, its exceptions (policies/dunning.yml)."""

from datetime import time
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from o2c.policy.base import (
    LEVELS,
    ApprovalCount,
    Code,
    CountryCode,
    CurrencyAmounts,
    Days,
    LegalValue,
    Level,
    PolicyFile,
    PolicyModel,
    PositiveDays,
    Text,
)


def _time_from_text(value: object) -> time:
    if not isinstance(value, str):
        raise ValueError('write a time as quoted text, like "08:00"')
    return time.fromisoformat(value)


LadderLevel = Annotated[int, Field(strict=True, ge=1, le=4)]
MessageLevel = Annotated[int, Field(strict=True, ge=1, le=3)]
ClockTime = Annotated[time, BeforeValidator(_time_from_text)]


class Stage(PolicyModel):
    """One rung of the ladder."""

    level: LadderLevel = Field(description="number of the rung, 1 the mildest")
    stage: Code = Field(description="name of the rung; letters use the template of that name")
    days_past_due: PositiveDays = Field(
        description="days past due of the oldest eligible item, from which it applies"
    )
    channel: Literal["email", "task"] = Field(description="email to the customer, or a task for a person")
    tone: Literal["friendly", "firm", "final"] | None = Field(default=None, description="null for a task")
    required_approval_count: ApprovalCount = Field(
        default=0, description="people who must approve each letter"
    )
    has_pdf: bool = Field(
        default=False, strict=True, description="the letter is attached as PDF, which is printed, too"
    )

    @model_validator(mode="after")
    def _tone_belongs_to_a_message(self) -> "Stage":
        if (self.tone is None) != (self.channel == "task"):
            raise ValueError("a message needs a tone, a task has none")
        if self.has_pdf and self.channel == "task":
            raise ValueError("a task has no PDF")
        return self


class Courtesy(PolicyModel):
    """Reminders before the due date."""

    stage: Code = Field(description="name; letters use the template of that name")
    offsets_days: tuple[Annotated[int, Field(strict=True, ge=-60, le=-1)], ...] = Field(
        min_length=1, description="days past due at which an item is announced; negative, farthest first"
    )
    min_days_between: PositiveDays = Field(description="days between two reminders to one customer")
    tone: Literal["friendly"] = "friendly"

    @model_validator(mode="after")
    def _farthest_first(self) -> "Courtesy":
        if list(self.offsets_days) != sorted(set(self.offsets_days)):
            raise ValueError("offsets_days must rise and not repeat, like [-7, -3]")
        return self


class ContactHours(PolicyModel):
    """When messages may leave, in the time zone of the customer's country, else of the entity."""

    opens_at: ClockTime = Field(description="first minute")
    closes_at: ClockTime = Field(description="first minute after")

    @model_validator(mode="after")
    def _in_order(self) -> "ContactHours":
        if self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be later than opens_at")
        return self


class Sms(PolicyModel):
    """Text messages to customers without an e-mail address who agreed to them. Never a final notice."""

    enabled: bool = Field(strict=True, description="whether any are written")
    max_level: Annotated[int, Field(strict=True, ge=0, le=2)] = Field(
        description="highest level; 0 is courtesy reminders only"
    )
    max_characters: Annotated[int, Field(strict=True, ge=100, le=306)] = Field(
        description="of the GSM alphabet; beyond 160 they are two messages to the operator"
    )


class Consumers(LegalValue):
    """How far the machine goes with natural persons."""

    max_level: Level = Field(description="highest level that reaches a natural person")


class Override(PolicyModel):
    """What is different for some customers. Every condition given must hold."""

    name: Code = Field(description="named in reasons and docs")
    customer_id: Text | None = None
    entity_id: Text | None = None
    country_code: CountryCode | None = None
    customer_group: Text | None = None
    value_tier: Literal["A", "B", "C"] | None = None
    behaviour_class: Literal["always_on_time", "slightly_late", "chronically_late", "new"] | None = None
    risk_class: Literal["low", "medium", "high"] | None = None

    max_level: Level | None = Field(
        default=None, description="the ladder ends here; 0 leaves courtesy reminders"
    )
    days_past_due: dict[LadderLevel, PositiveDays] = Field(
        default={}, description="level: first day, in place of the stage's"
    )
    required_approval_count: dict[MessageLevel, ApprovalCount] = Field(
        default={}, description="level: people who must approve, in place of the stage's"
    )

    @property
    def conditions(self) -> dict[str, str]:
        """Column to required value, of the conditions given."""
        names = (
            "customer_id",
            "entity_id",
            "country_code",
            "customer_group",
            "value_tier",
            "behaviour_class",
        )
        given = {name: getattr(self, name) for name in (*names, "risk_class")}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def specificity(self) -> tuple[bool, bool, bool, int]:
        """Customer before entity before country before segment; then the one with more conditions."""
        has = self.conditions
        return ("customer_id" in has, "entity_id" in has, "country_code" in has, len(has))

    @model_validator(mode="after")
    def _says_whom_and_what(self) -> "Override":
        if not self.conditions:
            raise ValueError("say whom it is for: customer_id, entity_id, country_code or a segment")
        if self.max_level is None and not self.days_past_due and not self.required_approval_count:
            raise ValueError("say what is different: max_level, days_past_due or required_approval_count")
        return self


class DunningPolicy(PolicyFile):
    """Who is written to, when, how firmly, in what language, and who approves."""

    courtesy: Courtesy
    stages: tuple[Stage, ...] = Field(description="levels 1 to 4, mildest first")
    min_days_between: PositiveDays = Field(description="days from a confirmed message to the next level")
    quiet_days: PositiveDays = Field(description="days between contacts of a customer, and of an address")
    reset_days: PositiveDays = Field(description="days with nothing past due that end an episode")
    minimum_net_due_amount: CurrencyAmounts = Field(description="smallest net amount worth a letter")
    default_language_code: Annotated[str, Field(pattern=r"\A[a-z]{2,3}\z")]
    contact_hours: ContactHours
    sms: Sms
    retry_approval_count: ApprovalCount = Field(
        description="people who must approve another try after one that was presumed not sent"
    )
    consumers: Consumers
    overrides: tuple[Override, ...] = ()

    @property
    def overrides_by_specificity(self) -> tuple[Override, ...]:
        """Most specific first; of equals, the one that stands first in the file."""
        return tuple(sorted(self.overrides, key=lambda override: override.specificity, reverse=True))

    @property
    def stage_names(self) -> dict[int, str]:
        """Level to stage, 0 for the courtesy reminder."""
        return {0: self.courtesy.stage} | {stage.level: stage.stage for stage in self.stages}

    @property
    def stages_with_pdf(self) -> frozenset[str]:
        """Names of the stages whose letters carry a PDF."""
        return frozenset(stage.stage for stage in self.stages if stage.has_pdf)

    def first_days(self, override: Override | None = None) -> dict[int, Days]:
        """Level to the day from which it applies, with one override laid over the ladder."""
        own = {stage.level: stage.days_past_due for stage in self.stages}
        return own | (override.days_past_due if override else {})

    @model_validator(mode="after")
    def _a_ladder(self) -> "DunningPolicy":
        if tuple(stage.level for stage in self.stages) != LEVELS:
            raise ValueError("stages must be levels 1, 2, 3, 4 in this order")
        if [stage.channel for stage in self.stages] != ["email", "email", "email", "task"]:
            raise ValueError("levels 1 to 3 are messages, level 4 is a task for a person")
        names = list(self.stage_names.values())
        if len(set(names)) != len(names):
            raise ValueError("each stage needs a name of its own")
        if len({override.name for override in self.overrides}) != len(self.overrides):
            raise ValueError("each override needs a name of its own")
        for override in (None, *self.overrides):
            days = [self.first_days(override)[level] for level in LEVELS]
            if any(later <= earlier for earlier, later in pairwise(days)):
                where = f"with override {override.name}, " if override else ""
                raise ValueError(f"{where}days_past_due must rise from level to level, not {days}")
        return self
