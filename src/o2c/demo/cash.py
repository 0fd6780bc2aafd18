"""Intents become payments on the bank account, remittance lines, and what the ledger has booked of them itself."""

import polars as pl

from o2c.demo.books import Books
from o2c.demo.draws import look_up
from o2c.demo.names import NAME_VARIANTS

# Most payments of one invoice name it plainly; some bury the number in words, drop its prefix and zeros, or say
# nothing (PROFILE §6).
_REFERENCES = {"number": 74, "id": 8, "words": 11, "digits": 4, "nothing": 3}
# A run of invoices mostly comes with a remittance; small ones list their invoices in the text, or say nothing at all.
_RUN_SAYS = {"remittance": 80, "list": 15, "nothing": 5}
LONGEST_LIST = 6
LINES_PER_PAYMENT = 100
_RUN = ["number", "day", "slice"]


def with_payment_ids(books: Books, intents: pl.DataFrame) -> pl.DataFrame:
    """Intents with the payment they travel in: all of one customer's run of a day together, else each alone."""
    alone = pl.concat_str(pl.lit("PAY-"), "document", pl.lit("-"), "part")
    in_run = pl.col("pays_in_runs") & pl.col("is_credit_sale") & ~pl.col("is_discounted")
    runs = (
        intents.filter(in_run)
        .with_columns(slice=pl.int_range(0, pl.len()).over("number", "day") // LINES_PER_PAYMENT)
        .with_columns(
            payment_id=pl.concat_str(alone.first().over(_RUN), pl.lit("R")),
            line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_RUN),
            run_says=pl.when(
                (pl.len() > 1) & (pl.len() <= LONGEST_LIST) & pl.col("reason_code").is_null().all()
            )
            .then(books.draws.pick("run says", "counter", _RUN_SAYS).first())
            .otherwise(pl.lit("remittance"))
            .over(_RUN),
        )
    )
    singles = intents.filter(~in_run).with_columns(
        payment_id=alone, line_number=pl.lit(1, dtype=pl.Int64), run_says=pl.lit(None, dtype=pl.String)
    )
    return pl.concat([singles, runs.drop("slice")], how="vertical").with_columns(
        is_in_run=in_run,
        is_booked=pl.col("is_credit_sale")
        # Who grants a discount books the payment with it, also lately.
        & ((pl.col("day") <= books.last_applied_day) | (pl.col("discount") > 0))
        # What came without a sender was found out by the ledger's people later, but not always.
        & (~pl.col("is_unknown_payer") | books.draws.happens("payer found", "counter", 0.75)),
    )


def payment_rows(books: Books, intents: pl.DataFrame) -> pl.DataFrame:
    """One row per payment, returned payments included with their return; cents and whole days."""
    draws, of = books.draws, "counter"
    is_hidden = pl.col("is_unknown_payer") & ~pl.col("is_booked")
    # Some parents pay for their daughters, under their own number.
    is_parents = ~pl.col("is_booked") & draws.happens("parent pays", of, 0.3)
    payer_id = pl.coalesce(pl.when(is_parents).then("parent_customer_id"), "customer_id")
    runs = (
        intents.filter("is_in_run")
        .group_by("payment_id", maintain_order=True)
        .agg(
            pl.all().exclude("paid").first(),
            pl.col("paid").sum(),
            listed=pl.col("invoice_number").sort_by("line_number").str.join(", "),
        )
    )
    singles = intents.filter(~pl.col("is_in_run")).with_columns(listed=pl.lit(None, dtype=pl.String))
    variant = look_up(NAME_VARIANTS, draws.whole("payer spelling", of, 0, 8).cast(pl.Int64))
    made = pl.concat([singles, runs.select(singles.columns)]).select(
        "payment_id",
        "entity_id",
        "currency_code",
        "payment_method",
        "number",
        "is_returned",
        "counter",
        "country_code",
        bank_account_id=pl.concat_str("entity_id", pl.lit("-"), "currency_code", pl.lit("-1")),
        customer_id=pl.when(~is_hidden & draws.happens("payer named", of, 0.93)).then(payer_id),
        payer_name=pl.concat_str(pl.col("customer_name").str.to_uppercase(), variant.str.to_uppercase()),
        payer_account=pl.when(~is_hidden & draws.happens("account known", of, 0.85)).then(
            pl.concat_str(pl.lit("DEMO"), payer_id)
        ),
        value_date="day",
        payment_amount="paid",
        reference_text=_reference(books),
        settlement="settlement",
    )
    made = made.with_columns(
        payment_method=pl.when(pl.col("settlement") == "terms")
        .then("payment_method")
        .otherwise(pl.lit("card"))
    )
    returned = made.filter("is_returned").with_columns(
        payment_id=pl.concat_str("payment_id", pl.lit("-X")),
        reverses_payment_id="payment_id",
        value_date=returned_day(books, "value_date"),
        payment_amount=-pl.col("payment_amount"),
        reference_text=pl.lit("RETURNED"),
    )
    return pl.concat([made, returned], how="diagonal").with_columns(
        booking_date="value_date", known_day="value_date"
    )


def returned_day(books: Books, day: str) -> pl.Expr:
    """When the bank takes a returned payment back: three to six days later, on a business day."""
    later = pl.col(day) + books.draws.whole("returned after", "counter", 3, 6)
    return books.calendar.business_day(later, pl.col("country_code"))


