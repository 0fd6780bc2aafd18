"""The same money once: which entries count where several files tell of one account.

One designated source per account and day: the most final, then the best format (``lanes.rank_of``). Within it an
entry counts as often as the statement that has it most often. All choices are by content, so any order of arrival
gives the same.
"""

from dataclasses import dataclass

import polars as pl

from o2c.sources.bank.accounts import account_keys
from o2c.sources.bank.lanes import Head, into_lanes, rank_of

FINAL_BELOW, MONEY_BELOW = 10, 20
# A statement's own period is believed up to this length; above it only days with entries are covered.
LONGEST_PERIOD_DAYS = 400
_OF_DAY = ["account_key", "currency_code", "day"]


@dataclass(frozen=True)
class Chosen:
    """``entries`` that count, of statements and intraday reports; ``notified`` are those of notifications, once each.

    ``heads`` has a row per statement with account_key, rank, lane (null: not counted) and dropped (why).
    ``days`` are the days that final statements cover. ``differing`` are days on which final formats disagree.
    """

    entries: pl.DataFrame
    notified: pl.DataFrame
    heads: pl.DataFrame
    days: pl.DataFrame
    differing: pl.DataFrame


def choose_entries(statements: pl.DataFrame, entries: pl.DataFrame, details: pl.DataFrame) -> Chosen:
    """Entries that are money, each once.

    Args:
        statements: landed statements of all files, with ``has_exception``.
        entries: their entries; only booked ones count.
        details: of the entries; their ids tell equal entries apart where the bank gave no reference.
    """
    heads = _heads(statements)
    booked = _keyed(entries, heads, details)
    once = _once_per_rank(booked)
    covered = _covered_days(heads, once)
    chosen = covered.sort(*_OF_DAY, "is_empty", "rank").unique(_OF_DAY, keep="first", maintain_order=True)
    money = once.join(chosen.select(*_OF_DAY, "rank"), on=[*_OF_DAY, "rank"], how="semi", nulls_equal=True)
    return Chosen(
        entries=_in_order(money),
        notified=_in_order(once.filter(pl.col("rank") >= MONEY_BELOW)),
        heads=heads,
        days=covered.filter(pl.col("rank") < FINAL_BELOW).select(_OF_DAY).unique().sort(_OF_DAY),
        differing=_differing(once, covered),
    )


def _heads(statements: pl.DataFrame) -> pl.DataFrame:
    """Statements with account_key, rank, lane and dropped."""
    keys = account_keys(statements.select("account", "currency_code").unique().rows())
    rows = statements.sort("file_id", "statement_ordinal").to_dicts()
    groups: dict[tuple, list[Head]] = {}
    for row in rows:
        row["account_key"] = keys[row["account"], row["currency_code"]]
        row["rank"] = rank_of(row["kind"], row["format"])
        groups.setdefault((row["account_key"], row["currency_code"] or "", row["rank"]), []).append(
            Head(
                row["file_id"],
                row["statement_ordinal"],
                (row["statement_id"], row["number"], row["page_number"]),
                row["from_date"],
                row["last_date"],
                row["opening_amount"],
                row["closing_amount"],
                row["entry_count"],
                row["digest"],
                row["has_exception"],
            )
        )
    lanes = [into_lanes(group) for group in groups.values()]
    lane = {key: number for one in lanes for key, number in one.lane.items()}
    dropped = {key: why for one in lanes for key, why in one.dropped.items()}
    for row in rows:
        key = (row["file_id"], row["statement_ordinal"])
        row["lane"], row["dropped"] = lane.get(key), dropped.get(key)
    added = {"account_key": pl.String(), "rank": pl.Int64(), "lane": pl.Int64(), "dropped": pl.String()}
    return pl.DataFrame(rows, schema=dict(statements.schema) | added)


