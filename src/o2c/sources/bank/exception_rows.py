"""What a person must see of bank files: as issues across files, and as rows of quality.fct_rejected_rows."""

from collections.abc import Sequence

import polars as pl

from o2c.sources.bank.accounts import masked
from o2c.sources.bank.landing import SOURCE
from o2c.sources.bank.model import Issue
from o2c.sources.bank.money_once import Chosen
from o2c.sources.bank.notified import only
from o2c.sources.bank.payments import REJECTED
from o2c.sources.bank.remitted import UNUSABLE


def unfound_issues(keys: Sequence[tuple[str, int]], chosen: Chosen) -> list[Issue]:
    rows = only(chosen.notified, keys).sort("file_id", "entry_ordinal").to_dicts()
    return [
        Issue(
            row["position"],
            "notified_not_booked",
            f"{row['amount'].normalize():f} {row['currency_code']} notified for {row['day']} is on no statement"
            f" of {masked(row['account_key'])}; it is not counted",
            statement_ordinal=row["statement_ordinal"],
            entry_ordinal=row["entry_ordinal"],
            file_id=row["file_id"],
        )
        for row in rows
    ]


def differing_issues(chosen: Chosen) -> list[Issue]:
    """One issue per account and day, at the first statement that tells of it."""
    found = []
    for (account, currency, day), rows in chosen.differing.group_by(
        "account_key", "currency_code", "day", maintain_order=True
    ):
        heads = chosen.heads.filter(account_key=account, currency_code=currency).sort("rank", "file_id")
        found.append(
            Issue(
                f"statements of {day}",
                "formats_differ",
                f"account {masked(str(account))}: files in two formats do not agree on {day}:"
                f" {rows.height} amounts in {currency} are in one more often than in the other",
                file_id=heads["file_id"][0],
            )
        )
    return found


def issue_rows(issues: pl.DataFrame, across: list[Issue]) -> pl.DataFrame:
    """Exceptions and warnings as rows of quality.fct_rejected_rows; the line is their number within the file."""
    more = pl.DataFrame(
        [{name: getattr(one, name) for name in issues.columns} for one in across], schema=issues.schema
    )
    return (
        pl.concat([issues, more])
        .sort("file_id", "position", "code", "message")
        .select(
            "file_id",
            source=pl.lit(SOURCE),
            table_name=pl.lit("bank_files"),
            line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("file_id"),
            severity=pl.lit("warning"),
            reason_code="code",
            reason=pl.format("{}: {}", "position", "message"),
            raw_row=pl.lit(None, dtype=pl.String),
        )
    )


def not_loaded(others: pl.DataFrame) -> pl.DataFrame:
    """Transactions that are for a person: money that came or went, and is no payment yet."""
    return (
        others.filter(pl.col("why").is_in(list(REJECTED)))
        .sort("turn")
        .unique(["file_id", "entry_ordinal", "why"], keep="first", maintain_order=True)
        .select(
            "file_id",
            source=pl.lit(SOURCE),
            table_name=pl.lit("payments"),
            line="entry_ordinal",
            severity=pl.lit("rejected"),
            reason_code="why",
            reason=pl.format("{}: {}", "position", pl.col("why").replace_strict(REJECTED)),
            raw_row=pl.format(
                "{} {} {}",
                pl.col("amount").cast(pl.Decimal(38, 4)).cast(pl.String),
                "currency_code",
                pl.col("day").cast(pl.String).fill_null(""),
            ),
        )
    )


def unusable_lines(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.unique(["_file_id", "_line"], keep="first", maintain_order=True)
        .sort("_file_id", "_line")
        .select(
            file_id="_file_id",
            source=pl.lit(SOURCE),
            table_name=pl.lit("remittance_lines"),
            line="_line",
            severity=pl.lit("rejected"),
            reason_code=pl.lit("line_incomplete"),
            reason=pl.format("line {} {}", "line_number", pl.lit(UNUSABLE)),
            raw_row=pl.lit(None, dtype=pl.String),
        )
    )
