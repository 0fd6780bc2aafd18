"""What must be true of a letter before and after it is rendered. A letter that fails stops the whole batch."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
from markupsafe import escape

from o2c.gsm import gsm_length
from o2c.pdf.fonts import shown

_LETTER_ID = re.compile(r"[a-z2-7]{26}")
# What a template engine leaves behind when a value is missing.
_LEFTOVERS = re.compile(r"\{\{|\b(?:None|nan|undefined|Undefined)\b")
# The same without word boundaries: looking for plain words first takes a hundredth of the time.
_SIGNS = ("{{", "None", "nan", "ndefined")


class LetterFault(ValueError):
    """Why one letter cannot be written."""


@dataclass(frozen=True)
class Amounts:
    """What a letter asks for: the sum of its lines, less credits and cash not yet matched.

    ``net`` is None where there is nothing to take off, or where the letter does not demand (courtesy).
    """

    total: Decimal
    reductions: tuple[tuple[str, Decimal], ...]
    net: Decimal | None


def check_identity(decided: pl.DataFrame, lines: pl.DataFrame) -> list[str]:
    """Faults of the set: ids that are none or not unique, letters without lines, lines without a letter."""
    faults = [
        f"letter {row['letter_id']}, customer {row['customer_id']}: the letter id is not 26 characters of base32"
        for row in decided.select("letter_id", "customer_id").iter_rows(named=True)
        if row["letter_id"] is None or _LETTER_ID.fullmatch(row["letter_id"]) is None
    ]
    twice = decided.filter(pl.col("letter_id").is_duplicated())
    faults += [
        f"letter {row['letter_id']}, customer {row['customer_id']}: another letter has the same id"
        for row in twice.select("letter_id", "customer_id").iter_rows(named=True)
    ]
    bare = decided.join(lines, on="letter_id", how="anti")
    faults += [
        f"letter {row['letter_id']}, customer {row['customer_id']}: it lists no item"
        for row in bare.select("letter_id", "customer_id").iter_rows(named=True)
    ]
    stray = lines.join(decided, on="letter_id", how="anti")
    faults += [
        f"letter {letter_id}: lines without a decision"
        for letter_id in stray["letter_id"].unique(maintain_order=True)
    ]
    foreign = lines.join(decided, on="letter_id").filter(
        pl.col("currency_code") != pl.col("currency_code_right")
    )
    return faults + [
        f"letter {row['letter_id']}, customer {row['customer_id']}: a line is in {row['currency_code']}"
        for row in foreign.select("letter_id", "customer_id", "currency_code")
        .unique(maintain_order=True)
        .iter_rows(named=True)
    ]


def check_totals(decision: dict[str, Any], lines: list[dict[str, Any]]) -> Amounts:
    """The amounts of a letter, from its lines and its decision, which must agree.

    Raises:
        LetterFault: they do not, or there is an amount that a letter cannot ask for.
    """
    total = sum((line["amount"] for line in lines), Decimal(0))
    if any(line["amount"] <= 0 for line in lines):
        raise LetterFault("an item asks for nothing or less")
    if any(line["disputed_amount"] < 0 for line in lines):
        raise LetterFault("an item has a negative disputed part")
    credit, unapplied = decision["credit_memo_amount"], decision["unapplied_amount"]
    if credit < 0 or unapplied < 0:
        raise LetterFault("credits or unapplied cash of the decision are negative")
    reductions = tuple(
        (label, amount)
        for label, amount in (("Open credit memos", credit), ("Payments not yet matched", unapplied))
        if amount
    )
    if decision["kind"] != "dunning":
        return Amounts(total, reductions, None)
    if total != decision["past_due_amount"]:
        raise LetterFault(f"its items add up to {total}, its decision to {decision['past_due_amount']}")
    net = decision["net_due_amount"]
    if net != total - credit - unapplied:
        raise LetterFault(
            f"net due {net} is not {total} less {credit} credits and {unapplied} unapplied cash"
        )
    if net <= 0:
        raise LetterFault(f"nothing is due ({net})")
    return Amounts(total, reductions, net if reductions else None)


def check_parts(view: dict[str, Any], subject: str, text: str, html: str) -> None:
    """Both parts say the same: customer, reference, each item with its amount in order, then the total.

    Raises:
        LetterFault: something that must be there is not, or something is there that a template left behind.
    """
    for part, body, written in (("text", text, str), ("HTML", html, escape)):
        where = 0
        for value in _in_order(view):
            there = written(value)
            found = body.find(there, where)
            if found < 0:
                raise LetterFault(f"{value!r} is not in the {part} part where it must be")
            where = found + len(there)
    if view["reference"] not in subject:
        raise LetterFault("its subject does not quote the reference")
    visible = html[html.index("<body") :]
    for part, body, written in (("subject", subject, str), ("text", text, str), ("HTML", visible, escape)):
        _check_gaps(part, body, view, written)


def _check_gaps(part: str, body: str, view: dict[str, Any], written: Any) -> None:
    if any(sign in body for sign in _SIGNS) and _LEFTOVERS.search(_without(body, view, written)):
        raise LetterFault(f"the {part} part has a gap that a template left ({{{{, None, nan, undefined)")


def check_pdf(view: dict[str, Any], drawn: str) -> None:
    """What was drawn in the PDF says the same as the other parts.

    Raises:
        LetterFault: it does not.
    """
    text = "".join(drawn.split())
    where = 0
    for value in _in_order(view):
        there = "".join(shown(value).split())
        found = text.find(there, where)
        if found < 0:
            raise LetterFault(f"{value!r} is not in the PDF where it must be")
        where = found + len(there)
    _check_gaps("PDF", text, view, lambda value: "".join(shown(value).split()))


def check_sms(view: dict[str, Any], text: str, max_characters: int) -> None:
    """A text message quotes the reference and the amount, says whose it is, and fits.

    Raises:
        LetterFault: it does not.
    """
    for name in ("sender", "reference", "total"):
        if not view[name] or view[name] not in text:
            raise LetterFault(f"its {name} {view[name]!r} is not in the text message")
    if (length := gsm_length(text)) is None or length > max_characters:
        raise LetterFault(
            f"the text message takes {length} of {max_characters} characters of the GSM alphabet"
        )
    _check_gaps("SMS", text, {name: value for name, value in view.items() if name != "items"}, str)


def _in_order(view: dict[str, Any]) -> Iterator[str]:
    yield view["customer_id"]
    yield view["reference"]
    for number, _, _, due, days, amount, _ in view["items"]:
        yield number
        yield due
        yield days
        yield amount
    yield view["total"]
    for _, amount in view["reductions"]:
        yield amount
    if view["net"]:
        yield view["net"]


def _without(body: str, view: dict[str, Any], written: Any) -> str:
    """The body less the words that data brought: a customer may be called ``{{7*7}}`` or None."""
    values = {value for value in view.values() if isinstance(value, str)} | set(view.get("remit_to", ()))
    values |= {value for item in view.get("items", ()) for value in item}
    for value in sorted(values, key=lambda value: (-len(value), value)):
        if _LEFTOVERS.search(value) or "{" in value:
            body = body.replace(written(value), "")
    return body
