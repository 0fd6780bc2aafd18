"""What is left for persons: why a payment waits, what it may be for, and whose it is meanwhile."""

from datetime import date

import polars as pl

from o2c.contract import MONEY, RATIO
from o2c.frames import CashCandidates, CashExceptions, PayerAssignments
from o2c.matching.desk import Desk, money
from o2c.matching.evidence import doubt
from o2c.matching.named import STRONG
from o2c.matching.proposals import Proposals
from o2c.matching.records import explained
from o2c.matching.rounds import Evidence
from o2c.policy import MatchingPolicy

# Why a person must look, the weightiest first, in words for the list.
REASONS = {
    "held": "the statement it came with does not tie, so nothing of it is applied",
    "returned_unclear": "it takes back money, but not exactly one payment or one application",
    "decision_not_possible": "a decision about it no longer fits",
    "evidence_against_application": "what was applied of it rests on what is no longer there",
    "waiting_for_approval": "what a person gave up of it waits for others to approve",
    "remittance_does_not_add_up": "the lines of its remittance do not add up to it",
    "remittance_unknown_item": "its remittance names what is not open, or cannot be told apart",
    "other_customer": "it names items of a customer that has nothing to do with the payer",
    "already_paid": "it names only items that are settled: paid twice, or too early",
    "limit_reached": "its small difference is beyond what may be written off today",
    "ambiguous": "two explanations are equally good",
    "below_threshold": "its best explanation is not sure enough",
    "unmapped_reason": "its remittance has a reason code that is on no list",
    "no_match": "the payer is known, and nothing open fits",
    "unknown_payer": "nobody knows who paid, or for what",
}
WEIGHTS = {code: weight for weight, code in enumerate(REASONS)}


def assign_payers(
    desk: Desk, evidence: Evidence, assigned_date: date, policy: MatchingPolicy
) -> pl.DataFrame:
    """Whose unapplied payments are that named no customer: PayerAssignments.

    The one customer who is known to have paid; else the one whose items the payment names, where name and number
    together are sure enough. Two customers are none.
    """
    left = desk.payments.filter(
        pl.col("customer_id").is_null(), ~pl.col("is_held"), pl.col("left") > 0, pl.col("payment_amount") > 0
    ).select("payment_key", "payment_id")
    known = (
        evidence.payers.found.filter(pl.col("strength") >= float(policy.known_payer_strength))
        .filter(pl.col("strength") == pl.col("strength").max().over("payment_key"))
        .select("payment_key", "customer_id", "rule", doubt=1 - pl.col("strength"))
    )
    owners = (
        evidence.named.filter(~pl.col("is_foreign"), pl.col("rule").is_in([*STRONG, "remittance_line"]))
        .join(known, on="payment_key", how="anti")
        .join(desk.items.select("item_key", "customer_id"), on="item_key", validate="m:1")
        .with_columns(doubt=doubt("reference_strength", "payer_strength"))
        .filter(pl.col("doubt") <= 1 - float(policy.automatic_score) + 1e-9)
        .sort("payment_key", "customer_id", "doubt", "rule")
        .unique(["payment_key", "customer_id"], keep="first", maintain_order=True)
        .select("payment_key", "customer_id", "rule", "doubt")
    )
    words = {
        **dict.fromkeys(
            ("payer_account", "remembered_account"), "Its account has paid for the customer before."
        ),
        "payer_name": "The payer has the customer's name.",
    }
    return (
        pl.concat([known, owners])
        .unique(["payment_key", "customer_id"], keep="first", maintain_order=True)
        .filter(pl.len().over("payment_key") == 1)
        .join(left, on="payment_key", validate="1:1")
        .select(
            "payment_id",
            "customer_id",
            "rule",
            explanation=pl.col("rule").replace_strict(
                words, default="It names the customer's items, and nobody else's.", return_dtype=pl.String
            ),
            score=(1 - pl.col("doubt")).round(6).cast(RATIO),
            assigned_date=pl.lit(assigned_date),
        )
        .sort("payment_id")
        .pipe(PayerAssignments.validate)
    )


def list_exceptions(
    desk: Desk, evidence: Evidence, assignments: pl.DataFrame, reasons: pl.DataFrame, returned: pl.Series
) -> pl.DataFrame:
    """Payments that wait for a person, each with the reason that matters most: CashExceptions.

    What is left of a payment that was applied with the rest on account of a customer is none.

    Args:
        desk: what is left at the end.
        evidence: for payments that name settled or foreign items.
        assignments: of this run.
        reasons: ``payment_key, reason_code`` found on the way, in any number.
        returned: payment_id of reversals carried out and of payments that went back.
    """
    waiting = (
        desk.payments.filter(~pl.col("payment_id").is_in(returned.implode()), pl.col("left") != 0)
        .join(
            assignments.select("payment_id", assigned="customer_id"),
            on="payment_id",
            how="left",
            validate="1:1",
        )
        .with_columns(customer_id=pl.coalesce("customer_id", "assigned"))
    )
    found = pl.concat([reasons.select("payment_key", "reason_code"), _by_evidence(desk, evidence)])
    worst = (
        found.with_columns(
            weight=pl.col("reason_code").replace_strict(WEIGHTS, default=len(WEIGHTS), return_dtype=pl.Int64)
        )
        .sort("payment_key", "weight")
        .unique("payment_key", keep="first", maintain_order=True)
        .select("payment_key", found_code="reason_code")
    )
    code = (
        pl.when("is_held")
        .then(pl.lit("held"))
        .when(pl.col("payment_amount") < 0)
        .then(
            pl.coalesce(
                pl.when(pl.col("found_code") == "decision_not_possible").then("found_code"),
                pl.lit("returned_unclear"),
            )
        )
        .when(pl.col("found_code").is_not_null())
        .then("found_code")
        .when("has_applied")
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("customer_id").is_not_null())
        .then(pl.lit("no_match"))
        .otherwise(pl.lit("unknown_payer"))
    )
    return (
        waiting.join(worst, on="payment_key", how="left", validate="1:1")
        .with_columns(reason_code=code)
        .filter(pl.col("reason_code").is_not_null())
        .select(
            "payment_id",
            "entity_id",
            "customer_id",
            "currency_code",
            "reason_code",
            reason=pl.col("reason_code").replace_strict(REASONS, return_dtype=pl.String),
            payment_amount="payment_amount",
            unapplied_amount=money("left"),
            value_date="value_date",
        )
        .sort("payment_id")
        .pipe(CashExceptions.validate)
    )


