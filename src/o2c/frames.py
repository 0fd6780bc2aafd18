"""Frames that cross a boundary, each with its grain. Strict: no column more, none less, none coerced.

Validate eager frames only: on a LazyFrame pandera checks the schema and skips the data.
Amounts are decimal(18, 4) in the currency of ``currency_code`` in the same row.
"""

from typing import Annotated

import pandera.polars as pa
import polars as pl

Money = Annotated[pl.Decimal, 18, 4]
Ratio = Annotated[pl.Decimal, 18, 6]
Rate = Annotated[pl.Decimal, 18, 8]
Instant = Annotated[pl.Datetime, "us", "UTC"]

UNIDENTIFIED = "(unidentified)"
UNOWNED = "(unowned)"


class Frame(pa.DataFrameModel):
    """Base of every frame: exactly these columns, in any order, with exactly these types."""

    class Config:  # ty: ignore[incompatible-attribute-override]
        strict = True
        coerce = False

    @classmethod
    def columns(cls) -> list[str]:
        """Column names in the order of the definition."""
        return list(cls.to_schema().columns)

    @classmethod
    def empty(cls, *_arguments: object) -> pl.DataFrame:  # ty: ignore[incompatible-method-override]
        """A frame without rows, for callers that have nothing of the kind."""
        return pl.DataFrame(
            schema={name: column.dtype.type for name, column in cls.to_schema().columns.items()}
        )


# ── what dbt hands to the decisions (all of one as-of date) ──────────────────────────────────────────


class OpenItems(Frame):
    """Open documents or installments on the as-of date (receivables.fct_open_items).

    One row per as_of_date, invoice_id, installment_number. Credit memos have a negative open amount and no bucket.
    """

    as_of_date: pl.Date
    entity_id: str
    customer_id: str
    invoice_id: str
    installment_number: int
    invoice_number: str
    document_type: str
    order_id: str = pa.Field(nullable=True)
    po_number: str = pa.Field(nullable=True)
    currency_code: str
    aging_bucket: str = pa.Field(nullable=True)
    invoice_amount: Money
    open_amount: Money
    disputed_amount: Money
    group_open_amount: Money = pa.Field(nullable=True)
    days_past_due: int
    invoice_date: pl.Date
    due_date: pl.Date


class Customers(Frame):
    """Customers with what is known of their habits on the as-of date (int_customers_profiled).

    One row per as_of_date, customer_id. ``is_stub`` marks customers that only documents mention.
    """

    as_of_date: pl.Date
    customer_id: str
    customer_name: str
    parent_customer_id: str = pa.Field(nullable=True)
    customer_group: str = pa.Field(nullable=True)
    country_code: str = pa.Field(nullable=True)
    language_code: str = pa.Field(nullable=True)
    customer_type: str = pa.Field(nullable=True)
    status: str
    collector_id: str = pa.Field(nullable=True)
    account_owner_email: str = pa.Field(nullable=True)
    value_tier: str = pa.Field(nullable=True)
    behaviour_class: str
    risk_class: str
    segment: str
    credit_limit_currency_code: str = pa.Field(nullable=True)
    credit_limit_amount: Money = pa.Field(nullable=True)
    risk_score: Ratio
    weighted_days_late: Ratio = pa.Field(nullable=True)
    weighted_days_late_last_90_days: Ratio = pa.Field(nullable=True)
    weighted_days_late_previous_90_days: Ratio = pa.Field(nullable=True)
    average_days_late: Ratio = pa.Field(nullable=True)
    settled_invoice_count: int
    broken_promise_count: int
    returned_payment_count: int
    is_stub: bool
    credit_limit_valid_until: pl.Date = pa.Field(nullable=True)
    last_payment_date: pl.Date = pa.Field(nullable=True)
    last_broken_promise_date: pl.Date = pa.Field(nullable=True)
    last_returned_payment_date: pl.Date = pa.Field(nullable=True)


