"""What is wrong with the fields of a message that is whole, and what proves that it is whole."""

from decimal import Decimal

from o2c.money import MINOR_UNITS
from o2c.sources.bank.model import Entry, Issue, Statement, net_amount
from o2c.sources.bank.mt940_lines import Field, Message
from o2c.sources.bank.references import is_valid_iban

READ = frozenset("13 13C 13D 20 21 25 25P 28 28C 34F 60F 60M 62F 62M 64 90C 90D NS".split())  # noqa: SIM905


def field_issues(statement: Statement, strays: list[Field], singles: list[Field]) -> list[Issue]:
    """Fields left out, and currencies, check digits and decimals that are wrong."""
    found = [
        _of(statement, "repaired", f"line {one.line}: a second :{one.tag}:, left out", "exception")
        for one in strays
    ]
    found += [
        _of(statement, "unknown_code", f"line {one.line}: field :{one.tag}: is not read", "warning")
        for one in singles
        if one.tag not in READ
    ]
    currency = statement.currency_code
    if currency and currency not in MINOR_UNITS:
        # Once for the account: all its entries have it.
        found.append(_of(statement, "currency_unknown", f"{currency} is not in ISO 4217", "exception"))
    closing = statement.closing
    if closing and closing.currency_code != currency:
        message = f"closes in {closing.currency_code}, opens in {currency}"
        found.append(_of(statement, "currency_differs", message, "exception"))
    if statement.account and statement.account_scheme == "iban" and not is_valid_iban(statement.account):
        message = f"check digits of the account {statement.account} are wrong"
        found.append(_of(statement, "account_check_failed", message, "warning"))
    return found + _entry_issues(statement)


def _entry_issues(statement: Statement) -> list[Issue]:
    found = []
    unit = Decimal(1).scaleb(-MINOR_UNITS.get(statement.currency_code or "", 8))
    for entry in statement.entries:
        if entry.amount % unit:
            message = f"{entry.amount} {entry.currency_code}"
            found.append(_of(statement, "too_many_decimals", message, "exception", entry))
        for detail in entry.details:
            found += [
                _of(
                    statement,
                    "reference_check_failed",
                    f"{one.text!r} has wrong check digits",
                    "warning",
                    entry,
                )
                for one in detail.references
                if one.is_valid is False
            ]
    return found


def unproven_end(message: Message, statement: Statement) -> str | None:
    """Why a message without an end mark may be cut. It is whole when it ties, or more follows its last balance."""
    if message.end_mark or message.fields[-1].tag in ("64", "65", "86", "90C", "90D"):
        return None
    if not statement.opening or not statement.closing:
        return "an interim report without an end mark or totals at its end"
    if statement.opening.amount + net_amount(statement.entries) != statement.closing.amount:
        return "a message without an end mark whose balances do not tie: it may be cut"
    return None


def _of(statement: Statement, code: str, message: str, severity: str, entry: Entry | None = None) -> Issue:
    return Issue(
        entry.position if entry else statement.position,
        code,
        message,
        severity,  # ty: ignore[invalid-argument-type]
        statement.ordinal,
        entry.ordinal if entry else None,
    )
