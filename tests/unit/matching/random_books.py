"""Random small books in which few customers, amounts, numbers and days get into each other's way."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import strategies as st
from matching_books import accounts, book, items, lines, names, payments

START = date(2026, 1, 1)
ACCOUNTS = ("DE11", "DE22", None)
AMOUNTS = ("10.00", "20.00", "30.00", "50.00", "70.00", "100.00", "33.10", "47.25", "1000.00")
# What a payment is more or less than the items that its payer had in mind; as much as everything is the commonest.
TWEAKS = ("0", "0", "0", "0", "0", "-0.40", "-3.00", "-12%", "-40%", "+5.00", "+100%", "discount")
CENT = Decimal("0.01")


def days(first: int, last: int) -> st.SearchStrategy[date]:
    return st.integers(first, last).map(lambda count: START + timedelta(days=count))


@st.composite
def documents(draw):
    """One to six documents, most of them invoices of one customer in one entity."""
    same_place = draw(st.booleans())
    rows = []
    for number in range(1001, 1001 + draw(st.integers(1, 6))):
        is_memo = draw(st.integers(0, 6)) == 0
        amount = draw(st.sampled_from(AMOUNTS))
        invoiced = draw(days(0, 40))
        ratio = draw(st.sampled_from([None, None, "0.02"]))
        kind = draw(st.sampled_from(["whole", "whole", "whole", "part", "settled"]))
        left = {"whole": amount, "part": "7.00", "settled": "0.00"}[kind]
        sign = "-" if is_memo else ""
        rows.append(
            {
                "invoice_id": f"D{number}",
                "invoice_number": draw(st.sampled_from(["INV-", "INV-", "RE-"]))
                + str(number if draw(st.integers(0, 5)) else 1001),
                "document_type": "credit_memo" if is_memo else "invoice",
                "invoice_amount": sign + amount,
                "open_amount": sign + left,
                "customer_id": draw(st.sampled_from(["ACME", "ACME", "BOLT", "CRANE"])),
                "entity_id": "DE01" if same_place else draw(st.sampled_from(["DE01", "US01"])),
                "currency_code": "EUR" if same_place else draw(st.sampled_from(["EUR", "JPY"])),
                "order_id": draw(st.sampled_from([None, "SO-77001", "SO-77002"])),
                "invoice_date": invoiced,
                "due_date": invoiced + timedelta(days=draw(st.sampled_from([0, 14, 14, 30]))),
                "discount_ratio": None if is_memo else ratio,
                "discount_due_date": invoiced + timedelta(days=10) if ratio and not is_memo else None,
            }
        )
        if rows[-1]["discount_ratio"] is None:
            del rows[-1]["discount_ratio"]
        if rows[-1]["currency_code"] == "JPY":
            for name in ("invoice_amount", "open_amount"):
                rows[-1][name] = str(Decimal(rows[-1][name]).quantize(Decimal(1), ROUND_HALF_UP))
    return rows


def _says(draw, meant: list[dict]) -> str | None:
    """A text about the items meant, about another, or about nothing."""
    form = draw(
        st.sampled_from(
            ["numbers", "numbers", "numbers", "word", "digits", "id", "order", "none", "none", "else"]
        )
    )
    if not meant or form == "none":
        return draw(st.sampled_from([None, "  ", "PAYMENT", "THANK YOU"]))
    if form == "else":
        return draw(st.sampled_from(["INV-1001", "1002", "INV-1003 INV-1001", "INV-4711", "SO-77002"]))
    if form == "id":
        return meant[0]["invoice_id"]
    if form == "order":
        return meant[0]["order_id"]
    numbers = [one["invoice_number"] for one in meant]
    if form == "digits":
        numbers = [number.split("-")[1] for number in numbers]
    between = draw(st.sampled_from([", ", " ", " AND "]))
    return f"{'INVOICE ' if form == 'word' else ''}{between.join(numbers)}"


def _amount(draw, meant: list[dict]) -> Decimal:
    whole = sum((Decimal(one["open_amount"]) for one in meant), Decimal(0))
    tweak = draw(st.sampled_from(TWEAKS))
    if tweak == "discount":
        off = (Decimal(one["invoice_amount"]) * Decimal(one.get("discount_ratio") or 0) for one in meant)
        return whole - sum((part.quantize(CENT, ROUND_HALF_UP) for part in off), Decimal(0))
    if tweak.endswith("%"):
        return (whole * (100 + int(tweak[:-1])) / 100).quantize(CENT, ROUND_HALF_UP)
    return whole + Decimal(tweak)


@st.composite
def receipts(draw, documents_of_book, *, most=4, with_returns=True):
    """Payments that mean some of the documents, exactly or not, in words or not; and returns of some of them."""
    rows = []
    for number in range(draw(st.integers(1, most))):
        meant = draw(
            st.lists(st.sampled_from(documents_of_book), max_size=3, unique_by=lambda one: one["invoice_id"])
        )
        first = meant[0] if meant else documents_of_book[0]
        amount = _amount(draw, meant)
        if amount <= 0:
            amount = Decimal(draw(st.sampled_from(AMOUNTS)))
        if first["currency_code"] == "JPY":
            amount = amount.quantize(Decimal(1), ROUND_HALF_UP)
        rows.append(
            {
                "payment_id": f"{draw(st.sampled_from('AZ'))}{number}",
                "payment_amount": str(amount),
                "reference_text": _says(draw, meant),
                "value_date": draw(days(5, 60)),
                "customer_id": draw(st.sampled_from([None, None, None, first["customer_id"]])),
                "entity_id": first["entity_id"] if draw(st.integers(0, 9)) else "US01",
                "currency_code": first["currency_code"],
                "payer_name": draw(st.sampled_from([None, "Acme", "BOLT", "Quilmere Foods"])),
                "payer_account": draw(st.sampled_from(ACCOUNTS)),
                "payment_method": draw(st.sampled_from(["ach", "wire", None])),
                "is_held": draw(st.integers(0, 19)) == 0,
            }
        )
    back = [
        row
        | {
            "payment_id": f"M{number}",
            "payment_amount": f"-{row['payment_amount']}" if draw(st.integers(0, 4)) else "-5.00",
            "reverses_payment_id": row["payment_id"],
            "value_date": draw(days(5, 60)),
            "reference_text": None,
        }
        for number, row in enumerate(
            draw(st.lists(st.sampled_from(rows), max_size=2)) if with_returns else []
        )
    ]
    return [*rows, *back]


@st.composite
def remittances(draw, documents_of_book, payments_of_book):
    """Lines for some payments that add up to them, or not; some name nothing that is there."""
    rows = []
    for number, payment in enumerate(payments_of_book):
        if draw(st.integers(0, 3)) or payment["payment_id"].startswith("M"):
            continue
        left = Decimal(payment["payment_amount"])
        some = draw(st.lists(st.sampled_from(documents_of_book), min_size=1, max_size=3))
        for place, one in enumerate(some, start=1):
            is_last = place == len(some)
            part = left if is_last and draw(st.integers(0, 4)) else Decimal(one["open_amount"])
            left -= part
            reference = draw(
                st.sampled_from([one["invoice_number"], one["invoice_number"], one["invoice_id"], "INV-9999"])
            )
            seldom = draw(
                st.sampled_from(
                    [{}, {}, {"discount_amount": "2.00"}, {"deduction_amount": "3.00", "reason_code": "01"}]
                )
            )
            rows.append((f"R{number}", place, payment["payment_id"], reference, str(part), seldom))
    return rows


@st.composite
def books(draw, *, with_returns=True, with_lines=True):
    """A book with everything in it."""
    of_items = draw(documents())
    of_payments = draw(receipts(of_items, with_returns=with_returns))
    said = draw(remittances(of_items, of_payments)) if with_lines else []
    known = {("DE11", "ACME")} if draw(st.booleans()) else set()
    known |= {("DE22", draw(st.sampled_from(["BOLT", "CRANE"])))} if draw(st.booleans()) else set()
    known |= {
        (row["payer_account"], row["customer_id"])
        for row in of_payments
        if row["payer_account"] and row["customer_id"]
    }
    bolt = ("Bolt", "ACME") if draw(st.booleans()) else "Bolt"
    return book(
        items(*of_items),
        payments(*of_payments),
        lines(*said),
        customers=names(ACME="Acme", BOLT=bolt, CRANE="Crane"),
        known=accounts(*sorted(known)),
    )
