"""What a backfill of 24 month ends costs beside single builds of one date, on the same landed ledger.

    python bench/backfill.py [--invoices 100000] [--keep]

The ledger is landed first, so that neither pays for reading it. A single build is `o2c build`: load, cash application,
marts, no tests and nothing published; the backfill does the same for all its dates, tests them and publishes.
The ratio is of CPU seconds, since wall time on a shared machine says little; above 3 the exit code is 1.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from measure import Measured, measure
from run import AS_OF, OUT, QUIET, machine

# Books of more than two years, so that there is something to measure on each of the month ends.
GENERATE = """
import sys
from datetime import date
from pathlib import Path
from o2c.demo import generate
generate(Path(sys.argv[1]), invoices=int(sys.argv[2]), seed=1, start=date(2024, 7, 1))
"""
FIRST, LAST = "2024-09-30", "2026-08-31"
MOST = 3.0


def main() -> int:
    """Measure, print, write JSON. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--invoices", type=int, default=100_000, help="size of the ledger (default %(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="keep ledger and home below bench/out")
    given = parser.parse_args()
    work = OUT / f"backfill-{given.invoices}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    ledger = str(work / "csv")
    done([sys.executable, "-c", GENERATE, ledger, str(given.invoices), "csv"], work)
    o2c = [sys.executable, "-m", "o2c.cli", "--home", str(work / "home")]
    landed = done([*o2c, "ingest", "--source", ledger], work)
    done([*o2c, "build", "--as-of", AS_OF], work)  # the first one also parses the dbt project
    single = done([*o2c, "build", "--as-of", AS_OF], work)
    filled = done([*o2c, "backfill", "--from", FIRST, "--to", LAST], work)
    ratio = filled.cpu_seconds / single.cpu_seconds
    for name, one in (("landing", landed), ("single build", single), ("24 month ends", filled)):
        print(
            f"{name:<14} {one.wall_seconds:7.1f} s wall {one.cpu_seconds:7.1f} s CPU {one.peak_rss_mib:6,d} MiB"
        )
    print(f"24 month ends cost {ratio:.2f} single builds (at most {MOST:g})")
    found = {"machine": machine(), "invoices": given.invoices, "ratio": ratio}
    (OUT / "backfill.json").write_text(
        json.dumps(found | {"single": vars(single), "backfill": vars(filled)}, indent=2) + "\n"
    )
    if not given.keep:
        shutil.rmtree(work)
    return 0 if ratio <= MOST else 1


def done(command: list[str], folder: Path) -> Measured:
    """Measure a command that has to succeed; exit 1 says that there are exceptions for a person."""
    measured = measure(command, folder, QUIET)
    if measured.code not in (0, 1):
        sys.exit(f"{' '.join(command)}\nended with exit {measured.code}:\n{measured.errors[-4000:]}")
    return measured


if __name__ == "__main__":
    sys.exit(main())
