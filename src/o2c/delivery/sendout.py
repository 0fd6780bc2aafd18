"""What one call of ``o2c deliver`` did, in counts: for the terminal, as JSON and as a Prefect artifact."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from o2c.checks import Check


@dataclass
class Sendout:
    """What one call did, in counts: by outcome, by why letters were withdrawn, by why others wait."""

    as_of: date | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    paused: dict[str, str] = field(default_factory=dict)
    carried_out: int = 0
    faults: list[str] = field(default_factory=list)
    closed_gates: list[Check] = field(default_factory=list)
    stopped: str | None = None

    @property
    def exit_code(self) -> int:
        """0: all that could has left. 1: something waits for a person or a later hour. 2: nothing was let go."""
        if self.stopped or self.closed_gates:
            return 2
        is_over = not (self.waiting or self.paused or self.faults)
        return 0 if is_over and not set(self.outcomes) - {"accepted"} else 1

    def data(self) -> dict[str, Any]:
        """The same as data, in a fixed order."""
        return {
            "as_of_date": self.as_of and self.as_of.isoformat(),
            **{
                name: dict(sorted(getattr(self, name).items()))
                for name in ("outcomes", "settled", "withdrawn", "waiting", "paused")
            },
            "carried_out": self.carried_out,
            "faults": self.faults,
            "closed_gates": [vars(check) for check in self.closed_gates],
            "stopped": self.stopped,
        }

    def text(self) -> str:
        """A few lines; no names, no addresses."""
        if self.as_of is None and not self.stopped:
            return "Nothing is published yet, so nothing can leave."
        lines = [f"Letters that may leave on {self.as_of}:"]
        if self.stopped:
            lines.append(f"  stopped: {self.stopped}. Nothing leaves until `o2c deliver --go`.")
        lines += [
            f"  gate closed: {check.check_name} expected {check.expected}, found {check.actual}"
            for check in self.closed_gates
        ]
        for title, counts in (
            ("", self.outcomes),
            ("found again: ", self.settled),
            ("withdrawn: ", self.withdrawn),
            ("waits: ", self.waiting),
        ):
            lines += [
                f"  {title}{name.replace('_', ' ')}  {count:,}" for name, count in sorted(counts.items())
            ]
        lines += [
            f"  paused: {carrier}, {reason}. `o2c deliver --resume {carrier} --by NAME` lifts it."
            for carrier, reason in sorted(self.paused.items())
        ]
        if self.carried_out:
            lines.append(f"  approved lists carried out  {self.carried_out:,}")
        lines += [f"  fault: {fault}" for fault in self.faults]
        return "\n".join(lines if len(lines) > 1 else [*lines, "  none"])
