"""Days of one bank account as camt.053, and the small ledger that its payments belong to."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

IBAN = "DE89370400440532013000"


@dataclass(frozen=True)
class Booking:
    """One entry. ``returns`` is the end-to-end id of what it takes back."""

    amount: str
    reference: str
    text: str = ""
    payer: str = "Somebody"
    sign: str = "CRDT"
    returns: str | None = None

    def xml(self, day: date) -> str:
        reason = "<RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf>" if self.returns else ""
        kind = "<RvslInd>true</RvslInd>" if self.returns else ""
        return (
            f'<Ntry><Amt Ccy="USD">{self.amount}</Amt><CdtDbtInd>{self.sign}</CdtDbtInd>{kind}<Sts><Cd>BOOK</Cd></Sts>'
            f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
            f"<AcctSvcrRef>B{self.reference}</AcctSvcrRef>"
            f"<NtryDtls><TxDtls><Refs><EndToEndId>{self.returns or self.reference}</EndToEndId></Refs>"
            f"<RltdPties><Dbtr><Pty><Nm>{self.payer}</Nm></Pty></Dbtr></RltdPties>"
            f"<RmtInf><Ustrd>{self.text}</Ustrd></RmtInf>{reason}</TxDtls></NtryDtls></Ntry>"
        )

    @property
    def signed(self) -> Decimal:
        return Decimal(self.amount) * (1 if self.sign == "CRDT" else -1)


@dataclass(frozen=True)
class BankDay:
    """One statement. ``closing`` is only given to make it wrong."""

    day: date
    number: int
    opening: str
    bookings: list[Booking] = field(default_factory=list)
    closing: str | None = None

    @property
    def closes_with(self) -> str:
        return self.closing or str(
            Decimal(self.opening) + sum((one.signed for one in self.bookings), Decimal(0))
        )

    def xml(self) -> str:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
            f"<GrpHdr><MsgId>M{self.number}</MsgId></GrpHdr><Stmt><Id>S{self.number}</Id>"
            f"<ElctrncSeqNb>{self.number}</ElctrncSeqNb><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>USD</Ccy></Acct>"
            f"{self._balance('OPBD', self.opening)}{self._balance('CLBD', self.closes_with)}"
            f"{''.join(one.xml(self.day) for one in self.bookings)}</Stmt></BkToCstmrStmt></Document>"
        )

    def _balance(self, code: str, amount: str) -> str:
        return (
            f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>'
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{self.day}</Dt></Dt></Bal>"
        )


def write_ledger(folder: Path) -> Path:
    """Two customers with an invoice each, 100.00 and 250.00, due in September 2026; no payments."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "entities.csv").write_text(
        "entity_id,entity_name,country_code,currency_code,time_zone\nUS1,Ours Inc,US,USD,America/New_York\n"
    )
    (folder / "customers.csv").write_text(
        "customer_id,customer_name,country_code,customer_type\n"
        "ACME,Acme Corp,US,business\nBOLT,Bolt Ltd,US,business\n"
    )
    (folder / "invoices.csv").write_text(
        "invoice_id,entity_id,invoice_number,document_type,customer_id,invoice_date,due_date,currency_code,"
        "invoice_amount\n"
        "INV-1001,US1,1001,invoice,ACME,2026-08-03,2026-09-02,USD,100.00\n"
        "INV-1002,US1,1002,invoice,BOLT,2026-08-04,2026-09-03,USD,250.00\n"
    )
    return folder


def declare_account(home: Path) -> None:
    """The account is the entity's: its statements must be complete."""
    folder = home / "bank_profiles"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ours.yml").write_text(f"recognised_by: [{IBAN}]\nentities: {{{IBAN}: US1}}\n")
