"""BAI2 against the independent reading of the same files; amounts there are minor units."""

from decimal import Decimal
from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import bai2
from o2c.sources.bank.model import Statement

FORMAT = "bai2"
FILES = sorted(expectations("bai2"))

# Exceptions that these files deserve.
EXCEPTIONS: dict[str, list[str]] = {
    # opens and closes with 100.00 and has a credit of 0.01 between
    "bai2/pypi_bai2/citi_example.bai2": ["statement 1: balance_does_not_tie"],
}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("bai2")[file]
    found = bai2.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, []))
    outcome.compare("entries", found.entry_count, expected["entries"])
    outcome.compare("accounts", len(found.statements), len(expected["accounts"]))
    # Counts and totals of groups and file were compared by the reader itself: no exception, no refusal.
    groups = [group for group in expected["groups"] for _ in range(int(group["accounts"]))]
    for statement, says, group in zip(found.statements, expected["accounts"], groups, strict=True):
        _compare(outcome, statement, says, group)
    return outcome


def _compare(outcome: Outcome, statement: Statement, says: dict[str, Any], group: dict[str, str]) -> None:
    where = f"statement {statement.ordinal}"
    day = f"20{group['date'][:2]}-{group['date'][2:4]}-{group['date'][4:]}"
    pairs = {
        "account": (statement.account, says["account"]),
        "currency": (statement.currency_code, says["ccy"] or group["ccy"] or "USD"),
        "bank": (statement.bank, group["originator"]),
        "day": (str(statement.last_date), day),
        "entries": (statement.entry_count, says["entries"]),
        "credits": (statement.credit_amount, Decimal(says["credit_minor"]).scaleb(-2)),
        "debits": (statement.debit_amount, Decimal(says["debit_minor"]).scaleb(-2)),
    }
    for what, (found, expected) in pairs.items():
        outcome.compare(f"{where} {what}", found, expected)
