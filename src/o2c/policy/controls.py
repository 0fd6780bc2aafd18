"""Controls: currency and calendar of the group, gates before sending (policies/controls.yml)."""

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from o2c.policy.base import CountryCode, CurrencyCode, Fraction, PolicyFile


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no IANA time zone, like Europe/Berlin")
    ZoneInfo(value)
    return value


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
