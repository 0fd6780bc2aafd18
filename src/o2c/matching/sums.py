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
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import polars as pl

from o2c.matching.subset_sum import expected_accidents, list_subsets
from o2c.matching.sum_pages import Pages, open_pages
from o2c.matching.sum_rules import SETS, SUM_RULES, find_cuts
from o2c.money import minor_units
from o2c.policy import MatchingPolicy

SUBSET_SUM, OLDEST_FIRST = "subset_sum", "oldest_first"
RANKS = {rule.name: rank for rank, rule in enumerate(SUM_RULES)} | {SUBSET_SUM: len(SUM_RULES)}
NAMES = {rank: name for name, rank in RANKS.items()}
MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True)
class SumsFound:
    """What sums say about payments.

    ``solutions``: payment_key, payer_key, rule, item_key, said; one row per item of the one believed explanation.
    ``doubts``: the same with candidate_rank (1 the likeliest) and reason; the explanations of payments that have
    several, or one that is too likely an accident.
    """

    solutions: pl.DataFrame
    doubts: pl.DataFrame


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
        rule.find(pages.asked, pages.lines).with_columns(rule_rank=pl.lit(RANKS[rule.name], pl.Int64))
        for rule in SUM_RULES
        if rule.name in policy.rules
    ]
    if OLDEST_FIRST in policy.rules:
        found.append(_sums_of_cuts(pages, policy))
    habits = _merge(pl.concat([_NO_SETS, *found]), pages, policy)
    if SUBSET_SUM in policy.rules:
        habits = _merge(pl.concat([habits, _sums_of_few(pages, habits, policy)]), pages, policy)
    return _judge(habits, pages, policy)


_NO_SETS = pl.DataFrame(schema=SETS | {"rule_rank": pl.Int64()})


