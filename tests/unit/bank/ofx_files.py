"""Small OFX files: an SGML body with left-out end tags, or the same in XML."""

from dataclasses import dataclass

HEAD = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
    "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
)
XML_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE"'
    ' OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
STATUS = "<STATUS><CODE>0<SEVERITY>INFO</STATUS>"


def transaction(
    amount: str = "100.00",
    day: str = "20240307",
    kind: str = "CREDIT",
    number: str = "F1",
    more: str = "<NAME>ACME<MEMO>INV 7\n",
) -> str:
    """One STMTTRN; an empty text leaves its tag out."""
    tags = (("TRNTYPE", kind), ("DTPOSTED", day), ("TRNAMT", amount), ("FITID", number))
    return "<STMTTRN>\n" + "".join(f"<{tag}>{text}\n" for tag, text in tags if text) + more + "</STMTTRN>\n"


@dataclass(frozen=True)
class Ofx:
    """A file of one bank statement, with what is to differ in it."""

    head: str = HEAD
    status: str = STATUS
    currency: str = "<CURDEF>EUR\n"
    account: str = "<BANKACCTFROM><BANKID>50010517<ACCTID>0123456<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
    period: str = "<DTSTART>20240301<DTEND>20240331\n"
    transactions: str = transaction()
    balances: str = (
        "<LEDGERBAL><BALAMT>1100.00<DTASOF>20240401</LEDGERBAL>\n"
        "<AVAILBAL><BALAMT>900.00<DTASOF>20240401</AVAILBAL>\n"
    )
    after: str = ""

    def statement(self) -> str:
        return (
            f"<STMTTRNRS><TRNUID>1{self.status}<STMTRS>{self.currency}{self.account}"
            f"<BANKTRANLIST>{self.period}{self.transactions}</BANKTRANLIST>\n{self.balances}</STMTRS></STMTTRNRS>\n"
        )

    def text(self) -> str:
        return (
            f"{self.head}<OFX>\n<SIGNONMSGSRSV1><SONRS>{STATUS}<DTSERVER>20240401<LANGUAGE>ENG</SONRS>"
            f"</SIGNONMSGSRSV1>\n<BANKMSGSRSV1>{self.statement()}</BANKMSGSRSV1>{self.after}</OFX>\n"
        )

    def bytes(self, encoding: str = "cp1252") -> bytes:
        return self.text().encode(encoding)
