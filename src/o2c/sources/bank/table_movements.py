"""Rows of a table of kind ``statement`` as entries."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Literal

from o2c.sources.bank.methods import method_of
from o2c.sources.bank.model import Charge, Detail, Entry
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account, said
from o2c.sources.bank.table_form import StatusWords, TableForm
from o2c.sources.bank.table_values import Columns

Status = Literal["booked", "pending", "information"]


@dataclass(frozen=True, slots=True)
class Movement:
    """One row as an entry, the account it is on, the balance after it, and what is wrong with it (code, message)."""

    account: str | None
    entry: Entry
    balance: Decimal | None
    complaint: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Lists:
    """The columns of all rows, as values."""

    currencies: list[str | None]
    amounts: list[Decimal | None]
    days: list[date | None]
    value_days: list[date | None]
    amounts_of: dict[str, list[Decimal | None]]
    texts_of: dict[str, list[str | None]]


_AMOUNTS = ("balance", "fee", "gross", "net", "refunded")
_REFERENCES = ("reference", "customer_reference", "end_to_end_id", "check_number", "account", "party_account")
_TEXTS = ("party", "type", "status", "text", "instructed_currency")


def movements(columns: Columns, profile: BankProfile, form: TableForm) -> Iterator[Movement]:
    """Every row that can be used, in the order of the file; the others are noted as troubles of ``columns``."""
    lists = _lists(columns, profile, form)
    own = account(form.account) if form.account else None
    numbers = count(1)
    for row in range(columns.count):
        day, amount, currency = lists.days[row], lists.amounts[row], lists.currencies[row]
        if day is None or amount is None or currency is None:
            missing = [
                what
                for what, value in (("date", day), ("amount", amount), ("currency", currency))
                if value is None
            ]
            columns.trouble(row, f"the row has no {', '.join(missing)}")
            continue
        status = _status(columns, lists, row, form.statuses)
        entry = _entry(
            next(numbers), lists, row, columns.rows.positions[row], amount, currency, status, form, profile
        )
        named = lists.texts_of["account"][row]
        on = account(named) if named else own
        refunded = lists.amounts_of["refunded"][row]
        balance = lists.amounts_of["balance"][row]
        complaint = _complaint(lists, row, amount, form)
        if not refunded:
            yield Movement(on, entry, balance, complaint)
            continue
        if refunded < 0:
            columns.trouble(row, f"a refund of {refunded} is negative")
        yield Movement(on, entry, None, complaint)
        yield Movement(on, _refund(next(numbers), entry, abs(refunded)), balance)


def _lists(columns: Columns, profile: BankProfile, form: TableForm) -> _Lists:
    currencies = columns.currencies(profile.currency_code)
    texts = {what: columns.texts(what, is_reference=True) for what in _REFERENCES}
    texts |= {what: columns.texts(what) for what in _TEXTS}
    amounts = {what: columns.amounts(what, currencies) for what in _AMOUNTS}
    original = [text.upper() if text else None for text in texts["instructed_currency"]]
    texts["instructed_currency"] = original
    amounts["instructed_amount"] = columns.amounts("instructed_amount", original)
    return _Lists(
        currencies,
        _signed(columns, currencies, form),
        columns.days("date"),
        columns.days("value_date"),
        amounts,
        texts,
    )


def _signed(columns: Columns, currencies: list[str | None], form: TableForm) -> list[Decimal | None]:
    """Amounts with their sign, by the declared way to say it; None where a row says none."""
    if not columns.has("amount"):
        credits, debits = columns.amounts("credit", currencies), columns.amounts("debit", currencies)
        return [_one_side(columns, row, *pair) for row, pair in enumerate(zip(credits, debits, strict=True))]
    amounts = columns.amounts("amount", currencies)
    words = form.signs
    if words is None:
        return amounts
    signs = dict.fromkeys(words.credit, 1) | dict.fromkeys(words.debit, -1)
    found: list[Decimal | None] = []
    for row, (amount, word) in enumerate(zip(amounts, columns.texts("sign"), strict=True)):
        if word not in signs:
            columns.trouble(row, f"{word!r} says neither credit nor debit")
        elif amount is not None and amount < 0 and words.amount == "unsigned":
            columns.trouble(row, f"{amount} is negative beside {word!r}")
        found.append(None if amount is None or word not in signs else signs[word] * abs(amount))
    return found


def _one_side(columns: Columns, row: int, credit: Decimal | None, debit: Decimal | None) -> Decimal | None:
    """The one of two columns that is filled; a nought in the other says nothing."""
    for amount in (credit, debit):
        if amount is not None and amount < 0:
            columns.trouble(row, f"{amount} is negative in a column that says the sign")
    if credit and debit:
        columns.trouble(row, f"a credit of {credit} and a debit of {debit} in one row")
    if debit:
        return -debit
    return credit if credit is not None else debit


def _status(columns: Columns, lists: _Lists, row: int, words: StatusWords | None) -> Status:
    if words is None:
        return "booked"
    word = lists.texts_of["status"][row]
    if word in words.booked:
        return "booked"
    if word in words.pending:
        return "pending"
    if word not in words.information:
        columns.trouble(row, f"status {word!r} is not one that the profile knows")
    return "information"


def _entry(
    ordinal: int,
    lists: _Lists,
    row: int,
    position: str,
    amount: Decimal,
    currency: str,
    status: Status,
    form: TableForm,
    profile: BankProfile,
) -> Entry:
    text = {what: said(texts[row]) for what, texts in lists.texts_of.items()}
    fee, instructed = lists.amounts_of["fee"][row], lists.amounts_of["instructed_amount"][row]
    other = account(text["party_account"]) if text["party_account"] else None
    is_credit = amount >= 0
    detail = Detail(
        ordinal=1,
        position=f"{position}, detail 1",
        amount=amount,
        currency_code=currency,
        payer_name=text["party"] if is_credit else None,
        payer_account=other if is_credit else None,
        payee_name=None if is_credit else text["party"],
        payee_account=None if is_credit else other,
        end_to_end_id=text["end_to_end_id"],
        check_number=text["check_number"],
        bank_reference=text["reference"],
        text=text["text"],
        type_code=text["type"],
    )
    return Entry(
        ordinal=ordinal,
        position=position,
        amount=amount,
        currency_code=currency,
        booking_date=lists.days[row],
        value_date=lists.value_days[row],
        status=status,
        bank_reference=text["reference"],
        customer_reference=text["customer_reference"],
        type_code=text["type"],
        method=method_of(None, text["type"], profile),
        instructed_amount=instructed or None,
        instructed_currency_code=text["instructed_currency"] if instructed else None,
        charges=(Charge(fee, currency, form.fee_is_included, "fee"),) if fee else (),
        details=(detail,),
    )


def _refund(ordinal: int, entry: Entry, refunded: Decimal) -> Entry:
    """What went back to the payer of ``entry``: the fee stays with the first payment."""
    detail = replace(entry.details[0], amount=-refunded)
    return replace(
        entry,
        ordinal=ordinal,
        amount=-refunded,
        is_reversal=True,
        original_reference=entry.bank_reference,
        charges=(),
        instructed_amount=None,
        instructed_currency_code=None,
        details=(detail,),
    )


def _complaint(lists: _Lists, row: int, amount: Decimal, form: TableForm) -> tuple[str, str] | None:
    """Where a row says gross, fee and net, the three must tie; a side that is not said is the booked amount."""
    gross, fee, net = (lists.amounts_of[what][row] for what in ("gross", "fee", "net"))
    if gross is None and net is None:
        return None
    fee = fee if fee is not None else Decimal(0)
    if form.fee_is_included:
        gross, net = (amount + fee if gross is None else gross), (amount if net is None else net)
    else:
        gross, net = (amount if gross is None else gross), (amount - fee if net is None else net)
    if gross - fee == net and amount == (net if form.fee_is_included else gross):
        return None
    return (
        "total_differs",
        f"gross {gross} less fee {fee} is not net {net}, or the amount {amount} is neither",
    )
