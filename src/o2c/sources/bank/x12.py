"""X12 820 (payment order and remittance advice) and 823 (lockbox): text to remittances, and to checks deposited.

Other sets in the same file are told and left out; a file without an 820 or 823 is refused by name.
"""

from dataclasses import replace

from o2c.sources.bank.builders import no_cycle_collector
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import (
    BankFile,
    Content,
    Entry,
    Issue,
    Remittance,
    Statement,
    all_bytes,
    content_id,
)
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.x12_lockbox import lockbox
from o2c.sources.bank.x12_remittance import Advice, Reading
from o2c.sources.bank.x12_segments import ASK, TransactionSet, transaction_sets

# The file is read whole, and what is read of it takes twelve times its size.
LARGEST = 64 << 20
# Sets that are often in the same mailbox, so that a refusal says what it was.
_OTHER_SETS = {
    "810": "an invoice",
    "812": "a credit or debit adjustment",
    "824": "an application advice",
    "835": "a health care claim payment",
    "850": "a purchase order",
    "997": "an acknowledgment",
    "999": "an acknowledgment",
}


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All remittances of one X12 file; of an 823 also the checks, as a notification per deposit.

    Raises:
        RejectedFile: an envelope is broken or cut off, there is no 820 or 823 in it, or an amount or sign of a
            payment cannot be read.
    """
    data = all_bytes(content)
    if len(data) > LARGEST:
        raise RejectedFile(
            name, f"byte {LARGEST}", f"{len(data)} bytes, more than {LARGEST}", "split the file"
        )
    with no_cycle_collector():
        return _read(decoded(data, name, profile), name, profile, content_id(data))


def _read(text: str, name: str, profile: BankProfile, file_id: str) -> BankFile:
    issues = Issues(profile)
    statements: list[Statement] = []
    remittances: list[Remittance] = []
    form, version = "", None
    others: list[str] = []
    for one in transaction_sets(text, name, issues):
        if one.kind == "820":
            try:
                found = advice_of(one, len(remittances) + 1, profile, file_id)
            except ValueError as error:
                raise RejectedFile(name, one.position, str(error), ASK) from error
            remittances.append(found.remittance)
            issues.extend(found.issues)
        elif one.kind == "823":
            entries = sum(statement.entry_count for statement in statements)
            first = (len(statements) + 1, entries + 1, len(remittances) + 1)
            deposits, payments, faults = lockbox(one, name, profile, file_id, first)
            statements += deposits
            remittances += payments
            issues.extend(faults)
        else:
            others.append(one.kind)
            message = f"X12 {one.kind[:9]} is {_OTHER_SETS.get(one.kind, 'no remittance')}: not read"
            issues.add(Issue(one.position, "unknown_code", message, "warning"))
            continue
        form, version = form or format_of(one), version or one.version
    if not form:
        what = f"X12 {others[0][:9]}, {_OTHER_SETS.get(others[0], 'no remittance')}: not read here"
        raise RejectedFile(name, "set 1", what, "deliver an 820 or 823")
    return BankFile(
        name, file_id, form, version, tuple(statements), tuple(remittances), tuple(_in_order(issues.found))
    )


def embedded(
    text: str, profile: BankProfile, file_id: str, entry: Entry, ordinal: int
) -> tuple[list[Remittance], list[Issue]]:
    """The remittances of an 820 that came inside an ACH entry, numbered from ``ordinal`` on.

    Raises:
        RejectedFile: it is no whole X12 text, has no 820, or one that cannot be read; the file named is none.
    """
    issues = Issues(profile)
    found: list[Remittance] = []
    for one in transaction_sets(text, "820", issues):
        if one.kind != "820":
            continue
        try:
            advice = advice_of(one, ordinal + len(found), profile, file_id, entry)
        except ValueError as error:
            raise RejectedFile("820", one.position, str(error), ASK) from error
        found.append(advice.remittance)
        issues.extend(advice.issues)
    if not found:
        raise RejectedFile("820", "set 1", "no 820 in it", ASK)
    return found, [replace(one, entry_ordinal=entry.ordinal) for one in issues.found]


def format_of(one: TransactionSet) -> str:
    """``x12.820.004010``; without the version where it is not said."""
    release = (one.version or "")[:6]
    return f"x12.{one.kind}.{release}" if release else f"x12.{one.kind}"


def advice_of(
    one: TransactionSet, ordinal: int, profile: BankProfile, file_id: str, entry: Entry | None = None
) -> Advice:
    """The payment of one 820, of the entry it came with if it did.

    Raises:
        ValueError: an amount or sign cannot be read, or there is no BPR.
    """
    where = f"{entry.position}, {one.position}" if entry else one.position
    reading = Reading(where, one.version, one.separator, profile, entry.currency_code if entry else None)
    reading.run(one.segments, 2)
    found = reading.advice(ordinal, format_of(one), file_id, entry.ordinal if entry else None)
    trailer = (replace(fault, remittance_ordinal=ordinal) for fault in one.issues)
    return Advice(found.remittance, (*found.issues, *trailer))


def _in_order(found: list[Issue]) -> list[Issue]:
    """Those of the parts in their order, those of the whole file last."""
    return sorted(found, key=lambda one: (one.remittance_ordinal is None, one.remittance_ordinal or 0))
