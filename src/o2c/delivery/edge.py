"""What the post office cannot know by itself: the time, the days of the business, the hours of people, the brake."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

MayLeave = Callable[[Mapping[str, Any], datetime], str | None]


@dataclass(frozen=True)
class Edge:
    """The edge of one call.

    ``clock`` gives UTC. ``day_of`` is the date of an instant in the business time zone, ``last_day_of`` the last date
    on which letters of an as-of date may leave. ``stop`` says why nothing may leave at all, ``may_leave`` why one
    letter (its row) waits at an instant; the latter is not asked for carriers that reach nobody.
    """

    clock: Callable[[], datetime]
    day_of: Callable[[datetime], date]
    last_day_of: Callable[[date], date]
    stop: Callable[[], str | None]
    may_leave: MayLeave | None = None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
