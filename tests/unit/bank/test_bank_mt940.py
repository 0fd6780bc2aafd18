"""MT940 and MT942: marks, dates, texts, envelopes, and what makes a message unfit to load."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.bank import mt940
from o2c.sources.bank.errors import Fragment, RejectedFile
from o2c.sources.bank.model import BankFile, Entry
from o2c.sources.bank.mt940_text import entry_text
from o2c.sources.bank.profiles import BankProfile

LINE = ":61:2403070307C10,00NTRFNONREF//B1\n"


def _message(
    entries: str = LINE,
    *,
    opening: str = ":60F:C240306EUR100,00",
    closing: str = ":62F:C240307EUR110,00",
    head: str = ":20:REF\n:25:DE89370400440532013000\n:28C:7/1\n",
    after: str = "",
    end: str = "-\n",
) -> str:
    """A statement of 100.00 + 10.00 = 110.00, unless told otherwise."""
    return f"{head}{opening}\n{entries}{closing}\n{after}{end}"


def _read(text: str, profile: BankProfile | None = None) -> BankFile:
    return mt940.read(text.encode(), "test.sta", profile or BankProfile())


def _entry(line: str, text: str = "") -> Entry:
    """The only entry of a statement that has no end to tie to: its closing balance is an exception at most."""
    return _read(_message(f":61:{line}\n{text}")).statements[0].entries[0]


def _codes(text: str) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in _read(text).exceptions]


def test_a_statement_that_ties_has_no_exceptions_and_all_its_head() -> None:
    found = _read(_message(after=":64:C240307EUR90,00\n:65:C240308EUR95,00\n"))
    statement = found.statements[0]
    assert found.exceptions == ()
    assert (found.format, statement.kind) == ("mt940", "statement")
    assert (statement.statement_id, statement.number, statement.page_number) == ("REF", "7", 1)
    assert (statement.account, statement.account_scheme) == ("DE89370400440532013000", "iban")
    assert statement.is_last_page is True
    assert [(one.code, one.amount, str(one.balance_date)) for one in statement.balances] == [
        ("60F", Decimal("100.00"), "2024-03-06"),
        ("62F", Decimal("110.00"), "2024-03-07"),
        ("64", Decimal("90.00"), "2024-03-07"),
        ("65", Decimal("95.00"), "2024-03-08"),
    ]
    assert statement.entries == (
        Entry(
            1,
            "line 5",
            Decimal("10.00"),
            "EUR",
            booking_date=date(2024, 3, 7),
            value_date=date(2024, 3, 7),
            bank_reference="B1",
            type_code="NTRF",
        ),
    )


@pytest.mark.parametrize(
    ("mark", "amount", "is_reversal", "status"),
    [
        ("C", "10.00", False, "booked"),
        ("D", "-10.00", False, "booked"),
        ("RC", "-10.00", True, "booked"),
        ("RD", "10.00", True, "booked"),
        ("EC", "10.00", False, "pending"),
        ("ED", "-10.00", False, "pending"),
        ("CR", "10.00", False, "booked"),
        ("DR", "-10.00", False, "booked"),
        ("RCR", "-10.00", True, "booked"),
        ("c", "10.00", False, "booked"),
        ("rc", "-10.00", True, "booked"),
        ("rd", "10.00", True, "booked"),
        ("DD", "-10.00", False, "booked"),
    ],
)
def test_each_mark_has_its_sign(mark: str, amount: str, is_reversal: bool, status: str) -> None:
    entry = _entry(f"2403070307{mark}10,00NTRFNONREF")
    assert (entry.amount, entry.is_reversal, entry.status) == (Decimal(amount), is_reversal, status)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("10,", "10"), ("0,01", "0.01"), ("000000000001,62", "1.62"), ("123456789012345,", "123456789012345")],
)
def test_amounts_always_have_a_comma(text: str, amount: str) -> None:
    assert _entry(f"240307C{text}NTRFX").amount == Decimal(amount)


@pytest.mark.parametrize("text", ["10", "10.00", ",10", "1.000,00", "1234567890123456,", "-10,00", "1 0,00"])
def test_an_amount_in_another_form_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile, match="line 5: :61:"):
        _read(_message(f":61:2403070307C{text}NTRFNONREF\n"))


@pytest.mark.parametrize(
    ("dates", "value", "booked"),
    [
        ("2403070308", "2024-03-07", "2024-03-08"),
        ("240307", "2024-03-07", "None"),
        ("240307    ", "2024-03-07", "None"),
        ("2401021231", "2024-01-02", "2023-12-31"),
        ("2312310102", "2023-12-31", "2024-01-02"),
        ("2402290229", "2024-02-29", "2024-02-29"),
        ("2403010229", "2024-03-01", "2024-02-29"),
    ],
)
def test_the_entry_date_is_in_the_year_closest_to_the_value_date(dates: str, value: str, booked: str) -> None:
    entry = _entry(f"{dates}C10,00NTRFNONREF")
    assert (str(entry.value_date), str(entry.booking_date)) == (value, booked)


@pytest.mark.parametrize(("day", "last"), [("230230", 28), ("230229", 28), ("240230", 29)])
def test_the_30th_of_february_is_its_last_day_and_said(day: str, last: int) -> None:
    found = _read(_message(f":61:{day}C10,00NINTNONREF\n"))
    assert found.statements[0].entries[0].value_date == date(2000 + int(day[:2]), 2, last)
    assert [(one.code, one.severity) for one in found.exceptions] == [("repaired", "warning")]


@pytest.mark.parametrize("dates", ["240231", "241301", "2403071301", "240000"])
def test_no_day_of_the_calendar_refuses_the_file(dates: str) -> None:
    with pytest.raises(RejectedFile, match="no day of the calendar"):
        _read(_message(f":61:{dates}C10,00NTRFNONREF\n"))


def test_references_are_kept_and_words_for_none_are_not() -> None:
    entry = _entry("240307C10,00N051INV 4711//BANK/1\nSupplement")
    assert (entry.type_code, entry.customer_reference, entry.bank_reference) == ("N051", "INV 4711", "BANK/1")
    assert entry.text == "Supplement"
    bare = _entry("240307C10,00NTRFNONREF//")
    assert (bare.customer_reference, bare.bank_reference) == (None, None)


def test_german_text_is_joined_over_lines_and_split_by_its_key_words() -> None:
    text = (
        ":86:166?00GUTSCHRIFT?109310?20EREF+END-1?21MREF+M-1?22SVWZ+RECHNUNG 47\n"
        "11?23 SKONTO EREF+kein Schluessel?30GENODEF1XXX?31DE89370400440532013000?32ACME\n"
        " GMBH?33UND CO?34000\n"
    )
    entry = _entry("2403070307C10,00NTRFNONREF", text)
    detail = entry.details[0]
    assert (entry.proprietary_code, entry.text, entry.method) == ("166", "GUTSCHRIFT", "ach")
    assert (detail.end_to_end_id, detail.mandate_id) == ("END-1", "M-1")
    assert detail.text == "RECHNUNG 4711 SKONTO EREF+kein Schluessel"
    assert (detail.payer_name, detail.payer_account, detail.payer_bank) == (
        "ACME GMBHUND CO",
        "DE89370400440532013000",
        "GENODEF1XXX",
    )
    assert detail.payee_name is None


def test_text_without_key_words_keeps_its_lines() -> None:
    found = entry_text("051?00UEBERWEISUNG?20RECHNUNG 1?21RECHNUNG 2?60UND 3?30100?3112345?32ACME")
    assert (found.text, found.account, found.bank) == ("RECHNUNG 1\nRECHNUNG 2\nUND 3", "12345", "100")


def test_the_other_side_of_a_debit_is_the_payee() -> None:
    detail = _entry("2403070307D10,00NTRFNONREF", ":86:116?20SVWZ+X?32ACME?31123\n").details[0]
    assert (detail.payee_name, detail.payee_account, detail.payer_name) == ("ACME", "123", None)


def test_a_returned_direct_debit_says_why_and_what() -> None:
    text = ":86:109?00RETOURE?20EREF+END-1?21MTLG:Konto geschlossen?34902?32ACME\n"
    entry = _entry("2403070307D10,00NRTINONREF", text)
    assert (entry.return_code, entry.original_reference) == ("902", "END-1")
    assert entry.details[0].additional_text == "Konto geschlossen"


def test_code_words_of_dutch_banks_are_read() -> None:
    text = (
        ":86:/EREF/END-1//CNTP/NL91ABNA0417164300/ABNANL2A/ACME BV/AMSTERDAM///REMI/U\n"
        "STD//INV 4711 /NAME is mine/\n"
    )
    detail = _entry("2403070307C10,00NTRFEREF", text).details[0]
    assert (detail.end_to_end_id, detail.payer_account, detail.payer_bank, detail.payer_name) == (
        "END-1",
        "NL91ABNA0417164300",
        "ABNANL2A",
        "ACME BV",
    )
    assert detail.text == "INV 4711 /NAME is mine"


def test_a_structured_creditor_reference_is_checked() -> None:
    text = ":86:/TRTP/SEPA/NAME/ACME/REMI/STRD/CUR/RF18539007547034/\n"
    found = _read(_message(LINE + text))
    reference = found.statements[0].entries[0].details[0].references[0]
    assert (reference.kind, reference.is_valid) == ("creditor_reference", True)
    wrong = _read(_message(LINE + text.replace("RF18", "RF19")))
    assert [(one.code, one.entry_ordinal) for one in wrong.exceptions] == [("reference_check_failed", 1)]


def test_a_batch_says_its_number_and_has_no_payer() -> None:
    entry = _entry("2403070307C10,00NTRFNONREF", ":86:/PREF/BATCH-1/NRTX/12/TRTP/SEPA OVERBOEKING\n")
    assert (entry.batch_id, entry.batch_count, entry.details) == ("BATCH-1", 12, ())


def test_plain_text_keeps_its_lines() -> None:
    detail = _entry("2403070307C10,00NTRFNONREF", ":86:INVOICE 1\n INVOICE 2\n-\n:12:30 noon\n").details[0]
    assert detail.text == "INVOICE 1\nINVOICE 2\n-\n:12:30 noon"


def test_a_check_number_is_the_reference_of_a_check() -> None:
    entry = _entry("2403070307C10,00NCHK4711", ":86:CHECK\n")
    assert (entry.method, entry.details[0].check_number) == ("check", "4711")


def test_the_profile_says_what_a_type_means() -> None:
    profile = BankProfile(methods={"NTRF": "wire"})
    assert _read(_message(), profile).statements[0].entries[0].method == "wire"
    assert _entry("240307C10,00S103NONREF").method == "wire"


def test_pages_of_one_statement_stand_one_after_another() -> None:
    first = _message(closing=":62M:C240307EUR110,00")
    second = _message(
        head=":20:REF\n:25:DE89370400440532013000\n:28C:7/2\n",
        opening=":60M:C240307EUR110,00",
        closing=":62F:C240307EUR120,00",
    )
    found = _read(first + second)
    assert found.exceptions == ()
    assert [(one.number, one.page_number, one.is_last_page) for one in found.statements] == [
        ("7", 1, False),
        ("7", 2, True),
    ]
    assert [one.ordinal for statement in found.statements for one in statement.entries] == [1, 2]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines_make_no_difference(line_end: str) -> None:
    text = "\n" + _message().replace(":62F:", "\n:62F:")
    found = _read(text.replace("\n", line_end))
    assert (found.statements[0].entry_count, found.exceptions) == (1, ())


@pytest.mark.parametrize(
    "content",
    [
        _message(LINE + ":86:MÜLLER\n").encode("utf-8"),
        b"\xef\xbb\xbf" + _message(LINE + ":86:MÜLLER\n").encode("utf-8"),
        _message(LINE + ":86:MÜLLER\n").encode("cp1252"),
        _message(LINE + ":86:MÜLLER\n").encode("utf-16"),
    ],
    ids=["utf-8", "with mark", "cp1252", "utf-16"],
)
def test_text_is_decoded_as_it_was_written(content: bytes) -> None:
    assert mt940.read(content, "x").statements[0].entries[0].details[0].text == "MÜLLER"


def test_zero_bytes_and_encodings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RejectedFile, match="zero byte"):
        _read(_message(":61:240307C10,00NTRF\x00\n"))
    with pytest.raises(RejectedFile, match="none of utf-8"):
        mt940.read(_message(":86:Ü\n").encode("cp1252"), "x", BankProfile(encodings=("utf-8",)))


ENVELOPE = "{1:F01DEUTDEFFAXXX0000000000}{2:O9400800240307COBADEFFAXXX00000000002403070800N}{4:\n"


def test_an_envelope_says_who_sent_the_message() -> None:
    found = _read(ENVELOPE + _message(end="-}{5:{CHK:0123456789AB}}\n"))
    assert (found.statements[0].bank, found.exceptions) == ("COBADEFF", ())
    handed_in = ENVELOPE.replace(
        "{2:O9400800240307COBADEFFAXXX00000000002403070800N}", "{2:I940COBADEFFXXXXN}"
    )
    assert _read(handed_in + _message(end="-}\n")).statements[0].bank == "DEUTDEFF"


def test_enveloped_messages_may_stand_on_one_another() -> None:
    one = ENVELOPE + _message(end="-}{5:{CHK:0123456789AB}}")
    for between in ("", "\n", "$", "\n\n"):
        assert len(_read(one + between + one + "\n").statements) == 2


@pytest.mark.parametrize(
    "text",
    [
        ENVELOPE + _message(end=""),
        ENVELOPE + _message(end="-\n"),
        _message(end="-}\n"),
        ENVELOPE + _message(end="-}{5:{CHK:01234"),
        ENVELOPE[:-5] + "\n" + _message(end="-}\n"),
        ENVELOPE + _message(end="") + ENVELOPE + _message(end="-}\n"),
        ENVELOPE + _message(end="-}\n") + ENVELOPE,
        ENVELOPE.replace("{2:O940", "{2:O103") + _message(end="-}\n"),
        "\x01\n" + _message(end="-\n"),
    ],
    ids=[
        "never closed",
        "closed without a brace",
        "closed but not opened",
        "trailer cut",
        "head cut",
        "first of two not closed",
        "second has no message",
        "another message",
        "start of text without its end",
    ],
)
def test_a_broken_envelope_refuses_the_file(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


@pytest.mark.parametrize("missing", [":20:REF\n", ":25:DE89370400440532013000\n", ":28C:7/1\n"])
def test_a_message_without_its_head_is_refused(missing: str) -> None:
    with pytest.raises(RejectedFile, match=missing[:3]):
        _read(_message().replace(missing, ""))


@pytest.mark.parametrize(
    ("text", "account", "number", "opening", "closing", "amounts", "currency"),
    [
        (":25:DE89370400440532013000\n", "DE89370400440532013000", None, None, None, [], None),
        (":28C:7/1\n", None, "7", None, None, [], None),
        (":60F:C240306EUR100,00\n:60F:C240306EUR200,00\n", None, None, "100.00", None, [], "EUR"),
        (":62M:D240306EUR1,5\n-", None, None, None, "-1.5", [], "EUR"),
        (":64:C240306EUR1,00\n", None, None, None, None, [], None),
        (LINE + ":86:some text\n-", None, None, None, None, ["10.00"], None),
        ("\n" + LINE + LINE.replace("C10", "D20"), None, None, None, None, ["10.00", "-20.00"], None),
    ],
)
def test_a_piece_from_the_middle_of_a_message_is_refused_and_shown(
    text: str,
    account: str | None,
    number: str | None,
    opening: str | None,
    closing: str | None,
    amounts: list[str],
    currency: str | None,
) -> None:
    with pytest.raises(Fragment) as caught:
        _read(text)
    (found,) = caught.value.found.statements
    assert (found.account, found.number, found.currency_code) == (account, number, currency)
    assert (found.opening and str(found.opening.amount)) == opening
    assert (found.closing and str(found.closing.amount)) == closing
    assert [str(one.amount) for one in found.entries] == amounts
    assert caught.value.found.exceptions[0].code == "fragment"


@pytest.mark.parametrize(
    "text",
    [
        ":20:REF\n",
        "Bank AG\n" + LINE,
        LINE + _message(),
        ":940:\n" + LINE,
        LINE.rstrip("\n"),
        LINE + "and more\nof it",
        ":61:nothing\n",
        ":62F:C240307EUR110,00\n" + LINE,
    ],
)
def test_what_may_be_cut_or_cannot_be_read_is_no_piece(text: str) -> None:
    with pytest.raises(RejectedFile) as caught:
        _read(text)
    assert not isinstance(caught.value, Fragment)


@pytest.mark.parametrize(
    "text",
    [
        _message(closing=""),
        _message(opening=""),
        _message(closing=":62F:C240307EUR110,00\n:62F:C240307EUR110,00"),
        _message(closing=":62F:C240307EUR110,00\n" + LINE.strip()),
        _message(closing=":62F:C240307EUR110,00\nand more", end=""),
        _message(end="") + "Dear Sirs,\n",
        "",
        "-\n",
        _message(closing="", end="") + _message(),
        _message(head=":20:A\nB\n:25:1\n:28C:7\n"),
    ],
)
def test_a_message_that_is_not_whole_or_says_a_thing_twice_is_refused(text: str) -> None:
    with pytest.raises(RejectedFile):
        _read(text)


def test_a_message_without_an_end_mark_is_whole_when_it_ties() -> None:
    assert _codes(_message(end="")) == []
    with pytest.raises(RejectedFile, match="do not tie: it may be cut"):
        _read(_message(end="", closing=":62F:C240307EUR110,01"))
    assert _codes(_message(closing=":62F:C240307EUR110,01")) == [("balance_does_not_tie", "exception")]
    with pytest.raises(RejectedFile, match="no end mark, others have one"):
        _read(_message() + _message(end=""))


@pytest.mark.parametrize(
    ("last", "is_whole"),
    [("110,00", True), ("110,0", False), ("110,", False), ("110", False)],
)
def test_a_last_line_without_line_end_is_whole_with_all_its_decimals(last: str, is_whole: bool) -> None:
    text = _message(closing=f":62F:C240307EUR{last}", end="").rstrip("\n")
    if is_whole:
        assert _codes(text) == []
    else:
        with pytest.raises(RejectedFile):
            _read(text)


def test_a_second_account_line_is_left_out_and_an_exception() -> None:
    assert _codes(_message(LINE + ":25:not mine\n")) == [("repaired", "exception")]


def test_fields_that_are_not_read_are_said() -> None:
    assert _codes(_message(after=":77E:more\n")) == [("unknown_code", "warning")]
    assert _codes(_message(after=":64:C240307   90,00\n")) == [("value_unreadable", "warning")]


def test_currencies_and_account_numbers_are_checked() -> None:
    assert _codes(_message(closing=":62F:C240307USD110,00")) == [("currency_differs", "exception")]
    assert _codes(_message().replace("EUR", "ZZZ")) == [("currency_unknown", "exception")]
    assert _codes(_message().replace("EUR", "DEM")) == []
    assert _codes(_message().replace("DE89", "DE88")) == [("account_check_failed", "warning")]
    decimals = _message(LINE.replace("10,00", "10,001"), closing=":62F:C240307EUR110,001")
    assert _codes(decimals) == [("too_many_decimals", "exception")]


def test_a_currency_behind_an_iban_is_not_part_of_it() -> None:
    statement = _read(
        _message().replace(":25:DE89370400440532013000", ":25:NL91ABNA0417164300EUR")
    ).statements[0]
    assert (statement.account, statement.currency_code) == ("NL91ABNA0417164300", "EUR")
    german = _read(_message().replace(":25:DE89370400440532013000", ":25:37040044/0532013000EUR"))
    assert german.statements[0].account == "37040044/0532013000EUR"


def test_the_heading_of_a_bank_is_no_part_of_the_message() -> None:
    for heading in ("ABNANL2A\n940\nABNANL2A\n", ":940:\n"):
        found = _read(heading + _message() + heading + _message())
        assert (len(found.statements), found.exceptions) == (2, ())


def test_an_account_without_a_first_date_has_none() -> None:
    statement = _read(_message(opening=":60F:C000000EUR100,00")).statements[0]
    assert statement.opening is not None
    assert statement.opening.balance_date is None


INTERIM = ":20:REF\n:25:123\n:28C:7/1\n:34F:EUR0,\n:13D:2403071815+0100\n" + LINE


def test_an_interim_report_has_totals_instead_of_balances() -> None:
    found = _read(INTERIM + ":90D:0EUR0,00\n:90C:1EUR10,00\n-\n")
    statement = found.statements[0]
    assert (found.format, statement.kind, statement.currency_code) == ("mt942", "intraday", "EUR")
    assert (statement.opening, statement.closing, statement.last_date) == (None, None, date(2024, 3, 7))
    assert found.exceptions == ()


@pytest.mark.parametrize(
    ("totals", "codes"),
    [
        (":90D:0EUR0,\n:90C:2EUR10,00\n", ["count_differs"]),
        (":90D:0EUR0,\n:90C:1EUR10,01\n", ["total_differs"]),
        (":90D:1EUR10,\n", ["count_differs", "total_differs"]),
        (":90C:1USD10,\n", ["currency_differs"]),
    ],
)
def test_totals_that_do_not_tie_are_exceptions(totals: str, codes: list[str]) -> None:
    assert [one for one, _ in _codes(INTERIM + totals + "-\n")] == codes


def test_totals_above_a_floor_limit_cover_entries_that_are_left_out() -> None:
    text = INTERIM.replace("EUR0,", "EUR100,") + ":90C:9EUR900,00\n-\n"
    assert _codes(text) == []


def test_an_interim_report_without_end_mark_or_totals_may_be_cut() -> None:
    with pytest.raises(RejectedFile, match="without an end mark"):
        _read(INTERIM)
    assert _codes(INTERIM + "-\n") == []
    assert _codes(INTERIM + ":90C:1EUR10,\n") == []


def test_entries_without_any_currency_are_refused_unless_the_profile_has_it() -> None:
    text = INTERIM.replace(":34F:EUR0,\n", "") + "-\n"
    with pytest.raises(RejectedFile, match="currency of the entries"):
        _read(text)
    assert _read(text, BankProfile(currency_code="PLN")).statements[0].entries[0].currency_code == "PLN"


def test_what_goes_on_and_on_is_refused_at_once() -> None:
    with pytest.raises(RejectedFile, match="an envelope of more than 2000 characters"):
        _read("{1:}" * 100_000)
    longest = _read(_message(LINE + ":86:" + "xx\n" * 50_000)).statements[0].entries[0].details[0]
    assert longest.text == "\n".join(["xx"] * 50_000)
    with pytest.raises(RejectedFile, match="a field of more than 100000 characters"):
        _read(_message(LINE + ":86:" + "xx\n" * 50_001))
