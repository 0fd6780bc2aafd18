"""How the reports count: what is refused, and what SQL gets."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from o2c.policy import PolicyError, load_policies, policy_tables
from o2c.policy.load import read_yaml
from o2c.policy.reporting import ReportingPolicy, reporting_tables
from o2c.warehouse import RUN_TABLES

POLICIES = Path(__file__).parents[2] / "policies"
TEXT = (POLICIES / "reporting.yml").read_text()


def policy_of(folder: Path, *changes: tuple[str, str]) -> ReportingPolicy:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "reporting.yml"
    path.write_text(text)
    return ReportingPolicy.model_validate(read_yaml(path))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("early_ratio: 0.10", "early_ratio: 0.90", "early_ratio must be below late_ratio"),
        ("late_weight: 0.20", "late_weight: 0.81", "must not be more than 1 together"),
        ("month_days: {from_days: 26,", "month_days: {from_days: 36,", "from_days must not be above to_days"),
        ("to_days: 35}", "to_days: 82}", "month_days must end before quarter_days begins"),
        ("horizon_weeks: 13", "horizon_weeks: 105", "less than or equal to 104"),
        ("horizon_weeks: 13", "horizon_weeks: 0", "greater than or equal to 1"),
        ("interval_count: 4", "interval_count: 25", "less than or equal to 24"),
        ("grace_days: 7", "grace_days: -1", "greater than or equal to 0"),
        ("response_days: 7", "response_days: 0", "greater than or equal to 1"),
        ("smallest_customer_ratio: 0.40", "smallest_customer_ratio: 0", "greater than 0"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        policy_of(tmp_path, (old, new))


def test_the_edges_of_what_is_allowed_are_allowed(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        ("late_weight: 0.20", "late_weight: 0.80"),
        ("to_days: 35}", "to_days: 81}"),
        ("grace_days: 7", "grace_days: 0"),
        ("horizon_weeks: 13", "horizon_weeks: 104"),
        ("baseline_date: 2026-07-01", "baseline_date: null"),
        ("lineage_days: 62", "lineage_days: null"),
    )
    tables = reporting_tables(policy, None)
    row = tables["reporting"].row(0, named=True)
    assert (row["baseline_date"], row["lineage_days"], row["first_approval_level"]) == (None, None, None)
    assert tables["forecast_weeks"].height == 105


def test_sql_gets_every_value_and_one_week_more_for_all_that_is_later() -> None:
    tables = policy_tables(load_policies(POLICIES))
    row = tables["reporting"].row(0, named=True)
    assert set(row) == set(RUN_TABLES["policy.reporting"])
    assert (row["baseline_date"], row["early_weight"], row["month_from_days"]) == (
        date(2026, 7, 1),
        Decimal("0.20"),
        26,
    )
    assert row["first_approval_level"] == 3
    assert tables["forecast_weeks"].filter(pl.col("week_number") >= 13).rows() == [(13, False), (14, True)]


def test_a_typing_error_is_named_with_what_was_meant(tmp_path: Path) -> None:
    for path in POLICIES.glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text().replace("overdue_wait_days", "overdue_wait_dais"))
    with pytest.raises(PolicyError, match="did you mean overdue_wait_days"):
        load_policies(tmp_path)
