"""What payments are for: documents inside transactions, and remittances linked to the payment they go with."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from o2c.contract import MONEY
from o2c.sources.bank.references import normalised, said
from o2c.sources.bank.returns import SHORTEST_IN_TEXT, mentioned
from o2c.sources.bank.transactions import REFERENCES

LINES: dict[str, pl.DataType] = {
    "remittance_id": pl.String(),
    "line_number": pl.Int64(),
    "payment_id": pl.String(),
    "payment_reference": pl.String(),
    "invoice_reference": pl.String(),
    "paid_amount": MONEY,
    "discount_amount": MONEY,
    "deduction_amount": MONEY,
    "reason_code": pl.String(),
    "gross_amount": MONEY,
    "_file_id": pl.String(),
    "_line": pl.Int64(),
}
# The reference of a line that changes what is paid and is about no document: an adjustment of the whole payment.
NO_DOCUMENT = "(none)"
# Why a line is not loaded.
UNUSABLE = "names no document, or not what is paid of it"


def document_lines(payments: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of documents that stand in the transaction itself; a single one without amount has the payment's."""
    of_details = lines.filter(pl.col("detail_ordinal").is_not_null()).drop("remittance_ordinal")
    joined = payments.filter(pl.col("amount") > 0).join(
        of_details.select(
            "file_id",
            "entry_ordinal",
            "detail_ordinal",
            "line_ordinal",
            "invoice_reference",
            "paid_amount",
            "discount_amount",
            "deduction_amount",
            "reason_code",
            "gross_amount",
        ),
        on=["file_id", "entry_ordinal", "detail_ordinal"],
    )
    return joined.select(
        pl.col("payment_id").alias("remittance_id"),
        pl.col("line_ordinal").alias("line_number"),
        "payment_id",
        pl.lit(None, dtype=pl.String).alias("payment_reference"),
        "invoice_reference",
        pl.when(pl.len().over("payment_id") == 1)
        .then(pl.coalesce("paid_amount", "amount"))
        .otherwise("paid_amount")
        .cast(MONEY)
        .alias("paid_amount"),
        pl.col("discount_amount").cast(MONEY),
        pl.col("deduction_amount").cast(MONEY),
        "reason_code",
        pl.col("gross_amount").cast(MONEY),
        pl.col("file_id").alias("_file_id"),
        pl.col("entry_ordinal").alias("_line"),
    )


