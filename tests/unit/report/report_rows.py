"""Rows of the marts for a page, written by hand: one ledger with everything, in any currency."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from o2c.report.reading import Figures

AS_OF = date(2026, 9, 30)
BEFORE = date(2026, 8, 31)
BUCKETS = ("current", "1-30", "31-60", "61-90", "over 90")
NO_RATIOS = {
    "dso_countback_days": None,
    "average_days_delinquent": None,
    "collection_effectiveness_ratio": Decimal("0.98"),
    "past_due_invoice_ratio": None,
    "ar_turnover_ratio": None,
    "weighted_days_to_pay": None,
    "weighted_days_late": Decimal("-1.250000"),
    "at_risk_ratio": None,
    "bad_debt_ratio": None,
}


def kpis(entity: str, code: str, day: date = AS_OF, scale: str = "1") -> dict[str, Any]:
    """212,000 open net of 250,000 sales: DSO 76.32; 62,000 past due of 220,000 open."""
    by = Decimal(scale)
    return {
        "entity_id": entity,
        "currency_code": code,
        "as_of_date": day,
        "closing_net_amount": Decimal("212000.0000") * by,
        "closing_open_amount": Decimal("220000.0000") * by,
        "past_due_amount": Decimal("70000.0000") * by,
        "past_due_ratio": Decimal("0.318182"),
        "over_90_ratio": Decimal("0.100000"),
        "dso_days": Decimal("76.320000"),
        "best_possible_dso_days": Decimal("54.000000"),
        "collection_effectiveness_quarter_ratio": Decimal("0.559300"),
        "open_item_count": 3,
        **NO_RATIOS,
    }


def buckets(entity: str, code: str, day: date = AS_OF, scale: str = "1") -> list[dict[str, Any]]:
    amounts = ("150000", "20000", "18000", "10000", "22000")
    return [
        {
            "entity_id": entity,
            "currency_code": code,
            "as_of_date": day,
            "bucket_order": order,
            "aging_bucket": label,
            "open_amount": Decimal(amount) * Decimal(scale),
            "allowance_amount": Decimal(amount) * Decimal(scale) / 100,
            "chain_allowance_amount": None,
        }
        for order, (label, amount) in enumerate(zip(BUCKETS, amounts, strict=True), start=1)
    ]


def comparison(entity: str, code: str, **other: Any) -> dict[str, Any]:
    return {
        "entity_id": entity,
        "currency_code": code,
        "kpi_name": "dso_days",
        "kpi_order": 1,
        "unit": "days",
        "benchmark_value": Decimal("38.040000"),
        "benchmark_period": "2021-Q1",
        "benchmark_source": "Somebody, Summary of Receivables",
        "target_value": Decimal("40.000000"),
        "is_on_target": False,
        **other,
    }


def rollforward(entity: str, code: str, scale: str = "1") -> dict[str, Any]:
    """1,640 + 0 - 120 - 853 - 40 = 627."""
    amounts = {
        "opening": "1640", "invoiced": "0", "credited": "120", "collected": "853", "discount": "0",
        "written_off": "40", "adjusted": "0", "fx": "0", "closing": "627",
    }  # fmt: skip
    return {
        "entity_id": entity,
        "currency_code": code,
        "month_end_date": AS_OF,
        "as_of_date": AS_OF,
        "is_complete_month": True,
        **{f"{name}_amount": Decimal(amount) * Decimal(scale) for name, amount in amounts.items()},
    }


def forecast(entity: str, code: str, weeks: int = 13) -> list[dict[str, Any]]:
    rows = []
    for number in range(1, weeks + 2):
        is_beyond = number == weeks + 1
        rows.append(
            {
                "entity_id": entity,
                "currency_code": code,
                "week_number": number,
                "week_start_date": date(2026, 9, 28) + timedelta(weeks=number - 1),
                "is_beyond_horizon": is_beyond,
                "expected_amount": Decimal(7000 if is_beyond else 1000 * number),
                "low_amount": Decimal(500 * number),
                "high_amount": Decimal(2000 * number),
                "promised_amount": Decimal(0),
                "disputed_amount": Decimal(900 if is_beyond else 0),
                "doubtful_amount": Decimal(0),
            }
        )
    return rows


def forecast_error(entity: str, code: str, made: date, week: int, came: str = "90") -> dict[str, Any]:
    return {
        "entity_id": entity,
        "currency_code": code,
        "forecast_date": made,
        "week_number": week,
        "week_start_date": made + timedelta(days=7 * (week - 1)),
        "expected_amount": Decimal(100),
        "low_amount": Decimal(80),
        "high_amount": Decimal(120),
        "collected_amount": Decimal(came),
        "error_amount": Decimal(came) - 100,
        "is_within_range": 80 <= Decimal(came) <= 120,
    }


def debtor(entity: str, code: str, customer: str = "C1", **other: Any) -> dict[str, Any]:
    return {
        "entity_id": entity,
        "currency_code": code,
        "customer_id": customer,
        "open_amount": Decimal("800"),
        "past_due_amount": Decimal("700"),
        "disputed_amount": Decimal("50"),
        "oldest_days_past_due": 143,
        "debtor_rank": 1,
        **other,
    }


def customer(customer_id: str = "C1", name: str = "Acme Foods Ltd", **other: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "customer_name": name,
        "status": "active",
        "risk_class": "high",
        "segment": "A / chronically late",
        "currency_code": "EUR",
        "credit_limit_amount": Decimal("1000"),
        "group_currency_code": "EUR",
        "group_exposure_amount": Decimal("850"),
        "utilisation_ratio": Decimal("0.85"),
        "last_contact_date": date(2026, 9, 1),
        "last_letter_date": date(2026, 9, 8),
        "last_letter_level": 2,
        "last_payment_date": None,
        "next_promised_date": date(2026, 10, 5),
        "pending_promise_count": 1,
        "broken_promise_count": 2,
        "last_broken_promise_date": date(2026, 7, 1),
        "open_dispute_count": 1,
        "open_invoice_count": 4,
        "past_due_invoice_count": 3,
        **other,
    }


def check(name: str = "assert_rollforward_closes", *, passed: bool = True, **other: Any) -> dict[str, Any]:
    return {
        "run_id": "r1",
        "check_name": name,
        "expected": "no rows",
        "actual": "no rows",
        "passed": passed,
        "severity": "error",
        **other,
    }


def whole(entity: str = "ACME", code: str = "EUR", scale: str = "1", **parts: Any) -> Figures:
    """A ledger that has a row in every part."""
    key = {"entity_id": entity, "currency_code": code}
    received = {
        f"{who}_{what}": Decimal(100) if what == "amount" else 1
        for who in ("received", "automatic", "ledger", "person", "waiting")
        for what in ("amount", "count")
    }
    rows: dict[str, Any] = {
        "kpis": (kpis(entity, code, BEFORE, scale), kpis(entity, code, AS_OF, scale)),
        "changes": (
            {**key, "previous_month_end_date": BEFORE, "dso_change_days": Decimal("-4.5"),
             "past_due_change_amount": Decimal("-1200"), "past_due_change_ratio": Decimal("0.0123")},
        ),
        "comparisons": (comparison(entity, code),),
        "balances": (
            {**key, "customer_count": 2, "credit_memo_amount": Decimal(5000), "unapplied_amount": Decimal(3000),
             "net_amount": Decimal(212000), "disputed_amount": Decimal(50), "oldest_days_past_due": 143,
             "current_amount": Decimal(150000), "past_due_1_30_amount": Decimal(20000),
             "past_due_31_60_amount": Decimal(18000), "past_due_61_90_amount": Decimal(10000),
             "past_due_over_90_amount": Decimal(22000)},
        ),
        "buckets": (*buckets(entity, code, BEFORE, scale), *buckets(entity, code, AS_OF, scale)),
        "segments": ({**key, "segment_dimension": "value_tier", "segment": "A", "customer_count": 2,
                      "open_amount": Decimal(220000), "past_due_amount": Decimal(70000),
                      "past_due_ratio": Decimal("0.318182"), "dso_days": None, "is_past_due_rising": True},),
        "rollforward": (rollforward(entity, code, scale),),
        "forecast": tuple(forecast(entity, code)),
        "forecast_errors": tuple(forecast_error(entity, code, BEFORE, week) for week in (1, 2, 3, 4)),
        "cash": ({**key, "period": "30_days", **received, "automatic_amount_ratio": Decimal("0.9"),
                  "automatic_count_ratio": Decimal("0.8")},),
        "unapplied": ({**key, "balance_type": "on_account", "payment_count": 2, "unapplied_amount": Decimal(3000),
                       "age_0_7_amount": Decimal(1000), "age_8_30_amount": Decimal(2000),
                       "age_31_90_amount": Decimal(0), "age_over_90_amount": Decimal(0), "oldest_age_days": 12},),
        "exceptions": ({**key, "reason_code": "unknown_payer", "payment_count": 1, "unapplied_amount": Decimal(10),
                        "oldest_days": 3},),
        "disputes": ({**key, "cause": "pricing", "open_disputed_amount": Decimal(50), "open_count": 1,
                      "oldest_days_open": 20, "resolved_count": 0, "average_days_to_resolve": None},),
        "deductions": ({**key, "reason_code": "freight", "reason": "freight and its ways", "deduction_count": 1,
                        "deduction_amount": Decimal(15), "first_date": date(2026, 9, 2)},),
        "alerts": ({**key, "alert_code": "customer_concentration", "subject": "C1", "alert_amount": Decimal(800),
                    "measured_ratio": Decimal("0.12"), "limit_ratio": Decimal("0.10"), "reason": "owes much"},),
        "coverage": ({"entity_id": entity, "past_due_customer_count": 4, "contacted_customer_count": 3,
                      "coverage_ratio": Decimal("0.75"), "day_one_contact_ratio": None, "newly_past_due_count": 0,
                      "reminder_count": 2, "reminder_response_ratio": Decimal("0.5"),
                      "reminder_settled_ratio": Decimal(0)},),
        "contacts": ({"channel": "ALL", "contact_count": 10, "automatic_contact_count": 7,
                      "automatic_contact_ratio": Decimal("0.7")},),
        "baseline": ({**key, "from_date": date(2026, 7, 1), "until_date": AS_OF, "collected_amount": Decimal(10),
                      "weighted_days_to_pay": Decimal(30), "weighted_days_late": Decimal(2),
                      "cash_in_ratio": Decimal("1.01")},),
        "debtors": (debtor(entity, code),),
        "customers": (customer(),),
        "items": ({**key, "customer_id": "C1", "item_count": 4, "past_due_count": 3,
                   "largest_amount": Decimal(400)},),
        "worklist": ({"customer_id": "C1", "currency_code": "EUR", "next_action": "call", "priority_class": "High",
                      "reason": "much past due"},),
        "decisions": ({**key, "customer_id": "C1", "decision": "letter", "stage": "follow_up", "level": 2,
                       "reason": "due"},),
        "checks": (check(),),
    }  # fmt: skip
    return Figures(**{**rows, **parts})
