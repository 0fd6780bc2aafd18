"""Why a customer or an invoice is treated as it is, read from what is published: facts, rules, sources."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from o2c.home import Home
from o2c.ledger import Ledger
from o2c.settings import Settings
from o2c.warehouse import connect

# What stood open on a date: what is open as published, and all that moved it since. A discount or write-off of a credit
# memo lowers what we owe, so it moves a negative amount.
OPEN_ON = """
with
    moved_since as (
        select
            applications.invoice_id,
            case
                when
                    documents.document_type = 'credit_memo'
                    and applications.application_type in ('discount', 'write_off')
                then -applications.applied_amount
                else applications.applied_amount
            end as moved_amount
        from receivables.fct_payment_applications as applications
        join receivables.fct_invoices as documents using (invoice_id)
        where applications.effective_date > $as_of
        union all
        select credit_memo_id, -applied_amount
        from receivables.fct_payment_applications
        where effective_date > $as_of and credit_memo_id is not null
        union all
        select invoice_id, moved_amount from receivables.fct_adjustments where effective_date > $as_of
    ),
    moved as (select invoice_id, sum(moved_amount) as moved_amount from moved_since group by invoice_id)
select
    invoices.invoice_id, invoices.invoice_number, invoices.document_type, invoices.currency_code,
    invoices.invoice_amount,
    cast(
        case when invoices.status = 'cancelled' then 0 else invoices.open_amount + coalesce(moved.moved_amount, 0) end
        as decimal(18, 4)
    ) as open_amount,
    invoices.invoice_date, invoices.due_date, $as_of - invoices.due_date as days_past_due,
    invoices.source, invoices.file_id, invoices.line
