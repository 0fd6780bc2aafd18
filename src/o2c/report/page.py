"""The page as a whole: figures and definitions → one HTML file that needs nothing else. Pure: no clock, no disk."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from o2c.report import written
from o2c.report.aging import aging_part
from o2c.report.cash import cash_part, dispute_part
from o2c.report.debtors import debtors_part
from o2c.report.definitions import Definition
from o2c.report.forecast import forecast_part
from o2c.report.kpis import kpi_part
from o2c.report.overview import alerts_part, baseline_part, checks_part, contacts_part, glance_table
from o2c.report.palette import DARK
from o2c.report.parts import GROUP, Cell, Column, Ledger, Part, Table, ledger_name
from o2c.report.reading import Figures, Row
from o2c.report.rollforward import rollforward_part
from o2c.report.segments import segment_part
from o2c.report.templates import PageTemplate
from o2c.report.tiles import tiles_of

# A page stays below a megabyte: so many ledgers are told in full, those with most open items; so many have drawings.
LEDGERS_TOLD, LEDGERS_DRAWN = 12, 8

LedgerKey = tuple[str, str]


def render_page(
    figures: Figures,
    definitions: Sequence[Definition],
    template: PageTemplate,
    as_of: date,
    *,
    run_id: str,
    policy_version: str,
) -> str:
    """The page of one as-of date.

    Args:
        figures: of that date, from ``read_figures``.
        definitions: from ``load_definitions``; every figure links to its own.
        template: the frame of the page.
        run_id, policy_version: what the figures come from; named at the foot.
    """
    now = [row for row in figures.kpis if row["as_of_date"] == as_of]
    now.sort(key=lambda row: _order((row["entity_id"], row["currency_code"])))
    told = _told(now, figures)
    anchors = {key: f"ledger-{number}" for number, key in enumerate(told, start=1)}
    drawn = set(_largest(now, told, LEDGERS_DRAWN))
    pool = _Pool(figures, as_of)
    names = {row["customer_id"]: row["customer_name"] for row in figures.customers}
    view = {
        "title": f"Receivables as of {written.long_day(as_of)}",
        "as_of": written.long_day(as_of),
        "glance": glance_table(now, anchors),
        "left_out": len(now) - sum(1 for row in now if (row["entity_id"], row["currency_code"]) in anchors),
        "alerts": _made(alerts_part(figures.alerts, names), figures, "alerts"),
        "ledgers": [pool.ledger(key, anchor, draws=key in drawn) for key, anchor in anchors.items()],
        "ends": [
            part
            for part in (
                _made(contacts_part(figures.coverage, figures.contacts), figures, "coverage", "contacts"),
                baseline_part(figures.baseline),
                _made(checks_part(figures.checks), figures, "checks"),
            )
            if part is not None
        ],
        "failed_checks": sum(1 for row in figures.checks if not row["passed"]),
        "definitions": definitions,
        "medians": _medians(figures.comparisons),
        "run_id": run_id,
        "policy_version": policy_version,
        "dark_colours": sorted(DARK.items()),
    }
    return template.render(view)


def _made(part: Part, figures: Figures, *names: str) -> Part:
    """The part, or that nothing is known of it: a month end measures, and what belongs to a morning is not made."""
    if not figures.absent.issuperset(names):
        return part
    return Part(part.title, part.definition, ["This run did not make these figures."])


def _order(key: LedgerKey) -> tuple[bool, str, str]:
    return (key[0] != GROUP, *key)


def _told(now: Sequence[Row], figures: Figures) -> list[LedgerKey]:
    """Ledgers that get a section: by their key figures, else wherever something is open or was asked for."""
    known = [(row["entity_id"], row["currency_code"]) for row in now]
    if not known:
        known = [(row["entity_id"], row["currency_code"]) for row in figures.balances]
    return sorted(_largest(now, known, LEDGERS_TOLD), key=_order)


def _largest(now: Sequence[Row], keys: Sequence[LedgerKey], limit: int) -> list[LedgerKey]:
    """The group, then those with most open items: a count that currencies have in common."""
    counts = {(row["entity_id"], row["currency_code"]): row["open_item_count"] for row in now}
    return sorted(keys, key=lambda key: (key[0] != GROUP, -counts.get(key, 0), key))[:limit]


class _Pool:
    """Rows of all parts by ledger."""

    def __init__(self, figures: Figures, as_of: date) -> None:
        self._as_of, self._figures = as_of, figures
        self._kpis = _by_ledger(figures.kpis)
        self._changes = _by_ledger(figures.changes)
        self._compared = _by_ledger(figures.comparisons)
        self._balances = _by_ledger(figures.balances)
        self._buckets = _by_ledger(figures.buckets)
        self._segments = _by_ledger(figures.segments)
        self._rollforward = _by_ledger(figures.rollforward)
        self._forecast = _by_ledger(figures.forecast)
        self._errors = _by_ledger(figures.forecast_errors)
        self._cash = _by_ledger(figures.cash)
        self._unapplied = _by_ledger(figures.unapplied)
        self._exceptions = _by_ledger(figures.exceptions)
        self._disputes = _by_ledger(figures.disputes)
        self._deductions = _by_ledger(figures.deductions)
        self._debtors = _by_ledger(figures.debtors)
        self._customers = {row["customer_id"]: row for row in figures.customers}
        self._items = {_customer_key(row): row for row in figures.items}
        self._decisions = {_customer_key(row): row for row in figures.decisions}
        # A customer stands there once for each currency where no rate is known; the first in order speaks for it.
        self._worklist: dict[str, Row] = {}
        for row in figures.worklist:
            self._worklist.setdefault(row["customer_id"], row)

    def ledger(self, key: LedgerKey, anchor: str, *, draws: bool) -> Ledger:
        """All parts of one entity and currency."""
        entity_id, code = key
        history = self._kpis[key]
        now = next((row for row in history if row["as_of_date"] == self._as_of), None)
        change: Row = next(iter(self._changes[key]), {})
        compared = {row["kpi_name"]: row for row in self._compared[key]}
        balance = next(iter(self._balances[key]), None)
        parts = [
            aging_part(entity_id, code, self._buckets[key], balance, now, self._as_of, draws=draws),
            kpi_part(history, change, compared, self._as_of, draws=draws),
            rollforward_part(self._rollforward[key], code, draws=draws),
            segment_part(self._segments[key], code, is_folded=entity_id != GROUP),
            self._stories(key, now),
        ]
        if entity_id == GROUP:
            words = (
                "Cash is forecast and applied, and disputes are counted, per entity and currency: see there."
            )
            parts.append(Part("Forecast, cash and disputes", "", [words]))
        else:
            parts += [
                _made(
                    forecast_part(self._forecast[key], self._errors[key], code, draws=draws),
                    self._figures,
                    "forecast",
                    "forecast_errors",
                ),
                _made(
                    cash_part(self._cash[key], self._unapplied[key], self._exceptions[key], code),
                    self._figures,
                    "cash",
                    "unapplied",
                    "exceptions",
                ),
                _made(
                    dispute_part(self._disputes[key], self._deductions[key], code),
                    self._figures,
                    "disputes",
                    "deductions",
                ),
            ]
        tiles = tiles_of(now, change, code) if now is not None else ()
        return Ledger(anchor, written.text(ledger_name(*key)), code, tiles, parts)

    def _stories(self, key: LedgerKey, now: Row | None) -> Part:
        past_due = now["past_due_amount"] if now is not None else None
        return debtors_part(
            self._debtors[key], self._customers, self._items, self._worklist, self._decisions, past_due
        )


def _by_ledger(rows: Iterable[Row]) -> dict[LedgerKey, list[Row]]:
    found: dict[LedgerKey, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["entity_id"], row["currency_code"]].append(row)
    return found


def _customer_key(row: Row) -> tuple[str, str, str]:
    return row["entity_id"], row["customer_id"], row["currency_code"]


def _medians(comparisons: Sequence[Row]) -> Table | None:
    """Published medians with their sources, once for all ledgers."""
    found: dict[str, Any] = {}
    for row in comparisons:
        if row["benchmark_value"] is not None:
            found.setdefault(row["kpi_name"], row)
    if not found:
        return None
    lines = [
        [
            Cell(written.words(name)),
            Cell(written.figure(row["benchmark_value"], row["unit"])),
            Cell(written.text(row["benchmark_period"])),
            Cell(written.text(row["benchmark_source"])),
        ]
        for name, row in sorted(found.items(), key=lambda one: one[1]["kpi_order"])
    ]
    heads = (Column("Figure", "text"), Column("Median"), Column("Period", "text"), Column("Source", "text"))
    return Table("Medians that others published", heads, lines)
