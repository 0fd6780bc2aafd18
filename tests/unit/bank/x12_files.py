"""Small X12 files for tests: right by default, each part replaceable."""

from dataclasses import dataclass

DOCUMENTS = "RMR*IV*INV-1**100.00*100.00~RMR*IV*INV-2**50.00*50.00~"


def isa(separator: str = "*", component: str = ">", terminator: str = "~", usage: str = "P") -> str:
    """An ISA of the usual widths."""
    fields = ("ISA", "00", " " * 10, "00", " " * 10, "ZZ", "ACME".ljust(15), "ZZ", "US".ljust(15))
    fields += ("260907", "1813", "U", "00401", "000000104", "0", usage, component)
    return separator.join(fields) + terminator


@dataclass
class Advice:
    """An 820 over 150.00 for two invoices, in one set of one group of one interchange."""

    amount: str = "150.00"
    sign: str = "C"
    method: str = "ACH"
    version: str = "004010"
    head: str = "TRN*1*TR-1~N1*PR*Acme Inc*92*4711~N1*PE*Us~"
    body: str = "ENT*1~" + DOCUMENTS
    kind: str = "820"
    begin: str = ""
    count: str = ""
    control: str = "0001"

    def segments(self) -> str:
        """What stands between ST and SE."""
        bpr = self.begin or f"BPR*I*{self.amount}*{self.sign}*{self.method}************20260928~"
        return bpr + self.head + self.body

    def set(self) -> str:
        """ST to SE."""
        inside = self.segments()
        count = self.count or str(inside.count("~") + 2)
        return f"ST*{self.kind}*0001~{inside}SE*{count}*{self.control}~"

    def text(self) -> str:
        """The whole file."""
        return (
            f"{isa()}GS*RA*ACME*US*20260907*1813*104*X*{self.version}~{self.set()}GE*1*104~IEA*1*000000104~"
        )

    def data(self) -> bytes:
        """The whole file as bytes."""
        return self.text().encode()
