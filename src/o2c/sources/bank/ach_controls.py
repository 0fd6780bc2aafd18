"""Controls of an ACH file: counts, totals and hash of a batch or file, and addenda against their entry."""

from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.ach_entries import Batch
from o2c.sources.bank.ach_records import is_return
from o2c.sources.bank.model import Issue

HASH_DIGITS = 10**10
# Sequence numbers of addenda.
_NUMBERS = tuple(f"{number:04}" for number in range(1, 10_000))


class Control:
    """Counts and totals of a batch or file as they are found."""

    def __init__(self) -> None:
        self.count = self.hash = self.credit = self.debit = 0

    def add(self, other: "Control") -> None:
        self.count += other.count
        self.hash += other.hash
        self.credit += other.credit
        self.debit += other.debit


def differences(
    number: int, record: str, at: tuple[int, int, int, int], found: Control, batch: Batch | None
) -> list[Issue]:
    """Where the counts and totals of a control record are not what is there.

    ``at`` is where in the record its count, hash, debits and credits stand.

    Raises:
        ValueError: one of them is no number.
    """
    count_at, hash_at, debit_at, credit_at = at
    what = "batch" if batch else "file"
    stated_count = values.count(record[count_at:hash_at])
    stated_hash = values.count(record[hash_at : hash_at + 10])
    stated_debit = values.count(record[debit_at : debit_at + 12])
    stated_credit = values.count(record[credit_at : credit_at + 12])
    pairs = (
        ("count_differs", "entries and addenda", stated_count, found.count),
        ("total_differs", "hash of bank numbers", stated_hash, found.hash % HASH_DIGITS),
        ("total_differs", "debits", dollars(stated_debit), dollars(found.debit)),
        ("total_differs", "credits", dollars(stated_credit), dollars(found.credit)),
    )
    ordinal = batch.ordinal if batch else None
    return [
        Issue(
            f"record {number}",
            code,
            f"{name} of the {what}: stated {stated}, found {real}",
            statement_ordinal=ordinal,
        )
        for code, name, stated, real in pairs
        if stated != real
    ]


def dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def addenda_faults(record: str, addenda: list[str], batch: Batch) -> list[str]:
    """What does not fit between an entry and the addenda behind it."""
    faults = []
    if (record[78] == "1") != bool(addenda):
        faults.append(f"addenda indicator {record[78]}, {len(addenda)} addenda")
    stated = record[54:58] if batch.sec == "CTX" else ""
    if stated.strip() and stated != f"{len(addenda):04}" and not is_return(record[1:3]):
        faults.append(f"addenda: stated {stated}, found {len(addenda)}")
    own = record[87:94]
    numbers = [one[83:] for one in addenda if one[1:3] == "05"]
    if numbers and numbers != [number + own for number in _NUMBERS[: len(numbers)]]:
        faults.append("its addenda are not numbered 1, 2, 3 and so on with its own trace number")
    if is_return(record[1:3]) and not any(one[1:3] in ("98", "99") for one in addenda):
        faults.append("a return without its reason (addendum 98 or 99)")
    return faults
