"""Payments with remittance lines: the customer says what each part is for, and it must add up."""

import polars as pl

from o2c.matching.desk import Desk, units
from o2c.matching.proposals import Proposals, described, none
from o2c.matching.shapes import granted_discount, small_difference_limit
from o2c.policy import REFERENCE_RULES, MatchingPolicy

TRUST = {rule: order for order, rule in enumerate(REFERENCE_RULES)}


def propose_remitted(
    lines: pl.DataFrame, named: pl.DataFrame, applied_pairs: pl.DataFrame, desk: Desk, policy: MatchingPolicy
) -> tuple[Proposals, pl.DataFrame]:
    """Explanations by remittance lines, and what is wrong with payments whose lines explain nothing, or not all.

    Lines for one item count together. What a line takes off with a negative amount is a credit memo where it names
    one, else a deduction from the item it names. Lines of items that this payment has settled already are
    used up.

    Args:
        lines: RemittanceLines with ``line_key, payment_key``.
        named: NAMED rows of lines that are not foreign.
        applied_pairs: ``payment_key, item_key`` that stand applied.
        desk: what is open and left now.
        policy: tolerances and strengths.

    Returns:
        At most one explanation per payment; and ``payment_key, reason_code`` (remittance_does_not_add_up,
        remittance_unknown_item).
    """
    active = desk.payments.filter("is_active").select(
        "payment_key", "payment_amount", "left", "value_date", "payment_method", "currency_code"
    )
    said = lines.join(active, on="payment_key", validate="m:1").with_columns(
        paid=units("paid_amount"),
        said_discount=units(pl.col("discount_amount").fill_null(0)),
        said_deduction=units(pl.col("deduction_amount").fill_null(0)),
    )
    if said.is_empty():
        return none(), _reasons(said, "")
    adds_up = pl.col("paid").sum().over("payment_key") == units("payment_amount")
    wrong = _reasons(said.filter(~adds_up), "remittance_does_not_add_up")
    said = said.filter(adds_up)
    meant = _meant(said, named, desk)
    meant = _adopt_loose_deductions(meant)
    done = pl.struct("payment_key", "item_key").is_in(
        applied_pairs.select(pl.struct("payment_key", "item_key")).to_series().implode()
    )
    open_question = meant.filter(pl.col("item_key").is_null() | ~done.fill_null(False))
    lost = open_question.filter(pl.col("item_key").is_null())
    unknown = _reasons(lost, "remittance_unknown_item")
    # Without the credit memo or deduction that a line takes off, the other lines want more than was paid.
    hopeless = lost.filter(pl.col("paid") < 0).select("payment_key").unique()
    found = open_question.drop_nulls("item_key").join(hopeless, on="payment_key", how="anti")
    return _explained(found, desk, policy), pl.concat([wrong, unknown])


