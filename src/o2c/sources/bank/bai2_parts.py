"""Running counts and sums of a BAI2 file, its groups and accounts, to be compared with their trailers."""

from dataclasses import dataclass, field

from o2c.sources.bank.bai2_fields import minor


@dataclass(slots=True)
class Part:
    """What came so far of a file, group or account. ``amount`` is in minor units, whatever the currency."""

    line: int = 0
    record_count: int = 0
    part_count: int = 0
    amount: int = 0


@dataclass(slots=True)
class Parts:
    """The parts that are open where the reading stands."""

    file: Part = field(default_factory=Part)
    group: Part = field(default_factory=Part)
    account: Part = field(default_factory=Part)


def add_up(outer: Part, inner: Part, fields: list[str]) -> None:
    """A trailer sums what the trailers inside it state, not what is there: one wrong amount is said once.

    Raises:
        ValueError: the trailer's sum cannot be read.
    """
    outer.record_count += inner.record_count
    outer.part_count += 1
    outer.amount += minor(fields[0].strip())