def _keyed(entries: pl.DataFrame, heads: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """Booked entries of statements that count, with their day and with what tells them apart."""
    first = details.sort("detail_ordinal").group_by("file_id", "entry_ordinal", maintain_order=True).first()
    plain = pl.concat_str(
        [
            pl.col(name).fill_null("")
            for name in ("customer_reference", "end_to_end_id", "payer_account", "text", "detail_text")
        ],
        separator="|",
    ).str.replace_all("[^A-Za-z0-9|]", "")
    return (
        entries.filter(pl.col("status") == "booked")
        .join(
            heads.filter(pl.col("lane").is_not_null()).select(
                "file_id",
                "statement_ordinal",
                "account_key",
                "account",
                "kind",
                "format",
                "rank",
                "lane",
                "last_date",
                "number",
                "page_number",
            ),
            on=["file_id", "statement_ordinal"],
            validate="m:1",
        )
        .join(
            first.select(
                "file_id", "entry_ordinal", "end_to_end_id", "payer_account", detail_text=pl.col("text")
            ),
            on=["file_id", "entry_ordinal"],
            how="left",
            validate="1:1",
        )
        .with_columns(
            day=pl.coalesce("booking_date", "last_date", "value_date"),
            told_apart_by=pl.coalesce(pl.format("ref {}", pl.col("bank_reference").str.strip_chars()), plain),
        )
        .drop("end_to_end_id", "payer_account", "detail_text")
    )


def _once_per_rank(booked: pl.DataFrame) -> pl.DataFrame:
    """Of each kind and format, every entry as often as the lane that has it most often."""
    same = [*_OF_DAY, "rank", "amount", "told_apart_by"]
    return (
        _in_order(booked)
        .with_columns(copy=pl.int_range(pl.len()).over(*same, "lane"))
        .unique([*same, "copy"], keep="first", maintain_order=True)
        .drop("copy")
    )


def _in_order(entries: pl.DataFrame) -> pl.DataFrame:
    """As the bank booked them, by what the files say and not by which came first."""
    return entries.sort(
        "account_key",
        "currency_code",
        "day",
        "rank",
        "lane",
        "last_date",
        pl.col("number").cast(pl.Int64, strict=False),
        "page_number",
        "file_id",
        "entry_ordinal",
    )


def _covered_days(heads: pl.DataFrame, once: pl.DataFrame) -> pl.DataFrame:
    """Days of which a statement or intraday report tells, by rank; ``is_empty`` where it tells of no entry."""
    counted = heads.filter(pl.col("lane").is_not_null(), pl.col("rank") < MONEY_BELOW)
    told = once.filter(pl.col("rank") < MONEY_BELOW).select(*_OF_DAY, "rank").unique()
    start = pl.coalesce("from_date", "last_date")
    is_short = (pl.col("last_date") - start).dt.total_days().is_between(0, LONGEST_PERIOD_DAYS)
    silent = (
        counted.filter(pl.col("rank") < FINAL_BELOW, pl.col("last_date").is_not_null())
        .with_columns(start=pl.when(is_short).then(start).otherwise("last_date"))
        .with_columns(day=pl.date_ranges("start", "last_date"))
        .explode("day")
        .select(*_OF_DAY, "rank")
        .unique()
        .join(told, on=[*_OF_DAY, "rank"], how="anti", nulls_equal=True)
    )
    days = pl.concat([told.with_columns(is_empty=pl.lit(False)), silent.with_columns(is_empty=pl.lit(True))])
    # A day of which a final statement tells nothing had nothing: what an intraday report said of it did not stay.
    is_final = (pl.col("rank") < FINAL_BELOW).any().over(_OF_DAY)
    return days.filter((pl.col("rank") < FINAL_BELOW) | ~is_final)


def _differing(once: pl.DataFrame, covered: pl.DataFrame) -> pl.DataFrame:
    """Days and amounts on which two final formats do not agree, with how often each has the amount."""
    final = covered.filter(pl.col("rank") < FINAL_BELOW)
    several = final.filter(pl.len().over(_OF_DAY) > 1).select(*_OF_DAY, "rank")
    amounts = (
        once.join(several.select(_OF_DAY).unique(), on=_OF_DAY, how="semi")
        .filter(pl.col("rank") < FINAL_BELOW)
        .group_by(*_OF_DAY, "rank", "amount")
        .agg(count=pl.len())
    )
    every = amounts.select(*_OF_DAY, "amount").unique().join(several, on=_OF_DAY)
    return (
        every.join(amounts, on=[*_OF_DAY, "rank", "amount"], how="left")
        .with_columns(pl.col("count").fill_null(0))
        .group_by(*_OF_DAY, "amount")
        .agg(fewest=pl.col("count").min(), most=pl.col("count").max())
        .filter(pl.col("fewest") != pl.col("most"))
        .sort(*_OF_DAY, "amount")
    )
