"""Sums of open items that explain a payment which names none."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from math import comb, exp, isqrt
from pathlib import Path
from statistics import NormalDist

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2c.contract import MONEY
from o2c.matching.subset_sum import expected_accidents, list_subsets
from o2c.matching.sums import find_sums
from o2c.policy import load_policies
from o2c.policy.matching import SUM_RULES, SubsetSums

POLICY = load_policies(Path(__file__).parents[3] / "policies").matching.model_copy(
    update={
        "rules": SUM_RULES,
        "identical_items": "person",
        "max_candidates": 5,
        "subset_sums": SubsetSums(max_items=16, max_density=Decimal("0.02"), max_terms=6),
    }
)
HABITS = POLICY.model_copy(update={"rules": tuple(rule for rule in SUM_RULES if rule != "subset_sum")})
OLDEST = POLICY.model_copy(update={"identical_items": "oldest_first"})
DAY = date(2026, 3, 31)
ACCOUNT = {"payer_key": pl.String(), "entity_id": pl.String(), "currency_code": pl.String()}
ITEMS = (
    {"item_key": pl.UInt32(), "amount": MONEY, "order_key": pl.String(), "invoice_id": pl.String()}
    | ACCOUNT
    | {"invoice_date": pl.Date(), "due_date": pl.Date()}
)
WANTED = {"payment_key": pl.UInt32(), "amount": MONEY, "value_date": pl.Date()} | ACCOUNT
ACME = {"payer_key": "ACME", "entity_id": "DE01", "currency_code": "EUR"}


def items(*rows):
    """Items 0, 1, 2, ... as (amount, invoice date, due date, order), dates as days of 2026."""
    full = []
    for key, (amount, *rest) in enumerate(rows):
        invoiced, due, order, other = (*rest, *(1, 31, None, {})[len(rest) :])
        full.append(
            ACME
            | {"item_key": key, "amount": Decimal(amount), "order_key": order, "invoice_id": f"INV-{key:03}"}
            | {"invoice_date": on(invoiced), "due_date": on(due)}
            | other
        )
    return pl.DataFrame(full, schema=ITEMS)


def on(day):
    return date(2025, 12, 31) + timedelta(day)


def wanted(*rows):
    full = [
        ACME
        | {"payment_key": key, "value_date": DAY, "amount": Decimal(amount)}
        | (other[0] if other else {})
        for key, (amount, *other) in enumerate((row,) if isinstance(row, str) else row for row in rows)
    ]
    return pl.DataFrame(full, schema=WANTED)


def believed(found):
    """``{payment_key: (rule, item keys)}`` of solutions."""
    return {
        key: (rule, keys)
        for key, rule, keys in found.solutions.group_by("payment_key", "rule").agg("item_key").iter_rows()
    }


def doubted(found):
    """``{payment_key: [(rule, item keys), ...]}`` of doubts, by rank."""
    told = defaultdict(list)
    of_set = ["payment_key", "candidate_rank", "rule"]
    sets = found.doubts.group_by(of_set, maintain_order=True).agg("item_key")
    for key, rank, rule, keys in sets.iter_rows():
        told[key].append((rule, keys))
        assert rank == len(told[key])
    return dict(told)


def explain(amount, *rows, policy=POLICY):
    found = find_sums(wanted(amount), items(*rows), policy)
    return believed(found).get(0), doubted(found).get(0)


OPEN = (
    ("1000.01", 1, 31),
    ("2000.02", 1, 31),
    ("4000.04", 40, 59, "PO-7"),
    ("8000.08", 41, 87, "PO-7"),
    ("-300.30", 60, 61),
    ("600.66", 75, 110, "PO-8"),
)


@pytest.mark.parametrize(
    ("amount", "rule", "keys", "said"),
    [
        ("15300.51", "whole_balance", [0, 1, 2, 4, 3, 5], "everything open, 6 items"),
        ("15600.81", "whole_balance", [0, 1, 2, 3, 5], "everything open, 5 items, credit memos left open"),
        ("8000.08", "single_amount", [3], "an open item of this amount"),
        ("3000.03", "all_due", [0, 1], "all 2 items due up to 2026-01-31"),
        ("7000.07", "all_due", [0, 1, 2], "all 3 items due up to 2026-02-28"),
        ("6699.77", "all_due", [0, 1, 2, 4], "all 4 items due up to 2026-03-02"),
        ("15000.15", "all_due", [0, 1, 2, 3], "all 4 items due up to 2026-03-28, credit memos left open"),
        ("300.36", "statement", [4, 5], "all 2 items invoiced in 2026-03"),
        ("12000.12", "statement", [2, 3], "all 2 items invoiced in 2026-02"),
        ("9000.09", "subset_sum", [0, 3], "2 of the open items"),
        ("7699.78", "subset_sum", [4, 3], "2 of the open items"),
    ],
)
def test_each_habit_explains_an_amount_and_any_sum_does_where_no_habit_fits(amount, rule, keys, said):
    found = find_sums(wanted(amount), items(*OPEN), POLICY)
    assert found.solutions.rows() == [(0, "ACME", rule, key, said) for key in keys]
    assert found.doubts.rows() == []


def test_items_of_one_order_are_found_and_an_item_without_an_order_is_of_none():
    rows = (("10.01", 1, 20, "A"), ("20.02", 40, 60, "A"), ("40.04", 20, 40), ("80.08", 80, 90))
    assert explain("30.03", *rows, policy=HABITS) == (("order", [0, 1]), None)
    assert explain("120.12", *rows, policy=HABITS) == (None, None)


@pytest.mark.parametrize(
    ("amount", "rule", "keys"),
    [
        ("70.00", "oldest_first", [0, 1, 2]),
        ("70.01", None, []),
        ("69.99", None, []),
        ("150.00", "whole_balance", [0, 1, 2, 3]),
    ],
)
def test_the_oldest_are_told_apart_by_invoice_date_where_the_due_date_is_one(amount, rule, keys):
    rows = (("10.00", 1, 30), ("20.00", 2, 60), ("40.00", 3, 60), ("80.00", 4, 60))
    explained, doubts = explain(amount, *rows, policy=HABITS)
    assert (explained, doubts) == ((rule, keys) if rule else None, None)


OF_ONE_DAY = (
    ("1000.01", 1, 30),
    ("2000.02", 2, 60),
    ("4000.04", 2, 60),
    ("6000.06", 2, 60),
    ("7000.00", 70, 99),
)


@pytest.mark.parametrize(
    ("amount", "rule", "sets"),
    [
        ("5000.05", "oldest_first", [[0, 2]]),
        ("3000.03", "oldest_first", [[0, 1]]),
        ("11000.11", "oldest_first", [[0, 2, 3]]),
        ("7000.07", "oldest_first", [[0, 3], [0, 1, 2]]),
        ("13000.13", "all_due", [[0, 1, 2, 3]]),
        ("4000.03", None, []),
    ],
)
def test_a_part_of_one_day_is_taken_only_where_the_amount_says_which_part(amount, rule, sets):
    explained, doubts = explain(amount, *OF_ONE_DAY, policy=HABITS)
    told = [(rule, keys) for keys in sets]
    assert ([explained] if explained else []) == (told if len(told) == 1 else [])
    assert (doubts or []) == (told if len(told) > 1 else [])


def test_of_one_day_no_part_is_believed_that_may_be_an_accident_and_none_looked_for_among_too_many():
    of_one_day = [(f"{Decimal(2**place) / 100}", 2, 60) for place in range(17)]
    alone = POLICY.model_copy(update={"rules": ("oldest_first",)})
    dense = alone.subset_sums.model_copy(update={"max_density": Decimal(1)})
    trusting = alone.model_copy(update={"subset_sums": dense})
    oldest = ("oldest_first", [0, 1, 2])
    assert explain("5.03", ("5.00",), *of_one_day[:16], policy=alone) == (None, [oldest])
    assert explain("5.03", ("5.00",), *of_one_day[:16], policy=trusting) == (oldest, None)
    assert explain("5.03", ("5.00",), *of_one_day, policy=trusting) == (None, None)


def test_a_rule_that_is_taken_out_finds_nothing():
    for rule in SUM_RULES:
        amount = {"subset_sum": "9000.09"}.get(rule, "15300.51" if rule == "whole_balance" else "8000.08")
        others = tuple(other for other in SUM_RULES if other != rule)
        found = find_sums(wanted(amount), items(*OPEN), POLICY.model_copy(update={"rules": others}))
        assert rule not in found.solutions["rule"].to_list()
    alone = POLICY.model_copy(update={"rules": ("remittance_line",)})
    assert explain("8000.08", *OPEN, policy=alone) == (None, None)


def test_an_item_and_a_sum_of_one_amount_are_in_doubt_the_item_first():
    rows = (("1000.01", 1, 30), ("2000.02", 1, 30), ("3000.03", 40, 70), ("500.00", 75, 99))
    explained, doubts = explain("3000.03", *rows)
    assert (explained, doubts) == (None, [("single_amount", [2]), ("all_due", [0, 1])])
    reason = find_sums(wanted("3000.03"), items(*rows), POLICY).doubts["reason"].unique().to_list()
    assert reason == ["more than one sum of open items comes to this amount"]


def test_of_few_items_a_habit_that_another_sum_equals_is_in_doubt_of_many_it_is_believed():
    rows = [("1000.01", 1, 30), ("2000.02", 1, 30), ("7000.00", 40, 70), ("2000.02", 75, 99)]
    assert explain("3000.03", *rows) == (None, [("all_due", [0, 1]), ("subset_sum", [0, 3])])
    many = [(f"{2900 - place}.90", 60, 80) for place in range(14)]
    assert explain("3000.03", *rows, *many[:13])[0] is None
    assert explain("3000.03", *rows, *many) == (("all_due", [0, 1]), None)
    assert explain("3000.03", *rows, policy=HABITS) == (("all_due", [0, 1]), None)


def test_twins_are_in_doubt_unless_the_policy_takes_the_oldest():
    rows = (("500.00", 40, 70), ("900.00", 1, 30), ("500.00", 1, 45))
    assert explain("500.00", *rows) == (None, [("single_amount", [2]), ("single_amount", [0])])
    assert explain("500.00", *rows, policy=OLDEST) == (("single_amount", [2]), None)
    of_orders = (("500.00", 40, 70, "A"), ("900.00", 1, 30), ("500.00", 1, 45, "B"))
    assert explain("500.00", *of_orders, policy=OLDEST)[0] is None


def test_of_many_twins_the_oldest_are_meant_and_another_sum_still_makes_a_doubt():
    twins = [("5000.00", day, 100 - day) for day in range(1, 9)]
    rows = (*twins, ("70000.00", 1, 30))
    assert explain("15000.00", *rows, policy=OLDEST) == (("subset_sum", [7, 6, 5]), None)
    found, doubts = explain("15000.00", *rows, ("15000.00", 80, 120), policy=OLDEST)
    assert (found, doubts) == (None, [("single_amount", [9]), ("subset_sum", [7, 6, 5])])
    assert len(explain("15000.00", *rows)[1]) == POLICY.max_candidates


def test_a_sum_of_too_many_items_is_not_looked_for_and_items_above_the_amount_do_not_count():
    few = [(f"{100 + 3**place}.11", place, 99 - place) for place in range(4)]
    large = [("90000.00", 1, 99)] * 20
    assert explain("210.22", *few, *large) == (("subset_sum", [2, 0]), None)
    credit_memo = ("-90000.00", 1, 99)
    assert explain("210.22", *few, *large, credit_memo) == (None, None)
    other = [(f"{1 + place}.00", place, 99 - place) for place in range(13)]
    assert explain("210.22", *few, *other[:12])[1] is not None
    assert explain("210.22", *few, *other) == (None, None)


def test_only_what_was_there_on_the_day_of_the_payment_is_a_part_of_it():
    rows = (("1000.00", 89, 100), ("2000.00", 90, 100), ("4000.00", 91, 100))
    days = [(amount, {"value_date": on(day)}) for amount in ("3000.00", "7000.00") for day in (89, 90, 91)]
    found = find_sums(wanted(*days), items(*rows), POLICY)
    assert believed(found) == {
        1: ("whole_balance", [0, 1]),
        2: ("oldest_first", [0, 1]),
        5: ("whole_balance", [0, 1, 2]),
    }


@pytest.mark.parametrize(
    "other",
    [{"payer_key": "OTHER"}, {"entity_id": "US01"}, {"currency_code": "USD"}],
    ids=lambda one: next(iter(one)),
)
def test_nothing_is_summed_across_payer_entity_or_currency(other):
    rows = (("1000.00", 1, 30), ("2000.00", 1, 30, None, other), ("4000.00", 1, 30, None, other))
    found = find_sums(wanted("3000.00", "6000.00", "2000.00", "1000.00"), items(*rows), POLICY)
    assert believed(found) == {3: ("whole_balance", [0])}
    assert doubted(found) == {}


def test_an_item_may_stand_under_a_customer_and_its_family_and_each_is_judged_by_itself():
    own = items(("1000.01", 1, 30), ("2000.02", 40, 60))
    family = pl.concat([own.with_columns(payer_key=pl.lit("FAMILY")), items(("1000.01", 1, 30))[:0]])
    more = items(("1000.01", 50, 70)).with_columns(payer_key=pl.lit("FAMILY"), item_key=pl.lit(9, pl.UInt32))
    asked = wanted("1000.01")
    asked = pl.concat([asked, asked.with_columns(payer_key=pl.lit("FAMILY"))])
    found = find_sums(asked, pl.concat([own, family, more]), POLICY)
    assert found.solutions.select("payer_key", "rule", "item_key").rows() == [("ACME", "single_amount", 0)]
    assert found.doubts.select("payer_key", "rule", "item_key").rows() == [
        ("FAMILY", "single_amount", 0),
        ("FAMILY", "single_amount", 9),
    ]


def test_nothing_explains_an_amount_of_zero_or_less_and_items_of_zero_are_no_part_of_anything():
    rows = (("0", 1, 30), ("-50.00", 1, 30), ("80.00", 1, 30))
    found = find_sums(wanted("0", "-50.00", "80.00", "30.00"), items(*rows), POLICY)
    assert believed(found) == {
        2: ("whole_balance", [2]),
        3: ("whole_balance", [1, 2]),
    }
    assert find_sums(wanted(), items(*rows), POLICY).solutions.rows() == []
    assert find_sums(wanted("1.00"), items(), POLICY).doubts.rows() == []


def test_sums_beyond_64_bits_of_the_smallest_unit_are_still_exact():
    rows = [("99999999999999.9999", day, 30 + day) for day in range(1, 13)]
    assert explain("99999999999999.9999", *rows[:1]) == (("whole_balance", [0]), None)
    # twelve of them are 1.2e19 units, which 64 bits would take for -6.4e18
    assert explain("0.0001", *rows, policy=HABITS) == (None, None)


# ── any sum: exact, and not an accident ──────────────────────────────────────────────────────────────


@given(st.lists(st.integers(-6, 12), max_size=10), st.integers(-10, 40), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_subsets_are_those_of_brute_force_best_first(amounts, total, most):
    every = [
        chosen
        for size in range(1, len(amounts) + 1)
        for chosen in combinations(range(len(amounts)), size)
        if sum(amounts[index] for index in chosen) == total
    ]
    assert list_subsets(amounts, total, most) == every[:most]
    # of one kind the first are taken: no member has an equal amount before it that is left out
    first = [
        chosen
        for chosen in every
        if not any(
            amounts[index] == amounts[left] for index in chosen for left in range(index) if left not in chosen
        )
    ]
    assert list_subsets(amounts, total, most, kinds=amounts) == first[:most]


@pytest.mark.parametrize(("count", "percent"), [(15, "0.8"), (20, "4.0"), (24, "11.2")])
def test_one_amount_in_a_hundred_is_a_sum_of_15_items_by_accident_and_four_are_of_20(count, percent):
    """Items of 2,000.00 on average, in cents, as skewed as invoices are."""
    skewed = [exp(11.7 + NormalDist().inv_cdf((place + 0.5) / count)) for place in range(count)]
    expected = expected_accidents([round(cents) * 100 for cents in skewed], 6, unit=100)
    assert round(expected * 100, 1) == Decimal(percent)


def test_accidental_sums_are_those_of_the_formula():
    amounts = [20_550_000] * 15
    subsets = sum(comb(15, size) for size in range(1, 7))
    assert subsets == 9948
    deviation = Decimal(isqrt(15 * 205_500**2 * 10**20 // 4)) / 10**10
    expected = subsets / (Decimal("2.5") * deviation)
    assert abs(expected_accidents(amounts, 6, unit=100) - expected) < Decimal("1e-12")
    assert expected_accidents(amounts, 6, unit=1000) == 10 * expected_accidents(amounts, 6, unit=100)
    assert expected_accidents([100, -300], 6, unit=100) == Decimal(3) / (
        Decimal("2.5") * Decimal("2.5").sqrt()
    )


@pytest.mark.parametrize(("currency_code", "is_believed"), [("EUR", True), ("JPY", False), ("KWD", True)])
def test_an_only_sum_is_believed_below_the_density_of_the_policy(currency_code, is_believed):
    """Five items have 31 sums; 1.25 x the root of the squares' sum is 318 units: 0.1 % in EUR, 10 % in JPY."""
    amounts = ("107.00", "211.00", "53.00", "29.00", "7.00")
    other = {"currency_code": currency_code}
    rows = [(amount, 10 * place, 80 - place, None, other) for place, amount in enumerate(amounts)]
    found = find_sums(wanted(("136.00", other)), items(*rows), POLICY)
    told = {0: ("subset_sum", [3, 0])}
    assert believed(found) == (told if is_believed else {})
    assert doubted(found) == ({} if is_believed else {0: [told[0]]})
    if not is_believed:
        assert found.doubts["reason"].unique().to_list() == [
            "0.097499 sums of these items come to an amount by accident, and from 0.02 on none is believed"
        ]


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────