class Exposures(Frame):
    """What each customer owes and has ordered, in one currency (int_exposures_summed).

    One row per as_of_date, customer_id in group currency where every currency of the customer has a rate on or
    before the as-of date; else one row per currency of the customer. Limits are converted likewise, null without rate.
    """

    as_of_date: pl.Date
    customer_id: str
    currency_code: str
    open_amount: Money
    credit_memo_amount: Money
    unapplied_amount: Money
    past_due_amount: Money
    disputed_past_due_amount: Money
    uninvoiced_order_amount: Money
    exposure_amount: Money
    credit_limit_amount: Money = pa.Field(nullable=True)
    oldest_days_past_due: int = pa.Field(nullable=True)


class UnappliedCash(Frame):
    """Cash not yet set against a document (int_unapplied_cash_summed).

    One row per as_of_date, entity_id, customer_id, currency_code; unknown payers under ``(unidentified)``.
    """

    as_of_date: pl.Date
    entity_id: str
    customer_id: str
    currency_code: str
    unapplied_amount: Money


class Contacts(Frame):
    """Whom to write to (stg_contacts). One row per contact_id."""

    contact_id: str
    customer_id: str
    role: str = pa.Field(nullable=True)
    name: str = pa.Field(nullable=True)
    email: str = pa.Field(nullable=True)
    phone: str = pa.Field(nullable=True)
    language_code: str = pa.Field(nullable=True)
    sms_consent: bool = pa.Field(nullable=True)
    valid_from: pl.Date = pa.Field(nullable=True)


class Entities(Frame):
    """Our own legal entities (int_entities_completed). One row per entity_id; stubs have defaults."""

    entity_id: str
    entity_name: str
    country_code: str = pa.Field(nullable=True)
    currency_code: str
    time_zone: str
    remit_to: str = pa.Field(nullable=True)


class Collectors(Frame):
    """People who call customers (stg_collectors). One row per collector_id."""

    collector_id: str
    name: str
    email: str = pa.Field(nullable=True)
    daily_capacity: int = pa.Field(nullable=True)


class Blocks(Frame):
    """Blocks that hold on the as-of date or held before it (int_blocks_effective). One row per block_id."""

    as_of_date: pl.Date
    block_id: str
    scope: str
    subject_id: str
    kind: str
    reason: str
    valid_from: pl.Date
    valid_until: pl.Date = pa.Field(nullable=True)


class Promises(Frame):
    """Promises to pay and how they stand, pending, kept or broken (int_promises_judged). One row per promise_id."""

    as_of_date: pl.Date
    promise_id: str
    customer_id: str
    invoice_id: str = pa.Field(nullable=True)
    currency_code: str
    status: str
    promised_amount: Money
    promised_date: pl.Date
    made_date: pl.Date


class Plans(Frame):
    """Payment plans and how they stand (int_plans_judged).

    One row per as_of_date, plan_id, invoice_id; a plan that names no invoices has one row with a null invoice_id
    and covers the whole customer.
    """

    as_of_date: pl.Date
    plan_id: str
    customer_id: str
    invoice_id: str = pa.Field(nullable=True)
    is_in_good_standing: bool


class Activities(Frame):
    """What was said and sent before (stg_activities up to the as-of date). One row per activity_id."""

    activity_id: str
    customer_id: str
    collector_id: str = pa.Field(nullable=True)
    activity_at: Instant
    channel: str
    outcome_code: str = pa.Field(nullable=True)
    note: str = pa.Field(nullable=True)


class Orders(Frame):
    """Orders not yet invoiced in full and not cancelled (int_orders_uninvoiced). One row per order_id."""

    as_of_date: pl.Date
    order_id: str
    entity_id: str
    customer_id: str
    currency_code: str
    status: str
    uninvoiced_amount: Money
    order_date: pl.Date


# ── cash application ─────────────────────────────────────────────────────────────────────────────────


class ApplicableItems(Frame):
    """Documents that cash can settle, or lately has (int_items_applicable): open after recorded applications.

    One row per invoice_id, with documents dated up to the run's as-of date. Credit memos have negative amounts.
    Settled documents stand with ``open_amount`` zero for ``paid_lookback_days``, and longer where a payment that
    settled them went back.
    """

    invoice_id: str
    entity_id: str
    customer_id: str
    invoice_number: str
    document_type: str
    order_id: str = pa.Field(nullable=True)
    po_number: str = pa.Field(nullable=True)
    currency_code: str
    invoice_amount: Money
    open_amount: Money
    discount_ratio: Ratio = pa.Field(nullable=True)
    invoice_date: pl.Date
    due_date: pl.Date
    discount_due_date: pl.Date = pa.Field(nullable=True)


