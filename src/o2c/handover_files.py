"""What leaves for an agency and for the order system, as files: each folder whole or not at all, written once."""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from o2c.contract import MONEY
from o2c.durable import sync
from o2c.handover import RECALL_REASONS, as_json, evidence_hash
from o2c.workbooks import Column, Sheet, file_name, write_csv, write_workbook

_CUSTOMER = Column("Customer no.", "customer_id", width=14)
_CURRENCY = Column("Currency", "currency_code", width=9)
_INSTALLMENT = Column("Installment", "installment_number", "count", 10)
_ITEMS = (
    Column("Placement", "placement_id", width=30),
    _CUSTOMER,
    Column("Customer", "customer_name", width=28),
    Column("Country", "country_code", width=8),
    Column("Language", "language_code", width=9),
    Column("Contact", "contact_name", width=18),
    Column("Phone", "phone", width=17),
    Column("E-mail", "email", width=26),
    Column("Creditor", "entity_name", width=20),
    Column("Pay to", "remit_to", width=26),
    Column("Document id", "invoice_id", width=16),
    Column("Document", "invoice_number", width=18),
    _INSTALLMENT,
    Column("PO", "po_number", width=14),
    Column("Dated", "invoice_date", "date", 11),
    Column("Due", "due_date", "date", 11),
    Column("Days past due", "days_past_due", "count", 9),
    _CURRENCY,
    Column("Amount", "invoice_amount", "money", 17),
    Column("Open", "open_amount", "money", 17),
    Column("Placed", "referred_amount", "money", 17),
    Column("Rule", "rule", width=14),
)
_CONTACT_LOG = (
    _CUSTOMER,
    Column("Date", "activity_date", "date", 11),
    Column("Channel", "channel", width=12),
    Column("Outcome", "outcome_code", width=22),
    Column("Reference", "activity_id", width=24),
)
_EVIDENCE = (
    _CUSTOMER,
    Column("Document id", "invoice_id", width=16),
    _INSTALLMENT,
    Column("Level", "level", "count", 7),
    Column("Stage", "stage", width=16),
    Column("Channel", "channel", width=10),
    Column("Sent", "sent_date", "date", 11),
    Column("State", "state", width=12),
    Column("Letter", "letter_id", width=30),
    Column("SHA-256 of the message", "message_hash", width=66),
)
_RECALLS = (
    Column("Placement", "request_id", width=30),
    _CUSTOMER,
    Column("Document id", "invoice_id", width=16),
    _INSTALLMENT,
    _CURRENCY,
    Column("Placed", "placed_amount", "money", 17),
    Column("Still open", "open_amount", "money", 17),
    Column("Reason", "recall_reason", width=16),
    Column("In words", "reason_words", width=40),
)
_ORDERS = (
    Column("Order", "order_id", width=18),
    _CUSTOMER,
    Column("Action", "action", width=9),
    Column("Reason", "reason", width=60),
    _CURRENCY,
    Column("Not invoiced", "amount", "money", 17),
    Column("Decided", "decided_as_of_date", "date", 11),
    Column("Approval", "request_id", width=30),
)
_KINDS: dict[str, Any] = {
    "count": pl.Int64(),
    "money": MONEY,
    "date": pl.Date(),
    "text": pl.String(),
}


class HandoverMissing(RuntimeError):
    """What people approved is not there any more as they approved it, so nothing is handed over."""


def keep_hand_over(folder: Path, hand_over: dict[str, Any]) -> str:
    """Keep what would be handed over under its hash, on disk. Returns the hash."""
    name = evidence_hash(hand_over)
    path = folder / "waiting" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        beside = path.with_suffix(".new")
        beside.write_bytes(as_json(hand_over))
        sync(beside)
        beside.replace(path)
        sync(path.parent)
        sync(folder)
    return name


def kept_hand_over(folder: Path, name: str) -> dict[str, Any]:
    """What was kept under a hash.

    Raises:
        HandoverMissing: it is not there, or not what the hash is of.
    """
    path = folder / "waiting" / f"{name}.json"
    try:
        hand_over = json.loads(path.read_bytes())
    except (OSError, ValueError):
        hand_over = None
    if hand_over is None or evidence_hash(hand_over) != name:
        raise HandoverMissing(
            f"{path}: is not there as it was approved. Nothing was handed over; the next run asks for a new list."
        )
    return hand_over


def forget_hand_overs(folder: Path, keep: set[str]) -> None:
    """Delete what was kept for lists that do not wait any more."""
    for path in sorted((folder / "waiting").glob("*")):
        if path.stem not in keep:
            path.unlink(missing_ok=True)


