"""How dates of a history are named below a drawing."""

from collections.abc import Sequence
from datetime import date

from o2c.report import written

NO_HISTORY = "There are not yet two dates to draw."


def labels_of(dates: Sequence[date], as_of: date) -> list[str]:
    """Month ends by month, the as-of date by day where it is none of them."""
    return [
        written.day_and_month(day) if day == as_of and not _is_month_end(day) else written.month(day)
        for day in dates
    ]


def _is_month_end(day: date) -> bool:
    return (day + date.resolution).month != day.month
