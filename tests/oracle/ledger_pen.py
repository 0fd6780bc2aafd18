"""A ledger while it is written by chance: its rows, and how ids, days and amounts are drawn."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

MINOR_UNITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
FIRST_DAY = date(2025, 1, 20)
# One past each edge of a bucket, and the edge itself; due on the day, and not yet.
EDGES_OF_AGE = (-1, 0, 1, 30, 31, 60, 61, 90, 91, 200)
EDGES_OF_PERIODS = (0, 1, 89, 90, 91, 364, 365, 366)


@dataclass
class Ledger:
    """One to two entities with up to fifteen documents each, and whose they are."""

    name: str
    tables: Tables = field(default_factory=lambda: defaultdict(list))

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.tables.values())

    def told(self) -> str:
        """Its rows as text, for whoever has to find out."""
        lines = []
        for table, rows in self.tables.items():
            for row in rows:
                known = ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
                lines.append(f"  {table}: {known}")
        return "\n".join(lines)


class Pen:
    """What all of a ledger is written with. Ids begin with its name: many ledgers stand side by side in one build."""

    def __init__(self, name: str, seed: str, run_dates: tuple[date, ...]) -> None:
        self.draw = Random(seed)  # noqa: S311 chance, not secrecy
        self.ledger = Ledger(name)
        self.run_dates = run_dates
        self.counters: dict[str, int] = defaultdict(int)
        # a source gives what it wrote off as adjustments or as applications, never both
        self.source = self.draw.choice(["by_adjustments", "by_applications"])

    def _add(self, table: str, row: Row) -> Row:
        self.ledger.tables[table].append(row | {"_source": self.source})
        return self.ledger.tables[table][-1]

    def _id(self, kind: str) -> str:
        self.counters[kind] += 1
        return f"{self.ledger.name}.{kind}{self.counters[kind]}"

    def _any_day(self) -> date:
        if self.draw.random() < 0.35:
            return self.draw.choice(self.run_dates) - timedelta(self.draw.choice(EDGES_OF_PERIODS))
        if self.draw.random() < 0.15:
            month = date(2025, 1, 1) + timedelta(31 * self.draw.randrange(1, 18))
            return month.replace(day=1) - timedelta(self.draw.choice([0, 1]))
        # some come after the last run
        return FIRST_DAY + timedelta(self.draw.randrange((max(self.run_dates) - FIRST_DAY).days + 15))

    def _amount(self, currency: str) -> Decimal:
        digits = MINOR_UNITS[currency]
        return Decimal(self.draw.choice([1, 7, 100, 12345, self.draw.randrange(1, 99999)])).scaleb(-digits)

    def _part(self, amount: Decimal, currency: str) -> Decimal:
        """Half of it on the minor unit, at least one unit."""
        unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
        return max((amount / 2).quantize(unit), unit)

    def _documents(self) -> list[Row]:
        return self.ledger.tables["invoices"]
