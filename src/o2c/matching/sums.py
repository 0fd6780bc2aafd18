"""Which open items a payment may be the sum of, when it names none of them.

First what payers do by habit (``sum_rules``), for customers of any size: they pay everything, all that is due, the
oldest items. Where no habit fits and few items are open, any sum of them (``subset_sum``). One explanation is believed
where it is the only one; of two none is, and a person sees both.

A habit that fits is checked against all other sums too, as long as the items are few. Where a payer chose some items at
random, their sum equals that of a habit by accident mostly because two items have one price; then the true choice is
among the other sums. With many items other sums always exist, so they say nothing, and random choices that equal a
habit become rare.
"""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

import polars as pl

from o2c.matching.subset_sum import expected_accidents, list_subsets
from o2c.matching.sum_pages import Pages, open_pages
from o2c.matching.sum_rules import OLDEST_FIRST, RANKS, SETS, SUBSET_SUM, SUM_RULES, find_cuts
from o2c.matching.sum_verdicts import SumsFound, judge_sets
from o2c.money import minor_units
from o2c.policy import MatchingPolicy

MILLIONTH = Decimal("0.000001")


def find_sums(wanted: pl.DataFrame, items: pl.DataFrame, policy: MatchingPolicy) -> SumsFound:
    """Explain amounts as exact sums of the payer's open items; nothing across payer, entity or currency.

    Items of later dates than the payment are not there yet; those of amount zero say nothing. Each row of ``wanted``
    is judged by itself; amounts of zero or less have no explanation.

    Args:
        wanted: payment_key, payer_key, entity_id, currency_code, amount, value_date; unique in the first two.
        items: item_key, payer_key, entity_id, currency_code, amount (what settles the item; credit memos negative),
            order_key, invoice_date, due_date, invoice_id; unique in payer_key and item_key. An item may stand under
            several payers.
        policy: the rules in use, what is few, what is likely by accident, how many explanations a person sees.

    Returns:
        Solutions and doubts, sorted by payment, payer, rank, and the items' due date, invoice date and invoice_id.
    """
    pages = open_pages(wanted, items)
    found = [
        rule.find(pages).with_columns(rule_rank=pl.lit(RANKS[rule.name], pl.Int64))
        for rule in SUM_RULES
        if rule.name in policy.rules
    ]
    if OLDEST_FIRST in policy.rules:
        found.append(_sums_of_cuts(pages, policy))
    habits = _merge(pl.concat([_NO_SETS, *found]), pages, policy)
    if SUBSET_SUM in policy.rules:
        habits = _merge(pl.concat([habits, _sums_of_few(pages, habits, policy)]), pages, policy)
    return judge_sets(habits, pages, policy)


_NO_SETS = pl.DataFrame(schema=SETS | {"rule_rank": pl.Int64()})


