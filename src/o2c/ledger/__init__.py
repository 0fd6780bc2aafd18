"""The transactional store: what was delivered to us, what was run, and what was sent to whom."""

from o2c.ledger.cash import DecisionFile, PublishedRun
from o2c.ledger.store import Ledger, LedgerError

__all__ = ["DecisionFile", "Ledger", "LedgerError", "PublishedRun"]
