"""Cash application against a made-up ledger whose truth is known: how much is automatic, how much of it right.

    python bench/cash.py [--small] [--seed 1] [--items N --customers N --payments N] [--keep]

Payments come in the reference mix of the performance design. Goals (exit 1 where one is missed): at least 90 %
automatic, 99.95 % of automatic decisions right by count and by value, nothing applied twice, at least 50,000 payments
per CPU second of the engine (not with ``--small``). The engine runs in a process of its own, so that its time and
memory are its own.
All wrong decisions are written to bench/out/cash_wrong.csv, figures to bench/out/cash.json.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl
from cash_book import AS_OF, FULL, SMALL, Size
from cash_draw import SHAPES
from cash_mix import Mix, make_mix
from cash_truth import Judged, describe_wrong, judge

from o2c.matching import apply_cash
from o2c.matching.book import CashBook, CashResult
from o2c.policy import load_policies

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
POLICIES = HERE.parent / "policies"
AUTOMATIC, PRECISION, SPEED = 0.90, 0.9995, 50_000
REACH = "reach: 93 % automatic, 99.99 % right, 150,000 payments per CPU second"


@dataclass(frozen=True)
class Report:
    """What came of one mix. ``shapes`` has a row per shape and variant, one per shape, and one for all."""

    shapes: pl.DataFrame
    wrong: pl.DataFrame
    double_claims: pl.DataFrame
    cost: dict[str, float]

    @property
    def total(self) -> dict[str, object]:
        """The row for all payments."""
        return self.shapes.row(0, named=True)

    def missed(self, *, with_speed: bool) -> list[str]:
        """Goals that must be met and are not, in words."""
        total, missed = self.total, []
        if total["automatic"] < AUTOMATIC:
            missed.append(f"{total['automatic']:.4%} automatic, must be {AUTOMATIC:.0%}")
        for name in ("precision", "precision_by_value"):
            if total[name] < PRECISION:
                missed.append(f"{name} {total[name]:.4%}, must be {PRECISION:.2%}")
        if self.double_claims.height:
            missed.append(f"{self.double_claims.height} documents or payments used beyond what they hold")
        if with_speed and self.cost["payments_per_cpu_second"] < SPEED:
            missed.append(
                f"{self.cost['payments_per_cpu_second']:,.0f} payments per CPU second, must be {SPEED:,}"
            )
        return missed


def measure(size: Size, seed: int) -> Report:
    """Make the mix, apply cash in this process, judge."""
    mix = make_mix(size, seed)
    result, cost = run_engine(mix.book)
    return report(mix, result, cost)


def run_engine(book: CashBook) -> tuple[CashResult, dict[str, float]]:
    """Apply cash with the policies of this project; what it cost. Memory is the highest of the process so far."""
    policies = load_policies(POLICIES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    result = apply_cash(book, policies.matching, policies.reason_codes, AS_OF)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return result, {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "payments_per_cpu_second": book.payments.height / cpu,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rss_before_mib": before / 1024,
    }


def report(mix: Mix, result: CashResult, cost: dict[str, float]) -> Report:
    """Figures of a result that is there."""
    judged = judge(mix, result)
    return Report(_shapes(judged), describe_wrong(judged, mix, result), judged.double_claims, cost)


def _shapes(judged: Judged) -> pl.DataFrame:
    """Shares per shape and variant; null where there is nothing to have a share of."""
    right = pl.col("is_automatic") & pl.col("is_end_right")
    decided = pl.col("is_decided")
    value = pl.col("value")
    figures = {
        "payments": pl.len(),
        "automatic": right.mean(),
        "automatic_by_value": value.filter(right).sum() / value.sum(),
        "decided": decided.sum(),
        "wrong": pl.col("is_wrong").sum(),
        "precision": 1 - pl.col("is_wrong").sum() / decided.sum(),
        "precision_by_value": 1 - value.filter("is_wrong").sum() / value.filter(decided).sum(),
        "recall": pl.col("is_found").mean(),
        "wrong_owner": pl.col("is_wrong_owner").sum(),
    }
    payments = judged.payments.with_columns(all=pl.lit("all"))
    levels = [
        payments.group_by(shape="all").agg(**figures).with_columns(variant=pl.lit("")),
        payments.group_by("shape").agg(**figures).with_columns(variant=pl.lit("")),
        payments.filter(pl.col("variant") != "").group_by("shape", "variant").agg(**figures),
    ]
    columns = ["shape", "variant", *figures]
    order = {name: place for place, name in enumerate(["all", *SHAPES])}
    return (
        pl.concat([level.select(columns) for level in levels])
        .with_columns(place=pl.col("shape").replace_strict(order, return_dtype=pl.Int64))
        .sort("place", "variant")
        .drop("place")
    )


def table(found: Report) -> str:
    """Figures for people."""
    heads = f"{'shape':<36}{'payments':>9}{'automatic':>11}{'by value':>10}{'wrong':>7}"
    lines = [f"{heads}{'precision':>11}{'by value':>11}{'recall':>9}{'owner?':>8}"]
    for row in found.shapes.iter_rows(named=True):
        name = f"  {row['variant']}" if row["variant"] else row["shape"]
        shares = [_share(row[key], 2) for key in ("automatic", "automatic_by_value")]
        precise = [_share(row[key], 4) for key in ("precision", "precision_by_value")]
        lines.append(
            f"{name:<36}{row['payments']:>9,}{shares[0]:>11}{shares[1]:>10}{row['wrong']:>7}"
            f"{precise[0]:>11}{precise[1]:>11}{_share(row['recall'], 2):>9}{row['wrong_owner']:>8}"
        )
    cost = found.cost
    lines.append(
        f"\nengine: {cost['cpu_seconds']:.2f} cpu s, {cost['wall_seconds']:.2f} s wall,"
        f" {cost['payments_per_cpu_second']:,.0f} payments per cpu s,"
        f" peak {cost['peak_rss_mib']:,.0f} MiB ({cost['rss_before_mib']:,.0f} with the book alone)"
    )
    return "\n".join([*lines, f"used beyond what there is: {found.double_claims.height}", REACH])


def _share(value: float | None, digits: int) -> str:
    return "-" if value is None or value != value else f"{value:.{digits}%}"


def main() -> int:
    """Measure what the arguments ask for. Returns 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="50,000 items, 2,500 customers, 15,000 payments")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("items", "customers", "payments"):
        parser.add_argument(f"--{name}", type=int, help=f"number of {name}")
    parser.add_argument("--keep", action="store_true", help="keep the book as Parquet below bench/out/cash")
    parser.add_argument("--engine", metavar="FOLDER", help="apply cash to the book there, in this process")
    given = parser.parse_args()
    if given.engine:
        return _engine(Path(given.engine))
    base = SMALL if given.small else FULL
    size = Size(*(getattr(given, name) or getattr(base, name) for name in ("items", "customers", "payments")))
    started = time.perf_counter()
    mix = make_mix(size, given.seed)
    print(f"{size}, seed {given.seed}: made in {time.perf_counter() - started:.1f} s", flush=True)
    result, cost = _apart(mix, keep=given.keep)
    found = report(mix, result, cost)
    print(table(found))
    _write(found, size, given.seed)
    missed = found.missed(with_speed=not given.small)
    print("\n".join(f"MISSED: {one}" for one in missed) or "all goals that must be met are met")
    return 1 if missed else 0


