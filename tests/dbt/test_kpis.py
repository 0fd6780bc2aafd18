"""Roll-forward, roll rates, segments and expected losses: worked out by hand, and by an oracle on random books."""

import random
import shutil
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from customer_books import Book, load_book, read_book
from receivables_books import frame, on_dates, read

from flows import _dbt
from o2c.credit_loss import chain_losses
from o2c.warehouse import connect, load_frame

MODELS = "tag:cash tag:marts path:models/marts/losses"
BOOK = read_book("recv_one_quarter")
TIES = " ".join(
    [
        "assert_rollforward_closes",
        "assert_months_open_where_the_last_closed",
        "assert_rollforward_ties_to_aging",
        "assert_translation_is_what_the_rates_did",
        "assert_rolled_amounts_are_all_that_was_open",
        "assert_segment_kpis_sum_to_the_whole",
        "assert_expected_losses_tie_to_aging",
        "assert_every_cent_of_cash_is_somewhere",
        "assert_applications_are_conserved",
        "assert_group_rows_are_there",
        "assert_kpis_tie_to_aging",
    ]
)
LABELS = ("current", "1-30", "31-60", "61-90", "over 90")


def built(book, folder):
    """The book with every mart of receivables, the expected losses by roll rates included."""
    folder.mkdir(parents=True)
    build = load_book(book, folder)
    _dbt.run_models(build, folder, MODELS)
    with connect(build) as con:
        rates = con.sql("from receivables.fct_roll_rates").pl()
        balances = con.sql("from intermediate.int_losses_by_matrix").pl()
        load_frame(con, "decided.chain_losses", chain_losses(rates, balances, 12, LABELS))
    _dbt.run_models(build, folder, "fct_expected_credit_loss")
    return build


@pytest.fixture(scope="module")
def quarter(tmp_path_factory):
    return built(BOOK, tmp_path_factory.mktemp("kpis") / "quarter")


def test_the_quarter_rolls_forward_month_by_month(quarter):
    columns = (
        "month_end_date, entity_id, currency_code, opening_amount, invoiced_amount, credited_amount, collected_amount,"
        " discount_amount, written_off_amount, adjusted_amount, fx_amount, closing_amount, is_complete_month"
    )
    assert read(quarter, "receivables.fct_ar_rollforward", columns) == [
        ("2026-04-30", "ALL", "EUR", "0", "1390", "0", "0", "0", "0", "0", "0", "1390", True),
        ("2026-04-30", "E1", "EUR", "0", "1300", "0", "0", "0", "0", "0", "0", "1300", True),
        ("2026-04-30", "E1", "USD", "0", "100", "0", "0", "0", "0", "0", "0", "100", True),
        ("2026-05-31", "ALL", "EUR", "1390", "820", "0", "568.4", "1.6", "0", "0", "0", "1640", True),
        ("2026-05-31", "E1", "EUR", "1300", "820", "0", "478.4", "1.6", "0", "0", "0", "1640", True),
        ("2026-05-31", "E1", "USD", "100", "0", "0", "100", "0", "0", "0", "0", "0", True),
        # 100 dollars came back at 0.90 on the 12th and stand at 0.80 at the month's end
        ("2026-06-30", "ALL", "EUR", "1640", "0", "120", "763", "0", "40", "0", "-10", "707", True),
        ("2026-06-30", "E1", "EUR", "1640", "0", "120", "853", "0", "40", "0", "0", "627", True),
        ("2026-06-30", "E1", "USD", "0", "0", "0", "-100", "0", "0", "0", "0", "100", True),
    ]


def test_open_items_of_a_month_end_stand_somewhere_on_the_next(quarter):
    columns = "month_end_date, currency_code, from_bucket, to_bucket, from_amount, rolled_amount, roll_ratio"
    assert read(quarter, "receivables.fct_roll_rates", columns) == [
        ("2026-05-31", "EUR", "current", "1-30", "1300", "700", "0.538462"),
        ("2026-05-31", "EUR", "current", "current", "1300", "200", "0.153846"),
        ("2026-05-31", "EUR", "current", "paid", "1300", "400", "0.307692"),
        ("2026-05-31", "USD", "current", "paid", "100", "100", "1"),
        ("2026-06-30", "EUR", "1-30", "paid", "740", "700", "0.945946"),
        ("2026-06-30", "EUR", "1-30", "written_off", "740", "40", "0.054054"),
        ("2026-06-30", "EUR", "current", "1-30", "900", "120", "0.133333"),
        ("2026-06-30", "EUR", "current", "current", "900", "680", "0.755556"),
        ("2026-06-30", "EUR", "current", "paid", "900", "100", "0.111111"),
    ]


