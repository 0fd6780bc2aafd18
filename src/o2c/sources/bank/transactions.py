"""From entries that count to single transactions: one per detail of a batch, one per entry elsewhere."""

import hashlib

import polars as pl

# Where a reference may stand that another file, a remittance or a return knows a transaction by.
REFERENCES = (
    "end_to_end_id",
    "transaction_id",
    "instruction_id",
    "check_number",
    "detail_bank_reference",
    "bank_reference",
    "customer_reference",
)


_IBAN = "^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$"


def list_transactions(entries: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """One row per transaction with its payment_id, in the order of ``entries``.

    The details of an entry are its transactions when there are several and they add up to it, each with its sign.
    One detail says who paid, and the amount is the entry's. Details that do not add up say nothing.
    """
    parts = details.select(
        "file_id",
        "entry_ordinal",
        "detail_ordinal",
        "payer_name",
        "payer_account",
        "ultimate_payer_name",
        "end_to_end_id",
        "transaction_id",
        "instruction_id",
        "check_number",
        "references",
        "additional_text",
        detail_position="position",
        detail_amount="amount",
        detail_currency_code="currency_code",
        detail_bank_reference="bank_reference",
        detail_text="text",
        detail_value_date="value_date",
        detail_charge_amount="included_charge_amount",
        detail_return_code="return_code",
        detail_original_reference="original_reference",
    )
    own = [name for name in parts.columns if name not in ("file_id", "entry_ordinal")]
    joined = (
        entries.with_row_index("place")
        .join(parts, on=["file_id", "entry_ordinal"], how="left")
        .sort("place", "detail_ordinal")
        .with_columns(
            is_split=(pl.len().over("place") > 1)
            & pl.col("detail_amount").is_not_null().all().over("place")
            & (pl.col("detail_currency_code").fill_null(pl.col("currency_code")) == pl.col("currency_code"))
            .all()
            .over("place")
            & (pl.col("detail_amount").sum().over("place") == pl.col("amount"))
        )
        .with_columns(
            part=pl.when("is_split").then("detail_ordinal").otherwise(0),
            is_silent=~pl.col("is_split") & (pl.len().over("place") > 1),
        )
        .with_columns(
            pl.when(~pl.col("is_silent")).then(name).alias(name) for name in own if name != "references"
        )
        .unique(["place", "part"], keep="first", maintain_order=True)
    )
    return _identified(
        joined.with_columns(
            amount=pl.when("is_split").then("detail_amount").otherwise("amount"),
            references=pl.when("is_silent")
            .then(pl.lit([], dtype=pl.List(pl.String)))
            .otherwise("references"),
            return_code=pl.coalesce("detail_return_code", "return_code"),
            original_reference=pl.coalesce("detail_original_reference", "original_reference"),
            charge_amount=pl.coalesce("detail_charge_amount", "included_charge_amount").fill_null(0),
            position=pl.coalesce("detail_position", "position"),
            payer_name=pl.coalesce("payer_name", "ultimate_payer_name"),
            value_date=pl.coalesce("value_date", "detail_value_date", "day"),
            text=pl.coalesce("detail_text", "text"),
        )
    )


def _identified(transactions: pl.DataFrame) -> pl.DataFrame:
    """With payment_id: of account, day, amount and the how-manieth such it is; no file and no format is in it."""
    # Of an IBAN only the domestic number, which is all that some formats say of the account.
    key = pl.col("account_key")
    transactions = transactions.with_columns(
        id_account=pl.when(key.str.contains(_IBAN)).then(key.str.slice(4)).otherwise(key)
    )
    same = ["id_account", "currency_code", "day", "amount", "is_split"]
    counted = transactions.with_columns(copy=pl.int_range(pl.len()).over(same)).with_row_index("turn")
    ids = [
        _id("|".join(map(str, row)))
        for row in counted.select(
            "id_account",
            "currency_code",
            "day",
            pl.col("amount").cast(pl.Decimal(38, 6)).cast(pl.String),
            pl.when("is_split").then(pl.lit("part")).otherwise(pl.lit("whole")),
            "copy",
        ).iter_rows()
    ]
    return counted.with_columns(payment_id=pl.Series(ids, dtype=pl.String))


def _id(text: str) -> str:
    return f"bank-{hashlib.sha256(text.encode()).hexdigest()[:26]}"
