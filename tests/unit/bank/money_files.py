"""One account's movements in every form a bank sends them, for tests that count each cent once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from o2c.landing import Delivery
from o2c.sources.bank.contribution import Contribution, contribute
from o2c.sources.bank.landing import BankReport, land_bank_files, landed_before
from o2c.sources.bank.profiles import BankProfile

IBAN = "DE89370400440532013000"
DOMESTIC = "37040044/0532013000"
NOW = datetime(2024, 4, 1, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Movement:
    """One booking: cents, credit positive; what the bank and the payer call it."""

    day: date
    cents: int
    reference: str
    parts: tuple[int, ...] = ()
    returns: str | None = None

    @property
    def amount(self) -> str:
        return f"{abs(self.cents) // 100}.{abs(self.cents) % 100:02}"


@dataclass(frozen=True)
class Account:
    """Movements of an account that opened with ``opening`` cents on ``first``; days follow one another."""

    first: date
    last: date
    opening: int
    movements: tuple[Movement, ...]
    number: int = 1

    @property
    def closing(self) -> int:
        return self.opening + sum(one.cents for one in self.movements)

    def part(self, first: date, last: date) -> "Account":
        """What a statement of these days says."""
        before = sum(one.cents for one in self.movements if one.day < first)
        own = tuple(one for one in self.movements if first <= one.day <= last)
        return Account(first, last, self.opening + before, own, self.number + (first - self.first).days)

    @property
    def truth(self) -> list[Decimal]:
        """Amounts of the payments, each once."""
        cents = [part for one in self.movements if one.cents > 0 for part in one.parts or (one.cents,)]
        return sorted(Decimal(one) / 100 for one in cents)


_MESSAGES = {
    "camt.053.001.08": ("BkToCstmrStmt", "Stmt"),
    "camt.052.001.08": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.054.001.08": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def camt(account: Account, message: str = "camt.053.001.08", *, with_parts: bool = True) -> bytes:
    root, element = _MESSAGES[message]
    balances = _camt_balance("OPBD", account.opening, account.first) + _camt_balance(
        "CLBD", account.closing, account.last
    )
    number = f"<ElctrncSeqNb>{account.number}</ElctrncSeqNb>" if element == "Stmt" else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}"><{root}>'
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr><{element}><Id>{element}{account.first}{account.last}</Id>{number}"
        f"<FrToDt><FrDtTm>{account.first}T00:00:00</FrDtTm><ToDtTm>{account.last}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances if element == 'Stmt' else ''}\n"
        + "\n".join(_camt_entry(one, with_parts) for one in account.movements)
        + f"</{element}></{root}></Document>\n"
    ).encode()


def _camt_balance(code: str, cents: int, day: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{abs(cents) / 100:.2f}</Amt>'
        f"<CdtDbtInd>{'CRDT' if cents >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _camt_entry(one: Movement, with_parts: bool) -> str:
    sign = "CRDT" if one.cents >= 0 else "DBIT"
    parts = one.parts if with_parts else ()
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>{one.reference}P{place}</EndToEndId></Refs><Amt Ccy="EUR">{part / 100:.2f}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd></TxDtls>"
        for place, part in enumerate(parts)
    )
    if not parts and not one.parts:
        reason = "<RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf>" if one.returns else ""
        details = (
            f"<TxDtls><Refs><EndToEndId>{one.returns or one.reference}</EndToEndId></Refs>{reason}</TxDtls>"
        )
    return (
        f'<Ntry><Amt Ccy="EUR">{one.amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{one.day}</Dt></BookgDt><ValDt><Dt>{one.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{one.reference}</AcctSvcrRef>"
        f"{f'<NtryDtls>{details}</NtryDtls>' if details else ''}</Ntry>"
    )


def mt940(account: Account) -> bytes:
    lines = [
        f":20:ST{account.number}",
        f":25:{DOMESTIC}",
        f":28C:{account.number}",
        _mt940_balance("60F", account.opening, account.first),
    ]
    for one in account.movements:
        mark = "C" if one.cents >= 0 else "D"
        amount = one.amount.replace(".", ",")
        lines.append(f":61:{one.day:%y%m%d}{one.day:%m%d}{mark}{amount}NTRFNONREF//{one.reference[:16]}")
        lines.append(f":86:?20{one.reference}")
    lines += [_mt940_balance("62F", account.closing, account.last), "-"]
    return ("\r\n".join(lines) + "\r\n").encode()


def _mt940_balance(tag: str, cents: int, day: date) -> str:
    amount = f"{abs(cents) / 100:.2f}".replace(".", ",")
    return f":{tag}:{'C' if cents >= 0 else 'D'}{day:%y%m%d}EUR{amount}"


class Memory:
    """Deliveries in memory; the ledger keeps them in a home."""

    def __init__(self) -> None:
        self.seen: list[Delivery] = []

    def history(self, source: str) -> list[Delivery]:
        return [one for one in self.seen if one.source == source]

    def record(self, delivery: Delivery) -> None:
        self.seen.append(delivery)


class Desk:
    """A landing of its own, and what comes of it."""

    def __init__(self, folder: Path, profiles: dict[str, BankProfile] | None = None) -> None:
        self.folder, self.profiles, self.memory = folder, profiles or {}, Memory()
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, files: Iterable[tuple[str, bytes]]) -> BankReport:
        paths = []
        for name, content in files:
            path = self.folder / "in" / str(len(list(self.folder.glob("in/*")))) / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            paths.append(path)
        return land_bank_files(paths, self.folder / "landing", self.memory, self.profiles, NOW)

    def result(
        self, entities: Sequence[str] = ("E1",), due: date = date(2024, 3, 1), as_of: date = date(2024, 3, 31)
    ) -> Contribution:
        return contribute(
            landed_before(self.folder / "landing", self.memory),
            self.profiles,
            list(entities),
            dict.fromkeys(entities, due),
            as_of,
            self.folder / "tables",
        )


def table(found: Contribution, name: str = "payments") -> pl.DataFrame:
    """A table of the contribution without what says where it came from."""
    frame = pl.concat([pl.read_parquet(path) for path in found.tables[name]])
    return frame.drop("_source", "_file_id", "_line", "_loaded_at")


def amounts(found: Contribution) -> list[Decimal]:
    return sorted(table(found)["payment_amount"].to_list())


def at_other_order(account: Account) -> Account:
    """The same statement with its rows the other way round."""
    return replace(account, movements=tuple(reversed(account.movements)))