def _sums_of_cuts(pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """The oldest items where a part of one day's items belongs to them: which part must come from the amount."""
    cuts = find_cuts(pages)
    of_day = cuts.join(pages.lines, on=["page_key", "day"])
    parts = _solve(of_day, cuts.columns, pages, policy).with_row_index("part_key")
    before = (
        parts.select("part_key", "page_key", last="day")
        .join(pages.lines.select("page_key", "position", "day"), on="page_key")
        .filter(pl.col("day") < pl.col("last"))
        .group_by("part_key")
        .agg(before=pl.col("position").sort())
    )
    return parts.join(before, on="part_key", how="left", validate="1:1").select(
        "ask_key",
        "page_key",
        pl.concat_list(pl.col("before").fill_null([]), "positions").alias("positions"),
        "accidents",
        rule_rank=pl.lit(RANKS[OLDEST_FIRST], pl.Int64),
    )


def _sums_of_few(pages: Pages, habits: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """Any sums of the items that can be a part of the amount, for what has at most one explanation so far."""
    several = habits.filter(pl.len().over("ask_key") > 1)
    undecided = pages.asked.filter(pl.col("page_key") % 2 == 0).join(several, on="ask_key", how="anti")
    netted = pages.days.group_by("page_key").agg(pl.col("credits").sum())
    candidates = (
        undecided.select("ask_key", "page_key", wanted="units")
        .join(netted, on="page_key", validate="m:1")
        .join(pages.lines.select("page_key", "position", "units"), on="page_key")
        # An item above the amount can only be a part of it where credit memos make up for it.
        .filter(pl.col("units") <= pl.col("wanted") - pl.col("credits"))
    )
    return _solve(candidates, ["ask_key", "page_key", "wanted"], pages, policy).select(
        *SETS, rule_rank=pl.lit(RANKS[SUBSET_SUM], pl.Int64)
    )


def _solve(lines: pl.DataFrame, by: list[str], pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """SETS of the lines of each group that come to its ``wanted``, where the group has few enough lines."""
    few = lines.filter(pl.len().over("ask_key", *by[3:]) <= policy.subset_sums.max_items)
    currencies = pages.asked.select("ask_key", "currency_code").unique("ask_key")
    groups = (
        _with_kinds(few, pages, policy)
        .sort("position")
        .group_by(by)
        .agg("position", "units", "kind")
        .join(currencies, on="ask_key", validate="m:1")
    )
    schema = {name: groups.schema[name] for name in by} | SETS
    rows = [
        (*group[: len(by)], positions, accidents)
        for group in groups.select(*by, "position", "units", "kind", "currency_code").iter_rows()
        for positions, accidents in _subsets(group[by.index("wanted")], *group[len(by) :], policy)
    ]
    names = [*by, "positions", "accidents"]
    return pl.DataFrame(rows, schema={name: schema[name] for name in names}, orient="row")


def _subsets(
    wanted: int,
    positions: list[int],
    units: list[int],
    kinds: list[int],
    currency_code: str,
    policy: MatchingPolicy,
) -> Iterator[tuple[list[int], Decimal]]:
    found = list_subsets(units, wanted, max(policy.max_candidates, 2), kinds)
    if found:
        unit = 10 ** (4 - minor_units(currency_code))
        accidents = expected_accidents(units, policy.subset_sums.max_terms, unit)
        for indexes in found:
            yield [positions[index] for index in indexes], accidents.quantize(MILLIONTH, ROUND_FLOOR)


def _with_kinds(lines: pl.DataFrame, pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """Lines with their ``kind``: items of one kind differ in nothing that a payment could say.

    A person decides between them, unless the policy takes the oldest: then amount and order make the kind.
    """
    if policy.identical_items == "person":
        return lines.with_columns(kind="position")
    items = pages.items.join(lines.select("position").unique(), on="position", how="semi")
    oldest = pl.col("position").min().over("account_key", "units", "order_key")
    return lines.join(items.select("position", kind=oldest), on="position", validate="m:1")


def _merge(sets: pl.DataFrame, pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """One row per ask and set: the first rule that found it is named, and a rule that left no choice makes it sure.

    Where the policy takes the oldest of identical items, sets that differ in nothing else are one: a habit's before
    any other, then that of the oldest items.
    """
    accidents = pl.col("accidents")
    merged = sets.group_by("ask_key", "positions").agg(
        pl.col("page_key").sort_by("rule_rank", "page_key").first(),
        pl.col("rule_rank").min(),
        accidents=pl.when(accidents.is_null().any()).then(None).otherwise(accidents.min()),
    )
    if policy.identical_items == "person":
        return merged.select(sets.columns)
    is_alone = pl.len().over("ask_key") == 1
    several = merged.filter(~is_alone)
    lines = several.select("ask_key", "positions", position="positions").explode("position")
    kinds = (
        _with_kinds(lines, pages, policy).group_by("ask_key", "positions").agg(kinds=pl.col("kind").sort())
    )
    chosen = (
        several.join(kinds, on=["ask_key", "positions"], validate="1:1")
        .sort(pl.col("rule_rank") == RANKS[SUBSET_SUM], "positions")
        .unique(["ask_key", "kinds"], keep="first", maintain_order=True)
    )
    return pl.concat([merged.filter(is_alone).select(sets.columns), chosen.select(sets.columns)])
