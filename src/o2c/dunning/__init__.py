"""Who is reminded, how firmly, and who is left alone and why. Pure: frames, a policy and a date in, frames out."""

from o2c.dunning.book import DunningBook
from o2c.dunning.decide import decide_dunning

__all__ = ["DunningBook", "decide_dunning"]
