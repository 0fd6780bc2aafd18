"""What persons typed into the exceptions list → decisions, checked against what is open and left, all or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from o2c.cash_sheet import Entry, Fault
from o2c.cash_typed import CONTENT, Draft, Published, Typed
from o2c.cash_workbook import HEADINGS
from o2c.frames import CashDecisions
from o2c.matching.decided import carry_out
from o2c.policy import ReasonCodesPolicy

# In which heading a person finds what a decision says.
_HEADING_OF = {
    "payment_id": "payment_id",
    "invoice_id": "invoice",
    "credit_memo_id": "credit_memo",
    "amount": "amount",
    "customer_id": "customer_id",
    "reason_code": "reason_code",
    "application_id": "application_id",
    "decision": "decision",
}


@dataclass(frozen=True)
class Checked:
    """Decisions to record, how many were given before, and every fault."""

    decisions: pl.DataFrame
    given_before: int
    faults: tuple[Fault, ...]


def check_decisions(
    entries: Iterable[Entry],
    published: Published,
    reasons: ReasonCodesPolicy,
    by: str,
    file_number: int,
) -> Checked:
    """Make decisions of what was typed, and try whether each could be carried out now, after those given before.

    A candidate becomes all that it says. What a decision takes back is taken back first, whatever row it stands in.

    Args:
        entries: rows of a list, in their order.
        published: what they are checked against.
        reasons: our reasons for deductions.
        by: who decided.
        file_number: how many files of decisions were given before this one, and one; it orders their decisions.

    Returns:
        Decisions with ids of date, file, place and content; the same content about the same state has been given
        before when its id ends alike.
    """
    desk = Typed(published, reasons)
    drafts = [draft for entry in entries for draft in desk.drafts_of(entry)]
    drafts.sort(key=lambda draft: draft.values["action"] != "reverse")
    faults = [*desk.faults, *_duplicates(drafts)]
    before = {decision_id.rsplit("-", 1)[-1] for decision_id in published.given["decision_id"]}
    fresh = [draft for draft in drafts if draft.content not in before]
    rows = [
        draft.values
        | {
            "decision_id": f"{published.as_of:%Y%m%d}-{file_number:06}-{place:06}-{draft.content}",
            "decided_by": by,
            "decided_date": published.as_of,
        }
        for place, draft in enumerate(fresh, start=1)
    ]
    decisions = CashDecisions.validate(
        pl.DataFrame(rows, schema=CashDecisions.empty().schema, orient="row").select(CashDecisions.columns())
    )
    if not faults:
        faults = _misfits(decisions, fresh, published, reasons)
    return Checked(decisions, len(drafts) - len(fresh), tuple(sorted(set(faults), key=lambda one: one.row)))


def describe(fault: Fault, columns: dict[str, int], *, is_workbook: bool) -> str:
    """A fault in words, with where it is: sheet, row and column as a spreadsheet names them."""
    column = _letters(columns[fault.name])
    where = "sheet Exceptions, row" if is_workbook else "line"
    return f"{where} {fault.row}, column {column} ({HEADINGS[fault.name]}): {fault.reason}"


def _duplicates(drafts: list[Draft]) -> list[Fault]:
    """Decisions that stand twice in one file: one of them is a slip, and nobody can say which."""
    first: dict[tuple[str, ...], int] = {}
    faults = []
    for draft in sorted(drafts, key=lambda one: one.row):
        key = tuple(str(draft.values[name]) for name in CONTENT)
        if first.setdefault(key, draft.row) != draft.row:
            faults.append(Fault(draft.row, "decision", f"the same as in row {first[key]}"))
    return faults


def _misfits(
    decisions: pl.DataFrame, drafts: list[Draft], published: Published, reasons: ReasonCodesPolicy
) -> list[Fault]:
    """What could not be carried out if the next run were now, after what was decided before."""
    recorded = published.recorded
    pending = published.given.join(recorded.answered, on="decision_id", how="anti")
    outcome = carry_out(
        pl.concat([pending, decisions]),
        published.items,
        published.payments,
        recorded.applications,
        recorded.assignments,
        recorded.deductions,
        reasons,
        published.as_of,
    )
    at = dict(zip(decisions["decision_id"], drafts, strict=True))
    return [
        Fault(
            at[row["decision_id"]].row,
            at[row["decision_id"]].column or _HEADING_OF[row["field"]],
            row["reason"],
        )
        for row in outcome.refused.iter_rows(named=True)
        if row["decision_id"] in at
    ]


def _letters(place: int) -> str:
    """The letters of a column, counted from 0: A, B, ..., Z, AA."""
    letters = ""
    while place >= 0:
        place, letter = divmod(place, 26)
        letters, place = chr(65 + letter) + letters, place - 1
    return letters
