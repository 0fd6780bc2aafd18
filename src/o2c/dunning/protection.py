"""Customers whom the machine leaves alone whatever they owe."""

from datetime import date

import polars as pl

from o2c.calendars import COUNTRY_CODES
from o2c.dunning.book import KEY, DunningBook, state_date
from o2c.dunning.eligibility import BLOCK_REASONS, effective, find_released_keys
from o2c.dunning.history import letters_before

# Weightiest first: of several reasons the decision names the first.
PROTECTIONS = (
    "insolvent",
    "legal",
    "do_not_contact",
    "complained",
    "closed",
    "unknown_status",
    "intercompany",
    "unknown_customer",
    "unknown_customer_type",
    "unknown_jurisdiction",
    "payment_plan",
    "blocked",
    "possible_payer",
    "block_ended",
)
STATUSES = {
    "insolvent": "insolvent",
    "legal": "legal",
    "do_not_contact": "do_not_contact",
    "closed": "closed",
}
CUSTOMER_TYPES = ("business", "public", "consumer", "intercompany")
BLOCK_KINDS = {"insolvency": "insolvent", "legal": "legal", "payment_plan": "payment_plan"}


def protect(keys: pl.DataFrame, items: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """Adds ``protection``: the weightiest reason of PROTECTIONS not to write to the customer at all, or null.

    An unknown status or kind of block protects: what we cannot read may be the reason to keep still. Insolvency
    and legal blocks on one invoice protect the whole customer. ``keys`` has the customer's columns beside it.
    """
    kinds = customer_blocks(items, book, as_of)
    held = keys.join(kinds, on="customer_id", how="left", validate="m:1").with_columns(
        pl.col("block_reasons").fill_null([])
    )
    released = find_released_keys(items, book, as_of).with_columns(is_released=pl.lit(True))
    held = held.join(released, on=KEY, how="left", validate="1:1").with_columns(
        pl.col("is_released").fill_null(False) | _was_blocked()
    )
    complained = complaining_customers(book, as_of).with_columns(has_complained=pl.lit(True))
    held = held.join(complained, on="customer_id", how="left", validate="m:1")
    suspects = (
        book.possible_payers.select("customer_id").unique().with_columns(is_possible_payer=pl.lit(True))
    )
    held = held.join(suspects, on="customer_id", how="left", validate="m:1")

    status, kind = pl.col("status"), pl.col("customer_type")
    blocked = pl.col("block_reasons")
    conditions = {
        "insolvent": (status == "insolvent") | blocked.list.contains("insolvent"),
        "legal": (status == "legal") | blocked.list.contains("legal"),
        "do_not_contact": status == "do_not_contact",
        "complained": pl.col("has_complained"),
        "closed": status == "closed",
        "unknown_status": pl.col("is_known") & ~status.is_in(["active", *STATUSES]).fill_null(False),
        "intercompany": kind == "intercompany",
        "unknown_customer": ~pl.col("is_known") | pl.col("is_stub"),
        "unknown_customer_type": ~kind.is_in(list(CUSTOMER_TYPES)).fill_null(False),
        "unknown_jurisdiction": ~pl.col("country_code").is_in(sorted(COUNTRY_CODES)).fill_null(False),
        "payment_plan": blocked.list.contains("payment_plan"),
        "blocked": blocked.list.contains("blocked"),
        "possible_payer": pl.col("is_possible_payer").fill_null(False),
        "block_ended": pl.col("is_released"),
    }
    return held.with_columns(
        protection=pl.coalesce(
            pl.when(conditions[reason].fill_null(False)).then(pl.lit(reason)) for reason in PROTECTIONS
        )
    ).drop("block_reasons", "is_released", "is_possible_payer", "has_complained")


def complaining_customers(book: DunningBook, as_of: date) -> pl.DataFrame:
    """Customers who called a letter of ours spam, until a person has dealt with it. One row per customer_id.

    A person has when a contact was entered or confirmed (valid_from) after the complaint, or when a block on the
    customer has ended that held on a day after it.
    """
    complaints = (
        letters_before(book, as_of)
        .filter(pl.col("state") == "complained")
        .group_by("customer_id")
        .agg(complaint_date=state_date().max())
    )
    entered = book.contacts.filter(pl.col("valid_from") <= as_of).select(
        "customer_id", lifted_date="valid_from"
    )
    unblocked = book.blocks.filter(pl.col("scope") != "invoice", pl.col("valid_until") < as_of).select(
        customer_id="subject_id", lifted_date="valid_until"
    )
    lifted = (
        complaints.join(pl.concat([entered, unblocked]), on="customer_id")
        .filter(pl.col("lifted_date") > pl.col("complaint_date"))
        .select("customer_id")
    )
    return complaints.join(lifted, on="customer_id", how="anti").select("customer_id")


def customer_blocks(items: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """``block_reasons`` per customer: what the blocks of today, and plans over everything, amount to."""
    blocks = effective(book.blocks, as_of).with_columns(
        block_reason=pl.col("kind").replace_strict(BLOCK_KINDS, default="blocked", return_dtype=pl.String)
    )
    own = blocks.filter(pl.col("scope") != "invoice").select(
        customer_id="subject_id", block_reason="block_reason"
    )
    through_invoice = (
        book.items.select("customer_id", subject_id="invoice_id")
        .join(
            blocks.filter(
                pl.col("scope") == "invoice", pl.col("block_reason").is_in(["insolvent", "legal"])
            ).select("subject_id", "block_reason"),
            on="subject_id",
        )
        .select("customer_id", "block_reason")
    )
    plans = book.plans.filter("is_in_good_standing", pl.col("invoice_id").is_null()).select(
        "customer_id", block_reason=pl.lit("payment_plan")
    )
    return (
        pl.concat([own, through_invoice, plans])
        .group_by("customer_id")
        .agg(block_reasons=pl.col("block_reason").unique())
    )


def _was_blocked() -> pl.Expr:
    """Whether the last decision before today was held back by a block that has ended since."""
    reason = pl.col("previous_reason_code")
    still = pl.col("past_due_holds").list.contains(reason)
    return (reason.is_in(list(BLOCK_REASONS)) & ~still).fill_null(False)
