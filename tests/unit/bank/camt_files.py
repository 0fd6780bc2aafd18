"""Small camt files for tests: right by default, each part replaceable."""

from dataclasses import dataclass

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


def entry(
    amount: str = "10.00",
    sign: str = "CRDT",
    *,
    details: str = "",
    currency: str = "EUR",
    status: str = "<Sts>BOOK</Sts>",
    more: str = "",
) -> str:
    """One Ntry, booked on 7 March."""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}{status}'
        f"<BookgDt><Dt>2024-03-07</Dt></BookgDt>{f'<NtryDtls>{details}</NtryDtls>' if details else ''}</Ntry>"
    )


def detail(amount: str = "10.00", sign: str | None = "CRDT", *, more: str = "") -> str:
    """One TxDtls; without a sign as version 02 has it."""
    indicator = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    return f'<TxDtls><Amt Ccy="EUR">{amount}</Amt>{indicator}{more}</TxDtls>'


def balance(code: str, amount: str, sign: str | None = "CRDT", day: str = "2024-03-07") -> str:
    """One Bal in EUR."""
    indicator = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>{indicator}'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


@dataclass
class Camt:
    """A message with one statement of 100.00 + 10.00 = 110.00, unless told otherwise."""

    message: str = "camt.053.001.08"
    root: str = "BkToCstmrStmt"
    element: str = "Stmt"
    head: str = '<?xml version="1.0" encoding="UTF-8"?>'
    account: str = "<IBAN>DE89370400440532013000</IBAN>"
    balances: str = balance("OPBD", "100.00") + balance("CLBD", "110.00")
    summary: str = ""
    entries: str = entry()
    statement_head: str = "<ElctrncSeqNb>7</ElctrncSeqNb>"

    def statement(self) -> str:
        """The one statement as XML."""
        return (
            f"<{self.element}><Id>S1</Id>{self.statement_head}<Acct><Id>{self.account}</Id><Ccy>EUR</Ccy></Acct>"
            f"{self.balances}{self.summary}{self.entries}</{self.element}>"
        )

    def xml(self) -> bytes:
        """The file."""
        return (
            f'{self.head}<Document xmlns="{NAMESPACE}{self.message}"><{self.root}>'
            f"<GrpHdr><MsgId>M1</MsgId></GrpHdr>{self.statement()}</{self.root}></Document>"
        ).encode()
