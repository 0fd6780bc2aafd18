"""What happens to a row: loaded, loaded with a warning, skipped, or rejected with a reason."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

HEADER = (
    "invoice_id,entity_id,invoice_number,document_type,customer_id,"
    "invoice_date,due_date,currency_code,invoice_amount\n"
)
GOOD = "I1,E1,N1,invoice,C1,2026-01-02,2026-02-01,EUR,100.00"
FIELDS = HEADER.strip().split(",")


def row(**changes: str) -> str:
    return ",".join((dict(zip(FIELDS, GOOD.split(","), strict=True)) | changes).values())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"invoice_id": ""}, "missing_required"),
        ({"invoice_id": "2960623488.0"}, "float_looking_id"),
        ({"invoice_number": "1.93E+09"}, "float_looking_id"),
        ({"document_type": "bill"}, "unknown_code"),
        ({"invoice_date": "02.01.2026"}, "bad_date"),
        ({"invoice_date": "2026-02-30"}, "bad_date"),
        ({"invoice_date": "2026-1-2"}, "bad_date"),
        ({"invoice_date": "1026-01-02"}, "date_out_of_range"),
        ({"due_date": "soon"}, "bad_date"),
        ({"currency_code": "EUX"}, "unknown_currency"),
        ({"currency_code": "eur"}, "unknown_currency"),
        ({"invoice_amount": "-0.01"}, "negative_amount"),
        ({"invoice_amount": "NaN"}, "bad_amount"),
        ({"invoice_amount": "Infinity"}, "bad_amount"),
        ({"invoice_amount": "1e5"}, "bad_amount"),
        ({"invoice_amount": "1_000"}, "bad_amount"),
        ({"invoice_amount": "+5"}, "bad_amount"),
        ({"invoice_amount": ".5"}, "bad_amount"),
        ({"invoice_amount": " 5"}, "bad_amount"),
        ({"invoice_amount": "１２"}, "bad_amount"),
        ({"invoice_amount": '"1.234,50"'}, "bad_amount"),
        ({"invoice_amount": "1.234"}, "too_many_decimals"),
        ({"invoice_amount": "0.001", "currency_code": "JPY"}, "too_many_decimals"),
        ({"invoice_amount": "123456789012345"}, "amount_out_of_range"),
    ],
    ids=lambda value: " ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value,
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_reason(books, changes, code):
    books.write("invoices.csv", HEADER + row(**changes) + "\n" + row(invoice_id="I2") + "\n")

    report = books.land()

    assert books.problems(report, "rejected") == [("invoices", 2, code)]
    assert books.rows(report, "invoices", "invoice_id", "_line") == [("I2", 3)]


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"invoice_amount": "0"}, "0"),
        ({"invoice_amount": "100.5000"}, "100.5"),
        ({"invoice_amount": "99999999999999.99"}, "99999999999999.99"),
        ({"invoice_amount": "7", "currency_code": "JPY"}, "7"),
        ({"invoice_amount": "1.234", "currency_code": "KWD"}, "1.234"),
    ],
)
def test_an_amount_on_its_currencys_minor_unit_is_loaded_exactly(books, changes, amount):
    books.write("invoices.csv", HEADER + row(**changes) + "\n")

    assert books.rows(books.land(), "invoices", "invoice_amount") == [(Decimal(amount),)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"due_date": ""}, "blank_due_date"),
        ({"due_date": "2026-01-01"}, "due_before_invoice_date"),
        ({"invoice_date": "2026-04-01", "due_date": "2026-05-01"}, "future_date"),
    ],
)
def test_a_row_that_is_hard_to_believe_is_loaded_with_a_warning(books, changes, code):
    books.write("invoices.csv", HEADER + row(**changes) + "\n")

    report = books.land()

    assert books.problems(report, "warning") == [("invoices", 2, code)]
    assert books.rows(report, "invoices", "invoice_id") == [("I1",)]


def test_two_dates_after_the_day_of_loading_are_one_warning_that_names_both(books):
    books.write("invoices.csv", HEADER + row() + "\n")
    books.write(
        "payments.csv",
        "payment_id,entity_id,customer_id,value_date,booking_date,currency_code,payment_amount\n"
        "P1,E1,C1,2026-04-02,2026-04-01,EUR,100.00\n",
    )

    report = books.land()

    assert books.problems(report, "warning") == [("payments", 2, "future_date")]
    (path,) = [path for path in books.effective(report).rejected_paths if pl.read_parquet(path).height]
    (reason,) = pl.read_parquet(path)["reason"]
    assert reason.count("is after the day of loading") == 2
    assert "value_date '2026-04-02'" in reason
    assert "booking_date '2026-04-01'" in reason


def test_due_on_the_invoice_date_and_dated_on_the_day_of_loading_are_no_warnings(books):
    books.write("invoices.csv", HEADER + row(invoice_date="2026-03-31", due_date="2026-03-31") + "\n")

    assert books.problems(books.land(), "warning") == []


def test_a_row_with_several_faults_is_one_rejected_row_with_all_reasons(books):
    import polars as pl

    books.write(
        "invoices.csv", HEADER + row(document_type="bill", invoice_date="x", invoice_amount="-1") + "\n"
    )

    report = books.land()

    (reason,) = pl.read_parquet(report.landed[0].rejected_path)["reason"].to_list()
    assert reason == (
        "invoice_date 'x' is not a date by the declared formats (%Y-%m-%d);"
        " document_type 'bill' is not one of invoice, credit_memo, debit_memo;"
        " invoice_amount '-1.0000' is negative, but the amount is unsigned (the document's type gives the sign)"
    )
    assert report.landed[0].counts.rejected == 1


def test_text_that_looks_like_a_formula_or_a_null_is_kept_as_it_is(books):
    books.write(
        "customers.csv", 'customer_id,customer_name\n007,"=HYPERLINK(""http://x"")"\nNA,NULL\n 1 ,nan\n'
    )

    assert books.rows(books.land(), "customers", "customer_id", "customer_name") == [
        ("007", '=HYPERLINK("http://x")'),
        ("NA", "NULL"),
        (" 1 ", "nan"),
    ]


def test_an_exact_duplicate_is_skipped_and_counted(books):
    books.write("invoices.csv", HEADER + f"{GOOD}\n{row(invoice_id='I2')}\n{GOOD}\n{GOOD}\n")

    report = books.land()

    assert books.rows(report, "invoices", "invoice_id", "_line") == [("I1", 2), ("I2", 3)]
    assert report.totals()["invoices"].skipped == {"exact_duplicate": 2}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_rows_of_one_key_with_other_content_are_all_rejected_in_any_order(books, order):
    lines = [GOOD, row(invoice_amount="90.00"), GOOD, row(invoice_id="I2")]
    books.write("invoices.csv", HEADER + "".join(lines[i] + "\n" for i in order))

    report = books.land()

    assert [code for _, _, code in books.problems(report, "rejected")] == ["key_collision"] * 3
    assert books.rows(report, "invoices", "invoice_id") == [("I2",)]
    assert report.totals()["invoices"].loaded == 1


def test_an_unknown_customer_is_a_warning_and_stays(books):
    books.write("invoices.csv", HEADER + GOOD + "\n" + row(invoice_id="I2", customer_id="C2") + "\n")
    books.write("customers.csv", "customer_id,customer_name\nC1,Acme\n")

    report = books.land()

    assert books.problems(report, "warning") == [("invoices", 3, "unknown_customer")]
    assert books.rows(report, "invoices", "invoice_id") == [("I1",), ("I2",)]


def test_a_payment_before_its_invoice_is_a_warning(books):
    books.write("invoices.csv", HEADER + GOOD + "\n")
    books.write(
        "payments.csv",
        "payment_id,entity_id,value_date,currency_code,payment_amount,reference_text\n"
        "P1,E1,2026-01-01,EUR,50,N1\nP2,E1,2026-01-02,EUR,50,N1\n",
    )

    assert books.problems(books.land(), "warning") == [("payments", 2, "paid_before_invoice_date")]


@pytest.mark.parametrize(("early", "is_refused"), [(1, False), (2, True)])
def test_due_dates_before_the_invoice_date_condemn_a_file_above_one_percent(books, early, is_refused):
    lines = [
        row(invoice_id=f"I{i}", due_date="2026-01-01" if i < early else "2026-02-01") for i in range(100)
    ]
    books.write("invoices.csv", HEADER + "\n".join(lines) + "\n")

    report = books.land()

    assert bool(report.refusals) == is_refused
    if is_refused:
        assert "2 of 100 due dates are before the invoice date" in books.refusal(report)


def test_one_early_due_date_alone_condemns_no_small_file(books):
    books.write("invoices.csv", HEADER + row(due_date="2026-01-01") + "\n")

    assert books.land().refusals == []


def test_a_remittance_line_names_its_payment_in_one_of_two_ways(books):
    books.write(
        "remittance_lines.csv",
        "remittance_id,line_number,payment_id,payment_reference,invoice_reference,paid_amount\n"
        "R1,1,P1,,N1,5.00\nR1,2,,REF,N1,5.00\nR1,3,,,N1,5.00\n",
    )

    assert books.problems(books.land(), "rejected") == [("remittance_lines", 4, "missing_required")]


def test_instants_are_read_with_and_without_an_offset(books):
    from datetime import UTC

    header = "activity_id,customer_id,activity_at,channel\n"
    books.write(
        "activities.csv", header + "A1,C1,2026-03-01T09:00:00Z,call\nA2,C1,2026-03-01T09:00:00+02:00,call\n"
    )

    assert books.rows(books.land(), "activities", "activity_at") == [
        (datetime(2026, 3, 1, 9, tzinfo=UTC),),
        (datetime(2026, 3, 1, 7, tzinfo=UTC),),
    ]


def test_parquet_follows_the_same_rules_as_text(books):
    import polars as pl

    frame = pl.DataFrame(
        {
            "invoice_id": ["I1", "I2"],
            "entity_id": ["E1", "E1"],
            "invoice_number": ["N1", "N2"],
            "document_type": ["invoice", "bill"],
            "customer_id": ["C1", "C1"],
            "invoice_date": [date(2026, 1, 2)] * 2,
            "due_date": [date(2026, 2, 1)] * 2,
            "currency_code": ["EUR", "EUR"],
            "invoice_amount": [Decimal("12.50"), Decimal("1.00")],
        },
        schema_overrides={"invoice_amount": pl.Decimal(18, 4)},
    )
    frame.write_parquet(books.folder / "invoices.parquet")

    report = books.land()

    assert books.rows(report, "invoices", "invoice_id", "invoice_date", "invoice_amount", "_line") == [
        ("I1", date(2026, 1, 2), Decimal("12.5"), 2)
    ]
    assert books.problems(report, "rejected") == [("invoices", 3, "unknown_code")]


# ── laws of text and values ──────────────────────────────────────────────────────────────────────────


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=2),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_an_amount_written_in_a_form_is_read_back_in_that_form(amount, marks):
    import polars as pl

    from o2c.contract import Kind
    from o2c.sources.model import TextForm, ValueForm
    from o2c.sources.values import parse

    decimal, thousands = marks
    text = f"{amount:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    form = TextForm(decimal=decimal, thousands=thousands)

    read = parse(pl.Series([text]), Kind.AMOUNT, "amount", ValueForm(), form)

    assert read.series.to_list() == [amount]
    assert read.faults == []


@given(st.text(max_size=12))
def test_no_text_is_an_amount_unless_it_is_plain_digits(text):
    import re

    import polars as pl

    from o2c.contract import Kind
    from o2c.sources.model import TextForm, ValueForm
    from o2c.sources.values import parse

    read = parse(pl.Series([text]), Kind.AMOUNT, "amount", ValueForm(), TextForm())

    is_amount = re.fullmatch(r"-?[0-9]{1,14}(\.[0-9]{1,4}0*)?", text) is not None
    assert (read.series[0] is not None) == is_amount


@given(
    st.dates(date(1970, 1, 1), date(2068, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y%m%d", "%d-%b-%y"]),
)
def test_a_date_written_in_a_format_is_read_back_in_that_format(day, form):
    import polars as pl

    from o2c.sources.dates import parse_dates

    assert parse_dates(pl.Series([day.strftime(form)]), (form,)).to_list() == [day]