class ApplicablePayments(Frame):
    """Payments with money left after recorded applications, and reversals (int_payments_applicable).

    One row per payment_id; a reversal has a negative amount and names what it reverses. A payment of zero is there
    while nothing was applied of it: its remittance may net credit memos. ``is_held``: the statement it came on does
    not tie, so nothing is applied of it.
    """

    payment_id: str
    entity_id: str
    customer_id: str = pa.Field(nullable=True)
    currency_code: str
    payer_name: str = pa.Field(nullable=True)
    payer_account: str = pa.Field(nullable=True)
    payment_method: str = pa.Field(nullable=True)
    reference_text: str = pa.Field(nullable=True)
    reverses_payment_id: str = pa.Field(nullable=True)
    payment_amount: Money
    unapplied_amount: Money
    is_held: bool
    value_date: pl.Date


class RemittanceLines(Frame):
    """What customers say a payment is for (stg_remittance_lines). One row per remittance_id, line_number.

    ``paid_amount`` is what the line adds to the payment: negative where a credit memo is netted. The item is settled
    by paid + discount + deduction.
    """

    remittance_id: str
    line_number: int
    payment_id: str = pa.Field(nullable=True)
    payment_reference: str = pa.Field(nullable=True)
    invoice_reference: str
    reason_code: str = pa.Field(nullable=True)
    paid_amount: Money
    discount_amount: Money = pa.Field(nullable=True)
    deduction_amount: Money = pa.Field(nullable=True)


class CustomerNames(Frame):
    """How customers are called and whose they are (int_customers_completed). One row per customer_id."""

    customer_id: str
    customer_name: str
    parent_customer_id: str = pa.Field(nullable=True)


class PayerAccounts(Frame):
    """Bank accounts from which customers paid before (int_payer_accounts). One row per payer_account, customer_id.

    ``is_remembered``: a person said so, which stands above what earlier applications say.
    """

    payer_account: str
    customer_id: str
    is_remembered: bool


class Applications(Frame):
    """Amounts set against invoices by the engine or a person, recorded once. One row per application_id.

    ``applied_amount`` lowers the open amount of the invoice when positive; a reversal is the exact negation of another
    row. application_type payment takes it from the payment, credit_memo from the document ``credit_memo_id``,
    discount and write_off give it up; all of them name the payment in whose settlement they were made.
    rule ``person`` is a person's.
    """

    application_id: str
    payment_id: str
    credit_memo_id: str = pa.Field(nullable=True)
    invoice_id: str
    customer_id: str
    currency_code: str
    application_type: str = pa.Field(isin=["payment", "credit_memo", "discount", "write_off", "reversal"])
    rule: str
    explanation: str
    reverses_application_id: str = pa.Field(nullable=True)
    applied_amount: Money
    score: Ratio
    application_date: pl.Date


class PayerAssignments(Frame):
    """Whose a payment is that named no customer, found by the engine or a person; recorded once.

    One row per payment_id and assigned_date; the latest counts, a person's above the engine's. A null customer_id
    is a person's word that it is not known after all.
    """

    payment_id: str
    customer_id: str = pa.Field(nullable=True)
    rule: str
    explanation: str
    score: Ratio
    assigned_date: pl.Date


class Deductions(Frame):
    """Amounts that customers withheld, recorded once. One row per deduction_id.

    Made of one remittance line, or of a payment that is short of its item. ``reason_code`` is ours.
    """

    deduction_id: str
    payment_id: str
    invoice_id: str
    customer_id: str
    currency_code: str
    customer_reason_code: str = pa.Field(nullable=True)
    reason_code: str
    explanation: str
    deduction_amount: Money
    opens_dispute: bool
    deducted_date: pl.Date


class CashExceptions(Frame):
    """Payments that a person must look at, with the reason that matters most. One row per payment_id."""

    payment_id: str
    entity_id: str
    customer_id: str = pa.Field(nullable=True)
    currency_code: str
    reason_code: str
    reason: str
    payment_amount: Money
    unapplied_amount: Money
    value_date: pl.Date


