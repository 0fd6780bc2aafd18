"""Whether the ledger is what happened: chain, states, attempts, approvals, messages and counts, held together.

What triggers forbid is looked at again here, for somebody may have taken them away. Findings name ids, never people
we write to.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from o2c.ledger.states import ALL_STATES, FAILED_STATES
from o2c.ledger.tables import letters
from o2c.ledger.triggers import installed_rules, rules_of
from o2c.ledger.verify_approvals import approval_findings
from o2c.ledger.verify_chain import Finding, read_chain
from o2c.ledger.verify_letters import (
    Row,
    accept_findings,
    contact_findings,
    letter_findings,
    message_findings,
)

# What became of a batch's letters; together they are what was planned (invariant 41).
GROUPS = {
    "waiting": ("rendered", "approval_pending", "approved"),
    "sent": ("sent", "delivered", "complained"),
    "unknown": ("sending", "unknown"),
    "failed": tuple(state for state in FAILED_STATES if state != "cancelled"),
    "cancelled": ("cancelled",),
}


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what is wrong.

    ``batches``: per batch, the letters that the audit says were planned, and what became of them by ``GROUPS``.
    ``remarks``: nothing is wrong, but somebody should know.
    """

    entry_count: int
    letter_count: int
    states: dict[str, int]
    batches: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"is_well": self.is_well} | asdict(self)


def verify(engine: Engine) -> Verification:
    """Look at everything that the ledger has, as it is at one instant. Nothing is changed."""
    with engine.connect() as con:
        if con.dialect.name == "postgresql":
            con.execution_options(isolation_level="REPEATABLE READ")  # SQLite reads so anyway
        entry_count, stories, findings = read_chain(con)
        rows = [dict(row) for row in con.execute(select(letters).order_by(letters.c.letter_id)).mappings()]
        batches = batch_counts(rows, {letter_id for letter_id, story in stories.items() if story.states})
        findings += [
            *rule_findings(con),
            *_reference_findings(con),
            *letter_findings(con, rows, stories),
            *accept_findings(con),
            *message_findings(con, rows),
            *approval_findings(con, rows, stories),
            *contact_findings(rows),
            *_count_findings(batches),
        ]
        remarks = _remarks(con)
    return Verification(
        entry_count,
        len(rows),
        {state: count for state in ALL_STATES if (count := sum(row["state"] == state for row in rows))},
        batches,
        tuple(findings),
        remarks,
    )


def batch_counts(rows: Sequence[Row], planned: set[str]) -> dict[str, dict[str, int]]:
    """Letters planned and what became of them, by batch."""
    group_of = {state: group for group, states in GROUPS.items() for state in states}
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        batch = counts.setdefault(row["batch_id"], dict.fromkeys(("planned", *GROUPS), 0))
        batch["planned"] += row["letter_id"] in planned
        group = group_of.get(row["state"])
        if group:
            batch[group] += 1
    return dict(sorted(counts.items()))


def rule_findings(con: Connection) -> list[Finding]:
    """Rules that are not in force: their triggers are gone, switched off or changed."""
    wanted, there = rules_of(con.dialect.name), installed_rules(con)
    wrong = sorted(name for name in wanted if there.get(name) != wanted[name])
    more = sorted(set(there) - set(wanted))
    return [
        *(Finding("rule", f"trigger:{name}", "is missing, switched off or changed") for name in wrong),
        *(Finding("rule", f"trigger:{name}", "is none of ours") for name in more),
    ]


def _reference_findings(con: Connection) -> list[Finding]:
    """Rows that refer to nothing; PostgreSQL cannot have them."""
    if con.dialect.name != "sqlite":
        return []
    broken = con.exec_driver_sql("pragma foreign_key_check").all()
    return [
        Finding("reference", f"{row[0]}:{row[1]}", f"refers to a row of {row[2]} that is not there")
        for row in broken
    ]


def _count_findings(batches: dict[str, dict[str, int]]) -> list[Finding]:
    return [
        Finding("count", f"batch:{batch_id}", f"{counts['planned']} planned, {sum(rest)} accounted for")
        for batch_id, counts in batches.items()
        if counts["planned"] != sum(rest := [counts[group] for group in GROUPS])
    ]


def _remarks(con: Connection) -> tuple[str, ...]:
    if con.dialect.name == "postgresql" and con.execute(text("show fsync")).scalar() != "on":
        return ("the server runs with fsync off: after a power cut it may not know what was sent",)
    return ()
