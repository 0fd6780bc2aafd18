"""Why a customer or an invoice is treated as it is, told from a small published database."""

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from o2c.explain import NothingFound, Story, explain_customer, explain_invoice
from o2c.home import Home, open_home
from o2c.landing import Delivery
from o2c.ledger import Ledger
from o2c.warehouse import connect

EARLIER, LATEST = date(2026, 3, 5), date(2026, 3, 12)

TABLES = """
create schema core; create schema receivables; create schema collections;
create table core.dim_customers (customer_id varchar, customer_name varchar, credit_limit_amount decimal(18, 4));
insert into core.dim_customers values ('C-1', 'Acme', 1000), ('C-2', 'Bolt', null);
create table core.fct_customer_segments (as_of_date date, customer_id varchar, segment varchar);
insert into core.fct_customer_segments values
    ('2026-03-05', 'C-1', 'new_low'), ('2026-03-12', 'C-1', 'late_high'), ('2026-03-12', 'C-2', 'new_low');
create table receivables.fct_ar_aging (
    as_of_date date, entity_id varchar, customer_id varchar, currency_code varchar, open_amount decimal(18, 4));
insert into receivables.fct_ar_aging values
    ('2026-03-05', 'E1', 'C-1', 'EUR', 100), ('2026-03-12', 'E1', 'C-1', 'EUR', 60);
create table receivables.fct_ar_kpis (as_of_date date);
insert into receivables.fct_ar_kpis values ('2026-02-28'), ('2026-03-12');
create table receivables.fct_invoices (
    invoice_id varchar, entity_id varchar, customer_id varchar, invoice_number varchar, document_type varchar,
    status varchar default 'open', currency_code varchar, invoice_amount decimal(18, 4),
    open_amount decimal(18, 4), invoice_date date, due_date date, source varchar, file_id varchar, line bigint);
insert into receivables.fct_invoices
    (invoice_id, entity_id, customer_id, invoice_number, document_type, currency_code, invoice_amount, open_amount,
    invoice_date, due_date, source, file_id, line) values
    ('I-1', 'E1', 'C-1', '2026/1', 'invoice', 'EUR', 100, 60, '2026-01-30', '2026-03-01', 'books', 'ff01', 1234),
    ('I-2', 'E1', 'C-1', '2026/2', 'invoice', 'EUR', 25, 0, '2026-03-10', '2026-04-09', 'books', 'ff02', 3),
    ('I-3', 'E2', 'C-2', '2026/2', 'invoice', 'EUR', 9, 9, '2026-03-11', '2026-03-11', 'books', 'ff99', 4),
    ('CM-1', 'E1', 'C-1', 'CM/1', 'credit_memo', 'EUR', -30, -5, '2026-03-01', '2026-03-01', 'books', 'ff02', 5);
create table receivables.fct_payment_applications (
    application_id varchar, payment_id varchar, credit_memo_id varchar, invoice_id varchar, currency_code varchar,
    applied_amount decimal(18, 4), effective_date date, application_type varchar, rule varchar, applied_by varchar,
    explanation varchar);
insert into receivables.fct_payment_applications values
    ('A-1', 'P-1', null, 'I-1', 'EUR', 40, '2026-03-06', 'payment', 'by number', 'engine', 'names 2026/1'),
    ('A-2', null, 'CM-1', 'I-2', 'EUR', 25, '2026-03-12', 'credit_memo', 'ledger', 'ledger', null);
create table receivables.fct_adjustments (
    adjustment_id varchar, invoice_id varchar, currency_code varchar, adjustment_type varchar, reason varchar,
    moved_amount decimal(18, 4), effective_date date);
create table collections.fct_dunning_decisions (
    as_of_date date, entity_id varchar, customer_id varchar, currency_code varchar, decision varchar,
    reason_code varchar);
insert into collections.fct_dunning_decisions values
    ('2026-03-05', 'E1', 'C-1', 'EUR', 'none', 'grace'), ('2026-03-12', 'E1', 'C-1', 'EUR', 'letter', 'past_due');
create table collections.fct_letters (
    letter_id varchar, customer_id varchar, stage varchar, level bigint, state varchar, currency_code varchar,
    total_amount decimal(18, 4), decided_as_of_date date);
insert into collections.fct_letters values
    ('L-1', 'C-1', 'first_contact', 1, 'sent', 'EUR', 60, '2026-03-12');
create table collections.fct_letter_lines (letter_id varchar, invoice_id varchar, amount decimal(18, 4));
insert into collections.fct_letter_lines values ('L-1', 'I-1', 60);
create table collections.fct_credit_flags (as_of_date date, customer_id varchar, flag_code varchar);
insert into collections.fct_credit_flags values ('2026-03-12', 'C-1', 'over_limit');
create table collections.fct_agency_referrals (
    as_of_date date, customer_id varchar, invoice_id varchar, installment_number bigint, status varchar);
create table collections.fct_worklist (
    as_of_date date, customer_id varchar, currency_code varchar, work_rank bigint, is_in_capacity boolean);
insert into collections.fct_worklist values ('2026-03-12', 'C-1', 'EUR', 1, true);
create table collections.fct_worklist_terms (
    as_of_date date, customer_id varchar, currency_code varchar, term varchar, contribution decimal(18, 6));
insert into collections.fct_worklist_terms values
    ('2026-03-12', 'C-1', 'EUR', 'value', 0.2), ('2026-03-12', 'C-1', 'EUR', 'days', 0.3);
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = open_home(tmp_path_factory.mktemp("published"))
    home.published.mkdir()
    with connect(home.published / "o2c.duckdb") as con:
        con.execute(TABLES)
    ledger = Ledger(home.ledger_url)
    for name, file_id in (("january.csv", "ff01"), ("march.csv", "ff02")):
        ledger.record(Delivery("books", name, file_id, "m", datetime(2026, 3, 12, tzinfo=UTC)))
    ledger.engine.dispose()
    return home.root


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Home:
    """A copy that a test may change."""
    shutil.copytree(published, tmp_path / "home")
    return open_home(tmp_path / "home")


def change(home: Home, statement: str) -> None:
    with connect(home.published / "o2c.duckdb") as con:
        con.execute(statement)


def item(
    invoice_id: str, number: str, amount: str, left: str, days: int, came_from: str, **changes: Any
) -> Any:
    return {
        "invoice_id": invoice_id,
        "invoice_number": number,
        "document_type": "invoice",
        "currency_code": "EUR",
        "invoice_amount": Decimal(amount),
        "open_amount": Decimal(left),
        "invoice_date": date(2026, 1, 30),
        "due_date": date(2026, 3, 1),
        "days_past_due": days,
        "came_from": came_from,
    } | changes


def memo(left: str, days: int) -> Any:
    return item(
        "CM-1",
        "CM/1",
        "-30.0000",
        left,
        days,
        "books: march.csv, line 5",
        document_type="credit_memo",
        invoice_date=date(2026, 3, 1),
    )


def test_a_customer_at_the_latest_date(home: Home) -> None:
    story = explain_customer(home, "C-1")
    assert story.title == "Customer C-1 as of 2026-03-12"
    assert story.data == {
        "customer": [
            {"customer_id": "C-1", "customer_name": "Acme", "credit_limit_amount": Decimal("1000.0000")}
        ],
        "segment": [{"customer_id": "C-1", "segment": "late_high"}],
        "aging": [
            {
                "entity_id": "E1",
                "customer_id": "C-1",
                "currency_code": "EUR",
                "open_amount": Decimal("60.0000"),
            }
        ],
        "open_items": [
            memo("-5.0000", 11),
            item("I-1", "2026/1", "100.0000", "60.0000", 11, "books: january.csv, line 1234"),
        ],
        "dunning_decision": [
            {
                "entity_id": "E1",
                "customer_id": "C-1",
                "currency_code": "EUR",
                "decision": "letter",
                "reason_code": "past_due",
            }
        ],
        "letters": [
            {
                "letter_id": "L-1",
                "stage": "first_contact",
                "level": 1,
                "state": "sent",
                "currency_code": "EUR",
                "total_amount": Decimal("60.0000"),
                "decided_as_of_date": LATEST,
            }
        ],
        "credit_flags": [{"customer_id": "C-1", "flag_code": "over_limit"}],
        "agency_referrals": [],
        "worklist": [{"customer_id": "C-1", "currency_code": "EUR", "work_rank": 1, "is_in_capacity": True}],
        "worklist_score_terms": [
            {
                "customer_id": "C-1",
                "currency_code": "EUR",
                "term": term,
                "contribution": Decimal(contribution),
            }
            for term, contribution in (("days", "0.300000"), ("value", "0.200000"))
        ],
    }


def test_a_customer_at_an_earlier_date_is_told_as_it_stood_then(home: Home) -> None:
    data = explain_customer(home, "C-1", EARLIER).data
    assert data["open_items"] == [
        memo("-30.0000", 4),
        item("I-1", "2026/1", "100.0000", "100.0000", 4, "books: january.csv, line 1234"),
    ]
    assert data["segment"] == [{"customer_id": "C-1", "segment": "new_low"}]
    assert [row["reason_code"] for row in data["dunning_decision"]] == ["grace"]
    assert (data["letters"], data["credit_flags"], data["worklist"]) == ([], [], [])


def test_an_invoice_with_what_was_set_against_it_and_what_it_led_to(home: Home) -> None:
    story = explain_invoice(home, "I-1")
    assert story.title == "Invoice I-1 as of 2026-03-12"
    assert story.data["invoice"] == [
        item("I-1", "2026/1", "100.0000", "60.0000", 11, "books: january.csv, line 1234")
    ]
    assert story.data["applications"] == [
        {
            "effective_date": date(2026, 3, 6),
            "application_type": "payment",
            "applied_amount": Decimal("40.0000"),
            "currency_code": "EUR",
            "payment_id": "P-1",
            "rule": "by number",
            "applied_by": "engine",
            "explanation": "names 2026/1",
        }
    ]
    assert story.data["listed_in_letters"] == [
        {
            "letter_id": "L-1",
            "stage": "first_contact",
            "state": "sent",
            "decided_as_of_date": LATEST,
            "amount": Decimal("60.0000"),
        }
    ]
    assert [row["reason_code"] for row in story.data["dunning_decision"]] == ["past_due"]


def test_an_invoice_at_an_earlier_date_knows_nothing_of_later_days(home: Home) -> None:
    data = explain_invoice(home, "I-1", EARLIER).data
    assert data["invoice"] == [
        item("I-1", "2026/1", "100.0000", "100.0000", 4, "books: january.csv, line 1234")
    ]
    assert (data["applications"], data["listed_in_letters"]) == ([], [])


def test_what_was_adjusted_later_was_open_before(home: Home) -> None:
    change(
        home,
        "insert into receivables.fct_adjustments values"
        " ('W-1', 'I-1', 'EUR', 'write_off', 'small', 7, '2026-03-06'),"
        " ('W-2', 'I-1', 'EUR', 'fx', null, 5, '2026-03-05'), ('W-3', 'CM-1', 'EUR', 'other', null, -4, '2026-03-06')",
    )
    now, then = explain_invoice(home, "I-1").data, explain_invoice(home, "I-1", EARLIER).data
    assert [row["open_amount"] for row in now["invoice"] + then["invoice"]] == [60, 107]
    assert [row["adjustment_type"] for row in now["adjustments"]] == ["fx", "write_off"]
    assert then["adjustments"] == [
        {
            "effective_date": EARLIER,
            "adjustment_type": "fx",
            "moved_amount": Decimal("5.0000"),
            "currency_code": "EUR",
            "reason": None,
        }
    ]
    assert explain_invoice(home, "CM-1", EARLIER).data["invoice"][0]["open_amount"] == -34


def test_a_write_off_of_a_credit_memo_lowers_what_we_owed(home: Home) -> None:
    change(
        home,
        "insert into receivables.fct_payment_applications values"
        " ('A-3', null, null, 'CM-1', 'EUR', 5, '2026-03-06', 'write_off', null, 'ledger', null)",
    )
    assert explain_invoice(home, "CM-1", EARLIER).data["invoice"][0]["open_amount"] == -35


def test_a_cancelled_document_is_open_on_no_day(home: Home) -> None:
    change(
        home,
        "update receivables.fct_invoices set status = 'cancelled', open_amount = 0 where invoice_id = 'I-1'",
    )
    assert explain_invoice(home, "I-1", EARLIER).data["invoice"][0]["open_amount"] == 0


def test_a_home_that_was_only_backfilled_is_told_without_decisions(home: Home) -> None:
    change(home, "drop schema collections cascade")
    data = explain_customer(home, "C-1", EARLIER).data
    assert [row["open_amount"] for row in data["open_items"]] == [-30, 100]
    assert (data["dunning_decision"], data["letters"], data["worklist"]) == ([], [], [])


def test_an_invoice_is_found_by_a_number_that_only_one_has(home: Home) -> None:
    assert explain_invoice(home, "2026/1").data == explain_invoice(home, "I-1").data


def test_a_number_of_several_invoices_is_refused_with_their_ids(home: Home) -> None:
    with pytest.raises(NothingFound, match=r"invoice 2026/2: the number of I-2, I-3: give one of these ids"):
        explain_invoice(home, "2026/2")


def test_an_id_wins_over_the_same_text_as_a_number(home: Home) -> None:
    change(home, "update receivables.fct_invoices set invoice_number = 'I-1' where invoice_id = 'I-3'")
    assert explain_invoice(home, "I-1").title == "Invoice I-1 as of 2026-03-12"


def test_a_file_that_the_ledger_does_not_know_is_told_by_its_hash(home: Home) -> None:
    (row,) = explain_invoice(home, "I-3").data["invoice"]
    assert row["came_from"] == "books: ff99, line 4"


@pytest.mark.parametrize("explain", [explain_customer, explain_invoice])
def test_who_is_not_there_is_refused(home: Home, explain: Any) -> None:
    with pytest.raises(
        NothingFound, match=r"(customer|invoice) X'; drop table x; --: not in what is published"
    ):
        explain(home, "X'; drop table x; --")


@pytest.mark.parametrize("explain", [explain_customer, explain_invoice])
def test_a_date_that_was_not_published_is_refused_with_those_that_were(home: Home, explain: Any) -> None:
    for day in (date(2026, 3, 4), date(2026, 2, 28), date(2026, 3, 13)):
        with pytest.raises(NothingFound, match=rf"--as-of {day}: .* dates are 2026-03-05, 2026-03-12\."):
            explain(home, "C-1", day)


def test_a_date_after_the_one_that_is_published_now_must_be_run_again(home: Home) -> None:
    change(home, "delete from receivables.fct_ar_kpis where as_of_date = '2026-03-12'")
    with pytest.raises(NothingFound, match=r"--as-of 2026-03-12: what is published now is of 2026-02-28"):
        explain_customer(home, "C-1", LATEST)


def test_the_latest_date_can_be_asked_for_also_when_nothing_is_open_on_it(home: Home) -> None:
    change(home, "delete from receivables.fct_ar_aging where as_of_date = '2026-03-12'")
    assert explain_customer(home, "C-1", LATEST) == explain_customer(home, "C-1")


def test_an_invoice_of_a_later_day_is_refused_with_its_date(home: Home) -> None:
    with pytest.raises(NothingFound, match=r"invoice I-2: is of 2026-03-10, after 2026-03-05"):
        explain_invoice(home, "I-2", EARLIER)


def test_before_anything_was_published_there_is_nothing_to_explain(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"nothing is published yet\. Run `o2c run` first"):
        explain_customer(open_home(tmp_path), "C-1")


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    home.published.mkdir()
    (home.published / "o2c.duckdb").write_text("garbage")
    with pytest.raises(NothingFound, match=r"o2c\.duckdb: cannot be opened as a DuckDB file"):
        explain_customer(home, "C-1")


def test_text_shows_every_value_of_the_data(home: Home) -> None:
    for story in (explain_customer(home, "C-1"), explain_invoice(home, "I-1")):
        text = story.text()
        assert text.startswith(f"{story.title}\n\n")
        for name, rows in story.data.items():
            assert (name.replace("_", " ").capitalize() in text) is bool(rows)
            for row in rows:
                assert [
                    str(value) for value in row.values() if value is not None and str(value) not in text
                ] == []


def test_one_row_is_told_in_pairs_and_several_in_columns() -> None:
    story = Story(
        "Title",
        {
            "one_row": [{"id": "C-1", "limit_amount": None, "count": 1234, "is_late": True}],
            "none": [],
            "rows": [
                {"term": "days", "weight": None, "share": 1},
                {"term": "a", "weight": None, "share": 20},
            ],
        },
    )
    assert story.text().splitlines() == [
        "Title",
        "",
        "One row",
        "  id       C-1",
        "  count    1,234",
        "  is_late  True",
        "",
        "Rows",
        "  term  share",
        "  days  1",
        "  a     20",
    ]
