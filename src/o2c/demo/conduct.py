"""What people said and did: calls and promises, letters from before us, blocks and payment plans."""

import polars as pl

from o2c.contract import TABLES
from o2c.demo.books import Books

_OUTCOMES = {
    "will_pay": 28,
    "promise": 27,
    "unreachable": 27,
    "no_invoice_copy": 8,
    "dispute": 6,
    "wrong_contact": 4,
}
# Days past due of the oldest item at which letters went out before us, and how often each did.
_LETTERS = ((1, 2, 0.95), (2, 10, 0.92), (3, 18, 0.88))


def call_rows(books: Books, invoices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Calls about late invoices, and the promises made in them. One row per call, per promise."""
    draws, of = books.draws, "counter"
    wanted = pl.col("due_day") + draws.whole("called after", of, 9, 16)
    called = (
        invoices.filter(pl.col("is_credit_sale") & (pl.col("payable") > 0) & draws.happens("called", of, 0.4))
        .with_columns(called_day=books.calendar.business_day(wanted, pl.col("country_code")))
        .filter(pl.col("pay_day").is_null() | (pl.col("pay_day") > pl.col("called_day")))
        .filter(pl.col("called_day") <= books.calendar.last_number)
        .with_columns(outcome_code=draws.pick("call outcome", of, _OUTCOMES))
    )
    calls = called.select(
        "customer_id",
        "collector_id",
        "outcome_code",
        activity_id=pl.concat_str(pl.lit("ACT-"), "document", pl.lit("-C")),
        activity_at=_at("called_day", hour=14),
        channel=pl.lit("call"),
        note=pl.concat_str(pl.lit("About invoice "), "invoice_number"),
        known_day="called_day",
    )
    promises = called.filter(pl.col("outcome_code") == "promise").select(
        "customer_id",
        "currency_code",
        promise_id=pl.concat_str(pl.lit("PRM-"), "document"),
        invoice_id=pl.when(draws.happens("promise names invoice", of, 0.8)).then("invoice_id"),
        promised_amount="payable",
        promised_date=pl.col("called_day") + draws.whole("promised in", of, 5, 21),
        made_date="called_day",
        known_day="called_day",
    )
    return calls, promises


def letter_rows(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """Dunning letters that went out before the end of the books. One row per letter.

    Customers with something past due at the end have the letters that its age called for; others have had first
    contacts for old invoices, since paid.
    """
    draws, of = books.draws, "number"
    past_due = invoices.filter(
        pl.col("is_credit_sale") & (pl.col("due_day") < books.last_day) & (pl.col("payable") > 0)
    )
    standing = (
        past_due.filter(pl.col("pay_day").is_null() | (pl.col("pay_day") > books.last_day))
        .group_by("number", maintain_order=True)
        .agg(pl.col("customer_id", "country_code").first(), pl.col("due_day").min())
    )
    frames, still = [], pl.lit(True)
    for level, days, ratio in _LETTERS:
        still = still & draws.happens(f"letter {level}", of, ratio)
        frames.append(
            standing.filter(still).select(
                "customer_id",
                activity_id=pl.concat_str(pl.lit(f"ACT-L{level}-"), "customer_id"),
                day=books.calendar.business_day(pl.col("due_day") + days, pl.col("country_code")),
                outcome_code=pl.lit(f"dunned_level_{level}"),
            )
        )
    # Paid a month or more ago, so that these letters belong to an earlier episode of the customer.
    frames.append(
        past_due.filter(
            (pl.col("pay_day") - pl.col("due_day") > 10) & (pl.col("pay_day") < books.last_day - 45)
        )
        .group_by("number", pl.col("due_day") // 90, maintain_order=True)
        .agg(pl.col("customer_id", "country_code", "document").first(), day=pl.col("due_day").first() + 3)
        .join(standing.select("number", oldest="due_day"), on="number", how="left", validate="m:1")
        .filter(pl.col("oldest").is_null() | (pl.col("day") < pl.col("oldest")))
        .select(
            "customer_id",
            activity_id=pl.concat_str(pl.lit("ACT-"), "document", pl.lit("-L")),
            day=books.calendar.business_day(pl.col("day"), pl.col("country_code")),
            outcome_code=pl.lit("dunned_level_1"),
        )
    )
    return (
        pl.concat(frames)
        .filter(pl.col("day") < books.last_day)
        .with_columns(channel=pl.lit("letter"), activity_at=_at("day", hour=9), known_day="day")
    )


def block_rows(books: Books, customers: pl.DataFrame) -> pl.DataFrame:
    """Blocks of insolvent customers and law-suits, and some set by hand. One row per block."""
    draws, of = books.draws, "number"
    lawful = customers.filter(pl.col("fate").is_in(["insolvent", "legal"])).select(
        block_id=pl.concat_str(pl.lit("BLK-"), "customer_id"),
        subject_id="customer_id",
        kind=pl.col("fate").replace_strict({"insolvent": "insolvency", "legal": "legal"}),
        valid_from="stopped_day",
        reason=pl.col("fate").replace_strict({"insolvent": "insolvency opened", "legal": "law-suit pending"}),
        set_by=pl.lit("legal-desk"),
    )
    by_hand = customers.filter((pl.col("fate") == "active") & draws.happens("blocked", of, 0.008)).select(
        block_id=pl.concat_str(pl.lit("BLK-"), "customer_id"),
        subject_id="customer_id",
        kind=pl.lit("manual"),
        valid_from=books.last_day - draws.whole("blocked before", of, 0, 40),
        valid_until=books.last_day + draws.whole("blocked until", of, -10, 40),
        reason=pl.lit("sales asked to wait"),
        set_by=pl.lit("collections-lead"),
    )
    blocks = pl.concat([lawful, by_hand], how="diagonal_relaxed")
    return blocks.with_columns(scope=pl.lit("customer"), known_day="valid_from")


def plan_rows(books: Books, invoices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Payment plans for a few unpaid invoices: three monthly parts. One row per plan, per line."""
    draws, of = books.draws, "counter"
    agreed = pl.col("due_day") + draws.whole("plan agreed after", of, 50, 80)
    planned = (
        invoices.filter(
            pl.col("is_credit_sale")
            & (pl.col("outcome") == "never")
            & (pl.col("fate") == "active")
            & (pl.col("payable") > 100_000)
            & draws.happens("has plan", of, 0.06)
        )
        .with_columns(agreed=agreed, plan_id=pl.concat_str(pl.lit("PLN-"), "document"))
        .filter(pl.col("agreed") <= books.calendar.last_number)
    )
    third = pl.col("payable") // 3
    lines = planned.join(pl.DataFrame({"line_number": [1, 2, 3]}), how="cross").select(
        "plan_id",
        "line_number",
        "invoice_id",
        "currency_code",
        due_date=pl.col("agreed") + 30 * pl.col("line_number").cast(pl.Int32),
        plan_amount=pl.when(pl.col("line_number") == 3).then(pl.col("payable") - 2 * third).otherwise(third),
        known_day="agreed",
    )
    plans = planned.select(
        "plan_id", "customer_id", agreed_date="agreed", status=pl.lit("active"), known_day="agreed"
    )
    return plans, lines


def _at(day: str, *, hour: int) -> pl.Expr:
    """An instant on that day, in UTC."""
    instant = pl.col(day).cast(pl.Int64) * 86_400_000_000 + hour * 3_600_000_000
    return instant.cast(TABLES["activities"].schema["activity_at"])
