"""Payments that name nothing: the open items of a known payer whose sum they are."""

import polars as pl

from o2c.matching.desk import Desk, money
from o2c.matching.evidence import Payers, strength
from o2c.matching.proposals import Proposals, described, together
from o2c.matching.shapes import PARTS, granted_discount
from o2c.matching.sums import find_sums
from o2c.policy import MatchingPolicy

_ACCOUNT = ["entity_id", "currency_code"]


def propose_sums(
    silent: pl.DataFrame, payers: Payers, desk: Desk, larger: pl.Series, policy: MatchingPolicy
) -> tuple[Proposals, Proposals, pl.DataFrame]:
    """Believed sums and those in doubt, of payments that say nothing about items.

    First among the items of the payer, as they are and net of discounts still granted; then, where that gives
    nothing, among those of the payer's whole family.

    Args:
        silent: ``payment_key`` of the payments to look at.
        payers: who may have paid.
        desk: what is open and left now.
        larger: ``family_id`` of families of several customers.
        policy: rules and limits.

    Returns:
        Explanations that stand alone, alternatives for a person (these are never applied), and ``payment_key,
        reason_code`` (ambiguous) of payments that have alternatives.
    """
    wanted = (
        desk.payments.join(silent, on="payment_key", how="semi")
        .join(
            payers.found.filter(pl.col("strength") >= float(policy.known_payer_strength)).select(
                "payment_key", "family_id", payer="customer_id", payer_rule="rule", payer_strength="strength"
            ),
            on="payment_key",
        )
        .with_columns(amount=money("left"))
    )
    open_items = desk.items.filter(pl.col("open") != 0).join(
        wanted.select("family_id").unique(), on="family_id", how="semi"
    )
    sure: list[Proposals] = []
    doubtful: list[Proposals] = []
    for owner in ("customer_id", "family_id"):
        of = wanted.with_columns(
            payer_key=pl.col("payer" if owner == "customer_id" else "family_id").cast(pl.String)
        ).unique(["payment_key", "payer_key"], keep="first", maintain_order=True)
        for net in (False, True):
            if net:
                # which discount is granted depends on the day
                of = of.with_columns(payer_key=pl.format("{}|{}", "payer_key", "value_date"))
            if of.is_empty():
                continue
            items = _priced(open_items, of, owner, policy, net=net)
            found = find_sums(
                of.select("payment_key", "payer_key", *_ACCOUNT, "amount", "value_date"), items, policy
            )
            sure.append(
                _as_proposals(found.solutions.with_columns(candidate_rank=0), of, desk, policy, net=net)
            )
            doubtful.append(_as_proposals(found.doubts, of, desk, policy, net=net))
            answered = pl.concat([found.solutions.select("payment_key"), found.doubts.select("payment_key")])
            wanted = wanted.join(answered, on="payment_key", how="anti")
            of = of.join(answered, on="payment_key", how="anti")
        wanted = wanted.filter(pl.col("family_id").is_in(larger.implode()))
    unsure = together(doubtful)
    ambiguous = unsure.heads.select("payment_key", reason_code=pl.lit("ambiguous")).unique(
        maintain_order=True
    )
    return together(sure), unsure, ambiguous


def _priced(
    open_items: pl.DataFrame, wanted: pl.DataFrame, owner: str, policy: MatchingPolicy, *, net: bool
) -> pl.DataFrame:
    """Open items of the payers that matter, at their open amount or net of the discount granted that day."""
    asked = wanted.select(
        "payer_key", "value_date", *_ACCOUNT, owner=pl.col("payer" if owner == "customer_id" else "family_id")
    )
    asked = asked.with_columns(pl.col("owner").cast(pl.String))
    items = open_items.with_columns(owner=pl.col(owner).cast(pl.String))
    if not net:
        items = items.join(asked.drop("value_date").unique(), on=["owner", *_ACCOUNT])
        amount = pl.col("open")
    else:
        items = (
            items.filter(pl.col("discount") > 0)
            .select("owner", *_ACCOUNT)
            .unique()
            .join(asked.unique(), on=["owner", *_ACCOUNT])
            .join(items, on=["owner", *_ACCOUNT])
        )
        amount = pl.col("open") - granted_discount(pl.col("value_date"), policy)
    return items.select(
        "item_key",
        "payer_key",
        *_ACCOUNT,
        "invoice_date",
        "due_date",
        "invoice_id",
        amount=money(amount),
        order_key="order_id",
    )


def _as_proposals(
    found: pl.DataFrame, wanted: pl.DataFrame, desk: Desk, policy: MatchingPolicy, *, net: bool
) -> Proposals:
    key = ["payment_key", "payer_key", "candidate_rank"]
    rows = found.join(
        wanted.select("payment_key", "payer_key", "value_date", "payer_rule", "payer_strength"),
        on=["payment_key", "payer_key"],
        validate="m:1",
    ).join(
        desk.items.select("item_key", "open", "discount", "discount_due_date"), on="item_key", validate="m:1"
    )
    granted = granted_discount(pl.col("value_date"), policy) if net else pl.lit(0, dtype=pl.Int64)
    rows = rows.with_columns(
        proposal=(pl.struct(key).rank("dense") - 1).cast(pl.UInt32),
        shape=pl.lit("discount" if net else "exact"),
        settled=pl.col("open"),
        discount=granted,
        write_off=pl.lit(0, dtype=pl.Int64),
        deduction=pl.lit(0, dtype=pl.Int64),
        deduction_kind=pl.lit(None, dtype=PARTS["deduction_kind"]),
        customer_reason_code=pl.lit(None, dtype=PARTS["customer_reason_code"]),
        reference_strength=strength("rule", policy.strengths.sums),
    )
    return described(rows, policy, amount_speaks=False)
