"""Applications that what is delivered now speaks against: they stand, and a person is asked to take them back."""

import polars as pl

from o2c.contract import MONEY, RATIO
from o2c.frames import UNIDENTIFIED, CashCandidates, CashExceptions
from o2c.matching.book import standing

REASON_CODE = "evidence_against_application"
TAKE_BACK = "reverse"
# More important than evidence against an application, by the order of reasons: what makes the payment itself doubtful.
_BEFORE = ("held", "returned_unclear", "decision_not_possible")
# What speaks against an application (int_applications_contradicted), in words.
FAULTS = {
    "payment_missing": "payment {payment_id} is no longer delivered",
    "payment_overspent": "payment {payment_id} is smaller now than what was applied of it",
    "document_missing": "document {invoice_id} is no longer delivered",
    "document_cancelled": "document {invoice_id} is cancelled",
    "document_elsewhere": "payment {payment_id} and document {invoice_id} differ in entity or currency",
    "document_overpaid": "more is set against document {invoice_id} than it is of",
    "credit_memo_missing": "credit memo {credit_memo_id} is no longer delivered",
    "credit_memo_cancelled": "credit memo {credit_memo_id} is cancelled",
    "credit_memo_overused": "more is taken of credit memo {credit_memo_id} than it is of",
}


def find_contradicted(
    contradicted: pl.DataFrame, recorded: pl.DataFrame, payments: pl.DataFrame, documents: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Recorded applications that what is delivered now speaks against, as exceptions with a proposed reversal.

    A batch that its details replaced is gone; a document may be cancelled, or settled by the ledger itself.

    Args:
        contradicted: ``application_id, fault`` of standing applications; the faults are the keys of ``FAULTS``.
        recorded: Applications.
        payments: ``payment_id, entity_id, customer_id, currency_code, payment_amount, value_date`` as delivered now.
        documents: ``invoice_id, entity_id`` as delivered now.

    Returns:
        CashExceptions by payment_id; CashCandidates of rank 1, rule ``reverse``, with what taking back moves.
    """
    suspects = _suspects(contradicted, recorded, payments, documents)
    if suspects.is_empty():
        return CashExceptions.empty(), CashCandidates.empty()
    is_payment = pl.col("application_type") == "payment"
    exceptions = (
        suspects.sort("application_id")
        .group_by("payment_id")
        .agg(
            entity_id=pl.coalesce("payment_entity_id", "document_entity_id").drop_nulls().first(),
            customer_id=pl.coalesce("payment_customer_id", "customer_id").first(),
            currency_code=pl.coalesce("payment_currency_code", "currency_code").first(),
            reason=pl.format(
                "{}. {} recorded applications rest on it; they stand until a person takes them back.",
                pl.col("fault").unique().sort().str.join("; "),
                pl.len(),
            ),
            payment_amount=pl.coalesce(
                pl.col("payment_amount").first(), pl.col("applied_amount").filter(is_payment).sum()
            ),
            applied_amount=pl.col("paid_amount").first().fill_null(0),
            is_gone=pl.col("payment_amount").first().is_null(),
            value_date=pl.coalesce(pl.col("value_date").first(), pl.col("application_date").min()),
        )
        .with_columns(
            pl.col("entity_id").fill_null(UNIDENTIFIED),
            pl.col("payment_amount").cast(MONEY),
            reason_code=pl.lit(REASON_CODE),
            unapplied_amount=pl.when("is_gone")
            .then(0)
            .otherwise(pl.col("payment_amount") - pl.col("applied_amount"))
            .cast(MONEY),
        )
        .select(CashExceptions.columns())
        .sort("payment_id")
    )
    return CashExceptions.validate(exceptions), CashCandidates.validate(_proposed(suspects))


def add_contradicted(
    found: tuple[pl.DataFrame, pl.DataFrame], exceptions: pl.DataFrame, candidates: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Exceptions and candidates of a run with those of ``find_contradicted``: one reason a payment, reversal first."""
    ours, proposed = found
    weightier = exceptions.filter(pl.col("reason_code").is_in(_BEFORE))
    ours = ours.join(weightier, on="payment_id", how="anti")
    proposed = proposed.join(ours, on="payment_id", how="semi")
    merged = pl.concat([exceptions.join(ours, on="payment_id", how="anti"), ours])
    shifted = candidates.with_columns(
        candidate_rank=pl.col("candidate_rank")
        + pl.col("payment_id").is_in(proposed["payment_id"].implode()).cast(pl.Int64)
    )
    key = ["payment_id", "candidate_rank", "invoice_id"]
    return merged.sort("payment_id"), pl.concat([shifted, proposed]).sort(key, nulls_last=False)


def _suspects(
    contradicted: pl.DataFrame, recorded: pl.DataFrame, payments: pl.DataFrame, documents: pl.DataFrame
) -> pl.DataFrame:
    """The contradicted applications with what is delivered about their payments now, and the fault in words."""
    found = recorded.join(contradicted, on="application_id", validate="1:1")
    paid = (
        standing(recorded)
        .filter(
            pl.col("payment_id").is_in(found["payment_id"].implode()),
            pl.col("application_type") == "payment",
        )
        .group_by("payment_id")
        .agg(paid_amount=pl.col("applied_amount").sum())
    )
    given = payments.select(
        "payment_id",
        "payment_amount",
        "value_date",
        payment_entity_id="entity_id",
        payment_customer_id="customer_id",
        payment_currency_code="currency_code",
    )
    words = pl.col("fault").replace_strict(
        FAULTS, default="{payment_id}: evidence changed", return_dtype=pl.String
    )
    for name in ("payment_id", "invoice_id", "credit_memo_id"):
        words = words.str.replace(f"{{{name}}}", pl.col(name).fill_null(""), literal=True)
    return (
        found.join(paid, on="payment_id", how="left", validate="m:1")
        .join(given, on="payment_id", how="left", validate="m:1")
        .join(
            documents.select("invoice_id", document_entity_id="entity_id"),
            on="invoice_id",
            how="left",
            validate="m:1",
        )
        .with_columns(fault=words)
    )


def _proposed(suspects: pl.DataFrame) -> pl.DataFrame:
    """What taking the applications back moves, per document."""

    def moved(*types: str) -> pl.Expr:
        return (-pl.col("applied_amount").filter(pl.col("application_type").is_in(types)).sum()).cast(MONEY)

    return (
        suspects.group_by("payment_id", "invoice_id")
        .agg(
            customer_id=pl.col("customer_id").first(),
            currency_code=pl.col("currency_code").first(),
            reason=pl.format(
                "{}: take back what was applied", pl.col("fault").unique().sort().str.join("; ")
            ),
            applied_amount=moved("payment", "credit_memo"),
            discount_amount=moved("discount", "write_off"),
        )
        .with_columns(
            candidate_rank=pl.lit(1, dtype=pl.Int64),
            rule=pl.lit(TAKE_BACK),
            deduction_amount=pl.lit(0).cast(MONEY),
            score=pl.lit(0).cast(RATIO),
        )
        .select(CashCandidates.columns())
        .sort("payment_id", "invoice_id")
    )
