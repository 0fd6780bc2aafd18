"""What the authors of the real camt files say of single entries, and the chain of 59 banking days."""

import random
from decimal import Decimal

import pytest
from bank_outcomes import DATA

from o2c.sources.bank import camt
from o2c.sources.bank.chain import Link, check_chain, link

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared files are not on this machine")

ACCOUNT = "LT625883379695428516"


def test_the_first_entry_of_a_german_statement_has_all_its_references() -> None:
    statement = camt.read((DATA / "camt/viafintech/053/valid_example.xml").read_bytes(), "v").statements[0]
    entry = statement.entries[0]
    detail = entry.details[0]
    assert (entry.amount, entry.currency_code, str(entry.value_date)) == (Decimal(-2), "EUR", "2013-12-27")
    assert (entry.bank_reference, detail.end_to_end_id) == ("2013122710583450000", "EndToEndReference")
    assert (detail.payee_account or detail.payer_account) == "DE09300606010012345671"
    assert (detail.mandate_id, detail.text) == (
        "MandateReference",
        "TEST BERWEISUNG MITTELS BLZUND KONTONUMMER - DTA",
    )


def test_an_exchanged_amount_stands_beside_the_booked_one_and_does_not_replace_it() -> None:
    statement = camt.read((DATA / "camt/viafintech/053/valid_example_v8.xml").read_bytes(), "v").statements[0]
    first, second, third = statement.entries
    assert first.details[0].text == "INVOICE R77561"
    detail = second.details[0]
    assert (detail.amount, detail.payer_name or detail.payee_name) == (Decimal("88.85"), "Finanz AG")
    assert [one.normalised for one in detail.references] == ["RF38000000000000000000552"]
    assert detail.references[0].is_valid is True
    assert detail.end_to_end_id == "435A9287E088BDB1D97FAABD181C70C8"
    assert (abs(third.amount), third.currency_code) == (Decimal("20.97"), "EUR")
    assert (third.details[0].instructed_amount, third.details[0].instructed_currency_code) == (
        Decimal("19.69"),
        "CHF",
    )


def test_returns_in_a_swiss_notification_keep_their_own_sign_and_say_why() -> None:
    found = camt.read((DATA / "camt/viafintech/054/valid_example.xml").read_bytes(), "v").statements[0]
    reversals = [(one.amount, one.is_reversal, one.return_code) for one in found.entries if one.is_reversal]
    assert len(reversals) == 2
    assert {code for _, _, code in reversals} <= {"MD06", "MS03", "AC04", None}
    assert sum(one.amount for one in found.entries) == Decimal("59.03")


def test_payment_slips_carry_references_of_27_digits() -> None:
    found = camt.read((DATA / "camt/metasfresh_ch/camt054.xml").read_bytes(), "m").statements[0]
    references = [one for entry in found.entries for detail in entry.details for one in detail.references]
    assert [(one.kind, len(one.normalised)) for one in references] == [("qr_reference", 27)] * 10
    assert found.entries[0].details[0].amount is not None


def _days() -> list[Link]:
    folder = DATA / "camt/subite" / ACCOUNT / "CAMT_053"
    files = [camt.read(path.read_bytes(), path.name) for path in sorted(folder.glob("*.xml"))]
    assert len(files) == 59
    return [link(one) for file in files for one in file.statements]


def test_59_banking_days_of_two_accounts_chain_without_a_break_in_any_order() -> None:
    days = _days()
    assert check_chain(days) == []
    random.Random(7).shuffle(days)  # noqa: S311 - a fixed order for the test
    assert check_chain(days) == []


def test_a_day_taken_out_or_given_twice_is_noticed_every_time() -> None:
    days = _days()
    of_account = [one for one in days if one.account == ACCOUNT]
    for day in of_account[1:-1]:
        without = check_chain([one for one in days if one is not day])
        assert [issue.code for issue in without] == ["opening_differs"], day.last_date
    for day in of_account:
        twice = check_chain([*days, day])
        assert [(issue.code, issue.file_id) for issue in twice] == [("statement_repeated", day.file_id)]
