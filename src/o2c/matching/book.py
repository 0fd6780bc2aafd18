"""What cash application reads and what it returns: one frame per kind of thing."""

from dataclasses import dataclass, field

import polars as pl

from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CashCandidates,
    CashDecisions,
    CashExceptions,
    CustomerNames,
    Deductions,
    Frame,
    PayerAccounts,
    PayerAssignments,
    PossiblePayers,
    RemittanceLines,
)

# Decisions that cannot be carried out, the field that does not fit, and why.
REFUSED = pl.Schema({name: pl.String() for name in ("decision_id", "payment_id", "field", "reason")})


def standing(applications: pl.DataFrame) -> pl.DataFrame:
    """Recorded applications that still count: neither negated, nor negations themselves."""
    negated = applications["reverses_application_id"].drop_nulls()
    return applications.filter(
        pl.col("reverses_application_id").is_null(), ~pl.col("application_id").is_in(negated.implode())
    )


@dataclass(frozen=True)
class CashBook:
    """Everything that decides which payment settles what, after all that was recorded before.

    ``recorded``, ``assignments`` and ``deductions`` are those of earlier runs; they stand. ``decisions`` are all that
    persons ever gave; those already carried out have their rows among the recorded.
    """

    items: pl.DataFrame
    payments: pl.DataFrame
    remittance_lines: pl.DataFrame = field(default_factory=RemittanceLines.empty)
    customers: pl.DataFrame = field(default_factory=CustomerNames.empty)
    accounts: pl.DataFrame = field(default_factory=PayerAccounts.empty)
    recorded: pl.DataFrame = field(default_factory=Applications.empty)
    assignments: pl.DataFrame = field(default_factory=PayerAssignments.empty)
    deductions: pl.DataFrame = field(default_factory=Deductions.empty)
    decisions: pl.DataFrame = field(default_factory=CashDecisions.empty)
    # application_id of recorded rows that the ledger has booked itself meanwhile: its rows stand for them
    superseded: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"application_id": pl.String})
    )

    def standing(self) -> pl.DataFrame:
        """Recorded applications that count: neither negated nor superseded, and no negations."""
        return standing(self.recorded).join(self.superseded, on="application_id", how="anti")

    def validate(self) -> None:
        """Raise pandera's SchemaError where a frame is not what its model says."""
        for name, model in MODELS.items():
            model.validate(getattr(self, name))


MODELS: dict[str, type[Frame]] = {
    "items": ApplicableItems,
    "payments": ApplicablePayments,
    "remittance_lines": RemittanceLines,
    "customers": CustomerNames,
    "accounts": PayerAccounts,
    "recorded": Applications,
    "assignments": PayerAssignments,
    "deductions": Deductions,
    "decisions": CashDecisions,
}


@dataclass(frozen=True)
class CashResult:
    """What is new, to be recorded behind the earlier rows, and what a person must see.

    ``applications``, ``assignments`` and ``deductions`` are recorded once. ``exceptions``, ``candidates`` and
    ``possible_payers`` are of this run alone: the next one finds them again, or not. ``refused`` are decisions of
    persons that do not fit (``decision_id, payment_id, field, reason``).
    """

    applications: pl.DataFrame = field(default_factory=Applications.empty)
    assignments: pl.DataFrame = field(default_factory=PayerAssignments.empty)
    deductions: pl.DataFrame = field(default_factory=Deductions.empty)
    exceptions: pl.DataFrame = field(default_factory=CashExceptions.empty)
    candidates: pl.DataFrame = field(default_factory=CashCandidates.empty)
    possible_payers: pl.DataFrame = field(default_factory=PossiblePayers.empty)
    refused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED))
