"""REMADV, as EDIFACT and as XML, against what the files say (and the source's own tests, for the XML)."""

from collections import Counter
from decimal import Decimal
from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import remadv, remadv_xml
from o2c.sources.bank.model import ZERO, Remittance

FORMAT = "remadv"
FILES = sorted(file for file in expectations("remittance_edi") if file.startswith("edifact_remadv/"))


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("remittance_edi")[file]
    read = remadv_xml.read if file.endswith(".xml") else remadv.read
    found = read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, [])
    outcome.compare("advices", len(found.remittances), 1)
    (_compare_xml if file.endswith(".xml") else _compare_edifact)(outcome, found.remittances[0], expected)
    return outcome


def _compare_edifact(outcome: Outcome, found: Remittance, says: dict[str, Any]) -> None:
    outcome.compare("total", found.total_amount, Decimal(says["total"]))
    outcome.compare("documents", len(found.lines), says["docs"])
    outcome.compare(
        "sum of documents", sum(one.paid_amount or ZERO for one in found.lines), Decimal(says["sum_docs"])
    )
    adjusted = [(one.reason_code, -one.deduction_amount) for one in found.lines if one.deduction_amount]
    expected = [(says["ajt"][0], Decimal(says["ajt"][1]))] if "ajt" in says else []
    outcome.compare("adjustments", adjusted, expected)


def _compare_xml(outcome: Outcome, found: Remittance, says: dict[str, Any]) -> None:
    head = (found.reference, found.currency_code, found.total_amount, len(found.lines))
    outcome.compare(
        "head", head, (says["document"], says["currency"], Decimal(says["remitted_total"]), says["lines"])
    )
    paid = sum(one.paid_amount or ZERO for one in found.lines)
    outcome.compare("sum of lines", paid, Decimal(says["sum_line_remitted"]))
    outcome.compare(
        "fees", sum(one.deduction_amount or ZERO for one in found.lines), Decimal(says["service_fee_total"])
    )
    invoices = says["by_document_type"]["ARI"]
    kinds = Counter(one.document_type for one in found.lines)
    outcome.compare("invoices", kinds, Counter({"380": invoices["n"]}))
    outcome.compare("gross", sum(one.gross_amount or ZERO for one in found.lines), Decimal(invoices["gross"]))
