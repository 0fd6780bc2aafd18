"""A ledger of customers who owe one invoice each, homes whose letters people approve, and changes after that."""

import csv
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select

from flows.nightly import NightlyRun, play
from o2c.home import Home, SourceEntry, init_home, open_home
from o2c.ledger import Ledger
from o2c.ledger.approving import decide, waiting
from o2c.ledger.tables import letters
from o2c.policy import load_policies
from o2c.run import Run
from o2c.settings import PROJECT

MORNING = date(2026, 9, 16)  # a Wednesday
APPROVERS = (
    "  approvers:\n"
    "    - {person: anna, roles: [finance_director]}\n"
    "    - {person: bert, roles: [finance_director]}\n"
)


def quiet(_line: str) -> None:
    """Steps are not printed in tests."""


def policies_with_approvers(folder: Path) -> Path:
    """The project's policies, with two people who may approve everything."""
    folder.mkdir(parents=True)
    for path in (PROJECT / "policies").glob("*.yml"):
        text = path.read_text()
        if path.name == "controls.yml":
            head, _, _ = text.partition("  approvers:")
            text = head + APPROVERS
        (folder / path.name).write_text(text)
    return folder


class Books:
    """The contract's files of a small ledger, to be changed between two looks."""

    def __init__(
        self, folder: Path, customers: Iterable[str] = (), amounts: Mapping[str, str] | None = None
    ) -> None:
        """Write the ledger; without customers, open the one that is there.

        Args:
            amounts: what customers owe, by customer; by default 100.00.
        """
        self.folder = folder
        if not customers:
            return
        folder.mkdir(parents=True)
        customers = list(customers)
        self.write(
            "entities",
            [
                {
                    "entity_id": "US1",
                    "entity_name": "Ours Inc",
                    "country_code": "US",
                    "currency_code": "USD",
                    "time_zone": "America/New_York",
                    "remit_to": "Ours Bank\nAccount 123",
                }
            ],
        )
        self.write(
            "customers",
            [
                {
                    "customer_id": name,
                    "customer_name": f"{name.title()} Company",
                    "country_code": "US",
                    "customer_type": "business",
                    "status": "active",
                }
                for name in customers
            ],
        )
        self.write(
            "contacts",
            [
                {
                    "contact_id": f"P-{name}",
                    "customer_id": name,
                    "role": "billing",
                    "name": "Accounts Payable",
                    "email": f"ap@{name.lower()}.example",
                }
                for name in customers
            ],
        )
        old = self.invoice(customers[-1], invoice_id="INV-0", invoice_number="N-0", due_date="2026-09-01")
        owed = amounts or {}
        new = [self.invoice(name, owed.get(name, "100.00")) for name in customers]
        self.write("invoices", [old, *new])
        self.pay(customers[-1], "100.00", payment_id="PAY-0", value_date="2026-09-01", reference_text="N-0")

    @staticmethod
    def invoice(customer_id: str, amount: str = "100.00", /, **given: str) -> dict[str, str]:
        return {
            "invoice_id": f"INV-{customer_id}",
            "entity_id": "US1",
            "invoice_number": f"N-{customer_id}",
            "document_type": "invoice",
            "customer_id": customer_id,
            "invoice_date": "2026-08-10",
            "due_date": "2026-09-12",
            "currency_code": "USD",
            "invoice_amount": amount,
        } | given

    def write(self, table: str, rows: list[dict[str, str]]) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        with (self.folder / f"{table}.csv").open("w", newline="") as handle:
            writer = csv.DictWriter(handle, names)
            writer.writeheader()
            writer.writerows(rows)

    def read(self, table: str) -> list[dict[str, str]]:
        with (self.folder / f"{table}.csv").open(newline="") as handle:
            return list(csv.DictReader(handle))

    def add(self, table: str, *rows: dict[str, str]) -> None:
        there = self.read(table) if (self.folder / f"{table}.csv").exists() else []
        self.write(table, [*there, *rows])

    def change(self, table: str, key: str, value: str, **changes: str) -> None:
        rows = [row | changes if row[key] == value else row for row in self.read(table)]
        self.write(table, rows)

    def pay(self, customer_id: str, amount: str, /, **given: str) -> None:
        self.add(
            "payments",
            {
                "payment_id": f"PAY-{customer_id}",
                "entity_id": "US1",
                "customer_id": customer_id,
                "payer_name": f"{customer_id.title()} Company",
                "value_date": MORNING.isoformat(),
                "currency_code": "USD",
                "payment_amount": amount,
                "reference_text": f"N-{customer_id}",
            }
            | given,
        )


def copy_of(home: Path, books: Path, folder: Path) -> tuple[Path, Books]:
    """The home and its ledger in another place, that a test may change."""
    shutil.copytree(home, folder / "home", symlinks=True)
    shutil.copytree(books, folder / books.name)
    open_home(folder / "home").remember_sources((SourceEntry(path=folder / books.name),))
    return folder / "home", Books(folder / books.name)


def new_home(root: Path, *, auto_approve: bool = False) -> Home:
    return init_home(root, simulated=True, auto_approve=auto_approve)


def run(home: Path, books: Path | None = None, as_of: date = MORNING, *, send: bool = True) -> Run:
    sources = (SourceEntry(path=books),) if books else ()
    return play(NightlyRun(home=home, sources=sources, as_of_date=as_of, send=send), quiet)


def ledger_of(home: Path) -> Ledger:
    return Ledger(open_home(home).ledger_url)


def approve(home: Path, policies: Path, now: datetime, people: Iterable[str] = ("anna",)) -> None:
    """These people say yes to every list of letters that waits."""
    ledger = ledger_of(home)
    rules = load_policies(policies).controls.approvals
    for person in people:
        for request in waiting(ledger.engine, now):
            if request.kind == "letters":
                decide(
                    ledger.engine,
                    request.request_id,
                    content_hash=request.content_hash,
                    approver=person,
                    role="finance_director",
                    verdict="approve",
                    policy=rules,
                    now=now,
                )


def states(home: Path) -> dict[str, tuple[str, str | None]]:
    """State and reason by customer; each has one letter."""
    with ledger_of(home).engine.connect() as con:
        rows = con.execute(select(letters.c.customer_id, letters.c.state, letters.c.state_reason)).all()
    assert len({row.customer_id for row in rows}) == len(rows)
    return {row.customer_id: (row.state, row.state_reason) for row in rows}


def left(home: Path) -> set[str]:
    """Customers whose letters lie in the outbox."""
    ids = [path.stem for path in home.glob("outbox/*/*.eml")]
    with ledger_of(home).engine.connect() as con:
        return set(con.execute(select(letters.c.customer_id).where(letters.c.letter_id.in_(ids))).scalars())