def _reference(books: Books) -> pl.Expr:
    kind = books.draws.pick("reference", "counter", _REFERENCES)
    return (
        pl.when(pl.col("run_says") == "list")
        .then("listed")
        .when(pl.col("run_says") == "nothing")
        .then(pl.lit("NOTPROVIDED"))
        .when("is_in_run")
        .then(pl.concat_str(pl.lit("SETTLEMENT "), pl.col("day").cast(pl.Date).dt.to_string("%Y-%m-%d")))
        .when(pl.col("is_unknown_payer") | (kind == "nothing"))
        .then(pl.lit("NOTPROVIDED"))
        .when(kind == "id")
        .then("invoice_id")
        .when(kind == "digits")
        .then(pl.col("document").cast(pl.String).str.strip_chars_start("0"))
        .when(kind == "words")
        .then(pl.concat_str(pl.lit("Payment for invoice "), "invoice_number", pl.lit(" thank you")))
        .otherwise("invoice_number")
    )


def remittance_rows(intents: pl.DataFrame) -> pl.DataFrame:
    """What payments not booked yet are for: all lines of runs, and single payments that explain a deduction."""
    explains = (pl.col("run_says") == "remittance") | (
        ~pl.col("is_in_run") & pl.col("reason_code").is_not_null()
    )
    says = ~pl.col("is_booked") & explains.fill_null(False)
    return intents.filter(says).select(
        "payment_id",
        "line_number",
        "reason_code",
        remittance_id=pl.concat_str(pl.lit("REM-"), "payment_id"),
        invoice_reference="invoice_number",
        paid_amount="paid",
        discount_amount=pl.when(pl.col("outcome") == "late discount")
        .then(pl.col("payable") - pl.col("paid"))
        .otherwise("discount"),
        deduction_amount="deduction",
        known_day="day",
    )


def application_rows(books: Books, invoices: pl.DataFrame, intents: pl.DataFrame) -> pl.DataFrame:
    """What the ledger has applied: booked payments and their returns, discounts in time, credit memos."""
    identity = pl.concat_str(pl.lit("APP-"), "document", pl.lit("-"), "part")
    booked = intents.filter(pl.col("is_booked") & (pl.col("applied") > 0))
    paid = booked.select(
        "payment_id",
        "invoice_id",
        application_id=identity,
        application_date="day",
        applied_amount="applied",
        application_type=pl.lit("payment"),
    )
    returned = booked.filter("is_returned").select(
        "payment_id",
        "invoice_id",
        application_id=pl.concat_str(identity, pl.lit("-X")),
        application_date=returned_day(books, "day"),
        applied_amount=-pl.col("applied"),
        application_type=pl.lit("reversal"),
        reverses_application_id=identity,
    )
    discounts = intents.filter((pl.col("discount") > 0) & (pl.col("applied") > 0)).select(
        "payment_id",
        "invoice_id",
        application_id=pl.concat_str(identity, pl.lit("-D")),
        application_date="day",
        applied_amount="discount",
        application_type=pl.lit("discount"),
    )
    credits = invoices.filter("is_credit_applied").select(
        "invoice_id",
        application_id=pl.concat_str(pl.lit("APP-"), "document", pl.lit("-C")),
        credit_memo_id=pl.concat_str(pl.lit("CM-"), "document"),
        application_date=pl.col("credit_day").cast(pl.Int32),
        applied_amount=pl.min_horizontal("credit", "amount"),
        application_type=pl.lit("credit_memo"),
    )
    return pl.concat([paid, returned, discounts, credits], how="diagonal").with_columns(
        known_day="application_date"
    )


def write_off_rows(books: Books, invoices: pl.DataFrame, intents: pl.DataFrame) -> pl.DataFrame:
    """Small residues after four months, and a part of the old bad debts, are given up at a month's end."""
    draws, of = books.draws, "counter"
    # Money that was returned or whose sender is unknown may still settle the invoice: nothing is given up then.
    settled = intents.group_by("document").agg(
        settled=(pl.col("applied") + pl.col("discount")).sum(),
        is_doubtful=(pl.col("is_returned") | pl.col("is_unknown_payer")).any(),
        settled_day=pl.col("day").max(),
    )
    rest = (
        invoices.filter("is_credit_sale")
        .join(settled, on="document", how="left", validate="1:1")
        .with_columns(
            rest=pl.col("payable") - pl.col("settled").fill_null(0),
            from_day=pl.max_horizontal("due_day", "settled_day"),
        )
        .filter(
            (pl.col("rest") > 0) & ~pl.col("is_doubtful").fill_null(False) & ~pl.col("is_in_installments")
        )
    )
    is_small = (pl.col("rest") <= 5_000) & pl.col("settled").is_not_null()
    is_given_up = (
        pl.col("settled").is_null() & pl.col("pay_day").is_null() & draws.happens("given up", of, 0.5)
    )
    wait = pl.when(is_small).then(120).otherwise(draws.whole("given up after", of, 200, 360))
    return (
        rest.filter((is_small & draws.happens("residue given up", of, 0.9)) | is_given_up)
        .with_columns(day=books.calendar.month_end(pl.col("from_day") + wait))
        .filter(pl.col("day") <= books.calendar.last_number)
        .select(
            "invoice_id",
            adjustment_id=pl.concat_str(pl.lit("ADJ-"), "document"),
            adjustment_type=pl.lit("write_off"),
            adjustment_amount="rest",
            adjustment_date="day",
            reason=pl.when(is_small).then(pl.lit("small residue")).otherwise(pl.lit("bad debt")),
            known_day="day",
        )
    )