def write_placement(folder: Path, hand_over: dict[str, Any], placement_id: str, as_of: date) -> Path:
    """Items, contact log and evidence for one agency, as a workbook and three CSV files.

    Returns:
        The folder, ``<folder>/<placement_id>``; one that is there already is left as it is.
    """
    items = [row | {"placement_id": placement_id} for row in hand_over["items"]]
    tables = (
        ("Items", _frame(items, _ITEMS), _ITEMS),
        ("Contact log", _frame(hand_over["contact_log"], _CONTACT_LOG), _CONTACT_LOG),
        ("Evidence", _frame(hand_over["evidence"], _EVIDENCE), _EVIDENCE),
    )

    def write(beside: Path) -> None:
        sheets = [Sheet(name, frame, columns, frozen_columns=1) for name, frame, columns in tables]
        stem = (str(hand_over["agency_id"]), placement_id)
        write_workbook(beside / file_name(*stem, suffix=".xlsx"), sheets, as_of, title="Placement")
        for name, frame, columns in tables:
            part = name.lower().replace(" ", "-")
            write_csv(beside / file_name(*stem, part, suffix=".csv"), frame, columns)

    return _write_once(folder / placement_id, write)


def write_recall(folder: Path, recalls: pl.DataFrame, recall_id: str, as_of: date) -> Path:
    """Items asked back, a workbook and a CSV per agency, and ``recall.json``, which the ledger is caught up from.

    Returns:
        The folder, ``<folder>/recalls/<recall_id>``; one that is there already is left as it is.
    """
    words = pl.col("recall_reason").replace_strict(RECALL_REASONS, return_dtype=pl.String)
    told = recalls.with_columns(reason_words=words)

    def write(beside: Path) -> None:
        for (agency_id,), rows in told.partition_by("agency_id", as_dict=True, maintain_order=True).items():
            frame = rows.select([column.name for column in _RECALLS])
            stem = ("recall", str(agency_id), recall_id)
            sheet = Sheet("Recalls", frame, _RECALLS, frozen_columns=1)
            write_workbook(beside / file_name(*stem, suffix=".xlsx"), [sheet], as_of, title="Recalls")
            write_csv(beside / file_name(*stem, suffix=".csv"), frame, _RECALLS)
        names = ("invoice_id", "installment_number", "placed_date", "request_id", "recall_reason")
        listed = {"as_of_date": as_of, "items": recalls.select(names).to_dicts()}
        text = json.dumps(listed, indent=2, sort_keys=True, default=str) + "\n"
        (beside / "recall.json").write_text(text)

    return _write_once(folder / "recalls" / recall_id, write)


def write_order_holds(folder: Path, items: Sequence[dict[str, Any]], request_id: str) -> Path:
    """Orders to hold or to release, for the order system, as CSV.

    Returns:
        The folder, ``<folder>/<request_id>``; one that is there already is left as it is.
    """
    frame = _frame([row | {"request_id": request_id} for row in items], _ORDERS)

    def write(beside: Path) -> None:
        write_csv(beside / "orders.csv", frame, _ORDERS)

    return _write_once(folder / request_id, write)


def _write_once(place: Path, write: Callable[[Path], None]) -> Path:
    """Fill a folder beside and give it its name: content on disk first, then the rename, then the names."""
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    write(beside)
    for path in [*sorted(beside.iterdir()), beside]:
        sync(path)
    beside.rename(place)
    for path in (place.parent, place.parent.parent):
        sync(path)
    return place


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> pl.DataFrame:
    """Rows of text and numbers as the table of these columns; what a row does not have is null."""
    texts = pl.DataFrame(
        [
            {
                column.name: None if row.get(column.name) is None else str(row[column.name])
                for column in columns
            }
            for row in rows
        ],
        schema={column.name: pl.String() for column in columns},
    )
    return texts.with_columns(
        pl.col(column.name).str.to_date()
        if column.kind == "date"
        else pl.col(column.name).str.to_decimal(scale=4).cast(MONEY)
        if column.kind == "money"
        else pl.col(column.name).cast(_KINDS[column.kind])
        for column in columns
    )


def total_of(items: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    """What the items of a hand-over come to, per currency."""
    totals: dict[str, Decimal] = {}
    for row in items:
        code = row["currency_code"]
        totals[code] = totals.get(code, Decimal(0)) + Decimal(row["referred_amount"])
    return dict(sorted(totals.items()))