def with_adjustments(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines about no document stand as such beside those that name one, so that all of them add up to the payment.

    Where no line of a remittance names a document, it says nothing that could be used, and its lines stay as they are.
    """
    names_one = pl.col("invoice_reference").is_not_null()
    is_adjustment = ~names_one & pl.col("paid_amount").is_not_null() & names_one.any().over("remittance_id")
    return lines.with_columns(
        invoice_reference=pl.when(is_adjustment).then(pl.lit(NO_DOCUMENT)).otherwise("invoice_reference")
    )


def with_signs(lines: pl.DataFrame) -> pl.DataFrame:
    """Discounts and deductions signed so that paid + discount + deduction is what is settled of the document.

    Senders sign them as they like. The document's amount says which signs are meant, where it is there; else a discount
    is of the sign of what is paid, and a deduction stays as it was read.
    """
    discount, deduction = pl.col("discount_amount").fill_null(0), pl.col("deduction_amount").fill_null(0)
    rest = pl.col("gross_amount") - pl.col("paid_amount")
    of_paid = pl.when(pl.col("paid_amount") < 0).then(-discount.abs()).otherwise(discount.abs())
    signs = [
        (discount, deduction),
        (-discount, deduction),
        (discount, -deduction),
        (-discount, -deduction),
    ]
    signed = pl.coalesce(
        *(
            pl.when(one + other == rest).then(pl.struct(one.alias("d"), other.alias("w")))
            for one, other in signs
        ),
        pl.struct(of_paid.alias("d"), deduction.alias("w")),
    )
    return lines.with_columns(
        pl.when(pl.col(name).is_not_null()).then(signed.struct.field(part)).cast(MONEY).alias(name)
        for name, part in (("discount_amount", "d"), ("deduction_amount", "w"))
    )


def remittance_lines(
    remittances: pl.DataFrame, lines: pl.DataFrame, payments: pl.DataFrame
) -> tuple[pl.DataFrame, dict[tuple[str, int], str]]:
    """Lines of remittances, each remittance once, and the payment of each by (file_id, remittance_ordinal).

    A remittance goes with the entry it came with; else with the one payment that carries its reference and its
    total. One that fits none or several keeps its reference alone. Of two for one payment the first by id counts.
    """
    of_entry = {
        (row["file_id"], row["entry_ordinal"]): row["payment_id"]
        for row in payments.filter(~pl.col("is_split"), pl.col("amount") > 0)
        .select("file_id", "entry_ordinal", "payment_id")
        .iter_rows(named=True)
    }
    by_reference = _by_reference(payments) if remittances.height else {}
    rows_of: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for row in lines.filter(pl.col("remittance_ordinal").is_not_null()).sort("line_ordinal").to_dicts():
        rows_of[row["file_id"], row["remittance_ordinal"]].append(row)
    chosen: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    paid_by: dict[tuple[str, int], str] = {}
    for row in remittances.sort("file_id", "remittance_ordinal").to_dicts():
        own = rows_of[row["file_id"], row["remittance_ordinal"]]
        payment_id = of_entry.get((row["file_id"], row["entry_ordinal"])) or _linked(row, by_reference)
        if payment_id:
            paid_by[row["file_id"], row["remittance_ordinal"]] = payment_id
        chosen.setdefault(_id(row, own), ({**row, "payment_id": payment_id}, own))
    found, taken = [], set()
    for remittance_id, (row, own) in sorted(chosen.items()):
        if row["payment_id"] in taken:
            continue
        taken |= {row["payment_id"]} - {None}
        found += _lines(remittance_id, row, own)
    return pl.DataFrame(found, schema=LINES, orient="row"), paid_by


def _lines(remittance_id: str, row: dict[str, Any], own: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(own, start=1):
        paid = line["paid_amount"]
        if paid is None and len(own) == 1:
            paid = row["total_amount"]
        yield {
            "remittance_id": remittance_id,
            "line_number": number,
            "payment_id": row["payment_id"],
            "payment_reference": row["reference"],
            "invoice_reference": line["invoice_reference"],
            "paid_amount": _money(paid),
            "discount_amount": _money(line["discount_amount"]),
            "deduction_amount": _money(line["deduction_amount"]),
            "reason_code": _with_list(line["reason_code"], row["format"]),
            "gross_amount": _money(line["gross_amount"]),
            "_file_id": row["file_id"],
            "_line": row["remittance_ordinal"],
        }


def _with_list(reason_code: str | None, file_format: str) -> str | None:
    """The code as it stands, but one of EDIFACT, also in XML, says so: equal codes of X12 mean other things."""
    if reason_code and file_format.startswith(("edifact.", "remadv_xml.")):
        return f"edifact_4465:{reason_code}"
    return reason_code


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("0.0001"))


def _by_reference(payments: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in payments.filter(pl.col("amount") > 0).to_dicts():
        own = {normalised(text) for name in REFERENCES if (text := said(row[name]))}
        own |= {normalised(text) for text in row["references"] or ()} | set(mentioned(row))
        for one in own:
            found[one].append(row)
    return found


def _linked(row: dict[str, Any], by_reference: dict[str, list[dict[str, Any]]]) -> str | None:
    for text in (row["reference"], *(row["other_references"] or ())):
        plain = normalised(text or "")
        fitting = [
            payment["payment_id"]
            for payment in by_reference.get(plain, ())
            if (row["total_amount"] is None and len(plain) >= SHORTEST_IN_TEXT)
            or (
                row["total_amount"] == payment["amount"]
                and row["currency_code"] in (None, payment["currency_code"])
            )
        ]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _id(row: dict[str, Any], own: list[dict[str, Any]]) -> str:
    """Of what the remittance says, so that it is the same one in any file."""
    what = [row[name] for name in ("reference", "payer_id", "payer_name", "total_amount", "payment_date")]
    columns = ("invoice_reference", "paid_amount", "discount_amount", "deduction_amount", "reason_code")
    what += [str(line[name]) for line in own for name in columns]
    return f"bank-{hashlib.sha256('|'.join(map(str, what)).encode()).hexdigest()[:26]}"
