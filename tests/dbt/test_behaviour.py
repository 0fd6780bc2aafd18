"""One order from its invoices to its reminders, worked out by hand; and many dates in one build say what one says."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from customer_books import Book, load_book, read_book
from polars.testing import assert_frame_equal
from receivables_books import frame, on_dates, read

from flows import _dbt
from o2c.frames import ForecastHistory
from o2c.warehouse import RUN_TABLES, connect, load_frame

BY_DATE = [
    "core.fct_revenue_concentration",
    "core.fct_segment_matrix",
    "collections.fct_contact_kpis",
    "collections.fct_coverage",
    "receivables.fct_baseline_comparison",
    "receivables.fct_cash_forecast",
    "receivables.fct_dispute_causes",
    "receivables.fct_disputes",
    "receivables.fct_invoice_quality",
    "receivables.fct_missing_invoices",
    "receivables.fct_payment_methods",
    "receivables.fct_shipped_not_invoiced",
]
TIES = (
    "assert_cash_forecast_ties_to_net_receivables assert_order_to_cash_conserves assert_segments_sum_to_the_whole"
    " assert_disputes_tie_to_open_items"
)


def built(book: Book, folder: Path) -> Path:
    """The book with everything built, an earlier forecast and the letter that left."""
    folder.mkdir(parents=True)
    build = load_book(book, folder)
    history = pl.DataFrame(
        {
            "as_of_date": ["2026-05-04"],
            "week_start_date": ["2026-06-08"],
            "entity_id": ["E1"],
            "currency_code": ["EUR"],
            "week_number": [6],
            "is_beyond_horizon": [False],
            "expected_amount": ["5"],
            "low_amount": ["0"],
            "high_amount": ["9"],
        }
    )
    letters = pl.DataFrame(
        [("L1", "dunning", "E1", "ACME", "EUR", 1, "sent", "2026-06-16", "2026-06-16")],
        schema=list(RUN_TABLES["raw.letter_history"]),
        orient="row",
    )
    with connect(build) as con:
        load_frame(con, "raw.forecast_history", history.select(ForecastHistory.columns()))
        load_frame(con, "raw.letter_history", letters)
    for tag in ("tag:cash", "tag:marts", "tag:decisions"):
        _dbt.run_models(build, folder, tag)
    return build


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("behaviour")


@pytest.fixture(scope="module")
def one_order(folder: Path) -> Path:
    return built(read_book("behaviour_one_order"), folder / "one_order")


def test_from_an_order_its_invoices_payments_and_what_was_done_are_told(one_order: Path) -> None:
    told = read(
        one_order,
        "core.fct_order_to_cash",
        "event_date, event_type, reference_id, line_number, invoice_id, payment_id, actor, detail, event_amount",
        "order_id = 'O1'",
    )
    assert told == [
        ("2026-05-01", "ordered", "O1", 1, None, None, "ledger", None, "1000"),
        ("2026-05-04", "shipped", "O1", 1, None, None, "ledger", None, None),
        ("2026-05-05", "invoiced", "I1", 1, "I1", None, "ledger", "invoice", "600"),
        ("2026-05-05", "sent", "I1", 1, "I1", None, "ledger", "email", None),
        ("2026-05-06", "invoiced", "I2", 1, "I2", None, "ledger", "invoice", "400"),
        ("2026-06-10", "paid", "A1", 1, "I1", "P1", "ledger", "payment", "500"),
        ("2026-06-10", "paid", "A2", 1, "I2", "P1", "ledger", "payment", "100"),
        ("2026-06-12", "disputed", "D1", 1, "I2", None, "customer", "damaged", "80"),
        ("2026-06-16", "reminded", "L1", 1, "I1", None, "engine", "first_contact", "100"),
        ("2026-06-16", "reminded", "L1", 2, "I2", None, "engine", "first_contact", "220"),
        ("2026-06-20", "promised", "PR1", 1, "I1", None, "customer", "pending", "100"),
        ("2026-06-30", "listed_for_call", "I1", 1, "I1", None, "K1", None, None),
        ("2026-06-30", "listed_for_call", "I2", 1, "I2", None, "K1", None, None),
    ]


def test_what_was_done_to_the_account_or_to_other_orders_stands_on_its_own(one_order: Path) -> None:
    others = read(
        one_order,
        "core.fct_order_to_cash",
        "event_date, event_type, reference_id, customer_id, order_id, actor, detail, event_amount",
        "order_id is distinct from 'O1'",
    )
    assert others == [
        ("2026-06-01", "invoiced", "I3", "BETA", None, "ledger", "invoice", "100"),
        ("2026-06-15", "contacted", "T1", "ACME", None, "K1", "call: promise", None),
        ("2026-06-20", "ordered", "O2", "ACME", "O2", "ledger", None, "300"),
        ("2026-06-25", "shipped", "O2", "ACME", "O2", "ledger", None, None),
        ("2026-06-30", "order_hold", "O2", "ACME", "O2", "engine", "past due", "300"),
    ]


def test_the_360_degree_view_tells_of_orders_invoices_disputes_promises_and_letters(one_order: Path) -> None:
    columns = (
        "customer_id, open_order_count, group_uninvoiced_amount, invoice_count, open_invoice_count,"
        " past_due_invoice_count, oldest_days_past_due, days_beyond_terms, last_invoice_date, last_delivery_channel,"
        " usual_payment_method, group_unapplied_amount, last_payment_date, open_dispute_count, group_disputed_amount,"
        " pending_promise_count, next_promised_date, sent_letter_count, last_letter_level, last_letter_date,"
        " last_contact_date, group_exposure_amount, utilisation_ratio, habit_basis, usual_days_late"
    )
    assert read(one_order, "core.dim_customers", columns) == [
        (
            *("ACME", 1, "300", 2, 2, 2, 26, "25.25", "2026-05-06", "email", "check", "50", "2026-06-28"),
            *(1, "80", 1, "2026-07-08", 1, 1, "2026-06-16", "2026-06-15", "650", "0.325", "terms", 0),
        ),
        (
            *("BETA", 0, "0", 1, 1, 0, None, "0", "2026-06-01", None, None, "0", None),
            *(0, "0", 0, None, 0, None, None, None, "100", None, "terms", 0),
        ),
    ]


def test_cash_is_expected_by_promise_terms_and_wait_and_sums_to_net_receivables(one_order: Path) -> None:
    weeks = read(
        one_order,
        "receivables.fct_cash_forecast",
        "as_of_date, week_start_date, expected_amount, low_amount, high_amount, promised_amount, fallback_amount,"
        " disputed_amount, is_beyond_horizon",
        "high_amount <> 0",
    )
    assert weeks == [
        ("2026-05-31", "2026-06-01", "1000", "1000", "1000", "0", "1000", "0", False),
        # BETA by its terms on 1 July; ACME's promise less the 50 on account; two weeks' wait for the rest, or four
        ("2026-06-30", "2026-06-29", "100", "100", "100", "0", "100", "0", False),
        ("2026-06-30", "2026-07-06", "50", "50", "50", "100", "0", "0", False),
        ("2026-06-30", "2026-07-13", "176", "0", "220", "0", "220", "0", False),
        ("2026-06-30", "2026-07-27", "44", "0", "220", "0", "0", "0", False),
        ("2026-06-30", "2026-09-28", "80", "80", "80", "0", "0", "80", True),
    ]


def test_forecasts_of_this_build_and_of_history_are_held_against_what_came(one_order: Path) -> None:
    errors = read(
        one_order,
        "receivables.fct_forecast_errors",
        "forecast_date, week_start_date, expected_amount, collected_amount, error_amount, total_collected_amount,"
        " is_within_range",
    )
    assert errors == [
        # what was paid on 10 June was for documents of 5 and 6 May, which the forecast of 4 May could not know
        ("2026-05-04", "2026-06-08", "5", "0", "-5", "600", True),
        ("2026-05-31", "2026-06-01", "1000", "0", "-1000", "0", False),
        ("2026-05-31", "2026-06-08", "0", "600", "600", "600", False),
        ("2026-05-31", "2026-06-15", "0", "0", "0", "0", True),
        ("2026-05-31", "2026-06-22", "0", "50", "50", "50", False),
    ]


def test_the_totals_tie(one_order: Path) -> None:
    assert _dbt.run_tests(one_order, one_order.parent, TIES) == []


def test_a_date_among_others_in_one_build_says_what_a_build_of_it_alone_says(
    one_order: Path, folder: Path
) -> None:
    book = read_book("behaviour_one_order")
    day = book.run_dates[0]
    alone = built(on_dates(book, day), folder / "alone")
    for table in BY_DATE:
        of_day = frame(one_order, table).filter(pl.col("as_of_date") == day)
        assert_frame_equal(of_day, frame(alone, table), check_row_order=False, check_exact=True)


def test_the_order_of_the_input_changes_nothing(one_order: Path, folder: Path) -> None:
    book = read_book("behaviour_one_order")
    turned = replace(book, tables={name: list(reversed(rows)) for name, rows in book.tables.items()})
    other = built(turned, folder / "turned")
    for table in [
        *BY_DATE,
        "core.dim_customers",
        "core.fct_order_to_cash",
        "receivables.fct_forecast_errors",
    ]:
        assert_frame_equal(
            frame(one_order, table), frame(other, table), check_row_order=False, check_exact=True
        )
