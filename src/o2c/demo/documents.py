"""Invoices and what belongs to them before anyone pays: due dates, disputes, credit memos, orders, installments."""

from datetime import timedelta

import polars as pl

from o2c.demo.books import Books
from o2c.demo.customers import ZIPF_EXPONENT

DISPUTE_REASONS = {"pricing": 35, "quantity": 30, "damaged": 15, "not_delivered": 12, "duplicate": 8}
LARGEST_AMOUNT = 70_000_000  # cents; PROFILE §2 saw 668,593.00
# Documents of one customer have counters from customer number times this.
_COUNTERS_PER_CUSTOMER = 1 << 32
# Counters of documents after the end of the books, apart from those before it.
_AFTER_END = 1 << 31


def invoices_per_customer(books: Books, count: int) -> pl.DataFrame:
    """How many of ``count`` invoices until the end, and how many after it, each customer gets; exact in sum."""
    days, after = (books.end - books.start).days + 1, (books.horizon - books.end).days
    ranks = pl.select(number=pl.int_range(0, books.customer_count, dtype=pl.Int64))
    share = (pl.col("number") + 1).cast(pl.Float64) ** -ZIPF_EXPONENT
    # Rounding the running sum spreads the fractions over the small customers and ends at the count exactly.
    running = (share.cum_sum() / share.sum()).clip(0, 1)
    counts = [
        (running * total).round().cast(pl.Int64).diff().fill_null((running * total).round().cast(pl.Int64))
        for total in (count, round(count * after / days))
    ]
    return ranks.with_columns(before=counts[0], after=counts[1])


def draw_days(books: Books, counts: pl.DataFrame) -> pl.DataFrame:
    """Posting day of every invoice of these customers. One row per invoice: number, counter, invoice_day."""
    frames = []
    for part, first, last, offset in (
        ("before", books.start, books.end, 0),
        ("after", books.end + timedelta(days=1), books.horizon, _AFTER_END),
    ):
        rows = (
            counts.select("number", sequence=pl.int_ranges(0, pl.col(part), dtype=pl.Int64))
            .explode("sequence", empty_as_null=False, keep_nulls=False)
            .with_columns(counter=pl.col("number") * _COUNTERS_PER_CUSTOMER + pl.col("sequence") + offset)
        )
        day = books.calendar.posting_day(books.draws, "counter", first=first, last=last)
        frames.append(rows.select("number", "counter", invoice_day=day))
    return pl.concat(frames)


