"""The source contract: which tables and columns an extract delivers, in which types.

Everything that reads or writes source rows (definitions, landing, the raw layer of the warehouse, the
demo generator) takes names, types, codes and keys from here, so that they cannot drift apart.
"""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

MONEY = pl.Decimal(18, 4)
RATE = pl.Decimal(18, 8)
RATIO = pl.Decimal(18, 6)


class Kind(StrEnum):
    """What a column holds; decides how its text is parsed and how it is stored."""

    TEXT = "text"
    CODE = "code"
    CURRENCY = "currency"
    DATE = "date"
    INSTANT = "instant"
    AMOUNT = "amount"
    UNSIGNED_AMOUNT = "unsigned_amount"
    RATE = "rate"
    RATIO = "ratio"
    INTEGER = "integer"
    BOOLEAN = "boolean"


POLARS_TYPES: dict[Kind, pl.DataType] = {
    Kind.TEXT: pl.String(),
    Kind.CODE: pl.String(),
    Kind.CURRENCY: pl.String(),
    Kind.DATE: pl.Date(),
    Kind.INSTANT: pl.Datetime("us", "UTC"),
    Kind.AMOUNT: MONEY,
    Kind.UNSIGNED_AMOUNT: MONEY,
    Kind.RATE: RATE,
    Kind.RATIO: RATIO,
    Kind.INTEGER: pl.Int64(),
    Kind.BOOLEAN: pl.Boolean(),
}

# What the raw layer calls the same types in SQL.
SQL_TYPES: dict[Kind, str] = {
    Kind.TEXT: "varchar",
    Kind.CODE: "varchar",
    Kind.CURRENCY: "varchar",
    Kind.DATE: "date",
    Kind.INSTANT: "timestamp with time zone",
    Kind.AMOUNT: "decimal(18, 4)",
    Kind.UNSIGNED_AMOUNT: "decimal(18, 4)",
    Kind.RATE: "decimal(18, 8)",
    Kind.RATIO: "decimal(18, 6)",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
}

