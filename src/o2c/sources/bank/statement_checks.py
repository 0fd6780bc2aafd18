"""What must hold of all statements together before anything is sent: no break in a chain, no missing day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from o2c.checks import Check
from o2c.sources.bank.accounts import masked
from o2c.sources.bank.chain import Link, check_chain
from o2c.sources.bank.lanes import KINDS
from o2c.sources.bank.model import Issue
from o2c.sources.bank.money_once import FINAL_BELOW

# Of these there is nothing to do: the statement counts once.
HARMLESS = frozenset({"statement_repeated"})
SHOWN = 5


def chain_issues(heads: pl.DataFrame) -> list[Issue]:
    """Breaks over everything that landed, each account in the best format that has the day.

    Args:
        heads: ``Chosen.heads``.
    """
    final = heads.filter(
        pl.col("rank") < FINAL_BELOW, (pl.col("dropped") != "statement_repeated").fill_null(True)
    )
    links: list[Link] = []
    by_account: dict[tuple, dict[int, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for row in final.to_dicts():
        by_account[row["account_key"], row["currency_code"]][row["rank"]].append(row)
    for ranks in by_account.values():
        days: set[date | None] = set()
        kept: list[dict] = []
        for rank in sorted(ranks):
            fresh = [row for row in ranks[rank] if row["last_date"] not in days]
            days |= {row["last_date"] for row in fresh}
            kept += fresh
        is_mixed = len({row["rank"] for row in kept}) > 1
        links += [_link(row, is_mixed) for row in kept]
    return [one for one in check_chain(links) if one.code not in HARMLESS]


def _link(row: dict, is_mixed: bool) -> Link:
    """Formats count their statements each in its own way, so numbers of two formats are not compared."""
    return Link(
        row["file_id"],
        row["statement_ordinal"],
        row["position"],
        masked(row["account_key"]),
        f"{row['account_key']} {row['currency_code']}",
        row["statement_id"],
        None if is_mixed else row["number"],
        row["page_number"],
        row["last_date"],
        row["opening_amount"],
        row["closing_amount"],
        row["entry_count"],
        row["digest"],
    )


def issue_check(name: str, issues: Iterable[tuple[str, str]]) -> Check:
    """One gate over exceptions, given as code and message: closed while there is any."""
    listed = [f"{code}: {message}" for code, message in issues]
    more = [f"and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []
    found = "; ".join([*listed[:SHOWN], *more])
    return Check(name, "none", found or "none", not listed, "gate")


def repeated_check(heads: pl.DataFrame) -> Check:
    """How many statements came again in another file; told, as nothing is to be done about it."""
    again = heads.filter(pl.col("dropped") == "statement_repeated").sort("last_date", "file_id")
    said = [
        f"{masked(key)} {day}"
        for key, day in again.select("account_key", "last_date").head(SHOWN).iter_rows()
    ]
    found = f"{again.height} came again and count once: {', '.join(said)}" if said else "none"
    return Check("bank_statements_repeated", "each once", found, True, "info")


def _strange_check(strange: Mapping[str, str], entities: list[str]) -> Check:
    """An account under a mistyped entity: nobody would miss the statements of the right one."""
    said = [f"{masked(account)} of {entity}" for account, entity in sorted(strange.items())]
    found = f"{', '.join(said)}: correct `entities` in bank_profiles"
    return Check("bank_accounts_known", f"accounts of {', '.join(entities)}", found, False, "gate")


def freshness_checks(
    heads: pl.DataFrame, declared: Mapping[str, str], due: Mapping[str, date], as_of: date
) -> list[Check]:
    """Final statements reach the last business day on each account that is declared for an entity of ours.

    Args:
        heads: ``Chosen.heads``.
        declared: entity by account, from the banks' profiles.
        due: the last business day before the as-of date, by entity.
        as_of: statements of later days say nothing about this date.
    """
    wanted = {account: entity for account, entity in declared.items() if entity in due}
    strange = {account: entity for account, entity in declared.items() if due and entity not in due}
    checks = [_strange_check(strange, sorted(due))] if strange else []
    if not wanted and not strange:
        return [
            Check(
                "bank_statements_complete",
                "accounts declared for entities",
                "none declared, not applicable",
                True,
                "gate",
            )
        ]
    final = heads.filter(
        pl.col("rank") < KINDS["intraday"], pl.col("lane").is_not_null(), pl.col("last_date") <= as_of
    )
    latest = dict(final.group_by("account_key").agg(pl.col("last_date").max()).iter_rows())
    for entity in sorted(set(wanted.values())):
        own = sorted(account for account, owner in wanted.items() if owner == entity)
        late = [account for account in own if latest.get(account, date.min) < due[entity]]
        said = [
            f"{masked(account)} {f'through {latest[account]}' if account in latest else 'none'}"
            for account in own
        ]
        checks.append(
            Check(
                f"bank_statements_complete.{entity}",
                f"through {due[entity]}",
                ", ".join(said),
                not late,
                "gate",
            )
        )
    return checks
