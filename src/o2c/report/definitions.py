"""What each figure means, in the words of the one place that says so: docs/kpis.md, else the marts' descriptions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The figures that the page shows and docs/kpis.md defines, by its anchors.
IN_KPIS = (
    "rollforward", "aging", "dso", "dso-countback", "best-possible-dso", "trapped-cash", "collection-effectiveness",
    "turnover", "past-due", "days-to-pay", "at-risk", "changes", "segments", "expected-loss", "comparison", "alerts",
)  # fmt: skip
# Anchor and title of what the marts define: the mart, and which of its columns the page shows.
IN_MARTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "forecast": (
        "Cash forecast",
        "receivables.fct_cash_forecast",
        ("expected_amount", "low_amount", "high_amount", "promised_amount", "disputed_amount", "doubtful_amount"),
    ),
    "forecast-error": (
        "Forecast error",
        "receivables.fct_forecast_errors",
        ("collected_amount", "error_amount", "is_within_range", "total_collected_amount"),
    ),
    "cash-application": (
        "Cash application",
        "receivables.fct_cash_application_kpis",
        (
            "period", "automatic_count", "person_count", "ledger_count", "waiting_count", "automatic_count_ratio",
            "automatic_amount_ratio",
        ),
    ),
    "unapplied-cash": ("Unapplied cash", "receivables.fct_unapplied_cash_aging", ("balance_type", "unapplied_amount")),
    "cash-exceptions": ("Payments that wait", "receivables.fct_cash_exceptions", ("reason_code", "waiting_days")),
    "disputes": (
        "Disputes",
        "receivables.fct_dispute_causes",
        ("open_disputed_amount", "average_days_to_resolve", "oldest_days_open"),
    ),
    "deductions": ("Deductions", "receivables.fct_deductions", ("deduction_amount", "opens_dispute", "status")),
    "customers": (
        "Customers",
        "core.dim_customers",
        (
            "group_exposure_amount", "utilisation_ratio", "risk_class", "segment", "last_contact_date",
            "next_promised_date",
        ),
    ),
    "next-action": ("Next action", "collections.fct_worklist", ("next_action", "priority_class", "reason")),
    "contacts": (
        "Contacts",
        "collections.fct_coverage",
        ("contacted_customer_count", "newly_past_due_count", "answered_reminder_count", "settled_reminder_count"),
    ),
    "automatic-contacts": (
        "Contacts without a person",
        "collections.fct_contact_kpis",
        ("contact_count", "automatic_contact_count"),
    ),
    "baseline": (
        "Before and after a baseline date",
        "receivables.fct_baseline_comparison",
        ("weighted_days_to_pay", "weighted_days_late", "cash_in_ratio"),
    ),
    "run-checks": ("Checks of the run", "quality.fct_run_checks", ("severity", "expected", "actual")),
}  # fmt: skip

_SECTION = re.compile(r'<a id="([a-z-]+)"></a>\s*\n## ([^\n]+)\n(.*?)(?=\n<a id=|\n## |\Z)', re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")

# A run of text in one manner: plain, code or strong.
Span = tuple[str, str]


class DefinitionMissing(ValueError):
    """A figure of the page is defined nowhere. The message names it and where its definition belongs."""


@dataclass(frozen=True)
class MartWords:
    """A mart's description and those of its columns, as its YAML has them."""

    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Definition:
    """What a figure means: paragraphs, then terms with their meaning, then where the words come from."""

    anchor: str
    title: str
    paragraphs: Sequence[Sequence[Span]]
    terms: Sequence[tuple[str, str]]
    source: str


def load_definitions(kpis: Path, marts: Mapping[str, MartWords]) -> list[Definition]:
    """All definitions that the page links to, by title.

    Args:
        kpis: docs/kpis.md, whose sections have an anchor each.
        marts: words of the marts by ``schema.table``.

    Raises:
        DefinitionMissing: names every one that is not there.
    """
    sections = {anchor: (title, body) for anchor, title, body in _SECTION.findall(kpis.read_text("utf-8"))}
    missing = [f"{kpis.name}#{anchor}" for anchor in IN_KPIS if anchor not in sections]
    found = [_of_section(name, *sections[name], kpis.name) for name in IN_KPIS if name in sections]
    for anchor, (title, mart, columns) in IN_MARTS.items():
        lacking = [mart] if mart not in marts else [c for c in columns if not marts[mart].columns.get(c)]
        missing += [f"description of {mart}" + (f".{one}" if one != mart else "") for one in lacking]
        if not lacking:
            found.append(_of_mart(anchor, title, mart, marts[mart], columns))
    if missing:
        raise DefinitionMissing(
            f"the page links to definitions that are not there: {', '.join(missing)}. Write them there."
        )
    return sorted(found, key=lambda one: one.title.casefold())


def _of_section(anchor: str, title: str, body: str, source: str) -> Definition:
    blocks = [" ".join(block.split()) for block in body.split("\n\n")]
    return Definition(anchor, title.strip(), [_spans(block) for block in blocks if block], (), source)


def _of_mart(anchor: str, title: str, mart: str, words: MartWords, columns: Sequence[str]) -> Definition:
    paragraph = [("plain", " ".join(words.description.split()))]
    terms = [(name, " ".join(words.columns[name].split())) for name in columns]
    return Definition(anchor, title, [paragraph], terms, mart)


def _spans(block: str) -> list[Span]:
    """Code and strong words of a paragraph; any other mark is text."""
    spans: list[Span] = []
    at = 0
    for found in _SPAN.finditer(block):
        spans += [("plain", block[at : found.start()])] if found.start() > at else []
        spans.append(("code", found[1]) if found[1] is not None else ("strong", found[2]))
        at = found.end()
    return spans + ([("plain", block[at:])] if at < len(block) else [])