def _meant(said: pl.DataFrame, named: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Each line with the one item it means, null where there is none or more than one."""
    money_off = desk.items.select("item_key", "invoice_id", "open", "document_type")
    candidates = (
        named.join(
            said.select("line_key", "paid", "said_discount", "said_deduction"), on="line_key", validate="m:1"
        )
        .join(money_off, on="item_key", validate="m:1")
        # a credit memo is taken off, an invoice is paid; a deduction from an invoice is taken off too
        .filter((pl.col("paid") <= 0) | (pl.col("document_type") != "credit_memo"))
        .with_columns(
            trust=pl.col("rule").replace_strict(TRUST, default=len(TRUST), return_dtype=pl.Int64),
            fits=pl.col("open") == pl.col("paid") + pl.col("said_discount") + pl.col("said_deduction"),
        )
        .filter(pl.col("trust") == pl.col("trust").min().over("line_key"))
    )
    several = pl.len().over("line_key") > 1
    by_amount = pl.col("fits") & (pl.col("fits").sum().over("line_key") == 1)
    chosen = candidates.filter(~several | by_amount).select(
        "line_key", "item_key", "rule", "said", "reference_strength", "payer_rule", "payer_strength"
    )
    return said.join(chosen, on="line_key", how="left", validate="1:1")


def _adopt_loose_deductions(meant: pl.DataFrame) -> pl.DataFrame:
    """A negative line that names no item belongs to the one item of a remittance that pays only one."""
    positive = pl.col("paid") > 0
    of_payment = pl.col("item_key").filter(positive & pl.col("item_key").is_not_null())
    only_one = (of_payment.n_unique().over("payment_key") == 1) & (
        (positive & pl.col("item_key").is_null()).sum().over("payment_key") == 0
    )
    adopts = pl.col("item_key").is_null() & (pl.col("paid") < 0) & only_one
    filled = [
        pl.when(adopts)
        .then(pl.col(name).filter(positive & pl.col("item_key").is_not_null()).first().over("payment_key"))
        .otherwise(pl.col(name))
        .alias(name)
        for name in ("rule", "said", "reference_strength", "payer_rule", "payer_strength")
    ]
    item = (
        pl.when(adopts)
        .then(of_payment.first().over("payment_key"))
        .otherwise(pl.col("item_key"))
        .alias("item_key")
    )
    return meant.sort("payment_key", "line_key").with_columns(item, *filled)


def _explained(found: pl.DataFrame, desk: Desk, policy: MatchingPolicy) -> Proposals:
    """What the lines of each payment settle: one proposal per payment."""
    if found.is_empty():
        return none()
    items = desk.items.select(
        "item_key", "invoice_id", "open", "discount", "discount_due_date", "document_type"
    )
    is_off = pl.col("paid") < 0
    grouped = (
        found.join(items.select("item_key", "document_type"), on="item_key", validate="m:1")
        .with_columns(is_memo=pl.col("document_type") == "credit_memo")
        .sort("payment_key", "item_key", "line_key")
        .group_by("payment_key", "item_key", maintain_order=True)
        .agg(
            pl.col("value_date", "payment_method", "currency_code", "left", "is_memo").first(),
            pl.col("paid").sum(),
            pl.col("said_discount").sum(),
            said_deduction=pl.col("said_deduction").sum()
            + pl.when(is_off & ~pl.col("is_memo")).then(-pl.col("paid")).otherwise(0).sum(),
            customer_reason_code=pl.col("reason_code").drop_nulls().first(),
            rule=pl.col("rule").sort_by("reference_strength", "rule").first(),
            said=pl.col("said").unique(maintain_order=True).str.join(", "),
            reference_strength=pl.col("reference_strength").min(),
            payer_strength=pl.col("payer_strength").min(),
            payer_rule=pl.col("payer_rule").sort_by("payer_strength").first(),
        )
        .join(items, on="item_key", validate="m:1")
        .with_columns(
            granted=granted_discount(pl.col("value_date"), policy),
            limit=small_difference_limit(pl.col("currency_code"), pl.col("payment_method"), policy),
        )
    )
    rows = _settled(grouped, policy)
    cash = pl.col("settled") - pl.col("discount") - pl.col("write_off")
    possible = (cash.sum().over("payment_key") <= pl.col("left")) & (cash.sum().over("payment_key") >= 0)
    rows = rows.filter(possible & ((pl.col("settled") != 0) | (pl.col("deduction") != 0)))
    rows = rows.with_columns(
        proposal=(pl.col("payment_key").rank("dense") - 1).cast(pl.UInt32), shape=pl.lit("exact")
    )
    return described(rows, policy)


def _settled(grouped: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """What the lines of an item settle of it. Credit memos first, then invoices step by step."""
    owed = pl.max_horizontal("open", 0)
    # of a line that pays more than is open, the rest stays on account
    cash = pl.min_horizontal(pl.max_horizontal("paid", 0), owed)
    zero = pl.lit(0, dtype=pl.Int64)
    rows = grouped.with_columns(cash=cash, rest=owed - cash)
    taken = pl.when(pl.col("said_discount") > 0).then(pl.col("said_discount"))
    # who takes exactly the discount without saying so takes it all the same
    silent = pl.when((pl.col("rest") == pl.col("granted")) & (pl.col("said_deduction") == 0)).then(
        pl.col("rest")
    )
    rows = rows.with_columns(
        discount=pl.min_horizontal(pl.coalesce(taken, silent, zero), "rest", "granted"),
        asked_discount=pl.coalesce(taken, zero),
    ).with_columns(rest=pl.col("rest") - pl.col("discount"))
    unearned = pl.min_horizontal(pl.max_horizontal(pl.col("asked_discount") - pl.col("discount"), 0), "rest")
    told = pl.min_horizontal("said_deduction", pl.col("rest") - unearned)
    rows = rows.with_columns(unearned=unearned, told=told).with_columns(
        rest=pl.col("rest") - pl.col("unearned") - pl.col("told")
    )
    said_nothing = (pl.col("unearned") == 0) & (pl.col("told") == 0)
    slight = pl.col("rest") * 10_000 <= owed * int(policy.small_differences.max_ratio * 10_000)
    small = (pl.col("rest") <= pl.col("limit")) & slight
    mostly = pl.col("rest") * 10_000 <= owed * int(policy.short_payment_ratio * 10_000)
    rows = rows.with_columns(
        write_off=pl.when(said_nothing & (pl.col("cash") > 0) & small).then("rest").otherwise(0),
        unexplained=pl.when(said_nothing & (pl.col("cash") > 0) & ~small & mostly).then("rest").otherwise(0),
    )
    memo_used = pl.max_horizontal(pl.min_horizontal("paid", 0), pl.min_horizontal("open", 0))
    return rows.with_columns(
        settled=pl.when("is_memo")
        .then(memo_used)
        .otherwise(pl.col("cash") + pl.col("discount") + pl.col("write_off")),
        discount=pl.when("is_memo").then(0).otherwise("discount"),
        write_off=pl.when("is_memo").then(0).otherwise("write_off"),
        deduction=pl.when("is_memo")
        .then(0)
        .otherwise(pl.col("unearned") + pl.col("told") + pl.col("unexplained")),
        deduction_kind=pl.when(pl.col("told") > 0)
        .then(pl.lit("line"))
        .when(pl.col("unearned") > 0)
        .then(pl.lit("unearned_discount"))
        .when(pl.col("unexplained") > 0)
        .then(pl.lit("short")),
    )


def _reasons(rows: pl.DataFrame, reason_code: str) -> pl.DataFrame:
    return rows.select("payment_key").unique().with_columns(reason_code=pl.lit(reason_code))
