"""The part of a ledger about key figures: now, their change, what they are held against, their way here."""

from collections.abc import Mapping, Sequence
from datetime import date

from o2c.report import written
from o2c.report.months import NO_HISTORY
from o2c.report.parts import Cell, Column, Part, Table
from o2c.report.reading import Row
from o2c.report.trends import draw_trends

# Key figures in the order of the page: column, label, unit, anchor of the definition.
KPIS = (
    ("dso_days", "Days sales outstanding (DSO)", "days", "dso"),
    ("dso_countback_days", "Count-back DSO", "days", "dso-countback"),
    ("best_possible_dso_days", "Best possible DSO", "days", "best-possible-dso"),
    ("average_days_delinquent", "Average days delinquent", "days", "best-possible-dso"),
    (
        "collection_effectiveness_ratio",
        "Collection effectiveness, month",
        "ratio",
        "collection-effectiveness",
    ),
    (
        "collection_effectiveness_quarter_ratio",
        "Collection effectiveness, three months",
        "ratio",
        "collection-effectiveness",
    ),
    ("past_due_ratio", "Past due of open", "ratio", "past-due"),
    ("over_90_ratio", "Over 90 days of open", "ratio", "past-due"),
    ("past_due_invoice_ratio", "Past-due items of open items", "ratio", "past-due"),
    ("ar_turnover_ratio", "Turnover a year", "times", "turnover"),
    ("weighted_days_to_pay", "Weighted days to pay", "days", "days-to-pay"),
    ("weighted_days_late", "Weighted days late", "days", "days-to-pay"),
    ("at_risk_ratio", "Owed by customers of high risk", "ratio", "at-risk"),
    ("bad_debt_ratio", "Written off of sales, a year", "ratio", "at-risk"),
)


def change_of(column: str) -> str:
    """Name of a key figure's change in fct_ar_kpi_changes: ``dso_days`` is ``dso_change_days``."""
    start, _, unit = column.rpartition("_")
    return f"{start}_change_{unit}"


def kpi_part(
    history: Sequence[Row], change: Row, compared: Mapping[str, Row], as_of: date, *, draws: bool
) -> Part:
    """Key figures now, their change, what others and we ourselves hold them against, and their way here."""
    title, anchor = "Key figures", "dso"
    now = next((row for row in history if row["as_of_date"] == as_of), None)
    if now is None:
        return Part(title, anchor, ["There are no key figures of this date."])
    table = _kpis_now(now, change, compared)
    if len(history) < 2:
        return Part(title, anchor, [NO_HISTORY], [table])
    drawn = draw_trends(history, compared, as_of) if draws else []
    return Part(title, anchor, (), [table, _kpis_by_month(history)], drawn)


def _kpis_by_month(history: Sequence[Row]) -> Table:
    shown = [kpi for kpi in KPIS if kpi[0] in _MONTHLY]
    lines = [
        [Cell(written.day(row["as_of_date"])), *(Cell(written.figure(row[kpi[0]], kpi[2])) for kpi in shown)]
        for row in reversed(history)
    ]
    return Table(
        "Key figures at month ends",
        (Column("Date", "text"), *(Column(label, definition=anchor) for _, label, _, anchor in shown)),
        lines,
        is_folded=True,
    )


_MONTHLY = {
    "dso_days", "best_possible_dso_days", "collection_effectiveness_ratio", "collection_effectiveness_quarter_ratio",
    "past_due_ratio", "over_90_ratio",
}  # fmt: skip


def _kpis_now(now: Row, change: Row, compared: Mapping[str, Row]) -> Table:
    since = change.get("previous_month_end_date")
    has_targets = any(row.get("target_value") is not None for row in compared.values())
    lines = []
    for column, label, unit, definition in KPIS:
        other = compared.get(column, {})
        line = [
            Cell(label, definition=definition),
            Cell(written.figure(now[column], unit)),
            Cell(written.figure_change(change.get(change_of(column)), unit)),
            Cell(written.figure(other.get("benchmark_value"), unit)),
        ]
        if has_targets:
            line += [
                Cell(written.figure(other.get("target_value"), unit)),
                _VERDICTS[other.get("is_on_target")],
            ]
        lines.append(line)
    heads = [
        Column("Figure", "text"),
        Column("Value"),
        Column(f"Since {written.day(since)}" if since else "Change", definition="changes"),
        Column("Median of others", definition="comparison"),
    ]
    if has_targets:
        heads += [Column("Target", definition="comparison"), Column("Met?", "text")]
    return Table(
        f"Key figures as of {written.day(now['as_of_date'])}",
        heads,
        lines,
        note="Days, or percent, or times a year. A dash: not known, as where history is too short."
        + ("" if has_targets else " No targets are set."),
    )


_VERDICTS = {True: Cell("met", "good"), False: Cell("missed", "bad"), None: Cell("")}
