"""Letters that were decided, held against the newest data right before they leave. Pure: frames in, reasons out.

The rules are those of dunning: what protects a customer, holds an item or covers a debt this morning withdraws the
letter that was decided without knowing of it.
"""

from datetime import date

import polars as pl

from o2c.contract import MONEY
from o2c.dunning.addresses import ROLES, with_addresses
from o2c.dunning.book import KEY, DunningBook
from o2c.dunning.eligibility import ITEM_HOLDS, judge_items, sum_keys
from o2c.dunning.history import number_episodes
from o2c.dunning.protection import PROTECTIONS, protect
from o2c.policy import DunningPolicy

# What became of an item that a letter lists, the weightiest first, after the holds that dunning knows.
LINE_REASONS = (*ITEM_HOLDS, "settled", "not_past_due", "past_due_since", "disputed_more", "settled_in_part")
WITHDRAWAL_REASONS = (
    *PROTECTIONS,
    *LINE_REASONS,
    "natural_person",
    "nothing_net_due",
    "below_minimum",
    "address_changed",
    "no_valid_address",
)


def letters_to_withdraw(
    book: DunningBook, letters: pl.DataFrame, lines: pl.DataFrame, policy: DunningPolicy, as_of: date
) -> pl.DataFrame:
    """Letters that would not be written like this any more, each with the weightiest reason.

    A letter stands while nothing protects its customer, every item that it lists is still open for at least the
    amount it says and may be dunned, more than the minimum is due net, and its address is still that contact's of
    the customer. It may have become more that is owed: that is another letter, on another day.

    Args:
        book: of the newest data, aged to ``as_of``; placements up to and including that date.
        letters: rows of the ledger that have not left: letter_id, KEY, kind, level, channel, contact_id, address.
        lines: frames.LetterLines of these letters.
        policy: minimum amounts, how far natural persons are written to.
        as_of: the date on which the letters would leave.

    Returns:
        One row per letter to withdraw, letter_id and reason_code (one of WITHDRAWAL_REASONS), sorted by letter_id.
    """
    items = judge_items(book, as_of, policy.courtesy.offsets_days[0])
    found = (
        letters.select("letter_id", *KEY, "kind", "level", "channel", "contact_id", "address")
        .join(_keys(items, book, policy, as_of), on=KEY, how="left", validate="m:1")
        .join(_line_reasons(items, letters, lines, book), on="letter_id", how="left", validate="1:1")
        .join(_address_reasons(book, letters, as_of), on="letter_id", how="left", validate="1:1")
        .with_columns(
            # A reminder is of what will be owed when its items fall due.
            owed=pl.when(pl.col("kind") == "courtesy")
            .then(pl.col("net_due_amount") + pl.col("due_soon_amount"))
            .otherwise("net_due_amount")
            .cast(MONEY),
            is_beyond=(pl.col("customer_type") == "consumer")
            & (pl.col("level") > policy.consumers.max_level),
        )
    )
    reason = pl.coalesce(
        "protection",
        "line_reason",
        pl.when(pl.col("is_beyond").fill_null(False)).then(pl.lit("natural_person")),
        pl.when(pl.col("owed").fill_null(0) <= 0).then(pl.lit("nothing_net_due")),
        pl.when(pl.col("owed") < pl.col("minimum_amount")).then(pl.lit("below_minimum")),
        "address_reason",
    )
    return (
        found.select("letter_id", reason_code=reason)
        .filter(pl.col("reason_code").is_not_null())
        .sort("letter_id")
    )


def _keys(items: pl.DataFrame, book: DunningBook, policy: DunningPolicy, as_of: date) -> pl.DataFrame:
    """What each customer owes now and whether anything protects it. One row per KEY with anything open and near."""
    customers = book.customers.select(
        "customer_id", "country_code", "customer_type", "status", "is_stub", is_known=pl.lit(True)
    )
    return (
        sum_keys(items, book)
        .join(customers, on="customer_id", how="left", validate="m:1")
        .with_columns(pl.col("is_known").fill_null(False))
        .pipe(number_episodes, book, as_of, policy.reset_days)
        .pipe(protect, items, book, as_of)
        .select(
            *KEY,
            "protection",
            "customer_type",
            "net_due_amount",
            "due_soon_amount",
            minimum_amount=policy.minimum_net_due_amount.amount_expression(pl.col("currency_code")),
        )
    )


