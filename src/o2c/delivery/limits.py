"""What a carrier's account allows, and what of it is left."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AccountLimits:
    """What the carrier says of the account: messages a second, messages in 24 hours, and whether it may send."""

    max_send_rate: float
    max_24_hour_send: int
    sent_last_24_hours: int
    sending_enabled: bool
    production_access: bool
