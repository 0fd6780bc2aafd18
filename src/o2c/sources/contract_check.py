"""The contract as pandera schemas, and what a validation found as faults by row."""

import re
from functools import cache

import pandera.polars as pa
import polars as pl

from o2c.contract import POLARS_TYPES, Kind, Table
from o2c.sources.values import Fault, minor_units

_SAYS = {
    "missing_required": "is required and has no value",
    "unknown_code": "is not one of",
    "unknown_currency": "is not a currency of ISO 4217",
    "negative_amount": "is negative, but the amount is unsigned (the document's type gives the sign)",
}
# At least one of these must be there; no single one is required.
ONE_OF: dict[str, tuple[str, ...]] = {"remittance_lines": ("payment_id", "payment_reference")}


@cache
def schema(table: Table, names: tuple[str, ...]) -> pa.DataFrameSchema:
    """What these columns of a contract table must be: exactly they and their types, codes, currencies, signs."""
    columns = {}
    for column in (table[name] for name in names):
        checks = []
        if column.codes:
            checks.append(pa.Check.isin(list(column.codes), name="unknown_code"))
        if column.kind is Kind.CURRENCY:
            checks.append(pa.Check.isin(sorted(minor_units()), name="unknown_currency"))
        if column.kind is Kind.UNSIGNED_AMOUNT:
            checks.append(pa.Check.ge(0, name="negative_amount"))
        columns[column.name] = pa.Column(POLARS_TYPES[column.kind], checks, nullable=not column.required)
    return pa.DataFrameSchema(columns, strict=True, ordered=True)


def contract_faults(frame: pl.DataFrame, table: Table) -> list[Fault]:
    """Rows that break the contract, one validation for all columns; one that may be blank and is breaks nothing.

    Args:
        frame: exactly the contract's columns, typed; text that could not be read is null.
        table: the table of the contract.
    """
    found: list[Fault] = []
    if list(frame.columns) != table.names:
        raise TypeError(f"{table.name}: mapped frame has the columns {frame.columns}")
    blank = {name for name in table.names if frame[name].null_count() == frame.height}
    names = tuple(column.name for column in table.columns if column.required or column.name not in blank)
    try:
        schema(table, names).validate(frame.select(names), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if (whole := cases.filter(pl.col("index").is_null())).height:
            raise TypeError(
                f"{table.name}: mapped frame does not have the contract's form: {whole.to_dicts()}"
            ) from errors
        for (column, check), part in cases.group_by(["column", "check"], maintain_order=True):
            found.append(_fault(table, frame, str(column), str(check), part["index"]))
    for names in (ONE_OF.get(table.name, ()),):
        if names and len(
            rows := frame.select(pl.all_horizontal(pl.col(names).is_null())).to_series().arg_true()
        ):
            found.append(Fault(rows, " or ".join(names), "missing_required", None, _SAYS["missing_required"]))
    return found


def _fault(table: Table, frame: pl.DataFrame, column: str, check: str, index: pl.Series) -> Fault:
    rows = index.cast(pl.UInt32).sort()
    if check == "not_nullable":
        return Fault(rows, column, "missing_required", None, _SAYS["missing_required"])
    code = re.split(r"\W", check)[0]
    code = {"isin": "unknown_code", "greater_than_or_equal_to": "negative_amount"}.get(code, code)
    if table[column].kind is Kind.CURRENCY:
        code = "unknown_currency"
    says = _SAYS[code] + (f" {', '.join(table[column].codes)}" if code == "unknown_code" else "")
    return Fault(rows, column, code, frame[column].gather(rows).cast(pl.String), says)