def _sums_of_cuts(pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """The oldest items where a part of one day's items belongs to them: which part must come from the amount."""
    cuts = find_cuts(pages.asked, pages.lines)
    sets = _solve(
        cuts.join(pages.lines, on=["page_key", "day"]), [*cuts.columns], policy, RANKS[OLDEST_FIRST]
    )
    before = (
        cuts.join(pages.lines.select("page_key", "position", earlier="day"), on="page_key")
        .filter(pl.col("earlier") < pl.col("day"))
        .group_by("ask_key", "page_key", "day")
        .agg(before=pl.col("position").sort())
    )
    return (
        sets.join(before, on=["ask_key", "page_key", "day"], how="left")
        .with_columns(positions=pl.concat_list(pl.col("before").fill_null([]), "positions"))
        .select(_NO_SETS.columns)
    )


def _sums_of_few(pages: Pages, habits: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """Any sums of the items that can be a part of the amount, for what has at most one explanation so far."""
    undecided = pages.asked.filter(pl.col("page_key") % 2 == 0).join(
        habits.filter(pl.len().over("ask_key") > 1), on="ask_key", how="anti"
    )
    credits_of = pages.lines.group_by("page_key").agg(
        credits=pl.col("units").filter(pl.col("units") < 0).sum()
    )
    by = ["ask_key", "page_key", "wanted"]
    candidates = (
        undecided.select("ask_key", "page_key", wanted="units")
        .join(credits_of, on="page_key")
        .join(pages.lines, on="page_key")
        # An item above the amount can only be a part of it where credit memos make up for it.
        .filter(pl.col("units") <= pl.col("wanted") - pl.col("credits"))
    )
    return _solve(candidates, by, policy, RANKS[SUBSET_SUM]).select(_NO_SETS.columns)


def _solve(lines: pl.DataFrame, by: list[str], policy: MatchingPolicy, rule_rank: int) -> pl.DataFrame:
    """Sets of the lines of each group that come to its ``wanted``, where the group has few enough lines."""
    few = (
        lines.group_by(by)
        .agg(
            pl.col("position", "units", "kind").sort_by("position"),
            currency_code=pl.col("currency_code").first(),
            line_count=pl.len(),
        )
        .filter(pl.col("line_count") <= policy.subset_sums.max_items)
    )
    rows = [(*key, *found) for key, found in _subsets(few, by, policy)]
    schema = {name: few.schema[name] for name in by} | {
        name: SETS[name] for name in ("positions", "accidents")
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(rule_rank=pl.lit(rule_rank, pl.Int64))


def _subsets(
    few: pl.DataFrame, by: list[str], policy: MatchingPolicy
) -> Iterator[tuple[tuple[object, ...], tuple[list[int], Decimal]]]:
    most = max(policy.max_candidates, 2)
    by_kind = policy.identical_items == "oldest_first"
    place = by.index("wanted")
    for *key, positions, units, kinds, currency_code in few.select(
        *by, "position", "units", "kind", "currency_code"
    ).iter_rows():
        found = list_subsets(units, key[place], most, kinds if by_kind else None)
        if not found:
            continue
        unit = 10 ** (4 - minor_units(currency_code))
        accidents = expected_accidents(units, policy.subset_sums.max_terms, unit)
        for indexes in found:
            yield (
                tuple(key),
                ([positions[index] for index in indexes], accidents.quantize(MILLIONTH, ROUND_FLOOR)),
            )


def _merge(sets: pl.DataFrame, pages: Pages, policy: MatchingPolicy) -> pl.DataFrame:
    """One row per ask and set: the first rule that found it is named, and a rule that left no choice makes it sure.

    Where the policy takes the oldest of identical items, sets that differ in nothing else are one: a habit's before
    any other, then that of the oldest items.
    """
    merged = sets.group_by("ask_key", "positions").agg(
        pl.col("page_key").sort_by("rule_rank", "page_key").first(),
        pl.col("rule_rank").min(),
        accidents=pl.when(pl.col("accidents").is_null().any())
        .then(None)
        .otherwise(pl.col("accidents").min()),
    )
    if policy.identical_items == "oldest_first":
        kinds = (
            merged.select("ask_key", "positions", position="positions")
            .explode("position")
            .join(pages.items.select("position", "kind"), on="position")
            .group_by("ask_key", "positions")
            .agg(kinds=pl.col("kind").sort())
        )
        merged = (
            merged.join(kinds, on=["ask_key", "positions"])
            .sort(pl.col("rule_rank") == RANKS[SUBSET_SUM], "positions")
            .unique(["ask_key", "kinds"], keep="first", maintain_order=True)
        )
    return merged.select(_NO_SETS.columns)


def _judge(sets: pl.DataFrame, pages: Pages, policy: MatchingPolicy) -> SumsFound:
    ranked = (
        sets.with_columns(item_count=pl.col("positions").list.len(), set_count=pl.len().over("ask_key"))
        .with_columns(
            is_believed=(pl.col("set_count") == 1)
            & (pl.col("accidents").fill_null(0) < policy.subset_sums.max_density)
        )
        .sort("ask_key", "rule_rank", "item_count", "positions")
        .with_columns(candidate_rank=pl.int_range(1, pl.len() + 1).over("ask_key"))
        .filter(pl.col("candidate_rank") <= policy.max_candidates)
    )
    accidental = pl.format(
        "about {} such sums are expected by accident, and from {} on none is believed",
        pl.col("accidents").round(2),
        pl.lit(str(policy.subset_sums.max_density)),
    )
    reason = (
        pl.when(pl.col("set_count") > 1)
        .then(pl.lit("more than one sum of open items comes to this amount"))
        .otherwise(accidental)
    )
    rows = (
        ranked.with_columns(reason=reason)
        .explode("positions")
        .rename({"positions": "position"})
        .join(pages.items, on="position", validate="m:1")
        .with_columns(said=_said().over("ask_key", "candidate_rank"))
        .join(pages.asked.unique("ask_key"), on="ask_key", validate="m:1")
        .with_columns(rule=pl.col("rule_rank").replace_strict(NAMES))
        .sort("payment_key", "payer_key", "candidate_rank", "position")
    )
    common = ["payment_key", "payer_key", "rule", "item_key", "said"]
    return SumsFound(
        solutions=rows.filter("is_believed").select(common),
        doubts=rows.filter(~pl.col("is_believed")).select(
            *common[:2], "candidate_rank", *common[2:], "reason"
        ),
    )


def _said() -> pl.Expr:
    """What was found, in words, of the items of one set."""
    count, last_due = pl.len(), pl.col("due_date").max()
    words = {
        "whole_balance": pl.format("everything open, {} items", count),
        "single_amount": pl.lit("an open item of this amount"),
        "all_due": pl.format("all {} items due up to {}", count, last_due),
        "oldest_first": pl.format("the {} oldest items", count),
        "statement": pl.format(
            "all {} items invoiced in {}", count, pl.col("invoice_date").min().dt.strftime("%Y-%m")
        ),
        "order": pl.format("all {} items of order {}", count, pl.col("order_key").first()),
        SUBSET_SUM: pl.format("{} of the open items", count),
    }
    rule_rank, said = pl.col("rule_rank").first(), pl.lit("")
    for name, of_rule in words.items():
        said = pl.when(rule_rank == RANKS[name]).then(of_rule).otherwise(said)
    return (
        pl.when(pl.col("page_key").first() % 2 == 1)
        .then(said + pl.lit(", credit memos left open"))
        .otherwise(said)
    )
