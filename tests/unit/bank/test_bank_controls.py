"""Controls within a file, and what a bank's profile does to them."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from camt_files import Camt, detail, entry

from o2c.sources.bank import camt
from o2c.sources.bank.controls import CODES, Issues, check_remittance, check_statement
from o2c.sources.bank.model import Entry, Issue, Remittance, RemittanceLine, StatedTotals
from o2c.sources.bank.profiles import STANDARD, BadProfile, BankProfile, choose, load_profiles

STATEMENT = camt.read(Camt(entries=entry() + entry("4", "DBIT"), balances="").xml(), "s").statements[0]


def _codes(stated: StatedTotals) -> list[str]:
    return [f"{one.code} {one.message}" for one in check_statement(replace(STATEMENT, stated=stated))]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            StatedTotals(entry_count=2),
            StatedTotals(entry_count=3),
            "count_differs entries: stated 3, found 2",
        ),
        (
            StatedTotals(credit_count=1),
            StatedTotals(credit_count=0),
            "count_differs credits: stated 0, found 1",
        ),
        (StatedTotals(debit_count=1), StatedTotals(debit_count=2), "count_differs debits: stated 2, found 1"),
        (
            StatedTotals(gross_amount=Decimal(14)),
            StatedTotals(gross_amount=Decimal(6)),
            "total_differs gross amount: stated 6, found 14.00",
        ),
        (
            StatedTotals(net_amount=Decimal(6)),
            StatedTotals(net_amount=Decimal(-6)),
            "total_differs net amount: stated -6, found 6.00",
        ),
        (
            StatedTotals(credit_amount=Decimal(10)),
            StatedTotals(credit_amount=Decimal("10.01")),
            "total_differs credit amount: stated 10.01, found 10.00",
        ),
        (
            StatedTotals(debit_amount=Decimal(4)),
            StatedTotals(debit_amount=Decimal(-4)),
            "total_differs debit amount: stated -4, found 4",
        ),
    ],
)
def test_each_stated_total_is_held_against_the_entries(
    right: StatedTotals, wrong: StatedTotals, message: str
) -> None:
    assert _codes(right) == []
    assert _codes(wrong) == [message]


def _remittance(*paid: str | None, total: str | None = "10") -> Remittance:
    lines = tuple(
        RemittanceLine(number, f"line {number}", f"INV-{number}", None if one is None else Decimal(one))
        for number, one in enumerate(paid, start=1)
    )
    return Remittance(1, "line 1", "test", "R", "EUR", Decimal(total) if total else None, lines=lines)


def test_a_remittance_adds_up_to_its_payment_or_says_by_how_much_not() -> None:
    assert check_remittance(_remittance("7", "4", "-1")) == []
    found = check_remittance(_remittance("7", "4"))
    assert [(one.code, one.remittance_ordinal) for one in found] == [("remittance_does_not_sum", 1)]
    assert "difference -1" in found[0].message


def test_a_remittance_without_amounts_or_total_is_not_judged() -> None:
    for one in (_remittance(), _remittance("7", None), _remittance("7", total=None)):
        assert check_remittance(one) == []


def test_what_a_bank_is_known_to_get_wrong_is_a_warning() -> None:
    batch = "<Btch><NbOfTxs>3</NbOfTxs></Btch>" + detail("8") + detail("2")
    file = Camt(entries=entry(details=batch))
    lenient = BankProfile(name="lenient", warnings_only=("count_differs",))
    assert [one.severity for one in camt.read(file.xml(), "x").exceptions] == ["exception"]
    assert [one.severity for one in camt.read(file.xml(), "x", lenient).exceptions] == ["warning"]


def test_a_reader_cannot_invent_a_code() -> None:
    issues = Issues()
    with pytest.raises(KeyError, match="odd_code"):
        issues.add(Issue("line 1", "odd_code", "what is it"))
    for code in CODES:
        issues.add(Issue("line 1", code, "known"))
    assert len(issues.found) == len(CODES)


def test_profiles_say_methods_entities_and_currency() -> None:
    profile = BankProfile(methods={"PMNT/RCDT/ESCT": "wire"}, currency_code="CHF")
    code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    xml = Camt(entries=entry(more=code), balances="").xml().replace(b"<Ccy>EUR</Ccy>", b"")
    statement = camt.read(xml, "x", profile).statements[0]
    assert (statement.currency_code, statement.entries[0].method) == ("CHF", "wire")


def test_the_profiles_we_ship_load_and_are_found_by_what_stands_in_a_file() -> None:
    profiles = load_profiles()
    assert profiles
    assert choose(profiles, b"<BIC>INGBNL2A</BIC>").name == "ing_nl"
    assert choose(profiles, b"nothing of a bank") is STANDARD


def test_the_longer_sign_decides_between_profiles(tmp_path: Path) -> None:
    (tmp_path / "bank.yml").write_text("recognised_by: [DEUTDEFF]\n")
    (tmp_path / "ours.yml").write_text("recognised_by: [DE89370400440532013000]\nentities: {DE89: acme}\n")
    profiles = load_profiles(tmp_path)
    assert choose(profiles, b"DEUTDEFF DE89370400440532013000").entities == {"DE89": "acme"}


def test_all_faults_of_all_profiles_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("colour: red\n")
    (tmp_path / "b.yml").write_text("warnings_only: [no_such_code]\n")
    (tmp_path / "c.yml").write_text("methods: {X: pigeon}\n")
    with pytest.raises(BadProfile) as bad:
        load_profiles(tmp_path)
    for part in ("a.yml", "colour", "b.yml", "no_such_code", "c.yml", "pigeon"):
        assert part in str(bad.value)


def test_sums_of_a_statement_are_by_sign() -> None:
    assert (STATEMENT.credit_amount, STATEMENT.debit_amount) == (Decimal("10.00"), Decimal(4))
    assert replace(STATEMENT, entries=()).credit_amount == 0
    assert isinstance(STATEMENT.entries[0], Entry)
