"""One round of the post office: what is approved is claimed, looked at once more, posted and recorded."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Engine

from o2c.delivery.carrier import Carrier, Outcome, OutgoingLetter
from o2c.delivery.edge import Edge
from o2c.delivery.limits import AccountLimits, Limits
from o2c.ledger.outgoing import (
    Claim,
    claim,
    open_pauses,
    record,
    record_and_claim,
    still_held,
    waiting_letters,
)
from o2c.ledger.recording import LEASE_OVER, NO_TRY, STOPPED
from o2c.policy.controls import Delivery

# Letters looked at in one claim: some of them another worker may have taken meanwhile.
_WINDOW = 5
_CHUNK = 500


@runtime_checkable
class BulkCarrier(Protocol):
    """A carrier that can take the same letter twice without harm, and so takes many at a time: a folder."""

    def send_many(self, letters: Sequence[OutgoingLetter]) -> list[Outcome]:
        """What came of each letter, in their order. Raises where it may have taken some and not others."""
        ...

    def finish(self, batch_ids: Collection[str]) -> None:
        """Put batches in order that a killed run left behind with all their letters taken."""
        ...


@dataclass(frozen=True)
class DeliveryReport:
    """What one call did: letters by outcome, by the state recovery gave them, and by why they still wait."""

    outcomes: Mapping[str, int]
    settled: Mapping[str, int]
    waiting: Mapping[str, int]
    paused: str | None = None
    stopped: str | None = None


@dataclass
class Round:
    """One call of ``deliver``, and what it has seen so far."""

    engine: Engine
    carrier: Carrier
    policy: Delivery
    edge: Edge
    owner: str
    account: AccountLimits | None
    channels: Collection[str] | None
    batch_ids: Collection[str] | None
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    batches: set[str] = field(default_factory=set)
    last_days: dict[date, date] = field(default_factory=dict)
    limits: Limits | None = None
    paused: str | None = None
    stopped: str | None = None

    # ── each letter for itself ──

    def by_post(self) -> None:
        """Claim, look once more, post, record. The record of some and the claim of the next share a transaction.

        As many at once as it takes to keep the account's rate while the carrier thinks.
        """
        queue = self._queue()
        if self.carrier.reaches_people:
            batches = {row["batch_id"] for row in queue}
            self.limits = Limits(
                self.engine, self.carrier, self.policy, self.account, batches, self.edge.monotonic
            )
        answered: list[tuple[Claim, Outcome]] = []
        self._see_pauses()
        with ThreadPoolExecutor(self.limits.most_at_once if self.limits else 1) as threads:
            try:
                while queue and not self._must_end():
                    answered = self._keep_rate(answered)
                    count = self.limits.at_once() if self.limits else 1
                    now, since = self.edge.clock(), self.edge.monotonic()
                    ids = self._next(queue, now, _WINDOW + count)
                    claims = self._record_and_claim(answered, ids, count, now)
                    answered = []
                    if not claims:
                        self._see_pauses()
                        del queue[: len(ids)]
                        continue
                    del queue[: ids.index(claims[-1].letter.letter_id) + 1]
                    answered = self._heed(self._post(claims, since, threads))
            finally:  # whatever ends the round: what the carrier said is not forgotten
                self._record(answered)

    def _heed(self, answered: list[tuple[Claim, Outcome]]) -> list[tuple[Claim, Outcome]]:
        """What is to be recorded with the next claim; answers that may stop the carrier are recorded at once."""
        kinds = {outcome.kind for _, outcome in answered}
        self._count(outcome for _, outcome in answered)
        if self.limits:
            self.limits.took(len(answered), in_trouble=not kinds <= {"accepted", "refused"})
        if not kinds & {"unknown", "paused"}:
            return answered
        self._record(answered)
        if self.limits:
            self.limits.look(self.edge.clock(), is_alarmed=True)
        self._see_pauses()
        return []

    def _keep_rate(self, answered: list[tuple[Claim, Outcome]]) -> list[tuple[Claim, Outcome]]:
        """Wait for the rate with nothing claimed and nothing unrecorded. Returns what is still to be recorded."""
        delay = self.limits.delay() if self.limits else 0.0
        if delay <= 0:
            return answered
        self._record(answered)
        self.edge.sleep(delay)
        return []

    def _record_and_claim(
        self, answered: list[tuple[Claim, Outcome]], ids: list[str], count: int, now: datetime
    ) -> list[Claim]:
        day = self.edge.day_of(now)
        limits = self.limits
        return record_and_claim(
            self.engine,
            answered,
            carrier=self.carrier.name,
            owner=self.owner,
            now=now,
            lease=timedelta(seconds=self.policy.lease_seconds),
            contact_date=day,
            letter_ids=ids,
            limit=count,
            admit=(lambda con, rows, wanted: limits.admit(con, rows, wanted, day)) if limits else None,
            max_attempts=self.policy.max_attempts,
        )

    def _post(
        self, claims: list[Claim], since: float, threads: ThreadPoolExecutor
    ) -> list[tuple[Claim, Outcome]]:
        """The one attempt. Right before it: is it still ours, is there time enough for the answer, may we at all?"""
        longest = self.policy.lease_seconds - self.policy.request_timeout_seconds
        self.stopped = self.edge.stop()
        if self.stopped:
            return [(one, Outcome("not_accepted", error_class=STOPPED)) for one in claims]
        ours = still_held(self.engine, claims)
        if self.edge.monotonic() - since > longest:
            ours = []
        gone = [one for one in claims if one not in ours]
        answered = [(one, Outcome("not_accepted", error_class=LEASE_OVER)) for one in gone]
        said: dict[str, Outcome] = {}
        try:
            list(threads.map(lambda one: self._send(one, said), ours))
        except BaseException:  # somebody ends this in the middle: those on their way are waited for
            threads.shutdown()
            self._record([(one, said[one.letter.letter_id]) for one in ours if one.letter.letter_id in said])
            raise
        answered += [(one, said[one.letter.letter_id]) for one in ours]
        # they ended in no order: those without an answer come last, or others would hide so many in a row
        return sorted(answered, key=lambda pair: pair[1].kind == "unknown")

    def _send(self, claimed: Claim, said: dict[str, Outcome]) -> None:
        try:
            outcome = self.carrier.send(claimed.letter)
        except Exception as error:
            outcome = Outcome("unknown", error_class=type(error).__name__)
        said[claimed.letter.letter_id] = outcome

    # ── many letters at a time ──

    def in_bulk(self, carrier: BulkCarrier) -> None:
        """Claim all, hand them over, record all: done twice, it comes to the same."""
        self._see_pauses()
        now = self.edge.clock()
        ids = self._next(self._queue(), now, None)
        claims: list[Claim] = []
        for start in range(0, len(ids), _CHUNK):
            if self._must_end():
                break
            claims += claim(
                self.engine,
                carrier=self.carrier.name,
                owner=self.owner,
                now=now,
                lease=timedelta(0),  # whoever comes next asks the carrier
                contact_date=self.edge.day_of(now),
                letter_ids=ids[start : start + _CHUNK],
                limit=_CHUNK,
            )
        if self._must_end():
            outcomes = [Outcome("not_accepted", error_class=STOPPED)] * len(claims)
        else:
            outcomes = carrier.send_many([one.letter for one in claims]) if claims else []
            self.batches = {one.letter.batch_id for one in claims}
        answered = list(zip(claims, outcomes, strict=True))
        for start in range(0, len(answered), _CHUNK):
            self._record(answered[start : start + _CHUNK])
        self._count(outcomes)

    # ── both ──

    def _count(self, outcomes: Iterable[Outcome]) -> None:
        """What the carrier said; what it was never asked only waits."""
        self.outcomes.update(one.kind for one in outcomes if one.error_class not in NO_TRY)

    def _queue(self) -> list[dict[str, Any]]:
        """Rows of letters that may leave as far as the ledger knows and on this day, in order."""
        now = self.edge.clock()
        today = self.edge.day_of(now)
        queue = []
        for row in waiting_letters(self.engine, now, channels=self.channels, batch_ids=self.batch_ids):
            if reason := row["waits_for"] or self._day_says(row, today):
                self.reasons[row["letter_id"]] = reason
            else:
                queue.append(row)
        return queue

    def _day_says(self, row: Mapping[str, Any], today: date) -> str | None:
        """Why a letter does not leave on a day."""
        as_of = row["decided_as_of_date"]
        if as_of not in self.last_days:
            self.last_days[as_of] = self.edge.last_day_of(as_of)
        if as_of <= today <= self.last_days[as_of]:
            return None
        return "not_yet" if today < as_of else "stale"

    def _next(self, queue: list[dict[str, Any]], now: datetime, limit: int | None) -> list[str]:
        """The first letters of the queue that may leave at this instant; those before them are taken out of it."""
        ids: list[str] = []
        position = 0
        today = self.edge.day_of(now)  # a round may last past midnight
        asked = self.edge.may_leave if self.carrier.reaches_people else None
        while position < len(queue) and (limit is None or len(ids) < limit):
            row = queue[position]
            if reason := self._day_says(row, today) or (asked(row, now) if asked else None):
                self.reasons[row["letter_id"]] = reason
                del queue[position]
            else:
                ids.append(row["letter_id"])
                position += 1
        return ids

    def _record(self, answered: list[tuple[Claim, Outcome]]) -> None:
        if answered:
            record(self.engine, answered, self.edge.clock(), self.policy.max_attempts)

    def _must_end(self) -> bool:
        if self.limits and self.limits.look(self.edge.clock()):
            self._see_pauses()
        self.stopped = self.stopped or self.edge.stop()
        return bool(self.stopped or self.paused)

    def _see_pauses(self) -> None:
        pauses = open_pauses(self.engine, self.edge.clock(), self.carrier.name)
        self.paused = pauses[0].reason if pauses else None

    def report(self, settled: Mapping[str, str]) -> DeliveryReport:
        """Counts, and why what is still approved did not leave."""
        self._see_pauses()
        held = {**self.reasons, **(self.limits.reasons if self.limits else {})}
        general = "stopped" if self.stopped else "paused" if self.paused else "later"
        still = waiting_letters(
            self.engine, self.edge.clock(), channels=self.channels, batch_ids=self.batch_ids
        )
        waiting = Counter(row["waits_for"] or held.get(row["letter_id"], general) for row in still)
        return DeliveryReport(
            dict(sorted(self.outcomes.items())),
            dict(sorted(Counter(settled.values()).items())),
            dict(sorted(waiting.items())),
            self.paused,
            self.stopped,
        )