from receivables.fct_invoices as invoices
left join moved using (invoice_id)
where {which} and invoices.invoice_date <= $as_of
order by invoices.due_date, invoices.invoice_id
"""


class NothingFound(ValueError):
    """There is no such customer, invoice or date in what is published."""


@dataclass(frozen=True)
class Story:
    """Titled tables, each a list of rows; what is told to a person and to a program alike."""

    title: str
    data: dict[str, list[dict[str, Any]]]

    def text(self) -> str:
        """The story in columns; a table of one row is shown as name and value."""
        parts = [self.title]
        for name, rows in self.data.items():
            if not rows:
                continue
            parts.append("\n" + name.replace("_", " ").capitalize())
            parts += _as_pairs(rows[0]) if len(rows) == 1 else _as_table(rows)
        return "\n".join(parts)


def explain_customer(home: Home, customer_id: str, as_of: date | None = None) -> Story:
    """Segment, score terms, balances, open items, decision, letters, flags, referrals and work of one customer.

    Raises:
        NothingFound: no such customer, or nothing was published for that date.
    """
    with _published(home) as con:
        day = _day(home, con, as_of)
        ask = {"id": customer_id, "as_of": day}
        customer = _rows(con, "select * from core.dim_customers where customer_id = $id", ask)
        if not customer:
            raise NothingFound(f"customer {customer_id}: not in what is published in {home.published}.")

        def dated(table: str, order: str) -> list[dict[str, Any]]:
            query = (
                f"select * exclude (as_of_date) from {table} where customer_id = $id and as_of_date = $as_of"
            )
            return _rows(con, f"{query} order by {order}", ask)

        items = _rows(con, OPEN_ON.format(which="invoices.customer_id = $id"), ask)
        data = {
            "customer": customer,
            "segment": dated("core.fct_customer_segments", "customer_id"),
            "aging": dated("receivables.fct_ar_aging", "entity_id, currency_code"),
            "open_items": _with_sources(home, [item for item in items if item["open_amount"] != 0]),
            "dunning_decision": dated("collections.fct_dunning_decisions", "entity_id, currency_code"),
            "letters": _rows(
                con,
                "select letter_id, stage, level, state, currency_code, total_amount, decided_as_of_date"
                " from collections.fct_letters where customer_id = $id and decided_as_of_date <= $as_of"
                " order by decided_as_of_date, letter_id",
                ask,
            ),
            "credit_flags": dated("collections.fct_credit_flags", "flag_code"),
            "agency_referrals": dated("collections.fct_agency_referrals", "invoice_id"),
            "worklist": dated("collections.fct_worklist", "currency_code"),
            "worklist_score_terms": dated("collections.fct_worklist_terms", "currency_code, term"),
        }
    return Story(f"Customer {customer_id} as of {day}", data)


def explain_invoice(home: Home, invoice_id: str, as_of: date | None = None) -> Story:
    """What one document is, what was set against it and by which rule, what it led to, and where it came from.

    Raises:
        NothingFound: no such invoice (by id, or by a number that only one has), or nothing published for that date.
    """
    with _published(home) as con:
        day = _day(home, con, as_of)
        found = _rows(
            con,
            "select invoice_id, invoice_date from receivables.fct_invoices"
            " where invoice_id = $id or invoice_number = $id order by invoice_id <> $id, invoice_id",
            {"id": invoice_id},
        )
        ids = [row["invoice_id"] for row in found]
        if not ids or (ids[0] != invoice_id and len(ids) > 1):
            known = (
                f"the number of {', '.join(ids)}: give one of these ids"
                if ids
                else "not in what is published"
            )
            raise NothingFound(f"invoice {invoice_id}: {known} in {home.published}.")
        if found[0]["invoice_date"] > day:
            raise NothingFound(
                f"invoice {ids[0]}: is of {found[0]['invoice_date']}, after {day}. Ask for its date or a later one."
            )
        ask = {"id": ids[0], "as_of": day}
        data = {
            "invoice": _with_sources(
                home, _rows(con, OPEN_ON.format(which="invoices.invoice_id = $id"), ask)
            ),
            "applications": _rows(
                con,
                "select effective_date, application_type, applied_amount, currency_code, payment_id, rule, applied_by,"
                " explanation from receivables.fct_payment_applications"
                " where invoice_id = $id and effective_date <= $as_of order by effective_date, application_id",
                ask,
            ),
            "adjustments": _rows(
                con,
                "select effective_date, adjustment_type, moved_amount, currency_code, reason"
                " from receivables.fct_adjustments where invoice_id = $id and effective_date <= $as_of"
                " order by effective_date, adjustment_id",
                ask,
            ),
            "listed_in_letters": _rows(
                con,
                "select letters.letter_id, letters.stage, letters.state, letters.decided_as_of_date, lines.amount"
                " from collections.fct_letter_lines as lines join collections.fct_letters as letters using (letter_id)"
                " where lines.invoice_id = $id and letters.decided_as_of_date <= $as_of"
                " order by letters.decided_as_of_date, letters.letter_id",
                ask,
            ),
            "agency_referral": _rows(
                con,
                "select * from collections.fct_agency_referrals where invoice_id = $id and as_of_date = $as_of"
                " order by installment_number",
                ask,
            ),
            "dunning_decision": _rows(
                con,
                "select decisions.* from collections.fct_dunning_decisions as decisions"
                " join receivables.fct_invoices as invoices using (entity_id, customer_id, currency_code)"
                " where invoices.invoice_id = $id and decisions.as_of_date = $as_of",
                ask,
            ),
        }
    return Story(f"Invoice {ids[0]} as of {day}", data)


def _published(home: Home) -> duckdb.DuckDBPyConnection:
    path = home.published / "o2c.duckdb"
    if not path.exists():
        raise NothingFound(f"{home.root}: nothing is published yet. Run `o2c run` first.")
    try:
        return connect(path, read_only=True)
    except duckdb.IOException:
        raise NothingFound(
            f"{path}: cannot be opened as a DuckDB file. Nothing is told. `o2c publish` writes it again."
        ) from None


def _day(home: Home, con: duckdb.DuckDBPyConnection, as_of: date | None) -> date:
    """The date asked for, if something was published for it; by default that of the current release."""
    (latest,) = _rows(con, "select max(as_of_date) as day from receivables.fct_ar_kpis", {})
    current = Ledger(Settings().ledger_url or home.ledger_url).current_date() or latest["day"]
    # On a day on which nothing is open, aging has no row.
    days = {current} | {
        row["as_of_date"]
        for row in _rows(con, "select distinct as_of_date from receivables.fct_ar_aging", {})
    }
    if as_of is not None and as_of not in days:
        shown = ", ".join(str(day) for day in sorted(days)[-5:])
        raise NothingFound(
            f"--as-of {as_of}: nothing was published for that date. The latest dates are {shown}."
        )
    if as_of is not None and as_of > current:
        raise NothingFound(
            f"--as-of {as_of}: what is published now is of {current}. Run that date again first."
        )
    return as_of or current


def _rows(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a query. Before the first morning of a home that was only backfilled nothing is decided: no rows."""
    if "collections." in query and not _has_decisions(con):
        return []
    used = {name: value for name, value in values.items() if f"${name}" in query}
    result = con.execute(query, used)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _has_decisions(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute("select count(*) from information_schema.tables where table_schema = 'collections'")
    return found.fetchall() != [(0,)]


def _with_sources(home: Home, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace the file's hash by the name it came under."""
    ledger = Ledger(Settings().ledger_url or home.ledger_url)
    names: dict[str, str] = {}
    for source in {row["source"] for row in rows if row["source"]}:
        names |= {delivery.file_id: delivery.name for delivery in ledger.history(source)}
    return [
        {name: value for name, value in row.items() if name not in ("source", "file_id", "line")}
        | {"came_from": f"{row['source']}: {names.get(row['file_id'], row['file_id'])}, line {row['line']}"}
        for row in rows
    ]


def _as_pairs(row: dict[str, Any]) -> list[str]:
    shown = {name: value for name, value in row.items() if value is not None}
    width = max(len(name) for name in shown)
    return [f"  {name:<{width}}  {_shown(value)}" for name, value in shown.items()]


def _as_table(rows: list[dict[str, Any]]) -> list[str]:
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    cells = [[_shown(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[place]) for line in cells)) for place, name in enumerate(names)]
    table = [names, *cells]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def _shown(value: Any) -> str:
    return (
        ""
        if value is None
        else f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else str(value)
    )