def _by_evidence(desk: Desk, evidence: Evidence) -> pl.DataFrame:
    """Reasons that lie in what a payment names: only foreign items, or only settled ones."""
    untouched = desk.payments.filter(~pl.col("has_applied")).select("payment_key")
    named = (
        evidence.named.filter(pl.col("rule").is_in([*STRONG, "remittance_line"]))
        .join(untouched, on="payment_key", how="semi")
        .join(desk.items.select("item_key", "open"), on="item_key", validate="m:1")
        .group_by("payment_key")
        .agg(all_foreign=pl.col("is_foreign").all(), all_settled=(pl.col("open") == 0).all())
    )
    return pl.concat(
        [
            named.filter("all_foreign").select("payment_key", reason_code=pl.lit("other_customer")),
            named.filter("all_settled", ~pl.col("all_foreign")).select(
                "payment_key", reason_code=pl.lit("already_paid")
            ),
        ]
    )


def list_candidates(
    exceptions: pl.DataFrame, desk: Desk, alternatives: Proposals, evidence: Evidence, policy: MatchingPolicy
) -> pl.DataFrame:
    """What the payments of the exceptions may be for, the least doubtful first: CashCandidates."""
    waiting = exceptions.select("payment_id").join(
        desk.payments.select("payment_id", "payment_key", "currency_code"), on="payment_id", validate="1:1"
    )
    items = desk.items.select("item_key", "invoice_id", "customer_id")
    heads = alternatives.heads.join(waiting, on="payment_key", validate="m:1")
    first_item = (
        alternatives.parts.join(items, on="item_key", validate="m:1")
        .group_by("proposal")
        .agg(invoice_ids=pl.col("invoice_id").sort().str.join("|"))
    )
    ranked = (
        heads.join(first_item, on="proposal", validate="1:1")
        .sort("payment_id", "doubt", "rule", "invoice_ids", "shape", "said", nulls_last=True)
        .unique(["payment_id", "signature"], keep="first", maintain_order=True)
        .with_columns(candidate_rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("payment_id"))
        .filter(pl.col("candidate_rank") <= policy.max_candidates)
        .with_columns(reason=explained())
    )
    rows = (
        ranked.drop("rule", "shape", strict=False)
        .join(ranked.select("proposal", "rule"), on="proposal", validate="1:1")
        .join(alternatives.parts, on="proposal", validate="1:m")
        .join(items, on="item_key", validate="m:1")
        .select(
            "payment_id",
            "candidate_rank",
            "customer_id",
            "invoice_id",
            "currency_code",
            "rule",
            "reason",
            applied_amount=money(pl.col("settled") - pl.col("discount") - pl.col("write_off")),
            discount_amount=money("discount"),
            deduction_amount=money("deduction"),
            score=(1 - pl.col("doubt")).round(6).cast(RATIO),
        )
    )
    payers = _payer_candidates(waiting, rows, evidence, policy)
    return (
        pl.concat([rows, payers])
        .sort("payment_id", "candidate_rank", "invoice_id", nulls_last=True)
        .pipe(CashCandidates.validate)
    )


def _payer_candidates(
    waiting: pl.DataFrame, rows: pl.DataFrame, evidence: Evidence, policy: MatchingPolicy
) -> pl.DataFrame:
    """Customers who may have paid, behind the explanations, as far as those leave room."""
    used = rows.group_by("payment_id").agg(last=pl.col("candidate_rank").max())
    named = rows.select("payment_id", "customer_id").unique()
    return (
        evidence.payers.found.join(waiting, on="payment_key", validate="m:1")
        .join(named, on=["payment_id", "customer_id"], how="anti")
        .join(used, on="payment_id", how="left", validate="m:1")
        .sort("payment_id", "strength", "customer_id", descending=[False, True, False])
        .with_columns(
            candidate_rank=pl.col("last").fill_null(0)
            + pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("payment_id")
        )
        .filter(pl.col("candidate_rank") <= policy.max_candidates)
        .select(
            "payment_id",
            "candidate_rank",
            "customer_id",
            "currency_code",
            "rule",
            invoice_id=pl.lit(None, dtype=pl.String),
            reason=pl.lit("May be this customer's money."),
            applied_amount=pl.lit(0).cast(MONEY),
            discount_amount=pl.lit(0).cast(MONEY),
            deduction_amount=pl.lit(0).cast(MONEY),
            score=pl.col("strength").round(6).cast(RATIO),
        )
        .select(rows.columns)
    )
