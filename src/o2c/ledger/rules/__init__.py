"""What the database itself refuses, as conditions that are true of what must not be. ``triggers`` installs them.

A condition is SQL that SQLite and PostgreSQL both read, about ``old`` and ``new`` rows; what the two spell differently
stands in braces (``triggers.SPELLINGS``). A rule's name comes back in the error, so that code and people can tell.
"""

from o2c.ledger.rules.approvals import APPROVALS
from o2c.ledger.rules.history import HISTORY
from o2c.ledger.rules.letters import IS_CLAIMED, LETTERS, PARTS
from o2c.ledger.rules.rule import Rule

__all__ = ["IS_CLAIMED", "RULES", "Rule"]

RULES: tuple[Rule, ...] = (*LETTERS, *PARTS, *APPROVALS, *HISTORY)
