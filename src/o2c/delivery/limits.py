"""How fast and how much may leave: the account's rate and quota, the policy's caps, canary and breakers."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row

from o2c.delivery.carrier import Carrier
from o2c.ledger.health import batch_health, carrier_health
from o2c.ledger.outgoing import pause
from o2c.ledger.tallying import Tally, domain_of, first_states
from o2c.policy.controls import Breakers, Delivery

# Bounces and complaints come by events while a batch leaves: they are looked at once in so many letters.
_LOOK_EVERY = 25
# Letters of which nobody knows yet whether they left, at most: so many are unknown if the worker dies.
MOST_AT_ONCE = 16
# A carrier's answer takes a tenth of a second or less; with so many letters on their way the rate is reached.
_ANSWER_SECONDS = 0.1


@dataclass(frozen=True)
class AccountLimits:
    """What the carrier says of the account: messages a second, and messages in 24 hours.

    ``max_24_hour_send`` is negative for an account without a quota.
    """

    max_send_rate: float
    max_24_hour_send: int
    sent_last_24_hours: int


class TokenBucket:
    """Permits at a steady rate, a second's worth at most saved up. Holds no clock of its own."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._rate, self._monotonic = rate, monotonic
        self._size = max(1.0, rate)
        self._tokens, self._at = 1.0, monotonic()

    def delay(self) -> float:
        """Seconds until the next permit."""
        return max(0.0, (1.0 - self._filled()) / self._rate)

    def permits(self) -> int:
        """How many there are."""
        return int(self._filled())

    def take(self, count: int = 1) -> None:
        """Use permits."""
        self._tokens -= count

    def _filled(self) -> float:
        now = self._monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens


class Limits:
    """How much of what is approved may leave by a carrier that reaches people, over one call of the post office."""

    def __init__(
        self,
        engine: Engine,
        carrier: Carrier,
        policy: Delivery,
        account: AccountLimits | None,
        batch_ids: Collection[str],
        monotonic: Callable[[], float],
    ) -> None:
        self._engine, self._carrier, self._policy, self._account = engine, carrier, policy, account
        self._batch_ids = sorted(batch_ids)
        self._tally = Tally(batch_ids)
        self._is_released: dict[str, bool] = {}
        self._since_look = _LOOK_EVERY
        rate = policy.rate_share * Decimal(str(account.max_send_rate)) if account else Decimal(0)
        self._bucket = TokenBucket(float(rate), monotonic) if rate > 0 else None
        self._together = 1
        self.most_at_once = max(1, min(MOST_AT_ONCE, math.ceil(float(rate) * _ANSWER_SECONDS)))
        self.reasons: dict[str, str] = {}

    def delay(self) -> float:
        """Seconds until the next letter may leave."""
        return self._bucket.delay() if self._bucket else 0.0

    def at_once(self) -> int:
        """How many letters may leave together now: more and more while all are answered, one after trouble."""
        return max(1, min(self._together, self._bucket.permits())) if self._bucket else 1

    def admit(self, con: Connection, rows: Sequence[Row[Any]], wanted: int, day: date) -> list[Row[Any]]:
        """The first letters that need not wait, asked in the transaction that claims them; why others do is kept."""
        self._tally.catch_up(con, day)
        admitted: list[Row[Any]] = []
        for row in rows:
            if len(admitted) == wanted:
                break
            reason = self._account_says() or self._canary_says(con, row.batch_id) or self._caps_say(row)
            if reason:
                self.reasons[row.letter_id] = reason
            else:
                self._tally.expect(row, self._carrier.name)
                admitted.append(row)
        return admitted

    def took(self, count: int, *, in_trouble: bool) -> None:
        """Count letters that were posted together; trouble: one was neither taken nor refused for its own sake."""
        self._together = 1 if in_trouble else min(2 * self._together, self.most_at_once)
        self._since_look += count
        if self._bucket:
            self._bucket.take(count)

    def look(self, now: datetime, *, is_alarmed: bool = False) -> bool:
        """Pause the carrier where sending goes wrong. Looks now and then; when alarmed, at once. Whether it did."""
        if not is_alarmed and self._since_look < _LOOK_EVERY:
            return False
        self._since_look = 0
        if tripped := tripped_breaker(
            self._engine, self._carrier.name, self._batch_ids, self._policy.breakers, now
        ):
            reason, detail = tripped
            pause(self._engine, self._carrier.name, reason, detail, None, "policy", now)
        return tripped is not None

    def _account_says(self) -> str | None:
        account = self._account
        if account is None:
            return None
        if account.max_send_rate <= 0:
            return "account_paused"
        sent = account.sent_last_24_hours + self._tally.per_carrier[self._carrier.name]
        return "daily_quota" if 0 <= account.max_24_hour_send <= sent else None

    def _caps_say(self, row: Row[Any]) -> str | None:
        caps, tally = self._policy.caps, self._tally
        amount = tally.amounts[row.batch_id, row.currency_code] + Decimal(row.total_amount)
        if tally.per_day >= caps.messages_per_day:
            return "cap_per_day"
        if tally.per_batch[row.batch_id] >= caps.messages_per_run:
            return "cap_per_run"
        if tally.per_domain[row.batch_id, domain_of(row.address)] >= caps.messages_per_domain:
            return "cap_per_domain"
        if amount > caps.amount_per_run.amount_for(row.currency_code):
            return "cap_on_amount"
        return None

    def _canary_says(self, con: Connection, batch_id: str) -> str | None:
        """The first few leave; the rest once enough of them were delivered and nobody complained.

        Judged once in a call: events take minutes, and the next call goes on.
        """
        canary, name = self._policy.canary, self._carrier.name
        left = self._tally.per_batch_and_carrier[batch_id, name]
        if not self._carrier.reports_delivery or canary.size == 0 or left < canary.size:
            return None
        if batch_id not in self._is_released:
            states = first_states(con, batch_id, name, canary.size)
            self._is_released[batch_id] = (
                states.count("delivered") >= canary.delivered_count and "complained" not in states
            )
        return None if self._is_released[batch_id] else "canary"


def tripped_breaker(
    engine: Engine, carrier: str, batch_ids: Collection[str], breakers: Breakers, now: datetime
) -> tuple[str, str] | None:
    """The first breaker that says stop, with its figures; None where all hold."""
    health = carrier_health(engine, carrier, now, breakers.complaint_days)
    if health.unknown_in_a_row >= breakers.unknown_in_a_row:
        return "unknown_in_a_row", f"{health.unknown_in_a_row} attempts in a row without an answer"
    if (
        health.complained_count
        and health.complained_count >= breakers.complaint_ratio * health.delivered_count
    ):
        return (
            "complaint_ratio",
            f"{health.complained_count} complaints of {health.delivered_count} delivered",
        )
    for batch_id in sorted(batch_ids):
        batch = batch_health(engine, carrier, batch_id)
        if batch.unknown_count > breakers.unknown_ratio * batch.letter_count:
            return "unknown_ratio", f"{batch.unknown_count} of {batch.letter_count} letters unknown"
        if (
            batch.bounced_count
            and batch.attempted_count >= breakers.bounce_minimum
            and batch.bounced_count >= breakers.bounce_ratio * batch.attempted_count
        ):
            return "bounce_ratio", f"{batch.bounced_count} of {batch.attempted_count} letters bounced"
    return None
