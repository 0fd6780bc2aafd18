"""What must hold before anything is sent. Pure: counts and policies in, checks out."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl

from o2c.calendars import BusinessCalendar
from o2c.checks import Check
from o2c.home import sending_window
from o2c.policy import ControlsPolicy

# A row of these that is lost may be the reason why a customer must not be written to.
PROTECTIVE_TABLES = ("blocks", "customers", "disputes", "plan_lines", "plans", "promises")


def rejected_rows(counts: pl.DataFrame, policy: ControlsPolicy) -> list[Check]:
    """Rejected rows are under the limit, and none is of a table that protects customers.

    Args:
        counts: one row per landed file and table: table_name, rows_in, rejected.
        policy: ``max_rejected_ratio``, a fraction of all rows.
    """
    rows_in, rejected = int(counts["rows_in"].sum()), int(counts["rejected"].sum())
    protective = int(counts.filter(pl.col("table_name").is_in(PROTECTIVE_TABLES))["rejected"].sum())
    limit = policy.max_rejected_ratio
    ratio = Decimal(rejected) / rows_in if rows_in else Decimal(0)
    return [
        Check(
            "rejected_rows_ratio",
            f"< {limit}",
            f"{ratio:.6f} ({rejected} of {rows_in})",
            rejected == 0 or ratio < limit,
            "gate",
        ),
        Check("rejected_protective_rows", "0", str(protective), protective == 0, "gate"),
    ]


def control_account(differences: pl.DataFrame) -> Check:
    """Net receivables tie to the control account of the general ledger, where one was given.

    Args:
        differences: one row per entity and currency: entity_id, currency_code, expected_amount, actual_amount.
    """
    off = differences.filter(pl.col("expected_amount").ne_missing(pl.col("actual_amount")))
    if differences.is_empty():
        return Check("control_account_ties", "not given", "not applicable", True, "gate")
    found = "; ".join(
        f"{row['entity_id']} {row['currency_code']}: ledger {row['expected_amount']}, items {row['actual_amount']}"
        for row in off.sort("entity_id", "currency_code").iter_rows(named=True)
    )
    return Check("control_account_ties", "no difference", found or "no difference", off.is_empty(), "gate")


def calendar_known(countries: Iterable[str], as_of: date, calendar: BusinessCalendar) -> Check:
    """Holidays of the year are known where we are: no holidays known is not no holidays.

    Args:
        countries: of our entities and of the group.
    """
    doubts = [calendar.doubt(country, as_of) for country in sorted(set(countries))]
    found = "; ".join(doubt for doubt in doubts if doubt)
    return Check("calendar_known", f"holidays of {as_of.year}", found or "known", not found, "gate")


def sending_clock(as_of: date, now: datetime, next_business_day: date, policy: ControlsPolicy) -> Check:
    """The clock stands in the window in which letters decided for the as-of date may leave."""
    first, last = sending_window(as_of, next_business_day)
    today = now.astimezone(ZoneInfo(policy.time_zone)).date()
    return Check("sending_window", f"{first} to {last}", str(today), first <= today <= last, "gate")
