"""Bank CSV against the OFX or QIF that the authors of the same files expect, and against a person's reading."""

import hashlib
import re
from datetime import date, datetime

from bank_outcomes import DATA, Outcome, exceptions_of

from o2c.sources.bank import ofx, table
from o2c.sources.bank.model import BankFile, Entry

FORMAT = "bank_csv"
ROOT = "bank_csv/csv2ofx"

# What it is compared with, and how days are written there.
CONVERTED = {
    f"{ROOT}/test/default.csv": (("default.ofx", ""), ("default.qif", "%m/%d/%Y")),
    f"{ROOT}/test/stripe-default.csv": (("stripe-default.ofx", ""), ("stripe-default.qif", "%m/%d/%Y")),
    f"{ROOT}/test/ubs-ch-fr_trimmed.csv": (("ubs-ch-fr.qif", "%Y-%m-%d"),),
}
# Account, currency, opening, closing, entries as day, amount, other party.
READ = {
    f"{ROOT}/test/capitalone.csv": [
        (
            "1234",
            "USD",
            None,
            None,
            [
                ("2016-01-02", "-1000.00", "Airplanes R Us"),
                ("2016-01-02", "1000.00", "CAPITAL ONE AUTOPAY PYMT"),
            ],
        )
    ],
    f"{ROOT}/test/n26-fr.csv": [
        (
            "Coffre fort",
            "EUR",
            None,
            None,
            [("2020-03-07", "328.00", "Compte courant"), ("2020-03-07", "-328.00", "Compte courant")],
        )
    ],
    "bank_csv/oca/debit_credit.csv": [
        (
            None,
            "USD",
            "10.00",
            "1510.00",
            [("2018-12-15", "-33.50", "John Doe"), ("2018-12-15", "1533.50", "Azure Interior")],
        )
    ],
    "bank_csv/oca/multi_currency.csv": [
        (None, "USD", None, None, [("2018-12-15", "-33.50", "John Doe")]),
        (None, "EUR", None, None, [("2018-12-15", "1525.00", "Azure Interior")]),
    ],
}
READ |= {
    f"bank_csv/oca/sample_statement_en.{ending}": [
        (
            None,
            "USD",
            None,
            None,
            [("2018-12-15", "-33.50", "John Doe"), ("2018-12-15", "1525.00", "Azure Interior")],
        )
    ]
    for ending in ("csv", "xlsx")
}
# Read by samples, which do not know whose account it is.
SAMPLES = {
    "default.csv",
    "debit_credit.csv",
    "multi_currency.csv",
    "sample_statement_en.csv",
    "sample_statement_en.xlsx",
}
FILES = sorted([*CONVERTED, *READ])
# bank_csv/csv2ofx/test/xero.csv is no bank file: a journal of a ledger, both sides of each posting, on old Mac lines.


def check(file: str) -> Outcome:
    """Read the table and compare it."""
    outcome = Outcome()
    found = table.read((DATA / file).read_bytes(), file)
    outcome.exceptions = exceptions_of(found)
    is_sample = file.rpartition("/")[2] in SAMPLES
    outcome.compare("exceptions", outcome.exceptions, ["file: sample_profile"] if is_sample else [])
    for name, form in CONVERTED.get(file, ()):
        path = DATA / ROOT / "converted" / name
        (_compare_qif if form else _compare_ofx)(outcome, found, path.read_bytes(), form)
    if file in READ:
        read = [
            (
                one.account,
                one.currency_code,
                str(one.opening.amount) if one.opening else None,
                str(one.closing.amount) if one.closing else None,
                [(str(entry.booking_date), str(entry.amount), _party(entry)) for entry in one.entries],
            )
            for one in found.statements
        ]
        outcome.compare("statements", read, READ[file])
    return outcome


def _party(entry: Entry) -> str | None:
    (detail,) = entry.details
    return detail.payer_name or detail.payee_name


def _compare_ofx(outcome: Outcome, found: BankFile, content: bytes, form: str) -> None:
    """Accounts are written there as the md5 of their name."""
    expected = ofx.read(content, "expected.ofx")
    accounts = {hashlib.md5((one.account or "").encode()).hexdigest(): one for one in found.statements}  # noqa: S324
    if len(found.statements) == 1:
        accounts = {expected.statements[0].account or "": found.statements[0]}
    for says in expected.statements:
        one = accounts[says.account or ""]
        outcome.compare("currency", one.currency_code, says.currency_code)
        read = [
            (entry.booking_date, entry.amount, entry.bank_reference, _party(entry), _text(entry))
            for entry in one.entries
        ]
        stated = [
            (entry.booking_date, entry.amount, entry.bank_reference, _party(entry), _text(entry))
            for entry in says.entries
        ]
        outcome.compare("entries", read, stated)
        numbers = [entry.details[0].check_number for entry in says.entries]
        if any(numbers):
            outcome.compare("numbers", [entry.customer_reference for entry in one.entries], numbers)
    outcome.compare("statements", len(found.statements), len(expected.statements))


def _text(entry: Entry) -> str | None:
    return entry.details[0].text


def _compare_qif(outcome: Outcome, found: BankFile, content: bytes, form: str) -> None:
    """QIF has no currency; records of one account may come in another order of accounts."""
    stated: dict[str, list[tuple[date, str]]] = {}
    account = ""
    for record in re.split(r"^\^\n", content.decode(), flags=re.MULTILINE):
        lines = record.splitlines()
        fields = {line[0]: line[1:] for line in lines if line and not line.startswith("!")}
        if lines and lines[0] == "!Account":
            account = fields["N"]
        elif "T" in fields:
            day = datetime.strptime(fields["D"], form).date()  # noqa: DTZ007 - a day
            stated.setdefault(account, []).append((day, fields["T"]))
    read = {
        (one.account or ""): [(entry.booking_date, str(entry.amount)) for entry in one.entries]
        for one in found.statements
    }
    outcome.compare("qif", sorted(read.values()), sorted(stated.values()))
