"""Items at agencies and orders on hold: what was handed over with approval, and what was taken back."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, insert, select, update

from o2c.approvals import POLICY, Pending
from o2c.contract import MONEY
from o2c.ledger.approval_rows import mark_carried_out
from o2c.ledger.auditing import Change, append
from o2c.ledger.tables import approval_requests, approvals, order_holds, placements
from o2c.ledger.writing import writing

AT_AGENCY = {
    "invoice_id": pl.String(),
    "installment_number": pl.Int64(),
    "customer_id": pl.String(),
    "agency_id": pl.String(),
    "placed_date": pl.Date(),
    "request_id": pl.String(),
    "currency_code": pl.String(),
    "placed_amount": MONEY,
}


def items_at_agencies(engine: Engine) -> pl.DataFrame:
    """Items handed over and not taken back, as AT_AGENCY, by item; amounts are null in rows of earlier versions."""
    query = (
        select(*(placements.c[name] for name in AT_AGENCY))
        .where(placements.c.recalled_date.is_(None))
        .order_by(placements.c.invoice_id, placements.c.installment_number)
    )
    with engine.connect() as con:
        rows = [row._asdict() for row in con.execute(query)]
    texts = pl.DataFrame(rows, schema=AT_AGENCY | {"placed_amount": pl.String()})
    return texts.with_columns(pl.col("placed_amount").str.to_decimal(scale=4).cast(MONEY))


def record_placements(
    engine: Engine, request: Pending, items: Iterable[Mapping[str, Any]], placed_date: date, now: datetime
) -> None:
    """Write down that the items of an approved list were handed over, and that the list was carried out.

    One that was taken back may be handed over again; one that is at an agency stays as it is.
    """
    with writing(engine) as con:
        known = select(placements.c.invoice_id, placements.c.installment_number, placements.c.recalled_date)
        there = {(row.invoice_id, row.installment_number): row.recalled_date for row in con.execute(known)}
        fresh, changes = [], []
        for item in items:
            key = (item["invoice_id"], item["installment_number"])
            if key in there and there[key] is None:
                continue
            values = {
                "customer_id": item["customer_id"],
                "agency_id": item["agency_id"],
                "placed_date": placed_date,
                "request_id": request.request_id,
                "currency_code": item["currency_code"],
                "placed_amount": item["amount"],
            }
            if key in there:
                is_it = (placements.c.invoice_id == key[0], placements.c.installment_number == key[1])
                again = values | {"recalled_date": None, "recall_reason": None}
                con.execute(update(placements).where(*is_it).values(**again))
            else:
                fresh.append(values | {"invoice_id": key[0], "installment_number": key[1]})
            before = "recalled" if key in there else None
            changes.append(
                Change("o2c", "place", f"item:{key[0]}|{key[1]}", before, "placed", request.request_id)
            )
        if fresh:
            con.execute(insert(placements), fresh)
        append(con, changes, now)
        mark_carried_out(con, request.request_id, f"{len(changes)} items handed over", now)


def record_recalls(
    engine: Engine, recalled: Iterable[Mapping[str, Any]], recalled_date: date, recall_id: str, now: datetime
) -> int:
    """Write down that items were asked back: ``invoice_id, installment_number, placed_date, recall_reason``.

    Those taken back already, or handed over again since, stay as they are. Returns how many were written down.
    """
    changes = []
    with writing(engine) as con:
        for item in recalled:
            taken = con.execute(
                update(placements)
                .where(
                    placements.c.invoice_id == item["invoice_id"],
                    placements.c.installment_number == item["installment_number"],
                    placements.c.placed_date == item["placed_date"],
                    placements.c.recalled_date.is_(None),
                )
                .values(recalled_date=recalled_date, recall_reason=item["recall_reason"])
            )
            if taken.rowcount:
                subject = f"item:{item['invoice_id']}|{item['installment_number']}"
                said = f"{item['recall_reason']}, {recall_id}"
                changes.append(Change("o2c", "recall", subject, "placed", "recalled", said))
        append(con, changes, now)
    return len(changes)


def record_order_holds(
    engine: Engine, request: Pending, items: Iterable[Mapping[str, Any]], now: datetime
) -> None:
    """Write down that the orders of an approved list were exported, and that the list was carried out."""
    with writing(engine) as con:
        known = set(
            con.execute(
                select(order_holds.c.hold_id).where(order_holds.c.request_id == request.request_id)
            ).scalars()
        )
        fresh: list[dict[str, Any]] = [
            {
                "hold_id": f"{request.request_id}|{item['item_id']}",
                "order_id": item["order_id"],
                "customer_id": item["customer_id"],
                "action": item["action"],
                "reason": item["reason"],
                "decided_as_of_date": date.fromisoformat(item["decided_as_of_date"]),
                "request_id": request.request_id,
                "exported_at": now,
            }
            for item in items
            if f"{request.request_id}|{item['item_id']}" not in known
        ]
        if fresh:
            con.execute(insert(order_holds), fresh)
        subjects = [
            Change("o2c", row["action"], f"order:{row['order_id']}", None, row["action"], request.request_id)
            for row in fresh
        ]
        append(con, subjects, now)
        mark_carried_out(con, request.request_id, f"{len(fresh)} orders exported", now)


def record_released(engine: Engine, request: Pending, now: datetime) -> None:
    """Write down that the next run may do the write-offs of an approved list."""
    with writing(engine) as con:
        mark_carried_out(con, request.request_id, f"{request.item_count} decisions released", now)


def approved_holds(engine: Engine, known_at: datetime | None = None) -> pl.DataFrame:
    """Holds and releases that were exported, and who approved them.

    Returns:
        ``order_id, action, decided_as_of_date, approved_by``; one row per proposal, the last export of several.
    """
    query = (
        select(order_holds, approval_requests.c.request_id)
        .join(approval_requests, approval_requests.c.request_id == order_holds.c.request_id)
        .order_by(order_holds.c.exported_at, order_holds.c.hold_id)
    )
    if known_at is not None:
        query = query.where(order_holds.c.exported_at <= known_at)
    with engine.connect() as con:
        rows = con.execute(query).all()
        people = _approvers(con, {row.request_id for row in rows})
    schema = {
        "order_id": pl.String(),
        "action": pl.String(),
        "decided_as_of_date": pl.Date(),
        "approved_by": pl.String(),
    }
    found = [
        (row.order_id, row.action, row.decided_as_of_date, people.get(row.request_id, POLICY)) for row in rows
    ]
    frame = pl.DataFrame(found, schema=schema, orient="row")
    return frame.unique(["order_id", "action", "decided_as_of_date"], keep="last", maintain_order=True)


def _approvers(con: Connection, request_ids: set[str]) -> dict[str, str]:
    """Who said yes, by list, in the order of names."""
    found: dict[str, list[str]] = {}
    query = select(approvals.c.request_id, approvals.c.approver).where(approvals.c.verdict == "approve")
    for row in con.execute(query.order_by(approvals.c.approver)):
        if row.request_id in request_ids:
            found.setdefault(row.request_id, []).append(row.approver)
    return {request_id: ", ".join(names) for request_id, names in found.items()}
