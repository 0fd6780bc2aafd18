"""NACHA ACH files against the independent reading of the same files."""

from decimal import Decimal
from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of, expectations
from expect_x12 import compare_advice

from o2c.sources.bank import ach
from o2c.sources.bank.model import BankFile

FORMAT = "ach"
FILES = sorted(expectations("ach"))

# Exceptions that these files deserve.
EXCEPTIONS: dict[str, list[str]] = {
    # the 820 lists 125898.43 for a payment of 112998.43
    "ach/dfdl/TestData_2013/ctx_valid_2.txt": ["record 3, set 1: remittance_does_not_sum"],
    # the note of an entry of 375.00 says that -1170.49 is paid
    "ach/dfdl/TestData_2013/ccd_valid_1.txt": ["record 13: remittance_does_not_sum"],
}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("ach")[file]
    found = ach.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, []))
    batches = [
        {
            "sec": (one.entries[0].type_code or "").partition("/")[0],
            "entries": one.entry_count,
        }
        for one in found.statements
    ]
    outcome.compare(
        "batches", batches, [{"sec": one["sec"], "entries": one["entries"]} for one in expected["batches"]]
    )
    outcome.compare("entries", found.entry_count, expected["entries"])
    credit = sum((one.credit_amount for one in found.statements), Decimal(0))
    debit = sum((one.debit_amount for one in found.statements), Decimal(0))
    outcome.compare("credits", credit, Decimal(expected["credit_cents"]).scaleb(-2))
    outcome.compare("debits", debit, Decimal(expected["debit_cents"]).scaleb(-2))
    outcome.compare("bank", {one.bank for one in found.statements}, {expected["file_header"]["dest"]})
    _compare_notes(outcome, found, expected)
    return outcome


def _compare_notes(outcome: Outcome, found: BankFile, expected: dict[str, Any]) -> None:
    details = [detail for one in found.statements for entry in one.entries for detail in entry.details]
    notes = [detail.text for detail in details if detail.text]
    # An entry has its addenda joined, the expectation has those of all entries one behind the other.
    joined = "".join(note.ljust(-(-len(note) // 80) * 80) for note in notes)
    outcome.compare("notes", joined, expected["joined_addenda"])
    inside = [one for entry in expected.get("embedded_820", []) for one in entry["x12"]]
    outcome.compare("820s", len(found.remittances), len(inside))
    for remittance, says in zip(found.remittances, inside, strict=False):
        compare_advice(outcome, remittance, says)