ROW = st.tuples(
    st.sampled_from(["-40.00", "100.00", "100.00", "250.00", "731.13", "1289.77", "2411.09", "350.00"]),
    st.integers(1, 60),
    st.sampled_from([30, 60, 61, 90]),
    st.sampled_from([None, None, "A", "B"]),
)
BOOKS = st.lists(ROW, min_size=1, max_size=8)


def habits_by_hand(book):
    """``{rule: sets}`` from the words of the rules, for one payer: sets of keys of all items, and of the invoices."""
    found = defaultdict(set)
    for keys in (range(len(book)), [key for key in range(len(book)) if Decimal(book[key][0]) > 0]):
        found["whole_balance"].add(frozenset(keys))
        found["single_amount"] |= {frozenset([key]) for key in keys}
        days = sorted({(book[key][2], book[key][1]) for key in keys})
        found["all_due"] |= {frozenset(key for key in keys if book[key][2] <= due) for due, _ in days}
        for day in days:
            before = {key for key in keys if (book[key][2], book[key][1]) < day}
            of_day = [key for key in keys if (book[key][2], book[key][1]) == day]
            found["oldest_first"] |= {
                frozenset(before | set(part))
                for size in range(1, len(of_day) + 1)
                for part in combinations(of_day, size)
            }
        months = {on(book[key][1]).month for key in keys}
        found["statement"] |= {
            frozenset(key for key in keys if on(book[key][1]).month == one) for one in months
        }
        found["order"] |= {frozenset(key for key in keys if book[key][3] == one) for one in ("A", "B")} - {
            frozenset()
        }
    return found