# Where a raw row comes from; every landed table ends with these.
PROVENANCE: dict[str, pl.DataType] = {
    "_source": pl.String(),
    "_file_id": pl.String(),
    "_line": pl.Int64(),
    "_loaded_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Column:
    """One column of the contract. ``codes`` is the closed list of a CODE column."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of the contract and the columns that identify a row in it."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column name to polars type, in contract order, without provenance."""
        return {column.name: POLARS_TYPES[column.kind] for column in self.columns}


def _columns(
    text: str = "",
    *,
    required: str = "",
    kinds: dict[str, Kind] | None = None,
    codes: dict[str, tuple[str, ...]] | None = None,
) -> tuple[Column, ...]:
    """Columns from a space-separated list, in that order; ``required`` and ``kinds`` say what is special."""
    needed, kinds, codes = set(required.split()), kinds or {}, codes or {}
    return tuple(
        Column(
            name,
            Kind.CODE if name in codes else kinds.get(name, _kind_of(name)),
            name in needed,
            codes.get(name, ()),
        )
        for name in text.split()
    )


def _kind_of(name: str) -> Kind:
    """The kind that a name implies by the vocabulary: ``*_date`` is a date, ``*_amount`` is money."""
    if name.endswith("currency_code"):
        return Kind.CURRENCY
    if name.endswith("_amount"):
        return Kind.AMOUNT
    if name.endswith("_date") or name in {"valid_from", "valid_until"}:
        return Kind.DATE
    if name.endswith("_at"):
        return Kind.INSTANT
    if name.endswith("_ratio"):
        return Kind.RATIO
    if name.endswith("_days") or name in {"line_number", "installment_number", "daily_capacity"}:
        return Kind.INTEGER
    return Kind.TEXT


SETTLEMENTS = ("terms", "prepaid", "cod", "card")

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "entities",
            ("entity_id",),
            _columns(
                "entity_id entity_name country_code currency_code time_zone remit_to",
                required="entity_id entity_name country_code currency_code time_zone",
            ),
        ),
        Table(
            "customers",
            ("customer_id",),
            _columns(
                "customer_id customer_name parent_customer_id country_code language_code customer_type status"
                " payment_terms_days credit_limit_amount credit_limit_currency_code credit_limit_valid_until"
                " external_credit_score financials_date equity_amount revenue_amount collector_id"
                " account_owner_email customer_group created_date",
                required="customer_id customer_name",
                kinds={"credit_limit_valid_until": Kind.DATE, "credit_limit_amount": Kind.UNSIGNED_AMOUNT},
                codes={
                    "customer_type": ("business", "public", "consumer", "intercompany"),
                    "status": ("active", "insolvent", "legal", "do_not_contact", "closed"),
                },
            ),
        ),
        Table(
            "contacts",
            ("contact_id",),
            _columns(
                "contact_id customer_id role name email phone language_code sms_consent valid_from",
                required="contact_id customer_id",
                kinds={"sms_consent": Kind.BOOLEAN},
                codes={"role": ("billing", "dunning", "escalation")},
            ),
        ),
        Table(
            "collectors",
            ("collector_id",),
            _columns("collector_id name email daily_capacity", required="collector_id name"),
        ),
        Table(
            "orders",
            ("order_id",),
            _columns(
                "order_id entity_id customer_id order_date order_amount currency_code status shipped_date"
                " delivered_date delivery_proof_url invoiced_amount settlement",
                required="order_id entity_id customer_id order_date order_amount currency_code status",
                kinds={"order_amount": Kind.UNSIGNED_AMOUNT, "invoiced_amount": Kind.UNSIGNED_AMOUNT},
                codes={
                    "status": ("open", "held", "released", "shipped", "invoiced", "cancelled"),
                    "settlement": SETTLEMENTS,
                },
            ),
        ),
        Table(
            "invoices",
            ("invoice_id",),
            _columns(
                "invoice_id entity_id invoice_number document_type customer_id order_id invoice_date due_date"
                " payment_terms_days currency_code invoice_amount sent_date delivery_channel po_number"
                " discount_ratio discount_due_date document_url corrects_invoice_id status settlement",
                required="invoice_id entity_id invoice_number document_type customer_id invoice_date"
                " currency_code invoice_amount",
                kinds={"invoice_amount": Kind.UNSIGNED_AMOUNT},
                codes={
                    "document_type": ("invoice", "credit_memo", "debit_memo"),
                    "delivery_channel": ("e_invoice", "email", "portal", "post"),
                    "status": ("posted", "cancelled"),
                    "settlement": SETTLEMENTS,
                },
            ),
        ),
        Table(
            "installments",
            ("invoice_id", "installment_number"),
            _columns(
                "invoice_id installment_number due_date installment_amount",
                required="invoice_id installment_number due_date installment_amount",
                kinds={"installment_amount": Kind.UNSIGNED_AMOUNT},
            ),
        ),
        Table(
            "plans",
            ("plan_id",),
            _columns(
                "plan_id customer_id agreed_date status",
                required="plan_id customer_id agreed_date status",
                codes={"status": ("active", "completed", "defaulted", "cancelled")},
            ),
        ),
        Table(
            "plan_lines",
            ("plan_id", "line_number"),
            _columns(
                "plan_id line_number invoice_id due_date plan_amount currency_code",
                required="plan_id line_number due_date plan_amount currency_code",
                kinds={"plan_amount": Kind.UNSIGNED_AMOUNT},
            ),
        ),
        Table(
            "payments",
            ("payment_id",),
            _columns(
                "payment_id entity_id bank_account_id customer_id payer_name payer_account value_date"
                " booking_date currency_code payment_amount payment_method reference_text"
                " reverses_payment_id settlement",
                required="payment_id entity_id value_date currency_code payment_amount",
                codes={
                    "payment_method": ("check", "ach", "wire", "card", "direct_debit", "cash", "other"),
                    "settlement": SETTLEMENTS,
                },
            ),
        ),
        Table(
            "remittance_lines",
            ("remittance_id", "line_number"),
            _columns(
                "remittance_id line_number payment_id payment_reference invoice_reference paid_amount"
                " discount_amount deduction_amount reason_code",
                required="remittance_id line_number invoice_reference paid_amount",
            ),
        ),
        Table(
            "payment_applications",
            ("application_id",),
            _columns(
                "application_id payment_id credit_memo_id invoice_id application_date applied_amount"
                " application_type reverses_application_id",
                required="application_id invoice_id application_date applied_amount application_type",
                codes={
                    "application_type": ("payment", "credit_memo", "discount", "write_off", "reversal"),
                },
            ),
        ),
        Table(
            "disputes",
            ("dispute_id",),
            _columns(
                "dispute_id invoice_id disputed_amount reason_code opened_date resolved_date owner_email"
                " product site carrier",
                required="dispute_id invoice_id disputed_amount reason_code opened_date",
                kinds={"disputed_amount": Kind.UNSIGNED_AMOUNT},
            ),
        ),
        Table(
            "promises",
            ("promise_id",),
            _columns(
                "promise_id customer_id invoice_id promised_amount currency_code promised_date made_date",
                required="promise_id customer_id promised_amount currency_code promised_date made_date",
                kinds={"promised_amount": Kind.UNSIGNED_AMOUNT},
            ),
        ),
        Table(
            "activities",
            ("activity_id",),
            _columns(
                "activity_id customer_id collector_id activity_at channel outcome_code note",
                required="activity_id customer_id activity_at channel",
                codes={"channel": ("call", "email", "meeting", "portal", "letter")},
            ),
        ),
        Table(
            "blocks",
            ("block_id",),
            _columns(
                "block_id scope subject_id kind valid_from valid_until reason set_by",
                required="block_id scope subject_id kind valid_from reason set_by",
                codes={
                    "scope": ("customer", "invoice"),
                    "kind": ("insolvency", "legal", "payment_plan", "manual"),
                },
            ),
        ),
        Table(
            "adjustments",
            ("adjustment_id",),
            _columns(
                "adjustment_id invoice_id adjustment_type adjustment_amount adjustment_date reason",
                required="adjustment_id invoice_id adjustment_type adjustment_amount adjustment_date",
                codes={"adjustment_type": ("write_off", "fx", "other")},
            ),
        ),
        Table(
            "fx_rates",
            ("rate_date", "from_currency_code", "to_currency_code"),
            _columns(
                "rate_date from_currency_code to_currency_code rate",
                required="rate_date from_currency_code to_currency_code rate",
                kinds={"rate": Kind.RATE},
            ),
        ),
        Table(
            "ledger_balances",
            ("entity_id", "currency_code", "balance_date"),
            _columns(
                "entity_id currency_code balance_date control_account_amount",
                required="entity_id currency_code balance_date control_account_amount",
            ),
        ),
    )
}
