"""What a page is made of: finished words in tables, charts and parts. Templates get these and decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

# Entity of the rows in group currency over all entities.
GROUP = "ALL"

Kind = Literal["text", "number"]


@dataclass(frozen=True)
class Column:
    """A column's heading; ``definition`` is the anchor of what it means."""

    title: str
    kind: Kind = "number"
    definition: str = ""


@dataclass(frozen=True)
class Cell:
    """Finished text. ``tone`` colours it, always beside words that say the same."""

    text: str
    tone: Literal["", "good", "bad", "soft"] = ""
    href: str = ""
    below: str = ""
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption; the first column names the row. ``total_rows`` at its end are set apart."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total_rows: int = 0
    note: str = ""
    is_folded: bool = False
    definition: str = ""


@dataclass(frozen=True)
class Chart:
    """A finished drawing, and in words what it shows."""

    title: str
    svg: str
    words: str
    definition: str = ""


@dataclass(frozen=True)
class Story:
    """A customer that owes much, told in sentences."""

    rank: int
    name: str
    customer_id: str
    marks: Sequence[str]
    past_due: str
    open_amount: str
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """A heading with what stands below it. ``words`` say what is missing, or what the figures come to."""

    title: str
    definition: str = ""
    words: Sequence[str] = ()
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    stories: Sequence[Story] = ()


@dataclass(frozen=True)
class Tile:
    """A figure to be read first: its value, what it was, what it is held against."""

    title: str
    value: str
    definition: str
    below: Sequence[str] = ()
    tone: Literal["", "good", "bad", "soft"] = ""


@dataclass(frozen=True)
class Ledger:
    """One entity and currency, or the group."""

    anchor: str
    title: str
    currency_code: str
    tiles: Sequence[Tile] = ()
    parts: Sequence[Part] = field(default=())


def ledger_name(entity_id: str, currency_code: str) -> str:
    """How a ledger is called on the page."""
    return f"{'Group' if entity_id == GROUP else entity_id} · {currency_code}"
