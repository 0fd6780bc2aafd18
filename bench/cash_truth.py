"""What cash application did, held against what is true.

A payment is automatic where no person has to look at it: fully applied; applied with the rest on account of a known
customer and no exception; or on account because it names what is settled already. It is right where that end state
is the truth: exactly the documents, exactly the amounts, discounts and write-offs within what may be given up, the rest
the true owner's. A payment that is not automatic is wrong where it settles something that is not true.
"""

from dataclasses import dataclass

import polars as pl
from cash_book import EUROS
from cash_mix import Mix

from o2c.contract import MONEY
from o2c.matching.book import CashResult

# Exceptions that tell something and ask nothing: the end state stands without a person.
TELLING = ("already_paid", "overpaid", "duplicate")
ZERO = pl.lit(0, dtype=MONEY)


@dataclass(frozen=True)
class Judged:
    """One row per payment with what became of it, and what was counted twice anywhere."""

    payments: pl.DataFrame
    double_claims: pl.DataFrame

    @property
    def wrong(self) -> pl.DataFrame:
        """Payments decided wrongly, with what was done and what is true, by payment_id."""
        return self.payments.filter("is_wrong").sort("payment_id")


def judge(mix: Mix, result: CashResult) -> Judged:
    """Every payment of the mix with its end state and whether that is the true one."""
    compared = _compare(mix, result)
    lines = compared.group_by("payment_id").agg(
        true_lines=pl.col("is_true").sum(),
        right_lines=pl.col("is_right").sum(),
        false_lines=pl.col("is_false").sum(),
    )
    cash = (
        result.applications.filter(pl.col("application_type") == "payment")
        .group_by("payment_id")
        .agg(cash_amount=pl.col("applied_amount").sum().cast(MONEY))
    )
    assigned = (
        result.assignments.sort("assigned_date")
        .group_by("payment_id", maintain_order=True)
        .agg(assigned_customer_id=pl.col("customer_id").last(), assigned_rule=pl.col("rule").last())
    )
    exceptions = result.exceptions.select("payment_id", exception="reason_code")
    rates = pl.DataFrame({"currency_code": list(EUROS), "rate": list(EUROS.values())})
    payments = mix.book.payments.select("payment_id", "currency_code", "payment_amount", "unapplied_amount")
    joined = mix.payments.join(payments, on="payment_id", validate="1:1").join(rates, on="currency_code")
    for frame in (lines, cash, assigned, exceptions):
        joined = joined.join(frame, on="payment_id", how="left", validate="1:1")
    return Judged(_conclude(joined), _double_claims(mix, result))


def _compare(mix: Mix, result: CashResult) -> pl.DataFrame:
    """Payment and document: what is true of it beside what was done."""
    standing = result.applications.filter(pl.col("application_type") != "reversal")
    used = standing.filter(pl.col("application_type") == "credit_memo").select(
        "payment_id", invoice_id="credit_memo_id", amount=-pl.col("applied_amount"), is_given=pl.lit(False)
    )
    applied = standing.select(
        "payment_id",
        "invoice_id",
        amount="applied_amount",
        is_given=pl.col("application_type").is_in(["discount", "write_off"]),
    )
    done = (
        pl.concat([applied, used.select(applied.columns)], how="vertical_relaxed")
        .group_by("payment_id", "invoice_id")
        .agg(
            done_amount=pl.when(~pl.col("is_given")).then("amount").sum().cast(MONEY),
            given_amount=pl.when("is_given").then("amount").sum().cast(MONEY),
        )
    )
    both = mix.lines.join(
        done, on=["payment_id", "invoice_id"], how="full", coalesce=True, validate="1:1"
    ).with_columns(is_true=pl.col("settled_amount").is_not_null())
    both = both.with_columns(pl.col(pl.Decimal).fill_null(ZERO))
    given = pl.col("given_amount")
    is_right = (
        (pl.col("settled_amount") == pl.col("done_amount"))
        & (given >= pl.col("least_given_amount"))
        & (given <= pl.col("most_given_amount"))
    )
    beyond = (pl.col("done_amount").abs() > pl.col("settled_amount").abs()) | (
        given > pl.col("most_given_amount")
    )
    return both.with_columns(is_right=pl.col("is_true") & is_right, is_false=beyond)


