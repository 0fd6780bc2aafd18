"""MT940 and MT942 against the independent reading of the same files.

Sixteen of the files are single fields out of a message, to try a parser with. Fourteen begin in the middle of a
message: no reading loads them, the inspection shows what they hold. Two are a ``:20:`` alone, as any message is that
was cut after its first line: they are refused.
"""

import json
from decimal import Decimal
from typing import Any

import mt940 as library
from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import mt940
from o2c.sources.bank.errors import Fragment, RejectedFile
from o2c.sources.bank.inspect import inspect_files
from o2c.sources.bank.model import BankFile, Statement

FORMAT = "mt940"
FILES = sorted(expectations("mt940"))

# Exceptions that these files deserve.
EXCEPTIONS: dict[str, list[str]] = {
    # six spellings of one balance
    "mt940/wolph/betterplace/amount_formats.sta": ["statement 1: fragment", *["statement 1: repaired"] * 5],
    # entries were taken out of these statements by their authors
    "mt940/wolph/mBank/with_newline_in_tnr.sta": ["statement 1: balance_does_not_tie"],
    "mt940/wolph/betterplace/sepa_snippet.sta": ["statement 2: balance_does_not_tie"],
    # the text of the only entry left is tagged :25: instead of :86:
    "mt940/wolph/betterplace/sepa_snippet_broken.sta": [
        "statement 1: repaired",
        "statement 1: balance_does_not_tie",
    ],
}

# A first line alone: nothing tells it from a message that was cut.
CUT = frozenset({"mt940/wolph/cmxl/reference.sta", "mt940/wolph/betterplace/empty_line.sta"})
# The expectation counts no details; this piece is the only one with the text of an entry.
DETAILS = {"mt940/wolph/cmxl/statement_details.sta": 1}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("mt940")[file]
    content = (DATA / file).read_bytes()
    if _is_fragment(expected):
        try:
            mt940.read(content, file)
        except RejectedFile as error:
            outcome.is_refused = True
            outcome.compare("a piece", isinstance(error, Fragment), file not in CUT)
        outcome.compare("refused", outcome.is_refused, True)
        if file not in CUT:
            _compare_fragment(outcome, file, expected)
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


def _compare_fragment(outcome: Outcome, file: str, expected: dict[str, Any]) -> None:
    """What ``o2c inspect`` shows of a piece; the number of a page is not shown."""
    found = json.loads(inspect_files([DATA / file])[0].as_json())
    outcome.compare("error", found["error"], None)
    outcome.exceptions = [f"{one['position']}: {one['code']}" for one in found["exceptions"]]
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, ["statement 1: fragment"]))
    outcome.compare("statements", len(found["statements"]), len(expected["statements"]))
    outcome.compare("entries", sum(one["entry_count"] for one in found["statements"]), expected["entries"])
    for statement, says in zip(found["statements"], expected["statements"], strict=False):
        # Some statements of the expectation leave out the currency that they give for the file.
        shown = {**statement, "currency_code": says["currency"] and statement["currency_code"]}
        sums = {one: Decimal(shown.pop(one)) for one in ("credit_amount", "debit_amount")}
        outcome.compare(
            "statement",
            shown,
            {
                "account": says["account"],
                "currency_code": says["currency"],
                "statement_number": says["stmt_no"] and says["stmt_no"].partition("/")[0],
                "opening_amount": says["opening"],
                "closing_amount": says["closing"],
                "entry_count": says["entries"],
                "detail_count": DETAILS.get(file, 0),
            },
        )
        says_sums = {"credit_amount": says["sum_credit"], "debit_amount": says["sum_debit"]}
        outcome.compare("sums", sums, {what: Decimal(one) for what, one in says_sums.items()})
    currencies = {one["currency_code"] for one in found["statements"]}
    outcome.compare("currency", currencies, {expected["currency"]})


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
