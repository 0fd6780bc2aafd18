"""Small ACH files for tests: records of 94 characters, with controls that are right unless told otherwise."""

from dataclasses import dataclass, field

BANK = "11100002"


def entry(
    cents: int = 10_000,
    code: str = "22",
    *,
    trace: int = 1,
    addenda: tuple[str, ...] = (),
    name: str = "Acme Supply",
    account: str = "987654",
    bank: str = BANK,
) -> list[str]:
    """A record 6 with its addenda (each the 90 characters behind its type and code, or a whole record)."""
    flag = "1" if addenda else "0"
    head = f"6{code}{bank}5{account:<17}{cents:010}{'ID-1':<15}{name:<22}  {flag}07100050{trace:07}"
    return [
        head,
        *(one if len(one) == 94 else note(one, number, trace) for number, one in enumerate(addenda, 1)),
    ]


def ctx_entry(cents: int, text: str, *, trace: int = 1, stated: int | None = None) -> list[str]:
    """A record 6 of a CTX batch with its text cut into addenda."""
    parts = [text[at : at + 80] for at in range(0, len(text), 80)]
    count = len(parts) if stated is None else stated
    receiver = f"{'ID-1':<15}{count:04}{'Acme Supply':<16}    "
    head = f"622{BANK}5{'987654':<17}{cents:010}{receiver}{bool(parts):d}07100050{trace:07}"
    return [head, *(note(one, number, trace) for number, one in enumerate(parts, 1))]


def note(text: str, number: int = 1, trace: int = 1) -> str:
    """An addendum 05."""
    return f"705{text:<80}{number:04}{trace:07}"


def returned(
    reason: str = "R01",
    original: str = "071000500000042",
    *,
    code: str = "99",
    trace: int = 1,
    text: str = "",
) -> str:
    """An addendum 99 or 98."""
    rest = f"{'':6}{BANK}{text:<44}"
    return f"7{code}{reason}{original}{rest}07100050{trace:07}"


@dataclass
class Ach:
    """A file with one batch of one credit of 100.00, unless told otherwise."""

    entries: list[list[str]] = field(default_factory=lambda: [entry()])
    sec: str = "CCD"
    service: str = "200"
    effective: str = "260928"
    settlement: str = "271"
    company: str = "Payer Inc"
    # Positions of records to the text that replaces them.
    changes: dict[int, tuple[str, str]] = field(default_factory=dict)

    def records(self) -> list[str]:
        """All records without the filler."""
        inside = [one for group in self.entries for one in group]
        sixes = [one for one in inside if one[0] == "6"]
        debit = sum(int(one[29:39]) for one in sixes if one[2] in "6789")
        credit = sum(int(one[29:39]) for one in sixes) - debit
        total = f"{sum(int(one[3:11]) for one in sixes) % 10**10:010}{debit:012}{credit:012}"
        header = f"101 {BANK}5 0710005052609281200A094101{'OUR BANK':<23}{'THEIR BANK':<23}{'':8}"
        batch = (
            f"5{self.service}{self.company:<16}{'':20}{'1311234567':<10}{self.sec}{'VENDOR PMT':<10}{'':6}"
            f"{self.effective}{self.settlement}1071000500000001"[:94]
        )
        control = f"8{self.service}{len(inside):06}{total}1311234567{'':25}071000500000001"
        count = len(inside) + 4
        last = f"9000001{-(-count // 10):06}{len(inside):08}{total}{'':39}"
        records = [header, batch, *inside, control, last]
        for at, (old, new) in self.changes.items():
            assert old in records[at], (old, records[at])
            records[at] = records[at].replace(old, new, 1)
        return records

    def text(self, end: str = "\n") -> str:
        """The file, filled up to blocks of ten records."""
        records = self.records()
        filler = ["9" * 94] * (-len(records) % 10)
        return "".join(one + end for one in (*records, *filler))

    def data(self, end: str = "\n") -> bytes:
        """The file as bytes."""
        return self.text(end).encode()
