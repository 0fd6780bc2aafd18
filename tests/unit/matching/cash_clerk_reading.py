"""How the clerk reads texts and knows payers, for the plain texts of small books.

R1. A text that is a document's id, or letter for letter (but for capitals and punctuation) its number, names it and
    nothing else.
R2. Else its words and runs of digits are gone through: letters and digits of a number in a row name it; a run of
    digits that no number claims as a whole names the documents whose number has these digits, leading zeros apart,
    if it has at least ``min_reference_length`` of them and no other series' letters hang on it.
R3. A text that names no number names documents by their order.
R4. A line is an id, else a number, else the number without what it lacks.
R5. Only documents of the payment's entity and currency, whoever owns them, open or settled.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
# Letters that customers put before any number; a series of ours with such letters is no other series.
INVOICE_WORDS = ("INV", "RE")
NUMBERS = ("creditor_reference", "invoice_id", "invoice_number", "embedded_number", "number_range")


def documents_of_text(
    text: str | None, place: list[Row], items: dict[str, Row], policy: Any
) -> list[tuple[Row, str, str]]:
    """Document, rule, and the part of the text that names it."""
    text = (text or "").strip()
    by_id = [(item, "invoice_id", text) for item in place if item["invoice_id"] == text and text]
    if by_id:
        return by_id
    same = [(item, "invoice_number", text) for item in place if _bare(item["invoice_number"]) == _bare(text)]
    if same:
        return same
    pieces = _pieces(text)
    found: list[tuple[Row, str, str]] = []
    claimed: set[int] = set()
    for item in place:
        for at in _inside(item["invoice_number"], pieces):
            found.append((item, "embedded_number", f"run {at}"))
            claimed.add(at)
    series = {_letters(item["invoice_number"]) for item in items.values()}
    for at, (piece, hangs_on) in enumerate(pieces):
        if at in claimed or not piece.isdigit():
            continue
        for item in place:
            own = _letters(item["invoice_number"])
            same_digits = _digits(item["invoice_number"]).lstrip("0") == piece.lstrip("0")
            # Short letters that are neither ours nor a word for an invoice are somebody else's series.
            fits = hangs_on in ("", own, *INVOICE_WORDS) or (len(hangs_on) > 3 and hangs_on not in series)
            if same_digits and len(piece) >= policy.min_reference_length and fits:
                found.append((item, "digits", f"run {at}"))
    if not found:
        for item in place:
            for at in _inside(item["order_id"] or "-", pieces):
                found.append((item, "order_number", f"run {at}"))
    best: dict[str, tuple[Row, str, str]] = {}
    for one in found:
        best.setdefault(one[0]["invoice_id"], one)
    return [one for one in best.values() if one[1] in policy.rules]


def documents_of_line(
    reference: str, place: list[Row], items: dict[str, Row], policy: Any
) -> list[tuple[Row, str]]:
    """Documents that a remittance line may mean, by the surest way, and the rule."""
    letters, digits = _letters(reference), _digits(reference)
    series = {_letters(item["invoice_number"]) for item in items.values()}
    words = {"", *INVOICE_WORDS} - series
    ways = (
        lambda item: item["invoice_id"] == reference,
        lambda item: item["invoice_number"] == reference,
        lambda item: (
            _digits(item["invoice_number"]) == digits
            and letters in words | {"", _letters(item["invoice_number"])}
        ),
    )
    for way in ways:
        if found := [item for item in place if way(item)]:
            return [(item, "remittance_line") for item in found]
    return [(item, rule) for item, rule, _ in documents_of_text(reference, place, items, policy)]


def payers_of(
    payment: Row, customers: list[Row], accounts: Iterable[tuple], policy: Any
) -> dict[str, Decimal]:
    """Customers who may have paid, each with the strength of what the clerk knows them by."""
    strengths, found = policy.strengths.payers, {}

    def note(who: str, rule: str) -> None:
        found[who] = max(found.get(who, Decimal(0)), strengths[rule])

    if payment["customer_id"] is not None:
        note(payment["customer_id"], "source_customer")
    for account, who, is_remembered in accounts:
        if account == payment["payer_account"]:
            note(who, "remembered_account" if is_remembered else "payer_account")
    for customer in customers:
        if (payment["payer_name"] or "").casefold() == customer["customer_name"].casefold():
            note(customer["customer_id"], "payer_name")
    return found


def family_of(customer_id: str, customers: list[Row]) -> str:
    """The head of a customer's chain of parents."""
    parents = {row["customer_id"]: row["parent_customer_id"] for row in customers}
    while parents.get(customer_id):
        customer_id = parents[customer_id]
    return customer_id


def is_one_slip(one: str, other: str) -> bool:
    """One character other, missing, too many, or two neighbours swapped."""
    slips = {one[:at] + one[at + 1 :] for at in range(len(one))}
    slips |= {one[:at] + one[at + 1] + one[at] + one[at + 2 :] for at in range(len(one) - 1)}
    for char in set(other):
        slips |= {one[:at] + char + one[at:] for at in range(len(one) + 1)}
        slips |= {one[:at] + char + one[at + 1 :] for at in range(len(one))}
    return one != other and other in slips


def _pieces(text: str) -> list[tuple[str, str]]:
    """Words and runs of digits, with the letters that hang on a run (INV-1001), if any do."""
    found: list[tuple[str, str]] = []
    end = -1
    for match in re.finditer(r"[A-Z]+|[0-9]+", text.upper()):
        between = text[end : match.start()] if end >= 0 else " "
        hangs = bool(found) and found[-1][0].isalpha() and between in ("", "-")
        found.append((match.group(), found[-1][0] if hangs else ""))
        end = match.end()
    return found


def _inside(number: str, pieces: list[tuple[str, str]]) -> list[int]:
    """Places of the last run of each occurrence of a number."""
    wanted = [piece for piece, _ in _pieces(number)]
    words = [piece for piece, _ in pieces]
    size = len(wanted)
    return [
        at + size - 1 for at in range(len(words) - size + 1) if wanted and words[at : at + size] == wanted
    ]


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _letters(number: str) -> str:
    return re.match(r"[A-Z]*", number.upper()).group()


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)
