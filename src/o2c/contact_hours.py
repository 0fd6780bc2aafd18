"""When a message may reach somebody: business days and contact hours where the customer is. Pure: no clock is read."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global

from o2c.calendars import BusinessCalendar
from o2c.dunning import DunningBook
from o2c.policy import Policies
from o2c.policy.dunning import ContactHours

# The zone of the capital, for countries that have several in the CLDR (territory zones as babel ships them).
CAPITALS = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}


@cache
def time_zone_of(country_code: str | None, entity_time_zone: str) -> str:
    """The default time zone of a customer's country; that of our entity where the country has none."""
    if country_code is None:
        return entity_time_zone
    zones = get_global("territory_zones").get(country_code, [])
    return CAPITALS.get(country_code) or (zones[0] if len(zones) == 1 else entity_time_zone)


class Doors:
    """Says of a letter why it may not leave now.

    Args:
        hours: contact hours of the policy.
        countries: country by customer_id; a customer without one is taken to be where our entity is.
        entities: country and time zone by entity_id.
        default: country and time zone where an entity has none.
    """

    def __init__(
        self,
        hours: ContactHours,
        calendar: BusinessCalendar,
        countries: Mapping[str, str | None],
        entities: Mapping[str, tuple[str | None, str]],
        default: tuple[str, str],
    ) -> None:
        self._hours, self._calendar = hours, calendar
        self._countries, self._entities, self._default = countries, entities, default

    def may_leave(self, letter: Mapping[str, Any], now: datetime) -> str | None:
        """Why the letter waits at an instant: ``no_business_day``, ``outside_contact_hours``; None if it need not.

        Args:
            letter: its row: customer_id, entity_id, and time_zone where that was fixed when it was planned.
        """
        entity_country, entity_zone = self._entities.get(letter["entity_id"], self._default)
        country = self._countries.get(letter["customer_id"]) or entity_country or self._default[0]
        there = now.astimezone(ZoneInfo(letter.get("time_zone") or time_zone_of(country, entity_zone)))
        if not self._calendar.is_business_day(country, there.date()):
            return "no_business_day"
        if not self._hours.opens_at <= there.time() < self._hours.closes_at:
            return "outside_contact_hours"
        return None


def doors_of(book: DunningBook, policies: Policies, calendar: BusinessCalendar) -> Doors:
    """Contact hours where each customer is."""
    controls = policies.controls
    return Doors(
        policies.dunning.contact_hours,
        calendar,
        dict(book.customers.select("customer_id", "country_code").iter_rows()),
        {
            row[0]: row[1:]
            for row in book.entities.select("entity_id", "country_code", "time_zone").iter_rows()
        },
        (controls.country_code, controls.time_zone),
    )
