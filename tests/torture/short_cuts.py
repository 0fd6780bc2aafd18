"""The same run with less to wait for: the SQL that dbt made is run without dbt, and no chart is drawn twice.

The first run in a home of its own is a whole one and writes down, for every pass, the statements that dbt sent to the
database. Runs after it send the same statements, models and tests alike, to their own build: what is computed is
computed from what is there, only dbt's own time is saved. That both give the same bytes is what the kills assert, for
the run that they are held against is a whole one.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

import flows._dbt
import flows.build
import o2c.report.drawing

_MADE = re.compile(r'create\s+(view|table)\s+"build"\."(\w+)"\."(\w+)"', re.IGNORECASE)


def take(folder: Path) -> None:
    """Use what is written down in the folder, or write it down there."""
    flows.build.run_models = _models(folder, flows.build.run_models)  # ty: ignore[invalid-assignment]
    flows.build.run_tests = _tests(folder, flows.build.run_tests)  # ty: ignore[invalid-assignment]
    o2c.report.drawing.vl_convert = _Drawings(folder)  # ty: ignore[invalid-assignment]


def _models(folder: Path, whole: Callable[..., None]) -> Callable[..., None]:
    def run_models(build: Path, work: Path, select: str) -> None:
        kept = folder / f"models.{select.replace(':', '.')}.json"
        if not kept.exists():
            _write_down(kept, work, lambda: whole(build, work, select))
            return
        with _open(build) as con:
            for sql in json.loads(kept.read_text()).values():
                for kind, schema, name in _MADE.findall(sql):  # a pass may make again what another made
                    con.execute(f"create schema if not exists {schema}")
                    con.execute(f"drop {kind} if exists {schema}.{name}")
                con.execute(sql)

    return run_models


def _tests(folder: Path, whole: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def run_tests(build: Path, work: Path) -> list[Any]:
        kept = folder / "tests.json"
        if not kept.exists():
            return _write_down(kept, work, lambda: whole(build, work))
        with _open(build) as con:
            for name, sql in json.loads(kept.read_text()).items():
                ((count, should_warn, should_error),) = con.execute(sql).fetchall()
                if should_warn or should_error:
                    raise flows._dbt.BuildFailed(f"{build}: {name}: {count} rows")
        return []

    return run_tests


def _write_down(kept: Path, work: Path, call: Callable[[], Any]) -> Any:
    """Do it with dbt and keep the statements that it wrote into its target meanwhile, in their order."""
    target = work / "dbt" / "run"
    before = _written(target)
    result = call()
    fresh = [found for found in _written(target) if found not in before]
    assert fresh, f"{kept.name}: dbt wrote no statement"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({path.stem: path.read_text() for _, path in fresh}, indent=1))
    return result


def _written(target: Path) -> list[tuple[int, Path]]:
    return sorted((path.stat().st_mtime_ns, path) for path in target.rglob("*.sql") if path.is_file())


def _open(build: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(build, config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    con.execute("set preserve_insertion_order = false")
    return con


class _Drawings:
    """Stands for vl_convert: what was drawn once is taken from the folder."""

    def __init__(self, folder: Path) -> None:
        import vl_convert

        self._folder, self._draws = folder, vl_convert.vegalite_to_svg

    def vegalite_to_svg(self, spec: dict[str, Any], **options: Any) -> str:
        key = hashlib.sha256(json.dumps([spec, options], sort_keys=True).encode()).hexdigest()
        kept = self._folder / f"{key}.svg"
        if kept.exists():
            return kept.read_text()
        drawn = self._draws(spec, **options)
        beside = kept.with_suffix(".new")
        beside.write_text(drawn)
        beside.replace(kept)
        return drawn
