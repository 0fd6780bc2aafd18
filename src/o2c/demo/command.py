"""``o2c demo generate``: arguments and what is printed of them. Wired into the command line by ``o2c.cli``."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

from o2c.demo.books import DEFAULT_END, DEFAULT_MORNINGS
from o2c.demo.dirt import AS_MEASURED, CLEAN, WITHIN_CONTRACT
from o2c.demo.generator import generate, generate_mornings

_DIRT = {"clean": CLEAN, "contract": WITHIN_CONTRACT, "measured": AS_MEASURED}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``o2c demo generate``."""
    parser.add_argument(
        "--folder", type=Path, required=True, help="where the files go; made if it is not there"
    )
    parser.add_argument("--invoices", type=int, default=2_000, help="200 to 10,000,000 (default %(default)s)")
    parser.add_argument("--customers", type=int, help="by default one for about 8 to 20 invoices")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    parser.add_argument("--end", type=date.fromisoformat, default=DEFAULT_END, help="last day of the books")
    parser.add_argument("--parquet", action="store_true", help="Parquet in place of CSV, for large sizes")
    parser.add_argument("--dirt", choices=sorted(_DIRT), default="contract", help="faults to put in")
    parser.add_argument(
        "--mornings",
        type=int,
        default=0,
        metavar="N",
        help="N extracts a week apart, each in a folder of its date",
    )


def main_generate(args: argparse.Namespace, say: Callable[[str], None] = lambda line: None) -> int:
    """Write what the arguments ask for and say what was written. Returns the exit code.

    Raises:
        ValueError: the arguments make no books.
    """
    common = {
        "invoices": args.invoices,
        "seed": args.seed,
        "end": args.end,
        "customers": args.customers,
        "file_format": "parquet" if args.parquet else "csv",
        "dirt": _DIRT[args.dirt],
    }
    if args.mornings:
        step = DEFAULT_MORNINGS[1] - DEFAULT_MORNINGS[0]
        mornings = [args.end + step * week for week in range(args.mornings)]
        made = generate_mornings(args.folder, mornings=mornings, **common)
    else:
        made = [generate(args.folder, **common)]
    for extract in made:
        counts = ", ".join(f"{count:,} {table}" for table, count in extract.rows.items() if count)
        say(f"{extract.folder} as of {extract.as_of}: {counts}")
    return 0
