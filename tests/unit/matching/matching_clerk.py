"""What a patient clerk would do with a book: one event after the other, plain Python, no frames.

Written from the rules alone, as a second opinion on ``o2c.matching``; slow and short on purpose.
"""

from datetime import date
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


def clerk(items: list[Row], payments: list[Row], lines: list[Row], as_of: date) -> list[tuple]:
    """``payment, invoice, amount, date`` of every application and negation, sorted."""
    items = [row for row in items if row["invoice_date"] <= as_of]
    payments = [row for row in payments if row["value_date"] <= as_of]
    open_amount = {row["invoice_id"]: row["open_amount"] for row in items}
    reopened: dict[str, date] = {}
    left = {row["payment_id"]: row["unapplied_amount"] for row in payments}
    receipts = {row["payment_id"]: row for row in payments if row["payment_amount"] > 0}
    returned: dict[str, tuple[date, str]] = {}
    for row in sorted(payments, key=lambda row: (row["value_date"], row["payment_id"])):
        original = receipts.get(row["reverses_payment_id"] or "")
        if row["payment_amount"] < 0 and original and original["payment_id"] not in returned:
            same = all(row[key] == original[key] for key in ("entity_id", "currency_code"))
            if same and row["payment_amount"] == -original["payment_amount"]:
                day = max(row["value_date"], original["value_date"])
                returned[original["payment_id"]] = (day, row["payment_id"])

    wishes = {key: _wishes(receipts[key], list(receipts.values()), lines, items) for key in receipts}
    booked: list[list] = []
    gone: set[str] = set()

    def pay(key: str) -> None:
        for wish in wishes[key]:
            invoice = wish["item"]
            number = invoice["invoice_id"]
            day = max(receipts[key]["value_date"], invoice["invoice_date"], reopened.get(number, date.min))
            if key in gone or (key in returned and day >= returned[key][0]):
                continue
            amount = min(
                left[key], open_amount[number], wish["amount"] if wish["amount"] is not None else left[key]
            )
            if amount <= 0:
                continue
            left[key] -= amount
            open_amount[number] -= amount
            if wish["amount"] is not None:
                wish["amount"] -= amount
            booked.append([key, number, amount, day])

    events = [(row["value_date"], 0, key) for key, row in receipts.items()]
    events += [(day, 1, reversal) for day, reversal in returned.values()]
    passed: list[str] = []
    for day, is_return, key in sorted(events):
        if not is_return:
            pay(key)
            passed.append(key)
            continue
        original = next(name for name, value in returned.items() if value[1] == key)
        gone.add(original)
        for name, number, amount, since in list(booked):
            if name == original:
                booked.append([key, number, -amount, max(day, since)])
                open_amount[number] += amount
                reopened[number] = max(day, since, reopened.get(number, date.min))
        for earlier in sorted(passed, key=lambda name: (receipts[name]["value_date"], name)):
            pay(earlier)
    return sorted(tuple(entry) for entry in booked)


def _wishes(payment: Row, receipts: list[Row], lines: list[Row], items: list[Row]) -> list[Row]:
    text = (payment["reference_text"] or "").strip()
    mine = []
    for line in sorted(lines, key=lambda line: (line["remittance_id"], line["line_number"])):
        reference = (line["payment_reference"] or "").strip()
        carriers = [
            row for row in receipts if reference and (row["reference_text"] or "").strip() == reference
        ]
        is_mine = line["payment_id"] == payment["payment_id"] or (
            line["payment_id"] is None and [row["payment_id"] for row in carriers] == [payment["payment_id"]]
        )
        if is_mine and line["paid_amount"] > 0:
            mine.append((line["invoice_reference"].strip(), line["paid_amount"]))
    wishes: list[Row] = []
    for reference, amount in mine or [(text, None)]:
        fitting = [
            row
            for row in items
            if reference in (row["invoice_id"], row["invoice_number"])
            and reference
            and (row["entity_id"], row["currency_code"]) == (payment["entity_id"], payment["currency_code"])
        ]
        if len(fitting) != 1 or payment["customer_id"] not in (None, fitting[0]["customer_id"]):
            continue
        known = next((wish for wish in wishes if wish["item"] is fitting[0]), None)
        if known:
            known["amount"] = (known["amount"] or Decimal(0)) + amount
        else:
            wishes.append({"item": fitting[0], "amount": amount})
    return wishes
