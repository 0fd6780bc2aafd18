"""Business days by country, without a clock."""

from datetime import date

import pytest

from o2c.calendars import COUNTRY_CODES, BusinessCalendar

CALENDAR = BusinessCalendar()


@pytest.mark.parametrize(
    ("country", "day", "is_business_day"),
    [
        ("DE", date(2026, 10, 2), True),
        ("DE", date(2026, 10, 3), False),  # a Saturday and German Unity Day
        ("DE", date(2026, 12, 25), False),
        ("DE", date(2026, 12, 24), True),
        ("US", date(2026, 11, 26), False),  # Thanksgiving
        ("US", date(2026, 11, 27), True),
        ("GB", date(2026, 4, 3), False),  # Good Friday
        ("SA", date(2026, 11, 20), False),  # Friday
        ("SA", date(2026, 11, 22), True),  # Sunday
    ],
)
def test_holidays_and_weekends_are_those_of_the_country(country, day, is_business_day):
    assert CALENDAR.is_business_day(country, day) is is_business_day
    assert CALENDAR.doubt(country, day) is None


def test_the_next_and_the_last_business_day_skip_weekends_and_holidays():
    wednesday, friday = date(2026, 11, 25), date(2026, 11, 27)
    assert CALENDAR.next_business_day("US", wednesday) == friday
    assert CALENDAR.last_business_day("US", friday) == wednesday
    assert CALENDAR.next_business_day("US", friday) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("country", "day", "doubt"),
    [
        ("XX", date(2026, 12, 25), "no calendar for country 'XX'"),
        ("UK", date(2026, 12, 25), "no calendar for country 'UK'"),
        ("DE", date(2300, 12, 25), "no holidays known for DE in 2300"),
    ],
)
def test_where_nothing_is_known_monday_to_friday_are_taken_and_it_is_said(country, day, doubt):
    assert CALENDAR.is_business_day(country, day) is (day.weekday() < 5)
    assert CALENDAR.doubt(country, day) == f"{doubt}: Monday to Friday are taken as business days"


def test_the_countries_are_those_of_iso_3166():
    assert {"DE", "US", "GB", "JP", "XK"} <= COUNTRY_CODES
    assert not {"UK", "EU", "XX", "de", "DEU"} & COUNTRY_CODES