def _line_reasons(
    items: pl.DataFrame, letters: pl.DataFrame, lines: pl.DataFrame, book: DunningBook
) -> pl.DataFrame:
    """The weightiest thing that happened to any item of a letter. One row per letter: letter_id, line_reason."""
    part = ["invoice_id", "installment_number"]
    is_open = book.items.filter(pl.col("open_amount") > 0).select(*KEY, *part, is_open=pl.lit(True))
    now = items.select(
        *KEY, *part, "hold", "days_past_due", "contested_amount", amount_now="amount", is_near=pl.lit(True)
    )
    listed = (
        lines.select("letter_id", *part, "amount", "disputed_amount")
        .join(letters.select("letter_id", *KEY, "kind"), on="letter_id", validate="m:1")
        .join(is_open, on=[*KEY, *part], how="left", validate="m:1")
        .join(now, on=[*KEY, *part], how="left", validate="m:1")
    )
    is_courtesy, is_less = pl.col("kind") == "courtesy", pl.col("amount_now") < pl.col("amount")
    reason = (
        pl.when(pl.col("hold").is_not_null())
        .then("hold")
        .when(pl.col("is_open").is_null())
        .then(pl.lit("settled"))
        .when(pl.col("is_near").is_null() | (~is_courtesy & (pl.col("days_past_due") < 1)))
        .then(pl.lit("not_past_due"))
        .when(is_courtesy & (pl.col("days_past_due") > 0))
        .then(pl.lit("past_due_since"))
        .when(is_less & (pl.col("contested_amount") > pl.col("disputed_amount")))
        .then(pl.lit("disputed_more"))
        .when(is_less)
        .then(pl.lit("settled_in_part"))
    )
    ranks = {code: rank for rank, code in enumerate(LINE_REASONS)}
    rank = reason.replace_strict(ranks, default=None, return_dtype=pl.Int64)
    return (
        listed.with_columns(rank=rank)
        .group_by("letter_id")
        .agg(pl.col("rank").min())
        .select(
            "letter_id",
            line_reason=pl.col("rank").replace_strict(
                dict(enumerate(LINE_REASONS)), default=None, return_dtype=pl.String
            ),
        )
    )


def _address_reasons(book: DunningBook, letters: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Letters whose address is no longer that contact's, or is suppressed. One row each: letter_id, address_reason.

    A letter that names no contact may go to any of the customer's own that are for letters.
    """
    contacts = with_addresses(book.contacts).filter(
        pl.col("role").fill_null("").is_in(list(ROLES)),
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of),
    )
    mailed = contacts.filter("is_valid").select(
        "customer_id", "contact_id", "address", channel=pl.lit("email")
    )
    texted = contacts.filter(pl.col("sms_consent").fill_null(False), pl.col("phone").is_not_null()).select(
        "customer_id", "contact_id", address="phone", channel=pl.lit("sms")
    )
    own = pl.concat([mailed, texted])
    where = ["customer_id", "channel", "address"]
    asked = letters.select(
        "letter_id", "contact_id", "customer_id", "channel", pl.col("address").str.to_lowercase()
    )
    named, unnamed = (
        asked.filter(pl.col("contact_id").is_not_null()),
        asked.filter(pl.col("contact_id").is_null()),
    )
    gone = pl.concat(
        [
            named.join(own, on=[*where, "contact_id"], how="anti"),
            unnamed.join(own, on=where, how="anti"),
        ]
    ).select("letter_id", address_reason=pl.lit("address_changed"))
    suppressed = book.suppressed.select(pl.col("address").str.to_lowercase()).unique()
    dead = asked.join(suppressed, on="address", how="semi").select(
        "letter_id", address_reason=pl.lit("no_valid_address")
    )
    return pl.concat([gone, dead.join(gone, on="letter_id", how="anti")])
