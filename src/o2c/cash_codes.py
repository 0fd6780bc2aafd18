"""What customers' reason codes mean with us, and which wait for a meaning: one sheet of the cash workbook."""

from typing import Any

import polars as pl

from o2c.contract import MONEY
from o2c.frames import Deductions
from o2c.policy import ReasonCodesPolicy


def crosswalk_rows(reasons: ReasonCodesPolicy, deductions: pl.DataFrame) -> pl.DataFrame:
    """Codes that wait for a meaning, then what each code that is known means."""
    known = {reason.code: reason for reason in reasons.reasons}
    lists = [("X12 426", None, reasons.x12_426), ("ISO 20022", None, reasons.iso_20022)]
    lists += [("customer", customer_id, codes) for customer_id, codes in sorted(reasons.customers.items())]
    mapped: list[dict[str, Any]] = [
        {
            "code_list": code_list,
            "customer_id": customer_id,
            "their_code": theirs,
            "our_code": ours,
            "text": known[ours].text,
            "is_disputed": "yes" if known[ours].opens_dispute else "no",
        }
        for code_list, customer_id, codes in lists
        for theirs, ours in sorted(codes.items())
    ]
    schema = dict.fromkeys(
        ("code_list", "customer_id", "their_code", "our_code", "text", "is_disputed"), pl.String()
    )
    crosswalk = pl.DataFrame(mapped, schema=schema).with_columns(
        deduction_count=pl.lit(None, dtype=pl.Int64),
        deduction_amount=pl.lit(None, dtype=MONEY),
        currency_code=pl.lit(None, dtype=pl.String),
    )
    waiting = (
        Deductions.validate(deductions)
        .filter((pl.col("reason_code") == reasons.unmapped) & pl.col("customer_reason_code").is_not_null())
        .group_by("customer_id", "currency_code", their_code="customer_reason_code")
        .agg(
            deduction_count=pl.len().cast(pl.Int64),
            deduction_amount=pl.col("deduction_amount").sum().cast(MONEY),
        )
        .with_columns(
            code_list=pl.lit("not mapped"),
            our_code=pl.lit(reasons.unmapped),
            text=pl.lit(known[reasons.unmapped].text),
            is_disputed=pl.lit("yes" if known[reasons.unmapped].opens_dispute else "no"),
        )
        .sort("customer_id", "their_code", "currency_code")
    )
    return pl.concat([waiting.select(crosswalk.columns), crosswalk])
