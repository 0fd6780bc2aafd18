"""Controls: currency and calendar of the group, gates, brakes and approvals before sending (policies/controls.yml)."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from o2c.policy.base import (
    ApprovalCount,
    Code,
    Count,
    CountryCode,
    CurrencyAmounts,
    CurrencyCode,
    Fraction,
    Number,
    PolicyFile,
    PolicyModel,
    PositiveCount,
    PositiveDays,
    Text,
)

RequestKind = Literal["letters", "referrals", "holds", "write_offs"]
Hours = Annotated[int, Field(strict=True, ge=1, le=240)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=1440)]
Multiple = Annotated[Number, Field(ge=1, le=1000)]
Person = Annotated[str, Field(pattern=r"\A[a-z0-9][a-z0-9._@-]{0,99}\z")]


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no IANA time zone, like Europe/Berlin")
    ZoneInfo(value)
    return value


class Brakes(PolicyModel):
    """Changes against the median of the last runs that sent; beyond one, every letter of the run needs people."""

    run_count: PositiveCount = Field(description="runs that the median is of")
    first_runs_approval_count: ApprovalCount = Field(
        description="people who approve every letter while there are fewer runs than that"
    )
    tripped_approval_count: ApprovalCount = Field(
        description="people who approve every letter of a run that a brake stopped"
    )
    message_change_ratio: Fraction = Field(description="more or fewer messages")
    amount_change_ratio: Fraction = Field(description="more or less money on letters, per currency")
    first_time_ratio: Fraction = Field(description="share of customers never written to before")
    final_notice_multiple: Multiple = Field(description="letters of level 3 and above, times the median")
    referral_multiple: Multiple = Field(description="items proposed to agencies, times the median")
    referral_minimum: Count = Field(description="so many referrals never trip the brake")
    largest_customer_ratio: Fraction = Field(description="share of the money that one customer has")
    row_loss_ratio: Fraction = Field(description="fewer rows of a source table than in the last run")
    suspense_ratio: Fraction = Field(description="cash in suspense, of what came in during suspense_days")
    suspense_days: PositiveDays
    small_run: Count = Field(
        description="ratios of messages, money and customers are not judged at or below so many letters"
    )


class Canary(PolicyModel):
    """The first few of a batch, through carriers that report delivery, before the rest."""

    size: Count = Field(description="messages; the smallest amounts of the mildest level")
    delivered_count: Count = Field(description="of these must be delivered before the rest leaves")


class Caps(PolicyModel):
    """The most that leaves, whatever was approved."""

    messages_per_run: PositiveCount = Field(description="of one batch")
    messages_per_day: PositiveCount
    messages_per_domain: PositiveCount = Field(description="of one batch, to one recipient domain")
    amount_per_run: CurrencyAmounts = Field(description="money on the letters of one batch")


class Breakers(PolicyModel):
    """What pauses a carrier while a batch is leaving."""

    unknown_in_a_row: PositiveCount
    unknown_ratio: Fraction = Field(description="of the batch")
    bounce_ratio: Fraction = Field(description="of the batch, once so many were attempted as bounce_minimum")
    bounce_minimum: PositiveCount
    complaint_ratio: Fraction = Field(description="of what was delivered in the last days of complaint_days")
    complaint_days: PositiveDays


class Delivery(PolicyModel):
    """How letters leave."""

    rate_share: Fraction = Field(gt=0, description="of the rate that the carrier's account allows")
    max_attempts: PositiveCount = Field(description="tries of a letter that the carrier could not take")
    request_timeout_seconds: PositiveCount = Field(description="the carrier's answer is waited for")
    lease_seconds: PositiveCount = Field(description="a claim lasts; at least six request time-outs")
    presume_not_sent_hours: Hours = Field(
        description="an unknown letter without a trace is taken as not sent"
    )
    max_message_bytes: Annotated[int, Field(strict=True, ge=1000, le=40_000_000)] = Field(
        description="larger messages are refused before they are approved"
    )
    canary: Canary
    caps: Caps
    breakers: Breakers

    @model_validator(mode="after")
    def _lease_outlives_the_request(self) -> "Delivery":
        if self.lease_seconds < 6 * self.request_timeout_seconds:
            raise ValueError("lease_seconds must be at least six times request_timeout_seconds")
        return self


class Addresses(PolicyModel):
    """When an address is not trusted."""

    max_customers_per_address: PositiveCount = Field(
        description="more customers than this: held for a person"
    )
    changed_domain_days: PositiveDays = Field(
        description="from level 2 on, held for so many days after the address moved to another domain"
    )


class Role(PolicyModel):
    """What people of a role may approve, and up to which amount."""

    role: Code
    kinds: tuple[RequestKind, ...] = Field(min_length=1)
    largest_amount: CurrencyAmounts = Field(description="largest single amount in the list")
    total_amount: CurrencyAmounts = Field(description="total of the list, per currency")


class Approver(PolicyModel):
    """A person who may approve."""

    person: Person = Field(description="name as given with --by; lower case")
    roles: tuple[Code, ...] = Field(min_length=1)
    public_key: Text | None = Field(
        default=None, description="OpenSSH Ed25519 public key; with it, approvals must be signed"
    )


class Approvals(PolicyModel):
    """Who approves what."""

    expiry_hours: Hours = Field(description="a list not approved by then is decided anew")
    write_off_limit: CurrencyAmounts = Field(
        description="a person's write-off or discount of more than this waits for approval"
    )
    write_off_approval_count: ApprovalCount
    roles: tuple[Role, ...]
    approvers: tuple[Approver, ...]

    def role(self, name: str) -> Role | None:
        """The role of that name; None where there is none."""
        return next((role for role in self.roles if role.role == name), None)

    def approver(self, person: str) -> Approver | None:
        """The person; None where nobody of that name may approve."""
        return next((one for one in self.approvers if one.person == person), None)

    @model_validator(mode="after")
    def _known_roles_once(self) -> "Approvals":
        names = [role.role for role in self.roles]
        people = [one.person for one in self.approvers]
        unknown = sorted({role for one in self.approvers for role in one.roles} - set(names))
        double = sorted({name for names_ in (names, people) for name in names_ if names_.count(name) > 1})
        if unknown or double:
            raise ValueError(f"unknown roles: {unknown}, named more than once: {double}")
        return self


class ControlsPolicy(PolicyFile):
    """What holds for the whole group, and what must be true before anything is sent."""

    group_currency_code: CurrencyCode = Field(description="of customer-level money over several currencies")
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        description="business time zone: turns a schedule into the as-of date; default of entities"
    )
    country_code: CountryCode = Field(
        description="business calendar; default of entities that only documents name"
    )
    max_rejected_ratio: Fraction = Field(description="sending gate: rejected rows stay below this share")
    brakes: Brakes
    delivery: Delivery
    addresses: Addresses
    approvals: Approvals
