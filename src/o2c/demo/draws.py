"""Random draws that depend on a seed, a name and a counter, and on nothing else.

A draw is a hash of its counter, so the size of a chunk, the order of the rows and the number of threads
cannot change it: row 7 of a ledger is the same whether it is made alone or among ten million.
The mixing is splitmix64 (Steele, Lea, Flood 2014). Draws are floats; callers turn them into whole cents at once.
"""

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

_U64 = pl.UInt64
_TWO_PI = 2 * math.pi


@dataclass(frozen=True)
class Draws:
    """All draws of one seed. ``name`` keeps the draws of one row apart from each other."""

    seed: int

    def uniform(self, name: str, counter: str) -> pl.Expr:
        """Float in [0, 1), by the whole number in column ``counter``."""
        key = int.from_bytes(hashlib.sha256(f"{self.seed}|{name}".encode()).digest()[:8], "big")
        mixed = pl.col(counter).cast(_U64) * _u64(0x9E3779B97F4A7C15) + _u64(key)
        mixed = (mixed ^ (mixed // _u64(1 << 30))) * _u64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed // _u64(1 << 27))) * _u64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed // _u64(1 << 31))
        return (mixed // _u64(1 << 11)).cast(pl.Float64) * 2.0**-53

    def normal(self, name: str, counter: str) -> pl.Expr:
        """Standard normal by Box and Muller."""
        radius = (-2.0 * (1.0 - self.uniform(f"{name}.radius", counter)).log()).sqrt()
        return radius * (_TWO_PI * self.uniform(f"{name}.angle", counter)).cos()

    def student_t3(self, name: str, counter: str) -> pl.Expr:
        """Student's t with three degrees of freedom: sharply peaked with a rare long tail."""
        squares = sum((self.normal(f"{name}.{part}", counter) ** 2 for part in "abc"), pl.lit(0.0))
        return self.normal(name, counter) / (squares / 3.0).sqrt()

    def skew_normal(self, name: str, counter: str, *, shape: float, location: float, scale: float) -> pl.Expr:
        """Skew-normal with the usual three parameters."""
        delta = shape / math.sqrt(1.0 + shape * shape)
        bent = self.normal(f"{name}.bent", counter).abs() * delta
        straight = self.normal(f"{name}.straight", counter) * math.sqrt(1.0 - delta * delta)
        return location + scale * (bent + straight)

    def beta(self, name: str, counter: str, alpha: float, beta: float) -> pl.Expr:
        """Beta by a table of 4,096 sorted draws; close enough for rates of customers."""
        numbers = random.Random(f"{alpha}|{beta}")  # noqa: S311 (made-up books need no secrecy)
        table = sorted(numbers.betavariate(alpha, beta) for _ in range(4096))
        return look_up(table, (self.uniform(name, counter) * 4096).cast(pl.Int64))

    def happens(self, name: str, counter: str, ratio: float | pl.Expr) -> pl.Expr:
        """True for this share of the rows."""
        return self.uniform(name, counter) < ratio

    def whole(self, name: str, counter: str, low: int, high: int) -> pl.Expr:
        """Int32 in [low, high], each equally often."""
        return (self.uniform(name, counter) * (high - low + 1)).floor().cast(pl.Int32) + low

    def pick(self, name: str, counter: str, weighted: Mapping[str, float]) -> pl.Expr:
        """One of the keys, as often as its weight says; the weights need not add up to one."""
        total, edges = sum(weighted.values()), []
        for weight in weighted.values():
            edges.append((edges[-1] if edges else 0.0) + weight / total)
        edges[-1] = 1.0
        place = pl.lit(pl.Series(edges)).search_sorted(self.uniform(name, counter), side="right")
        return look_up(list(weighted), place)


def look_up(values: Sequence, index: pl.Expr) -> pl.Expr:
    """The value at each index of a short list."""
    return pl.lit(pl.Series(values)).gather(index)


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=_U64)
