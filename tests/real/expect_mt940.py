"""MT940 and MT942 against the independent reading of the same files.

Sixteen of the files are single fields out of a message, to try a parser with. A file without head or balances is
refused, because nothing tells it from one that was cut; what stands in it is compared field by field.
"""

from decimal import Decimal
from typing import Any

import mt940 as library
from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import mt940
from o2c.sources.bank import mt940_fields as fields
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import Balance, BankFile, Statement

FORMAT = "mt940"
FILES = sorted(expectations("mt940"))

# Exceptions that these files deserve.
EXCEPTIONS: dict[str, list[str]] = {
    # marks of 1999 on days of 2013
    "mt940/wolph/cmxl/mt940.sta": ["statement 1: currency_unknown"],
    # entries were taken out of these statements by their authors
    "mt940/wolph/mBank/with_newline_in_tnr.sta": ["statement 1: balance_does_not_tie"],
    "mt940/wolph/betterplace/sepa_snippet.sta": ["statement 2: balance_does_not_tie"],
    # the text of the only entry left is tagged :25: instead of :86:
    "mt940/wolph/betterplace/sepa_snippet_broken.sta": [
        "statement 1: repaired",
        "statement 1: balance_does_not_tie",
    ],
}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("mt940")[file]
    content = (DATA / file).read_bytes()
    if _is_fragment(expected):
        try:
            mt940.read(content, file)
        except RejectedFile:
            outcome.is_refused = True
        outcome.compare("refused", outcome.is_refused, True)
        _compare_fragment(outcome, content.decode(), expected)
        return outcome
    found = mt940.read(content, file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, []))
    outcome.compare("entries", found.entry_count, expected["entries"])
    outcome.compare("statements", len(found.statements), len(expected["statements"]))
    for statement, says in zip(found.statements, expected["statements"], strict=False):
        _compare_statement(outcome, found, statement, says)
    _compare_library(outcome, content.decode(), found)
    return outcome


def _is_fragment(expected: dict[str, Any]) -> bool:
    return any(one["account"] is None or one["stmt_no"] is None for one in expected["statements"])


def _compare_statement(outcome: Outcome, found: BankFile, statement: Statement, says: dict[str, Any]) -> None:
    where = f"statement {statement.ordinal}"
    number, _, page = says["stmt_no"].partition("/")
    values = {
        "account": (statement.account, says["account"]),
        "reference": (statement.statement_id, says["ref"]),
        "number": (statement.number, number),
        "page": (statement.page_number, int(page) if page else None),
        "opening": (statement.opening and statement.opening.amount, _decimal(says["opening"])),
        "closing": (statement.closing and statement.closing.amount, _decimal(says["closing"])),
        "entries": (statement.entry_count, says["entries"]),
        "credits": (statement.credit_amount, _decimal(says["sum_credit"])),
        "debits": (statement.debit_amount, _decimal(says["sum_debit"])),
        "reversals": ([one.position for one in statement.entries if one.is_reversal], says["reversals"]),
        # An interim report has its currency in the floor limit, which the expectation does not look at.
        "currency": (statement.currency_code, says["currency"] or "PLN"),
    }
    for what, (value, expected) in values.items():
        outcome.compare(f"{where} {what}", value, expected)
    untied = any(
        one.code == "balance_does_not_tie" and one.statement_ordinal == statement.ordinal
        for one in found.exceptions
    )
    outcome.compare(f"{where} does not tie", untied, says["reconciles"] is False)


def _compare_library(outcome: Outcome, text: str, found: BankFile) -> None:
    """The same entries as mt-940 reads them, with its corrections switched on."""
    theirs = library.parse(text, options=library.Options.all())
    entries = [
        (one.data["amount"].amount, one.data["date"], one.data.get("entry_date"), one.data["id"])
        for one in theirs
    ]
    ours = [
        (entry.amount, entry.value_date, entry.booking_date, entry.type_code)
        for statement in found.statements
        for entry in statement.entries
    ]
    outcome.compare("entries of mt-940", ours, entries)


def _compare_fragment(outcome: Outcome, text: str, expected: dict[str, Any]) -> None:
    """Single fields, each by the function that reads it in a statement."""
    says = expected["statements"][0]
    tagged = [line.split(":", 2)[1:] for line in text.splitlines() if line.startswith(":")]
    found: dict[str, str] = {}
    for tag, content in tagged:
        found.setdefault(tag, content)
    balances = {
        kind: fields.balance(tag, found[tag])
        for kind, tag in (("opening", "60F"), ("closing", "62F"), ("available", "64"))
        if tag in found
    }
    entries = [fields.entry_line(content) for tag, content in tagged if tag == "61"]
    outcome.compare("opening", _amount(balances.get("opening")), _decimal(says["opening"]))
    outcome.compare("closing", _amount(balances.get("closing")), _decimal(says["closing"]))
    outcome.compare("account", fields.own_account(found["25"])[0] if "25" in found else None, says["account"])
    outcome.compare("reference", found.get("20"), says["ref"])
    number = "/".join(found["28C"].split("/")) if "28C" in found else None
    outcome.compare("number", number, says["stmt_no"])
    outcome.compare("entries", len(entries), says["entries"])
    credits = sum((one.amount for one in entries if one.amount > 0), Decimal(0))
    debits = -sum((one.amount for one in entries if one.amount < 0), Decimal(0))
    sums = (_decimal(says["sum_credit"]), _decimal(says["sum_debit"]))
    outcome.compare("sums", (credits, debits), sums)


def _amount(balance: Balance | None) -> Decimal | None:
    return balance.amount if balance else None


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
