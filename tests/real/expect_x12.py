"""X12 820 against the independent reading of the same files."""

from decimal import Decimal
from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import x12
from o2c.sources.bank.model import Remittance

FORMAT = "x12"
FILES = sorted(file for file in expectations("remittance_edi") if file.startswith("x12/"))

# Exceptions that these files deserve: their documents do not add up to their payment.
EXCEPTIONS: dict[str, list[str]] = {
    "x12/820/Example1_MortgageBankers.txt": ["set 1: remittance_does_not_sum"],
    "x12/820/Example7_FromScott.txt": ["set 1: remittance_does_not_sum"],
}


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, expected = Outcome(), expectations("remittance_edi")[file]
    found = x12.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, EXCEPTIONS.get(file, []))
    outcome.compare("format", found.format, "x12.820.004010")
    if isinstance(expected, list):
        outcome.compare("payments", len(found.remittances), len(expected))
        for remittance, says in zip(found.remittances, expected, strict=False):
            compare_advice(outcome, remittance, says)
    else:
        _compare_summary(outcome, found.remittances[0], expected)
    return outcome


def compare_advice(outcome: Outcome, found: Remittance, says: dict[str, Any]) -> None:
    """One payment and its documents, as the independent reading has them in full."""
    outcome.compare("total", found.total_amount, Decimal(says["bpr_amount"]))
    outcome.compare("trace", found.reference, says["trn"])
    names = (found.payer_name, found.payee_name)
    outcome.compare("names", names, (says["names"].get("PR"), says["names"].get("PE")))
    outcome.compare("method", found.method, says["method"].lower())
    day = f"{found.payment_date:%Y%m%d}" if found.payment_date else None
    outcome.compare("day", day, f"20{says['settle_date']}"[-8:] if says["settle_date"] else None)
    documents = [
        (
            one.reference_qualifier,
            one.invoice_reference,
            one.paid_amount,
            one.gross_amount,
            one.discount_amount,
        )
        for one in found.lines
    ]
    expected = [
        (
            one["qual"],
            one["ref"],
            Decimal(one["paid"]),
            Decimal(one["invoice_total"]) if one["invoice_total"] else None,
            Decimal(one["discount"]) if one["discount"] else None,
        )
        for one in says["rmr"]
    ]
    outcome.compare("documents", documents, expected)
    adjusted = [
        (-one.deduction_amount, one.reason_code) for one in found.lines if one.deduction_amount is not None
    ]
    outcome.compare("adjustments", adjusted, [(Decimal(one["amount"]), one["reason"]) for one in says["adx"]])
    paid = sum((one.paid_amount for one in found.lines if one.paid_amount is not None), Decimal(0))
    outcome.compare("sum of documents", paid, Decimal(says["sum_rmr_paid"]))


def _compare_summary(outcome: Outcome, found: Remittance, says: dict[str, Any]) -> None:
    """A debit takes back what it lists: total and documents are negative."""
    sign = -1 if says.get("credit_debit") == "D" else 1
    documents = [one for one in found.lines if one.document_type != "ADX"]
    adjustments = [one.paid_amount for one in found.lines if one.document_type == "ADX"]
    outcome.compare("total", found.total_amount, sign * Decimal(says["bpr"]))
    outcome.compare("documents", len(documents), says["rmr"])
    paid = sum((one.paid_amount for one in documents if one.paid_amount is not None), Decimal(0))
    outcome.compare("sum of documents", paid, sign * Decimal(says["sum_rmr"]))
    changed = sum((one for one in adjustments if one is not None), Decimal(0))
    outcome.compare("adjustments", changed, Decimal(says.get("adx", "0")))