def _conclude(joined: pl.DataFrame) -> pl.DataFrame:
    """Automatic or not, right or wrong, what of it was found, and how much it weighs."""
    joined = joined.with_columns(
        pl.col("true_lines", "right_lines", "false_lines").fill_null(0),
        pl.col("cash_amount").fill_null(ZERO),
        value=pl.col("payment_amount").cast(pl.Float64) * pl.col("rate"),
    )
    rest = pl.col("unapplied_amount") - pl.col("cash_amount")
    is_owned = pl.col("assigned_customer_id").is_not_null()
    tells = pl.col("exception").is_null() | pl.col("exception").is_in(TELLING)
    all_right = (pl.col("right_lines") == pl.col("true_lines")) & (pl.col("false_lines") == 0)
    is_owner = (pl.col("assigned_customer_id") == pl.col("customer_id")).fill_null(False)
    is_applied = pl.col("cash_amount") > 0
    joined = joined.with_columns(
        end=pl.when(rest == 0)
        .then(pl.lit("applied"))
        .when(is_applied & is_owned)
        .then(pl.lit("applied, rest on account"))
        .when(is_applied)
        .then(pl.lit("applied, rest in suspense"))
        .when(is_owned)
        .then(pl.lit("on account"))
        .otherwise(pl.lit("suspense")),
        is_automatic=(rest == 0)
        | (is_applied & is_owned & tells)
        | (is_owned & pl.col("exception").is_in(TELLING).fill_null(False)),
        is_end_right=all_right & ((rest == 0) | is_owner | (pl.col("truth") == "suspense") & ~is_owned),
        is_found=all_right
        & pl.when(pl.col("truth") == "applied")
        .then(is_applied)
        .otherwise(is_owner | (pl.col("truth") == "suspense") & ~is_owned),
    )
    return joined.with_columns(
        is_wrong=(pl.col("is_automatic") & ~pl.col("is_end_right")) | (pl.col("false_lines") > 0),
        is_decided=pl.col("is_automatic") | is_applied,
        is_wrong_owner=is_owned & ~is_owner & ~is_applied,
    ).drop("rate")


def _double_claims(mix: Mix, result: CashResult) -> pl.DataFrame:
    """Documents and payments of which more was used than there was; there must be none."""
    applications = result.applications
    on_items = applications.select(key="invoice_id", used=pl.col("applied_amount"))
    on_credits = applications.filter(pl.col("credit_memo_id").is_not_null()).select(
        key="credit_memo_id", used=-pl.col("applied_amount")
    )
    on_payments = applications.filter(pl.col("application_type") == "payment").select(
        key="payment_id", used="applied_amount"
    )
    there = pl.concat(
        [
            mix.book.items.select(key="invoice_id", there="open_amount"),
            mix.book.payments.select(key="payment_id", there="unapplied_amount"),
        ]
    )
    used = (
        pl.concat([on_items, on_credits, on_payments], how="vertical_relaxed")
        .group_by("key")
        .agg(used=pl.col("used").sum().cast(MONEY))
        .join(there, on="key", how="left", validate="1:1")
    )
    low, high = pl.min_horizontal("there", ZERO), pl.max_horizontal("there", ZERO)
    return used.filter(pl.col("there").is_null() | (pl.col("used") < low) | (pl.col("used") > high)).sort(
        "key"
    )


def describe_wrong(judged: Judged, mix: Mix, result: CashResult) -> pl.DataFrame:
    """The wrong ones by id with what was done and what is true, as words."""
    wrong = judged.wrong
    done = (
        result.applications.join(wrong, on="payment_id", how="semi")
        .sort("application_id")
        .group_by("payment_id")
        .agg(
            done=pl.format(
                "{} {} {} ({}, {})", "application_type", "invoice_id", "applied_amount", "rule", "score"
            ).str.join("; ")
        )
    )
    true = (
        mix.lines.join(wrong, on="payment_id", how="semi")
        .sort("invoice_id")
        .group_by("payment_id")
        .agg(true=pl.format("{} {}", "invoice_id", "settled_amount").str.join("; "))
    )
    texts = mix.book.payments.select(
        "payment_id", "payer_name", "payer_account", "reference_text", "value_date"
    )
    return (
        wrong.join(texts, on="payment_id")
        .join(done, on="payment_id", how="left")
        .join(true, on="payment_id", how="left")
        .select(
            "payment_id",
            "shape",
            "variant",
            "truth",
            "customer_id",
            "end",
            "assigned_customer_id",
            "assigned_rule",
            "exception",
            "payment_amount",
            "value_date",
            "payer_name",
            "payer_account",
            "reference_text",
            "done",
            "true",
        )
        .sort("payment_id")
    )
