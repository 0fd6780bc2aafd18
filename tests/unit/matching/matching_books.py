"""Builders of small books for cash application: only what matters is said, the rest is ordinary."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
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
from o2c.matching import apply_cash
from o2c.matching.book import CashBook, CashResult
from o2c.policy import MatchingPolicy, load_policies

AS_OF = date(2026, 3, 31)
POLICIES = load_policies(Path(__file__).parents[3] / "policies")
POLICY, REASONS = POLICIES.matching, POLICIES.reason_codes
_MONEY = ("invoice_amount", "open_amount", "payment_amount", "unapplied_amount")


def frame(
    model: type[Frame], rows: list[dict[str, Any]], defaults: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """A validated frame; columns that a row and the defaults leave out are null."""
    schema = model.empty().schema
    full = [dict.fromkeys(schema) | dict(defaults or {}) | row for row in rows]
    return model.validate(pl.DataFrame(full, schema=schema, orient="row"))


def items(*rows: dict[str, Any]) -> pl.DataFrame:
    """ApplicableItems; the number is the id without ``INV-``, what is open is the whole amount."""
    return frame(
        ApplicableItems,
        [
            {
                "invoice_number": row["invoice_id"].removeprefix("INV-"),
                "invoice_amount": Decimal(row["open_amount"]),
                "document_type": "credit_memo" if row["open_amount"].startswith("-") else "invoice",
            }
            | _money(row)
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
    """One row for ``items``."""
    return {"invoice_id": invoice_id, "open_amount": open_amount, **other}


def payments(*rows: dict[str, Any]) -> pl.DataFrame:
    """ApplicablePayments; nothing is applied of them yet."""
    return frame(
        ApplicablePayments,
        [{"unapplied_amount": Decimal(row["payment_amount"])} | _money(row) for row in rows],
        {"entity_id": "DE01", "currency_code": "EUR", "value_date": date(2026, 2, 2), "is_held": False},
    )


def payment(
    payment_id: str, payment_amount: str, reference_text: str | None = None, **other: Any
) -> dict[str, Any]:
    """One row for ``payments``."""
    return {
        "payment_id": payment_id,
        "payment_amount": payment_amount,
        "reference_text": reference_text,
        **other,
    }


def lines(*rows: tuple) -> pl.DataFrame:
    """Rows of remittance, line, payment (``ref:`` before a payment reference), invoice reference, paid amount.

    A sixth value is a dict of the columns that lines seldom have: discount, deduction, reason code.
    """
    full = []
    for remittance_id, number, who, reference, amount, *seldom in rows:
        row = {
            "remittance_id": remittance_id,
            "line_number": number,
            "payment_reference" if who.startswith("ref:") else "payment_id": who.removeprefix("ref:"),
            "invoice_reference": reference,
            "paid_amount": Decimal(amount),
        }
        for name, value in seldom[0].items() if seldom else ():
            row[name] = Decimal(value) if name.endswith("_amount") else value
        full.append(row)
    return frame(RemittanceLines, full)


def names(**by_id: str | tuple[str, str]) -> pl.DataFrame:
    """CustomerNames: a name, or a name and the parent's id."""
    rows = [
        {
            "customer_id": key,
            "customer_name": name if isinstance(name, str) else name[0],
            "parent_customer_id": None if isinstance(name, str) else name[1],
        }
        for key, name in by_id.items()
    ]
    return frame(CustomerNames, rows)


def accounts(*rows: tuple[str, str]) -> pl.DataFrame:
    """PayerAccounts; a ``!`` before the account: a person said so."""
    full = [
        {
            "payer_account": account.removeprefix("!"),
            "customer_id": owner,
            "is_remembered": account.startswith("!"),
        }
        for account, owner in rows
    ]
    return frame(PayerAccounts, full)


