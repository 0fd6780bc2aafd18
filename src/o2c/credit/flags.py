"""What is wrong with a customer's credit: one function per kind of flag, each with the figures in its reason."""

from datetime import date, timedelta

import polars as pl

from o2c import money
from o2c.contract import MONEY
from o2c.dunning.book import DunningBook
from o2c.dunning.eligibility import effective
from o2c.dunning.reasons import amount_text
from o2c.policy import CreditPolicy

ROW = ["customer_id", "currency_code"]


def list_accounts(book: DunningBook, exposures: pl.DataFrame) -> pl.DataFrame:
    """Exposures with what is known of the customer; ``is_main`` marks the one row that speaks for the customer."""
    known = book.customers.select(
        "customer_id",
        "status",
        "behaviour_class",
        "credit_limit_currency_code",
        "credit_limit_valid_until",
        "last_returned_payment_date",
        "returned_payment_count",
        "average_days_late",
        "weighted_days_late",
        "weighted_days_late_last_90_days",
        "weighted_days_late_previous_90_days",
        has_limit=pl.col("credit_limit_amount").is_not_null(),
    )
    return (
        exposures.drop("as_of_date")
        .join(known, on="customer_id", how="left", validate="m:1")
        .sort(
            "customer_id",
            (pl.col("currency_code") == pl.col("credit_limit_currency_code")).fill_null(False),
            "currency_code",
            descending=[False, True, False],
        )
        .with_columns(is_main=pl.int_range(pl.len()).over("customer_id") == 0)
    )


def raise_flags(accounts: pl.DataFrame, book: DunningBook, policy: CreditPolicy, as_of: date) -> pl.DataFrame:
    """Every flag that holds: customer_id, currency_code, flag_code, reason."""
    return pl.concat(
        [
            _over_limit(accounts),
            _about_customer(accounts, policy, as_of),
            _oldest_item(accounts, book, policy),
            _broken_promise(accounts, book, policy, as_of),
            _insolvency(accounts, book, as_of),
        ]
    )


def _flag(accounts: pl.DataFrame, flag_code: str, condition: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    return accounts.filter(condition.fill_null(False)).select(
        *ROW, flag_code=pl.lit(flag_code), reason=reason
    )


def _over_limit(accounts: pl.DataFrame) -> pl.DataFrame:
    return _flag(
        accounts,
        "over_limit",
        pl.col("exposure_amount") > pl.col("credit_limit_amount"),
        pl.format(
            "Exposure of {} is over the limit of {}.",
            amount_text("exposure_amount"),
            amount_text("credit_limit_amount"),
        ),
    )


def _about_customer(accounts: pl.DataFrame, policy: CreditPolicy, as_of: date) -> pl.DataFrame:
    """Flags that follow from what is known of the customer alone."""
    main = accounts.filter("is_main")
    since = as_of - timedelta(days=policy.lookback_days)
    late, late_before = "weighted_days_late_last_90_days", "weighted_days_late_previous_90_days"
    return pl.concat(
        [
            _flag(
                main,
                "limit_expired",
                pl.col("has_limit") & (pl.col("credit_limit_valid_until") < as_of),
                pl.format("The limit was valid until {}.", "credit_limit_valid_until"),
            ),
            _flag(
                main,
                "no_limit_reviewed",
                ~pl.col("has_limit").fill_null(False) & (pl.col("exposure_amount") > 0),
                pl.format("Exposure of {}, and no limit was ever set.", amount_text("exposure_amount")),
            ),
            _flag(
                main,
                "returned_payment",
                pl.col("last_returned_payment_date") >= since,
                pl.format(
                    "{} of the payments went back, the last on {}.",
                    "returned_payment_count",
                    "last_returned_payment_date",
                ),
            ),
            _flag(
                main,
                "payment_slowing",
                pl.col(late) - pl.col(late_before) >= policy.slowing_days,
                pl.format(
                    "Paid {} days late in the last 90 days, {} in the 90 before.",
                    _days(late),
                    _days(late_before),
                ),
            ),
            _flag(
                main,
                "chronic_lateness",
                pl.col("behaviour_class") == "chronically_late",
                # Where the customer's currencies cannot be weighed, the class came from the plain average.
                pl.coalesce(
                    pl.format("Pays {} days late, weighted by amount.", _days("weighted_days_late")),
                    pl.format("Pays {} days late on average.", _days("average_days_late")),
                    pl.lit("Pays late as a rule."),
                ),
            ),
        ]
    )


def _oldest_item(accounts: pl.DataFrame, book: DunningBook, policy: CreditPolicy) -> pl.DataFrame:
    """Disputed items do not count: what is contested is no sign that the customer cannot pay."""
    oldest = (
        book.items.filter(
            pl.col("document_type") != "credit_memo",
            pl.col("open_amount") > pl.col("disputed_amount"),
            pl.col("days_past_due") > policy.oldest_days_past_due,
        )
        .sort("days_past_due", "invoice_id", descending=[True, False])
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("invoice_number", "days_past_due").first())
    )
    return _flag(
        accounts.filter("is_main").join(oldest, on="customer_id", validate="m:1"),
        "oldest_item_past_due",
        pl.col("days_past_due") > policy.oldest_days_past_due,
        pl.format("Invoice {} is {} days past due.", "invoice_number", "days_past_due"),
    )


