"""Files of X12 820 and NACHA ACH for bench/bank.py, beside a bare split into segments and elements, or records.

These formats are read whole, so their files are at most 20 MB.
"""

from pathlib import Path

from o2c.sources.bank import ach, x12
from o2c.sources.bank.recognise import Reader

LARGEST = 20 << 20
RECORD = 95

_ISA = "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *260907*1813*U*00401*000000001*0*P*>"
_GS = "GS*RA*ACME*US*20260907*1813*1*X*004010"


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _documents(first: int, count: int) -> tuple[int, list[str]]:
    """What is paid of ``count`` invoices in cents, and their segments: one in five with a discount, in 25 with less."""
    total, segments = 0, []
    for number in range(first, first + count):
        gross = 100_000 + number * 37 % 900_000
        discount = gross // 50 if number % 5 == 0 else 0
        paid = gross - discount - (1250 if number % 25 == 0 else 0)
        total += paid
        tail = f"*{_money(discount)}" if discount else ""
        segments += [
            f"RMR*IV*INV{number:08}**{_money(paid)}*{_money(gross)}{tail}",
            f"REF*PO*45{number:08}",
            f"REF*IA*{number % 9000 + 100_000}",
            f"DTM*003*202609{number % 28 + 1:02}",
        ]
        if number % 25 == 0:
            segments.append("ADX*-12.50*01*CM*DM12345")
    return total, segments


def _set(ordinal: int, first: int, count: int) -> tuple[int, list[str]]:
    total, documents = _documents(first, count)
    inside = [
        f"ST*820*{ordinal:04}",
        f"BPR*C*{_money(total)}*C*ACH*CTX*01*071000505*DA*55158594*1311234567**01*111000025*DA*987654*20260928",
        f"TRN*1*TR-{ordinal:08}",
        "CUR*PR*USD",
        "N1*PR*Acme Distribution Inc*92*4711",
        "N1*PE*Supply Co",
        "ENT*1",
        *documents,
    ]
    return total, [*inside, f"SE*{len(inside) + 1}*{ordinal:04}"]


def make_x12(path: Path, size: int) -> None:
    """An 820 of sets with 500 documents that add up."""
    written = sets = 0
    with path.open("w", encoding="ascii") as file:
        file.write(f"{_ISA}~\n{_GS}~\n")
        while written < min(size, LARGEST):
            sets += 1
            text = "".join(f"{segment}~\n" for segment in _set(sets, sets * 500, 500)[1])
            file.write(text)
            written += len(text)
        file.write(f"GE*{sets}*1~\nIEA*1*000000001~\n")


def _notes(kind: str, trace: int) -> tuple[int, list[str]]:
    """Cents and addenda of one entry: none for PPD, one note for CCD, an 820 of 40 documents for CTX."""
    cents = 10_000 + trace * 37 % 9_000_000
    if kind == "PPD":
        return cents, []
    if kind == "CCD":
        return cents, [f"RMR*IV*INV{trace:08}**{_money(cents)}\\"]
    cents, segments = _set(1, trace * 40, 40)
    text = "\\".join([_ISA, _GS, *segments, "GE*1*1", "IEA*1*000000001", ""])
    return cents, [text[at : at + 80] for at in range(0, len(text), 80)]


def make_ach(path: Path, size: int) -> None:
    """Batches of 100 CTX, CCD and PPD credits in turn, with controls that are right."""
    written = batches = trace = count = hashed = total = 0
    with path.open("w", encoding="ascii") as file:
        file.write(f"101 111000025 0710005052609281200A094101{'':54}\n")
        while written < min(size, LARGEST):
            batches += 1
            kind = ("CTX", "CCD", "PPD")[batches % 3]
            records, paid = [], 0
            for _ in range(100):
                trace += 1
                cents, notes = _notes(kind, trace)
                paid += cents
                name = (
                    f"{'':15}{len(notes):04}{'Supply Co':<18}"
                    if kind == "CTX"
                    else f"{trace:015}{'Supply Co':<22}"
                )
                records.append(
                    f"6221110000259876543210       {cents:010}{name}  {bool(notes):d}07100050{trace:07}"
                )
                records += (f"705{one:<80}{number:04}{trace:07}" for number, one in enumerate(notes, 1))
            control = f"{len(records):06}{100 * 11100002 % 10**10:010}{0:012}{paid:012}"
            head = f"5220{'ACME DISTRIBUTIO':16}{'':20}1311234567{kind}{'VENDOR PMT':10}{'':6}2609282711"
            file.write(f"{head}07100050{batches:07}\n")
            file.write("".join(f"{record}\n" for record in records))
            file.write(f"8220{control}1311234567{'':25}07100050{batches:07}\n")
            written += RECORD * (len(records) + 2)
            count, hashed, total = count + len(records), hashed + 100 * 11100002, total + paid
        blocks = -(-(written // RECORD + 2) // 10)
        last = f"9{batches:06}{blocks:06}{count:08}{hashed % 10**10:010}{0:012}{total:012}"
        file.write(f"{last:<94}\n")


def read_x12(path: Path) -> int:
    """All of it, controls included; the number of documents."""
    return _read(x12.read, path)


def read_ach(path: Path) -> int:
    """All of it, controls included; the number of entries and of documents in their 820s."""
    return _read(ach.read, path)


def _read(read: Reader, path: Path) -> int:
    found = read(path.read_bytes(), path.name)
    if found.exceptions:
        raise SystemExit(f"the file does not tie: {found.exceptions[0]}")
    return found.entry_count + sum(len(one.lines) for one in found.remittances)


def bare_x12(path: Path) -> int:
    """Each segment split into its elements."""
    return sum(len(segment.split("*")) > 0 for segment in path.read_bytes().decode().split("~"))


def bare_ach(path: Path) -> int:
    """Each record cut out, its kind, amount and trace number looked at."""
    return sum((one[:1], one[29:39], one[79:94]) > () for one in path.read_bytes().decode().split("\n"))
