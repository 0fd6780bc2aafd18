"""Messages leave on business days between eight and six where the customer is, to the minute on either side."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from babel.core import get_global

from o2c.calendars import COUNTRY_CODES, BusinessCalendar
from o2c.contact_hours import CAPITALS, Doors, time_zone_of
from o2c.policy.dunning import ContactHours

HOURS = ContactHours(opens_at="08:00", closes_at="18:00")  # ty: ignore[invalid-argument-type]
DOORS = Doors(
    HOURS,
    BusinessCalendar(),
    {"TOKYO": "JP", "BERLIN": "DE", "RIYADH": "SA", "NOBODY": None},
    {"DE01": ("DE", "Europe/Berlin"), "XX": (None, "Asia/Kolkata")},
    ("US", "America/New_York"),
)
ZONES = {
    code: zones for code, zones in get_global("territory_zones").items() if code.isalpha() and code != "ZZ"
}


def why(customer_id: str, text: str, entity_id: str = "DE01", **given: str | None) -> str | None:
    now = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return DOORS.may_leave({"customer_id": customer_id, "entity_id": entity_id} | given, now)


@pytest.mark.parametrize(
    ("customer_id", "now", "reason"),
    [
        ("BERLIN", "2026-03-12T06:59:59", "outside_contact_hours"),
        ("BERLIN", "2026-03-12T07:00:00", None),
        ("BERLIN", "2026-03-12T16:59:59", None),
        ("BERLIN", "2026-03-12T17:00:00", "outside_contact_hours"),
        ("BERLIN", "2026-03-27T16:59:59", None),
        ("BERLIN", "2026-03-30T05:59:59", "outside_contact_hours"),
        ("BERLIN", "2026-03-30T06:00:00", None),
        ("BERLIN", "2026-03-14T10:00:00", "no_business_day"),
        ("BERLIN", "2026-04-03T10:00:00", "no_business_day"),
        ("TOKYO", "2026-03-11T22:59:59", "outside_contact_hours"),
        ("TOKYO", "2026-03-11T23:00:00", None),
        ("TOKYO", "2026-03-12T09:00:00", "outside_contact_hours"),
        ("RIYADH", "2026-03-15T06:00:00", None),
        ("RIYADH", "2026-03-13T06:00:00", "no_business_day"),
        ("NOBODY", "2026-03-12T07:00:00", None),
    ],
    ids=[
        "a second before eight in Berlin", "eight", "a second before six", "six", "last hour of winter time",
        "an hour later it is an hour earlier", "eight in summer time", "Saturday", "Good Friday",
        "a second before eight in Tokyo, yesterday in UTC", "eight in Tokyo", "six in Tokyo",
        "Sunday in Riyadh", "Friday in Riyadh", "nobody knows the country: where our entity is",
    ],
)  # fmt: skip
def test_a_letter_leaves_in_contact_hours_of_its_customer(
    customer_id: str, now: str, reason: str | None
) -> None:
    assert why(customer_id, now) == reason


def test_the_zone_that_was_fixed_when_the_letter_was_planned_counts() -> None:
    assert why("BERLIN", "2026-03-12T07:00:00", time_zone="Asia/Tokyo") is None
    assert why("BERLIN", "2026-03-12T12:00:00", time_zone="Asia/Tokyo") == "outside_contact_hours"
    assert why("BERLIN", "2026-03-12T12:00:00", time_zone=None) is None


def test_an_entity_that_nobody_knows_is_where_the_group_is() -> None:
    assert why("NOBODY", "2026-03-12T11:59:59", "NEW") == "outside_contact_hours"
    assert why("NOBODY", "2026-03-12T12:00:00", "NEW") is None


def test_an_entity_without_a_country_has_its_own_zone_and_the_groups_calendar() -> None:
    """Washington's birthday is a holiday in the United States alone."""
    assert why("NOBODY", "2026-02-16T06:00:00", "XX") == "no_business_day"


def test_every_country_with_a_calendar_has_one_zone() -> None:
    without = [code for code in sorted(COUNTRY_CODES & set(ZONES)) if time_zone_of(code, "none") == "none"]
    assert without == ["AQ", "UM"]  # nobody lives there
    assert {time_zone_of(code, "UTC") for code in COUNTRY_CODES} <= available_timezones()


def test_capitals_are_given_for_countries_with_several_zones_and_are_among_these() -> None:
    several = {code for code, zones in ZONES.items() if len(zones) > 1} - {"AQ", "UM"}
    assert set(CAPITALS) == several
    assert [code for code, zone in CAPITALS.items() if zone not in ZONES[code]] == []


@pytest.mark.parametrize(
    ("country", "zone"),
    [("FR", "Europe/Paris"), ("US", "America/New_York"), ("XK", "Europe/Rome"), (None, "Europe/Rome")],
)
def test_a_country_has_its_zone_and_an_unknown_one_that_of_the_entity(country: str | None, zone: str) -> None:
    assert time_zone_of(country, "Europe/Rome") == zone