def _apart(mix: Mix, *, keep: bool) -> tuple[CashResult, dict[str, float]]:
    """The engine in a process of its own, on Parquet."""
    folder = OUT / "cash"
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(CashBook):
        getattr(mix.book, field.name).write_parquet(folder / f"{field.name}.parquet")
    mix.payments.write_parquet(folder / "true_payments.parquet")
    mix.lines.write_parquet(folder / "true_lines.parquet")
    run = subprocess.run(
        [sys.executable, __file__, "--engine", str(folder)], stdout=subprocess.PIPE, text=True
    )
    if run.returncode:
        sys.exit(f"the engine ended with exit {run.returncode}")
    result = CashResult(
        **{
            field.name: pl.read_parquet(folder / f"result_{field.name}.parquet")
            for field in fields(CashResult)
        }
    )
    if not keep:
        for path in folder.glob("*.parquet"):
            path.unlink()
    return result, json.loads(run.stdout.splitlines()[-1])


def _engine(folder: Path) -> int:
    book = CashBook(
        **{field.name: pl.read_parquet(folder / f"{field.name}.parquet") for field in fields(CashBook)}
    )
    result, cost = run_engine(book)
    for field in fields(CashResult):
        getattr(result, field.name).write_parquet(folder / f"result_{field.name}.parquet")
    print(json.dumps(cost))
    return 0


def _write(found: Report, size: Size, seed: int) -> None:
    """JSON for programs and every wrong decision; the first fifty on the screen."""
    OUT.mkdir(exist_ok=True)
    found.wrong.write_csv(OUT / "cash_wrong.csv")
    figures = {
        "size": vars(size),
        "seed": seed,
        "cost": found.cost,
        "shapes": found.shapes.to_dicts(),
        "double_claims": found.double_claims["key"].to_list(),
        "wrong": found.wrong["payment_id"].to_list(),
    }
    (OUT / "cash.json").write_text(json.dumps(figures, indent=2) + "\n")
    for row in found.wrong.head(50).iter_rows(named=True):
        print(
            f"{row['payment_id']} {row['shape']}/{row['variant']} {row['payment_amount']} of {row['customer_id']}"
            f" ({row['payer_name']}, {row['payer_account']}) {row['reference_text']!r}\n"
            f"    {row['end']}, {row['assigned_customer_id']}: {row['done']}\n    truth: {row['truth']}: {row['true']}"
        )
    print(f"{found.wrong.height} wrong decisions: {OUT / 'cash_wrong.csv'}; figures: {OUT / 'cash.json'}")


if __name__ == "__main__":
    sys.exit(main())