def book(
    of_items: pl.DataFrame,
    of_payments: pl.DataFrame,
    of_lines: pl.DataFrame | None = None,
    customers: pl.DataFrame | None = None,
    known: pl.DataFrame | None = None,
    recorded: pl.DataFrame | None = None,
) -> CashBook:
    """A book on which nothing was done yet; customers without a name given are called by their id."""
    if customers is None:
        owners = [of_items["customer_id"], of_payments["customer_id"].drop_nulls()]
        customers = names(**{owner: owner for owner in pl.concat(owners).unique().sort()})
    return CashBook(
        items=of_items,
        payments=of_payments,
        remittance_lines=RemittanceLines.empty() if of_lines is None else of_lines,
        customers=customers,
        accounts=PayerAccounts.empty() if known is None else known,
        recorded=Applications.empty() if recorded is None else recorded,
    )


def apply(of: CashBook, policy: MatchingPolicy = POLICY, as_of: date = AS_OF) -> CashResult:
    """What the engine does with a book."""
    return apply_cash(of, policy, REASONS, as_of)


def after(of: CashBook, result: CashResult) -> CashBook:
    """The book as the next run reads it: less what was applied, with everything recorded and every payer known.

    Exactly what the warehouse does: a reversal negates what it names, whatever its type; only payment rows come out of
    payments; an assignment is the payment's customer; accounts of payments whose money was applied are known.
    """
    recorded = pl.concat([of.recorded, result.applications])
    types = recorded.select(reverses_application_id="application_id", reversed_type="application_type")
    typed = result.applications.join(types, on="reverses_application_id", how="left", validate="m:1")
    kind = pl.coalesce("reversed_type", "application_type")
    cash = typed.filter(kind == "payment").select(key="payment_id", used="applied_amount")
    documents = pl.concat(
        [
            typed.select(key="invoice_id", used="applied_amount"),
            typed.filter(pl.col("credit_memo_id").is_not_null()).select(
                key="credit_memo_id", used=-pl.col("applied_amount")
            ),
        ],
        how="vertical_relaxed",
    )
    assignments = pl.concat([of.assignments, result.assignments])
    owners = assignments.sort("assigned_date").group_by("payment_id").agg(found=pl.col("customer_id").last())
    received = _less(of.payments, "payment_id", "unapplied_amount", cash)
    paying = received.join(owners, on="payment_id", how="left", maintain_order="left").with_columns(
        customer_id=pl.coalesce("customer_id", "found")
    )
    # As the warehouse lists them: what is used up is gone, but for a zero of which nothing was made yet.
    touched = recorded["payment_id"].unique().implode()
    listed = (pl.col("unapplied_amount") != 0) | (
        (pl.col("payment_amount") == 0) & ~pl.col("payment_id").is_in(touched)
    )
    return replace(
        of,
        items=_less(of.items, "invoice_id", "open_amount", documents),
        payments=paying.filter(listed).select(of.payments.columns),
        accounts=_with_accounts(of, result),
        recorded=recorded,
        assignments=assignments,
        deductions=pl.concat([of.deductions, result.deductions]),
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


def _less(of: pl.DataFrame, key: str, amount: str, used: pl.DataFrame) -> pl.DataFrame:
    sums = used.group_by(pl.col("key").alias(key)).agg(used=pl.col("used").sum())
    return (
        of.join(sums, on=key, how="left", maintain_order="left")
        .with_columns((pl.col(amount) - pl.col("used").fill_null(0)).cast(of.schema[amount]).alias(amount))
        .drop("used")
    )


def _with_accounts(of: CashBook, result: CashResult) -> pl.DataFrame:
    paid = result.applications.filter(pl.col("application_type") == "payment").select(
        "payment_id", "customer_id"
    )
    learned = (
        of.payments.select("payment_id", "payer_account")
        .drop_nulls()
        .join(paid, on="payment_id")
        .select("payer_account", "customer_id")
        .unique()
        .join(of.accounts, on=["payer_account", "customer_id"], how="anti")
        .with_columns(is_remembered=pl.lit(False))
    )
    return pl.concat([of.accounts, learned.select(of.accounts.columns)])


def _money(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: Decimal(row[name]) for name in _MONEY if name in row}
    if "discount_ratio" in row:
        numbers["discount_ratio"] = Decimal(row["discount_ratio"])
    return row | numbers
