"""When and how much customers pay: the delay model of PROFILE §7.4 and the ways in which payments go wrong.

An intent is what a customer means to pay for one invoice on one day; payments are made of intents.
"""

import math

import polars as pl

from o2c.demo.books import Books
from o2c.demo.documents import is_in_installments

# Shares of invoices, PROFILE §7.4 and §7.6; the rest is paid in full.
_OUTCOMES = {
    "full": 87.3,
    "partial": 6.0,
    "short": 2.5,
    "never": 2.5,
    "fee": 1.0,
    "over": 0.4,
    "residue": 0.3,
}
_ELECTRONIC = {"e_invoice": -3.0, "email": -2.0, "portal": 0.0, "post": 4.0}
_DEDUCTION_REASONS = {"pricing": 40, "quantity": 30, "damaged": 20, "promotion": 10}
DISCOUNT_RATIO = 0.02


def decide_payments(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """The invoices with ``pay_day`` (null if never), ``outcome`` and ``payable``, which is what credit memos leave."""
    draws, of = books.draws, "counter"
    takes_discount = (
        pl.col("has_discount")
        & pl.col("takes_discount")
        & ~pl.col("is_disputed")
        & draws.happens("in time for discount", of, 0.8)
    )
    return (
        invoices.with_columns(
            outcome=draws.pick("outcome", of, _OUTCOMES),
            is_discounted=takes_discount & pl.col("is_credit_sale"),
            is_in_installments=is_in_installments(books),
        )
        .with_columns(
            outcome=pl.when(pl.col("is_discounted") | pl.col("is_in_installments"))
            .then(pl.lit("full"))
            .otherwise("outcome"),
            pay_day=_wanted_day(books),
        )
        .with_columns(pay_day=_payment_day(books))
        .with_columns(pay_day=pl.when(_is_paid()).then("pay_day"))
        .with_columns(
            is_credit_applied=pl.col("is_credit_wanted")
            & pl.col("credit_day").is_not_null()
            & (pl.col("pay_day").is_null() | (pl.col("credit_day") < pl.col("pay_day"))),
        )
        .with_columns(
            payable=pl.col("amount")
            - pl.when("is_credit_applied").then(pl.min_horizontal("credit", "amount")).otherwise(0)
        )
        .with_columns(
            is_unknown_payer=pl.col("is_credit_sale")
            & ~pl.col("pays_in_runs")
            & ~pl.col("is_discounted")
            & ~pl.col("is_in_installments")
            & (pl.col("outcome") == "full")
            & draws.happens("unknown payer", of, 0.008),
            is_returned=pl.col("is_credit_sale")
            & ~pl.col("pays_in_runs")
            & (pl.col("outcome") == "full")
            & pl.col("payment_method").is_in(["check", "direct_debit"])
            & draws.happens("returned payment", of, 0.015),
        )
        .with_columns(
            is_returned=pl.col("is_returned") & ~pl.col("is_unknown_payer") & ~pl.col("is_in_installments")
        )
    )


def _wanted_day(books: Books) -> pl.Expr:
    draws, of = books.draws, "counter"
    channel = pl.col("delivery_channel").replace_strict(_ELECTRONIC, return_dtype=pl.Float64)
    late = (
        pl.col("level")
        + pl.col("noise") * draws.normal("delay", of)
        + pl.when(pl.col("habit") == "large").then(0.0).otherwise(channel)
        + pl.when(pl.col("is_disputed")).then(14.0).otherwise(0.0)
        # Who pays in runs takes the run nearest to the wanted day, not always the one after it.
        - pl.when("pays_in_runs").then(pl.when("pays_twice_a_month").then(7.0).otherwise(3.0)).otherwise(0.0)
    )
    # Two days at least, so that a Saturday moved to Friday never comes before the invoice.
    return pl.max_horizontal(
        pl.when("is_discounted")
        .then(pl.col("invoice_day") + draws.whole("discount day", of, 3, 6))
        .otherwise(pl.col("due_day") + late.round().cast(pl.Int32)),
        pl.col("invoice_day") + 2,
        pl.col("resolved_day") + 2,
    )


def _payment_day(books: Books) -> pl.Expr:
    """The wanted day moved to the payer's next run, or to a business day of the payer's country."""
    day = pl.col("pay_day")
    weekly = day + (pl.col("run_weekday") - (day + 3) % 7 + 7) % 7
    day_of_month = day.cast(pl.Date).dt.day().cast(pl.Int32)
    half_month = (
        pl.when(day_of_month <= 15).then(day - day_of_month + 15).otherwise(books.calendar.month_end(day))
    )
    run = pl.when("pays_twice_a_month").then(half_month).otherwise(weekly)
    moved = pl.when(pl.col("pays_in_runs") & ~pl.col("is_discounted")).then(run).otherwise(day)
    settled_at_once = pl.when(pl.col("settlement") == "terms").then(moved).otherwise(pl.col("invoice_day"))
    return books.calendar.business_day(settled_at_once, pl.col("country_code"))


def _is_paid() -> pl.Expr:
    is_stopped = (
        (pl.col("fate") != "active")
        & (pl.col("fate") != "do_not_contact")
        & (pl.col("pay_day") >= pl.col("stopped_day"))
    )
    stays_disputed = pl.col("is_disputed") & pl.col("resolved_day").is_null()
    gives_up = (pl.col("outcome") == "never") | is_stopped.fill_null(False) | stays_disputed
    return ~pl.col("is_cancelled") & ((pl.col("settlement") != "terms") | ~gives_up)


def make_intents(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """What customers mean to pay. One row per document and part, in order of documents; days up to the horizon.

    ``paid`` is in the payment, ``applied`` of it settles the invoice, ``discount`` and ``deduction`` are kept back.
    """
    draws, of = books.draws, "counter"
    payable = pl.col("payable")
    u_shaped = (math.pi / 2 * draws.uniform("partial share", of)).sin() ** 2
    partial = (payable * u_shaped.clip(0.03, 0.97)).round().cast(pl.Int64).clip(1, None)
    short = (payable * (0.01 + 0.11 * draws.uniform("deduction", of))).round().cast(pl.Int64)
    fee = pl.min_horizontal(draws.whole("bank fee", of, 500, 3500).cast(pl.Int64), payable // 2)
    over = (payable * (0.01 + 0.04 * draws.uniform("overpaid", of))).round().cast(pl.Int64)
    discount = (payable * DISCOUNT_RATIO).round().cast(pl.Int64)
    late_discount = (
        pl.col("has_discount") & ~pl.col("is_discounted") & draws.happens("late discount", of, 0.15)
    )
    has_reason = draws.happens("gives reason", of, 0.5)

    whole = (
        invoices.filter(pl.col("pay_day").is_not_null() & (payable > 0) & ~pl.col("is_in_installments"))
        .with_columns(
            part=pl.lit(1, dtype=pl.Int32),
            day="pay_day",
            outcome=pl.when((pl.col("outcome") == "full") & late_discount & pl.col("is_credit_sale"))
            .then(pl.lit("late discount"))
            .when(pl.col("is_credit_sale"))
            .then("outcome")
            .otherwise(pl.lit("full")),
        )
        .with_columns(
            discount=pl.when(pl.col("is_discounted")).then(discount).otherwise(0),
            deduction=pl.when(pl.col("outcome") == "short").then(short).otherwise(0),
            reason_code=pl.when((pl.col("outcome") == "short") & has_reason).then(
                draws.pick("deduction reason", of, _DEDUCTION_REASONS)
            ),
            paid=pl.when(pl.col("outcome") == "partial")
            .then(partial)
            .when(pl.col("outcome") == "short")
            .then(payable - short)
            .when(pl.col("outcome") == "fee")
            .then(payable - fee)
            .when(pl.col("outcome") == "residue")
            .then(pl.max_horizontal(payable - 1, 1))
            .when(pl.col("outcome") == "over")
            .then(payable + over)
            .when((pl.col("outcome") == "late discount") | pl.col("is_discounted"))
            .then(payable - discount)
            .otherwise(payable),
        )
        .with_columns(applied=pl.min_horizontal("paid", "payable"))
    )
    return (
        pl.concat(
            [
                whole,
                _second_parts(books, whole),
                _repeated(books, whole),
                _duplicated(books, whole),
                _installments_paid(books, invoices),
            ],
            how="diagonal_relaxed",
        )
        .filter(pl.col("day") <= books.calendar.last_number)
        .sort("sequence_number", "part")
    )


def _second_parts(books: Books, whole: pl.DataFrame) -> pl.DataFrame:
    """Two in three partial payments are completed some weeks later."""
    draws, of = books.draws, "counter"
    rest = pl.col("payable") - pl.col("paid")
    later = pl.col("day") + draws.whole("second part", of, 15, 60)
    return whole.filter(
        (pl.col("outcome") == "partial") & (rest > 0) & draws.happens("completes", of, 0.65)
    ).with_columns(
        part=pl.lit(2, dtype=pl.Int32),
        day=books.calendar.business_day(later, pl.col("country_code")),
        paid=rest,
        applied=rest,
        pays_in_runs=pl.lit(False),
    )


def _repeated(books: Books, whole: pl.DataFrame) -> pl.DataFrame:
    """Seven in ten returned payments are made again, after the bank sent the first one back."""
    draws, of = books.draws, "counter"
    later = pl.col("day") + draws.whole("paid again", of, 12, 25)
    return whole.filter(pl.col("is_returned") & draws.happens("pays again", of, 0.7)).with_columns(
        part=pl.lit(3, dtype=pl.Int32),
        day=books.calendar.business_day(later, pl.col("country_code")),
        is_returned=pl.lit(False),
        # The discount of the first try stands.
        discount=pl.lit(0, dtype=pl.Int64),
    )


def _duplicated(books: Books, whole: pl.DataFrame) -> pl.DataFrame:
    """One payment in a thousand is sent twice; the second settles nothing and stands on account."""
    draws, of = books.draws, "counter"
    is_twice = (
        pl.col("is_credit_sale")
        & ~pl.col("pays_in_runs")
        & ~pl.col("is_returned")
        & ~pl.col("is_unknown_payer")
        & (pl.col("outcome") == "full")
        & draws.happens("pays twice", of, 0.0015)
    )
    return whole.filter(is_twice).with_columns(
        part=pl.lit(4, dtype=pl.Int32),
        day=books.calendar.business_day(pl.col("day") + 3, pl.col("country_code")),
        applied=pl.lit(0, dtype=pl.Int64),
        discount=pl.lit(0, dtype=pl.Int64),
    )


def _installments_paid(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """Each installment is paid a few days after it falls due."""
    late = pl.col("pay_day") - pl.col("due_day")
    third = pl.col("payable") // 3
    part = pl.col("part")
    amount = pl.when(part == 13).then(pl.col("payable") - 2 * third).otherwise(third)
    return (
        invoices.filter(pl.col("is_in_installments") & pl.col("pay_day").is_not_null())
        .join(pl.DataFrame({"part": [11, 12, 13]}, schema={"part": pl.Int32}), how="cross")
        .with_columns(
            day=books.calendar.business_day(
                pl.col("due_day") + 30 * (part - 11) + late.clip(0, 20), pl.col("country_code")
            ),
            paid=amount,
            applied=amount,
            discount=pl.lit(0, dtype=pl.Int64),
            deduction=pl.lit(0, dtype=pl.Int64),
        )
    )
