"""How fast bank files are read, beside a bare parser of the same bytes, and in how much memory.

    python bench/bank.py [FORMAT]... [--megabytes 100]

One process per reading, so that memory is its own. A format joins with a function that writes a file of about that
size (``MAKERS``), one that reads it and returns the number of entries, and a bare pass over the same bytes.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import bank_edi
import bank_records

_CAMT_ENTRY = """      <Ntry>
        <NtryRef>{n}</NtryRef>
        <Amt Ccy="EUR">{n}.25</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts>BOOK</Sts>
        <BookgDt>
          <Dt>2024-03-07</Dt>
        </BookgDt>
        <ValDt>
          <Dt>2024-03-07</Dt>
        </ValDt>
        <AcctSvcrRef>BANK{n:012}</AcctSvcrRef>
        <BkTxCd>
          <Domn>
            <Cd>PMNT</Cd>
            <Fmly>
              <Cd>RCDT</Cd>
              <SubFmlyCd>ESCT</SubFmlyCd>
            </Fmly>
          </Domn>
        </BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs>
              <InstrId>INSTR{n:012}</InstrId>
              <EndToEndId>E2E{n:012}</EndToEndId>
              <TxId>TX{n:012}</TxId>
            </Refs>
            <AmtDtls>
              <TxAmt>
                <Amt Ccy="EUR">{n}.25</Amt>
              </TxAmt>
            </AmtDtls>
            <RltdPties>
              <Dbtr>
                <Nm>Customer {n} GmbH</Nm>
              </Dbtr>
              <DbtrAcct>
                <Id>
                  <IBAN>DE89370400440532013000</IBAN>
                </Id>
              </DbtrAcct>
              <Cdtr>
                <Nm>Acme Tools SE</Nm>
              </Cdtr>
              <CdtrAcct>
                <Id>
                  <IBAN>BE68539007547034</IBAN>
                </Id>
              </CdtrAcct>
            </RltdPties>
            <RltdAgts>
              <DbtrAgt>
                <FinInstnId>
                  <BIC>COBADEFF370</BIC>
                </FinInstnId>
              </DbtrAgt>
            </RltdAgts>
            <RmtInf>
              <Ustrd>Payment for invoice INV-{n:08}</Ustrd>
            </RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
"""


def make_camt(path: Path, size: int) -> None:
    """A camt.053.001.02 of one account whose balances tie."""
    count = size // len(_CAMT_ENTRY.format(n=10_000))
    total = count * (count + 1) // 2 * 100 + 25 * count
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-03-07</Dt></Dt></Bal>"
        for code, amount in (("OPBD", "0.00"), ("CLBD", f"{total // 100}.{total % 100:02}"))
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id>"
            f"<Acct><Id><IBAN>BE68539007547034</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}\n"
        )
        file.writelines(_CAMT_ENTRY.format(n=number) for number in range(1, count + 1))
        file.write("</Stmt></BkToCstmrStmt></Document>\n")


def read_camt(path: Path) -> int:
    """All of it, in parts, controls included."""
    from o2c.sources.bank import camt

    count = 0
    with path.open("rb") as stream:
        for part in camt.read_parts(stream, path.name):
            count += len(part.statement.entries)
            if part.exceptions:
                raise SystemExit(f"the file does not tie: {part.exceptions[0]}")
    return count


def bare_camt(path: Path) -> int:
    """lxml's own pass over the same elements, each tag and text looked at once."""
    from lxml import etree  # ty: ignore[missing-module-member]

    count = 0
    for _, entry in etree.iterparse(str(path), tag="{*}Ntry"):
        count += sum(1 for one in entry.iter() if one.tag and one.text) > 0
        entry.clear()
        while entry.getprevious() is not None:
            del entry.getparent()[0]
    return count


MAKERS: dict[str, Callable[[Path, int], None]] = {
    "camt": make_camt,
    "mt940": bank_records.make_mt940,
    "bai2": bank_records.make_bai2,
    "x12": bank_edi.make_x12,
    "ach": bank_edi.make_ach,
}
READERS: dict[str, Callable[[Path], int]] = {
    "camt": read_camt,
    "mt940": bank_records.read_mt940,
    "bai2": bank_records.read_bai2,
    "x12": bank_edi.read_x12,
    "ach": bank_edi.read_ach,
}
BARE: dict[str, Callable[[Path], int]] = {
    "camt": bare_camt,
    "mt940": bank_records.bare_mt940,
    "bai2": bank_records.bare_bai2,
    "x12": bank_edi.bare_x12,
    "ach": bank_edi.bare_ach,
}


def measure(work: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Processor seconds, entries and peak memory of one reading in this process."""
    started = time.process_time()
    count = work(path)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"entries": count, "seconds": seconds, "peak_mb": peak // 1024}


def _warm(work: Callable[[Path], int], form: str, path: Path) -> None:
    """Read a few entries, so that modules are loaded: a run loads them once, however many files it reads."""
    small = path.with_name(f"{path.name}.small")
    MAKERS[form](small, 20_000)
    work(small)
    small.unlink()


def _apart(kind: str, form: str, path: Path) -> dict[str, float]:
    run = [sys.executable, __file__, "--one", kind, form, str(path)]
    return json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print one line per format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=[])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--one", nargs=3, metavar=("KIND", "FORMAT", "PATH"), help="measure in this process")
    given = parser.parse_args()
    if given.one:
        kind, form, path = given.one
        work = (READERS if kind == "ours" else BARE)[form]
        _warm(work, form, Path(path))
        print(json.dumps(measure(work, Path(path))))
        return
    with TemporaryDirectory() as folder:
        for form in given.formats or sorted(MAKERS):
            path = Path(folder) / form
            MAKERS[form](path, given.megabytes << 20)
            size = path.stat().st_size / 1e6
            ours, bare = _apart("ours", form, path), _apart("bare", form, path)
            print(
                f"{form}: {size:.0f} MB, {ours['entries']:,.0f} entries, {size / ours['seconds']:.1f} MB/s,"
                f" {ours['entries'] / ours['seconds']:,.0f} entries/s, {ours['seconds'] / bare['seconds']:.2f} times"
                f" the bare parser ({size / bare['seconds']:.1f} MB/s), peak {ours['peak_mb']:.0f} MB"
            )
            path.unlink()


if __name__ == "__main__":
    main()
