"""What the cash team is handed: payments that nobody could place for sure, what they may be for, columns to decide.

Nothing is decided here. ``o2c apply-cash decide`` reads the first sheet, or the CSV, back.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import polars as pl

from o2c.cash_codes import crosswalk_rows
from o2c.frames import Applications, CashCandidates, CashExceptions
from o2c.policy import ReasonCodesPolicy
from o2c.workbooks import Column, Sheet, file_name, write_csv, write_workbook

EXCEPTIONS = "Exceptions"
CANDIDATE = "candidate"
# What may be typed into the decision column besides ``candidate 1``, ``candidate 2``.
ACTIONS = ("apply", "credit", "discount", "write off", "deduct", "assign", "unassign", "take back")
# Headings of the columns that are read back, by what they hold.
HEADINGS = {
    "payment_id": "Payment",
    "decision": "Decision",
    "invoice": "For document",
    "credit_memo": "With credit memo",
    "amount": "Amount decided",
    "customer_id": "Customer decided",
    "reason_code": "Deduction reason",
    "application_id": "Application",
    "remember": "Remember account",
    "note": "Note",
    "code": "Code of row",
}
# The order of reasons, most important first, as people look at them.
REASONS = (
    "held",
    "returned_unclear",
    "decision_not_possible",
    "evidence_against_application",
    "waiting_for_approval",
    "remittance_does_not_add_up",
    "remittance_unknown_item",
    "already_paid",
    "other_customer",
    "ambiguous",
    "below_threshold",
    "limit_reached",
    "unmapped_reason",
    "no_match",
    "unknown_payer",
)
_PAYMENT = (
    Column(HEADINGS["payment_id"], "payment_id", width=24),
    Column("Dated", "value_date", "date", 11),
    Column("Entity", "entity_id", width=9),
    Column("Payer", "payer_name", width=26),
    Column("Payer account", "payer_account", width=24),
    Column("Text", "reference_text", width=36),
    Column("Customer no.", "customer_id", width=13),
    Column("Customer", "customer_name", width=24),
    Column("Paid", "payment_amount", "money", 17),
    Column("Left", "unapplied_amount", "money", 17),
    Column("Why", "reason_words", width=20),
    Column("Reason", "reason", width=40),
    Column("Proposed", "proposed", width=34),
)
_CANDIDATES = (
    Column(HEADINGS["payment_id"], "payment_id", width=24),
    Column("Candidate", "candidate_rank", "count", 10),
    Column("Score", "score", "ratio", 8),
    Column("Customer no.", "customer_id", width=13),
    Column("Customer", "customer_name", width=24),
    Column("Document id", "invoice_id", width=18),
    Column("Document", "invoice_number", width=18),
    Column("To apply", "applied_amount", "money", 17),
    Column("Discount", "discount_amount", "money", 15),
    Column("Deduction", "deduction_amount", "money", 15),
    Column("Rule", "rule_words", width=18),
    Column("Reason", "reason", width=48),
)
_APPLIED = (
    Column(HEADINGS["payment_id"], "payment_id", width=24),
    Column(HEADINGS["application_id"], "application_id", width=40),
    Column("Document id", "invoice_id", width=18),
    Column("Type", "type_words", width=12),
    Column("Amount", "applied_amount", "money", 17),
    Column("Dated", "application_date", "date", 11),
    Column("Rule", "rule_words", width=18),
    Column("Why", "explanation", width=48),
)
_CODES = (
    Column("List", "code_list", width=14),
    Column("Customer no.", "customer_id", width=13),
    Column("Their code", "their_code", width=12),
    Column("Our code", "our_code", width=18),
    Column("Meaning", "text", width=40),
    Column("Opens a dispute", "is_disputed", width=10),
    Column("Deductions", "deduction_count", "count", 11),
    Column("Amount", "deduction_amount", "money", 17),
)
_CURRENCY = Column("Currency", "currency_code", width=9)


@dataclass(frozen=True)
class CashSheets:
    """What the workbook shows, all of one as-of date.

    ``payments`` have payment_id, payer_name, payer_account, reference_text; ``customers`` customer_id and
    customer_name; ``documents`` invoice_id and invoice_number; ``applications`` those
    that stand; ``deductions`` all.
    """

    exceptions: pl.DataFrame
    candidates: pl.DataFrame
    payments: pl.DataFrame
    customers: pl.DataFrame
    documents: pl.DataFrame
    applications: pl.DataFrame
    deductions: pl.DataFrame


def row_codes(exceptions: pl.DataFrame, candidates: pl.DataFrame, as_of: date) -> dict[str, str]:
    """A short code per payment of the exceptions, of all that a person decides by: another state, another code.

    It says of a row that comes back which payment, date and candidates it was about, whatever was typed beside it.
    """
    order = ["payment_id", "candidate_rank", "invoice_id"]
    rows = candidates.select(CashCandidates.columns()).sort(order, nulls_last=False)
    told = {
        payment_id: "\n".join(str(row) for row in group)
        for payment_id, group in groupby(rows.iter_rows(), key=lambda row: row[0])
    }
    facts = exceptions.select("payment_id", "currency_code", "payment_amount", "unapplied_amount")
    return {
        row[0]: sha256(f"{as_of}|{row}|{told.get(row[0], '')}".encode()).hexdigest()[:12]
        for row in facts.iter_rows()
    }


def write_cash_workbook(
    folder: Path, sheets: CashSheets, reasons: ReasonCodesPolicy, max_candidates: int, as_of: date
) -> list[Path]:
    """Payments to look at with their candidates, what stands applied of them, and the crosswalk of reason codes.

    Args:
        folder: where the files go; made when it is not there.
        sheets: what is shown.
        reasons: our reasons and the crosswalk.
        max_candidates: how many candidates a payment may have.
        as_of: the date the list is for; part of the name.

    Returns:
        The workbook and the CSV of its first sheet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = sheets.customers.select("customer_id", "customer_name").unique("customer_id")
    listed = _listed(sheets, names, as_of)
    candidates = (
        CashCandidates.validate(sheets.candidates)
        .join(listed.select("payment_id", "place"), on="payment_id", validate="m:1")
        .join(names, on="customer_id", how="left", validate="m:1")
        .join(_numbers(sheets), on="invoice_id", how="left", validate="m:1")
        .with_columns(rule_words=_words("rule"))
        .sort("place", "candidate_rank", "invoice_id", nulls_last=False)
    )
    applied = (
        Applications.validate(sheets.applications)
        .join(listed.select("payment_id", "place"), on="payment_id", validate="m:1")
        .with_columns(type_words=_words("application_type"), rule_words=_words("rule"))
        .sort("place", "application_id")
    )
    entries = _entries(reasons, max_candidates)
    stem = ("cash-exceptions", as_of.isoformat())
    columns = (*_PAYMENT, *entries)
    pages = (
        Sheet(EXCEPTIONS, listed, columns, frozen_columns=1),
        Sheet("Candidates", candidates, _CANDIDATES, frozen_columns=2),
        Sheet("Applied", applied, _APPLIED, frozen_columns=1),
        Sheet("Reason codes", crosswalk_rows(reasons, sheets.deductions), _CODES, frozen_columns=3),
    )
    return [
        write_workbook(folder / file_name(*stem, suffix=".xlsx"), pages, as_of, title="Cash exceptions"),
        write_csv(
            folder / file_name(*stem, suffix=".csv"),
            listed,
            (*_PAYMENT[:8], _CURRENCY, *_PAYMENT[8:], *entries),
        ),
    ]