def test_both_estimates_of_losses_stand_beside_each_other(quarter):
    # of 2,200 current in two months 820 went to 1-30 and 880 stayed, so 820/1320 get there; 40/740 of those are lost
    columns = (
        "entity_id, aging_bucket, open_amount, allowance_amount, chain_loss_ratio, chain_allowance_amount"
    )
    june = "as_of_date = date '2026-06-30' and currency_code = 'EUR' and open_amount <> 0"
    assert read(quarter, "receivables.fct_expected_credit_loss", columns, june) == [
        ("ALL", "1-30", "120", "4.8", None, None),
        ("ALL", "31-60", "80", "6.96", None, None),
        ("ALL", "current", "680", "13.6", None, None),
        ("E1", "1-30", "120", "4.8", "0.054054", "6.49"),
        ("E1", "current", "680", "13.6", "0.033579", "22.83"),
    ]


def test_segments_have_their_own_figures(quarter):
    columns = (
        "segment, customer_count, open_amount, past_due_amount, net_amount, credit_sales_amount, dso_days,"
        " past_due_month_end_1_ratio, past_due_month_end_2_ratio, past_due_month_end_3_ratio"
    )
    where = (
        "as_of_date = date '2026-06-30' and segment_dimension = 'behaviour_class' and entity_id = 'E1'"
        " and currency_code = 'EUR'"
    )
    found = read(quarter, "receivables.fct_ar_segment_kpis", columns, where)
    assert found[0] == ("(unidentified)", 0, "0", "0", "-33", "0", None, None, None, None)
    assert sum(Decimal(row[2]) for row in found) == 800
    assert sum(Decimal(row[4]) for row in found) == 627
    assert sum(Decimal(row[5]) for row in found) == 1700


def test_figures_change_against_the_month_end_before(quarter):
    columns = "as_of_date, closing_net_change_amount, past_due_change_ratio, previous_month_end_date"
    assert read(
        quarter, "receivables.fct_ar_kpi_changes", columns, "entity_id = 'E1' and currency_code = 'EUR'"
    ) == [
        ("2026-04-30", None, None, None),
        ("2026-05-31", "340", "0.45122", "2026-04-30"),
        ("2026-06-30", "-1013", "-0.30122", "2026-05-31"),
    ]


def test_every_tie_holds(quarter):
    assert _dbt.run_tests(quarter, quarter.parent, TIES, exclude="") == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (
            "update receivables.fct_ar_rollforward set collected_amount = collected_amount + 0.01"
            " where month_end_date = date '2026-06-30' and currency_code = 'USD'",
            "assert_rollforward_closes: 1 rows\n    month_end_date 2026-06-30, entity_id E1, currency_code USD,"
            " rolled_amount 99.9900, closing_amount 100.0000",
        ),
        (
            "update receivables.fct_ar_rollforward set opening_amount = opening_amount + 1, closing_amount ="
            " closing_amount + 1 where month_end_date = date '2026-05-31' and currency_code = 'USD'",
            "assert_months_open_where_the_last_closed: 2 rows",
        ),
        (
            "delete from receivables.fct_ar_segment_kpis where segment = '(unidentified)'",
            "closing_net_amount 627.0000, segments_net_amount 660.0000",
        ),
        (
            "update receivables.fct_roll_rates set roll_ratio = roll_ratio + 0.000001 where to_bucket = 'written_off'",
            "from_amount 740.0000, rolled_amount 740.0000, ratio_sum 1.000001",
        ),
    ],
    ids=["a flow", "a month", "a segment", "a ratio"],
)
def test_a_tie_that_fails_names_both_totals(quarter, tmp_path, broken, told):
    build = tmp_path / "build.duckdb"
    shutil.copy(quarter, build)
    with connect(build) as con:
        con.execute(broken)
    with pytest.raises(_dbt.BuildFailed) as failure:
        _dbt.run_tests(build, tmp_path, TIES, exclude="")
    assert told in str(failure.value)