class CashCandidates(Frame):
    """What a payment of the exceptions may be for, best first.

    One row per payment_id, candidate_rank, invoice_id (null: only whose money it is). Amounts are what would be
    applied to the invoice; credit memos negative.
    """

    payment_id: str
    candidate_rank: int
    customer_id: str = pa.Field(nullable=True)
    invoice_id: str = pa.Field(nullable=True)
    currency_code: str
    rule: str
    reason: str
    applied_amount: Money
    discount_amount: Money
    deduction_amount: Money
    score: Ratio


class CashDecisions(Frame):
    """What persons decided about payments, as they typed it back. One row per decision_id.

    action apply (amount of the payment to an invoice), credit (amount of a credit memo, in ``credit_memo_id``, to
    an invoice), discount, write_off, deduct (each an amount of an invoice), assign (the payment is this customer's; the
    account is remembered where ``remember``), unassign, reverse (take back an application, in ``application_id``).
    """

    decision_id: str
    payment_id: str
    action: str = pa.Field(
        isin=["apply", "credit", "discount", "write_off", "deduct", "assign", "unassign", "reverse"]
    )
    customer_id: str = pa.Field(nullable=True)
    invoice_id: str = pa.Field(nullable=True)
    credit_memo_id: str = pa.Field(nullable=True)
    application_id: str = pa.Field(nullable=True)
    reason_code: str = pa.Field(nullable=True)
    note: str = pa.Field(nullable=True)
    decided_by: str
    amount: Money = pa.Field(nullable=True)
    remember: bool
    decided_date: pl.Date


class PossiblePayers(Frame):
    """Suspense that may be a customer's: that customer is not dunned. One row per payment_id, customer_id."""

    payment_id: str
    entity_id: str
    customer_id: str
    currency_code: str
    reason: str
    unapplied_amount: Money


# ── dunning ──────────────────────────────────────────────────────────────────────────────────────────


class DunningDecisions(Frame):
    """Who is written to and why, or why not. One row per as_of_date, entity_id, customer_id, currency_code.

    ``level`` is that of the letter or task decided (0 for a courtesy reminder), else the level confirmed so far.
    ``episode`` counts per entity, customer, currency from 1; 0 before the first.
    """

    as_of_date: pl.Date
    entity_id: str
    customer_id: str
    currency_code: str
    decision: str = pa.Field(isin=["letter", "task", "none"])
    kind: str = pa.Field(nullable=True, isin=["courtesy", "dunning"])
    stage: str = pa.Field(nullable=True)
    occasion: str = pa.Field(nullable=True)
    channel: str = pa.Field(nullable=True)
    contact_id: str = pa.Field(nullable=True)
    language_code: str = pa.Field(nullable=True)
    reason_code: str
    reason: str
    policy_version: str
    letter_id: str = pa.Field(nullable=True)
    past_due_amount: Money
    disputed_amount: Money
    credit_memo_amount: Money
    unapplied_amount: Money
    net_due_amount: Money
    due_soon_amount: Money
    level: int
    episode: int
    try_number: int = pa.Field(nullable=True)
    item_count: int
    oldest_days_past_due: int = pa.Field(nullable=True)
    required_approval_count: int
    is_confirmed_level: int
    nothing_past_due_since: pl.Date = pa.Field(nullable=True)


class LetterLines(Frame):
    """Items that a letter lists. One row per letter_id, line_number."""

    letter_id: str
    line_number: int
    invoice_id: str
    installment_number: int
    invoice_number: str
    po_number: str = pa.Field(nullable=True)
    currency_code: str
    occasion: str = pa.Field(nullable=True)
    invoice_amount: Money
    disputed_amount: Money
    amount: Money
    days_past_due: int
    invoice_date: pl.Date
    due_date: pl.Date


class LetterHistory(Frame):
    """Letters decided on earlier dates, from the ledger. One row per letter_id.

    ``state`` is one of ledger.states. ``sent_date`` is the day that it left or may have left, null before that;
    ``state_date`` the day on which its state became known, null in rows of earlier versions.
    """

    letter_id: str
    kind: str
    entity_id: str
    customer_id: str
    currency_code: str
    level: int
    episode: int
    occasion: str = pa.Field(nullable=True)
    try_number: int
    state: str
    address: str = pa.Field(nullable=True)
    decided_as_of_date: pl.Date
    sent_date: pl.Date = pa.Field(nullable=True)
    state_date: pl.Date = pa.Field(nullable=True)


