"""Time and memory of the product stage by stage, beside two references in the same session.

    python bench/run.py [--sizes 100000,1000000] [--keep] [--no-pandas] [--no-duckdb] [--no-product]

For each size, one after the other, each in a child process: generate the ledger (CSV with the faults of a real one,
Parquet without), the whole night of the product on the CSV, the DuckDB script on the Parquet, the pandas script on
the CSV. The night on a ledger of 200 invoices shows what is fixed; marginal is the rest. Ratios are of CPU seconds,
since wall time on a shared machine says little. Totals must agree, or the ratio is of two different answers: the run
then ends with exit 1. Everything goes to bench/out/, results to bench/out/results.json.
"""

import argparse
import json
import os
import platform
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from measure import Measured, measure
from product import published_totals, steps_of
from report import table

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
AS_OF = "2026-09-30"
FIXED = 200
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}
GENERATE = """
import sys
from pathlib import Path
from o2c.demo import CLEAN, WITHIN_CONTRACT, generate
folder, invoices, form = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
generate(folder, invoices=invoices, seed=1, file_format=form, dirt=CLEAN if form == "parquet" else WITHIN_CONTRACT)
"""


def main() -> int:
    """Run what the arguments ask for, print tables, write JSON. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="100000,1000000", help="numbers of invoices (default %(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep ledgers and homes below bench/out")
    for reference in ("pandas", "duckdb", "product"):
        parser.add_argument(f"--no-{reference}", action="store_true", help=f"leave {reference} out")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    OUT.mkdir(exist_ok=True)
    results: dict[str, object] = {"machine": machine(), "as_of": AS_OF, "sizes": {}}
    agrees = True
    fixed = None
    if not given.no_product:
        # The first run of a fresh checkout parses the dbt project; that is told apart from what every night costs.
        results["first_run"] = one_size(FIXED, given, with_references=False)["night"]
        fixed = one_size(FIXED, given, with_references=False)["night"]
        results["fixed"] = fixed
    for size in sizes:
        found = one_size(size, given, with_references=True)
        results["sizes"][str(size)] = found
        agrees = agrees and all(found["agreement"].values())
        print(table(size, found, fixed), flush=True)
    (OUT / "results.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    print(f"\nWritten: {OUT / 'results.json'}")
    return 0 if agrees else 1


def one_size(size: int, given: argparse.Namespace, *, with_references: bool) -> dict[str, object]:
    """All stages of one size, in one sequence."""
    work = OUT / str(size)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    found: dict[str, object] = {"agreement": {}}
    text, typed = work / "csv", work / "parquet"
    totals = {}
    python = sys.executable
    found["generate"] = cost(run([python, "-c", GENERATE, str(text), str(size), "csv"], work))
    if not given.no_product:
        found["night"], totals["product"] = night(work, text)
    if with_references and not given.no_duckdb:
        run([python, "-c", GENERATE, str(typed), str(size), "parquet"], work)
        script = [python, str(HERE / "duckdb_limit.py"), str(typed), AS_OF, str(work / "limit.duckdb")]
        measured = run(script, work)
        totals["duckdb"] = json.loads(measured.output)
        found["duckdb"] = cost(measured) | {"rows": totals["duckdb"]["rows"]}
    if with_references and not given.no_pandas:
        measured = run(
            [python, str(HERE / "pandas_baseline.py"), str(text), AS_OF, str(work / "pandas")], work
        )
        totals["pandas"] = json.loads(measured.output)
        found["pandas"] = cost(measured) | {key: totals["pandas"][key] for key in ("stages", "letters")}
    found["agreement"] = agreement(totals)
    found["differences"] = differences(totals)
    if not given.keep:
        shutil.rmtree(work)
    return found


def night(work: Path, folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The whole night through the command line, letters into the outbox of a simulated home."""
    home, o2c = work / "home", str(Path(sys.executable).parent / "o2c")
    run([o2c, "--home", str(home), "init", "--simulated", "--auto-approve"], work)
    # Exit 1 says that there are exceptions for a person, as on every real morning.
    measured = run(
        [o2c, "--home", str(home), "run", "--source", str(folder), "--as-of", AS_OF, "--send"],
        work,
        allowed=(0, 1),
    )
    return cost(measured) | {"steps": steps_of(home)}, published_totals(home, AS_OF)


def run(command: list[str], folder: Path, allowed: tuple[int, ...] = (0,)) -> Measured:
    """Measure a command that has to succeed."""
    measured = measure(command, folder, QUIET)
    if measured.code not in allowed:
        sys.exit(f"{' '.join(command)}\nended with exit {measured.code}:\n{measured.errors[-4000:]}")
    return measured


def cost(measured: Measured) -> dict[str, object]:
    """What goes into the results of a measurement."""
    values = asdict(measured)
    return {key: values[key] for key in ("wall_seconds", "cpu_seconds", "peak_rss_mib")}


def agreement(totals: dict[str, dict[str, object]]) -> dict[str, bool]:
    """Whether every two answers have the same open amount and count per bucket, and the same net receivables."""
    names = sorted(totals)
    return {
        f"{one} = {other}": _comparable(totals[one]) == _comparable(totals[other])
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    }


def differences(totals: dict[str, dict[str, object]]) -> list[str]:
    """Rows that only one of two answers has, as text; the first few of each pair."""
    names = sorted(totals)
    lines = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            for mine, theirs in zip(_comparable(totals[one]), _comparable(totals[other]), strict=True):
                lines += [f"only {one}, not {other}: {row}" for row in sorted(mine - theirs)[:5]]
                lines += [f"only {other}, not {one}: {row}" for row in sorted(theirs - mine)[:5]]
    return lines


def _comparable(found: dict[str, object]) -> tuple[set, set]:
    open_items = {
        (
            row["entity_id"],
            row["currency_code"],
            row["aging_bucket"],
            row["item_count"],
            f"{float(row['open_amount']):.2f}",
        )
        for row in found["open"]
    }
    return open_items, {(entity, currency, f"{float(net):.2f}") for entity, currency, net in found["net"]}


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}


if __name__ == "__main__":
    sys.exit(main())
