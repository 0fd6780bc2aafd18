"""camt.052, .053 and .054 against the independent reading of the same files."""

from collections import Counter
from decimal import Decimal
from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import camt
from o2c.sources.bank.model import Statement

FORMAT = "camt"
FILES = sorted(expectations("camt"))

# Exceptions that these files deserve: samples cut out of larger statements, or made up by their authors.
EXCEPTIONS: dict[str, list[str]] = {
    # its summary speaks of 6852.79 in a file of one debit of 100
    "camt/tryton/camt.053.001.02.xml": [
        "statement 1: count_differs",
        "statement 1: total_differs",
        "statement 1: total_differs",
    ],
    # an entry in EUR on an account in CHF; two thirds of the day's entries left out
    "camt/viafintech/053/valid_example_v8.xml": [
        "statement 1, entry 3: currency_differs",
        "statement 1: balance_does_not_tie",
    ],
    # 3 entries left of 35
    "camt/viafintech/053/valid_example_with_batch.xml": [
        "statement 1: balance_does_not_tie",
        *["statement 1: count_differs"] * 3,
        *["statement 1: total_differs"] * 3,
    ],
    # debits are stated as 1000.00 and listed as 500.00
    "camt/okane_cz/test1.xml": ["statement 1: total_differs"],
    "camt/okane_cz/test2.xml": ["statement 1: balance_does_not_tie"],
    # two of ten transactions of a batch left in
    "camt/metasfresh_ch/camt54_v02_QRR.xml": ["statement 1, entry 1: count_differs"],
    # balances in SEK, CHF and JPY on an account in EUR, to show that a parser can
    "camt/genkgo/camt053.v2.minimal.xml": [
        "statement 1: currency_differs",
        "statement 1: balance_does_not_tie",
    ],
    "camt/genkgo/camt053.v8.xml": ["statement 1: currency_differs", "statement 1: balance_does_not_tie"],
    # three transactions in a batch of two
    "camt/genkgo/camt054.v8.xml": ["statement 1, entry 1: count_differs"],
}
STATUS = {"booked": "BOOK", "pending": "PDNG", "information": "INFO"}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("camt")[file]
    found = camt.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("format", found.format, expected["message"])
    outcome.compare("statements", len(found.statements), expected["statements_n"])
    outcome.compare("entries", found.entry_count, expected["entries_total"])
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, []))
    for statement, says in zip(found.statements, expected["statements"], strict=False):
        _compare_statement(outcome, statement, says)
        untied = any(
            one.code == "balance_does_not_tie" and one.statement_ordinal == statement.ordinal
            for one in found.exceptions
        )
        outcome.compare("does not tie", untied, says["balances_reconcile"] is False)
    if signed := expected.get("signed_detail_check"):
        _compare_details(outcome, found.statements[0], signed)
    return outcome


def _compare_statement(outcome: Outcome, statement: Statement, says: dict[str, Any]) -> None:
    where = f"statement {statement.ordinal}"
    pairs = {
        "id": statement.statement_id,
        "elctrnc_seq": statement.electronic_number,
        "lgl_seq": statement.number,
        "entries": statement.entry_count,
        "tx_details": statement.detail_count,
        "reversals": sum(one.is_reversal for one in statement.entries),
    }
    for name, value in pairs.items():
        outcome.compare(f"{where} {name}", value, says[name])
    amounts = {
        "opening": statement.opening and statement.opening.amount,
        "closing": statement.closing and statement.closing.amount,
        "sum_credit": statement.credit_amount,
        "sum_debit": statement.debit_amount,
        "net": statement.credit_amount - statement.debit_amount,
    }
    for name, value in amounts.items():
        outcome.compare(f"{where} {name}", value, None if says[name] is None else Decimal(says[name]))
    balances = [
        {"type": one.code, "amount": one.amount, "ccy": one.currency_code, "date": str(one.balance_date)}
        for one in statement.balances
    ]
    expected = [one | {"amount": Decimal(one["amount"])} for one in says["balances"]]
    outcome.compare(f"{where} balances", balances, expected)
    outcome.compare(f"{where} account", statement.account, says["iban"] or says["other_id"])
    currencies = sorted({one.currency_code for one in statement.entries})
    outcome.compare(f"{where} currencies", currencies, says["entry_currencies"])
    # A bank that leaves the status out has booked.
    status = Counter(STATUS[one.status] for one in statement.entries)
    stated = Counter({"BOOK" if key == "null" else key: count for key, count in says["status"].items()})
    outcome.compare(f"{where} status", status, stated)
    _compare_texts(outcome, statement, says, where)


def _compare_texts(outcome: Outcome, statement: Statement, says: dict[str, Any], where: str) -> None:
    """The expectation lists the first references in full and counts all; its texts may be broken over lines."""
    details = [detail for entry in statement.entries for detail in entry.details]
    references = [one.text for detail in details for one in detail.references]
    outcome.compare(f"{where} references", len(references), says["remittance_structured_refs_count"])
    listed = says["remittance_structured_refs"]
    outcome.compare(f"{where} references", references[: len(listed)], listed)
    text = " ".join(" ".join(detail.text.split()) for detail in details if detail.text)
    listed = " ".join(" ".join(one.split()) for one in says["remittance_unstructured"])
    if len(says["remittance_unstructured"]) == says["remittance_unstructured_count"]:
        outcome.compare(f"{where} texts", text, listed)
    else:
        outcome.compare(f"{where} texts", text[: len(listed)], listed)
    ids = {detail.end_to_end_id for detail in details if detail.end_to_end_id}
    expected = {one for one in says["end_to_end_ids"] if one != "NOTPROVIDED"}
    outcome.compare(f"{where} end-to-end ids not found", sorted(expected - ids), [])


def _compare_details(outcome: Outcome, statement: Statement, signed: dict[str, Any]) -> None:
    entry = statement.entries[0]
    amounts = [detail.amount for detail in entry.details if detail.amount is not None]
    outcome.compare("entry", entry.amount, Decimal(signed["entry"]))
    outcome.compare("details", len(amounts), signed["tx"])
    outcome.compare("credits in the batch", sum(one > 0 for one in amounts), signed["tx_credit"])
    outcome.compare("debits in the batch", sum(one < 0 for one in amounts), signed["tx_debit"])
    outcome.compare("sum of the batch", sum(amounts), Decimal(signed["tx_net"]))
