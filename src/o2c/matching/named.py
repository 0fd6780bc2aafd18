"""Payments whose text names items: which set of them the amount says is meant."""

from itertools import combinations

import polars as pl
from rapidfuzz.distance import OSA

from o2c.matching.desk import Desk
from o2c.matching.proposals import Proposals, described, together
from o2c.matching.shapes import fit, granted_discount
from o2c.matching.unread import may_go_on, unread_numbers
from o2c.policy import MatchingPolicy

# What these rules find was written as the item's own number; the others may have met it by accident.
STRONG = ("creditor_reference", "invoice_id", "invoice_number", "embedded_number", "number_range")
# Named together on purpose, so one text for several items is not vague.
FOR_SEVERAL = ("number_range",)
# Beyond this many named items only their whole sum, or that of the strong ones, is tried.
MAX_CHOOSABLE = 10
INEXACT = ("told_short", "short", "over", "partial")

_OF_ITEM = [
    "item_key",
    "minor_unit",
    "customer_id",
    "entity_id",
    "currency_code",
    "invoice_id",
    "due_date",
    "discount_due_date",
]
_OF_PAYMENT = ["value_date", "payment_method", "reference_text"]
# What all rows of a proposal have in common, beside ``paid``.
_SHARED = ["payment_key", "value_date", "payment_method", "reference_text", "payer_rule", "payer_strength"]


def propose_named(named: pl.DataFrame, desk: Desk, policy: MatchingPolicy) -> Proposals:
    """Explanations by what texts name, of payments that may still be applied.

    For each payment and family: all named open items, or those named beyond accident; with the family's credit
    memos that make the amount right; else the one subset of the named items that does.

    Args:
        named: NAMED rows of texts (``line_key`` null) that are not foreign.
        desk: what is open and left now.
        policy: tolerances and strengths.
    """
    members = _members(named, desk)
    if members.is_empty():
        return together([])
    sets = pl.concat([members.with_columns(tier=pl.lit("all")), _strong_alone(members)])
    keys = ["payment_key", "family_id", "tier"]
    numbers = sets.select(keys).unique().sort(keys).with_row_index("proposal")
    sets = sets.join(numbers, on=keys, validate="m:1")
    fitted = fit(sets, policy)
    right = fitted.filter(pl.col("shape").is_in(["exact", "discount", "late_discount"]))
    lacking = sets.join(right, on=["payment_key", "family_id"], how="anti")
    netted = _with_credit_memos(lacking, desk, policy)
    still = lacking.join(netted, on=["payment_key", "family_id"], how="anti") if netted.height else lacking
    chosen = _subsets(still.filter(pl.col("tier") == "all"), policy)
    # What all that is named makes exact is no overpayment of a part of it.
    inexact = pl.col("shape").is_in([*INEXACT, "small_difference"])
    nested = right.filter(pl.col("tier") == "all").select("payment_key", "family_id").unique()
    fitted = pl.concat(
        [
            fitted.filter(~inexact),
            fitted.filter(inexact).join(nested, on=["payment_key", "family_id"], how="anti"),
        ]
    )
    over = fitted.filter(pl.col("shape") == "over")
    doubted = fitted.filter(pl.col("shape").is_in(INEXACT)).select("family_id").unique()
    pool = desk.items.filter(pl.col("open") > 0).join(doubted, on="family_id", how="semi")
    reread, doubtful = _reread(over.filter("digits" in policy.rules), pool, desk, policy)
    ranged = _between(over.filter("number_range" in policy.rules), pool, desk, policy)
    explained = pl.concat([one.select("payment_key", "family_id") for one in (reread, ranged)]).unique()
    over = over.join(explained, on=["payment_key", "family_id"], how="anti")
    fitted = fitted.with_columns(is_for_person=pl.col("proposal").is_in(doubtful)).filter(
        (pl.col("shape") != "over") | pl.col("proposal").is_in(over["proposal"].unique().implode())
    )
    completed = _completed(over.filter("single_amount" in policy.rules), pool, policy)
    inexact = fitted.filter(pl.col("shape").is_in(INEXACT) & ("typo" in policy.rules))
    misread = _misread(inexact, pool, desk, policy)
    found = (fitted, netted, chosen, completed, misread, reread, ranged)
    return together([described(rows, policy) for rows in found if rows.height])


