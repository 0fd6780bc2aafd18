"""Letters on their way out: claimed before anything is posted, and recorded once the carrier has answered.

A claim is committed before the carrier is called, so that a letter of which nobody knows whether it left is never
sent again: see ``ledger.leases`` for those whose worker died.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, bindparam, select

from o2c.delivery.carrier import Outcome
from o2c.ledger.claiming import Admit, Claim, claim_in
from o2c.ledger.leases import expire_leases, presume_not_sent
from o2c.ledger.moving import utc
from o2c.ledger.pausing import Pause, lift_pause, open_pauses, pause
from o2c.ledger.planning import PlannedLetter, approved_letters, cancel_letters, cancel_stale, plan_letters
from o2c.ledger.queueing import batches_of, waiting_letters
from o2c.ledger.recording import record_in
from o2c.ledger.tables import letters
from o2c.ledger.writing import writing

__all__ = [
    "Claim",
    "Pause",
    "PlannedLetter",
    "approved_letters",
    "batches_of",
    "cancel_letters",
    "cancel_stale",
    "claim",
    "expire_leases",
    "lift_pause",
    "open_pauses",
    "pause",
    "plan_letters",
    "presume_not_sent",
    "record",
    "record_and_claim",
    "still_held",
    "waiting_letters",
]

_HOLDERS = select(letters.c.letter_id, letters.c.owner, letters.c.attempt_count).where(
    letters.c.letter_id.in_(bindparam("ids", expanding=True)), letters.c.state == "sending"
)


def claim(
    engine: Engine,
    *,
    carrier: str,
    owner: str,
    now: datetime,
    lease: timedelta,
    contact_date: date,
    letter_ids: Sequence[str] | None = None,
    limit: int = 1,
    admit: Admit | None = None,
) -> list[Claim]:
    """Take approved letters to post them: each gets an attempt, an owner and a lease, durably, before it is posted.

    Only what may leave: approved by an approval that still holds, back-off over, carrier not paused, address not
    suppressed, message as it was approved. A letter that the database refuses for the customer's quiet days, whose
    message is not what was approved, or whose earlier try left after all, is cancelled.

    Args:
        contact_date: the day that quiet days count from, in the business time zone.
        letter_ids: those to choose from, in this order; by default all, by id.
        limit: at most so many are claimed.
        admit: asked last, inside the transaction, with rows of letters and how many are wanted; the others wait.
    """
    with writing(engine) as con:
        return claim_in(con, carrier, owner, utc(now), lease, contact_date, letter_ids, limit, admit)


def record(
    engine: Engine, outcomes: Sequence[tuple[Claim, Outcome]], now: datetime, max_attempts: int = 5
) -> int:
    """Write down what the carrier answered. Returns how many letters were still the owner's.

    What came of a letter that is not (the lease ran out meanwhile) is kept in the attempt alone. ``not_accepted``
    goes back to approved and waits; after ``max_attempts`` tries it is cancelled.
    """
    with writing(engine) as con:
        return record_in(con, outcomes, utc(now), max_attempts)


def record_and_claim(
    engine: Engine,
    outcomes: Sequence[tuple[Claim, Outcome]],
    *,
    carrier: str,
    owner: str,
    now: datetime,
    lease: timedelta,
    contact_date: date,
    letter_ids: Sequence[str] | None = None,
    limit: int = 1,
    admit: Admit | None = None,
    max_attempts: int = 5,
) -> list[Claim]:
    """``record`` of some letters and ``claim`` of the next, in one transaction: one wait for the disk, not two."""
    with writing(engine) as con:
        record_in(con, outcomes, utc(now), max_attempts)
        return claim_in(con, carrier, owner, utc(now), lease, contact_date, letter_ids, limit, admit)


def still_held(engine: Engine, claims: Sequence[Claim]) -> list[Claim]:
    """Those that nobody took back meanwhile. Asked right before they are posted."""
    with engine.connect() as con:
        rows = con.execute(_HOLDERS, {"ids": [one.letter.letter_id for one in claims]}).all()
    held = {row.letter_id: (row.owner, row.attempt_count) for row in rows}
    return [one for one in claims if held.get(one.letter.letter_id) == one.held]
