"""Cash application in a few lines: rates, rules, and what lies unapplied."""

from decimal import Decimal
from typing import Any

from o2c.cash_summary import cash_lines


def kpi(period: str, account: str, **other: Any) -> dict[str, Any]:
    return {
        "period": period,
        "entity_id": "E1",
        "currency_code": "EUR",
        "bank_account_id": account,
        "received_count": 12,
        "automatic_count": 9,
        "person_count": 1,
        "ledger_count": 2,
        "waiting_count": 0,
        "automatic_count_ratio": Decimal("0.900000"),
        "automatic_amount_ratio": None,
        **other,
    }


def test_a_month_of_all_accounts_is_told_with_its_rules_and_what_is_left():
    figures = {
        "kpis": [
            kpi("30_days", "ALL"),
            kpi("30_days", "BANK-1"),
            kpi("1_day", "ALL"),
            kpi("30_days", "ALL", entity_id="E2", received_count=0),
        ],
        "rules": [
            {"rule": "typo", "application_count": 2},
            {"rule": "invoice_number", "application_count": 3},
            {"rule": "invoice_number", "application_count": 1000},
            {"rule": "digits", "application_count": 2},
        ],
        "unapplied": [
            {
                "entity_id": "E1",
                "currency_code": "JPY",
                "bank_account_id": account,
                "balance_type": "on_account",
                "payment_count": 3,
                "unapplied_amount": Decimal("12345.0000"),
                "age_over_90_amount": Decimal(0),
            }
            for account in ("ALL", "BANK-1")
        ],
    }
    assert cash_lines(figures) == [
        "  E1 EUR, 30 days: 9 of 10 payments automatic (90.0 %), by value no rate; 1 by persons, 0 wait",
        "  by rule: invoice number 1,003, digits 2, typo 2",
        "  E1 JPY on account: 12,345 of 3 payments, 0 older than 90 days",
    ]


def test_without_payments_there_is_nothing_to_tell():
    assert cash_lines({"kpis": [], "rules": [], "unapplied": []}) == []
