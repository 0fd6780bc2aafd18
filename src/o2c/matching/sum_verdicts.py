"""Which explanation by a sum is believed, and what a person is told of the others."""

from dataclasses import dataclass

import polars as pl

from o2c.matching.sum_pages import Pages
from o2c.matching.sum_rules import RANKS, SUBSET_SUM
from o2c.policy import MatchingPolicy


@dataclass(frozen=True)
class SumsFound:
    """What sums say about payments.

    ``solutions``: payment_key, payer_key, rule, item_key, said; one row per item of the one believed explanation.
    ``doubts``: the same with candidate_rank (1 the likeliest) and reason; the explanations of payments that have
    several, or one that is too likely an accident.
    """

    solutions: pl.DataFrame
    doubts: pl.DataFrame


def judge_sets(sets: pl.DataFrame, pages: Pages, policy: MatchingPolicy) -> SumsFound:
    """Believe the only set of an amount, unless it may be an accident; rank those that are not believed."""
    ranked = (
        sets.with_columns(item_count=pl.col("positions").list.len(), set_count=pl.len().over("ask_key"))
        .sort("ask_key", "rule_rank", "item_count", "positions")
        .with_columns(
            candidate_rank=pl.int_range(1, pl.len() + 1).over("ask_key"),
            is_believed=(pl.col("set_count") == 1)
            & (pl.col("accidents").fill_null(0) < policy.subset_sums.max_density),
            reason=_reason(policy),
        )
        .filter(pl.col("candidate_rank") <= policy.max_candidates)
    )
    members = (
        ranked.select("ask_key", "candidate_rank", position="positions")
        .explode("position")
        .join(pages.items, on="position", validate="m:1")
    )
    facts = members.group_by("ask_key", "candidate_rank").agg(
        pl.col("due_date").max(), pl.col("invoice_date").max(), pl.col("order_key").first()
    )
    of_set = ["ask_key", "candidate_rank"]
    rows = (
        ranked.join(facts, on=of_set, validate="1:1")
        .select(
            *of_set, "is_believed", "reason", rule=pl.col("rule_rank").replace_strict(_NAMES), said=_said()
        )
        .join(members.select(*of_set, "position", "item_key"), on=of_set)
        .join(pages.asked.unique("ask_key").select("ask_key", "payment_key", "payer_key"), on="ask_key")
        .sort("ask_key", "candidate_rank", "position")
    )
    named = ["payment_key", "payer_key", "rule", "item_key", "said"]
    return SumsFound(
        solutions=rows.filter("is_believed").select(named),
        doubts=rows.filter(~pl.col("is_believed")).select(*named, "reason", "candidate_rank"),
    )


_NAMES = {rank: name for name, rank in RANKS.items()}


def _reason(policy: MatchingPolicy) -> pl.Expr:
    return (
        pl.when(pl.col("set_count") > 1)
        .then(pl.lit("more than one sum of open items comes to this amount"))
        .otherwise(
            pl.format(
                "{} sums of these items come to an amount by accident, and from {} on none is believed",
                "accidents",
                pl.lit(str(policy.subset_sums.max_density)),
            )
        )
    )


def _said() -> pl.Expr:
    """What was found, in words, of a set with facts about its items."""
    words = {
        "whole_balance": pl.format("everything open, {} items", "item_count"),
        "single_amount": pl.lit("an open item of this amount"),
        "all_due": pl.format("all {} items due up to {}", "item_count", "due_date"),
        "oldest_first": pl.format("the {} oldest items", "item_count"),
        "statement": pl.format(
            "all {} items invoiced in {}", "item_count", pl.col("invoice_date").dt.strftime("%Y-%m")
        ),
        "order": pl.format("all {} items of order {}", "item_count", "order_key"),
        SUBSET_SUM: pl.format("{} of the open items", "item_count"),
    }
    said = pl.lit(None, pl.String)
    for name, of_rule in words.items():
        said = pl.when(pl.col("rule_rank") == RANKS[name]).then(of_rule).otherwise(said)
    left = pl.when(pl.col("page_key") % 2 == 1).then(pl.lit(", credit memos left open"))
    return said + left.otherwise(pl.lit(""))
