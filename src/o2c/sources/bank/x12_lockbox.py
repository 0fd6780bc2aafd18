"""X12 823: what a bank found in a lockbox. Deposits (DEP) hold batches (BAT) of payments (BPR), each with documents.

A deposit becomes a notification of its account with one entry per payment, and a payment a remittance: the deposit
comes again, as one amount, in the bank statement.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.controls import check_statement
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import ZERO, Detail, Entry, Issue, Remittance, StatedTotals, Statement
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account_scheme
from o2c.sources.bank.x12_remittance import Reading
from o2c.sources.bank.x12_segments import ASK, Segment, TransactionSet
from o2c.sources.bank.x12_values import amount, day, text_at

# US banks write 823s; CUR says so where it is another currency.
CURRENCY = "USD"
# Element 673 of a QTY below DEP or BAT: number of batches, number of checks.
_BATCHES, _CHECKS = "41", "42"


@dataclass(slots=True)
class _Batch:
    number: int
    head: Segment
    amount: Decimal | None = None
    checks: int | None = None
    payments: list["_Payment"] = field(default_factory=list)


@dataclass(slots=True)
class _Payment:
    number: int
    segments: list[str]


@dataclass(slots=True)
class _Deposit:
    number: int
    head: Segment
    amount: Decimal | None = None
    checks: int | None = None
    batch_count: int | None = None
    batches: list[_Batch] = field(default_factory=list)


def lockbox(
    one: TransactionSet, name: str, profile: BankProfile, file_id: str, first: tuple[int, int, int]
) -> tuple[list[Statement], list[Remittance], list[Issue]]:
    """Deposits and payments of one 823, numbered from ``first`` (statement, entry, remittance) on.

    Raises:
        RejectedFile: a payment outside a deposit, or an amount or sign cannot be read.
    """
    statement_ordinal, entry_ordinal, remittance_ordinal = first
    statements: list[Statement] = []
    remittances: list[Remittance] = []
    issues: list[Issue] = list(one.issues)
    form = f"x12.823.{(one.version or '')[:6]}".rstrip(".")
    try:
        currency, deposits = _deposits(one)
        for deposit in deposits:
            where = f"{one.position}, segment {deposit.number}"
            entries: list[Entry] = []
            day_of_deposit = _optional_day(deposit.head, 2, where, issues)
            for batch in deposit.batches:
                for payment in batch.payments:
                    ordinal = entry_ordinal + len(entries)
                    advice = _advice(payment, one, profile, currency)
                    found = advice.advice(remittance_ordinal, form, file_id, ordinal)
                    entries.append(_entry(found.remittance, ordinal, batch, day_of_deposit))
                    remittances.append(found.remittance)
                    issues += (replace(fault, entry_ordinal=ordinal) for fault in found.issues)
                    remittance_ordinal += 1
                issues += _batch_issues(batch, entries[-len(batch.payments) :], one, statement_ordinal)
            statement = replace(
                _statement(deposit, statement_ordinal, where, form, entries, day_of_deposit), file_id=file_id
            )
            statements.append(statement)
            issues += check_statement(statement)
            issues += _deposit_issues(deposit, statement)
            statement_ordinal += 1
            entry_ordinal += len(entries)
    except ValueError as error:
        raise RejectedFile(name, one.position, str(error), ASK) from error
    return statements, remittances, issues


def _deposits(one: TransactionSet) -> tuple[str | None, list[_Deposit]]:
    """The segments sorted into deposits, batches and payments."""
    currency = None
    deposits: list[_Deposit] = []
    for number, raw in enumerate(one.segments, 2):
        segment = raw.split(one.separator)
        tag = segment[0]
        deposit = deposits[-1] if deposits else None
        batch = deposit.batches[-1] if deposit and deposit.batches else None
        payment = batch.payments[-1] if batch and batch.payments else None
        if tag == "DEP":
            deposits.append(_Deposit(number, segment))
        elif tag == "CUR" and deposit is None and len(segment) > 2:
            currency = segment[2].strip() or None
        elif tag == "BAT" and deposit:
            deposit.batches.append(_Batch(number, segment))
        elif tag == "BPR":
            if deposit is None:
                raise ValueError(f"segment {number}: a payment (BPR) outside a deposit (DEP)")
            if batch is None:
                batch = _Batch(deposit.number, [])
                deposit.batches.append(batch)
            batch.payments.append(_Payment(number, [raw]))
        elif payment:
            payment.segments.append(raw)
        elif holder := batch or deposit:
            _stated(holder, number, segment)
    if not deposits:
        raise ValueError("an 823 without a deposit (DEP)")
    return currency, deposits


def _stated(holder: _Batch | _Deposit, number: int, segment: Segment) -> None:
    """The amount and the counts that a deposit or batch states."""
    if len(segment) < 3:
        return
    try:
        if segment[0] == "AMT" and holder.amount is None:
            holder.amount = amount(segment[2])
        elif segment[0] == "QTY" and segment[1].strip() == _CHECKS:
            holder.checks = values.count(segment[2].strip())
        elif segment[0] == "QTY" and segment[1].strip() == _BATCHES and isinstance(holder, _Deposit):
            holder.batch_count = values.count(segment[2].strip())
    except ValueError as error:
        raise ValueError(f"segment {number}, {segment[0]}02: {error}") from None


def _advice(payment: _Payment, one: TransactionSet, profile: BankProfile, currency: str | None) -> Reading:
    where = f"{one.position}, segment {payment.number}"
    currency = currency or profile.currency_code or CURRENCY
    reading = Reading(where, one.version, one.separator, profile, currency)
    reading.is_named_late = True
    reading.run(payment.segments, payment.number)
    return reading


def _entry(found: Remittance, ordinal: int, batch: _Batch, booked: date | None) -> Entry:
    total, currency = found.total_amount or ZERO, found.currency_code or CURRENCY
    is_check = found.method == "check"
    return Entry(
        ordinal,
        found.position,
        total,
        currency,
        booking_date=booked,
        value_date=found.payment_date or booked,
        customer_reference=found.reference,
        batch_id=text_at(batch.head, 3),
        method=found.method,
        details=(
            Detail(
                1,
                found.position,
                total,
                currency,
                payer_name=found.payer_name,
                payer_account=found.payer_account,
                payer_bank=found.payer_bank,
                payee_name=found.payee_name,
                payee_account=found.payee_account,
                check_number=found.reference if is_check else None,
                bank_reference=None if is_check else found.reference,
                text=found.text,
            ),
        ),
    )


def _statement(
    deposit: _Deposit,
    ordinal: int,
    where: str,
    form: str,
    entries: list[Entry],
    booked: date | None,
) -> Statement:
    account = text_at(deposit.head, 8)
    return Statement(
        ordinal,
        where,
        form,
        "notification",
        text_at(deposit.head, 1),
        account,
        entries[0].currency_code if entries else None,
        account_scheme=account_scheme(account) if account else "other",
        bank=text_at(deposit.head, 6),
        to_date=booked,
        stated=StatedTotals(entry_count=deposit.checks, net_amount=deposit.amount),
        entries=tuple(entries),
    )


def _batch_issues(batch: _Batch, entries: list[Entry], one: TransactionSet, ordinal: int) -> list[Issue]:
    where = f"{one.position}, segment {batch.number}"
    total = sum((entry.amount for entry in entries), ZERO) if batch.payments else ZERO
    faults = []
    if batch.amount is not None and batch.amount != total:
        message = f"batch: stated {batch.amount}, found {total}"
        faults.append(Issue(where, "total_differs", message, statement_ordinal=ordinal))
    if batch.checks is not None and batch.checks != len(batch.payments):
        message = f"checks of the batch: stated {batch.checks}, found {len(batch.payments)}"
        faults.append(Issue(where, "count_differs", message, statement_ordinal=ordinal))
    return faults


def _deposit_issues(deposit: _Deposit, statement: Statement) -> list[Issue]:
    count = sum(1 for batch in deposit.batches if batch.head)
    if deposit.batch_count in (None, count):
        return []
    message = f"batches of the deposit: stated {deposit.batch_count}, found {count}"
    return [Issue(statement.position, "count_differs", message, statement_ordinal=statement.ordinal)]


def _optional_day(segment: Segment, at: int, where: str, issues: list[Issue]) -> date | None:
    text = text_at(segment, at)
    try:
        return day(text) if text else None
    except ValueError as error:
        issues.append(Issue(where, "value_unreadable", str(error), "warning"))
        return None
