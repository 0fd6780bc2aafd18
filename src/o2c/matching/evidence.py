"""What speaks for an item being meant: the reference found, and whether its owner is who paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from o2c.matching.desk import FAMILY, Desk
from o2c.matching.names import families, name_likeness
from o2c.matching.payer import find_payers
from o2c.policy import MatchingPolicy

# One row per payment, remittance line (null: its text) and item that is named.
NAMED = {
    "payment_key": pl.UInt32(),
    "line_key": pl.UInt32(),
    "item_key": pl.UInt32(),
    "family_id": FAMILY,
    "rule": pl.String(),
    "said": pl.String(),
    "reference_strength": pl.Float64(),
    "payer_rule": pl.String(),
    "payer_strength": pl.Float64(),
    "is_foreign": pl.Boolean(),
}


@dataclass(frozen=True)
class Payers:
    """Who may have paid.

    found: payment_key, customer_id, family_id, rule, strength; one row per payment_key and customer_id.
    known: payment_key of payments whose payer is known.
    """

    found: pl.DataFrame
    known: pl.DataFrame

    def renewed(self, newer: "Payers", payments: pl.DataFrame) -> "Payers":
        """With what is newly known of the given payments in place of what was."""
        return Payers(
            pl.concat([self.found.join(payments, on="payment_key", how="anti"), newer.found]),
            pl.concat([self.known.join(payments, on="payment_key", how="anti"), newer.known]),
        )


def strength(column: str, strengths: Mapping[str, Decimal]) -> pl.Expr:
    """What the policy says a rule or shape is worth; null for one that it does not name."""
    return pl.col(column).replace_strict(
        {name: float(value) for name, value in strengths.items()}, default=None, return_dtype=pl.Float64
    )


def doubt(*strengths: str) -> pl.Expr:
    """What is left of doubt when independent evidence comes together: the product of (1 - strength)."""
    left = pl.lit(1.0)
    for column in strengths:
        left = left * (1 - pl.col(column).fill_null(0.0))
    return left


def who_paid(
    payments: pl.DataFrame,
    customers: pl.DataFrame,
    accounts: pl.DataFrame,
    assignments: pl.DataFrame,
    policy: MatchingPolicy,
) -> Payers:
    """The payers of the payments (of a Desk), with what each finding is worth.

    What the engine found out in an earlier run is worth today what it was then: being written down makes it no surer.
    """
    by_engine = (
        assignments.filter(pl.col("customer_id").is_not_null(), pl.col("rule") != "person")
        .sort("assigned_date", "customer_id")
        .unique("payment_id", keep="last", maintain_order=True)
        .join(payments.select("payment_id", "payment_key", assigned="customer_id"), on="payment_id")
        # a person's later word stands in the payment itself
        .filter(pl.col("assigned") == pl.col("customer_id"))
        .select("payment_key", "customer_id", "rule")
    )
    # Who else might have paid is asked again: or a choice between two would be none the next morning.
    is_ours = pl.col("payment_key").is_in(by_engine["payment_key"].implode())
    asked = payments.with_columns(customer_id=pl.when(~is_ours).then("customer_id"))
    found = find_payers(asked, customers, accounts, policy).select("payment_key", "customer_id", "rule")
    found = pl.concat([found, by_engine.join(found, on=["payment_key", "customer_id"], how="anti")])
    found = (
        found.with_columns(strength=strength("rule", policy.strengths.payers).fill_null(0.0))
        .join(families(customers), on="customer_id", how="left", validate="m:1")
        .with_columns(family_id=pl.coalesce("family_id", "customer_id").cast(FAMILY))
    )
    sure = found.filter(pl.col("strength") >= float(policy.known_payer_strength))
    return Payers(found=found, known=sure.select("payment_key").unique())


def weigh(
    references: pl.DataFrame, payers: Payers, desk: Desk, customers: pl.DataFrame, policy: MatchingPolicy
) -> pl.DataFrame:
    """References with what they are worth, and whether the payer agrees: NAMED.

    Agreement is within a family: a parent pays for its child. Where the payer is known and no family of his owns the
    item, the reference is foreign. Where nobody knows the payer, his name is held against the owner's.
    """
    rows = desk.items_of(references, ["customer_id", "family_id"])
    agreed = payers.found.group_by("payment_key", "family_id").agg(
        payer_rule=pl.col("rule").sort_by("strength", "rule", descending=[True, False]).first(),
        payer_strength=pl.col("strength").max(),
    )
    rows = rows.join(agreed, on=["payment_key", "family_id"], how="left", validate="m:1").join(
        payers.known.with_columns(is_known=True), on="payment_key", how="left", validate="m:1"
    )
    lacking = pl.col("payer_strength").is_null()
    unknown = (
        rows.filter(lacking & pl.col("is_known").is_null()).select("payment_key", "customer_id").unique()
    )
    alike = (
        unknown.join(desk.payments.select("payment_key", "payer_name"), on="payment_key", validate="m:1")
        .join(customers.select("customer_id", "customer_name"), on="customer_id", validate="m:1")
        .filter(pl.col("payer_name").is_not_null())
        .pipe(_with_likeness)
        .filter(pl.col("likeness") >= float(policy.name_similarity))
        .select("payment_key", "customer_id", is_alike=pl.lit(True))
    )
    by_name = pl.lit(float(policy.strengths.payers["similar_name"]))
    return (
        rows.join(alike, on=["payment_key", "customer_id"], how="left", validate="m:1")
        .with_columns(
            is_foreign=lacking & pl.col("is_known").fill_null(False),
            payer_rule=pl.coalesce("payer_rule", pl.when("is_alike").then(pl.lit("similar_name"))),
            payer_strength=pl.coalesce("payer_strength", pl.when("is_alike").then(by_name), pl.lit(0.0)),
            reference_strength=strength("rule", policy.strengths.references),
        )
        .select(*NAMED)
    )


def _with_likeness(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.with_columns(likeness=name_likeness(pairs["payer_name"], pairs["customer_name"]))
