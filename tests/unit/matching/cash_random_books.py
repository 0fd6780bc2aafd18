"""Random small books in which few customers, amounts, numbers and days get into each other's way.

A book is made of one number: drawn choice by choice, most books would be nearly empty and much like each other.
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st
from matching_books import accounts, book, items, lines, names, payments

from o2c.matching.book import CashBook

START = date(2026, 1, 1)
ACCOUNTS = ("DE11", "DE22", None)
OWN_ACCOUNT = {"ACME": "DE11", "BOLT": "DE22", "CRANE": None}
AMOUNTS = ("10.00", "20.00", "30.00", "50.00", "70.00", "100.00", "33.10", "47.25", "1000.00", "2345.67")
# What a payment is more or less than the items that its payer had in mind.
TWEAKS = (*("0",) * 8, "discount", "discount", "-0.40", "-3.00", "-12%", "-40%", "+5.00", "+100%")
PLACES = (("DE01", "EUR"), ("DE01", "EUR"), ("US01", "EUR"), ("DE01", "JPY"))
CENT = Decimal("0.01")
Row = dict[str, Any]


def books(*, with_returns: bool = True, with_lines: bool = True) -> st.SearchStrategy[CashBook]:
    """Books with everything in them."""
    seeds = st.integers(0, 2**48)
    return seeds.map(lambda seed: random_book(Random(seed), with_returns=with_returns, with_lines=with_lines))  # noqa: S311 (no secrets here)


def days(first: int, last: int) -> st.SearchStrategy[date]:
    """Days counted from the start of all books."""
    return st.integers(first, last).map(lambda count: START + timedelta(days=count))


def random_book(draw: Random, *, with_returns: bool = True, with_lines: bool = True) -> CashBook:
    """One book."""
    documents = _documents(draw)
    received = [_payment(draw, number, documents) for number in range(draw.randint(1, 4))]
    said = _remittances(draw, documents, received) if with_lines else []
    back = [_return(draw, number, row) for number, row in enumerate(received) if draw.random() < 0.15]
    every = received + (back if with_returns else [])
    named = {(row["payer_account"], row["customer_id"]) for row in every if row["customer_id"]}
    known = {pair for pair in named if pair[0]}
    known |= {("DE11", "ACME")} if draw.random() < 0.7 else set()
    known |= {("DE22", draw.choice(["BOLT", "BOLT", "CRANE"]))} if draw.random() < 0.6 else set()
    bolt = ("Bolt", "ACME") if draw.random() < 0.5 else "Bolt"
    return book(
        items(*documents),
        payments(*every),
        lines(*said),
        customers=names(ACME="Acme", BOLT=bolt, CRANE="Crane"),
        known=accounts(*sorted(known)),
    )


def _documents(draw: Random) -> list[Row]:
    """One to six documents, most of them invoices of one customer in one place."""
    at_home, alone = draw.random() < 0.6, draw.random() < 0.5
    offers, same = draw.random() < 0.4, draw.random() < 0.3
    rows = []
    for number in range(1001, 1001 + draw.randint(1, 6)):
        is_memo = draw.random() < 0.12
        entity, currency = PLACES[0] if at_home else draw.choice(PLACES)
        unit = Decimal(1) if currency == "JPY" else CENT
        whole = Decimal(draw.choice(AMOUNTS)).quantize(unit, ROUND_HALF_UP) * (-1 if is_memo else 1)
        kind = draw.random()
        left = whole if kind < 0.8 else (whole / 4).quantize(unit) if kind < 0.9 else Decimal(0)
        invoiced = START + timedelta(days=draw.randint(0, 4) if same else draw.randint(0, 50))
        row = {
            "invoice_id": f"D{number}",
            "invoice_number": f"{draw.choice(['INV-', 'INV-', 'RE-'])}{1001 if draw.random() < 0.1 else number}",
            "document_type": "credit_memo" if is_memo else "invoice",
            "invoice_amount": str(whole),
            "open_amount": str(left),
            "customer_id": "ACME" if alone else draw.choice(["ACME", "ACME", "BOLT", "CRANE"]),
            "entity_id": entity,
            "currency_code": currency,
            "order_id": draw.choice([None, "SO-77001", "SO-77002"]),
            "invoice_date": invoiced,
            "due_date": invoiced + timedelta(days=draw.choice([0, 14, 14, 30])),
        }
        if offers and not is_memo:
            row |= {"discount_ratio": "0.02", "discount_due_date": invoiced + timedelta(days=10)}
        rows.append(row)
    return rows


def _payment(draw: Random, number: int, documents: list[Row]) -> Row:
    """A payment that means some of the documents of one customer and place, exactly or not, in words or not."""
    first = draw.choice(documents)
    near = [
        one
        for one in documents
        if all(one[name] == first[name] for name in ("entity_id", "currency_code", "customer_id"))
    ]
    near = near if draw.random() < 0.85 else documents
    meant = draw.sample(near, draw.randint(1, min(3, len(near)))) if draw.random() < 0.7 else near
    amount = _amount(draw, meant)
    if amount <= 0:
        amount = Decimal(draw.choice(AMOUNTS))
    if first["currency_code"] == "JPY":
        amount = amount.quantize(Decimal(1), ROUND_HALF_UP)
    owner = first["customer_id"]
    last = max(one["invoice_date"] for one in meant)
    return {
        "payment_id": f"{draw.choice('AZ')}{number}",
        "payment_amount": str(amount),
        "reference_text": _says(draw, meant),
        "value_date": last + timedelta(days=draw.randint(0, 16)) if draw.random() < 0.8 else START,
        "customer_id": owner if draw.random() < 0.2 else None,
        "entity_id": first["entity_id"] if draw.random() < 0.95 else "US01",
        "currency_code": first["currency_code"],
        "payer_name": draw.choice([None, owner.title(), owner, "Acme", "BOLT", "Quilmere Foods"]),
        "payer_account": draw.choice([OWN_ACCOUNT[owner], OWN_ACCOUNT[owner], *ACCOUNTS]),
        "payment_method": draw.choice(["ach", "wire", None]),
        "is_held": draw.random() < 0.04,
    }


def _amount(draw: Random, meant: list[Row]) -> Decimal:
    whole = sum((Decimal(one["open_amount"]) for one in meant), Decimal(0))
    tweak = draw.choice(TWEAKS)
    if tweak == "discount":
        off = (Decimal(one["invoice_amount"]) * Decimal(one.get("discount_ratio", 0)) for one in meant)
        return whole - sum((part.quantize(CENT, ROUND_HALF_UP) for part in off), Decimal(0))
    if tweak.endswith("%"):
        return (whole * (100 + int(tweak[:-1])) / 100).quantize(CENT, ROUND_HALF_UP)
    return whole + Decimal(tweak)


def _says(draw: Random, meant: list[Row]) -> str | None:
    """A text about the items meant, about some of them, about another, or about nothing."""
    form = draw.choice(
        [
            "numbers",
            "numbers",
            "numbers",
            "word",
            "digits",
            "some",
            "id",
            "order",
            "none",
            "none",
            "none",
            "else",
        ]
    )
    if form == "none":
        return draw.choice([None, "  ", "PAYMENT", "THANK YOU"])
    if form == "else":
        return draw.choice(["INV-1001", "1002", "INV-1003 INV-1001", "SO-77002"])
    if form == "id":
        return meant[0]["invoice_id"]
    if form == "order":
        return meant[0]["order_id"]
    numbers = [one["invoice_number"] for one in (meant[:1] if form == "some" else meant)]
    if form == "digits":
        numbers = [number.split("-")[1] for number in numbers]
    return f"{'INVOICE ' if form == 'word' else ''}{draw.choice([', ', ' ', ' AND ']).join(numbers)}"


def _return(draw: Random, number: int, row: Row) -> Row:
    """What the bank takes back of a payment: mostly all of it."""
    amount = f"-{row['payment_amount']}" if draw.random() < 0.8 else "-5.00"
    later = row["value_date"] + timedelta(days=draw.randint(-2, 20))
    back = {"payment_id": f"M{number}", "payment_amount": amount, "reverses_payment_id": row["payment_id"]}
    return row | back | {"value_date": later, "reference_text": None}


def _remittances(draw: Random, documents: list[Row], received: list[Row]) -> list[tuple]:
    """Lines for some payments that add up to them, or not; some name nothing that is there."""
    rows = []
    for number, payment in enumerate(received):
        if draw.random() < 0.65:
            continue
        some = draw.sample(documents, draw.randint(1, min(3, len(documents))))
        parts = [Decimal(one["open_amount"]) for one in some]
        if draw.random() < 0.5:
            payment["payment_amount"] = str(max(sum(parts), Decimal(0)))
        elif draw.random() < 0.8:
            parts[-1] += Decimal(payment["payment_amount"]) - sum(parts)
        for place, (one, part) in enumerate(zip(some, parts, strict=True), start=1):
            reference = draw.choice([*[one["invoice_number"]] * 4, one["invoice_id"], "INV-9999"])
            seldom = draw.choice(
                [{}, {}, {}, {"discount_amount": "2.00"}, {"deduction_amount": "3.00", "reason_code": "01"}]
            )
            rows.append((f"R{number}", place, payment["payment_id"], reference, str(part), seldom))
    return rows
