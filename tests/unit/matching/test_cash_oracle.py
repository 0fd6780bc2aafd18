"""A patient clerk, who tries everything, comes to the same as the engine on many random small books."""

import os

from cash_clerk import Clerk
from cash_random_books import books
from hypothesis import HealthCheck, Phase, given, settings
from matching_books import AS_OF, POLICY, apply

EXAMPLES = int(os.environ.get("O2C_LAW_EXAMPLES", "15"))
PHASES = [phase for phase in Phase if phase != Phase.shrink or os.environ.get("O2C_LAW_SHRINK")]
TOGETHER = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
PARTS = ("items", "payments", "remittance_lines", "customers", "accounts")


def agree(of):
    result = apply(of)
    clerk = Clerk({part: getattr(of, part).to_dicts() for part in PARTS}, POLICY, AS_OF).work()
    columns = ("payment_id", "invoice_id", "credit_memo_id", "application_type", "applied_amount")
    said = {
        "applications": _sorted(result.applications.select(columns).iter_rows()),
        "assignments": _sorted(result.assignments.select("payment_id", "customer_id").iter_rows()),
        "deductions": _sorted(
            result.deductions.select("payment_id", "invoice_id", "deduction_amount").iter_rows()
        ),
    }
    assert said == {
        "applications": _sorted(clerk.booked),
        "assignments": _sorted(clerk.owners.items()),
        "deductions": _sorted(clerk.withheld),
    }


def _sorted(rows):
    return sorted(rows, key=lambda row: tuple("" if value is None else value for value in row))


@TOGETHER
@given(books(with_lines=False))
def test_a_patient_clerk_reads_texts_and_adds_sums_as_the_engine_does(of):
    agree(of)


@TOGETHER
@given(books())
def test_a_patient_clerk_reads_remittances_as_the_engine_does(of):
    agree(of)
