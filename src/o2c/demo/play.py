"""``o2c demo``: write a made-up ledger, or play some mornings of one in a simulated home."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from o2c import warehouse
from o2c.demo.books import DEFAULT_MORNINGS, Books
from o2c.demo.generator import Generated, generate, generate_mornings
from o2c.home import HomeError, SourceEntry, init_home, open_home

_SHOWN = 8  # referrals and refusals printed; the agency list has all of them


def generate_only(folder: Path, invoices: int, seed: int, parquet: bool) -> str:
    """Write the ledger and say in one line what was written.

    Raises:
        ValueError: these arguments make no books; nothing was written.
    """
    made = generate(folder, invoices=invoices, seed=seed, file_format="parquet" if parquet else "csv")
    counts = ", ".join(f"{count:,} {table}" for table, count in made.rows.items() if count)
    return f"{made.folder}: a ledger as of {made.as_of} with {counts}"


def play_mornings(
    home: Path, invoices: int, seed: int, say: Callable[[str], None] = lambda line: None
) -> str:
    """Play four mornings a week apart in a fresh simulated home and tell what was decided on each.

    Letters go to the home's outbox as in a real run, approvals are taken as given, and each morning finds a larger
    extract of the same ledger. A simulated home at ``home`` is deleted first; any other kind is left alone.

    Raises:
        HomeError: ``home`` is a folder of another kind.
        ValueError: these arguments make no books.
    """
    Books(invoices=invoices, seed=seed)  # refused before anything is deleted
    _make_room(home)
    from flows.nightly import NightlyRun, play

    init_home(home, simulated=True, auto_approve=True)
    extracts = generate_mornings(home / "extracts", invoices=invoices, seed=seed, mornings=DEFAULT_MORNINGS)
    told = []
    for extract in extracts:
        say(f"morning of {extract.as_of}")
        source = SourceEntry(path=extract.folder)
        play(NightlyRun(home=home, sources=(source,), as_of_date=extract.as_of, send=True), say=say)
        told.append(_tell(home, extract))
    return "\n".join(
        [*told, *_referrals(home, [extract.as_of for extract in extracts]), *_where_to_look(home)]
    )


def _make_room(home: Path) -> None:
    if not home.exists() or not any(home.iterdir()):
        return
    if not (home / "home.json").exists() or not open_home(home).marker.simulated:
        raise HomeError(
            f"{home}: not a simulated home, so the demo leaves it alone. Give an empty folder with --home."
        )
    shutil.rmtree(home)


def _read(home: Path, query: str, as_of: date) -> pl.DataFrame:
    with warehouse.connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query, {"as_of": as_of}).pl()


def _tell(home: Path, extract: Generated) -> str:
    """What one morning decided, in a line or two."""
    decided = _read(
        home,
        "select level, count(*) as letters from collections.fct_dunning_decisions"
        " where as_of_date = $as_of and decision = 'letter' group by level order by level",
        extract.as_of,
    )
    names = {0: "courtesy reminders", 1: "first contacts", 2: "follow-ups", 3: "final notices"}
    letters = ", ".join(
        f"{count:,} {names.get(level, f'of level {level}')}" for level, count in decided.iter_rows()
    )
    others = _read(
        home,
        "select"
        " (select count(*) from collections.fct_dunning_decisions where as_of_date = $as_of and decision = 'task'),"
        " (select count(*) from collections.fct_dunning_decisions where as_of_date = $as_of and decision = 'none'),"
        " (select count(*) from collections.fct_order_holds where decided_as_of_date = $as_of and action = 'hold'),"
        " (select count(*) from collections.fct_agency_referrals where as_of_date = $as_of and status = 'proposed')",
        extract.as_of,
    ).row(0)
    return (
        f"{extract.as_of}: letters: {letters or 'none'}; {others[0]:,} for legal review, {others[1]:,} not contacted;"
        f" {others[2]:,} orders to hold; {others[3]:,} items proposed to an agency"
    )


def _referrals(home: Path, mornings: list[date]) -> list[str]:
    """Items over 90 days past due: the latest proposed, and the largest not proposed with every condition they fail."""
    found = _read(
        home,
        "select referrals.as_of_date, customers.customer_name, referrals.invoice_id, referrals.days_past_due,"
        " referrals.currency_code, items.open_amount, referrals.status, referrals.agency_id,"
        " referrals.failed_conditions"
        " from collections.fct_agency_referrals as referrals"
        " left join core.dim_customers as customers on customers.customer_id = referrals.customer_id"
        " left join receivables.fct_invoices as items on items.invoice_id = referrals.invoice_id"
        " where referrals.as_of_date <= $as_of"
        " order by referrals.as_of_date desc, items.open_amount desc, referrals.invoice_id",
        mornings[-1],
    )
    proposed = found.filter(pl.col("status") == "proposed").unique(
        "invoice_id", keep="last", maintain_order=True
    )
    refused = found.filter((pl.col("status") == "not_eligible") & (pl.col("as_of_date") == mornings[-1]))
    single = refused.filter(~pl.col("failed_conditions").str.contains(",")).unique(
        "failed_conditions", keep="first", maintain_order=True
    )
    lines = []
    for title, rows, last in (
        (
            f"More than 90 days past due, proposed to an agency ({proposed.height:,} items):",
            proposed,
            "agency_id",
        ),
        (
            f"More than 90 days past due, not proposed ({refused.height:,} items):",
            single,
            "failed_conditions",
        ),
    ):
        lines += ["", title]
        lines += [
            f"  {row['as_of_date']}  {row['customer_name']:<34}{row['invoice_id']:<14}{row['days_past_due']:>4} days"
            f"  {row['open_amount']:>12,.2f} {row['currency_code']}  {row[last]}"
            for row in rows.head(_SHOWN).iter_rows(named=True)
        ]
    return lines


def _where_to_look(home: Path) -> list[str]:
    """What is worth opening, and the command that tells why."""
    published = home / "published"
    places = [("letters", page) for page in sorted(home.glob("outbox/*/index.html"))]
    places += [("finance", page) for page in sorted(published.glob("reports/*/index.html"))[-1:]]
    places += [(name, published / name) for name in ("cash", "worklists", "agency", "credit", "o2c.duckdb")]
    command = f".venv/bin/o2c --home {home} explain customer 0000900001"
    return [
        "",
        "Worth opening:",
        *(f"  {name:<12}{path}" for name, path in places),
        f"  {'why':<12}{command}",
    ]
