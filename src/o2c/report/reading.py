"""What the page shows, out of the marts of a run: few rows each, summed or ranked where the mart has one per customer.

A mart that the run did not make (a month end decides nothing) gives no rows, as an empty one does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

Row = Mapping[str, Any]

CUSTOMERS_SHOWN = 10
_MONTHS_SHOWN = 25  # the as-of date and the month ends of two years before it

# Name of the part, the marts that it needs, and how it is read. $as_of, $month_ends and $customers are all that varies.
# Every statement has an order by its key: no part of the page depends on the order of rows in a file.
_STATEMENTS: dict[str, tuple[tuple[str, ...], str]] = {
    "kpis": (
        ("receivables.fct_ar_kpis",),
        """
        select * from receivables.fct_ar_kpis
        where as_of_date between $as_of - to_months($month_ends) and $as_of
        order by entity_id, currency_code, as_of_date
        """,
    ),
    "changes": (
        ("receivables.fct_ar_kpi_changes",),
        """
        select * from receivables.fct_ar_kpi_changes where as_of_date = $as_of order by entity_id, currency_code
        """,
    ),
    "comparisons": (
        ("receivables.fct_kpi_comparison",),
        """
        select * from receivables.fct_kpi_comparison where as_of_date = $as_of
        order by entity_id, currency_code, kpi_order
        """,
    ),
    "balances": (
        ("receivables.fct_ar_aging",),
        """
        select
            entity_id, currency_code, sum(current_amount) as current_amount,
            sum(past_due_1_30_amount) as past_due_1_30_amount, sum(past_due_31_60_amount) as past_due_31_60_amount,
            sum(past_due_61_90_amount) as past_due_61_90_amount,
            sum(past_due_over_90_amount) as past_due_over_90_amount, sum(credit_memo_amount) as credit_memo_amount,
            sum(unapplied_amount) as unapplied_amount, sum(net_amount) as net_amount,
            sum(disputed_amount) as disputed_amount, max(oldest_days_past_due) as oldest_days_past_due,
            count(*) filter (where open_amount <> 0) as customer_count
        from receivables.fct_ar_aging where as_of_date = $as_of
        group by entity_id, currency_code order by entity_id, currency_code
        """,
    ),
    "buckets": (
        ("receivables.fct_expected_credit_loss",),
        """
        select entity_id, currency_code, as_of_date, bucket_order, aging_bucket, open_amount, allowance_amount,
            chain_allowance_amount
        from receivables.fct_expected_credit_loss
        where as_of_date between $as_of - to_months($month_ends) and $as_of
        order by entity_id, currency_code, as_of_date, bucket_order
        """,
    ),
    "segments": (
        ("receivables.fct_ar_segment_kpis",),
        """
        select * from receivables.fct_ar_segment_kpis
        where as_of_date = $as_of and segment_dimension <> 'customer_group'
        order by entity_id, currency_code, segment_dimension, segment
        """,
    ),
    "rollforward": (
        ("receivables.fct_ar_rollforward",),
        """
        select * from receivables.fct_ar_rollforward
        where as_of_date between $as_of - to_months(3) and $as_of
        order by entity_id, currency_code, month_end_date
        """,
    ),
    "forecast": (
        ("receivables.fct_cash_forecast",),
        """
        select * from receivables.fct_cash_forecast where as_of_date = $as_of
        order by entity_id, currency_code, week_start_date
        """,
    ),
    "forecast_errors": (
        ("receivables.fct_forecast_errors",),
        """
        select * from receivables.fct_forecast_errors
        where as_of_date = $as_of and forecast_date < $as_of and week_number <= 4
        order by entity_id, currency_code, forecast_date, week_start_date
        """,
    ),
    "cash": (
        ("receivables.fct_cash_application_kpis",),
        """
        select * from receivables.fct_cash_application_kpis
        where as_of_date = $as_of and bank_account_id = 'ALL' order by entity_id, currency_code, period
        """,
    ),
    "unapplied": (
        ("receivables.fct_unapplied_cash_aging",),
        """
        select * from receivables.fct_unapplied_cash_aging
        where as_of_date = $as_of and bank_account_id = 'ALL' order by entity_id, currency_code, balance_type
        """,
    ),
    "exceptions": (
        ("receivables.fct_cash_exceptions",),
        """
        select
            entity_id, currency_code, reason_code, count(*) as payment_count,
            sum(unapplied_amount) as unapplied_amount, max(waiting_days) as oldest_days
        from receivables.fct_cash_exceptions where as_of_date = $as_of
        group by entity_id, currency_code, reason_code
        order by entity_id, currency_code, payment_count desc, reason_code
        """,
    ),
    "disputes": (
        ("receivables.fct_dispute_causes",),
        """
        select * from receivables.fct_dispute_causes where as_of_date = $as_of and cause_type = 'reason'
        order by entity_id, currency_code, open_disputed_amount desc, cause
        """,
    ),
    "deductions": (
        ("receivables.fct_deductions",),
        """
        select
            entity_id, currency_code, reason_code, min(reason) as reason, count(*) as deduction_count,
            sum(deduction_amount) as deduction_amount, min(deducted_date) as first_date
        from receivables.fct_deductions where status = 'open'
        group by entity_id, currency_code, reason_code
        order by entity_id, currency_code, deduction_amount desc, reason_code
        """,
    ),
    "alerts": (
        ("receivables.fct_alerts",),
        """
        select * from receivables.fct_alerts where as_of_date = $as_of
        order by alert_code, entity_id, currency_code, alert_amount desc, subject
        """,
    ),
    "coverage": (
        ("collections.fct_coverage",),
        """
        select * from collections.fct_coverage where as_of_date = $as_of order by entity_id
        """,
    ),
    "contacts": (
        ("collections.fct_contact_kpis",),
        """
        select * from collections.fct_contact_kpis where as_of_date = $as_of order by channel
        """,
    ),
    "baseline": (
        ("receivables.fct_baseline_comparison",),
        """
        select * from receivables.fct_baseline_comparison where as_of_date = $as_of
        order by entity_id, currency_code, from_date
        """,
    ),
    # The group's own ranking stands in group currency with the customers, the others with the aging.
    "debtors": (
        ("receivables.fct_ar_aging", "core.dim_customers"),
        """
        with
            amounts as (
                select
                    entity_id, customer_id, currency_code, open_amount, open_amount - current_amount as past_due_amount,
                    disputed_amount, oldest_days_past_due
                from receivables.fct_ar_aging where as_of_date = $as_of
                union all
                select
                    'ALL', customer_id, group_currency_code, group_open_amount, group_past_due_amount,
                    group_disputed_amount, oldest_days_past_due
                from core.dim_customers
            ),
            ranked as (
                select *, row_number() over (
                    partition by entity_id, currency_code order by past_due_amount desc, customer_id
                ) as debtor_rank
                from amounts where past_due_amount > 0
            )
        select * from ranked where debtor_rank <= $customers order by entity_id, currency_code, debtor_rank
        """,
    ),
}  # fmt: skip

# Of the customers that are shown, whatever the ledger has.
_STORIES: dict[str, tuple[tuple[str, ...], str]] = {
    "customers": (
        ("core.dim_customers",),
        "select * from core.dim_customers where list_contains($ids, customer_id) order by customer_id",
    ),
    "items": (
        ("receivables.fct_open_items",),
        """
        select
            entity_id, customer_id, currency_code, count(*) as item_count,
            count(*) filter (where days_past_due > 0) as past_due_count,
            max(open_amount) filter (where days_past_due > 0) as largest_amount
        from receivables.fct_open_items
        where as_of_date = $as_of and document_type <> 'credit_memo' and list_contains($ids, customer_id)
        group by entity_id, customer_id, currency_code order by entity_id, customer_id, currency_code
        """,
    ),
    "worklist": (
        ("collections.fct_worklist",),
        """
        select customer_id, currency_code, next_action, priority_class, reason from collections.fct_worklist
        where as_of_date = $as_of and list_contains($ids, customer_id) order by customer_id, currency_code
        """,
    ),
    "decisions": (
        ("collections.fct_dunning_decisions",),
        """
        select entity_id, customer_id, currency_code, decision, stage, level, reason
        from collections.fct_dunning_decisions
        where as_of_date = $as_of and list_contains($ids, customer_id)
        order by entity_id, customer_id, currency_code
        """,
    ),
}  # fmt: skip

_CHECKS = (
    ("quality.fct_run_checks",),
    "select * from quality.fct_run_checks order by passed, severity, check_name",
)


_NEEDED = {name: marts for name, (marts, _) in {**_STATEMENTS, **_STORIES, "checks": _CHECKS}.items()}
# Every mart that the page reads: the exposure finance_page names the same.
MARTS_READ = frozenset(mart for marts in _NEEDED.values() for mart in marts)


@dataclass(frozen=True)
class Figures:
    """Rows of each part of the page, sorted by its key. A part without rows is told of in words.

    ``absent`` names parts that the run did not make: nothing is known of them, which is not the same as no rows.
    """

    kpis: tuple[Row, ...] = ()
    changes: tuple[Row, ...] = ()
    comparisons: tuple[Row, ...] = ()
    balances: tuple[Row, ...] = ()
    buckets: tuple[Row, ...] = ()
    segments: tuple[Row, ...] = ()
    rollforward: tuple[Row, ...] = ()
    forecast: tuple[Row, ...] = ()
    forecast_errors: tuple[Row, ...] = ()
    cash: tuple[Row, ...] = ()
    unapplied: tuple[Row, ...] = ()
    exceptions: tuple[Row, ...] = ()
    disputes: tuple[Row, ...] = ()
    deductions: tuple[Row, ...] = ()
    alerts: tuple[Row, ...] = ()
    coverage: tuple[Row, ...] = ()
    contacts: tuple[Row, ...] = ()
    baseline: tuple[Row, ...] = ()
    debtors: tuple[Row, ...] = ()
    customers: tuple[Row, ...] = ()
    items: tuple[Row, ...] = ()
    worklist: tuple[Row, ...] = ()
    decisions: tuple[Row, ...] = ()
    checks: tuple[Row, ...] = ()
    absent: frozenset[str] = frozenset()


def read_figures(con: duckdb.DuckDBPyConnection, as_of: date) -> Figures:
    """Everything the page shows of one date, out of a run's build or the published database.

    Args:
        con: a database with the marts, or some of them.
        as_of: the date; tables of the last run alone must be of this date.
    """
    there = {f"{schema}.{table}" for schema, table in con.execute(
        "select table_schema, table_name from information_schema.tables"
    ).fetchall()}  # fmt: skip
    values = {"as_of": as_of, "month_ends": _MONTHS_SHOWN, "customers": CUSTOMERS_SHOWN}
    parts: dict[str, Any] = {name: _rows(con, there, *one, values) for name, one in _STATEMENTS.items()}
    values["ids"] = sorted({row["customer_id"] for row in parts["debtors"]})
    parts |= {name: _rows(con, there, *one, values) for name, one in _STORIES.items()}
    parts["checks"] = _rows(con, there, *_CHECKS, values)
    absent = frozenset(name for name, marts in _NEEDED.items() if not there.issuperset(marts))
    return Figures(**parts, absent=absent)


def _rows(
    con: duckdb.DuckDBPyConnection,
    there: set[str],
    needed: tuple[str, ...],
    statement: str,
    values: Mapping[str, Any],
) -> tuple[Row, ...]:
    if not there.issuperset(needed):
        return ()
    used = {name: value for name, value in values.items() if f"${name}" in statement}
    cursor = con.execute(statement, used)
    names = [column[0] for column in cursor.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