def _broken_promise(
    accounts: pl.DataFrame, book: DunningBook, policy: CreditPolicy, as_of: date
) -> pl.DataFrame:
    broken = (
        book.promises.filter(
            pl.col("status") == "broken",
            pl.col("promised_date") >= as_of - timedelta(days=policy.lookback_days),
        )
        .sort("promised_date", "promise_id")
        .group_by("customer_id", maintain_order=True)
        .agg(
            pl.col("promised_date").last(),
            promised=amount_text("promised_amount").last(),
            broken_count=pl.len(),
        )
    )
    return _flag(
        accounts.filter("is_main").join(broken, on="customer_id", validate="m:1"),
        "broken_promise",
        pl.col("broken_count") > 0,
        pl.format(
            "{} broken in {} days, the last of {} for {}.",
            pl.when(pl.col("broken_count") == 1)
            .then(pl.lit("1 promise"))
            .otherwise(pl.format("{} promises", "broken_count")),
            pl.lit(policy.lookback_days),
            "promised",
            "promised_date",
        ),
    )


def _insolvency(accounts: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """By the customer's status, or a block of that kind, on the customer or on one invoice of it."""
    blocks = effective(book.blocks, as_of).filter(pl.col("kind") == "insolvency")
    by_invoice = book.items.join(
        blocks.filter(pl.col("scope") == "invoice"), left_on="invoice_id", right_on="subject_id", how="semi"
    )
    blocked = pl.concat(
        [
            blocks.filter(pl.col("scope") != "invoice").select(customer_id="subject_id"),
            by_invoice.select("customer_id"),
        ]
    )
    return _flag(
        accounts.filter("is_main"),
        "insolvency",
        (pl.col("status") == "insolvent") | pl.col("customer_id").is_in(blocked["customer_id"].implode()),
        pl.format("The customer is insolvent; exposure is {}.", amount_text("exposure_amount")),
    )


def reduced_limit(limit: pl.Expr, policy: CreditPolicy) -> pl.Expr:
    """A part of the limit, rounded down to whole steps."""
    step = pl.lit(policy.limit_step_amount, dtype=money.WIDE)
    steps = money.product(limit, pl.lit(policy.reduced_limit_ratio, dtype=money.WIDE)) // step
    return (steps.cast(money.WIDE) * step).cast(MONEY)


def _days(column: str) -> pl.Expr:
    return pl.col(column).round(1, mode="half_away_from_zero").cast(pl.Decimal(18, 1)).cast(pl.String)
