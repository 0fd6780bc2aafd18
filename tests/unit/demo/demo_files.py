"""Files of a ledger read as a person would, and its receivables counted item by item."""

import csv
from decimal import Decimal
from pathlib import Path


def read(folder: Path, table: str) -> list[dict[str, str]]:
    """Rows as a person would read them: text by column name."""
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def unique(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Each row once; exact duplicates are faults put in on purpose."""
    return list({tuple(row.values()): row for row in rows}.values())


def net_receivables(folder: Path, as_of: str) -> dict[tuple[str, str], Decimal]:
    """Open debit items less open credit memos less unapplied cash, item by item, as TABLES §3 defines it."""
    invoices = {row["invoice_id"]: row for row in unique(read(folder, "invoices"))}
    payments = {row["payment_id"]: row for row in unique(read(folder, "payments"))}
    counted = {
        key: row
        for key, row in invoices.items()
        if row["settlement"] == "terms" and row["status"] == "posted"
    }
    open_of = {key: Decimal(row["invoice_amount"]) for key, row in counted.items()}
    left_of = {
        key: Decimal(row["payment_amount"]) for key, row in payments.items() if row["settlement"] == "terms"
    }
    for row in read(folder, "payment_applications"):
        if row["application_date"] > as_of:
            continue
        amount = Decimal(row["applied_amount"])
        open_of[row["invoice_id"]] -= amount
        if row["application_type"] in ("payment", "reversal"):
            left_of[row["payment_id"]] -= amount
        if row["application_type"] == "credit_memo":
            open_of[row["credit_memo_id"]] -= amount
    for row in read(folder, "adjustments"):
        if row["adjustment_date"] <= as_of:
            open_of[row["invoice_id"]] -= Decimal(row["adjustment_amount"])
    net: dict[tuple[str, str], Decimal] = {}
    for key, row in counted.items():
        if row["invoice_date"] <= as_of:
            account = row["entity_id"], row["currency_code"]
            sign = -1 if row["document_type"] == "credit_memo" else 1
            net[account] = net.get(account, Decimal(0)) + sign * open_of[key]
    for key, left in left_of.items():
        if payments[key]["value_date"] <= as_of:
            account = payments[key]["entity_id"], payments[key]["currency_code"]
            net[account] = net.get(account, Decimal(0)) - left
    return net
