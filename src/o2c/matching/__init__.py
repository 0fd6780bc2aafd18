"""Cash application: which payment settles which invoice."""

from o2c.matching.apply import CashResult, apply_cash

__all__ = ["CashResult", "apply_cash"]
