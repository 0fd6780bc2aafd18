"""BAI2: funds types, continuations, several records on a line, sides, and the three controls."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank import bai2
from o2c.sources.bank.bai2_fields import Amount, amounts
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Entry
from o2c.sources.bank.profiles import BankProfile

ENTRY = "16,165,1000,0,B1,C1,ACME INV 1/\n"


def _file(
    entries: str = ENTRY,
    *,
    account: str = "03,123,USD,010,10000,,,015,11000,,/\n",
    total: int = 22000,
    records: int | None = None,
    group: str = "02,ME,BANK,1,240307,2400,USD,2/\n",
) -> str:
    """One account of 100.00 + 10.00 = 110.00, its controls right unless told otherwise."""
    inner = account.count("\n") + entries.count("\n") + 1 if records is None else records
    return (
        f"01,BANK,ME,240308,0800,1,80,,2/\n{group}{account}{entries}49,{total},{inner}/\n"
        f"98,{total},1,{inner + 2}/\n99,{total},1,{inner + 4}/\n"
    )


def _read(text: str, profile: BankProfile | None = None) -> BankFile:
    return bai2.read(text.encode(), "test.bai", profile or BankProfile())


def _entry(line: str, amount: int = 1000, profile: BankProfile | None = None) -> Entry:
    text = _file(line, account="03,123,USD,/\n", total=amount)
    found = _read(text, profile)
    assert found.exceptions == ()
    return found.statements[0].entries[0]


def _codes(text: str, profile: BankProfile | None = None) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in _read(text, profile).exceptions]


def test_an_account_that_ties_has_no_exceptions_and_all_its_fields() -> None:
    found = _read(_file())
    statement = found.statements[0]
    assert (found.format, found.version, found.exceptions) == ("bai2", "2", ())
    assert (statement.kind, statement.account, statement.currency_code, statement.bank) == (
        "statement",
        "123",
        "USD",
        "BANK",
    )
    assert statement.opening is not None
    assert statement.closing is not None
    assert (statement.opening.amount, statement.closing.amount) == (Decimal("100.00"), Decimal("110.00"))
    entry = statement.entries[0]
    assert (entry.position, entry.amount, entry.booking_date, entry.value_date) == (
        "line 4",
        Decimal("10.00"),
        date(2024, 3, 7),
        date(2024, 3, 7),
    )
    assert (entry.bank_reference, entry.customer_reference, entry.type_code, entry.method) == (
        "B1",
        "C1",
        "165",
        "ach",
    )
    assert entry.details[0].text == "ACME INV 1"
    assert hash(entry) == hash(_read(_file()).statements[0].entries[0])


@pytest.mark.parametrize(
    ("line", "value_date"),
    [
        ("16,195,1000,,B,C,T/\n", None),
        ("16,195,1000,0,B,C,T/\n", date(2024, 3, 7)),
        ("16,195,1000,1,B,C,T/\n", None),
        ("16,195,1000,2,B,C,T/\n", None),
        ("16,195,1000,Z,B,C,T/\n", None),
        ("16,195,1000,V,240309,0930,B,C,T/\n", date(2024, 3, 9)),
        ("16,195,1000,V,20240309,,B,C,T/\n", date(2024, 3, 9)),
        ("16,195,1000,V,,,B,C,T/\n", None),
        ("16,195,1000,S,100,200,700,B,C,T/\n", None),
        ("16,195,1000,D,2,0,400,1,600,B,C,T/\n", None),
        ("16,195,1000,D,0,B,C,T/\n", None),
    ],
)
def test_each_funds_type_has_its_own_fields(line: str, value_date: date | None) -> None:
    entry = _entry(line)
    assert (entry.bank_reference, entry.customer_reference, entry.details[0].text) == ("B", "C", "T")
    assert entry.value_date == value_date


@pytest.mark.parametrize("funds", ["X", "V2", "D,A", "D,1001", "D,-1"])
def test_an_unknown_funds_type_refuses_the_file(funds: str) -> None:
    with pytest.raises(RejectedFile, match="line 4: record 16"):
        _read(_file(f"16,165,1000,{funds},B,C,T/\n"))


def test_an_unreadable_value_date_is_a_warning() -> None:
    text = _file(ENTRY.replace("0,B1", "V,240230,,B1"))
    assert _codes(text) == [("value_unreadable", "warning")]
    assert _read(text).statements[0].entries[0].value_date is None


@pytest.mark.parametrize(
    "lines",
    [
        "16,195,1000,V,240309,,B,C/\n88,T 1/\n88,T,2\n",
        "16,195,1000,V,240309,,B,C,/\n88,T 1/\n88,T,2\n",
        "16,195,1000,V,240309,,B,C,T 1/\n88,T,2/\n",
        "16,195,1000,V/\n88,240309,,B,C/\n88,T 1\n88,T,2\n",
        "16,195,1000,V,240309/\n88,,B/\n88,C,T 1\n88,  T,2  \n88,/\n",
        "16,195/\n88,1000,V,240309,,B,C,T 1   /\n88,T,2\n",
    ],
)
def test_an_entry_goes_on_anywhere(lines: str) -> None:
    entry = _entry(lines)
    assert (entry.bank_reference, entry.customer_reference, entry.value_date) == ("B", "C", date(2024, 3, 9))
    assert entry.details[0].text == "T 1\nT,2"


@pytest.mark.parametrize(
    "lines", ["16,195,1000/\n", "16,195,1000,,,/\n", "16,195,1000,1,,,/\n", "16,195,1000,,,,\n"]
)
def test_an_entry_may_say_no_more_than_its_amount(lines: str) -> None:
    entry = _entry(lines)
    assert (entry.bank_reference, entry.customer_reference, entry.details) == (None, None, ())


def test_text_is_kept_with_its_commas_and_slashes() -> None:
    entry = _entry("16,195,1000,,B,C,PAID 22/03, INV 16/88 A/B/\n")
    assert entry.details[0].text == "PAID 22/03, INV 16/88 A/B"


@pytest.mark.parametrize(
    "lines",
    [
        "03,123,USD,010,10000,,,015,11000,3,V,240307,,100,1000,1,/\n",
        "03,123,USD,010,10000,,,015/\n88,11000,3,V,240307,,100,1000,1/\n",
        "03,123,USD,010,10000/\n88,,,015,11000,3,V/\n88,240307,,100,1000,1,/\n",
        "03,123,USD/\n88,010,10000,,,015,11000,3,V,240307,/\n88,100,1000,1,,,/\n",
    ],
)
def test_a_list_of_type_codes_goes_on_anywhere(lines: str) -> None:
    found = _read(_file(account=lines, total=23000))
    statement = found.statements[0]
    assert found.exceptions == ()
    assert [(one.code, one.amount) for one in statement.balances] == [
        ("010", Decimal("100.00")),
        ("015", Decimal("110.00")),
    ]
    assert (statement.stated.credit_count, statement.stated.credit_amount) == (1, Decimal("10.00"))


def test_summaries_with_funds_of_their_own_are_stepped_over() -> None:
    text = "190,70000000,15,D,3,0,20000000,1,30000000,3,20000000,110,+5,,S,1,2,2,040,-7,,0,,,072,,,1"
    assert amounts(text.split(",")) == [
        Amount("190", 70000000, 15),
        Amount("110", 5, None),
        Amount("040", -7, None),
        Amount("072", None, None),
    ]


@pytest.mark.parametrize("fields", ["01,5,,", "010,5.00,,", "010,5,x,", "010,5,,Q", "abc,5,,", "010,1e3,,"])
def test_unreadable_summaries_refuse_the_file(fields: str) -> None:
    with pytest.raises(RejectedFile, match="line 3: record 03"):
        _read(_file(account=f"03,123,USD,{fields}/\n"))


@pytest.mark.parametrize(
    ("code", "sign"),
    [("100", 1), ("399", 1), ("400", -1), ("699", -1), ("721", 1), ("760", -1), ("930", 1), ("960", -1)],
)
def test_the_type_code_says_the_side(code: str, sign: int) -> None:
    assert _entry(f"16,{code},1000,,,,/\n").amount == sign * Decimal("10.00")


@pytest.mark.parametrize("code", ["099", "700", "920", "929", "000"])
def test_a_code_without_a_side_needs_the_profile(code: str) -> None:
    line = f"16,{code},1000,,,,/\n"
    with pytest.raises(RejectedFile, match="name it in the bank's profile"):
        _entry(line)
    assert _entry(line, profile=BankProfile(credit_codes=(code,))).amount == Decimal("10.00")
    assert _entry(line, profile=BankProfile(debit_codes=(code,))).amount == Decimal("-10.00")


def test_a_code_without_money_is_information() -> None:
    assert _entry("16,890,,,,,NO MONEY/\n", 0).status == "information"
    assert _entry("16,920,0,,,,NO MONEY/\n", 0).status == "information"


def test_an_amount_with_a_minus_beside_its_code_is_refused() -> None:
    with pytest.raises(RejectedFile, match="a minus as well"):
        _read(_file(ENTRY.replace("1000", "-1000")))
    assert _entry("16,195,+1000,,,,/\n").amount == Decimal("10.00")


@pytest.mark.parametrize("amount", ["10.00", "1 0", "1234567890123456789", "x", "١٠"])
def test_an_amount_in_another_form_refuses_the_file(amount: str) -> None:
    with pytest.raises(RejectedFile):
        _read(_file(ENTRY.replace("1000", amount)))


@pytest.mark.parametrize(("currency", "amount"), [("USD", "10.00"), ("JPY", "1000"), ("KWD", "1.000")])
def test_decimals_are_those_of_the_currency(currency: str, amount: str) -> None:
    statement = _read(_file().replace("03,123,USD", f"03,123,{currency}")).statements[0]
    assert statement.entries[0].amount == Decimal(amount)
    assert statement.entries[0].currency_code == currency


def test_the_currency_is_the_accounts_else_the_groups_else_the_profiles_else_dollars() -> None:
    def currency(account: str, group: str, profile: str | None) -> str | None:
        text = _file().replace("03,123,USD", f"03,123,{account}").replace("2400,USD", f"2400,{group}")
        return _read(text, BankProfile(currency_code=profile)).statements[0].currency_code

    assert currency("GBP", "CAD", "CHF") == "GBP"
    assert currency("", "CAD", "CHF") == "CAD"
    assert currency("", "", "CHF") == "CHF"
    assert currency("", "", None) == "USD"
    assert ("currency_unknown", "exception") in _codes(_file().replace("03,123,USD", "03,123,ZZZ"))
    with pytest.raises(RejectedFile, match="no currency"):
        currency("US", "CAD", None)


@pytest.mark.parametrize("code", ["552", "555", "557", "558", "257"])
def test_returned_items_say_so(code: str) -> None:
    entry = _entry(f"16,{code},1000,,B,C,RETURNED/\n")
    assert (entry.is_reversal, entry.return_code, entry.details[0].return_code) == (True, code, code)


def test_the_check_number_is_the_reference_of_a_check() -> None:
    assert _entry("16,475,1000,,B,4711,/\n").details[0].check_number == "4711"
    assert _entry("16,475,1000,,B,A4711,/\n").details == ()


def test_the_profile_says_what_a_code_moves() -> None:
    assert _entry("16,399,1000,,,,/\n", profile=BankProfile(methods={"399": "wire"})).method == "wire"


@pytest.mark.parametrize(
    ("modifier", "kind"),
    [("", "statement"), ("1", "intraday"), ("2", "statement"), ("3", "intraday"), ("4", "statement")],
)
def test_interim_reports_are_intraday(modifier: str, kind: str) -> None:
    group = f"02,ME,BANK,1,240307,2400,USD,{modifier}/\n"
    assert _read(_file(group=group)).statements[0].kind == kind


@pytest.mark.parametrize(
    ("status", "said"), [("2", "delete"), ("4", "a test"), ("5", "not 1 to 4"), ("", "not 1 to 4")]
)
def test_groups_that_are_no_report_refuse_the_file(status: str, said: str) -> None:
    with pytest.raises(RejectedFile, match=said):
        _read(_file(group=f"02,ME,BANK,{status},240307,2400,USD,2/\n"))


def test_a_correction_holds_its_entries_back() -> None:
    group = "02,ME,BANK,3,240307,2400,USD,2/\n"
    assert _codes(_file(group=group)) == [("statement_changed", "exception")]
    empty = _file("", account="03,123,USD,010,1,,/\n", total=1, group=group)
    assert _codes(empty) == [("statement_changed", "warning")]


@pytest.mark.parametrize(
    "text",
    [
        _file().replace("49,22000", "49,22001"),
        _file().replace("98,22000", "98,22001"),
        _file().replace("99,22000", "99,22001"),
        _file(ENTRY.replace("1000", "1001")),
        _file().replace("015,11000", "015,11001"),
    ],
)
def test_a_sum_that_differs_is_an_exception(text: str) -> None:
    assert ("total_differs", "exception") in _codes(text)


def test_one_wrong_amount_is_said_once_by_the_sums_and_once_by_the_balances() -> None:
    assert [code for code, _ in _codes(_file(ENTRY.replace("1000", "1001")))] == [
        "total_differs",
        "balance_does_not_tie",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("49,22000,3/", "49,22000,4/"),
        ("98,22000,1,5/", "98,22000,2,5/"),
        ("98,22000,1,5/", "98,22000,1,6/"),
        ("99,22000,1,7/", "99,22000,2,7/"),
        ("99,22000,1,7/", "99,22000,1,8/"),
        ("99,22000,1,7/", "99,22000,1,/"),
        ("99,22000,1,7/", "99,22000,1/"),
        ("99,22000,1,7/", "99,22000,1,x/"),
    ],
)
def test_a_count_that_differs_refuses_the_file_unless_the_profile_knows_it(before: str, after: str) -> None:
    text = _file()
    assert before in text
    text = text.replace(before, after)
    with pytest.raises(RejectedFile, match="are there"):
        _read(text)
    assert _codes(text, BankProfile(warnings_only=("count_differs",))) == [("count_differs", "warning")]


def test_total_credits_are_compared_where_they_say_how_many_there_are() -> None:
    def codes(total: str) -> list[str]:
        account = f"03,123,USD,010,10000,,,015,11000,,,100,{total},/\n"
        return [code for code, _ in _codes(_file(account=account, total=22000 + int(total.split(",")[0])))]

    assert codes("1000,1") == []
    assert codes("1000,2") == ["count_differs"]
    assert codes("1001,1") == ["total_differs"]
    assert codes("9000,") == []


def test_lines_that_hold_several_records_are_parted() -> None:
    text = _file()
    for joined in (
        text.replace("/\n", "/"),
        text.replace("/\n", "/   "),
        text.replace("/\n49", "/49"),
        text.replace("/\n16", "/ 16"),
        "".join(line.ljust(80) for line in text.splitlines()),
    ):
        found = _read(joined)
        assert [one.amount for one in found.statements[0].entries] == [Decimal("10.00")]
        assert found.statements[0].entries[0].details[0].text == "ACME INV 1"
        assert found.exceptions == ()


def test_blank_lines_and_padding_change_no_row_but_its_line() -> None:
    text = _file("16,165,1000,0,B1,C1,ACME\n88,INV 1\n88,\n88,INV 2/\n16,475,0,,,9,\n88, LATE\n")
    plain = _read(text)
    assert [one.position for one in plain.statements[0].entries] == ["line 4", "line 8"]
    assert [one.details[0].text for one in plain.statements[0].entries] == ["ACME\nINV 1\nINV 2", "LATE"]
    for same in (
        "\n".join(line.ljust(80) for line in text.split("\n")),
        text.replace("\n", "\r\n"),
        text.replace("\n", "\r"),
        text + "\x1a",
        text + "\n \n",
    ):
        assert _read(same).statements[0].entries == plain.statements[0].entries
    spread = _read(text.replace("\n", "\n\n")).statements[0].entries
    assert [one.position for one in spread] == ["line 7", "line 15"]
    details = [replace(one.details[0], position="") for one in spread]
    assert details == [replace(one.details[0], position="") for one in plain.statements[0].entries]


def test_lines_that_are_records_are_not_parted_whatever_their_text_says() -> None:
    entry = _entry("16,195,1000,,B,C,SEE/16,195,1000,,\n")
    assert entry.details[0].text == "SEE/16,195,1000,,"


def test_a_broken_text_line_stays_with_its_entry_and_is_said() -> None:
    text = _file("16,165,1000,0,B1,C1,ACME\nINV 1/\n", records=3)
    found = _read(text)
    assert [(one.code, one.severity, one.position) for one in found.exceptions] == [
        ("repaired", "warning", "line 5")
    ]
    assert found.statements[0].entries[0].details[0].text == "ACME\nINV 1"
    with pytest.raises(RejectedFile, match="begins no record"):
        _read(text.replace("03,123,USD", "03,123,USD\nnonsense"))


@pytest.mark.parametrize("code", ["01", "02", "03", "16", "49", "98", "99"])
def test_a_record_that_is_missing_or_comes_twice_refuses_the_file(code: str) -> None:
    lines = _file().splitlines(keepends=True)
    without = "".join(line for line in lines if line[:2] != code)
    twice = "".join(line * 2 if line[:2] == code else line for line in lines)
    for text in (without, twice):
        with pytest.raises(RejectedFile):
            _read(text)


def test_several_accounts_groups_and_files_stand_one_after_another() -> None:
    account = "03,{},USD,010,1,,/\n16,195,2,,,,/\n49,3,3/\n"
    text = (
        "01,B,M,240308,0800,1,,,2/\n02,M,B,1,240307,,,2/\n"
        + account.format(1)
        + account.format(2)
        + "98,6,2,8/\n02,M,B,1,240308,,,2/\n"
        + account.format(3)
        + "98,3,1,5/\n99,9,2,15/\n"
    )
    found = _read(text + text)
    assert found.exceptions == ()
    assert [(one.account, str(one.last_date)) for one in found.statements[:3]] == [
        ("1", "2024-03-07"),
        ("2", "2024-03-07"),
        ("3", "2024-03-08"),
    ]
    assert [entry.ordinal for one in found.statements for entry in one.entries] == [1, 2, 3, 4, 5, 6]


def test_version_3_is_refused_by_name() -> None:
    with pytest.raises(RejectedFile, match="version '3'"):
        _read(_file().replace(",80,,2/", ",80,,3/"))


def test_every_cut_is_refused_or_identical() -> None:
    text = _file("16,195,600,V,240309,,B,C/\n88,T 1/\n88,T,2\n16,475,400,,B,4711,X/\n".replace("475", "399"))
    whole = _read(text).statements[0].entries
    for end in range(len(text)):
        try:
            found = _read(text[:end])
        except RejectedFile:
            continue
        assert found.statements[0].entries == whole, end
    assert _read(text[:-2]).statements[0].entries == whole
