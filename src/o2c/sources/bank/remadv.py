"""EDIFACT REMADV: text to remittances.

UN/EDIFACT directory D.96A and the EANCOM guides. What is not obvious:

- an amount is what its code (5025) says: 12 remitted, 9 due, 39 or 77 the invoice, 52 and 109 discount;
- an adjustment (AJT with its MOA) tells why 12 is not the invoice; it is in 12 already, negative where less is paid;
- a credit note (DOC 381 and the like) lowers the payment however its sign was written;
- a DOC may hold lines (DLI) with adjustments of their own; they count only where the document has none.
"""

from dataclasses import replace

from o2c.sources.bank.controls import Issues
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import (
    BankFile,
    Content,
    Issue,
    Remittance,
    all_bytes,
    content_id,
)
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.remadv_reading import Reading
from o2c.sources.bank.remadv_segments import ASK, messages


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All remittance advices of one EDIFACT file.

    Raises:
        RejectedFile: an envelope is broken or cut off, there is no REMADV in it, or an amount cannot be read.
    """
    file_id = content_id(content)
    issues = Issues(profile)
    found: list[Remittance] = []
    form, version = "", None
    others: list[str] = []
    for message in messages(decoded(all_bytes(content), name, profile), name, issues):
        if message.kind != "REMADV":
            others.append(message.kind)
            text = f"EDIFACT {message.kind[:9]} is no remittance advice: not read"
            issues.add(Issue(message.position, "unknown_code", text, "warning"))
            continue
        reading = Reading(message, len(found) + 1, profile)
        try:
            advice = reading.advice()
        except ValueError as error:
            raise RejectedFile(
                name, f"{message.position}, segment {reading.number}", str(error), ASK
            ) from error
        found.append(replace(advice, file_id=file_id))
        issues.extend(reading.issues)
        form, version = form or advice.format, version or message.directory
    if not form:
        what = f"EDIFACT {others[0][:9]}: not read here"
        raise RejectedFile(name, "message 1", what, "deliver a REMADV")
    return BankFile(name, file_id, form, version, remittances=tuple(found), exceptions=tuple(issues.found))