def payers(books):
    """Items of all the books, each of a payer of its own: those of book 2 are ``C2`` and 200, 201, ..."""
    return pl.concat(
        items(*book).with_columns(
            payer_key=pl.lit(f"C{place}"),
            item_key=pl.col("item_key") + place * 100,
            invoice_id=pl.format("{}-{}", pl.lit(place), "invoice_id"),
        )
        for place, book in enumerate(books)
    )


def explained_by_hand(book, amount):
    """Every ``(rule, keys)`` that explains the amount: habits where there are several, else any sum."""
    habits = habits_by_hand(book)
    sums = [
        frozenset(keys)
        for size in range(1, len(book) + 1)
        for keys in combinations(range(len(book)), size)
        if sum(Decimal(book[key][0]) for key in keys) == amount
    ]
    named = {
        (next((rule for rule in SUM_RULES if keys in habits[rule]), "subset_sum"), keys) for keys in sums
    }
    of_habits = {one for one in named if one[0] != "subset_sum"}
    return of_habits if len(of_habits) > 1 else named


@given(st.lists(st.tuples(BOOKS, st.integers(1, 255)), min_size=8, max_size=16))
@settings(max_examples=8, deadline=None)
def test_what_is_believed_is_what_brute_force_finds_alone(books):
    sparse = POLICY.subset_sums.model_copy(update={"max_density": Decimal(1)})
    policy = POLICY.model_copy(update={"subset_sums": sparse, "max_candidates": 999})
    amounts = [
        sum((Decimal(row[0]) for key, row in enumerate(book) if chosen >> key & 1), Decimal(0))
        for book, chosen in books
    ]
    asked = wanted(*((str(amount), {"payer_key": f"C{place}"}) for place, amount in enumerate(amounts)))
    found = find_sums(asked, payers(book for book, _ in books), policy)
    alone, several = believed(found), doubted(found)
    for place, ((book, _), amount) in enumerate(zip(books, amounts, strict=True)):
        expected = explained_by_hand(book, amount) if amount > 0 else set()
        told = [alone[place]] if place in alone else several.get(place, [])
        assert {(rule, frozenset(key - 100 * place for key in keys)) for rule, keys in told} == expected
        assert (place in alone) == (len(expected) == 1)


