"""How fast and how much may leave: the account's rate and quota, the policy's caps, canary and breakers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class AccountLimits:
    """What the carrier says of the account: messages a second, messages in 24 hours, and whether it may send.

    ``max_24_hour_send`` is negative for an account without a quota.
    """

    max_send_rate: float
    max_24_hour_send: int
    sent_last_24_hours: int
    sending_enabled: bool = True
    production_access: bool = True


class TokenBucket:
    """Permits at a steady rate, a second's worth at most saved up. Holds no clock of its own."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._rate, self._monotonic = rate, monotonic
        self._size = max(1.0, rate)
        self._tokens, self._at = 1.0, monotonic()

    def delay(self) -> float:
        """Seconds until the next permit."""
        now = self._monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def take(self) -> None:
        """Use one permit."""
        self._tokens -= 1.0


class Limits:
    def __init__(self, engine, carrier, policy, account, edge) -> None:
        self.reasons: dict[str, str] = {}

    def delay(self) -> float:
        return 0.0

    def admit(self, con, row) -> str | None:
        return None

    def took(self, outcome) -> None:
        pass