def _listed(sheets: CashSheets, names: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The exceptions in the order in which people look at them: by reason, the largest first."""
    codes = row_codes(sheets.exceptions, sheets.candidates, as_of)
    importance = pl.col("reason_code").replace_strict(
        {code: place for place, code in enumerate(REASONS)}, default=len(REASONS), return_dtype=pl.Int64
    )
    facts = sheets.payments.select("payment_id", "payer_name", "payer_account", "reference_text")
    return (
        CashExceptions.validate(sheets.exceptions)
        .join(facts, on="payment_id", how="left", validate="1:1")
        .join(names, on="customer_id", how="left", validate="m:1")
        .join(_proposed(sheets.candidates, names), on="payment_id", how="left", validate="1:1")
        .with_columns(
            reason_words=_words("reason_code"),
            code=pl.col("payment_id").replace_strict(codes, return_dtype=pl.String),
        )
        .sort(importance, -pl.col("unapplied_amount"), "payment_id")
        .with_row_index("place")
    )


def _proposed(candidates: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The best candidate in a few words, per payment."""
    best = candidates.filter(pl.col("candidate_rank") == 1).sort("payment_id", "invoice_id")
    return (
        best.join(names, on="customer_id", how="left", validate="m:1")
        .group_by("payment_id")
        .agg(
            pl.col("invoice_id").drop_nulls().len().alias("count"),
            pl.coalesce("customer_name", "customer_id").first().alias("who"),
            pl.col("rule").first(),
            pl.col("score").first(),
        )
        .select(
            "payment_id",
            proposed=pl.when(pl.col("rule") == "reverse")
            .then(pl.format("candidate 1: take back what was applied to {} documents", "count"))
            .when(pl.col("count") == 0)
            .then(pl.format("candidate 1: money of {}", pl.col("who").fill_null("?")))
            .otherwise(
                pl.format(
                    "candidate 1: {} documents of {}, score {}",
                    "count",
                    pl.col("who").fill_null("?"),
                    pl.col("score").round(3).cast(pl.Decimal(18, 3)).cast(pl.String),
                )
            ),
        )
    )


def _entries(reasons: ReasonCodesPolicy, max_candidates: int) -> tuple[Column, ...]:
    """The yellow columns, what may be chosen in them, and the code by which a row is known again."""
    # a proposed reversal comes before the candidates of the engine; a drop-down holds 255 letters
    most = min(max_candidates + 1, 12)
    numbered = tuple(f"{CANDIDATE} {number}" for number in range(1, most + 1))
    codes = tuple(reason.code for reason in reasons.reasons)
    choices = {
        "decision": (*numbered, *ACTIONS),
        "reason_code": codes if len(",".join(codes)) <= 255 else (),
        "remember": ("yes", "no"),
    }
    widths = {"decision": 14, "application_id": 20, "note": 30, "invoice": 18}
    entered = tuple(
        Column(heading, "", "entry", widths.get(name, 15), choices=choices.get(name, ()))
        for name, heading in HEADINGS.items()
        if name not in ("payment_id", "code")
    )
    return (*entered, Column(HEADINGS["code"], "code", width=15))


def _numbers(sheets: CashSheets) -> pl.DataFrame:
    return sheets.documents.select("invoice_id", "invoice_number").unique("invoice_id")


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("_", " ", literal=True)
