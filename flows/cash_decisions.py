"""Persons' decisions about cash: checked against what is published, kept, done in the next run."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from o2c.approval_lists import Terms, write_off_lists
from o2c.cash_decisions import check_decisions, describe
from o2c.cash_records import read_decisions, read_record, read_recorded, write_decisions
from o2c.cash_sheet import DecisionsRefused, read_sheet
from o2c.cash_typed import ListedPayment, Published
from o2c.cash_workbook import row_codes
from o2c.explain import NothingFound
from o2c.frames import ApplicableItems, ApplicablePayments, CashCandidates, CashExceptions, Frame
from o2c.home import Home, open_home
from o2c.ledger import DecisionFile, Ledger
from o2c.ledger.approving import submit
from o2c.ledger.asking import write_off_answers
from o2c.ledger.cash import list_decision_files, next_file_number, published_runs, record_decision_file
from o2c.matching.withheld import sort_decisions
from o2c.money import rounded
from o2c.policy import ControlsPolicy, load_policies
from o2c.settings import Settings
from o2c.sources.bank.errors import printable
from o2c.warehouse import connect

_NAME_LENGTH = 80


@dataclass(frozen=True)
class Taken:
    """What became of a file of decisions: how many are new, about how many payments, and how many were known."""

    path: Path
    by: str
    decision_count: int
    payment_count: int
    given_before: int
    waiting_count: int = 0

    def text(self) -> str:
        """In a sentence or two, for a terminal."""
        if not self.decision_count:
            return (
                f"{self.path}: {self.given_before:,} decisions, all of them given before; nothing was added"
            )
        known = f"; {self.given_before:,} more were given before" if self.given_before else ""
        waits = (
            f" {self.waiting_count:,} of them give up more than one person may: they wait for approval (`o2c approve`)."
            if self.waiting_count
            else ""
        )
        return (
            f"{self.path}: {self.decision_count:,} decisions of {self.by} about {self.payment_count:,} payments are"
            f" recorded{known}. They take effect in the next run.{waits}"
        )


@dataclass(frozen=True)
class Listed:
    """What a person must look at, of the published as-of date (CashExceptions, CashCandidates)."""

    exceptions: pl.DataFrame
    candidates: pl.DataFrame

    def data(self) -> list[dict[str, Any]]:
        """Each payment with its candidates, for programs."""
        rows = self.candidates.sort("candidate_rank", "invoice_id", nulls_last=False)
        of_payment = rows.partition_by("payment_id", as_dict=True)
        return [
            one
            | {"candidates": of_payment.get((one["payment_id"],), rows.clear()).drop("payment_id").to_dicts()}
            for one in self.exceptions.sort("payment_id").iter_rows(named=True)
        ]

    def text(self) -> str:
        """A line for each payment: what is left of it, why it waits, and the best guess. No names, no accounts."""
        lines = []
        for one in self.data():
            best = one["candidates"][0] if one["candidates"] else None
            guess = (
                f"; candidate 1 by {best['rule'].replace('_', ' ')}, score {best['score']:.3f}"
                if best
                else ""
            )
            left = rounded(one["unapplied_amount"], one["currency_code"])
            lines.append(
                f"{one['payment_id']}  {one['value_date']}  {left:,} {one['currency_code']}"
                f"  {one['reason_code'].replace('_', ' ')}{guess}"
            )
        return "\n".join([*lines, f"{len(lines):,} payments for a person to look at"])


def take_decisions(path: Path, by: str, root: Path | None = None) -> Taken:
    """Record what a person decided in the exceptions workbook or its CSV; all of it, or nothing.

    Raises:
        DecisionsRefused: something in the file cannot be done; the message names every row and column.
        NothingFound: nothing is published to decide about.
    """
    name = printable(" ".join(by.split()), _NAME_LENGTH)
    if not name:
        raise DecisionsRefused("--by: whose decisions are these? Give a name. Nothing was recorded.")
    settings = Settings()
    policies = load_policies(settings.policies)
    reasons, controls = policies.reason_codes, policies.controls
    home = open_home(root or settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    sheet = read_sheet(path)
    with home.lock("landing", settings.lock_wait_seconds):
        codes = {entry.code for entry in sheet.entries if entry.code}
        published = read_published(home, ledger, codes)
        number = next_file_number(ledger.engine)
        checked = check_decisions(sheet.entries, published, reasons, name, number)
        faults = sorted({*sheet.faults, *checked.faults}, key=lambda one: (one.row, one.name, one.reason))
        if faults:
            lines = [describe(fault, sheet.columns, is_workbook=sheet.is_workbook) for fault in faults]
            raise DecisionsRefused(
                "\n  ".join([f"{path}: {len(faults):,} faults, nothing of it was recorded.", *lines])
            )
        if not sheet.entries:
            raise DecisionsRefused(f"{path}: nothing is decided in it. Fill in its yellow columns.")
        decisions, waiting_count = checked.decisions, 0
        if not decisions.is_empty():
            file_id = write_decisions(home.cash_decisions, decisions)
            now = home.clock(published.as_of, "UTC")
            record_decision_file(ledger.engine, DecisionFile(number, file_id, name, now, decisions.height))
            waiting_count = ask_for_approval(home, ledger, controls, published, decisions)
    payment_count = decisions["payment_id"].n_unique()
    return Taken(path, name, decisions.height, payment_count, checked.given_before, waiting_count)


def ask_for_approval(
    home: Home, ledger: Ledger, controls: ControlsPolicy, published: Published, decisions: pl.DataFrame
) -> int:
    """Put what gives up more than one person may before others. A run asks again for what was not answered in time.

    Returns:
        How many of the decisions wait.
    """
    policy = controls.approvals
    given = pl.concat([published.given, decisions])
    answers = write_off_answers(ledger.engine)
    found = sort_decisions(
        decisions, given, published.payments, policy.write_off_limit, answers.approved, answers.rejected
    )
    terms = Terms(
        batch_id=f"cash-{published.as_of.isoformat()}",
        as_of=published.as_of,
        prepared_by="o2c",
        expiry_hours=policy.expiry_hours,
        is_given=home.marker.auto_approve,
    )
    now = home.clock(published.as_of, controls.time_zone)
    lists = write_off_lists(found.withheld, terms, policy.write_off_approval_count)
    asked = [submit(ledger.engine, request, now, is_green=True) for request in lists]
    return found.withheld.height if any(one.state == "waiting" for one in asked) else 0


def list_exceptions(root: Path | None = None) -> Listed:
    """The payments that the published run left to a person, with what they may be for."""
    settings = Settings()
    home = open_home(root or settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    with open_published(home) as con:
        as_of = _published_date(con)
    return latest_exceptions(home, ledger, as_of)


def latest_exceptions(home: Home, ledger: Ledger, as_of: date) -> Listed:
    """Exceptions and candidates of the last run that recorded any for a date."""
    for run in published_runs(ledger.engine):
        if run.as_of_date == as_of and run.records is not None:
            kinds = [
                read_record(home.applications, run.records, kind) for kind in ("exceptions", "candidates")
            ]
            return Listed(*kinds)
    return Listed(CashExceptions.empty(), CashCandidates.empty())


def read_published(home: Home, ledger: Ledger, codes: set[str]) -> Published:
    """What decisions are checked against; of the lists that were published, the rows with these codes."""
    with open_published(home) as con:
        as_of = _published_date(con)
        payments = _filled(
            con,
            "select payment_id, entity_id, customer_id, currency_code, payment_method, reverses_payment_id,"
            " payment_amount, unapplied_amount, value_date from receivables.fct_payments where status <> 'reversed'",
            ApplicablePayments,
        )
        items = _filled(
            con,
            "select invoice_id, entity_id, customer_id, invoice_number, document_type, currency_code, invoice_amount,"
            " open_amount, invoice_date, due_date from receivables.fct_invoices where status <> 'cancelled'",
            ApplicableItems,
        )
        customers = con.execute("select customer_id from core.dim_customers").fetchall()
    now = latest_exceptions(home, ledger, as_of)
    held = now.exceptions.filter(pl.col("reason_code") == "held")["payment_id"].implode()
    recorded = read_recorded(home.applications, ledger.application_files())
    given = read_decisions(home.cash_decisions, [one.file_id for one in list_decision_files(ledger.engine)])
    return Published(
        as_of=as_of,
        listed=_listed(home, ledger, codes),
        payments=payments.with_columns(is_held=pl.col("payment_id").is_in(held)),
        items=items,
        customers=frozenset(customer_id for (customer_id,) in customers),
        recorded=recorded,
        given=given,
    )


def open_published(home: Home) -> duckdb.DuckDBPyConnection:
    """The published database, to read.

    Raises:
        NothingFound: there is none.
    """
    path = home.published / "o2c.duckdb"
    if not path.exists():
        raise NothingFound(f"{home.root}: nothing is published yet. Run `o2c run` first.")
    return connect(path, read_only=True)


def _listed(home: Home, ledger: Ledger, codes: set[str]) -> dict[str, ListedPayment]:
    """Payments of exceptions lists by the code of their row; the latest lists are looked through first."""
    found: dict[str, ListedPayment] = {}
    for run in published_runs(ledger.engine):
        if codes <= set(found):
            break
        exceptions = read_record(home.applications, run.records, "exceptions")
        candidates = read_record(home.applications, run.records, "candidates")
        owners = dict(exceptions.select("payment_id", "customer_id").iter_rows())
        for payment_id, code in row_codes(exceptions, candidates, run.as_of_date).items():
            if code in codes - set(found):
                rows = candidates.filter(pl.col("payment_id") == payment_id)
                found[code] = ListedPayment(payment_id, owners[payment_id], rows)
    return found


def _published_date(con: duckdb.DuckDBPyConnection) -> date:
    """The as-of date that the release is of."""
    (day,) = con.execute("select max(as_of_date) from receivables.fct_ar_kpis").fetchall()[0]
    return day


def _filled(con: duckdb.DuckDBPyConnection, query: str, model: type[Frame]) -> pl.DataFrame:
    """Published rows as the frame that decisions are carried out on; what is not published is null, or no."""
    schema = model.empty().schema
    frame = con.execute(query).pl()
    missing = {
        name: pl.lit(False) if kind == pl.Boolean() else pl.lit(None, dtype=kind)
        for name, kind in schema.items()
        if name not in frame.columns
    }
    return frame.with_columns(**missing).select(list(schema))
