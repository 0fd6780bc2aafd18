"""How much of the cash went by itself and what waits, in lines for the summary; figures are those of the marts."""

from decimal import Decimal
from typing import Any

from o2c.money import rounded

# The marts' rows that are told: a month of all accounts. The run's manifest has every row.
_PERIOD, _ALL = "30_days", "ALL"


def cash_lines(figures: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Automatic rates by count and value, the rules that settled most, and unapplied cash by age.

    Args:
        figures: rows of ``fct_cash_application_kpis``, ``fct_cash_application_rules`` and
            ``fct_unapplied_cash_aging`` by ``kpis``, ``rules`` and ``unapplied``.
    """
    lines = [
        f"  {row['entity_id']} {row['currency_code']}, 30 days: {row['automatic_count']:,} of"
        f" {row['received_count'] - row['ledger_count']:,} payments automatic"
        f" ({_percent(row['automatic_count_ratio'])}), by value {_percent(row['automatic_amount_ratio'])};"
        f" {row['person_count']:,} by persons, {row['waiting_count']:,} wait"
        for row in figures["kpis"]
        if row["period"] == _PERIOD and row["bank_account_id"] == _ALL and row["received_count"]
    ]
    rules: dict[str, int] = {}
    for row in figures["rules"]:
        rules[row["rule"]] = rules.get(row["rule"], 0) + row["application_count"]
    if rules:
        most = sorted(rules.items(), key=lambda one: (-one[1], one[0]))
        lines.append("  by rule: " + ", ".join(f"{rule.replace('_', ' ')} {count:,}" for rule, count in most))
    lines += [
        f"  {row['entity_id']} {row['currency_code']} {row['balance_type'].replace('_', ' ')}:"
        f" {_money(row, 'unapplied_amount')} of {row['payment_count']:,} payments,"
        f" {_money(row, 'age_over_90_amount')} older than 90 days"
        for row in figures["unapplied"]
        if row["bank_account_id"] == _ALL
    ]
    return lines


def _percent(ratio: Decimal | None) -> str:
    return "no rate" if ratio is None else f"{100 * ratio:.1f} %"


def _money(row: dict[str, Any], name: str) -> str:
    return f"{rounded(row[name], row['currency_code']):,}"
