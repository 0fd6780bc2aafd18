"""Payments that are loaded but applied by nobody but a person: their statement, entry or remittance does not tie."""

from collections.abc import Mapping

import polars as pl

from o2c.sources.bank.model import Issue
from o2c.sources.bank.money_once import Chosen

HELD = {"payment_id": pl.String(), "reason_code": pl.String(), "reason": pl.String()}


def with_exception_flag(statements: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    faulty = issues.filter(pl.col("severity") == "exception", pl.col("remittance_ordinal").is_null())
    keys = faulty.select("file_id", "statement_ordinal").unique().with_columns(has_exception=pl.lit(True))
    return statements.join(
        keys, on=["file_id", "statement_ordinal"], how="left", nulls_equal=False
    ).with_columns(pl.col("has_exception").fill_null(False))


def counted_issues(issues: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """Exceptions but those of statements that do not count."""
    dropped = chosen.heads.filter(pl.col("dropped").is_not_null()).select("file_id", "statement_ordinal")
    return issues.filter(pl.col("severity") == "exception").join(
        dropped, on=["file_id", "statement_ordinal"], how="anti"
    )


def held_payments(
    payments: pl.DataFrame,
    chosen: Chosen,
    issues: pl.DataFrame,
    chain: list[Issue],
    paid_by: Mapping[tuple[str, int], str],
) -> pl.DataFrame:
    """Payments of what does not tie: of the entry, else the statement, else the remittance, else the whole file.

    Returns:
        One row per payment with its first reason (HELD).
    """
    of = payments.select("payment_id", "file_id", "statement_ordinal", "entry_ordinal", "account_key", "day")
    faults = counted_issues(issues, chosen).select(
        "file_id", "statement_ordinal", "entry_ordinal", "remittance_ordinal", "code", "message"
    )
    changed = [
        (one.file_id, one.statement_ordinal, None, None, one.code, one.message)
        for one in chain
        if one.code == "statement_changed"
    ]
    changed += _versions(chosen)
    faults = pl.concat([faults, pl.DataFrame(changed, schema=faults.schema, orient="row")])
    by_entry = faults.filter(pl.col("entry_ordinal").is_not_null())
    by_statement = faults.filter(pl.col("entry_ordinal").is_null(), pl.col("statement_ordinal").is_not_null())
    by_remittance = faults.filter(
        pl.col("entry_ordinal").is_null(),
        pl.col("statement_ordinal").is_null(),
        pl.col("remittance_ordinal").is_not_null(),
    )
    by_file = faults.filter(
        pl.all_horizontal(pl.col("entry_ordinal", "statement_ordinal", "remittance_ordinal").is_null())
    )
    why = ["code", "message"]
    remitted = [
        (paid_by[row["file_id"], row["remittance_ordinal"]], row["code"], row["message"])
        for row in by_remittance.to_dicts()
        if (row["file_id"], row["remittance_ordinal"]) in paid_by
    ]
    differing = chosen.differing.select("account_key", "day").unique()
    parts = [
        of.join(by_entry.select("file_id", "entry_ordinal", *why), on=["file_id", "entry_ordinal"]),
        of.join(
            by_statement.select("file_id", "statement_ordinal", *why), on=["file_id", "statement_ordinal"]
        ),
        of.join(by_file.select("file_id", *why), on="file_id"),
        of.join(differing, on=["account_key", "day"], how="semi").with_columns(
            code=pl.lit("formats_differ"), message=pl.lit("two files do not agree on this day")
        ),
    ]
    held = pl.concat(
        [
            *(part.select("payment_id", reason_code="code", reason="message") for part in parts),
            pl.DataFrame(remitted, schema=HELD, orient="row"),
        ]
    )
    return held.sort("payment_id", "reason_code", "reason").unique(
        "payment_id", keep="first", maintain_order=True
    )


def _versions(chosen: Chosen) -> list[tuple]:
    """Statements that count although another version of them is there."""
    name = ["account_key", "currency_code", "rank", "statement_id", "number", "page_number", "last_date"]
    dropped = chosen.heads.filter(pl.col("dropped") == "statement_changed").select(name)
    kept = chosen.heads.filter(pl.col("lane").is_not_null()).join(
        dropped, on=name, how="semi", nulls_equal=True
    )
    return [
        (file_id, ordinal, None, None, "statement_changed", "another version of this statement is there")
        for file_id, ordinal in kept.select("file_id", "statement_ordinal").iter_rows()
    ]
