"""An audited build becomes what finance reads, in one switch.

``published`` is a link to a folder below ``releases``; renaming a new link over it shows the whole new release at
once: the database, its Parquet files, the worklists. Readers that have the old database open keep it.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from o2c.contract import MONEY
from o2c.durable import sync
from o2c.frames import DecisionHistory, Frame
from o2c.home import Home
from o2c.warehouse import connect

MART_SCHEMAS = ("core", "receivables", "collections", "quality")

# Kept for every as-of date ever run; the others show the dates of the run that was published last. What is measured
# can be measured for a past date again; what was decided is what was decided on its day, and is never written later.
MEASURED = (
    "core.fct_customer_segments",
    "core.fct_customer_risk_terms",
    "receivables.fct_ar_aging",
    "receivables.fct_ar_segment_kpis",
    "receivables.fct_alerts",
    "receivables.fct_cash_application_kpis",
    "receivables.fct_cash_application_rules",
    "receivables.fct_unapplied_cash_aging",
    "receivables.fct_cash_forecast",
)
DECIDED = (
    "collections.fct_dunning_decisions",
    "collections.fct_credit_flags",
    "collections.fct_agency_referrals",
    "collections.fct_worklist",
    "collections.fct_worklist_terms",
)
HISTORY = MEASURED + DECIDED
# A forecast is held against what came as it was made: restating a date does not make it again.
AS_MADE = ("receivables.fct_cash_forecast",)


RISK_BEFORE = pl.DataFrame(
    schema={
        "as_of_date": pl.Date(),
        "entity_id": pl.String(),
        "currency_code": pl.String(),
        "at_risk_amount": MONEY,
        "open_amount": MONEY,
    }
)

# Shown as of the last run only, but each date's rows are kept beside: the next run must know them.
KEPT_BESIDE = ("collections.fct_order_holds",)


@dataclass(frozen=True)
class Mart:
    """A published table and the columns that identify a row in it, which is also its order on disk."""

    name: str
    key: tuple[str, ...]


def prepare_release(
    build: Path,
    marts: list[Mart],
    home: Home,
    name: str,
    as_of_dates: list[date],
    *,
    below: Path | None = None,
    decides: bool = True,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Path:
    """Write everything of a release but its worklists beside what is published. Nothing is visible yet.

    Args:
        build: the audited database of the run.
        marts: what to publish, in which order.
        home: where releases stand and where the last one's history is.
        name: folder name of the release, new for each run.
        as_of_dates: the run dates in the build; their history is replaced.
        below: folder in which the release is made, as of its own dates: without the history of later ones. By default
            it is made among the releases, with all history.
        decides: whether the build has decisions of these dates; else the history of decisions stays as it is.
        threads, memory_limit: DuckDB's, as in ``warehouse.connect``; the result does not depend on them.

    Returns:
        The folder of the release: ``o2c.duckdb``, ``parquet/``, ``history/``.
    """
    folder = (below or home.releases) / name
    if folder.exists():
        shutil.rmtree(folder)
    parquet, history = folder / "parquet", folder / "history"
    parquet.mkdir(parents=True)
    con = connect(folder / "o2c.duckdb", threads=threads, memory_limit=memory_limit)
    try:
        con.execute("set preserve_insertion_order = true")
        con.execute(f"attach {quoted(build)} as build (read_only)")
        for schema in MART_SCHEMAS:
            con.execute(f"create schema if not exists {schema}")
        for mart in marts:
            order = ", ".join(f'"{column}"' for column in mart.key)
            file = parquet / f"{mart.name}.parquet"
            con.execute(
                f"copy (select * from build.{mart.name} order by {order}) to {quoted(file)} (format parquet)"
            )
            replaced = as_of_dates if decides or mart.name in MEASURED else []
            until = max(as_of_dates) if below else None
            if mart.name in KEPT_BESIDE:
                _carry_over(home.published / "history" / mart.name, history / mart.name, replaced, until)
                if replaced:
                    os.link(file, history / mart.name / f"{max(as_of_dates).isoformat()}.parquet")
            if mart.name not in HISTORY:
                con.execute(f"create table {mart.name} as from read_parquet({quoted(file)})")
                continue
            kept = _carry_over(home.published / "history" / mart.name, history / mart.name, replaced, until)
            for day in replaced:
                one = history / mart.name / f"{day.isoformat()}.parquet"
                if len(as_of_dates) == 1:
                    os.link(file, one)
                else:
                    con.execute(
                        f"copy (select * from read_parquet({quoted(file)}) where as_of_date = date '{day.isoformat()}'"
                        f" order by {order}) to {quoted(one)} (format parquet)"
                    )
                kept.append(one)
            if not kept:
                con.execute(f"create table {mart.name} as from read_parquet({quoted(file)})")
                continue
            files = ", ".join(quoted(path) for path in sorted(kept))
            con.execute(f"create table {mart.name} as from read_parquet([{files}], union_by_name = true)")
        con.execute("checkpoint")
    finally:
        con.close()
    return folder


def switch_to(release: Path, home: Home) -> None:
    """Make a prepared release the published one, all of it at once. The one before stays for who is reading it."""
    before = home.published.resolve()
    for path in [*release.rglob("*"), release, home.releases]:
        sync(path)
    link = home.root / "published.new"
    link.unlink(missing_ok=True)
    link.symlink_to(release.relative_to(home.root))
    link.replace(home.published)
    sync(home.root)
    for old in home.releases.iterdir():
        if old.name not in (release.name, before.name):
            shutil.rmtree(old, ignore_errors=True)


def earlier_rows(
    home: Home, mart: str, frame: type[Frame], as_of: date, *, latest: bool = False
) -> pl.DataFrame:
    """Rows that a mart had on the dates before the as-of date, out of published history.

    Args:
        latest: of the last such date only.
    """
    files = sorted(
        path
        for path in (home.published / "history" / mart).glob("*.parquet")
        if path.stem < as_of.isoformat()
    )
    rows = [pl.read_parquet(path, columns=frame.columns()) for path in (files[-1:] if latest else files)]
    return frame.validate(pl.concat([frame.empty(), *rows]))


def risk_before(home: Home, as_of_dates: Iterable[date]) -> pl.DataFrame:
    """Open debit items of customers of high risk, and of all, as published for dates that are not of this run.

    Returns:
        One row per as_of_date, entity_id, currency_code of the dates for which aging and segments were published.
    """
    history = home.published / "history"
    aging, segments = (history / name for name in ("receivables.fct_ar_aging", "core.fct_customer_segments"))
    found = [RISK_BEFORE]
    for day in sorted(as_of_dates):
        name = f"{day.isoformat()}.parquet"
        if not (aging / name).exists() or not (segments / name).exists():
            continue
        risks = pl.scan_parquet(segments / name).select("customer_id", is_high=pl.col("risk_class") == "high")
        amount = pl.col("open_amount")
        found.append(
            pl.scan_parquet(aging / name)
            .join(risks, on="customer_id", how="left", validate="m:1")
            .group_by("as_of_date", "entity_id", "currency_code")
            .agg(
                at_risk_amount=amount.filter(pl.col("is_high").fill_null(False)).sum().cast(MONEY),
                open_amount=amount.sum().cast(MONEY),
            )
            .sort("entity_id", "currency_code")
            .collect()
        )
    return pl.concat(found)


def previous_decisions(home: Home, as_of: date) -> pl.DataFrame:
    """The latest decision before the as-of date for each entity, customer and currency (DecisionHistory)."""
    key = ["entity_id", "customer_id", "currency_code"]
    history = earlier_rows(home, "collections.fct_dunning_decisions", DecisionHistory, as_of)
    return history.sort("as_of_date").group_by(key).last().select(history.columns).sort(key)


def _carry_over(old: Path, new: Path, replaced: list[date], until: date | None) -> list[Path]:
    """Link the history of other dates into the new release; files never change, so a link is as good as a copy."""
    new.mkdir(parents=True)
    names = {f"{day.isoformat()}.parquet" for day in replaced}
    kept = []
    for path in sorted(old.glob("*.parquet")):
        if path.name not in names and (until is None or path.stem < until.isoformat()):
            os.link(path, new / path.name)
            kept.append(new / path.name)
    return kept


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
