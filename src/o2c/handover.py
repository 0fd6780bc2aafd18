"""What an agency is handed over: the items, whom they are of, what was said and sent before, and what is taken back.

A hand-over is put together when its list is asked for, kept under its hash, and written out when people approved
exactly that. Pure.
"""

import hashlib
import json
from datetime import date
from typing import Any

import polars as pl

from o2c.approvals import amount_text
from o2c.dunning.book import CONFIRMED, DunningBook
from o2c.dunning.eligibility import judge_items

# Why an item is asked back.
RECALL_REASONS = {
    "paid": "nothing is open any more",
    "paid_in_part": "less is open than was placed",
    "withdrawn": "the document was cancelled",
    "disputed": "the customer disputes it",
    "blocked": "the customer or the item is blocked",
    "customer_status": "the customer is not active any more",
}


def hand_overs(
    proposed: pl.DataFrame, book: DunningBook, letters: pl.DataFrame, lines: pl.DataFrame
) -> dict[str, dict[str, Any]]:
    """What each agency would be handed over, by agency_id.

    Args:
        proposed: AgencyReferrals with status proposed.
        book: the open book of the as-of date, with activities before it.
        letters: every letter of the ledger up to the date (``Ledger.letter_rows``).
        lines: their lines (LetterLines).

    Returns:
        ``items``, ``contact_log`` and ``evidence``, each a sorted list of rows of text and whole numbers.
    """
    return {
        str(agency_id): {
            "agency_id": agency_id,
            "items": _items(rows, book),
            "contact_log": _contact_log(rows, book),
            "evidence": _evidence(rows, letters, lines),
        }
        for (agency_id,), rows in proposed.partition_by(
            "agency_id", as_dict=True, maintain_order=True
        ).items()
    }


def as_json(hand_over: dict[str, Any]) -> bytes:
    """The one spelling of a hand-over, which its hash is of."""
    text = json.dumps(hand_over, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def evidence_hash(hand_over: dict[str, Any]) -> str:
    return hashlib.sha256(as_json(hand_over)).hexdigest()


def find_recalls(
    placed: pl.DataFrame, book: DunningBook, cancelled: frozenset[str], as_of: date
) -> pl.DataFrame:
    """Placed items that an agency must not collect any more, or not that much.

    Args:
        placed: items at an agency: ``invoice_id, installment_number, customer_id, agency_id, request_id,
            currency_code, placed_amount`` (null in rows of earlier versions).
        book: the open book of the as-of date.
        cancelled: invoice_id of documents that were cancelled.

    Returns:
        ``placed`` with ``recall_reason`` (a key of RECALL_REASONS) and ``open_amount``; sorted by item.
    """
    key = ["invoice_id", "installment_number"]
    judged = judge_items(book, as_of, -100_000).select(
        *key, "open_amount", "contested_amount", is_held=pl.col("is_blocked") | pl.col("is_frozen")
    )
    status = book.customers.select("customer_id", "status")
    reason = (
        pl.when(pl.col("open_amount").is_null() & pl.col("invoice_id").is_in(list(cancelled)))
        .then(pl.lit("withdrawn"))
        .when(pl.col("open_amount").is_null())
        .then(pl.lit("paid"))
        .when(pl.col("contested_amount") > 0)
        .then(pl.lit("disputed"))
        .when("is_held")
        .then(pl.lit("blocked"))
        .when(pl.col("status").fill_null("unknown") != "active")
        .then(pl.lit("customer_status"))
        .when(pl.col("open_amount") < pl.col("placed_amount"))
        .then(pl.lit("paid_in_part"))
    )
    return (
        placed.join(judged, on=key, how="left", validate="1:1")
        .join(status, on="customer_id", how="left", validate="m:1")
        .with_columns(recall_reason=reason)
        .filter(pl.col("recall_reason").is_not_null())
        .select(*placed.columns, "recall_reason", pl.col("open_amount").fill_null(0))
        .sort(key)
    )


def _items(rows: pl.DataFrame, book: DunningBook) -> list[dict[str, Any]]:
    """The items with their documents and debtors."""
    documents = book.items.select(
        "invoice_id",
        "installment_number",
        "invoice_number",
        "po_number",
        "invoice_amount",
        "open_amount",
        "invoice_date",
        "due_date",
    )
    debtors = book.customers.select("customer_id", "customer_name", "country_code", "language_code")
    creditors = book.entities.select("entity_id", "entity_name", "remit_to")
    found = (
        rows.join(documents, on=["invoice_id", "installment_number"], how="left", validate="1:1")
        .join(debtors, on="customer_id", how="left", validate="m:1")
        .join(creditors, on="entity_id", how="left", validate="m:1")
        .join(_people(book), on="customer_id", how="left", validate="m:1")
        .drop("as_of_date", "status", "failed_conditions", "policy_version")
        .sort("customer_id", "invoice_id", "installment_number")
    )
    money = ("referred_amount", "invoice_amount", "open_amount")
    return [
        {name: _plain(value) for name, value in row.items() if name not in money}
        | {name: row[name] and amount_text(row[name], row["currency_code"]) for name in money}
        for row in found.iter_rows(named=True)
    ]


def _people(book: DunningBook) -> pl.DataFrame:
    """The person to reach at each customer: for dunning, else for billing, else any; the latest of several."""
    order = {"dunning": 0, "billing": 1, "": 2, "escalation": 3}
    return (
        book.contacts.with_columns(
            place=pl.col("role").fill_null("").replace_strict(order, default=4, return_dtype=pl.Int64)
        )
        .sort(
            "customer_id",
            "place",
            "valid_from",
            "contact_id",
            descending=[False, False, True, False],
            nulls_last=True,
        )
        .unique("customer_id", keep="first", maintain_order=True)
        .select("customer_id", "email", "phone", contact_name="name")
    )


def _contact_log(rows: pl.DataFrame, book: DunningBook) -> list[dict[str, Any]]:
    """What was said to these customers, by whom it does not matter; notes stay with us."""
    found = (
        book.activities.join(rows.select("customer_id").unique(), on="customer_id", how="semi")
        .select(
            "customer_id",
            "channel",
            "outcome_code",
            "activity_id",
            activity_date=pl.col("activity_at").dt.date(),
        )
        .sort("customer_id", "activity_date", "activity_id")
    )
    return [{name: _plain(value) for name, value in row.items()} for row in found.iter_rows(named=True)]


def _evidence(rows: pl.DataFrame, letters: pl.DataFrame, lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Letters that left and listed one of these items, each with the hash of exactly what was sent."""
    key = ["invoice_id", "installment_number"]
    found = (
        lines.join(rows.select(key), on=key, how="semi")
        .join(
            letters.filter(pl.col("state").is_in(CONFIRMED)).select(
                "letter_id",
                "customer_id",
                "level",
                "stage",
                "channel",
                "state",
                "message_hash",
                sent_date=pl.coalesce("contact_date", "decided_as_of_date"),
            ),
            on="letter_id",
            validate="m:1",
        )
        .select(
            "customer_id",
            *key,
            "level",
            "stage",
            "channel",
            "state",
            "sent_date",
            "letter_id",
            "message_hash",
        )
        .sort("customer_id", *key, "sent_date", "level", "letter_id")
    )
    return [{name: _plain(value) for name, value in row.items()} for row in found.iter_rows(named=True)]


def _plain(value: Any) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else str(value)
