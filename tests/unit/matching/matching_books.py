"""Builders of small books for cash application: only what matters is said, the rest is ordinary."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CustomerNames,
    Frame,
    PayerAccounts,
    RemittanceLines,
)
from o2c.matching import CashResult, apply_cash
from o2c.policy import MatchingPolicy

AS_OF = date(2026, 3, 31)
POLICY = MatchingPolicy(
    rules=("remittance_line", "invoice_id", "invoice_number"),
    min_reference_length=4,
    possible_payer_rules=("payer_account", "payer_name", "open_amount"),
    max_possible_payers=3,
)


def frame(
    model: type[Frame], rows: list[dict[str, Any]], defaults: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    schema = model.empty().schema
    full = [dict.fromkeys(schema) | dict(defaults or {}) | row for row in rows]
    return model.validate(pl.DataFrame(full, schema=schema, orient="row"))


def items(*rows: dict[str, Any]) -> pl.DataFrame:
    return frame(
        ApplicableItems,
        [
            {"invoice_number": row["invoice_id"].removeprefix("INV-")} | _money(row, "open_amount")
            for row in rows
        ],
        {
            "entity_id": "DE01",
            "customer_id": "ACME",
            "currency_code": "EUR",
            "invoice_date": date(2026, 1, 1),
            "due_date": date(2026, 1, 31),
        },
    )


def item(invoice_id: str, open_amount: str, **other: Any) -> dict[str, Any]:
    return {"invoice_id": invoice_id, "open_amount": open_amount, **other}


def payments(*rows: dict[str, Any]) -> pl.DataFrame:
    return frame(
        ApplicablePayments,
        [
            {"unapplied_amount": Decimal(row["payment_amount"])}
            | _money(row, "payment_amount", "unapplied_amount")
            for row in rows
        ],
        {"entity_id": "DE01", "currency_code": "EUR", "value_date": date(2026, 2, 2)},
    )


def payment(
    payment_id: str, payment_amount: str, reference_text: str | None = None, **other: Any
) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "payment_amount": payment_amount,
        "reference_text": reference_text,
        **other,
    }


def lines(*rows: tuple[str, int, str, str, str]) -> pl.DataFrame:
    """Rows of remittance, line, payment (``ref:`` before a payment reference), invoice reference, amount."""
    return frame(
        RemittanceLines,
        [
            {
                "remittance_id": remittance_id,
                "line_number": number,
                "payment_reference" if who.startswith("ref:") else "payment_id": who.removeprefix("ref:"),
                "invoice_reference": reference,
                "paid_amount": Decimal(amount),
            }
            for remittance_id, number, who, reference, amount in rows
        ],
    )


def names(**by_id: str) -> pl.DataFrame:
    return frame(CustomerNames, [{"customer_id": key, "customer_name": name} for key, name in by_id.items()])


def accounts(*rows: tuple[str, str]) -> pl.DataFrame:
    return frame(PayerAccounts, [{"payer_account": account, "customer_id": owner} for account, owner in rows])


def apply(
    of_items: pl.DataFrame,
    of_payments: pl.DataFrame,
    of_lines: pl.DataFrame | None = None,
    recorded: pl.DataFrame | None = None,
    customers: pl.DataFrame | None = None,
    known: pl.DataFrame | None = None,
    policy: MatchingPolicy = POLICY,
    as_of: date = AS_OF,
) -> CashResult:
    return apply_cash(
        of_items,
        of_payments,
        RemittanceLines.empty() if of_lines is None else of_lines,
        Applications.empty() if recorded is None else recorded,
        CustomerNames.empty() if customers is None else customers,
        PayerAccounts.empty() if known is None else known,
        policy,
        as_of,
    )


def settled(result: CashResult) -> list[tuple[str, str, str, str, date]]:
    """What was applied, in few words: payment, invoice, rule, amount, date."""
    chosen = result.applications.sort("application_date", "payment_id", "invoice_id", "application_id")
    return [
        (payer, invoice, rule, f"{amount:.2f}", on)
        for payer, invoice, rule, amount, on in chosen.select(
            "payment_id", "invoice_id", "rule", "applied_amount", "application_date"
        ).iter_rows()
    ]


def after(frame_before: pl.DataFrame, result: CashResult, key: str, amount: str) -> pl.DataFrame:
    """The frame as the next run reads it: less what this run applied."""
    used = result.applications.group_by(key).agg(used=pl.col("applied_amount").sum())
    return (
        frame_before.join(used, on=key, how="left")
        .with_columns(
            (pl.col(amount) - pl.col("used").fill_null(0)).cast(frame_before.schema[amount]).alias(amount)
        )
        .drop("used")
    )


def _money(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    return row | {column: Decimal(row[column]) for column in columns if column in row}