def make_invoices(books: Books, dated: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Invoices with the customer's habits beside them. One row per document number; amounts in cents, days whole.

    ``dated`` is what ``draw_days`` made with a column ``sequence_number`` that numbers all documents by date.
    """
    draws, of = books.draws, "counter"
    uses_other = pl.col("has_other_terms") & draws.happens("uses other terms", of, 0.3)
    # One in ten repeats the amount of the customer's document before it: amounts alone identify little (PROFILE §2).
    repeats = draws.happens("repeats amount", of, 0.1) & (pl.col(of) % _AFTER_END > 0)
    return (
        dated.join(customers, on="number", how="left", validate="m:1", maintain_order="left")
        .with_columns(
            terms=pl.when(uses_other).then("other_terms").otherwise("terms"),
            amount_counter=pl.when(repeats).then(pl.col(of) - 1).otherwise(pl.col(of)),
            document=pl.col("sequence_number").cast(pl.String).str.zfill(8),
            settlement=draws.pick("settlement", of, {"terms": 97.5, "card": 1.5, "prepaid": 1.0}),
            is_cancelled=draws.happens("cancelled", of, 0.004),
        )
        .with_columns(
            invoice_id=pl.concat_str(pl.lit("INV-"), "document"),
            invoice_number=pl.concat_str("entity_id", pl.lit("-"), "document"),
            term_days=pl.col("terms").cast(pl.Int32, strict=False),
            amount=_amount(books),
        )
        .with_columns(
            due_day=pl.coalesce(
                pl.col("invoice_day") + pl.col("term_days"),
                books.calendar.end_of_next_month(pl.col("invoice_day")),
            ),
            is_credit_sale=(pl.col("settlement") == "terms") & ~pl.col("is_cancelled"),
        )
        .with_columns(*_dispute(books))
        .with_columns(*_credit_memo(books))
    )


def _amount(books: Books) -> pl.Expr:
    draws, of = books.draws, "amount_counter"
    drawn = (pl.col("amount_mu") + pl.col("amount_sigma") * draws.normal("amount", of)).exp() * 100
    whole = drawn.round().clip(500, LARGEST_AMOUNT).cast(pl.Int64)
    return (
        pl.when(draws.happens("round amount", of, 0.001))
        .then((whole // 10_000 + 1) * 10_000)
        .otherwise(whole)
    )


def _dispute(books: Books) -> list[pl.Expr]:
    """When an invoice is disputed, by how much and until when; about one in five is (PROFILE §1)."""
    draws, of = books.draws, "counter"
    opened = pl.max_horizontal(
        pl.col("due_day") + draws.whole("dispute opened", of, -8, 5), pl.col("invoice_day") + 1
    )
    lasting = 8 + (-20.0 * (1.0 - draws.uniform("dispute length", of)).log()).round().cast(pl.Int32).clip(
        0, 120
    )
    share = (
        pl.when(draws.happens("disputes all", of, 0.55))
        .then(1.0)
        .otherwise(0.1 + 0.8 * draws.uniform("disputed share", of))
    )
    is_disputed = pl.col("is_credit_sale") & draws.happens("disputed", of, pl.col("dispute_rate"))
    return [
        is_disputed.alias("is_disputed"),
        opened.alias("opened_day"),
        pl.when(is_disputed & ~draws.happens("dispute stays", of, 0.03))
        .then(opened + lasting)
        .alias("resolved_day"),
        (pl.col("amount") * share).round().cast(pl.Int64).clip(1).alias("disputed"),
        draws.pick("dispute reason", of, DISPUTE_REASONS).alias("dispute_reason"),
    ]


def _credit_memo(books: Books) -> list[pl.Expr]:
    """Credit memos: three disputes in ten end with one; one invoice in 40 has goods returned."""
    draws, of = books.draws, "counter"
    granted = pl.col("resolved_day").is_not_null() & draws.happens("dispute granted", of, 0.3)
    returned = pl.col("is_credit_sale") & ~pl.col("is_disputed") & draws.happens("goods returned", of, 0.025)
    share = 0.05 + 0.6 * draws.uniform("returned share", of)
    amount = (
        pl.when(granted)
        .then((pl.col("disputed") * share).round())
        .otherwise((pl.col("amount") * share).round())
    )
    return [
        pl.when(granted)
        .then("resolved_day")
        .when(returned)
        .then(pl.col("invoice_day") + draws.whole("returned after", of, 4, 30))
        .alias("credit_day"),
        pl.when(granted | returned).then(amount.cast(pl.Int64).clip(1)).alias("credit"),
        (granted | draws.happens("credit applied", of, 0.8)).alias("is_credit_wanted"),
    ]


def invoice_rows(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """Invoices and credit memos for the table ``invoices``. One row per document."""
    draws, of = books.draws, "counter"
    status = pl.when(pl.col("is_cancelled")).then(pl.lit("cancelled")).otherwise(pl.lit("posted"))
    has_order = draws.happens("has order", of, 0.6)
    posted = invoices.select(
        "invoice_id",
        "entity_id",
        "invoice_number",
        "customer_id",
        "currency_code",
        "delivery_channel",
        "settlement",
        document_type=pl.when(draws.happens("debit memo", of, 0.003))
        .then(pl.lit("debit_memo"))
        .otherwise(pl.lit("invoice")),
        order_id=pl.when(has_order).then(pl.concat_str(pl.lit("ORD-"), "document")),
        invoice_date="invoice_day",
        due_date="due_day",
        payment_terms_days=pl.col("term_days").cast(pl.Int64),
        invoice_amount="amount",
        sent_date="invoice_day",
        po_number=pl.when(draws.happens("has po", of, 0.7)).then(
            pl.concat_str(pl.lit("PO-"), (450_000_000 + pl.col("sequence_number") * 37).cast(pl.String))
        ),
        discount_ratio=pl.when(pl.col("has_discount")).then(pl.lit("0.020000").cast(pl.Decimal(18, 6))),
        discount_due_date=pl.when(pl.col("has_discount")).then(pl.col("invoice_day") + 10),
        status=status,
    )
    credits = invoices.filter(pl.col("credit_day").is_not_null()).select(
        "entity_id",
        "customer_id",
        "currency_code",
        invoice_id=pl.concat_str(pl.lit("CM-"), "document"),
        invoice_number=pl.concat_str(pl.lit("CM-"), "entity_id", pl.lit("-"), "document"),
        document_type=pl.lit("credit_memo"),
        invoice_date=pl.col("credit_day").cast(pl.Int32),
        invoice_amount="credit",
        corrects_invoice_id="invoice_id",
        status=pl.lit("posted"),
        settlement=pl.lit("terms"),
    )
    return pl.concat([posted, credits], how="diagonal").with_columns(known_day="invoice_date")


def dispute_rows(invoices: pl.DataFrame) -> pl.DataFrame:
    """One row per disputed invoice; resolved disputes have their date."""
    return invoices.filter(pl.col("is_disputed")).select(
        "invoice_id",
        dispute_id=pl.concat_str(pl.lit("DSP-"), "document"),
        disputed_amount="disputed",
        reason_code="dispute_reason",
        opened_date="opened_day",
        resolved_date="resolved_day",
        owner_email="account_owner_email",
        known_day="opened_day",
    )


def order_rows(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """Orders behind six invoices in ten, with the days on which they went on; one row per order.

    ``invoiced_day`` stays in the row: until then the order counts as not invoiced.
    """
    draws, of = books.draws, "counter"
    return (
        invoices.filter(draws.happens("has order", of, 0.6))
        .select(
            "entity_id",
            "customer_id",
            "currency_code",
            "settlement",
            order_id=pl.concat_str(pl.lit("ORD-"), "document"),
            order_date=pl.col("invoice_day") - draws.whole("order lead", of, 2, 14),
            order_amount="amount",
            shipped_date=pl.col("invoice_day") - draws.whole("shipped before", of, 0, 1),
            invoiced_day="invoice_day",
            status=pl.when(draws.happens("held", of, 0.03)).then(pl.lit("held")).otherwise(pl.lit("open")),
        )
        .with_columns(known_day="order_date")
    )


def is_in_installments(books: Books) -> pl.Expr:
    """One larger invoice in 200 is due in three monthly parts."""
    return (
        pl.col("is_credit_sale")
        & ~pl.col("is_disputed")
        & pl.col("credit_day").is_null()
        & (pl.col("amount") > 1_000_000)
        & books.draws.happens("installments", "counter", 0.005)
    )


def installment_rows(books: Books, invoices: pl.DataFrame) -> pl.DataFrame:
    """Three parts a month apart, the first due with the invoice. One row per part; cents add up."""
    parts = pl.DataFrame({"installment_number": [1, 2, 3]})
    third = pl.col("amount") // 3
    return (
        invoices.filter(is_in_installments(books))
        .join(parts, how="cross")
        .select(
            "invoice_id",
            "installment_number",
            due_date=pl.col("due_day") + (pl.col("installment_number") - 1).cast(pl.Int32) * 30,
            installment_amount=pl.when(pl.col("installment_number") == 3)
            .then(pl.col("amount") - 2 * third)
            .otherwise(third),
            known_day="invoice_day",
        )
    )
