"""Files of records for bench/bank.py: MT940 beside the library mt-940, BAI2 beside a bare split of fields.

These formats are read whole, so their files are at most 10 MB: the largest a bank was seen to send is below 1 MB.
"""

from pathlib import Path

LARGEST = 10 << 20

# The text of a German credit transfer, as the longest in the real files.
_MT940_ENTRY = (
    ":61:2403070307CR{n},25NTRFNONREF//{n:016}\n"
    ":86:166?00GUTSCHRIFT?100399?20EREF+E2E{n:012}?21SVWZ+RECHNUNG\n"
    " INV-{n:08}?22 VOM 1.3.?30COBADEFF370?31DE893704004405320\n"
    "13000?32CUSTOMER {n}?33 GMBH\n"
)
# One line, three and eight, in equal parts: a returned item, an ACH credit and a wire as banks write them.
_BAI2_ENTRIES = (
    "16,555,{n}25,V,240307,,B{n:09},C{n:09},RETURNED CHEQUE     /\n",
    "16,165,{n}25,0,B{n:09},C{n:09},CUSTOMER {n}     PAYMENTS   CCD/\n"
    "88,COMPANY ID: 9{n:09} TRACE: 0910000{n:08} EFFECTIVE 240307\n88,INVOICE INV-{n:08}\n",
    "16,195,{n}25,V,240307,,B{n:09},RP{n:014}/\n88,FR:FP SIP INCOMING\n88,ENDT:20240307\n88,TRID:RP{n:014}\n"
    "88,PY:INVOICE INV-{n:08}                 A{n:06}BC 22/03/66\n88,BI:22222222\n"
    "88,OB:111111 PALACE BRANCH OB3:BANK PLC\n88,BO:11111111 BO1:CUSTOMER {n}\n",
)


def make_mt940(path: Path, size: int) -> None:
    """A statement of one account that ties."""
    count = min(size, LARGEST) // len(_MT940_ENTRY.format(n=10_000).encode())
    total = count * (count + 1) // 2 * 100 + 25 * count
    with path.open("w", encoding="ascii") as file:
        file.write(":20:BENCH\n:25:BE68539007547034\n:28C:1/1\n:60F:C240306EUR0,00\n")
        file.writelines(_MT940_ENTRY.format(n=number) for number in range(1, count + 1))
        file.write(f":62F:C240307EUR{total // 100},{total % 100:02}\n-\n")


def make_bai2(path: Path, size: int) -> None:
    """A report of one account whose sums and counts are right."""
    whole = "".join(_BAI2_ENTRIES)
    count = min(size, LARGEST) // len(whole.format(n=10_000)) * len(_BAI2_ENTRIES)
    records = total = 0
    with path.open("w", encoding="ascii") as file:
        file.write("01,BANK,ME,240308,0800,1,80,,2/\n02,ME,BANK,1,240307,2400,USD,2/\n03,123,USD,/\n")
        for number in range(1, count + 1):
            entry = _BAI2_ENTRIES[number % len(_BAI2_ENTRIES)]
            records += entry.count("\n")
            total += number * 100 + 25
            file.write(entry.format(n=number))
        file.write(f"49,{total},{records + 2}/\n98,{total},1,{records + 4}/\n99,{total},1,{records + 6}/\n")


def read_mt940(path: Path) -> int:
    """All of it, controls included."""
    return _read("mt940", path)


def read_bai2(path: Path) -> int:
    """All of it, controls included."""
    return _read("bai2", path)


def _read(form: str, path: Path) -> int:
    from o2c.sources.bank.recognise import reader_of

    found = reader_of(form)(path.read_bytes(), path.name)  # ty: ignore[invalid-argument-type]
    if found.exceptions:
        raise SystemExit(f"the file does not tie: {found.exceptions[0]}")
    return found.entry_count


def bare_mt940(path: Path) -> int:
    """The library mt-940 with its corrections switched on; it checks nothing."""
    import mt940

    return len(mt940.parse(path.read_text("ascii"), options=mt940.Options.all()))


def bare_bai2(path: Path) -> int:
    """Every line split at its commas, nothing made of it."""
    return sum(1 for line in path.read_text("ascii").split("\n") if line.split(",")[0][:2] == "16")