def test_the_month_of_the_run_stands_to_date_and_earlier_months_as_ever(quarter, tmp_path):
    mid = built(on_dates(BOOK, date(2026, 6, 15)), tmp_path / "mid")
    columns = (
        "month_end_date, as_of_date, is_complete_month, opening_amount, collected_amount, closing_amount"
    )
    assert read(
        mid, "receivables.fct_ar_rollforward", columns, "entity_id = 'E1' and currency_code = 'EUR'"
    ) == [
        ("2026-04-30", "2026-04-30", True, "0", "0", "1300"),
        ("2026-05-31", "2026-05-31", True, "1300", "478.4", "1640"),
        ("2026-06-30", "2026-06-15", False, "1640", "120", "1400"),
    ]
    assert read(mid, "receivables.fct_roll_rates", "distinct month_end_date") == [("2026-05-31",)]


def random_book(seed):
    """Months of invoices, parts of them paid, given up, paid back, paid too much, at any day."""
    draw = random.Random(seed)  # noqa: S311
    tables = defaultdict(list)
    for number in range(60):
        dated = date(2026, 1, 1) + timedelta(draw.randrange(150))
        amount = draw.randrange(1, 30)
        known = {
            "entity_id": draw.choice("EF"),
            "currency_code": draw.choice(["EUR", "JPY"]),
            "customer_id": "C",
        }
        kind = draw.choice(["invoice", "invoice", "invoice", "debit_memo", "credit_memo"])
        tables["invoices"].append(
            {"invoice_id": f"I{number}", "invoice_number": f"I{number}", "document_type": kind, **known}
            | {
                "invoice_date": dated,
                "due_date": dated + timedelta(draw.randrange(60)),
                "invoice_amount": amount,
            }
        )
        if kind == "credit_memo":
            continue
        for part in range(draw.choice([0, 1, 1, 2, 3])):
            moved = dated + timedelta(draw.randrange(90))
            tables["payment_applications"].append(
                {"application_id": f"A{number}.{part}", "invoice_id": f"I{number}", "application_date": moved}
                | {"applied_amount": draw.choice([amount, -2, 3, 5, amount // 2 or 1])}
                | {"application_type": draw.choice(["payment", "payment", "write_off"])}
            )
    ends = [date(2026, month, 1) - timedelta(1) for month in range(2, 8)]
    return Book(dict(tables), [date(2026, 7, 10)], ends)


def label(days):
    return LABELS[sum(days > edge for edge in (0, 30, 60, 90))]


def rolls_by_hand(book):
    """From the definition: open then and open now of each debit item, with lists and decimals alone."""
    ends = [day for day in book.kpi_dates if day.day >= 28]
    rolled = defaultdict(Decimal)
    for row in book.tables["invoices"]:
        if row["document_type"] == "credit_memo":
            continue
        moves = [
            (max(move["application_date"], row["invoice_date"]), move)
            for move in book.tables["payment_applications"]
            if move["invoice_id"] == row["invoice_id"]
        ]

        def open_on(day, row=row, moves=moves):
            if row["invoice_date"] > day:
                return 0
            return row["invoice_amount"] - sum(move["applied_amount"] for at, move in moves if at <= day)

        for before, now in pairwise(ends):
            then = open_on(before)
            if then <= 0:
                continue
            left = max(min(then, open_on(now)), 0)
            given_up = sum(
                move["applied_amount"]
                for at, move in moves
                if before < at <= now and move["application_type"] == "write_off"
            )
            lost = min(max(given_up, 0), then - left)
            start = label((before - row["due_date"]).days)
            key = (now.isoformat(), row["entity_id"], row["currency_code"], start)
            rolled[*key, label((now - row["due_date"]).days)] += left
            rolled[*key, "written_off"] += lost
            rolled[*key, "paid"] += then - left - lost
    return sorted((*key, f"{amount.normalize():f}") for key, amount in rolled.items() if amount)


@pytest.mark.parametrize("seed", range(3))
def test_roll_rates_are_those_of_the_definition_on_random_books(seed, tmp_path):
    book = random_book(seed)
    build = built(book, tmp_path / "random")
    columns = "month_end_date, entity_id, currency_code, from_bucket, to_bucket, rolled_amount"
    assert read(build, "receivables.fct_roll_rates", columns) == rolls_by_hand(book)
    row_of_matrix = ["month_end_date", "entity_id", "currency_code", "from_bucket"]
    sums = frame(build, "receivables.fct_roll_rates").group_by(row_of_matrix).agg(pl.col("roll_ratio").sum())
    assert set(sums["roll_ratio"]) == {Decimal(1)}
    assert (
        _dbt.run_tests(build, build.parent, TIES.replace("assert_group_rows_are_there", ""), exclude="") == []
    )
