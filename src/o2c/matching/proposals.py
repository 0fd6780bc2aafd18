"""Explanations of payments: which items a payment is for, how its amount fits, and how sure that is."""

from dataclasses import dataclass
from functools import reduce

import polars as pl

from o2c.matching.evidence import doubt, strength
from o2c.matching.shapes import PARTS
from o2c.policy import MatchingPolicy

# One row per explanation. ``signature`` is equal for explanations that come to the same; ``is_for_person``: however
# sure it looks, something in the text was not understood.
HEADS = {
    "proposal": pl.UInt32(),
    "payment_key": pl.UInt32(),
    "rule": pl.String(),
    "said": pl.String(),
    "shape": pl.String(),
    "payer_rule": pl.String(),
    "reference_strength": pl.Float64(),
    "payer_strength": pl.Float64(),
    "amount_strength": pl.Float64(),
    "doubt": pl.Float64(),
    "signature": pl.UInt64(),
    "is_for_person": pl.Boolean(),
}


@dataclass(frozen=True)
class Proposals:
    """Explanations (HEADS) with their items (PARTS)."""

    heads: pl.DataFrame
    parts: pl.DataFrame

    def only(self, keys: pl.Series) -> "Proposals":
        """Those of the given proposal numbers."""
        wanted = pl.DataFrame({"proposal": keys})
        return Proposals(
            self.heads.join(wanted, on="proposal", how="semi"),
            self.parts.join(wanted, on="proposal", how="semi"),
        )


def none() -> Proposals:
    """No explanation at all."""
    return Proposals(pl.DataFrame(schema=HEADS), pl.DataFrame(schema=PARTS))


def together(found: list[Proposals]) -> Proposals:
    """All explanations, renumbered so that no two share a number."""
    heads, parts, offset = [], [], 0
    for one in found:
        if one.heads.is_empty():
            continue
        shift = (pl.col("proposal") + offset).cast(pl.UInt32)
        heads.append(one.heads.with_columns(proposal=shift))
        parts.append(one.parts.with_columns(proposal=shift))
        offset += int(one.heads.select(pl.col("proposal").max()).item()) + 1
    if not heads:
        return none()
    return Proposals(pl.concat(heads), pl.concat(parts))


def described(rows: pl.DataFrame, policy: MatchingPolicy, *, amount_speaks: bool = True) -> Proposals:
    """Proposals from fitted rows.

    Args:
        rows: one per proposal and item, with PARTS, ``payment_key``, ``shape`` and for each item ``rule, said,
            reference_strength, payer_rule, payer_strength``. A chain is as strong as its weakest link.
        policy: what shapes are worth.
        amount_speaks: the amount is evidence of its own. It is not where items were chosen by it in the first place.
    """
    part_columns = [name for name in PARTS if name != "proposal"]
    heads = (
        rows.sort("proposal", "reference_strength", "rule", "said", "item_key")
        .group_by("proposal", maintain_order=True)
        .agg(
            pl.col("payment_key", "shape", "rule").first(),
            said=pl.col("said").unique(maintain_order=True).drop_nulls().head(8).str.join(", "),
            reference_strength=pl.col("reference_strength").min(),
            payer_strength=pl.col("payer_strength").min(),
            payer_rule=pl.col("payer_rule").sort_by("payer_strength").first(),
            signature=_signature(),
            is_for_person=pl.col("is_for_person").any() if "is_for_person" in rows.columns else pl.lit(False),
        )
        .with_columns(
            amount_strength=strength("shape", policy.strengths.amounts).fill_null(0.0)
            if amount_speaks
            else pl.lit(0.0)
        )
        .with_columns(doubt=doubt("reference_strength", "payer_strength", "amount_strength").round(9))
        .select(*HEADS)
    )
    return Proposals(heads, rows.select("proposal", *part_columns).select(*PARTS))


def _signature() -> pl.Expr:
    """Equal for equal sets of (item, amounts), whatever their order: a sum of hashes that wraps around."""
    return pl.struct("item_key", "settled", "discount", "write_off", "deduction").hash(seed=7).sum()


def unique_best(proposals: Proposals, policy: MatchingPolicy) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The explanation of each payment that is sure enough, and what is wrong with the others.

    Returns:
        Heads of believed explanations, one per payment; and ``payment_key, reason_code`` of payments that have
        explanations of which none is believed: ambiguous or below_threshold.
    """
    ranked = (
        proposals.heads.sort("payment_key", "doubt", "signature", "proposal")
        .unique(["payment_key", "signature"], keep="first", maintain_order=True)
        .with_columns(next_doubt=pl.col("doubt").shift(-1).over("payment_key"))
        .unique("payment_key", keep="first", maintain_order=True)
        .with_columns(
            is_sure=pl.col("doubt") <= 1 - float(policy.automatic_score) + 1e-9,
            is_unique=pl.col("next_doubt").is_null()
            | (pl.col("next_doubt") >= pl.col("doubt") * float(policy.doubt_ratio) - 1e-9),
        )
    )
    believed = pl.col("is_sure") & pl.col("is_unique") & ~pl.col("is_for_person")
    doubted = ranked.filter(~believed).select(
        "payment_key",
        reason_code=pl.when(~pl.col("is_unique"))
        .then(pl.lit("ambiguous"))
        .otherwise(pl.lit("below_threshold")),
    )
    return ranked.filter(believed).select(*HEADS), doubted


def without_payments(proposals: Proposals, *keys: pl.DataFrame) -> Proposals:
    """Proposals of other payments than those of the given frames with ``payment_key``."""
    heads = reduce(lambda left, right: left.join(right, on="payment_key", how="anti"), keys, proposals.heads)
    return Proposals(heads, proposals.parts.join(heads, on="proposal", how="semi"))
