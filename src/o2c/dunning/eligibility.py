"""Which items may be dunned at all, for how much, and what holds the others back."""

from datetime import date, timedelta

import polars as pl

from o2c.contract import MONEY
from o2c.dunning.book import KEY, DunningBook

# Why an item is left alone, the weightiest first: when all items of a customer are, its decision names the first.
ITEM_HOLDS = ("invoice_blocked", "plan_in_good_standing", "promise_pending", "placed_with_agency", "disputed")

# Reasons that are blocks in the sense of the vocabulary. Leaving one never sends on the same day.
BLOCK_REASONS = (
    "insolvent",
    "legal",
    "do_not_contact",
    "complained",
    "unknown_status",
    "payment_plan",
    "blocked",
    "possible_payer",
    *ITEM_HOLDS,
)


def effective(blocks: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Blocks that hold on the as-of date; the last day of a block is blocked."""
    return blocks.filter(
        pl.col("valid_from") <= as_of, pl.col("valid_until").is_null() | (pl.col("valid_until") >= as_of)
    )


def just_ended(blocks: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Blocks whose last day was the day before the as-of date."""
    return blocks.filter(pl.col("valid_until") == as_of - timedelta(days=1))


def judge_items(book: DunningBook, as_of: date, first_day: int) -> pl.DataFrame:
    """Invoices and debit memos from ``first_day`` on (days past due), each with what may be dunned of it.

    Adds ``amount`` (the undisputed part), ``contested_amount`` and ``hold``: null for an eligible item, else the
    weightiest of ITEM_HOLDS. A partly disputed item is eligible for the rest. One row per item.
    """
    blocks = effective(book.blocks, as_of)
    pending = book.promises.filter(pl.col("status") == "pending")
    plans = book.plans.filter("is_in_good_standing")
    invoice_ids = pl.col("invoice_id").is_not_null()
    return (
        book.items.filter(
            pl.col("document_type") != "credit_memo",
            pl.col("open_amount") > 0,
            pl.col("days_past_due") >= first_day,
        )
        .with_columns(
            contested_amount=pl.min_horizontal("disputed_amount", "open_amount").clip(0).cast(MONEY)
        )
        .with_columns(amount=(pl.col("open_amount") - pl.col("contested_amount")).cast(MONEY))
        .pipe(
            _marked, blocks.filter(pl.col("scope") == "invoice"), {"invoice_id": "subject_id"}, "is_blocked"
        )
        .pipe(
            _marked, blocks.filter(pl.col("scope") != "invoice"), {"customer_id": "subject_id"}, "is_frozen"
        )
        .pipe(_marked, plans.filter(invoice_ids), {"invoice_id": "invoice_id"}, "has_plan")
        .pipe(_marked, plans.filter(~invoice_ids), {"customer_id": "customer_id"}, "has_general_plan")
        .pipe(_marked, pending.filter(invoice_ids), {"invoice_id": "invoice_id"}, "has_promise")
        .pipe(
            _marked,
            pending.filter(~invoice_ids),
            {"customer_id": "customer_id", "currency_code": "currency_code"},
            "has_general_promise",
        )
        .pipe(
            _marked,
            book.placed,
            {"invoice_id": "invoice_id", "installment_number": "installment_number"},
            "is_placed",
        )
        .with_columns(
            hold=pl.when(pl.col("is_blocked") | pl.col("is_frozen"))
            .then(pl.lit("invoice_blocked"))
            .when(pl.col("has_plan") | pl.col("has_general_plan"))
            .then(pl.lit("plan_in_good_standing"))
            .when(pl.col("has_promise") | pl.col("has_general_promise"))
            .then(pl.lit("promise_pending"))
            .when("is_placed")
            .then(pl.lit("placed_with_agency"))
            .when(pl.col("amount") <= 0)
            .then(pl.lit("disputed"))
        )
    )


def sum_keys(items: pl.DataFrame, book: DunningBook) -> pl.DataFrame:
    """What each customer owes in one entity and currency. One row per KEY with anything past due or due soon.

    ``past_due_amount`` is the undisputed part of unblocked items at least one day past due, ``net_due_amount``
    that less cash on account and open credit memos; ``worst_days_past_due`` counts items that are held, too.
    """
    past_due, due_soon = pl.col("days_past_due") >= 1, pl.col("days_past_due") <= 0
    eligible = pl.col("hold").is_null()
    hold_rank = pl.col("hold").replace_strict(
        {hold: rank for rank, hold in enumerate(ITEM_HOLDS)}, default=None, return_dtype=pl.Int64
    )
    credits_open = (
        book.items.filter(pl.col("document_type") == "credit_memo")
        .group_by(KEY)
        .agg(credit_memo_amount=(-pl.col("open_amount")).sum().cast(MONEY))
    )
    unapplied = book.unapplied.group_by(KEY).agg(pl.col("unapplied_amount").sum().cast(MONEY))
    return (
        items.group_by(KEY)
        .agg(
            past_due_amount=pl.col("amount").filter(past_due & eligible).sum().cast(MONEY),
            disputed_amount=pl.col("contested_amount").filter(past_due).sum().cast(MONEY),
            due_soon_amount=pl.col("amount").filter(due_soon & eligible).sum().cast(MONEY),
            past_due_count=(past_due & eligible).sum().cast(pl.Int64),
            due_soon_count=(due_soon & eligible).sum().cast(pl.Int64),
            has_past_due=past_due.any(),
            worst_days_past_due=pl.col("days_past_due").max(),
            oldest_days_past_due=pl.col("days_past_due").filter(past_due & eligible).max(),
            past_due_holds=pl.col("hold").filter(past_due & ~eligible).unique(),
            past_due_hold=hold_rank.filter(past_due).min(),
            due_soon_hold=hold_rank.filter(due_soon).min(),
        )
        .with_columns(
            pl.col("past_due_hold", "due_soon_hold").replace_strict(
                dict(enumerate(ITEM_HOLDS)), default=None, return_dtype=pl.String
            )
        )
        .join(credits_open, on=KEY, how="left", validate="1:1")
        .join(unapplied, on=KEY, how="left", validate="1:1")
        .with_columns(pl.col("credit_memo_amount", "unapplied_amount").fill_null(0).cast(MONEY))
        .with_columns(
            net_due_amount=(
                pl.col("past_due_amount") - pl.col("unapplied_amount") - pl.col("credit_memo_amount")
            ).cast(MONEY)
        )
    )


def find_released_keys(items: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """Keys of which a block on the customer, or on an item past due, ended the day before."""
    ended = just_ended(book.blocks, as_of)
    by_invoice = items.filter(pl.col("days_past_due") >= 1).join(
        ended.filter(pl.col("scope") == "invoice"), left_on="invoice_id", right_on="subject_id", how="semi"
    )
    by_customer = items.join(
        ended.filter(pl.col("scope") != "invoice"), left_on="customer_id", right_on="subject_id", how="semi"
    )
    return pl.concat([by_invoice.select(KEY), by_customer.select(KEY)]).unique()


def _marked(items: pl.DataFrame, found: pl.DataFrame, on: dict[str, str], name: str) -> pl.DataFrame:
    """The items with a yes or no: whether ``found`` names them."""
    keys = found.select([pl.col(right).alias(left) for left, right in on.items()]).unique()
    return items.join(
        keys.with_columns(pl.lit(True).alias(name)), on=list(on), how="left", validate="m:1"
    ).with_columns(pl.col(name).fill_null(False))
