"""What is wrong with the values of a camt statement or entry and does not stop the reading."""

from decimal import Decimal

from o2c.money import MINOR_UNITS
from o2c.sources.bank.model import Entry, Issue, Statement
from o2c.sources.bank.references import is_valid_iban


def head_issues(statement: Statement) -> list[Issue]:
    """What is wrong with account and balances that does not stop the reading."""
    found = []
    if statement.account and statement.account_scheme == "iban" and not is_valid_iban(statement.account):
        found.append(
            Issue(
                statement.position,
                "account_check_failed",
                f"check digits of the account {statement.account} are wrong",
                "warning",
                statement_ordinal=statement.ordinal,
            )
        )
    for balance in (statement.opening, statement.closing):
        if balance and statement.currency_code and balance.currency_code != statement.currency_code:
            found.append(
                Issue(
                    statement.position,
                    "currency_differs",
                    f"balance {balance.code} in {balance.currency_code}"
                    f" on an account in {statement.currency_code}",
                    statement_ordinal=statement.ordinal,
                )
            )
    return found


def entry_issues(statement: Statement, entry: Entry) -> list[Issue]:
    """What is wrong with the values of an entry that does not stop the reading."""
    found = []
    digits = MINOR_UNITS.get(entry.currency_code)
    if digits is None:
        found.append(("currency_unknown", f"{entry.currency_code} is not in ISO 4217", "exception"))
    elif entry.amount != entry.amount.quantize(Decimal(1).scaleb(-digits)):
        message = f"{entry.amount} {entry.currency_code}: {digits} decimals at most"
        found.append(("too_many_decimals", message, "exception"))
    for one in entry.details:
        found.extend(
            ("reference_check_failed", f"{reference.text!r} has wrong check digits", "warning")
            for reference in one.references
            if reference.is_valid is False
        )
    return [
        Issue(entry.position, code, message, severity, statement.ordinal, entry.ordinal)  # ty: ignore[invalid-argument-type]
        for code, message, severity in found
    ]
