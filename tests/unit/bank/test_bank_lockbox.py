"""BAI lockbox: checks with their overflow records, layouts by profile, counts and totals."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank import lockbox
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, RemittanceLine
from o2c.sources.bank.profiles import BankProfile

SAP = BankProfile(
    lockbox_document=(
        ("invoice_reference", 10),
        ("paid_amount", 10),
        ("deduction_amount", 10),
        ("reason_code", 2),
    )
)


def _check(
    item: int = 1, amount: int = 1000, number: str = "0000004711", day: str = "030724", batch: str = "001"
) -> str:
    return f"6{batch}{item:03}{amount:010}0550027070012345555{number}{day}{'ACME CORP':<30}US INC\n"


def _over(text: str, item: int = 1, sequence: int = 1, last: str = "9", batch: str = "001") -> str:
    return f"4{batch}{item:03}6{sequence:02}{last}{text}\n"


def _batch(records: str, count: int = 1, total: int = 1000, batch: str = "001") -> str:
    return f"{records}7{batch}0000022222240307{count:03}{total:010}\n"


def _file(batches: str | None = None, count: int = 1, total: int = 1000, records: int | None = None) -> str:
    """One lockbox with one check of 10.00, its controls right unless told otherwise."""
    body = (
        "100ABCDEFGHIJ00999999912403071800\n2ABCDEFGHIJ0099999991000000000040008000801\n"
        "50000000022222240307ABCDEFGHIJ0099999991\n"
        f"{_batch(_check()) if batches is None else batches}80000000022222240307{count:04}{total:010}\n"
    )
    return f"{body}9{body.count(chr(10)) + 1 if records is None else records:06}\n"


def _read(text: str, profile: BankProfile | None = None) -> BankFile:
    return lockbox.read(text.encode(), "test.lbx", profile or BankProfile())


def _lines(text: str, profile: BankProfile | None = None) -> tuple[RemittanceLine, ...]:
    return _read(_file(_batch(_check() + text)), profile).remittances[0].lines


def test_a_check_is_an_entry_and_a_remittance() -> None:
    found = _read(_file(_batch(_check() + _over("INV-77"))))
    statement, remittance = found.statements[0], found.remittances[0]
    assert found.exceptions == ()
    assert (statement.kind, statement.account, statement.bank) == ("notification", "0022222", "0099999991")
    entry = statement.entries[0]
    assert (entry.amount, entry.currency_code, entry.booking_date, entry.method) == (
        Decimal("10.00"),
        "USD",
        date(2024, 3, 7),
        "check",
    )
    detail = entry.details[0]
    assert (detail.payer_name, detail.payer_bank, detail.payer_account, detail.check_number, detail.text) == (
        "ACME CORP",
        "055002707",
        "0012345555",
        "4711",
        "INV-77",
    )
    assert (remittance.reference, remittance.total_amount, remittance.entry_ordinal) == (
        "4711",
        Decimal("10.00"),
        1,
    )
    assert (remittance.payment_date, remittance.payee_name) == (date(2024, 3, 7), "US INC")
    assert remittance.lines == (RemittanceLine(1, "line 5", "INV-77", text="INV-77"),)


def test_a_check_without_overflow_has_a_remittance_without_lines() -> None:
    found = _read(_file())
    assert [(one.reference, one.lines, one.text) for one in found.remittances] == [("4711", (), None)]


def test_several_overflow_records_belong_to_one_check() -> None:
    lines = _lines(_over("INV 1 AND 2", last="0") + _over("4712", sequence=2))
    assert [(one.invoice_reference, one.text) for one in lines] == [(None, "INV 1 AND 2"), ("4712", "4712")]


def test_an_overflow_without_text_is_no_line() -> None:
    assert _lines(_over("")) == ()


@pytest.mark.parametrize(
    "overflow",
    [
        _over("A", sequence=2),
        _over("A") + _over("B", sequence=2),
        _over("A", last="0"),
        _over("A", last="0") + _over("B", sequence=3),
        _over("A", item=2),
        _over("A", batch="002"),
        _over("A").replace("6019", "5019"),
        _over("A").replace("6019", "6xx9"),
    ],
    ids=[
        "first missing",
        "behind the last",
        "last missing",
        "one missing",
        "item",
        "batch",
        "kind",
        "no number",
    ],
)
def test_overflow_records_that_are_not_all_there_refuse_the_file(overflow: str) -> None:
    with pytest.raises(RejectedFile):
        _lines(overflow)


def test_a_declared_layout_reads_documents_with_amounts() -> None:
    document = "INV0000001" + "0000000700" + "0000000050" + "07"
    second = "INV0000002" + "0000000300" + "          " + "  "
    assert _lines(_over(document + second), SAP) == (
        RemittanceLine(1, "line 5, document 1", "INV0000001", Decimal("7.00"), None, Decimal("0.50"), "07"),
        RemittanceLine(2, "line 5, document 2", "INV0000002", Decimal("3.00")),
    )


def test_documents_that_do_not_sum_to_their_check_are_an_exception() -> None:
    text = _file(_batch(_check() + _over("INV0000001" + "0000000999")))
    found = _read(text, SAP)
    assert [(one.code, one.remittance_ordinal, one.entry_ordinal) for one in found.exceptions] == [
        ("remittance_does_not_sum", 1, 1)
    ]
    credit = _over("INV0000001" + "0000001200" + " " * 12 + "CM00000001" + "000000200-")
    assert _read(_file(_batch(_check() + credit)), SAP).exceptions == ()


def test_an_unreadable_amount_of_a_declared_layout_refuses_the_file() -> None:
    with pytest.raises(RejectedFile, match="line 5: record 4"):
        _lines(_over("INV0000001" + "00000x0700"), SAP)


def test_a_declared_layout_of_checks_is_used() -> None:
    profile = BankProfile(
        lockbox_check=(
            ("amount", 8),
            ("blank", 2),
            ("payer_bank", 9),
            ("check_number", 6),
            ("payer_name", 20),
        )
    )
    text = _file(_batch("600100100001000XX055002707004711ACME\n"))
    found = _read(text, profile)
    assert (found.remittances[0].reference, found.remittances[0].payer_name) == ("4711", "ACME")
    assert found.remittances[0].payment_date is None


@pytest.mark.parametrize(("currency", "amount"), [("USD", "10.00"), ("JPY", "1000")])
def test_decimals_are_those_of_the_profiles_currency(currency: str, amount: str) -> None:
    found = _read(_file(), BankProfile(currency_code=currency))
    assert found.statements[0].entries[0].amount == Decimal(amount)
    assert found.exceptions == ()


@pytest.mark.parametrize("day", ["300724", "023024", "ABCDEF"])
def test_an_unreadable_check_date_is_a_warning(day: str) -> None:
    found = _read(_file(_batch(_check(day=day))))
    assert [(one.code, one.severity) for one in found.exceptions] == [("value_unreadable", "warning")]
    assert found.remittances[0].payment_date is None


@pytest.mark.parametrize("day", ["000000", "      "])
def test_no_check_date_is_none(day: str) -> None:
    found = _read(_file(_batch(_check(day=day))))
    assert (found.exceptions, found.remittances[0].payment_date) == ((), None)


def test_batches_and_lockboxes_stand_one_after_another() -> None:
    two = _batch(_check() + _check(2, 500), 2, 1500) + _batch(_check(1, 250, batch="002"), 1, 250, "002")
    text = _file(two, 3, 1750)
    found = _read(text)
    assert found.exceptions == ()
    assert [(one.batch_id, one.bank_reference) for one in found.statements[0].entries] == [
        ("001", "001/001"),
        ("001", "001/002"),
        ("002", "002/001"),
    ]
    body = [line for line in _file().splitlines(keepends=True) if line[0] != "9"]
    again = "".join(line.replace("0022222", "0033333") for line in body[2:])
    both = _read("".join(body) + again + f"9{len(body) * 2 - 1:06}\n")
    assert [one.account for one in both.statements] == ["0022222", "0033333"]
    assert [one.entry_ordinal for one in both.remittances] == [1, 2]


def test_a_lockbox_without_checks_is_a_notification_without_entries() -> None:
    found = _read(_file(_batch("", 0, 0), 0, 0))
    assert (found.statements[0].entry_count, found.remittances, found.exceptions) == (0, (), ())
    assert _read(_file("", 0, 0)).exceptions == ()


@pytest.mark.parametrize(
    "text",
    [_file(_batch(_check(), 2)), _file(count=2), _file(records=8), _file(records=6)],
    ids=["batch", "lockbox", "one record more", "one record less"],
)
def test_a_count_that_differs_refuses_the_file_unless_the_profile_knows_it(text: str) -> None:
    with pytest.raises(RejectedFile, match="are there"):
        _read(text)
    found = _read(text, BankProfile(warnings_only=("count_differs",)))
    assert [(one.code, one.severity) for one in found.exceptions] == [("count_differs", "warning")]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (_file(_batch(_check(), total=1001)), 1),
        (_file(total=1001), 1),
        (_file(_batch(_check(amount=999))), 2),
    ],
    ids=["batch total", "lockbox total", "check"],
)
def test_a_total_that_differs_is_an_exception(text: str, count: int) -> None:
    assert [one.code for one in _read(text).exceptions] == ["total_differs"] * count


@pytest.mark.parametrize("kind", ["1", "5", "6", "7", "8", "9"])
def test_a_record_that_is_missing_or_comes_twice_refuses_the_file(kind: str) -> None:
    lines = _file().splitlines(keepends=True)
    without = "".join(line for line in lines if line[0] != kind)
    twice = "".join(line * 2 if line[0] == kind else line for line in lines)
    for text in (without, twice):
        with pytest.raises(RejectedFile):
            _read(text)


@pytest.mark.parametrize(
    "text",
    [
        _file(_batch(_check(2) + _check(1), 2, 2000), 2, 2000),
        _file(_batch(_check() + _check(), 2, 2000), 2, 2000),
        _file(_batch(_check(), batch="002")),
        _file().replace("80000000022222", "80000000033333"),
        _file().replace("50000000022222240307", "50000000022222240230"),
        _file(_batch(_check() + "X" * 500 + "\n")),
        _file(_check().replace("0000001000", "0000001x00")),
    ],
    ids=["order", "item twice", "other batch", "other lockbox", "no day", "long line", "amount"],
)
def test_records_that_do_not_fit_together_refuse_the_file(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


def test_every_cut_is_refused_or_identical() -> None:
    text = _file(_batch(_check() + _over("INV-77", last="0") + _over("B", sequence=2)))
    whole = _read(text).remittances
    kept = []
    for end in range(len(text)):
        try:
            found = _read(text[:end])
        except RejectedFile:
            continue
        assert [(one.reference, one.lines) for one in found.remittances] == [
            (one.reference, one.lines) for one in whole
        ]
        kept.append(end)
    assert kept == [len(text) - 1]
