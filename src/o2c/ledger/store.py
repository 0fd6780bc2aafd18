"""The ledger of one home: everything that must never be forgotten or doubled, behind one name."""

from sqlalchemy import Engine

from o2c.ledger.files import DeliveryRows
from o2c.ledger.letters import LetterRows
from o2c.ledger.opening import LedgerError, open_engine
from o2c.ledger.placed import PlacementRows
from o2c.ledger.runs import RunRows

__all__ = ["Ledger", "LedgerError"]


class Ledger(DeliveryRows, RunRows, LetterRows, PlacementRows):
    """The store of one home, in SQLite or PostgreSQL. Safe to open from several processes at once.

    One short transaction per call; nothing is held open across other work. Opening brings tables and triggers to
    this version. Letters are written by ``planning``, ``approving`` and ``outgoing``.

    Raises:
        LedgerError: the database cannot be opened, is of a later version, or would not keep what it was told.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    @property
    def engine(self) -> Engine:
        return self._engine
