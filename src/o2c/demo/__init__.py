"""A made-up ledger for the demo, the tests and the benchmark: seeded, fitted to real ones, of any size."""

from o2c.demo.books import DEFAULT_END, DEFAULT_MORNINGS, DEFAULT_START
from o2c.demo.dirt import AS_MEASURED, CLEAN, WITHIN_CONTRACT, Dirt
from o2c.demo.generator import Generated, generate, generate_mornings

__all__ = [
    "AS_MEASURED",
    "CLEAN",
    "DEFAULT_END",
    "DEFAULT_MORNINGS",
    "DEFAULT_START",
    "WITHIN_CONTRACT",
    "Dirt",
    "Generated",
    "generate",
    "generate_mornings",
]
