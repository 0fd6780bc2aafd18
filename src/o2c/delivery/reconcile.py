"""What the ledger says left against what the carrier says: letters without a trace, traces without a letter."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from o2c.delivery.events import STATE_OF_EVENT
from o2c.delivery.insights import Missing
from o2c.ledger.delivery_events import Finding
from o2c.ledger.moving import utc
from o2c.ledger.tables import attempts, delivery_events, letters

# SES tells SEND within seconds; an hour later it is missing.
LATE = timedelta(hours=1)
_DAY = timedelta(days=1)
# What a person has looked at stands in the audit chain; it is not shown for ever.
_SHOWN_FOR = timedelta(days=30)
_SHOWN = 20
_FINAL = ("refused", "cancelled", "presumed_not_sent")


@dataclass(frozen=True)
class Reconciliation:
    """What a person looks at: ids only. ``findings`` must not be at all; the rest may be a passing fault.

    ``accepted_in_24_hours`` and ``unknown_in_24_hours`` are attempts of ours; the account's own count, where it was
    asked, is between the first and the sum of both as long as nobody else sends with it.
    """

    sent_without_event: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unknown_tag_count: int = 0
    findings: tuple[Finding, ...] = ()
    accepted_in_24_hours: int = 0
    unknown_in_24_hours: int = 0
    account_in_24_hours: int | None = None

    @property
    def account_differs(self) -> bool:
        """The account sent fewer than it took from us, or more than we gave it."""
        told = self.account_in_24_hours
        most = self.accepted_in_24_hours + self.unknown_in_24_hours
        return told is not None and not self.accepted_in_24_hours <= told <= most

    @property
    def is_clean(self) -> bool:
        """Nothing for a person to look at."""
        return not (
            self.sent_without_event
            or self.unknown
            or self.unknown_tag_count
            or self.findings
            or self.account_differs
        )

    def text(self) -> str:
        """For people, a line per fault."""
        lines = [
            _listed("letters sent more than an hour ago of which no event came", self.sent_without_event),
            _listed("letters of which nobody knows whether they left", self.unknown),
            f"- {self.unknown_tag_count} events of letters that are not ours"
            if self.unknown_tag_count
            else "",
            *(f"- **{one.kind}** {one.letter_id}: {one.detail}" for one in self.findings[:_SHOWN]),
        ]
        if self.account_differs:
            lines.append(
                f"- in 24 hours the carrier accepted {self.accepted_in_24_hours} letters"
                f" (and perhaps {self.unknown_in_24_hours} more), but counts {self.account_in_24_hours}"
            )
        return "\n".join(line for line in lines if line) or "- nothing to look at"


def reconcile(
    engine: Engine, now: datetime, *, carrier: str = "ses", account_in_24_hours: int | None = None
) -> Reconciliation:
    """Compare the ledger with a carrier's events. Reads only.

    Args:
        account_in_24_hours: what the carrier counts as sent in the last day; None where it was not asked.
    """
    has_event = select(delivery_events.c.event_id).where(
        delivery_events.c.letter_id == letters.c.letter_id, delivery_events.c.event_type.in_(STATE_OF_EVENT)
    )
    ours = letters.c.carrier == carrier
    with engine.connect() as con:
        silent = con.execute(
            select(letters.c.letter_id)
            .where(
                ours,
                letters.c.state == "sent",
                letters.c.sent_at.between(now - _SHOWN_FOR, now - LATE),
                ~has_event.exists(),
            )
            .order_by(letters.c.letter_id)
        ).scalars()
        unknown = con.execute(
            select(letters.c.letter_id)
            .where(ours, letters.c.state == "unknown")
            .order_by(letters.c.letter_id)
        ).scalars()
        strange = con.execute(
            select(func.count())
            .select_from(delivery_events)
            .where(
                delivery_events.c.letter_id.is_(None),
                delivery_events.c.carrier == carrier,
                delivery_events.c.received_at > now - _DAY,
            )
        ).scalar_one()
        counts = con.execute(
            select(attempts.c.outcome, func.count().label("count"))
            .where(attempts.c.carrier == carrier, attempts.c.started_at > now - _DAY)
            .group_by(attempts.c.outcome)
        ).all()
        told = Counter({row.outcome: row[1] for row in counts})
        return Reconciliation(
            sent_without_event=tuple(silent),
            unknown=tuple(unknown),
            unknown_tag_count=strange,
            findings=_findings(con, carrier, now - _SHOWN_FOR),
            accepted_in_24_hours=told["accepted"],
            unknown_in_24_hours=told["unknown"] + told[None],
            account_in_24_hours=account_in_24_hours,
        )


def missing_letters(engine: Engine, carrier: str, before: datetime) -> list[Missing]:
    """Letters that have been unknown since before an instant, to ask the carrier about them one by one."""
    query = (
        select(
            letters.c.letter_id,
            letters.c.address,
            func.min(attempts.c.started_at).label("first"),
            func.max(attempts.c.started_at).label("last"),
        )
        .join(attempts, attempts.c.letter_id == letters.c.letter_id)
        .where(letters.c.state == "unknown", letters.c.carrier == carrier)
        .group_by(letters.c.letter_id, letters.c.address)
        .having(func.max(attempts.c.started_at) <= before)
        .order_by(letters.c.letter_id)
    )
    with engine.connect() as con:
        return [
            Missing(row.letter_id, row.address, utc(row.first), utc(row.last)) for row in con.execute(query)
        ]


def _findings(con: Connection, carrier: str, since: datetime) -> tuple[Finding, ...]:
    """Letters accepted twice, and letters that left although the ledger says that they did not, lately."""
    ids = (
        select(delivery_events.c.letter_id, delivery_events.c.carrier_message_id)
        .where(
            delivery_events.c.letter_id.is_not(None),
            delivery_events.c.carrier == carrier,
            delivery_events.c.carrier_message_id.is_not(None),
            delivery_events.c.received_at > since,
        )
        .union(
            select(attempts.c.letter_id, attempts.c.carrier_message_id).where(
                attempts.c.carrier == carrier,
                attempts.c.carrier_message_id.is_not(None),
                attempts.c.started_at > since,
            )
        )
        .subquery()
    )
    doubled = con.execute(
        select(ids.c.letter_id, func.count().label("count"))
        .group_by(ids.c.letter_id)
        .having(func.count() > 1)
    ).all()
    left = con.execute(
        select(letters.c.letter_id, letters.c.state)
        .join(delivery_events, delivery_events.c.letter_id == letters.c.letter_id)
        .where(
            delivery_events.c.event_type.in_(STATE_OF_EVENT),
            delivery_events.c.received_at > since,
            letters.c.state.in_((*_FINAL, "rendered", "approval_pending", "approved")),
        )
        .distinct()
    ).all()
    findings = [
        Finding("double_accept", row.letter_id, f"accepted {row[1]} times by the carrier") for row in doubled
    ]
    for row in left:
        kind = "left_after_all" if row.state in _FINAL else "left_without_claim"
        findings.append(Finding(kind, row.letter_id, f"has events, but its state is {row.state}"))
    return tuple(sorted(findings, key=lambda one: (one.kind, one.letter_id)))


def _listed(what: str, letter_ids: tuple[str, ...]) -> str:
    if not letter_ids:
        return ""
    more = f" and {len(letter_ids) - _SHOWN} more" if len(letter_ids) > _SHOWN else ""
    return f"- {len(letter_ids)} {what}: {', '.join(letter_ids[:_SHOWN])}{more}"