class SuppressedAddresses(Frame):
    """Addresses that nothing is sent to until a person lifts it, from the ledger. One row per address, lower case."""

    address: str
    reason: str


class LineHistory(Frame):
    """Which invoices earlier courtesy reminders listed, from the ledger. One row per letter_id, invoice_id."""

    letter_id: str
    invoice_id: str
    occasion: str
    state: str
    sent_date: pl.Date = pa.Field(nullable=True)


class ForecastHistory(Frame):
    """Cash forecasts as they were published. One row per as_of_date, week_start_date, entity_id, currency_code."""

    as_of_date: pl.Date
    week_start_date: pl.Date
    entity_id: str
    currency_code: str
    week_number: int
    is_beyond_horizon: bool
    expected_amount: Money
    low_amount: Money
    high_amount: Money


class DecisionHistory(Frame):
    """The latest dunning decision before the as-of date. One row per entity_id, customer_id, currency_code."""

    as_of_date: pl.Date
    entity_id: str
    customer_id: str
    currency_code: str
    decision: str
    reason_code: str
    episode: int
    is_confirmed_level: int
    nothing_past_due_since: pl.Date = pa.Field(nullable=True)


# ── credit, agency, worklist ─────────────────────────────────────────────────────────────────────────


class CreditFlags(Frame):
    """Reasons to review a customer's credit. One row per as_of_date, customer_id, currency_code, flag_code."""

    as_of_date: pl.Date
    customer_id: str
    flag_code: str
    severity: str = pa.Field(isin=["low", "medium", "high"])
    currency_code: str
    action: str = pa.Field(isin=["hold", "review", "reduce_limit", "prepay", "release"])
    reason: str
    policy_version: str
    exposure_amount: Money
    credit_limit_amount: Money = pa.Field(nullable=True)
    recommended_limit_amount: Money = pa.Field(nullable=True)
    utilisation_ratio: Ratio = pa.Field(nullable=True)


class OrderHolds(Frame):
    """Proposed holds and releases. One row per order_id."""

    order_id: str
    customer_id: str
    action: str = pa.Field(isin=["hold", "release"])
    reason: str
    currency_code: str
    approved_by: str = pa.Field(nullable=True)
    uninvoiced_amount: Money
    decided_as_of_date: pl.Date


class AgencyReferrals(Frame):
    """Every item more than 90 days past due, proposed or not. One row per as_of_date, invoice_id, installment_number.

    ``failed_conditions`` lists the failed conditions' codes, comma-separated, empty when proposed.
    """

    as_of_date: pl.Date
    entity_id: str
    customer_id: str
    invoice_id: str
    installment_number: int
    currency_code: str
    agency_id: str = pa.Field(nullable=True)
    status: str = pa.Field(isin=["not_eligible", "proposed", "approved", "placed", "recalled", "closed"])
    rule: str = pa.Field(nullable=True)
    failed_conditions: str
    policy_version: str
    referred_amount: Money
    days_past_due: int


class PlacedItems(Frame):
    """Items already with an agency, from decision history. One row per invoice_id, installment_number."""

    invoice_id: str
    installment_number: int
    customer_id: str
    agency_id: str
    placed_date: pl.Date


class Worklist(Frame):
    """Whom to call, best first. One row per as_of_date, collector_id, customer_id, currency_code.

    ``work_rank`` counts per collector from 1; rows beyond the collector's daily capacity have ``is_in_capacity`` false.
    """

    as_of_date: pl.Date
    collector_id: str
    customer_id: str
    currency_code: str
    priority_class: str = pa.Field(isin=["High", "Medium", "Low"])
    next_action: str
    reason: str
    policy_version: str
    past_due_amount: Money
    priority_score: Ratio
    work_rank: int
    oldest_days_past_due: int
    is_in_capacity: bool


class WorklistTerms(Frame):
    """The terms a worklist score is the sum of. One row per as_of_date, customer_id, currency_code, term."""

    as_of_date: pl.Date
    customer_id: str
    currency_code: str
    term: str
    weight: Ratio
    value: Ratio
    contribution: Ratio