@given(st.lists(BOOKS, min_size=6, max_size=12), st.integers(0, 999), st.sampled_from([POLICY, OLDEST]))
@settings(max_examples=8, deadline=None)
def test_the_order_of_rows_changes_nothing_and_sums_are_exact(books, seed, policy):
    every = payers(books)
    asks = [
        (
            str(sum(Decimal(row[0]) for row in book[: 1 + (seed + turn) % len(book)])),
            {"payer_key": f"C{place}"},
        )
        for place, book in enumerate(books)
        for turn in range(3)
    ]
    asked = wanted(*asks)
    found = find_sums(asked, every, policy)
    shuffled = (one.sample(fraction=1, shuffle=True, seed=seed) for one in (asked, every))
    again = find_sums(*shuffled, policy)
    assert again.solutions.equals(found.solutions)
    assert again.doubts.equals(found.doubts)
    for sets, by in ((found.solutions, ["payment_key"]), (found.doubts, ["payment_key", "candidate_rank"])):
        totals = (
            sets.join(every.select("item_key", "amount"), on="item_key", validate="m:1")
            .group_by(by)
            .agg(pl.col("amount").sum().cast(MONEY), members=pl.col("item_key").n_unique(), rows=pl.len())
        )
        assert totals.join(asked, on=["payment_key", "amount"]).height == totals.height
        assert totals.filter(pl.col("members") != pl.col("rows")).is_empty()
    assert not set(found.solutions["payment_key"]) & set(found.doubts["payment_key"])


def test_the_currency_of_an_amount_is_that_of_its_account():
    rows = [("10.01", 1, 30, None, {"currency_code": "USD"}), ("20.02", 1, 30)]
    found = find_sums(wanted("10.01", ("10.01", {"currency_code": "USD"})), items(*rows), POLICY)
    assert believed(found) == {1: ("whole_balance", [0])}
