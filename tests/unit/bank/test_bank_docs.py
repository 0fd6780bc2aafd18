"""The profiles that docs/bank-files.md shows read the tables that they speak of."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from table_files import csv

from o2c.sources.bank import table
from o2c.sources.bank.profiles import BankProfile, load_profile

TEXT = (Path(__file__).parents[3] / "docs" / "bank-files.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def shown(tmp_path: Path) -> list[BankProfile]:
    found = []
    for number, text in enumerate(EXAMPLES):
        path = tmp_path / f"example_{number}.yml"
        path.write_text(text, "utf-8")
        found.append(load_profile(path))
    return found


def test_the_bank_s_table_is_read_by_its_example(shown: list[BankProfile]) -> None:
    (bank,) = [one for one in shown if one.table and one.table.kind == "statement"]
    content = csv(
        *("Konto 1", "", "Umsätze", ""),
        "Buchung;Wertstellung;Vorgang;Name;IBAN;Verwendungszweck;Betrag;Saldo",
        "08.03.2024;08.03.2024;Lastschrift;Strom;;Abschlag;-30,00;1.080,00",
        "07.03.2024;07.03.2024;SEPA-Gutschrift;Müller;DE89370400440532013000;RE 7;1.000,00;1.110,00",
        "Umsätze: 2",
        encoding="cp1252",
    )
    found = table.read(content, "x", bank)
    (statement,) = found.statements
    assert found.exceptions == ()
    assert (statement.account, statement.opening and statement.opening.amount) == (
        "DE89370400440532013000",
        Decimal("110.00"),
    )
    assert [(one.amount, one.method, one.details[0].payer_name) for one in statement.entries] == [
        (Decimal("-30.00"), None, None),
        (Decimal("1000.00"), "ach", "Müller"),
    ]


def test_the_payer_s_table_is_read_by_its_example(shown: list[BankProfile]) -> None:
    (payer,) = [one for one in shown if one.table and one.table.kind == "remittance"]
    content = csv(
        "Check No,Check Date,Invoice,Gross,Disc,Deduction,Reason,Net",
        '0042,03/07/2024,R-1,"$1,000.00",-$20.00,$80.00,damaged,$900.00',
        "0042,03/07/2024,R-2,$50.00,,,,$50.00",
        "Total,,,,,,,$950.00",
    )
    found = table.read(content, "x", payer)
    (remittance,) = found.remittances
    assert found.exceptions == ()
    assert (remittance.reference, remittance.total_amount, remittance.lines[0].discount_amount) == (
        "0042",
        Decimal("950.00"),
        Decimal("20.00"),
    )


def test_every_profile_that_comes_with_us_is_named(shown: list[BankProfile]) -> None:
    assert len(shown) == len(EXAMPLES) >= 3
    names = {path.stem for path in (Path(table.__file__).parent / "bank_profiles").glob("*.yml")}
    tables = {
        name
        for name in names
        if load_profile(Path(table.__file__).parent / f"bank_profiles/{name}.yml").table
    }
    assert {name for name in tables if f"`{name}`" not in TEXT} == set()
