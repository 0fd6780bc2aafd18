"""What a person who approves sees and says: the lists that wait in a home, and one person's answer."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from flows.approvals import CarriedOut, carry_out
from o2c.approval_signatures import Signed, read_private_key, sign
from o2c.approvals import Ballot, Pending, signed_text
from o2c.home import Home, open_home
from o2c.ledger import Ledger
from o2c.ledger.approving import Decided, decide, read_request, waiting
from o2c.policy import ControlsPolicy, load_policies
from o2c.policy.controls import Approvals
from o2c.settings import Settings


@dataclass(frozen=True)
class Desk:
    """What a person who approves needs: the ledger, the policy, and what time it is in this home."""

    home: Home
    ledger: Ledger
    controls: ControlsPolicy
    now: datetime
    wait_seconds: float

    @property
    def policy(self) -> Approvals:
        return self.controls.approvals


def open_desk(root: Path | None = None) -> Desk:
    """The desk of a home. In a simulated one it is six in the morning of the day of the current release."""
    settings = Settings()
    controls = load_policies(settings.policies).controls
    home = open_home(root or settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    now = home.clock(ledger.current_date(), controls.time_zone)
    return Desk(home, ledger, controls, now, settings.lock_wait_seconds)


def list_waiting(desk: Desk) -> list[Pending]:
    """Lists that wait for people, the oldest first."""
    return waiting(desk.ledger.engine, desk.now)


def answer(desk: Desk, ballot: Ballot, key: Path | None = None) -> tuple[Decided, CarriedOut]:
    """Record one person's yes or no; what that approves is carried out at once, letters apart.

    Args:
        key: the person's private key, to sign with.

    Raises:
        ApprovalRefused: with every reason. Nothing was recorded.
    """
    pending = read_request(desk.ledger.engine, ballot.request_id)
    if key is not None and pending is not None:
        at = desk.now.replace(microsecond=0)
        text = signed_text(ballot, pending.request_id, pending.content_hash, at)
        ballot = replace(ballot, signed=Signed(sign(text, read_private_key(key)), at))
    decided = decide(
        desk.ledger.engine,
        ballot.request_id,
        content_hash=ballot.content_hash,
        approver=ballot.approver,
        role=ballot.role,
        verdict=ballot.verdict,
        policy=desk.policy,
        now=desk.now,
        comment=ballot.comment,
        signed=ballot.signed,
    )
    if decided.state != "approved":
        return decided, CarriedOut((), ())
    return decided, carry_out(desk.home, desk.ledger, desk.now, desk.controls.time_zone, desk.wait_seconds)
