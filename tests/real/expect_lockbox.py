"""BAI lockbox against what the authors of its records say of them."""

from decimal import Decimal

from bank_outcomes import DATA, Outcome, exceptions_of, expectations

from o2c.sources.bank import lockbox

FORMAT = "bai_lockbox"
FILES = sorted(expectations("bai_lockbox"))


def check(file: str) -> Outcome:
    """Read the file and compare all that the expectation says."""
    outcome, says = Outcome(), expectations("bai_lockbox")[file]
    found = lockbox.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    outcome.compare("exceptions", outcome.exceptions, [])
    outcome.compare("checks", (found.entry_count, len(found.remittances)), (says["checks"], says["checks"]))
    statement, remittance = found.statements[0], found.remittances[0]
    entry, detail = statement.entries[0], statement.entries[0].details[0]
    pairs = {
        "lockbox": (statement.account, says["lockbox"]),
        "deposit date": (str(entry.booking_date), says["deposit_date"]),
        "batch total": (statement.credit_amount, Decimal(says["batch_total"])),
        "amount": (entry.amount, Decimal(says["check_amount"])),
        "total": (remittance.total_amount, Decimal(says["check_amount"])),
        "check number": (remittance.reference, str(says["check_number"])),
        "remitter": (remittance.payer_name, says["remitter"]),
        "payee": (remittance.payee_name, says["payee"]),
        "transit routing": (remittance.payer_bank, says["transit_routing"]),
        "account": (remittance.payer_account, says["account"]),
        "check date": (str(remittance.payment_date), says["check_date"]),
        "memo": ([line.text for line in remittance.lines], [says["memo"]]),
        "text of the entry": (detail.text, says["memo"]),
        "entry of the remittance": (remittance.entry_ordinal, entry.ordinal),
    }
    for what, (value, expected) in pairs.items():
        outcome.compare(what, value, expected)
    return outcome
