"""What one reading of delivery events came to."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from o2c.delivery.reconcile import Reconciliation
from o2c.ledger.delivery_events import EventReport


@dataclass
class EventsDone:
    """What one run came to. ``alarms`` are for a person, at once."""

    messages: int = 0
    unreadable: int = 0
    recorded: int = 0
    unknown_tags: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    tasks: int = 0
    presumed: int = 0
    read_until: datetime | None = None
    account_in_24_hours: int | None = None
    alarms: list[str] = field(default_factory=list)
    look: Reconciliation = field(default_factory=Reconciliation)

    @property
    def exit_code(self) -> int:
        """0 when all is well, 1 when a person has something to look at."""
        return 1 if self.alarms or self.unreadable or self.look.findings else 0

    def data(self) -> dict[str, Any]:
        """Counts, and the ids that a person looks at."""
        return {
            "messages": self.messages,
            "unreadable": self.unreadable,
            "recorded": self.recorded,
            "unknown_tags": self.unknown_tags,
            "by_type": dict(sorted(self.by_type.items())),
            "moved": dict(sorted(self.moved.items())),
            "suppressed": self.suppressed,
            "tasks": self.tasks,
            "presumed_not_sent": self.presumed,
            "read_until": None if self.read_until is None else self.read_until.isoformat(),
            "alarms": self.alarms,
            "unknown": list(self.look.unknown),
            "sent_without_event": list(self.look.sent_without_event),
        }

    def text(self) -> str:
        """For people."""
        moved = ", ".join(f"{count} {step_}" for step_, count in sorted(self.moved.items())) or "none"
        return "\n".join(
            [
                "# Delivery events",
                "",
                *(f"**{alarm}**\n" for alarm in self.alarms),
                f"- {self.messages} messages read, {self.recorded} events new, {self.unreadable} unreadable",
                f"- letters moved: {moved}",
                f"- {self.tasks} tasks, {self.suppressed} addresses suppressed, {self.presumed} presumed not sent",
                self.look.text(),
            ]
        )

    def add(self, report: EventReport) -> None:
        """Count what one batch came to."""
        self.recorded += report.recorded
        self.unknown_tags += report.unknown_tags
        self.by_type.update(report.by_type)
        self.moved.update(report.moved)
        self.suppressed += report.suppressed
        self.tasks += report.tasks