def _members(named: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Named items that are open, of payments with money left."""
    paying = desk.payments_of(named, ["is_active", "left"]).filter("is_active", pl.col("left") > 0)
    open_now = desk.items_of(paying.drop("is_active"), ["open"]).filter(pl.col("open") != 0)
    rows = desk.items_of(open_now, [*_OF_ITEM[1:], "discount"])
    return (
        desk.payments_of(rows, _OF_PAYMENT)
        .rename({"left": "paid"})
        .with_columns(
            is_strong=pl.col("rule").is_in(STRONG),
            is_vague=(pl.col("item_key").n_unique().over("payment_key", "family_id", "said") > 1)
            & ~pl.col("rule").is_in(FOR_SEVERAL),
        )
    )


def _strong_alone(members: pl.DataFrame) -> pl.DataFrame:
    mixed = pl.col("is_strong").any().over("payment_key", "family_id") & ~pl.col("is_strong").all().over(
        "payment_key", "family_id"
    )
    return members.filter(mixed & pl.col("is_strong")).with_columns(tier=pl.lit("strong"))


def _with_credit_memos(sets: pl.DataFrame, desk: Desk, policy: MatchingPolicy) -> pl.DataFrame:
    """Sets whose excess over the payment is exactly one open credit memo of the family, or all of them together."""
    short = (
        sets.group_by("proposal", "payment_key", "family_id", "entity_id", "currency_code")
        .agg(short=pl.col("open").sum() - pl.col("paid").first(), vague=pl.col("is_vague").any())
        .filter((pl.col("short") > 0) & ~pl.col("vague"))
    )
    account = ["family_id", "entity_id", "currency_code"]
    memos = desk.items.filter(pl.col("open") < 0).select(
        *account, "item_key", "minor_unit", "invoice_id", "customer_id", "due_date", "open"
    )
    unnamed = short.join(memos, on=account).join(sets, on=["proposal", "item_key"], how="anti")
    one = unnamed.filter(pl.col("open") == -pl.col("short")).with_columns(
        memo_number=pl.int_range(pl.len(), dtype=pl.UInt32).over("proposal", order_by="invoice_id")
    )
    every = (
        unnamed.filter(
            (pl.col("open").sum().over("proposal") == -pl.col("short")) & (pl.len().over("proposal") > 1)
        )
        .join(one, on="proposal", how="anti")
        .with_columns(memo_number=pl.lit(0, dtype=pl.UInt32))
    )
    # Of several memos of the amount each is an explanation of its own, and none of them is believed.
    added = pl.concat([one.filter(pl.col("memo_number") < policy.max_candidates), every])
    if added.is_empty():
        return sets.head(0)
    numbers = added.select("proposal", "memo_number").unique().sort("proposal", "memo_number")
    numbers = numbers.with_row_index("number").with_columns(pl.col("number").cast(pl.UInt32))
    added = added.join(numbers, on=["proposal", "memo_number"], validate="m:1").drop("memo_number")
    sets = (
        sets.join(numbers.drop("memo_number"), on="proposal").with_columns(proposal="number").drop("number")
    )
    added = added.with_columns(proposal="number").drop("number")
    base = sets.join(added, on="proposal", how="semi")
    like = base.unique("proposal", keep="first", maintain_order=True).select(
        "proposal",
        "paid",
        "value_date",
        "payment_method",
        "reference_text",
        "tier",
        "payer_rule",
        "payer_strength",
    )
    weakest = base.group_by("proposal").agg(pl.col("reference_strength").min(), pl.col("rule").min())
    rows = (
        added.join(like, on="proposal", validate="m:1")
        .join(weakest, on="proposal", validate="m:1")
        .with_columns(said=pl.format("less credit memo {}", "invoice_id"), is_vague=False)
    )
    whole = pl.concat([base, rows], how="diagonal")
    return fit(whole, policy).filter(pl.col("shape") == "exact")


def _between(over: pl.DataFrame, pool: pl.DataFrame, desk: Desk, policy: MatchingPolicy) -> pl.DataFrame:
    """Two numbers with the family's items between them, where those make the sum right: a range of some spelling."""
    numbers = desk.items_of(over, ["invoice_number"]).with_columns(
        stem=pl.col("invoice_number").str.replace_all(r"\d", "#"),
        place=pl.col("invoice_number").str.replace_all(r"\D", "").cast(pl.Int64, strict=False),
    )
    account = ["family_id", "entity_id", "currency_code"]
    ends = (
        numbers.filter(pl.len().over("proposal") == 2, pl.col("stem").n_unique().over("proposal") == 1)
        .group_by("proposal", "stem", *account, maintain_order=True)
        .agg(pl.col("paid", *_SHARED).first(), first=pl.col("place").min(), last=pl.col("place").max())
        .filter((pl.col("last") - pl.col("first")).is_between(2, policy.max_range_length - 1))
    )
    inner = (
        ends.join(
            pool.select(*_OF_ITEM, "family_id", "open", "discount", "invoice_number")
            .join(ends.select(account).unique(), on=account, how="semi")
            .with_columns(
                stem=pl.col("invoice_number").str.replace_all(r"\d", "#"),
                place=pl.col("invoice_number").str.replace_all(r"\D", "").cast(pl.Int64, strict=False),
            ),
            on=[*account, "stem"],
        )
        .filter((pl.col("place") > pl.col("first")) & (pl.col("place") < pl.col("last")))
        .with_columns(
            rule=pl.lit("number_range"),
            said=pl.format("{} in between", "invoice_number"),
            reference_strength=pl.lit(float(policy.strengths.references["number_range"])),
            is_vague=False,
        )
        .drop("first", "last", "stem", "place", "invoice_number")
    )
    base = over.join(inner, on="proposal", how="semi").select(inner.columns)
    return fit(pl.concat([base, inner]), policy).filter(pl.col("shape") == "exact")


def _reread(
    over: pl.DataFrame, pool: pl.DataFrame, desk: Desk, policy: MatchingPolicy
) -> tuple[pl.DataFrame, list[int]]:
    """Texts that paid more than what they name, read again for the endings of the family's other numbers.

    A customer who names a list often shortens all numbers but the first. Alone such an ending would say little; beside
    a number of the same payer, and with the sum right, it says enough.

    Returns:
        Sets that become exact, and the proposals for whose overpayment there is another explanation.
    """
    texts = desk.items_of(over, ["invoice_number"]).group_by("proposal", maintain_order=True)
    unread, doubtful = [], []
    for key, text, numbers in texts.agg(pl.col("reference_text").first(), "invoice_number").iter_rows():
        unread += [(key, run) for run in unread_numbers(text or "", numbers, policy.min_reference_length)]
        if may_go_on(text or ""):
            doubtful.append(key)
    account = ["family_id", "entity_id", "currency_code"]
    heads = over.unique("proposal", keep="first", maintain_order=True)
    runs = pl.DataFrame(unread, schema={"proposal": over.schema["proposal"], "run": pl.String}, orient="row")
    open_items = pool.select(
        *_OF_ITEM,
        "family_id",
        "open",
        "discount",
        digits=pl.col("invoice_number").str.replace_all(r"\D", ""),
        runs=pl.col("invoice_number").str.extract_all(r"[1-9]\d*"),
    )
    hits = (
        runs.join(heads.select("proposal", "paid", *_SHARED, *account), on="proposal", validate="m:1")
        .join(open_items, on=account)
        .filter(pl.col("digits").str.ends_with(pl.col("run")) | pl.col("runs").list.contains(pl.col("run")))
        .join(over, on=["proposal", "item_key"], how="anti")
        .with_columns(
            rule=pl.lit("digits"),
            said="run",
            reference_strength=pl.lit(float(policy.strengths.references["digits"])),
            is_vague=pl.col("item_key").n_unique().over("proposal", "run") > 1,
        )
        .unique(["proposal", "item_key"], keep="first", maintain_order=True)
        .drop("run", "digits", "runs")
    )
    base = over.join(hits, on="proposal", how="semi").select(hits.columns)
    fitted = fit(pl.concat([base, hits]), policy)
    return (
        fitted.filter(pl.col("shape").is_in(["exact", "discount"])),
        [*doubtful, *hits["proposal"].unique().to_list()],
    )


def _completed(over: pl.DataFrame, pool: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """Sets that an item nobody named makes exact: the text may have said it in a way that was not understood.

    One explanation for each such item, beside that of an overpayment: which of them is meant is seldom sure.
    """
    excess = over.group_by("proposal", "payment_key", "family_id", "entity_id", "currency_code").agg(
        open=pl.col("paid").first() - pl.col("open").sum()
    )
    one = (
        excess.join(
            pool.select(*_OF_ITEM, "family_id", "open", "discount"),
            on=["family_id", "entity_id", "currency_code", "open"],
        )
        .join(over, on=["proposal", "item_key"], how="anti")
        .sort("proposal", "due_date", "invoice_id")
        .filter(pl.int_range(pl.len()).over("proposal") < policy.max_candidates)
        .with_columns(
            number=pl.int_range(pl.len(), dtype=pl.UInt32),
            rule=pl.lit("single_amount"),
            said=pl.format("and {}, of the amount left", "invoice_id"),
            reference_strength=pl.lit(float(policy.strengths.sums["single_amount"])),
            is_vague=False,
        )
    )
    if one.is_empty():
        return over.head(0)
    ours = [*_SHARED, *_OF_ITEM, "proposal", "paid", "open", "discount", "family_id", "rule", "said"]
    named = over.select(*dict.fromkeys(ours), "reference_strength", "is_vague")
    payment = named.unique("proposal", keep="first", maintain_order=True).select(
        "proposal", "paid", *_SHARED[1:]
    )
    added = one.join(payment, on="proposal", validate="m:1").with_columns(proposal="number").drop("number")
    base = (
        one.select("proposal", "number")
        .join(named, on="proposal")
        .with_columns(proposal="number")
        .drop("number")
    )
    return fit(pl.concat([base, added], how="diagonal"), policy).filter(pl.col("shape") == "exact")


def _misread(inexact: pl.DataFrame, pool: pl.DataFrame, desk: Desk, policy: MatchingPolicy) -> pl.DataFrame:
    """Items of exactly the amount whose number is one slip away from that of the item named, which does not fit.

    Who mistypes a number may hit another one of his own.
    """
    account = ["family_id", "entity_id", "currency_code"]
    near = (
        inexact.filter(pl.len().over("proposal") == 1)
        .pipe(desk.items_of, ["invoice_number"])
        .rename({"invoice_number": "named_number"})
        .select(*_SHARED, *account, "said", "named_number", "reference_strength", open="paid")
        .with_columns(paid="open")
        .join(
            pool.select(*_OF_ITEM, "family_id", "open", "discount", "invoice_number"),
            on=[*account, "open"],
        )
    )
    if near.is_empty():
        return inexact.head(0)
    is_near = [
        0 < OSA.distance(one, other, score_cutoff=1) <= 1
        for one, other in near.select("named_number", "invoice_number").iter_rows()
    ]
    rows = near.filter(pl.Series(is_near, dtype=pl.Boolean)).with_columns(
        proposal=pl.int_range(pl.len(), dtype=pl.UInt32),
        rule=pl.lit("typo"),
        said=pl.format("{} for {}", "said", "invoice_number"),
        is_vague=False,
    )
    return fit(rows, policy)


def _subsets(sets: pl.DataFrame, policy: MatchingPolicy) -> pl.DataFrame:
    """The one subset of the named items that makes the amount, open or net of granted discounts."""
    choosable = sets.filter(pl.len().over("proposal").is_between(2, MAX_CHOOSABLE)).with_columns(
        granted=granted_discount(pl.col("value_date"), policy)
    )
    kept: list[tuple[int, int]] = []
    grouped = choosable.sort("proposal", "item_key").group_by("proposal", maintain_order=True)
    for key, paid, items, opens, granted in grouped.agg(
        pl.col("paid").first(), "item_key", "open", "granted"
    ).iter_rows():
        found = {
            chosen
            for size in range(1, len(items))
            for chosen in combinations(range(len(items)), size)
            if paid in (sum(opens[at] for at in chosen), sum(opens[at] - granted[at] for at in chosen))
        }
        if len(found) == 1:
            kept += [(key, items[at]) for at in found.pop()]
    if not kept:
        return sets.head(0)
    wanted = pl.DataFrame(kept, schema={"proposal": pl.UInt32, "item_key": pl.UInt32}, orient="row")
    members = sets.join(wanted, on=["proposal", "item_key"], how="semi")
    return fit(members, policy).filter(pl.col("shape").is_in(["exact", "discount"]))
