"""A rule of the database, and the words that rules are made of."""

# Names and states in these conditions are our own.
# ruff: noqa: S608

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from o2c.ledger.states import FIRST_STATES


@dataclass(frozen=True)
class Rule:
    """``when`` is true of what is refused. ``only``: needed in one of the two databases."""

    name: str
    table: str
    event: Literal["insert", "update", "delete"]
    when: str
    says: str
    only: Literal["sqlite", "postgresql"] | None = None


def listed(values: Sequence[str]) -> str:
    return f"({', '.join(repr(value) for value in values)})"


def changed(*columns: str) -> str:
    return "(" + " or ".join(f"old.{name} {{differs}} new.{name}" for name in columns) + ")"


def same(*columns: str) -> str:
    return " and ".join(f"other.{name} = new.{name}" for name in columns)


def letter(of: str, condition: str) -> str:
    return f"exists (select 1 from letters where letters.letter_id = {of}.letter_id and {condition})"


def never(table: str, *events: Literal["insert", "update", "delete"]) -> list[Rule]:
    words = {"insert": "added to", "update": "changed", "delete": "deleted"}
    return [
        Rule(f"{table}_{event}_refused", table, event, "1 = 1", f"{table} are never {words[event]}")
        for event in events
    ]


def not_replaced(table: str, same: str) -> Rule:
    """SQLite's ``or replace`` deletes the row in the way without asking the rules about deletion."""
    return Rule(
        f"{table}_not_replaced",
        table,
        "insert",
        f"exists (select 1 from {table} as other where {same})",
        "UNIQUE: it is there already, and is not replaced",
        only="sqlite",
    )


FIRST = listed(FIRST_STATES)
