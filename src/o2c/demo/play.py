"""``o2c demo``: write a made-up ledger, or play some mornings of one in a simulated home."""

from pathlib import Path

from o2c.demo.generator import generate


def generate_only(folder: Path, invoices: int, seed: int, parquet: bool) -> str:
    """Write the ledger and say in one line what was written.

    Raises:
        ValueError: these arguments make no books; nothing was written.
    """
    made = generate(folder, invoices=invoices, seed=seed, file_format="parquet" if parquet else "csv")
    counts = ", ".join(f"{count:,} {table}" for table, count in made.rows.items() if count)
    return f"{made.folder}: a ledger as of {made.as_of} with {counts}"
