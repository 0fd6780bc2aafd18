"""The declared form of a bank's or payer's table (CSV or workbook), as frozen pydantic models. Nothing is sniffed.

docs/bank-files.md explains the keys by example; ``bank_profiles/`` has profiles that real files are read by.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from o2c.sources.forms import Dialect, Model, Texts, ValueForm


class ColumnForm(Model):
    """Where a value stands, and how it is written there if not as in the rest of the file."""

    column: str
    sign: Literal["negate", "absolute"] | None = None
    strip_suffix: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ".", ",", " ", "'", "\u00a0", "\u202f"] | None = None
    currency_signs: Texts | None = None
    negative: Texts | None = None
    dates: Texts | None = None
    nulls: Texts | None = None

    @model_validator(mode="after")
    def _readable(self) -> "ColumnForm":
        self.value_form()
        return self

    def value_form(self) -> ValueForm:
        """What the readers of ledgers know this as."""
        return ValueForm.model_validate(
            self.model_dump(exclude={"column"}, exclude_none=True) | {"trim": True}
        )


def _short(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Column = Annotated[ColumnForm, BeforeValidator(_short)]


class _Columns(Model):
    def named(self) -> dict[str, tuple[ColumnForm, ...]]:
        """The declared columns by what they are; texts may stand in several."""
        found: dict[str, tuple[ColumnForm, ...]] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, ColumnForm):
                found[name] = (value,)
            elif value:
                found[name] = tuple(ColumnForm(column=one) for one in value)
        return found


class StatementColumns(_Columns):
    """Columns of a table whose rows are movements on an account."""

    date: Column
    value_date: Column | None = None
    # Signed; or unsigned beside `sign`.
    amount: Column | None = None
    sign: Column | None = None
    # Or one column each, of which a row fills one.
    credit: Column | None = None
    debit: Column | None = None
    # After the row.
    balance: Column | None = None
    account: Column | None = None
    currency: Column | None = None
    # The bank's own number of the movement.
    reference: Column | None = None
    customer_reference: Column | None = None
    end_to_end_id: Column | None = None
    check_number: Column | None = None
    party: Column | None = None
    party_account: Column | None = None
    type: Column | None = None
    status: Column | None = None
    text: Texts = ()
    instructed_amount: Column | None = None
    instructed_currency: Column | None = None
    # Of payment processors: what they keep, what is left, what went back to the payer.
    fee: Column | None = None
    gross: Column | None = None
    net: Column | None = None
    refunded: Column | None = None

    @model_validator(mode="after")
    def _one_way_to_say_an_amount(self) -> "StatementColumns":
        if (self.amount is None) == (self.credit is None and self.debit is None):
            raise ValueError("give either `amount` or `credit` and `debit`")
        if (self.credit is None) != (self.debit is None):
            raise ValueError("`credit` and `debit` go together")
        if self.sign and self.amount is None:
            raise ValueError("`sign` needs `amount`")
        if (self.gross or self.net) and self.fee is None:
            raise ValueError("`gross` and `net` need `fee`")
        return self


class RemittanceColumns(_Columns):
    """Columns of a table whose rows are documents that a payer settles."""

    invoice_reference: Column
    # Net of discount and deduction. Without it, it is what these leave of `gross_amount`.
    paid_amount: Column | None = None
    gross_amount: Column | None = None
    discount_amount: Column | None = None
    deduction_amount: Column | None = None
    reason_code: Column | None = None
    # What the payment carries as well; rows that share it are one remittance.
    payment_reference: Column | None = None
    payment_amount: Column | None = None
    payment_date: Column | None = None
    currency: Column | None = None
    payer_name: Column | None = None
    payer_id: Column | None = None
    document_type: Column | None = None
    document_date: Column | None = None
    other_references: Texts = ()
    text: Texts = ()

    @model_validator(mode="after")
    def _some_amount(self) -> "RemittanceColumns":
        if self.paid_amount is None and self.gross_amount is None:
            raise ValueError("give `paid_amount` or `gross_amount`")
        return self


class SignWords(Model):
    """What the sign column says of money that comes in and of money that goes out."""

    credit: Texts
    debit: Texts
    # Whether the amount beside it may have a sign of its own, which then says nothing.
    amount: Literal["unsigned", "absolute"] = "unsigned"


class StatusWords(Model):
    """What the status column says; a row with any other word refuses the file."""

    booked: Texts
    pending: Texts = ()
    # Rows that moved no money: failed charges, authorisations.
    information: Texts = ()


class TableForm(Model):
    """One table: how its text is written, its header, and what its columns are."""

    kind: Literal["statement", "remittance"]
    dialect: Dialect = Dialect()
    # All columns of the file. They may come in another order; a missing one refuses the file, a new one is told.
    header: Annotated[tuple[str, ...], Field(min_length=1)]
    # The sheet of a workbook; not needed where there is only one.
    sheet: str | None = None
    statement: StatementColumns | None = None
    remittance: RemittanceColumns | None = None
    # Our account, where no column has it.
    account: str | None = None
    # A profile to copy: its account or currency is made up, so what is read by it must not be applied by itself.
    is_sample: bool = False
    # How the rows follow one another in time; the running balance is checked along it.
    order: Literal["oldest_first", "newest_first"] | None = None
    signs: SignWords | None = None
    statuses: StatusWords | None = None
    # Whether the fee is already taken off the booked amount.
    fee_is_included: bool = False
    # A last row with the total of the column of paid amounts, known by this word in its first filled column.
    total_word: str | None = None

    @field_validator("header")
    @classmethod
    def _each_once(cls, header: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise ValueError(f"`header` names a column twice: {', '.join(twice)}")
        return header

    @model_validator(mode="after")
    def _fits_together(self) -> "TableForm":
        faults = []
        if (self.statement is None, self.remittance is None) != (
            self.kind != "statement",
            self.kind != "remittance",
        ):
            faults.append(f"a table of kind {self.kind} needs `{self.kind}` with its columns, and no other")
        for name, columns in self.columns().items():
            faults += [
                f"{name}: {one.column!r} is not in `header`"
                for one in columns
                if one.column not in self.header
            ]
        if self.statement:
            if (self.statement.sign is None) != (self.signs is None):
                faults.append("a `sign` column and `signs`, the words in it, go together")
            if (self.statement.status is None) != (self.statuses is None):
                faults.append("a `status` column and `statuses`, the words in it, go together")
            if self.statement.balance and self.order is None:
                faults.append("a `balance` column needs `order`")
        if self.total_word and self.kind != "remittance":
            faults.append("`total_word` is for remittances")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def columns(self) -> dict[str, tuple[ColumnForm, ...]]:
        """The declared columns by what they are."""
        found = self.statement or self.remittance
        return found.named() if found else {}
